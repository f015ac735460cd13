"""Handlers of specs about the rows of one table."""

from __future__ import annotations

import numpy as np

from fastframe.column import Table
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.evaluate import evaluate_all
from fastframe.engines.cpu.select import filter_columns, filter_plan, put, take_table
from fastframe.engines.cpu.sort_table import sorted_table
from fastframe.ops.project import Project, Put
from fastframe.ops.rows import Filter, Sort, Take


def project(spec: Project, table: Table) -> Table:
    computed = evaluate_all(spec.outputs, table)
    if spec.keep:
        return table.with_columns(computed)
    return Table.of(computed, table.n_rows)


def put_values(spec: Put, table: Table, updates: Table) -> Table:
    target = table[spec.column]
    rows = updates["row"].array.to_numpy()
    return table.with_columns({spec.column: put(target, rows, cast(updates["value"], target.dtype))})


def filter_rows(spec: Filter, table: Table) -> Table:
    (mask,) = evaluate_all((("", spec.predicate),), table).values()
    plan = filter_plan(mask)
    kept = {name: column for name, column in table.columns.items() if name not in spec.drop} if spec.drop else table.columns
    return Table.of(filter_columns(kept, plan), plan.n_selected)


def take_rows(spec: Take, table: Table, rows: Table | None = None) -> Table:
    if rows is not None:
        (numbers,) = rows.columns.values()
        return take_table(table, numbers.array.to_numpy(), missing=spec.missing)
    chosen = range(spec.start, spec.stop, spec.step)
    if spec.step == 1:
        return table.slice(spec.start, len(chosen))
    return take_table(table, np.arange(spec.start, spec.stop, spec.step, dtype=np.int32))


def sort(spec: Sort, table: Table) -> Table:
    return sorted_table(table, spec.by, descending=spec.descending, nulls_first=spec.nulls_first, limit=spec.limit)
