"""Handlers of specs about groups of rows."""

from __future__ import annotations

import numpy as np

from fastframe.column import Column, Table
from fastframe.engines.cpu.aggregate import Wanted, aggregate_all, aggregate_codes
from fastframe.engines.cpu.group_keys import key_columns
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.select import take_table
from fastframe.engines.cpu.spread import spread, spread_codes
from fastframe.engines.cpu.topk import top_k
from fastframe.engines.cpu.window import window
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import GroupBy, Output, Reduce, TopK, Window


def group_by(spec: GroupBy, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    out = dict(zip(spec.keys, key_columns([table[key] for key in spec.keys], groups), strict=True))
    found = aggregate_all([_wanted(output, table) for output in spec.outputs], groups)
    out |= {output.name: column for output, column in zip(spec.outputs, found, strict=True)}
    return Table(out, groups.n_groups)


def window_functions(spec: Window, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort) if spec.keys else None
    aggregates = [output for output in spec.outputs if isinstance(output.call, AggregationCall)]
    found = iter(_spread_aggregates([_wanted(output, table) for output in aggregates], groups, table.n_rows))
    out = {}
    for output in spec.outputs:
        column = table[output.column] if output.column is not None else None
        out[output.name] = next(found) if isinstance(output.call, AggregationCall) else window(column, output.named_call, groups)
    return Table(out, table.n_rows)


def reduce(spec: Reduce, table: Table) -> Table:
    found = aggregate_codes([_wanted(output, table) for output in spec.outputs], None, 1, filled=table.n_rows > 0)
    return Table({output.name: column for output, column in zip(spec.outputs, found, strict=True)}, 1)


def largest_of_groups(spec: TopK, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    return take_table(table, top_k(table[spec.column], groups, spec.k, largest=spec.largest))


def _spread_aggregates(wanted: list[Wanted], groups: Groups | None, n_rows: int) -> list[Column]:
    """Every row gets its group's aggregates."""
    if groups is not None:
        return [spread_codes(column, groups) for column in aggregate_all(wanted, groups)]
    return [spread(column, np.zeros(n_rows, np.int32), missing=False) for column in aggregate_codes(wanted, None, 1, filled=n_rows > 0)]


def _wanted(output: Output, table: Table) -> Wanted:
    assert isinstance(output.call, AggregationCall)
    column = table[output.column] if output.column is not None else None
    return Wanted(output.named_call, column, table[output.other] if output.other is not None else None)
