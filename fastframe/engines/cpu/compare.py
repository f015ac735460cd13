"""Handlers of comparisons, tests for missing values and logic. All give bools; comparisons never give null."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe._kernels import compare as kernels
from fastframe._threads import run
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.memory import allocate_bits
from fastframe.column.plain import array_of_one, array_of_scalar, numpy_of
from fastframe.dtypes import BOOL, FLOAT64, DType, Kind, Physical
from fastframe.engines.cpu import decimal_operands
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.dictionaries import same_dictionary
from fastframe.engines.cpu.facts import lacks_nan, note_no_nan
from fastframe.engines.cpu.forms import nulls
from fastframe.engines.cpu.members import has_kernel, member_bits
from fastframe.engines.cpu.operands import Chosen, Invocation, Operand, Side, exact_number_row, is_kernel_number, plain_array
from fastframe.engines.cpu.results import all_bits, bits_result, with_validity
from fastframe.engines.cpu.sliced import over_slices
from fastframe.engines.cpu.take import by_codes
from fastframe.engines.cpu.text_rows import compare_texts
from fastframe.errors import ArgumentError, DTypeError, IntegerOverflow, LossyCast
from fastframe.ops.expressions import Lit
from fastframe.ops.literals import is_missing
from fastframe.ops.result_types import require_comparable

MIRRORED = {"gt": "lt", "ge": "le"}
_ARROW = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal"}
FINITE = ("isfinite", "isinf")
_BOUNDS = {"both": ("le", "le"), "neither": ("lt", "lt"), "left": ("le", "lt"), "right": ("lt", "le")}
_PLAIN_MEMBERS = {int, float, str, bool, type(None)}   # of which an integer or float is never equal to the last three
_DIRECT = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT})


def evaluate_compare(call: Invocation) -> Column:
    """eq, ne, lt, le, gt, ge."""
    return compare(*_without_mirrored(call), call)


def loop_of(call: Invocation) -> Chosen | None:
    """The loop of a comparison, for all operands of the given types (and values, where scalar); None: not just one."""
    operation, left, right = _without_mirrored(call)
    read = [one.dtype.kind in _DIRECT and one.column.physical is not None and not one.is_null for one in (left, right)]
    return _chosen(operation, left, right, call.operation) if all(read) else None


def _without_mirrored(call: Invocation) -> tuple[str, Operand, Operand]:
    left, right = call.operands
    if call.operation in MIRRORED:
        return MIRRORED[call.operation], right, left
    return call.operation, left, right


def compare(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    """One of eq, ne, lt, le."""
    if left.is_null or right.is_null or Kind.NULL in (left.dtype.kind, right.dtype.kind):
        return all_bits(operation == "ne", call.n_rows, call.operation)
    kinds = {left.dtype.kind, right.dtype.kind}
    if kinds <= _DIRECT:
        return _numbers(operation, _no_half(left), _no_half(right), call)
    if kinds <= {Kind.TIMESTAMP, Kind.DATE, Kind.DURATION, Kind.TIME}:
        return _numbers(operation, *_one_unit(left, right, call), call)
    if Kind.DECIMAL in kinds:
        return _decimals(operation, left, right, call)
    if left.scalar != right.scalar:
        left, right = (one if one.scalar else Operand(by_codes(one.column)) for one in (left, right))
    if left.column.is_encoded or right.column.is_encoded:
        return _encoded(operation, left, right, call)
    return _plain(operation, left, right, call)


def _no_half(operand: Operand) -> Operand:
    return operand.cast(dtypes.FLOAT32) if operand.column.physical is None else operand


def _numbers(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    loop, left, right = _chosen(operation, left, right, call.operation)
    return loop.over(left.column, right.column, call.n_rows, call.name)


def _chosen(operation: str, left: Operand, right: Operand, shown: str) -> Chosen:
    if left.scalar and not right.scalar:
        operation, left = in_dtype_of(right, operation, left, mirrored=True)
    elif right.scalar and not left.scalar:
        operation, right = in_dtype_of(left, operation, right, mirrored=False)
    return Chosen(Loop(operation, left, right, shown=shown), left, right)


class Loop:
    """A comparison of two operands that kernels read; ``left`` and ``right`` stand for all operands of their types."""

    __slots__ = ("_shown", "_kernel")

    def __init__(self, operation: str, left: Operand, right: Operand, *, shown: str) -> None:
        self._shown, self._kernel = shown, kernels.Compare(operation, left.kernel_type, right.kernel_type)

    def over(self, left: Column, right: Column, n_rows: int, name: str | None) -> Column:
        """Bits, without nulls."""
        out = allocate_bits(n_rows, self._shown)
        task = self._kernel.over(left.view, right.view, out.address, keep_alive=(left, right, out))
        return bits_result(task, n_rows, out, self._shown)


def in_dtype_of(column: Side, operation: str, value: Operand, *, mirrored: bool) -> tuple[str, Operand]:
    """The value in the column's dtype where that asks the same question; then nothing is converted row by row.

    Beside integers a fraction is cut: x < 2.5 is x <= 2, and 2.5 < x (``mirrored``) is 2 < x.
    """
    dtype, given = column.dtype, value.dtype
    if dtype == given or dtype.kind is Kind.BOOL or not (dtype.is_integer or given.is_integer):
        return operation, value
    exact = value.value if given.kind is not Kind.BOOL else int(value.value)
    if dtype.is_integer and given.kind is Kind.FLOAT:
        if not math.isfinite(exact) or (operation in ("eq", "ne") and exact != math.floor(exact)):
            return operation, value
        if exact != math.floor(exact):
            operation = "lt" if mirrored else "le"
        exact = math.floor(exact)
    if isinstance(exact, int) and is_kernel_number(dtype):
        row = exact_number_row(exact, dtype)
        return (operation, value) if row is None else (operation, Operand(row, scalar=True))
    try:
        same = array_of_one(exact, dtype.arrow)
    except (pa.ArrowInvalid, OverflowError):
        return operation, value
    return (operation, Operand(Column(same), scalar=True)) if same[0].as_py() == exact else (operation, value)


# ---- times ----------------------------------------------------------------------------------------------------------


def _one_unit(left: Operand, right: Operand, call: Invocation) -> tuple[Operand, Operand]:
    """Both as integers of the finer unit; one value too far away for it becomes plus or minus infinity."""
    both = finer(left.dtype, right.dtype)
    return counted(left, both, call), counted(right, both, call)


def finer(left: DType, right: DType) -> DType:
    """The dtype of the finer unit; zones do not matter for instants."""
    if left.kind is Kind.DATE and right.kind is Kind.DATE:
        return left if left == right else dtypes.dtype("date64")
    if left.kind is Kind.TIME:
        return max(left, right, key=lambda one: ("s", "ms", "us", "ns").index(one.arrow.unit))
    stamps = [one for one in (left, right) if one.kind is not Kind.DATE]
    return max(stamps, key=lambda one: ("s", "ms", "us", "ns").index(one.arrow.unit))


def counted(operand: Operand, both: DType, call: Invocation) -> Operand:
    zone = getattr(operand.dtype.arrow, "tz", None)
    target = dtypes.from_arrow(pa.timestamp(both.arrow.unit, tz=zone)) if both.kind is Kind.TIMESTAMP else both
    try:
        same_unit = operand.cast(target)
    except LossyCast:
        if operand.scalar:
            return _beyond(operand)
        raise IntegerOverflow.in_arithmetic(call.operation, target, call.name) from None
    integers = pa.int32() if target.width == 4 else pa.int64()
    return Operand(Column(same_unit.column.array.view(integers)), operand.scalar)


def _beyond(operand: Operand) -> Operand:
    sign = 1 if operand.column.array.view(pa.int32() if operand.dtype.width == 4 else pa.int64())[0].as_py() > 0 else -1
    return Operand(Column(array_of_one(sign * np.inf, pa.float64())), True)


# ---- decimals, text -------------------------------------------------------------------------------------------------


def _decimals(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    """Exact between decimals and integers; beside floats as float64."""
    if Kind.FLOAT in (left.dtype.kind, right.dtype.kind):
        return _numbers(operation, left.cast(FLOAT64), right.cast(FLOAT64), call)
    return _by_arrow(operation, *decimal_operands.comparable(left, right), call)


def _plain(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    """Texts by their bytes; what kernels do not know by pyarrow. Encoded operands are decoded."""
    if left.dtype.is_text and right.dtype.is_text:
        return compare_texts(operation, left, right, call.n_rows)
    return _by_arrow(operation, left, right, call)


def _by_arrow(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    import pyarrow.compute as pc

    arrays = Invocation(operation, (left, right), BOOL, {}, call.n_rows).arrays()
    result = pc.call_function(_ARROW[operation], arrays)
    return Column(result.fill_null(operation == "ne") if result.null_count else result)


# ---- encoded text and categories ------------------------------------------------------------------------------------


def _encoded(operation: str, left: Operand, right: Operand, call: Invocation) -> Column:
    """On the dictionary once, or on the codes; plain text only where dictionaries differ."""
    if right.scalar and left.column.is_encoded and not left.scalar:
        return _with_value(operation, left, right, call, mirrored=False)
    if left.scalar and right.column.is_encoded and not right.scalar:
        return _with_value(operation, right, left, call, mirrored=True)
    one, other = left.column, right.column
    same = one.is_encoded and other.is_encoded and same_dictionary(one, other)
    if one.dtype.kind is other.dtype.kind is Kind.CATEGORY and not same:
        raise DTypeError.of_categories(call.operation)
    if same and (operation in ("eq", "ne") or one.dtype.ordered):
        return _numbers(operation, _codes(left), _codes(right), call)
    return _plain(operation, left, right, call)


def _codes(operand: Operand) -> Operand:
    return Operand(Column(operand.column.codes), operand.scalar)


def _with_value(operation: str, operand: Operand, value: Operand, call: Invocation, *, mirrored: bool) -> Column:
    """An encoded column beside one value (``mirrored``: value operation column)."""
    column = operand.column
    if column.dtype.ordered and operation in ("lt", "le"):
        place = Operand(Column(array_of_one(place_of_value(column, value), pa.int32())), True)
        sides = (place, _codes(operand)) if mirrored else (_codes(operand), place)
        return _numbers(operation, *sides, call)
    table = compared_dictionary(operation, column, value, mirrored=mirrored)
    return lookup_bits(column, table, missing=operation == "ne", n_rows=call.n_rows, operation=call.operation)


def compared_dictionary(operation: str, column: Column, value: Operand, *, mirrored: bool) -> pa.Array:
    """A bool per value of an encoded column's dictionary: how it compares with one value (``mirrored``: value operation column)."""
    import pyarrow.compute as pc

    wanted = plain_array(value.column)[0]
    values = column.dictionary
    if wanted.type != values.type:
        wanted = wanted.cast(values.type)
    arrays = (wanted, values) if mirrored else (values, wanted)
    return pc.call_function(_ARROW[operation], list(arrays))


