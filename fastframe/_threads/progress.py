"""One line on stderr that says how far a long read or write is; shown where ``ff.options.progress`` is on."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastframe.options import options

_REDRAW_SECONDS = 0.1


class Progress:
    """Counts units that are done; any thread may `advance` it."""

    def __init__(self, total: int | None, label: str, *, shown: bool) -> None:
        self.total = total
        self.label = label
        self.done = 0
        self._shown = shown
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._drawn = float("-inf")

    def advance(self, n: int = 1) -> None:
        """``n`` more units are done."""
        with self._lock:
            self.done += n
            if self._shown and sys.stderr.isatty() and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
                self._drawn = time.monotonic()
                self._write("\r" + self._line() + "\x1b[K")

    def close(self) -> None:
        """Write the last line; a log that is no terminal gets this one only."""
        with self._lock:
            if self._shown:
                self._write(("\r" if sys.stderr.isatty() else "") + self._line() + "\n")

    def _line(self) -> str:
        seconds = time.monotonic() - self._began
        if not self.total:
            return f"{self.label}: {self.done:,} in {seconds:.1f} s"
        return f"{self.label}: {self.done:,} of {self.total:,} ({self.done / self.total:.0%}) in {seconds:.1f} s"

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


@contextmanager
def progress(total: int | None, label: str) -> Iterator[Progress]:
    """Report on ``total`` units (None: not known) of something long.

    >>> with progress(3, "reading") as report:
    ...     report.advance(3)
    >>> report.done
    3
    """
    report = Progress(total, label, shown=options.progress)
    try:
        yield report
    finally:
        report.close()
