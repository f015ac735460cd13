"""Compiled kernels in memory: a bounded table, and one compilation where several threads ask at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class KernelCache(Generic[T]):
    """The most recently used results of compilations; the longest unused go first."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Future[T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept for ``key``, else what ``make`` gives; an error of ``make`` goes to all who wait, and is not kept."""
        with self._lock:
            future = self._found.get(key)
            mine = future is None
            if future is None:
                future = self._found[key] = Future()
            self._found.move_to_end(key)
        if not mine:
            return future.result()
        try:
            future.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._found.get(key) is future:
                    del self._found[key]
            future.set_exception(error)
            raise
        self._shrink()
        return future.result()

    def _shrink(self) -> None:
        with self._lock:
            done = [key for key, future in self._found.items() if future.done()]
            for key in done[: max(0, len(self._found) - self._most())]:
                del self._found[key]

    def clear(self) -> None:
        """Forget all that is not being made."""
        with self._lock:
            for key in [key for key, future in self._found.items() if future.done()]:
                del self._found[key]

    def __len__(self) -> int:
        return len(self._found)
