"""Busy and serial time, waits, Amdahl's law and the limit, of operations made by hand."""

from math import inf

import pytest

from fastframe.profiling.bandwidth import Bandwidth
from fastframe.profiling.figures import Figures, Waits
from tests.profiling.made import operation, phase, stint

MEMORY = Bandwidth(read=20.0, copy=40.0)


def ms(seconds: float) -> float:
    return pytest.approx(seconds / 1000)


def two_threads() -> Figures:
    """10 ms, of which 8 in a phase: 8 ms of thread 1, and thread 2 from the second to the sixth."""
    return Figures(operation(0, 10, 10, [phase(100, 1, 9, [stint(1, 1, 9), stint(2, 2, 6)])]), 2)


def test_busy_and_serial() -> None:
    figures = two_threads()
    assert figures.busy == {1: ms(10), 2: ms(4)}
    assert (figures.wall, figures.serial, figures.serial_core) == (ms(10), ms(2), ms(2))


def test_amdahl() -> None:
    figures = two_threads()
    assert [figures.seconds_on(n) for n in (1, 2, 4, 1000, inf)] == [ms(14), ms(8), ms(5), ms(2.12), ms(2.12)]   # 100 parts at most
    assert figures.speedup(2) == pytest.approx(8 / 5)
    assert figures.most == pytest.approx(8 / 2.12)


def test_phases_of_one_part_are_serial() -> None:
    figures = Figures(operation(0, 10, 10, [phase(1, 0, 5, [stint(1, 0, 5)])]), 2)
    assert figures.serial == ms(10)
    assert figures.speedup(2) == 1.0


def test_waits_of_a_kernel() -> None:
    assert two_threads().waits == Waits(0, 0, start=ms(1), imbalance=ms(3), core=0)
    pushed_out = Figures(operation(0, 10, 4, [phase(9, 0, 10, [stint(1, 0, 10, core=4), stint(2, 0, 10, core=9)])]), 2)
    assert pushed_out.waits == Waits(0, 0, 0, 0, core=ms(7))
    assert pushed_out.seconds_on(1) == ms(13)   # other programs' time is not our work


def test_waits_of_calls() -> None:
    one = phase(2, 0, 10, [stint(1, 0, 10, core=10), stint(2, 0, 8, core=3, queued=1)], calls=True)
    assert Figures(operation(0, 10, 10, [one]), 2).waits == Waits(0, locks=ms(4), start=0, imbalance=ms(2), core=ms(1))
    assert Figures(operation(0, 10, 10, [one], disk=5000), 2).waits == Waits(disk=ms(4), locks=0, start=0, imbalance=ms(2), core=ms(1))
    assert Figures(operation(0, 10, 10, [one]), 2).seconds_on(1) == ms(18)   # their waiting is shared by more threads, too


def test_waits_of_the_serial_part() -> None:
    figures = Figures(operation(0, 10, 3, queued=2, disk=1), 2)
    assert (figures.serial, figures.serial_core) == (ms(10), ms(3))
    assert figures.waits == Waits(disk=ms(5), locks=0, start=0, imbalance=0, core=ms(2))


def test_a_queue_in_a_kernel_is_not_counted_twice() -> None:
    inside = phase(9, 0, 8, [stint(1, 0, 8, core=5)])
    figures = Figures(operation(0, 10, 7, [inside], queued=3), 1)
    assert figures.waits == Waits(0, 0, 0, 0, core=ms(3))


def test_work_inside_calls_counts_once() -> None:
    part = operation(1, 5, 4, [phase(8, 2, 4, [stint(2, 2, 4)])], thread=2, name="Part")
    whole = operation(0, 10, 2, [phase(2, 1, 6, [stint(2, 1, 6)], calls=True)])
    whole.children.append(part)
    figures = Figures(whole, 2)
    assert figures.busy == {1: ms(2), 2: ms(5)}
    assert len(figures.parallel_phases) == 1
    assert figures.serial == ms(5)


def test_the_children_of_an_operation_count() -> None:
    whole = operation(0, 10, 10)
    whole.children.append(operation(1, 9, 8, [phase(8, 2, 8, [stint(1, 2, 8), stint(2, 2, 8)])]))
    figures = Figures(whole, 2)
    assert figures.busy == {1: ms(10), 2: ms(6)}
    assert figures.serial == ms(4)


def test_rate_and_share() -> None:
    figures = Figures(operation(0, 10, 10, bytes_read=100_000_000, bytes_written=100_000_000), 2)
    assert figures.rate == pytest.approx(20)
    assert figures.share(MEMORY) == pytest.approx(0.5)
    assert Figures(operation(0, 10, 10, bytes_read=100_000_000), 2).share(MEMORY) == pytest.approx(0.5)


def test_other_threads_of_the_process() -> None:
    assert Figures(operation(0, 10, 4, process=9), 2).others == ms(5)


KERNEL = [phase(100, 1, 10, [stint(1, 1, 10), stint(2, 1, 10)])]


@pytest.mark.parametrize(
    ("made", "limit"),
    [
        (operation(0, 10, 10, KERNEL), "cores"),
        (operation(0, 10, 10), "serial part"),
        (operation(0, 10, 10, KERNEL, bytes_read=120_000_000), "bandwidth"),
        (operation(0, 10, 10, KERNEL, bytes_read=110_000_000), "cores"),
        (operation(0, 10, 2), "locks"),
        (operation(0, 10, 2, disk=4096), "disk"),
        (operation(0, 10, 2, process=9), "serial part"),   # it waited for other threads that worked
        (operation(0, 10, 2, queued=8), "serial part"),    # other programs are no limit of ours
        (operation(0, 10, 10, KERNEL, swapped=4096, bytes_read=120_000_000), "RAM"),
        (operation(0, 10, 10, KERNEL, memory_left=0.01), "RAM"),
    ],
)
def test_the_limit(made: object, limit: str) -> None:
    assert Figures(made, 2).limit(MEMORY) == limit
