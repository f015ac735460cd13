"""Handlers of aggregations: by group, and of all rows."""

from __future__ import annotations

from fastframe.column import Table
from fastframe.engines.cpu.aggregate import Wanted, aggregate_all, aggregate_codes
from fastframe.engines.cpu.group_keys import key_columns
from fastframe.engines.cpu.keys import group_rows
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import GroupBy, Output, Reduce


def group_by(spec: GroupBy, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    out = dict(zip(spec.keys, key_columns([table[key] for key in spec.keys], groups), strict=True))
    groups.words = None   # written out: given back, unless they are kept
    found = aggregate_all([wanted(output, table) for output in spec.outputs], groups)
    out |= {output.name: column for output, column in zip(spec.outputs, found, strict=True)}
    return Table(out, groups.n_groups)


def reduce(spec: Reduce, table: Table) -> Table:
    found = aggregate_codes([wanted(output, table) for output in spec.outputs], None, 1, filled=table.n_rows > 0)
    return Table({output.name: column for output, column in zip(spec.outputs, found, strict=True)}, 1)


def wanted(output: Output, table: Table) -> Wanted:
    """What an output asks of the table's columns."""
    assert isinstance(output.call, AggregationCall)
    column = table[output.column] if output.column is not None else None
    return Wanted(output.named_call, column, table[output.other] if output.other is not None else None)
