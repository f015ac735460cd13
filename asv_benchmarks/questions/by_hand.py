"""What a user with numba and an afternoon would write: loops over groups that lie in order already. The yardstick of `compare udf`.

numba is imported, and everything compiled, at the first call of each loop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa


def in_group_order(table: pa.Table, key: str, columns: list[str]) -> SimpleNamespace:
    """Columns as NumPy arrays in the order of a key, where each group starts (and the end), and the rows they came from."""
    keys = table[key].to_numpy()
    rows = np.argsort(keys, kind="stable")
    ordered = keys[rows]
    same = (ordered[1:] == ordered[:-1]) | ((ordered[1:] != ordered[1:]) & (ordered[:-1] != ordered[:-1]))   # missing keys are one
    starts = np.append(0, 1 + np.flatnonzero(~same))
    values = {name: np.ascontiguousarray(table[name].combine_chunks().to_numpy(zero_copy_only=False)[rows]) for name in columns}
    return SimpleNamespace(api="numba", rows=rows, starts=np.append(starts, len(rows)), keys=keys[rows[starts]], **values)


@lru_cache
def group_loops() -> SimpleNamespace:
    """Loops over groups, compiled when they are first called."""
    from numba import njit, prange

    @njit(parallel=True)
    def scores(values: Any, starts: Any) -> Any:
        out = np.empty_like(values)
        for group in prange(len(starts) - 1):
            x = values[starts[group] : starts[group + 1]]
            mean = x.mean()
            deviation = x.std()
            for row in range(len(x)):
                out[starts[group] + row] = min(max((x[row] - mean) / deviation, -3.0), 3.0)
        return out

    @njit(parallel=True)
    def weighted_means(values: Any, weights: Any, starts: Any) -> Any:
        out = np.empty(len(starts) - 1)
        for group in prange(len(starts) - 1):
            total = 0.0
            weight = 0.0
            for row in range(starts[group], starts[group + 1]):
                if values[row] == values[row] and weights[row] == weights[row]:
                    total += values[row] * weights[row]
                    weight += weights[row]
            out[group] = total / weight if weight != 0.0 else np.nan
        return out

    @njit(parallel=True)
    def drawdowns(values: Any, starts: Any) -> Any:
        out = np.empty(len(starts) - 1)
        for group in prange(len(starts) - 1):
            highest, worst = -np.inf, 0.0
            for row in range(starts[group], starts[group + 1]):
                if values[row] > highest:
                    highest = values[row]
                elif highest - values[row] > worst:
                    worst = highest - values[row]
            out[group] = worst
        return out

    return SimpleNamespace(scores=scores, weighted_means=weighted_means, drawdowns=drawdowns)


@lru_cache
def window_loop() -> Callable[[Any, int], Any]:
    """A loop over windows of so many rows."""
    from numba import njit, prange

    @njit(parallel=True)
    def weighted_windows(values: Any, width: int) -> Any:
        out = np.full(len(values), np.nan)
        for row in prange(width - 1, len(values)):
            total = 0.0
            for back in range(width):
                total += values[row - width + 1 + back] * (back + 1)
            out[row] = total / (width * (width + 1) / 2)
        return out

    return weighted_windows
