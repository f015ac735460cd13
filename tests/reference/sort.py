"""Slow twins of the sort kernels: plain Python, one obvious line after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

MISSING_CODE = 0xFFFFFFFF


def group_order(codes: Sequence[int], n_groups: int) -> tuple[list[int], list[int]]:
    """Rows by (code, row) without the rows of `MISSING_CODE`, and where each group starts."""
    groups: list[list[int]] = [[] for _ in range(n_groups)]
    for row, code in enumerate(codes):
        if code != MISSING_CODE:
            groups[code].append(row)
    offsets = [0]
    for group in groups:
        offsets.append(offsets[-1] + len(group))
    return [row for group in groups for row in group], offsets


def is_missing(value: Any) -> bool:
    return value is None or value != value


def sort_rows(keys: Sequence[Sequence[Any]], descending: Sequence[bool], nulls_first: bool = False) -> list[int]:
    """A stable permutation by several keys of Python values; None and NaN are missing and equal."""

    def compare(left: int, right: int) -> int:
        for values, down in zip(keys, descending, strict=True):
            one, other = values[left], values[right]
            if is_missing(one) or is_missing(other):
                order = (is_missing(one) - is_missing(other)) * (-1 if nulls_first else 1)
            else:
                order = ((one > other) - (one < other)) * (-1 if down else 1)
            if order:
                return order
        return 0

    return sorted(range(len(keys[0])), key=cmp_to_key(compare))
