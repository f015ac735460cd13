"""`group_order`: rows in the order of their group codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels import order as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.row_codes import Codes, ColumnCodes, code_view
from fastframe.engines.cpu.slot_counts import OPERATION, count_codes

Array = np.ndarray[Any, Any]

MOST_SLOTS = 1 << 14     # up to here one scatter is faster than two (histograms in L2, write streams in the TLB)
PARTITIONS = 1 << 10     # of the first of two scatters


def group_order(codes: Codes, n_groups: int) -> tuple[Array, Array]:
    """Rows sorted by group code, stable: rows of one group keep their order.

    Parameters
    ----------
    codes : uint8, uint16 or uint32 array, or ColumnCodes
        ``0`` to ``n_groups - 1``; rows whose code has all bits set are left out.
    n_groups : int
        At most 2**31 - 1.

    Returns
    -------
    rows : int32 array
        Of the rows that are not left out.
    offsets : int32 array of ``n_groups + 1``
        Group ``g`` has ``rows[offsets[g]:offsets[g + 1]]``.

    Notes
    -----
    O(rows + groups); besides the result, at most a fifth of ``codes`` in histograms, and for more than `MOST_SLOTS`
    groups 8 bytes per row.
    """
    codes = codes if isinstance(codes, ColumnCodes) else np.ascontiguousarray(codes)
    offsets = allocate_array(n_groups + 1, np.int32, OPERATION)
    offsets[0] = 0
    if n_groups <= MOST_SLOTS or len(codes) <= MOST_SLOTS:
        return _scatter(codes, n_groups, 0, offsets, words=False), offsets
    shift = max(0, (n_groups - 1).bit_length() - PARTITIONS.bit_length() + 1)
    n_partitions = -(-n_groups >> shift)
    starts = allocate_array(n_partitions + 1, np.int32, OPERATION)
    starts[0] = 0
    words = _scatter(codes, n_partitions, shift, starts, words=True)
    rows = allocate_array(len(words), np.int32, OPERATION)
    task = kernels.order_partitions(
        address_of(words), address_of(starts), address_of(rows), address_of(offsets),
        n_groups=n_groups, shift=shift, keep_alive=(words, starts, rows, offsets),
    )  # fmt: skip
    run(task, n_partitions, 1, operation=OPERATION)
    return rows, offsets


def _scatter(codes: Codes, n_slots: int, shift: int, offsets: Array, *, words: bool) -> Array:
    """One counting sort by ``code >> shift`` into slots, whose offsets it fills."""
    slots = count_codes(codes, n_slots, shift, row_bytes=4)
    offsets[:] = slots.offsets
    items = allocate_array(slots.n_kept, np.uint64 if words else np.int32, OPERATION)
    task = kernels.scatter_slots(
        code_view(codes), address_of(slots.counts), address_of(slots.starts), address_of(items),
        n_slots=slots.width, shift=shift, drops=slots.n_kept < len(codes), words=words, keep_alive=(codes, slots, items),
    )  # fmt: skip
    run(task, len(codes), slots.per_slice, operation=OPERATION)
    return items
