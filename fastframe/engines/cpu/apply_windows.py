"""A user's function of windows of rows: which values each window has, the function called on each, a result per row.

Windows are runs of values in the order of positions (``window_bounds.py``). With ``nulls="skip"`` only rows where all the
function's columns have a value lie there, and bounds are translated to them. ``docs/plans/user_functions_windows.md`` says why.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from fastframe._jit.runs import CALL_COST, PART_COST
from fastframe._jit.runs import Runs as CompiledRuns
from fastframe.column import Column, Table
from fastframe.column.memory import allocate_array
from fastframe.column.numpy import column_to_numpy
from fastframe.engines.cpu.apply import Results, declared, told
from fastframe.engines.cpu.carried import carried, presence
from fastframe.engines.cpu.places import Places, lacks_values
from fastframe.engines.cpu.room import Room
from fastframe.engines.cpu.runs import Runs
from fastframe.engines.cpu.take import take
from fastframe.engines.cpu.window_bounds import OPERATION, called, carried_along, positions_of, written
from fastframe.errors import FunctionError
from fastframe.ops.apply import RESULT, WindowApply

Array = np.ndarray[Any, Any]

_OPERATION = "function of windows"
_BY_LANES = "function of windows, sixteen at once"
_SAMPLED = 64   # every so many windows tell how long they are
LANE_VALUES = 1 << 25   # what the function sees in all, from which on it is also compiled for lanes: 30 ms of one thread's work


def apply_windows(spec: WindowApply, table: Table) -> Table:
    """The handler of `WindowApply`."""
    if spec.call.engine == "numba":
        from fastframe.engines.cpu.apply_compiled import check_returned, prepared

        ready = prepared(spec.call, table, together=_worth_lanes(spec, table.n_rows))
        kernel = ready.compiled()   # before any other work: a function that does not compile costs nothing else
        check_returned(spec, kernel)
        work = Windows(spec, table)
        results = _compiled(work, kernel, ready)
    else:
        work = Windows(spec, table)
        results = _in_python(work)
    results = declared(spec, results)
    names = [RESULT + name for name in results.names or ("",)]
    out = carried_along(table, spec.carried, work.positions)
    return Table({**out, **dict(zip(names, results.columns, strict=True))}, work.positions.n_positions)


def _worth_lanes(spec: WindowApply, n_rows: int) -> bool:
    """Whether many windows of as many rows each are neighbours; those of times and of groups' edges only happen to be."""
    span = spec.span
    return span.rows is not None and n_rows * min(n_rows, span.before + span.after) >= LANE_VALUES


class Windows:
    """The values of each window, ``begin`` to before ``end`` of what `values` gives; where ``end`` is -1 there is nothing to call."""

    def __init__(self, spec: WindowApply, table: Table) -> None:
        self.spec, self.table = spec, table
        keys = [table[key] for key in spec.keys]
        self.positions = positions_of(keys, table.n_rows, dropna=spec.dropna, sort=spec.sort)
        self.columns = [table[name] for name in spec.call.columns]
        skips = spec.call.nulls == "skip"
        present = self._present()
        before = _counted(present) if present is not None else None
        times = table[spec.span.on] if spec.span.on is not None else None
        self.begin, self.end = written(spec.span, self.positions, times)
        self.n_left_out = called((self.begin, self.end), before, min_periods=spec.span.min_periods, translated=skips)
        self._rows = self._chosen_rows(present) if skips and present is not None else self.positions.rows

    def _present(self) -> Array | None:
        """Per position whether all columns have a value; None where all have in all rows."""
        lacking = [column for column in self.columns if lacks_values(column)]
        if not lacking:
            return None
        found = reduce(np.logical_and, [presence(column, _as_they_are(len(column))) for column in lacking])
        return found[self.positions.rows] if self.positions.rows is not None else found

    def _chosen_rows(self, present: Array) -> Array:
        chosen = np.flatnonzero(present)
        return self.positions.rows[chosen] if self.positions.rows is not None else chosen.astype(np.int32)

    def brought(self, column: Column) -> Column:
        """A column's values as windows go over them."""
        return column if self._rows is None else take(column, self._rows)

    def values(self, column: Column) -> Array:
        """The same as NumPy has them, read only."""
        brought = self.brought(column)
        return carried(brought, _as_they_are(len(brought)))

    def masks(self) -> list[Array]:
        """Of each column which of these values are present, where the function takes that."""
        if self.spec.call.nulls != "mask":
            return []
        brought = [self.brought(column) for column in self.columns]
        return [presence(column, _as_they_are(len(column))) for column in brought]

    def raised(self, position: int, error: BaseException) -> FunctionError:
        """What a function raised in the window of a position."""
        spec, row = self.spec, self.positions.row(position)
        label, value = told([self.table[name] for _, name in spec.labels], [name for name, _ in spec.labels], row)
        if not spec.keys:
            return FunctionError.raised_in_window(spec.call.name, (label, None), value, error)
        key, key_value = told([self.table[name] for name in spec.keys], spec.shown or spec.keys, row)
        return FunctionError.raised_in_window(spec.call.name, (label, key), (key_value, value), error)


def _as_they_are(n_rows: int) -> Places:
    return Places(np.array([0, n_rows], np.int32), (), n_rows)


def _counted(present: Array) -> Array:
    """How many are present before each position, and in all."""
    before = allocate_array(len(present) + 1, np.int32, OPERATION)
    before[0] = 0
    np.cumsum(present, out=before[1:])
    return before


def _compiled(work: Windows, kernel: Any, ready: Any) -> Results:
    from fastframe._jit.calls import Inputs, over_runs
    from fastframe.engines.cpu.apply_compiled import explain_raised

    inputs = Inputs([work.values(column) for column in ready.columns], work.masks(), ready.extras)
    lengths = work.end[::_SAMPLED] - work.begin[::_SAMPLED]
    mean = int(lengths.mean()) if len(lengths) else 0
    runs = CompiledRuns.evenly(work.begin, work.end, PART_COST // (max(mean, 0) + CALL_COST))
    room = Room(kernel, len(work.begin), operation=_OPERATION, lacking=work.n_left_out > 0)
    operation = _BY_LANES if kernel.compiled.together else _OPERATION
    failure = over_runs(kernel, inputs, runs, room.outputs, operation=operation)
    if failure is not None:
        explain_raised(kernel, inputs, runs, failure, work.raised)
    return room.results()


def _in_python(work: Windows) -> Results:
    from fastframe.column.arrow import column_from
    from fastframe.engines.cpu.apply_python import call_all, one_per_run, shape_of

    spec = work.spec
    arrays = [*[_python_values(work, column) for column in work.columns], *work.masks()]
    has = work.end >= 0
    positions = np.flatnonzero(has)
    runs = Runs(work.begin[has], work.end[has], None)
    returned = call_all(spec.call, arrays, runs, lambda run, error: work.raised(int(positions[run]), error))
    found = one_per_run(spec, returned, shape_of(spec, returned)) if returned else Results(None, (column_from([]),), per_row=False)
    numbers = np.where(has, np.cumsum(has) - 1, -1).astype(np.int32)
    return Results(found.names, tuple([take(column, numbers, missing=True) for column in found.columns]), per_row=False)


def _python_values(work: Windows, column: Column) -> Array:
    """As compiled functions get them; text and decimals as arrays of Python's objects."""
    if column.dtype.numpy is not None and column.dtype.physical is not None and not column.is_encoded:
        return work.values(column)
    values = column_to_numpy(work.brought(column))
    values.flags.writeable = False
    return values
