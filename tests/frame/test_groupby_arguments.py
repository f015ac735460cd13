"""What `groupby` accepts, what it gives back, and what its errors say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.errors import (
    ArgumentError,
    ColumnNotFound,
    DTypeError,
    DuplicateColumn,
    IntegerOverflow,
    JITError,
    LabelNotFound,
    MissingAttribute,
    UnsupportedOperation,
)
from fastframe.options import option_context
from tests.frame.grouped_cases import assert_verb, made

DATA: dict[str, list[Any]] = {"k": ["a", "b", "a", None, "b", "a"], "v": [3, 1, 2, 9, 1, 5]}
LABELS = [10, 20, 30, 40, 50, 60]
WAYS = np.array([1, 2, 1, 2, 1, 2])


@pytest.fixture
def frames() -> tuple[Any, Any]:
    return ff.DataFrame(DATA, index=LABELS), pd.DataFrame(DATA, index=LABELS)


@pytest.fixture
def df() -> ff.DataFrame:
    return ff.DataFrame(DATA)


@pytest.mark.parametrize(
    "verb",
    [
        lambda x: x.groupby(level=0)["v"].sum(), lambda x: x.groupby(level=-1).count(), lambda x: x.groupby(x["k"])["v"].sum(),
        lambda x: x.groupby(x["k"]).sum(), lambda x: x.groupby(x["v"] % 2)["v"].sum(), lambda x: x.groupby(WAYS)["v"].sum(),
        lambda x: x.groupby([WAYS, "k"])["v"].sum(), lambda x: x.groupby(WAYS, as_index=False)["v"].sum(),
        lambda x: x.groupby([WAYS, "k"], as_index=False)["v"].sum(), lambda x: x.groupby(x["k"], as_index=False)["v"].sum(),
        lambda x: x["v"].groupby(x["k"]).sum(), lambda x: x["v"].groupby(x["k"]).size(), lambda x: x["v"].groupby(level=0).sum(),
        lambda x: x["v"].groupby(x["k"]).agg(["sum", "mean"]), lambda x: x["v"].groupby(x["k"]).agg(low="min", high="max"),
        lambda x: x["v"].groupby(x["k"]).head(1), lambda x: x["v"].groupby(x["k"]).get_group("a"), lambda x: x.groupby("k").get_group("a"),
        lambda x: x.groupby("k")["v"].get_group("a"), lambda x: x.groupby("k")[["v"]].get_group("a"),
        lambda x: x.groupby(["k", "v"]).get_group(("a", 2)), lambda x: x.groupby("k", dropna=False).get_group(np.nan),
        lambda x: x.groupby("k").v.sum(), lambda x: x[x["v"] > 100].groupby("k").sum(), lambda x: x[x["v"] > 100].groupby(["k", "v"]).size(),
        lambda x: x[x["v"] > 100].groupby("k").agg({"v": "mean"}), lambda x: x[x["v"] > 100].groupby("k")["v"].transform("max"),
        lambda x: x.iloc[:1].groupby("k").var(), lambda x: x.groupby("k").agg(n=("k", "count")), lambda x: x.groupby("k")["k"].count(),
        lambda x: x.groupby("k").agg({"v": "size"}), lambda x: x.groupby("k")["v"].agg("std", ddof=0),
        lambda x: x.groupby("k").agg(x=pd.NamedAgg("v", "sum")), lambda x: x.groupby("k").idxmin(), lambda x: x.groupby("k")["v"].agg("idxmax"),
        lambda x: x.groupby("k").pipe(lambda groups: groups.sum()), lambda x: tuple(x.groupby("k").groups),
        lambda x: x.groupby("k")["v"].pct_change(),
        lambda x: x.groupby("k").sum().reset_index(), lambda x: x.groupby("k")["v"].var(ddof=2), lambda x: x.groupby("k", as_index=False).agg("size"),
        lambda x: x.set_index(["k", "v"]).assign(w=1).groupby(level="k").sum(),
        lambda x: x.set_index(["k", "v"]).assign(w=1).groupby(level=["v", "k"]).sum(),
        lambda x: x.set_index(["k", "v"]).assign(w=1).groupby("v").sum(), lambda x: x.set_index("k").groupby("k")["v"].max(),
    ],
)  # fmt: skip
def test_arguments(frames: tuple[Any, Any], verb: Callable[[Any], Any]) -> None:
    verb(frames[1])   # pandas has it
    assert_verb(verb, frames, rtol=1e-12)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "nearest", "midpoint"])
@pytest.mark.parametrize("q", [0, 0.2, 0.5, 0.75, 1.0])
def test_quantiles(interpolation: str, q: float) -> None:
    frames = made(60, k="int8", v={"dtype": "float64", "nulls": "some"}, n="int16")
    assert_verb(lambda x: x.groupby("k")[["v", "n"]].quantile(q, interpolation=interpolation), frames, rtol=1e-12, numbers=True)


@pytest.mark.parametrize("q", [[0.5], [0.1, 0.5, 0.9], [1, 0]])
@pytest.mark.parametrize("as_index", [True, False])
def test_several_quantiles(q: list[float], as_index: bool) -> None:
    """As pandas has them: a row for each group and share, the share as one more label (or column)."""
    frames = made(60, k="int8", v={"dtype": "float64", "nulls": "some"}, n="int16")
    for verb in (lambda x: x.groupby("k", as_index=as_index)[["v", "n"]].quantile(q), lambda x: x.groupby("k", as_index=as_index)["v"].quantile(q)):
        assert_verb(verb, frames, rtol=1e-12, numbers=True)
    if as_index:
        assert_verb(lambda x: x.groupby(["k", "n"])["v"].quantile(q), frames, rtol=1e-12, numbers=True)


@pytest.mark.parametrize("percentiles", [None, [0.1, 0.995], [0.5]])
def test_describe(percentiles: list[float] | None) -> None:
    frames = made(60, k="int8", v={"dtype": "float64", "nulls": "some"}, n="int16")
    assert_verb(lambda x: x.groupby("k")["v"].describe(percentiles=percentiles), frames, rtol=1e-12, numbers=True)
    found = frames[0].assign(t="text").groupby("k").describe()
    assert found.columns.tolist()[:9] == ["v_count", "v_mean", "v_std", "v_min", "v_25%", "v_50%", "v_75%", "v_max", "n_count"]
    assert found["n_50%"].tolist() == frames[0].groupby("k")["n"].median().tolist()


def test_nth_counts_from_both_ends(df: ff.DataFrame) -> None:
    numbers = ff.DataFrame({"k": [1, 2, 1, 1, 2], "v": [10, 20, 30, 40, 50]})
    assert numbers.groupby("k")["v"].nth(1).tolist() == [30, 50]
    assert numbers.groupby("k")["v"].nth(-1).tolist() == [40, 50]
    assert numbers.groupby("k")["v"].nth([0, -1]).tolist() == [10, 20, 40, 50]


def test_aggregation_lists_name_their_columns(df: ff.DataFrame) -> None:
    found = df.groupby("k").agg(["sum", "max"])
    assert found.to_dict("list") == {"v_sum": [10, 2], "v_max": [5, 1]}
    assert df.groupby("k").agg({"v": ["min", "count"]}).columns.tolist() == ["v_min", "v_count"]
    assert df.groupby("k", as_index=False).agg(["sum"]).columns.tolist() == ["k", "v_sum"]


def test_any_order_has_the_same_groups() -> None:
    ours, _ = made(300, k={"dtype": "string", "nulls": "some"}, j="int64", v="int64")
    for keys in ("k", ["k", "j"]):
        expected = ours.groupby(keys, dropna=False)["v"].sum().to_dict()
        assert ours.groupby(keys, dropna=False, sort=None)["v"].sum().to_dict() == expected
        assert [len(rows) for _, rows in ours.groupby(keys, sort=None)] == ours.groupby(keys, sort=None).size().tolist()


def test_labels_of_extremes_of_several_levels_are_refused(df: ff.DataFrame) -> None:
    several = df.assign(x=1, y=2).set_index(["x", "y"])
    with pytest.raises(UnsupportedOperation, match=r"GroupBy\.idxmin is not supported. Labels of several levels are not one value each"):
        several.groupby("k")["v"].idxmin()


BIG = ff.DataFrame({"k": [1, 1, 2], "v": [2**63 - 1, 5, 1]})
EXACT = "The exact total is 9223372036854775812"


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        (lambda: BIG.groupby("k").sum(), f"sum of column 'v' does not fit int64. {EXACT}"),
        (lambda: BIG.groupby("k").agg(t=("v", "sum")), f"sum of column 'v' does not fit int64. {EXACT}"),
        (lambda: BIG["v"].groupby(BIG["k"]).sum(), f"sum of column 'v' does not fit int64. {EXACT}"),
        (lambda: BIG.groupby("k")["v"].transform("sum"), f"sum of column 'v' does not fit int64. {EXACT}"),
        (lambda: BIG.groupby("k").cumsum(), "cumsum of column 'v' does not fit int64"),
        (lambda: BIG.groupby("k")["v"].prod(), "prod of column 'v' does not fit int64"),
        (lambda: BIG["v"].cumsum(), "cumsum of column 'v' does not fit int64"),
    ],
)
def test_overflow_names_the_column(verb: Callable[[], Any], message: str) -> None:
    with pytest.raises(IntegerOverflow) as raised:
        verb()
    assert str(raised.value).startswith(message)


def test_partial_overflow_is_none() -> None:
    values = [2**63 - 1, 1, -1, -(2**63), 2**62, 2**62, 2**62, 2**62, -(2**63), -(2**63)]
    assert ff.DataFrame({"k": [1] * 10, "v": values}).groupby("k")["v"].sum().tolist() == [sum(values)]


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda x: x.groupby("kk"), ColumnNotFound, "there is no column 'kk'. Did you mean 'k'? The columns are: 'k', 'v'."),
        (lambda x: x.groupby(), ArgumentError, "groupby: no keys were given. Pass by= or level=."),
        (lambda x: x.groupby([]), ArgumentError, "groupby: no keys were given. Pass by= or level=."),
        (lambda x: x.groupby("k", sort="x"), ArgumentError, "groupby was given sort='x'. Allowed are: True, False, None."),
        (lambda x: x.groupby(level="z"), ArgumentError, "groupby was given level='z'. Allowed are: 0."),
        (lambda x: x.groupby(level=3), ArgumentError, "groupby was given level=3. Allowed are: 0."),
        (lambda x: x.groupby(lambda one: 1), UnsupportedOperation, None),
        (lambda x: x.groupby("k")["z"], ColumnNotFound, "there is no column 'z'. The columns are: 'k', 'v'."),
        (lambda x: x.groupby("k").agg({"z": "sum"}), ColumnNotFound, "there is no column 'z'. The columns are: 'k', 'v'."),
        (lambda x: x.groupby("k").agg(y=("z", "sum")), ColumnNotFound, "there is no column 'z'. The columns are: 'k', 'v'."),
        (lambda x: x.groupby("k").agg(), ArgumentError, "agg: no function was given. Use agg('sum'), agg({'x': 'sum'}) or agg(total=('x', 'sum'))."),
        (lambda x: x.groupby("k").agg(y="sum"), ArgumentError, "agg: y='sum' is not a pair. Write y=('column', 'function')."),
        (lambda x: x.groupby("k").agg("std", dof=0), ArgumentError, None),
        (lambda x: x.groupby("k").agg({"v": ["sum", "sum"]}), DuplicateColumn,
         "column names must be unique, but 'v_sum' would occur more than once. Name the aggregations: agg(total=('x', 'sum'))."),
        (lambda x: x.groupby("k", as_index=False).agg(k=("v", "sum")), DuplicateColumn,
         "column names must be unique, but 'k' would occur more than once. Name the aggregations: agg(total=('x', 'sum'))."),
        (lambda x: x.groupby("k").get_group("z"), LabelNotFound,
         "there is no group 'z'. Give the key as iteration over the groups does, for several keys a tuple."),
        (lambda x: x.groupby("k").get_group(3), LabelNotFound, None),
        (lambda x: x.groupby("k").get_group(None), LabelNotFound, None),
        (lambda x: x.groupby("k").get_group(("a", "b")), ArgumentError,
         "get_group: ('a', 'b') has 2 parts for 1 keys. Pass a tuple of one value per key."),
        (lambda x: x.groupby("k").filter(len), MissingAttribute,
         "GroupBy.filter is not supported. Use df[df.groupby(keys)['x'].transform('size') > n]."),
        (lambda x: x.groupby("k").apply(open), JITError, None),
        (lambda x: x.groupby("k").agg(sorted), JITError, None),
        (lambda x: x.groupby("k").summ, MissingAttribute, None),
        (lambda x: x.groupby("k").transform("summ"), ArgumentError, None),
        (lambda x: x.groupby("v")["k"].sum(), DTypeError,
         "sum is not defined for dtype string of column 'k'. It works on bool, integer, float, decimal and duration columns. "
         "Use .astype(...) to convert first."),
        (lambda x: x.groupby("v").cumsum(), DTypeError, None),
        (lambda x: x.groupby("k").quantile([]), ArgumentError, "quantile: q is empty. Give at least one share, for example q=[0.25, 0.75]."),
        (lambda x: x.groupby("k").quantile(2), ArgumentError, "quantile was given q=2. Allowed are: 'a number from 0 to 1'."),
        (lambda x: x.groupby("k").rank(method="x"), ArgumentError,
         "rank was given method='x'. Allowed are: 'average', 'min', 'max', 'first', 'dense'."),
        (lambda x: x.groupby("k").shift(1.5), ArgumentError, "shift was given periods=1.5. Allowed are: 'an int'."),
        (lambda x: x["v"].groupby(x["k"]).shift(fill_value="x"), ff.errors.LossyCast, None),
    ],
)  # fmt: skip
def test_errors(df: ff.DataFrame, verb: Callable[[Any], Any], error: type[Exception], message: str | None) -> None:
    with pytest.raises(error) as raised:
        verb(df)
    assert message is None or str(raised.value) == message
    assert "\0" not in str(raised.value)
    assert "\1" not in str(raised.value)


ROWS = st.lists(st.tuples(st.one_of(st.none(), st.integers(-3, 3)), st.one_of(st.none(), st.integers(-(2**62), 2**62))), max_size=40)


@given(ROWS, st.booleans(), st.sampled_from([True, False, None]))
def test_sum_equals_pythons(rows: list[tuple[int | None, int | None]], dropna: bool, sort: bool | None) -> None:
    expected: dict[int | None, int] = {}
    for key, value in rows:
        if key is not None or not dropna:
            expected[key] = expected.get(key, 0) + (value or 0)
    df = ff.DataFrame({"k": ff.Series([key for key, _ in rows], dtype="int64"), "v": ff.Series([value for _, value in rows], dtype="int64")})
    if any(not -(2**63) <= total < 2**63 for total in expected.values()):
        with pytest.raises(IntegerOverflow, match="sum of column 'v' does not fit int64"):
            df.groupby("k", dropna=dropna, sort=sort)["v"].sum()
        return
    found = df.groupby("k", dropna=dropna, sort=sort)["v"].sum()
    assert dict(zip(found.index.tolist(), found.tolist(), strict=True)) == expected
    if sort:
        assert found.index.tolist() == sorted(key for key in expected if key is not None) + [None] * (None in expected)
    elif sort is False:
        assert found.index.tolist() == list(expected)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_bits(threads: int) -> None:
    ours, _ = made(200_000, k={"dtype": "int64", "wide": True}, f={"dtype": "float64", "wide": True, "nulls": "some"}, j="uint8")
    clean = ours[ours["f"].abs() < 1e9]
    verbs: list[Callable[[Any], Any]] = [
        lambda x: x.groupby("j")["f"].agg(["sum", "mean", "var", "median", "min", "first", "nunique"]), lambda x: x.groupby("k")["f"].mean(),
        lambda x: x.groupby("j")["f"].cumsum(), lambda x: x.groupby("j")["f"].rank(), lambda x: x.groupby(["j", "k"])["f"].transform("mean"),
    ]  # fmt: skip
    with option_context(threads=7):
        expected = [verb(clean) for verb in verbs]
    with option_context(threads=threads):
        for verb, before in zip(verbs, expected, strict=True):
            assert bits(verb(clean)) == bits(before)


@given(st.lists(st.integers(0, 400), max_size=4), st.sampled_from(["string", "float64", "int64", "category"]))
def test_chunks_do_not_change_bits(cuts: list[int], key: str) -> None:
    ours, _ = made(400, k={"dtype": key, "nulls": "some"}, v={"dtype": "float64", "wide": True, "nulls": "some"})
    edges = [0, *sorted(cuts), 400]
    whole = {name: ours[name].to_arrow() for name in ("k", "v")}
    chunks = {name: pa.chunked_array([one[start:stop] for start, stop in pairwise(edges)], one.type) for name, one in whole.items()}
    for verb in (lambda x: x.groupby("k")["v"].agg(["sum", "var", "median", "last"]), lambda x: x.groupby("k")["v"].cumsum()):
        assert bits(verb(ff.DataFrame(pa.table(chunks)))) == bits(verb(ours))


def bits(found: Any) -> Any:
    columns = [found[name] for name in found.columns] if isinstance(found, ff.DataFrame) else [found]
    return [(one.to_arrow().null_count, np.nan_to_num(one.to_numpy(), nan=-1.0).tobytes()) for one in columns]
