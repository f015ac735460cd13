"""Take: rows of columns by number, where -1 may stand for no row."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import take as kernels
from fastframe._kernels import text as text_kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_array, allocate_bits
from fastframe.engines.cpu.forms import (
    ALL_VALID,
    Form,
    Rows,
    Validity,
    codes_column,
    form_of,
    nulls,
    rewrapped,
    slice_array,
    text_array,
    text_source,
    value_bits,
)
from fastframe.errors import OutOfRange

PREFETCH_BYTES = 512 << 10   # sources larger than this share of an L2 cache are fetched ahead
_SLIM = 4                    # a dictionary of so many values per row costs more than plain text
_SLIM_LEAST = 4096           # values of a dictionary that are never worth dropping

_OPERATION = "take"


class TakePlan:
    """Row numbers, checked once against a source, and what all its columns share.

    Parameters
    ----------
    rows : numpy.ndarray of int32
        Row numbers of the source, or -1.
    n_source : int
        Rows of the source.
    missing : bool
        Whether -1 (null) is allowed.
    known : bool
        Whether the rows are ours, all of them rows of the source: then they are not looked at.

    Raises
    ------
    OutOfRange
    """

    def __init__(self, rows: Rows, n_source: int, *, missing: bool, known: bool = False) -> None:
        self.rows: Rows = np.ascontiguousarray(rows, dtype=np.int32)
        self.n_source = n_source
        self.n_rows = len(self.rows)
        lowest, highest = (0, n_source - 1) if known else _bounds(self.rows)
        if lowest < (-1 if missing else 0) or highest >= n_source:
            raise OutOfRange.of(lowest if lowest < (-1 if missing else 0) else highest, n_source)
        self.missing = lowest < 0
        self.address = address_of(self.rows)

    @cached_property
    def present(self) -> Validity:
        """Which rows are not -1: the validity of every column without nulls."""
        if not self.missing:
            return ALL_VALID
        bits = present_bits(self.rows)
        return Validity(bits, self.n_rows - bits.count_ones(self.n_rows))


def _bounds(rows: Rows) -> tuple[int, int]:
    """Lowest and highest row number; (0, -1) where there is none."""
    n_rows = len(rows)
    if n_rows == 0:
        return 0, -1
    lowest, highest = slice_array(n_rows, np.int32, _OPERATION), slice_array(n_rows, np.int32, _OPERATION)
    run(kernels.row_bounds(address_of(rows), address_of(lowest), address_of(highest), (rows, lowest, highest)), n_rows, SLICE_ROWS, operation=_OPERATION)
    return int(lowest.min()), int(highest.max())


def present_bits(rows: Rows) -> Any:
    """Bits that are 1 where a row number is not -1."""
    bits = allocate_bits(len(rows), _OPERATION)
    run(kernels.present_rows(address_of(rows), bits.address, (rows, bits)), len(rows), SLICE_ROWS, operation=_OPERATION)
    return bits


def take(column: Column, rows: Rows, *, missing: bool = False) -> Column:
    """The given rows of a column, in the given order.

    Parameters
    ----------
    column : Column
    rows : numpy.ndarray of int32, shape (n_rows,)
    missing : bool
        Whether rows may be -1, which gives null.

    Returns
    -------
    Column
        Of the same dtype; an encoded column shares its dictionary.

    Raises
    ------
    OutOfRange
    """
    return take_planned(column, TakePlan(rows, len(column), missing=missing))


def take_codes(column: Column, codes: np.ndarray[Any, np.dtype[np.uint32]]) -> Column:
    """The values of groups for the group code of each row; code 0xFFFFFFFF gives null."""
    return take(column, np.ascontiguousarray(codes, dtype=np.uint32).view(np.int32), missing=True)


def take_planned(column: Column, plan: TakePlan) -> Column:
    """`take` by a plan that was made for a source of the column's length."""
    if plan.n_source == 0 and not column.is_encoded:
        return nulls(column.dtype, plan.n_rows)
    column = by_codes(column)
    return _BY_FORM[form_of(column)](column, plan)


