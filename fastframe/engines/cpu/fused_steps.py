"""Elementwise functions as steps of a program: with the kernels, and by the rules, of the handlers beside this file.

A function here gets a `Request`, whose operands may be temporaries, and gives the value of its result. Not all operands
are scalars: such calls are evaluated at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import arithmetic as arithmetic_kernels
from fastframe._kernels import compare as compare_kernels
from fastframe._kernels.cast import CAST_PLACES
from fastframe._kernels.cast import cast as cast_task
from fastframe._kernels.merge import CHOOSE_PLACES, choose_values
from fastframe._threads import SLICE_ROWS
from fastframe.column import Column
from fastframe.column.plain import array_of_one
from fastframe.dtypes import BOOL, INT32, INT64, DType, Kind, Physical, from_arrow
from fastframe.engines.cpu.arithmetic import LIMITS, WHOLE_ALREADY, counts_in_unit, extreme_of_two, gives_nulls
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.compare import (
    FINITE,
    MIRRORED,
    bounds_of,
    compared_dictionary,
    counted,
    evaluate_logic,
    finer,
    in_dtype_of,
    members,
    place_of_value,
    table_bytes,
)
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.fused_program import Patches, Place, Program, Request, Temp, Value, identity, is_scalar, physical_of
from fastframe.engines.cpu.operands import Operand

Lowering = Callable[[Program, Request], Value]


def _constant(value: bool) -> Operand:
    return Operand(Column(array_of_one(value, pa.bool_())), scalar=True)


def _null(dtype: DType) -> Operand:
    return Operand(nulls(dtype, 1), scalar=True)


def _validity(program: Program, value: Value) -> dict[str, Any]:
    """The validity of a result that is null where ``value`` is."""
    if isinstance(value, Temp):
        return {"validity": value.validity, "valid_as": value.valid_as}
    return {"validity": program.validity(value), "valid_as": value.column if value.column.null_count else None}


# ---- the same values as another dtype -------------------------------------------------------------------------------


def retyped(program: Program, value: Value, dtype: DType) -> Value:
    """The very bytes of the values as a dtype of the same width."""
    if value.dtype == dtype:
        return value
    if isinstance(value, Temp):
        return replace(value, dtype=dtype)
    column, scalar = value.column, value.scalar
    return program.once(("view", identity(value), dtype.name), lambda: Operand(Column(column.array.view(dtype.arrow), dtype), scalar))


def counts(program: Program, value: Value) -> Value:
    """Dates, times and durations as their integers; numbers as they are."""
    if not value.dtype.is_temporal:
        return value
    return retyped(program, value, INT32 if value.dtype.width == 4 else INT64)


def converted(program: Program, value: Value, dtype: DType, *, safe: bool = True) -> Value:
    """What ``cast.cast`` does of numbers and times of one unit."""
    if value.dtype == dtype:
        return value
    if is_scalar(value):
        return Operand(cast(value.column, dtype, safe=safe), scalar=True)
    whole = counts(program, value)
    if dtype.is_temporal:
        return retyped(program, converted(program, whole, INT32 if dtype.width == 4 else INT64, safe=safe), dtype)
    if whole.dtype == dtype:
        return whole
    return program.once(("cast", dtype.name, safe, identity(whole)), lambda: _cast(program, whole, dtype, safe))


def _cast(program: Program, value: Value, dtype: DType, safe: bool) -> Temp:
    source, target = physical_of(value), dtype.physical
    assert source is not None and target is not None
    nan_to_null = value.dtype.kind is Kind.FLOAT and dtype.kind is not Kind.FLOAT
    out, validity = program.slot(dtype), program.slot(None) if nan_to_null else None
    bad_rows = np.zeros(-(-program.n_rows // SLICE_ROWS), np.int64)
    view, patches = program.kernel_view(value)
    task = cast_task(view, int(source), int(target), 0, 0, bad_rows.ctypes.data, checked=safe, keep_alive=(value, bad_rows))
    program.step(task, CAST_PLACES, {"operand": patches}, {"out": out, "validity": validity})
    return Temp(dtype, out, validity) if nan_to_null else Temp(dtype, out, **_validity(program, value))


# ---- arithmetic -----------------------------------------------------------------------------------------------------


def arithmetic(program: Program, call: Request) -> Value:
    """add, sub, mul, truediv, floordiv, mod, pow of numbers; add and sub of times of one unit."""
    if any(one.is_null for one in call.operands):
        return _null(call.result)
    if not call.result.is_temporal:
        return binary(program, call)
    unit = call.result.arrow.unit
    left, right = (counts_in_unit(one, unit, call.name) if is_scalar(one) else counts(program, one) for one in call.operands)
    return retyped(program, binary(program, call.of(call.operation, (left, right), INT64)), call.result)


def binary(program: Program, call: Request, operation: str | None = None) -> Temp:
    """A kernel of two operands, as in ``arithmetic.binary``."""
    operation = operation or call.operation
    dtype = call.result
    left, right = call.operands
    if operation == "pow" and is_scalar(right) and dtype.kind is Kind.FLOAT and right.value == 2:
        operation, right = "mul", left
    return program.once((operation, dtype.name, identity(left), identity(right)), lambda: _binary(program, operation, dtype, left, right))


def _binary(program: Program, operation: str, dtype: DType, left: Value, right: Value) -> Temp:
    assert dtype.physical is not None
    out, validity = program.slot(dtype), program.slot(None) if gives_nulls(operation, dtype)(left.has_nulls, right.has_nulls) else None
    (first, first_patches), (second, second_patches) = program.operand(left), program.operand(right)
    kernel = arithmetic_kernels.Binary(operation, int(dtype.physical), first[1:], second[1:])
    task = kernel.over(first[0], second[0], 0, 0, keep_alive=(left, right))
    reads = {"left": first_patches, "right": second_patches}
    program.step(task, arithmetic_kernels.BINARY_PLACES, reads, {"out": out, "validity": validity})
    return Temp(dtype, out, validity)


def unary(program: Program, call: Request) -> Value:
    """neg, abs, sign, floor, ceil, round, sqrt, exp, log ..."""
    decimals = int(call.options.get("decimals", 0))
    (value,) = call.operands
    if call.operation in WHOLE_ALREADY and value.dtype.kind is not Kind.FLOAT:
        return value
    dtype = INT64 if call.result.kind is Kind.DURATION else call.result
    number = counts(program, value)
    done = program.once((call.operation, dtype.name, decimals, identity(number)), lambda: _unary(program, call.operation, dtype, number, decimals))
    return retyped(program, done, call.result)


def _unary(program: Program, operation: str, dtype: DType, value: Value, decimals: int) -> Temp:
    assert dtype.physical is not None
    out = program.slot(dtype)
    operand, patches = program.operand(value)
    task = arithmetic_kernels.unary(operation, int(dtype.physical), operand, 0, decimals=decimals, keep_alive=value)
    program.step(task, arithmetic_kernels.UNARY_PLACES, {"operand": patches}, {"out": out})
    return Temp(dtype, out, **_validity(program, value))


def extreme(program: Program, call: Request) -> Value:
    """min, max of any number of operands."""
    best, *others = (converted(program, one, call.result) for one in call.operands)
    for other in others:
        best = _extreme_of_two(program, call, call.operation, best, other)
    return best


def clip(program: Program, call: Request) -> Value:
    """The value between two bounds."""
    value, lower, upper = (converted(program, one, call.result) for one in call.operands)
    return _extreme_of_two(program, call, "lower", _extreme_of_two(program, call, "raise", value, lower), upper)


def _extreme_of_two(program: Program, call: Request, operation: str, left: Value, right: Value) -> Value:
    if is_scalar(left) and is_scalar(right):
        return Operand(extreme_of_two(call.of_scalars(left, right), operation), scalar=True)
    if right.is_null:
        return left
    if left.is_null:
        return right if operation in LIMITS else _null(call.result)
    numbers = counts(program, left), counts(program, right)
    return retyped(program, binary(program, call.of(operation, numbers, numbers[0].dtype)), call.result)


# ---- comparisons ----------------------------------------------------------------------------------------------------


def compare(program: Program, call: Request) -> Value:
    """eq, ne, lt, le, gt, ge."""
    left, right = call.operands
    operation = call.operation
    if operation in MIRRORED:
        operation, left, right = MIRRORED[operation], right, left
    return compared(program, call, operation, left, right)


def compared(program: Program, call: Request, operation: str, left: Value, right: Value) -> Value:
    """One of eq, ne, lt, le."""
    if left.is_null or right.is_null:
        return _constant(operation == "ne")
    for column, value, mirrored in ((left, right, False), (right, left, True)):
        if isinstance(column, Operand) and column.column.is_encoded:
            return _compared_codes(program, operation, column.column, value, mirrored=mirrored)
    if left.dtype.is_temporal:
        both = finer(left.dtype, right.dtype)
        left, right = (counted(one, both, call.of_scalars(one)) if is_scalar(one) else counts(program, one) for one in (left, right))
    return _compared_numbers(program, operation, left, right)


def _compared_numbers(program: Program, operation: str, left: Value, right: Value) -> Temp:
    if is_scalar(left):
        operation, left = in_dtype_of(right, operation, left, mirrored=True)
    elif is_scalar(right):
        operation, right = in_dtype_of(left, operation, right, mirrored=False)
    return program.once((operation, identity(left), identity(right)), lambda: _compare(program, operation, left, right))


def _compare(program: Program, operation: str, left: Value, right: Value) -> Temp:
    (first, first_patches), (second, second_patches) = program.operand(left), program.operand(right)
    out = program.slot(None)
    kernel = compare_kernels.Compare(operation, first[1:], second[1:])
    task = kernel.over(first[0], second[0], 0, keep_alive=(left, right))
    program.step(task, compare_kernels.COMPARE_PLACES, {"left": first_patches, "right": second_patches}, {"out": out})
    return Temp(BOOL, out)


def _compared_codes(program: Program, operation: str, column: Column, value: Value, *, mirrored: bool) -> Temp:
    """An encoded column beside one value."""
    assert isinstance(value, Operand)
    if column.dtype.ordered and operation in ("lt", "le"):
        place = Operand(Column(array_of_one(place_of_value(column, value), pa.int32())), scalar=True)
        codes = program.once(("codes", column), lambda: Operand(Column(column.codes)))
        return _compared_numbers(program, operation, *((place, codes) if mirrored else (codes, place)))
    return _looked_up(program, column, compared_dictionary(operation, column, value, mirrored=mirrored), missing=operation == "ne")


def _looked_up(program: Program, column: Column, table: pa.Array, *, missing: bool) -> Temp:
    """A bool per row from a bool per value of an encoded column's dictionary."""
    of_code = table_bytes(table)

    def make() -> Temp:
        out = program.slot(None)
        task = compare_kernels.lookup_bits(column.view, of_code.ctypes.data, missing, 0, keep_alive=(column, of_code))
        program.step(task, compare_kernels.LOOKUP_PLACES, {}, {"out": out})
        return Temp(BOOL, out)

    return program.once(("lookup", column, of_code.tobytes(), missing), make)


