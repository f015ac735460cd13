"""A profile in Chrome's trace-event format, which ui.perfetto.dev and chrome://tracing show: a row per thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastframe._threads.record import Operation, Stint

Event = dict[str, Any]


def trace_of(root: Operation, thread_names: Mapping[int, str], process: int) -> dict[str, Any]:
    """The document; times in microseconds since the block began, one row per thread in the order of ``thread_names``."""
    writer = _Writer(root.begin, {ident: row for row, ident in enumerate(thread_names)}, process)
    rows = [event for ident, name in thread_names.items() for event in writer.row(ident, name)]
    return {"traceEvents": [*rows, *writer.operation(root)], "displayTimeUnit": "ms"}


@dataclass(frozen=True)
class _Writer:
    origin: int
    rows: Mapping[int, int]
    process: int

    def row(self, ident: int, name: str) -> Iterator[Event]:
        """Metadata: what a thread is called, and where its row stands."""
        common = {"ph": "M", "pid": self.process, "tid": self.rows[ident]}
        yield {"name": "thread_name", **common, "args": {"name": name}}
        yield {"name": "thread_sort_index", **common, "args": {"sort_index": self.rows[ident]}}

    def operation(self, one: Operation) -> Iterator[Event]:
        """Its own span, those of its phases' threads, its children's."""
        arguments = {
            "detail": one.detail, "rows": one.n_rows, "bytes read": one.bytes_read, "bytes written": one.bytes_written,
            "peak bytes": one.peak, "bytes from disk": one.disk, "failed": one.failed, "ms on a core": one.core / 1e6,
        }  # fmt: skip
        yield self._span(one.name, "operation", Stint(one.thread, one.begin, one.end, one.core), arguments)
        for phase in one.phases:
            for stint in phase.stints:
                arguments = {"parts": phase.n_slices, "ms on a core": stint.core / 1e6}
                yield self._span(phase.name, "calls" if phase.calls else "kernel", stint, arguments)
        for child in one.children:
            yield from self.operation(child)

    def _span(self, name: str, category: str, stint: Stint, arguments: dict[str, Any]) -> Event:
        return {
            "name": name, "cat": category, "ph": "X", "pid": self.process, "tid": self.rows[stint.thread],
            "ts": (stint.begin - self.origin) / 1e3, "dur": (stint.end - stint.begin) / 1e3, "args": arguments,
        }  # fmt: skip
