"""How many threads one operation may use: `thread_count`.

The first of these that says something decides: a call nested in one of ours (one thread), ``n_jobs`` of an active
``joblib.parallel_config``, ``ff.options.threads``, ``FASTFRAME_THREADS``, the CPUs of this process. Inside a task of
joblib's (of our own backend, too) or of Dask's the last three give at most that task's share of the CPUs.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import ceil, inf
from typing import TYPE_CHECKING

from fastframe.errors import ArgumentError
from fastframe.options import options

if TYPE_CHECKING:
    from pathlib import Path

# What joblib sets in a loky worker's environment (`ParallelBackendBase.MAX_NUM_THREADS_VARS`): CPUs // n_jobs, or
# inner_max_num_threads, but a variable that the parent had keeps the parent's value. So the least of them counts.
_WORKER_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip


class _Nesting(threading.local):
    depth = 0
    share: int | None = None   # of a task of our joblib backend


_nesting = _Nesting()


@contextmanager
def alone() -> Iterator[None]:
    """Operations started by this thread inside the block get one thread: it is itself one of many."""
    _nesting.depth += 1
    try:
        yield
    finally:
        _nesting.depth -= 1


@contextmanager
def sharing(n_threads: int) -> Iterator[None]:
    """Operations started by this thread inside the block get at most ``n_threads``: it runs one of several tasks.

    That holds also on a thread of the pool, whose own operations would get one thread.
    """
    before = _nesting.depth, _nesting.share
    _nesting.depth, _nesting.share = 0, n_threads
    try:
        yield
    finally:
        _nesting.depth, _nesting.share = before


def enter_worker() -> None:
    """The calling thread is one of the pool's: all that it ever starts is nested."""
    _nesting.depth = 1


def leave_worker() -> None:
    """The calling thread is nobody's helper any more: it is the one thread of a forked child."""
    _nesting.depth, _nesting.share = 0, None


def thread_count() -> int:
    """Threads of an operation that starts now on the calling thread, itself included.

    Raises
    ------
    ArgumentError
        ``n_jobs`` of the active ``joblib.parallel_config`` or ``FASTFRAME_THREADS`` is not a number of threads.
    """
    if _nesting.depth:
        return 1
    n_jobs, nesting_level = _joblib_context()
    share = _share(nesting_level)
    if n_jobs is not None:
        return n_jobs if n_jobs > 0 else max(1, (share or cpu_count()) + 1 + n_jobs)
    wanted = options.threads or _env_count("FASTFRAME_THREADS")
    if share is not None:
        return min(share, wanted or share)
    return wanted or cpu_count()


def cpu_count() -> int:
    """CPUs that this process may use: the least of its affinity, its cgroup's quota and ``LOKY_MAX_CPU_COUNT``.

    As ``joblib.cpu_count()`` counts, so that a negative ``n_jobs`` means what it means there.
    """
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    else:
        usable = os.cpu_count() or 1
    limits = [usable, _cgroup_cpus(), _env_count("LOKY_MAX_CPU_COUNT")]
    return min(limit for limit in limits if limit is not None)


def available_cpus() -> int:
    """CPUs that fall to the calling thread, whatever settings say: all of them, or its share as somebody's worker."""
    if _nesting.depth:
        return 1
    return _share(_joblib_context()[1]) or cpu_count()


def _share(nesting_level: int) -> int | None:
    return _nesting.share if _nesting.share is not None else _worker_share(nesting_level)


def _worker_share(nesting_level: int) -> int | None:
    """CPUs that fall to the calling thread where it is a worker of joblib, multiprocessing or Dask; else None."""
    task_share = _dask_share()
    if task_share is not None:
        return task_share
    process_share = _process_share()
    dummy = sys.modules.get("multiprocessing.dummy")
    if dummy is not None and isinstance(threading.current_thread(), dummy.DummyProcess):
        # joblib's threading backend is a ThreadPool, whose threads are DummyProcesses and whose size is told nowhere.
        n_workers = sum(isinstance(thread, dummy.DummyProcess) for thread in threading.enumerate())
        return max(1, (process_share or cpu_count()) // max(1, n_workers))
    if process_share is None and nesting_level > 0:
        return 1   # a task of a backend that we do not know: joblib itself would give it one job
    return process_share


def _joblib_context() -> tuple[int | None, int]:
    """``(n_jobs of the active parallel_config, nesting level)``; ``(None, 0)`` where joblib was never imported."""
    get_active_backend = getattr(sys.modules.get("joblib.parallel"), "get_active_backend", None)
    if get_active_backend is None:
        return None, 0
    backend, n_jobs = get_active_backend()
    level = getattr(backend, "nesting_level", 0) or 0
    if n_jobs is None:
        return None, level
    try:
        count = int(n_jobs)
    except (TypeError, ValueError):
        count = 0
    if count == 0:
        raise ArgumentError.because(
            "joblib.parallel_config", f"n_jobs={n_jobs!r} is not a number of jobs", "Give a positive or negative int."
        )
    return count, level


def _process_share() -> int | None:
    """CPUs of this process where it is one worker of several: loky's, or a multiprocessing pool's; else None."""
    module = sys.modules.get("multiprocessing.process")
    process = module.current_process() if module is not None else None
    if process is None:
        return None
    if process.daemon:
        return 1   # a pool does not tell its workers how many they are; joblib gives them one job, too
    if type(process).__name__ == "LokyProcess":
        told = [os.environ.get(name, "").split(",")[0].strip() for name in _WORKER_VARIABLES]
        return min([cpu_count(), *(int(text) for text in told if text.isdecimal() and int(text) > 0)])
    return None


def _dask_share() -> int | None:
    """CPUs of the Dask task that the calling thread runs (its worker's threads over its running tasks), else None."""
    get_worker = getattr(sys.modules.get("distributed"), "get_worker", None)
    if get_worker is None:
        return None
    try:
        state = get_worker().state
    except ValueError:
        return None
    n_threads, n_tasks = int(state.nthreads), int(state.executing_count)
    return max(1, min(n_threads, cpu_count()) // max(1, n_tasks))


def _env_count(name: str) -> int | None:
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentError.of("the environment", name, text, ["an int of at least 1"])
    return int(text)


@lru_cache(maxsize=1)
def _cgroup_cpus() -> int | None:
    """CPUs that the quota of this process's cgroups pays for; None where there is none. Read once per process."""
    from pathlib import Path  # late: it brings urllib along, a tenth of what `import fastframe` costs

    try:
        membership = Path("/proc/self/cgroup").read_text()
    except OSError:
        return None
    return quota_cpus(membership, Path("/sys/fs/cgroup"))


def quota_cpus(membership: str, root: Path) -> int | None:
    """The least CPU quota, in CPUs rounded up, of the cgroups that ``membership`` names, and of those above them.

    ``membership`` is the text of ``/proc/self/cgroup``. In a container it may name a folder that only the host sees;
    then the quota is found at the top, where the container's own cgroup is mounted.
    """
    quotas: list[float] = []
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root
        folder = top / path.strip("/")
        quotas += [_quota(one) for one in (folder, *folder.parents) if one.is_relative_to(top)]
    least = min(quotas, default=inf)
    return ceil(least) if least < inf else None


def _quota(folder: Path) -> float:
    """A cgroup's quota in CPUs: ``cpu.max`` of version 2, or version 1's two files; infinite where there is none."""
    for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        if quota.isdecimal() and int(quota) > 0 and int(period) > 0:   # "max" and -1 mean no limit
            return int(quota) / int(period)
    return inf
