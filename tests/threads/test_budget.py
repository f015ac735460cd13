"""How many threads an operation gets: the order of the settings, workers' shares, CPU quotas."""

import multiprocessing
import os
import sys
import types
from multiprocessing.pool import ThreadPool
from pathlib import Path

import joblib
import pytest

from fastframe._threads import budget, thread_count
from fastframe._threads.budget import cpu_count, quota_cpus
from fastframe.errors import ArgumentError
from fastframe.options import option_context
from tests.threads.probing import python

BACKENDS = ["loky", "threading", "multiprocessing"]


def test_the_default_is_the_cpus_of_the_process() -> None:
    assert thread_count() == cpu_count()


def test_cpu_count_is_that_of_joblib(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpu_count() == joblib.cpu_count()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert cpu_count() == joblib.cpu_count() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_limits_the_threads() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert thread_count() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert thread_count() == cpu_count()


def test_settings_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFRAME_THREADS", "7")
    assert thread_count() == 7
    with option_context(threads=5):
        assert thread_count() == 5
        with joblib.parallel_config(n_jobs=3):
            assert thread_count() == 3
        assert thread_count() == 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_n_jobs_of_any_backend_decides(backend: str) -> None:
    with option_context(threads=5), joblib.parallel_config(backend, n_jobs=1):
        assert thread_count() == 1
    with option_context(threads=5), joblib.parallel_config(backend, n_jobs=3):
        assert thread_count() == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_without_n_jobs_decides_nothing(backend: str) -> None:
    with option_context(threads=5), joblib.parallel_config(backend):
        assert thread_count() == 5


def test_negative_n_jobs_counts_from_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 8)
    for n_jobs, expected in [(-1, 8), (-2, 7), (-8, 1), (-9, 1), (-100, 1)]:
        with joblib.parallel_config("threading", n_jobs=n_jobs):
            assert thread_count() == expected


def test_n_jobs_that_is_no_number_raises() -> None:
    for n_jobs in (0, "many"):
        with joblib.parallel_config("threading", n_jobs=n_jobs), pytest.raises(ArgumentError, match="n_jobs"):
            thread_count()


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_wrong_environment_variable_raises(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFRAME_THREADS", text)
    with pytest.raises(ArgumentError, match="FASTFRAME_THREADS"):
        thread_count()


def test_an_empty_environment_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFRAME_THREADS", " ")
    assert thread_count() == cpu_count()


def test_nested_operations_get_one_thread() -> None:
    with option_context(threads=5), joblib.parallel_config(n_jobs=3):
        with budget.alone():
            assert thread_count() == 1
        assert thread_count() == 3


def test_loky_workers_get_their_share() -> None:
    n_jobs = 2
    with joblib.parallel_config("loky", n_jobs=n_jobs):
        shares = joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(4))
    assert shares == [max(1, cpu_count() // n_jobs)] * 4


def test_loky_workers_with_a_share_of_their_own() -> None:
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=2):
        shares = joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(2))
    assert shares == [min(2, cpu_count())] * 2


def test_the_environment_cannot_raise_a_loky_workers_share() -> None:
    code = (
        "import joblib; from fastframe._threads import thread_count\n"
        "with joblib.parallel_config('loky', n_jobs=2, inner_max_num_threads=1):\n"
        "    print(joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(2)), thread_count())"
    )
    done = python(code, FASTFRAME_THREADS="6")
    assert done.stdout.strip() == "[1, 1] 2", done.stderr


def test_n_jobs_inside_a_worker_decides() -> None:
    def nested() -> int:
        with joblib.parallel_config(n_jobs=4):
            return thread_count()

    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend, n_jobs=2):
            assert joblib.Parallel()(joblib.delayed(nested)() for _ in range(2)) == [4, 4]


def test_multiprocessing_workers_get_one_thread() -> None:
    with joblib.parallel_config("multiprocessing", n_jobs=2), option_context(threads=6):
        assert joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(2)) == [1, 1]


