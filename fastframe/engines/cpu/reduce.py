"""Aggregates of a whole column."""

from __future__ import annotations

from fastframe.column.column import Column
from fastframe.engines.cpu.aggregate import Wanted, aggregate_codes
from fastframe.ops.aggregations import AggregationCall


def reduce(column: Column, call: AggregationCall) -> Column:
    """One row: the aggregate of all rows.

    Raises
    ------
    DTypeError
        Where the aggregation has no meaning for the column's dtype.
    IntegerOverflow
        Where an exact total does not fit; names the column (option ``name``) and the total.
    """
    return aggregate_codes([Wanted(call, column)], None, 1, filled=False)[0]
