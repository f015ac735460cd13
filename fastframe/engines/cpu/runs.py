"""`Runs`: the places of each group that a function is called on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fastframe._jit.runs import Runs as CompiledRuns
from fastframe.engines.cpu.places import Places
from fastframe.records import record

Array = np.ndarray[Any, Any]

@record(frozen=True, eq=False)
class Runs:
    """Runs of places, in group order; groups without a placed row have none.

    Attributes
    ----------
    begin, end : numpy.ndarray of int32
        Places of each run.
    of_group : numpy.ndarray of int32 or None
        The run of each group, -1 where it has none; None where every group has one.
    """

    begin: Array
    end: Array
    of_group: Array | None

    def __len__(self) -> int:
        return len(self.begin)

    @cached_property
    def groups(self) -> Array:
        """The group of each run."""
        return np.arange(len(self)) if self.of_group is None else np.flatnonzero(self.of_group >= 0)

    @cached_property
    def compiled(self) -> CompiledRuns:
        """As compiled kernels take them, cut into parts for threads."""
        return CompiledRuns.by_rows(self.begin, self.end)

    def lengths(self) -> Array:
        return self.end - self.begin


def runs_of(places: Places) -> Runs:
    """The groups that have a placed row; kept with the places."""
    if "runs" not in places.found:
        places.found["runs"] = _runs_of(places.offsets)
    found: Runs = places.found["runs"]
    return found


def _runs_of(offsets: Array) -> Runs:
    begin, end = offsets[:-1], offsets[1:]
    has = begin < end
    if bool(has.all()):
        return Runs(begin, end, None)
    of_group = np.where(has, np.cumsum(has) - 1, -1).astype(np.int32)
    return Runs(np.ascontiguousarray(begin[has]), np.ascontiguousarray(end[has]), of_group)


def cuts(runs: Runs, *, call_rows: int, part_rows: int) -> list[int]:
    """Where parts of runs begin, and the end: each of ``part_rows`` rows or a little more, a call costing ``call_rows``."""
    if not len(runs):
        return [0]
    work = np.cumsum(runs.lengths().astype(np.int64) + call_rows)
    part = np.append(0, work[:-1] // part_rows)
    return [*np.flatnonzero(np.diff(part, prepend=-1)).tolist(), len(runs)]


def costliest_first(runs: Runs, bounds: Sequence[int], *, call_rows: int) -> list[int]:
    """The numbers of parts in the order to begin them: a group that has half of all rows must not be what is left at the end."""
    if len(bounds) < 2:
        return []
    cost = np.add.reduceat(runs.lengths().astype(np.int64) + call_rows, bounds[:-1])
    return np.argsort(-cost, kind="stable").tolist()   # type: ignore[no-any-return]
