"""Workers that listen for the next run before they sleep."""

import threading
import time

import pytest

from fastframe._threads import budget
from fastframe._threads import pool as pools
from fastframe._threads._drive import Mailbox, Run
from fastframe._threads.budget import cpu_count
from fastframe._threads.pool import pool
from fastframe.options import option_context
from tests.threads.probing import MILLISECOND, Probe, busy_probe

SECOND = 1000 * MILLISECOND


def run_of(probe: Probe) -> Run:
    return Run(probe.task(), probe.n_rows, 512)


@pytest.mark.skipif(cpu_count() == 1, reason="there is one core, which nobody may hold by listening")
def test_the_next_run_finds_its_helper_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "LINGER_NS", SECOND)
    with option_context(threads=2):
        busy_probe().run()
        monkeypatch.setattr(pool, "submit", lambda *args, **kwargs: pytest.fail("a worker was woken"))
        for _ in range(3):
            probe = busy_probe()
            assert probe.run() is None
            assert (probe.n_threads, probe.is_complete) == (2, True)


@pytest.fixture
def listener():
    """A thread that has helped with a run and listens for two seconds; its mailbox."""
    mailbox = Mailbox()
    first = Probe(1)
    thread = threading.Thread(target=run_of(first).help, args=(mailbox, 2 * SECOND))
    thread.start()
    while not first.is_complete:
        time.sleep(0.001)
    yield mailbox
    thread.join(30)
    assert not thread.is_alive()


def post(one: Run, mailbox: Mailbox) -> None:
    end = time.monotonic() + 30
    while not one.post(mailbox):
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_listener_takes_what_is_posted(listener: Mailbox) -> None:
    for _ in range(3):
        probe = Probe(7)
        one = run_of(probe)
        post(one, listener)
        while not probe.is_complete:
            time.sleep(0.001)
        assert one.wait(SECOND)
        assert one.failure is None


def test_nobody_listens() -> None:
    assert not run_of(Probe(3)).post(Mailbox())


def test_withdrawn_or_begun_a_run_ends(listener: Mailbox) -> None:
    for _ in range(300):
        probe = Probe(2)
        one = run_of(probe)
        post(one, listener)
        one.work()
        one.withdraw(listener)
        one.withdraw(listener)   # twice: nothing
        assert one.wait(10 * SECOND)
        one.close()
        assert probe.is_complete


def test_runs_may_vanish_while_their_helper_leaves(listener: Mailbox) -> None:
    """The helper is an owner of what was posted to it: the caller need not keep a run that has ended."""
    for _ in range(2000):
        one = run_of(Probe(2))
        one.post(listener)
        one.work()
        one.close()
        del one


def test_a_task_does_not_wait_for_a_listener_to_go_to_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "LINGER_NS", 60 * SECOND)
    own = pools.Pool()
    probe = Probe(1)
    own.submit([run_of(probe)], bind=True)
    while not probe.is_complete:
        time.sleep(0.001)
    done = threading.Event()
    own.submit([done.set])
    assert done.wait(30)
    assert own.n_workers <= 2   # it may not have listened yet
    for worker in own._workers:
        worker.mailbox.hush()
    own.close()


def test_nobody_listens_where_there_are_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "LINGER_NS", 60 * SECOND)
    monkeypatch.setattr(budget, "cpu_count", lambda: 1)
    own = pools.Pool()
    own.submit([run_of(Probe(1))], bind=True)
    own.close(timeout=30)
    assert not own._workers[0].thread.is_alive()


def test_a_listener_goes_to_sleep() -> None:
    mailbox = Mailbox()
    thread = threading.Thread(target=run_of(Probe(1)).help, args=(mailbox, MILLISECOND))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert not run_of(Probe(1)).post(mailbox)