def taken_validity(column: Column, plan: TakePlan) -> Validity:
    """The validity of the taken rows."""
    view = column.validity_view
    if view.validity == 0:
        return plan.present
    bits = allocate_bits(plan.n_rows, _OPERATION)
    task = kernels.take_bits(view.validity, view.bit_offset, plan.address, bits.address, (column, plan, bits), missing=plan.missing)
    run(task, plan.n_rows, SLICE_ROWS, operation=_OPERATION)
    return Validity(bits, -1)


def _take_fixed(column: Column, plan: TakePlan) -> Column:
    width = column.dtype.width
    values = allocate(plan.n_rows * width, _OPERATION)
    task = kernels.take_values(width, column.view.values, plan.address, values.address, (column, plan, values),
                               missing=plan.missing, prefetch=plan.n_source * width > PREFETCH_BYTES)  # fmt: skip
    run(task, plan.n_rows, SLICE_ROWS, operation=_OPERATION)
    return column_from_buffers(column.dtype, plan.n_rows, values, *taken_validity(column, plan))


def _take_bits(column: Column, plan: TakePlan) -> Column:
    values = allocate_bits(plan.n_rows, _OPERATION)
    address, bit_offset, _ = value_bits(column)
    task = kernels.take_bits(address, bit_offset, plan.address, values.address, (column, plan, values), missing=plan.missing)
    run(task, plan.n_rows, SLICE_ROWS, operation=_OPERATION)
    return column_from_buffers(column.dtype, plan.n_rows, values, *taken_validity(column, plan))


def _take_text(column: Column, plan: TakePlan) -> Column:
    return Column(_taken_text(column.array, plan, lambda: taken_validity(column, plan)))


def _taken_text(array: pa.Array, plan: TakePlan, validity: Any) -> pa.Array:
    source = text_source(array)
    keep = (array, plan)
    return text_array(
        array.type,
        plan.n_rows,
        lambda sizes: text_kernels.take_text_sizes(source, plan.address, sizes, keep, missing=plan.missing),
        lambda sink: text_kernels.take_text_copy(source, plan.address, sink, keep, missing=plan.missing),
        validity,
        operation=_OPERATION,
    )


def _take_encoded(column: Column, plan: TakePlan) -> Column:
    codes = codes_column(column)
    taken = nulls(codes.dtype, plan.n_rows) if plan.n_source == 0 else _take_fixed(codes, plan)
    return slim(rewrapped(column, taken.array))


def _take_other(column: Column, plan: TakePlan) -> Column:
    rows = pa.array(plan.rows, mask=plan.rows < 0) if plan.missing else pa.array(plan.rows)
    return Column(column.array.take(rows), column.dtype)


_BY_FORM = {
    Form.FIXED: _take_fixed,
    Form.BITS: _take_bits,
    Form.TEXT: _take_text,
    Form.ENCODED: _take_encoded,
    Form.OTHER: _take_other,
}


def code_rows(column: Column) -> Rows:
    """The codes of an encoded column as row numbers of its dictionary, -1 where null."""
    view = column.view
    if view.validity == 0:
        return np.frombuffer(column.codes.buffers()[1], np.int32, len(column), 4 * column.array.offset) if len(column) else np.empty(0, np.int32)
    rows = allocate_array(len(column), np.int32, _OPERATION)
    run(kernels.code_rows(tuple(view), address_of(rows), (column, rows)), len(column), SLICE_ROWS, operation=_OPERATION)
    return rows


def decode(column: Column) -> Column:
    """An encoded column with its values laid out plainly; other columns as they are."""
    if not column.is_encoded:
        return column
    return take(Column(column.dictionary), code_rows(column), missing=True)


def by_codes(column: Column) -> Column:
    """Plain text by its codes, where an operation has already made them and values repeat."""
    encoded: Column | None = column.known("encoded")
    return column if encoded is None or len(encoded.dictionary) * 2 > len(column) else encoded


def slim(column: Column) -> Column:
    """Encoded text without its dictionary where that is far larger than the rows; a category keeps its categories."""
    if column.is_encoded_text and len(column.dictionary) > max(_SLIM * len(column), _SLIM_LEAST):
        return decode(column)
    return column
