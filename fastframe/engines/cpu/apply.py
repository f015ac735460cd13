"""A user's function by group: rows placed by group, the function called on each group's run, results brought to their rows.

``docs/plans/user_functions_groups.md`` has the measurements behind it. The two ways to call a function, compiled and in
Python, are ``apply_compiled.py`` and ``apply_python.py``: both give `Results`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from fastframe.column import Column, Table, cache
from fastframe.dtypes import DType, Kind
from fastframe.engines.cpu.carried import carried
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.group_keys import key_columns
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.places import Places, lacks_values, placed
from fastframe.engines.cpu.runs import Runs, runs_of
from fastframe.engines.cpu.spread import spread_codes
from fastframe.engines.cpu.take import take
from fastframe.errors import FunctionError
from fastframe.ops.apply import RESULT, Apply, WindowApply
from fastframe.records import record

Array = np.ndarray[Any, Any]


@record(frozen=True)
class Results:
    """What the calls gave: one row per run, or with ``per_row`` one per row of the table.

    ``names`` are those of a tuple's or dict's fields, None for a single result.
    """

    names: tuple[str, ...] | None
    columns: tuple[Column, ...]
    per_row: bool


class Work:
    """The arrays that a function is called on, and how its failures are told."""

    def __init__(self, spec: Apply, table: Table, groups: Groups) -> None:
        self.spec, self.table, self.groups = spec, table, groups
        self.keys = [table[key] for key in spec.keys]
        self.columns = [table[name] for name in spec.call.columns]
        needed = self.columns if spec.call.nulls == "skip" else []
        self._holders = [*self.keys, *[column for column in needed if lacks_values(column)]]
        self._name = (spec.dropna, spec.sort)
        self.places: Places = placed(groups, self.keys, self._name, needed)
        self.runs: Runs = runs_of(self.places)

    def values(self, column: Column) -> Array:
        """`carried`, kept on the column for the next function of the same groups."""
        if not self.places.steps:
            return carried(column, self.places)
        holders, name = [column, *self._holders], ("carried", *self._name)
        kept = cache.find(holders, name)
        if kept is None:
            kept = carried(column, self.places)
            cache.keep(holders, name, kept, kept.nbytes)
        return kept

    def key_of(self, run: int) -> tuple[str, Any]:
        """The key of a run's group: as text with the keys' names, and as iteration over the groups gives it."""
        return told(self.keys, self.spec.shown or self.spec.keys, int(self.groups.first_rows[self.runs.groups[run]]))

    def raised(self, run: int, error: BaseException) -> FunctionError:
        text, value = self.key_of(run)
        return FunctionError.raised(self.spec.call.name, text, value, error)

    def wrong_length(self, run: int, given: int) -> FunctionError:
        text, value = self.key_of(run)
        return FunctionError.wrong_length(self.spec.call.name, text, value, (given, int(self.runs.lengths()[run])))


def told(columns: Sequence[Column], names: Sequence[str | None], row: int) -> tuple[str, Any]:
    """A row's values in some columns: as text with the names, and as one value or a tuple."""
    values = [column.array[row].as_py() for column in columns]
    text = ", ".join(repr(value) if name is None else f"{name}={value!r}" for name, value in zip(names, values, strict=True))
    return text, values[0] if len(values) == 1 else tuple(values)


def apply_function(spec: Apply, table: Table) -> Table:
    """The handler of `Apply`."""
    beside: Callable[[], AbstractContextManager[None]] = nullcontext
    if spec.call.engine == "numba":
        from fastframe.engines.cpu.apply_compiled import begin_compiling

        begun = begin_compiling(spec, table)   # while the groups are found
        call, beside = begun.call, begun.beside
    else:
        from fastframe.engines.cpu.apply_python import call_in_python as call
    with beside():
        groups = group_rows([table[key] for key in spec.keys], dropna=spec.dropna, sort=spec.sort)
    with beside():
        work = Work(spec, table, groups)
    results = declared(spec, call(work))
    names = [RESULT + name for name in results.names or ("",)]
    if results.per_row:
        return Table(dict(zip(names, results.columns, strict=True)), table.n_rows)
    columns = [by_group(column, work.runs) for column in results.columns]
    if spec.result == "transform":
        return Table({name: spread_codes(column, groups) for name, column in zip(names, columns, strict=True)}, table.n_rows)
    keys = dict(zip(spec.keys, key_columns(work.keys, groups), strict=True))
    return Table({**keys, **dict(zip(names, columns, strict=True))}, groups.n_groups)


def by_group(column: Column, runs: Runs) -> Column:
    """One row per group from one per run: null for a group without a run."""
    return column if runs.of_group is None else take(column, runs.of_group, missing=True)


def check_shape(spec: Apply | WindowApply, returned: str, *, vector: bool, several: bool) -> None:
    """Raise `FunctionError` unless ``agg``, ``transform``, ``apply`` or a window can do with what the function returned."""
    if (spec.result in ("agg", "window") and vector) or (spec.result == "transform" and several):
        raise FunctionError.wrong_shape(spec.call.name, spec.result, returned)


def declared(spec: Apply | WindowApply, results: Results) -> Results:
    """The results in the declared dtypes, where that loses nothing of their kind.

    Raises
    ------
    FunctionError
    """
    if spec.out is None:
        return results
    check_declared(spec, results.names, [column.dtype for column in results.columns])
    wanted, names = dict(spec.out), results.names or (None,)
    columns = [column if column.dtype == wanted[name] else cast(column, wanted[name]) for column, name in zip(results.columns, names, strict=True)]
    return Results(results.names, tuple(columns), results.per_row)


def check_declared(spec: Apply | WindowApply, names: tuple[str, ...] | None, dtypes: Sequence[DType]) -> None:
    """Raise `FunctionError` unless results of these names and dtypes can be had in the declared ones."""
    if spec.out is None:
        return
    wanted = dict(spec.out)
    if set(wanted) != set(names or (None,)):
        raise FunctionError.wrong_names(spec.call.name, list(wanted), names)
    for name, given in zip(names or (None,), dtypes, strict=True):
        if not _fits(given, wanted[name]):
            raise FunctionError.wrong_dtype(spec.call.name, given, wanted[name], name)


def _fits(given: DType, wanted: DType) -> bool:
    if given == wanted or given.kind is Kind.NULL:
        return True
    one, other = given.numpy, wanted.numpy
    return one is not None and other is not None and one.kind in "biuf" and other.kind in "biuf" and np.can_cast(one, other, "safe")
