"""Where, put, fill: columns with some rows replaced; columns of one value; which rows are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import bitmap as bitmap_kernels
from fastframe._kernels import merge as kernels
from fastframe._kernels import text as text_kernels
from fastframe._kernels import window as window_kernels
from fastframe._kernels.bitmap import EVERYWHERE, NOWHERE
from fastframe._kernels.memory import Block
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers, encoded_column
from fastframe.column.memory import allocate, allocate_bits, is_streamed
from fastframe.dtypes import BOOL, DType, Kind
from fastframe.engines.cpu.dictionaries import encoded_small, in_categories, unified
from fastframe.engines.cpu.filter import count_true, mask_ranks, require_mask
from fastframe.engines.cpu.forms import (
    ALL_VALID,
    Form,
    Rows,
    Validity,
    codes_column,
    fixed_array,
    form_of,
    nulls,
    rewrapped,
    text_array,
    text_source,
    validity_bits,
    value_bits,
)
from fastframe.engines.cpu.take import TakePlan, decode, present_bits, take
from fastframe.errors import DTypeError, LossyCast, ShapeError

if TYPE_CHECKING:
    from fastframe._kernels.bitmap import BitOp, BitOperand

_OPERATION = "where"
_FLOATS = ("float32", "float64")


def _combined(op: BitOp, operands: tuple[BitOperand, ...], n_rows: int, keep: Any) -> Block:
    bits = allocate_bits(n_rows, _OPERATION)
    run(bitmap_kernels.combine_bits(op, operands, bits.address, (keep, bits)), n_rows, SLICE_ROWS, operation=_OPERATION)
    return bits


def is_missing(column: Column) -> Column:
    """A bool column without nulls: true where the value is null or NaN."""
    n_rows = len(column)
    if column.dtype.kind is Kind.NULL:
        return column_from_buffers(BOOL, n_rows, _combined("copy", (EVERYWHERE,), n_rows, column))
    if column.dtype.kind is Kind.FLOAT and not column.is_encoded:
        if column.dtype.name not in _FLOATS:
            return Column(column.array.is_null(nan_is_null=True))
        bits = allocate_bits(n_rows, _OPERATION)
        task = bitmap_kernels.missing_floats(int(column.dtype.physical or 0), tuple(column.view), bits.address, (column, bits))
        run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
        return column_from_buffers(BOOL, n_rows, bits)
    return column_from_buffers(BOOL, n_rows, _combined("not", (validity_bits(column),), n_rows, column))


def is_missing_rows(rows: Rows) -> Column:
    """A bool column without nulls: true where a row number is -1."""
    rows = np.ascontiguousarray(rows, dtype=np.int32)
    present = present_bits(rows)
    return column_from_buffers(BOOL, len(rows), _combined("not", ((present.address, 0, False),), len(rows), present))


def constant(value: Any, dtype: DType, n_rows: int) -> Column:
    """``n_rows`` times one Python value (None gives nulls); text comes dictionary-encoded.

    Raises
    ------
    LossyCast
        Where the value does not fit the dtype.
    """
    if value is None:
        return nulls(dtype, n_rows)
    arrow = dtype.arrow.value_type if dtype.kind is Kind.CATEGORY else dtype.arrow
    try:
        one = pa.array([value], type=arrow)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        raise LossyCast.of_value(value, dtype) from None
    if dtype.kind is Kind.CATEGORY:
        codes = repeat(Column(pa.array([0], pa.int32())), n_rows)
        return encoded_column(codes.array, one, dtype, ordered=dtype.ordered)
    return repeat(Column(one, dtype), n_rows)


def repeat(column: Column, n_rows: int) -> Column:
    """The one value of a column, ``n_rows`` times; text comes dictionary-encoded."""
    if len(column) != 1:
        raise ShapeError.scalar_needed(len(column))
    if n_rows == 1:
        return column
    if column.null_count:
        return rewrapped(column, pa.nulls(n_rows, pa.int32())) if column.is_encoded else nulls(column.dtype, n_rows)
    form = form_of(column)
    if form is Form.OTHER:
        return Column(pa.repeat(column.array[0], n_rows), column.dtype)
    if form is Form.TEXT:
        column = encoded_small(column)
    if column.is_encoded:
        return rewrapped(column, repeat(codes_column(column), n_rows).array)
    if form is Form.BITS:
        return column_from_buffers(column.dtype, n_rows, _combined("copy", (_one_bit(column),), n_rows, column))
    width = column.dtype.width
    values = allocate(n_rows * width, "fill")
    run(kernels.fill_values(width, column.view.values, values.address, (column, values)), n_rows, SLICE_ROWS, operation="fill")
    return Column(fixed_array(column.array.type, n_rows, values, ALL_VALID), column.dtype)


def _one_bit(column: Column) -> BitOperand:
    return 0, 0, bool(column.array[0].as_py())


def where(mask: Column, yes: Column, no: Column) -> Column:
    """``yes`` where a bool column is true, else (also where it is null) ``no``.

    Parameters
    ----------
    mask : Column of bool, shape (n_rows,)
    yes, no : Column, shape (n_rows,) or (1,)
        Of one dtype, or either of dtype null. One row stands for all. Text may meet a category if its values are
        among the categories; of two categories ``no`` decides, unless ``yes`` alone has a value per row, or ``no`` is
        all null. Text comes out encoded where both are, or where one is and the other is a single value.

    Raises
    ------
    DTypeError, ShapeError, LossyCast
    """
    require_mask(mask)
    n_rows = len(mask)
    for side in (yes, no):
        if len(side) not in (n_rows, 1):
            raise ShapeError.of_mask(n_rows, len(side))
    yes, no = _alike(yes, no)
    if yes.is_encoded:
        return rewrapped(no, _chosen(mask, codes_column(yes), codes_column(no)).array)
    return _chosen(mask, yes, no)


def _alike(yes: Column, no: Column) -> tuple[Column, Column]:
    """Both sides in one dtype and form; of encoded sides, over one dictionary."""
    if yes.dtype.kind is Kind.NULL and no.dtype.kind is not Kind.NULL:
        return _null_like(no), no
    if no.dtype.kind is Kind.NULL and yes.dtype.kind is not Kind.NULL:
        return yes, _null_like(yes)
    if Kind.CATEGORY in (yes.dtype.kind, no.dtype.kind):
        return _alike_categories(yes, no)
    if yes.dtype != no.dtype:
        raise DTypeError.of_pair(_OPERATION, yes.dtype, no.dtype)
    if not (yes.is_encoded or no.is_encoded):
        return yes, no
    if not yes.is_encoded and len(yes) == 1:
        yes = encoded_small(yes)
    if not no.is_encoded and len(no) == 1:
        no = encoded_small(no)
    if yes.is_encoded and no.is_encoded:
        yes, no = unified([yes, no])
        return yes, no
    return decode(yes), decode(no)


def _null_like(column: Column) -> Column:
    """One null that stands for all rows, in the column's dtype and dictionary."""
    return rewrapped(column, pa.nulls(1, pa.int32())) if column.is_encoded else nulls(column.dtype, 1)


