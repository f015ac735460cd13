"""The joblib backend "fastframe": `joblib.Parallel` on the one pool, so that scikit-learn and kernels share its threads.

joblib's own backends answer through a callback that the caller polls for every 10 ms. Here the caller asks for results
itself (`supports_retrieve_callback` is False), and computes those that nobody has begun: that saves the wait, and a call
inside a task can never wait for a thread that waits for it. Each call has its own `Call` and each run of it its own
`_Run`, because one backend object serves all calls in a `parallel_config` block, generators that are still open and
nested calls among them. Of joblib's private names it needs `_lock` and `_ready_batches` of `Parallel`; `configure` checks.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress
from math import inf
from multiprocessing import TimeoutError as TaskTimeout  # what joblib's own backends raise
from typing import Any

import joblib
from joblib.parallel import AutoBatchingMixin, FallbackToBackend, ParallelBackendBase, SequentialBackend

from fastframe._threads import budget, native_pools, record
from fastframe._threads.pool import Job, pool
from fastframe.errors import ArgumentError, JoblibMismatch

_NEEDED = ("_lock", "_ready_batches", "return_as", "timeout", "n_jobs")   # attributes of joblib.Parallel


class _Shared(ParallelBackendBase):
    """What joblib asks of either class below."""

    uses_threads = True
    supports_sharedmem = True   # else joblib would take its own threads, and one job, for random forests' predict
    supports_inner_max_num_threads = True
    supports_return_generator = True   # joblib's base class ties this and the next to the callback
    supports_timeout = True
    supports_retrieve_callback = False

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Tasks at a time: as joblib counts, except that in a task negative numbers count from its share of the CPUs."""
        if n_jobs == 0:
            raise ArgumentError.because("joblib.Parallel", "n_jobs=0 has no meaning", "Give a positive or negative int.")
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(1, budget.available_cpus() + 1 + n_jobs)

    def apply_async(self, func: Callable[[], Any], callback: Any = None) -> Any:
        """What joblib called `submit` before 1.5."""
        return self.submit(func, callback)

    def _one_job(self) -> FallbackToBackend:
        return FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))


class FastFrameBackend(_Shared):
    """What ``parallel_config("fastframe")`` holds: it has no state of a call, and gives each call a `Call`."""

    def configure(self, n_jobs: int = 1, parallel: Any = None, **options: Any) -> int:
        if self.effective_n_jobs(n_jobs) == 1:
            raise self._one_job()
        raise FallbackToBackend(Call(nesting_level=self.nesting_level, inner_max_num_threads=self.inner_max_num_threads))

    def submit(self, func: Callable[[], Any], callback: Any = None) -> Any:
        raise AssertionError("joblib submits to what configure() gave it")


