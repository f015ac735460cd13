"""`run`: slices, failures, who takes part, interrupts, forks."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest

from fastframe._kernels.probe import probe_task
from fastframe._threads import SLICE_ROWS, budget, run, slice_rows
from fastframe._threads._drive import Run
from fastframe.errors import KernelStatus, OutOfMemory
from fastframe.options import option_context
from tests.threads.probing import MILLISECOND, Probe, busy_probe, python, threads_used

BACKENDS = ["loky", "threading", "multiprocessing"]


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("n_slices", [1, 2, 3, 100])
def test_every_row_is_done_once(threads: int, n_slices: int) -> None:
    with option_context(threads=threads):
        probe = Probe(n_slices, spin_ns=20_000)
        assert probe.run() is None
    assert probe.rows.tolist() == [512] * (n_slices - 1) + [511]


def test_no_rows_no_slices() -> None:
    probe = Probe(1)
    assert run(probe.task(), 0) is None
    assert probe.n_threads == 0


def test_numbers_that_are_no_slices_are_refused() -> None:
    for n_rows, rows in [(-1, 512), (10, 0), (10, -512)]:
        with pytest.raises(ValueError, match="slices"):
            run(Probe(1).task(), n_rows, rows)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("fail_from", [0, 1, 17, 63])
def test_the_lowest_failing_slice_wins(threads: int, fail_from: int) -> None:
    with option_context(threads=threads):
        for _ in range(10):
            probe = Probe(64, 30_000, fail_from, KernelStatus.OVERFLOW)
            assert probe.run() == (fail_from * 512, KernelStatus.OVERFLOW)


def test_a_failure_stops_the_rest() -> None:
    with option_context(threads=2):
        probe = Probe(1000, 100_000, fail_from=3, fail_status=KernelStatus.INEXACT)
        assert probe.run() == (3 * 512, KernelStatus.INEXACT)
    assert probe.rows[:4].all()
    assert np.count_nonzero(probe.rows) < 500   # nearly always 4 or 5


@pytest.mark.parametrize("threads", [1, 2])
def test_a_kernel_without_memory_raises(threads: int) -> None:
    with option_context(threads=threads), pytest.raises(OutOfMemory, match="probing needs more memory"):
        Probe(50, 1000, fail_from=20, fail_status=KernelStatus.OUT_OF_MEMORY).run()


def test_several_threads_take_part() -> None:
    for threads in (2, 3):
        with option_context(threads=threads):
            assert threads_used() == threads


def test_one_thread_is_the_calling_one() -> None:
    alone = Probe(1)
    Run(alone.task(), 512, 512).work()
    with option_context(threads=1):
        probe = Probe(50, MILLISECOND)
        probe.run()
    assert set(probe.threads) == set(alone.threads)


@pytest.mark.parametrize("backend", BACKENDS)
def test_n_jobs_1_keeps_all_on_the_calling_thread(backend: str) -> None:
    with option_context(threads=4), joblib.parallel_config(backend, n_jobs=1):
        assert threads_used() == 1
    with option_context(threads=1), joblib.parallel_config(backend, n_jobs=2):
        assert threads_used() == 2


def test_cheap_work_wakes_nobody() -> None:
    with option_context(threads=2):
        probes = [Probe(20, spin_ns=500) for _ in range(50)]   # 10 us each
        for probe in probes:
            time.sleep(0.001)   # else a helper that was woken for one listens for the next
            probe.run()
    alone = [probe.n_threads == 1 for probe in probes]
    assert sum(alone) > 25   # not all: a caller that was preempted looks slow


def test_the_task_is_let_go_when_the_run_ends() -> None:
    class Owner:
        pass

    owner = Owner()
    probe = busy_probe()
    addresses = (probe.threads.ctypes.data, probe.cores.ctypes.data, probe.rows.ctypes.data)
    gone = weakref.ref(owner)
    task = probe_task(addresses, (owner, probe), 10_000)
    with option_context(threads=2):
        run(task, probe.n_rows, 512)
    del owner, task
    gc.collect()
    assert gone() is None


def test_a_late_helper_does_nothing() -> None:
    probe = Probe(10)
    one = Run(probe.task(), probe.n_rows, 512)
    one.close()
    assert one.work() is False
    assert probe.n_threads == 0
    assert one.wait()


def test_work_stops_when_its_time_is_over() -> None:
    probe = Probe(10, MILLISECOND)
    one = Run(probe.task(), probe.n_rows, 512)
    assert one.work(1) is True
    assert np.count_nonzero(probe.rows) == 1
    assert one.work() is False
    assert probe.is_complete


def test_inside_joblib_threads() -> None:
    with joblib.parallel_config("threading", n_jobs=4), option_context(threads=4):
        counts = joblib.Parallel()(joblib.delayed(threads_used)() for _ in range(8))
    assert counts == [max(1, budget.cpu_count() // 4)] * 8


def test_inside_loky_workers() -> None:
    with joblib.parallel_config("loky", n_jobs=2):
        counts = joblib.Parallel()(joblib.delayed(threads_used)() for _ in range(4))
    assert counts == [max(1, budget.cpu_count() // 2)] * 4


def test_inside_multiprocessing_workers_after_the_pool_has_started() -> None:
    with option_context(threads=2):
        assert threads_used() == 2
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        assert joblib.Parallel()(joblib.delayed(threads_used)() for _ in range(4)) == [1] * 4


def test_from_eight_user_threads_at_once() -> None:
    def work(number: int) -> bool:
        return all(Probe(30, 20_000).run() is None for _ in range(10)) and busy_probe().run() is None

    with option_context(threads=3), ThreadPoolExecutor(8) as threads:
        results = [one.result(timeout=100) for one in [threads.submit(work, number) for number in range(8)]]
    assert results == [True] * 8


def test_a_failure_reaches_its_own_caller_among_many() -> None:
    def work(number: int) -> tuple[int, int] | None:
        return Probe(40, 50_000, fail_from=number, fail_status=KernelStatus.TOO_LONG).run()

    with option_context(threads=2), ThreadPoolExecutor(8) as threads:
        results = list(threads.map(work, range(8), timeout=100))
    assert results == [(number * 512, KernelStatus.TOO_LONG) for number in range(8)]


INTERRUPTED = """
    import sys, time
    from tests.threads.probing import Probe
    from fastframe.options import options
    from fastframe._threads.pool import pool
    options.threads = {threads}
    probe = Probe(60_000, 1_000_000)    # a minute
    print("ready", flush=True)
    try:
        probe.run()
        print("not interrupted")
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
        done = int((probe.rows > 0).sum())
        time.sleep(0.1)
        print(int((probe.rows > 0).sum()) - done, probe.n_threads)
        again = Probe(150, 1_000_000)
        again.run()
        print(again.is_complete, again.n_threads)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_arrives_within_a_fifth_of_a_second(threads: int) -> None:
    code = textwrap.dedent(INTERRUPTED.format(threads=threads))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        raised = float(child.stdout.readline())
        rest = child.stdout.read()
    assert raised - sent < 0.2
    assert rest.splitlines() == [f"0 {threads}", f"True {threads}"]   # nobody works on; the next run is as any other
    assert child.returncode == 0


