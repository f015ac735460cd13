"""A program under construction: kernels as steps over blocks of rows, and where what they read and write lies.

A value is an `Operand` (a column, or one row for all) or a `Temp`, which is as long as a block, unless it is a result:
then its memory is as long as a column. Equal steps are taken once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import string_at
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar

from fastframe._kernels.bitmap import COMBINE_PLACES, combine_bits
from fastframe._kernels.fused import program
from fastframe._threads import run
from fastframe._threads._drive import Task
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.memory import Block, allocate, allocate_bits, is_streamed
from fastframe.dtypes import BOOL, DType, Physical
from fastframe.engines.cpu.operands import Invocation, KernelOperand, Operand, broadcast
from fastframe.engines.cpu.results import with_validity

if TYPE_CHECKING:
    from fastframe._kernels.fused import Step

MOST_BLOCK_ROWS = 1 << 15      # longer stretches of a column are read faster, until temporaries leave the cache:
SCRATCH_BYTES = 256 << 10      # docs/plans/fused_expressions.md has the measurements
LEAST_BLOCK_ROWS = 2048
OPERATION = "expression"


class Place(NamedTuple):
    """Where values or bits lie: in memory at row 0 (bits: at bit ``bit_offset``), or in a temporary."""

    slot: int | None
    address: int = 0
    bit_offset: int = 0


@dataclass(slots=True, eq=False)
class Temp:
    """What a step writes: values of a dtype, and bits that say which rows are not null (None: all)."""

    dtype: DType
    values: Place
    validity: Place | None = None
    valid_as: Column | None = None   # the column whose validity it is, where it is one's
    scalar = False
    is_null = False

    @property
    def has_nulls(self) -> bool:
        return self.validity is not None


Value = Operand | Temp
SomeValue = TypeVar("SomeValue", Operand, Temp)


def is_scalar(value: Value) -> TypeGuard[Operand]:
    """Whether one value stands for all rows."""
    return isinstance(value, Operand) and value.scalar


@dataclass(slots=True)
class Request:
    """As `Invocation`, of operands some of which are not there yet; not all of them are scalars."""

    operation: str
    operands: tuple[Value, ...]
    result: DType
    options: Mapping[str, Any]
    name: str | None

    def of(self, operation: str, operands: tuple[Value, ...], result: DType) -> Request:
        """Another operation over the same rows."""
        return replace(self, operation=operation, operands=operands, result=result, options={})

    def of_scalars(self, *operands: Operand) -> Invocation:
        """The operation on these alone."""
        return Invocation(self.operation, operands, self.result, {}, 1, self.name)


Patches = list[tuple[int, int]]   # (offset in the context, slot)


class Consumer(NamedTuple):
    """Who takes the blocks that a program makes: kernels that begin a slice, take a block, and end the slice."""

    begin: Task
    take: Task
    end: Task
    size: int        # of the context that each of them has
    reads: Patches


class _Step(NamedTuple):
    task: Task
    places: Mapping[str, int]   # by name, in the context; and its "size"
    reads: Patches
    writes: Patches


def physical_of(value: Value) -> Physical | None:
    """How kernels see the values."""
    return value.dtype.physical if isinstance(value, Temp) else value.column.physical


class Program:
    """Steps over ``n_rows`` rows."""

    VALIDITY = 8   # bytes from a view's values to its validity

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        self.steps: list[_Step] = []
        self._bits: list[int] = []               # of each slot, per row
        self._known: dict[Any, Any] = {}        # by what was computed of what
        self._results: dict[int, Block] = {}     # slots as long as a column

    # ---- operands of steps ----------------------------------------------------------------------------------------

    def slot(self, dtype: DType | None) -> Place:
        """A new temporary of values of a dtype; of bits for None."""
        self._bits.append(8 * dtype.width if dtype is not None and dtype.width else 1)
        return Place(len(self._bits) - 1)

    def values(self, value: Value) -> Place:
        """Where the values lie."""
        if isinstance(value, Temp):
            return value.values
        view = value.column.view
        return Place(None, view.values, view.bit_offset)

    def validity(self, value: Value) -> Place | None:
        """Where the bits lie that say which rows are not null; None where none is."""
        if isinstance(value, Temp):
            return value.validity
        view = value.column.validity_view
        return Place(None, view.validity, view.bit_offset) if view.validity else None

    def kernel_view(self, value: Value) -> tuple[tuple[int, int, int, int], Patches]:
        """A view as kernels take it, and which of its addresses (from its start on) are temporaries."""
        if isinstance(value, Operand):
            return value.column.view, []
        bits, values = self._one_offset(value)
        patches = [(at, place.slot) for at, place in ((0, values), (self.VALIDITY, bits)) if place is not None and place.slot is not None]
        offset = bits.bit_offset if bits is not None else values.bit_offset
        return (values.address, bits.address if bits is not None else 0, offset, self.n_rows), patches

    def _one_offset(self, value: Temp) -> tuple[Place | None, Place]:
        """Validity and values; a view of bits has one offset for both."""
        bits, values = value.validity, value.values
        if bits is None or value.dtype.width or bits.bit_offset == values.bit_offset:
            return bits, values
        return self.combined("copy", bits).values, values

    def operand(self, value: Value) -> tuple[KernelOperand, Patches]:
        """A value as kernels of two operands take it."""
        if isinstance(value, Operand):
            return value.kernel_view, []
        view, patches = self.kernel_view(value)
        assert value.dtype.physical is not None
        return (view, int(value.dtype.physical), False), patches

    # ---- steps ----------------------------------------------------------------------------------------------------

    def once(self, key: Any, make: Callable[[], SomeValue]) -> SomeValue:
        """What ``make`` gives, or gave for the same key: what was computed and the `identity` of everything it was computed of."""
        if key not in self._known:
            self._known[key] = make()
        found: SomeValue = self._known[key]
        return found

    def step(self, task: Task, places: Mapping[str, int], reads: Mapping[str, Patches], writes: Mapping[str, Place | None]) -> None:
        """Add a kernel whose context has the addresses ``reads`` and ``writes`` at ``places``."""
        read = [(places[name] + at, slot) for name, patches in reads.items() for at, slot in patches]
        written = [(places[name], place.slot) for name, place in writes.items() if place is not None and place.slot is not None]
        self.steps.append(_Step(task, places, read, written))

    def combined(self, operation: str, *bits: Place | bool) -> Temp:
        """A bitwise combination of bitmaps, or of one bit for all rows."""
        def make() -> Temp:
            out = self.slot(None)
            operands = tuple((0, 0, one) if isinstance(one, bool) else (one.address, one.bit_offset, False) for one in bits)
            reads = {
                name: [(0, one.slot)]
                for name, one in zip(("first", "second", "third"), bits, strict=False)
                if isinstance(one, Place) and one.slot is not None
            }
            self.step(combine_bits(operation, operands, 0, None), COMBINE_PLACES, reads, {"out": out})   # type: ignore[arg-type]
            return Temp(BOOL, out)

        return self.once((operation, *bits), make)

    # ---- running --------------------------------------------------------------------------------------------------

    def run(self, outputs: list[Value]) -> list[Column] | None:
        """The columns of some values; None where a step failed."""
        for value in outputs:
            if isinstance(value, Temp):
                self._results[value.values.slot] = _memory(value.dtype, self.n_rows)   # type: ignore[index]
                if value.validity is not None and value.validity.slot is not None:
                    self._results[value.validity.slot] = allocate_bits(self.n_rows, OPERATION)
        if self.steps:
            rows, steps, scratch = self._blocks()
            if run(program(steps, rows, scratch), self.n_rows, operation=OPERATION) is not None:
                return None
        made = {id(value): self._column(value) for value in outputs}
        return [made[id(value)] for value in outputs]

    def feed(self, consumer: Consumer, slice_rows: int) -> bool:
        """Make all blocks for a consumer, in slices of so many rows; False where a step failed."""
        self.steps.append(_Step(consumer.take, {"size": consumer.size}, consumer.reads, []))
        rows, steps, scratch = self._blocks()
        before: Step = (consumer.begin, consumer.size, [], [])
        after: Step = (consumer.end, consumer.size, [], [])
        task = program([before, *steps, after], rows, scratch, n_before=1, n_after=1)
        return run(task, self.n_rows, slice_rows, operation=OPERATION) is None

    def _blocks(self) -> tuple[int, list[Step], int]:
        """Rows of a block, the steps that run over it, and the bytes of its temporaries."""
        bases, bits_per_row = self._layout()
        rows = block_rows(bits_per_row)
        return rows, [self._placed(step, bases, rows) for step in self.steps], bits_per_row * rows // 8

    def _placed(self, step: _Step, bases: dict[int, int], rows: int) -> Step:
        patches, words = [], []
        for at, slot in step.reads + step.writes:
            if slot in self._results:
                words.append((at, self._results[slot].address))
            else:
                patches.append((at, bases[slot] * rows // 8, self._bits[slot]))
        if "loose" in step.places and not any(slot in self._results for _, slot in step.writes):
            words.append((step.places["loose"], 1))   # nobody sees what lies under nulls
        if "streams" in step.places and any(slot in self._results and is_streamed(self.n_rows * self._bits[slot] // 8) for _, slot in step.writes):
            words.append((step.places["streams"], 1))
        return step.task, step.places["size"], patches, words

    def _layout(self) -> tuple[dict[int, int], int]:
        """Where each temporary starts, and where all end, in bits per row; memory is used again after the last step that reads it."""
        last = {slot: number for number, step in enumerate(self.steps) for _, slot in step.reads + step.writes}
        bases: dict[int, int] = {}
        free: dict[int, list[int]] = {}
        size = 0
        for number, step in enumerate(self.steps):
            for slot in [slot for _, slot in step.writes if slot not in self._results]:
                bits = self._bits[slot]
                if not free.setdefault(bits, []):
                    free[bits].append(size)
                    size += bits
                bases[slot] = free[bits].pop()
            for slot in {slot for _, slot in step.reads + step.writes}:
                if last[slot] == number and slot in bases:
                    free[self._bits[slot]].append(bases[slot])
        return bases, size

    def _column(self, value: Value) -> Column:
        if isinstance(value, Operand):
            return broadcast(value, self.n_rows) if value.scalar else value.column
        values = self._results[value.values.slot]   # type: ignore[index]
        if value.valid_as is not None:
            return with_validity(value.dtype, values, value.valid_as)
        validity = self._results[value.validity.slot] if value.validity is not None else None   # type: ignore[index]
        return column_from_buffers(value.dtype, self.n_rows, values, validity)


def block_rows(bits_per_row: int) -> int:
    """Rows of a block whose temporaries stay in the cache: a power of two, and no part of any result depends on it."""
    rows = MOST_BLOCK_ROWS
    while rows > LEAST_BLOCK_ROWS and rows * bits_per_row > 8 * SCRATCH_BYTES:
        rows //= 2
    return rows


def _memory(dtype: DType, n_rows: int) -> Block:
    return allocate(n_rows * dtype.width, OPERATION) if dtype.width else allocate_bits(n_rows, OPERATION)


def identity(value: Value) -> Any:
    """What tells two values of a program apart: equal identities are equal bits."""
    if isinstance(value, Temp):
        return value.dtype.name, value.values, value.validity
    if not value.scalar or value.is_null or not value.dtype.width or value.column.is_encoded:
        return value.column
    return value.dtype.name, string_at(value.column.view.values, value.dtype.width)   # not the value: 0.0 == -0.0
