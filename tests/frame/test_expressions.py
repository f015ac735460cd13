"""Deferred expressions say what the same operations on series say, wherever a frame takes them; pandas is the other oracle."""

from __future__ import annotations

import copy
import datetime
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe import col, lit, when
from fastframe.errors import (
    ArgumentError,
    ColumnNotFound,
    DTypeError,
    DuplicateColumn,
    ExpressionError,
    IntegerOverflow,
    LossyCast,
    MissingAttribute,
    UnsupportedOperation,
)
from fastframe.options import option_context
from fastframe.testing.asserts import assert_column_equal, assert_frame_equal
from tests.frame.compare import assert_same

DAY = datetime.datetime(2024, 2, 29, 13, 5)
ROWS: dict[str, list[Any]] = {
    "i": [3, None, -2, 7, 0, 3],
    "j": [1, 2, None, -4, 5, 1],
    "x": [0.5, None, float("nan"), -2.25, 4.0, 1e10],
    "b": [True, None, False, True, False, True],
    "s": ["Ab", None, "", "b c", "zz", "Ab"],
    "t": [DAY, None, *(DAY + datetime.timedelta(days=days, hours=7) for days in (1, 40, 400, 4000))],
    "k": ["p", "q", "p", None, "q", "p"],
}


def frame() -> ff.DataFrame:
    return ff.DataFrame(ROWS)


def pandas_frame(data: Any = None) -> pd.DataFrame:
    """Arrow-backed, so that missing integers stay integers."""
    table = (frame() if data is None else data).to_arrow()
    return table.to_pandas(types_mapper=pd.ArrowDtype)