def place_of_value(column: Column, value: Operand) -> int:
    place = column.dictionary.index(plain_array(value.column)[0].cast(column.dictionary.type)).as_py()
    if place < 0:
        raise LossyCast.of_value(value.value, column.dtype)
    return int(place)


def lookup_bits(column: Column, table: pa.Array, *, missing: bool, n_rows: int, operation: str) -> Column:
    """A bool per row from a bool per value of an encoded column's dictionary."""
    bytes_of = table_bytes(table)
    out = allocate_bits(n_rows, operation)
    task = kernels.lookup_bits(column.view, bytes_of.ctypes.data, missing, out.address, keep_alive=(column, bytes_of, out))
    return bits_result(task, n_rows, out, operation)


def table_bytes(table: pa.Array) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """One byte, 0 or 1, per bool."""
    return np.ascontiguousarray(numpy_of(table).astype(np.uint8))


# ---- missing --------------------------------------------------------------------------------------------------------


def evaluate_missing(call: Invocation) -> Column:
    """is_missing, not_missing, isfinite, isinf."""
    column = call.operands[0].column
    if call.operation in FINITE:
        return _finite_bits(column, infinite=call.operation == "isinf")
    return missing_bits(column, invert=call.operation == "not_missing")


def missing_bits(column: Column, *, invert: bool) -> Column:
    """Which rows are null or NaN (``invert``: which are not)."""
    n_rows = len(column)
    if column.dtype.kind is Kind.NULL:
        return all_bits(not invert, n_rows, "is_missing")
    floats = column.dtype.kind is Kind.FLOAT
    if floats and column.dtype.physical is None:
        column = Column(column.array.cast(pa.float32()))
    is_read = floats and not lacks_nan(column)
    if not is_read and column.null_count == 0:
        return all_bits(invert, n_rows, "is_missing")
    view = column.view if is_read else column.validity_view
    physical = int(column.dtype.physical if is_read else Physical.I8)   # type: ignore[arg-type]
    out = allocate_bits(n_rows, "is_missing")
    bits = bits_result(kernels.missing(view, physical, invert, out.address, keep_alive=(column, out)), n_rows, out, "is_missing")
    if is_read and (bits.array.false_count if invert else bits.array.true_count) == column.null_count:
        note_no_nan(column)
    return bits


