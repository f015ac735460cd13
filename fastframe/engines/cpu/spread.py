"""Take where rows of the source repeat: joins from a small table, group results to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastframe.column.column import Column, column_from_buffers
from fastframe.column.later import LaterColumn
from fastframe.engines.cpu.forms import Form, form_of
from fastframe.engines.cpu.group_values import GroupValues
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.take import by_codes, take

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups

_REPEATS = 2   # taken rows per source row from which a dictionary costs less than bytes written out again and again


def spread(column: Column, rows: np.ndarray, *, missing: bool) -> Column:
    """`take`, but text that many rows share comes dictionary-encoded: four bytes a row instead of each value's bytes."""
    return take(worth_encoding(column, len(rows)), rows, missing=missing)


def worth_encoding(column: Column, n_rows: int) -> Column:
    """Plain text encoded where ``n_rows`` rows taken from it share values (or where it has been encoded before)."""
    if column.dtype.is_text and not column.is_encoded and n_rows >= _REPEATS * len(column) > 0:
        return encode_text(column)
    return by_codes(column)


def spread_codes(column: Column, groups: Groups, *, grouped: bool = False) -> Column:
    """The values of groups at each row's group; null where the row is in none.

    Where it is known that every row is in a group (``grouped``), large results are written when somebody looks at them.
    """
    view = column.view if form_of(column) is Form.FIXED else None
    if view is None or (view.validity and view.bit_offset):
        return spread(column, groups.wide_codes.view(np.int32), missing=True)
    of_rows = GroupValues(column, groups.codes, groups.n_groups)
    if grouped and of_rows.pays_later:
        return LaterColumn(column.dtype, len(groups.codes), of_rows)
    return column_from_buffers(column.dtype, len(groups.codes), *of_rows.written())
