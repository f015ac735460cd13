"""Concat: the rows of several columns or tables, one after the other, in one parallel copy per buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from fastframe._kernels import merge as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers, text_view
from fastframe.column.memory import allocate, allocate_bits
from fastframe.column.table import MAX_ROWS, Table
from fastframe.dtypes import NULL, STRING, DType, Kind
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.dictionaries import as_text, same_categories, unified
from fastframe.engines.cpu.forms import (
    ALL_VALID,
    MAX_SMALL_OFFSET,
    Form,
    Validity,
    allocate_offsets,
    codes_column,
    form_of,
    nulls,
    rewrapped,
    text_from_blocks,
)
from fastframe.engines.cpu.take import decode
from fastframe.errors import DTypeError, ShapeError

_OPERATION = "concat"
_BYTES_PER_SLICE = 1 << 20   # of text, copied as bytes
_PIECE_WORDS = 6             # of merge.hpp::Piece
_START, _VALUES, _VALIDITY, _BIT_OFFSET, _BASE, _LARGE = range(_PIECE_WORDS)


def concat(columns: Sequence[Column], dtype: DType) -> Column:
    """The rows of all columns, in order.

    Parameters
    ----------
    columns : sequence of Column
        Each of ``dtype``, or of dtype null, or a category where ``dtype`` is string. Cast others before.
    dtype : DType
        Of the result. Categories that differ become string.

    Returns
    -------
    Column
        Encoded where all inputs are; their dictionaries are made one. Text over 2 GiB gets int64 offsets.

    Raises
    ------
    DTypeError, ShapeError
    """
    n_rows = sum([column.length for column in columns])
    if n_rows > MAX_ROWS:
        raise ShapeError.too_many_rows(n_rows)
    if columns and dtype.width and all(column.dtype is dtype and not column.is_encoded and column.length for column in columns):
        return columns[0] if len(columns) == 1 else _concat_fixed(columns, n_rows)
    for column in columns:
        _require(column, dtype)
    known = [column for column in columns if column.dtype.kind is not Kind.NULL]
    if dtype.kind is Kind.CATEGORY and known and not same_categories(known):
        dtype, known = STRING, []
    if dtype.kind is Kind.STRING:
        columns = [as_text(column) for column in columns]
        known = [column for column in columns if column.dtype.kind is not Kind.NULL]
    if not known:
        return nulls(dtype, n_rows)
    filled = [column for column in columns if len(column)]
    if len(filled) == 1 and filled[0].dtype == dtype:
        return filled[0]
    return _concat(columns, known, n_rows)


def _require(column: Column, dtype: DType) -> None:
    if column.dtype == dtype or column.dtype.kind is Kind.NULL:
        return
    if dtype.kind is Kind.STRING and column.dtype.kind is Kind.CATEGORY:
        return
    raise DTypeError.of_pair(_OPERATION, column.dtype, dtype)


def _concat(columns: Sequence[Column], known: Sequence[Column], n_rows: int) -> Column:
    """Of columns of one dtype or null, not all of them null."""
    first = known[0]
    if any(column.is_encoded for column in known):
        if all(column.is_encoded for column in known):
            return _concat_encoded(columns, known, n_rows)
        columns, known = [decode(column) for column in columns], [decode(column) for column in known]
        first = known[0]
    form = form_of(first)
    if form is Form.TEXT:
        return Column(_concat_text(columns, first.array.type, n_rows))
    if form is Form.OTHER:
        arrow = first.array.type
        return Column(pa.concat_arrays([one.array if one.array.type == arrow else pa.nulls(len(one), arrow) for one in columns]), first.dtype)
    if form is not Form.BITS:
        return _concat_fixed(columns, n_rows, first.dtype)
    pieces = _Pieces(columns, _fixed_piece)
    values = allocate_bits(n_rows, _OPERATION)
    run(kernels.concat_bits(pieces.operand, values.address, (pieces, values), validity=False), n_rows, SLICE_ROWS, operation=_OPERATION)
    validity = pieces.validity(n_rows)
    return column_from_buffers(first.dtype, n_rows, values, validity.bits, validity.null_count)


def _concat_fixed(columns: Sequence[Column], n_rows: int, dtype: DType | None = None) -> Column:
    """Of columns of values of one width, of ``dtype`` (None: that of the first) or null."""
    dtype = columns[0].dtype if dtype is None else dtype
    pieces = _Pieces(columns, _fixed_piece)
    values = allocate(n_rows * dtype.width, _OPERATION)
    run(kernels.concat_values(dtype.width, pieces.operand, values.address, (pieces, values)), n_rows, SLICE_ROWS, operation=_OPERATION)
    validity = pieces.validity(n_rows)
    return column_from_buffers(dtype, n_rows, values, validity.bits, validity.null_count)


def _concat_encoded(columns: Sequence[Column], known: Sequence[Column], n_rows: int) -> Column:
    alike = iter(unified(known))
    parts = [column if column.dtype.kind is Kind.NULL else next(alike) for column in columns]
    first = next(part for part in parts if part.dtype.kind is not Kind.NULL)
    codes = [part if part.dtype.kind is Kind.NULL else codes_column(part) for part in parts]
    return rewrapped(first, _concat(codes, [one for one in codes if one.dtype.kind is not Kind.NULL], n_rows).array)


class _Pieces:
    """The columns of a concatenation as the kernels' list of pieces; keeps them alive."""

    def __init__(self, columns: Sequence[Column], piece_of: Callable[[Column], tuple[int, int, int]]) -> None:
        self.columns = [column for column in columns if column.length]
        rows, start, self._nullable = [], 0, False
        for column in self.columns:
            values, validity, bit_offset = (0, 0, 0) if column.dtype.kind is Kind.NULL else piece_of(column)
            rows.append((start, values, validity, bit_offset, 0, 0))
            start += column.length
            self._nullable |= validity != 0 or values == 0
        rows.append((start, 0, 0, 0, 0, 0))
        self.table = np.array(rows, np.int64)   # a list first: filling an array row by row took 15 us for two columns

    @property
    def operand(self) -> tuple[int, int]:
        return address_of(self.table), len(self.columns)

    def validity(self, n_rows: int) -> Validity:
        if not self._nullable:
            return ALL_VALID
        bits = allocate_bits(n_rows, _OPERATION)
        run(kernels.concat_bits(self.operand, bits.address, (self, bits), validity=True), n_rows, SLICE_ROWS, operation=_OPERATION)
        return Validity(bits, -1)


