"""Functions of single rows: `DataFrame.map_rows`, `Series.map` and `Expr.map`, against calls by the interpreter and pandas."""

from __future__ import annotations

import datetime
from collections import namedtuple
from typing import Any

import numba
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe import col
from fastframe.errors import ArgumentError, ColumnNotFound, JITError, LossyCast, RowFunctionError, UnsupportedOperation
from fastframe.options import option_context
from fastframe.testing.asserts import assert_frame_equal
from tests.frame.compare import assert_same
from tests.reference.mapped import mapped

Pair = namedtuple("Pair", ["low", "high"])
OFFSET = 10


def collatz(n):
    steps = 0
    while n > 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def ratio(i, x):
    return x / i if i != 0 else -1.0


def some(i):
    return None if i % 2 == 0 else i * 3


def flags(b, i):
    return b and i > 0


def rows(n_rows: int = 2000) -> pa.Table:
    rng = np.random.default_rng(1)

    def missing() -> Any:
        return rng.random(n_rows) < 0.1

    x = rng.standard_normal(n_rows)
    x[::50] = np.nan
    return pa.table({
        "i": pa.array(rng.integers(-5, 90, n_rows), mask=missing()), "j": pa.array(rng.integers(0, 100, n_rows), pa.int8()),
        "x": pa.array(x, mask=missing()), "f": pa.array(rng.standard_normal(n_rows).astype("float32")),
        "b": pa.array(rng.random(n_rows) < 0.5, mask=missing()), "u": pa.array(rng.integers(0, 2**63, n_rows, dtype=np.uint64) * 2 + 1),
    })  # fmt: skip


CASES: dict[str, tuple[Any, list[str], str]] = {
    "loop": (collatz, ["i"], "int64"),
    "two columns": (ratio, ["i", "x"], "float64"),
    "null for None": (some, ["i"], "int64"),
    "bools": (flags, ["b", "i"], "bool"),
    "a column without nulls": (lambda j: j * 2, ["j"], "int64"),
    "single precision": (lambda f: f + np.float32(1), ["f"], "float32"),
    "large integers": (lambda u: u, ["u"], "uint64"),
    "a captured global": (lambda i: i + OFFSET, ["i"], "int64"),
}  # fmt: skip


@pytest.mark.parametrize("layout", ["whole", "sliced", "chunked"])
@pytest.mark.parametrize("name", CASES)
def test_as_the_interpreter(name: str, layout: str) -> None:
    function, columns, dtype = CASES[name]
    table = rows()
    if layout == "sliced":
        table = pa.concat_tables([table.slice(0, 13), table]).combine_chunks().slice(13)
    elif layout == "chunked":
        table = pa.concat_tables([table.slice(0, 1), table.slice(1, 700), table.slice(701)])
    expected = mapped(function, [table[one].to_pylist() for one in columns])
    found = ff.from_arrow(table).map_rows(function, columns)
    assert str(found.dtype) == dtype
    if dtype.startswith("float"):
        np.testing.assert_allclose(np.array(found.tolist(), float), np.array(expected, float), rtol=1e-6 if dtype == "float32" else 1e-15)
        assert [one is None for one in found.tolist()] == [one is None for one in expected]
    else:
        assert found.tolist() == expected


@pytest.mark.parametrize("nulls", ["nan", "mask"])
def test_missing_values_are_seen(nulls: str) -> None:
    df = ff.from_arrow(rows(300))
    if nulls == "nan":
        function: Any = lambda x: 1.0 if x != x else x * 2   # noqa: E731
    else:
        function = lambda x, here: x * 2 if here else 1.0   # noqa: E731
    expected = mapped(function, [df["x"].tolist()], nulls)
    assert df["x"].map(function, nulls=nulls).tolist() == expected
    assert df["x"].map(function, nulls=nulls, engine="python").tolist() == expected
    assert df["x"].map(ff.jit(function, nulls=nulls)).tolist() == expected


def test_mask_of_columns_of_other_kinds() -> None:
    df = ff.DataFrame({"i": [1, None, 3], "b": [None, True, False]})
    out = df.map_rows(lambda i, b, i_here, b_here: (i if i_here else -1, b_here and b), nulls="mask", columns=["i", "b"])
    assert out.to_dict("list") == {"0": [1, -1, 3], "1": [False, True, False]}


