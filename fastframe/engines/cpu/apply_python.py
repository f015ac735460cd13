"""A user's function called from Python, for those that numba cannot compile: in threads, or in joblib's processes.

Threads help where the function releases the GIL (NumPy on large groups does, for most of its time). It gets the same arrays
as a compiled one, and text and decimals as arrays of Python's objects.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastframe._threads import run_calls
from fastframe._threads.budget import thread_count
from fastframe.column.arrow import column_from
from fastframe.column.column import Column
from fastframe.column.numpy import column_to_numpy
from fastframe.engines.cpu.apply import Results, Work, check_shape
from fastframe.engines.cpu.carried import presence
from fastframe.engines.cpu.places import Places
from fastframe.engines.cpu.runs import Runs, costliest_first, cuts
from fastframe.engines.cpu.take import take
from fastframe.errors import FunctionError
from fastframe.ops.apply import Apply, FunctionCall, WindowApply

Array = np.ndarray[Any, Any]

CALL_ROWS = 4096        # a call from Python costs about as much as so many rows
PART_ROWS = 1 << 20     # of such rows: 256 calls, or one of a million rows
PROCESS_ROWS = 1 << 22  # a part goes to a process whole, so it is larger


class RunFailed(Exception):
    """What a function raised, on its way to where the group's key is known."""

    def __init__(self, run: int, error: BaseException) -> None:
        self.run, self.error = run, error


def call_in_python(work: Work) -> Results:
    """The function called on each run, in the order of the groups.

    Raises
    ------
    FunctionError
    """
    call = work.spec.call
    arrays = [values_for_python(work, column) for column in work.columns]
    if call.nulls == "mask":
        arrays += [presence(column, work.places) for column in work.columns]
    return _collected(work, call_all(call, arrays, work.runs, work.raised))


def call_all(call: FunctionCall, arrays: Sequence[Array], runs: Runs, raised: Callable[[int, BaseException], FunctionError]) -> list[Any]:
    """What the function returns for each run; ``raised`` tells the error of one.

    Raises
    ------
    FunctionError
    """
    function = partial(call_runs, call.function, (call.extras, dict(call.keywords)))
    run_all = _in_processes if call.engine == "python-processes" else _in_threads
    try:
        return run_all(function, arrays, runs, call.name)
    except RunFailed as failed:
        raise raised(failed.run, failed.error) from failed.error


def call_runs(function: Any, more: tuple[tuple[Any, ...], dict[str, Any]], arrays: Sequence[Array], begin: Array, end: Array) -> list[Any]:
    """What the function returns for each run, ``more`` being its other arguments; `RunFailed` with the run's number among these."""
    (extras, keywords), found = more, []
    for run, (first, last) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        try:
            found.append(function(*[array[first:last] for array in arrays], *extras, **keywords))
        except Exception as error:   # of the user's function: whatever it raises is told with its group
            raise RunFailed(run, error) from error
    return found


Caller = Callable[[Sequence[Array], Array, Array], list[Any]]


def _in_threads(function: Caller, arrays: Sequence[Array], runs: Runs, name: str) -> list[Any]:
    failures: list[RunFailed] = []

    def part(first: int, last: int) -> list[Any]:
        if any(failed.run < first for failed in failures):   # the lowest is told; nothing behind it counts
            return []
        try:
            return function(arrays, runs.begin[first:last], runs.end[first:last])
        except RunFailed as failed:
            failures.append(RunFailed(first + failed.run, failed.error))
            return []

    bounds = cuts(runs, call_rows=CALL_ROWS, part_rows=PART_ROWS)
    order = costliest_first(runs, bounds, call_rows=CALL_ROWS)
    found = run_calls([partial(part, bounds[at], bounds[at + 1]) for at in order])
    if failures:
        raise min(failures, key=lambda failed: failed.run)
    return _in_order(found, order)


def _in_order(found: Sequence[list[Any]], order: Sequence[int]) -> list[Any]:
    """What all runs gave, from what parts gave that were begun in an ``order``."""
    by_part = dict(zip(order, found, strict=True))
    return [one for at in range(len(order)) for one in by_part[at]]


def _in_processes(function: Caller, arrays: Sequence[Array], runs: Runs, name: str) -> list[Any]:
    from joblib import Parallel, delayed

    bounds = cuts(runs, call_rows=CALL_ROWS, part_rows=PROCESS_ROWS)
    order = costliest_first(runs, bounds, call_rows=CALL_ROWS)
    parts = [(bounds[at], bounds[at + 1]) for at in order]
    tasks = (delayed(_part_in_process)(function, *sent) for sent in _parts_to_send(arrays, runs, parts))
    try:
        found = Parallel(n_jobs=thread_count(), backend="loky")(tasks)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise FunctionError.not_pickled(name, error) from error
    failures = [RunFailed(first + failed[0], failed[1]) for (first, _), (_, failed) in zip(parts, found, strict=True) if failed is not None]
    if failures:
        raise min(failures, key=lambda failed: failed.run)
    return _in_order([several for several, _ in found], order)


