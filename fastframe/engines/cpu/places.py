"""Where rows go when they are brought together by group: `placed`, kept for the next function of the same groups.

Values are carried to their places by a scatter and results come back by a gather (``_kernels/places.hpp``). Where
the rows of each group are together already, in group order, nothing is carried at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np

from fastframe._kernels import places as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run
from fastframe.column import cache
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Physical
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.groups import Groups, remapped, widened
from fastframe.engines.cpu.row_codes import Codes, ColumnCodes, code_view
from fastframe.engines.cpu.scatter import PARTITION_SLICE, fine_partitions
from fastframe.engines.cpu.slot_counts import OPERATION, count_codes
from fastframe.records import record

Array = np.ndarray[Any, Any]

MOST_DIRECT = 1 << 11   # groups that one step tells apart: their open lines fit the second-level cache
_FLOATS = (Physical.F32, Physical.F64)


@record(frozen=True, eq=False)
class Places:
    """Rows by group.

    Attributes
    ----------
    offsets : numpy.ndarray of int32
        Group ``g`` has the places ``offsets[g]`` to ``offsets[g + 1]``; its rows keep their order.
    steps : tuple of numpy.ndarray of int32
        The way of each row: its place (-1: it has none), with two steps the place of that place. None: every row's place
        is its own number.
    n_rows : int
    """

    offsets: Array
    steps: tuple[Array, ...]
    n_rows: int
    found: dict[str, Any] = field(default_factory=dict, repr=False)   # what is made of them for the next call

    @property
    def n_placed(self) -> int:
        return int(self.offsets[-1])

    @property
    def n_bytes(self) -> int:
        """Bytes of these arrays, and of what is made of the offsets."""
        return 6 * int(self.offsets.nbytes) + sum(step.nbytes for step in self.steps)

    @cached_property
    def of_rows(self) -> Array:
        """Each row's place, -1 where it has none."""
        if not self.steps:
            return np.arange(self.n_rows, dtype=np.int32)
        first, *second = self.steps
        if not second:
            return first
        (inner,) = second
        return np.where(first >= 0, inner[first], np.int32(-1)) if len(inner) else first


def placed(groups: Groups, keys: Sequence[Column], name: tuple[object, ...], needed: Sequence[Column]) -> Places:
    """The places of the rows that are in a group and have a value in each of the ``needed`` columns.

    Kept on the key columns under ``name``, which says how they were grouped, and on the needed columns that lack values.
    """
    lacking = [column for column in needed if lacks_values(column)]
    name = ("places", *name)
    kept = cache.find([*keys, *lacking], name)
    if isinstance(kept, Places):
        return kept
    found = _place(_codes_of(groups, lacking), groups.n_groups)
    cache.keep([*keys, *lacking], name, found, found.n_bytes)
    return found


def lacks_values(column: Column) -> bool:
    """Whether some value is null or NaN."""
    if column.null_count:
        return True
    return column.physical in _FLOATS and value_range(column).has_nan


def _codes_of(groups: Groups, lacking: Sequence[Column]) -> Codes:
    """The rows' groups; all bits set where a needed value is missing, too."""
    codes = groups.codes if isinstance(groups.codes, ColumnCodes) else np.ascontiguousarray(groups.codes)
    if not lacking:
        return codes
    own = remapped(codes, None, np.uint32 if isinstance(codes, ColumnCodes) else codes.dtype)
    for column in lacking:
        floats = column.physical in _FLOATS
        view = column.view if floats else column.validity_view
        physical = column.physical if floats else Physical.I8
        task = kernels.drop_missing(int(physical or 0), view, address_of(own), own.itemsize, (column, own))
        run(task, len(own), operation=OPERATION)
    return own


def _place(codes: Codes, n_groups: int) -> Places:
    offsets = allocate_array(n_groups + 1, np.int32, OPERATION)
    if len(codes) == 0 or n_groups == 0:
        offsets[:] = 0
        return Places(offsets, (np.full(len(codes), -1, np.int32),) if len(codes) else (), len(codes))
    if _together(codes, offsets, n_groups):
        return Places(offsets, (), len(codes))
    if n_groups <= MOST_DIRECT:
        return Places(offsets, (_step(codes, offsets, 0),), len(codes))
    n_partitions, shift = fine_partitions(n_groups)
    starts = allocate_array(n_partitions + 1, np.int32, OPERATION)
    first = _step(codes, starts, shift)
    n_placed = int(starts[-1])
    wide = widened(codes)
    inside, second = allocate_array(n_placed, np.uint32, OPERATION), allocate_array(n_placed, np.int32, OPERATION)
    carry = kernels.carry(Physical.U32, (address_of(wide), 0, 0, len(wide)), address_of(first), address_of(inside), keep_alive=(wide, first, inside))
    run(carry, len(codes), operation=OPERATION)
    task = kernels.place_in_partitions(
        address_of(inside), address_of(starts), address_of(second), address_of(offsets),
        n_groups=n_groups, shift=shift, keep_alive=(inside, starts, second, offsets),
    )  # fmt: skip
    run(task, n_partitions, PARTITION_SLICE, operation=OPERATION)
    offsets[n_groups] = n_placed
    return Places(offsets, (first, second), len(codes))


def _together(codes: Codes, offsets: Array, n_groups: int) -> bool:
    """Whether all rows are in group order as they are; then ``offsets`` are filled. A random order shows in the first rows."""
    offsets[:] = -1
    if run(kernels.ascending(code_view(codes), address_of(offsets), (codes, offsets)), len(codes), operation=OPERATION) is not None:
        return False
    offsets[n_groups] = len(codes)
    if offsets.min() < 0:   # groups without rows begin where the next one does
        offsets[:] = np.minimum.accumulate(np.where(offsets < 0, len(codes), offsets)[::-1])[::-1]
    return True


def _step(codes: Codes, offsets: Array, shift: int) -> Array:
    """Places by ``codes >> shift``, whose ``offsets`` are filled: a counting sort that writes places, not rows."""
    slots = count_codes(codes, len(offsets) - 1, shift, row_bytes=codes.itemsize + 8)
    offsets[:] = slots.offsets
    places = allocate_array(len(codes), np.int32, OPERATION)
    at = (code_view(codes), address_of(slots.counts), address_of(slots.starts), address_of(places))
    run(kernels.place_rows(*at, n_slots=slots.width - 1, shift=shift, keep_alive=(codes, slots, places)), len(codes), slots.per_slice, operation=OPERATION)
    return places
