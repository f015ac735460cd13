"""Expressions in one pass: trees of several calls run block by block, with the kernels of `evaluate` and its results.

Nothing here decides what a function means: `fused_steps` takes the handlers' kernels. Where a step fails (an integer
overflows, a cast loses something), or a call refuses its arguments, `evaluate` runs the trees call by call, and raises for
the first call in evaluation order that fails. docs/plans/fused_expressions.md has the reasons and the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastframe.column import Column, Table
from fastframe.engines.cpu.evaluate import applied, one_row, operand_of, pays
from fastframe.engines.cpu.fused_program import Program, Request, Value
from fastframe.engines.cpu.fused_shapes import Shape, can_be_step, can_cast
from fastframe.engines.cpu.fused_steps import LOWERINGS, converted
from fastframe.engines.cpu.operands import Operand
from fastframe.errors import FastFrameError
from fastframe.ops.expressions import Bound, Call, Cast, Col, Expression


def fused(expressions: Sequence[Expression], table: Table) -> list[Column] | None:
    """The columns of the expressions in one pass over the rows; None where an expression refuses, or a step fails."""
    try:
        for expression in expressions:
            expression.resolve(table.schema)
        trees = Trees(table)
        values = [trees.value(expression) for expression in expressions]
    except MemoryError:
        raise
    except FastFrameError:
        return None
    return trees.program.run(values)


class Trees:
    """Expressions over one table, taken apart into the steps of one program."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.program = Program(table.n_rows)
        self._values: dict[int, tuple[Expression, Value]] = {}   # by identity; an expression that is kept keeps its id

    def value(self, expression: Expression) -> Value:
        """Where the values of an expression will be; what cannot be a step is evaluated now."""
        known = self._values.get(id(expression))
        if known is None:
            known = self._values[id(expression)] = (expression, self._value(expression))
        return known[1]

    def _value(self, expression: Expression) -> Value:
        if not self._is_constant(expression):
            if isinstance(expression, Call):
                return self._call(expression, expression.bound(self.table.schema))
            if isinstance(expression, Cast):
                return self._cast(expression)
        return operand_of(expression, self.table)

    def _call(self, expression: Call, bound: Bound) -> Value:
        literals = [None if scalar is None else Operand(one_row(scalar), scalar=True) for scalar in bound.scalars]
        step = can_be_step(bound, [self._shape(arg, one) for arg, one in zip(expression.args, literals, strict=True)])
        find: Callable[[Expression], Value] = self.value if step else self._operand
        values = tuple([one or find(arg) for arg, one in zip(expression.args, literals, strict=True)])
        there = tuple([one for one in values if isinstance(one, Operand) and (one.scalar or not step)])
        if len(there) == len(values):
            return applied(bound, there, self.table)
        call = Request(bound.row.name, values, bound.dtype, bound.options, bound.read[0][0])
        return converted(self.program, LOWERINGS[bound.row.handler](self.program, call), bound.dtype)

    def _cast(self, expression: Cast) -> Value:
        if can_cast(self._shape(expression.arg, None), expression.dtype):
            return converted(self.program, self.value(expression.arg), expression.dtype, safe=expression.safe)
        return operand_of(expression, self.table)

    def _operand(self, expression: Expression) -> Operand:
        """The values as a column, from a program of their own where that pays."""
        if not self._is_constant(expression) and pays([expression]):
            columns = fused([expression], self.table)
            if columns is not None:
                return Operand(columns[0])
        return operand_of(expression, self.table)

    def _shape(self, expression: Expression, literal: Operand | None) -> Shape:
        if literal is not None:
            return Shape(literal.dtype, scalar=True)
        encoded = isinstance(expression, Col) and self.table.columns[expression.name].is_encoded
        return Shape(expression.resolve(self.table.schema), scalar=self._is_constant(expression), encoded=encoded)

    def _is_constant(self, expression: Expression) -> bool:
        """Whether no column is read."""
        return not (expression.bound(self.table.schema).read if isinstance(expression, Call) else expression.names())