# The same code over `Column`s of two kinds: deferred and series.
Namespace = Callable[[str], Any]
ELEMENTWISE: dict[str, Callable[[Namespace], Any]] = {
    "arithmetic": lambda c: (c("i") + c("j")) * 2 - c("x") / 3,
    "reflected": lambda c: 10 - c("i") + 2 * (1 / c("x")) + 2 ** c("x") + 7 // c("j") + 7 % c("j"),
    "integers": lambda c: c("i") // c("j") + c("i") % 3,
    "powers": lambda c: -(c("i") ** 2),
    "comparisons": lambda c: (c("i") > c("j")) & (c("x") <= 4) | ~(c("s") != "Ab") ^ (c("i") == 3),
    "logic with a bool": lambda c: True & c("b") | False,
    "abs": lambda c: abs(c("i")) + c("x").abs(),
    "round": lambda c: c("x").round(1),
    "clip": lambda c: c("i").clip(0, 3),
    "clip one side": lambda c: c("x").clip(upper=1.5),
    "fillna": lambda c: c("i").fillna(0) + c("j").fillna(100),
    "fillna of columns": lambda c: c("i").fillna(c("j")),
    "missing": lambda c: c("x").isna() | c("i").notna(),
    "isin": lambda c: c("s").isin(["Ab", None]) & ~c("i").isin({3, 7}),
    "isin of nothing": lambda c: c("i").isin([]),
    "between": lambda c: c("i").between(0, 5) | c("j").between(-4, c("i"), inclusive="neither"),
    "astype": lambda c: c("i").astype("float64") + c("i").astype("int8"),
    "where": lambda c: c("i").where(c("j") > 0, -1).mask(c("x") > 1e9),
    "text": lambda c: c("s").str.upper() + "-" + c("s").str.slice(0, 1),
    "text tests": lambda c: c("s").str.contains("b") & (c("s").str.len() > 1) | c("s").str.startswith("z"),
    "text cat": lambda c: c("s").str.cat(c("k"), sep="/", na_rep="?"),
    "text item": lambda c: c("s").str[0],
    "split": lambda c: c("s").str.split(" ").str[1],
    "time": lambda c: c("t").dt.year * 100 + c("t").dt.month,
    "time spans": lambda c: (c("t") - DAY).dt.total_seconds() + c("t").dt.floor("D").dt.hour,
    "time compared": lambda c: c("t") > "2024-03-01",
    "numpy": lambda c: np.sqrt(np.abs(c("x"))) + np.float64(2) * c("i") + np.int64(1),
    "numpy arrays of one": lambda c: np.array(2) + c("i"),
    "of the index of operators": lambda c: operator.add(+c("i"), operator.neg(c("j"))),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_as_series(name: str) -> None:
    df = frame()
    expected = ELEMENTWISE[name](lambda column: df[column])
    assert_column_equal(df.assign(out=ELEMENTWISE[name](col))["out"]._column, expected._column)


@pytest.mark.parametrize("name", ["arithmetic", "comparisons", "between", "text", "time", "fillna of columns", "where"])
def test_elementwise_as_pandas(name: str) -> None:
    df = frame().drop(columns=["x"]).assign(x=[0.5, None, 1.5, -2.25, 4.0, 1e10])   # pandas' Arrow types tell NaN from null
    pandas = pandas_frame(df)
    theirs = ELEMENTWISE[name](lambda column: pandas[column])
    if pd.api.types.is_bool_dtype(theirs.dtype):
        theirs = theirs.fillna(False)   # comparisons are free of nulls here
    mine = df.assign(out=ELEMENTWISE[name](col))["out"]
    if name == "comparisons":   # != of a missing text is True here, null there
        mine, theirs = mine[df["s"].notna() & df["i"].notna()], theirs[pandas["s"].notna() & pandas["i"].notna()]
    assert_same(mine, theirs.rename("out"), types="kind")


AGGREGATED: dict[str, Callable[[Namespace], Any]] = {
    "centred": lambda c: c("i") * 2 - c("j").mean(),
    "z-score": lambda c: (c("x") - c("x").mean()) / c("x").std(),
    "share": lambda c: c("i") / c("i").sum(),
    "extremes": lambda c: (c("i") - c("i").min()) / (c("i").max() - c("i").min()),
    "of an expression": lambda c: c("i") - (c("i") * c("j")).sum(),
    "count": lambda c: c("i") + c("i").count() + c("s").nunique() + c("i").nunique(dropna=False),
    "middle": lambda c: c("x") - c("x").median() + c("x").quantile(0.25) + c("i").var(ddof=0) + c("i").sem(),
    "prod": lambda c: c("i") + c("j").prod(),
    "truth": lambda c: c("b") & (c("i") > 2).any() & c("b").all(),
}


@pytest.mark.parametrize("name", AGGREGATED)
def test_aggregations_of_all_rows_as_series(name: str) -> None:
    df = frame()
    assert_column_equal(df.assign(out=AGGREGATED[name](col))["out"]._column, AGGREGATED[name](lambda column: df[column])._column)


def test_aggregations_within_aggregations() -> None:
    df = frame()
    squares = ((col("i") - col("i").mean()) ** 2).sum()
    assert df.assign(out=squares)["out"].tolist() == [((df["i"] - df["i"].mean()) ** 2).sum()] * 6
    assert df.assign(out=col("s").first() + col("s").last())["out"].tolist() == ["AbAb"] * 6


def test_functions_of_the_table() -> None:
    df = ff.DataFrame({"x": [0.1, 0.5, None, 1.0], "y": [1.5, 2.5, None, 10.0]})
    for name in ("sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "tanh", "floor", "ceil", "sign"):
        mine = df.assign(out=getattr(col("x"), name)())["out"].tolist()
        assert mine[2] is None
        np.testing.assert_allclose([mine[0], mine[1], mine[3]], getattr(np, name)([0.1, 0.5, 1.0]), rtol=1e-14)
    for name in ("arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh"):
        mine = df.assign(out=getattr(np, name)(col("x")))["out"].tolist()
        np.testing.assert_allclose([mine[0], mine[1], mine[3]], getattr(np, name)([0.1, 0.5, 1.0]), rtol=1e-14)
    assert df.assign(out=np.arctanh(col("x")))["out"].tolist()[3] == float("inf")
    np.testing.assert_allclose(df.assign(out=np.arccosh(col("y")))["out"].tolist()[3], np.arccosh(10.0), rtol=1e-14)


def test_when_then_otherwise() -> None:
    df = frame()
    size = when(col("i") > 5).then("large").when(col("i") > 0).then(col("s")).otherwise("?")
    assert df.assign(out=size)["out"].tolist() == ["Ab", "?", "?", "large", "?", "Ab"]
    assert df.assign(out=when(col("i") > 5).then(1))["out"].tolist() == [None, None, None, 1, None, None]
    assert df.assign(out=when(True).then(col("x").max()).otherwise(0))["out"].tolist() == [1e10] * 6
    both = df.assign(out=when(col("b")).then(1).otherwise(2.5))["out"]
    assert (both.dtype, both.tolist()) == ("float64", [1.0, 2.5, 2.5, 1.0, 2.5, 1.0])
    with pytest.raises(DTypeError, match="a mask must be of dtype bool"):
        df.assign(out=when(col("i")).then(1).otherwise(2))


def test_literals() -> None:
    df = ff.DataFrame({"a": ff.Series([1, 2], dtype="int8")})
    out = df.assign(plain=col("a") + 1, strong=col("a") + np.int64(1), typed=lit(1, "int16"), none=lit(None), text=lit("a"))
    assert [str(out[name].dtype) for name in out] == ["int8", "int8", "int64", "int16", "null", "string"]
    assert out["text"].tolist() == ["a", "a"]


# ---- where a frame takes an expression ------------------------------------------------------------------------------


def test_rows_by_expression() -> None:
    df = frame()
    wanted = df[df["i"] > 2]
    for found in (df[col("i") > 2], df.filter(col("i") > 2), df.loc[col("i") > 2]):
        assert found.index.tolist() == [0, 3, 5]
        assert_frame_equal(found, wanted)
    assert df.filter(col("i") > 2, col("s") == "Ab", col("x") < 1).index.tolist() == [0]
    assert df.loc[col("i") > 2, "s"].tolist() == ["Ab", "b c", "Ab"]
    assert df.loc[col("i") > 2, ["s", "i"]].shape == (3, 2)
    assert df.filter(col("x") > col("x").mean()).index.tolist() == [5]
    assert df.filter(lit(True)).shape == df.shape
    assert df["i"].to_frame().where(col("i") > 2, 0)["i"].tolist() == [3, 0, 0, 7, 0, 3]
    labelled = df.set_index("k")
    assert labelled[col("i") > 2].index.tolist() == ["p", None, "p"]


def test_filter_by_name_as_pandas() -> None:
    df = ff.DataFrame({"one": [1], "two": [2], "three": [3]})
    pandas = df.to_pandas()
    for options in ({"items": ["one", "three"]}, {"like": "o"}, {"regex": "e$"}, {"items": ["three", "gone"]}):
        assert list(df.filter(**options).columns) == list(pandas.filter(**options).columns)
    assert list(df.filter(["two"]).columns) == ["two"]
    for wrong in (lambda: df.filter(col("one") > 0, "two"), lambda: df.filter(["one"], col("two") > 0), lambda: df.filter(col("one") > 0, like="o")):
        with pytest.raises(ExpressionError, match="beside an expression. Give expressions only"):
            wrong()


def test_assignments() -> None:
    df = frame()
    df["sum"] = col("i") + col("j")
    df["i"] = col("sum") * 2
    assert df["i"].tolist() == [8, None, None, 6, 10, 8]
    df.x = col("x").fillna(0)
    assert df["x"].tolist()[:3] == [0.5, 0.0, 0.0]
    df[["y", "z"]] = col("x") + 1
    assert df["y"].tolist() == df["z"].tolist()
    df.insert(0, "first", lit(1))
    assert next(iter(df.columns)) == "first"
    df.loc[col("x") > 1, "x"] = col("x") * -1
    assert df["x"].tolist() == [0.5, 0.0, 0.0, -2.25, -4.0, -1e10]
    df.loc[col("x") < -1e9, "new"] = col("x").min() + 1
    assert df["new"].tolist() == [None] * 5 + [-1e10 + 1]
    empty = ff.DataFrame()
    empty["a"] = lit(1)
    assert empty.shape == (0, 1)


def test_assign_sees_earlier_columns() -> None:
    df = ff.DataFrame({"a": [1, 2]})
    out = df.assign(b=col("a") + 1, c=col("b") * 2, a=col("a") * 10, d=lambda df: df["a"], e=col("a") + col("d"), f=7, g=col("f"))
    assert out.to_dict("list") == {"a": [10, 20], "b": [2, 3], "c": [4, 6], "d": [10, 20], "e": [20, 40], "f": [7, 7], "g": [7, 7]}
    assert df.columns.tolist() == ["a"]


# ---- groups ---------------------------------------------------------------------------------------------------------


def grouped_cases() -> ff.DataFrame:
    rng = np.random.default_rng(3)
    n_rows = 500
    return ff.DataFrame({
        "k": pa.array(rng.integers(0, 7, n_rows), mask=rng.random(n_rows) < 0.1),
        "a": pa.array(rng.integers(-50, 50, n_rows), mask=rng.random(n_rows) < 0.2),
        "b": pa.array(rng.standard_normal(n_rows), mask=rng.random(n_rows) < 0.2),
    })  # fmt: skip


@pytest.mark.parametrize(("sort", "dropna", "as_index"), [(True, True, True), (False, False, True), (True, False, False)])
def test_agg_as_pandas(sort: bool, dropna: bool, as_index: bool) -> None:
    df = grouped_cases()
    mine = df.groupby("k", sort=sort, dropna=dropna, as_index=as_index).agg(
        total=(col("a") * col("b")).sum(), n=("a", "count"), mean=(col("a") * col("b")).sum() / col("b").sum(), rows=("b", "size"),
        spread=col("a").max() - col("a").min(), high=(col("b") > 0).sum(), twice=2 * col("a").median() + 1,
    )  # fmt: skip
    pandas = pandas_frame(df)
    groups = pandas.assign(ab=pandas["a"] * pandas["b"], up=pandas["b"] > 0).groupby("k", sort=sort, dropna=dropna, as_index=as_index)
    theirs = groups.agg(
        total=("ab", "sum"), n=("a", "count"), mean=("ab", "sum"), rows=("b", "size"), spread=("a", "max"), high=("up", "sum"), twice=("a", "median")
    )
    extra = groups.agg(b=("b", "sum"), low=("a", "min"))
    theirs["mean"] = theirs["mean"] / extra["b"]
    theirs["spread"] = theirs["spread"] - extra["low"]
    theirs["twice"] = theirs["twice"] * 2 + 1
    assert_same(mine, theirs, types="values")
    assert mine["spread"].dtype == "int64"


def test_agg_within_groups() -> None:
    """An aggregation inside an aggregation is of the same group."""
    df = grouped_cases()
    furthest = (col("a") - col("a").mean()).abs().max()
    mine = df.groupby("k").agg(ss=((col("b") - col("b").mean()) ** 2).sum(), n=col("b").count(), weighted=(col("b") * furthest).sum())
    var = df.groupby("k")["b"].var()
    np.testing.assert_allclose((mine["ss"] / (mine["n"] - 1)).to_numpy(), var.to_numpy(), rtol=1e-12)
    by_hand = df.assign(c=(df["a"] - df.groupby("k")["a"].transform("mean")).abs())
    by_hand = by_hand.assign(d=by_hand["b"] * by_hand.groupby("k")["c"].transform("max"))
    np.testing.assert_allclose(mine["weighted"].to_numpy(), by_hand.groupby("k")["d"].sum().to_numpy(), rtol=1e-12)


def test_agg_with_keys_and_key_expressions() -> None:
    df = frame()
    out = df.groupby(["k", "b"]).agg(out=col("k") + col("s").first())
    assert out["out"].tolist() == ["pAb" if flag else "p" for flag in (False, True)] + ["qzz"]
    by_parity = df.groupby(col("i") % 2).agg(n=col("j").count(), k=col("k").first())
    assert by_parity.index.tolist() == [0, 1]
    assert by_parity["n"].tolist() == [1, 3]
    assert df.groupby("k").agg(rows=lit(1).sum())["rows"].tolist() == [3, 2]


def test_agg_refuses() -> None:
    groups = frame().groupby("k")
    with pytest.raises(ExpressionError, match=r"agg\(col\('i'\) \+ 1\): the expression does not aggregate. End it with .sum\(\)"):
        groups.agg(out=col("i") + 1)
    with pytest.raises(ExpressionError, match=r"outside of an aggregation it uses 'i', which has a value per row"):
        groups.agg(out=col("i") - col("i").mean())
    with pytest.raises(ExpressionError, match=r"without a name for its result. Write agg\(name=...\)"):
        groups.agg(col("i").sum())
    with pytest.raises(ColumnNotFound, match="Did you mean 'i'|there is no column 'ii'"):
        groups.agg(out=col("ii").sum())
    with pytest.raises(DTypeError, match="mean is not defined for dtype string of column 's'"):
        groups.agg(out=col("s").mean())
    with pytest.raises(DuplicateColumn):
        frame().groupby("k", as_index=False).agg(k=col("i").sum())
    with pytest.raises(ArgumentError, match="is not a pair"):
        groups.agg(out=col("i").sum(), n="size")


# ---- missing, empty, sliced, threads --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows(n_rows: int) -> None:
    df = frame().head(n_rows)
    for make in ELEMENTWISE.values():
        assert_column_equal(df.assign(out=make(col))["out"]._column, make(lambda column: df[column])._column)
    out = df.assign(**{name: make(col) for name, make in AGGREGATED.items()})
    assert out["centred"].tolist() == [5.0][:n_rows]
    assert out["z-score"].tolist() == [None][:n_rows]   # no deviation of one value
    assert out["count"].tolist() == [6][:n_rows]
    assert [str(out[name].dtype) for name in AGGREGATED] == ["float64"] * 4 + ["int64", "int64", "float64", "int64", "bool"]
    assert len(df.filter(col("i") > 0)) == n_rows
    assert df.groupby("k").agg(out=(col("i") * 2).sum()).shape == (n_rows, 1)


def test_columns_without_a_value() -> None:
    df = ff.DataFrame({"i": ff.Series([None, None], dtype="int32"), "x": ff.Series([None, float("nan")], dtype="float64")})
    out = df.assign(a=col("i") + 1, b=col("x") - col("x").mean(), c=col("i") > 0, d=col("i") != 0, e=col("i").sum(), f=col("i").max())
    assert out.iloc[:, 2:].to_dict("list") == {
        "a": [None, None], "b": [None, None], "c": [False, False], "d": [True, True], "e": [0, 0], "f": [None, None],
    }  # fmt: skip
    assert len(df.filter(col("i") > 0)) == 0


def large(n_rows: int = 100_000) -> pa.Table:
    rng = np.random.default_rng(8)
    words = pa.array(["a", "bb", "ccc", None])
    return pa.table({
        "i": pa.array(rng.integers(-1000, 1000, n_rows), mask=rng.random(n_rows) < 0.1),
        "j": pa.array(rng.integers(1, 9, n_rows), pa.int32()),
        "x": pa.array(rng.standard_normal(n_rows), mask=rng.random(n_rows) < 0.1),
        "b": pa.array(rng.random(n_rows) < 0.5),
        "s": words.take(pa.array(rng.integers(0, 4, n_rows))),
    })  # fmt: skip


def test_bits_do_not_depend_on_threads_or_chunks() -> None:
    table = large()
    chunked = pa.concat_tables([table.slice(0, 1), *(table.slice(start, 12_345) for start in range(1, table.num_rows, 12_345))])
    padded = pa.concat_tables([table.slice(0, 3), table, table.slice(0, 5)]).combine_chunks().slice(3, table.num_rows)
    found = []
    for threads, source in ((1, table), (2, table), (4, table), (2, chunked), (4, padded)):
        with option_context(threads=threads):
            df = ff.from_arrow(source)
            out = df.assign(
                a=(col("i") * 2 - col("x")) / col("j"), z=(col("x") - col("x").mean()) / col("x").std(), c=(col("i") > 3) & col("b"),
                d=when(col("b")).then(np.exp(col("x"))).otherwise(col("i")), e=np.sin(col("x")),
            )  # fmt: skip
            kept = out.filter(col("a") > col("a").mean(), ~col("s").isin(["bb"]))
            grouped = df.groupby("j").agg(total=(col("i") * col("x")).sum(), dev=((col("x") - col("x").mean()) ** 2).mean())
            found.append((out, kept, grouped.reset_index()))
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert_frame_equal(one, other)


# ---- any tree -------------------------------------------------------------------------------------------------------

_NUMBERS = st.sampled_from(["i", "j", "x"])


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    binary = st.tuples(st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv, operator.mod]), leaves, leaves)
    unary = st.tuples(st.sampled_from([operator.neg, abs, lambda one: one.fillna(1), lambda one: one.clip(-5, 5), lambda one: one.round(1)]), leaves)
    return binary | unary


