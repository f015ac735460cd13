"""Fields of dates and times by our kernel: what pyarrow's calendar need not see row by row."""

from __future__ import annotations

import pyarrow as pa

from fastframe._kernels import calendar as kernels
from fastframe._threads import fine_slice_rows, run
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.dtypes import BOOL, INT32, Kind
from fastframe.engines.cpu.results import with_validity

_ALIASES = {"weekday": "dayofweek"}


def calendar_field(name: str, column: Column) -> Column | None:
    """A field of every value, int32 or bool (False where missing); None where pyarrow's calendar is needed."""
    name = _ALIASES.get(name, name)
    unit = unit_of(column)
    if unit is None or name not in kernels.INT_FIELDS + kernels.BIT_FIELDS:
        return None
    n_rows, is_bit = len(column), name in kernels.BIT_FIELDS
    out = allocate_bits(n_rows, name) if is_bit else allocate(4 * n_rows, name)
    task = kernels.field(name, unit, column.view, out.address, narrow=column.dtype.width == 4, keep_alive=(column, out))
    if run(task, n_rows, fine_slice_rows(n_rows), operation=name) is not None:
        return None   # years beyond the kernel's, or so it seems under a null
    return column_from_buffers(BOOL, n_rows, out) if is_bit else with_validity(INT32, out, column)


def days_of(column: Column) -> Column | None:
    """The days of the values; None where pyarrow's calendar is needed."""
    numbers = calendar_field("day_number", column)
    return None if numbers is None else Column(numbers.array.view(pa.date32()))


def unit_of(column: Column) -> str | None:
    """The unit of the counts that the column holds; None where these are not of local time."""
    arrow = column.dtype.arrow
    if column.dtype.kind is Kind.DATE:
        return "day" if column.dtype.width == 4 else None
    return None if getattr(arrow, "tz", None) not in (None, "UTC") else str(arrow.unit)
