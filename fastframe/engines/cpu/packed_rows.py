"""`PackedRows`: fixed-width columns as records, row by row, for gathers at random rows that no cache holds.

A random row costs one cache miss instead of one per column: joins keep the payload of a large side so, sorts theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import packed_rows as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate, allocate_array, allocate_bits, is_streamed
from fastframe.dtypes import Physical
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.forms import ALL_VALID, Form, Rows, Validity, codes_column, fixed_array, form_of, rewrapped
from fastframe.records import record

_PACKED = (Form.FIXED, Form.BITS, Form.ENCODED)
_SMALLEST_RECORD = 8
_MOST_BITS = 57   # which a word of 64 holds wherever in its first byte they begin
_INTEGERS = {Physical.I8, Physical.I16, Physical.I32, Physical.I64, Physical.U8, Physical.U16, Physical.U32}
_NO_BIT = -1
_OPERATION = "packing rows"


class Field(NamedTuple):
    """One column's place in a record: ``offset`` of its value in bytes (of bools and distances in bits), the bit that says valid."""

    column: Column    # encoded columns: the codes
    width: int        # bytes; 0: bits
    offset: int
    valid_bit: int    # _NO_BIT: no value is null
    n_bits: int = 0   # of the distance from ``low``, where that stands for the value
    low: int = 0


@record(frozen=True, eq=False)
class PackedRows:
    """Records of ``size`` bytes: values, widest first, then from ``flags`` on bits: bools, validities, integers kept as distances."""

    columns: tuple[Column, ...]
    fields: tuple[Field, ...]
    size: int
    flags: int
    records: np.ndarray[Any, np.dtype[np.uint8]]

    @property
    def n_rows(self) -> int:
        return len(self.columns[0])

    def gather(self, rows: Rows, *, missing: bool = False) -> list[Column]:
        """The columns at the given rows, as `take` of each; ``missing`` allows -1, which gives null.

        The rows are trusted: they are below ``n_rows``, and -1 only where ``missing``.
        """
        n_rows = len(rows)
        values = [allocate_bits(n_rows, _OPERATION) if not one.width else allocate(n_rows * one.width, _OPERATION) for one in self.fields]
        valid = [allocate_bits(n_rows, _OPERATION) if one.valid_bit != _NO_BIT else None for one in self.fields]
        table = self.table(values, valid)
        task = kernels.gather_records(
            (table.ctypes.data, len(table)), (self.size, self.flags), self.records.ctypes.data, rows.ctypes.data,
            misses=missing, streams=is_streamed(n_rows * self.size), keep_alive=(self, rows, values, valid, table),
        )  # fmt: skip
        run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
        present = _present(rows) if missing else ALL_VALID
        return [self.column(at, n_rows, values[at], present if bits is None else Validity(bits, -1)) for at, bits in enumerate(valid)]

    def table(self, values: Sequence[Block | None] = (), valid: Sequence[Block | None] = ()) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The kernels' table of fields, with these outputs, if any (see ``packed_rows.hpp::RecordField``)."""
        values, valid = values or [None] * len(self.fields), valid or [None] * len(self.fields)
        table = np.zeros((len(self.fields), kernels.FIELD_WORDS), np.int64)
        for row, one, out, bits in zip(table, self.fields, values, valid, strict=True):
            view = one.column.view
            row[:] = (view.values, view.validity, view.bit_offset, one.width, one.offset, one.valid_bit,
                      0 if out is None else out.address, 0 if bits is None else bits.address, one.n_bits, one.low)  # fmt: skip
        return table

    def words(self, table: np.ndarray[Any, np.dtype[np.int64]]) -> list[int]:
        """These records, with such a table of fields, as kernels take them (see ``packed_rows.hpp::Records``)."""
        return [table.ctypes.data, len(table), self.size, self.flags, self.records.ctypes.data, 0, 0]

    def column(self, at: int, n_rows: int, values: Block, validity: Validity) -> Column:
        """The column number ``at`` with gathered values."""
        source, field = self.columns[at], self.fields[at]
        array = fixed_array(field.column.array.type, n_rows, values, validity)
        return rewrapped(source, array) if source.is_encoded else Column(array, source.dtype)


def can_pack(column: Column) -> bool:
    """Whether the column's rows are of one width: values, bools and dictionary codes are."""
    return form_of(column) in _PACKED


