"""Aggregates of a column by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastframe.column.column import Column
from fastframe.dtypes import NULL
from fastframe.engines.cpu.partials import finalize, update
from fastframe.ops.aggregations import AggregationCall

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups


def aggregate(column: Column | None, call: AggregationCall, groups: Groups) -> Column:
    """One row per group, in group order.

    Parameters
    ----------
    column : Column or None
        None only where the call needs no column (``size``).
    call : AggregationCall
    groups : Groups

    Raises
    ------
    DTypeError
        Where the aggregation has no meaning for the column's dtype.
    IntegerOverflow
        Where an exact total does not fit; names the column (option ``name``) and the total.
    """
    state = update(call, column, groups.wide_codes, groups.n_groups)
    return finalize(call, state, column.dtype if column is not None else NULL)
