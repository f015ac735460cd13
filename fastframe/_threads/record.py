"""What operations do and which thread works when, where an `ff.profile` block wants to know: the hooks and the record.

`n_profiles` counts the open blocks of the process; hooks look at it first, so that without a block they cost one test. A
block is an `Operation`, the root; what its thread runs inside become its children, and theirs. The current node is a
context variable: another thread's operations are not recorded, helpers' work is, under the operation that they help.
Times are nanoseconds of `_drive.now_ns`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import field
from time import process_time_ns
from typing import Any, NamedTuple

from fastframe._threads._drive import Run, core_ns, now_ns
from fastframe.records import record

n_profiles = 0

_node: ContextVar[Operation | None] = ContextVar("fastframe_profile", default=None)
_counting = threading.Lock()


class Stint(NamedTuple):
    """A thread at work: from when to when, how long of that it had a core, and how long it waited for one.

    ``queued`` is 0 for kernels: these never wait for anything else, so it is what is not ``core``.
    """

    thread: int
    begin: int
    end: int
    core: int
    queued: int = 0


@record()
class Phase:
    """One pass over rows (or over a few calls) that threads could share: ``n_slices`` parts."""

    name: str
    n_slices: int
    begin: int
    end: int = 0
    stints: list[Stint] = field(default_factory=list)
    calls: bool = False   # Python calls, which may wait for a disk or a lock; else kernels, which never do


@record()
class Operation:
    """One operation on its calling thread.

    ``core`` is the calling thread's own time on a core, ``queued`` its time without one that it wanted, ``process``
    the core time of all threads of the process, also those of other libraries and other users. ``peak`` is the most
    resident memory of the process above what it was at the beginning (None where the system does not tell), ``disk``
    the bytes that had to be fetched from a disk, ``swapped`` how many more bytes of the process lay in swap at the end,
    ``memory_left`` the share of the machine's memory that was then still available.
    """

    name: str
    detail: str = ""
    thread: int = field(default_factory=threading.get_ident)
    thread_name: str = field(default_factory=lambda: threading.current_thread().name)
    begin: int = 0
    end: int = 0
    core: int = 0
    queued: int = 0
    process: int = 0
    n_rows: int | None = None
    bytes_read: int = 0
    bytes_written: int = 0
    peak: int | None = None
    disk: int = 0
    swapped: int = 0
    memory_left: float = 1.0
    failed: bool = False
    phases: list[Phase] = field(default_factory=list)
    children: list[Operation] = field(default_factory=list)
    _start: _Usage | None = None

    def start(self, parent: Operation | None) -> None:
        """The clock runs from here."""
        if parent is not None:
            parent._see_peak()
            parent.children.append(self)
        self._start = _Usage.now()
        _forget_peak()
        self.process, self.queued, self.core, self.begin = process_time_ns(), queued_ns(), core_ns(), now_ns()

    def stop(self, parent: Operation | None) -> None:
        """The clock stops; on the thread that started it."""
        self.end, self.core, self.queued = now_ns(), core_ns() - self.core, queued_ns() - self.queued
        self.process = process_time_ns() - self.process
        self._see_peak()
        usage = _Usage.now()
        if self._start is not None:
            self.disk, self.swapped = usage.disk - self._start.disk, usage.swapped - self._start.swapped
        self.memory_left = _memory_left()
        if parent is not None:
            if self.peak is not None and self._start is not None and parent._start is not None:
                parent.peak = max(parent.peak or 0, self.peak + self._start.resident - parent._start.resident)
            _forget_peak()

    def _see_peak(self) -> None:
        seen = _status().get(b"VmHWM")   # since `_forget_peak`
        if seen is not None and self._start is not None:
            self.peak = max(self.peak or 0, seen - self._start.resident)


class _Usage(NamedTuple):
    """Bytes that the process has fetched from disks so far, that it has in memory, and that it has in swap."""

    disk: int
    resident: int
    swapped: int

    @classmethod
    def now(cls) -> _Usage:
        status = _status()
        return cls(_disk_bytes(), status.get(b"VmRSS", 0), status.get(b"VmSwap", 0))


def queued_ns() -> int:
    """How long the calling thread has wanted a core and had none; 0 where the system does not tell."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _disk_bytes() -> int:
    try:
        import resource
    except ImportError:   # not on Windows
        return 0
    return 512 * resource.getrusage(resource.RUSAGE_SELF).ru_inblock


