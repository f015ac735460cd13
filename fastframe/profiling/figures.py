"""What a recorded operation says about its limit: busy and serial time, waits, Amdahl's law, the memory's share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

from fastframe._threads.record import Operation, Phase, Stint
from fastframe.profiling.bandwidth import Bandwidth

# From these shares on, a thing is called the limit.
_BANDWIDTH_SHARE = 0.6     # of what plain loops get: kernels that do a little more than move bytes stay below
_WAITING_SHARE = 0.4       # of the wall time
_MEMORY_LEFT = 0.05        # of the machine's memory


@dataclass(frozen=True)
class Waits:
    """Seconds that threads did not work, summed over the threads.

    ``disk``, ``locks``: asleep, with bytes fetched from a disk meanwhile or not. ``start``: helpers between the begin of a
    phase and their first slice. ``imbalance``: between a thread's last slice and the end of the phase. ``core``: ready to
    work, and another program had the core.
    """

    disk: float
    locks: float
    start: float
    imbalance: float
    core: float

    @property
    def asleep(self) -> float:
        return self.disk + self.locks


class Figures:
    """All that the report says about one operation, its children's work included; times in seconds."""

    def __init__(self, operation: Operation, n_threads: int) -> None:
        self.operation = operation
        self.n_threads = n_threads
        self.wall = (operation.end - operation.begin) / 1e9

    @cached_property
    def busy(self) -> dict[int, float]:
        """Seconds on a core by thread, the calling one first."""
        own = self.operation
        stints = [Stint(own.thread, own.begin, own.end, own.core), *_stints(own)]
        found: dict[int, float] = {}
        for thread in dict.fromkeys(stint.thread for stint in stints):
            found[thread] = sum(one.core for one in _outermost(stint for stint in stints if stint.thread == thread)) / 1e9
        return {thread: seconds for thread, seconds in found.items() if seconds or thread == own.thread}

    @cached_property
    def others(self) -> float:
        """Seconds that the process's other threads had a core meanwhile: pyarrow's, or of what else the process does."""
        return max(0.0, self.operation.process / 1e9 - sum(self.busy.values()))

    @cached_property
    def parallel_phases(self) -> list[Phase]:
        """What could run on several threads: phases of more than one part, without those inside another's calls."""
        return list(_parallel_phases(self.operation))

    @cached_property
    def serial(self) -> float:
        """Wall seconds outside of all parallel phases: what no core more makes shorter."""
        return max(0.0, self.wall - _covered((phase.begin, phase.end) for phase in self.parallel_phases) / 1e9)

    @cached_property
    def serial_core(self) -> float:
        """Of `serial`, seconds in which the calling thread had a core."""
        inside = [stint for phase in self.parallel_phases for stint in phase.stints if stint.thread == self.operation.thread]
        return min(self.serial, max(0.0, (self.operation.core - sum(one.core for one in _outermost(inside))) / 1e9))

    @cached_property
    def waits(self) -> Waits:
        own = [stint for phase in self.parallel_phases for stint in phase.stints if stint.thread == self.operation.thread]
        queued = max(0.0, min(self.operation.queued - sum(_queued(stint) for stint in _outermost(own)), 1e9 * (self.serial - self.serial_core)))
        asleep = 1e9 * (self.serial - self.serial_core) - queued
        start = imbalance = 0
        for phase in self.parallel_phases:
            for stint in phase.stints:
                off_core = max(0, stint.end - stint.begin - stint.core)
                no_core = min(off_core, stint.queued) if phase.calls else off_core
                queued, asleep = queued + no_core, asleep + off_core - no_core
            for thread in {stint.thread for stint in phase.stints}:
                stints = [stint for stint in phase.stints if stint.thread == thread]
                imbalance += max(0, phase.end - max(stint.end for stint in stints))
                if thread != self.operation.thread:
                    start += max(0, min(stint.begin for stint in stints) - phase.begin)
        from_disk = self.operation.disk > 0
        return Waits(asleep / 1e9 if from_disk else 0.0, 0.0 if from_disk else asleep / 1e9, start / 1e9, imbalance / 1e9, queued / 1e9)

    def seconds_on(self, n_threads: float) -> float:
        """Amdahl's law: the serial part as it is, and each phase's work shared by so many threads, or one per part.

        The work of a kernel is its time on cores, so other programs do not count; of calls it is all their time.
        """
        shared = 0.0
        for phase in self.parallel_phases:
            work = sum(stint.end - stint.begin if phase.calls else stint.core for stint in phase.stints) / 1e9
            shared += work / min(n_threads, phase.n_slices)
        return self.serial + shared

    def speedup(self, factor: float) -> float:
        """How many times faster it would be with ``factor`` times the threads, by `seconds_on`."""
        now, then = self.seconds_on(self.n_threads), self.seconds_on(self.n_threads * factor)
        return now / then if then else 1.0

    @property
    def most(self) -> float:
        """`speedup` with as many threads as there are parts."""
        return self.speedup(inf)

    @property
    def rate(self) -> float:
        """GB per second of columns used and made."""
        return (self.operation.bytes_read + self.operation.bytes_written) / 1e9 / self.wall if self.wall else 0.0

    def share(self, memory: Bandwidth) -> float:
        """The least time in which this memory moves the bytes, over the time that it took."""
        return memory.seconds(self.operation.bytes_read, self.operation.bytes_written) / self.wall if self.wall else 0.0

    def limit(self, memory: Bandwidth) -> str:
        """What to have more of: RAM, a faster disk, bandwidth, cores; or a plan with a smaller serial part."""
        own = self.operation
        if own.swapped > 0 or own.memory_left < _MEMORY_LEFT:
            return "RAM"
        if self.waits.asleep - self.others >= _WAITING_SHARE * self.wall * max(1, len(self.busy)):
            return "disk" if own.disk else "locks"
        if self.share(memory) >= _BANDWIDTH_SHARE:
            return "bandwidth"
        return "cores" if self.serial < self.wall / 2 else "serial part"


def _stints(operation: Operation) -> Iterator[Stint]:
    for phase in operation.phases:
        yield from phase.stints
    for child in operation.children:
        yield Stint(child.thread, child.begin, child.end, child.core)
        yield from _stints(child)


def _queued(stint: Stint) -> int:
    return stint.queued or stint.end - stint.begin - stint.core


def _outermost(stints: Iterable[Stint]) -> list[Stint]:
    """Of one thread's stints those that lie in no other."""
    found: list[Stint] = []
    for stint in sorted(stints, key=lambda one: (one.begin, -one.end)):
        if not found or stint.begin >= found[-1].end:
            found.append(stint)
    return found


def _parallel_phases(operation: Operation) -> Iterator[Phase]:
    own = [phase for phase in operation.phases if phase.n_slices > 1]
    calls = [phase for phase in own if phase.calls]
    yield from (phase for phase in own if phase.calls or not _within(phase.begin, calls))
    for child in operation.children:
        if not _within(child.begin, calls):
            yield from _parallel_phases(child)


def _within(moment: int, phases: Iterable[Phase]) -> bool:
    return any(phase.begin <= moment < phase.end for phase in phases)


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of the union."""
    covered, reached = 0, -1
    for begin, end in sorted(spans):
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return covered
