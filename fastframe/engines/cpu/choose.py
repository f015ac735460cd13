"""Handlers that choose between operands row by row."""

from __future__ import annotations

from fastframe.column import Column
from fastframe.dtypes import BOOL, DType, Kind
from fastframe.engines.cpu.compare import missing_bits
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.operands import Invocation, Operand, broadcast
from fastframe.engines.cpu.put import where


def evaluate_if_else(call: Invocation) -> Column:
    """The second operand where the first is true, else the third."""
    mask, yes, no = call.operands
    if mask.dtype != BOOL:
        mask = Operand(nulls(BOOL, 1), scalar=True)
    return choose(mask, yes, no, call.result, call.n_rows)


def evaluate_coalesce(call: Invocation) -> Column:
    """The first operand that is not missing."""
    *firsts, best = call.operands
    for operand in reversed(firsts):
        there = Operand(missing_bits(operand.column, invert=True), operand.scalar)
        scalar = there.scalar and best.scalar
        best = Operand(choose(there, operand, best, call.result, 1 if scalar else call.n_rows), scalar)
    return best.cast(call.result).column


def choose(mask: Operand, yes: Operand, no: Operand, result: DType, n_rows: int) -> Column:
    """``yes`` where the mask is true, else ``no``, as ``result``; text meets a category if its values are among the categories."""
    if result.kind is not Kind.CATEGORY:
        yes, no = yes.cast(result), no.cast(result)
    if mask.scalar:
        return broadcast(yes if mask.value else no, n_rows)
    return where(mask.column, yes.column, no.column)
