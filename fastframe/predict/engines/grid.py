"""Grids over sorted thresholds, which leave few of them to search: see ``_kernels/forest_ranks.hpp``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastframe.records import record

Array = np.ndarray[Any, Any]

_CELLS_PER_THRESHOLD = 8
_MOST_CELLS = 1 << 14         # 32 KB of uint16
_MOST_THRESHOLDS = 1 << 16    # what starts can say
_MOST_LEVELS = 4              # of the search within a cell; what kernels unroll
_FEW_LEVELS = 2               # of the search over all thresholds, up to which a grid gains nothing


@record(frozen=True, eq=False)
class Grid:
    """``starts`` (uint16): thresholds below each cell; empty where the search goes over all. ``low``, ``scale``: of their dtype."""

    starts: Array
    low: float
    scale: float
    levels: int   # 2 ** levels - 1 is at least as many as any cell holds


def grid_of(thresholds: Array) -> Grid:
    """The grid with the shortest search for ascending, distinct thresholds (float32 or float64, no NaN)."""
    n = len(thresholds)
    all_of_them = Grid(np.empty(0, np.uint16), 0.0, 0.0, n.bit_length())
    if all_of_them.levels <= _FEW_LEVELS or n >= _MOST_THRESHOLDS:
        return all_of_them
    n_cells = min(_MOST_CELLS, 1 << (_CELLS_PER_THRESHOLD * n - 1).bit_length())
    levels, cells, low, scale = min(_placed(thresholds, n_cells), key=lambda placed: placed[0], default=(n, thresholds, 0, 0))
    if levels > _MOST_LEVELS or levels >= all_of_them.levels:
        return all_of_them
    return Grid(np.searchsorted(cells, np.arange(n_cells, dtype=cells.dtype)).astype(np.uint16), float(low), float(scale), levels)


def _placed(thresholds: Array, n_cells: int) -> Iterator[tuple[int, Array, Any, Any]]:
    """Grids over all thresholds, and over all but as many on each side as a cell may hold: levels, cells, low, scale."""
    finite = thresholds[np.isfinite(thresholds)]
    last = thresholds.dtype.type(n_cells - 1)
    for outside in (0, 1, 3, 7):
        if len(finite) < 2 * outside + 2:
            return
        low, high = finite[outside], finite[-1 - outside]
        with np.errstate(over="ignore", divide="ignore"):
            scale = last / (high - low)
            if not 0 < scale < np.inf:
                continue
            cells = np.minimum(np.maximum((thresholds - low) * scale, 0), last).astype(np.int32)   # as the kernel does it
        levels = next((few for few in range(1, _MOST_LEVELS + 1) if not _shared(cells, 1 << few)), _MOST_LEVELS + 1)
        yield levels, cells, low, scale
        if levels == 1:
            return


def _shared(cells: Array, many: int) -> bool:
    """Whether any ``many`` thresholds, which ascend, are in one cell."""
    return bool((cells[many - 1 :] == cells[: 1 - many]).any()) if many <= len(cells) else False
