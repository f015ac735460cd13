"""Slow twins of the window functions: plain Python over lists, None for missing, one group code per row (-1: none)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column

Values = list[Any]


def raw(column: Column) -> Values:
    """Values as kernels mean them: temporals as integers, categories as values, NaN and null as None."""
    array = column.array
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if column.dtype.is_temporal:
        array = array.cast(pa.int32() if column.dtype.width == 4 else pa.int64())
    return [None if isinstance(value, float) and value != value else value for value in array.to_pylist()]


def members(codes: list[int]) -> list[list[int]]:
    """Row numbers of each group, in row order."""
    return [
        [row for row, code in enumerate(codes) if code == group] for group in sorted({one for one in codes if one >= 0})
    ]


def by_group(values: Values, codes: list[int], function: Callable[[Values], Values]) -> Values:
    """``function`` of each group's values in row order, put back at their rows."""
    out: Values = [None] * len(values)
    for rows in members(codes):
        for row, result in zip(rows, function([values[one] for one in rows]), strict=True):
            out[row] = result
    return out


def shift(values: Values, periods: int, fill: Any = None) -> Values:
    return [values[row - periods] if 0 <= row - periods < len(values) else fill for row in range(len(values))]


def diff(values: Values, periods: int) -> Values:
    return [
        None if one is None or other is None else one - other
        for one, other in zip(values, shift(values, periods), strict=True)
    ]


def pct_change(values: Values, periods: int, dtype: type = np.float64) -> Values:
    def relative(one: Any, other: Any) -> Any:
        if one is None or other is None:
            return None
        with np.errstate(all="ignore"):
            result = float(dtype(one) / dtype(other) - dtype(1))
        return None if result != result else result

    return [relative(one, other) for one, other in zip(values, shift(values, periods), strict=True)]


def accumulate(values: Values, combine: Callable[[Any, Any], Any]) -> Values:
    total, out = None, []
    for value in values:
        if value is not None:
            total = value if total is None else combine(total, value)
        out.append(total if value is not None else None)
    return out


def cumsum(values: Values) -> Values:
    return accumulate([int(one) if isinstance(one, bool) else one for one in values], operator.add)


def cumprod(values: Values) -> Values:
    return accumulate([int(one) if isinstance(one, bool) else one for one in values], operator.mul)


def cummin(values: Values) -> Values:
    return accumulate(values, min)


def cummax(values: Values) -> Values:
    return accumulate(values, max)


def cumcount(values: Values, ascending: bool = True) -> Values:
    return list(range(len(values))) if ascending else list(range(len(values)))[::-1]


def ffill(values: Values, limit: int | None = None) -> Values:
    last, run, out = None, 0, []
    for value in values:
        run = 0 if value is not None else run + 1
        last = value if value is not None else last
        out.append(last if limit is None or run <= limit else None)
    return out


def bfill(values: Values, limit: int | None = None) -> Values:
    return ffill(values[::-1], limit)[::-1]


def rank(
    values: Values, *, method: str = "average", ascending: bool = True, na_option: str = "keep", pct: bool = False
) -> Values:
    """Quadratic, from the definition: how many are before, how many tie."""

    def before(one: Any, other: Any) -> bool:
        if one is None or other is None:
            return (one is None) != (other is None) and (one is None) == (na_option == "top")
        return bool(one < other if ascending else one > other)

    ranked = [value for value in values if value is not None or na_option != "keep"]
    distinct = list(dict.fromkeys(ranked))
    out: Values = []
    for row, value in enumerate(values):
        if value is None and na_option == "keep":
            out.append(None)
            continue
        less = sum(before(one, value) for one in ranked)
        ties = sum(one == value for one in ranked)
        earlier = sum(one == value for one in values[:row])
        dense = 1 + sum(before(one, value) for one in distinct)
        found = {
            "average": less + (ties + 1) / 2,
            "min": less + 1,
            "max": less + ties,
            "first": less + earlier + 1,
            "dense": dense,
        }[method]
        divisor = len(distinct) if method == "dense" else len(ranked)
        out.append(found / divisor if pct else float(found))
    return out
