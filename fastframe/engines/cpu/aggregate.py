"""Aggregates by group: all of them in one pass over the rows where they allow it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.table import Table
from fastframe.dtypes import NULL, DType
from fastframe.engines.cpu.accumulate import Overflow, accumulate_all
from fastframe.engines.cpu.finish import FINISHERS, nulled, result_of
from fastframe.engines.cpu.partials import State, finalize, update
from fastframe.engines.cpu.requests import Request, Result
from fastframe.engines.cpu.row_codes import Codes
from fastframe.engines.cpu.updates import ASKS, Ask, Operands, missing_request
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import Output

if TYPE_CHECKING:
    from fastframe.engines.cpu.groups import Groups


class Wanted(NamedTuple):
    """An aggregation of a column (None only where the call needs none), or of two."""

    call: AggregationCall
    column: Column | None
    other: Column | None = None


def wanted_of(output: Output, table: Table) -> Wanted:
    """What an output of a spec asks of the table's columns."""
    assert isinstance(output.call, AggregationCall)
    column = table[output.column] if output.column is not None else None
    return Wanted(output.named_call, column, table[output.other] if output.other is not None else None)


def aggregate(column: Column | None, call: AggregationCall, groups: Groups, *, other: Column | None = None) -> Column:
    """One row per group, in group order.

    Parameters
    ----------
    column : Column or None
        None only where the call needs no column (``size``).
    call : AggregationCall
    groups : Groups
    other : Column or None
        The second column of an aggregation of two (``corr``).

    Raises
    ------
    DTypeError
        Where the aggregation has no meaning for the column's dtype.
    IntegerOverflow
        Where an exact total does not fit; names the column (option ``name``) and the total.
    """
    return aggregate_all([Wanted(call, column, other)], groups)[0]


def aggregate_all(wanted: Sequence[Wanted], groups: Groups) -> list[Column]:
    """`aggregate` for several, in one pass over the rows."""
    return aggregate_codes(wanted, groups.codes, groups.n_groups, filled=groups.filled)


def aggregate_codes(wanted: Sequence[Wanted], codes: Codes | None, n_groups: int, *, filled: bool) -> list[Column]:
    """`aggregate_all` by codes; None: all rows are of one group."""
    together = _gathered(wanted, codes, n_groups)
    if together:
        rest = iter(aggregate_codes([one for at, one in enumerate(wanted) if at not in together], codes, n_groups, filled=filled))
        return [together[at] if at in together else next(rest) for at in range(len(wanted))]
    shared = [asked_of(one, codes, n_groups) for one in wanted]
    requests = [request for one in shared if one is not None for request in one.requests]
    try:
        found = iter(accumulate_all(requests, codes, n_groups, filled=filled))
    except Overflow:   # the states tell which does not fit, and its exact total
        return [_apart(one, codes, n_groups) for one in wanted]
    return [_apart(one, codes, n_groups) if part is None else part.finish([next(found) for _ in part.requests])
            for one, part in zip(wanted, shared, strict=True)]  # fmt: skip


def _gathered(wanted: Sequence[Wanted], codes: Codes | None, n_groups: int) -> dict[int, Column]:
    """Results, by place in ``wanted``, that need all values of a group together: one scatter for those of one column.

    Where missing values matter, too, an aggregation goes by way of its state.
    """
    of_column: dict[int, list[int]] = {}
    for at, one in enumerate(wanted):
        if one.call.aggregation.needs_all_values and not one.call.poisons and one.call.options.get("dropna") is not False:
            one.call.resolve(one.column.dtype if one.column is not None else None, one.call.options["name"])
            of_column.setdefault(id(one.column), []).append(at)
    found: dict[int, Column] = {}
    if not of_column:
        return found
    from fastframe.engines.cpu.gathered import gathered  # what most group-bys do without is imported when first used

    for places in of_column.values():
        column = wanted[places[0]].column
        assert column is not None
        found |= zip(places, gathered(column, [wanted[at].call for at in places], codes, n_groups), strict=True)
    return found


def _apart(one: Wanted, codes: Codes | None, n_groups: int) -> Column:
    """An aggregation on its own, by way of its state."""
    state = update(one.call, one.column, codes, n_groups, other=one.other)
    return finalize(one.call, state, one.column.dtype if one.column is not None else NULL)


class Shared(NamedTuple):
    """An aggregation that takes part in a pass: its requests, and how their results become its own."""

    call: AggregationCall
    ask: Ask
    requests: list[Request]
    n_groups: int
    finished: bool   # by a kernel

    def finish(self, found: list[list[Column]]) -> Column:
        if self.finished:
            return found[0][0]
        state = State(self.ask.fields(found[0]), self.n_groups, 0)
        result = FINISHERS[self.call.aggregation.finalize](self.call, state, self.ask.request.column.dtype)
        return nulled(result, np.asarray(found[1][0].array) > 0) if self.call.poisons else result


def asked_of(one: Wanted, codes: Codes | None, n_groups: int) -> Shared | None:
    """None where the aggregation needs more than one pass, or all values of a group together."""
    call, column = one.call, one.column
    if call.aggregation.update not in ASKS:
        call.resolve(column.dtype if column is not None else None, call.options["name"])
        return None
    if column is None:
        assert codes is not None
        call.resolve(None)
        column = Column(pa.nulls(len(codes)))
    result = _known_result(call, column.dtype)
    ask = ASKS[call.aggregation.update](call, Operands(column, one.other, codes is not None))
    if result is not None:
        ask.request.result = result
        return Shared(call, ask, [ask.request], n_groups, True)
    lacking = [missing_request(column)] if call.poisons else []
    return Shared(call, ask, [ask.request, *lacking], n_groups, False)


@lru_cache(maxsize=256)
def _known_result(call: AggregationCall, dtype: DType) -> Result | None:
    """`result_of`, for an aggregation that has a meaning for the dtype; kept, as the same few are asked for again and again."""
    if call.aggregation.needs_column:
        call.resolve(dtype, call.options["name"])
    return result_of(call, dtype)
