"""Slow twins of functions by group: plain Python over rows, one group code per row (-1: none)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def members(codes: Sequence[int], n_groups: int, present: Sequence[bool] | None = None) -> list[list[int]]:
    """The rows of each group, in row order; only those that are present."""
    return [[row for row, code in enumerate(codes) if code == group and (present is None or present[row])] for group in range(n_groups)]


def places(codes: Sequence[int], n_groups: int) -> tuple[list[int], list[int]]:
    """Each row's place when rows are brought together by group (-1: none), and where each group begins."""
    ordered = [row for rows in members(codes, n_groups) for row in rows]
    found = [-1] * len(codes)
    for place, row in enumerate(ordered):
        found[row] = place
    offsets = [0]
    for rows in members(codes, n_groups):
        offsets.append(offsets[-1] + len(rows))
    return found, offsets


def per_group(columns: Sequence[np.ndarray], rows_of: Sequence[Sequence[int]], function: Callable[..., Any]) -> list[Any]:
    """What the function returns for each group; None for one without rows."""
    return [function(*[column[rows] for column in columns]) if rows else None for rows in rows_of]


def per_row(columns: Sequence[np.ndarray], rows_of: Sequence[Sequence[int]], function: Callable[..., Any]) -> list[Any]:
    """One value per row from functions that give a vector; None where a row takes no part."""
    out: list[Any] = [None] * len(columns[0])
    for rows in rows_of:
        if rows:
            for row, value in zip(rows, function(*[column[rows] for column in columns]), strict=True):
                out[row] = value
    return out
