"""Fills without groups: beside Python, over slices without any value, by 1, 2 and 4 threads."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS

TYPES = {
    "int8": pa.int8(), "uint16": pa.uint16(), "int32": pa.int32(), "int64": pa.int64(), "float32": pa.float32(), "float64": pa.float64(),
    "timestamp": pa.timestamp("us"), "decimal": pa.decimal128(30, 2), "bool": pa.bool_(), "string": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()),
}  # fmt: skip
FILLERS: dict[str, Any] = {
    "int8": 7, "uint16": 60000, "int32": -5, "int64": 2**40, "float32": 1.5, "float64": -0.0, "timestamp": datetime.datetime(1960, 1, 1),
    "decimal": decimal.Decimal("-3.50"), "bool": True, "string": "é", "category": "7",
}  # fmt: skip
SIZES = [(0, 0.5), (1, 0), (1, 1), (65, 0.3), (1000, 0.97), (2 * SLICE_ROWS + 70, 0.99999), (SLICE_ROWS + 70, 0.02), (SLICE_ROWS + 70, 1)]


def holed(kind: str, n_rows: int, missing: float) -> pa.Array:
    """Values with nulls, of floats also NaN, from row 3 of a longer array on."""
    random = np.random.default_rng(n_rows)
    numbers, hidden = random.integers(0, 100, n_rows + 3), random.random(n_rows + 3) < missing
    array = pa.array(numbers, mask=hidden)
    if kind in ("float32", "float64"):
        array = pa.array(np.where(random.random(n_rows + 3) < missing / 2, np.nan, numbers), TYPES[kind], mask=hidden)
    elif kind == "category":
        array = array.cast(pa.string()).dictionary_encode()
    else:
        array = array.cast(TYPES[kind])
    return array.slice(3)


def present(array: pa.Array) -> list[Any]:
    """Python's values, None where missing."""
    return [None if one is None or one != one else one for one in array.to_pylist()]


def filled(values: list[Any], limit: int | None) -> list[Any]:
    out, last, distance = [], None, 0
    for value in values:
        last, distance = (last, distance + 1) if value is None else (value, 0)
        out.append(last if limit is None or distance <= limit else None)
    return out


def result_of(compute: Callable[[], ff.Series]) -> pa.Array:
    """What 1, 2 and 4 threads compute alike."""
    found = []
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            found.append(compute().to_arrow())
    assert found[0].equals(found[1]) and found[0].equals(found[2])
    return found[0]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("n_rows", "missing"), SIZES)
def test_forward_and_backward(kind: str, n_rows: int, missing: float) -> None:
    array = holed(kind, n_rows, missing)
    values, given = present(array), ff.from_arrow(pa.table({"a": array}))["a"]
    for limit in (None, 1, 100):
        assert present(result_of(partial(given.ffill, limit=limit))) == filled(values, limit)
        assert present(result_of(partial(given.bfill, limit=limit))) == filled(values[::-1], limit)[::-1]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("n_rows", "missing"), SIZES)
def test_by_one_value(kind: str, n_rows: int, missing: float) -> None:
    array = holed(kind, n_rows, missing)
    if kind == "category" and "7" not in array.dictionary.to_pylist():
        pytest.skip("a category is filled by one of its categories")
    given = ff.from_arrow(pa.table({"a": array}))["a"]
    result = result_of(lambda: given.fillna(FILLERS[kind]))
    assert result.null_count == 0 or n_rows == 0
    assert result.to_pylist() == [FILLERS[kind] if one is None else one for one in present(array)]


def test_minus_zero_is_filled_as_such() -> None:
    assert np.signbit(ff.Series([1.0, None]).fillna(-0.0).to_numpy()).tolist() == [False, True]