def test_an_exception_in_another_thread_stops_the_run_too() -> None:
    import ctypes

    class Stop(Exception):
        pass

    probe = Probe(60_000, MILLISECOND)
    seen: list[BaseException] = []

    def work() -> None:
        try:
            probe.run()
        except Stop as error:
            seen.append(error)

    with option_context(threads=2):
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert len(seen) == 1
    done = np.count_nonzero(probe.rows)
    time.sleep(0.05)
    assert np.count_nonzero(probe.rows) == done < 60_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_forked_child_has_threads_of_its_own() -> None:
    with option_context(threads=2):
        assert threads_used() == 2
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writer, bytes([threads_used()]))
            finally:
                os._exit(0)
        os.close(writer)
        answer = os.read(reader, 1)
        os.waitpid(child, 0)
        os.close(reader)
        assert answer == bytes([2])
        assert threads_used() == 2


def test_a_fork_while_other_threads_run_kernels() -> None:
    code = """
    import multiprocessing, threading
    from tests.threads.probing import Probe, threads_used
    from fastframe.options import options
    options.threads = 2
    on = True
    def work():
        while on:
            Probe(20, 100_000).run()
    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]   # end with this process where the tests were killed
    for thread in threads: thread.start()
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        child = context.Process(target=threads_used)
        child.start()
        child.join(60)
        print(child.exitcode)
    on = False
    for thread in threads: thread.join()
    """
    done = python(textwrap.dedent(code))
    assert done.stdout.split() == ["0"] * 5, done.stderr


def test_the_interpreter_ends_while_the_pool_works() -> None:
    code = """
    import threading, time
    from tests.threads.probing import Probe
    from fastframe.options import options
    options.threads = 2
    threading.Thread(target=Probe(60_000, 1_000_000).run, daemon=True).start()
    time.sleep(0.2)
    """
    started = time.monotonic()
    done = python(textwrap.dedent(code))
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - started < 30   # not the minute that the run would take


@pytest.mark.parametrize("n_rows", [0, 1, 10**6, 10**8])
@pytest.mark.parametrize("state_bytes", [0, 8, 10**5, 10**7])
def test_slice_rows_bounds_the_partial_states(n_rows: int, state_bytes: int) -> None:
    rows = slice_rows(n_rows, state_bytes, row_bytes=8)
    assert rows % 512 == 0
    assert rows >= SLICE_ROWS
    n_slices = -(-n_rows // rows)
    assert n_slices <= 1 or n_slices * state_bytes <= n_rows * 8 / 5