def _fixed_piece(column: Column) -> tuple[int, int, int]:
    view = column.view
    return view.values, view.validity, view.bit_offset


def _text_piece(column: Column) -> tuple[int, int, int]:
    view = column.text_view
    return view.offsets, view.validity, view.bit_offset


def _concat_text(columns: Sequence[Column], arrow: pa.DataType, n_rows: int) -> pa.Array:
    pieces = _Pieces(columns, _text_piece)
    spans = [_text_span(column) for column in pieces.columns]
    ends = np.cumsum([0] + [length for _, length in spans], dtype=np.int64)
    n_bytes = int(ends[-1])
    large = n_bytes > MAX_SMALL_OFFSET
    pieces.table[:, _BASE] = ends
    pieces.table[:-1, _LARGE] = [column.dtype.kind is not Kind.NULL and column.text_view.large for column in pieces.columns]
    offsets = allocate_offsets(n_rows, large, _OPERATION)
    run(kernels.concat_offsets(pieces.operand, offsets.address, (pieces, offsets), large=large), n_rows, SLICE_ROWS, operation=_OPERATION)
    data = allocate(n_bytes, _OPERATION)
    chunks = np.zeros((len(spans) + 1, _PIECE_WORDS), np.int64)
    chunks[:, _START] = ends
    chunks[:-1, _VALUES] = [address for address, _ in spans]
    task = kernels.concat_values(1, (chunks.ctypes.data, len(spans)), data.address, (pieces, chunks, data))
    run(task, n_bytes, _BYTES_PER_SLICE, operation=_OPERATION)
    return text_from_blocks(arrow, n_rows, offsets, data, pieces.validity(n_rows), large=large)


def _text_span(column: Column) -> tuple[int, int]:
    """Address and number of the bytes of a plain text column's rows."""
    if column.dtype.kind is Kind.NULL:
        return 0, 0
    view = text_view(column.array)
    offsets = np.frombuffer(column.array.buffers()[1], np.int64 if view.large else np.int32)
    start, stop = int(offsets[column.array.offset]), int(offsets[column.array.offset + len(column)])
    return view.data + start, stop - start


def concat_tables(tables: Sequence[Table], schema: Mapping[str, DType]) -> Table:
    """The rows of all tables, with the columns of ``schema``.

    A column that a table lacks is null in its rows; one of another dtype is cast (raising where that loses).
    """
    n_rows = sum([table.n_rows for table in tables])
    out = {}
    for name, dtype in schema.items():
        parts = [table.columns[name] if name in table.columns else nulls(NULL, table.n_rows) for table in tables]
        out[name] = concat([part if _fits(part, dtype) else cast(part, dtype) for part in parts], dtype)
    return Table.of(out, n_rows)


def _fits(column: Column, dtype: DType) -> bool:
    if column.dtype is dtype or (dtype.kind is Kind.STRING and column.dtype.kind is Kind.CATEGORY):
        return True
    return column.dtype == dtype or column.dtype.kind is Kind.NULL
