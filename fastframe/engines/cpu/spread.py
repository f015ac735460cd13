"""Take where rows of the source repeat: joins from a small table, group results to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastframe._kernels import spread as kernels
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_bits
from fastframe.engines.cpu.forms import Form, form_of
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.row_codes import code_view
from fastframe.engines.cpu.take import by_codes, take

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups

_REPEATS = 2   # taken rows per source row from which a dictionary costs less than bytes written out again and again
_STREAMED_BYTES = 8 << 20   # results so large are not kept in a cache until they are read, so they are written past it
_OPERATION = "transform"


def spread(column: Column, rows: np.ndarray, *, missing: bool) -> Column:
    """`take`, but text that many rows share comes dictionary-encoded: four bytes a row instead of each value's bytes."""
    return take(worth_encoding(column, len(rows)), rows, missing=missing)


def worth_encoding(column: Column, n_rows: int) -> Column:
    """Plain text encoded where ``n_rows`` rows taken from it share values (or where it has been encoded before)."""
    if column.dtype.is_text and not column.is_encoded and n_rows >= _REPEATS * len(column) > 0:
        return encode_text(column)
    return by_codes(column)


def spread_codes(column: Column, groups: Groups) -> Column:
    """The values of groups at each row's group; null where the row is in none."""
    view = column.view if form_of(column) is Form.FIXED else None
    if view is None or (view.validity and view.bit_offset):
        return spread(column, groups.wide_codes.view(np.int32), missing=True)
    codes, n_rows = groups.codes, len(groups.codes)
    values, validity = allocate(n_rows * column.dtype.width, _OPERATION), allocate_bits(n_rows, _OPERATION)
    task = kernels.spread(
        code_view(codes), groups.n_groups, (view.values, view.validity), (values.address, validity.address),
        value_bytes=column.dtype.width, streams=n_rows * column.dtype.width > _STREAMED_BYTES, keep_alive=(codes, column, values, validity),
    )  # fmt: skip
    run(task, n_rows, operation=_OPERATION)
    return column_from_buffers(column.dtype, n_rows, values, validity)
