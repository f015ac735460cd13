"""The table behind the parity tests: what a method must do the same in pandas and fastframe, and on which columns.

A case is a function that runs on both. Where fastframe differs on purpose, ``expected`` computes from pandas what
fastframe promises, and ``reason`` names the row of docs/coming_from_pandas.md. A new method joins by a line in
`parity_series.py` or `parity_frame.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import fastframe as ff
from fastframe.testing import NULLS, column, covering
from fastframe.testing.asserts import plain

INTS = ("int8", "int32", "int64", "uint16", "uint64")
FLOATS = ("float32", "float64")
NUMBERS = (*INTS, *FLOATS)
TIMES = ("date32", "timestamp[us]", "timestamp[ns, UTC]", "duration[ms]")
TEXT = ("string", "encoded string")
BOOLS = ("bool",)
PLAIN = (*BOOLS, *NUMBERS, *TEXT, "timestamp[us]", "date32")       # what pandas' ArrowDtype knows all verbs for
EVERY = (*PLAIN, "timestamp[ns, UTC]", "duration[ms]", "decimal128(12, 2)", "category")
ROWS = (0, 1, 2, 67)
LABELS = ("default", "text", "repeated")
UNIQUE = ("default", "text")


@dataclass(frozen=True)
class Case:
    """One method on one kind of input.

    Attributes
    ----------
    run : function of ``(frame or series, one)``
        ``one`` is a value of the column's dtype that occurs in it, or of the frame's first column.
    on : dtypes of the series, or the names of a frame's columns (of `FRAME`)
    expected : the same for pandas where ``run`` gives something else there
    reason : id of a row of the table of divergences, or why pandas must be asked differently
    types : see `compare.assert_same`
    """

    name: str
    run: Callable[[Any, Any], Any]
    on: tuple[str, ...] = EVERY
    expected: Callable[[Any, Any], Any] | None = None
    reason: str = ""
    types: str = "exact"
    labels: tuple[str, ...] = LABELS
    rows: tuple[int, ...] = ROWS
    nulls: tuple[str, ...] = NULLS

    def __post_init__(self) -> None:
        assert (self.expected is None) == (not self.reason), f"{self.name}: say why pandas is asked differently"


@dataclass(frozen=True)
class Form:
    """How an input is held: where it is missing, in how many chunks, as a slice of something longer, under which labels."""

    dtype: str
    nulls: str
    n_rows: int
    sliced: bool
    chunks: int
    labels: str


def forms(case: Case, *, dtypes: tuple[str, ...]) -> Iterator[Form]:
    """Forms such that every two choices meet."""
    factors = {
        "dtype": dtypes, "nulls": case.nulls, "n_rows": case.rows, "sliced": (False, True), "chunks": (1, 3), "labels": case.labels,
    }  # fmt: skip
    return (Form(**choice) for choice in covering(factors))


# ---- the two sides from one Arrow table --------------------------------------------------------------------------------


def arrow_array(dtype: str, form: Form, seed: int) -> pa.ChunkedArray:
    """Chunks (with an empty one between) of a pseudo-random column."""
    made = column(dtype, form.n_rows, nulls=form.nulls, sliced=form.sliced, seed=seed)
    array = made.array if dtype != "encoded string" else made.array.dictionary_decode()
    if form.chunks == 1:
        return pa.chunked_array([array])
    cut = form.n_rows // 3
    return pa.chunked_array([array.slice(0, cut), array.slice(cut, 0), array.slice(cut)], type=array.type)


@lru_cache(maxsize=8192)
def both_series(form: Form) -> tuple[ff.Series, pd.Series, Any]:
    """fastframe's series, pandas' series, and one value of the dtype."""
    data = arrow_array(form.dtype, form, 3)
    labels = labels_of(form)
    mine = ff.Series(data, index=labels, name="x")
    if form.dtype == "encoded string":   # text as readers of files hand it over: encoded, dtype string
        mine = ff.from_arrow(pa.table({"x": data.dictionary_encode()}), encodings=True)["x"]
        mine.index = labels if labels is not None else range(form.n_rows)
    value = plain(column(form.dtype, 67, seed=3).array).to_pylist()[5]
    return mine, pd.Series(pandas_array(data), index=pandas_labels(labels, form), name="x"), value


FRAME = {
    "i": "int64", "j": "int64", "u": "uint8", "f": "float64", "g": "float32", "b": "bool", "s": "string", "t": "timestamp[us]",
    "c": "category", "d": "date32", "m": "decimal128(12, 2)",
}  # fmt: skip


@lru_cache(maxsize=8192)
def both_frames(form: Form, names: tuple[str, ...]) -> tuple[ff.DataFrame, pd.DataFrame, Any]:
    """fastframe's frame, pandas' frame, and one value of the first column's dtype."""
    arrays = {name: arrow_array(FRAME[name], form, seed) for seed, name in enumerate(names)}
    labels = labels_of(form)
    mine = ff.DataFrame(pa.table(arrays), index=labels) if names else ff.DataFrame(index=labels if labels is not None else range(form.n_rows))
    index = pandas_labels(labels, form)
    theirs = pd.DataFrame({name: pd.Series(pandas_array(array), index=index) for name, array in arrays.items()}, index=index)
    value = plain(column(FRAME[names[0]], 67, seed=0).array).to_pylist()[5] if names else None
    return mine, theirs, value


def pandas_array(data: pa.ChunkedArray) -> Any:
    """ArrowDtype, so that pandas keeps integers; categories as pandas' own."""
    if pa.types.is_dictionary(data.type):
        return data.to_pandas().array
    return pd.arrays.ArrowExtensionArray(data)


def labels_of(form: Form) -> Any:
    if form.labels == "default":
        return None
    if form.labels == "text":
        return [f"r{(row * 7) % form.n_rows:03d}" if form.n_rows % 7 else f"r{row}" for row in range(form.n_rows)] or pa.array([], pa.string())
    return np.arange(form.n_rows, dtype=np.int64) // 2


def pandas_labels(labels: Any, form: Form) -> pd.Index:
    if labels is None:
        return pd.RangeIndex(form.n_rows)
    return pd.Index(labels) if form.labels == "repeated" else pd.Index(list(labels), dtype="str")
