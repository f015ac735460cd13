"""Stable sorting of rows by key columns: keys to unsigned fields, then a parallel radix sort (``_kernels/sort.hpp``)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import order as order_kernels
from fastframe._kernels import sort as kernels
from fastframe._kernels.sort import SortKeys, SortPass
from fastframe._threads import SLICE_ROWS, run, slice_rows
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Kind, Physical
from fastframe.engines.cpu.keys_text import encode_text, ranks
from fastframe.engines.cpu.order import group_order
from fastframe.errors import DTypeError

__all__ = ["group_order", "order_words", "sort_rows"]

Array = np.ndarray[Any, Any]

OPERATION = "sorting"
SMALL_ROWS = 1 << 16        # up to here: one thread, no buckets
DENSE_KEYS = 2              # possible keys per row up to which a counting sort of codes is faster than a sort of words
BUCKET_ROWS = 1 << 13       # aimed at: its words and their scratch stay in L2
MOST_BUCKETS = 1 << 11
CELL_BITS = 16              # at most, of the table from a digit's leading bits to its bucket
SAMPLES_PER_BUCKET = 32
LEAST_DEFERRED = 1 << 18    # shorter runs of equal digits are not worth all threads
DEFERRED_RUNS = 33          # at most: a run is deferred only where it has more than a 32nd of the rows
ALL_ONES = 2**64 - 1


class FieldPart(IntEnum):
    """What of a value a field holds; keep in step with ``_kernels/sort.hpp``."""

    WHOLE = 0
    HIGH = 1
    LOW = 2
    MISSING = 3


class SortField(NamedTuple):
    """One unsigned field of a sort key, as `SortKeys` takes it: ``(((word ^ flip) - base) >> drop) + bias``."""

    view: tuple[int, int, int, int]
    ranks: int
    physical: int
    part: int
    has_missing: bool
    flip: int
    base: int
    bias: int
    missing: int
    drop: int
    width: int


class WordRange(NamedTuple):
    """Smallest and largest unsigned word of a column's present values, and bits (of the low word) that vary."""

    low: int
    high: int
    varying: int
    n_missing: int


class _Source(NamedTuple):
    """Where a key's words come from: a column as kernels see it, and the ranks of its codes where they have some."""

    column: Column
    physical: Physical
    ranks: Array | None
    range: WordRange


def sort_rows(columns: Sequence[Column], *, descending: Sequence[bool], nulls_first: bool = False) -> Array:
    """The stable permutation that sorts rows by several keys, the first one first.

    Parameters
    ----------
    columns : sequence of Column
        Keys of one length. Text by its bytes (code points), categories in their order, False before True.
    descending : sequence of bool
        One per key. Equal keys keep their order in both directions.
    nulls_first : bool
        Missing values (null and NaN, which are equal; -0.0 equals 0.0) come last in both directions unless this is set.

    Returns
    -------
    int32 array

    Raises
    ------
    DTypeError
        For nested and other dtypes without an order.

    Notes
    -----
    O(rows) for keys of up to 64 bits less a row number's; 12 bytes per row with the result.
    """
    n_rows = len(columns[0])
    keys = _sort_keys(columns, descending, nulls_first, with_rows=True)
    if keys is None or n_rows < 2:
        return np.arange(n_rows, dtype=np.int32)
    if n_rows <= SMALL_ROWS:
        rows = allocate_array(n_rows, np.int32, OPERATION)
        run(kernels.sort_small(keys, rows.ctypes.data, level=0, is_identity=True, keep_alive=rows), n_rows, n_rows, operation=OPERATION)
        return rows
    known = _known_order(keys, n_rows)
    if known is not None:
        return known
    if keys.key_bits < 31 and 1 << keys.key_bits <= DENSE_KEYS * n_rows:
        codes = allocate_array(n_rows, np.uint32, OPERATION)
        run(kernels.read_codes(keys, codes.ctypes.data, keep_alive=codes), n_rows, SLICE_ROWS, operation=OPERATION)
        return group_order(codes, 1 << keys.key_bits)[0]
    words = allocate_array(n_rows, np.uint64, OPERATION)
    rows = allocate_array(n_rows, np.int32, OPERATION)
    pending = _sort_digit(keys, rows, words, 0, is_identity=True, start=0)
    while pending:
        start, length, level = pending.pop()
        pending += _sort_digit(keys, rows[start : start + length], words, level, is_identity=False, start=start)
    return rows


def order_words(column: Column, *, descending: bool = False, nulls_first: bool = False) -> list[Array]:
    """Unsigned words whose order, compared one after the other, is the column's sort order; equal where values are.

    Usually one uint64 array; none where all values are equal, two for wide decimals and 64-bit integers with nulls.
    """
    n_rows = len(column)
    keys = _sort_keys([column], [descending], nulls_first, with_rows=False)
    return [_digits(keys, level, None, n_rows) for level in range(keys.n_levels)] if keys is not None else []


