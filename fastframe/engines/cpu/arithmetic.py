"""Handlers of arithmetic: numbers by our kernels, decimals exactly by pyarrow, times as their integers, text joined."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import and_, or_

import pyarrow as pa

from fastframe import dtypes
from fastframe._kernels import arithmetic as kernels
from fastframe._threads import run
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.memory import allocate_bits, is_streamed
from fastframe.dtypes import BOOL, FLOAT32, FLOAT64, INT8, INT64, STRING, DType, Kind
from fastframe.engines.cpu import decimal_operands
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.group_values import readable
from fastframe.engines.cpu.operands import Chosen, Invocation, Operand, broadcast
from fastframe.engines.cpu.results import allocate_values, with_validity
from fastframe.engines.cpu.text_rows import join_texts
from fastframe.errors import ArgumentError, IntegerOverflow, KernelError, KernelStatus, LossyCast

_DIVISIONS = ("floordiv", "mod", "fmod")
LIMITS = ("min", "max")
_TO_BOUNDS = ("raise", "lower")
_NUMBERS = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT})


def evaluate_arithmetic(call: Invocation) -> Column:
    """add, sub, mul, truediv, floordiv, mod, fmod, pow, arctan2, hypot."""
    left, right = call.operands
    kinds = {left.column.dtype.kind, right.column.dtype.kind}
    if left.is_null or right.is_null or Kind.NULL in kinds:
        return nulls(call.result, call.n_rows)
    if kinds <= _NUMBERS:
        return binary(call)
    if kinds & {Kind.TIMESTAMP, Kind.DATE, Kind.DURATION}:
        return _times(call)
    if Kind.DECIMAL in kinds:
        return _decimals(call)
    if Kind.STRING in kinds:
        return join_texts([one.cast(STRING) for one in call.operands], call.n_rows)
    return binary(call)


def binary(call: Invocation, operation: str | None = None) -> Column:
    """A kernel over two numeric operands, read as values of the result's dtype."""
    operation = operation or call.operation
    dtype, n_rows = call.result, call.n_rows
    if dtype.physical is None:   # float16 has no loops of its own
        wide = Invocation(call.operation, tuple(one.cast(FLOAT32) for one in call.operands), FLOAT32, call.options, n_rows, call.name)
        return cast(binary(wide, operation), dtype, safe=False)
    left, right = [one.cast(FLOAT32) if one.column.physical is None else one for one in call.operands]
    loop, left, right = _chosen(operation, call, left, right)
    return loop.over(left.column, right.column, n_rows, call.name)


def loop_of(call: Invocation) -> Chosen | None:
    """The loop of an arithmetic function, for all operands of the given types (and values, where scalar); None: not just one."""
    left, right = call.operands
    read = [one.column.dtype.kind in _NUMBERS and one.column.physical is not None and not one.is_null for one in (left, right)]
    return _chosen(call.operation, call, left, right) if all(read) and call.result.physical is not None else None


def _chosen(operation: str, call: Invocation, left: Operand, right: Operand) -> Chosen:
    if operation == "pow" and right.scalar and call.result.kind is Kind.FLOAT and right.value == 2:
        operation, right = "mul", left
    return Chosen(_loop(operation, call.result, left.kernel_type, right.kernel_type, call.operation), left, right)


def gives_nulls(operation: str, dtype: DType) -> Callable[[bool, bool], bool]:
    """Whether a result may be null, of whether the left and the right operand have nulls (neither is one null for all rows)."""
    if operation in _DIVISIONS and dtype.kind is not Kind.FLOAT:   # by zero
        return _always
    if operation in LIMITS:   # a missing one gives way
        return and_
    return _left_alone if operation in _TO_BOUNDS else or_


def _always(left: bool, right: bool) -> bool:
    return True


def _left_alone(left: bool, right: bool) -> bool:
    return left