def _finite_bits(column: Column, *, infinite: bool) -> Column:
    """Which rows are finite (``infinite``: an infinity); of floats, for other numbers are finite where they are there."""
    n_rows = len(column)
    if column.dtype.kind is not Kind.FLOAT:
        return all_bits(False, n_rows, "isinf") if infinite else missing_bits(column, invert=True)
    if column.dtype.physical is None:
        column = Column(column.array.cast(pa.float32()))
    operation = "isinf" if infinite else "isfinite"
    out = allocate_bits(n_rows, operation)
    task = kernels.finite(column.view, int(column.dtype.physical), infinite, out.address, keep_alive=(column, out))   # type: ignore[arg-type]
    return bits_result(task, n_rows, out, operation)


# ---- logic ----------------------------------------------------------------------------------------------------------

_ARROW_BITS = {"and": "bit_wise_and", "or": "bit_wise_or", "xor": "bit_wise_xor"}


def evaluate_logic(call: Invocation) -> Column:
    """and, or, xor: three-valued for bools, bitwise for integers."""
    left, right = (_as_bool(one) if call.result == BOOL else one.cast(call.result) for one in call.operands)
    if call.result != BOOL:
        import pyarrow.compute as pc

        return Column(pc.call_function(_ARROW_BITS[call.operation], call.of(call.operation, (left, right), call.result).arrays()), call.result)
    out = allocate_bits(call.n_rows, call.operation)
    nullable = any(one.column.null_count > 0 for one in (left, right))
    validity = allocate_bits(call.n_rows, call.operation) if nullable else None
    task = kernels.logic(
        call.operation, left.kernel_view, right.kernel_view, out.address, validity.address if validity is not None else 0,
        keep_alive=(left, right, out, validity),
    )  # fmt: skip
    run(task, call.n_rows, operation=call.operation)
    return column_from_buffers(BOOL, call.n_rows, out, validity)


