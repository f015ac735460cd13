"""Which rows each call of a function gets, and how the calls are shared out to threads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PART_COST = 1 << 16   # what one part costs, in rows; some 50 us of the cheapest functions
CALL_COST = 16        # what a call costs besides its rows


@dataclass(frozen=True)
class Runs:
    """Run ``g`` is the rows ``begin[g]:end[g]`` of the input arrays; part ``p`` is the runs ``bounds[p]:bounds[p + 1]``.

    For a run that ends before it begins the function is not called; its scalar results are not present, and 0.

    ``begin`` and ``end`` are int32 or int64, both alike; windows may overlap. Threads take the parts in the ``order`` given.
    The caller vouches that otherwise ``0 <= begin <= end <= rows``, and for vector results that runs do not overlap.
    """

    begin: np.ndarray
    end: np.ndarray
    bounds: np.ndarray            # int64, ascending from 0 to the number of runs
    order: np.ndarray | None = None   # int64; None: as they stand

    @property
    def n_runs(self) -> int:
        """How often the function is called."""
        return len(self.begin)

    @property
    def n_parts(self) -> int:
        """What threads share."""
        return len(self.bounds) - 1

    @classmethod
    def of_offsets(cls, offsets: np.ndarray) -> Runs:
        """Groups that lie one behind the other: ``offsets`` has one more entry than there are groups."""
        return cls.by_rows(offsets[:-1], offsets[1:])

    @classmethod
    def by_rows(cls, begin: np.ndarray, end: np.ndarray, part_cost: int = PART_COST) -> Runs:
        """Parts of about equal cost, cut from the lengths alone, the costliest first."""
        begin, end = _same_width(begin, end)
        if not len(begin):
            return cls(begin, end, np.zeros(1, np.int64))
        cost = np.cumsum(np.maximum(end.astype(np.int64) - begin, 0) + CALL_COST)
        steps = np.arange(part_cost, int(cost[-1]), part_cost)
        cuts = np.searchsorted(cost, steps, side="left") + 1   # the run in which a step lies ends its part
        bounds = np.unique(np.concatenate([[0], np.minimum(cuts, len(begin)), [len(begin)]])).astype(np.int64)
        of_part = np.diff(np.concatenate([[0], cost])[bounds])
        return cls(begin, end, bounds, np.argsort(-of_part, kind="stable").astype(np.int64))

    @classmethod
    def evenly(cls, begin: np.ndarray, end: np.ndarray, runs_per_part: int) -> Runs:
        """Parts of equally many runs, in order: where all runs cost about the same."""
        begin, end = _same_width(begin, end)
        inner = np.arange(0, len(begin), max(1, runs_per_part), dtype=np.int64)
        return cls(begin, end, np.append(inner, np.int64(len(begin))) if len(begin) else np.zeros(1, np.int64))


def _same_width(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kind = np.int32 if begin.dtype == end.dtype == np.int32 else np.int64
    return np.ascontiguousarray(begin, kind), np.ascontiguousarray(end, kind)
