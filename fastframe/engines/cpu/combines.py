"""How the states of each aggregation over parts of the rows become one, in row order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import Kind
from fastframe.engines.cpu.accumulate import Codes, merge
from fastframe.engines.cpu.requests import Operation
from fastframe.engines.cpu.take import take
from fastframe.engines.cpu.updates import Fields, Operands, fields_of, first_rows, only_true
from fastframe.ops.aggregations import AggregationCall


class StateLike(Protocol):
    """See `fastframe.engines.cpu.partials.State`."""

    @property
    def columns(self) -> Mapping[str, Column]: ...
    @property
    def n_groups(self) -> int: ...
    @property
    def n_rows(self) -> int: ...


States = Sequence[StateLike]
Combine = Callable[[AggregationCall, States], Fields]


def _concatenated(states: States, name: str) -> Column:
    """A field of several states, one after the other."""
    columns = [state.columns[name] for state in states]
    arrays = [column.array for column in columns]
    if len({array.type for array in arrays}) > 1:   # text with offsets of both widths, or plain and encoded
        widest = pa.large_binary() if columns[0].dtype.kind is Kind.BINARY else pa.large_string()
        arrays = [array.cast(widest) for array in arrays]
    joined = pa.concat_arrays(arrays)
    return Column(joined, columns[0].dtype if isinstance(joined, pa.DictionaryArray) else None)


def _tiled(states: States) -> Codes:
    """Group codes of the rows of concatenated states."""
    return np.tile(np.arange(states[0].n_groups, dtype=np.uint32), len(states))


def _merged(call: AggregationCall, states: States) -> Fields:
    """Counts, totals, products and moments: one kernel over the fields."""
    names = tuple(name for name in states[0].columns if name != "missing")
    return dict(zip(names, merge(names, [[state.columns[name] for name in names] for state in states]), strict=True))


def _again(call: AggregationCall, states: States) -> Fields:
    """Extremes of extremes, truths of truths."""
    given = Operands(_concatenated(states, "value"), None, True)
    return fields_of(call, given, _tiled(states), states[0].n_groups, missing=False)[0]


def _seen(operation: Operation) -> Combine:
    """The value of the first (or last) state that saw one."""

    def combine(call: AggregationCall, states: States) -> Fields:
        seen = only_true(_concatenated(states, "seen").array)
        rows = first_rows(operation, seen, _tiled(states), states[0].n_groups)
        return {"value": take(_concatenated(states, "value"), rows, missing=True), "seen": Column(pa.array(rows >= 0))}

    return combine


def _extreme_row(call: AggregationCall, states: States) -> Fields:
    """The row of the first state that holds the extreme, counted from the first row of all."""
    starts = np.cumsum([0, *(state.n_rows for state in states[:-1])])
    local = [np.asarray(state.columns["row"].array.fill_null(-1)) for state in states]
    rows = np.concatenate([one + start for one, start in zip(local, starts, strict=True)])
    fields = _again(call, states)   # its rows are entries of the concatenated states
    entry = np.asarray(fields["row"].array.fill_null(-1))
    return {"value": fields["value"], "row": Column(pa.array(rows[entry] if len(rows) else entry, mask=entry < 0))}


def _concatenate(call: AggregationCall, states: States) -> Fields:
    return {name: _concatenated(states, name) for name in ("value", "code")}


COMBINES: Mapping[str, Combine] = {
    "add": _merged,
    "multiply": _merged,
    "moments": _merged,
    "min": _again,
    "max": _again,
    "any": _again,
    "all": _again,
    "first": _seen(Operation.FIRST),
    "last": _seen(Operation.LAST),
    "idxmin": _extreme_row,
    "idxmax": _extreme_row,
    "concatenate": _concatenate,
}  # fmt: skip
