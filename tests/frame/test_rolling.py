"""rolling and expanding of frames, series and groups: against exact slow twins, and against pandas."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastframe as ff
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, IntegerOverflow, MissingAttribute, UnsupportedOperation, WindowError
from fastframe.options import option_context
from fastframe.testing import NULLS, column, covering
from tests.frame.compare import assert_same
from tests.reference import rolling as slow

CLOSED = ("right", "left", "both", "neither")
FUNCTIONS = ("count", "sum", "mean", "var", "std", "min", "max", "median")
NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
SECOND = 10**9


def series(values: list[Any], kind: str = "float64") -> ff.Series:
    return ff.Series(ff.from_arrow(pa.table({"x": pa.array(values, kind)}))["x"])


def assert_near(mine: ff.Series, expected: list[Any], rtol: float = 1e-12) -> None:
    found = mine.tolist()
    assert len(found) == len(expected)
    for row, (one, other) in enumerate(zip(found, expected, strict=True)):
        if other is None:
            assert one is None, f"row {row}: {one}, not missing"
        else:
            assert one is not None, f"row {row}: missing, not {float(other)}"
            assert one == other or math.isclose(one, other, rel_tol=rtol), f"row {row}: {one}, not {float(other)}"


@pytest.mark.parametrize("kind", NUMBERS)
def test_every_dtype_against_slow_twins(kind: str) -> None:
    cases = {"nulls": NULLS, "sliced": (True, False), "rows": (100, 1, 0), "closed": CLOSED, "center": (True, False),
             "window": (1, 2, 7, 64), "min_periods": (0, 1, 3)}
    for case in covering(cases):
        given = ff.Series._of({"\0" + "0": column("int64", case["rows"])}, column(kind, case["rows"], nulls=case["nulls"], sliced=case["sliced"]), "x")
        values = [None if one is None or one != one else one for one in given.tolist()]
        how = {"center": case["center"], "closed": case["closed"]}
        windows = slow.row_windows(case["rows"], case["window"], **how)
        for function in FUNCTIONS:
            min_periods = min(case["min_periods"], case["window"])
            mine = getattr(given.rolling(case["window"], min_periods, **how), function)()
            expected = slow.rolled(values, windows, function, min_periods=min_periods)
            assert_near(mine, expected, 1e-5 if kind == "float32" else 1e-12)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([math.inf, -math.inf, 0.0, -0.0])), max_size=150),
    window=st.integers(1, 90), min_periods=st.integers(0, 4), function=st.sampled_from(FUNCTIONS),
)  # fmt: skip
def test_any_floats(values: list[float | None], window: int, min_periods: int, function: str) -> None:
    if function in ("median", "var", "std") and any(one is not None and math.isinf(one) for one in values):
        values = [None if one is not None and math.isinf(one) else one for one in values]
    min_periods = min(min_periods, window)
    mine = getattr(series(values).rolling(window, min_periods), function)().tolist()
    expected = slow.rolled(values, slow.row_windows(len(values), window), function, min_periods=min_periods)
    scale = max((abs(one) for one in values if one is not None and not math.isinf(one)), default=0.0)
    for one, other in zip(mine, expected, strict=True):
        assert (one is None) == (other is None)
        assert one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-13 * scale ** (2 if function == "var" else 1))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("center", [False, True])
def test_spans_of_time_against_slow_twins(unit: str, center: bool) -> None:
    rng = np.random.default_rng(3)
    seconds = np.sort(rng.integers(0, 30, 40))
    values = [None if rng.random() < 0.2 else float(one) for one in rng.normal(size=40)]
    frame = ff.from_arrow(pa.table({"t": pa.array(seconds.astype(f"M8[{unit if unit == 's' else 's'}]")).cast(pa.timestamp(unit)), "x": pa.array(values)}))
    for closed in CLOSED:
        for reach in ("1s", "2s", "5s", "500ms", "2s500ms", "1D"):
            nanoseconds = {"1s": SECOND, "2s": 2 * SECOND, "5s": 5 * SECOND, "500ms": SECOND // 2, "2s500ms": 5 * SECOND // 2, "1D": 86400 * SECOND}[reach]
            windows = slow.time_windows([int(one) * SECOND for one in seconds], nanoseconds, center=center, closed=closed)
            for function in ("sum", "max", "median", "count", "std"):
                rolling = frame.rolling(reach, on="t", center=center, closed=closed)["x"]
                assert_near(getattr(rolling, function)(), slow.rolled(values, windows, function, min_periods=1), 1e-11)


def frames(n_rows: int, n_groups: int, seed: int = 0) -> tuple[ff.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    x[rng.random(n_rows) < 0.1] = np.nan
    times = pd.to_datetime(np.sort(rng.integers(0, 2 * n_rows, n_rows)), unit="s")
    theirs = pd.DataFrame({"k": rng.integers(0, n_groups, n_rows), "x": x, "y": rng.normal(size=n_rows), "t": times})
    return ff.from_pandas(theirs), theirs


@pytest.mark.parametrize(("n_rows", "n_groups"), [(1, 1), (60, 3), (1000, 1), (1000, 40), (10_000, 3000)])
def test_groups_against_pandas(n_rows: int, n_groups: int) -> None:
    mine, theirs = frames(n_rows, n_groups)
    few = n_groups <= 40
    for function in FUNCTIONS if few else ("sum", "median"):
        for one, other in (
            (mine.groupby("k")["x"].rolling(5, 1), theirs.groupby("k")["x"].rolling(5, 1)),
            (mine.groupby("k")[["x", "y"]].rolling(70, 2), theirs.groupby("k")[["x", "y"]].rolling(70, 2)),
            (mine.groupby("k")["x"].expanding(2), theirs.groupby("k")["x"].expanding(2)),
            *([(mine.groupby("k").rolling("90s", on="t"), theirs.groupby("k").rolling("90s", on="t")),
               (mine.groupby("k").rolling("90s", on="t")["x"], theirs.groupby("k").rolling("90s", on="t")["x"])] if few else []),
        ):  # fmt: skip
            assert_same(getattr(one, function)(), getattr(other, function)(), types="values", rtol=1e-7)


def test_group_keys_of_several_columns_sort_and_missing() -> None:
    theirs = pd.DataFrame({"a": ["x", "y", None, "x", "y", "x"], "b": [1, 1, 2, 1, 2, 1], "v": [1.0, 2, 3, 4, 5, 6]}, index=list("uvwxyz"))
    mine = ff.from_pandas(theirs)
    for how in ({}, {"sort": False}, {"dropna": False}, {"as_index": False}):
        assert_same(mine.groupby(["a", "b"], **how)[["v"]].rolling(2).sum(), theirs.groupby(["a", "b"], **how)[["v"]].rolling(2).sum(), types="values")


def test_a_column_of_times_stays_where_it_was() -> None:
    mine, theirs = frames(50, 3)
    assert_same(mine.rolling("9s", on="t").mean(), theirs.rolling("9s", on="t").mean(), types="values")
    assert_same(mine[["t", "x"]].rolling("9s", on="t").min(), theirs[["t", "x"]].rolling("9s", on="t").min(), types="values")
    assert_same(mine.rolling("9s", on="t")["x"].mean(), theirs.rolling("9s", on="t")["x"].mean(), types="values")


def test_times_in_the_index_that_fall() -> None:
    theirs = pd.Series([1.0, 2, 3, 4], index=pd.to_datetime([9, 7, 6, 1], unit="s"))
    mine = ff.Series(theirs)
    for closed in CLOSED:
        assert_same(mine.rolling("2s", closed=closed).sum(), theirs.rolling("2s", closed=closed).sum(), types="values")


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "nearest", "midpoint"])
@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.77, 1])
def test_quantiles(interpolation: str, q: float) -> None:
    rng = np.random.default_rng(1)
    values = [None if rng.random() < 0.2 else float(one) for one in rng.integers(-9, 9, 300)]
    for window in (1, 2, 10, 77):
        expected = slow.rolled(values, slow.row_windows(300, window), "quantile", min_periods=1, q=q, interpolation=interpolation)
        assert_near(series(values).rolling(window, 1).quantile(q, interpolation), expected)


def test_ranks_of_values_that_share_their_leading_bits() -> None:
    rng = np.random.default_rng(5)
    values = (1e15 + rng.integers(0, 1000, 400)).tolist() + [1e300, -1e300, 5e-324] + (1e-300 * rng.random(100)).tolist()
    expected = slow.rolled(values, slow.row_windows(len(values), 101), "median", min_periods=1)
    assert series(values).rolling(101, 1).median().tolist() == expected


@pytest.mark.parametrize("function", ["corr", "cov"])
def test_pairs_against_pandas(function: str) -> None:
    mine, theirs = frames(400, 4)
    assert_same(getattr(mine["x"].rolling(7), function)(mine["y"]), getattr(theirs.x.rolling(7), function)(theirs.y).rename("x"), types="values", rtol=1e-6)
    assert_same(getattr(mine["x"].expanding(), function)(mine["y"]), getattr(theirs.x.expanding(), function)(theirs.y).rename("x"), types="values", rtol=1e-6)
    both = getattr(theirs[["x", "y"]].rolling(9), function)(theirs[["y", "x"]])
    assert_same(getattr(mine[["x", "y"]].rolling(9), function)(mine[["y", "x"]]), both, types="values", rtol=1e-6)
    grouped = getattr(mine.groupby("k")["x"].rolling(9), function)("y")
    expected = pd.concat([getattr(group.x.rolling(9), function)(group.y) for _, group in theirs.groupby("k")])
    assert_same(grouped.reset_index()["x"], expected.reset_index(drop=True).rename("x"), types="values", rtol=1e-6)


def test_covariances_are_stable_and_correlations_end_at_one() -> None:
    x = 1e9 + np.random.default_rng(0).normal(size=500)
    mine = ff.Series(x).rolling(20).corr(ff.Series(2 * (x - 1e9))).tolist()
    assert all(one is None or 0.999999 < one <= 1.0 for one in mine)
    assert ff.Series([5.0] * 30).rolling(4).corr(ff.Series(np.arange(30.0))).tolist() == [None] * 30


# ---- numbers that are hard to add ------------------------------------------------------------------------------------


def exact_sums(values: np.ndarray, window: int, rows: list[int]) -> list[float]:
    return [math.fsum(values[row - window + 1 : row + 1]) for row in rows]


@pytest.mark.parametrize("offset", [0.0, 1e9, 1e15])
def test_long_windows_are_exact_to_the_last_digits(offset: float) -> None:
    n_rows, window = 300_000, 100_000
    values = offset + np.random.default_rng(0).normal(size=n_rows)
    rows = [window - 1, window, 131_072, 200_001, n_rows - 1]
    column = ff.Series(values)
    sums, means, variances = (getattr(column.rolling(window), one)().to_numpy() for one in ("sum", "mean", "var"))
    for row, total in zip(rows, exact_sums(values, window, rows), strict=True):
        assert math.isclose(sums[row], total, rel_tol=4e-16, abs_tol=1e-11)
        assert math.isclose(means[row], total / window, rel_tol=4e-16, abs_tol=1e-16)
        inside = values[row - window + 1 : row + 1]
        away = inside - inside[0]   # exact: neighbours
        assert math.isclose(variances[row], np.var(away, ddof=1), rel_tol=1e-10)


@pytest.mark.parametrize("window", [3, 10, 70, 5000])
def test_what_has_left_leaves_nothing_behind(window: int) -> None:
    values = np.full(40_000, 0.1)
    values[[100, 9000, 33_000]] = [1e300, math.inf, 1e16]
    column = ff.Series(values)
    clean = np.ones(len(values), bool)
    for at in (100, 9000, 33_000):
        clean[at : at + window] = False
    clean[: window - 1] = False
    sums, variances = column.rolling(window).sum().to_numpy(), column.rolling(window).var().to_numpy()
    assert np.allclose(sums[clean], math.fsum([0.1] * window), rtol=4e-16, atol=0.0)
    assert (variances[clean] == 0.0).all()
    assert column.rolling(window).sum().tolist()[9000] == math.inf
    assert column.rolling(window).var().tolist()[9000] is None


@pytest.mark.parametrize("missing", [False, True])
def test_constant_stretches_after_jumps_have_no_variance(missing: bool) -> None:
    values = np.repeat(np.array([1e9, 0.1, -7e12, 3.3]), 500)
    if missing:
        values[::7] = np.nan
    found = ff.Series(values).rolling(60, 2).var().tolist()
    for row in range(60, 2000):
        assert found[row] is not None
        assert (found[row] == 0.0) == (row % 500 >= 59), row


def test_integer_sums_are_exact_or_refused() -> None:
    large = ff.Series([2**62, 2**62 - 1, -(2**62), 5], name="n")
    assert large.rolling(2).sum().tolist() == [None, 2**63 - 1, -1, -(2**62) + 5]
    with pytest.raises(IntegerOverflow, match="rolling sum of column 'n' does not fit int64"):
        ff.Series([2**62, 2**62], name="n").rolling(2).sum()
    assert ff.Series([2**62, 2**62], name="n").rolling(2).mean().tolist() == [None, float(2**62)]
    top = ff.Series(np.array([2**64 - 1, 0, 1], np.uint64))
    assert top.rolling(2).max().tolist() == [None, 2**64 - 1, 1]
    assert top.rolling(2).sum().tolist() == [None, 2**64 - 1, 1]
    many = ff.Series(np.full(500, 2**40))   # by blocks
    assert many.rolling(100).sum().tolist()[99:] == [100 * 2**40] * 401
    with pytest.raises(IntegerOverflow):
        ff.Series(np.full(500, 2**60), name="n").rolling(100).sum()


# ---- threads, chunks, dtypes, arguments ------------------------------------------------------------------------------


def test_threads_and_chunks_do_not_change_bits() -> None:
    mine, _ = frames(300_000, 50)
    half = mine.iloc[:100_001], mine.iloc[100_001:]
    joined = ff.concat(list(half))
    for make in (
        lambda frame: frame["x"].rolling(100).std(), lambda frame: frame["x"].rolling(9000, 5).sum(), lambda frame: frame["x"].rolling(50, 1).median(),
        lambda frame: frame["x"].expanding().var(), lambda frame: frame.groupby("k")["x"].rolling(20, 1).mean(),
        lambda frame: frame.rolling("99s", on="t")["x"].sum(), lambda frame: frame["x"].rolling(30).corr(frame["y"]),
    ):  # fmt: skip
        results = []
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                results += [make(mine).to_arrow(), make(joined).to_arrow()]
        assert all(one.equals(results[0]) for one in results[1:])


def test_result_dtypes() -> None:
    whole = ff.Series([1, 2, 3])
    assert [getattr(whole.rolling(2), one)().dtype for one in FUNCTIONS] == ["int64", "int64", "float64", "float64", "float64", "int64", "int64", "float64"]
    assert ff.Series([True, False]).rolling(1).max().dtype == "bool"
    assert ff.Series([True, True, False]).rolling(2, 1).sum().tolist() == [1, 2, 1]
    single = ff.Series([1.0, 2.0], dtype="float32").rolling(2)
    assert (single.sum().dtype, single.mean().dtype, single.std().dtype, single.min().dtype) == ("float32",) * 4
    days = ff.Series([datetime.date(2020, 1, 3), None, datetime.date(2020, 1, 1)])
    assert days.rolling(2, 1).min().tolist() == [datetime.date(2020, 1, 3), datetime.date(2020, 1, 3), datetime.date(2020, 1, 1)]
    assert ff.Series(["a", None, "b"]).rolling(2, 1).count().tolist() == [1, 1, 1]
    assert ff.Series([datetime.timedelta(1), datetime.timedelta(2)]).rolling(2).sum().tolist() == [None, datetime.timedelta(3)]


def test_agg() -> None:
    frame = ff.DataFrame({"k": [1, 1, 2], "a": [1, 2, 4], "b": [1.0, 3.0, 5.0]})
    assert frame[["a"]].rolling(2).agg(["sum", "max"]).columns.tolist() == ["a_sum", "a_max"]
    assert frame["a"].rolling(2).agg(["sum", "max"]).columns.tolist() == ["sum", "max"]
    assert frame.rolling(2).agg({"a": "sum", "b": ["min", "var"]}).to_dict("list") == {"a": [None, 3, 6], "b_min": [None, 1.0, 3.0], "b_var": [None, 2.0, 2.0]}
    assert frame["a"].rolling(2).agg("var", ddof=0).tolist() == [None, 0.25, 1.0]
    assert frame.groupby("k").rolling(1)["a"].agg(["sum"]).columns.tolist() == ["sum"]
    assert frame.rolling(2).a.sum().tolist() == [None, 3, 6]


@pytest.mark.parametrize("window", ["2D", "48h", "2880min", datetime.timedelta(2), np.timedelta64(2, "D"), pd.Timedelta("2D"), pd.offsets.Hour(48)])
def test_ways_to_say_a_span(window: Any) -> None:
    frame = ff.DataFrame({"t": [datetime.date(2020, 1, one) for one in (1, 2, 4, 5)], "x": [1, 2, 4, 8]})
    assert frame.rolling(window, on="t")["x"].sum().tolist() == [1, 3, 4, 12]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f.rolling(0), WindowError, r"rolling was given window=0\. Give a number of rows of at least 1"),
        (lambda f: f.rolling("3 parsecs"), WindowError, "window='3 parsecs'"),
        (lambda f: f.rolling(-1), WindowError, "window=-1"),
        (lambda f: f.rolling(2.5), WindowError, r"window=2\.5"),
        (lambda f: f.rolling(2, 3), WindowError, r"min_periods=3\. It must be an int from 0 to the window's 2 rows"),
        (lambda f: f.expanding(-1), WindowError, r"expanding was given min_periods=-1"),
        (lambda f: f.rolling(2, closed="up"), ArgumentError, "closed='up'"),
        (lambda f: f.rolling(2, win_type="hamming"), UnsupportedOperation, "win_type='hamming'"),
        (lambda f: f.rolling(2, step=3), UnsupportedOperation, r"result\.iloc\[::step\]"),
        (lambda f: f.rolling(2, method="table"), UnsupportedOperation, "method='table'"),
        (lambda f: f.rolling(2).corr(), UnsupportedOperation, r"corr\(other=None\).*Matrices of all pairs are not built"),
        (lambda f: f["a"].ewm(com=1).cov(), UnsupportedOperation, r"cov\(other=None\).*Matrices of all pairs are not built"),
        (lambda f: f["a"].rolling("2s").sum(), WindowError, "a window of time needs times, but the index is of dtype int64"),
        (lambda f: f.rolling("2s", on="a")["k"].sum(), WindowError, "column 'a' is of dtype int64"),
        (lambda f: f.rolling("2s", on="tt"), ColumnNotFound, "Did you mean 't'"),
        (lambda f: f.rolling("2s", on="gone")["a"].sum(), WindowError, "column 'gone' has 1 missing value"),
        (lambda f: f.rolling("2s", on="mixed")["a"].sum(), WindowError, r"column 'mixed' is not in order: row 2 is out of order\."),
        (lambda f: f.groupby("k").rolling("2s", on="mixed")["a"].sum(), WindowError, "row 3 is out of order within its group"),
        (lambda f: f.rolling(2)["b"], ColumnNotFound, "'b'"),
        (lambda f: f.rolling(2).sum(), DTypeError, "sum is not defined for dtype string of column 's'"),
        (lambda f: f["s"].rolling(2).mean(), DTypeError, "mean is not defined for dtype string of column 's'"),
        (lambda f: f["d"].rolling(2).sum(), DTypeError, "decimal"),
        (lambda f: f["a"].rolling(2).var(ddof=-1), ArgumentError, "ddof=-1"),
        (lambda f: f["a"].rolling(2).quantile(1.5), ArgumentError, r"q=1\.5"),
        (lambda f: f["a"].rolling(2).quantile(0.5, "cubic"), ArgumentError, "interpolation='cubic'"),
        (lambda f: f["a"].rolling(2).agg("summ"), ArgumentError, "Did you mean 'sum'"),
        (lambda f: f["a"].rolling(2).rank, MissingAttribute, "to_pandas"),
        (lambda f: f["a"].rolling(2).maen, MissingAttribute, "Did you mean 'mean'"),
    ],
)  # fmt: skip
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    import decimal

    times = [datetime.datetime(2020, 1, 1, 0, 0, one) for one in (1, 2, 3, 4)]
    frame = ff.DataFrame(
        {
            "k": [1, 2, 1, 1], "a": [1, 2, 3, 4], "s": ["a", "b", "c", "d"], "t": times, "gone": [None, *times[1:]],
            "mixed": [times[0], times[3], times[2], times[1]], "d": [decimal.Decimal("1.5")] * 4,
        }
    )  # fmt: skip
    with pytest.raises(error, match=message):
        call(frame)


def test_numbers_of_a_mixed_frame() -> None:
    frame = ff.DataFrame({"a": [1, 2], "s": ["x", "y"], "b": [True, True]})
    assert frame.rolling(2).sum(numeric_only=True).to_dict("list") == {"a": [None, 3], "b": [None, 2]}


@pytest.mark.parametrize("holes", [False, True])
def test_integers_over_many_windows_are_exact(holes: bool) -> None:
    rng = np.random.default_rng(4)
    n = 5000   # more windows than one tile has
    values = rng.integers(-(2**40), 2**40, n)
    present = rng.random(n) > 0.3 * holes
    given = ff.Series(ff.from_arrow(pa.table({"x": pa.array(values, mask=~present)}))["x"])
    for window in (3, 700, 2000):
        windows = slow.row_windows(n, window)
        sums, counts = ([int(np.where(present, part, 0)[one[0] : one[-1] + 1].sum()) for one in windows] for part in (values, np.ones(n, np.int64)))
        assert given.rolling(window, min_periods=2).sum().tolist() == [total if count >= 2 else None for total, count in zip(sums, counts, strict=True)]
        expected = [total / count if count >= 2 else None for total, count in zip(sums, counts, strict=True)]
        assert_near(given.rolling(window, min_periods=2).mean(), expected, 1e-15)
