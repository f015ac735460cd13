"""Functions of the user's own over windows: against a slow twin, and against pandas with ``raw=True``."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.errors import ArgumentError, FunctionArgumentError, FunctionError, JITError, UnsupportedOperation
from fastframe.options import option_context
from fastframe.testing import NULLS, column, covering
from tests.frame.compare import assert_same
from tests.reference import rolling as slow

ENGINES = ["numba", "python"]
CLOSED = ("right", "left", "both", "neither")
ROWS = 400
RNG = np.random.default_rng(5)
DATA: dict[str, Any] = {
    "k": [["a", "b", "c", None][one] for one in RNG.integers(0, 4, ROWS)],
    "x": np.where(RNG.random(ROWS) < 0.2, np.nan, RNG.normal(size=ROWS)),
    "w": RNG.random(ROWS),
    "n": RNG.integers(-9, 9, ROWS),
    "t": np.datetime64("2024-01-01") + np.sort(RNG.integers(0, 10**6, ROWS)).astype("timedelta64[s]"),
}
LABELS = np.arange(ROWS) * 10


@pytest.fixture
def df() -> ff.DataFrame:
    return ff.DataFrame(DATA, index=LABELS)


@pytest.fixture
def pdf() -> pd.DataFrame:
    return pd.DataFrame(DATA, index=LABELS)


def spread(x):   # type: ignore[no-untyped-def]
    return x.max() - x.min()


def ordered(x):   # type: ignore[no-untyped-def]
    """Depends on the order of the values, and on each of them."""
    total = x[0] * 0
    for place in range(len(x)):
        total = total * 3 + x[place]
    return total


def weighted(x, w):   # type: ignore[no-untyped-def]
    return (x * w).sum() / w.sum()


def positive(x):   # type: ignore[no-untyped-def]
    if x[-1] > 2:
        raise ValueError(f"{len(x)} of them")
    return x.sum()


def listed(given: Any) -> list[Any]:
    """Values, None for missing."""
    return [None if one is None or one != one else one for one in given.tolist()]


# ---- against a slow twin ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bool", "int8", "uint16", "int64", "uint64", "float32", "float64"])
def test_every_dtype_against_a_slow_twin(kind: str) -> None:
    def last(x):   # type: ignore[no-untyped-def]
        return x[0]

    cases = {"nulls": NULLS, "sliced": (True, False), "rows": (100, 1, 0), "closed": CLOSED, "center": (True, False),
             "window": (1, 2, 7, 64), "min_periods": (0, 1, 3), "engine": ENGINES}
    for case in covering(cases):
        data = column(kind, case["rows"], nulls=case["nulls"], sliced=case["sliced"])
        given = ff.Series._of({"\0" + "0": column("int64", case["rows"])}, data, "x")
        how = {"center": case["center"], "closed": case["closed"]}
        min_periods = min(case["min_periods"], case["window"])
        windows = slow.row_windows(case["rows"], case["window"], **how)
        found = given.rolling(case["window"], min_periods, **how).apply(last, engine=case["engine"])
        assert listed(found) == slow.applied([listed(given)], windows, lambda x: x[0], min_periods=min_periods)
        if any(one is not None for one in listed(found)) or (case["engine"] == "numba"):
            assert str(found.dtype) == kind


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("nulls", ["skip", "mask", "nan"])
def test_two_columns_with_holes_against_a_slow_twin(nulls: str, engine: str) -> None:
    rng = np.random.default_rng(8)
    x, w = (np.where(rng.random(200) < 0.3, np.nan, np.round(rng.normal(size=200), 2)) for _ in range(2))
    functions: dict[str, Callable[..., Any]] = {
        "skip": lambda x, w: x[0] * 100 + w[-1] + len(x),
        "mask": lambda x, w, x_there, w_there: 100 * x_there.sum() + 10 * w_there[0] + len(w),
        "nan": lambda x, w: 100 * np.isnan(x).sum() + 10 * np.isnan(w[0]) + len(w),
    }
    frame = ff.DataFrame({"x": x, "w": w})
    values = [[None if one != one else one for one in part] for part in (x, w)]
    for window, min_periods, closed in ((5, 2, "right"), (4, 0, "both"), (6, 1, "neither"), (3, 3, "left")):
        found = frame.rolling(window, min_periods, closed=closed)[["x", "w"]].apply(functions[nulls], nulls=nulls, engine=engine)
        windows = slow.row_windows(200, window, closed=closed)
        expected = slow.applied(values, windows, lambda *given: functions[nulls](*map(np.array, given)), min_periods=min_periods, nulls=nulls)
        assert listed(found) == pytest.approx(expected)


# ---- against pandas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_of_rows_and_time_as_pandas(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    for window in ({"window": 7}, {"window": 6, "min_periods": 2, "center": True}, {"window": "2h", "on": "t"},
                   {"window": "3h", "on": "t", "closed": "both", "min_periods": 3}):  # fmt: skip
        columns = ["t", "x", "w"] if "on" in window else ["x", "w"]
        ours, theirs = df[columns].rolling(**window), pdf[columns].rolling(**window)
        assert_same(ours.apply(ordered, nulls="nan", engine=engine, out="float64"), theirs.apply(ordered, raw=True), rtol=1e-12)
        present = theirs.apply(lambda x: ordered(x[~np.isnan(x)]), raw=True)
        assert_same(ours.apply(ordered, engine=engine), present, rtol=1e-12)
    assert_same(df["w"].expanding(4).apply(spread, engine=engine), pdf["w"].expanding(4).apply(spread, raw=True), rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_as_pandas(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    for by in ("k", ["k", "n"]):
        for options in ({}, {"sort": False}):
            ours, theirs = df.groupby(by, **options)["w"], pdf.groupby(by, **options)["w"]
            assert_same(ours.rolling(3, min_periods=2).apply(ordered, engine=engine), theirs.rolling(3, min_periods=2).apply(ordered, raw=True), rtol=1e-12)
            assert_same(ours.expanding().apply(spread, engine=engine), theirs.expanding().apply(spread, raw=True), rtol=1e-12)
    ours, theirs = df.groupby("k").rolling("4h", on="t")[["x"]], pdf.groupby("k").rolling("4h", on="t")[["x"]]
    found, expected = ours.apply(spread, engine=engine), theirs.apply(lambda x: spread(x[~np.isnan(x)]), raw=True)
    assert listed(found["x"]) == pytest.approx(listed(expected["x"]))
    flat = df.groupby("k", as_index=False)["w"].rolling(2).apply(spread, engine=engine)
    assert list(flat.columns) == ["k", "w"]
    both = df.groupby("k", as_index=False)[["x", "w"]].rolling(2).apply(weighted, engine=engine)
    assert list(both.columns) == ["k", "weighted"]


# ---- results and arguments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_results_keep_dtypes_and_names(df: ff.DataFrame, engine: str) -> None:
    three = df["n"].rolling(3)
    assert str(three.apply(lambda n: n[-1] - n[0], engine=engine).dtype) == "int64"
    assert str(three.apply(lambda n: n[-1] > n[0], engine=engine).dtype) == "bool"
    assert str(three.apply(lambda n: n[-1] - n[0], engine=engine, out="float64").dtype) == "float64"
    assert str(df["t"].rolling(2).apply(lambda t: t[1] - t[0], engine=engine).dtype).startswith("duration")
    assert three.apply(spread, engine=engine).name == "n"
    several = three.apply(lambda n: {"low": n.min(), "high": n.max()}, engine=engine)
    assert list(several.columns) == ["low", "high"]
    assert several["high"].tolist() == three.max().tolist()
    assert list(df[["n", "w"]].rolling(3).apply(lambda v: (v.min(), v.max()), engine=engine).columns) == ["n_0", "n_1", "w_0", "w_1"]
    pair = df.rolling(3).apply(weighted, engine=engine)
    assert pair.name is None
    assert pair.index.tolist() == LABELS.tolist()
    assert three.agg(spread, engine=engine).tolist() == three.apply(spread, engine=engine).tolist()


def test_none_is_null_and_decorated_functions_work(df: ff.DataFrame) -> None:
    found = df["n"].rolling(2).apply(lambda n: n[1] if n[1] > n[0] else None)
    n = DATA["n"].tolist()
    assert found.tolist() == [None] + [b if b > a else None for a, b in itertools.pairwise(n)]
    assert df["w"].rolling(4).apply(numba.njit(spread)).tolist() == df["w"].rolling(4).apply(spread).tolist()
    assert df["w"].rolling(4).apply(ff.jit(spread)).tolist() == df["w"].rolling(4).apply(spread).tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_arguments(df: ff.DataFrame, pdf: pd.DataFrame, engine: str) -> None:
    def scaled(x, by, plus=0.0):   # type: ignore[no-untyped-def]
        return x.sum() * by + plus

    windows = df["w"].rolling(3)
    expected = pdf["w"].rolling(3).apply(scaled, raw=True, args=(2.0,), kwargs={"plus": 1.0})
    for found in (windows.apply(scaled, 2.0, plus=1.0, engine=engine), windows.apply(scaled, raw=True, args=(2.0,), kwargs={"plus": 1.0}, engine=engine),
                  windows.apply(scaled, by=2.0, plus=1.0, engine=engine, engine_kwargs={"parallel": True, "nopython": True})):  # fmt: skip
        assert_same(found, expected, rtol=1e-12)


def test_text_comes_as_codes_or_by_the_interpreter_as_it_is() -> None:
    names = ff.Series(["a", "b", None, "b", "c"])

    def kinds(codes, values):   # type: ignore[no-untyped-def]
        return len(np.unique(codes))

    assert names.rolling(3, min_periods=1).apply(kinds).tolist() == [1, 2, 2, 1, 2]
    joined = names.rolling(3, min_periods=1).apply(lambda text: "".join(text), engine="python")
    assert joined.tolist() == ["a", "ab", "ab", "bb", "bc"]


# ---- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_no_values_and_no_window_to_call(engine: str) -> None:
    empty = ff.DataFrame({"k": np.empty(0, np.int64), "x": np.empty(0)})
    assert empty["x"].rolling(3).apply(spread, engine=engine).tolist() == []
    assert empty.groupby("k")["x"].rolling(3).apply(spread, engine=engine).tolist() == []
    assert ff.Series([None, None], dtype="float64").rolling(2, min_periods=0).apply(spread, engine=engine).tolist() == [None, None]
    assert ff.Series([1.0, 2.0]).rolling(5).apply(spread, engine=engine, out="float64").tolist() == [None, None]
    assert ff.Series([1.0, None]).rolling(1, 0, closed="left").apply(lambda x: len(x), nulls="nan", engine=engine).tolist() == [None, 1]
    assert ff.Series([None, 1.0]).rolling(1, 0, closed="left").apply(lambda x: len(x), nulls="nan", engine=engine).tolist() == [None, 1]


def test_any_threads_chunks_and_slices_give_the_same_bits() -> None:
    n = 300_000   # several slices and parts
    rng = np.random.default_rng(2)
    x = pa.array(rng.normal(size=n), mask=rng.random(n) < 0.1)
    whole = pa.table({"k": pa.array(rng.integers(0, 50, n)), "x": x})
    cut = pa.concat_tables([whole.slice(0, 11), whole.slice(11, 100_003), whole.slice(100_014)])
    padded = pa.concat_tables([whole.slice(0, 5), whole]).slice(5)
    answers = set()
    for table in (whole, cut, padded):
        frame = ff.from_arrow(table)
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                one = frame["x"].rolling(20, min_periods=10).apply(ordered)
                two = frame.groupby("k")["x"].rolling(20, min_periods=10).apply(ordered)
            answers.add((one.to_numpy().tobytes(), two.to_numpy().tobytes(), one.isna().sum(), two.isna().sum()))
    assert len(answers) == 1
    again = frame.groupby("k")["x"].rolling(20, min_periods=10).apply(ordered)   # by the order that was kept
    assert again.to_numpy().tobytes() == two.to_numpy().tobytes()


def test_kept_order_of_groups_is_not_that_of_other_groups(df: ff.DataFrame, pdf: pd.DataFrame) -> None:
    for by, options in (("k", {}), ("k", {"sort": False}), (["k", "n"], {}), ("n", {}), ("k", {"dropna": False})):
        found = df.groupby(by, **options)["w"].rolling(2).sum()
        assert_same(found, pdf.groupby(by, **options)["w"].rolling(2).sum(), rtol=1e-12)


# ---- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [*ENGINES, "python-processes"])
def test_a_function_that_raises_names_the_row_and_its_group(engine: str) -> None:
    frame = ff.DataFrame({"k": ["b", "a", "b", "a"], "x": [1.0, 5.0, 9.0, 1.0]}, index=pd.Index(["p", "q", "r", "s"], name="who"))
    with pytest.raises(FunctionError, match=r"positive\(\) raised ValueError in the window of row who='r': 2 of them\.") as caught:
        frame["x"][["p", "s", "r"]].rolling(2).apply(positive, engine=engine)
    assert caught.value.key == "r"
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(FunctionError, match=r"in the window of row who='q' of the group k='a': 1 of them\.") as caught:
        frame.groupby("k")["x"].rolling(2, min_periods=1).apply(positive, engine=engine)
    assert caught.value.key == ("a", "q")


def test_the_lowest_failing_window_is_told_for_any_threads() -> None:
    x = np.zeros(200_000)
    x[[77_777, 150_000]] = 9.0
    for threads in (1, 2, 4):
        with option_context(threads=threads), pytest.raises(FunctionError, match="window of row 77777:"):
            ff.Series(x).rolling(30).apply(positive)


@pytest.mark.parametrize(("verb", "error", "message"), [
    (lambda df: df["w"].rolling(3).apply("mean"), ArgumentError, r"'mean' is no function"),
    (lambda df: df["w"].rolling(3).apply(spread, raw=False), UnsupportedOperation, r"raw=False.*NumPy arrays"),
    (lambda df: df["w"].rolling(3).apply(spread, engine="cython"), ArgumentError, r"'cython'.*numba.*python"),
    (lambda df: df["w"].rolling(3).apply(spread, engine_kwargs={"nopython": False}), UnsupportedOperation, r"engine_kwargs=\{'nopython': False\}"),
    (lambda df: df["w"].rolling(3).apply(lambda w: w), FunctionError, r"the lambda returned an array, but it must return one value per window"),
    (lambda df: df["w"].rolling(3).apply(lambda w: w, engine="python"), FunctionError, r"returned an array, but it must return one value per window"),
    (lambda df: df["n"].rolling(3).apply(lambda n: n.mean(), out="int64"), FunctionError, r"returns float64, but out='int64'"),
    (lambda df: df["n"].rolling(3).apply(spread, nulls="nan"), FunctionArgumentError, r"column 'n' is int64"),
    (lambda df: df["k"].rolling(3).apply(spread), FunctionArgumentError, r"column 'k' is string.*engine='python'"),
    (lambda df: df["w"].rolling(3).apply(lambda w: print(w, file=w)), JITError, r"the lambda cannot be compiled"),
    (lambda df: df["w"].rolling(3).apply(np.mean), JITError, r"lambda x: numpy.mean\(x\)"),
    (lambda df: df["w"].rolling(3).apply(spread, depth=3), FunctionArgumentError, r"no parameter 'depth'"),
])  # fmt: skip
def test_errors(df: ff.DataFrame, verb: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        verb(df)
