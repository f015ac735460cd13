"""Functions of single rows over text and categories: compiled, they get codes and the array that codes point into."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe import col
from fastframe.errors import ExpressionError, FunctionError, JITError, RowFunctionError
from fastframe.options import option_context

WORDS = ["plum", "fig", "", "crème brûlée", "fig", None, "plum"]


def score(code, weight, words):
    """Any use of text that numba has: comparison, length, search."""
    word = words[code]
    if word == "fig":
        return weight * 10
    return weight + len(word)


def score_of(word: str | None, weight: int) -> int | None:
    """The slow twin."""
    if word is None:
        return None
    return weight * 10 if word == "fig" else weight + len(word)


def chunked(values: list[Any], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values[:2], kind), pa.array([], kind), pa.array(values[2:], kind)])


@pytest.mark.parametrize("category", [False, True])
@pytest.mark.parametrize("n_rows", [0, 1, 7, 7000])
def test_text_and_categories(n_rows: int, category: bool) -> None:
    words = [WORDS[row % 7] for row in range(n_rows)]
    df = ff.DataFrame({"t": chunked(words, pa.string()), "w": np.arange(n_rows)})
    df = df.assign(t=df["t"].astype("category")) if category else df
    wanted = [score_of(word, row) for row, word in enumerate(words)]
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found = df.map_rows(score, ["t", "w"])
            assert (str(found.dtype), found.tolist()) == ("int64", wanted)
            part = df.iloc[3 : n_rows - 1].map_rows(score, ["t", "w"])
            assert part.tolist() == wanted[3 : n_rows - 1]


@pytest.mark.parametrize(
    ("values", "function", "wanted"),
    [
        (pa.array([30, 10, None, 30], pa.int16()), lambda code, values: values[code] + 1, ("int64", [31, 11, None, 31])),
        (pa.array([0.5, 2.0, None, 0.5]), lambda code, values: values[code], ("float64", [0.5, 2.0, None, 0.5])),
        (pa.array([True, False, None, True]), lambda code, values: not values[code], ("bool", [False, True, None, False])),
        (pa.array([3, 1, None, 3], pa.date32()), lambda code, values: values[code], None),
    ],
)
def test_categories_of_other_values(values: pa.Array, function: Any, wanted: Any) -> None:
    found = ff.Series(values.dictionary_encode()).astype("category").map(function)
    expected = wanted or ("date32", values.to_pylist())
    assert (str(found.dtype), found.tolist()) == expected


def test_masks_extras_and_several_results() -> None:
    df = ff.DataFrame({"t": WORDS, "w": range(7)})
    found = df["t"].map(lambda code, here, words: here and words[code] == "fig", nulls="mask")
    assert found.tolist() == [False, True, False, False, True, False, False]
    found = df.map_rows(lambda t, words, least: len(words[t]) >= least, ["t"], least=4)
    assert found.tolist() == [True, False, False, True, False, None, True]
    found = df.map_rows(lambda t, w, words: {"n": len(words[t]), "fig": words[t] == "fig", "w": w})
    assert found.to_dict("list") == {
        "n": [4, 3, 0, 12, 3, None, 4], "fig": [False, True, False, False, True, None, False], "w": [0, 1, 2, 3, 4, None, 6],
    }  # fmt: skip
    two = df.assign(u=df["t"].astype("category")).map_rows(lambda t, u, first, second: len(first[t]) + len(second[u]), ["t", "u"])
    assert two.tolist() == [8, 6, 0, 24, 6, None, 8]


def test_all_missing() -> None:
    found = ff.Series([None, None], dtype="string").map(lambda code, words: words[code] == "fig")
    assert (str(found.dtype), found.tolist()) == ("bool", [None, None])


def test_in_expressions_the_dtype_is_declared() -> None:
    df = ff.DataFrame({"t": WORDS})
    length = lambda code, words: len(words[code])   # noqa: E731
    assert df.assign(n=col("t").map(length, out="int64") + 1)["n"].tolist() == [5, 4, 1, 13, 4, None, 5]
    with pytest.raises(RowFunctionError, match=r"^the lambda is called on string values inside an expression, .* Pass out=dtype, or call"):
        df.assign(n=col("t").map(length))


def test_errors() -> None:
    df = ff.DataFrame({"t": WORDS, "b": pa.array([b"\xff"] * 7)})
    with pytest.raises(RowFunctionError, match=r"^the lambda cannot be compiled for single values of dtype string: .*Write both, as in lambda code, values"):
        df["t"].map(lambda word: word == "fig")
    with pytest.raises(RowFunctionError, match=r"single values of dtype category: "):
        df["t"].astype("category").map(lambda word, least: word == "fig", least=1)
    with pytest.raises(RowFunctionError, match=r"^the lambda cannot be compiled for values of dtype binary\. Leave the column away"):
        df["b"].map(lambda code, values: 1)
    with pytest.raises(JITError, match=r"it returns text"):
        df["t"].map(lambda code, words: words[code])
    prices = ff.Series(pa.array([decimal.Decimal("1.5")])).astype("category")
    with pytest.raises(JITError, match=r"no values of dtype decimal128\(2, 1\)\. Either convert it to text or numbers"):
        prices.map(lambda code, values: code)
    with pytest.raises(JITError, match=r"no values of dtype binary\. Either"):
        df.assign(k=1).groupby("k")["b"].agg(lambda codes, values: len(codes))


def test_a_function_that_raises_names_the_text() -> None:
    def strict(code, words):
        if words[code] == "":
            raise ValueError("no text")
        return 1

    with pytest.raises(FunctionError, match=r"^strict\(\) raised ValueError at row 2, called with '': no text\. ") as caught:
        ff.Series(WORDS).map(strict)
    assert isinstance(caught.value, RowFunctionError)
    assert caught.value.row == 2


def test_transform_of_an_expression() -> None:
    df = ff.DataFrame({"k": [1, 1], "x": [1.0, 2.0]})
    message = r"^transform was given the expression col\('x'\) - col\('x'\)\.mean\(\), but takes a name or a function of arrays\."
    with pytest.raises(ExpressionError, match=message):
        df.groupby("k")["x"].transform(col("x") - col("x").mean())


def test_profiles_name_the_function() -> None:
    df = ff.DataFrame({"k": [1, 1], "x": [1.0, 2.0]})

    def doubled(x):
        return x * 2.25

    with ff.profile() as p:
        df.groupby("k")["x"].transform(doubled)
    assert [one.operation.name for one in p.operations][:1] == ["Apply"]
    assert "doubled() of x by k" in str(p)
    assert "compile" in str(p)