def _alike_categories(yes: Column, no: Column) -> tuple[Column, Column]:
    for side in (yes, no):
        if side.dtype.kind not in (Kind.CATEGORY, Kind.STRING):
            raise DTypeError.of_pair(_OPERATION, yes.dtype, no.dtype)
    yes_decides = no.dtype.kind is not Kind.CATEGORY or no.null_count == len(no) or len(no) < len(yes)
    if yes_decides and yes.dtype.kind is Kind.CATEGORY:
        return yes, in_categories(no, yes)
    return in_categories(yes, no), no


def _chosen(mask: Column, yes: Column, no: Column) -> Column:
    """`where` of two sides alike, none of them encoded."""
    n_rows = len(mask)
    form = form_of(no)
    if form is Form.OTHER:
        return _chosen_by_arrow(mask, yes, no)
    choice, keep = _choice(mask)
    if form is Form.TEXT:
        sources = text_source(yes.array, constant=len(yes) == 1), text_source(no.array, constant=len(no) == 1)
        kept = (keep, yes, no)
        return Column(text_array(
            no.array.type,
            n_rows,
            lambda sizes: text_kernels.choose_text_sizes(choice, *sources, sizes, kept),
            lambda sink: text_kernels.choose_text_copy(choice, *sources, sink, kept),
            lambda: _chosen_validity(choice, yes, no, n_rows),
            operation=_OPERATION,
        ))  # fmt: skip
    if form is Form.BITS:
        sides = tuple(_one_bit(side) if len(side) == 1 else value_bits(side) for side in (yes, no))
        values = _combined("select", (choice, *sides), n_rows, (keep, yes, no))
    else:
        width = no.dtype.width
        values = allocate(n_rows * width, _OPERATION)
        task = kernels.choose_values(width, choice, (yes.view.values, len(yes) == 1), (no.view.values, len(no) == 1),
                                     values.address, (keep, yes, no, values), streams=is_streamed(n_rows * width))  # fmt: skip
        run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
    return column_from_buffers(no.dtype, n_rows, values, *_chosen_validity(choice, yes, no, n_rows))


