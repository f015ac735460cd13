"""Handlers of aggregations: by group, and of all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastframe.column import Column, Table
from fastframe.engines.cpu.accumulate import Codes
from fastframe.engines.cpu.aggregate import aggregate_codes, wanted_of
from fastframe.engines.cpu.group_keys import key_columns
from fastframe.engines.cpu.keys import group_rows
from fastframe.ops.groups import GroupBy, Output, Reduce

Aggregate = Callable[[Sequence[Output], Table, "Codes | None", int, bool], list[Column]]


def group_by(spec: GroupBy, table: Table) -> Table:
    return grouped(spec, table, aggregated)


def reduce(spec: Reduce, table: Table) -> Table:
    return reduced(spec, table, aggregated)


def grouped(spec: GroupBy, table: Table, aggregate: Aggregate) -> Table:
    """One row per group; ``aggregate`` gives the columns of the outputs."""
    keys = [table.columns[key] for key in spec.keys]
    groups = group_rows(keys, dropna=spec.dropna, sort=spec.sort)
    out = dict(zip(spec.keys, key_columns(keys, groups)))
    groups.words = None   # written out: given back, unless they are kept
    for output, column in zip(spec.outputs, aggregate(spec.outputs, table, groups.codes, groups.n_groups, groups.filled)):
        out[output.name] = column
    return Table.of(out, groups.n_groups)


def reduced(spec: Reduce, table: Table, aggregate: Aggregate) -> Table:
    """One row; ``aggregate`` gives the columns of the outputs."""
    found = aggregate(spec.outputs, table, None, 1, table.n_rows > 0)
    return Table.of({output.name: column for output, column in zip(spec.outputs, found)}, 1)


def aggregated(outputs: Sequence[Output], table: Table, codes: Codes | None, n_groups: int, filled: bool) -> list[Column]:
    """The columns of the outputs, whatever they ask."""
    return aggregate_codes([wanted_of(output, table) for output in outputs], codes, n_groups, filled=filled)
