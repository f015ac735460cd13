"""`evaluate`: an expression over the columns of a table, call by call; `evaluate_all`: some, in one pass where that pays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.plain import array_of_scalar
from fastframe.dtypes import Kind, from_arrow
from fastframe.engines.cpu.arithmetic import evaluate_arithmetic, evaluate_clip, evaluate_extreme, evaluate_round, evaluate_unary
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.choose import evaluate_coalesce, evaluate_if_else
from fastframe.engines.cpu.compare import (
    evaluate_between,
    evaluate_compare,
    evaluate_isin,
    evaluate_logic,
    evaluate_missing,
    evaluate_not,
)
from fastframe.engines.cpu.operands import Invocation, Operand, broadcast, is_kernel_number, number_row
from fastframe.engines.cpu.text_functions import evaluate_join, evaluate_text
from fastframe.engines.cpu.time_functions import evaluate_time
from fastframe.ops.expressions import Bound, Call, Cast, Col, Expression, Lit
from fastframe.ops.functions import FUNCTIONS
from fastframe.ops.mapped import Mapped

FUSED_ROWS = 1 << 19     # with fewer rows temporaries are in the cache anyhow, and making a program takes longer than it saves
_BITS = frozenset({"compare", "between", "logic", "not", "is_missing", "isin"})

# By `Function.handler`; a test checks that every row of the function table has one.
HANDLERS: dict[str, Callable[[Invocation], Column]] = {
    "arithmetic": evaluate_arithmetic,
    "unary": evaluate_unary,
    "round": evaluate_round,
    "extreme": evaluate_extreme,
    "clip": evaluate_clip,
    "compare": evaluate_compare,
    "between": evaluate_between,
    "is_missing": evaluate_missing,
    "logic": evaluate_logic,
    "not": evaluate_not,
    "isin": evaluate_isin,
    "if_else": evaluate_if_else,
    "coalesce": evaluate_coalesce,
    "text": evaluate_text,
    "text_join": evaluate_join,
    "time": evaluate_time,
}


def evaluate(expression: Expression, table: Table) -> Column:
    """The values of an expression, one per row of the table; a plain `Col` is the column itself.

    Raises
    ------
    ColumnNotFound, DTypeError, ArgumentError
        What ``expression.resolve(table.schema)`` raises, before any work.
    IntegerOverflow, LossyCast
        Where a result does not fit.
    """
    if type(expression) is not Call:   # a call is typed, all below it included, before its operands are evaluated
        expression.resolve(table.schema)
    operand = operand_of(expression, table)
    return broadcast(operand, table.n_rows) if operand.scalar else operand.column


def evaluate_all(outputs: Sequence[tuple[str, Expression]], table: Table) -> dict[str, Column]:
    """The values of some expressions over the columns of a table, as `evaluate` gives them one after the other."""
    if table.n_rows >= FUSED_ROWS and pays(expression for _, expression in outputs):
        from fastframe.engines.cpu.fused import fused

        columns = fused([expression for _, expression in outputs], table)
        if columns is not None:
            return dict(zip([name for name, _ in outputs], columns, strict=True))
    return {name: evaluate(expression, table) for name, expression in outputs}


def pays(expressions: Iterable[Expression]) -> bool:
    """Whether one pass saves memory traffic: a result of a call that is no bitmap goes into another call, or two calls read a column."""
    unread: list[tuple[Expression, Expression | None]] = [(one, None) for one in expressions]   # with the call it is an argument of
    readers: dict[str, Expression] = {}
    while unread:
        one, caller = unread.pop()
        if isinstance(one, Col) and caller is not None:
            if readers.setdefault(one.name, caller) is not caller:
                return True
        elif isinstance(one, (Call, Cast)):
            if caller is not None and not _gives_bits(one):
                return True
            unread += [(child, one) for child in one.children()]
    return False


def _gives_bits(expression: Call | Cast) -> bool:
    return isinstance(expression, Call) and expression.function in FUNCTIONS and FUNCTIONS[expression.function].handler in _BITS


def operand_of(expression: Expression, table: Table) -> Operand:
    """The values of an expression whose types are known to be right; one row where it is the same for all."""
    return _EVALUATORS[type(expression)](expression, table)


def _column(expression: Col, table: Table) -> Operand:
    return Operand(table.columns[expression.name])


def _literal(expression: Lit, table: Table) -> Operand:
    if isinstance(expression.value, Column):
        return Operand(expression.value, scalar=True)
    return Operand(one_row(expression.scalar()), scalar=True)


def one_row(scalar: pa.Scalar) -> Column:
    """An Arrow scalar as a column of one row."""
    dtype = from_arrow(scalar.type)
    return number_row(scalar.as_py(), dtype) if scalar.is_valid and is_kernel_number(dtype) else Column(array_of_scalar(scalar))


def _cast(expression: Cast, table: Table) -> Operand:
    operand = operand_of(expression.arg, table)
    name = expression.arg.name if isinstance(expression.arg, Col) else None
    return Operand(cast(operand.column, expression.dtype, safe=expression.safe, name=name), operand.scalar)


def _call(expression: Call, table: Table) -> Operand:
    bound = expression.bound(table.schema)
    operands = tuple([
        _EVALUATORS[type(arg)](arg, table) if scalar is None else Operand(one_row(scalar), True)
        for arg, scalar in zip(expression.args, bound.scalars)
    ])  # fmt: skip
    return applied(bound, operands, table)


def applied(bound: Bound, operands: tuple[Operand, ...], table: Table) -> Operand:
    """A function of operands that are there."""
    row, options, _, result, read = bound
    scalar = False not in [one.scalar for one in operands]
    call = Invocation(row.name, operands, result, options, 1 if scalar else table.n_rows, read[0][0] if read else None)
    column = HANDLERS[row.handler](call)
    if column.dtype is not result and column.dtype != result and result.kind is not Kind.NESTED:
        column = cast(column, result)
    return Operand(column, scalar)


def _mapped(expression: Mapped, table: Table) -> Operand:
    return Operand(mapped_results(expression, table)[expression.place])


def mapped_results(expression: Mapped, table: Table) -> list[Column]:
    """All results of a user's function of rows."""
    from fastframe.engines.cpu.mapped import map_rows

    return map_rows(expression.call, [evaluate(arg, table) for arg in expression.args], table.n_rows)


_EVALUATORS: dict[type[Expression], Callable[[Any, Table], Operand]] = {
    Col: _column, Lit: _literal, Call: _call, Cast: _cast, Mapped: _mapped,
}  # fmt: skip
