"""What this machine's memory gives to plain loops on several threads: measured once, kept in a file under the CPU's name."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastframe._kernels.stream import stream_task
from fastframe._threads import record, run
from fastframe._threads._drive import Task
from fastframe.column.memory import allocate_array
from fastframe.options import option_context

_WORDS = 1 << 24     # 128 MiB, more than the caches of one socket hold of it
_SLICE = 1 << 17
_QUIET_PASSES = 3    # so many passes have to have had their cores to themselves
_MOST_PASSES = 30
_ON_CORE = 0.95


class Bandwidth(NamedTuple):
    """GB (1e9 bytes) per second: of reading alone, and of copying, where read and written bytes both count."""

    read: float
    copy: float

    def seconds(self, bytes_read: int, bytes_written: int) -> float:
        """The least time in which so much can be read and written."""
        return max(bytes_read / self.read, (bytes_read + bytes_written) / self.copy if bytes_written else 0.0) / 1e9


_known: dict[str, Bandwidth] = {}


def bandwidth(n_threads: int, *, again: bool = False) -> Bandwidth:
    """Of ``n_threads`` threads together: from this process, from the file, or (``again``, at once) measured now."""
    key = f"{cpu_name()}, {n_threads} threads"
    if key not in _known or again:
        kept = None if again else _read_file().get(key)
        if kept is not None:
            _known[key] = Bandwidth(*kept)
        else:
            _known[key], quiet = Context().run(measure, n_threads)   # a new context: no profile sees it
            if quiet:   # else the next process measures again
                _write_file(key, _known[key])
    return _known[key]


def measure(n_threads: int) -> tuple[Bandwidth, bool]:
    """The best of a few passes over 128 MiB, and whether no other program had the cores meanwhile; some 0.1 s."""
    source, target = (allocate_array(_WORDS, np.uint64, "measuring the memory's bandwidth") for _ in range(2))
    sums = np.empty(-(-_WORDS // _SLICE), np.uint64)
    source[:] = 1
    with option_context(threads=n_threads):
        reading, quiet_reading = _best(stream_task(source.ctypes.data, 0, sums.ctypes.data, (source, sums)), n_threads)
        copying, quiet_copying = _best(stream_task(source.ctypes.data, target.ctypes.data, 0, (source, target)), n_threads)
    return Bandwidth(8e9 * _WORDS / reading / 1e9, 16e9 * _WORDS / copying / 1e9), quiet_reading and quiet_copying


def _best(task: Task, n_threads: int) -> tuple[int, bool]:
    """Nanoseconds of the fastest pass; with quiet ones among the first few, of the fastest quiet one."""
    passes: list[int] = []
    quiet: list[int] = []
    while len(passes) < _MOST_PASSES and len(quiet) < _QUIET_PASSES:
        with record.recording() as root:
            run(task, _WORDS, _SLICE)
        (phase,) = root.children[0].phases
        span = phase.end - phase.begin
        passes.append(span)
        if sum(stint.core for stint in phase.stints) >= _ON_CORE * n_threads * span:
            quiet.append(span)
    return min(quiet or passes), bool(quiet)


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastframe" / "bandwidth.json"


def _read_file() -> dict[str, list[float]]:
    """What the file has that makes sense; it is only a memory, and another process may be writing it."""
    try:
        found = json.loads(_file().read_text())
    except (OSError, ValueError, RuntimeError):   # RuntimeError: nobody's home
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: pair for key, pair in found.items() if isinstance(pair, list) and len(pair) == 2 and all(_is_rate(one) for one in pair)}


def _is_rate(value: object) -> bool:
    return isinstance(value, float) and 0 < value < 1e6


def _write_file(key: str, found: Bandwidth) -> None:
    with suppress(OSError, RuntimeError):   # where nothing can be kept, every process measures
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({**_read_file(), key: list(found)}, indent=1))
        beside.replace(path)
