"""What a block records: its thread's operations and their helpers' work, and nothing when there is no block."""

import threading

import joblib
import pytest
from joblib import Parallel, delayed

from fastframe._threads import record, run_calls
from fastframe._threads._drive import core_ns, now_ns
from fastframe.errors import KernelStatus
from fastframe.options import option_context
from tests.threads.probing import MILLISECOND, Probe, busy_probe


def test_nothing_is_recorded_outside_a_block() -> None:
    assert record.n_profiles == 0
    with record.operation("never") as operation:
        assert operation is None
        assert record.current() is None
    assert busy_probe().run() is None


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_kernel_run(threads: int) -> None:
    probe = busy_probe()
    with option_context(threads=threads), record.recording() as root:
        probe.run()
    assert record.n_profiles == 0
    (operation,) = root.children
    (phase,) = operation.phases
    assert (operation.name, phase.name, phase.n_slices, phase.calls) == ("probing", "probing", probe.n_slices, False)
    assert len({stint.thread for stint in phase.stints}) == probe.n_threads == threads
    assert root.begin <= operation.begin <= phase.begin <= phase.end <= operation.end <= root.end
    for stint in phase.stints:
        assert phase.begin <= stint.begin <= stint.end <= phase.end
        assert 0 <= stint.core <= (stint.end - stint.begin) * 1.05 + MILLISECOND
    spent = sum(stint.end - stint.begin for stint in phase.stints)
    assert spent >= probe.n_slices * probe.spin_ns   # each slice spins so long


def test_a_run_of_one_slice() -> None:
    with record.recording() as root:
        Probe(1).run()
    (stint,) = root.children[0].phases[0].stints
    assert stint.thread == threading.get_ident()


def test_a_failing_kernel_is_recorded() -> None:
    with record.recording() as root:
        assert Probe(10, fail_from=3, fail_status=KernelStatus.OVERFLOW).run() is not None
    assert len(root.children) == 1


def test_operations_nest() -> None:
    with record.recording() as root, record.operation("outer", "of all"):
        Probe(2).run()
        with record.operation("inner"):
            Probe(3).run()
    (outer,) = root.children
    assert (outer.name, outer.detail, [phase.n_slices for phase in outer.phases]) == ("outer", "of all", [2])
    (inner,) = outer.children
    assert ([phase.n_slices for phase in inner.phases], inner.children) == ([3], [])
    assert outer.begin <= inner.begin <= inner.end <= outer.end


def test_an_error_ends_its_operation() -> None:
    with pytest.raises(LookupError), record.recording() as root, record.operation("failing"):
        raise LookupError
    assert (record.n_profiles, record.current()) == (0, None)
    assert root.failed
    assert root.children[0].failed
    assert 0 < root.children[0].end <= root.end


def test_blocks_nest() -> None:
    with record.recording() as outer:
        Probe(1).run()
        with record.recording() as inner:
            Probe(2).run()
        Probe(3).run()
    assert [child.phases[0].n_slices for child in inner.children] == [2]
    assert [child.name for child in outer.children] == ["probing", "profile", "probing"]
    assert outer.children[1] is inner


def test_other_threads_are_not_recorded() -> None:
    with record.recording() as root:
        other = threading.Thread(target=lambda: Probe(4).run())
        other.start()
        other.join()
    assert root.children == []


def test_blocks_of_two_threads_are_apart() -> None:
    roots = {}
    gate = threading.Barrier(2)

    def work(n_slices: int) -> None:
        with record.recording() as root:
            gate.wait(30)
            for _ in range(5):
                Probe(n_slices).run()
            gate.wait(30)
        roots[n_slices] = root

    threads = [threading.Thread(target=work, args=(n,)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for n_slices, root in roots.items():
        assert [child.phases[0].n_slices for child in root.children] == [n_slices] * 5


@pytest.mark.parametrize("threads", [1, 2])
def test_coarse_calls_and_what_they_run(threads: int) -> None:
    gate = threading.Barrier(threads)

    def call() -> int:
        gate.wait(30)
        with record.operation("part"):
            Probe(1).run()
        return threading.get_ident()

    with option_context(threads=threads), record.recording() as root:
        idents = run_calls([call] * threads)
    (operation,) = root.children
    calls = operation.phases[0]
    assert (calls.calls, calls.n_slices) == (True, threads)
    assert sorted(stint.thread for stint in calls.stints) == sorted(idents)
    assert [child.name for child in operation.children] == ["part"] * threads
    assert sorted(child.thread for child in operation.children) == sorted(idents)


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_tasks_of_joblib(return_as: str) -> None:
    with record.recording() as root, joblib.parallel_config("fastframe", n_jobs=2):
        list(Parallel(return_as=return_as, batch_size=1)(delayed(Probe(2).run)() for _ in range(6)))
    (operation,) = root.children
    assert operation.name == "joblib.Parallel"
    assert operation.phases[0].n_slices == len(operation.phases[0].stints) == 6
    assert [phase.n_slices for phase in operation.phases[1:]] == [2] * 6
    assert operation.end


def test_memory_at_its_most() -> None:
    import numpy as np

    with record.recording() as root:
        with record.operation("large"):
            np.ones(8_000_000)
        with record.operation("small"):
            np.ones(1000)
    large, small = root.children
    if large.peak is None:
        pytest.skip("the system does not tell")
    assert 60_000_000 < large.peak < 200_000_000
    assert small.peak is not None
    assert small.peak < 30_000_000
    assert root.peak is not None
    assert root.peak >= large.peak - 10_000_000


def test_clocks() -> None:
    wall, core = now_ns(), core_ns()
    while now_ns() - wall < 5 * MILLISECOND:
        pass
    assert 0 < core_ns() - core <= now_ns() - wall + MILLISECOND
