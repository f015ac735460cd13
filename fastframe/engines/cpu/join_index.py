"""The index of a join's build side: a map from code to row where no code repeats, else rows grouped by code."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from fastframe._kernels import join as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.groups import filled
from fastframe.engines.cpu.join_keys import Codes
from fastframe.engines.cpu.order import group_order
from fastframe.records import record

Array = np.ndarray[Any, Any]

OPERATION = "join"
NO_PARTNER = 0xFFFFFFFF
CACHED_BYTES = 512 << 10   # an index larger than this share of an L2 cache is fetched ahead
HEAD_ROWS = 1 << 10        # among so many rows most repetition shows
MARKED_CODES = 1 << 16     # up to so many are looked up as bytes: a cache holds them, and they take fewer instructions than bits


class Occurrence(NamedTuple):
    """Which codes occur: a bit each, and a 0 bit after them; the same as bytes where codes are few."""

    present: Array
    marks: Array | None
    n_codes: int

    @property
    def addresses(self) -> tuple[int, int, int]:
        return address_of(self.present), 0 if self.marks is None else address_of(self.marks), self.n_codes


@record(frozen=True, eq=False)
class RowMap:
    """Which codes occur, and the one row of each."""

    codes: Codes
    occurrence: Occurrence

    @property
    def n_codes(self) -> int:
        return self.occurrence.n_codes

    @cached_property
    def row_of_code(self) -> Array:
        """The row of every code that occurs; what stands at others is open. 4 bytes per code."""
        rows = allocate_array(max(self.n_codes, 1), np.int32, OPERATION)
        task = kernels.fill_map(self.codes.source, address_of(rows), prefetch=self.is_far, keep_alive=(self, rows))
        run(task, self.codes.n_rows, SLICE_ROWS, operation=OPERATION)
        return rows

    @property
    def addresses(self) -> tuple[int, int, int]:
        return address_of(self.row_of_code), 0, 0

    @property
    def is_far(self) -> bool:
        return self.n_codes * 4 > CACHED_BYTES


@record(frozen=True, eq=False)
class RowGroups:
    """The rows of code ``c`` are ``rows[offsets[c]:offsets[c + 1]]``, ascending."""

    rows: Array
    offsets: Array

    @property
    def addresses(self) -> tuple[int, int, int]:
        return 0, address_of(self.offsets), address_of(self.rows)

    @property
    def is_far(self) -> bool:
        return self.rows.nbytes + self.offsets.nbytes > CACHED_BYTES


def build_index(codes: Codes, n_codes: int) -> RowMap | RowGroups:
    """The map where no code repeats, else the groups."""
    if codes.n_rows <= HEAD_ROWS or not _repeats(codes.head(HEAD_ROWS)):
        occurrence, is_unique = occurring(codes, n_codes)
        if is_unique:
            return RowMap(codes, occurrence)
    array = codes.held().array
    assert array is not None
    return RowGroups(*group_order(array, n_codes))


def _repeats(codes: Array) -> bool:
    """Whether a code of few rows occurs twice."""
    codes = np.sort(codes[codes != NO_PARTNER])   # np.unique would import numpy.ma
    return bool((codes[1:] == codes[:-1]).any())


def occurring(codes: Codes, n_codes: int) -> tuple[Occurrence, bool]:
    """Which codes occur, and whether none occurs twice. A byte per code on the way."""
    n_words = n_codes // 64 + 1
    marks = filled(n_words * 64, np.uint8, 0)
    present = allocate_array(n_words, np.uint64, OPERATION)
    rows_found, codes_found = (allocate_array(n_slices(length), np.int64, OPERATION) for length in (codes.n_rows, n_words * 64))
    arrays = (marks, present, rows_found, codes_found)
    addresses = (address_of(marks), address_of(present), address_of(rows_found), address_of(codes_found))
    mark, count = kernels.mark_codes(codes.source, addresses, prefetch=marks.nbytes > CACHED_BYTES, keep_alive=(codes, arrays))
    run(mark, codes.n_rows, SLICE_ROWS, operation=OPERATION)
    run(count, n_words * 64, SLICE_ROWS, operation=OPERATION)
    is_unique = sum(rows_found.tolist()) == sum(codes_found.tolist())   # a number per slice: NumPy takes longer for few
    return Occurrence(present, marks if n_codes <= MARKED_CODES else None, n_codes), is_unique


def n_slices(n_rows: int) -> int:
    return -(-n_rows // SLICE_ROWS)
