"""Specs of repeated questions about the rows of one table, with all that follows from names and dtypes decided once.

What comes out runs the same loops over the same memory as the plain handlers; only the way to them is shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from fastframe.column import Column, Table
from fastframe.engines.cpu import arithmetic, compare
from fastframe.engines.cpu.evaluate import evaluate, one_row, pays
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.operands import Chosen, Invocation, Operand
from fastframe.ops.base import Schema
from fastframe.ops.expressions import Call, Col, Expression
from fastframe.ops.mapped import Mapped
from fastframe.ops.project import Project

Answer = Callable[[Table], Table]
Values = Callable[[Table], Column]

# By `Function.handler`: the loop that an invocation leads to, where it leads to just one.
_LOOPS: Mapping[str, Callable[[Invocation], Chosen | None]] = {"arithmetic": arithmetic.loop_of, "compare": compare.loop_of}


def project(spec: Project, schema: Schema) -> Answer | None:
    """What gives the spec's result for any table of this schema; None where its handler is as fast."""
    if spec.keep or pays(expression for _, expression in spec.outputs):
        return None
    if any(isinstance(expression, Mapped) for _, expression in spec.outputs):   # some may be results of one function
        return None
    answers = [(name, _values_of(expression, schema)) for name, expression in spec.outputs]
    return lambda table: Table.of({name: values(table) for name, values in answers}, table.n_rows)


def _values_of(expression: Expression, schema: Schema) -> Values:
    loop = _loop_over(expression, schema) if isinstance(expression, Call) and len(expression.args) == 2 else None
    return loop if loop is not None else partial(evaluate, expression)


def _loop_over(call: Call, schema: Schema) -> Values | None:
    """A function of a column and another one or a value; the loop is chosen for columns of no rows."""
    bound = call.bound(schema)
    names: dict[int, str] = {}
    operands = []
    for arg, scalar in zip(call.args, bound.scalars, strict=True):
        if isinstance(arg, Col):
            operands.append(Operand(nulls(schema[arg.name], 0)))
            names[id(operands[-1].column)] = arg.name
        elif scalar is not None:
            operands.append(Operand(one_row(scalar), scalar=True))
        else:
            return None
    choose = _LOOPS.get(bound.row.handler)
    chosen = choose(Invocation(bound.row.name, tuple(operands), bound.dtype, bound.options, 0)) if choose is not None and names else None
    if chosen is None:
        return None
    return _applied(chosen, names, bound.read[0][0])


def _applied(chosen: Chosen, names: Mapping[int, str], shown: str) -> Values:
    """The loop over columns, found by the names of those that it was chosen for, or over a value in place of one."""
    over, first, second = chosen.loop.over, chosen.left.column, chosen.right.column
    left, right = names.get(id(first)), names.get(id(second))
    if left is not None and right is not None:
        return lambda table: over(table.columns[left], table.columns[right], table.n_rows, shown)
    if left is not None:
        return lambda table: over(table.columns[left], second, table.n_rows, shown)
    assert right is not None
    return lambda table: over(first, table.columns[right], table.n_rows, shown)
