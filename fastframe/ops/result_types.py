"""Result-type rules of elementwise functions: ``(operation, dtypes, options) -> DType``, or `DTypeError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa

from fastframe import dtypes
from fastframe.dtypes import BOOL, FLOAT64, INT64, NULL, STRING, DType, Kind
from fastframe.errors import DTypeError
from fastframe.ops.function import ResultRule

NUMBERS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.DECIMAL})
TIMES = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.DURATION, Kind.TIME})
Options = Mapping[str, Any]


def fixed(dtype: DType, kinds: frozenset[Kind] | None = None, allowed: str = "") -> ResultRule:
    """Always ``dtype``, for a first argument of these kinds (any, if None)."""

    def rule(operation: str, given: Sequence[DType], options: Options) -> DType:
        require_kind(operation, given[0], kinds, allowed)
        return dtype

    return rule


def same(kinds: frozenset[Kind], allowed: str) -> ResultRule:
    """The dtype of the first argument."""

    def rule(operation: str, given: Sequence[DType], options: Options) -> DType:
        require_kind(operation, given[0], kinds, allowed)
        return given[0]

    return rule


def require_kind(operation: str, given: DType, kinds: frozenset[Kind] | None, allowed: str) -> None:
    """Raise `DTypeError` unless the dtype is of one of the kinds (null always is)."""
    if kinds is not None and given.kind not in kinds and given.kind is not Kind.NULL:
        raise DTypeError.of_operation(operation, given, allowed=allowed)


# ---- arithmetic -----------------------------------------------------------------------------------------------------


def arithmetic(operation: str, given: Sequence[DType], options: Options) -> DType:
    """Numbers promote as in NumPy (two bools count as int64); times, durations, text and decimals have their own rules."""
    left, right = given
    if Kind.NULL in (left.kind, right.kind):
        return _with_null(operation, left, right)
    if {left.kind, right.kind} <= NUMBERS:
        if Kind.DECIMAL in (left.kind, right.kind):
            return decimal_result(operation, left, right)
        return _number_result(operation, left, right)
    rule = _TIME_RULES.get((operation, _time_kind(left), _time_kind(right)))
    if rule is not None:
        return rule(operation, left, right)
    if operation == "add" and left.kind is right.kind is Kind.STRING:
        return STRING
    raise DTypeError.of_pair(operation, left, right)


def _with_null(operation: str, left: DType, right: DType) -> DType:
    other = left if right.kind is Kind.NULL else right
    if other.kind in NUMBERS - {Kind.DECIMAL}:
        return _number_result(operation, other, other)
    if other.kind is Kind.DATE:
        return dtypes.from_arrow(pa.duration("s")) if operation == "sub" else dtypes.from_arrow(pa.timestamp("s"))
    return other


def _number_result(operation: str, left: DType, right: DType) -> DType:
    both = dtypes.common(left, right)
    assert both is not None
    if both.kind is Kind.BOOL:
        both = INT64
    return FLOAT64 if operation == "truediv" and both.kind is not Kind.FLOAT else both


def decimal_result(operation: str, left: DType, right: DType) -> DType:
    """Exact for add, sub, mul (up to 38 digits, then IntegerOverflow); truediv, and floats beside, give float64."""
    if operation == "truediv" or Kind.FLOAT in (left.kind, right.kind):
        return FLOAT64
    if operation not in ("add", "sub", "mul"):
        raise DTypeError.of_pair(operation, left, right)
    (digits, scale), (other_digits, other_scale) = decimal_shape(left), decimal_shape(right)
    if operation == "mul":
        if scale + other_scale > 38:
            raise DTypeError.of_pair(operation, left, right)
        return dtypes.from_arrow(pa.decimal128(min(38, digits + other_digits), scale + other_scale))
    both = max(scale, other_scale)
    whole = max(digits - scale, other_digits - other_scale) + 1
    return dtypes.from_arrow(pa.decimal128(min(38, whole + both), both))


def decimal_shape(dtype: DType) -> tuple[int, int]:
    """``(precision, scale)`` that hold every value of a decimal, integer or bool dtype."""
    if dtype.kind is Kind.DECIMAL:
        return dtype.arrow.precision, dtype.arrow.scale
    return {0: 1, 1: 3, 2: 5, 4: 10, 8: 20}[dtype.width], 0


def _time_kind(dtype: DType) -> Kind:
    return Kind.INT if dtype.kind in (Kind.INT, Kind.UINT, Kind.BOOL) else dtype.kind


def unit_of(dtype: DType) -> str:
    """The unit of a timestamp or duration; dates count in seconds when they meet one."""
    return "s" if dtype.kind is Kind.DATE else str(dtype.arrow.unit)


def _finer(left: DType, right: DType) -> str:
    return max(unit_of(left), unit_of(right), key=("s", "ms", "us", "ns").index)


def _difference(operation: str, left: DType, right: DType) -> DType:
    if _zoned(left) != _zoned(right):
        raise DTypeError.of_zones(operation, left, right)
    return dtypes.from_arrow(pa.duration(_finer(left, right)))


def _shifted(operation: str, left: DType, right: DType) -> DType:
    stamp = left if left.kind is not Kind.DURATION else right
    return dtypes.from_arrow(pa.timestamp(_finer(left, right), tz=getattr(stamp.arrow, "tz", None)))


def _durations(operation: str, left: DType, right: DType) -> DType:
    return dtypes.from_arrow(pa.duration(_finer(left, right)))


def _zoned(dtype: DType) -> bool:
    return getattr(dtype.arrow, "tz", None) is not None


_STAMP, _DATE, _SPAN = Kind.TIMESTAMP, Kind.DATE, Kind.DURATION
_TIME_RULES: dict[tuple[str, Kind, Kind], Callable[[str, DType, DType], DType]] = {
    **{("sub", one, other): _difference for one in (_STAMP, _DATE) for other in (_STAMP, _DATE)},
    **{(operation, one, _SPAN): _shifted for operation in ("add", "sub") for one in (_STAMP, _DATE)},
    **{("add", _SPAN, one): _shifted for one in (_STAMP, _DATE)},
    **{(operation, _SPAN, _SPAN): _durations for operation in ("add", "sub", "mod")},
    **{(operation, _SPAN, Kind.INT): lambda _, left, right: left for operation in ("mul", "truediv", "floordiv")},
    **{(operation, _SPAN, Kind.FLOAT): lambda _, left, right: left for operation in ("mul", "truediv")},
    **{("mul", one, _SPAN): lambda _, left, right: right for one in (Kind.INT, Kind.FLOAT)},
    ("truediv", _SPAN, _SPAN): lambda _, left, right: FLOAT64,
    ("floordiv", _SPAN, _SPAN): lambda _, left, right: INT64,
}


def float_function(operation: str, given: Sequence[DType], options: Options) -> DType:
    """float32 stays, other numbers become float64."""
    require_kind(operation, given[0], NUMBERS, "numbers")
    return given[0] if given[0].kind is Kind.FLOAT else FLOAT64


def float_pair(operation: str, given: Sequence[DType], options: Options) -> DType:
    """Of two numbers: float32 where both take it, else float64."""
    for one in given:
        require_kind(operation, one, NUMBERS | {Kind.NULL}, "numbers")
    both = [one for one in given if one.kind is not Kind.NULL]
    common = dtypes.common(*both) if len(both) == 2 else both[0] if both else None
    return common if common is not None and common.kind is Kind.FLOAT else FLOAT64


def negated(operation: str, given: Sequence[DType], options: Options) -> DType:
    """Numbers but bools, and durations."""
    require_kind(operation, given[0], frozenset(NUMBERS - {Kind.BOOL} | {Kind.DURATION}), "numbers and durations")
    return given[0]


# ---- comparisons and logic ------------------------------------------------------------------------------------------


def comparison(operation: str, given: Sequence[DType], options: Options) -> DType:
    """bool, for every argument compared with the first."""
    for other in given[1:]:
        require_comparable(operation, given[0], other)
    return BOOL


def require_comparable(operation: str, left: DType, right: DType) -> None:
    """Raise `DTypeError` unless values of both can be compared by ``operation``."""
    kinds = {left.kind, right.kind}
    if Kind.NULL in kinds or kinds <= NUMBERS:
        return
    if kinds <= {Kind.TIMESTAMP, Kind.DATE}:
        if _zoned(left) != _zoned(right):
            raise DTypeError.of_zones(operation, left, right)
        return
    if Kind.CATEGORY in kinds and kinds <= {Kind.CATEGORY, Kind.STRING}:
        if operation not in ("eq", "ne") and not _ordered_pair(left, right):
            raise DTypeError.of_unordered(operation)
        return
    if len(kinds) > 1 or left.kind in (Kind.NESTED, Kind.OTHER):
        raise DTypeError.of_pair(operation, left, right)


def _ordered_pair(left: DType, right: DType) -> bool:
    return all(one.ordered or one.kind is Kind.STRING for one in (left, right))


def logic(operation: str, given: Sequence[DType], options: Options) -> DType:
    """bools give a bool; integers are combined bit by bit."""
    both = reduce(lambda one, other: dtypes.common(one, other) or NULL, given)
    if all(one.kind in (Kind.BOOL, Kind.NULL) for one in given):
        return BOOL
    if not all(one.is_integer or one.kind in (Kind.BOOL, Kind.NULL) for one in given) or not both.is_integer:
        raise DTypeError.of_logic(operation, given[0], given[-1]) if len(given) > 1 else DTypeError.of_operation(operation, given[0])
    return both


# ---- choices --------------------------------------------------------------------------------------------------------


def common_of(operation: str, given: Sequence[DType], options: Options) -> DType:
    """The dtype that holds the values of all arguments; a category beside text stays one."""
    found = given[0]
    for other in given[1:]:
        if {found.kind, other.kind} == {Kind.CATEGORY, Kind.STRING}:
            found = found if found.kind is Kind.CATEGORY else other
            continue
        both = dtypes.common(found, other)
        if both is None:
            raise DTypeError.of_pair(operation, found, other)
        found = both
    return found


def chosen(operation: str, given: Sequence[DType], options: Options) -> DType:
    """A bool, then what is chosen from."""
    if given[0].kind not in (Kind.BOOL, Kind.NULL):
        raise DTypeError.not_a_mask(given[0])
    return common_of(operation, given[1:], options)


def extreme(operation: str, given: Sequence[DType], options: Options) -> DType:
    """The common dtype of values that have an order."""
    for one in given:
        require_kind(operation, one, frozenset(NUMBERS | TIMES | {Kind.STRING}), "numbers, times and text")
    return common_of(operation, given, options)
