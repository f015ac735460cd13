"""Aggregates of a column by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import NULL, UINT32
from fastframe.engines.cpu.partials import finalize, update
from fastframe.engines.cpu.sort import sort_rows
from fastframe.ops.aggregations import AggregationCall

if TYPE_CHECKING:
    from fastframe.engines.cpu.keys import Groups


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
    state = update(call, column, groups.codes, groups.n_groups)
    return finalize(call, state, column.dtype if column is not None else NULL)


def top_k(column: Column, groups: Groups, k: int, *, largest: bool = True) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Rows of the ``k`` largest (or smallest) values of each group.

    Groups come in their order, values best first, equal values in row order; missing values and rows outside any group
    are left out, and a group with fewer values gives those it has. Costs a sort by group and value.
    """
    codes = Column(pa.Array.from_buffers(pa.uint32(), len(column), [None, pa.py_buffer(groups.codes)]), UINT32)
    rows = sort_rows([codes, column], descending=[False, largest])
    sizes, counts = (np.asarray(aggregate(column, AggregationCall(name), groups).array) for name in ("size", "count"))
    kept = np.minimum(counts, max(k, 0))
    first_of_group, first_kept = np.cumsum(sizes) - sizes, np.cumsum(kept) - kept
    places = np.repeat(first_of_group - first_kept, kept) + np.arange(kept.sum())
    return np.ascontiguousarray(rows[places], dtype=np.int32)
