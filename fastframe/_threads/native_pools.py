"""Thread pools of other libraries, OpenMP's and BLAS's, kept small while our threads run a task each.

Four tasks whose matrix products start four threads each are sixteen threads on four cores. OpenMP keeps its limit for
each thread, so it is set around each task, on the thread that runs it (`openmp`). BLAS libraries keep one for the
process: `hold_blas` lowers it while any of several callers need it low.

threadpoolctl knows the libraries. To find the loaded ones takes it milliseconds, to ask whether any has been loaded since
takes microseconds: so it looks again only then. Without threadpoolctl nothing is capped.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Libraries:
    """The loaded libraries that have a thread pool, as threadpoolctl's controllers."""

    def __init__(self) -> None:
        self._seen: object = None
        self.openmp: list[Any] = []
        self.blas: list[Any] = []

    def refresh(self) -> None:
        """Look again, where any library was loaded since the last look."""
        state = loaded_libraries()
        if state == self._seen:
            return
        try:
            from threadpoolctl import ThreadpoolController
        except ImportError:
            found = []
        else:
            found = ThreadpoolController().lib_controllers
        self.openmp = [one for one in found if one.user_api == "openmp"]
        self.blas = [one for one in found if one.user_api == "blas"]
        self._seen = state


class _Header(ctypes.Structure):
    """``struct dl_phdr_info`` of <link.h>."""

    _fields_ = (
        ("address", ctypes.c_void_p), ("name", ctypes.c_char_p), ("headers", ctypes.c_void_p), ("n_headers", ctypes.c_uint16),
        ("n_loaded", ctypes.c_ulonglong), ("n_unloaded", ctypes.c_ulonglong),
    )  # fmt: skip


_Visit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Header), ctypes.c_size_t, ctypes.py_object)


@_Visit
def _visit(header: Any, size: int, found: list[tuple[int, int]]) -> int:
    if size >= ctypes.sizeof(_Header):
        found.append((header.contents.n_loaded, header.contents.n_unloaded))
    return 1   # the first library tells the counts of all


def loaded_libraries() -> object:
    """A value that changes whenever the process loads or unloads a shared library."""
    if sys.platform.startswith("linux"):
        counts: list[tuple[int, int]] = []
        ctypes.pythonapi.dl_iterate_phdr(_visit, ctypes.py_object(counts))
        if counts:
            return counts[0]
    if sys.platform == "darwin":
        return ctypes.pythonapi._dyld_image_count()
    return len(sys.modules)   # a library comes with a module


libraries = _Libraries()


@contextmanager
def openmp(n_threads: int) -> Iterator[None]:
    """Parallel regions that this thread starts inside the block use at most ``n_threads``."""
    before = [(library, library.get_num_threads()) for library in libraries.openmp]
    lowered = [(library, n) for library, n in before if n > n_threads]
    for library, _ in lowered:
        library.set_num_threads(n_threads)
    try:
        yield
    finally:
        for library, n in lowered:
            library.set_num_threads(n)


class _BlasLimit:
    """The least limit that anybody holds, and what the libraries had before anybody did."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nobody holds a limit, as in a forked child, whose libraries keep the number they have."""
        self._lock = threading.Lock()
        self._held: list[int] = []
        self._before: list[tuple[Any, int]] = []

    def hold(self, n_threads: int) -> None:
        with self._lock:
            self._held.append(n_threads)
            self._apply()

    def release(self, n_threads: int) -> None:
        with self._lock:
            if n_threads in self._held:
                self._held.remove(n_threads)
                self._apply()

    def _apply(self) -> None:
        known = {library.filepath for library, _ in self._before}
        self._before += [(one, one.get_num_threads()) for one in libraries.blas if one.filepath not in known]
        for library, n in self._before:
            library.set_num_threads(min([n, *self._held]))
        if not self._held:
            self._before = []


_blas = _BlasLimit()


def hold_blas(n_threads: int) -> None:
    """From now on BLAS uses at most ``n_threads`` threads, in the whole process, until `release_blas` of the same number."""
    libraries.refresh()
    _blas.hold(n_threads)


def release_blas(n_threads: int) -> None:
    """Take one `hold_blas` back."""
    _blas.release(n_threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_blas.reset)