def _made(tree: Any, namespace: Namespace) -> Any:
    if isinstance(tree, str):
        return namespace(tree)
    function, *args = tree
    return function(*(_made(arg, namespace) for arg in args))


@given(st.recursive(_NUMBERS, _trees, max_leaves=8))
def test_any_tree_as_series(tree: Any) -> None:
    df = frame()
    results = []
    for compute in (lambda: df.assign(out=_made(tree, col))["out"], lambda: _made(tree, lambda name: df[name])):
        try:
            results.append(compute()._column)
        except IntegerOverflow:
            results.append(None)
    assert (results[0] is None) == (results[1] is None)
    if results[0] is not None:
        assert_column_equal(*results)


@given(st.recursive(_NUMBERS, _trees, max_leaves=8))
def test_any_text_makes_the_same_tree(tree: Any) -> None:
    expression = _made(tree, col)
    if len(repr(expression)) < 400:   # longer ones are cut
        assert repr(eval(repr(expression), {"col": col, "lit": lit, "when": when})) == repr(expression)


# ---- texts and errors -----------------------------------------------------------------------------------------------


def test_texts() -> None:
    texts = {
        "col('a') * 2 - col('b').mean()": col("a") * 2 - col("b").mean(),
        "(col('a') > 1) & (col('b') < 2) | ~col('c')": (col("a") > 1) & (col("b") < 2) | ~col("c"),
        "-col('a') ** 2": -(col("a") ** 2),
        "(-col('a')) ** 2": (-col("a")) ** 2,
        "col('a') - (col('b') - 1)": col("a") - (col("b") - 1),
        "(col('a') == 1) == (col('b') == 2)": (col("a") == 1) == (col("b") == 2),
        "when(col('a') > 1).then('x').otherwise(col('s'))": when(col("a") > 1).then("x").otherwise(col("s")),
        "col('s').str.contains(pat='x', case=True, regex=True, na=False)": col("s").str.contains("x"),
        "col('t').dt.year": col("t").dt.year,
        "(col('t') - 1).dt.total_seconds()": (col("t") - 1).dt.total_seconds(),
        "col('a').quantile(q=0.3)": col("a").quantile(0.3),
        "col('a').var(ddof=0)": col("a").var(ddof=0),
        "col('a').astype('int8').isna()": col("a").astype("int8").isna(),
        "lit(1)": lit(1),
        "1 + col('a')": 1 + col("a"),
        "col('a').fillna(0)": col("a").fillna(0),
    }
    assert {text: repr(expression) for text, expression in texts.items()} == {text: text for text in texts}
    assert len(repr(sum([col("a" * 50)] * 50))) < 450


