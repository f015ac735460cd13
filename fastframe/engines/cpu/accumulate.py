"""One pass over the rows for all requests at once: the plan, and the phases that run it.

The plan depends on the numbers of rows and groups and the width of the states only, so a float sum has the same bits for
any number of threads. See ``_kernels/program.hpp`` and ``docs/plans/groupby_states.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastframe._kernels import aggregate as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run, slice_rows, thread_count
from fastframe._threads._drive import Task
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_all, allocate_bits
from fastframe.dtypes import FLOAT64, UINT64, DType, Kind, Physical
from fastframe.engines.cpu.layout import Layout, Operands, StatePlace, layout_of
from fastframe.engines.cpu.requests import EXTREMES, TOTAL, Operation, Request, state_dtypes
from fastframe.engines.cpu.row_codes import Codes, code_view
from fastframe.errors import KernelError, KernelStatus

GROUP_SLICE = 4096              # groups of one slice where a phase runs over groups; a multiple of 512
_REPLICATED_BYTES = 1 << 14     # tables up to so large are replicated, or rows of one group would wait for each other
_CACHED_BYTES = 1 << 18         # tables up to so large stay in a core's second-level cache
_FAR_BYTES = 4 << 20            # tables of more miss the third-level cache, too, as every thread has one
_LINE = 64
_FEW_SLICES = 4                 # with fewer, and many groups, partitions share the work better
_MANY_GROUPS = 1 << 13
_WIDE_GROUPS = (1 << 16) - 1    # codes of so many groups take four bytes, and are often the key column itself
_OPERATION = "groupby"


class Overflow(Exception):
    """An exact result does not fit; the caller finds out which, and says so."""


def accumulate_all(requests: Sequence[Request], codes: Codes | None, n_groups: int, *, filled: bool = False) -> list[list[Column]]:
    """The fields of every group's state, or the result made of it, for each request.

    Parameters
    ----------
    requests : sequence of Request
    codes : numpy.ndarray, ColumnCodes or None
        None: all rows are of group 0.
    n_groups : int
    filled : bool
        Whether every group is known to have a row.

    Raises
    ------
    Overflow
    """
    if isinstance(codes, np.ndarray):
        codes = np.ascontiguousarray(codes)
    if any(not column.in_memory for one in requests for column in (one.column, one.other) if column is not None):
        from fastframe.engines.cpu.folded import folded  # what most passes do without is imported when first used

        found = folded(requests, codes, n_groups, filled=filled)
        if found is not None:
            return found
    found = _pass_of(requests, codes, n_groups, filled=filled).run() if requests else []
    if found is None:   # some partial total passed 64 bits; the exact total may still fit
        wide = [replace(one, operation=one.wide) if one.wide is not None else one for one in requests]
        found = _pass_of(wide, codes, n_groups, filled=filled).run()
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


def _pass_of(requests: Sequence[Request], codes: Codes | None, n_groups: int, *, filled: bool) -> Pass:
    layout, operands = layout_of(requests, filled=filled, grouped=codes is not None)
    return Pass(layout, operands, requests, codes, n_groups)


class Pass:
    """Requests as a program of kernels over operands, which the caller keeps alive, and the phases that run it.

    Of the requests' columns nothing is read: requests of other columns for which the layout is right will do.
    """

    def __init__(self, layout: Layout, operands: Operands, requests: Sequence[Request], codes: Codes | None, n_groups: int) -> None:
        self.requests, self.n_groups, self.layout = requests, n_groups, layout
        self.operands, self.n_rows, self.row_bytes = operands, operands.n_rows, layout.row_bytes
        self.program = kernels.Program(code_view(codes), n_groups=n_groups, keep_alive=(codes, requests))
        self.grouped, self.finished = codes is not None, all(one.result is not None for one in requests)
        layout.put_into(self.program, requests, operands)
        self.stride = _stride(self.layout.stride, n_groups)
        self.program.lay_out(self.layout.offsets, self.layout.halves, self.stride, self.layout.counter)
        self.outputs = [_Output(one, n_groups) for one in requests]
        for output, one, state in zip(self.outputs, requests, layout.places, strict=True):
            output.note_in(self.program, one, state)

    def again(self, operands: Operands, codes: Codes | None, n_groups: int) -> Pass:
        """The same pass over other operands, for requests that follow from their dtypes; a copy where all results are finished."""
        if _stride(self.layout.stride, n_groups) != self.stride or not self.finished:
            return Pass(self.layout, operands, self.requests, codes, n_groups)
        other = object.__new__(Pass)
        other.requests, other.n_groups, other.layout = self.requests, n_groups, self.layout
        other.operands, other.n_rows = operands, operands.n_rows
        other.row_bytes, other.stride, other.grouped = self.row_bytes, self.stride, self.grouped
        other.outputs = [_Output(one, n_groups) for one in self.requests]
        views = [operands.sources[column].view for column, _ in self.layout.inputs]
        results = [output.addresses for output in other.outputs]
        other.program = self.program.over(code_view(codes), views, results, n_groups=n_groups, keep_alive=(codes, other.outputs))
        return other

    def run(self) -> list[list[Column]] | None:
        """What was asked for; None where an exact total needs a wider state."""
        table = self.n_groups + kernels.SPARE_SLOTS
        n_replicas = kernels.REPLICAS if kernels.REPLICAS * table * self.stride <= _REPLICATED_BYTES else 1
        slice_bytes = n_replicas * table * self.stride + 4 * table * self.program.n_counted
        rows = _slice_rows(self.n_rows, slice_bytes, self.row_bytes, self.n_groups if self.grouped else 0)
        n_slices, most_slices = -(-self.n_rows // rows), -(-self.n_rows // SLICE_ROWS)
        if self.grouped and self.n_groups >= _MANY_GROUPS and n_slices < min(_FEW_SLICES, most_slices) and self._scatters:
            fits = self._run_partitions()
        else:
            fits = self._run_slices(rows, n_slices, n_replicas)
        return [one.columns() for one in self.outputs] if fits else None

    def _run_slices(self, rows: int, n_slices: int, n_replicas: int) -> bool:
        table = self.n_groups + kernels.SPARE_SLOTS
        n_tables, counted = max(n_slices, 1), self.program.n_counted
        sizes = [n_tables * n_replicas * table * self.stride, n_tables * table * counted * 4, n_tables * counted]
        states, missing, touched = allocate_all(sizes, _OPERATION)
        update = self.program.update_slices(
            states.address, missing.address, touched.address, n_slices=n_slices, n_replicas=n_replicas,
            prefetch=table * self.stride > _CACHED_BYTES, far=table * self.stride > _FAR_BYTES,
        )  # fmt: skip
        if not self._update(update, rows):
            return False
        self.layout.note_nan(self.program.found_nan, self.operands)   # partitions do not: they leave out rows of no group
        return run(self.program.combine_slices(), self.n_groups, GROUP_SLICE, operation=_OPERATION) is None

    def _update(self, update: Task, rows: int) -> bool:
        """All rows to the states of their slices, which have ``rows`` rows; False where a total does not fit."""
        return run(update, self.n_rows, rows, operation=_OPERATION) is None

    @property
    def _scatters(self) -> bool:
        return self.program.record_bytes() <= kernels.MOST_RECORD_BYTES and len(self.layout.inputs) <= 32

    def _run_partitions(self) -> bool:
        from fastframe.engines.cpu.group_shares import run_shares, share_groups
        from fastframe.engines.cpu.record_batches import run_partitions, sizes_of

        self.program.record_bytes()
        state_bytes = self.stride + 4 * self.program.n_counted
        n_threads = thread_count()
        of_share = share_groups(self.n_groups, state_bytes, self.n_rows * self.row_bytes, n_threads)
        if of_share:
            return run_shares(self.program, self.n_rows, self.n_groups, self.stride, of_share, n_threads=n_threads, operation=_OPERATION)
        return run_partitions(self.program, sizes_of(self.program, self.n_rows, self.row_bytes, self.n_groups, self.stride), _OPERATION)


def _slice_rows(n_rows: int, slice_bytes: int, row_bytes: int, n_groups: int) -> int:
    """`slice_rows`: tables take at most a fifth of what is read; where codes of a byte or two are kept, too, a 25th.

    The narrower bound leaves eight slices at least, and a multiple of eight: threads then have equal shares.
    """
    rows = slice_rows(n_rows, slice_bytes, row_bytes)
    n_slices = -(-n_rows // slice_rows(n_rows, 5 * slice_bytes, row_bytes))
    if not 0 < n_groups < _WIDE_GROUPS or n_slices >= n_rows // SLICE_ROWS:
        return rows
    return max(rows, -(-n_rows // (max(n_slices // 8, 1) * 8 * 512)) * 512)


def _stride(n_bytes: int, n_groups: int) -> int:
    """Bytes from state to state: in large tables they do not straddle cache lines."""
    if n_groups * n_bytes <= _CACHED_BYTES:
        return n_bytes
    return 1 << (n_bytes - 1).bit_length() if n_bytes <= _LINE else -(-n_bytes // 32) * 32


class _Output:
    """Memory for what one request gives."""

    __slots__ = ("n_groups", "dtypes", "blocks", "validity")

    def __init__(self, one: Request, n_groups: int) -> None:
        self.n_groups = n_groups
        self.dtypes = one.fields if one.result is None else [one.result.dtype]
        nullable = one.result is not None or one.operation in EXTREMES
        self.blocks = [allocate_field(given, n_groups, _OPERATION) for given in self.dtypes]
        self.validity = allocate_bits(n_groups, _OPERATION) if nullable else None

    @property
    def addresses(self) -> tuple[int, int]:
        """Of the values, of which there is one block, and of the validity."""
        return self.blocks[0].address, 0 if self.validity is None else self.validity.address

    def note_in(self, program: kernels.Program, one: Request, state: StatePlace) -> None:
        """Have the program write there."""
        values, validity = self.addresses
        program.keep((self.blocks, self.validity))
        result = one.result
        if result is None:
            program.emit_fields(state.step, state.presence, state.needs_n, tuple(block.address for block in self.blocks), validity)
            return
        assert result.dtype.physical is not None
        program.emit_result(
            state.step, state.presence, state.needs_n, result.poisons, finalizer=result.finalizer, physical=result.dtype.physical,
            min_count=result.min_count, ddof=result.ddof, unit=result.unit, values=values, validity=validity,
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
