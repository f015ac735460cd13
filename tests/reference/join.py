"""Slow twins of joins: nested loops over rows of Python keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Key = tuple[Any, ...]
NO_ROW = -1


def _normal(key: Key) -> Key:
    """Missing values (None, NaN) are equal to each other, and -0.0 to 0.0."""
    return tuple(None if value is None or value != value else value + 0.0 if isinstance(value, float) else value for value in key)


def _rank(key: Key) -> tuple[Any, ...]:
    """Missing values come last."""
    return tuple((value is None, value if value is not None else 0) for value in key)


def join_rows(left: Sequence[Key], right: Sequence[Key], how: str) -> list[tuple[int, int]]:
    """Pairs of rows in pandas' order; -1 for a side without row."""
    left, right = [_normal(key) for key in left], [_normal(key) for key in right]
    if how == "right":
        return [(one, other) for other, one in join_rows(right, left, "left")]
    pairs = []
    for row, key in enumerate(left):
        partners = [other for other, partner in enumerate(right) if partner == key]
        if not partners and how in ("left", "outer"):
            partners = [NO_ROW]
        pairs += [(row, other) for other in partners]
    if how == "outer":
        pairs += [(NO_ROW, other) for other, key in enumerate(right) if key not in left]
        pairs.sort(key=lambda pair: _rank(left[pair[0]] if pair[0] != NO_ROW else right[pair[1]]))
    return pairs


def first_repeated(codes: Sequence[int], left_out: int) -> int | None:
    """The first row whose code occurred before."""
    for row, code in enumerate(codes):
        if code != left_out and code in codes[:row]:
            return row
    return None
