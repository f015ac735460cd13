"""Handlers of specs about the rows of one table."""

from __future__ import annotations

import numpy as np

from fastframe.column import Column, Table
from fastframe.dtypes import Kind
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.evaluate import FUSED_ROWS, evaluate_all, mapped_results
from fastframe.engines.cpu.select import filter_columns, filter_plan, put, take_table
from fastframe.ops.expressions import Expression
from fastframe.ops.mapped import Mapped, RowFunction
from fastframe.ops.project import Project, Put
from fastframe.ops.rows import Filter, Take


def project(spec: Project, table: Table) -> Table:
    if spec.deferred and table.n_rows >= FUSED_ROWS:
        from fastframe.engines.cpu.deferred import deferred_columns  # what most projections do without is imported when first used

        return Table.of(deferred_columns(spec.outputs, table), table.n_rows)
    several = {expression for _, expression in spec.outputs if isinstance(expression, Mapped) and expression.place}
    computed = _with_several(spec, table) if several else evaluate_all(spec.outputs, table)
    if spec.keep:
        return table.with_columns(computed)
    return Table.of(computed, table.n_rows)


def _with_several(spec: Project, table: Table) -> dict[str, Column]:
    """The outputs, where some are results of one user's function: it is called once for all of them."""
    spec.resolve(table.schema)
    computed = evaluate_all([(name, one) for name, one in spec.outputs if not isinstance(one, Mapped)], table)
    called: dict[tuple[RowFunction, tuple[Expression, ...]], list[Column]] = {}
    for name, expression in spec.outputs:
        if not isinstance(expression, Mapped):
            continue
        key = (expression.call, expression.args)
        if key not in called:
            called[key] = mapped_results(expression, table)
        computed[name] = called[key][expression.place]
    return {name: computed[name] for name, _ in spec.outputs}


def put_values(spec: Put, table: Table, rows: Table, values: Table) -> Table:
    target, given = table[spec.column], rows["row"]
    at = given if given.dtype.kind is Kind.BOOL else given.array.to_numpy()
    return table.with_columns({spec.column: put(target, at, cast(values["value"], target.dtype))})


def filter_rows(spec: Filter, table: Table, given: Table | None = None) -> Table:
    (mask,) = evaluate_all((("", spec.predicate),), table if given is None else given).values()
    plan = filter_plan(mask)
    return Table.of(filter_columns(table.columns, plan), plan.n_selected)


def take_rows(spec: Take, table: Table, rows: Table | None = None) -> Table:
    if rows is not None:
        (numbers,) = rows.columns.values()
        return take_table(table, numbers.array.to_numpy(), missing=spec.missing)
    chosen = range(spec.start, spec.stop, spec.step)
    if spec.step == 1:
        return table.slice(spec.start, len(chosen))
    return take_table(table, np.arange(spec.start, spec.stop, spec.step, dtype=np.int32))
