"""The first rows of an order by selection: rows beyond a bound that a sample gives are never sorted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from fastframe._kernels import sort as kernels
from fastframe._kernels.sort import SortKeys
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate_array, allocate_bits
from fastframe.dtypes import BOOL
from fastframe.engines.cpu.filter import mask_rows
from fastframe.engines.cpu.sort import SMALL_ROWS, sort_rows
from fastframe.engines.cpu.sort_keys import OPERATION, Array, digits_of, sort_keys

SAMPLES = 1 << 14
MOST_SELECTED = 8   # of so many rows one: more are as well sorted with all the others


def first_rows(columns: Sequence[Column], *, descending: Sequence[bool], nulls_first: bool, limit: int) -> Array:
    """The first ``limit`` rows of `sort_rows`, mostly in one pass over the first key."""
    n_rows = len(columns[0])
    if n_rows > SMALL_ROWS and 0 < limit <= n_rows // MOST_SELECTED:
        keys = sort_keys(columns, descending, nulls_first, with_rows=False)
        if keys is None:
            return np.arange(limit, dtype=np.int32)
        rows = _candidates(keys, n_rows, limit)
        if rows is not None:
            words = [Column(pa.array(digits_of(keys, level, rows, len(rows)))) for level in range(keys.n_levels)]
            order = sort_rows(words, descending=[False] * len(words))
            return np.ascontiguousarray(rows[order[:limit]])
    return sort_rows(columns, descending=descending, nulls_first=nulls_first)[:limit]


def _candidates(keys: SortKeys, n_rows: int, limit: int) -> Array | None:
    """Ascending rows among which the first ``limit`` are, with all that tie in the first digit; None where they are too many."""
    sample = np.sort(digits_of(keys, 0, np.linspace(0, n_rows - 1, SAMPLES).astype(np.int32), SAMPLES))
    expected = limit * SAMPLES / n_rows
    while True:
        rank = int(expected + 4 * np.sqrt(expected) + 8)   # few draws are so far off
        highest = int(sample[rank]) if rank < SAMPLES else 2**64 - 1
        bits = allocate_bits(n_rows, OPERATION)
        counts = allocate_array(-(-n_rows // SLICE_ROWS), np.int64, OPERATION)
        task = kernels.low_digits(keys, highest, bits.address, counts.ctypes.data, keep_alive=(bits, counts))
        run(task, n_rows, SLICE_ROWS, operation=OPERATION)
        n_low = int(counts.sum())
        if n_low > n_rows // 2:
            return None
        if n_low >= limit:
            return mask_rows(column_from_buffers(BOOL, n_rows, bits))
        expected = 4 * expected + 8
