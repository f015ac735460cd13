"""Settings of the process, the environment variables that preset them, and `option_context`.

>>> import fastframe as ff
>>> with ff.option_context(threads=1):
...     ff.options.threads
1
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from fastframe.errors import ArgumentError
from fastframe.records import record

_TRUE = {"1", "true", "yes", "on"}


def _env_int(name: str, default: int | None) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.strip().lstrip("-").isdigit() else default


def _env_bool(name: str, default: bool) -> bool:
    text = os.environ.get(name, "").strip().lower()
    return text in _TRUE if text else default


def _memory_bytes() -> int:
    """Bytes of memory that this process may use: the machine's, or its control group's where that is less."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):   # a system that does not say
        return 4 << 30
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return min(machine, int(allowed)) if allowed.isdigit() else machine


@record()
class Options:
    """The settings; assign to its attributes, or use `option_context` for a while.

    Attributes
    ----------
    threads : int or None
        Threads of one operation; None leaves it to ``FASTFRAME_THREADS``, then to the CPUs this process may use.
        An active ``joblib.parallel_config(n_jobs=...)`` comes first.
    progress : bool
        Show a progress bar on long reads and writes (``FASTFRAME_PROGRESS``).
    validate : bool
        Check Arrow data and files in full before use (``FASTFRAME_VALIDATE``). Turn off only for data you made.
    pool_bytes : int
        Most bytes of freed large buffers that are kept for reuse (``FASTFRAME_POOL_BYTES``; an eighth of the memory
        that this process may use). They never make the peak larger, and go back to the system when they have not been used for ten seconds.
    cache_bytes : int
        Bytes of codes of groups and of plain text that are kept on columns for the next time (``FASTFRAME_CACHE_BYTES``);
        an eighth of the memory that this process may use. The longest unused go first; 0 keeps nothing.
    jit_cache : int
        Compiled functions of users that are kept in memory for the next call; the longest unused go first.
    jit_disk : bool
        Keep compiled functions of users on disk for the next process (``FASTFRAME_JIT_DISK``; in ``FASTFRAME_CACHE_DIR``, else
        in the user's cache folder).
    max_rows, max_columns, max_width : int
        How much of a frame ``repr`` shows: rows, columns, characters of one value.
    """

    threads: int | None = None
    progress: bool = field(default_factory=lambda: _env_bool("FASTFRAME_PROGRESS", False))
    validate: bool = field(default_factory=lambda: _env_bool("FASTFRAME_VALIDATE", True))
    pool_bytes: int = field(default_factory=lambda: _env_int("FASTFRAME_POOL_BYTES", _memory_bytes() // 8) or 0)
    cache_bytes: int = field(default_factory=lambda: _env_int("FASTFRAME_CACHE_BYTES", _memory_bytes() // 8) or 0)
    jit_cache: int = 128
    jit_disk: bool = field(default_factory=lambda: _env_bool("FASTFRAME_JIT_DISK", True))
    max_rows: int = 10
    max_columns: int = 20
    max_width: int = 32

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _NAMES:
            raise ArgumentError.of("options", "name", name, _NAMES)
        if name == "threads" and value is not None and (not isinstance(value, int) or value < 1):
            raise ArgumentError.of("options", "threads", value, ["None", "an int of at least 1"])
        if name in ("pool_bytes", "cache_bytes", "jit_cache") and (not isinstance(value, int) or value < 0):
            raise ArgumentError.of("options", name, value, ["an int of at least 0"])
        object.__setattr__(self, name, value)
        for react in _watchers.get(name, ()):
            react(value)


_NAMES = [one.name for one in fields(Options)]
_watchers: dict[str, list[Callable[[Any], None]]] = {}
options = Options()


def watch(name: str, react: Callable[[Any], None]) -> None:
    """Call ``react`` with the value of an option, now and whenever it is set: for state that lives elsewhere."""
    _watchers.setdefault(name, []).append(react)
    react(getattr(options, name))


@contextmanager
def option_context(**settings: Any) -> Iterator[Options]:
    """Set options inside a ``with`` block; the old values come back at its end, also after an error."""
    before = {name: getattr(options, name) for name in settings if name in _NAMES}
    try:
        for name, value in settings.items():
            setattr(options, name, value)
        yield options
    finally:
        for name, value in before.items():
            setattr(options, name, value)
