"""Equi-depth buckets of a sort: which digits each one takes, and how many rows of each slice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastframe._kernels import order as order_kernels
from fastframe._kernels.sort import SortKeys, SortPass
from fastframe._threads import run, slice_rows
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.sort_keys import OPERATION, Array, digits_of

MOST_BUCKETS = 1 << 11
CELL_BITS = 16              # at most, of the table from a digit's leading bits to its bucket
SAMPLES_PER_BUCKET = 32


class Buckets(NamedTuple):
    """What `fill_buckets` found.

    ``starts`` (int32) has the rows before each bucket, and in all; slices of ``rows_per_slice`` were counted; ``single``
    tells of each bucket whether it can have rows of one digit alone.
    """

    starts: Array
    rows_per_slice: int
    single: Array

    @property
    def sizes(self) -> Array:
        """Rows of each bucket."""
        return np.diff(self.starts)


def fill_buckets(keys: SortKeys, one: SortPass, rows: Array | None, n_rows: int, *, level: int, wanted: int) -> Buckets:
    """Choose about ``wanted`` buckets for a digit of ``rows`` (None: all), and count: `one` is then ready to scatter."""
    single = _choose_buckets(keys, one, rows, n_rows, level=level, wanted=min(MOST_BUCKETS, wanted))
    n_buckets = len(single)
    per_slice = slice_rows(n_rows, n_buckets * 4, 8)
    n_slices = -(-n_rows // per_slice)
    counts = allocate_array(n_slices * n_buckets, np.uint32, OPERATION)
    totals = allocate_array(n_buckets, np.int32, OPERATION)
    starts = np.zeros(n_buckets + 1, dtype=np.int32)
    one.hold(counts, starts)
    run(one.count(counts.ctypes.data), n_rows, per_slice, operation=OPERATION)
    task = order_kernels.total_slots(counts.ctypes.data, totals.ctypes.data, n_slots=n_buckets, n_slices=n_slices, keep_alive=(counts, totals))
    run(task, n_buckets, n_buckets, operation=OPERATION)
    np.cumsum(totals, out=starts[1:])
    return Buckets(starts, per_slice, single)


def _choose_buckets(keys: SortKeys, one: SortPass, rows: Array | None, n_rows: int, *, level: int, wanted: int) -> Array:
    """Buckets of about equal rows by a sample, as a table over cells: equal parts of where most of the digits lie.

    Cells span the sample without a thousandth at either end, so that a few far values do not thin them out. A cell with
    more than its share starts a bucket: a frequent value gets one of its own, which needs no sorting. Which buckets are
    of one digit comes back.
    """
    n_samples = wanted * SAMPLES_PER_BUCKET
    places = np.linspace(0, n_rows - 1, n_samples).astype(np.int32)
    sample = np.sort(digits_of(keys, level, places if rows is None else rows[places], n_samples))
    base, top = int(sample[n_samples // 1000]), int(sample[-1 - n_samples // 1000])
    shift = max(0, (top - base).bit_length() - min(CELL_BITS, wanted.bit_length() + 8))
    n_cells = ((top - base) >> shift) + 3    # one for what is below, one for what is beyond
    cells = (np.clip(sample, base, top) - np.uint64(base)) >> np.uint64(shift)
    counts = np.bincount(cells.astype(np.int64) + 1, minlength=n_cells)
    share = (np.cumsum(counts) - counts) // SAMPLES_PER_BUCKET
    bucket_of_cell = np.cumsum(np.diff(share, prepend=0) + (counts >= SAMPLES_PER_BUCKET) > 0).astype(np.uint16)
    n_buckets = int(bucket_of_cell[-1]) + 1
    one.hold(bucket_of_cell)
    one.set_buckets(bucket_of_cell.ctypes.data, cell_base=base, cell_shift=shift, n_cells=n_cells, n_buckets=n_buckets)
    single = (np.bincount(bucket_of_cell, minlength=n_buckets) == 1) & (shift == 0)
    single[bucket_of_cell[[0, -1]]] = False
    return single