class Call(AutoBatchingMixin, _Shared):
    """The backend of one `Parallel` object."""

    # A task comes to a running thread in tens of microseconds, so batches are a thousandth of what processes need.
    MIN_IDEAL_BATCH_DURATION = 0.001
    MAX_IDEAL_BATCH_DURATION = 0.05

    run: _Run

    def configure(self, n_jobs: int = 1, parallel: Any = None, **options: Any) -> int:
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise self._one_job()
        lacking = [f"Parallel.{name}" for name in _NEEDED if not hasattr(parallel, name)]
        if lacking:
            raise JoblibMismatch.of(joblib.__version__, lacking)
        self.parallel = parallel
        # Results in the order in which they come need the callback: joblib takes them from a list that it fills.
        self.supports_retrieve_callback = parallel.return_as == "generator_unordered"
        return n_jobs

    def start_call(self) -> None:
        """Begin anew. joblib keeps the batches that a failed call had made: the next would run them as its own."""
        n_jobs = self.effective_n_jobs(self.parallel.n_jobs)
        share = self.inner_max_num_threads or max(1, budget.available_cpus() // n_jobs)
        self.run = _Run(self.parallel, n_jobs, share, answers_by_callback=self.supports_retrieve_callback)
        left = self.parallel._ready_batches
        while not left.empty():
            left.get_nowait()

    def submit(self, func: Callable[[], Any], callback: Any = None) -> Task:
        return self.run.submit(func, callback)

    def retrieve_result_callback(self, out: Task) -> Any:
        return out.outcome()

    def get_nested_backend(self) -> tuple[Any, None]:
        level = (self.nesting_level or 0) + 1
        kind = FastFrameBackend if level == 1 else SequentialBackend   # as joblib's own: deeper calls run in their task
        return kind(nesting_level=level), None

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Begin no more tasks; those that run go on, and nobody hears of them."""
        self.run.cancel()

    def stop_call(self) -> None:
        self.run.stop()

    def terminate(self) -> None:
        self.reset_batch_stats()


class Task:
    """A batch of joblib's, and what came of it."""

    __slots__ = ("run", "function", "callback", "value", "error", "done")

    def __init__(self, run: _Run, function: Callable[[], Any], callback: Any) -> None:
        self.run = run
        self.function: Callable[[], Any] | None = function
        self.callback = callback
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False

    def get(self, timeout: float | None = None) -> Any:
        """What joblib calls for the result."""
        self.run.wait_for(self, timeout)
        return self.outcome()

    def outcome(self) -> Any:
        """Its value, or its error raised."""
        if self.error is None:
            return self.value
        try:
            raise self.error
        finally:
            self.error = None   # its traceback holds frames that hold this task


class _Run:
    """One call of a `Parallel`: tasks in a queue, drained by at most ``n_jobs`` threads.

    In a list call without a timeout the caller is one of them. To a generator it comes only now and then, so it runs no
    task but the one that it needs next and nobody has begun. With a timeout, and where results come by callback, it can
    run none, and such a call gets new workers where all are busy: in a task of the pool it might wait for itself else.
    """

    def __init__(self, parallel: Any, n_jobs: int, share: int, *, answers_by_callback: bool) -> None:
        self.parallel = parallel
        self.share = share
        self.answers_by_callback = answers_by_callback
        self.caller_takes_own = parallel.timeout is None and not answers_by_callback
        self.caller_works = self.caller_takes_own and parallel.return_as == "list"
        self.queue: deque[Task] = deque()
        self.most_workers = n_jobs - 1 if self.caller_works else n_jobs
        self.n_workers = 0
        self.running = threading.Semaphore(n_jobs)   # the caller that takes its own task may be one too many
        self.waiting: list[Job] = []   # workers of ours that the pool has not begun
        self.lock = threading.Lock()   # of n_workers and of holds_blas
        self.holds_blas = False
        self.cancelled = False
        self.record = record.OpenOperation.begin("joblib.Parallel")
        self.failed: Task | None = None   # the first of any
        self.awaited: Task | None = None
        self.bell = threading.Lock()   # released to wake the caller
        self.bell.acquire()

    def submit(self, function: Callable[[], Any], callback: Any) -> Task:
        """Queue a task, and have a worker come where there may be more; joblib holds `parallel._lock`."""
        task = Task(self, function, callback)
        self.queue.append(task)
        if self.record is not None:
            self.record.phase.n_slices += 1
        with self.lock:
            more = self.n_workers < self.most_workers
            self.n_workers += more
            if not self.holds_blas:   # not earlier: joblib promises `stop_call` only from here on
                native_pools.hold_blas(self.share)
                self.holds_blas = True
        if more:
            self.waiting += pool.submit([self.work], most=self.most_workers if self.caller_takes_own else inf)
        return task

    def work(self) -> None:
        """Run queued tasks until there is none; for a thread of the pool."""
        while True:
            try:
                task = self.queue.popleft()
            except IndexError:
                with self.lock:
                    if self.queue:
                        continue
                    self.n_workers -= 1
                return
            with self.running:
                self.do(task)

    def do(self, task: Task) -> None:
        """Run a task on the calling thread, tell joblib, wake the caller where it waits for this."""
        assert task.function is not None
        try:
            noted = self.record.stint() if self.record is not None else nullcontext()
            with budget.sharing(self.share), native_pools.openmp(self.share), noted:
                task.value = task.function()
        except BaseException as error:
            self._fail(task, error)
        task.function = None
        if self.answers_by_callback:
            if task.error is not None:   # joblib drops its traceback
                task.error.add_note("".join(traceback.format_exception(task.error)))
            task.done = True
            self._tell(task)
        else:
            # Before `done`: joblib's caller polls every 10 ms where it finds all tasks done and new ones not yet there.
            if task.error is None:
                self._tell(task)
            task.done = True
        if self.awaited is task or self.failed is not None:
            self._wake()

    def _tell(self, task: Task) -> None:
        """joblib's callback: it counts, and submits the next tasks."""
        try:
            with self.parallel._lock:
                if not self.cancelled:   # a call of its own may run by now
                    task.callback(task)
        except BaseException as error:   # of the iterator of tasks, for example
            self._fail(task, error)

    def _fail(self, task: Task, error: BaseException) -> None:
        task.error = error
        if self.failed is None:
            self.failed = task

    def _wake(self) -> None:
        with suppress(RuntimeError):   # it is ringing
            self.bell.release()

    def wait_for(self, task: Task, timeout: float | None) -> None:
        """Return when the task is done; raise the first error of any. The caller's thread works where it may."""
        if timeout is None:
            self._work_until(task)
        end = time.monotonic() + timeout if timeout is not None else inf
        self.awaited = task
        while not task.done:
            if self.failed is not None:
                self.failed.outcome()
            left = end - time.monotonic()
            if left <= 0:
                raise TaskTimeout()
            self.bell.acquire(timeout=left if timeout is not None else -1)

    def _work_until(self, task: Task) -> None:
        """Run the task where nobody has begun it; then others, where the caller is one of the workers."""
        while not task.done and self.failed is None:
            try:
                if self.caller_works:
                    self.do(self.queue.popleft())
                elif self.running.acquire(blocking=False):
                    try:
                        self.queue.remove(task)
                        self.do(task)
                    finally:
                        self.running.release()
                else:   # so many run already, and one of them will take it
                    return
            except (IndexError, ValueError):   # the queue is empty; the task is not in it any more
                return

    def cancel(self) -> None:
        """Begin no more tasks, and let nobody hear of those that run."""
        with self.parallel._lock:
            self.cancelled = True
        self.queue.clear()
        self.stop()

    def stop(self) -> None:
        """The call has ended: other libraries get their threads back, and workers need not come any more."""
        pool.withdraw(self.waiting)
        self.waiting = []
        with self.lock:
            held, self.holds_blas = self.holds_blas, False
        if self.record is not None:
            self.record.end()
        if held:
            native_pools.release_blas(self.share)
