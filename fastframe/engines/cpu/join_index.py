"""The index of a join's build side: a map from code to row where no code repeats, else rows grouped by code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastframe._kernels import join as kernels
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.join_keys import Codes
from fastframe.engines.cpu.order import group_order

Array = np.ndarray[Any, Any]

OPERATION = "join"
NO_PARTNER = 0xFFFFFFFF
CACHED_BYTES = 512 << 10   # an index larger than this share of an L2 cache is fetched ahead
HEAD_ROWS = 1 << 10        # among so many rows most repetition shows


@dataclass(frozen=True, eq=False)
class RowMap:
    """Per code its one row (-1: none), and a bit whether it has one; a 0 bit follows them."""

    row_of_code: Array
    present: Array
    n_codes: int

    @property
    def addresses(self) -> tuple[int, int, int]:
        return self.row_of_code.ctypes.data, 0, 0

    @property
    def is_far(self) -> bool:
        return self.row_of_code.nbytes > CACHED_BYTES


@dataclass(frozen=True, eq=False)
class RowGroups:
    """The rows of code ``c`` are ``rows[offsets[c]:offsets[c + 1]]``, ascending."""

    rows: Array
    offsets: Array

    @property
    def addresses(self) -> tuple[int, int, int]:
        return 0, self.offsets.ctypes.data, self.rows.ctypes.data

    @property
    def is_far(self) -> bool:
        return self.rows.nbytes + self.offsets.nbytes > CACHED_BYTES


def build_index(codes: Codes, n_codes: int) -> RowMap | RowGroups:
    """The map where no code repeats, else the groups."""
    head = codes.head(HEAD_ROWS)
    head = head[head != NO_PARTNER]
    if np.unique(head).size == head.size:
        found, n_rows, n_distinct = row_map(codes, n_codes)
        if n_rows == n_distinct:
            return found
    array = codes.held().array
    assert array is not None
    return RowGroups(*group_order(array, n_codes))


def row_map(codes: Codes, n_codes: int) -> tuple[RowMap, int, int]:
    """A map, how many rows have a code, and how many codes a row. A repeated code maps to any of its rows.

    4 bytes and a bit per code.
    """
    row_of_code = allocate_array(n_codes, np.int32, OPERATION)
    present = allocate_array(n_codes // 64 + 1, np.uint64, OPERATION)
    present[n_codes // 64] = 0
    rows_found, codes_found = (allocate_array(n_slices(length), np.int64, OPERATION) for length in (codes.n_rows, n_codes))
    arrays = (row_of_code, present, rows_found, codes_found)
    found = RowMap(row_of_code, present, n_codes)
    addresses = (row_of_code.ctypes.data, present.ctypes.data, rows_found.ctypes.data, codes_found.ctypes.data)
    clear, fill, count = kernels.map_phases(codes.source, addresses, n_codes, prefetch=found.is_far, keep_alive=(codes, arrays))
    run(clear, n_codes, SLICE_ROWS, operation=OPERATION)
    run(fill, codes.n_rows, SLICE_ROWS, operation=OPERATION)
    run(count, n_codes, SLICE_ROWS, operation=OPERATION)
    return found, int(rows_found.sum()), int(codes_found.sum())


def n_slices(n_rows: int) -> int:
    return -(-n_rows // SLICE_ROWS)