def _as_bool(operand: Operand) -> Operand:
    return Operand(nulls(BOOL, len(operand.column)), operand.scalar) if operand.dtype.kind is Kind.NULL else operand


def evaluate_not(call: Invocation) -> Column:
    """not: of bools; bitwise of integers."""
    column = _as_bool(call.operands[0]).column
    if column.dtype != BOOL:
        import pyarrow.compute as pc

        return Column(pc.bit_wise_not(column.array), call.result)
    out = allocate_bits(len(column), "not")
    run(kernels.logical_not(column.view, out.address, keep_alive=(column, out)), len(column), operation="not")
    return with_validity(BOOL, out, column)


def evaluate_between(call: Invocation) -> Column:
    """lower <= value <= upper, either bound inclusive or not."""
    value, lower, upper = call.operands
    above, below = bounds_of(call.options["inclusive"])
    sides = [compare(above, lower, value, call), compare(below, value, upper, call)]
    return evaluate_logic(call.of("and", tuple(Operand(one) for one in sides), BOOL))


def bounds_of(inclusive: str) -> tuple[str, str]:
    """The two comparisons that ``inclusive`` of between asks for."""
    if inclusive not in _BOUNDS:
        raise ArgumentError.of("between", "inclusive", inclusive, _BOUNDS)
    return _BOUNDS[inclusive]


# ---- isin -----------------------------------------------------------------------------------------------------------


def evaluate_isin(call: Invocation) -> Column:
    """Membership of a tuple of values; those that the dtype cannot hold match nothing."""
    column = call.operands[0].column
    column = by_codes(column) if column.dtype.is_text else column
    values_dtype = dtypes.from_arrow(column.dictionary.type) if column.is_encoded else column.dtype
    known, missing = members(call.options["values"], values_dtype)
    if column.dtype.kind is Kind.NULL or not known:
        found = all_bits(False, call.n_rows, "isin")
    elif has_kernel(column):
        found = member_bits(column, pa.concat_arrays(known))
    else:
        found = _found_by_arrow(column, known, values_dtype, call)
    if not missing:
        return found
    both = (Operand(found), Operand(missing_bits(column, invert=False)))
    return evaluate_logic(call.of("or", both, BOOL))


