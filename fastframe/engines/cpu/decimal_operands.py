"""Decimal operands for pyarrow, in 128 bits wherever all digits fit there: with 256 its loops take some twenty times as long."""

from __future__ import annotations

import pyarrow as pa

from fastframe.column import Column
from fastframe.dtypes import Kind
from fastframe.engines.cpu.operands import Operand
from fastframe.ops.result_types import decimal_shape

MOST_DIGITS = 38   # of decimal128


def shaped(operand: Operand, digits: int, scale: int, *, wide: bool = False) -> Operand:
    """A decimal, integer or bool operand with ``digits``, of which ``scale`` are behind the point; they must hold its values."""
    array = operand.column.array
    target = pa.decimal256(digits, scale) if wide else pa.decimal128(digits, scale)
    if array.type == target:
        return operand
    if not wide and pa.types.is_decimal128(array.type) and array.type.scale == scale:   # the same bytes, called otherwise
        array = pa.Array.from_buffers(target, len(array), array.buffers(), array.null_count, array.offset)
        return Operand(Column(array, operand.dtype), operand.scalar)
    if operand.dtype.kind is Kind.BOOL:
        array = array.cast(pa.int8())
    if operand.dtype.kind is not Kind.DECIMAL:
        array = array.cast(pa.decimal128(max(decimal_shape(operand.dtype)[0], 3), 0))   # Arrow wants room for all of an int8
    return Operand(Column(array.cast(target), operand.dtype), operand.scalar)


def comparable(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Both with one number of digits before and behind the point, so that they compare exactly."""
    shapes = [decimal_shape(one.dtype) for one in (left, right)]
    scale = max(0, *[behind for _, behind in shapes])   # Arrow compares no negative scales
    digits = max(digits - behind for digits, behind in shapes) + scale
    if digits <= MOST_DIGITS:
        return shaped(left, digits, scale), shaped(right, digits, scale)
    return shaped(left, 2 * MOST_DIGITS, MOST_DIGITS, wide=True), shaped(right, 2 * MOST_DIGITS, MOST_DIGITS, wide=True)


def computable(left: Operand, right: Operand, operation: str) -> tuple[Operand, Operand]:
    """Both as they are if the result of add, sub or mul fits 38 digits whatever the values, else in 256 bits, to be checked afterwards."""
    (digits, behind), (other_digits, other_behind) = shapes = decimal_shape(left.dtype), decimal_shape(right.dtype)
    if operation == "mul":
        needed = digits + other_digits
    else:
        needed = max(digits - behind, other_digits - other_behind) + max(behind, other_behind)
    wide = needed + 1 > MOST_DIGITS   # Arrow counts a digit of carry
    return shaped(left, *shapes[0], wide=wide), shaped(right, *shapes[1], wide=wide)