WRONG: dict[str, tuple[Callable[[ff.DataFrame], Any], type[Exception], str]] = {
    "truth": (lambda df: bool(col("i")), ExpressionError, "has no truth value.*Write & | ~ instead of and, or, not"),
    "chained": (lambda df: 1 < col("i") < 2, ExpressionError, r"\.between\(a, b\) instead of a < x < b"),
    "and": (lambda df: col("b") and col("i"), ExpressionError, "& | ~"),
    "in": (lambda df: 5 in col("i"), ExpressionError, r"Write col\('i'\).isin"),
    "series": (lambda df: col("i") + df["i"], ExpressionError, "combined with values of type Series"),
    "to a series": (lambda df: df["i"] + col("i"), ExpressionError, r"a Series was combined with the expression col\('i'\)"),
    "to a frame": (lambda df: df + col("i"), ExpressionError, "a DataFrame was combined"),
    "list": (lambda df: col("i") + [1, 2], ExpressionError, "combined with values of type list"),
    "array": (lambda df: np.array([1, 2]) + col("i"), ExpressionError, "combined with values of type ndarray"),
    "iterated": (lambda df: list(col("i")), ExpressionError, r"the expression col\('i'\) has no values before a frame computes it. Use it in df.assign"),
    "as an array": (lambda df: np.asarray(col("i")), ExpressionError, "has no values before"),
    "as a series": (lambda df: ff.Series(col("i")), ExpressionError, "has no values before"),
    "as a column": (lambda df: ff.DataFrame({"a": col("i")}), ExpressionError, "has no values before"),
    "sort key": (lambda df: df.sort_values(col("i")), ExpressionError, "has no values before"),
    "neighbours": (lambda df: col("i").shift(1), MissingAttribute, r"needs a row's neighbours: use df\['x'\].shift"),
    "unknown method": (lambda df: col("i").rond(), MissingAttribute, "Did you mean 'round'"),
    "unknown text method": (lambda df: col("s").str.uper(), MissingAttribute, "Did you mean 'upper'"),
    "zone": (lambda df: col("t").dt.tz, UnsupportedOperation, r"df\['t'\].dt.tz"),
    "unknown ufunc": (lambda df: np.spacing(col("x")), UnsupportedOperation, "np.spacing is not supported"),
    "unknown column": (lambda df: df.assign(out=col("ii") + 1), ColumnNotFound, "there is no column 'ii'.*The columns are: 'i', 'j'"),
    "unknown column of an aggregation": (lambda df: df.assign(out=col("ii").mean()), ColumnNotFound, "there is no column 'ii'"),
    "kinds": (lambda df: df.assign(out=col("i") + col("s")), DTypeError, "add is not defined between int64 and string"),
    "aggregated kind": (lambda df: df.assign(out=col("s").mean()), DTypeError, "mean is not defined for dtype string of column 's'"),
    "no mask": (lambda df: df.filter(col("i")), DTypeError, "a mask must be of dtype bool, but it is int64"),
    "no mask in brackets": (lambda df: df[col("i") + 1], DTypeError, "a mask must be of dtype bool"),
    "no mask in loc": (lambda df: df.loc[col("i")], DTypeError, "a mask must be of dtype bool"),
    "rows of a series": (lambda df: df["i"].loc[col("i") > 1], ExpressionError, "names columns, and a Series has none"),
    "overflow": (lambda df: df.assign(out=(col("i").astype("int8") + 125)), IntegerOverflow, "add of column 'i' does not fit int8"),
    "overflow of a sum": (lambda df: df.assign(out=(col("i") * 0 + 2**62).sum()), IntegerOverflow, r"sum of column \"col\('i'\) \* 0 "),
    "cast": (lambda df: df.assign(out=col("x").astype("int8")), LossyCast, "casting column 'x' from float64 to int8"),
    "name": (lambda df: col(["a", "b"]), ExpressionError, "Give the name of one column"),
    "depth": (lambda df: sum([col("i")] * 200), ExpressionError, "more than 100 operations deep. Assign a part"),
    "decimals": (lambda df: col("i").round(0.5), ExpressionError, "decimals=0.5, but it must be an int"),
    "inclusive": (lambda df: col("i").between(1, 2, "up"), ArgumentError, "inclusive='up'. Allowed are: 'both'"),
    "text of isin": (lambda df: col("s").isin("abc"), ArgumentError, "Pass a list"),
    "lists of isin": (lambda df: col("s").isin([[1]]), ExpressionError, "a list of single values"),
    "one value of isin": (lambda df: col("s").isin(1), ExpressionError, "a list of values"),
    "expression of isin": (lambda df: col("s").isin(col("k")), ExpressionError, "a list of values"),
    "expression of an option": (lambda df: col("s").str.contains(col("k")), ArgumentError, "is not one value for all rows"),
    "aggregation option": (lambda df: col("x").quantile(3), ArgumentError, "q=3"),
    "unfinished when": (lambda df: df.assign(out=when(col("i") > 1)), DTypeError, r"to be followed by .then"),
    "division by a text": (lambda df: df.assign(out=col("i") / "x"), DTypeError, "truediv is not defined"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str) -> None:
    wrong, kind, message = WRONG[name]
    df = frame()
    with pytest.raises(kind, match=message) as caught:
        wrong(df)
    assert "\x00" not in str(caught.value)
    assert "\x01" not in str(caught.value)
    assert_frame_equal(df, frame())


def test_expressions_are_plain_values() -> None:
    expression = when(col("a") > 1).then(col("b").mean()).otherwise(col("s").str.len())
    for same in (copy.copy(expression), copy.deepcopy(expression), pickle.loads(pickle.dumps(expression))):
        assert repr(same) == repr(expression)
        assert repr(same.otherwise(1)) == repr(expression.otherwise(1))


def test_expressions_know_their_names() -> None:
    assert "i" not in dir(col("i"))
    assert {"mean", "str", "fillna"} <= set(dir(col("i")))
    assert not hasattr(col("i"), "_repr_html_")
    with pytest.raises(TypeError, match="unhashable"):
        hash(col("i"))
