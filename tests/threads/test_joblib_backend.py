"""joblib.Parallel on the one pool: what comes back, in what order, when tasks fail, nest, time out or are abandoned."""

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator
from multiprocessing import TimeoutError as TaskTimeout

import joblib
import pytest
from joblib import Parallel, delayed

from fastframe._threads import budget, joblib_backend, thread_count
from fastframe._threads.pool import pool
from fastframe.errors import JoblibMismatch
from tests.threads.probing import busy_probe, python


@pytest.fixture(autouse=True)
def on_the_pool() -> Iterator[None]:
    with joblib.parallel_config("fastframe", n_jobs=2):
        yield


def square(x: int) -> int:
    return x * x


def fail_at(x: int, bad: int = 5) -> int:
    if x == bad:
        raise LookupError(f"task {x}")
    time.sleep(0.001)
    return x


def squares(n: int, **arguments: object) -> list[int]:
    return Parallel(**arguments)(delayed(square)(x) for x in range(n))


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8, -1])
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 7, 300])
def test_results_in_order(n_jobs: int, n_tasks: int) -> None:
    assert squares(n_tasks, n_jobs=n_jobs) == [x * x for x in range(n_tasks)]


@pytest.mark.parametrize("arguments", [{"batch_size": 7}, {"pre_dispatch": "all"}, {"pre_dispatch": 1}, {"require": "sharedmem"}], ids=str)
def test_arguments_of_parallel(arguments: dict[str, object]) -> None:
    assert squares(100, **arguments) == [x * x for x in range(100)]


def test_tasks_run_on_the_pool_and_on_the_caller() -> None:
    gate = threading.Barrier(2)

    def name() -> str:
        gate.wait(30)
        return threading.current_thread().name

    names = set(Parallel()(delayed(name)() for _ in range(2)))
    assert threading.current_thread().name in names
    assert all(one.startswith("fastframe-") for one in names - {threading.current_thread().name})


@pytest.mark.parametrize("arguments", [{}, {"return_as": "generator"}, {"return_as": "generator_unordered"}, {"timeout": 60}], ids=str)
@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 2), (2, 2), (3, 3), (4, 4)])
def test_so_many_tasks_at_a_time(n_jobs: int | None, expected: int, arguments: dict[str, object]) -> None:
    lock = threading.Lock()
    running = most = 0

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    list(Parallel(n_jobs=n_jobs, **arguments)(delayed(task)() for _ in range(12)))
    assert most == expected


def test_n_jobs_is_one_unless_somebody_says_so() -> None:
    with joblib.parallel_config("fastframe", n_jobs=None):
        assert set(Parallel()(delayed(threading.get_ident)() for _ in range(8))) == {threading.get_ident()}
        assert joblib.effective_n_jobs(None) == 1
    assert joblib.effective_n_jobs(None) == 2


def test_negative_n_jobs_counts_from_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 6)
    assert [joblib.effective_n_jobs(n_jobs) for n_jobs in (-1, -2, -6, -9)] == [6, 5, 1, 1]
    # In one of three tasks, from its two CPUs.
    assert Parallel(n_jobs=3)(delayed(joblib.effective_n_jobs)(-1) for _ in range(3)) == [2, 2, 2]


def test_n_jobs_0_raises() -> None:
    with pytest.raises(ValueError, match="n_jobs=0 has no meaning"):
        squares(3, n_jobs=0)


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_an_error_of_a_task_arrives_soon(return_as: str) -> None:
    done = []

    def task(x: int) -> None:
        if x == 3:
            raise LookupError("task 3")
        time.sleep(0.01)
        done.append(x)

    with pytest.raises(LookupError, match="task 3"):
        list(Parallel(return_as=return_as)(delayed(task)(x) for x in range(1000)))
    assert len(done) < 100


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_an_error_of_the_iterator_arrives(return_as: str) -> None:
    def tasks() -> Iterator[object]:
        yield from (delayed(square)(x) for x in range(20))
        raise LookupError("no more tasks")

    with pytest.raises(LookupError, match="no more tasks"):
        list(Parallel(return_as=return_as)(tasks()))
    assert squares(10) == [x * x for x in range(10)]


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_an_error_shows_where_it_was_raised(return_as: str) -> None:
    with pytest.raises(LookupError) as caught:
        list(Parallel(return_as=return_as)(delayed(fail_at)(x) for x in range(8)))
    functions = [entry.name for entry in caught.traceback]
    assert "fail_at" in functions or "in fail_at" in "".join(caught.value.__notes__)