class Loop:
    """A binary operation over two operands that kernels read: what follows from their types is decided once.

    ``left`` and ``right`` are the types of operands (`Operand.kernel_type`); messages call the operation ``shown``.
    """

    __slots__ = ("_shown", "_dtype", "_kernel", "_spread", "_gives_nulls")

    def __init__(self, operation: str, dtype: DType, left: tuple[int, bool], right: tuple[int, bool], shown: str) -> None:
        assert dtype.physical is not None
        self._shown, self._dtype = shown, dtype
        self._kernel = kernels.Binary(operation, dtype.physical, left, right)
        self._spread = not left[1], not right[1]
        self._gives_nulls = gives_nulls(operation, dtype)

    def over(self, left: Column, right: Column, n_rows: int, name: str | None) -> Column:
        """The results over operands of the same types, of which neither is one null for all rows."""
        values = allocate_values(self._dtype, n_rows, self._shown)
        nullable = self._gives_nulls(self._spread[0] and left.null_count > 0, self._spread[1] and right.null_count > 0)
        validity = allocate_bits(n_rows, self._shown) if nullable else None
        bits = 0 if validity is None else validity.address
        one, other = readable(left, self._dtype), readable(right, self._dtype)
        streams = is_streamed(n_rows * self._dtype.width)
        task = self._kernel.over(one.view, other.view, values.address, bits, streams=streams, keep_alive=(one, other, values, validity))
        failure = run(task, n_rows, operation=self._shown)
        if failure is not None:
            _check(failure, self._shown, self._dtype, name)
        return column_from_buffers(self._dtype, n_rows, values, validity)


_loop = lru_cache(maxsize=1024)(Loop)   # by types, of which there are few


def check(failure: tuple[int, int] | None, call: Invocation) -> None:
    """Raise what a failed kernel means."""
    if failure is not None:
        _check(failure, call.operation, call.result, call.name)


def _check(failure: tuple[int, int], operation: str, dtype: DType, name: str | None) -> None:
    row, status = failure
    if status == KernelStatus.OVERFLOW:
        raise IntegerOverflow.in_arithmetic(operation, dtype, name)
    if status == KernelStatus.INEXACT:
        raise ArgumentError.of_negative_power(name)
    raise KernelError.of(operation, status, row)


# ---- dates, timestamps, durations -----------------------------------------------------------------------------------


def _times(call: Invocation) -> Column:
    left, right = call.operands
    kinds = (left.dtype.kind, right.dtype.kind)
    if Kind.INT in kinds or Kind.UINT in kinds or Kind.BOOL in kinds or Kind.FLOAT in kinds:
        return _scaled_duration(call)
    if call.operation in ("truediv", "floordiv", "mod"):
        return _duration_ratio(call)
    unit = call.result.arrow.unit
    counts = tuple(counts_in_unit(one, unit, call.name) for one in call.operands)
    return _as_time(binary(call.of(call.operation, counts, INT64)), call.result)


def counts_in_unit(operand: Operand, unit: str, name: str | None) -> Operand:
    """A time as int64 in ``unit``; `IntegerOverflow` where a value lies beyond what the unit can hold."""
    dtype = operand.dtype
    zone = getattr(dtype.arrow, "tz", None)
    target = pa.duration(unit) if dtype.kind is Kind.DURATION else pa.timestamp(unit, tz=zone)
    try:
        return operand.cast(dtypes.from_arrow(target), name=name).cast(INT64)
    except LossyCast:
        raise IntegerOverflow.in_arithmetic("conversion of times to one unit", dtypes.from_arrow(target), name) from None


def _as_time(counts: Column, dtype: DType) -> Column:
    return Column(counts.array.view(dtype.arrow), dtype)


