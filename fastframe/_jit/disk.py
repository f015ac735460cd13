"""Compiled kernels on disk, for the next process: object code of functions that come from source files.

A file is found by a digest of all that decides its code: the function's bytecode and captured values, argument types, mode,
versions (Python, numba, llvmlite, NumPy, and the sources of this package), CPU. It is a line of JSON and the object code.

Trust: object code is run, so only files are read that nobody but this user (or root) can have written: folder and file are
his, and not writable for others. Whoever can write there can also change his other programs. The checksum finds damaged
files, not forged ones; damaged files are compiled anew and replaced. Files are written whole under another name and then
renamed, so readers and writers of several processes never see half a file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from fastframe.options import options

MAGIC = "fastframe-jit 1"
MOST_FILES = 500   # the longest unused go first
_SOURCES = (
    "arguments.py", "divisions.py", "glue.py", "lane_glue.py", "lane_operations.py", "lane_pipeline.py", "lane_sequences.py", "lane_shortcuts.py",
    "lanes.py", "layout.py", "pipeline.py", "shortcuts.py", "kernel.py", "disk.py", "fingerprint.py",
)  # fmt: skip


class Stored(NamedTuple):
    """A compiled kernel as it is kept: what to know of it, and its object code."""

    facts: dict[str, Any]
    code: bytes


def folder() -> Path:
    """Where kernels are kept: ``FASTFRAME_CACHE_DIR``, else the user's cache folder as the system has it."""
    chosen = os.environ.get("FASTFRAME_CACHE_DIR")
    if chosen:
        return Path(chosen) / "jit"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fastframe" / "jit"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastframe" / "jit"


def key_of(*parts: Any) -> str:
    """The name of a kernel's file."""
    digest = hashlib.sha256(repr(_machine()).encode())
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _machine() -> tuple[Any, ...]:
    """Versions and the CPU, as object code depends on them."""
    import llvmlite
    import llvmlite.binding as llvm
    import numba
    import numpy

    ours = hashlib.sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in _SOURCES)).hexdigest()
    cpu = (llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    settings = (str(numba.config.OPT), numba.config.CPU_NAME, numba.config.CPU_FEATURES, numba.config.LOOP_VECTORIZE, numba.config.SLP_VECTORIZE)
    return (MAGIC, ours, sys.version, numba.__version__, llvmlite.__version__, numpy.__version__, cpu, settings)


def load(key: str) -> Stored | None:
    """What is kept under a key; None where nothing is, or nothing to be trusted or whole."""
    if not options.jit_disk:
        return None
    path = folder() / key
    try:
        if not (_only_ours(path.parent) and _only_ours(path)):
            return None
        head, _, code = path.read_bytes().partition(b"\n")
        facts = json.loads(head)
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or facts.get("magic") != MAGIC or facts.get("key") != key:
        return None
    if facts.get("sha256") != _checksum(facts, code):
        return None
    with suppress(OSError):
        os.utime(path)   # it was used
    return Stored(facts, code)


def save(key: str, facts: dict[str, Any], code: bytes) -> None:
    """Keep a kernel; where the disk refuses, it is compiled again by the next process."""
    if not options.jit_disk:
        return
    facts = {"magic": MAGIC, "key": key, **facts}
    facts["sha256"] = _checksum(facts, code)
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=place, prefix=".new-")   # for this user only
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(facts).encode() + b"\n" + code)
            os.replace(name, place / key)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _shrink(place)
    except OSError:
        return


def _checksum(facts: dict[str, Any], code: bytes) -> str:
    told = json.dumps({name: value for name, value in facts.items() if name != "sha256"}, sort_keys=True)
    return hashlib.sha256(told.encode() + b"\n" + code).hexdigest()


def _only_ours(path: Path) -> bool:
    if not hasattr(os, "getuid"):   # Windows: profiles are the user's own
        return True
    found = path.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _shrink(place: Path) -> None:
    files = [entry for entry in os.scandir(place) if entry.is_file(follow_symlinks=False)]
    if len(files) <= MOST_FILES:
        return
    for entry in sorted(files, key=lambda one: one.stat().st_mtime)[: len(files) - MOST_FILES]:
        with suppress(OSError):
            os.unlink(entry.path)
