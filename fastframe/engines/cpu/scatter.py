"""Values brought together by group code, or by partitions of groups or hashes: the phases around ``_kernels.scatter``."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels import scatter as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import run, slice_rows
from fastframe.column.memory import allocate, allocate_array, allocate_bits
from fastframe.engines.cpu.row_codes import Codes, code_view
from fastframe.records import record

MOST_DIRECT = 1 << 13         # groups that one scatter tells apart: their open lines fit the second-level cache
MOST_PARTITIONS = 1024        # more would miss the TLB at every write
PARTITION_SLICE = 1           # partitions that one thread claims at a time
_FEWEST_PARTITIONS = 64       # of groups, that threads share
_PARTITION_BYTES = 1 << 18    # of values, about: they and as much room beside them are in the cache while they are split
_PLACES_SLICE = 4096
_FEW_SLICES = 16
CODE_BYTES = 4                # of a group code
_OWN_CODE_BYTES = 2           # of a code within its partition
_MOST_SHIFT = 16              # groups of a partition, as a power of two, whose codes fit those

Places = np.ndarray[Any, np.dtype[np.int32]]


@record(frozen=True)
class Source:
    """What is scattered: a kernel source id (``scatter.hpp::scatter_by``), its view, and the codes of its rows.

    ``codes`` are as those of `Groups`, or None where all rows are of group 0. ``has_nan`` is False only where it is known.
    """

    id: int
    view: tuple[int, int, int, int]
    codes: Codes | None
    n_groups: int
    keep_alive: Any
    has_nan: bool = True

    @property
    def n_rows(self) -> int:
        return self.view[3]

    @property
    def kernel_codes(self) -> tuple[int, int, int]:
        return code_view(self.codes)


@record(frozen=True)
class Scattered:
    """Values in partition (or group) order, their codes and rows where wanted, and where each partition begins (and the end).

    ``phases`` is the scatter itself, over slices of ``slice_rows`` rows. ``shift``: partitions have ``2**shift`` groups, and
    codes of two bytes are those within the partition.
    """

    values: Block
    codes: Block | None
    starts: Places
    rows: Block | None = None
    phases: kernels.Scatter | None = None
    slice_rows: int = 0
    shift: int = 0


def fine_partitions(n_groups: int) -> tuple[int, int]:
    """As many partitions as one scatter should have, and their groups as a power of two."""
    shift = max(0, (n_groups - 1).bit_length() - (MOST_PARTITIONS - 1).bit_length())
    return -(-n_groups >> shift), shift


def few_slices(n_rows: int, state_bytes: int, row_bytes: int) -> int:
    """`slice_rows`, but where slices are few, as many as a power of two: threads then have equal shares."""
    rows = slice_rows(n_rows, state_bytes, row_bytes)
    n_slices = -(-n_rows // rows)
    if not 1 < n_slices < _FEW_SLICES:
        return rows
    even = 1 << (n_slices.bit_length() - 1)
    return -(-n_rows // (even * 512)) * 512


def scatter(
    source: Source, n_partitions: int, shift: int, *, operation: str, with_codes: bool, by_hash: bool = False,
    with_rows: bool = False, own_codes: bool = False,
) -> Scattered:  # fmt: skip
    """Values by partition, in row order within each; rows without a group or a value are left out."""
    n_rows, width = source.n_rows, n_partitions + 1
    value_bytes = kernels.value_bytes(source.id)
    rows = slice_rows(n_rows, width * 4, value_bytes + CODE_BYTES)
    n_slices = -(-n_rows // rows)
    places = allocate(n_slices * width * 4, operation)
    values = allocate(n_rows * value_bytes, operation)
    codes = allocate(n_rows * (_OWN_CODE_BYTES if own_codes else CODE_BYTES), operation) if with_codes else None
    numbers = allocate(n_rows * CODE_BYTES, operation) if with_rows else None
    blocks = [block.address if block is not None else 0 for block in (values, codes, numbers)]
    phases = kernels.Scatter(
        source.id, source.view, source.kernel_codes, n_partitions=n_partitions, shift=shift, by_hash=by_hash, skips_nan=source.has_nan,
        own_codes=own_codes, places=places.address, out_values=blocks[0], out_codes=blocks[1], out_rows=blocks[2],
        keep_alive=(source, places, values, codes, numbers),
    )  # fmt: skip
    run(phases.count(), n_rows, rows, operation=operation)
    starts = starts_of(places, width, n_slices, operation)
    run(phases.scatter(), n_rows, rows, operation=operation)
    return Scattered(values, codes, starts, numbers, phases, rows, shift)


def gather(parts: Scattered, values: Block, n_rows: int, *, operation: str) -> tuple[Block, Block]:
    """8-byte values in the order of a scatter by group, at the rows that they are of; and which rows took part."""
    assert parts.phases is not None
    out, validity = allocate(n_rows * 8, operation), allocate_bits(n_rows, operation)
    keep = (parts, values, out, validity)
    task = parts.phases.gather(values.address, parts.starts.ctypes.data, out.address, validity.address, keep)
    run(task, n_rows, parts.slice_rows, operation=operation)
    return out, validity


def starts_of(places: Block, width: int, n_slices: int, operation: str) -> Places:
    """Turn the counts in ``places`` into places; where each partition begins, and last the number of rows kept."""
    return _starts(places, 0, (width, width), n_slices, operation)[:-1]


def starts_within(places: Block, width: int, slices: tuple[int, int], partitions: tuple[int, int], operation: str) -> Places:
    """The same of some slices and partitions alone, whose places begin at 0."""
    (first_slice, stop_slice), (first, stop) = slices, partitions
    return _starts(places, 4 * (first_slice * width + first), (width, stop - first), stop_slice - first_slice, operation)


def _starts(places: Block, offset: int, widths: tuple[int, int], n_slices: int, operation: str) -> Places:
    """``widths``: partitions of a slice, and how many of them take part; where each begins, and where all end."""
    width, n_partitions = widths
    totals = allocate_array(n_partitions + 1, np.int32, operation)
    at, keep_alive = (places.address + offset, totals.ctypes.data), (places, totals)
    count = kernels.total_counts(*at, n_partitions=width, n_slices=n_slices, keep_alive=keep_alive)
    run(count, n_partitions, _PLACES_SLICE, operation=operation)
    totals[-1] = 0
    ends = np.cumsum(totals, dtype=np.int64)
    np.subtract(ends, totals, out=totals, casting="unsafe")
    add = kernels.add_starts(*at, n_partitions=width, n_slices=n_slices, keep_alive=keep_alive)
    run(add, n_partitions, _PLACES_SLICE, operation=operation)
    return totals


def by_group(source: Source, *, operation: str) -> Scattered:
    """Values by group, in row order within each; of many groups by partition, with their codes within it."""
    if source.n_groups <= MOST_DIRECT:
        return scatter(source, source.n_groups, 0, operation=operation, with_codes=False)
    shift = _cached_shift(source.n_rows * kernels.value_bytes(source.id), source.n_groups)
    n_partitions = -(-source.n_groups >> shift)
    return scatter(source, n_partitions, shift, operation=operation, with_codes=True, own_codes=True)


def _cached_shift(n_bytes: int, n_groups: int) -> int:
    """Groups of a partition, as a power of two: few open lines, and partitions that fit the cache. At least 8, whole bytes of a bitmap."""
    wanted = min(max(n_bytes // _PARTITION_BYTES, _FEWEST_PARTITIONS), MOST_PARTITIONS)
    return min(max(((n_groups - 1) // wanted).bit_length(), 3), _MOST_SHIFT)
