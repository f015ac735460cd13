"""The pool itself, and where it puts its threads."""

import os
import textwrap
import threading
import time

import pytest

from fastframe._threads import placement
from fastframe._threads._drive import current_core
from fastframe._threads.budget import cpu_count
from fastframe._threads.placement import helper_cores
from fastframe._threads.pool import Pool, pool
from fastframe.options import option_context
from tests.threads.probing import Probe, python, threads_used

can_place = pytest.mark.skipif(not placement.CAN_PLACE, reason="the system has no affinity")


def wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_threads_are_started_when_needed_and_kept() -> None:
    own = Pool()
    assert own.n_workers == 0
    names: list[str] = []
    for n_tasks, n_workers in [(1, 1), (3, 3), (2, 3)]:
        gate = threading.Barrier(n_tasks + 1)
        own.submit([lambda gate=gate: (names.append(threading.current_thread().name), gate.wait(30))] * n_tasks)
        gate.wait(30)
        wait_for(lambda: all(worker.is_free for worker in own._workers))
        assert own.n_workers == n_workers
    assert set(names) == {"fastframe-0", "fastframe-1", "fastframe-2"}
    assert all(worker.thread.daemon for worker in own._workers)
    own.close()


def test_tasks_wait_for_busy_workers() -> None:
    own = Pool()
    gate = threading.Event()
    done: list[int] = []
    own.submit([lambda: gate.wait(30)])
    for number in range(5):
        own.submit([lambda number=number: done.append(number)])
    assert (own.n_workers, done) == (1, [])
    gate.set()
    wait_for(lambda: len(done) == 5)
    assert done == list(range(5))
    own.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_survives_a_task_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(str(args.exc_value)))
    own = Pool()
    done = threading.Event()

    def fail() -> None:
        raise LookupError("of the task")

    own.submit([fail])
    own.submit([done.set])
    assert done.wait(30)
    assert (own.n_workers, seen) == (1, ["of the task"])
    own.close()


def test_a_closed_pool_drops_tasks_and_ends_its_threads() -> None:
    own = Pool()
    own.submit([lambda: None])
    own.close()
    assert not any(worker.thread.is_alive() for worker in own._workers)
    own.submit([pytest.fail])
    assert own.n_workers == 1


def test_a_system_without_more_threads_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    own = Pool()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    own.submit([pytest.fail])
    assert own.n_workers == 0


@pytest.mark.parametrize(("registered", "n_threads"), [("after", 2), ("before", 1)])
def test_operations_at_interpreter_exit_still_work(registered: str, n_threads: int) -> None:
    code = """
    import atexit
    def late():
        from tests.threads.probing import Probe
        probe = Probe(100, 1_000_000)
        probe.run()
        print(probe.is_complete, probe.n_threads)
    if "{registered}" == "before": atexit.register(late)    # runs after the pool is closed: last in, first out
    from fastframe._threads import pool
    from fastframe.options import options
    options.threads = 2
    if "{registered}" == "after": atexit.register(late)
    """
    done = python(textwrap.dedent(code.format(registered=registered)))
    assert done.stdout == f"True {n_threads}\n", done.stderr


def test_helper_cores_are_disjoint_and_not_the_callers() -> None:
    cores = frozenset(range(100, 116)) | {current_core()}
    for n_helpers in (1, 2, 5, 15):
        parts = helper_cores(cores, n_helpers)
        assert len(parts) == n_helpers
        assert all(parts)
        union = frozenset().union(*parts)
        assert union == cores - {current_core()} or current_core() not in union   # we may have moved meanwhile
        assert sum(map(len, parts)) == len(union)


def test_more_helpers_than_cores_are_not_bound() -> None:
    cores = frozenset({current_core(), 1000})
    assert helper_cores(cores, 3) == [cores] * 3
    assert helper_cores(None, 2) == [None, None]


@can_place
def test_helpers_are_bound_for_kernels_only() -> None:
    home = os.sched_getaffinity(0)
    seen: list[set[int]] = []
    own = Pool()
    for bind in (True, False, True, False):
        done = threading.Event()
        own.submit([lambda done=done: (seen.append(os.sched_getaffinity(0)), done.set())], bind=bind)
        assert done.wait(30)
        wait_for(lambda: own._workers[0].is_free)
    assert seen[1] == seen[3] == home
    assert len(home) == 1 or (seen[0] < home and len(seen[0]) == len(home) - 1)
    assert os.sched_getaffinity(0) == home
    own.close()


@can_place
@pytest.mark.skipif(cpu_count() == 1, reason="there is one core")
def test_a_helper_stays_where_it_is_put(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[frozenset[int]]] = []
    monkeypatch.setattr(placement, "helper_cores", lambda *args: given.append(helper_cores(*args)) or given[-1])
    alone = Probe(1)
    alone.run()
    with option_context(threads=2):
        for _ in range(5):
            probe = Probe(40, 200_000)
            probe.run()
            assert set(probe.cores[probe.threads != alone.threads[0]].tolist()) <= given[-1][0]
            assert given[-1][0] < os.sched_getaffinity(0)


@can_place
def test_a_core_that_does_not_exist_is_refused_quietly() -> None:
    assert not placement.place(threading.get_native_id(), frozenset({10_000}))
    assert placement.place(threading.get_native_id(), frozenset(os.sched_getaffinity(0)))


def test_the_pool_of_the_process_is_one() -> None:
    with option_context(threads=2):
        threads_used()
        before = pool.n_workers
        threads_used()
    assert pool.n_workers == before >= 1
