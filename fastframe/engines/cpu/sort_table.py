"""Sorting a table: whole rows move as records (``_kernels/sort_records.hpp``) where they can, else by a permutation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastframe._kernels import sort_records as kernels
from fastframe._kernels.memory import Block, address_of
from fastframe._kernels.sort import SortKeys, SortPass
from fastframe._kernels.sort_records import RecordSort
from fastframe._threads import run
from fastframe.column.column import Column
from fastframe.column.memory import allocate, allocate_array, is_streamed
from fastframe.column.range import RangeColumn
from fastframe.column.table import Table
from fastframe.dtypes import Physical
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.forms import Form, Rows, fixed_array, form_of, rewrapped
from fastframe.engines.cpu.sort import LEAST_DEFERRED, SMALL_ROWS, known_direction, sort_rows
from fastframe.engines.cpu.sort_buckets import Buckets, fill_buckets
from fastframe.engines.cpu.sort_first import first_rows
from fastframe.engines.cpu.sort_keys import ALL_ONES, OPERATION, Array, sort_keys
from fastframe.engines.cpu.take import TakePlan, slim, taken_validity
from fastframe.engines.cpu.take_table import movable, take_columns

BUCKET_BYTES = 256 << 10   # aimed at: records of one bucket, which are read from L2
PIECE_ROWS = 1 << 13       # of equal keys, which need no sorting and may be split
PIECES_PER_SLICE = 4       # share their scratch
_INTEGERS = {Physical.I16, Physical.I32, Physical.I64, Physical.U16, Physical.U32, Physical.U64}


class Part(NamedTuple):
    """What of a column a record holds: ``bits`` of ``value - base``, as the kernel's ``RecordField`` describes it."""

    values: int   # address; 0 for the row number
    out: int      # address
    bits: int
    base: int
    width: int
    stride: int


class Layout:
    """The words of a record: the key at the low end of the first, parts in the first word with room for them."""

    def __init__(self, key_bits: int) -> None:
        self.fields: list[tuple[int, ...]] = []
        self.free = [64 - key_bits]   # bits of each word

    def add(self, part: Part) -> bool:
        """Give the part a place; False where there is none."""
        word = next((number for number, room in enumerate(self.free) if room >= part.bits), len(self.free))
        if word == kernels.MOST_WORDS:
            return False
        if word == len(self.free):
            self.free.append(64)
        mask = (1 << part.bits) - 1
        self.fields.append((part.values, part.out, part.base & ALL_ONES, mask, part.width, part.stride, word, 64 - self.free[word]))
        self.free[word] -= part.bits
        return True

    @property
    def n_words(self) -> int:
        return len(self.free)


def layouts_of(key_bits: int, parts: list[Part]) -> list[Layout]:
    """Layouts that together hold all parts: the widest first, so that narrow ones fill what is left of words."""
    layouts = [Layout(key_bits)]
    for part in sorted(parts, key=lambda one: -one.bits):
        if not any(layout.add(part) for layout in layouts):
            layouts.append(Layout(key_bits))
            layouts[-1].add(part)
    return layouts


def sorted_table(
    table: Table, by: Sequence[str], *, descending: Sequence[bool], nulls_first: bool, limit: int | None = None
) -> Table:
    """The rows (the first ``limit`` of them) of a table in the order of some columns, stable; see `sort_rows`.

    Rows that are in order already share their columns.

    Notes
    -----
    Besides the result, records of at most 128 bytes per row (the key, the row number and the values, in as many bits as
    their ranges need), or where a permutation is made, 12 bytes per row.
    """
    columns = [table[name] for name in by]
    if limit is not None and limit < table.n_rows:
        rows = first_rows(columns, descending=descending, nulls_first=nulls_first, limit=limit)
        return _by_rows(table, rows)
    if table.n_rows > SMALL_ROWS:
        keys = sort_keys(columns, descending, nulls_first, with_rows=False)
        direction = 1 if keys is None else known_direction(keys, table.n_rows)
        if direction > 0:
            return table
        if direction == 0 and keys is not None and keys.n_levels == 1:
            found = _by_records(table, keys)
            if found is not None:
                return found
    rows = sort_rows(columns, descending=descending, nulls_first=nulls_first)
    return _by_rows(table, rows)


def _by_rows(table: Table, rows: Rows) -> Table:
    return Table.of(take_columns(table.columns, TakePlan(rows, table.n_rows, missing=False, known=True)), len(rows))


