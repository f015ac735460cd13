"""Counts of codes by slice and slot, the first half of a counting sort: `count_codes` gives where each slice's rows go."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels import order as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run, slice_rows
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.row_codes import Codes, code_view
from fastframe.records import record

Array = np.ndarray[Any, Any]

OPERATION = "ordering rows by group"
_LINE_COUNTS = 32   # counters of two lines: the processor fetches lines in pairs


@record(frozen=True, eq=False)
class SlotCounts:
    """How rows spread over slots ``code >> shift``.

    Attributes
    ----------
    counts : numpy.ndarray of uint32
        Per slice ``width`` counters: the rows of earlier slices in each slot. The last is of rows left out.
    starts : numpy.ndarray of int32
        ``width`` entries: the first place of each slot; from ``n_slots`` on, the number of rows that are not left out.
    """

    counts: Array
    starts: Array
    n_slots: int
    per_slice: int

    @property
    def width(self) -> int:
        return len(self.starts)

    @property
    def n_kept(self) -> int:
        return int(self.starts[self.n_slots])

    @property
    def offsets(self) -> Array:
        """Of the slots, and the end."""
        return self.starts[: self.n_slots + 1]


def count_codes(codes: Codes, n_slots: int, shift: int, *, row_bytes: int) -> SlotCounts:
    """Counts for codes whose slots are below ``n_slots``, or that are to be left out (all bits set).

    ``row_bytes`` is what a pass over the rows reads and writes for each. The counters of two slices share no line of the cache.
    """
    n_rows = len(codes)
    width = -(-(n_slots + 1) // _LINE_COUNTS) * _LINE_COUNTS
    per_slice = slice_rows(n_rows, width * 4, row_bytes)
    n_slices = -(-n_rows // per_slice)
    counts = allocate_array(n_slices * width, np.uint32, OPERATION)
    totals = allocate_array(width, np.int32, OPERATION)
    starts = np.zeros(width, np.int32)
    count = kernels.count_slots(code_view(codes), address_of(counts), n_slots=width, shift=shift, keep_alive=(codes, counts))
    run(count, n_rows, per_slice, operation=OPERATION)
    total = kernels.total_slots(address_of(counts), address_of(totals), n_slots=width, n_slices=n_slices, keep_alive=(counts, totals))
    run(total, width, 1024, operation=OPERATION)
    np.cumsum(totals[:-1], out=starts[1:])
    return SlotCounts(counts, starts, n_slots, per_slice)