def _found_by_arrow(column: Column, known: list[pa.Array], dtype: DType, call: Invocation) -> Column:
    """Which values are among some, for bools, decimals and halves; of encoded text and categories each value once."""
    import pyarrow.compute as pc

    has_zero = dtype.kind is Kind.FLOAT and 0 in call.options["values"]
    zeros = [pa.array([-0.0, 0.0], dtype.arrow)] if has_zero else []   # one value, two encodings
    wanted = pa.concat_arrays(known + zeros)
    values = column.dictionary if column.is_encoded else column.array
    wanted = wanted if wanted.type == values.type else wanted.cast(values.type)
    if values.type == pa.float16():   # pyarrow looks up no halves
        values, wanted = values.cast(pa.float32()), wanted.cast(pa.float32())
    if column.is_encoded:
        return lookup_bits(column, pc.is_in(values, wanted), missing=False, n_rows=call.n_rows, operation="isin")
    return Column(over_slices(values, lambda rows: pc.is_in(rows, wanted, skip_nulls=True)))


def members(values: Iterable[Any], dtype: DType) -> tuple[list[pa.Array], bool]:
    """The values that the dtype can hold, as arrays of one or more, and whether a missing one is among them."""
    given = list(values)
    kinds = set(map(type, given))
    if kinds == {int} and (whole := _whole_numbers(given, dtype)) is not None:
        return whole, False
    missing = kinds != {str} and any(is_missing(value) or (isinstance(value, float) and value != value) for value in given)
    known = _of_one_kind(given, kinds, dtype)
    if known is None:
        different = {(type(value), value): value for value in given}.values()
        known = [array for array in (_exactly(value, dtype) for value in different) if array is not None]
    return known, missing


def _whole_numbers(values: list[int], dtype: DType) -> list[pa.Array] | None:
    """Integers that an integer dtype has, all at once; None for other dtypes, and beyond int64."""
    if not dtype.is_integer or dtype.numpy is None:
        return None
    try:
        numbers = np.array(values, np.int64)
    except OverflowError:
        return None
    least, most = _limits(dtype.numpy)
    numbers = numbers[(numbers >= least) & (numbers <= most)]
    return [pa.array(numbers.astype(dtype.numpy), dtype.arrow)] if len(numbers) else []


def _of_one_kind(values: list[Any], kinds: set[type], dtype: DType) -> list[pa.Array] | None:
    """What `_exactly` gives, all at once, where that is plain: numbers beside numbers, texts beside text. Else None."""
    if kinds <= _PLAIN_MEMBERS and (dtype.is_integer or dtype == FLOAT64):
        numbers = [same for same in (_same_number(one, dtype) for one in values if type(one) in (int, float)) if same is not None]
        return [pa.array(numbers, dtype.arrow)] if numbers else []
    if kinds == {str} and dtype.kind is Kind.STRING:
        try:
            return [pa.array(values, dtype.arrow)]
        except UnicodeEncodeError:   # half of a surrogate pair, which no column holds
            return None
    return None


def _same_number(value: int | float, dtype: DType) -> int | float | None:
    """The very number as a value of an integer dtype or float64, None where there is none."""
    if dtype.numpy is None or value != value:
        return None
    if dtype == FLOAT64:
        try:
            return float(value) if float(value) == value else None
        except OverflowError:
            return None
    least, most = _limits(dtype.numpy)
    return int(value) if least <= value <= most and value == int(value) else None


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest value of an integer dtype; NumPy finds them anew each time."""
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _exactly(value: Any, dtype: DType) -> pa.Array | None:
    """The value as an array of one, in a dtype that holds exactly it; None where there is no such value, or it is missing."""
    try:
        scalar = Lit(value).scalar(dtype, exact=True)
        given = dtypes.from_arrow(scalar.type)
        require_comparable("isin", given, dtype)
        if not scalar.is_valid or (given.kind is Kind.BOOL) != (dtype.kind is Kind.BOOL):
            return None
        one = Column(array_of_scalar(scalar))
        same = cast(one, dtype)
        back = cast(same, given)
    except (DTypeError, LossyCast):
        return None
    return same.array if back.array.equals(one.array) else None
