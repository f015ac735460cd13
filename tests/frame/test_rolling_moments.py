"""sem, skew and kurt of windows: against exact fractions, and against pandas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe.errors import ArgumentError, DTypeError
from fastframe.options import option_context
from tests.frame.compare import assert_same
from tests.reference import rolling as slow

MOMENTS = ("sem", "skew", "kurt")


def assert_near(found: list[Any], expected: list[Any], near: float) -> None:
    assert len(found) == len(expected)
    for row, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert (one is None) == (other is None), f"row {row}: {one}, not {other}"
        assert one is None or math.isclose(one, other, rel_tol=near, abs_tol=near), f"row {row}: {one}, not {other}"


@pytest.mark.parametrize("function", MOMENTS)
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_against_fractions(function: str, offset: float) -> None:
    rng = np.random.default_rng(1)
    values: list[Any] = (np.round(rng.normal(size=120), 3) + offset).tolist()
    values[20:40] = [7.5] * 20          # no variance
    for row in (3, 50, 51, 52, 80):
        values[row] = None
    for width, min_periods in ((1, 1), (3, 1), (4, 4), (9, 2), (64, 0), (500, 1)):
        found = getattr(ff.Series(values).rolling(width, min_periods), function)().tolist()
        assert_near(found, slow.rolled(values, slow.row_windows(120, width), function, min_periods=min_periods), 1e-9)
    found = getattr(ff.Series(values).expanding(), function)().tolist()
    assert_near(found, slow.rolled(values, slow.expanding_windows(120), function), 1e-9)


@pytest.mark.parametrize("function", MOMENTS)
def test_against_pandas(function: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=800)
    x[rng.random(800) < 0.1] = np.nan
    times = pd.to_datetime(np.sort(rng.integers(0, 1600, 800)), unit="s")
    theirs = pd.DataFrame({"k": rng.integers(0, 4, 800), "x": x, "n": rng.integers(-50, 50, 800), "t": times})
    mine = ff.from_pandas(theirs)
    for one, other in (
        (mine["x"].rolling(30, 5), theirs["x"].rolling(30, 5)),
        (mine["n"].rolling(30, center=True), theirs["n"].rolling(30, center=True)),
        (mine[["x", "n"]].expanding(5), theirs[["x", "n"]].expanding(5)),
        (mine.groupby("k")["x"].rolling(12, 6), theirs.groupby("k")["x"].rolling(12, 6)),
        (mine.rolling("60s", on="t")["x"], theirs.rolling("60s", on="t")["x"]),
    ):
        assert_same(getattr(one, function)(), getattr(other, function)(), types="values", rtol=1e-6)


def test_options_and_dtypes() -> None:
    values = ff.Series([1.0, 3.0, 1.0, 9.0])
    assert values.rolling(4).sem(ddof=0).tolist()[3] == values.rolling(4).std(ddof=0).tolist()[3] / 2
    assert ff.Series(np.ones(5, "f4")).rolling(4).kurt().dtype == "float32"
    assert ff.Series([]).astype("float64").rolling(4).skew().tolist() == []
    assert values.rolling(4).agg(["sem", "skew"]).columns.tolist() == ["sem", "skew"]
    assert ff.Series([1.0, np.inf, 2.0, 5.0, 1.0]).rolling(3, 1).skew().tolist()[:4] == [None] * 4
    with pytest.raises(DTypeError, match="skew is not defined for dtype string"):
        ff.Series(["a"]).rolling(2).skew()
    with pytest.raises(ArgumentError, match="ddof=-1"):
        values.rolling(2).sem(ddof=-1)


def test_threads_give_the_same_bits() -> None:
    values = np.random.default_rng(3).normal(size=150_000)
    values[::7] = np.nan
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            windows = (ff.Series(values).rolling(50, 4), ff.Series(values).expanding())
            found.append([getattr(one, function)().to_numpy().tobytes() for one in windows for function in MOMENTS])
    assert found[0] == found[1] == found[2]
