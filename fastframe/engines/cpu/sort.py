"""Stable sorting of rows by key columns: the permutation, by a parallel radix sort (``_kernels/sort.hpp``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastframe._kernels import sort as kernels
from fastframe._kernels.memory import address_of
from fastframe._kernels.sort import SortKeys, SortPass
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.order import group_order
from fastframe.engines.cpu.sort_buckets import fill_buckets
from fastframe.engines.cpu.sort_keys import OPERATION, Array, digits_of, sort_keys

__all__ = ["group_order", "known_direction", "order_words", "sort_rows"]

SMALL_ROWS = 1 << 16        # up to here: one thread, no buckets
DENSE_KEYS = 2              # possible keys per row up to which a counting sort of codes is faster than a sort of words
BUCKET_ROWS = 1 << 13       # aimed at: its words and their scratch stay in L2
LEAST_DEFERRED = 1 << 18    # shorter runs of equal digits are not worth all threads
DEFERRED_RUNS = 33          # at most: a run is deferred only where it has more than a 32nd of the rows


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
    keys = sort_keys(columns, descending, nulls_first, with_rows=True)
    if keys is None or n_rows < 2:
        return np.arange(n_rows, dtype=np.int32)
    if n_rows <= SMALL_ROWS:
        rows = allocate_array(n_rows, np.int32, OPERATION)
        run(kernels.sort_small(keys, address_of(rows), level=0, is_identity=True, keep_alive=rows), n_rows, n_rows, operation=OPERATION)
        return rows
    direction = known_direction(keys, n_rows)
    if direction:
        return np.ascontiguousarray(np.arange(n_rows, dtype=np.int32)[::direction])
    if keys.key_bits < 31 and 1 << keys.key_bits <= DENSE_KEYS * n_rows:
        codes = allocate_array(n_rows, np.uint32, OPERATION)
        run(kernels.read_codes(keys, address_of(codes), keep_alive=codes), n_rows, SLICE_ROWS, operation=OPERATION)
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
    keys = sort_keys([column], [descending], nulls_first, with_rows=False)
    return [digits_of(keys, level, None, n_rows) for level in range(keys.n_levels)] if keys is not None else []


def known_direction(keys: SortKeys, n_rows: int) -> int:
    """1 for rows that are in order already, -1 for the strict reverse, else 0; a sample rules most of these out."""
    sample = digits_of(keys, 0, np.linspace(0, n_rows - 1, 1 << 10).astype(np.int32), 1 << 10)
    if not ((sample[1:] >= sample[:-1]).all() or (sample[1:] <= sample[:-1]).all()):
        return 0
    n_slices = -(-n_rows // SLICE_ROWS)
    ascends, descends = allocate_array(n_slices, np.bool_, OPERATION), allocate_array(n_slices, np.bool_, OPERATION)
    task = kernels.check_order(keys, address_of(ascends), address_of(descends), keep_alive=(ascends, descends))
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)
    return 1 if ascends.all() else -1 if descends.all() else 0


def _sort_digit(
    keys: SortKeys, rows: Array, words: Array, level: int, *, is_identity: bool, start: int
) -> list[tuple[int, int, int]]:
    """Sorts ``rows`` by one digit and refines ties by the next; what is left comes back as ``(start, length, level)``."""
    n_rows = len(rows)
    one = SortPass(keys, address_of(rows), level=level, n_rows=n_rows, is_identity=is_identity, words=address_of(words))
    one.hold(rows, words)
    buckets = fill_buckets(keys, one, None if is_identity else rows, n_rows, level=level, wanted=-(-n_rows // BUCKET_ROWS))
    deferred = np.zeros((DEFERRED_RUNS, 2), dtype=np.int64)
    one.hold(deferred)
    run(one.scatter(address_of(buckets.starts)), n_rows, buckets.rows_per_slice, operation=OPERATION)
    run(one.finish(address_of(deferred), max(LEAST_DEFERRED, n_rows // 32)), len(buckets.single), 1, operation=OPERATION)
    return [(start + int(first), abs(int(length)), level + (length > 0)) for first, length in deferred if length]
