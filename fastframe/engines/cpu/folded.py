"""Aggregations of expressions in one pass: their blocks are made, added to the states, and made again over.

The states, slices and additions are those of a pass over columns (`accumulate.py`), so results have the same bits; only the
arguments are never there as a whole. docs/plans/fused_expressions.md has the reasons and the figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastframe._threads._drive import Task
from fastframe.column.column import Column, ColumnView
from fastframe.engines.cpu.accumulate import Pass
from fastframe.engines.cpu.deferred import Deferred
from fastframe.engines.cpu.fused import Trees
from fastframe.engines.cpu.fused_program import Consumer, Patches, Value, is_scalar
from fastframe.engines.cpu.layout import layout_of
from fastframe.engines.cpu.requests import POSITIONS, Request, Source, source_of
from fastframe.engines.cpu.row_codes import Codes
from fastframe.errors import FastFrameError

_FILLED_IN = 1   # an address that is known once a block is made


def folded(requests: Sequence[Request], codes: Codes | None, n_groups: int, *, filled: bool) -> list[list[Column]] | None:
    """`accumulate_all` for requests some of whose columns are not computed yet.

    None where the columns have to be computed: a step fails, values of a column decide about the states, or groups are too
    many for states by slices.
    """
    if any(one.operation in POSITIONS for one in requests):   # of the rows found, the values are taken from the columns
        return None
    columns = [column for one in requests for column in (one.column, one.other) if column is not None]
    waiting = {id(column): column for column in columns if isinstance(column, Deferred) and not column.in_memory}
    computations = {id(column.computation): column.computation for column in waiting.values()}
    if len(computations) != 1:   # expressions over several tables
        return None
    (computation,) = computations.values()
    try:
        trees = Trees(computation.table)
        values = {number: trees.value(column.expression) for number, column in waiting.items()}
    except MemoryError:
        raise
    except FastFrameError:   # computing the columns says which call refuses
        return None
    if any(is_scalar(value) for value in values.values()):
        return None
    blocks = _Blocks(trees, values)
    layout, operands = layout_of(requests, filled=filled, grouped=codes is not None, source=blocks.source)
    if computation.is_done:   # ranges of values decided about the layout
        return None
    numbers = [number for number, _ in layout.inputs]
    return FoldedPass(layout, operands, requests, codes, n_groups).run_of(blocks, numbers)


class _Blocks:
    """Values of a program of steps, as the columns of a pass."""

    def __init__(self, trees: Trees, values: dict[int, Value]) -> None:
        self.program, self.values = trees.program, values
        self.patches: list[Patches] = []   # of each source, in the order that they are asked for

    def source(self, column: Column) -> Source:
        """A column as kernels read it."""
        value = self.values.get(id(column))
        if value is None:
            self.patches.append([])
            return source_of(column)
        (values, validity, bit_offset, length), patches = self.program.kernel_view(value)
        self.patches.append(patches)
        assert column.physical is not None
        made = {at for at, _ in patches}
        return Source(column.physical, ColumnView(
            _FILLED_IN if 0 in made else values, _FILLED_IN if self.program.VALIDITY in made else validity, bit_offset, length,
        ))  # fmt: skip


class FoldedPass(Pass):
    """A pass that is fed by a program of steps."""

    blocks: _Blocks
    numbers: list[int]

    def run_of(self, blocks: _Blocks, numbers: list[int]) -> list[list[Column]] | None:
        """`run`; ``numbers`` are the columns of the inputs. None where a step fails, or the plan needs columns."""
        self.blocks, self.numbers = blocks, numbers
        return self.run()

    def _run_partitions(self) -> bool:
        return False

    def _update(self, update: Task, rows: int) -> bool:
        tasks, n_bytes, places = self.program.fold()
        patches = [
            (place + at, slot)
            for place, number in zip(places, self.numbers, strict=True) if number >= 0
            for at, slot in self.blocks.patches[number]
        ]  # fmt: skip
        return self.blocks.program.feed(Consumer(*tasks, n_bytes, patches), rows)
