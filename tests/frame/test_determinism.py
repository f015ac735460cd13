"""The same values give the same bits: for any number of threads, any chunking and slicing, plain or encoded text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.errors import IntegerOverflow
from fastframe.options import option_context
from fastframe.testing import covering, strategies

FLOAT_AGGREGATIONS = ["sum", "mean", "var", "std", "sem", "median", "min", "max", "first", "last", "nunique", "count", "prod"]
SIZES = {"small": 3_000, "large": 300_000}   # below and above the sizes from which operations run on several threads

Verb = Callable[[ff.DataFrame], Any]
VERBS: dict[str, Verb] = {
    "groupby_few": lambda df: df.groupby("few").agg({"x": FLOAT_AGGREGATIONS}),
    "groupby_many": lambda df: df.groupby("many").agg({"x": FLOAT_AGGREGATIONS}),
    "groupby_text": lambda df: df.groupby("text", sort=False).agg({"x": ["sum", "var", "median"], "n": ["sum", "first"]}),
    "groupby_two_keys": lambda df: df.groupby(["text", "few"], dropna=False).agg({"x": ["mean", "last"], "text": "count"}),
    "groupby_float_key": lambda df: df.groupby("x", sort=True)["n"].sum().to_frame(),
    "transform": lambda df: df.assign(x=df.groupby("many")["x"].transform("mean"), z=df.groupby("few")["x"].cumsum()),
    "reductions": lambda df: {one: getattr(df["x"], one)() for one in FLOAT_AGGREGATIONS if one not in ("first", "last")},
    "sort": lambda df: df.sort_values(["few", "x"], ascending=[True, False]),
    "sort_text": lambda df: df.sort_values(["text", "n"]),
    "merge": lambda df: df.merge(df.iloc[: len(df) // 3][["n", "x"]], on="n", how="left"),
    "merge_text": lambda df: df.drop_duplicates("text").merge(df[["text", "few"]], on="text", how="outer"),
    "cumulative": lambda df: df.assign(a=df["x"].cumsum(), b=df["x"].cummax(), c=df["n"].cumsum(), d=df["x"].cumprod()),
    "rank": lambda df: df.assign(a=df["x"].rank(), b=df["text"].rank(method="dense"), c=df.groupby("few")["x"].rank(method="first")),
    "filter": lambda df: df[(df["x"] > 0.25) | (df["text"] == "word 7")],
    "arithmetic": lambda df: df.assign(a=df["x"] * df["n"] + 0.1, b=df["x"] / 3, c=df["n"] % 7),
    "value_counts": lambda df: df["text"].value_counts().to_frame(),
    "nunique": lambda df: {name: df[name].nunique() for name in df.columns},
}  # fmt: skip


def values(n_rows: int) -> pa.Table:
    """Floats of many magnitudes, so that another order of additions gives other bits; text with nulls."""
    rng = np.random.default_rng(n_rows)
    words = pa.array([f"word {number}" for number in range(400)])
    return pa.table({
        "few": rng.integers(0, 5, n_rows),
        "many": rng.integers(0, n_rows // 3, n_rows),
        "n": rng.permutation(n_rows),
        "x": pa.array(rng.standard_normal(n_rows) * 10.0 ** rng.integers(-8, 8, n_rows), mask=rng.random(n_rows) < 0.1),
        "text": words.take(pa.array(rng.integers(0, len(words), n_rows), mask=rng.random(n_rows) < 0.05)),
    })  # fmt: skip


def encoded(table: pa.Table) -> ff.DataFrame:
    """The frame with its text held as codes, as a reader may bring it; its dtype stays string."""
    from fastframe.column.arrow import table_from_arrow
    from fastframe.frame.labels import default_labels, with_labels

    coded = table.set_column(table.column_names.index("text"), "text", table["text"].dictionary_encode())
    columns = table_from_arrow(coded, encodings=True).columns
    assert columns["text"].is_encoded_text
    return ff.DataFrame._of(with_labels(default_labels(table.num_rows), columns, table.num_rows))


def chunked(table: pa.Table) -> ff.DataFrame:
    """Chunks of odd lengths, some empty, each column cut elsewhere."""
    n_rows = table.num_rows
    columns = {}
    for place, name in enumerate(table.column_names):
        bounds = [0, 1, 1, n_rows // 3 + place, n_rows // 2 + 1, n_rows]
        columns[name] = pa.chunked_array([table[name].slice(a, b - a).combine_chunks() for a, b in pairwise(bounds)])
    return ff.from_arrow(pa.table(columns))


def sliced(table: pa.Table) -> ff.DataFrame:
    """A slice of a longer table that starts inside a byte of every bitmap."""
    longer = pa.concat_tables([table.slice(0, 13), table, table.slice(5, 4)]).combine_chunks()
    return ff.from_arrow(longer.slice(13, table.num_rows))


INTAKES: dict[str, Callable[[pa.Table], ff.DataFrame]] = {
    "whole": ff.from_arrow, "chunked": chunked, "sliced": sliced, "encoded": encoded,
}  # fmt: skip


def bits(result: Any) -> Any:
    """What is compared: every value to its last bit, labels too; -0.0 is not 0.0."""
    if isinstance(result, dict):
        return {name: np.float64(value).tobytes() if isinstance(value, float) else value for name, value in result.items()}
    table = result.to_arrow(index=True)
    return {name: _bits(table[name].combine_chunks()) for name in table.column_names}


def _bits(array: pa.Array) -> tuple[Any, ...]:
    if pa.types.is_floating(array.type):
        filled = array.fill_null(0.0).to_numpy(zero_copy_only=False)
        return array.type, array.is_null().to_numpy(zero_copy_only=False).tobytes(), filled.tobytes()
    return array.type, array.to_pylist()


@cache
def table_of(size: str) -> pa.Table:
    return values(SIZES[size])


@cache
def expected(verb: str, size: str) -> Any:
    with option_context(threads=1):
        return bits(VERBS[verb](ff.from_arrow(table_of(size))))


RUNS = [("small", 4), ("large", 1), ("large", 2), ("large", 4)]   # size and threads
CASES = [(one["verb"], one["intake"], *one["run"]) for one in covering({"verb": VERBS, "intake": INTAKES, "run": RUNS})]


@pytest.mark.parametrize(("verb", "intake", "size", "threads"), CASES)
def test_bits_do_not_depend_on_threads_or_layout(verb: str, intake: str, size: str, threads: int) -> None:
    with option_context(threads=threads):
        found = bits(VERBS[verb](INTAKES[intake](table_of(size))))
    wanted = expected(verb, size)
    assert list(found) == list(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_the_values_would_show_another_order_of_additions() -> None:
    """Else the tests above could not fail."""
    x = table_of("large")["x"].drop_null().to_numpy()
    assert np.sum(x) != np.sum(x[::-1]) or np.cumsum(x)[-1] != np.cumsum(x[::-1])[-1]


KINDS = ("int64", "float64", "string", "encoded string", "bool", "decimal128(12, 2)")
PROPERTY_VERBS: dict[str, Verb] = {
    "groupby": lambda df: df.groupby("c0", dropna=False).agg({"c1": ["first", "count", "nunique"]}),
    "sort": lambda df: df.sort_values(["c1", "c0"]),
    "filter": lambda df: df[df["c0"].notna()],
    "value_counts": lambda df: df["c1"].value_counts(dropna=False).to_frame(),
    "merge": lambda df: df.merge(df[["c1"]], on="c1", how="outer"),
    "rank": lambda df: df["c0"].rank().to_frame(),
    "duplicated": lambda df: df[df.duplicated("c1")],
    "total": lambda df: df.groupby("c1")["c2"].sum().to_frame(),
}


@pytest.mark.parametrize("verb", PROPERTY_VERBS)
@given(data=st.data())
def test_bits_do_not_depend_on_chunks(verb: str, data: st.DataObject) -> None:
    columns = {f"c{place}": data.draw(strategies.columns(data.draw(strategies.dtype_names(KINDS)), n_rows=30)) for place in (0, 1)}
    columns["c2"] = data.draw(strategies.columns("float64", n_rows=30))
    plain = pa.table({name: one.array.dictionary_decode() if one.is_encoded else one.array for name, one in columns.items()})
    parts = data.draw(strategies.chunked(plain))
    run = PROPERTY_VERBS[verb]
    outcomes = []
    for table, threads in ((plain, 1), (parts, 2)):
        with option_context(threads=threads):
            try:
                outcomes.append(bits(run(ff.from_arrow(table))))
            except IntegerOverflow as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
