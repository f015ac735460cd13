"""`isin` by kernels: Python's sets are the oracle."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.options import option_context

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def bits(series: Any) -> list[bool]:
    return series.to_arrow().combine_chunks().to_pylist() if isinstance(series.to_arrow(), pa.ChunkedArray) else series.to_arrow().to_pylist()


def series(values: Any, dtype: pa.DataType, *, nulls: float = 0.0, offset: int = 0) -> tuple[Any, list[Any]]:
    """A series that is a slice from ``offset`` on, and its values."""
    rng = np.random.default_rng(len(values))
    array = pa.array(values, dtype, mask=rng.random(len(values)) < nulls if nulls else None).slice(offset)
    return ff.from_arrow(pa.table({"x": array}))["x"], array.to_pylist()


def wanted_bits(values: list[Any], members: list[Any]) -> list[bool]:
    return [value is not None and value == value and value in members for value in values]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("nulls", "offset"), [(0.0, 0), (0.2, 5)])
def test_integers(dtype: str, wide: bool, nulls: float, offset: int) -> None:
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(3)
    values = rng.integers(limits.min, limits.max, 1500, endpoint=True, dtype=dtype) if wide else (np.arange(1500) % 100).astype(dtype)
    values[-3:] = [limits.min, limits.max, 0]
    given, plain = series(values, pa.from_numpy_dtype(values.dtype), nulls=nulls, offset=offset)
    members = [*map(int, values[::7]), int(limits.min), int(limits.max), -(2**70), 0.5, 7.0]
    assert bits(given.isin(members)) == wanted_bits(plain, members)
    assert bits(given.isin(members[:20])) == wanted_bits(plain, members[:20])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("nulls", "offset"), [(0.0, 0), (0.2, 3)])
def test_floats(dtype: str, nulls: float, offset: int) -> None:
    values = np.random.default_rng(0).normal(size=1000).round(1).astype(dtype)
    values[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0]
    given, plain = series(values, pa.from_numpy_dtype(values.dtype), nulls=nulls, offset=offset)
    for members in ([0.0], [-0.0, 1], [np.inf, 2.5, 0.5], [float(one) for one in values[10:300]]):
        assert bits(given.isin(members)) == wanted_bits(plain, members)


def test_missing_members_find_what_is_missing() -> None:
    given, _ = series([1, 2, None, 4], pa.int64())
    assert bits(given.isin([2, None])) == [False, True, True, False]
    floats, _ = series([1.0, float("nan"), None], pa.float64())
    assert bits(floats.isin([float("nan"), 1])) == [True, True, True]


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65])
def test_few_rows(n_rows: int) -> None:
    given, plain = series(np.arange(n_rows), pa.int32())
    assert bits(given.isin([0, 5, 64, 10**9])) == wanted_bits(plain, [0, 5, 64])


def test_times() -> None:
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=n) for n in range(100)]
    given, plain = series(days, pa.date32(), nulls=0.1)
    assert bits(given.isin(days[::9])) == wanted_bits(plain, days[::9])
    instants = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=n) for n in range(100)]
    given, plain = series(instants, pa.timestamp("us"), nulls=0.1)
    assert bits(given.isin(instants[::9])) == wanted_bits(plain, instants[::9])


def test_threads() -> None:
    values = np.random.default_rng(1).integers(0, 2**50, 300_000)
    given, _ = series(values, pa.int64(), nulls=0.1, offset=3)
    found = []
    for n_threads in (1, 2, 4):
        with option_context(threads=n_threads):
            found.append(bits(given.isin(values[::1000].tolist())))
    assert found[0] == found[1] == found[2]
    assert sum(found[0]) > 0


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=60))
def test_any_integers(values: list[int], more: list[int]) -> None:
    given, plain = series(np.array(values, np.int64), pa.int64())
    members = values[::3] + more + list(range(10))
    assert bits(given.isin(members)) == wanted_bits(plain, members)
