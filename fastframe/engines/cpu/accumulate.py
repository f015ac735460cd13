"""One pass over the rows for all requests at once: the program, the plan, and the phases that run it.

The plan depends on the numbers of rows and groups and the width of the states only, so a float sum has the same bits for
any number of threads. See ``_kernels/program.hpp`` and ``docs/plans/groupby_states.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastframe._kernels import aggregate as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run, slice_rows
from fastframe.column.column import Column, ColumnView, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import FLOAT64, UINT64, DType, Kind, Physical
from fastframe.engines.cpu.facts import lies_within
from fastframe.engines.cpu.requests import COUNTS, EXTREMES, POSITIONS, PROOF_ROWS, TOTAL, Operation, Request, Source, source_of, state_dtypes
from fastframe.engines.cpu.scatter import PARTITION_SLICE, starts_of
from fastframe.errors import KernelError, KernelStatus

Codes = np.ndarray[Any, Any]   # of uint8, uint16 or uint32; all bits set where a row is in no group

GROUP_SLICE = 4096              # groups of one slice where a phase runs over groups; a multiple of 512
_REPLICATED_BYTES = 1 << 14     # tables up to so large are replicated, or rows of one group would wait for each other
_CACHED_BYTES = 1 << 18         # tables up to so large stay in a core's second-level cache
_LINE = 64
_FEW_SLICES = 8                 # with fewer, and many groups, partitions share the work better
_MANY_GROUPS = 1 << 13
_MOST_PARTITIONS = 1024         # more would miss the TLB at every write
_LEAST_SHIFT = 9                # groups of a partition begin at whole words of a bitmap
_CODE_BYTES = 4                 # whatever the width of the codes is: the plan may not depend on it
_INTEGERS = {Kind.INT, Kind.UINT}
_OPERATION = "groupby"


class Overflow(Exception):
    """An exact result does not fit; the caller finds out which, and says so."""


class _State(NamedTuple):
    """Where a request's state is in the program."""

    step: int
    presence: int
    needs_n: bool


def accumulate_all(requests: Sequence[Request], codes: Codes | None, n_groups: int, *, filled: bool = False) -> list[list[Column]]:
    """The fields of every group's state, or the result made of it, for each request.

    Parameters
    ----------
    requests : sequence of Request
    codes : numpy.ndarray or None
        None: all rows are of group 0.
    n_groups : int
    filled : bool
        Whether every group is known to have a row.

    Raises
    ------
    Overflow
    """
    if codes is not None:
        codes = np.ascontiguousarray(codes)
    found = _Pass(requests, codes, n_groups, filled=filled).run() if requests else []
    if found is None:   # some partial total passed 64 bits; the exact total may still fit
        wide = [replace(one, operation=one.wide) if one.wide is not None else one for one in requests]
        found = _Pass(wide, codes, n_groups, filled=filled).run()
    if found is None:
        raise Overflow
    return found


def accumulate(operation: Operation, column: Column, codes: Codes | None, n_groups: int) -> list[Column]:
    """The fields of every group's state, in the order that ``states.hpp`` emits."""
    wide = Operation.SUM_WIDE if operation is Operation.SUM and column.dtype.kind is not Kind.FLOAT else None
    try:
        return accumulate_all([Request(operation, column, wide=wide)], codes, n_groups)[0]
    except Overflow:
        raise KernelError.of(operation.name.lower(), KernelStatus.OVERFLOW, 0) from None


