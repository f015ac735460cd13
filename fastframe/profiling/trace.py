"""A profile in Chrome's trace-event format, which ui.perfetto.dev and chrome://tracing show: a row per thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastframe._threads.record import Operation, Stint

Event = dict[str, Any]


def trace_of(root: Operation, thread_names: dict[int, str], process: int) -> dict[str, Any]:
    """The document; times in microseconds since the block began."""
    rows = {ident: row for row, ident in enumerate(thread_names)}
    names = [
        {"name": "thread_name", "ph": "M", "pid": process, "tid": row, "args": {"name": thread_names[ident]}} for ident, row in rows.items()
    ]
    order = [{"name": "thread_sort_index", "ph": "M", "pid": process, "tid": row, "args": {"sort_index": row}} for row in rows.values()]
    events = list(_events(root, root.begin, rows, process))
    return {"traceEvents": [*names, *order, *events], "displayTimeUnit": "ms"}


def _events(operation: Operation, origin: int, rows: dict[int, int], process: int) -> Iterator[Event]:
    arguments = {
        "detail": operation.detail, "rows": operation.n_rows, "bytes read": operation.bytes_read, "bytes written": operation.bytes_written,
        "peak bytes": operation.peak, "bytes from disk": operation.disk, "failed": operation.failed, "ms on a core": operation.core / 1e6,
    }  # fmt: skip
    whole = Stint(operation.thread, operation.begin, operation.end, operation.core)
    yield _event(operation.name, "operation", whole, origin, rows, process) | {"args": arguments}
    for phase in operation.phases:
        for stint in phase.stints:
            arguments = {"parts": phase.n_slices, "ms on a core": stint.core / 1e6}
            yield _event(phase.name, "calls" if phase.calls else "kernel", stint, origin, rows, process) | {"args": arguments}
    for child in operation.children:
        yield from _events(child, origin, rows, process)


def _event(name: str, category: str, stint: Stint, origin: int, rows: dict[int, int], process: int) -> Event:
    return {
        "name": name, "cat": category, "ph": "X", "pid": process, "tid": rows[stint.thread],
        "ts": (stint.begin - origin) / 1e3, "dur": (stint.end - stint.begin) / 1e3,
    }  # fmt: skip