def _choice(mask: Column) -> tuple[BitOperand, Any]:
    """Where the mask is true, as one operand, and what keeps it alive."""
    if not mask.null_count:
        return value_bits(mask), mask
    bits = _combined("and", (value_bits(mask), validity_bits(mask)), len(mask), mask)
    return (bits.address, 0, False), bits


def _side_validity(side: Column) -> BitOperand:
    if len(side) == 1:
        return NOWHERE if side.null_count else EVERYWHERE
    return validity_bits(side)


def _chosen_validity(choice: BitOperand, yes: Column, no: Column, n_rows: int) -> Validity:
    if not yes.null_count and not no.null_count:
        return ALL_VALID
    return Validity(_combined("select", (choice, _side_validity(yes), _side_validity(no)), n_rows, (yes, no)), -1)


def _chosen_by_arrow(mask: Column, yes: Column, no: Column) -> Column:
    import pyarrow.compute as pc

    sides = [side.array[0] if len(side) == 1 and len(mask) != 1 else side.array for side in (yes, no)]
    chosen = pc.if_else(mask.array.fill_null(False), *sides)
    return Column(chosen.combine_chunks() if isinstance(chosen, pa.ChunkedArray) else chosen, no.dtype)


def fill_null(column: Column, value: Column) -> Column:
    """The column with missing rows (null or NaN) taken from ``value``: one row per row, or one row for all.

    The column itself where nothing is missing. Raises what `where` raises.
    """
    if column.null_count == 0 and column.dtype.kind is not Kind.FLOAT:
        return column
    by_one = form_of(column) is Form.FIXED and value.dtype == column.dtype and len(value) == 1 and value.null_count == 0
    if by_one and column.null_count:
        return _filled_by_one(column, value)
    missing = is_missing(column)
    if count_true(missing) == 0:
        return column
    return _filled_by_one(column, value) if by_one else where(missing, value, column)


def _filled_by_one(column: Column, value: Column) -> Column:
    """`fill_null` of values of a fixed width by one that is there, in one pass."""
    assert column.physical is not None
    n_rows, width, one = len(column), column.dtype.width, value.array
    given = bytes(one.buffers()[1][one.offset * width : (one.offset + 1) * width])
    out = allocate(n_rows * width, _OPERATION)
    task = window_kernels.fill_value(
        column.physical, column.view, out.address, width=width, value=given, streams=is_streamed(n_rows * width), keep=(column, out)
    )
    run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
    return column_from_buffers(column.dtype, n_rows, out)


def put(column: Column, target: Column | Rows, values: Column) -> Column:
    """The column with rows replaced.

    Parameters
    ----------
    column : Column
    target : Column of bool, or numpy.ndarray of int32
        A mask (null as false), or row numbers; of equal row numbers the last wins.
    values : Column
        One row for all targets, or one per target in their order. Of the column's dtype, or null.

    Raises
    ------
    ShapeError, OutOfRange, and what `where` raises
    """
    if isinstance(target, Column):
        mask, ranks, n_targets = target, None, count_true(target)
    else:
        plan = TakePlan(target, len(column), missing=False)
        ranks, n_targets = np.full(len(column), -1, np.int32), plan.n_rows
        ranks[plan.rows] = np.arange(n_targets, dtype=np.int32)
        mask = column_from_buffers(BOOL, len(column), present_bits(ranks))
    if len(mask) != len(column):
        raise ShapeError.of_mask(len(mask), len(column))
    if len(values) not in (1, n_targets):
        raise ShapeError.of_targets(len(values), n_targets)
    if n_targets == 0:
        return column
    if len(values) > 1:
        values = take(values, mask_ranks(mask) if ranks is None else ranks, missing=True)
    return where(mask, values, column)
