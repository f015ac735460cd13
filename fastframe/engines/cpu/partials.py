"""Partial states: `update` makes one from rows, `combine` joins those of parts of the rows, `finalize` makes the result.

Threads, partitions and streams are callers of these three; `aggregate` and `reduce` are ``finalize(update(...))``. A state
is a set of columns with one row per group (where all values are needed: one row per value), so it can be sent, stored
and concatenated like any table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import DType
from fastframe.engines.cpu.accumulate import merge
from fastframe.engines.cpu.combines import COMBINES
from fastframe.engines.cpu.finish import FINISHERS, nulled
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.updates import Operands, fields_of
from fastframe.ops.aggregations import AggregationCall
from fastframe.records import record

MISSING = "missing"   # field of a state: missing values of each group, where they matter
_TOO_FEW = -(2**62)


@record(frozen=True)
class State:
    """What the rows seen so far are to an aggregation.

    Attributes
    ----------
    columns : mapping of str to Column
        The fields of the aggregation's row in `AGGREGATIONS` (a total of decimals is in two, ``high`` and ``low``), and
        ``missing`` where missing values matter.
    n_groups : int
    n_rows : int
        Rows seen.
    """

    columns: Mapping[str, Column]
    n_groups: int
    n_rows: int


def update(call: AggregationCall, column: Column | None, codes: Codes | None, n_groups: int, *, other: Column | None = None) -> State:
    """The state of each group over the rows of a column.

    Parameters
    ----------
    call : AggregationCall
    column : Column or None
        None only where the call needs no column.
    codes : numpy.ndarray of uint8, uint16 or uint32, or None
        Group of each row, all bits set where it is in none; None: all rows are of group 0.
    n_groups : int
    other : Column or None
        The second column of an aggregation of two.

    Raises
    ------
    DTypeError
        Where the aggregation has no meaning for the column's dtype.
    """
    call.resolve(column.dtype if column is not None else None, call.options["name"])
    if column is None:
        assert codes is not None
        column = Column(pa.nulls(len(codes)))
    given = Operands(column, other, codes is not None)
    fields, missing = fields_of(call, given, codes, n_groups, missing=_counts_missing(call))
    if missing is not None:
        fields[MISSING] = missing
    return State(fields, n_groups, len(column))


def combine(call: AggregationCall, states: Sequence[State]) -> State:
    """One state from those of parts of the rows, in row order; all over the same groups, at least one."""
    if len(states) == 1:
        return states[0]
    fields = COMBINES[call.aggregation.combine](call, states)
    if _counts_missing(call):
        (fields[MISSING],) = merge(("n",), [[state.columns[MISSING]] for state in states])
    return State(fields, states[0].n_groups, sum(state.n_rows for state in states))


def finalize(call: AggregationCall, state: State, dtype: DType) -> Column:
    """The result of each group, from its state over a column of dtype ``dtype``.

    Raises
    ------
    IntegerOverflow
        Where an exact total does not fit the result's dtype; names the column (option ``name``) and the total.
    """
    finish = FINISHERS[call.aggregation.finalize]
    if not call.poisons:
        return finish(call, state, dtype)
    poisoned = np.asarray(state.columns[MISSING].array) > 0
    if "n" in state.columns:   # as if there were too few values: null, and no overflow
        n = np.where(poisoned, _TOO_FEW, np.asarray(state.columns["n"].array))
        return finish(call, replace(state, columns={**state.columns, "n": Column(pa.array(n))}), dtype)
    return nulled(finish(call, state, dtype), poisoned)


def _counts_missing(call: AggregationCall) -> bool:
    return call.poisons or call.options.get("dropna") is False
