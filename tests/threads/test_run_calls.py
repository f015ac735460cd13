"""`run_calls`: order, errors, nesting, interrupts."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest

from fastframe._threads import driver, run_calls, thread_count
from fastframe.options import option_context
from tests.threads.probing import Probe


def after(seconds: float, value: object) -> object:
    time.sleep(seconds)
    return value


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_come_in_order(threads: int) -> None:
    with option_context(threads=threads):
        assert run_calls([lambda one=one: after(0.002 * (one % 3), one) for one in range(20)]) == list(range(20))
        assert run_calls([]) == []
        assert run_calls([lambda: None]) == [None]


def test_calls_run_at_once() -> None:
    both = threading.Barrier(2)
    with option_context(threads=2):
        run_calls([lambda: both.wait(30), lambda: both.wait(30)])   # each alone would break the barrier


def test_one_thread_is_the_calling_one() -> None:
    with option_context(threads=4), joblib.parallel_config("threading", n_jobs=1):
        assert set(run_calls([threading.get_ident] * 10)) == {threading.get_ident()}


def test_no_more_threads_than_asked_for() -> None:
    with option_context(threads=4):
        run_calls([lambda: time.sleep(0.02)] * 8)
    with option_context(threads=2):
        used = run_calls([lambda: after(0.01, threading.get_ident())] * 8)
    assert len(set(used)) == 2


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_first_error_is_raised_and_the_rest_not_begun(threads: int) -> None:
    begun: list[int] = []

    def call(number: int) -> None:
        begun.append(number)
        time.sleep(0.03 if number == 1 else 0.001)
        if number in (1, 2):
            raise KeyError(number)

    with option_context(threads=threads):
        for _ in range(3):
            begun.clear()
            with pytest.raises(KeyError, match="1"):
                run_calls([lambda number=number: call(number) for number in range(50)])
            assert len(begun) < 10
        assert run_calls([lambda: 1, lambda: 2]) == [1, 2]


@pytest.mark.parametrize("number", [0, 1])
def test_system_exit_in_a_call_is_the_callers(number: int) -> None:
    both = threading.Barrier(2)   # so that one of the two runs on a thread of the pool

    def call(own: int) -> None:
        both.wait(30)
        if own == number:
            sys.exit(3)

    with option_context(threads=2), pytest.raises(SystemExit):
        run_calls([lambda: call(0), lambda: call(1)])


def test_operations_inside_get_one_thread() -> None:
    def nested() -> tuple[int, int]:
        probe = Probe(20, 100_000)
        probe.run()
        return thread_count(), probe.n_threads

    with option_context(threads=3):
        assert run_calls([nested] * 6) == [(1, 1)] * 6
        assert thread_count() == 3


def test_one_call_alone_is_not_nested() -> None:
    with option_context(threads=3):
        assert run_calls([thread_count]) == [3]


def test_calls_inside_calls_inside_user_threads_end() -> None:
    def outer() -> list[int]:
        return run_calls([lambda one=one: sum(run_calls([lambda: one, lambda: 1])) for one in range(4)])

    with option_context(threads=2), ThreadPoolExecutor(6) as threads:
        results = [one.result(timeout=60) for one in [threads.submit(outer) for _ in range(12)]]
    assert results == [[1, 2, 3, 4]] * 12


def test_ctrl_c_in_calls() -> None:
    code = """
    import time
    from fastframe._threads import run_calls
    from fastframe.options import options
    options.threads = 2
    begun = []
    def call(number):
        begun.append(number)
        time.sleep(0.1)
    print("ready", flush=True)
    try:
        run_calls([lambda number=number: call(number) for number in range(500)])
    except KeyboardInterrupt:
        print(time.monotonic())
        count = len(begun)
        time.sleep(0.3)
        print(len(begun) - count, len(begun) < 50)
    print(run_calls([lambda: 1, lambda: 2]))
    """
    code = textwrap.dedent(code)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.35)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        lines = child.stdout.read().splitlines()
    assert float(lines[0]) - sent < 0.1 + 0.2   # a call that has begun is waited for
    assert lines[1:] == ["0 True", "[1, 2]"]
    assert child.returncode == 0


def test_a_helper_that_comes_after_a_failure_calls_nothing() -> None:
    """It may be so late that the failure has been raised already, and what the calls would read is gone."""
    called: list[int] = []

    def fail() -> None:
        raise ValueError("first")

    calls = driver._Calls([fail, lambda: called.append(1)])
    calls.work()
    calls.wait()
    with pytest.raises(ValueError, match="first"):
        calls.outcome()
    calls.help()
    assert not called
