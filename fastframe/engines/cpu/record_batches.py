"""Aggregations of many groups: rows become records, ordered by ranges of groups, and come in batches where all would take too much.

A batch is of some slices of rows and some partitions. While rows remain, the states of its partitions are kept, so that a
partition's rows are added in row order whatever the batches: these decide no bit of a result. See ``program_partitions.hpp``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fastframe._kernels import aggregate as kernels
from fastframe._threads import run, slice_rows
from fastframe.column.memory import allocate, allocate_all
from fastframe.engines.cpu.scatter import PARTITION_SLICE, starts_within
from fastframe.records import record

_TABLE_BYTES = 1 << 18      # states of a partition; so many stay in a core's second-level cache
_LEAST_PARTITIONS = 16      # with fewer, a thread waits for the largest
_MOST_PARTITIONS = 1024     # more would miss the TLB at every write
_LEAST_SHIFT = 9            # groups of a partition begin at whole words of a bitmap
_FEW_BYTES = 4 << 20        # of records and states that nothing is done again for
_ROUND_BYTES = 20           # of kept states: moving so many costs what reading a row once more does
_BATCH_SLICES = 16          # of rows, for as many threads
_LEAST_SLICE = 1 << 13      # rows

Counts = np.ndarray[Any, np.dtype[np.int32]]


@record(frozen=True)
class Sizes:
    """What a shape follows from.

    Attributes
    ----------
    row_bytes : int
        Of the columns read, a code included.
    record_bytes : int
    shift : int
        log2 of the groups of a partition.
    n_partitions : int
    table_bytes, missing_bytes : int
        Of a partition's states, and of its counts of missing values.
    """

    n_rows: int
    row_bytes: int
    record_bytes: int
    shift: int
    n_partitions: int
    table_bytes: int
    missing_bytes: int


@record(frozen=True)
class Shape:
    """How records and states share the memory that they may take.

    Attributes
    ----------
    n_rounds : int
        How often rows are read: each time for as many partitions. With ``keeps`` False partitions are shared by their rows.
    most_records : int
        Of one batch.
    keeps : bool
        Whether states are kept from batch to batch, so that a round has several.
    """

    n_rounds: int
    most_records: int
    keeps: bool


@record(frozen=True)
class Round:
    """Partitions from ``first`` on, the slices of rows at which its batches end (0 in front), and the most records of a batch."""

    first: int
    stop: int
    ends: tuple[int, ...]
    n_records: int


def run_partitions(program: kernels.Program, sizes: Sizes, operation: str) -> bool:
    """All rows to results by partitions; False where an exact total needs a wider state.

    Records and kept states take at most a sixth of the bytes of the columns read; beside them there are places.
    """
    n_rows, n_partitions = sizes.n_rows, sizes.n_partitions
    width, shape = n_partitions + 1, shape_of(sizes)   # the last partition begins where all end
    rows = slice_rows(n_rows, width * 4, sizes.record_bytes)
    if shape.keeps:
        rows = min(rows, max(shape.n_rounds * shape.most_records // _BATCH_SLICES, _LEAST_SLICE) // 512 * 512)
    n_slices = -(-n_rows // rows)
    places = allocate(n_slices * width * 4, operation)
    run(program.count_records(places.address, n_partitions=width, shift=sizes.shift), n_rows, rows, operation=operation)
    counts: Counts = np.frombuffer(places, dtype=np.int32)  # type: ignore[call-overload]
    rounds = rounds_of(counts.reshape(n_slices, width), shape)
    records = allocate(max(one.n_records for one in rounds) * sizes.record_bytes, operation)
    n_kept = max(one.stop - one.first if len(one.ends) > 2 else 0 for one in rounds)
    kept = allocate_all([n_kept * n_bytes for n_bytes in (sizes.table_bytes, sizes.missing_bytes, program.n_counted)], operation)
    for one in rounds:
        program.keep_states(*[block.address if len(one.ends) > 2 else 0 for block in kept])
        for first_slice, stop_slice in pairwise(one.ends):
            starts = starts_within(places, width, (first_slice, stop_slice), (one.first, one.stop), operation)
            scatter, update = program.batch(
                records.address, starts.ctypes.data, partitions=(one.first, one.stop), first_row=first_slice * rows,
                first_slice=first_slice, begins=first_slice == 0, ends=stop_slice == n_slices,
            )  # fmt: skip
            run(scatter, min(stop_slice * rows, n_rows) - first_slice * rows, rows, operation=operation)
            if run(update, one.stop - one.first, PARTITION_SLICE, operation=operation) is not None:
                return False
    return True


def sizes_of(program: kernels.Program, n_rows: int, row_bytes: int, n_groups: int, stride: int) -> Sizes:
    """How many partitions the groups are: those whose states fit a core's cache, but enough for threads and few enough for the TLB."""
    shift = _LEAST_SHIFT
    while (
        (stride << (shift + 1) <= _TABLE_BYTES and n_groups >= _LEAST_PARTITIONS << (shift + 1))
        or n_groups > _MOST_PARTITIONS << shift
    ):
        shift += 1
    n_states = (1 << shift) + kernels.SPARE_SLOTS
    return Sizes(
        n_rows, row_bytes, program.record_bytes(), shift, n_partitions=-(-n_groups // (1 << shift)), table_bytes=n_states * stride,
        missing_bytes=4 * n_states * program.n_counted,
    )  # fmt: skip


def shape_of(sizes: Sizes) -> Shape:
    """The cheapest shape: a round reads all rows again, a batch reads and writes the kept states of its partitions."""
    n_rows, most_bytes = sizes.n_rows, max(sizes.n_rows * sizes.row_bytes // 6, _FEW_BYTES)
    most_records = max(most_bytes // sizes.record_bytes, 1)
    n_rounds = max(-(-n_rows // most_records), 1)
    best, least = Shape(n_rounds, most_records, keeps=False), n_rounds * n_rows * _ROUND_BYTES
    tables = sizes.n_partitions * (sizes.table_bytes + sizes.missing_bytes)
    for n_shared in range(1, min(n_rounds, sizes.n_partitions)):
        of_round = -(-sizes.n_partitions // n_shared) * (sizes.table_bytes + sizes.missing_bytes)
        most_records = (most_bytes - of_round) // sizes.record_bytes
        if most_records <= 0:
            continue
        n_batches = -(-n_rows // (n_shared * most_records))
        cost = n_shared * n_rows * _ROUND_BYTES + 2 * n_batches * tables
        if cost < least:
            best, least = Shape(n_shared, most_records, keeps=True), cost
    return best


def rounds_of(counts: Counts, shape: Shape) -> list[Round]:
    """Rounds and their batches, given the records of each slice of rows and partition (and of none, last)."""
    n_partitions = counts.shape[1] - 1
    if shape.keeps:
        each = -(-n_partitions // shape.n_rounds)
        bounds = [(first, min(first + each, n_partitions)) for first in range(0, n_partitions, each)]
    else:
        bounds = runs_of(counts[:, :-1].sum(axis=0, dtype=np.int64), shape.most_records)
    rounds = []
    for first, stop in bounds:
        sums = counts[:, first:stop].sum(axis=1, dtype=np.int64)
        batches = runs_of(sums, shape.most_records)
        most = max(int(sums[start:end].sum()) for start, end in batches)
        rounds.append(Round(first, stop, (0, *(end for _, end in batches)), most))
    return rounds


def runs_of(numbers: np.ndarray[Any, Any], most: int) -> list[tuple[int, int]]:
    """Successive numbers in runs whose sum is at most ``most``, or of one number that is more."""
    starts = np.concatenate([[0], np.cumsum(numbers)])
    runs, first = [], 0
    while first < len(numbers):
        stop = max(int(np.searchsorted(starts, starts[first] + most, side="right")) - 1, first + 1)
        runs.append((first, stop))
        first = stop
    return runs
