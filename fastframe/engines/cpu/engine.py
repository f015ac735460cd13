"""The engine of this machine's cores: one handler per spec, each a few phases of kernels.

A plan is imported when it first runs: all of them take 38 ms, more than a group-by of 1e7 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._threads import record
from fastframe.column import Column, Table
from fastframe.column.range import RangeColumn
from fastframe.engines.base import Handler, handler_of
from fastframe.errors import OutOfMemory
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.base import Spec
from fastframe.ops.concat import Concat
from fastframe.ops.groups import GroupBy, Output, Reduce, TopK, Window
from fastframe.ops.join import Join
from fastframe.ops.project import Project, Put
from fastframe.ops.rows import Filter, Sort, Take

if TYPE_CHECKING:
    from fastframe.engines.cpu.aggregate import Wanted, aggregate_all, aggregate_codes
    from fastframe.engines.cpu.cast import cast
    from fastframe.engines.cpu.evaluate import evaluate
    from fastframe.engines.cpu.explain import explain_groups
    from fastframe.engines.cpu.group_keys import key_columns
    from fastframe.engines.cpu.groups import Groups
    from fastframe.engines.cpu.join_table import join_tables
    from fastframe.engines.cpu.keys import group_rows
    from fastframe.engines.cpu.select import concat_tables, filter_column, filter_plan, mask_rows, put, take
    from fastframe.engines.cpu.sort_table import sorted_table
    from fastframe.engines.cpu.spread import spread, spread_codes
    from fastframe.engines.cpu.topk import top_k
    from fastframe.engines.cpu.window import window
    from fastframe.engines.recorded import recorded

_PLANS = {
    "cpu.aggregate": ("Wanted", "aggregate_all", "aggregate_codes"),
    "cpu.cast": ("cast",),
    "cpu.evaluate": ("evaluate",),
    "cpu.explain": ("explain_groups",),
    "cpu.group_keys": ("key_columns",),
    "cpu.join_table": ("join_tables",),
    "cpu.keys": ("group_rows",),
    "cpu.select": ("concat_tables", "filter_column", "filter_plan", "mask_rows", "put", "take"),
    "cpu.sort_table": ("sorted_table",),
    "cpu.spread": ("spread", "spread_codes"),
    "cpu.topk": ("top_k",),
    "cpu.window": ("window",),
    "recorded": ("recorded",),
}


def _late(module: str, name: str) -> Callable[..., Any]:
    """A function whose module is imported when it is first called."""
    function: Callable[..., Any] | None = None

    def call(*args: Any, **named: Any) -> Any:
        nonlocal function
        if function is None:
            function = getattr(import_module(f"fastframe.engines.{module}"), name)
        return function(*args, **named)

    return call


globals().update({name: _late(module, name) for module, names in _PLANS.items() for name in names})


def take_any(column: Column, rows: np.ndarray, *, missing: bool = False) -> Column:
    """Rows of a column; default labels stay a selection of their range until somebody looks."""
    if isinstance(column, RangeColumn) and not missing:
        return column.take(rows)
    return take(column, rows, missing=missing)


def take_rows(table: Table, rows: np.ndarray, *, missing: bool = False) -> Table:
    """`take_any` of every column."""
    return Table({name: take_any(column, rows, missing=missing) for name, column in table.columns.items()}, len(rows))


def _project(spec: Project, table: Table) -> Table:
    computed = {name: evaluate(expression, table) for name, expression in spec.outputs}
    if spec.keep:
        return table.with_columns(computed)
    return Table.of(computed, table.n_rows)


def _put(spec: Put, table: Table, updates: Table) -> Table:
    target = table[spec.column]
    rows = updates["row"].array.to_numpy()
    return table.with_columns({spec.column: put(target, rows, cast(updates["value"], target.dtype))})


def _filter(spec: Filter, table: Table) -> Table:
    mask = evaluate(spec.predicate, table)
    plan = filter_plan(mask)
    kept = {name: column for name, column in table.columns.items() if name not in spec.drop}
    if plan.n_selected == table.n_rows:
        return Table(kept, table.n_rows)
    out = {}
    for name, column in kept.items():
        out[name] = column.take(mask_rows(mask)) if isinstance(column, RangeColumn) else filter_column(column, plan)
    return Table(out, plan.n_selected)


def _take(spec: Take, table: Table, rows: Table | None = None) -> Table:
    if rows is not None:
        (numbers,) = rows.columns.values()
        return take_rows(table, numbers.array.to_numpy(), missing=spec.missing)
    chosen = range(spec.start, spec.stop, spec.step)
    if spec.step == 1:
        return table.slice(spec.start, len(chosen))
    return take_rows(table, np.arange(spec.start, spec.stop, spec.step, dtype=np.int32))


def _sort(spec: Sort, table: Table) -> Table:
    return sorted_table(table, spec.by, descending=spec.descending, nulls_first=spec.nulls_first, limit=spec.limit)


def _group_by(spec: GroupBy, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    out = dict(zip(spec.keys, key_columns([table[key] for key in spec.keys], groups), strict=True))
    found = aggregate_all([_wanted(output, table) for output in spec.outputs], groups)
    out |= {output.name: column for output, column in zip(spec.outputs, found, strict=True)}
    return Table(out, groups.n_groups)


def _wanted(output: Output, table: Table) -> Wanted:
    assert isinstance(output.call, AggregationCall)
    column = table[output.column] if output.column is not None else None
    return Wanted(output.named_call, column, table[output.other] if output.other is not None else None)


def _window(spec: Window, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort) if spec.keys else None
    aggregates = [output for output in spec.outputs if isinstance(output.call, AggregationCall)]
    found = iter(_spread_aggregates([_wanted(output, table) for output in aggregates], groups, table.n_rows))
    out = {}
    for output in spec.outputs:
        column = table[output.column] if output.column is not None else None
        out[output.name] = next(found) if isinstance(output.call, AggregationCall) else window(column, output.named_call, groups)
    return Table(out, table.n_rows)


def _spread_aggregates(wanted: list[Wanted], groups: Groups | None, n_rows: int) -> list[Column]:
    """Every row gets its group's aggregates."""
    if groups is not None:
        return [spread_codes(column, groups) for column in aggregate_all(wanted, groups)]
    return [spread(column, np.zeros(n_rows, np.int32), missing=False) for column in aggregate_codes(wanted, None, 1, filled=n_rows > 0)]


