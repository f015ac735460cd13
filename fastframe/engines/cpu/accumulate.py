"""From a column and group codes to a state with one row per group: which plan, which kernels, in which phases.

The plan depends on the numbers of rows and groups and the width of the state only, so a float sum has the same bits for
any number of threads. See ``_kernels/aggregate.hpp``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import aggregate as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run, slice_rows
from fastframe.column.column import Column, ColumnView, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import BOOL, FLOAT64, INT32, INT64, UINT64, DType, Kind, Physical, dtype
from fastframe.engines.cpu.scatter import PARTITION_SLICE, Source, by_partition
from fastframe.errors import KernelError, KernelStatus

Codes = np.ndarray[Any, np.dtype[np.uint32]]

GROUP_SLICE = 4096         # groups of one slice where a phase runs over groups; a multiple of 512
_REPLICATED = 64           # up to so many groups, rows of one group would wait for each other
_FEW_SLICES = 8            # with fewer, and many groups, partitions share the work better
_MANY_GROUPS = 1 << 13
_PREFETCH_BYTES = 1 << 18  # slots larger than this share of an L2 cache are prefetched
_CODE_BYTES = 4
_ROWS, _ROWS_OF_F32, _ROWS_OF_F64 = 100, 101, 102   # scatter.hpp::RowSource
_UINT8 = dtype("uint8")
_TOTAL = dtype(pa.decimal128(38, 0))                # exact totals, as 128-bit integers


class Operation(IntEnum):
    """Keep in step with ``_kernels/aggregate.hpp``."""

    COUNT = 0
    SUM = 1
    SUM_WIDE = 2
    SUM_DECIMAL = 3
    PRODUCT = 4
    MIN = 5
    MAX = 6
    ANY = 7
    ALL = 8
    MOMENTS = 9
    FIRST = 10
    LAST = 11
    TEXT_MIN = 12
    TEXT_MAX = 13


_OF_ROWS = {Operation.COUNT, Operation.FIRST, Operation.LAST, Operation.TEXT_MIN, Operation.TEXT_MAX}
_WITH_VALIDITY = {Operation.MIN, Operation.MAX}


@dataclass(frozen=True)
class Operand:
    """What a kernel reads: the view of a column, the groups of its rows (``codes`` None: one group)."""

    column: Column
    physical: int
    view: ColumnView
    codes: Codes | None
    n_groups: int
    text: tuple[int, int] = (0, 0)

    @property
    def n_rows(self) -> int:
        return self.view.length

    @property
    def row_bytes(self) -> int:
        return (self.column.dtype.width or 8) + _CODE_BYTES

    @property
    def keep_alive(self) -> tuple[Any, ...]:
        return self.column, self.codes

    def source(self, operation: Operation) -> Source:
        """What the plan by partitions scatters."""
        rows = {Physical.F32: _ROWS_OF_F32, Physical.F64: _ROWS_OF_F64}.get(Physical(self.physical), _ROWS) if self.physical >= 0 else _ROWS
        return Source(rows if operation in _OF_ROWS else self.physical, self.view, self.codes, self.n_groups, self.keep_alive)


def operand(column: Column, codes: Codes | None, n_groups: int) -> Operand:
    """A column as kernels read it; of a nested or half-supported dtype only which rows are null."""
    if column.physical in (Physical.STR, Physical.LSTR):
        text = column.text_view
        physical = Physical.LSTR if text.large else Physical.STR
        view = ColumnView(text.offsets, text.validity, text.bit_offset, text.length)
        return Operand(column, physical, view, codes, n_groups, (text.offsets, text.data))
    if column.physical is None:
        return Operand(column, -1, column.validity_view, codes, n_groups)
    return Operand(column, column.physical, column.view, codes, n_groups)


def all_rows(given: Operand) -> Operand:
    """The operand for operations that take missing values like any other row."""
    return replace(given, physical=-1, view=ColumnView(0, 0, 0, given.n_rows))


def state_dtypes(operation: Operation, given: DType) -> list[DType]:
    """The dtypes of the fields that an operation emits for a column of dtype ``given``."""
    is_float = given.kind is Kind.FLOAT
    match operation:
        case Operation.COUNT:
            return [INT64]
        case Operation.SUM | Operation.SUM_WIDE:
            return [FLOAT64 if is_float else _TOTAL, INT64]
        case Operation.SUM_DECIMAL:
            return [_TOTAL, _TOTAL, INT64]
        case Operation.PRODUCT:
            return [FLOAT64, INT64] if is_float else [UINT64, _UINT8, INT64]
        case Operation.MIN | Operation.MAX:
            return [INT32 if given.kind is Kind.CATEGORY else given]
        case Operation.ANY | Operation.ALL:
            return [BOOL]
        case Operation.MOMENTS:
            return [INT64, FLOAT64, FLOAT64]
        case _:
            return [INT32]


class Fields:
    """The columns of a state while kernels fill them."""

    def __init__(self, dtypes: list[DType], n_groups: int, *, nullable: bool, operation: str) -> None:
        self.dtypes, self.n_groups = dtypes, n_groups
        self.blocks = [allocate_field(one, n_groups, operation) for one in dtypes]
        self.validity = allocate_bits(n_groups, operation) if nullable else None

    @property
    def addresses(self) -> tuple[int, ...]:
        return tuple(block.address for block in self.blocks)

    @property
    def validity_address(self) -> int:
        return self.validity.address if self.validity is not None else 0

    def columns(self) -> list[Column]:
        return [column_from_buffers(one, self.n_groups, block, self.validity) for one, block in zip(self.dtypes, self.blocks, strict=True)]


def allocate_field(given: DType, n_groups: int, operation: str) -> Block:
    """Memory for ``n_groups`` values of a dtype."""
    return allocate_bits(n_groups, operation) if given.physical is Physical.BOOL else allocate(n_groups * given.width, operation)


def accumulate(operation: Operation, given: Operand) -> list[Column]:
    """The state of every group, as columns in the order that ``states.hpp`` emits."""
    fields = Fields(state_dtypes(operation, given.column.dtype), given.n_groups, nullable=operation in _WITH_VALIDITY, operation=operation.name)
    fits = _run(operation, given, fields)
    if not fits and operation is Operation.SUM:   # some partial total passed 64 bits; the exact total may still fit
        fits = _run(Operation.SUM_WIDE, given, fields)
    if not fits:
        raise KernelError.of(operation.name.lower(), KernelStatus.OVERFLOW, 0)
    return fields.columns()


def _run(operation: Operation, given: Operand, fields: Fields) -> bool:
    """Fill the fields; False where an exact total needs a wider state."""
    slot_bytes = kernels.slot_bytes(operation, given.physical)
    n_replicas = kernels.MOST_REPLICAS if given.n_groups <= _REPLICATED else 1   # reduction by lanes uses the first only
    state_bytes = n_replicas * (given.n_groups + kernels.SPARE_SLOTS) * slot_bytes
    rows = slice_rows(given.n_rows, state_bytes, given.row_bytes)
    n_slices, most_slices = -(-given.n_rows // rows), -(-given.n_rows // SLICE_ROWS)
    if given.n_groups >= _MANY_GROUPS and n_slices < min(_FEW_SLICES, most_slices):
        return _run_partitions(operation, given, fields)
    grouped = _grouped(operation, given, fields)
    slots = allocate(n_slices * state_bytes, operation.name)
    prefetch = state_bytes > _PREFETCH_BYTES
    update = grouped.update_slices(slots.address, n_slices=n_slices, n_replicas=n_replicas, prefetch=prefetch)
    if run(update, given.n_rows, rows, operation=operation.name) is not None:
        return False
    return run(grouped.combine_slices(), given.n_groups, GROUP_SLICE, operation=operation.name) is None


def _run_partitions(operation: Operation, given: Operand, fields: Fields) -> bool:
    parts, shift = by_partition(given.source(operation), operation=operation.name)
    assert parts.codes is not None
    codes = np.frombuffer(parts.codes, np.uint32)   # type: ignore[call-overload]
    scattered = replace(given, view=ColumnView(parts.values.address, 0, 0, int(parts.starts[-1])), codes=codes)
    grouped = _grouped(operation, scattered, fields, parts)
    update = grouped.update_partitions(parts.starts.ctypes.data, shift=shift)
    return run(update, len(parts.starts) - 1, PARTITION_SLICE, operation=operation.name) is None


def _grouped(operation: Operation, given: Operand, fields: Fields, *keep_alive: Any) -> kernels.Grouped:
    address = int(given.codes.ctypes.data) if given.codes is not None else 0
    grouped = kernels.Grouped(operation, given.physical, given.view, address, n_groups=given.n_groups, text=given.text,
                              keep_alive=(given.keep_alive, fields, *keep_alive))  # fmt: skip
    grouped.emit_to(fields.addresses, fields.validity_address)
    return grouped


# How the fields of a state merge: the operation, and a dtype whose kernels emit those fields.
_MERGES: dict[tuple[str, ...], tuple[Operation, DType]] = {
    ("n",): (Operation.COUNT, INT64),
    ("total", "n"): (Operation.SUM_WIDE, _TOTAL),
    ("sum", "n"): (Operation.SUM, FLOAT64),
    ("high", "low", "n"): (Operation.SUM_DECIMAL, _TOTAL),
    ("product", "n"): (Operation.PRODUCT, FLOAT64),
    ("magnitude", "flags", "n"): (Operation.PRODUCT, UINT64),
    ("n", "mean", "m2"): (Operation.MOMENTS, FLOAT64),
}  # fmt: skip


def merge(names: tuple[str, ...], states: list[list[Column]]) -> list[Column]:
    """Fields of states of the same groups, from parts of the rows in order, as those of all rows.

    Totals of integers merge in 128 bits, so no partial overflows.
    """
    operation, given = _MERGES[names]
    assert given.physical is not None
    assert not any(column.null_count for columns in states for column in columns)
    n_groups = len(states[0][0])
    fields = Fields(state_dtypes(operation, given), n_groups, nullable=False, operation=operation.name)
    addresses = [(tuple(column.view.values for column in columns), 0, 0) for columns in states]
    task = kernels.Merge(operation, given.physical, addresses, fields.addresses, 0, keep_alive=(states, fields)).merge()
    run(task, n_groups, GROUP_SLICE, operation=operation.name)
    return fields.columns()
