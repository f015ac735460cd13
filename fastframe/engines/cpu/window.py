"""Window functions: which kernels, in which phases. The table of functions is ``ops/windows.py``.

Without groups, fixed-width columns are shifted and differenced directly. Everything cumulative is a walk with a state per
group; so are, for fixed-width columns, fills and shifts and differences by one row (``_kernels/cumulative.hpp`` and
``lagged.hpp`` have their plans). All else that moves values (text, other distances, more groups than states may take
room for) makes a row map and leaves the moving to `take`, so it works for every dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels import cumulative
from fastframe._kernels import window as kernels
from fastframe._kernels.memory import Block, address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers, encoded_column
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import INT32, INT64, DType, Kind, Physical, from_arrow
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.forms import Form, form_of
from fastframe.engines.cpu.order import group_order
from fastframe.engines.cpu.rank import rank
from fastframe.engines.cpu.row_codes import code_view
from fastframe.engines.cpu.scatter import few_slices
from fastframe.engines.cpu.select import concat, take
from fastframe.errors import ArgumentError, IntegerOverflow, KernelError, KernelStatus, LossyCast
from fastframe.ops.windows import WindowCall, fill_scalar

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups

Array = np.ndarray[Any, Any]

_ROW_BYTES = 8    # of the input, at least: a value and a code
CARRY_SLICES = 4  # the carry plan needs state tables for this many slices within a fifth of the input


def window(column: Column | None, call: WindowCall, groups: Groups | None) -> Column:
    """One value per row, from the rows of its group in row order (without groups: from all rows).

    Parameters
    ----------
    column : Column, optional
        None only for cumcount and ngroup with groups.
    call : WindowCall
    groups : Groups, optional
        Rows of code ``0xFFFFFFFF`` are in no group: their result is null.

    Raises
    ------
    DTypeError
        Where the function is not defined for the dtype.
    IntegerOverflow
        Where an exact integer or decimal result does not fit.
    """
    result = call.resolve(column.dtype if column is not None else None, call.options["name"])
    if call.name in ("cumcount", "ngroup"):
        return _numbered(column, call, groups)
    assert column is not None
    if column.dtype.kind is Kind.NULL:
        return column
    if call.name == "rank":
        return rank(column, call, groups)
    if call.name == "shift":
        return _shifted(column, call, groups)
    if call.name in ("ffill", "bfill"):
        return _filled(column, call, groups)
    if call.name in ("diff", "pct_change"):
        return _changed(column, call, groups, result)
    return _accumulated(column, call, groups, result)


# ---- walks ----------------------------------------------------------------------------------------------------------


class Walked(NamedTuple):
    """What a walk wrote."""

    values: Block
    validity: Block | None


class Plan(NamedTuple):
    """How a walk's values are written; ``width`` 0 means bits, ``dropped`` fills rows outside any group."""

    width: int
    validity: bool
    dropped: int = 0


def _walk(
    walk: cumulative.Walk, plan: Plan, groups: Groups | None, presence: tuple[int, Any], operation: str
) -> Walked:
    """Run a walk over all rows; ``presence`` is the physical type and the view that say which rows are present."""
    physical, view = presence
    n_rows = view[3]
    values = allocate(n_rows * plan.width, operation) if plan.width else allocate_bits(n_rows, operation)
    validity = allocate_bits(n_rows, operation) if plan.validity else None
    walk.set_output(values.address, validity.address if validity is not None else 0, (values, validity))
    n_groups = 1
    if groups is not None:
        n_groups = groups.n_groups
        walk.set_groups(code_view(groups.codes), n_groups, groups)
    if n_rows == 0:
        return Walked(values, validity)
    if _carries(n_rows, n_groups * walk.state_bytes) or not walk.scatters:
        failure = _carry_plan(walk, n_rows, n_groups, operation)
    else:
        assert groups is not None
        failure = _ordered_plan(walk, groups, plan, values, operation)
        if validity is not None:
            task = kernels.presence(physical, view, code_view(groups.codes), validity.address, validity)
            run(task, n_rows, operation=operation)
    if failure is not None:
        raise _Overflow(failure)
    return Walked(values, validity)


class _Overflow(Exception):
    """A kernel's failure on its way to where the dtype and the column's name are known."""

    def __init__(self, failure: tuple[int, int]) -> None:
        self.row, self.status = failure


def _carries(n_rows: int, state_bytes: int) -> bool:
    """Whether walks go over rows in row order with a table of states per slice (see ``cumulative.hpp``)."""
    return n_rows <= CARRY_SLICES * SLICE_ROWS or state_bytes * 5 * CARRY_SLICES <= n_rows * _ROW_BYTES