def _scaled_duration(call: Invocation) -> Column:
    """duration * number, duration / number (cut towards zero, as NumPy does), duration // integer."""
    left, right = (Operand(_as_count(one.column), one.scalar) if one.dtype.kind is Kind.DURATION else one for one in call.operands)
    whole = call.operation == "floordiv" or (call.operation == "mul" and Kind.FLOAT not in (left.dtype.kind, right.dtype.kind))
    if whole:
        return _as_time(binary(call.of(call.operation, (left.cast(INT64), right.cast(INT64)), INT64)), call.result)
    product = binary(call.of(call.operation, (left, right), FLOAT64))
    cut = unary(call.of("trunc", (Operand(product),), FLOAT64))
    try:
        return _as_time(cast(cut, INT64), call.result)
    except LossyCast:
        raise IntegerOverflow.in_arithmetic(call.operation, call.result, call.name) from None


def _as_count(column: Column) -> Column:
    return Column(column.array.view(pa.int64()), INT64)


def _duration_ratio(call: Invocation) -> Column:
    units = [str(one.dtype.arrow.unit) for one in call.operands]
    finer = max(units, key=("s", "ms", "us", "ns").index)
    counts = tuple(counts_in_unit(one, finer, call.name) for one in call.operands)
    result = FLOAT64 if call.operation == "truediv" else INT64
    out = binary(call.of(call.operation, counts, result))
    return out if call.operation != "mod" else _as_time(out, call.result)


# ---- decimals -------------------------------------------------------------------------------------------------------

_ARROW_DECIMAL = {"add": "add", "sub": "subtract", "mul": "multiply"}


def _decimals(call: Invocation) -> Column:
    if call.result.kind is Kind.FLOAT:
        return binary(call.of(call.operation, tuple(one.cast(FLOAT64) for one in call.operands), FLOAT64))
    import pyarrow.compute as pc

    left, right = call.operands
    operands = decimal_operands.computable(left, right, call.operation)
    arrays = Invocation(call.operation, operands, call.result, {}, call.n_rows).arrays()
    try:
        exact = pc.call_function(_ARROW_DECIMAL[call.operation], arrays)
        return Column(exact.cast(call.result.arrow), call.result)
    except pa.ArrowInvalid:
        raise IntegerOverflow.in_arithmetic(call.operation, call.result, call.name) from None


# ---- one operand ----------------------------------------------------------------------------------------------------

_ARROW_UNARY = {"neg": "negate", "abs": "abs", "sign": "sign", "floor": "floor", "ceil": "ceil", "trunc": "trunc"}
WHOLE_ALREADY = ("floor", "ceil", "trunc", "round")   # are integers and bools


def evaluate_unary(call: Invocation) -> Column:
    """neg, abs, sign, floor, ceil, sqrt, exp, log ..."""
    (operand,) = call.operands
    column = operand.column
    if column.dtype.kind is Kind.NULL:
        return nulls(call.result, call.n_rows)
    if column.dtype.kind is Kind.DURATION:
        return _as_time(unary(call.of(call.operation, (Operand(_as_count(column), operand.scalar),), INT64)), call.result)
    if column.dtype.kind is Kind.DECIMAL and call.result.kind is Kind.DECIMAL:
        return _decimal_unary(call)
    if call.operation in WHOLE_ALREADY and column.dtype.kind is not Kind.FLOAT:
        return column
    return unary(call)


def _decimal_unary(call: Invocation) -> Column:
    import pyarrow.compute as pc

    done = pc.call_function(_ARROW_UNARY[call.operation], [call.operands[0].column.array])
    return Column(done.cast(call.result.arrow), call.result)


def unary(call: Invocation, decimals: int = 0) -> Column:
    """A kernel over one numeric column, read as values of the result's dtype."""
    dtype, operand = call.result, call.operands[0]
    if operand.dtype.kind is Kind.DECIMAL:
        operand = operand.cast(FLOAT64)
    if dtype.physical is None:
        wide = Invocation(call.operation, (operand.cast(FLOAT32),), FLOAT32, call.options, call.n_rows, call.name)
        return cast(unary(wide, decimals), dtype, safe=False)
    out = allocate_values(dtype, call.n_rows, call.operation)
    task = kernels.unary(
        call.operation, int(dtype.physical), (operand.kernel_view[0], operand.kernel_view[1], False), out.address, decimals=decimals,
        streams=is_streamed(call.n_rows * dtype.width), keep_alive=(operand, out),
    )  # fmt: skip
    check(run(task, call.n_rows, operation=call.operation), call)
    return with_validity(dtype, out, operand.column)


