"""Large things computed from columns and kept for the next time: dictionary codes of plain text, codes of groups.

They are facts, held by the column that they were computed from (by the first, where there are several), so they die with
it and are never pickled. What is here is the count of their bytes, and who goes first where there are more of them than
``ff.options.cache_bytes``: the longest unused. Where an allocation fails, all of them go. Nothing of columns whose memory
is not ours is kept. All functions may be called from any thread.
"""

from __future__ import annotations

import os
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from threading import Lock
from typing import Any, NamedTuple

from fastframe.column.column import Column, Facts
from fastframe.column.memory import on_pressure
from fastframe.options import watch


class _Entry(NamedTuple):
    owner: weakref.ref[Facts]
    others: tuple[weakref.ref[Facts], ...]   # of the other columns: the entry is of no use without them
    name: Any
    n_bytes: int


class _Cache:
    """Entries by serial number, the longest unused first."""

    def __init__(self) -> None:
        self.limit = 0
        self.n_bytes = 0
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._serials = count()
        self._lock = Lock()
        self._gone: deque[int] = deque()   # entries whose columns died while somebody held the lock

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            yield
            self._forget_gone()
        self._settle()

    def _settle(self) -> None:
        """A column may die inside any allocation, in the very thread that holds the lock: then its holder cleans up."""
        while self._gone and self._lock.acquire(blocking=False):
            try:
                self._forget_gone()
            finally:
                self._lock.release()

    def _forget_gone(self) -> None:
        while self._gone:
            self._drop(self._gone.popleft())

    def _drop(self, serial: int) -> None:
        entry = self._entries.pop(serial, None)
        if entry is None:
            return
        self.n_bytes -= entry.n_bytes
        owner = entry.owner()
        if owner is not None and owner.get(_serial_of(entry.name)) == serial:
            owner.pop(entry.name, None)
            owner.pop(_serial_of(entry.name), None)

    def _died(self, serial: int, _ref: Any) -> None:
        self._gone.append(serial)
        self._settle()

    def renew_lock(self) -> None:
        """In a forked child: whoever held the lock is not there."""
        self._lock = Lock()

    def keep(self, holders: Sequence[Facts], name: Any, value: Any, n_bytes: int) -> None:
        with self._locked():
            serial = next(self._serials)
            died = partial(self._died, serial)
            owner, *others = (weakref.ref(holder, died) for holder in holders)
            self._drop(holders[0].get(_serial_of(name), -1))
            if n_bytes > self.limit:
                return
            self._entries[serial] = _Entry(owner, tuple(others), name, n_bytes)
            holders[0][name] = value
            holders[0][_serial_of(name)] = serial
            self.n_bytes += n_bytes
            self._shrink(self.limit)

    def touch(self, serial: int) -> None:
        with self._lock:   # as `_locked` does, without the context manager's 1.5 us: at every use
            if serial in self._entries:
                self._entries.move_to_end(serial)
            self._forget_gone()
        self._settle()

    def _shrink(self, most: int) -> None:
        while self.n_bytes > most:
            self._drop(next(iter(self._entries)))

    def set_limit(self, n_bytes: int) -> None:
        with self._locked():
            self.limit = n_bytes
            self._shrink(n_bytes)

    def clear(self) -> None:
        with self._locked():
            for serial in list(self._entries):
                self._drop(serial)

    def bytes_of(self, holder: Facts) -> int:
        with self._locked():
            return sum(entry.n_bytes for entry in self._entries.values() if entry.owner() is holder)


_cache = _Cache()
watch("cache_bytes", _cache.set_limit)
on_pressure(_cache.clear)
os.register_at_fork(after_in_child=_cache.renew_lock)


def _serial_of(name: Any) -> Any:
    return ("serial", name)


def _named(columns: Sequence[Column], name: Any) -> Any:
    """The name of a fact of several columns, in the first of them."""
    return (name, *(weakref.ref(column.facts) for column in columns[1:])) if len(columns) > 1 else name


def keep(columns: Sequence[Column], name: Any, value: Any, n_bytes: int) -> None:
    """Keep ``value``, of ``n_bytes``, for the next `find` with the very same columns.

    ``value`` must not refer to the columns, or they would keep each other alive.
    """
    if all(column.owned for column in columns):
        _cache.keep([column.facts for column in columns], _named(columns, name), value, n_bytes)


def find(columns: Sequence[Column], name: Any) -> Any:
    """What `keep` kept, or None."""
    facts = columns[0].facts
    key = _named(columns, name)
    value = facts.get(key)
    if value is not None:
        _cache.touch(facts.get(_serial_of(key), -1))
    return value


def cached_bytes(column: Column) -> int:
    """Bytes that are kept on a column (of what several columns share: on the first)."""
    return _cache.bytes_of(column.facts)


def held_bytes() -> int:
    """Bytes that are kept now, on all columns."""
    return _cache.n_bytes


def clear() -> None:
    """Drop everything that is kept."""
    _cache.clear()
