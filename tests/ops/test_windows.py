"""The table of window functions: result types, options, messages."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from fastframe.dtypes import dtype
from fastframe.errors import ArgumentError, DTypeError, LossyCast
from fastframe.ops.windows import WINDOWS, WindowCall


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("shift", "string", "string"),
        ("ffill", "category", "category"),
        ("rank", "string", "float64"),
        ("diff", "int8", "int64"),
        ("diff", "uint64", "int64"),
        ("diff", "float32", "float32"),
        ("diff", "timestamp[us]", "duration[us]"),
        ("diff", "timestamp[ns, UTC]", "duration[ns]"),
        ("diff", "date32", "duration[s]"),
        ("diff", "date64", "duration[ms]"),
        ("diff", "time32[s]", "duration[s]"),
        ("diff", "decimal128(12, 2)", "decimal128(13, 2)"),
        ("diff", "decimal128(38, 2)", "decimal128(38, 2)"),
        ("pct_change", "int8", "float64"),
        ("pct_change", "float32", "float32"),
        ("cumsum", "bool", "int64"),
        ("cumsum", "int8", "int64"),
        ("cumsum", "uint8", "uint64"),
        ("cumsum", "float32", "float32"),
        ("cumsum", "decimal128(5, 2)", "decimal128(38, 2)"),
        ("cumsum", "duration[ms]", "duration[ms]"),
        ("cumprod", "uint16", "uint64"),
        ("cummin", "bool", "bool"),
        ("cummax", "date32", "date32"),
        ("cumcount", "string", "int64"),
        ("ngroup", "string", "int64"),
    ],
)
def test_result_types(name: str, given: str, expected: str) -> None:
    assert WindowCall(name).resolve(dtype(given)) == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("diff", "bool"),
        ("diff", "string"),
        ("pct_change", "decimal128(5, 2)"),
        ("pct_change", "date32"),
        ("cumsum", "string"),
        ("cumsum", "timestamp[us]"),
        ("cumprod", "duration[s]"),
        ("cumprod", "decimal128(5, 2)"),
        ("cummin", "string"),
        ("cummax", "category"),
        ("cumsum", "float16"),
        ("rank", "float16"),
    ],
)
def test_refused_types(name: str, given: str) -> None:
    with pytest.raises(DTypeError, match=rf"^{name} is not defined for dtype .* of column 'x'\. It works on "):
        WindowCall(name).resolve(dtype(given), "x")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cumsun", {}, "Did you mean 'cumsum'"),
        ("shift", {"period": 1}, "Did you mean 'periods'"),
        ("shift", {"periods": 1.5}, "an int"),
        ("diff", {"periods": True}, "an int"),
        ("ffill", {"limit": 0}, "at least 1"),
        ("rank", {"method": "mean"}, "average"),
        ("rank", {"na_option": "kept"}, "Did you mean 'keep'"),
        ("rank", {"pct": 1}, "True"),
    ],
)
def test_refused_options(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        WindowCall(name, options)


@pytest.mark.parametrize(
    ("given", "fill"),
    [
        ("int8", 300),
        ("int64", 1.5),
        ("int64", "a"),
        ("int64", True),
        ("bool", 1),
        ("string", 1),
        ("date32", "x"),
        ("uint8", -1),
    ],
)
def test_fill_values_that_do_not_fit(given: str, fill: Any) -> None:
    with pytest.raises(LossyCast, match="does not fit dtype"):
        WindowCall("shift", {"fill_value": fill}).resolve(dtype(given))


@pytest.mark.parametrize(
    ("given", "fill"),
    [
        ("int8", np.int64(5)),
        ("float64", 1),
        ("bool", np.True_),
        ("string", "x"),
        ("timestamp[us]", np.datetime64("2020-01-01", "ns")),
    ],
)
def test_fill_values_that_fit(given: str, fill: Any) -> None:
    assert WindowCall("shift", {"fill_value": fill}).resolve(dtype(given)) == given


def test_calls_are_values() -> None:
    call = WindowCall("shift", {"periods": 2})
    assert call == WindowCall("shift", {"fill_value": None, "periods": 2}) and hash(call) == hash(
        WindowCall("shift", {"fill_value": None, "periods": 2})
    )
    assert call != WindowCall("shift") and pickle.loads(pickle.dumps(call)) == call
    assert call["periods"] == 2


def test_only_counting_needs_no_column() -> None:
    assert {name for name, one in WINDOWS.items() if not one.needs_column} == {"cumcount", "ngroup"}
    with pytest.raises(ArgumentError, match="it needs a column"):
        WindowCall("cumsum").resolve(None)
    assert WindowCall("cumcount").resolve(None) == "int64"
