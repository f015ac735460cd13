"""Grids over sorted thresholds, which leave few of them to search: see ``_kernels/forest_ranks.hpp``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_CELLS_PER_THRESHOLD = 8
_MOST_CELLS = 1 << 14         # 32 KB of uint16
_MOST_THRESHOLDS = 1 << 16    # what starts can say
_MOST_LEVELS = 4              # of the search within a cell; what kernels unroll
_FEW_LEVELS = 2               # of the search over all thresholds, up to which a grid gains nothing


@dataclass(frozen=True, eq=False)
class Grid:
    """``starts`` (uint16): thresholds below each cell; empty where the search goes over all. ``low``, ``scale``: of their dtype."""

    starts: Array
    low: float
    scale: float
    levels: int   # 2 ** levels - 1 is at least as many as any cell holds


def grid_of(thresholds: Array) -> Grid:
    """The grid with the shortest search for ascending, distinct thresholds (float32 or float64, no NaN)."""
    n = len(thresholds)
    best = Grid(np.empty(0, np.uint16), 0.0, 0.0, n.bit_length())
    if best.levels <= _FEW_LEVELS or n >= _MOST_THRESHOLDS:
        return best
    n_cells = min(_MOST_CELLS, 1 << (_CELLS_PER_THRESHOLD * n - 1).bit_length())
    for low, high in _spans(thresholds):
        found = _over(thresholds, low, high, n_cells)
        if found is not None and found.levels < best.levels:
            best = found
        if best.levels <= 1:
            break
    return best if len(best.starts) and best.levels <= _MOST_LEVELS else Grid(np.empty(0, np.uint16), 0.0, 0.0, n.bit_length())


def _spans(thresholds: Array) -> Iterator[tuple[Any, Any]]:
    """What a grid may span: all thresholds, or all but as many on each side as a cell may hold."""
    finite = thresholds[np.isfinite(thresholds)]
    for outside in (0, 1, 3, 7):
        if len(finite) > 2 * outside + 1:
            yield finite[outside], finite[-1 - outside]


def _over(thresholds: Array, low: Any, high: Any, n_cells: int) -> Grid | None:
    """The grid from ``low`` to ``high``; None where its numbers are not finite. The arithmetic is the kernel's."""
    kind = thresholds.dtype.type
    with np.errstate(over="ignore", divide="ignore"):
        scale = kind(n_cells - 1) / (high - low)
        if not (np.isfinite(scale) and scale > 0 and np.isfinite(high - low)):
            return None
        cells = np.clip((thresholds - low) * scale, kind(0), kind(n_cells - 1)).astype(np.int64)
    counts = np.bincount(cells, minlength=n_cells)
    starts = (np.cumsum(counts) - counts).astype(np.uint16)
    return Grid(starts, float(low), float(scale), int(counts.max()).bit_length())