def evaluate_round(call: Invocation) -> Column:
    """round to a number of decimals."""
    decimals = int(call.options["decimals"])
    column = call.operands[0].column
    if column.dtype.kind is Kind.FLOAT:
        return unary(call, decimals)
    if column.dtype.kind is Kind.NULL or column.dtype.kind is Kind.BOOL or (column.dtype.is_integer and decimals >= 0):
        return column
    import pyarrow.compute as pc

    try:
        rounded = pc.round(column.array, decimals, round_mode="half_to_even")
        return Column(rounded.cast(call.result.arrow), call.result)
    except pa.ArrowInvalid:
        raise IntegerOverflow.in_arithmetic("round", call.result, call.name) from None


# ---- the lesser and the greater -------------------------------------------------------------------------------------

_ARROW_EXTREME = {"min": "min_element_wise", "max": "max_element_wise"}


def evaluate_extreme(call: Invocation) -> Column:
    """min, max of any number of operands; missing ones do not count."""
    best, *others = (one.cast(call.result) for one in call.operands)
    for other in others:
        scalar = best.scalar and other.scalar
        best = Operand(extreme_of_two(call.of(call.operation, (best, other), call.result)), scalar)
    return best.column


def extreme_of_two(call: Invocation, operation: str | None = None) -> Column:
    """The lesser or greater of two (``raise``, ``lower``: where the second is there)."""
    operation = operation or call.operation
    left, right = call.operands
    n_rows = 1 if left.scalar and right.scalar else call.n_rows
    if right.is_null or (left.is_null and operation in LIMITS):
        return broadcast(left if right.is_null else right, n_rows)
    if left.is_null:
        return nulls(call.result, n_rows)
    if call.result.physical is not None and call.result.width in (1, 2, 4, 8):
        numbers = tuple(Operand(_physical(one.column), one.scalar) for one in (left, right))
        counted = Invocation(operation, numbers, numbers[0].dtype, {}, n_rows, call.name)
        return Column(binary(counted, operation).array.view(call.result.arrow), call.result)
    if call.result == BOOL:
        bytes_of = tuple(one.cast(INT8) for one in (left, right))
        return cast(binary(Invocation(operation, bytes_of, INT8, {}, n_rows, call.name), operation), BOOL)
    import pyarrow.compute as pc

    name = {"raise": "max", "lower": "min"}.get(operation, operation)
    best = pc.call_function(_ARROW_EXTREME[name], Invocation(name, (left, right), call.result, {}, n_rows).arrays())
    best = best if isinstance(best, pa.Array) else pa.array([best.as_py()], best.type)
    if operation not in LIMITS and left.column.null_count:
        best = pc.if_else(left.column.array.is_valid(), best, pa.scalar(None, best.type))
    return Column(best.cast(call.result.arrow) if not call.result.is_text else best, call.result)


def _physical(column: Column) -> Column:
    """Times as their integers."""
    if not column.dtype.is_temporal:
        return column
    return Column(column.array.view(pa.int32() if column.dtype.width == 4 else pa.int64()))


def evaluate_clip(call: Invocation) -> Column:
    """The value, raised to the lower and lowered to the upper bound."""
    value, lower, upper = (one.cast(call.result) for one in call.operands)
    raised = extreme_of_two(call.of("clip", (value, lower), call.result), "raise")
    both = Operand(raised, value.scalar and lower.scalar)
    return extreme_of_two(call.of("clip", (both, upper), call.result), "lower")
