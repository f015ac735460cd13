"""Take of a table's rows: as records where most rows are taken in an order that no cache can follow, else column by column.

A random row of a column costs a cache miss; as one record, all columns together cost one (`packed_rows`), once they have
been packed. Rows that ascend, or of which few are taken, or whose columns a cache holds, are not worth packing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.range import RangeColumn
from fastframe.column.table import Table
from fastframe.engines.cpu.forms import Form, Rows, form_of
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.packed_rows import packed_rows, record_runs
from fastframe.engines.cpu.take import TakePlan, by_codes, slim, take_planned

PACKED_COLUMNS = 3          # from which packing pays
PACKED_SHARE = 2            # at least a row of so many of the source must be taken: packing reads them all
PACKED_ROWS = 1 << 22       # of the source, from which packing pays: an L3 cache holds 8 bytes of fewer
SAMPLED_ROWS = 1 << 10      # by which an order is judged
NEAR_ROWS = 1 << 10         # a step to a row no farther away hits what was fetched, or what will be
TEXT_SAMPLES = 1 << 12      # by which a column of plain text is judged
REPEATS_PER_VALUE = 8       # of text, from which it is encoded to be moved by its codes
_PACKED = (Form.FIXED, Form.ENCODED)


def take_table(table: Table, rows: Rows, *, missing: bool = False) -> Table:
    """`take` of every column; the rows are checked once.

    Raises
    ------
    OutOfRange
    """
    plan = TakePlan(rows, table.n_rows, missing=missing)
    return Table.of(take_columns(table.columns, plan), plan.n_rows)


def take_columns(columns: Mapping[str, Column], plan: TakePlan) -> dict[str, Column]:
    """`take_planned` of each; default labels stay a selection of their range.

    Notes
    -----
    Where records pay, they take up to twice the bytes of the columns, at most 64 bytes per row of the source at a time.
    """
    columns = dict(columns)
    together = _packed_together(columns, plan)
    taken = _by_records(together, plan) if together else {}
    for name, column in columns.items():
        if name in taken:
            columns[name] = taken[name]
        elif isinstance(column, RangeColumn) and not plan.missing:
            columns[name] = column.take(plan.rows)
        else:
            columns[name] = take_planned(column, plan)
    return columns


def _packed_together(columns: Mapping[str, Column], plan: TakePlan) -> dict[str, Column]:
    """The columns to be taken as records; none where that does not pay."""
    few = plan.n_source < PACKED_ROWS or plan.n_rows * PACKED_SHARE < plan.n_source
    if len(columns) < PACKED_COLUMNS or few or not is_scattered(plan.rows):
        return {}
    moved = {name: movable(column) for name, column in columns.items() if not isinstance(column, RangeColumn)}
    packed = {name: column for name, column in moved.items() if form_of(column) in _PACKED}   # a cache holds the bits of bools
    return packed if len(packed) >= PACKED_COLUMNS else {}


def _by_records(columns: Mapping[str, Column], plan: TakePlan) -> dict[str, Column]:
    taken: list[Column] = []
    for together in record_runs(list(columns.values())):
        (records,) = packed_rows(together)   # one kind at a time: the next takes the memory of the last
        taken += [slim(column) for column in records.gather(plan.rows, missing=plan.missing)]
        del records
    return dict(zip(columns, taken, strict=True))


def is_scattered(rows: Rows) -> bool:
    """Whether most of a sample of steps from one row number to the next lead far away."""
    if len(rows) <= SAMPLED_ROWS:
        return False
    at = np.linspace(0, len(rows) - 2, SAMPLED_ROWS).astype(np.int64)
    steps = np.abs(rows[at + 1].astype(np.int64) - rows[at])
    return bool(2 * np.count_nonzero(steps > NEAR_ROWS) > SAMPLED_ROWS)


def movable(column: Column) -> Column:
    """Text by its codes where values repeat so often that encoding it costs less than its gather at random rows."""
    if form_of(column) is not Form.TEXT or column.known("encoded") is not None:
        return by_codes(column)
    n_rows = len(column)
    sample = column.array.take(pa.array(np.linspace(0, n_rows - 1, min(n_rows, TEXT_SAMPLES)).astype(np.int64)))
    n_distinct = len(sample.unique())
    n_repeats = len(sample) - n_distinct
    # Draws from D values meet about draws^2 / 2 D times while they are few; once most of them meet, D was nearly seen.
    guess = n_distinct if 2 * n_repeats >= len(sample) else len(sample) ** 2 / (2 * n_repeats + 1)
    return encode_text(column) if guess * REPEATS_PER_VALUE <= n_rows else column
