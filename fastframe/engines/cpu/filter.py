"""Filter: the rows where a mask is true. One plan per mask serves every column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import bitmap as bitmap_kernels
from fastframe._kernels import filter as kernels
from fastframe._kernels import text as text_kernels
from fastframe._kernels.memory import Block, address_of
from fastframe._threads import SLICE_ROWS, fine_slice_rows, run, thread_count
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate_all, allocate_array, allocate_bits, is_streamed
from fastframe.column.range import RangeColumn
from fastframe.column.table import Table
from fastframe.dtypes import Kind
from fastframe.engines.cpu.forms import (
    ALL_VALID,
    Form,
    Rows,
    Validity,
    fixed_array,
    form_of,
    rewrapped,
    slice_array,
    text_array,
    text_source,
    validity_bits,
    value_bits,
)
from fastframe.engines.cpu.take import by_codes, slim
from fastframe.errors import DTypeError, ShapeError

if TYPE_CHECKING:
    from fastframe._kernels.bitmap import BitOperand

_OPERATION = "filter"
_CODE_WIDTH = 4
_ROW_BITS = 32   # of a row's number; a plan has one bit per row of the source


class FilterPlan(NamedTuple):
    """Which rows a mask selects.

    ``words`` are uint64, one per 64 rows, 1 where selected; ``starts`` are int64, the selected rows before each slice
    of ``slice_rows`` rows, and in all; ``addresses`` are those of both, for kernels.
    """

    n_rows: int
    n_selected: int
    words: np.ndarray[Any, np.dtype[np.uint64]]
    starts: np.ndarray[Any, np.dtype[np.int64]]
    addresses: tuple[int, int]
    slice_rows: int = SLICE_ROWS


def require_mask(mask: Column) -> None:
    """Raise `DTypeError` unless the column is of dtype bool."""
    if mask.dtype.kind is not Kind.BOOL:
        raise DTypeError.not_a_mask(mask.dtype)


def filter_plan(mask: Column) -> FilterPlan:
    """The plan of a bool column, null as false; kept on the column.

    Raises
    ------
    DTypeError
        Where the column is not of dtype bool.
    """
    require_mask(mask)
    plan: FilterPlan = mask.fact("filter plan", lambda: _plan(mask))
    return plan


def _plan(mask: Column) -> FilterPlan:
    n_rows = len(mask)
    words = allocate_array(-(-n_rows // 64), np.uint64, _OPERATION)
    slice_rows = fine_slice_rows(n_rows)
    starts = np.zeros(-(-n_rows // slice_rows) + 1, np.int64)
    addresses = address_of(words), address_of(starts)
    counts = addresses[1] + starts.itemsize   # of each slice, where its running sum goes
    task = kernels.plan_mask(value_bits(mask), validity_bits(mask), addresses[0], counts, (mask, words, starts))
    run(task, n_rows, slice_rows, operation=_OPERATION)
    if len(starts) > 2:
        np.cumsum(starts, out=starts)
    return FilterPlan(n_rows, int(starts[-1]), words, starts, addresses, slice_rows)


def filter_table(table: Table, mask: Column) -> Table:
    """The rows of a table where a mask is true (null counts as false), in their order.

    A mask that is true everywhere shares the columns.

    Raises
    ------
    DTypeError, ShapeError
        Where the mask is not of dtype bool, or not of one value per row.
    """
    require_mask(mask)
    if len(mask) != table.n_rows:
        raise ShapeError.of_mask(len(mask), table.n_rows)
    plan = filter_plan(mask)
    return Table.of(filter_columns(table.columns, plan), plan.n_selected)


def filter_column(column: Column, plan: FilterPlan) -> Column:
    """The selected rows of a column; the column itself where all are.

    Raises
    ------
    ShapeError
        Where the plan is for another number of rows.
    """
    return filter_columns({"": column}, plan)[""]


def filter_columns(columns: Mapping[str, Column], plan: FilterPlan) -> dict[str, Column]:
    """`filter_column` of each: values of one width in one run, other forms column by column; labels stay a selection."""
    n_rows, n_selected = plan.n_rows, plan.n_selected
    for column in columns.values():
        if column.length != n_rows:
            raise ShapeError.of_mask(n_rows, column.length)
    out = dict(columns)
    if n_selected == n_rows:
        return out
    names, sources, widths = [], [], []   # of values of one width, codes among them
    for name, column in columns.items():
        width = column.dtype.width
        if isinstance(column, RangeColumn):
            out[name] = _filter_range(column, plan)
            continue
        if column.is_encoded or not width:
            form = form_of(column)
            if form is Form.TEXT and (encoded := by_codes(column)) is not column:
                column, form = encoded, Form.ENCODED
            if form is not Form.ENCODED:
                out[name] = _BY_FORM[form](column, plan)
                continue
            width = _CODE_WIDTH
        names.append(name)
        sources.append(column)
        widths.append(width)
    if names:
        out.update(zip(names, _filter_values(sources, widths, plan)))
    return out


def _filter_values(sources: list[Column], widths: list[int], plan: FilterPlan) -> list[Column]:
    """Values, or codes, of one width each, in one run."""
    n_selected = plan.n_selected
    found = allocate_all([n_selected * width for width in widths], _OPERATION)
    jobs = [(width, source.view.values, block.address) for width, source, block in zip(widths, sources, found)]
    streams = is_streamed(n_selected * sum(widths)) and thread_count() > 1   # one thread alone is not held up by the memory
    task = kernels.filter_values(jobs, plan.addresses, (plan, sources, found), streams=streams)
    run(task, plan.n_rows, plan.slice_rows, operation=_OPERATION)
    return [
        _filled(source, plan, block) if source.is_encoded or source.null_count else Column.of_block(source.dtype, n_selected, block)
        for source, block in zip(sources, found)
    ]


def _filter_range(column: RangeColumn, plan: FilterPlan) -> RangeColumn:
    """Labels stay a selection, whose rows are found when somebody looks, unless they take less memory than the plan."""
    if _ROW_BITS * plan.n_selected < plan.n_rows:
        return column.take(_plan_rows(plan))
    return column.take_later(plan.n_selected, lambda: _plan_rows(plan))


def _filled(source: Column, plan: FilterPlan, values: Block) -> Column:
    """The column whose selected values, or codes, are there."""
    if source.is_encoded:
        validity = _validity(source, plan)
        return slim(rewrapped(source, fixed_array(source.codes.type, plan.n_selected, values, validity)))
    return column_from_buffers(source.dtype, plan.n_selected, values, *_validity(source, plan))


def _compacted_bits(bits: BitOperand, plan: FilterPlan, keep: object) -> Any:
    out = allocate_bits(plan.n_selected, _OPERATION)
    meeting = plan.starts >> 3
    meeting = meeting[np.diff(meeting, prepend=-1) > 0]   # bytes in which slices meet are or-ed into
    np.frombuffer(out, np.uint8)[meeting[meeting < len(out)]] = 0   # type: ignore[call-overload]
    run(kernels.filter_bits(bits, plan.addresses, out.address, (keep, plan, out)), plan.n_rows, plan.slice_rows, operation=_OPERATION)
    return out


def _validity(column: Column, plan: FilterPlan) -> Validity:
    if not column.null_count:
        return ALL_VALID
    return Validity(_compacted_bits(validity_bits(column), plan, column), -1)


def _filter_bits(column: Column, plan: FilterPlan) -> Column:
    values = _compacted_bits(value_bits(column), plan, column)
    return column_from_buffers(column.dtype, plan.n_selected, values, *_validity(column, plan))


def _filter_text(column: Column, plan: FilterPlan) -> Column:
    source = text_source(column.array)
    lengths = np.empty(-(-plan.n_rows // plan.slice_rows), np.int64)
    at, keep = address_of(lengths), (column, plan, lengths)
    array = text_array(
        column.array.type,
        plan.n_selected,
        lambda sizes: text_kernels.filter_text_sizes(source, plan.addresses, sizes, at, keep),
        lambda sink: text_kernels.filter_text_copy(source, plan.addresses, sink, at, keep),
        lambda: _validity(column, plan),
        operation=_OPERATION,
        task_rows=plan.n_rows,
        slice_rows=plan.slice_rows,
    )
    return Column(array)


def _filter_other(column: Column, plan: FilterPlan) -> Column:
    selected = pa.Array.from_buffers(pa.bool_(), plan.n_rows, [None, pa.py_buffer(plan.words)])
    return Column(column.array.filter(selected), column.dtype)


_BY_FORM = {
    Form.BITS: _filter_bits,
    Form.TEXT: _filter_text,
    Form.OTHER: _filter_other,
}


def mask_rows(mask: Column) -> Rows:
    """The int32 numbers of the rows where a bool column is true, ascending."""
    return _plan_rows(filter_plan(mask))


def _plan_rows(plan: FilterPlan) -> Rows:
    rows = allocate_array(plan.n_selected, np.int32, _OPERATION)
    run(kernels.kept_rows(plan.addresses, address_of(rows), (plan, rows)), plan.n_rows, plan.slice_rows, operation=_OPERATION)
    return rows


def mask_ranks(mask: Column) -> Rows:
    """For each row where a bool column is true, how many such rows come before it; -1 for the others. int32."""
    plan = filter_plan(mask)
    ranks = allocate_array(plan.n_rows, np.int32, _OPERATION)
    run(kernels.kept_ranks(plan.addresses, ranks.ctypes.data, (plan, ranks)), plan.n_rows, plan.slice_rows, operation=_OPERATION)
    return ranks


def count_true(mask: Column) -> int:
    """How many rows of a bool column are true."""
    require_mask(mask)
    n_rows = len(mask)
    counts = slice_array(n_rows, np.int64, _OPERATION)
    task = bitmap_kernels.count_bits(value_bits(mask), validity_bits(mask), counts.ctypes.data, (mask, counts))
    run(task, n_rows, SLICE_ROWS, operation=_OPERATION)
    return int(counts.sum())