def _carry_plan(walk: cumulative.Walk, n_rows: int, n_groups: int, operation: str) -> tuple[int, int] | None:
    per_slice = few_slices(n_rows, n_groups * walk.state_bytes, _ROW_BYTES)
    n_slices = -(-n_rows // per_slice)
    carries = allocate(max(1, n_slices * n_groups) * walk.state_bytes, operation)
    walk.set_carries(carries.address, n_slices, carries)
    if n_slices > 1:
        run(walk.phase(cumulative.FOLD), n_rows, per_slice, operation=operation)
    run(walk.phase(cumulative.SCAN), n_groups, 4096, operation=operation)
    return run(walk.phase(cumulative.APPLY), n_rows, per_slice, operation=operation)


def _ordered_plan(
    walk: cumulative.Walk, groups: Groups, plan: Plan, values: Block, operation: str
) -> tuple[int, int] | None:
    rows, offsets = group_order(groups.codes, groups.n_groups)
    walk.set_order(address_of(rows), address_of(offsets), (rows, offsets))
    _clear_dropped(groups, len(rows), values, plan, operation)
    return run(walk.phase(cumulative.ORDERED), len(rows), operation=operation)


def _clear_dropped(groups: Groups, n_grouped: int, values: Block, plan: Plan, operation: str) -> None:
    if n_grouped == len(groups.codes):
        return
    task = kernels.clear_dropped(
        code_view(groups.codes), values.address, width=plan.width, byte=plan.dropped, keep=(groups, values)
    )
    run(task, len(groups.codes), operation=operation)


def _failed(error: _Overflow, call: WindowCall, dtype: DType) -> Exception:
    if error.status == KernelStatus.OVERFLOW:
        return IntegerOverflow.in_arithmetic(call.name, dtype, call.column_name)
    return KernelError.of(call.name, error.status, error.row)


# ---- cumulative -----------------------------------------------------------------------------------------------------

_OPS = {
    "cumsum": cumulative.SUM,
    "cumprod": cumulative.PRODUCT,
    "cummin": cumulative.MINIMUM,
    "cummax": cumulative.MAXIMUM,
}


def _accumulated(column: Column, call: WindowCall, groups: Groups | None, result: DType) -> Column:
    physical = column.physical
    assert physical is not None
    walk = cumulative.Walk(_OPS[call.name], physical, column.view, grouped=groups is not None)
    try:
        values, validity = _walk(walk, Plan(result.width, validity=True), groups, (physical, column.view), call.name)
    except _Overflow as error:
        raise _failed(error, call, result) from None
    if column.is_encoded:
        return _recoded(column_from_buffers(INT32, len(column), values, validity).array, column)
    return column_from_buffers(result, len(column), values, validity)


def _numbered(column: Column | None, call: WindowCall, groups: Groups | None) -> Column:
    """cumcount and ngroup."""
    if groups is None and (column is None or call.name == "ngroup"):
        raise ArgumentError.because(call.name, "there are no groups", "Group first, for example groupby('k').")
    n_rows = len(column) if groups is None and column is not None else len(groups.codes)  # type: ignore[union-attr]
    ascending = call["ascending"]
    if call.name == "ngroup":
        assert groups is not None
        numbers, validity = allocate(n_rows * 8, call.name), allocate_bits(n_rows, call.name)
        last = -1 if ascending else groups.n_groups - 1
        task = kernels.group_numbers(
            code_view(groups.codes), numbers.address, validity.address, last=last, keep=(groups, numbers, validity)
        )
        run(task, n_rows, operation=call.name)
        return column_from_buffers(INT64, n_rows, numbers, validity)
    nowhere = (0, 0, 0, n_rows)  # every row counts, whatever its value
    walk = cumulative.Walk(cumulative.COUNT, Physical.U8, nowhere, grouped=groups is not None, backward=not ascending)
    values, counted = _walk(walk, Plan(8, validity=True), groups, (Physical.U8, nowhere), call.name)
    return column_from_buffers(INT64, n_rows, values, counted)


# ---- row maps -------------------------------------------------------------------------------------------------------


def lag_map(groups: Groups, periods: int, outside: int = -1) -> Array:
    """For each row the row ``periods`` before in its group, ``outside`` where there is none, -1 outside any group."""
    n_rows = len(groups.codes)
    nowhere = (0, 0, 0, n_rows)
    plan = Plan(4, validity=False, dropped=0xFF)
    if abs(periods) == 1:
        walk = cumulative.Walk(cumulative.LAG, Physical.U8, nowhere, grouped=True, backward=periods < 0)
        walk.set_options(outside=outside)
        return _row_map(_walk(walk, plan, groups, (Physical.U8, nowhere), "shift"), n_rows)
    rows, offsets = group_order(groups.codes, groups.n_groups)
    out = allocate(n_rows * 4, "shift")
    _clear_dropped(groups, len(rows), out, plan, "shift")
    task = kernels.lag_rows(
        address_of(rows), address_of(offsets), out.address,
        n_groups=groups.n_groups, periods=_clamped(periods, n_rows), outside=outside, keep=(rows, offsets, out),
    )  # fmt: skip
    run(task, len(rows), operation="shift")
    return _row_map(Walked(out, None), n_rows)


def _clamped(periods: int, n_rows: int) -> int:
    """A distance that means the same for so many rows and fits the kernels' integers."""
    return max(-n_rows, min(n_rows, periods))


def _row_map(walked: Walked, n_rows: int) -> Array:
    return np.frombuffer(memoryview(walked.values), dtype=np.int32, count=n_rows)


def _filled(column: Column, call: WindowCall, groups: Groups | None) -> Column:
    is_float = column.dtype.kind is Kind.FLOAT and column.physical is not None
    if groups is None and not is_float and column.null_count == 0:
        return column
    limit = call["limit"] if call["limit"] is not None else len(column)
    if column.is_encoded:
        return _recoded(_filled(_codes_column(column), call, groups).array, column)
    if groups is None and form_of(column) is Form.FIXED:
        return _fill_fixed(column, call.name, limit)
    if groups is not None:
        carried = _carried(cumulative.FILL_VALUES, column, call, groups, backward=call.name == "bfill", limit=limit)
        if carried is not None:
            return carried
    view = column.view if is_float else column.validity_view
    physical = column.physical if is_float else Physical.U8
    assert physical is not None
    walk = cumulative.Walk(cumulative.FILL, physical, view, grouped=groups is not None, backward=call.name == "bfill")
    walk.set_options(limit=limit)
    walked = _walk(walk, Plan(4, validity=False, dropped=0xFF), groups, (physical, view), call.name)
    return take(column, _row_map(walked, len(column)), missing=True)


def _fill_fixed(column: Column, name: str, limit: int) -> Column:
    """A fill without groups, in two phases (``_kernels/fill.hpp``)."""
    n_rows, width, backward, physical = len(column), column.dtype.width, name == "bfill", column.physical
    assert physical is not None
    edges = np.full(-(-n_rows // SLICE_ROWS), -1, np.int64)
    find = kernels.fill_edges(physical, column.view, address_of(edges), width=width, backward=backward, keep=(column, edges))
    run(find, n_rows, SLICE_ROWS, operation=name)
    before = _before_slices(edges[::-1])[::-1].copy() if backward else _before_slices(edges)
    values, validity = allocate(n_rows * width, name), allocate_bits(n_rows, name)
    fill = kernels.fill_rows(
        physical, column.view, address_of(before), values.address, validity.address,
        width=width, limit=limit, backward=backward, keep=(column, before, values, validity),
    )  # fmt: skip
    run(fill, n_rows, SLICE_ROWS, operation=name)
    return column_from_buffers(column.dtype, n_rows, values, validity)


def _before_slices(edges: Array) -> Array:
    """Of rows per slice, -1 for none, the last one of the slices before each."""
    latest = np.maximum.accumulate(np.where(edges >= 0, np.arange(len(edges)), -1))
    before = np.full(len(edges), -1, np.int64)
    before[1:] = np.where(latest[:-1] >= 0, edges[latest[:-1]], -1)
    return before


def _carried(op: int, column: Column, call: WindowCall, groups: Groups, *, backward: bool, **options: Any) -> Column | None:
    """A walk that carries values; None where states would take too much room, or values have no fixed width of bytes."""
    physical = column.physical
    if physical in (None, Physical.STR, Physical.LSTR, Physical.BOOL):
        return None
    assert physical is not None
    walk = cumulative.Walk(op, physical, column.view, grouped=True, backward=backward, width=column.dtype.width)
    if not _carries(len(column), groups.n_groups * walk.state_bytes):
        return None
    walk.set_options(**options)
    result = call.resolve(column.dtype)
    try:
        values, validity = _walk(walk, Plan(result.width, validity=True), groups, (physical, column.view), call.name)
    except _Overflow as error:
        raise _failed(error, call, result) from None
    return column_from_buffers(result, len(column), values, validity)


# ---- shift ----------------------------------------------------------------------------------------------------------


def _shifted(column: Column, call: WindowCall, groups: Groups | None) -> Column:
    fill = call["fill_value"]
    scalar = fill_scalar(fill, column.dtype, call.options["name"]) if fill is not None else None
    if column.is_encoded:
        if scalar is not None:
            column, code = _with_code(column, scalar, fill)
            scalar = pa.scalar(code, pa.int32())
        return _recoded(_shift_values(_codes_column(column), call, scalar, groups).array, column)
    return _shift_values(column, call, scalar, groups)


def _shift_values(column: Column, call: WindowCall, fill: pa.Scalar | None, groups: Groups | None) -> Column:
    n_rows, periods = len(column), call["periods"]
    if groups is None:
        periods = _clamped(periods, n_rows)
        if periods == 0:
            return column
        fixed = column.physical not in (None, Physical.STR, Physical.LSTR)
        return _shift_fixed(column, periods, fill) if fixed else _shift_joined(column, periods, fill)
    if abs(periods) == 1:
        plain = WindowCall("shift", {"name": call.options["name"]})   # codes have no value to fill with
        edge = _value_bytes(fill, column) if column.physical is not None else None
        carried = _carried(cumulative.SHIFT, column, plain, groups, backward=periods < 0, fill=edge)
        if carried is not None:
            return carried
    if fill is None:
        return take(column, lag_map(groups, periods), missing=True)
    edge_column = Column(pa.array([fill], column.array.type), column.dtype)
    return take(concat([column, edge_column], column.dtype), lag_map(groups, periods, outside=n_rows), missing=True)


def _shift_fixed(column: Column, periods: int, fill: pa.Scalar | None) -> Column:
    n_rows, width = len(column), column.dtype.width
    values = allocate(n_rows * width, "shift") if width else allocate_bits(n_rows, "shift")
    validity = allocate_bits(n_rows, "shift") if fill is None or column.null_count else None
    task = kernels.shift(
        column.view, values.address, validity.address if validity is not None else 0,
        width=width, periods=periods, fill=_value_bytes(fill, column), keep=(column, values, validity),
    )  # fmt: skip
    run(task, n_rows, operation="shift")
    return column_from_buffers(column.dtype, n_rows, values, validity)


def _value_bytes(scalar: pa.Scalar | None, column: Column) -> bytes | None:
    if scalar is None:
        return None
    return bytes(pa.array([scalar], column.array.type).buffers()[1])[: max(1, column.dtype.width)]


def _shift_joined(column: Column, periods: int, fill: pa.Scalar | None) -> Column:
    """Text and nested values: an edge of fill values, joined to the rest."""
    n_rows, n_edge = len(column), abs(periods)
    edge = pa.nulls(n_edge, column.array.type) if fill is None else pa.array([fill] * n_edge, column.array.type)
    rest = column.slice(0 if periods > 0 else n_edge, n_rows - n_edge)
    parts = [Column(edge, column.dtype), rest]
    return concat(parts if periods > 0 else parts[::-1], column.dtype)


def _codes_column(column: Column) -> Column:
    return Column(column.codes, INT32)


def _recoded(codes: pa.Int32Array, like: Column) -> Column:
    return encoded_column(codes, like.dictionary, like.dtype, ordered=like.array.type.ordered)


def _with_code(column: Column, scalar: pa.Scalar, given: Any) -> tuple[Column, int]:
    """An encoded column whose dictionary has ``scalar``, and its code; the categories of a category are fixed."""
    code = column.dictionary.index(scalar.cast(column.dictionary.type)).as_py()
    if code >= 0:
        return column, code
    if column.dtype.kind is Kind.CATEGORY:
        raise LossyCast.of_value(given, column.dtype)
    dictionary = pa.concat_arrays([column.dictionary, pa.array([scalar], column.dictionary.type)])
    return encoded_column(column.codes, dictionary, column.dtype), len(dictionary) - 1


# ---- differences ----------------------------------------------------------------------------------------------------


def _changed(column: Column, call: WindowCall, groups: Groups | None, result: DType) -> Column:
    if column.dtype.name == "date32":   # days, but the difference is in seconds
        column = cast(column, from_arrow(pa.timestamp("s")))
    n_rows, physical = len(column), column.physical
    assert physical is not None
    if groups is not None and abs(call["periods"]) == 1:
        op = cumulative.RELATIVE if call.name == "pct_change" else cumulative.DIFFERENCE
        carried = _carried(op, column, call, groups, backward=call["periods"] < 0)
        if carried is not None:
            return carried
    values, validity = allocate(n_rows * result.width, call.name), allocate_bits(n_rows, call.name)
    rows = lag_map(groups, call["periods"]) if groups is not None else None
    task = kernels.change(
        physical, column.view, values.address, validity.address,
        relative=call.name == "pct_change", rows=address_of(rows) if rows is not None else 0,
        periods=_clamped(call["periods"], n_rows), keep=(column, values, validity, rows),
    )  # fmt: skip
    failure = run(task, n_rows, operation=call.name)
    if failure is not None:
        raise _failed(_Overflow(failure), call, result)
    return column_from_buffers(result, n_rows, values, validity)