def packed_rows(columns: Sequence[Column]) -> list[PackedRows]:
    """The columns (each `can_pack`, all of one length) as records of at most 64 bytes; several kinds where they are more.

    Notes
    -----
    One pass over the columns; the records take up to twice the bytes of the columns, for they are powers of two.
    """
    return [_pack(run_of_columns) for run_of_columns in record_runs(columns)]


def record_bytes(columns: Sequence[Column], *, narrow: bool = False) -> int:
    """Bytes of a row in the records that `packed_rows` makes, or `unfilled` for columns that fit one."""
    return sum(_layout(run_of_columns, narrow=narrow)[1] for run_of_columns in record_runs(columns))


def record_runs(columns: Sequence[Column]) -> list[list[Column]]:
    """The columns in order, cut where a record would become too large."""
    runs: list[list[Column]] = []
    for column in columns:
        if runs and _layout([*runs[-1], column])[1] <= kernels.LARGEST_RECORD:
            runs[-1].append(column)
        else:
            runs.append([column])
    return runs


def _layout(columns: Sequence[Column], *, narrow: bool = False) -> tuple[list[Field], int, int]:
    """Fields in the columns' order, bytes of a record, and where its bits begin; ``narrow`` packs integers where that pays."""
    whole = _placed(columns, [None] * len(columns))
    if not narrow or whole[1] == _SMALLEST_RECORD:
        return whole
    packed = _placed(columns, [_span(column) for column in columns])
    return packed if packed[1] < whole[1] else whole


def _placed(columns: Sequence[Column], spans: Sequence[tuple[int, int] | None]) -> tuple[list[Field], int, int]:
    """See `_layout`; a column with a span (bits, smallest value) goes among the bits."""
    sources = [codes_column(column) if column.is_encoded else column for column in columns]
    widths = [0 if form_of(one) is Form.BITS else one.dtype.width for one in sources]
    whole = [0 if span else width for width, span in zip(widths, spans, strict=True)]
    places = np.zeros(len(sources), np.int64)
    end = 0
    for at in sorted(range(len(sources)), key=lambda at: -whole[at]):
        places[at], end = end, end + whole[at]
    flags = end
    fields, bit = [], 8 * flags
    for one, width, span, place in zip(sources, widths, spans, places.tolist(), strict=True):
        valid_bit, has_nulls = _NO_BIT, one.null_count > 0
        if has_nulls:
            valid_bit, bit = bit, bit + 1
        n_bits, low = span or (0, 0)
        if width == 0 or span:
            place, bit = bit, bit + max(n_bits, 1)
        fields.append(Field(one, width, place, valid_bit, n_bits, low))
    used = (bit + 7) // 8
    size = max(_SMALLEST_RECORD, 1 << (used - 1).bit_length())
    return fields, size, flags if bit > 8 * flags else size


def _span(column: Column) -> tuple[int, int] | None:
    """Bits of the distances from the smallest value, and that value; None where they save nothing."""
    if column.is_encoded:
        return max((len(column.array.dictionary) - 1).bit_length(), 1), 0
    if column.physical not in _INTEGERS:
        return None
    found = value_range(column)
    if found.min is None or found.max is None:
        return 1, 0
    n_bits = max((int(found.max) - int(found.min)).bit_length(), 1)
    return (n_bits, int(found.min)) if n_bits < 8 * column.dtype.width and n_bits <= _MOST_BITS else None


def _pack(columns: Sequence[Column]) -> PackedRows:
    packed, n_rows = unfilled(columns, len(columns[0])), len(columns[0])
    table = packed.table()
    task = kernels.pack_records(
        (table.ctypes.data, len(table)), (packed.size, packed.flags), packed.records.ctypes.data,
        streams=is_streamed(n_rows * packed.size), keep_alive=(packed, table),
    )  # fmt: skip
    run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
    return packed


def unfilled(columns: Sequence[Column], n_records: int, *, narrow: bool = False) -> PackedRows:
    """Room for ``n_records`` records of columns that fit one; whoever asks fills it.

    ``narrow`` keeps integers in as many bits as their range takes where records become smaller: ranges cost a pass, once.
    """
    fields, size, flags = _layout(columns, narrow=narrow)
    return PackedRows(tuple(columns), tuple(fields), size, flags, allocate_array(n_records * size, np.uint8, _OPERATION))


def _present(rows: Rows) -> Validity:
    from fastframe.engines.cpu.take import present_bits

    bits = present_bits(rows)
    absent = len(rows) - pa.Array.from_buffers(pa.bool_(), len(rows), [None, pa.py_buffer(bits)]).true_count
    return Validity(bits, absent)