def between(program: Program, call: Request) -> Value:
    """lower <= value <= upper, either bound inclusive or not."""
    value, lower, upper = call.operands
    above, below = bounds_of(call.options["inclusive"])
    sides = compared(program, call, above, lower, value), compared(program, call, below, value, upper)
    return logic(program, call.of("and", sides, BOOL))


def isin(program: Program, call: Request) -> Value:
    """Membership of a few values: they are compared one by one; of any number of an encoded column's."""
    value = call.operands[0]
    column = value.column if isinstance(value, Operand) and value.column.is_encoded else None
    dtype = value.dtype if column is None else from_arrow(column.dictionary.type)
    known, missing = members(call.options["values"], dtype)
    found: Value = _constant(False)
    if column is not None and known:
        found = _looked_up(program, column, _is_in(column.dictionary, pa.concat_arrays(known)), missing=False)
    elif known:
        number = counts(program, value)
        ones = [array.slice(at, 1) for array in known for at in range(len(array))]
        members_of = [counts(program, Operand(Column(one, dtype), scalar=True)) for one in ones]
        found = _any_of(program, call, [_compared_numbers(program, "eq", number, one) for one in members_of])
    return _any_of(program, call, [found, missing_rows(program, value, invert=False)]) if missing else found


def _is_in(values: pa.Array, wanted: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.is_in(values, wanted if wanted.type == values.type else wanted.cast(values.type))


def _any_of(program: Program, call: Request, found: list[Value]) -> Value:
    return reduce(lambda one, other: logic(program, call.of("or", (one, other), BOOL)), found)


# ---- missing, logic, choices ----------------------------------------------------------------------------------------


def missing(program: Program, call: Request) -> Value:
    """is_missing, not_missing, isfinite, isinf."""
    (value,) = call.operands
    if call.operation in FINITE:
        return _finite(program, value, infinite=call.operation == "isinf")
    return missing_rows(program, value, invert=call.operation == "not_missing")


def missing_rows(program: Program, value: Value, *, invert: bool) -> Value:
    """Which rows are null or NaN (``invert``: which are not)."""
    if value.dtype.kind is Kind.NULL:
        return _constant(not invert)
    floats = value.dtype.kind is Kind.FLOAT
    if not floats and not value.has_nulls:
        return _constant(invert)
    return program.once(("missing", invert, identity(value)), lambda: _missing(program, value, floats, invert))


def _missing(program: Program, value: Value, floats: bool, invert: bool) -> Temp:
    patches: Patches = []
    if isinstance(value, Operand) and not floats:
        view: tuple[int, int, int, int] = value.column.validity_view
    else:
        view, patches = program.kernel_view(value)
    physical = physical_of(value) if floats else Physical.I8
    assert physical is not None
    out = program.slot(None)
    task = compare_kernels.missing(view, int(physical), invert, 0, keep_alive=value)
    program.step(task, compare_kernels.MISSING_PLACES, {"operand": patches}, {"out": out})
    return Temp(BOOL, out)


def _finite(program: Program, value: Value, *, infinite: bool) -> Value:
    if value.dtype.kind is not Kind.FLOAT:
        return _constant(False) if infinite else missing_rows(program, value, invert=True)
    physical = physical_of(value)
    assert physical is not None

    def make() -> Temp:
        view, patches = program.kernel_view(value)
        out = program.slot(None)
        task = compare_kernels.finite(view, int(physical), infinite, 0, keep_alive=value)
        program.step(task, compare_kernels.MISSING_PLACES, {"operand": patches}, {"out": out})
        return Temp(BOOL, out)

    return program.once(("finite", infinite, identity(value)), make)


def logic(program: Program, call: Request) -> Value:
    """and, or, xor of bools."""
    left, right = (_null(BOOL) if one.dtype.kind is Kind.NULL else one for one in call.operands)
    if is_scalar(left) and is_scalar(right):
        return Operand(evaluate_logic(call.of_scalars(left, right)), scalar=True)
    return program.once((call.operation, identity(left), identity(right)), lambda: _logic(program, call.operation, left, right))


def _logic(program: Program, operation: str, left: Value, right: Value) -> Temp:
    nullable = any(one.has_nulls or one.is_null for one in (left, right))
    out, validity = program.slot(None), program.slot(None) if nullable else None
    (first, first_patches), (second, second_patches) = program.operand(left), program.operand(right)
    task = compare_kernels.logic(operation, first, second, 0, 0, keep_alive=(left, right))
    program.step(task, compare_kernels.LOGIC_PLACES, {"left": first_patches, "right": second_patches}, {"out": out, "validity": validity})
    return Temp(BOOL, out, validity)


def negation(program: Program, call: Request) -> Value:
    """not of bools."""
    (value,) = call.operands

    def make() -> Temp:
        out = program.slot(None)
        view, patches = program.kernel_view(value)
        task = compare_kernels.logical_not(view, 0, keep_alive=value)
        program.step(task, compare_kernels.NOT_PLACES, {"operand": patches}, {"out": out})
        return Temp(BOOL, out, **_validity(program, value))

    return program.once(("not", identity(value)), make)


def if_else(program: Program, call: Request) -> Value:
    """The second operand where the first is true, else the third."""
    mask, yes, no = call.operands
    return chosen(program, mask if mask.dtype == BOOL else _null(BOOL), yes, no, call.result)


def coalesce(program: Program, call: Request) -> Value:
    """The first operand that is not missing."""
    *firsts, best = call.operands
    for value in reversed(firsts):
        there = _constant(not _is_missing_scalar(value)) if is_scalar(value) else missing_rows(program, value, invert=True)
        best = chosen(program, there, value, best, call.result)
    return converted(program, best, call.result)


def _is_missing_scalar(value: Operand) -> bool:
    return value.is_null or value.dtype.kind is Kind.NULL or bool(value.value != value.value)


def chosen(program: Program, mask: Value, yes: Value, no: Value, result: DType) -> Value:
    """``yes`` where the mask is true, else ``no``, as ``result``."""
    yes, no = converted(program, yes, result), converted(program, no, result)
    if is_scalar(mask):
        return yes if mask.value else no
    validity = program.validity(mask)
    values = program.values(mask)
    choice = values if validity is None else program.combined("and", values, validity).values
    key = ("choose", result.name, choice, identity(mask), identity(yes), identity(no))
    return program.once(key, lambda: _choose(program, choice, mask, yes, no))


def _choose(program: Program, choice: Place, mask: Value, yes: Value, no: Value) -> Temp:
    sides = (yes, no)
    nullable = any(one.has_nulls or one.is_null for one in sides)
    valid = [not one.is_null if one.scalar else program.validity(one) or True for one in sides]
    validity = program.combined("select", choice, *valid).values if nullable else None
    dtype = no.dtype
    if not dtype.width:
        bits = [one.value is True if is_scalar(one) else program.values(one) for one in sides]
        return Temp(dtype, program.combined("select", choice, *bits).values, validity)
    places = [program.values(one) for one in sides]
    out = program.slot(dtype)
    first, second = ((place.address, one.scalar) for place, one in zip(places, sides, strict=True))
    task = choose_values(dtype.width, (choice.address, choice.bit_offset, False), first, second, 0, (mask, yes, no))
    reads = {name: [(0, place.slot)] for name, place in zip(("mask", "yes", "no"), (choice, *places), strict=True) if place.slot is not None}
    program.step(task, CHOOSE_PLACES, reads, {"out": out})
    return Temp(dtype, out, validity)


LOWERINGS: dict[str, Lowering] = {
    "arithmetic": arithmetic,
    "unary": unary,
    "round": unary,
    "extreme": extreme,
    "clip": clip,
    "compare": compare,
    "between": between,
    "is_missing": missing,
    "logic": logic,
    "not": negation,
    "isin": isin,
    "if_else": if_else,
    "coalesce": coalesce,
}
