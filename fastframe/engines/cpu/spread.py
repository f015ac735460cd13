"""Take where rows of the source repeat: joins from a small table, group results to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastframe.column.column import Column
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


def spread_codes(column: Column, groups: Groups) -> Column:
    """The values of groups at each row's group; null where the row is in none."""
    return spread(column, groups.wide_codes.view(np.int32), missing=True)