def test_several_results() -> None:
    df = ff.DataFrame({"x": [1.5, None, -2.0], "n": [1, 2, 3]}, index=["a", "b", "c"])
    by_dict = df.map_rows(lambda x, n: {"product": x * n, "more": n + 1, "up": x > 0})
    assert by_dict.to_dict("list") == {"product": [1.5, None, -6.0], "more": [2, None, 4], "up": [True, None, False]}
    assert by_dict.index.tolist() == ["a", "b", "c"]
    assert df.map_rows(lambda x: Pair(x, x + 1)).to_dict("list") == {"low": [1.5, None, -2.0], "high": [2.5, None, -1.0]}
    assert df.map_rows(lambda n: (n, n * 0.5)).to_dict("list") == {"0": [1, 2, 3], "1": [0.5, 1.0, 1.5]}
    calls: list[int] = []
    python = df.map_rows(lambda n: calls.append(n) or (n, str(n)), engine="python", out={"n": "int8", "text": "string"})
    assert (python.to_dict("list"), calls) == ({"n": [1, 2, 3], "text": ["1", "2", "3"]}, [1, 2, 3])
    assert str(python["n"].dtype) == "int8"


def test_which_columns() -> None:
    df = ff.DataFrame({"a": [1, 2], "b": [10, 20], "other name": [5, 6]})
    assert df.map_rows(lambda b, a: b - a).tolist() == [9, 18]
    assert df.map_rows(lambda one, two: one - two, ["other name", "a"]).tolist() == [4, 4]
    assert df.map_rows(lambda a, k=100: a + k).tolist() == [101, 102]
    assert df.map_rows(lambda a, k: a + k, None, 7).tolist() == df.map_rows(lambda a, k: a + k, k=7).tolist() == [8, 9]
    table = np.array([3.0, 4.0, 5.0])
    assert df.map_rows(lambda a, table: table[a], table=table).tolist() == [4.0, 5.0]
    assert df.map_rows(lambda a, k: a * k, k=0.5).tolist() == df.map_rows(lambda a, k: a * k, k=0.5, engine="python").tolist() == [0.5, 1.0]


def test_dates_times_and_spans() -> None:
    stamps = [datetime.datetime(2024, 1, 1, 12), None, datetime.datetime(1960, 5, 5)]
    df = ff.DataFrame({"t": stamps, "d": [None if one is None else one.date() for one in stamps], "n": [1, 2, 3]})
    df["span"] = df["t"] - datetime.datetime(2020, 1, 1)
    for name in ("t", "d", "span"):
        same = df[name].map(lambda v: v)
        assert same.tolist() == df[name].tolist()
    assert df.map_rows(lambda t, span: t - span).tolist() == [datetime.datetime(2020, 1, 1), None, datetime.datetime(2020, 1, 1)]
    nat = df.map_rows(lambda t, n, other: t if n < 3 else other, ["t", "n"], np.datetime64("NaT", "us"))
    assert nat.tolist() == [stamps[0], None, None]


def test_functions_that_are_marked_or_decorated() -> None:
    s = ff.Series([1, None, 3], name="s")
    assert s.map(numba.njit(lambda v: v * 2)).tolist() == [2, None, 6]
    assert s.map(numba.njit(cache=False)(collatz)).tolist() == [0, None, 7]
    halved = ff.jit(lambda v: v / 2, out="float64").compile({"v": "int64"}, rows=True)
    assert s.map(halved).tolist() == [0.5, None, 1.5]
    assert s.map(lambda v: v + 1).name == "s"
    assert str(s.map(lambda v: np.float32(v) * np.float32(0.5), out="float64").dtype) == "float64"


@pytest.mark.parametrize("na_action", [None, "ignore"])
def test_series_map_as_pandas(na_action: Any) -> None:
    pandas = pd.Series([1.5, np.nan, -3.0, 4.0], index=list("wxyz"), name="v")
    function = lambda v: v * 2 if v > 0 else -v   # noqa: E731
    assert_same(ff.from_pandas(pandas.to_frame())["v"].map(function, na_action=na_action), pandas.map(function, na_action=na_action))
    lookup = {1.5: 10, 4.0: 20}
    assert ff.from_pandas(pandas.to_frame())["v"].map(lookup, na_action=na_action).tolist() == [10, None, None, 20]


def test_text_by_the_interpreter() -> None:
    s = ff.Series(["ab", None, "c"])
    assert s.map(str.upper, engine="python").tolist() == ["AB", None, "C"]
    assert s.map(len, engine="python", out="int8").dtype == "int8"
    assert s.astype("category").map(len, engine="python").tolist() == [2, None, 1]
    with pytest.raises(LossyCast):
        s.map(lambda v: len(v) * 1000, engine="python", out="int8")