def _sort_keys(columns: Sequence[Column], descending: Sequence[bool], nulls_first: bool, *, with_rows: bool) -> SortKeys | None:
    """The fields of all keys, in digits that leave room for a row number or not; None where all rows are equal."""
    sources = [_source(column) for column in columns]
    fields: list[SortField] = []
    for source, down in zip(sources, descending, strict=True):
        if source is not None:
            fields += _fields(source, down, nulls_first)
    return SortKeys(fields, len(columns[0]) if with_rows else 0, sources) if fields else None


def _source(column: Column) -> _Source | None:
    kind = column.dtype.kind
    if kind is Kind.NULL:
        return None
    if kind is Kind.CATEGORY:
        return _Source(column, Physical.U32, None, _code_range(column))
    if column.dtype.is_text:
        encoded = encode_text(column)
        return _Source(encoded, Physical.U32, ranks(encoded), _code_range(encoded))
    if column.dtype == "float16":
        column = Column(column.array.cast(pa.float32()))
    if column.physical is None or kind in (Kind.NESTED, Kind.OTHER):
        raise DTypeError.of_operation(OPERATION, column.dtype)
    return _Source(column, column.physical, None, column.fact("word_range", lambda: _scan_range(column)))


def _code_range(column: Column) -> WordRange:
    return WordRange(0, max(0, len(column.dictionary) - 1), ALL_ONES, column.null_count)


