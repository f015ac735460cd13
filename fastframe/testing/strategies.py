"""Hypothesis strategies for arrays, columns, tables and chunkings; needs hypothesis.

Values favour corners: ends of integer ranges, NaN, infinities, both zeros, empty and shared-prefix texts, few distinct
values (so that groups and ties occur). Arrays are often slices, so that bitmaps start inside a byte.
"""

from __future__ import annotations

import datetime
import decimal
import itertools
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column.column import Column
from fastframe.column.table import Table
from fastframe.dtypes import DType, Kind
from fastframe.errors import ArgumentError
from fastframe.testing.data import DTYPES

_TEXT = st.one_of(st.sampled_from(["", "a", "b", "ab", "abc", "a longer word than twelve bytes"]), st.text(max_size=16))
_TEXT = _TEXT.filter(lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text))  # not UTF-8


def dtype_names(names: Sequence[str] = DTYPES) -> st.SearchStrategy[str]:
    """Names that `arrays` and `fastframe.testing.column` take."""
    return st.sampled_from(list(names))


def values(dtype: str) -> st.SearchStrategy[Any]:
    """Python values (integers for dates, times, timestamps and durations) that are not null."""
    kind = _dtype(dtype)
    if kind.kind is Kind.BOOL:
        return st.booleans()
    if kind.is_integer or kind.is_temporal:
        low, high = _range(kind)
        return st.one_of(st.integers(max(low, -3), min(high, 3)), st.sampled_from([low, high]), st.integers(low, high))
    if kind.kind is Kind.FLOAT:
        width = 8 * kind.width if kind.width else 16
        corners = st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf")])
        return st.one_of(corners, st.floats(width=width))  # type: ignore[arg-type]
    if kind.kind is Kind.DECIMAL:
        return st.integers(-(10**kind.arrow.precision) + 1, 10**kind.arrow.precision - 1).map(
            lambda unit: decimal.Context(prec=38).scaleb(decimal.Decimal(unit), -kind.arrow.scale)
        )
    if kind.kind is Kind.BINARY:
        return _TEXT.map(str.encode)
    if kind.kind in (Kind.STRING, Kind.CATEGORY):
        return _TEXT
    raise ArgumentError.of("values", "dtype", dtype, DTYPES)


@st.composite
def arrays(
    draw: st.DrawFn,
    /,
    dtype: str | st.SearchStrategy[str] | None = None,
    *,
    n_rows: int | None = None,
    max_rows: int = 40,
    missing: bool = True,
) -> pa.Array:
    """Arrow arrays of one dtype (any, where not given), often sliced.

    Parameters
    ----------
    dtype : str or strategy
        ``"encoded string"`` makes dictionary arrays.
    n_rows, max_rows : int
        Exactly so many rows, or at most.
    missing : bool
        Whether there may be nulls. NaN occurs anyway.
    """
    name = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype if dtype is not None else draw(dtype_names())
    before = draw(st.integers(0, 9))
    length = n_rows if n_rows is not None else draw(st.integers(0, max_rows))
    value = values(name)
    if missing and draw(st.booleans()):
        value = st.one_of(st.none(), value)
    made = draw(st.lists(value, min_size=before + length, max_size=before + length))
    return _array(name, made).slice(before)


@st.composite
def columns(draw: st.DrawFn, /, dtype: str | st.SearchStrategy[str] | None = None, **options: Any) -> Column:
    """`arrays` as columns; a dictionary array of ``"encoded string"`` is of dtype string."""
    name = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype if dtype is not None else draw(dtype_names())
    array = draw(arrays(name, **options))
    return Column(array, dtypes.STRING if name == "encoded string" else None)


@st.composite
def tables(
    draw: st.DrawFn,
    /,
    *,
    names: Sequence[str] = DTYPES,
    n_rows: int | None = None,
    max_rows: int = 40,
    max_columns: int = 4,
    missing: bool = True,
) -> Table:
    """Tables of at most ``max_columns`` columns ``c0``, ``c1`` ... of the dtypes ``names``."""
    length = n_rows if n_rows is not None else draw(st.integers(0, max_rows))
    chosen = draw(st.lists(dtype_names(names), min_size=1, max_size=max_columns))
    made = {f"c{place}": draw(columns(name, n_rows=length, missing=missing)) for place, name in enumerate(chosen)}
    return Table(made, length)


@st.composite
def chunked(draw: st.DrawFn, table: Table | pa.Table, *, max_chunks: int = 5) -> pa.Table:
    """The same rows as a pyarrow table whose columns are cut into chunks, each its own way; chunks may be empty."""
    if isinstance(table, Table):
        table = pa.table({name: column.array for name, column in table.columns.items()})
    out = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = pa.chunked_array(column.chunks, column.type)
        cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=max_chunks - 1)))
        bounds = [0, *cuts, len(whole)]
        chunks = [
            chunk
            for start, stop in itertools.pairwise(bounds)
            for chunk in _copied(whole.slice(start, stop - start))
        ]
        out[name] = pa.chunked_array(chunks, column.type)
    return pa.table(out)


def register_profiles() -> None:
    """Hypothesis profiles: ``fast`` (the default suite), ``slow`` (many examples), ``checked`` (few, for slow kernels)."""
    patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
    settings.register_profile("fast", max_examples=40, derandomize=True, **patient)
    settings.register_profile("slow", max_examples=500, **patient)
    settings.register_profile("checked", max_examples=10, derandomize=True, **patient)


def _copied(part: pa.ChunkedArray) -> list[pa.Array]:
    """A part's chunks, at least one, each in memory of its own."""
    chunks = part.chunks or [
        pa.array([], part.type)
        if not pa.types.is_dictionary(part.type)
        else pa.array([], part.type.value_type).dictionary_encode()
    ]
    return [pa.concat_arrays([chunk, chunk.slice(0, 0)]) if len(chunk) else chunk.cast(part.type) for chunk in chunks]


def _dtype(name: str) -> DType:
    return dtypes.dtype("string" if name == "encoded string" else name)


_DATE_DAYS = (datetime.date(1, 1, 1).toordinal() - 719163, datetime.date(9999, 12, 31).toordinal() - 719163)


def _range(dtype: DType) -> tuple[int, int]:
    """Least and greatest integer; temporals stay where Python's types can show them."""
    if dtype.is_integer:
        bits = 8 * dtype.width
        return (0, 2**bits - 1) if dtype.kind is Kind.UINT else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if dtype.kind is Kind.TIME:
        return 0, 86_399
    if dtype.kind is Kind.DATE:
        return _DATE_DAYS  # of date64, too: see _array
    seconds = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[dtype.arrow.unit]
    return -(9 * 10**9) * seconds, 9 * 10**9 * seconds


def _array(name: str, made: list[Any]) -> pa.Array:
    dtype = _dtype(name)
    if dtype.arrow == pa.date64():
        return pa.array([None if one is None else one * 86_400_000 for one in made], pa.int64()).view(dtype.arrow)
    if dtype.is_temporal:
        return pa.array(made, pa.int32() if dtype.width == 4 else pa.int64()).view(dtype.arrow)
    if dtype.kind is Kind.CATEGORY or name == "encoded string":
        return pa.array(made, pa.string()).dictionary_encode()
    return pa.array(made, dtype.arrow, from_pandas=False)
