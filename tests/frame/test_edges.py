"""Frames at the edge (no rows, no columns), and bits that do not depend on threads, chunks or where a slice starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import Column
from fastframe.dtypes import STRING
from fastframe.frame.labels import default_labels, with_labels
from fastframe.testing import column
from tests.frame.compare import assert_same

# ---- no columns, no rows -------------------------------------------------------------------------------------------------

NO_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "head": lambda df: df.head(2),
    "tail": lambda df: df.tail(2),
    "iloc": lambda df: df.iloc[[2, 0]],
    "slice": lambda df: df.iloc[1:],
    "mask": lambda df: df[np.array([True, False, True])],
    "loc": lambda df: df.loc[["y", "x"]],
    "sort_index": lambda df: df.sort_index(ascending=False),
    "isna": lambda df: df.isna(),
    "fillna": lambda df: df.fillna(1),
    "dropna": lambda df: df.dropna(),
    "add": lambda df: df + 1,
    "compare": lambda df: df == df,
    "assign": lambda df: df.assign(n=1),
    "reset_index": lambda df: df.reset_index(),
    "duplicated": lambda df: df.duplicated(),
    "count": lambda df: df.count(),
    "sum of rows": lambda df: df.sum(axis=1),
    "all of rows": lambda df: df.all(axis=1),
    "describe shape": lambda df: list(df.shape),
    "astype": lambda df: df.astype("float64"),
    "filter": lambda df: df.filter(["x"]),
    "rename": lambda df: df.rename(columns={"a": "b"}),
    "copy": lambda df: df.copy(),
}


@pytest.mark.parametrize("name", NO_COLUMNS)
def test_frame_without_columns(name: str) -> None:
    labels = ["x", "y", "z"]
    mine, theirs = NO_COLUMNS[name](ff.DataFrame(index=labels)), NO_COLUMNS[name](pd.DataFrame(index=pd.Index(labels, dtype="str")))
    if isinstance(mine, ff.DataFrame) and not len(mine.columns):
        assert theirs.shape == mine.shape
        assert mine.index.tolist() == theirs.index.tolist()
    else:
        assert_same(mine, theirs, types="values")


def test_frame_of_nothing() -> None:
    empty = ff.DataFrame()
    for act in (lambda: empty.head(), lambda: empty.sort_index(), lambda: empty.dropna(), lambda: empty + empty, lambda: empty.reset_index(drop=True)):
        assert act().shape == (0, 0)
    assert empty.sum().tolist() == []
    assert empty.to_arrow().num_rows == 0
    assert ff.DataFrame(empty).shape == (0, 0)
    empty["n"] = [1, 2]
    assert empty.to_dict("list") == {"n": [1, 2]}


def test_columns_of_nulls() -> None:
    df = ff.DataFrame({"n": [None, None], "k": [1, 2]})
    assert df["n"].dtype == "null"
    assert df.isna().sum().to_dict() == {"n": 2, "k": 0}
    assert df.sort_values("n")["k"].tolist() == [1, 2]
    assert df["n"].count() == df["n"].nunique() == 0
    assert (df["n"] + 1).tolist() == (df["n"] + df["n"]).tolist() == [None, None]
    assert (df["n"] == 1).tolist() == [False, False]
    assert df.groupby("n", dropna=False)["k"].sum().tolist() == [3]
    assert df["n"].fillna(3).tolist() == [3, 3]
    assert df.dropna().shape == (0, 2)
    assert df["n"].astype("float64").dtype == "float64"
    assert df["n"].max() is None
    assert ff.concat([df, ff.DataFrame({"n": [1.5], "k": [3]})])["n"].tolist() == [None, None, 1.5]


# ---- NumPy's side of an operator -----------------------------------------------------------------------------------------


def test_numpy_operators_give_series() -> None:
    s, p = ff.Series([1, 4, 9], index=["x", "y", "z"], name="n"), pd.Series([1, 4, 9], index=pd.Index(["x", "y", "z"], dtype="str"), name="n")
    array = np.array([1, 2, 3])
    for act in (
        lambda one: array + one, lambda one: array - one, lambda one: np.int64(2) * one, lambda one: np.float64(2) / one,
        lambda one: np.int64(4) < one, lambda one: array == one, lambda one: np.sqrt(one), lambda one: np.maximum(one, 3),
        lambda one: np.negative(one), lambda one: np.add(one, one), lambda one: np.log1p(one),
    ):  # fmt: skip
        assert_same(act(s), act(p))
    assert (np.int64(1) + ff.Series([1, None])).tolist() == [2, None]
    assert np.sqrt(ff.Series([4.0, None])).isna().tolist() == [False, True]
    for name in ("sqrt", "exp", "log1p", "floor", "sign", "arctan", "rint", "square", "exp2"):   # some are functions of ours, some NumPy's
        function, values = getattr(np, name), np.array([0.25, 1.0, 2.5])
        np.testing.assert_allclose(function(ff.Series([*values, None])).to_numpy(), function(np.array([*values, np.nan])), rtol=1e-15)
    assert np.sqrt(ff.DataFrame({"a": [4.0], "b": [9.0]})).to_dict("list") == {"a": [2.0], "b": [3.0]}


# ---- the same bits -------------------------------------------------------------------------------------------------------

N = 200_003
VERBS: dict[str, Callable[[ff.DataFrame], Any]] = {
    "sums": lambda df: df[["i", "f", "g"]].agg(["sum", "mean", "std", "min", "max"]),
    "arithmetic": lambda df: df["f"] * 3 + df["i"] / 7,
    "mask": lambda df: df[(df["f"] > 0) & (df["s"] != "b")],
    "groups": lambda df: df.groupby("k").agg(a=("f", "sum"), b=("f", "var"), c=("i", "median"), d=("s", "nunique")),
    "groups of text": lambda df: df.groupby(["s", "k"], sort=False)["g"].mean(),
    "transform": lambda df: df["f"] - df.groupby("k")["f"].transform("mean"),
    "sort": lambda df: df.sort_values(["s", "f"], ascending=[True, False]),
    "quantile": lambda df: df[["f", "i"]].quantile(0.37),
    "counts": lambda df: df["s"].value_counts(),
    "unique": lambda df: df.drop_duplicates(["s", "k"]),
    "cumsum": lambda df: df["f"].cumsum(),
    "join": lambda df: df.merge(df.groupby("k")["f"].mean().rename("m").reset_index(), on="k", how="left"),
    "fill": lambda df: df.fillna({"f": 0.25, "s": "?"}),
    "take": lambda df: df.iloc[::-3],
    "across": lambda df: df[["i", "f", "g"]].sum(axis=1),
    "matrix": lambda df: ff.DataFrame(df.to_matrix(["i", "f", "g", "b"])),
}


def large() -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table({
        "k": pa.array(rng.integers(0, 3000, N)),
        "i": column("int64", N, nulls="some", seed=1).array,
        "f": pa.array(rng.standard_normal(N) * 10.0 ** rng.integers(-8, 8, N), mask=rng.random(N) < 0.2),
        "g": pa.array(rng.standard_normal(N).astype("float32")),
        "b": column("bool", N, nulls="some", seed=2).array,
        "s": column("string", N, nulls="some", seed=3).array,
    })  # fmt: skip


DATA = large()


def as_arrow(result: Any) -> pa.Table:
    frame = result.to_frame() if isinstance(result, ff.Series) else result
    return frame.to_arrow(index=True)


@pytest.mark.parametrize("name", VERBS)
def test_bits_depend_on_values_only(name: str) -> None:
    """At one, two and four threads; of one chunk, of many, and of a slice that starts inside a byte."""
    padded = pa.concat_tables([DATA.slice(0, 5), DATA, DATA.slice(0, 9)]).combine_chunks().slice(5, N)
    cut = pa.concat_tables([DATA.slice(0, 70_001), DATA.slice(70_001, 0), DATA.slice(70_001, 3), DATA.slice(70_004)])
    expected = None
    for source, threads in ((DATA, 1), (DATA, 2), (DATA, 4), (padded, 2), (cut, 4)):
        with ff.option_context(threads=threads):
            found = as_arrow(VERBS[name](ff.from_arrow(source)))
        expected = found if expected is None else expected
        assert same_bits(found, expected), f"{name} differs with {threads} threads"


def same_bits(left: pa.Table, right: pa.Table) -> bool:
    """Equal also where a float is NaN or zero."""
    if left.schema != right.schema:
        return False
    return all(one.equals(other) for one, other in zip(bits_of(left), bits_of(right), strict=True))


def bits_of(data: pa.Table) -> list[pa.Array]:
    out = []
    for name in data.column_names:
        array = data[name].combine_chunks()
        if pa.types.is_floating(array.type):
            integer = {2: pa.int16(), 4: pa.int32(), 8: pa.int64()}[array.type.bit_width // 8]
            values = np.where(np.asarray(array.is_null()), 0, array.to_numpy(zero_copy_only=False)).astype(array.type.to_pandas_dtype())
            out += [array.is_null(), pa.array(values.view(integer.to_pandas_dtype()))]
        else:
            out.append(array)
    return out


def test_a_row_decodes_no_column() -> None:
    """Of text that is held as codes, only the row's own value is decoded: all of them together would take 3 GB."""
    text = Column(pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 30_000])), STRING)
    df = ff.DataFrame._of(with_labels(default_labels(len(text)), {"s": text}, len(text)))
    assert len(df.iloc[7]["s"]) == len(df.loc[7]["s"]) == len(df["s"].iloc[7]) == len(df.set_index("s").index[7]) == 30_000


@pytest.mark.parametrize("name", [None, "x", "value"])
def test_describe_keeps_the_name(name: str | None) -> None:
    assert ff.Series([1, 2], name=name).describe().name == name
    assert ff.Series(["a", "b"], name=name).describe().name == name
