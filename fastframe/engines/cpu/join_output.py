"""The second pass of a join: the columns of its pairs.

Probe rows that occur at most once are a filter. Every other column is gathered in one pass over the probe side's codes,
in which row numbers never leave the cache; many columns of a large build side come as records, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import join as kernels
from fastframe._kernels.memory import Block, address_of
from fastframe._kernels.packed_rows import LARGEST_RECORD
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.available import available_bytes
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_array, allocate_bits, is_streamed
from fastframe.engines.cpu.filter import filter_columns
from fastframe.engines.cpu.forms import ALL_VALID, Form, Validity, codes_column, form_of, nulls, rewrapped
from fastframe.engines.cpu.join import Pairs, Words
from fastframe.engines.cpu.join_index import CACHED_BYTES, OPERATION, RowGroups, RowMap, n_slices
from fastframe.engines.cpu.packed_rows import PackedRows, can_pack, packed_rows, record_bytes, unfilled
from fastframe.engines.cpu.spread import spread, worth_encoding
from fastframe.engines.cpu.take import by_codes, slim, take
from fastframe.errors import OutOfMemory
from fastframe.records import record

Array = np.ndarray[Any, Any]
Columns = dict[str, Column]

PACKED_BYTES = 128 << 10   # of the build side's columns, from which no L1 cache holds what is gathered
PACKED_COLUMNS = 3         # fewer are fetched as fast one by one as they are packed
CODES_PER_RECORD = 2       # records at their codes take this much more room at most
FEW_BYTES = 256 << 20      # results up to here are made without asking how much memory there is
RECORDS_SHARE = 5          # of the bytes of both tables, one part of them may be records
FEW_RECORDS = 16 << 20     # bytes of records that are made without asking, and that nothing is gained by making smaller
_CODE_WIDTH = 4            # bytes of a code of encoded values
PACKED_SHARE = 2           # build rows per pair up to which packing all of them pays


class Wanted(NamedTuple):
    """A column to be gathered, and the memory where its values go."""

    name: str
    column: Column
    source: Column          # of fixed width, or bits: the column's codes where it is encoded
    side: int
    values: Block
    validity: Block | None


def joined_columns(pairs: Pairs, probe: Mapping[str, Column], build: Mapping[str, Column], *, unseen: Sequence[Column] = ()) -> tuple[Columns, Columns]:
    """The columns of both sides for all pairs. Columns of a side all of whose rows come once and in order are shared.

    ``unseen`` are keys that were read, too, but are no column of the result.
    """
    plan = Emission(pairs)
    out: tuple[Columns, Columns] = ({}, {})
    if pairs.keeps_probe:
        out[kernels.PROBE].update(probe)
    elif pairs.selection is not None:
        out[kernels.PROBE].update(filter_columns(probe, pairs.selection))
    else:
        plan.want(kernels.PROBE, probe)
    if _is_identity(pairs):
        out[kernels.BUILD].update(build)
    elif pairs.n_build == 0:
        out[kernels.BUILD].update({name: _all_missing(column, pairs.n_pairs) for name, column in build.items()})
    else:
        *more, last = _rounds(pairs, build, [*probe.values(), *unseen])
        for columns in more:
            out[kernels.BUILD].update(_of_build(pairs, columns))
        plan.want(kernels.BUILD, last)
    for side, columns in zip(out, plan.run(), strict=True):
        side.update(columns)
    return out[kernels.PROBE], {name: out[kernels.BUILD][name] for name in build}


def _of_build(pairs: Pairs, columns: Columns) -> Columns:
    """Some columns of the build side; nothing but they stays."""
    plan = Emission(pairs)
    plan.want(kernels.BUILD, columns)
    return plan.run()[kernels.BUILD]


def _rounds(pairs: Pairs, build: Mapping[str, Column], others: Sequence[Column]) -> list[Columns]:
    """The build side's columns, all at once or, where their records would take more than a fifth of both tables, in parts.

    ``others`` are the columns of both tables that are not of the build side's.
    """
    index, widths = pairs.index, {name: (codes_column(one) if one.is_encoded else one).dtype.width for name, one in build.items() if can_pack(one)}
    if not isinstance(index, RowMap) or len(widths) < len(build) or sum(widths.values()) * index.n_codes <= FEW_RECORDS:
        return [dict(build)]
    n_bytes = sum(one.nbytes for one in (*others, *build.values()))
    if record_bytes(list(build.values()), narrow=True) * index.n_codes <= n_bytes // RECORDS_SHARE:
        return [dict(build)]
    rounds: list[Columns] = [{}]
    left = half = 1 << (sum(widths.values()) - 1).bit_length() - 1
    for name in sorted(widths, key=lambda name: -widths[name]):
        if widths[name] > left and rounds[-1]:
            rounds.append({})
            left = half
        rounds[-1][name] = build[name]
        left -= widths[name]
    return rounds


def require_memory(pairs: Pairs, probe: Mapping[str, Column], build: Mapping[str, Column]) -> None:
    """Refuse a result that this machine has no memory for, before any of it is allocated.

    Raises
    ------
    OutOfMemory
        With the rows and bytes that the join would make.
    """
    sides, n_pairs = ((probe, pairs.probe.n_rows), (build, pairs.n_build)), pairs.n_pairs
    n_bytes = sum([_bytes_of(column, n_rows, n_pairs) for columns, n_rows in sides for column in columns.values()])
    if n_bytes < FEW_BYTES:
        return
    available = available_bytes()
    if n_bytes > available:
        raise OutOfMemory.of_join(n_pairs, n_bytes, available)


def _bytes_of(column: Column, n_rows: int, n_pairs: int) -> int:
    """Bytes of a column of the result, values of their average size."""
    width = _CODE_WIDTH if column.is_encoded else column.dtype.width
    if width:
        return width * n_pairs
    return -(-column.nbytes * n_pairs // n_rows) if n_rows else 0


def _is_identity(pairs: Pairs) -> bool:
    """Whether the build rows of the pairs are all of them, in order; seldom more than a glance."""
    if pairs.n_pairs != pairs.n_build or pairs.misses or not isinstance(pairs.index, RowMap):
        return False
    codes = pairs.probe.head(64)
    if not pairs.keeps_probe or not np.array_equal(pairs.index.row_of_code[codes], np.arange(len(codes))):
        return False
    plan = Emission(pairs)
    rows = plan.rows(kernels.BUILD)
    plan.run()
    return bool(np.array_equal(rows, np.arange(len(rows), dtype=np.int32)))


def _all_missing(column: Column, n_rows: int) -> Column:
    if not column.is_encoded:
        return nulls(column.dtype, n_rows)
    return slim(rewrapped(column, pa.nulls(n_rows, pa.int32())))


@record()
class Emission:
    """What the pairs' kernel is to write, and where."""

    pairs: Pairs
    wanted: list[Wanted] = field(default_factory=list)
    by_rows: list[tuple[int, str, Column]] = field(default_factory=list)   # columns without a width: taken by row number
    packed: list[tuple[list[str], PackedRows]] = field(default_factory=list)
    outputs: list[tuple[int, int, int, int, bool, int]] = field(default_factory=list)
    row_numbers: dict[int, Array] = field(default_factory=dict)
    keep: list[Any] = field(default_factory=list)
    row_bytes: int = 0
    by_code: bool = False   # the records stand at the codes of the keys
    words: Words = None     # which probe rows have a partner, with a map
    n_absent: int = 0       # pairs without a build row, with a map

    def want(self, side: int, columns: Mapping[str, Column]) -> None:
        """All these columns of a side, for every pair."""
        n_pairs = self.pairs.n_pairs
        spreads = side == kernels.BUILD
        columns = {name: worth_encoding(one, n_pairs) if spreads else by_codes(one) for name, one in columns.items()}
        plain = {name: one for name, one in columns.items() if can_pack(one)}
        self.by_rows += [(side, name, one) for name, one in columns.items() if name not in plain]
        if side == kernels.BUILD and self._packs(plain):
            self._want_packed(plain)
        else:
            for name, column in plain.items():
                self._want_column(side, name, column)

    def rows(self, side: int) -> Array:
        """The row numbers of a side, once the emission has run."""
        if side not in self.row_numbers:
            rows = allocate_array(self.pairs.n_pairs, np.int32, OPERATION)
            self.row_numbers[side] = rows
            self.outputs.append((0, 0, rows.itemsize, side, False, address_of(rows)))
            self.row_bytes += rows.itemsize
        return self.row_numbers[side]

    def run(self) -> tuple[Columns, Columns]:
        """Run the kernel; the columns of both sides."""
        for side, _, _ in self.by_rows:
            self.rows(side)
        packed = [self._packed_outputs(one) for _, one in self.packed]
        bits = self._presence() if self.pairs.misses and (self.wanted or self.packed) else None
        self._emit([records for records, _, _ in packed])
        present = Validity(bits, -1) if bits is not None else Validity(self.words, self.n_absent) if self.n_absent else ALL_VALID   # type: ignore[arg-type]
        missing = self.n_absent > 0 or (self.pairs.misses and isinstance(self.pairs.index, RowGroups))
        out: tuple[Columns, Columns] = ({}, {})
        for one in self.wanted:
            validity = Validity(one.validity, -1) if one.validity is not None else present if one.side == kernels.BUILD else ALL_VALID
            found = column_from_buffers(one.source.dtype, self.pairs.n_pairs, one.values, *validity)
            out[one.side][one.name] = slim(rewrapped(one.column, found.array)) if one.column.is_encoded else found
        for (names, rows), (_, values, valid) in zip(self.packed, packed, strict=True):
            for at, name in enumerate(names):
                validity = present if valid[at] is None else Validity(valid[at], -1)
                out[kernels.BUILD][name] = slim(rows.column(at, self.pairs.n_pairs, values[at], validity))
        for side, name, column in self.by_rows:
            take_side = spread if side == kernels.BUILD else take
            out[side][name] = take_side(column, self.rows(side), missing=side == kernels.BUILD and missing)
        return out

    def _packs(self, columns: Mapping[str, Column]) -> bool:
        n_build, n_pairs = self.pairs.n_build, self.pairs.n_pairs
        n_bytes = sum((codes_column(one) if one.is_encoded else one).dtype.width for one in columns.values()) * n_build
        return len(columns) >= PACKED_COLUMNS and n_bytes > PACKED_BYTES and n_build <= PACKED_SHARE * n_pairs

    def _want_packed(self, columns: Mapping[str, Column]) -> None:
        names, found = list(columns), list(columns.values())
        self.by_code = not self.by_rows and self._fits_codes(found)
        for rows in [self._scattered(found)] if self.by_code else packed_rows(found):
            self.packed.append((names[: len(rows.columns)], rows))
            names = names[len(rows.columns):]
            self.row_bytes += rows.size

    def _fits_codes(self, columns: Sequence[Column]) -> bool:
        """Whether records may stand at their codes: one kind of them, few codes without a row."""
        index = self.pairs.index
        return isinstance(index, RowMap) and index.n_codes <= CODES_PER_RECORD * self.pairs.n_build and record_bytes(columns) <= LARGEST_RECORD

    def _scattered(self, columns: Sequence[Column]) -> PackedRows:
        """Records at the codes of their rows: neither is a map of rows made, nor is there a miss for it."""
        index = self.pairs.index
        assert isinstance(index, RowMap)
        rows = unfilled(columns, index.n_codes, narrow=record_bytes(columns) * index.n_codes > FEW_RECORDS)
        fields = rows.table()
        table = np.array(rows.words(fields), np.int64)
        task = kernels.scatter_records(index.codes.source, address_of(table), keep_alive=(self, rows, fields, table))
        run(task, index.codes.n_rows, SLICE_ROWS, operation=OPERATION)
        return rows

    def _packed_outputs(self, rows: PackedRows) -> tuple[list[int], list[Block], list[Block | None]]:
        """One row of the kernel's table of records, and where the values and validities go."""
        n_pairs = self.pairs.n_pairs
        values = [allocate(n_pairs * one.width, OPERATION) if one.width else self._bits() for one in rows.fields]
        valid = [self._bits() if one.valid_bit >= 0 else None for one in rows.fields]
        table = rows.table(values, valid)
        self.keep += [rows, table]
        return rows.words(table), values, valid

    def _want_column(self, side: int, name: str, column: Column) -> None:
        source = codes_column(column) if column.is_encoded else column
        width, view = (0 if form_of(source) is Form.BITS else source.dtype.width), source.view
        values = allocate(self.pairs.n_pairs * width, OPERATION) if width else self._bits()
        far = side == kernels.BUILD and width * self.pairs.n_build > CACHED_BYTES
        self.outputs.append((view.values, view.bit_offset, width, side, far, values.address))
        validity = None
        if view.validity:
            validity = self._bits()
            self.outputs.append((view.validity, view.bit_offset, 0, side, far, validity.address))
        self.row_bytes += max(width, 1)
        self.wanted.append(Wanted(name, column, source, side, values, validity))

    def _presence(self) -> Block | None:
        """Which pairs have a build row, written for groups only: with a map that is which probe rows have one."""
        if isinstance(self.pairs.index, RowMap):
            return None
        bits = self._bits()
        self.outputs.append((0, 0, 0, kernels.BUILD, False, bits.address))
        return bits

    def _bits(self) -> Block:
        """A bitmap for all pairs, cleared where slices meet inside a byte."""
        out = allocate_bits(self.pairs.n_pairs, OPERATION)
        meeting = self.pairs.starts >> 3   # ascending
        meeting = meeting[np.diff(meeting, prepend=-1) > 0]
        np.frombuffer(out, np.uint8)[meeting[meeting < len(out)]] = 0   # type: ignore[call-overload]
        return out

    def _emit(self, records: list[list[int]]) -> None:
        if not self.outputs and not records:
            return
        pairs = self.pairs
        outputs = np.array(self.outputs, np.int64).reshape(-1, kernels.OUTPUT_WORDS)
        table = np.array(records, np.int64).reshape(-1, kernels.RECORD_WORDS)
        words = 0 if pairs.words is None or pairs.keeps_unmatched or pairs.n_unmatched == 0 else address_of(pairs.words)
        occurrence, found, n_found = self._looked_up()
        task = kernels.emit_pairs(
            pairs.probe.source, (0, 0, 0) if self.by_code else pairs.index.addresses, words, address_of(pairs.starts),
            (address_of(outputs), len(outputs)), (address_of(table), len(table)),
            build=occurrence, found=found, keeps_unmatched=pairs.keeps_unmatched, misses=pairs.misses, prefetch=pairs.index.is_far,
            streams=is_streamed(pairs.n_pairs * self.row_bytes), keep_alive=(self, outputs, table, n_found),
        )  # fmt: skip
        run(task, pairs.probe.n_rows, SLICE_ROWS, operation=OPERATION)
        if n_found is not None:
            self.n_absent = pairs.n_pairs - sum(n_found.tolist())

    def _looked_up(self) -> tuple[tuple[int, int, int], tuple[int, int], Array | None]:
        """Of a map whose probe rows all come out: where the kernel looks, what it finds on its way, the matches per slice."""
        pairs, index = self.pairs, self.pairs.index
        if not pairs.misses or not isinstance(index, RowMap):
            return (0, 0, 0), (0, 0), None
        self.words = allocate_array(-(-pairs.n_pairs // 64), np.uint64, OPERATION)
        n_found = np.zeros(n_slices(pairs.n_pairs), np.int64)   # a slice without pairs does not write its own
        return index.occurrence.addresses, (address_of(self.words), address_of(n_found)), n_found