def _by_records(table: Table, keys: SortKeys) -> Table | None:
    """The sorted table by records; None where one thread would have to sort much of it."""
    n_rows = table.n_rows
    columns = {name: movable(column) for name, column in table.columns.items() if not isinstance(column, RangeColumn)}
    columns = {name: column for name, column in columns.items() if form_of(column) in (Form.FIXED, Form.ENCODED)}
    rows = allocate_array(n_rows, np.int32, OPERATION)
    blocks = {name: allocate(n_rows * _width(column), OPERATION) for name, column in columns.items()}
    parts = [Part(0, address_of(rows), (n_rows - 1).bit_length(), 0, 4, 4)]
    for name, column in columns.items():
        parts += _parts(column, blocks[name].address)
    for layout in layouts_of(keys.key_bits, parts):
        if not _sort_records(keys, layout, n_rows, (rows, blocks, columns)):
            return None
    plan = TakePlan(rows, n_rows, missing=False, known=True)
    made = {name: _column(column, blocks[name], plan) for name, column in columns.items()}
    rest = take_columns({name: column for name, column in table.columns.items() if name not in made}, plan)
    return Table.of({name: made[name] if name in made else rest[name] for name in table.columns}, n_rows)


def _width(column: Column) -> int:
    return 4 if column.is_encoded else column.dtype.width


def _parts(column: Column, out: int) -> list[Part]:
    """A column's parts: integers and codes in the bits that their range needs, decimals as two words."""
    width, values = _width(column), column.view.values
    if width == 16:
        return [Part(values + half, out + half, 64, 0, 8, 16) for half in (0, 8)]
    bits, base = 8 * width, 0
    if column.is_encoded:
        bits = (len(column.dictionary) - 1).bit_length()
    elif column.physical in _INTEGERS:
        found = value_range(column)
        low, high = found.min or 0, found.max or 0   # None where all are missing
        bits, base = (int(high) - int(low)).bit_length(), int(low)
    return [Part(values, out, max(1, bits), base, width, width)]


def _column(source: Column, values: Block, plan: TakePlan) -> Column:
    validity = taken_validity(source, plan)
    if source.is_encoded:
        return slim(rewrapped(source, fixed_array(source.codes.type, plan.n_rows, values, validity)))
    return Column(fixed_array(source.array.type, plan.n_rows, values, validity), source.dtype)


def _sort_records(keys: SortKeys, layout: Layout, n_rows: int, keep: Any) -> bool:
    """Sort all rows and fill the outputs of a layout; False, and nothing done, where a bucket is far too large."""
    record_bytes = 8 * layout.n_words
    records = allocate(n_rows * record_bytes, OPERATION)
    one = SortPass(keys, 0, level=0, n_rows=n_rows, is_identity=True, words=records.address)
    one.hold(records, keep)
    buckets = fill_buckets(keys, one, None, n_rows, level=0, wanted=-(-n_rows * record_bytes // BUCKET_BYTES))
    if buckets.sizes[~buckets.single].max(initial=0) > max(LEAST_DEFERRED, n_rows // 32):
        return False
    pieces = _pieces(buckets)
    streams = is_streamed(n_rows * record_bytes)
    moved = RecordSort(one, layout.fields, n_words=layout.n_words, streams=streams, keep_alive=pieces)
    run(moved.scatter(address_of(buckets.starts)), n_rows, buckets.rows_per_slice, operation=OPERATION)
    run(moved.finish(address_of(pieces)), len(pieces), PIECES_PER_SLICE, operation=OPERATION)
    return True


def _pieces(buckets: Buckets) -> Array:
    """``(first, stop)`` of what one thread finishes: a bucket, or a part of one whose keys are all equal."""
    n_pieces = np.where(buckets.single, -(-buckets.sizes // PIECE_ROWS), 1)
    of_bucket = np.repeat(np.arange(len(n_pieces)), n_pieces)
    number = np.arange(len(of_bucket)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    first = buckets.starts[of_bucket] + number * PIECE_ROWS
    stop = np.where(buckets.single[of_bucket], np.minimum(first + PIECE_ROWS, buckets.starts[of_bucket + 1]), buckets.starts[of_bucket + 1])
    return np.ascontiguousarray(np.stack([first, stop], axis=1), dtype=np.int64)
