"""A profile as a table: one line per operation, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastframe.profiling.bandwidth import Bandwidth
from fastframe.profiling.figures import Figures, Waits

_DETAIL = 36   # characters of an operation's detail that are shown

HEADINGS = (
    "operation", "rows", "ms", "read", "made", "GB/s", "of memory", "busy ms by thread", "serial ms", "waited ms", "2x cores", "most",
    "peak", "limit",
)  # fmt: skip
_LEFT = {"operation", "limit", "waited ms"}


class Line(NamedTuple):
    """An operation and how deep it lies in others."""

    depth: int
    figures: Figures


def cells(line: Line, memory: Bandwidth) -> list[str]:
    """The texts of one line, in the order of `HEADINGS`."""
    figures, operation = line.figures, line.figures.operation
    detail = operation.detail if len(operation.detail) <= _DETAIL else operation.detail[: _DETAIL - 1] + "…"
    moved = operation.bytes_read + operation.bytes_written
    return [
        "  " * line.depth + " ".join(filter(None, (operation.name, detail))) + (" FAILED" if operation.failed else ""),
        f"{operation.n_rows:,}" if operation.n_rows is not None else "",
        _ms(figures.wall),
        _bytes(operation.bytes_read),
        _bytes(operation.bytes_written),
        f"{figures.rate:.1f}" if moved else "",
        f"{figures.share(memory):.0%}" if moved else "",
        _busy(figures),
        _ms(figures.serial),
        _waits(figures.waits),
        f"{figures.speedup(2):.2f}",
        f"{figures.most:.1f}",
        _bytes(operation.peak) if operation.peak is not None else "",
        figures.limit(memory),
    ]


def _ms(seconds: float) -> str:
    ms = 1000 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 1 else f"{ms:.2f}"


def _bytes(n_bytes: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}" if n_bytes < 999.5 * size else f"{n_bytes / size:,.0f} {unit}"
    return f"{n_bytes} B" if n_bytes else "0"


def _busy(figures: Figures) -> str:
    """Of our threads, and of others where they did a twentieth as much or more."""
    ours = " + ".join(_ms(seconds) for seconds in figures.busy.values())
    return f"{ours}, others {_ms(figures.others)}" if figures.others >= max(1e-4, figures.wall / 20) else ours


def _waits(waits: Waits) -> str:
    """What is worth saying: from a tenth of a millisecond on."""
    named = (("disk", waits.disk), ("locks", waits.locks), ("start", waits.start), ("imbalance", waits.imbalance), ("no core", waits.core))
    return ", ".join(f"{name} {_ms(seconds)}" for name, seconds in named if seconds >= 1e-4)


def summary(whole: Figures, n_operations: int, memory: Bandwidth, cpu: str) -> str:
    """The line below the table."""
    inside = sum(child.end - child.begin for child in whole.operation.children) / 1e9
    return (
        f"{n_operations} operations took {_ms(inside)} of {_ms(whole.wall)} ms, on {whole.n_threads} threads of {cpu}; "
        f"its memory gives {memory.read:.1f} GB/s read, {memory.copy:.1f} GB/s copied"
    )


def as_text(lines: Sequence[Line], below: str, memory: Bandwidth) -> str:
    table = [list(HEADINGS), *(cells(line, memory) for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    rows = []
    for row in table:
        padded = [text.ljust(width) if name in _LEFT else text.rjust(width) for name, text, width in zip(HEADINGS, row, widths, strict=True)]
        rows.append("  ".join(padded).rstrip())
    return "\n".join([*rows, below])


def as_html(lines: Sequence[Line], below: str, memory: Bandwidth) -> str:
    from html import escape

    def row(texts: Sequence[str], tag: str) -> str:
        aligned = (
            f'<{tag} style="text-align: {"left" if name in _LEFT else "right"}; white-space: pre">{escape(text)}</{tag}>'
            for name, text in zip(HEADINGS, texts, strict=True)
        )
        return f"<tr>{''.join(aligned)}</tr>"

    body = "".join(row(cells(line, memory), "td") for line in lines)
    return f"<table><thead>{row(HEADINGS, 'th')}</thead><tbody>{body}</tbody></table><p>{escape(below)}</p>"
