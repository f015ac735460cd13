"""Which calls can be steps of a program: those whose operands have values of one width that kernels of ours read.

Decided by dtypes and encodings alone, before anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastframe.dtypes import BOOL, DType, Kind
from fastframe.engines.cpu.compare import finer
from fastframe.ops.expressions import Bound
from fastframe.ops.literals import is_missing

_NUMBERS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT})
_INSTANTS = frozenset({Kind.TIMESTAMP, Kind.DURATION})
_MOST_MEMBERS = 8   # of isin, compared one by one; more are hashed by pyarrow


class Shape(NamedTuple):
    """What is known of an operand before it is evaluated."""

    dtype: DType
    scalar: bool = False
    encoded: bool = False

    @property
    def is_number(self) -> bool:
        """Of a type that kernels compute with (float16 is not)."""
        return self.dtype.kind in _NUMBERS and self.dtype.physical is not None

    @property
    def is_fixed(self) -> bool:
        """Numbers, and dates and times, which are integers to kernels."""
        return self.is_number or (self.dtype.is_temporal and not self.encoded)


def can_be_step(bound: Bound, shapes: Sequence[Shape]) -> bool:
    """Whether a call can be a step."""
    fits = _FITS.get(bound.row.handler)
    return fits is not None and fits(bound, shapes)


def can_cast(shape: Shape, target: DType) -> bool:
    """Whether a cast to ``target`` can be a step: between numbers, and numbers and times in the unit they have."""
    if shape.dtype == target or shape.scalar:
        return True
    source, other = shape.dtype, Shape(target)
    if not (shape.is_fixed and other.is_fixed):
        return False
    if source.is_temporal and target.is_temporal:
        return source.kind is target.kind is Kind.TIMESTAMP and source.arrow.unit == target.arrow.unit
    return True


def _arithmetic(bound: Bound, shapes: Sequence[Shape]) -> bool:
    result = Shape(bound.dtype)
    if result.is_number:
        return all(one.is_number for one in shapes)
    return (
        bound.row.name in ("add", "sub")
        and bound.dtype.kind in _INSTANTS
        and all(one.dtype.kind in _INSTANTS and (one.scalar or one.dtype.arrow.unit == bound.dtype.arrow.unit) for one in shapes)
    )


def _unary(bound: Bound, shapes: Sequence[Shape]) -> bool:
    if bound.row.handler == "round" and bound.dtype.is_integer and int(bound.options["decimals"]) < 0:
        return False
    return (shapes[0].is_number and Shape(bound.dtype).is_number) or shapes[0].dtype.kind is Kind.DURATION


def _to_result(bound: Bound, shapes: Sequence[Shape]) -> bool:
    return Shape(bound.dtype).is_fixed and all(can_cast(one, bound.dtype) for one in shapes)


def _choice(bound: Bound, shapes: Sequence[Shape]) -> bool:
    return shapes[0].dtype == BOOL and _to_result(bound, shapes[1:])


def _extreme(bound: Bound, shapes: Sequence[Shape]) -> bool:
    return bound.dtype.kind is not Kind.BOOL and _to_result(bound, shapes)


def _comparison(bound: Bound, shapes: Sequence[Shape]) -> bool:
    first = shapes[0]
    return all(_comparable(first, other) for other in shapes[1:])


def _comparable(left: Shape, right: Shape) -> bool:
    if left.encoded or right.encoded:
        return left.encoded != right.encoded and (left.scalar or right.scalar)
    if left.is_number and right.is_number:
        return True
    if not (left.dtype.is_temporal and right.dtype.is_temporal):
        return False
    both = finer(left.dtype, right.dtype)
    return all(one.scalar or _same_counts(one.dtype, both) for one in (left, right))


def _same_counts(dtype: DType, both: DType) -> bool:
    """Whether integers of one dtype are those of the other: zones do not matter for instants."""
    return dtype == both or (dtype.kind is both.kind is Kind.TIMESTAMP and dtype.arrow.unit == both.arrow.unit)


def _missing(bound: Bound, shapes: Sequence[Shape]) -> bool:
    return shapes[0].dtype.kind is not Kind.FLOAT or shapes[0].is_number


def _logic(bound: Bound, shapes: Sequence[Shape]) -> bool:
    return bound.dtype == BOOL and all(one.dtype == BOOL or (one.scalar and one.dtype.kind is Kind.NULL) for one in shapes)


def _isin(bound: Bound, shapes: Sequence[Shape]) -> bool:
    (shape,) = shapes
    if shape.encoded:
        return True
    values = [one for one in bound.options["values"] if not is_missing(one)]
    return shape.is_fixed and len(values) <= _MOST_MEMBERS


_FITS: dict[str, Callable[[Bound, Sequence[Shape]], bool]] = {
    "arithmetic": _arithmetic,
    "unary": _unary,
    "round": _unary,
    "extreme": _extreme,
    "clip": _extreme,
    "compare": _comparison,
    "between": _comparison,
    "is_missing": _missing,
    "logic": _logic,
    "not": _logic,
    "isin": _isin,
    "if_else": _choice,
    "coalesce": _to_result,
}
