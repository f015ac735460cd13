"""Floats as text: Python's repr is the oracle of float64, NumPy's digits of float32."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe._threads import SLICE_ROWS

LIMITS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 2 / 3, 1e-4, 9.9999e-5, 1e-5, 1e5, 999_999.0, 999_999.5, 1e6, 123_456.789, 1e15, 999_999_999_999_999.0,
    9_999_999_999_999_998.0, 1e16, 1e17, 1e22, 1e23, 1e100, 1e-100, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993.0,
    0.30000000000000004, 4.35, 1e21, 123e-7, np.inf, -np.inf,
]  # fmt: skip


def numpys(value: np.float32) -> str:
    """The shortest digits, with an exponent from 1e6 on and below 1e-4."""
    if not np.isfinite(value):
        return str(value)
    mantissa, exponent = np.format_float_scientific(value, unique=True, trim="-").split("e")
    if -4 <= int(exponent) < 6:
        return np.format_float_positional(value, unique=True, trim="0")
    return f"{mantissa}e{int(exponent):+03d}"


def values(name: str, dtype: type, n_rows: int) -> np.ndarray:
    rng = np.random.default_rng(21)
    bits = np.uint64 if dtype is np.float64 else np.uint32
    if name == "any bits":
        return rng.integers(0, np.iinfo(bits).max, n_rows, dtype=bits, endpoint=True).view(dtype)
    if name == "few digits":
        places = rng.integers(0, 9, n_rows)
        return (np.round(rng.normal(size=n_rows) * 10.0 ** rng.integers(-2, 7, n_rows) * 10.0**places) / 10.0**places).astype(dtype)
    if name == "powers of two":
        return np.ldexp(dtype(1), rng.integers(-126, 127, n_rows)).astype(dtype)
    return rng.normal(size=n_rows).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["any bits", "few digits", "powers of two", "normal"])
@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_texts(name: str, dtype: type, n_threads: int) -> None:
    n_rows = SLICE_ROWS + 77 if name == "normal" and dtype is np.float64 else 5_000
    given = values(name, dtype, n_rows)
    missing = np.random.default_rng(22).random(n_rows) < 0.1
    array = pa.array(given, mask=missing).slice(3)   # a NaN remains one: nothing is taken from pandas
    with ff.option_context(threads=n_threads):
        found = ff.from_arrow(pa.table({"a": array}))["a"].astype(str).to_arrow()
    found.validate(full=True)
    written = (repr(float(one)) if dtype is np.float64 else numpys(one) for one in given)
    expected = [None if gone or one != one else text for one, gone, text in zip(given, missing, written, strict=True)]
    assert found.to_pylist() == expected[3:]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_limits(dtype: type) -> None:
    with np.errstate(over="ignore"):
        given = np.array([*LIMITS, np.nan], dtype)
    found = ff.DataFrame({"a": given})["a"].astype(str).to_list()
    assert found == [*(repr(float(one)) if dtype is np.float64 else numpys(one) for one in given[:-1]), None]


def test_halves_and_no_rows() -> None:
    assert ff.from_arrow(pa.table({"a": pa.array(np.array([1.5, np.nan, 2], np.float16))}))["a"].astype(str).to_list() == ["1.5", None, "2.0"]
    assert ff.DataFrame({"a": np.zeros(0)})["a"].astype(str).to_list() == []
    assert ff.from_arrow(pa.table({"a": pa.array([None, None], pa.float64())}))["a"].astype(str).to_list() == [None, None]


def test_texts_read_back() -> None:
    given = values("any bits", np.float64, 3_000)
    given = given[np.isfinite(given)]
    back = ff.DataFrame({"a": given})["a"].astype(str).astype("float64").to_numpy()
    np.testing.assert_array_equal(back.view(np.uint64), given.view(np.uint64))
