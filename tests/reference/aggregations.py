"""The aggregations, slowly: plain Python over the values of one group.

Values are what `plain` gives: ints (dates, times, timestamps and durations are their integers), floats, bools, str, bytes,
Decimal, or for a category the position of its value. None is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import DType, Kind
from fastframe.ops.aggregations import AggregationCall

DAY_MS = 86_400_000
EXACT = Context(prec=200)


def plain(column: Column) -> list[Any]:
    """Values as the reference takes them; NaN becomes None."""
    array = column.array
    if column.dtype.kind is Kind.CATEGORY:
        return column.codes.to_pylist()
    if column.dtype.is_temporal:
        array = array.cast(pa.int32() if column.dtype.width == 4 else pa.int64())
    return [None if isinstance(value, float) and math.isnan(value) else value for value in array.to_pylist()]


def aggregated(call: AggregationCall, column: Column, codes: Sequence[int | None], n_groups: int) -> list[Any]:
    """The aggregate of each group; None where missing."""
    members: list[list[int]] = [[] for _ in range(n_groups)]
    for row, code in enumerate(codes):
        if code is not None:
            members[code].append(row)
    values = plain(column)
    return [_one(call, [values[row] for row in rows], rows, column.dtype) for rows in members]


def _one(call: AggregationCall, values: list[Any], rows: list[int], dtype: DType) -> Any:
    name = call.name
    kept = [value for value in values if value is not None]
    if name == "size":
        return len(values)
    if name == "count":
        return len(kept)
    if name == "nunique":
        return len(set(kept)) + (not call["dropna"] and len(kept) < len(values))
    if name in ("first", "last"):
        chosen = kept if call["skipna"] else values
        return (chosen[0] if name == "first" else chosen[-1]) if chosen else None
    if not call["skipna"] and len(kept) < len(values):
        return None
    if name in ("any", "all"):
        return (any if name == "any" else all)(bool(value) for value in kept)
    if name in ("sum", "prod"):
        return _total(name, kept) if len(kept) >= call["min_count"] else None
    if name in ("idxmin", "idxmax"):
        best = min(kept, default=None) if name == "idxmin" else max(kept, default=None)
        return None if best is None else next(row for row, value in zip(rows, values, strict=True) if value == best)
    return _of_present(call, kept, dtype) if kept else None


def _total(name: str, kept: list[Any]) -> Any:
    if kept and isinstance(kept[0], Decimal):
        total = Decimal(0)
        for value in kept:
            total = EXACT.add(total, value)
        return total
    if name == "prod":
        return math.prod(kept)
    return _number(math.fsum(kept)) if kept and isinstance(kept[0], float) else sum(kept)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _of_present(call: AggregationCall, kept: list[Any], dtype: DType) -> Any:
    name = call.name
    if name == "min":
        return min(kept)
    if name == "max":
        return max(kept)
    if name == "mean":
        return _mean(kept, dtype)
    if name in ("var", "std", "sem"):
        return _spread(name, kept, call["ddof"])
    if name == "median":
        return _quantile(kept, 0.5, "linear", dtype)
    if name == "quantile":
        return _quantile(kept, call["q"], call["interpolation"], dtype)
    raise AssertionError(f"the reference does not know {name}")


def _unit(dtype: DType) -> int:
    return DAY_MS if dtype.arrow == pa.date32() else 1


def _mean(kept: list[Any], dtype: DType) -> Any:
    if dtype.kind is Kind.DECIMAL:
        total = _total("sum", kept)
        return EXACT.divide(total, Decimal(len(kept))).quantize(Decimal(1).scaleb(-dtype.arrow.scale), ROUND_HALF_UP, EXACT)
    if dtype.is_temporal:
        return math.trunc(Fraction(sum(kept) * _unit(dtype), len(kept)))
    return float(Fraction(sum(kept), len(kept))) if not isinstance(kept[0], float) else math.fsum(kept) / len(kept)


def _spread(name: str, kept: list[Any], ddof: int) -> float | None:
    n = len(kept)
    if n <= ddof:
        return None
    exact = [Fraction(value) for value in kept]
    mean = sum(exact) / n
    variance = float(sum((value - mean) ** 2 for value in exact) / (n - ddof))
    return {"var": variance, "std": math.sqrt(variance), "sem": math.sqrt(variance / n)}[name]


def _quantile(kept: list[Any], q: float, interpolation: str, dtype: DType) -> Any:
    values = sorted(kept)
    position = q * (len(values) - 1)
    below = int(position)
    above, fraction = min(below + 1, len(values) - 1), position - below
    unit = _unit(dtype)
    match interpolation:
        case "lower":
            return values[below]
        case "higher":
            return values[above if fraction > 0 else below]
        case "nearest":
            return values[below if fraction < 0.5 or (fraction == 0.5 and below % 2 == 0) else above]
        case "midpoint":
            fraction = 0.5 if fraction > 0 else 0.0
    low, high = values[below], values[above]
    if dtype.is_temporal:
        gap = (high - low) * unit
        return math.trunc(low * unit + (Fraction(gap, 2) if fraction == 0.5 else Fraction(gap * fraction)))
    return float(low) if fraction == 0 else float(low) + (float(high) - float(low)) * fraction


def paired(call: AggregationCall, first: Column, second: Column, codes: Sequence[int | None], n_groups: int) -> list[float | None]:
    """The covariance or correlation of two columns in each group, from exact fractions."""
    members: list[list[tuple[Fraction, Fraction]]] = [[] for _ in range(n_groups)]
    for code, one, other in zip(codes, plain(first), plain(second), strict=True):
        if code is not None and one is not None and other is not None:
            members[code].append((Fraction(one), Fraction(other)))
    return [_pair(call, pairs) for pairs in members]


def _pair(call: AggregationCall, pairs: list[tuple[Fraction, Fraction]]) -> float | None:
    n = len(pairs)
    if n == 0:
        return None
    means = sum(one for one, _ in pairs) / n, sum(other for _, other in pairs) / n
    together, first, second = (
        sum((pair[left] - means[left]) * (pair[right] - means[right]) for pair in pairs) for left, right in ((0, 1), (0, 0), (1, 1))
    )
    if call.name == "cov":
        return float(together / (n - call["ddof"])) if n > call["ddof"] else None
    if not first or not second:
        return None
    return math.copysign(math.sqrt(together**2 / (first * second)), together)
