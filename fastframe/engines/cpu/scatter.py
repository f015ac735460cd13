"""Values brought together by group code, or by partitions of groups or hashes: the phases around ``_kernels.scatter``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastframe._kernels import scatter as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import run, slice_rows
from fastframe.column.memory import allocate, allocate_array

MOST_DIRECT = 1 << 14    # groups that one scatter tells apart; more go through partitions of groups first
SPLIT_SHIFT = 13         # groups of one partition, as a power of two: their states fit a core's cache
MOST_PARTITIONS = 1024   # more would miss the TLB at every write
PARTITION_SLICE = 1      # partitions that one thread claims at a time
_PLACES_SLICE = 4096
_CODE_BYTES = 4

Places = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class Source:
    """What is scattered: a kernel source id (``scatter.hpp::scatter_by``), its view, and the codes of its rows.

    ``codes`` are as those of `Groups`, or None where all rows are of group 0. ``has_nan`` is False only where it is known.
    """

    id: int
    view: tuple[int, int, int, int]
    codes: np.ndarray[Any, Any] | None
    n_groups: int
    keep_alive: Any
    has_nan: bool = True

    @property
    def n_rows(self) -> int:
        return self.view[3]

    @property
    def kernel_codes(self) -> tuple[int, int]:
        return (int(self.codes.ctypes.data), self.codes.itemsize) if self.codes is not None else (0, 4)


@dataclass(frozen=True)
class Scattered:
    """Values in partition (or group) order, their codes and rows where wanted, and where each partition begins (and the end).

    ``places`` are, for each slice of ``slice_rows`` rows and each partition, where the slice's values end.
    """

    values: Block
    codes: Block | None
    starts: Places
    rows: Block | None = None
    places: Block | None = None
    slice_rows: int = 0


def partition_shift(n_groups: int) -> int:
    """Groups of one partition, as a power of two."""
    shift = SPLIT_SHIFT
    while n_groups > MOST_PARTITIONS << shift:
        shift += 1
    return shift


def scatter(
    source: Source, n_partitions: int, shift: int, *, operation: str, with_codes: bool, by_hash: bool = False, with_rows: bool = False
) -> Scattered:
    """Values by partition, in row order within each; rows without a group or a value are left out."""
    n_rows, width = source.n_rows, n_partitions + 1
    value_bytes = kernels.value_bytes(source.id)
    rows = slice_rows(n_rows, width * 4, value_bytes + _CODE_BYTES)
    n_slices = -(-n_rows // rows)
    places = allocate(n_slices * width * 4, operation)
    values = allocate(n_rows * value_bytes, operation)
    codes = allocate(n_rows * _CODE_BYTES, operation) if with_codes else None
    numbers = allocate(n_rows * _CODE_BYTES, operation) if with_rows else None
    blocks = [block.address if block is not None else 0 for block in (values, codes, numbers)]
    phases = kernels.Scatter(
        source.id, source.view, source.kernel_codes, n_partitions=n_partitions, shift=shift, by_hash=by_hash, skips_nan=source.has_nan,
        places=places.address, out_values=blocks[0], out_codes=blocks[1], out_rows=blocks[2],
        keep_alive=(source, places, values, codes, numbers),
    )  # fmt: skip
    run(phases.count(), n_rows, rows, operation=operation)
    starts = _starts(places, width, n_slices, operation)
    run(phases.scatter(), n_rows, rows, operation=operation)
    return Scattered(values, codes, starts, numbers, places, rows)


def _starts(places: Block, width: int, n_slices: int, operation: str) -> Places:
    """Turn the counts in ``places`` into places; where each partition begins, and last the number of rows kept."""
    totals = allocate_array(width, np.int32, operation)
    at, keep_alive = (places.address, totals.ctypes.data), (places, totals)
    count = kernels.total_counts(*at, n_partitions=width, n_slices=n_slices, keep_alive=keep_alive)
    run(count, width, _PLACES_SLICE, operation=operation)
    ends = np.cumsum(totals, dtype=np.int64)
    np.subtract(ends, totals, out=totals, casting="unsafe")
    add = kernels.add_starts(*at, n_partitions=width, n_slices=n_slices, keep_alive=keep_alive)
    run(add, width, _PLACES_SLICE, operation=operation)
    return totals


def by_partition(source: Source, *, operation: str) -> tuple[Scattered, int]:
    """Values and codes by ranges of ``2**shift`` groups; and the shift."""
    shift = partition_shift(source.n_groups)
    return scatter(source, -(-source.n_groups // (1 << shift)), shift, operation=operation, with_codes=True), shift


def by_group(source: Source, *, operation: str) -> Scattered:
    """Values by group, in row order within each."""
    if source.n_groups <= MOST_DIRECT:
        return scatter(source, source.n_groups, 0, operation=operation, with_codes=False)
    parts, shift = by_partition(source, operation=operation)
    assert parts.codes is not None
    values = allocate(len(parts.values), operation)
    starts = allocate_array(source.n_groups + 1, np.int32, operation)
    starts[-1] = parts.starts[-1]
    task = kernels.split_partitions(
        source.id, parts.values.address, parts.codes.address, starts=parts.starts.ctypes.data, n_groups=source.n_groups, shift=shift,
        out_values=values.address, group_starts=starts.ctypes.data, keep_alive=(parts, values, starts),
    )  # fmt: skip
    run(task, len(parts.starts) - 1, PARTITION_SLICE, operation=operation)
    return Scattered(values, None, starts)