def _reduce(spec: Reduce, table: Table) -> Table:
    found = aggregate_codes([_wanted(output, table) for output in spec.outputs], None, 1, filled=table.n_rows > 0)
    return Table({output.name: column for output, column in zip(spec.outputs, found, strict=True)}, 1)


def _top_k(spec: TopK, table: Table) -> Table:
    groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    return take_rows(table, top_k(table[spec.column], groups, spec.k, largest=spec.largest))


def _join(spec: Join, left: Table, right: Table) -> Table:
    return join_tables(spec, left, right)


def _concat(spec: Concat, *tables: Table) -> Table:
    schema = spec.resolve(*(table.schema for table in tables))
    return concat_tables(tables, schema)


class CpuEngine:
    """Runs every spec on this machine's cores."""

    name = "cpu"
    handlers: Mapping[type[Spec], Handler] = {
        Project: _project,
        Put: _put,
        Filter: _filter,
        Take: _take,
        Sort: _sort,
        GroupBy: _group_by,
        Window: _window,
        Reduce: _reduce,
        TopK: _top_k,
        Join: _join,
        Concat: _concat,
    }
    not_supported: Mapping[type[Spec], str] = {}

    def execute(self, spec: Spec, *tables: Table) -> Table:
        handler = self.handlers.get(type(spec)) or handler_of(self, spec)
        try:
            if record.n_profiles:
                return recorded(handler, spec, tables)
            result: Table = handler(spec, *tables)
        except MemoryError as error:   # of any step, ours, NumPy's or Arrow's
            raise OutOfMemory.within(type(spec).__name__.lower(), error) from None
        return result


    def explain(self, spec: GroupBy, table: Table, names: Sequence[str]) -> str:
        """How the groups of a spec, whose keys users call ``names``, would be found."""
        return explain_groups(spec, table, names)


ENGINE = CpuEngine()