def _scan_range(column: Column) -> WordRange:
    n_rows = len(column)
    physical = column.physical
    assert physical is not None
    ranges = allocate_array(-(-n_rows // SLICE_ROWS) * kernels.RANGE_WORDS, np.uint64, OPERATION).reshape(-1, kernels.RANGE_WORDS)
    has_missing = column.null_count > 0 or column.dtype.kind is Kind.FLOAT
    task = kernels.scan_range(column.view, ranges.ctypes.data, physical=physical, has_missing=has_missing, keep_alive=(column, ranges))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    parts = ranges.tolist()
    low = min((high_word << 64 | low_word for high_word, low_word in ((part[0], part[1]) for part in parts)), default=0)
    high = max((high_word << 64 | low_word for high_word, low_word in ((part[2], part[3]) for part in parts)), default=0)
    all_and = int(np.bitwise_and.reduce(ranges[:, 4], initial=ALL_ONES))
    all_or = int(np.bitwise_or.reduce(ranges[:, 5], initial=0))
    return WordRange(low, high, all_or & ~all_and, int(ranges[:, 6].sum()))


def _fields(source: _Source, down: bool, nulls_first: bool) -> list[SortField]:
    """The fields of one key, the most significant first; those that are the same in all rows are left out."""
    found, n_rows = source.range, len(source.column)
    if found.n_missing == n_rows:
        return []
    view, ranks = source.column.view, source.ranks.ctypes.data if source.ranks is not None else 0
    has_missing = found.n_missing > 0

    def field(part: FieldPart, low: int, high: int, drop: int, *, marks_missing: bool) -> SortField:
        span = (high - low) >> drop
        marks = marks_missing and has_missing
        missing = 0 if nulls_first or not marks else span + 1
        flip = ALL_ONES if down else 0
        base = ((high if down else low) ^ flip) & ALL_ONES
        width = (span + marks).bit_length()
        return SortField(view, ranks, source.physical, part, has_missing, flip, base, int(marks and nulls_first), missing, drop, width)

    flag = field(FieldPart.MISSING, 0, 0, 0, marks_missing=True)._replace(flip=0, base=0)
    if found.high - found.low > ALL_ONES:
        high_word = field(FieldPart.HIGH, found.low >> 64, found.high >> 64, 0, marks_missing=False)
        fields = [flag, high_word, field(FieldPart.LOW, 0, ALL_ONES, 0, marks_missing=False)]
    elif found.high - found.low == ALL_ONES and has_missing:
        fields = [flag, field(FieldPart.WHOLE, found.low, found.high, 0, marks_missing=False)]
    else:
        drop = (found.varying & -found.varying).bit_length() - 1 if found.varying and found.high >> 64 == found.low >> 64 else 0
        fields = [field(FieldPart.WHOLE, found.low, found.high, drop, marks_missing=True)]
    return [one for one in fields if one.width > 0]


def _digits(keys: SortKeys, level: int, rows: Array | None, n_rows: int) -> Array:
    digits = allocate_array(n_rows, np.uint64, OPERATION)
    address = rows.ctypes.data if rows is not None else 0
    task = kernels.read_digits(keys, address, digits.ctypes.data, level=level, keep_alive=(rows, digits))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    return digits


def _known_order(keys: SortKeys, n_rows: int) -> Array | None:
    """The permutation of rows that are in order already, or in the reverse of it; a sample rules most others out."""
    sample = _digits(keys, 0, np.linspace(0, n_rows - 1, 1 << 10).astype(np.int32), 1 << 10)
    if not ((sample[1:] >= sample[:-1]).all() or (sample[1:] <= sample[:-1]).all()):
        return None
    n_slices = -(-n_rows // SLICE_ROWS)
    ascends, descends = allocate_array(n_slices, np.bool_, OPERATION), allocate_array(n_slices, np.bool_, OPERATION)
    task = kernels.check_order(keys, ascends.ctypes.data, descends.ctypes.data, keep_alive=(ascends, descends))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    if ascends.all():
        return np.arange(n_rows, dtype=np.int32)
    return np.arange(n_rows - 1, -1, -1, dtype=np.int32) if descends.all() else None


def _sort_digit(
    keys: SortKeys, rows: Array, words: Array, level: int, *, is_identity: bool, start: int
) -> list[tuple[int, int, int]]:
    """Sorts ``rows`` by one digit and refines ties by the next; what is left comes back as ``(start, length, level)``."""
    n_rows = len(rows)
    one = SortPass(keys, rows.ctypes.data, level=level, n_rows=n_rows, is_identity=is_identity, words=words.ctypes.data)
    one.hold(rows, words)
    n_buckets = _choose_buckets(keys, one, None if is_identity else rows, n_rows, level)
    per_slice = slice_rows(n_rows, n_buckets * 4, 8)
    n_slices = -(-n_rows // per_slice)
    counts = allocate_array(n_slices * n_buckets, np.uint32, OPERATION)
    totals = allocate_array(n_buckets, np.int32, OPERATION)
    starts = np.zeros(n_buckets + 1, dtype=np.int32)
    deferred = np.zeros((DEFERRED_RUNS, 2), dtype=np.int64)
    one.hold(counts, starts, deferred)
    run(one.count(counts.ctypes.data), n_rows, per_slice, operation=OPERATION)
    task = order_kernels.total_slots(counts.ctypes.data, totals.ctypes.data, n_slots=n_buckets, n_slices=n_slices, keep_alive=(counts, totals))
    run(task, n_buckets, n_buckets, operation=OPERATION)
    np.cumsum(totals, out=starts[1:])
    run(one.scatter(starts.ctypes.data), n_rows, per_slice, operation=OPERATION)
    run(one.finish(deferred.ctypes.data, max(LEAST_DEFERRED, n_rows // 32)), n_buckets, 1, operation=OPERATION)
    return [(start + int(first), abs(int(length)), level + (length > 0)) for first, length in deferred if length]


def _choose_buckets(keys: SortKeys, one: SortPass, rows: Array | None, n_rows: int, level: int) -> int:
    """Buckets of about equal rows by a sample, as a table over cells: equal parts of where most of the digits lie.

    Cells span the sample without a thousandth at either end, so that a few far values do not thin them out. A cell with
    more than its share starts a bucket: a frequent value gets one of its own, which needs no sorting.
    """
    wanted = min(MOST_BUCKETS, -(-n_rows // BUCKET_ROWS))
    n_samples = wanted * SAMPLES_PER_BUCKET
    places = np.linspace(0, n_rows - 1, n_samples).astype(np.int32)
    sample = np.sort(_digits(keys, level, places if rows is None else rows[places], n_samples))
    base, top = int(sample[n_samples // 1000]), int(sample[-1 - n_samples // 1000])
    shift = max(0, (top - base).bit_length() - min(CELL_BITS, wanted.bit_length() + 8))
    n_cells = ((top - base) >> shift) + 3    # one for what is below, one for what is beyond
    cells = (np.clip(sample, base, top) - np.uint64(base)) >> np.uint64(shift)
    counts = np.bincount(cells.astype(np.int64) + 1, minlength=n_cells)
    share = (np.cumsum(counts) - counts) // SAMPLES_PER_BUCKET
    bucket_of_cell = np.cumsum(np.diff(share, prepend=0) + (counts >= SAMPLES_PER_BUCKET) > 0).astype(np.uint16)
    one.hold(bucket_of_cell)
    one.set_buckets(bucket_of_cell.ctypes.data, cell_base=base, cell_shift=shift, n_cells=n_cells, n_buckets=int(bucket_of_cell[-1]) + 1)
    return int(bucket_of_cell[-1]) + 1
