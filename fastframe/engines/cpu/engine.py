"""The engine of this machine's cores: one handler per spec, each a few phases of kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from fastframe._collector import paused
from fastframe._threads import record
from fastframe.column import Table
from fastframe.engines.base import Handler, handler_of
from fastframe.errors import OutOfMemory
from fastframe.ops.apply import Apply, WindowApply
from fastframe.ops.base import Schema, Spec
from fastframe.ops.concat import Concat
from fastframe.ops.groups import GroupBy, Reduce, TopK, Window
from fastframe.ops.join import Join
from fastframe.ops.project import Project, Put
from fastframe.ops.rows import Filter, Sort, Take


class Late:
    """A handler whose module is imported when it first runs: a fresh process that groups does not wait for joins."""

    __slots__ = ("_module", "_name", "_function")

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self._function: Handler | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self._function is None:
            with paused():
                self._function = getattr(import_module(f"fastframe.engines.cpu.handlers.{self._module}"), self._name)
        return self._function(*arguments)


def _carried_out(handler: Handler, spec: Spec, *tables: Table) -> Table:
    try:
        if record.n_profiles:
            from fastframe.engines.recorded import recorded

            return recorded(handler, spec, tables)
        result: Table = handler(spec, *tables)
    except MemoryError as error:   # of any step, ours, NumPy's or Arrow's
        raise OutOfMemory.within(type(spec).__name__.lower(), error) from None
    return result


class CpuEngine:
    """Runs every spec on this machine's cores."""

    name = "cpu"
    handlers: Mapping[type[Spec], Handler] = {
        Project: Late("rows", "project"),
        Put: Late("rows", "put_values"),
        Filter: Late("rows", "filter_rows"),
        Take: Late("rows", "take_rows"),
        Sort: Late("sorting", "sort"),
        GroupBy: Late("groups", "group_by"),
        Window: Late("windows", "window_functions"),
        Reduce: Late("groups", "reduce"),
        TopK: Late("windows", "largest_of_groups"),
        Apply: Late("functions", "apply_function"),
        WindowApply: Late("functions", "apply_windows"),
        Join: Late("tables", "join"),
        Concat: Late("tables", "concat"),
    }
    preparers: Mapping[type[Spec], Handler] = {   # (spec, schema) -> what gives the result for a table, or None
        Project: Late("prepared_rows", "project"),
        GroupBy: Late("prepared_groups", "group_by"),
        Reduce: Late("prepared_groups", "reduce"),
    }
    not_supported: Mapping[type[Spec], str] = {}

    def execute(self, spec: Spec, *tables: Table) -> Table:
        return _carried_out(self.handlers.get(type(spec)) or handler_of(self, spec), spec, *tables)

    def prepare(self, spec: Spec, schema: Schema) -> Callable[[Table], Table]:
        make = self.preparers.get(type(spec))
        ready = make(spec, schema) if make is not None else None
        handler = handler_of(self, spec) if ready is None else lambda spec, table: ready(table)
        return lambda table: _carried_out(handler, spec, table)

    def explain(self, spec: GroupBy, table: Table, names: Sequence[str]) -> str:
        """How the groups of a spec, whose keys users call ``names``, would be found."""
        from fastframe.engines.cpu.explain import explain_groups

        return explain_groups(spec, table, names)


ENGINE = CpuEngine()
