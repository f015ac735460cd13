"""How an operation runs on threads: `run` for kernels, `run_calls` for a few coarse Python calls.

The caller always works, too, on the same slices or calls as the pool's threads, and never waits for one that has not
begun. So an operation started inside a task of the pool, or from many threads at once, cannot wait for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from fastframe._threads import budget, record
from fastframe._threads._drive import Mailbox, Run, Task, now_ns, run_slice
from fastframe._threads.pool import Job, pool
from fastframe.errors import KernelStatus, OutOfMemory

T = TypeVar("T")

SLICE_ROWS = 1 << 17   # rows of one slice where nothing else decides; a multiple of 512
_FEWEST_ROWS = 1 << 14   # of a slice of work that takes nanoseconds a row
_FEW_SLICES = 8

# The cost model. A helper that listens after its last run (`pool.LINGER_NS`) costs nothing. Waking one costs the caller
# about 10 us, and it works some 50 us later. From WAKE_ROWS rows on even the cheapest kernel (a third of a nanosecond per
# row and thread) takes longer. Below, or where "rows" are partitions, what a slice costs is found out: the caller works
# alone for LONE_NS, and wakes helpers if what is left would take it WAKE_NS more.
WAKE_ROWS = 2 * SLICE_ROWS
LONE_NS = 60_000
WAKE_NS = 100_000
STEP_NS = 20_000_000   # between two looks at pending signals: how long Ctrl-C may have to wait, if no slice is longer


def slice_rows(n_rows: int, state_bytes: int = 0, row_bytes: int = 8) -> int:
    """Rows of one slice: a function of the rows and of the bytes of one slice's partial state, never of threads.

    Partial states of all slices together take at most a fifth of the input (``n_rows * row_bytes``).
    """
    if state_bytes == 0:
        return SLICE_ROWS
    most_slices = max(1, n_rows * row_bytes // (5 * state_bytes))
    rows = max(SLICE_ROWS, -(-n_rows // most_slices))
    return -(-rows // 512) * 512


def fine_slice_rows(n_rows: int, most: int = SLICE_ROWS) -> int:
    """Rows of one slice of work that takes nanoseconds a row and keeps no state, such as on text: a function of the rows only.

    A table of fewer than some `SLICE_ROWS` rows makes several such slices, too, so that all threads can work on it.
    """
    rows = -(-n_rows // _FEW_SLICES)
    return max(_FEWEST_ROWS, min(most, -(-rows // 512) * 512))


def run(task: Task, n_rows: int, slice_rows: int = SLICE_ROWS, *, operation: str = "kernel") -> tuple[int, int] | None:
    """Run ``task`` over ``n_rows`` rows on as many threads as `budget.thread_count` allows and the work is worth.

    Returns
    -------
    None, or ``(first row of the lowest failing slice, its status)``, the same for any number of threads.

    Raises
    ------
    OutOfMemory
        A kernel could not allocate its scratch; the message names ``operation``.
    KeyboardInterrupt
        Between two slices; no slice runs any more when it arrives.
    """
    if 0 <= n_rows <= slice_rows != 0 and not record.n_profiles:   # nothing to share, nothing to record
        failed_slice, status = 0, run_slice(task, n_rows)
        if status == 0:
            return None
    else:
        one = Run(task, n_rows, slice_rows)
        if record.n_profiles:
            with record.phase(operation, one):
                _work(one, n_rows)
        else:
            _work(one, n_rows)
        failure = one.failure
        if failure is None:
            return None
        failed_slice, status = failure
    if status == KernelStatus.OUT_OF_MEMORY:
        raise OutOfMemory.of(operation, 0)
    return failed_slice * slice_rows, status


def _work(one: Run, n_rows: int) -> None:
    if one.n_slices <= 1:
        one.work()
    else:
        _work_together(one, n_rows)


def _work_together(one: Run, n_rows: int) -> None:
    """Do all slices of a run, with helpers where they pay; on any exception no slice runs when it leaves."""
    n_helpers = min(budget.thread_count(), one.n_slices) - 1
    posted: list[Mailbox] = []
    waiting: list[Job] = []
    try:
        more = True
        if n_helpers:
            posted = pool.post(one, n_helpers)   # these are awake
            if n_rows < WAKE_ROWS:
                more = _work_alone(one)
            if more and len(posted) < n_helpers:
                waiting = pool.submit([one] * (n_helpers - len(posted)), bind=True)
        while more:   # in steps: signal handlers run between them
            more = one.work(STEP_NS)
        for mailbox in posted:
            one.withdraw(mailbox)
        while not one.wait(STEP_NS):
            pass
    finally:
        for mailbox in posted:
            one.withdraw(mailbox)
        one.close()
        if waiting:
            pool.withdraw(waiting)


def _work_alone(one: Run) -> bool:
    """Work for LONE_NS, and to the end where what is then left would not take WAKE_NS; whether slices are left."""
    begin = now_ns()
    if not one.work(LONE_NS):
        return False
    n_left = one.n_unclaimed
    left_ns = (now_ns() - begin) * n_left // max(1, one.n_slices - n_left)
    return left_ns > WAKE_NS or one.work(WAKE_NS)


def run_calls(functions: Sequence[Callable[[], T]]) -> list[T]:
    """The results, in order, of a few coarse functions that release the GIL for most of their time.

    They run on the calling thread and the pool's; operations inside them get one thread each. If some raise, no more
    are begun, those begun are waited for, and the exception of the first of ``functions`` that failed is raised.
    Ctrl-C also waits for those begun; a second Ctrl-C does not.
    """
    if record.n_profiles:
        with record.calls(functions) as noted:
            return _run_calls(list(noted))
    return _run_calls(list(functions))


def _run_calls(functions: list[Callable[[], T]]) -> list[T]:
    n_helpers = min(budget.thread_count(), len(functions)) - 1
    if n_helpers <= 0:
        return [function() for function in functions]
    calls = _Calls(functions)
    waiting: list[Job] = []
    try:
        waiting = pool.submit([calls.help] * n_helpers)
        with budget.alone():
            calls.work()
        calls.wait()
    except BaseException:
        calls.stop()
        calls.wait()
        raise
    finally:
        if waiting:
            pool.withdraw(waiting)
    return calls.outcome()


class _Calls(Generic[T]):
    """Functions to be called once each, by the caller's `work` and other threads' `help`."""

    def __init__(self, functions: list[Callable[[], T]]) -> None:
        self._functions = functions
        self._results: dict[int, T] = {}
        self._errors: dict[int, BaseException] = {}
        self._next = 0
        self._n_helping = 0   # the caller is not counted: an interrupt may strike it anywhere
        self._changed = threading.Condition()

    def work(self, kept: type[BaseException] = Exception) -> None:
        """Call functions until none is left or one has failed; errors of class ``kept`` wait for `outcome`."""
        while (number := self._claim()) is not None:
            try:
                self._results[number] = self._functions[number]()
            except kept as error:
                self._errors[number] = error

    def help(self) -> None:
        """`work` on a thread of the pool, where nothing but the caller is told of an error."""
        with self._changed:
            self._n_helping += 1
        try:
            self.work(BaseException)
        finally:
            with self._changed:
                self._n_helping -= 1
                self._changed.notify_all()

    def _claim(self) -> int | None:
        with self._changed:
            if self._errors or self._next >= len(self._functions):
                return None
            self._next += 1
            return self._next - 1

    def stop(self) -> None:
        """Begin no more calls."""
        with self._changed:
            self._next = len(self._functions)

    def wait(self) -> None:
        """Wait for the calls that helpers have begun."""
        with self._changed:
            while self._n_helping:
                self._changed.wait()

    def outcome(self) -> list[T]:
        """The results, or the exception of the lowest failing call."""
        if self._errors:
            self.stop()   # for a helper that comes late: without the errors it would take up calls that nobody waits for
            try:
                raise self._errors[min(self._errors)]
            finally:
                self._errors.clear()   # an error's traceback holds this frame, which holds the errors
        return [self._results[number] for number in range(len(self._functions))]