def test_a_parallel_gives_no_stale_results_after_a_failure() -> None:
    parallel = Parallel(batch_size=2)
    for _ in range(30):
        with pytest.raises(LookupError):
            parallel(delayed(fail_at)(x) for x in range(100))
        assert parallel(delayed(square)(x) for x in range(50)) == [x * x for x in range(50)]


def test_a_managed_parallel_goes_on_after_a_failure() -> None:
    with Parallel() as parallel:
        for _ in range(10):
            assert parallel(delayed(square)(x) for x in range(50)) == [x * x for x in range(50)]
            with pytest.raises(LookupError):
                parallel(delayed(fail_at)(x) for x in range(100))


def test_an_error_keeps_nothing_alive() -> None:
    def failing() -> None:
        big = Canary()
        raise LookupError(str(type(big)))

    class Canary:
        alive = 0

        def __init__(self) -> None:
            Canary.alive += 1

        def __del__(self) -> None:
            Canary.alive -= 1

    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            with pytest.raises(LookupError):
                Parallel()(delayed(failing)() for _ in range(1))
        assert Canary.alive <= 5   # joblib and pytest hold some; none of the counts may run away
    finally:
        gc.enable()
    gc.collect()
    assert Canary.alive <= 1


def test_generators_keep_their_order() -> None:
    assert list(Parallel(return_as="generator")(delayed(square)(x) for x in range(100))) == [x * x for x in range(100)]


def test_unordered_generators_give_what_is_done() -> None:
    def sleep(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    found = list(Parallel(return_as="generator_unordered", n_jobs=3)(delayed(sleep)(s) for s in (0.6, 0.05, 0.3)))
    assert found == [0.05, 0.3, 0.6]


def test_interleaved_generators() -> None:
    first, second = (Parallel(return_as="generator")(delayed(square)(x) for x in range(60)) for _ in range(2))
    assert [(a, b) for a, b in zip(first, second, strict=True)] == [(x * x, x * x) for x in range(60)]


def test_a_call_while_a_generator_is_open() -> None:
    with Parallel(return_as="generator") as parallel:
        generator = parallel(delayed(square)(x) for x in range(60))
        assert [next(generator), next(generator)] == [0, 1]
        assert squares(40) == [x * x for x in range(40)]
        assert list(generator) == [x * x for x in range(2, 60)]


@pytest.mark.parametrize("return_as", ["generator", "generator_unordered"])
def test_an_abandoned_generator_stops(return_as: str) -> None:
    started = []
    generator = Parallel(return_as=return_as)(delayed(lambda x: (started.append(x), time.sleep(0.005)))(x) for x in range(10_000))
    next(generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)   # joblib: tasks have been executed, but not used
        del generator
        gc.collect()
    time.sleep(0.05)
    n_started = len(started)
    time.sleep(0.05)
    assert len(started) == n_started < 1000
    assert squares(10) == [x * x for x in range(10)]


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_a_timeout(return_as: str) -> None:
    gate = threading.Event()
    try:
        with pytest.raises(TaskTimeout):
            list(Parallel(timeout=0.05, return_as=return_as)(delayed(gate.wait)(30) for _ in range(4)))
        assert squares(20) == [x * x for x in range(20)]   # also while abandoned tasks hold workers
    finally:
        gate.set()
    assert list(Parallel(timeout=30, return_as=return_as)(delayed(square)(2) for _ in range(4))) == [4] * 4


@pytest.mark.parametrize("n_jobs", [2, 8, -1])
@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_nested_calls(n_jobs: int, return_as: str) -> None:
    def leaf(x: int) -> int:
        return x + 1

    def middle(x: int) -> int:
        return sum(Parallel(n_jobs=n_jobs)(delayed(leaf)(x + y) for y in range(4)))

    def top(x: int) -> int:
        return sum(Parallel(n_jobs=n_jobs, return_as=return_as)(delayed(middle)(x + y) for y in range(3)))

    expected = [sum(x + y + z + 1 for y in range(3) for z in range(4)) for x in range(4)]
    for _ in range(10 if return_as != "generator_unordered" else 2):   # which joblib polls for
        assert Parallel(n_jobs=n_jobs)(delayed(top)(x) for x in range(4)) == expected


def test_nested_timeouts_do_not_wait_for_themselves() -> None:
    def task(x: int) -> list[int]:
        return Parallel(n_jobs=2, timeout=60)(delayed(square)(x + y) for y in range(3))

    assert Parallel(n_jobs=3)(delayed(task)(x) for x in range(6)) == [[(x + y) ** 2 for y in range(3)] for x in range(6)]


def test_many_threads_call_at_once() -> None:
    found: dict[int, list[int]] = {}

    def call(number: int) -> None:
        with joblib.parallel_config("fastframe", n_jobs=3):
            for _ in range(20):
                found[number] = squares(30)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {number: [x * x for x in range(30)] for number in range(6)}


def test_kernels_in_tasks_get_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: 6)
    assert Parallel(n_jobs=2)(delayed(thread_count)() for _ in range(6)) == [3] * 6
    assert Parallel(n_jobs=8)(delayed(thread_count)() for _ in range(20)) == [1] * 20

    def nested() -> list[int]:
        return Parallel(n_jobs=2)(delayed(thread_count)() for _ in range(2))

    assert Parallel(n_jobs=2)(delayed(nested)() for _ in range(2)) == [[1, 1], [1, 1]]   # 6 // 2 // 2
    with joblib.parallel_config("fastframe", n_jobs=3, inner_max_num_threads=5):
        assert Parallel()(delayed(thread_count)() for _ in range(4)) == [5] * 4
    assert thread_count() == 2   # n_jobs of the block