def _status() -> dict[bytes, int]:
    """Sizes of this process in bytes, by Linux's names; empty elsewhere."""
    return _sizes("/proc/self/status", (b"VmHWM", b"VmRSS", b"VmSwap"))


def _memory_left() -> float:
    """Available memory of the machine over all of it; 1 where the system does not tell."""
    sizes = _sizes("/proc/meminfo", (b"MemAvailable", b"MemTotal"))
    return sizes[b"MemAvailable"] / sizes[b"MemTotal"] if len(sizes) == 2 else 1.0


def _sizes(path: str, names: Sequence[bytes]) -> dict[bytes, int]:
    try:
        with open(path, "rb") as file:
            pairs = [line.split(b":") for line in file.read().split(b"\n") if line.split(b":")[0] in names]
    except OSError:
        return {}
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _forget_peak() -> None:
    with suppress(OSError), open("/proc/self/clear_refs", "wb") as file:
        file.write(b"5")


def current() -> Operation | None:
    """The operation that the calling thread is in; None where no block records it."""
    return _node.get() if n_profiles else None


@contextmanager
def recording() -> Iterator[Operation]:
    """Record what this thread runs inside the block, and its helpers; the root comes back at once and fills up."""
    global n_profiles
    with _counting:
        n_profiles += 1
    try:
        with _child("profile", "", _node.get()) as root:
            yield root
    finally:
        with _counting:
            n_profiles -= 1


@contextmanager
def operation(name: str, detail: str = "") -> Iterator[Operation | None]:
    """Record an operation, where somebody records; None where nobody does."""
    parent = current()
    if parent is None:
        yield None
        return
    with _child(name, detail, parent) as child:
        yield child


@contextmanager
def _child(name: str, detail: str, parent: Operation | None) -> Iterator[Operation]:
    child = Operation(name, detail)
    token = _node.set(child)
    child.start(parent)
    try:
        yield child
    except BaseException:
        child.failed = True
        raise
    finally:
        child.stop(parent)
        _node.reset(token)


@contextmanager
def phase(name: str, one: Run) -> Iterator[None]:
    """Record the run of a kernel, under an operation of its own where it runs outside of any."""
    with _in_operation(name) as node:
        if node is None:
            yield
            return
        found = Phase(name, one.n_slices, now_ns())
        one.record()
        try:
            yield
        finally:
            found.end = now_ns()
            found.stints = [Stint(*stint) for stint in one.stints]
            node.phases.append(found)


@contextmanager
def calls(functions: Sequence[Callable[[], Any]]) -> Iterator[Sequence[Callable[[], Any]]]:
    """The functions such that whoever calls them is recorded, and what they run inside is, too."""
    with _in_operation("calls") as node:
        if node is None:
            yield functions
            return
        found = Phase("calls", len(functions), now_ns(), calls=True)
        node.phases.append(found)
        try:
            yield [_noted(function, node, found) for function in functions]
        finally:
            found.end = now_ns()


@contextmanager
def _in_operation(name: str) -> Iterator[Operation | None]:
    node = current()
    if node is not None and node.name == "profile":
        with _child(name, "", node) as own:
            yield own
    else:
        yield node


def _noted(function: Callable[[], Any], node: Operation, found: Phase) -> Callable[[], Any]:
    def call() -> Any:
        with stint(node, found):
            return function()

    return call


@contextmanager
def stint(node: Operation, found: Phase) -> Iterator[None]:
    """The calling thread works on a phase of ``node``, whosever thread it is."""
    token = _node.set(node)
    queued, core, begin = queued_ns(), core_ns(), now_ns()
    try:
        yield
    finally:
        found.stints.append(Stint(threading.get_ident(), begin, now_ns(), core_ns() - core, queued_ns() - queued))
        _node.reset(token)


class OpenOperation:
    """An operation whose begin and end are two calls instead of a block; any thread may take part in its one phase."""

    def __init__(self, name: str, parent: Operation) -> None:
        self._parent = parent
        self.operation = Operation(name)
        self.operation.start(parent)
        self.phase = Phase("tasks", 0, now_ns(), calls=True)
        self.operation.phases.append(self.phase)

    @classmethod
    def begin(cls, name: str) -> OpenOperation | None:
        """None where nobody records."""
        parent = current()
        return cls(name, parent) if parent is not None else None

    def stint(self) -> Any:
        """A block in which the calling thread takes part."""
        return stint(self.operation, self.phase)

    def end(self) -> None:
        """No stint begins after this."""
        if not self.operation.end:
            self.operation.stop(self._parent)
            self.phase.end = self.operation.end