def test_a_plain_child_process_is_nobodys_worker() -> None:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(thread_count()))
    child.start()
    assert receiver.recv() == cpu_count()
    child.join()


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_threading_workers_share_the_cpus(n_jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 12)
    with joblib.parallel_config("threading", n_jobs=n_jobs):
        shares = joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(8))
    assert shares == [12 // n_jobs] * 8


def test_a_setting_can_lower_a_share_but_not_raise_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 12)
    with ThreadPool(4) as threads:
        with option_context(threads=2):
            assert threads.apply(thread_count) == 2
        with option_context(threads=9):
            assert threads.apply(thread_count) == 3


class UnknownBackend(joblib.parallel.ThreadingBackend):
    """A backend whose workers are threads of a kind that we cannot know."""

    def submit(self, func, callback=None):
        import concurrent.futures

        self.executor = concurrent.futures.ThreadPoolExecutor(2)
        future = self.executor.submit(func)
        future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out):
        return out.result()


def test_tasks_of_an_unknown_backend_get_one_thread() -> None:
    with joblib.parallel_config(UnknownBackend(), n_jobs=2), option_context(threads=4):
        assert thread_count() == 2
        assert joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(2)) == [1, 1]


@pytest.mark.parametrize(("n_tasks", "expected"), [(0, 6), (1, 6), (2, 3), (6, 1), (9, 1)])
def test_dask_tasks_share_their_workers_threads(n_tasks: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    state = types.SimpleNamespace(nthreads=6, executing_count=n_tasks)
    module = types.SimpleNamespace(get_worker=lambda: types.SimpleNamespace(state=state))
    monkeypatch.setitem(sys.modules, "distributed", module)
    monkeypatch.setattr(budget, "cpu_count", lambda: 8)
    assert thread_count() == expected


def test_outside_a_dask_task_dask_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_worker() -> None:
        raise ValueError("no worker found")

    monkeypatch.setitem(sys.modules, "distributed", types.SimpleNamespace(get_worker=get_worker))
    assert thread_count() == cpu_count()


def test_a_real_dask_worker() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert client.submit(thread_count, pure=False).result() == min(2, cpu_count())
        with joblib.parallel_config("dask", n_jobs=1):
            assert thread_count() == 1
        with joblib.parallel_config("dask"):
            assert all(1 <= one <= 2 for one in joblib.Parallel()(joblib.delayed(thread_count)() for _ in range(4)))


def test_we_never_import_joblib_nor_start_threads_at_import() -> None:
    code = (
        "import sys, threading, fastframe._threads as t\n"
        "t.thread_count(); t.run_calls([int, int])\n"
        "print([name for name in ('joblib', 'numba', 'pandas', 'distributed') if name in sys.modules])"
    )
    done = python(code)
    assert done.stdout.strip() == "[]", done.stderr
    started = python("import threading, fastframe._threads; print(threading.active_count())")
    assert started.stdout.strip() == "1", started.stderr


V2 = "0::/user.slice/job\n"
V1 = "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max 100000", None), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("1 1000000", 1)],
)
def test_quota_of_cgroup_2(text: str, expected: int | None, tmp_path: Path) -> None:
    write(tmp_path / "user.slice" / "job", cpu__max=text)
    assert quota_cpus(V2, tmp_path) == expected


def test_the_least_quota_on_the_way_up_counts(tmp_path: Path) -> None:
    write(tmp_path / "user.slice", cpu__max="300000 100000")
    write(tmp_path / "user.slice" / "job", cpu__max="800000 100000")
    assert quota_cpus(V2, tmp_path) == 3


def test_a_container_sees_its_quota_at_the_top(tmp_path: Path) -> None:
    write(tmp_path, cpu__max="250000 100000")
    assert quota_cpus("0::/../../host/only\n", tmp_path) == 3
    assert quota_cpus(V2, tmp_path) == 3


@pytest.mark.parametrize(
    ("quota", "period", "expected"), [("-1", "100000", None), ("250000", "100000", 3), ("100000", "100000", 1)]
)
def test_quota_of_cgroup_1(quota: str, period: str, expected: int | None, tmp_path: Path) -> None:
    write(tmp_path / "cpu" / "job", cpu__cfs_quota_us=quota, cpu__cfs_period_us=period)
    assert quota_cpus(V1, tmp_path) == expected


@pytest.mark.parametrize("membership", ["", V1, V2])
def test_no_quota(membership: str, tmp_path: Path) -> None:
    assert quota_cpus(membership, tmp_path) is None
