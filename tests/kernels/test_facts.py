"""Ranges of values against Python's min and max."""

from __future__ import annotations

import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.column.column import Column
from fastframe.engines.cpu.facts import Range, value_range
from fastframe.errors import DTypeError
from fastframe.options import option_context
from tests.reference import keys as slow

N = 1111
RNG = np.random.default_rng(3)
LIMITS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}


def _array(kind: str, share: float) -> pa.Array:
    mask = RNG.random(N) < share
    if kind in LIMITS:
        info = np.iinfo(kind)
        return pa.array(RNG.integers(info.min, info.max, N, dtype=kind, endpoint=True), mask=mask)
    if kind == "bool":
        return pa.array(RNG.random(N) < 0.5, mask=mask)
    if kind == "decimal":
        whole = [
            None if gone else decimal.Decimal(int(high)) * 10**20 + 1
            for high, gone in zip(RNG.integers(-(10**15), 10**15, N), mask, strict=True)
        ]
        return pa.array(whole, pa.decimal128(38, 0))
    values = RNG.normal(size=N).astype(kind)
    values[RNG.random(N) < 0.2] = np.nan
    return pa.array(values, mask=mask)


@pytest.mark.parametrize("kind", [*sorted(LIMITS), "bool", "decimal", "float32", "float64"])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_range_as_the_slow_twin(kind: str, share: float) -> None:
    whole = Column(_array(kind, share))
    for start, length in ((0, N), (3, 900), (64, 128), (70, 1), (5, 0)):
        column = whole.slice(start, length)
        assert tuple(value_range(column)) == slow.value_range(column)


def test_limits_themselves() -> None:
    for kind in LIMITS:
        info = np.iinfo(kind)
        column = Column(pa.array([info.max, None, info.min], pa.from_numpy_dtype(kind)))
        assert value_range(column) == Range(info.min, info.max, 1, False)
    ends = [decimal.Decimal(10**38 - 1), decimal.Decimal(1 - 10**38)]
    assert value_range(Column(pa.array(ends, pa.decimal128(38, 0)))) == Range(1 - 10**38, 10**38 - 1, 0, False)


def test_infinities_nan_and_zeros() -> None:
    inf = math.inf
    assert value_range(Column(pa.array([math.nan, inf, -inf, None]))) == Range(-inf, inf, 2, True)
    assert value_range(Column(pa.array([inf, inf]))) == Range(inf, inf, 0, False)
    assert value_range(Column(pa.array([math.nan, None]))) == Range(None, None, 2, True)
    for zeros in ([-0.0, 0.0], [0.0, -0.0], [-0.0] * 9):
        found = value_range(Column(pa.array(zeros)))
        assert math.copysign(1, found.min) == math.copysign(1, found.max) == 1


def test_dates_count_as_integers() -> None:
    column = Column(pa.array([5, None, -7], pa.int64()).cast(pa.timestamp("us")))
    assert value_range(column) == Range(-7, 5, 1, False)
    assert value_range(Column(pa.nulls(3))) == Range(None, None, 3, False)


def test_computed_once() -> None:
    column = Column(pa.array([1, 2]))
    assert value_range(column) is value_range(column) is column.known("range")


@pytest.mark.parametrize("array", [pa.array(["a"]), pa.array([[1]]), pa.array(["a"]).dictionary_encode()])
def test_no_range(array: pa.Array) -> None:
    with pytest.raises(DTypeError, match="range of values"):
        value_range(Column(array))


def test_threads_do_not_matter() -> None:
    values = RNG.normal(size=600_000)
    values[::7] = np.nan
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found.append(value_range(Column(pa.array(values))))
    assert found[0] == found[1] == found[2]
    assert found[0] == Range(np.nanmin(values), np.nanmax(values), int(np.isnan(values).sum()), True)


@given(st.lists(st.none() | st.floats(), max_size=200), st.integers(0, 70))
def test_floats(values: list[float | None], start: int) -> None:
    column = Column(pa.array(values, pa.float64())).slice(min(start, len(values)), max(0, len(values) - start))
    assert tuple(value_range(column)) == slow.value_range(column)
