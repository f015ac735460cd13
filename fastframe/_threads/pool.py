"""The one set of threads of the process: `pool`.

Workers are started when first needed, are daemons, live as long as the process, and run what `Pool.submit` gives them.
Nobody may wait for a submitted task to begin: all workers may be busy, also with tasks that wait for the waiting one.
Whoever needs a result works on it himself, too (`driver.run`, `driver.run_calls`).
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from fastframe._threads import budget, placement
from fastframe._threads.placement import Cores


class Job:
    """A task and the cores for it (``home`` during idleness and Python tasks, ``cores`` during the job)."""

    __slots__ = ("task", "cores", "home")

    def __init__(self, task: Callable[[], object], cores: Cores | None, home: Cores | None) -> None:
        self.task, self.cores, self.home = task, cores, home


class Worker:
    """One thread and its inbox."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool = pool
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.busy = False
        self.cores: Cores | None = None   # what it is bound to now, where we did that
        self.thread = threading.Thread(target=self._serve, name=f"fastframe-{number}", daemon=True)
        self.thread.start()

    @property
    def is_free(self) -> bool:
        return not self.busy and self.inbox.empty()

    def place(self, cores: Cores | None) -> None:
        """Bind this worker; the giver of a job does so before it wakes the worker, which then starts in place."""
        if cores is not None and cores != self.cores and self.thread.native_id is not None:
            self.cores = cores if placement.place(self.thread.native_id, cores) else None

    def _serve(self) -> None:
        budget.enter_worker()
        while (job := self.inbox.get()) is not None:
            self.busy = True
            while job is not None:
                self._do(job)
                job = self.pool.next_job(self)   # drops the last reference to the job before it sleeps

    def _do(self, job: Job) -> None:
        self.place(job.cores)
        try:
            job.task()
        except BaseException as error:   # tasks report their own errors; what escapes is shown
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, self.thread)))
        finally:
            self.place(job.home)


class Pool:
    """Persistent daemon threads, started on demand.

    Nothing here breaks when a KeyboardInterrupt strikes between two lines: what matters is one act, putting a job into
    a worker's inbox, and that is atomic.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """No workers yet, or none any more: a forked child has the parent's objects but none of its threads."""
        self._lock = threading.RLock()   # a signal handler or finalizer that strikes inside may run operations, too
        self._workers: list[Worker] = []
        self._waiting: deque[Job] = deque()
        self._closed = False

    @property
    def n_workers(self) -> int:
        """Threads that have been started."""
        return len(self._workers)

    def submit(self, tasks: Sequence[Callable[[], object]], *, bind: bool = False, most: float = 0) -> list[Job]:
        """Run ``tasks`` some time soon, each on a free worker, or on a new one while there are few.

        Workers are started until there are as many as tasks, or ``most``, or CPUs but the caller's, whatever is more.
        Where all are busy, tasks wait for one; after `close` they are dropped. ``bind`` places the workers on cores of
        their own, away from the caller's; right only for tasks that run kernels and nothing else.

        Returns
        -------
        The jobs that wait; who needs them no more may `withdraw` them.
        """
        home = placement.caller_cores()
        parts = placement.helper_cores(home, len(tasks)) if bind else [home] * len(tasks)
        jobs = [Job(task, cores, home) for task, cores in zip(tasks, parts, strict=True)]
        most = max(most, len(tasks))
        with self._lock:
            return [job for job in jobs if not self._give(job, most)]

    def withdraw(self, jobs: Sequence[Job]) -> None:
        """Forget those of ``jobs`` that still wait: long tasks would else let them pile up."""
        with self._lock:
            for job in jobs:
                if job in self._waiting:
                    self._waiting.remove(job)

    def _give(self, job: Job, most: float) -> bool:
        """Hand a job to a worker; False where it has to wait for one."""
        if self._closed:
            return True
        worker = next((one for one in self._workers if one.is_free), None)
        if worker is None and len(self._workers) < max(most, budget.cpu_count() - 1):
            worker = self._start()
        if worker is None:
            self._waiting.append(job)
            return False
        worker.place(job.cores)
        worker.inbox.put(job)
        worker.busy = True   # after the put: an interrupt between the two must not lose the worker
        return True

    def _start(self) -> Worker | None:
        try:
            worker = Worker(self, len(self._workers))
        except RuntimeError:   # the system gives no more threads, or the interpreter goes down; the callers do all
            return None        # the work then, which is slower and not wrong
        self._workers.append(worker)
        return worker

    def next_job(self, worker: Worker) -> Job | None:
        """A queued job for a worker that has become free; None (and the worker is free) where there is none."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            worker.busy = False
            return None

    def close(self, timeout: float = 1.0) -> None:
        """Let the workers end, waiting up to ``timeout`` seconds for each that is busy; for interpreter exit."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        for worker in self._workers:
            worker.inbox.put(None)
        for worker in self._workers:
            worker.thread.join(timeout)


pool = Pool()


def _after_fork() -> None:
    pool.reset()
    budget.leave_worker()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: pool.close())
