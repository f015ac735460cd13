"""`groupby` against pandas: every aggregation and window function over dtypes and ways of missing."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe.ops.aggregations import AGGREGATIONS
from fastframe.ops.windows import WINDOWS
from fastframe.testing import DTYPES, NULLS, covering
from tests.frame.grouped_cases import assert_same, assert_verb, content, made, outcome, plain

Verb = Callable[[Any], Any]

AGGREGATED: dict[str, Verb] = {
    "size": lambda g: g.size(), "count": lambda g: g.count(), "sum": lambda g: g.sum(), "sum of 2": lambda g: g.sum(min_count=2),
    "prod": lambda g: g.prod(), "mean": lambda g: g.mean(), "min": lambda g: g.min(), "max": lambda g: g.max(),
    "var": lambda g: g.var(), "std of 0": lambda g: g.std(ddof=0), "std": lambda g: g.std(), "sem": lambda g: g.sem(),
    "first": lambda g: g.first(), "last": lambda g: g.last(), "first with missing": lambda g: g.first(skipna=False),
    "last with missing": lambda g: g.last(skipna=False), "median": lambda g: g.median(), "quantile": lambda g: g.quantile(0.3),
    "nunique": lambda g: g.nunique(), "nunique with missing": lambda g: g.nunique(dropna=False), "any": lambda g: g.any(),
    "all": lambda g: g.all(), "idxmin": lambda g: g.idxmin(), "idxmax": lambda g: g.idxmax(),
}  # fmt: skip
PER_ROW: dict[str, Verb] = {
    "cumsum": lambda g: g.cumsum(), "cummin": lambda g: g.cummin(), "cummax": lambda g: g.cummax(), "shift": lambda g: g.shift(2),
    "shift up": lambda g: g.shift(-1), "diff": lambda g: g.diff(), "ffill": lambda g: g.ffill(), "bfill": lambda g: g.bfill(limit=1),
    "rank": lambda g: g.rank(), "rank min": lambda g: g.rank(method="min", ascending=False),
    "rank dense": lambda g: g.rank(method="dense", na_option="top"), "rank first": lambda g: g.rank(method="first", na_option="bottom"),
    "rank max": lambda g: g.rank(method="max", pct=True), "head": lambda g: g.head(2), "tail": lambda g: g.tail(2),
    "head but 1": lambda g: g.head(-1), "tail but 1": lambda g: g.tail(-1), "nth": lambda g: g.nth(1), "nth last": lambda g: g.nth(-1),
    "nth of several": lambda g: g.nth([0, -1]), "cumcount": lambda g: g.cumcount(), "cumcount down": lambda g: g.cumcount(ascending=False),
    "ngroup": lambda g: g.ngroup(), "transform sum": lambda g: g.transform("sum"), "transform mean": lambda g: g.transform("mean"),
    "transform count": lambda g: g.transform("count"), "transform size": lambda g: g.transform("size"),
    "transform first": lambda g: g.transform("first"), "transform max": lambda g: g.transform("max"),
    "transform nunique": lambda g: g.transform("nunique"), "transform cumsum": lambda g: g.transform("cumsum"),
    "transform cumcount": lambda g: g.transform("cumcount"),
}  # fmt: skip
KINDS = [name for name in DTYPES if name != "binary"]   # pandas holds bytes as objects
TIMES = ("date32", "date64", "timestamp[us]", "timestamp[ns, UTC]", "time32[s]", "time64[us]")
DECIMAL = "decimal128(12, 2)"

# What pandas does and fastframe refuses (rows `aggregations-of-numbers` and `dates` of docs/coming_from_pandas.md).
ROUNDED = ("median", "quantile")   # of integers of time: pandas cuts to zero after a float's rounding, fastframe rounds down
TEXT = ("string", "encoded string")
REFUSED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("sum", "sum of 2", "transform sum", "cumsum", "transform cumsum"), (*TEXT, *TIMES)),
    "diff": ("bool",), **dict.fromkeys(("cummin", "cummax"), TEXT), **dict.fromkeys(ROUNDED, (DECIMAL,)), "prod": (DECIMAL, *TIMES),
    **dict.fromkeys(("any", "all"), ("category", *TIMES)),
    **dict.fromkeys(("var", "std", "std of 0", "sem"), (DECIMAL, *TIMES, "duration[ms]")),
}  # fmt: skip


def check(name: str, verb: Verb, frames: tuple[Any, Any], value: str) -> None:
    theirs = outcome(verb, frames[1])
    if isinstance(theirs, Exception):
        mine = outcome(verb, frames[0])
        assert not isinstance(mine, Exception) or isinstance(mine, ff.errors.FastFrameError), mine
    elif value in REFUSED.get(name, ()):
        with pytest.raises(ff.errors.DTypeError, match="is not defined for dtype"):
            verb(frames[0])
    elif value in (*TIMES, "duration[ms]") and name in (*ROUNDED, "mean", "transform mean"):
        near(verb(frames[0]), theirs)
    else:
        rtol = 1e-6 if value == "float32" else 1e-9   # pandas computes some in 64 bits and rounds
        assert_same(verb(frames[0]), theirs, rtol=rtol, numbers=value != "bool" and name in (*PER_ROW, "sum of 2"))


def near(ours: Any, theirs: Any) -> None:
    """Means of dates are timestamps, which pandas cuts to dates; a half unit is rounded down, which pandas cuts to zero."""
    mine, pandas = content(ours), content(theirs)
    assert list(mine) == list(pandas)
    for one, other in zip(mine.popitem()[1], pandas.popitem()[1], strict=True):
        assert (one is None) == (other is None)
        if one is None:
            continue
        if isinstance(other, datetime.date):
            assert pd.Timestamp(one[1]).floor("D").date() in (other, other - datetime.timedelta(days=1))
        elif isinstance(other, datetime.time):
            today = datetime.date(2000, 1, 1)
            assert abs(datetime.datetime.combine(today, one) - datetime.datetime.combine(today, other)) <= datetime.timedelta(seconds=1)
        else:
            assert abs(one[1] - other[1]) <= 1_000_000 and (one[0], one[2:]) == (other[0], other[2:])
    assert mine == pandas   # the labels


def test_every_aggregation_and_window_function_is_here() -> None:
    assert {name.split()[0] for name in AGGREGATED} == {name for name, one in AGGREGATIONS.items() if not one.needs_other}
    assert set(WINDOWS) - {"cumprod", "pct_change"} <= {name.split()[0] for name in PER_ROW}


@pytest.mark.parametrize("name", [*AGGREGATED, *PER_ROW])
def test_against_pandas(name: str) -> None:
    verb = AGGREGATED.get(name) or PER_ROW[name]
    factors = {"value": KINDS, "values": NULLS, "key": KINDS, "keys": NULLS, "sliced": (False, True), "sort": (True, False), "dropna": (True, False)}
    for row in covering(factors, strength=1) if name in PER_ROW else covering({**factors, "key": KINDS[:3], "value": KINDS}):
        frames = made(
            40 if name != "prod" else 12, k={"dtype": row["key"], "nulls": row["keys"], "sliced": row["sliced"]},
            v={"dtype": row["value"], "nulls": row["values"], "sliced": row["sliced"]},
        )  # fmt: skip
        grouped = lambda frame: verb(frame.groupby("k", sort=row["sort"], dropna=row["dropna"])["v"])   # noqa: B023, E731
        try:
            check(name, grouped, frames, row["value"])
        except AssertionError as error:
            raise AssertionError(f"{row}: {error}") from error


@pytest.mark.parametrize("keys", ["k", ["k"], ["j"], ["f"], ["k", "j"], ["j", "f"], ["w", "k", "f"], ["d", "w"]], ids=str)
@pytest.mark.parametrize("as_index", [True, False])
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("sort", [True, False])
def test_keys(keys: Any, as_index: bool, dropna: bool, sort: bool) -> None:
    frames = made(
        50, k={"dtype": "string", "nulls": "some"}, j={"dtype": "category", "nulls": "some"}, f={"dtype": "float64", "wide": True}, a="int64",
        b={"dtype": "float64", "nulls": "some"}, s={"dtype": "string", "nulls": "some"}, d="date32", w="bool",
    )  # fmt: skip
    verbs: list[Verb] = [
        lambda g: g[["a", "b"]].agg({"a": "sum", "b": "max"}), lambda g: g.agg(x=("a", "sum"), y=("b", "mean"), z=("a", "count")),
        lambda g: g["a"].agg(["sum", "max"]), lambda g: g["a"].agg("sum"), lambda g: g["a"].agg(low="min", high="max"), lambda g: g.size(),
        lambda g: g["a"].size(), lambda g: g.count(), lambda g: g.sum(numeric_only=True), lambda g: g.first(), lambda g: g[["s", "b"]].last(),
        lambda g: g.nunique(), lambda g: g["b"].sum(skipna=False), lambda g: g["b"].mean(skipna=False), lambda g: g.agg("size"),
        lambda g: g.ngroups, lambda g: len(g), lambda g: g.idxmax()["a"], lambda g: g["b"].agg("std", ddof=0),
    ]  # fmt: skip
    for verb in verbs:
        assert_verb(lambda frame: verb(frame.groupby(keys, sort=sort, dropna=dropna, as_index=as_index)), frames, rtol=1e-9)   # noqa: B023
    if not as_index:
        return
    per_row: list[Verb] = [
        lambda g: g[["a", "b"]].cumsum(), lambda g: g.shift(1), lambda g: g[["a", "b"]].transform("sum"), lambda g: g["a"].transform("size"),
        lambda g: g.transform("size"), lambda g: g.transform("cumcount"), lambda g: g.head(1), lambda g: g[["a", "b"]].tail(2), lambda g: g.nth(0),
        lambda g: g["a"].nth(-1), lambda g: g.ffill(), lambda g: g.ngroup(), lambda g: g.ngroup(ascending=False), lambda g: g["a"].rank(),
    ]  # fmt: skip
    for verb in per_row:
        assert_verb(lambda frame: verb(frame.groupby(keys, sort=sort, dropna=dropna)), frames, rtol=1e-9, numbers=True)   # noqa: B023


@pytest.mark.parametrize("keys", ["k", ["k"], ["k", "j"], ["w", "k", "f"]], ids=str)
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("sort", [True, False])
def test_iteration(keys: Any, dropna: bool, sort: bool) -> None:
    """Also where some keys of a row are missing: such rows are in no group, or in one of their own."""
    ours, theirs = made(
        60, k={"dtype": "string", "nulls": "some"}, j={"dtype": "category", "nulls": "some"}, f={"dtype": "float64", "wide": True}, w="bool",
        v="int64"
    )
    mine = [(plain(key), content(rows)) for key, rows in ours.groupby(keys, dropna=dropna, sort=sort)]
    assert mine == [(plain(key), content(rows)) for key, rows in theirs.groupby(keys, dropna=dropna, sort=sort)]
    assert len(mine) > 2
    for key, rows in ours.groupby(keys, dropna=dropna, sort=sort):
        assert content(ours.groupby(keys, dropna=dropna).get_group(key)) == content(rows)
    groups = ours.groupby(keys, dropna=dropna, sort=sort).groups
    assert [len(labels) for labels in groups.values()] == [len(rows["v"]) for _, rows in mine]


def test_integer_sum_of_any_width_is_exact() -> None:
    for dtype in ("int8", "int16", "int32", "uint8", "uint32", "bool"):
        ours, theirs = made(500, k="int8", v={"dtype": dtype, "wide": dtype != "bool"})
        found = ours.groupby("k")["v"].sum()
        assert found.dtype == ("uint64" if dtype.startswith("u") else "int64")
        assert found.tolist() == [sum(map(int, rows)) for _, rows in theirs.groupby("k")["v"]]


def test_unused_and_ordered_categories() -> None:
    given = pd.Categorical(["mid", "low", None, "mid"], categories=["high", "low", "mid", "never"], ordered=True)
    theirs = pd.DataFrame({"c": given, "v": [1, 2, 3, 4]})
    ours = ff.DataFrame(theirs)
    assert ours["c"].dtype.ordered
    for sort in (True, False):
        for dropna in (True, False):
            assert_verb(lambda frame: frame.groupby("c", sort=sort, dropna=dropna, observed=True)["v"].sum() if isinstance(frame, pd.DataFrame)   # noqa: B023
                        else frame.groupby("c", sort=sort, dropna=dropna)["v"].sum(), (ours, theirs))   # noqa: B023
    assert_verb(lambda frame: frame.groupby("v")["c"].max(), (ours, theirs))


class TestPairs:
    """Correlations and covariances of two columns."""

    frame = pd.DataFrame(
        {"k": [1, 2, 1, 2, 1, 1, 2, None], "a": [1.0, 2.5, None, 4.0, 5.5, -1.0, 7.0, 8.0], "b": [3, 1, 4, 1, 5, 9, 2, 6], "t": list("abcdefgh")}
    )

    @pytest.mark.parametrize("function", ["corr", "cov"])
    def test_of_two_columns(self, function: str) -> None:
        ours, theirs = ff.DataFrame(self.frame), self.frame
        for other in ("a", "b"):
            expected = getattr(theirs.groupby("k")["b"], function)(theirs[other])
            for given in (other, ours[other], ours[other] + 0):
                found = getattr(ours.groupby("k")["b"], function)(given)
                assert found.name == expected.name
                np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12)
            named = ours.groupby("k", as_index=False).agg(r=(("b", other), function))
            assert list(named.columns) == ["k", "r"]
            np.testing.assert_allclose(named["r"].to_numpy(), expected.to_numpy(), rtol=1e-12)

    @pytest.mark.parametrize("function", ["corr", "cov"])
    def test_of_all_columns_as_a_matrix(self, function: str) -> None:
        ours, theirs = ff.DataFrame(self.frame), self.frame
        expected = getattr(theirs.groupby("k"), function)(numeric_only=True)
        for found in (getattr(ours.groupby("k"), function)(numeric_only=True), getattr(ours.groupby("k")[["a", "b"]], function)()):
            pd.testing.assert_frame_equal(found.to_pandas().reset_index(), expected.reset_index(), check_dtype=False, check_column_type=False)

    def test_messages(self) -> None:
        groups = ff.DataFrame(self.frame).groupby("k")
        with pytest.raises(ff.errors.ArgumentError, match=r"corr: it needs a second column\. Write groupby\(\.\.\.\)\['x'\]\.corr\('y'\)\."):
            groups["a"].corr()
        with pytest.raises(ff.errors.ArgumentError, match=r"cov: it needs two columns\. Write name=\(\('x', 'y'\), 'cov'\)\."):
            groups.agg(r=("a", "cov"))
        with pytest.raises(ff.errors.ArgumentError, match=r"sum: it takes one column, not two\. Write name=\('x', 'sum'\)\."):
            groups.agg(r=(("a", "b"), "sum"))
        with pytest.raises(ff.errors.ColumnNotFound, match="'zz'"):
            groups["a"].corr("zz")
        with pytest.raises(ff.errors.DTypeError, match="column 't'"):
            groups["a"].corr("t")