def _parts_to_send(arrays: Sequence[Array], runs: Runs, parts: Sequence[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
    """Per part the stretch of each array that its runs lie in, and the runs in it."""
    for first, last in parts:
        start, stop = int(runs.begin[first]), int(runs.end[last - 1])
        yield [array[start:stop] for array in arrays], runs.begin[first:last] - start, runs.end[first:last] - start


def _part_in_process(function: Caller, arrays: Sequence[Array], begin: Array, end: Array) -> tuple[list[Any], tuple[int, BaseException] | None]:
    for array in arrays:
        array.flags.writeable = False
    try:
        return function(arrays, begin, end), None
    except RunFailed as failed:
        return [], (failed.run, _sendable(failed.error))


def _sendable(error: BaseException) -> BaseException:
    """The error, or where it cannot be pickled one that says as much."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:   # pickling runs code of the error's class
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


# ---- what it gets -----------------------------------------------------------------------------------------------------


def values_for_python(work: Work, column: Column) -> Array:
    """The column's placed values in group order, read only."""
    if column.dtype.numpy is not None and column.dtype.physical is not None and not column.is_encoded:
        return work.values(column)
    values = column_to_numpy(take(column, rows_in_order(work.places), missing=False))
    values.flags.writeable = False
    return values


def rows_in_order(places: Places) -> Array:
    """The row of each place."""
    rows = np.empty(places.n_placed, np.int32)
    has = np.flatnonzero(places.of_rows >= 0)
    rows[places.of_rows[has]] = has
    return rows


# ---- what it returned -------------------------------------------------------------------------------------------------


def _collected(work: Work, returned: list[Any]) -> Results:
    """Results of all runs as columns."""
    spec = work.spec
    if not returned:
        nothing = column_from([])
        return Results(None, (nothing,), per_row=spec.result == "transform" and not len(work.groups.codes))
    what = shape_of(spec, returned)
    if what == "an array":
        return Results(None, (_vectors(work, [np.asarray(one) for one in returned]),), per_row=True)
    return one_per_run(spec, returned, what)


def shape_of(spec: Apply | WindowApply, returned: Sequence[Any]) -> str:
    """What the function returned, the same for every run.

    Raises
    ------
    FunctionError
    """
    kinds = [_kind(one) for one in returned]
    what = next((kind for kind in kinds if kind != "None"), "None")
    other = next((kind for kind in kinds if kind not in (what, "None")), None)
    if other is not None or (what not in ("one value", "None") and "None" in kinds):
        raise FunctionError.changed_shape(spec.call.name, what, other or "None")
    check_shape(spec, what, vector=what == "an array", several=what in ("a tuple", "a dict"))
    return what


def one_per_run(spec: Apply | WindowApply, returned: list[Any], what: str) -> Results:
    """A row for each run."""
    if what in ("a tuple", "a dict"):
        return _fields(spec, returned)
    return Results(None, (_scalars(returned),), per_row=False)


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, tuple):
        return "a tuple"
    if isinstance(value, np.ndarray | list) and np.ndim(value):
        return "an array" if np.ndim(value) == 1 else f"an array of {np.ndim(value)} dimensions"
    return "one value"


def _scalars(values: list[Any]) -> Column:
    plain = [one[()] if isinstance(one, np.ndarray) else one for one in values]
    kinds = {type(one) for one in plain}
    times = bool(kinds & {np.datetime64, np.timedelta64})   # beside which NumPy takes None as NaT, which is null
    same = len(kinds) == 1 and all(issubclass(kind, np.generic) for kind in kinds)
    return column_from(np.array(plain) if times or same else plain)


def _fields(spec: Apply | WindowApply, returned: list[Any]) -> Results:
    """A column for each field of a tuple or dict."""
    first, name = returned[0], spec.call.name
    names = tuple(map(str, first)) if isinstance(first, dict) else getattr(first, "_fields", None) or tuple(str(at) for at in range(len(first)))
    for one in returned:
        if len(one) != len(first) or (isinstance(first, dict) and one.keys() != first.keys()):
            raise FunctionError.changed_shape(name, f"{type(first).__name__} of {list(names)}", f"{type(one).__name__} of {list(one)}")
    rows = [[one[key] for key in first] for one in returned] if isinstance(first, dict) else returned
    for value in rows[0]:
        if _kind(value) not in ("one value", "None"):
            raise FunctionError.wrong_shape(name, spec.result, f"{_kind(value)} inside {_kind(first)}")
    return Results(names, tuple([_scalars(list(field)) for field in zip(*rows, strict=True)]), per_row=False)


def _vectors(work: Work, arrays: list[Array]) -> Column:
    """One value per row from one array per run."""
    for run, (array, length) in enumerate(zip(arrays, work.runs.lengths().tolist(), strict=True)):
        if len(array) != length:
            raise work.wrong_length(run, len(array))
    kinds = {array.dtype.kind: array.dtype for array in arrays}
    if len(kinds) > 1:
        first, other = list(kinds.values())[:2]
        raise FunctionError.changed_shape(work.spec.call.name, f"values of {first}", f"of {other}")
    column = column_from(np.concatenate(arrays))
    places = work.places
    return take(column, places.of_rows, missing=True) if places.steps else column
