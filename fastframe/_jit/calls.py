"""Calling a kernel: arrays in, arrays out, on all threads; and what to do where the function failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from fastframe._jit.kernel import Kernel
from fastframe._jit.parallel import numba_threads
from fastframe._jit.runs import CALL_COST, PART_COST, Runs
from fastframe._threads import SLICE_ROWS, run
from fastframe._threads._drive import Task
from fastframe.errors import JITError

_NEVER = 2**63 - 1
_FEW_PARTS = 64          # more than that are small enough for any number of threads
_SHORT = 2e-4            # seconds of a call that says nothing: starting it takes a tenth of that
_PART_SECONDS = 2e-3     # what a part of costly calls should take


@dataclass(frozen=True)
class Failure:
    """The lowest run (or row) that failed, whatever the number of threads: it raised, or its vector has a wrong length."""

    run: int
    wrong_length: bool


@dataclass(frozen=True)
class Inputs:
    """What a kernel reads: ``columns``, ``masks`` (bool, one per column, or none), and the values of extra arguments.

    Arrays lie as `arguments.storage` says, C-contiguous; NumPy arrays keep their memory alive.
    """

    columns: Sequence[np.ndarray]
    masks: Sequence[np.ndarray] = ()
    extras: Sequence[Any] = ()


@dataclass(frozen=True)
class Output:
    """Where a result goes: values of the result's storage dtype, and a byte each that is 1 where one is present.

    ``present`` may be None where the result is not nullable. NaN is left as it is.
    """

    values: np.ndarray
    present: np.ndarray | None = None


def over_runs(kernel: Kernel, inputs: Inputs, runs: Runs, outputs: Sequence[Output], *, operation: str = "apply") -> Failure | None:
    """Call the function on each run's rows.

    A scalar result of run ``g`` goes to place ``g`` of its output, a vector to the places of the run's rows. After a failure
    the outputs hold nothing of use.
    """
    cell = np.array([_NEVER])

    def call(runs: Runs) -> None:
        _drive(kernel, _runs_task(kernel, inputs, runs, outputs, cell), runs.n_parts, 1, operation)

    if runs.n_runs > 1 and runs.n_parts < _FEW_PARTS and not kernel.function.parallel:
        runs = _finer(runs, call)
    call(runs)
    return _failure(cell)


def _finer(runs: Runs, call: Callable[[Runs], None]) -> Runs:
    """The runs in smaller parts where the first call shows that a row costs much more than usual.

    Threads share parts, and Ctrl-C is looked at between them: 400 groups of one row, a second each, must not be one part.
    Results do not depend on parts. The first run is called twice.
    """
    cost = int(runs.end[0] - runs.begin[0]) + CALL_COST
    if cost > PART_COST // 16:   # nobody else works meanwhile
        return runs
    first = Runs(runs.begin, runs.end, np.array([0, 1]))
    begun = perf_counter()
    call(first)
    seconds = perf_counter() - begun
    if seconds < _SHORT:
        return runs
    return Runs.by_rows(runs.begin, runs.end, max(1, min(PART_COST, int(cost * _PART_SECONDS / seconds))))


def _runs_task(kernel: Kernel, inputs: Inputs, runs: Runs, outputs: Sequence[Output], cell: np.ndarray) -> Task:
    order = 0 if runs.order is None else runs.order.ctypes.data
    head = [runs.begin.ctypes.data, runs.end.ctypes.data, runs.begin.itemsize, runs.bounds.ctypes.data, order, cell.ctypes.data]
    return _task(kernel, inputs, outputs, head, (runs, cell))


def over_rows(
    kernel: Kernel, inputs: Inputs, n_rows: int, outputs: Sequence[Output], *, rows: np.ndarray | None = None, operation: str = "map"
) -> Failure | None:
    """Call the function on each row's scalars.

    ``rows`` (bool, one per row) tells which rows it is called for; the others' results are not present, and 0.
    """
    cell = np.array([_NEVER])
    head = [0 if rows is None else rows.ctypes.data, 0, 0, 0, 0, cell.ctypes.data]
    task = _task(kernel, inputs, outputs, head, (rows, cell))
    per_slice = SLICE_ROWS // 8
    if 1 < n_rows < _FEW_PARTS * per_slice and not kernel.function.parallel:   # as `_finer`
        begun = perf_counter()
        _drive(kernel, task, 1, 1, operation)
        seconds = perf_counter() - begun
        per_slice = per_slice if seconds < _SHORT else max(1, min(per_slice, int(_PART_SECONDS / seconds)))
    _drive(kernel, task, n_rows, per_slice, operation)
    return _failure(cell)


def _drive(kernel: Kernel, task: Task, n_parts: int, parts_per_slice: int, operation: str) -> None:
    if not kernel.function.parallel:
        run(task, n_parts, parts_per_slice, operation=operation)
        return
    with numba_threads():
        run(task, n_parts, max(1, n_parts), operation=operation)   # one slice: the calling thread's


def _failure(cell: np.ndarray) -> Failure | None:
    from fastframe._jit.layout import FAILURE_BITS, WRONG_LENGTH

    told = int(cell[0])
    return None if told == _NEVER else Failure(told >> FAILURE_BITS, told & ((1 << FAILURE_BITS) - 1) == WRONG_LENGTH)


def _task(kernel: Kernel, inputs: Inputs, outputs: Sequence[Output], head: list[int], alive: tuple[Any, ...]) -> Task:
    from fastframe._jit.arguments import extra_words, storage

    words = list(head)
    columns = [_aligned(one) for one in inputs.columns]
    for one, column in zip(columns, kernel.columns, strict=True):
        words.append(_address(one, storage(column)))
    words += [_address(mask, np.dtype(bool)) for mask in _masks(kernel, inputs)]
    extras = [_aligned(one) if isinstance(one, np.ndarray) else one for one in inputs.extras]
    for kind, value in zip(kernel.layout.extras, extras, strict=True):
        words.extend(extra_words(kind, value))
    for out, result in zip(outputs, kernel.results, strict=True):
        words.append(_address(out.values, result.storage))
        words.append(0 if out.present is None else _address(out.present, None))
    return Task.at(kernel.compiled.entry, np.array(words, np.int64).tobytes(), (kernel, columns, inputs, extras, outputs, alive))


def _aligned(array: np.ndarray) -> np.ndarray:
    """The array, or a copy where its memory does not begin where compiled code expects it (Arrow data of others may not)."""
    return array if array.flags.aligned and array.flags.c_contiguous else array.copy()


def _masks(kernel: Kernel, inputs: Inputs) -> Sequence[np.ndarray]:
    assert len(inputs.masks) == (len(inputs.columns) if kernel.masks else 0), "one mask per column, where the function takes masks"
    return inputs.masks


def _address(array: np.ndarray, wanted: np.dtype[Any] | None) -> int:
    assert array.flags.c_contiguous, "arrays of kernels are contiguous"
    if wanted is None:   # presence
        fits = array.itemsize == 1
    else:                # times may come as their integers
        times = {array.dtype.kind, wanted.kind} in ({"i", "M"}, {"i", "m"}) and array.itemsize == wanted.itemsize
        fits = times or array.dtype == wanted
    assert fits, f"{array.dtype} given for {wanted}"
    return int(array.ctypes.data)


def call_again(kernel: Kernel, inputs: Inputs, failure: Failure, runs: Runs | None = None) -> None:
    """Raise what the function raises on a failing run (None: row): by the interpreter first, whose traceback shows the user's line.

    Raises
    ------
    Exception
        The function's own.
    JITError
        Its vector has a wrong length; or the interpreter does not fail on these values.
    """
    function = kernel.function.function
    arguments = _arguments(inputs, failure.run, runs)
    n_positional = function.__code__.co_argcount
    named = dict(zip(kernel.function.parameters[n_positional:], arguments[n_positional:], strict=True))
    with np.errstate(all="ignore"):   # compiled code does not warn
        value = function(*arguments[:n_positional], **named)
    if failure.wrong_length and runs is not None:
        length = int(runs.end[failure.run] - runs.begin[failure.run])
        found = np.shape(value)[0] if np.ndim(value) else 1
        raise JITError.length(kernel.function.name, found, length)
    import numba

    from fastframe._jit.pipeline import compiler_of

    compiler = compiler_of(plain=kernel.function.plain, shortcuts=False)
    numba.njit(pipeline_class=compiler, **kernel.function.options)(function)(*arguments[:n_positional], **named)
    raise JITError.not_reproduced(kernel.function.name, failure.run)


def _arguments(inputs: Inputs, number: int, runs: Runs | None) -> list[Any]:
    where: Any = number if runs is None else slice(int(runs.begin[number]), int(runs.end[number]))
    arguments = []
    for array in (*inputs.columns, *inputs.masks):
        part = array[where]
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
        arguments.append(part)
    return [*arguments, *inputs.extras]
