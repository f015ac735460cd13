"""`sort_rows` against its slow twin and pandas: dtypes, missing values, directions, sizes, slices."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.engines.cpu.sort import sort_rows
from fastframe.errors import DTypeError
from tests.reference import sort as reference

FAR = 2**63 - 1
VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "int8": (pa.int8(), [-128, 127, 0, -1]),
    "int16": (pa.int16(), [-(2**15), 5, 2**15 - 1]),
    "int32": (pa.int32(), [-(2**31), 2**31 - 1, 0, 1]),
    "int64": (pa.int64(), [-FAR - 1, FAR, 0, 7]),
    "uint8": (pa.uint8(), [0, 255, 128]),
    "uint16": (pa.uint16(), [0, 65535]),
    "uint32": (pa.uint32(), [0, 2**32 - 1, 2**31]),
    "uint64": (pa.uint64(), [0, 2**64 - 1, 2**63]),
    "float32": (pa.float32(), [0.0, -0.0, float("nan"), float("inf"), -1.5, 1e-45]),
    "float64": (pa.float64(), [0.0, -0.0, float("nan"), float("-inf"), float("inf"), 5e-324, 1.5]),
    "float16": (pa.float16(), [np.float16(1.5), np.float16(-2), np.float16("nan")]),
    "bool": (pa.bool_(), [True, False]),
    "string": (pa.string(), ["b", "", "a", "ä", "aa", "a\0", "zebra, the long one", "zebra, the long two"]),
    "large_string": (pa.large_string(), ["y", "x"]),
    "binary": (pa.binary(), [b"\xff", b"", b"a"]),
    "date32": (pa.date32(), [datetime.date(1969, 1, 1), datetime.date(2020, 2, 29)]),
    "timestamp": (pa.timestamp("us"), [datetime.datetime(1900, 1, 1), datetime.datetime(2020, 1, 1)]),
    "decimal": (pa.decimal128(20, 2), [Decimal("-1.25"), Decimal("0.00"), Decimal("7.50")]),
    "wide decimal": (pa.decimal128(38, 0), [Decimal(10**37), Decimal(-(10**37)), Decimal(1), Decimal(2**64), Decimal(-1)]),
    "null": (pa.null(), [None]),
}


def sample(name: str, n_rows: int, nulls: float, seed: int = 0) -> pa.Array:
    arrow, values = VALUES[name]
    rng = np.random.default_rng(seed)
    chosen = [None if rng.random() < nulls else values[at] for at in rng.integers(0, len(values), n_rows)]
    return pa.array(chosen, type=arrow)


def python(array: pa.Array) -> list[Any]:
    values: list[Any] = array.to_pylist()
    return [value.encode() if isinstance(value, str) else value for value in values]


@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", VALUES)
def test_each_dtype_in_both_directions(name: str, nulls: float) -> None:
    array = sample(name, 60, nulls)
    for descending in (False, True):
        for nulls_first in (False, True):
            rows = sort_rows([Column(array)], descending=[descending], nulls_first=nulls_first)
            assert rows.dtype == np.int32
            assert rows.tolist() == reference.sort_rows([python(array)], [descending], nulls_first)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("start", [1, 7, 8, 13])
def test_slices(name: str, start: int) -> None:
    array = sample(name, 80, 0.3).slice(start, 50)
    rows = sort_rows([Column(array)], descending=[True])
    assert rows.tolist() == reference.sort_rows([python(array)], [True])


@pytest.mark.parametrize("n_rows", [0, 1, 2, 63, 64, 65, 191, 193, 1000])
@pytest.mark.parametrize("names", [("int8", "float64"), ("string", "bool", "int64"), ("wide decimal", "uint64", "float32"), ("null", "int16")])
def test_several_keys(names: tuple[str, ...], n_rows: int) -> None:
    arrays = [sample(name, n_rows, 0.2, seed) for seed, name in enumerate(names)]
    for descending in ([False] * len(names), [True] * len(names), [seed % 2 == 0 for seed in range(len(names))]):
        rows = sort_rows([Column(array) for array in arrays], descending=descending, nulls_first=len(names) == 3)
        assert rows.tolist() == reference.sort_rows([python(array) for array in arrays], descending, len(names) == 3)


def test_many_wide_keys_take_many_digits() -> None:
    rng = np.random.default_rng(3)
    keys = [rng.choice([-(2**62), 0, 2**62], 3000) for _ in range(9)]
    rows = sort_rows([Column(pa.array(key)) for key in keys], descending=[False] * 9)
    np.testing.assert_array_equal(rows, np.lexsort(keys[::-1]))


@pytest.mark.parametrize("n_rows", [100, 90_000])
def test_encoded_text_and_categories(n_rows: int) -> None:
    rng = np.random.default_rng(1)
    codes = pa.array(rng.integers(0, 4, n_rows), type=pa.int32(), mask=rng.random(n_rows) < 0.1)
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["low", "high", "middle", "apex"]))
    text, category = Column(array, dtypes.STRING), Column(array)
    assert sort_rows([text], descending=[False]).tolist() == reference.sort_rows([array.to_pylist()], [False])
    assert sort_rows([category], descending=[True]).tolist() == reference.sort_rows([codes.to_pylist()], [True])


@pytest.mark.parametrize("ascending", [True, False, [True, False], [False, True]])
@pytest.mark.parametrize("n_rows", [50, 90_000])
def test_as_pandas_sorts(n_rows: int, ascending: bool | list[bool]) -> None:
    rng = np.random.default_rng(n_rows)
    floats = np.round(rng.normal(size=n_rows), 2)
    floats[rng.random(n_rows) < 0.1] = np.nan
    frame = pd.DataFrame({"a": floats, "b": rng.integers(0, 10, n_rows), "s": rng.choice(["x", "y", "z"], n_rows)})
    for by in (["a", "b"], ["s", "a"]):
        flags = [ascending] * 2 if isinstance(ascending, bool) else ascending
        for position in ("last", "first"):
            expected = frame.sort_values(by, ascending=flags, kind="stable", na_position=position).index
            columns = [Column(pa.array(frame[name], from_pandas=True)) for name in by]
            rows = sort_rows(columns, descending=[not flag for flag in flags], nulls_first=position == "first")
            np.testing.assert_array_equal(rows, expected)
    single = frame.sort_values("b", ascending=False, kind="stable").index
    np.testing.assert_array_equal(sort_rows([Column(pa.array(frame["b"]))], descending=[True]), single)


def test_slices_and_nulls_in_the_parallel_passes() -> None:
    rng = np.random.default_rng(5)
    array = pa.array(rng.integers(0, 1000, 90_003), mask=rng.random(90_003) < 0.2).slice(3)
    for descending in (False, True):
        values = array.to_numpy(zero_copy_only=False)
        key = np.where(np.isnan(values), np.inf, -values if descending else values)
        np.testing.assert_array_equal(sort_rows([Column(array)], descending=[descending]), np.argsort(key, kind="stable"))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(width=32), st.sampled_from([0.0, -0.0])),
            st.one_of(st.none(), st.text(alphabet="ab\0é", max_size=9)),
            st.one_of(st.none(), st.integers(-FAR - 1, FAR)),
        ),
        max_size=40,
    ),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.booleans(),
)
def test_any_rows(rows: list[tuple[Any, ...]], descending: tuple[bool, ...], nulls_first: bool) -> None:
    types = (pa.float64(), pa.string(), pa.int64())
    arrays = [pa.array([row[at] for row in rows], type=types[at], from_pandas=False) for at in range(3)]
    found = sort_rows([Column(array) for array in arrays], descending=descending, nulls_first=nulls_first)
    assert found.tolist() == reference.sort_rows([python(array) for array in arrays], descending, nulls_first)


def test_dtypes_without_order_are_refused() -> None:
    with pytest.raises(DTypeError, match="sorting is not defined for dtype list"):
        sort_rows([Column(pa.array([[1], [2]]))], descending=[False])