@pytest.mark.parametrize("cpus", [1, 2, 6])
def test_kernels_in_tasks_finish(cpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "cpu_count", lambda: cpus)

    def task() -> tuple[bool, int]:
        probe = busy_probe()
        return probe.run() is None and probe.is_complete, probe.n_threads

    found = Parallel(n_jobs=2)(delayed(task)() for _ in range(4))
    assert all(complete for complete, _ in found)
    assert all(n_threads <= max(1, cpus // 2) for _, n_threads in found)
    if cpus == 6:
        assert max(n_threads for _, n_threads in found) > 1


def test_jobs_do_not_pile_up_in_the_pool() -> None:
    def task() -> None:
        for _ in range(50):
            squares(4, n_jobs=2)

    Parallel(n_jobs=2)(delayed(task)() for _ in range(2))
    assert len(pool._waiting) <= 2


def test_a_joblib_of_another_make_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib_backend, "_NEEDED", ("_lock", "_ready_bins"))
    with pytest.raises(JoblibMismatch) as caught:
        squares(4)
    assert str(caught.value) == (
        f'the joblib backend "fastframe" does not fit joblib {joblib.__version__}: it finds no Parallel._ready_bins. '
        'Use joblib.parallel_config("threading"), or another version of joblib.'
    )


@pytest.mark.parametrize("first", ["import fastframe, joblib", "import joblib, fastframe", "import fastframe; from joblib import parallel"])
def test_it_is_there_whatever_is_imported_first(first: str) -> None:
    code = (
        f"{first}\n"
        "import sys, joblib\n"
        "assert joblib.Parallel(n_jobs=2, backend='fastframe')(joblib.delayed(abs)(-x) for x in range(3)) == [0, 1, 2]\n"
        "with joblib.parallel_config('fastframe', n_jobs=2):\n"
        "    print(joblib.Parallel()(joblib.delayed(abs)(-x) for x in range(3)))\n"
        "print([type(one).__name__ for one in sys.meta_path if 'Joblib' in type(one).__name__])"
    )
    done = python(code)
    assert done.stdout.split("\n")[:2] == ["[0, 1, 2]", "[]"], done.stderr


def test_asking_whether_joblib_is_there_does_not_lose_it() -> None:
    code = (
        "import fastframe, importlib.util\n"
        "assert importlib.util.find_spec('joblib') and importlib.util.find_spec('no_such_module') is None\n"
        "import joblib; print('fastframe' in joblib.parallel.BACKENDS)"
    )
    assert python(code).stdout.strip() == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_in_a_forked_child() -> None:
    assert squares(50) == [x * x for x in range(50)]   # the parent's workers run
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if squares(50) == [x * x for x in range(50)] else 2
        finally:
            os._exit(status)
    end = time.monotonic() + 60
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < end, "the child hangs"
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(done[1]) == 0


INTERRUPTED = """
    import os, signal, sys, threading, time
    import fastframe, joblib
    def sleep():
        time.sleep(0.02)
    def send():
        time.sleep(0.5)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    sent = []
    with joblib.parallel_config("fastframe", n_jobs=2):
        threading.Thread(target=send).start()
        try:
            list(joblib.Parallel(return_as=sys.argv[1])(joblib.delayed(sleep)() for _ in range(500)))
        except KeyboardInterrupt:
            assert time.monotonic() - sent[0] < 2   # of five seconds
            print(joblib.Parallel()(joblib.delayed(abs)(-x) for x in range(3)))
"""


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_ctrl_c(return_as: str) -> None:
    code = textwrap.dedent(INTERRUPTED)
    done = subprocess.run([sys.executable, "-c", code, return_as], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[0, 1, 2]", done.stderr
