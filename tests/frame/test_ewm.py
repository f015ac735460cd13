"""ewm of series, frames and groups: against exact slow twins, and against pandas."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import ColumnNotFound, DTypeError, UnsupportedOperation, WindowError
from fastframe.options import option_context
from tests.frame.compare import assert_same
from tests.reference import rolling as slow


@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("ignore_na", [True, False])
@pytest.mark.parametrize("min_periods", [0, 3])
def test_against_slow_twins(adjust: bool, ignore_na: bool, min_periods: int) -> None:
    rng = np.random.default_rng(2)
    how: dict[str, Any] = {"adjust": adjust, "ignore_na": ignore_na, "min_periods": min_periods}
    for share in (0.0, 0.3, 0.9):
        for n_rows in (0, 1, 25):
            values = [None if rng.random() < share else float(one) for one in 1e3 + rng.normal(size=n_rows)]
            given = ff.from_arrow(pa.table({"x": pa.array(values, "float64")}))["x"]
            for function in ("mean", "var", *(["sum"] if adjust else [])):
                mine = getattr(given.ewm(alpha=0.25, **how), function)().tolist()
                expected = slow.decayed(values, function, Fraction(1, 4), **how)
                for one, other in zip(mine, expected, strict=True):
                    assert (one is None) == (other is None)
                    assert one == other or math.isclose(one, other, rel_tol=1e-9)


def frames(n_rows: int, n_groups: int) -> tuple[ff.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n_rows)
    x[rng.random(n_rows) < 0.05] = np.nan
    times = pd.to_datetime(np.cumsum(rng.integers(1, 9, n_rows)), unit="s")
    theirs = pd.DataFrame({"k": rng.integers(0, n_groups, n_rows), "x": x, "y": rng.normal(size=n_rows), "t": times})
    return ff.from_pandas(theirs), theirs


@pytest.mark.parametrize("n_groups", [1, 7, 600])
@pytest.mark.parametrize("way", [{"com": 2.5}, {"span": 9}, {"halflife": 3.0}, {"alpha": 0.4}])
def test_against_pandas(n_groups: int, way: dict[str, float]) -> None:
    mine, theirs = frames(6000 if n_groups == 600 else 1000, n_groups)
    for function in ("mean", "sum", "var", "std"):
        assert_same(getattr(mine["x"].ewm(**way), function)(), getattr(theirs.x.ewm(**way), function)(), types="values", rtol=1e-6)
        names = ["x", "y"] if function in ("mean", "sum") else ["y"]   # after gaps pandas' variances have cancelled, see the slow twins
        grouped = getattr(mine.groupby("k")[names].ewm(**way), function)()
        assert_same(grouped, getattr(theirs.groupby("k")[names].ewm(**way), function)(), types="values", rtol=1e-6)
    for function in ("cov", "corr"):
        expected = getattr(theirs.x.ewm(**way), function)(theirs.y).rename("x")
        assert_same(getattr(mine["x"].ewm(**way), function)(mine["y"]), expected, types="values", rtol=1e-6)
    assert_same(mine["x"].ewm(**way).var(bias=True), theirs.x.ewm(**way).var(bias=True), types="values", rtol=1e-6)


@pytest.mark.parametrize("ignore_na", [True, False])
@pytest.mark.parametrize("adjust", [True, False])
def test_weights_by_time(ignore_na: bool, adjust: bool) -> None:
    mine, theirs = frames(500, 4)
    how = {"halflife": "5s", "ignore_na": ignore_na, "adjust": adjust}
    expected = theirs.x.ewm(times=theirs.t, **how).mean()
    assert_same(mine["x"].ewm(times=mine["t"], **how).mean(), expected, types="values")
    assert_same(mine[["x", "t"]].ewm(times="t", **how)["x"].mean(), expected, types="values")


def test_equal_values_stay_exactly_equal() -> None:
    assert set(ff.Series([0.1] * 500).ewm(span=7).mean().tolist()) == {0.1}
    assert set(ff.Series([0.1] * 500).ewm(span=7).var().tolist()) == {None, 0.0}


def test_threads_do_not_change_bits() -> None:
    mine, _ = frames(200_000, 90)
    results = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            results.append(pa.chunked_array([mine.groupby("k")["x"].ewm(com=3).std().to_arrow(), mine["x"].ewm(com=3).mean().to_arrow()]))
    assert results[0].equals(results[1]) and results[0].equals(results[2])


def test_dtypes_and_agg() -> None:
    assert ff.Series([1, 2]).ewm(com=1).mean().dtype == "float64"
    assert ff.Series([1.0, 2.0], dtype="float32").ewm(com=1).std().dtype == "float32"
    assert ff.DataFrame({"a": [1, 2]}).ewm(com=1).agg(["mean", "sum"]).columns.tolist() == ["a_mean", "a_sum"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.ewm(), WindowError, "none of them. Give exactly one"),
        (lambda s: s.ewm(com=1, span=3), WindowError, "com=1, span=3"),
        (lambda s: s.ewm(alpha=0), WindowError, "alpha=0"),
        (lambda s: s.ewm(alpha=1.5), WindowError, r"alpha=1\.5"),
        (lambda s: s.ewm(halflife="5s"), WindowError, "halflife='5s'"),
        (lambda s: s.ewm(com=1, min_periods=-1), WindowError, "min_periods=-1"),
        (lambda s: s.ewm(com=1, times=[1, 2]), WindowError, "times and com=1"),
        (lambda s: s.ewm(halflife="5s", times=[1, 2]).mean(), WindowError, "times is of dtype int64"),
        (lambda s: s.ewm(halflife="5s", times=np.array(["2020", "NaT"], "M8[s]")).mean(), WindowError, "missing value"),
        (lambda s: s.ewm(halflife="5s", times=np.array(["2020", "2021"], "M8[s]")).var(), UnsupportedOperation, "only mean"),
        (lambda s: s.ewm(halflife="5s", times="t"), ColumnNotFound, "'t'"),
        (lambda s: s.ewm(com=1, adjust=False).sum(), UnsupportedOperation, "adjust=False"),
        (lambda s: s.astype("string").ewm(com=1).mean(), DTypeError, "mean is not defined for dtype string"),
    ],
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(ff.Series([1.0, 2.0], name="x"))