class _Pass:
    """Requests as a program of kernels: inputs, presences (who has a value), a step per state, results."""

    def __init__(self, requests: Sequence[Request], codes: Codes | None, n_groups: int, *, filled: bool) -> None:
        self.requests, self.n_groups, self.filled = requests, n_groups, filled
        self.n_rows = len(requests[0].column)
        self.row_bytes = _CODE_BYTES
        self._inputs: dict[tuple[int, int], int] = {}
        width = codes.dtype.itemsize if codes is not None else _CODE_BYTES
        address = int(codes.ctypes.data) if codes is not None else 0
        self.program = kernels.Program(address, width, n_groups=n_groups, keep_alive=(codes, requests))
        self.grouped = codes is not None
        self.states = self._add_states()
        self.stride = self._lay_out()

    # ---- the program ---------------------------------------------------------------------------------------------

    def _add_states(self) -> list[_State]:
        """Presences with their steps; requests that lack the same rows share one."""
        self.asked: list[Request | None] = []   # what each step is for; None: rows
        states: dict[int, _State] = {}
        by_presence: dict[tuple[int, int], list[int]] = {}
        for number, one in enumerate(self.requests):
            by_presence.setdefault(_presence_key(one), []).append(number)
        needs = [one.needs_n(filled=self.filled, lacks_nothing=_presence_key(one) == (0, 0)) for one in self.requests]
        every_row = self.program.add_presence(-1, -1, 0, 0, False)
        self.counter = self.program.add_step(Operation.COUNT, 0, -1) if any(needs) else -1
        self.asked += [None] * any(needs)
        for key, numbers in sorted(by_presence.items(), key=lambda item: item[0] != (0, 0)):
            presence = every_row if key == (0, 0) else self._add_presence([self.requests[number] for number in numbers], needs, numbers)
            shared: dict[Any, int] = {}
            for number in numbers:
                one = self.requests[number]
                step = kernels.EMIT_N if one.operation is Operation.COUNT else kernels.EMIT_MISSING
                if one.operation not in COUNTS:
                    same = (one.operation, id(one.column), id(one.other))
                    step = shared[same] if same in shared else shared.setdefault(same, self._add_step(one))
                states[number] = _State(step, presence, needs[number])
        return [states[number] for number in range(len(self.requests))]

    def _add_presence(self, requests: list[Request], needs: list[bool], numbers: list[int]) -> int:
        first = requests[0]
        counted = any(needs[number] for number in numbers) or any(one.missing_matters for one in requests)
        reads_values = any(one.operation not in COUNTS and one.operation not in POSITIONS for one in requests)
        columns = [first.column] if first.other is None else [first.column, first.other]
        nans = [_nan_bytes(column) for column in columns]
        inputs = [self._input(column, values=reads_values or nan > 0) for column, nan in zip(columns, nans, strict=True)]
        other, nan_other = (inputs[1], nans[1]) if len(columns) > 1 else (-1, 0)
        return self.program.add_presence(inputs[0], other, nans[0], nan_other, counted)

    def _add_step(self, one: Request) -> int:
        self.asked.append(one)
        source = source_of(one.column)
        if one.operation in POSITIONS:
            return self.program.add_step(one.operation, self._row_numbers(), source.physical, text=source.text)
        first = self._input(one.column, values=True)
        if one.other is None:
            return self.program.add_step(one.operation, first, source.physical, smallest=one.smallest)
        other = source_of(one.other).physical
        return self.program.add_step(one.operation, first, source.physical, self._input(one.other, values=True), other,
                                     smallest=one.smallest, other_smallest=one.other_smallest)  # fmt: skip

    def _input(self, column: Column, *, values: bool) -> int:
        source = source_of(column)
        return self._add_input(id(column), source if values else Source(-1, source.view), column.dtype.width or 8)

    def _row_numbers(self) -> int:
        return self._add_input(0, Source(kernels.ROW_NUMBERS, ColumnView(0, 0, 0, self.n_rows)), 0)

    def _add_input(self, owner: int, source: Source, width: int) -> int:
        key = (owner, source.physical)
        if key not in self._inputs:
            self._inputs[key] = self.program.add_input(source.physical, source.view)
            self.row_bytes += width
        return self._inputs[key]

    def _lay_out(self) -> int:
        """Words in the order of their steps, between wider and narrower fields; no gaps.

        Large tables have strides that do not straddle cache lines.
        """
        sizes, words, halves = self.program.slot_bytes, self.program.adds_words, self._halves()
        offsets, end, most = [0] * len(sizes), 0, 8
        for step in sorted(range(len(sizes)), key=lambda step: -8.5 if words[step] else -_alignment(sizes[step])):
            if halves[step] == kernels.HIGH:
                offsets[step] = end - sizes[step]
                continue
            offsets[step] = end
            end += sizes[step]
            most = max(most, 8 if words[step] else _alignment(sizes[step]))
        stride = -(-max(end, 1) // most) * most
        if self.n_groups * stride > _CACHED_BYTES:
            stride = 1 << (stride - 1).bit_length() if stride <= _LINE else -(-stride // 32) * 32
        self.program.lay_out(offsets, halves, stride, self.counter)
        return stride

    def _halves(self) -> list[int]:
        """Of each step whether it is the low or the high half of a word: successive totals that fit 32 bits share one."""
        halves, low = [kernels.WHOLE] * len(self.asked), -1
        if not self.grouped or self.n_rows < PROOF_ROWS:
            return halves
        words = [step for step, adds in enumerate(self.program.adds_words) if adds]
        for step in words:
            if not self._may_be_half(step):
                low = -1
            elif low >= 0 and self._fits_half(low) and self._fits_half(step):
                halves[low], halves[step], low = kernels.LOW, kernels.HIGH, -1
            else:
                low = step
        return halves

    def _may_be_half(self, step: int) -> bool:
        one = self.asked[step]
        if one is None:
            return True   # rows
        return one.operation is Operation.SUM_PROVEN or (one.operation is Operation.SUM and one.column.dtype.kind in _INTEGERS)

    def _fits_half(self, step: int) -> bool:
        """Whether the column's range proves that no total passes 31 bits and a sign."""
        one = self.asked[step]
        return one is None or lies_within(one.column, 2**31 // self.n_rows)

    # ---- running it ----------------------------------------------------------------------------------------------

    def run(self) -> list[list[Column]] | None:
        """What was asked for; None where an exact total needs a wider state."""
        outputs = [_Output(self.program, one, state, self.n_groups) for one, state in zip(self.requests, self.states, strict=True)]
        table = self.n_groups + kernels.SPARE_SLOTS
        n_replicas = kernels.MOST_REPLICAS if kernels.MOST_REPLICAS * table * self.stride <= _REPLICATED_BYTES else 1
        slice_bytes = n_replicas * table * self.stride + 4 * table * self.program.n_counted
        rows = slice_rows(self.n_rows, slice_bytes, self.row_bytes)
        n_slices, most_slices = -(-self.n_rows // rows), -(-self.n_rows // SLICE_ROWS)
        if self.grouped and self.n_groups >= _MANY_GROUPS and n_slices < min(_FEW_SLICES, most_slices) and self._scatters:
            fits = self._run_partitions()
        else:
            fits = self._run_slices(rows, n_slices, n_replicas)
        return [one.columns() for one in outputs] if fits else None

    def _run_slices(self, rows: int, n_slices: int, n_replicas: int) -> bool:
        table = self.n_groups + kernels.SPARE_SLOTS
        n_tables, counted = max(n_slices, 1), self.program.n_counted
        states = allocate(n_tables * n_replicas * table * self.stride, _OPERATION)
        missing, touched = allocate(n_tables * table * counted * 4, _OPERATION), allocate(n_tables * counted, _OPERATION)
        update = self.program.update_slices(
            states.address, missing.address, touched.address, n_slices=n_slices, n_replicas=n_replicas,
            prefetch=table * self.stride > _CACHED_BYTES,
        )  # fmt: skip
        if run(update, self.n_rows, rows, operation=_OPERATION) is not None:
            return False
        return run(self.program.combine_slices(), self.n_groups, GROUP_SLICE, operation=_OPERATION) is None

    @property
    def _scatters(self) -> bool:
        return self.program.record_bytes() <= kernels.MOST_RECORD_BYTES and len(self._inputs) <= 32

    def _run_partitions(self) -> bool:
        shift = _LEAST_SHIFT
        while self.stride << (shift + 1) <= _CACHED_BYTES or self.n_groups > _MOST_PARTITIONS << shift:
            shift += 1
        record_bytes, n_partitions = self.program.record_bytes(), -(-self.n_groups // (1 << shift))
        width = n_partitions + 1   # the last begins where all end
        rows = slice_rows(self.n_rows, width * 4, record_bytes)
        n_slices = -(-self.n_rows // rows)
        places = allocate(n_slices * width * 4, _OPERATION)
        records = allocate(self.n_rows * record_bytes, _OPERATION)
        count, scatter = self.program.scatter(places.address, records.address, n_partitions=width, shift=shift)
        run(count, self.n_rows, rows, operation=_OPERATION)
        starts = starts_of(places, width, n_slices, _OPERATION)
        run(scatter, self.n_rows, rows, operation=_OPERATION)
        update = self.program.update_partitions(starts.ctypes.data)
        return run(update, n_partitions, PARTITION_SLICE, operation=_OPERATION) is None


def _alignment(n_bytes: int) -> int:
    return min(n_bytes & -n_bytes, 16)


def _nan_bytes(column: Column) -> int:
    """The width of a float that may be NaN, else 0."""
    return column.dtype.width if column.physical in (Physical.F32, Physical.F64) else 0


def _presence_key(one: Request) -> tuple[int, int]:
    """Equal for requests that lack the same rows; (0, 0) where none can be lacking."""
    if one.all_rows:
        return 0, 0
    own = [column for column in (one.column, one.other) if column is not None and (_nan_bytes(column) or source_of(column).view.validity)]
    if not own:
        return 0, 0
    return id(one.column), id(one.other) if one.other is not None else 0


class _Output:
    """Memory for what one request gives, and the program's note of it."""

    def __init__(self, program: kernels.Program, one: Request, state: _State, n_groups: int) -> None:
        self.n_groups = n_groups
        result = one.result
        self.dtypes = one.fields if result is None else [result.dtype]
        nullable = result is not None or one.operation in EXTREMES
        self.blocks = [allocate_field(given, n_groups, _OPERATION) for given in self.dtypes]
        self.validity = allocate_bits(n_groups, _OPERATION) if nullable else None
        address = self.validity.address if self.validity is not None else 0
        program.keep((self.blocks, self.validity))
        if result is None:
            program.emit_fields(state.step, state.presence, state.needs_n, tuple(block.address for block in self.blocks), address)
            return
        assert result.dtype.physical is not None
        program.emit_result(
            state.step, state.presence, state.needs_n, result.poisons, finalizer=result.finalizer, physical=result.dtype.physical,
            min_count=result.min_count, ddof=result.ddof, unit=result.unit, values=self.blocks[0].address, validity=address,
            value_bytes=result.dtype.width,
        )  # fmt: skip

    def columns(self) -> list[Column]:
        return [column_from_buffers(given, self.n_groups, block, self.validity) for given, block in zip(self.dtypes, self.blocks, strict=True)]


def allocate_field(given: DType, n_groups: int, operation: str) -> Block:
    """Memory for ``n_groups`` values of a dtype."""
    return allocate_bits(n_groups, operation) if given.physical is Physical.BOOL else allocate(n_groups * given.width, operation)


# How the fields of a state merge: the operation, and a dtype whose kernels emit those fields.
_MERGES: dict[tuple[str, ...], tuple[Operation, DType]] = {
    ("n",): (Operation.COUNT, FLOAT64),
    ("total", "n"): (Operation.SUM_WIDE, TOTAL),
    ("sum", "n"): (Operation.SUM, FLOAT64),
    ("high", "low", "n"): (Operation.SUM_DECIMAL, TOTAL),
    ("product", "n"): (Operation.PRODUCT, FLOAT64),
    ("magnitude", "flags", "n"): (Operation.PRODUCT, UINT64),
    ("n", "mean", "m2"): (Operation.MOMENTS, FLOAT64),
    ("n", "mean_x", "m2_x", "mean_y", "m2_y", "c"): (Operation.PAIR_MOMENTS, FLOAT64),
}  # fmt: skip


def merge(names: tuple[str, ...], states: list[list[Column]]) -> list[Column]:
    """Fields of states of the same groups, from parts of the rows in order, as those of all rows.

    Totals of integers merge in 128 bits, so no partial overflows.
    """
    operation, given = _MERGES[names]
    assert given.physical is not None
    assert not any(column.null_count for columns in states for column in columns)
    n_groups = len(states[0][0])
    dtypes = state_dtypes(operation, given)
    blocks = [allocate_field(one, n_groups, _OPERATION) for one in dtypes]
    addresses = [(tuple(column.view.values for column in columns), 0, 0) for columns in states]
    out = tuple(block.address for block in blocks)
    task = kernels.Merge(operation, given.physical, addresses, out, 0, keep_alive=(states, blocks)).merge()
    run(task, n_groups, GROUP_SLICE, operation=_OPERATION)
    return [column_from_buffers(one, n_groups, block) for one, block in zip(dtypes, blocks, strict=True)]