def test_in_expressions() -> None:
    df = ff.DataFrame({"a": [1, 2, None, 4], "k": ["p", "p", "q", "q"]})
    squared = col("a").map(lambda v: v * v)
    assert df.assign(b=squared + 1, c=(squared - squared.mean()).round(0))["b"].tolist() == [2, 5, None, 17]
    assert df.filter(col("a").map(lambda v: v > 1)).index.tolist() == [1, 3]
    assert df.groupby("k").agg(total=squared.sum())["total"].tolist() == [5, 16]
    assert df.assign(b=col("k").map(len, engine="python", out="int64") * 2)["b"].tolist() == [2] * 4
    assert repr(col("a").map(collatz) + 1) == "collatz(col('a')) + 1"
    with pytest.raises(RowFunctionError, match="inside an expression.*Pass out=dtype"):
        col("k").map(len, engine="python")


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows(n_rows: int) -> None:
    df = ff.from_arrow(rows(2).slice(0, n_rows))
    for function, columns, dtype in CASES.values():
        found = df.map_rows(function, columns)
        assert (len(found), str(found.dtype)) == (n_rows, dtype)
    assert df.map_rows(lambda j: (j, 1.5)).shape == (n_rows, 2)
    assert len(df["j"].map(str, engine="python")) == n_rows


def test_all_missing() -> None:
    df = ff.DataFrame({"a": ff.Series([None, None], dtype="int64")})
    found = df.map_rows(lambda a: 1 // a)
    assert (str(found.dtype), found.tolist()) == ("int64", [None, None])


def test_bits_do_not_depend_on_threads() -> None:
    table = rows(200_000)
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            df = ff.from_arrow(table)
            found.append(df.map_rows(lambda i, x: {"a": np.exp(x) * i, "b": collatz_compiled(i)}))
    assert_frame_equal(found[0], found[1])
    assert_frame_equal(found[0], found[2])


collatz_compiled = numba.njit(collatz)


def failing(i):
    if i == 3:
        raise ValueError("three is not allowed")
    return i


@pytest.mark.parametrize("engine", ["numba", "python"])
def test_a_function_that_raises(engine: str) -> None:
    df = ff.DataFrame({"i": [1, None, 3, 3] * 5000})
    message = r"failing\(\) raised ValueError at row 2, called with .*: three is not allowed"
    for threads in (1, 2, 4):
        with option_context(threads=threads), pytest.raises(RowFunctionError, match=message) as caught:
            df.map_rows(failing, engine=engine)
        assert caught.value.row == 2
        assert isinstance(caught.value.__cause__, ValueError)
    assert df.shape == (20000, 1)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "not compilable": (lambda df: df["a"].map(lambda v: undefined_name(v)), JITError, "undefined_name is not defined(.|\n)*engine=\"python\""),   # noqa: F821
    "no function": (lambda df: df.map_rows(abs, ["a"]), JITError, "is not a Python function"),
    "text": (lambda df: df["s"].map(lambda v: v), RowFunctionError, "cannot be compiled for single values of dtype string.*engine='python'"),
    "unknown column": (lambda df: df.map_rows(lambda v: v, ["aa"]), ColumnNotFound, "Did you mean 'a'|there is no column 'aa'"),
    "no column": (lambda df: df.map_rows(lambda v: v), RowFunctionError, "takes 'v', and its first parameter is no column"),
    "no signature": (lambda df: df.map_rows(max, engine="python"), RowFunctionError, "its first parameter is no column"),
    "parameters": (lambda df: df.map_rows(lambda v: v, ["a", "a"]), JITError, "takes 1 arguments .v., but is given 2 arrays"),
    "argument": (lambda df: df.map_rows(lambda a: a, k=1), JITError, "has no parameter 'k'"),
    "nan of integers": (lambda df: df["a"].map(lambda v: v, nulls="nan"), RowFunctionError, "nulls='nan' needs float columns, but its argument 1 is int64"),
    "nulls": (lambda df: df["a"].map(lambda v: v, nulls="drop"), ArgumentError, "nulls='drop'"),
    "engine": (lambda df: df["a"].map(lambda v: v, engine="cython"), ArgumentError, "engine='cython'"),
    "na_action": (lambda df: df["a"].map(lambda v: v, na_action="skip"), ArgumentError, "na_action='skip'"),
    "several of a series": (lambda df: df["a"].map(lambda v: (v, v)), RowFunctionError, "returns several results"),
    "several in python": (lambda df: df.map_rows(lambda a: (a, a), engine="python"), RowFunctionError, "Declare them: out="),
    "other lengths in python": (
        lambda df: df.map_rows(lambda a: (a,), engine="python", out={"x": "int64", "y": "int64"}), RowFunctionError, "has to return 2 values",
    ),
    "out": (lambda df: df["a"].map(lambda v: v / 2, out="int64"), JITError, "returns float64, and out=int64"),
    "settings of a dict": (lambda df: df["a"].map({1: 2}, nulls="nan"), UnsupportedOperation, r"Series.map\(nulls='nan'\) is not supported"),
    "apply of a series": (lambda df: df["a"].apply(collatz), UnsupportedOperation, r"Use .map\(function\)"),
    "apply of a frame": (lambda df: df.apply(collatz), UnsupportedOperation, r"Use .map_rows\(function\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str) -> None:
    wrong, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        wrong(ff.DataFrame({"a": [1, 2], "s": ["x", "y"]}))
