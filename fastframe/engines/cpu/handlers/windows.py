"""Handlers of specs whose results have a row per row of a group: window functions, largest values."""

from __future__ import annotations

import numpy as np

from fastframe.column import Column, Table
from fastframe.dtypes import Kind
from fastframe.engines.cpu.aggregate import Wanted, aggregate_all, aggregate_codes, wanted_of
from fastframe.engines.cpu.decay import decayed
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.rolling import rolling
from fastframe.engines.cpu.select import take_table
from fastframe.engines.cpu.spread import spread, spread_codes
from fastframe.engines.cpu.topk import top_k
from fastframe.engines.cpu.window import window
from fastframe.engines.cpu.window_bounds import Positions, bounds_of, carried_along, positions_of
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.decay import Decay
from fastframe.ops.groups import TopK, Window
from fastframe.ops.rolling import Span


def window_functions(spec: Window, table: Table) -> Table:
    keys = [table[key] for key in spec.keys]
    if spec.span is not None:
        return _windows_of_rows(spec, spec.span, table, positions_of(keys, table.n_rows, dropna=spec.dropna, sort=spec.sort))
    groups = group_rows(keys, dropna=spec.dropna, sort=spec.sort) if keys else None
    aggregates = [output for output in spec.outputs if isinstance(output.call, AggregationCall)]
    grouped = not spec.dropna or not any(_may_lack(key) for key in keys)
    found = iter(_spread_aggregates([wanted_of(output, table) for output in aggregates], groups, table.n_rows, grouped=grouped))
    out = {}
    for output in spec.outputs:
        column = table[output.column] if output.column is not None else None
        out[output.name] = next(found) if isinstance(output.call, AggregationCall) else window(column, output.named_call, groups)
    return Table(out, table.n_rows)


def _windows_of_rows(spec: Window, span: Span | Decay, table: Table, positions: Positions) -> Table:
    """Rolling and expanding windows: results by group, beside the columns that are carried along."""
    out = carried_along(table, spec.carried, positions)
    times = table[span.on] if span.on is not None else None
    bounds = bounds_of(span, positions, times) if isinstance(span, Span) else None
    for output in spec.outputs:
        assert output.column is not None
        columns = table[output.column], table[output.other] if output.other is not None else None
        if isinstance(span, Decay):
            out[output.name] = decayed(columns, output.named_call, span, positions, times)
        else:
            assert bounds is not None
            out[output.name] = rolling(columns, output.named_call, span, bounds)
    return Table.of(out, positions.n_positions)


def largest_of_groups(spec: TopK, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    return take_table(table, top_k(table[spec.column], groups, spec.k, largest=spec.largest))


def _may_lack(key: Column) -> bool:
    """Whether a row may be without this key; NaN is not looked for."""
    return key.null_count > 0 or key.dtype.kind is Kind.FLOAT


def _spread_aggregates(asked: list[Wanted], groups: Groups | None, n_rows: int, *, grouped: bool) -> list[Column]:
    """Every row gets its group's aggregates; ``grouped``: every row has a group."""
    if groups is not None:
        return [spread_codes(column, groups, grouped=grouped) for column in aggregate_all(asked, groups)]
    return [spread(column, np.zeros(n_rows, np.int32), missing=False) for column in aggregate_codes(asked, None, 1, filled=n_rows > 0)]
