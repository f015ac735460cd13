"""`profile`: a block whose operations are recorded."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fastframe._threads import record, thread_count
from fastframe._threads.record import Operation
from fastframe.errors import ProfileError
from fastframe.profiling.bandwidth import Bandwidth, bandwidth, cpu_name
from fastframe.profiling.figures import Figures
from fastframe.profiling.report import Line, as_html, as_text, summary
from fastframe.profiling.trace import trace_of


class Profile:
    """What the operations of one ``with ff.profile()`` block did; made by `profile`.

    Print it, show it in a notebook, or look at `operations`. One line per operation: rows, wall time, bytes of the columns
    used and made, GB/s and its share of what this machine's memory gives, each thread's time on a core (the caller's
    first), the serial part, what threads waited for, how many times faster Amdahl's law lets it be with twice the cores
    and with any number, the most memory it took, and what limits it: ``cores``, ``bandwidth``, ``RAM``, ``disk``,
    ``locks``, or its ``serial part``. docs/profile.md explains each column.
    """

    def __init__(self) -> None:
        self._root: Operation | None = None
        self._names: dict[int, str] = {}
        self._blocks = ExitStack()
        self._n_threads = 1

    def __enter__(self) -> Self:
        if self._root is not None:
            raise ProfileError.entered_twice()
        self._n_threads = thread_count()
        self._root = self._blocks.enter_context(record.recording())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._blocks.__exit__(kind, error, trace)
        self._names = {one.ident: one.name for one in threading.enumerate() if one.ident is not None}

    @property
    def operations(self) -> list[Figures]:
        """The operations in the order in which they began, those inside others included.

        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": [1, 2, 1], "v": [1.0, 2.0, 3.0]})
        >>> with ff.profile() as p:
        ...     total = df.groupby("k")["v"].sum()
        >>> p.operations[0].operation.name, p.operations[0].operation.n_rows
        ('GroupBy', 3)
        """
        return [line.figures for line in self._lines()]

    @property
    def whole(self) -> Figures:
        """The block itself: its wall time includes what your own code took between the operations."""
        return Figures(self._whole(), self._n_threads)

    @property
    def memory(self) -> Bandwidth:
        """What this machine's memory gives to the block's number of threads."""
        return self._memory(self._lines())

    def _lines(self) -> list[Line]:
        return [Line(depth, Figures(operation, self._n_threads)) for depth, operation in _walk(self._whole(), 0)]

    def _whole(self) -> Operation:
        if self._root is None or not self._root.end:
            raise ProfileError.not_ended()
        return self._root

    def _memory(self, lines: list[Line]) -> Bandwidth:
        """The memory's bandwidth, measured anew where an operation was faster than it can be."""
        memory = bandwidth(self._n_threads)
        if any(line.figures.share(memory) > 1.05 for line in lines):
            memory = bandwidth(self._n_threads, again=True)
        return memory

    def _shown(self, form: Any) -> str:
        lines = self._lines()
        memory = self._memory(lines)
        below = summary(self.whole, len(self._whole().children), memory, cpu_name())
        text: str = form(lines, below, memory)
        return text

    def __repr__(self) -> str:
        if self._root is None or not self._root.end:
            return "<fastframe profile: its block has not ended>"
        return self._shown(as_text)

    def _repr_html_(self) -> str:
        return self._shown(as_html)

    def to_chrome_trace(self, path: Any) -> None:
        """Write the block as a trace for ui.perfetto.dev or chrome://tracing: who worked on what, and when.

        Parameters
        ----------
        path : str or Path
            A JSON file, in Chrome's trace-event format.
        """
        root = self._whole()
        names = _thread_names(root, self._names)
        Path(path).write_text(json.dumps(trace_of(root, names, os.getpid())))


def _walk(operation: Operation, depth: int) -> Iterator[tuple[int, Operation]]:
    for child in sorted(operation.children, key=lambda one: one.begin):
        yield depth, child
        yield from _walk(child, depth + 1)


def _thread_names(root: Operation, known: dict[int, str]) -> dict[int, str]:
    """Names of all threads that took part, the block's first; a thread that has ended is called by its number."""
    found = {root.thread: root.thread_name}
    for operation in [root, *(operation for _, operation in _walk(root, 0))]:
        found.setdefault(operation.thread, operation.thread_name)
        for phase in operation.phases:
            for stint in phase.stints:
                found.setdefault(stint.thread, known.get(stint.thread, f"thread {stint.thread}"))
    return found


def profile() -> Profile:
    """Record the operations of a block: bytes, time of each thread, waits, and what would make them faster.

    Only operations of the thread that enters the block are recorded, with the work of the threads that help it, also
    tasks of ``joblib.Parallel`` on the backend ``"fastframe"``. Blocks nest. The first report of a machine measures its
    memory's bandwidth, which takes a tenth of a second.

    Returns
    -------
    Profile
        Print it after the block.

    Examples
    --------
    >>> import fastframe as ff
    >>> df = ff.DataFrame({"k": [1, 2, 1], "v": [1.0, 2.0, 3.0]})
    >>> with ff.profile() as p:
    ...     total = df.groupby("k")["v"].sum()
    >>> print(p)  # doctest: +ELLIPSIS
    operation  ...
    GroupBy sum v by k  ...
    1 operations took ...
    """
    return Profile()
