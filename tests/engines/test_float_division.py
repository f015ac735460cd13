"""``//`` and ``%`` of floats to the last bit: NumPy's are the oracle."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.options import option_context

ROWS = 20_011


def pairs(name: str, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Dividends and divisors whose quotients are hard in some way."""
    rng = np.random.default_rng(11)
    bits = np.uint64 if dtype is np.float64 else np.uint32
    limits = np.finfo(dtype)
    divisors = rng.normal(size=ROWS).astype(dtype)
    products = (divisors * rng.integers(-(10**6), 10**6, ROWS)).astype(dtype)
    if name == "signs and limits":
        some = [0.0, 1.0, 3.0, 0.1, 1e10, np.inf, limits.tiny, limits.smallest_subnormal, limits.max, 2.0**30]
        values = np.array([*some, *[-one for one in some], np.nan], dtype)
        return tuple(side.ravel().copy() for side in np.meshgrid(values, values))   # type: ignore[return-value]
    if name == "any bits":
        return tuple(rng.integers(0, np.iinfo(bits).max, ROWS, dtype=bits, endpoint=True).view(dtype) for _ in range(2))   # type: ignore[return-value]
    if name == "whole numbers":
        return rng.integers(-1000, 1000, ROWS).astype(dtype), rng.integers(-50, 50, ROWS).astype(dtype)
    if name == "tenths":
        return (rng.integers(-1000, 1000, ROWS) * dtype(0.1)).astype(dtype), np.full(ROWS, 0.1, dtype)
    if name == "just above":
        return np.nextafter(products, dtype(np.inf)), divisors
    if name == "just below":
        return np.nextafter(products, dtype(-np.inf)), divisors
    if name == "tiny":
        scale = np.ldexp(dtype(1), rng.integers(-1060 if dtype is np.float64 else -140, 10, ROWS))
        return (products * scale).astype(dtype), np.nextafter((divisors * scale).astype(dtype), dtype(0))
    gaps = rng.random(ROWS)
    return np.where(gaps < 0.05, dtype(np.nan), products), np.where(gaps > 0.9, dtype(0), divisors)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["signs and limits", "any bits", "whole numbers", "tenths", "just above", "just below", "tiny", "gaps"])
@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_bits(name: str, dtype: type, n_threads: int) -> None:
    left, right = pairs(name, dtype)
    frame = ff.from_arrow(pa.table({"left": left, "right": right}))
    with np.errstate(all="ignore"), option_context(threads=n_threads):
        for found, wanted in ((frame["left"] // frame["right"], np.floor_divide(left, right)), (frame["left"] % frame["right"], np.remainder(left, right))):
            values = np.asarray(found.to_arrow())
            bits = np.uint64 if dtype is np.float64 else np.uint32
            same = (values.view(bits) == wanted.view(bits)) | (np.isnan(values) & np.isnan(wanted))
            assert same.all(), [(left[row], right[row], values[row], wanted[row]) for row in np.flatnonzero(~same)[:3]]


@pytest.mark.parametrize("offset", [0, 3])
def test_nulls(offset: int) -> None:
    left, right = pairs("whole numbers", np.float64)
    missing = np.random.default_rng(12).random(ROWS) < 0.1
    table = pa.table({"left": pa.array(left, mask=missing), "right": right}).slice(offset)
    frame = ff.from_arrow(table)
    with np.errstate(all="ignore"):
        for found, wanted in ((frame["left"] // frame["right"], np.floor_divide(left, right)), (frame["left"] % frame["right"], np.remainder(left, right))):
            array = found.to_arrow()
            np.testing.assert_array_equal(np.asarray(array.is_null()), missing[offset:])
            np.testing.assert_array_equal(np.asarray(array.drop_null()), wanted[offset:][~missing[offset:]])


def test_by_one_number_and_none() -> None:
    frame = ff.DataFrame({"a": [7.5, -7.5, None, 0.0]})
    assert (frame["a"] // 2).to_list() == [3.0, -4.0, None, 0.0]
    assert (frame["a"] % -2).to_list() == [-0.5, -1.5, None, -0.0]
    assert (frame["a"][:0] // 2).to_list() == []
