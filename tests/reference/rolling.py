"""Slow twins of rolling, expanding and exponentially weighted windows: exact fractions over lists, None for missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

Values = Sequence[Any]
Window = list[int]   # positions


def row_windows(n_rows: int, rows: int, *, center: bool = False, closed: str = "right") -> list[Window]:
    """The positions of each window of a number of rows."""
    ahead = (rows - 1) // 2 if center else 0
    out = []
    for row in range(n_rows):
        first, last = row + ahead - rows + 1, row + ahead
        first -= closed in ("left", "both")
        last -= closed in ("left", "neither")
        out.append([one for one in range(first, last + 1) if 0 <= one < n_rows])
    return out


def time_windows(times: Sequence[int], reach: int, *, center: bool = False, closed: str = "right") -> list[Window]:
    """The positions of each window of a span of time; times rise."""
    out = []
    for row, time in enumerate(times):
        low = 2 * time - (reach if center else 2 * reach)   # of twice the times, so that half a reach is whole
        high = 2 * time + (reach if center else 0)
        window = [
            one for one, other in enumerate(2 * other for other in times)
            if (other > low or (other == low and closed in ("left", "both"))) and (other < high or (other == high and closed in ("right", "both")))
        ]  # fmt: skip
        if not center and closed in ("right", "both"):
            window = [one for one in window if one <= row]   # not of those of the same time behind it
        out.append(window)
    return out


def expanding_windows(n_rows: int) -> list[Window]:
    return [list(range(row + 1)) for row in range(n_rows)]


def rolled(values: Values, windows: Sequence[Window], function: str, *, min_periods: int = 1, **options: Any) -> list[Any]:
    """``function`` of the values of each window."""
    out: list[Any] = []
    for window in windows:
        present = [values[one] for one in window if values[one] is not None]
        enough = len(window) if function == "count" else len(present)
        found = FUNCTIONS[function](present, **options) if enough >= min_periods else None
        out.append(found)
    return out


def _total(values: list[Any]) -> Any:
    if any(isinstance(value, float) and math.isinf(value) for value in values):
        return None if len({value for value in values if math.isinf(value)}) > 1 else next(value for value in values if math.isinf(value))
    return sum(map(Fraction, values), Fraction(0))


def _mean(values: list[Any]) -> Any:
    total = _total(values) if values else None
    return None if total is None else total / len(values)


def _var(values: list[Any], ddof: int = 1) -> Any:
    mean = _mean(values)
    if mean is None or len(values) <= ddof or isinstance(mean, float):
        return None
    return sum(((Fraction(value) - mean) ** 2 for value in values), Fraction(0)) / (len(values) - ddof)


def _std(values: list[Any], ddof: int = 1) -> Any:
    variance = _var(values, ddof)
    return None if variance is None else math.sqrt(variance)


def _sem(values: list[Any], ddof: int = 1) -> Any:
    variance = _var(values, ddof)
    return None if variance is None else math.sqrt(variance / len(values))


def _skew(values: list[Any]) -> Any:
    n = len(values)
    if n < 3 or not _var(values, 0):
        return None
    mean, variance = _mean(values), _var(values, 0)
    third = sum(((Fraction(value) - mean) ** 3 for value in values), Fraction(0)) / n
    return math.sqrt(n * (n - 1)) / (n - 2) * math.copysign(math.sqrt(third**2 / variance**3), third)


def _kurt(values: list[Any]) -> Any:
    n = len(values)
    if n < 4 or not _var(values, 0):
        return None
    mean = _mean(values)
    share = sum(((Fraction(value) - mean) ** 4 for value in values), Fraction(0)) / n / _var(values, 0) ** 2
    return float(((n * n - 1) * share - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3)))


def _quantile(values: list[Any], q: float = 0.5, interpolation: str = "linear") -> Any:
    if not values:
        return None
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    part = place - below
    if interpolation == "nearest":
        return ordered[round(place)]
    chosen = {"lower": 0.0, "higher": float(part > 0), "midpoint": 0.5 * (part > 0), "linear": part}[interpolation]
    return ordered[below] if chosen == 0 else ordered[above] if chosen == 1 else ordered[below] + (ordered[above] - ordered[below]) * chosen


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "count": len, "sum": _total, "mean": _mean, "var": _var, "std": _std,
    "min": lambda values: min(values, default=None), "max": lambda values: max(values, default=None),
    "median": _quantile, "quantile": _quantile, "sem": _sem, "skew": _skew, "kurt": _kurt,
}  # fmt: skip


def weights(values: Values, row: int, alpha: Fraction, *, adjust: bool, ignore_na: bool) -> dict[int, Fraction]:
    """The weight of each present value up to ``row``, by its row."""
    present = [one for one in range(row + 1) if values[one] is not None]
    age = {one: sum(1 for later in range(one + 1, row + 1) if values[later] is not None or not ignore_na) for one in present}
    if adjust:
        return {one: (1 - alpha) ** age[one] for one in present}
    out: dict[int, Fraction] = {}
    for at, one in enumerate(present):   # each value takes its share from what was before
        if at == 0:
            out[one] = Fraction(1)
            continue
        kept = (1 - alpha) ** (age[present[at - 1]] - age[one])
        out = {before: weight * kept / (kept + alpha) for before, weight in out.items()}
        out[one] = alpha / (kept + alpha)
    return out


def decayed(values: Values, function: str, alpha: Fraction, *, min_periods: int = 1, adjust: bool = True, ignore_na: bool = False) -> list[Any]:
    """``mean``, ``sum`` or the unbiased ``var`` of the weighted values up to each row."""
    out: list[Any] = []
    for row in range(len(values)):
        weight = weights(values, row, alpha, adjust=adjust, ignore_na=ignore_na)
        if len(weight) < max(1, min_periods):
            out.append(None)
            continue
        total = sum(weight.values())
        summed = sum((one * Fraction(values[at]) for at, one in weight.items()), Fraction(0))
        if function != "var":
            out.append(float(summed if function == "sum" else summed / total))
            continue
        mean = summed / total
        spread = total**2 - sum(one**2 for one in weight.values())
        away = sum((one * (Fraction(values[at]) - mean) ** 2 for at, one in weight.items()), Fraction(0)) / total
        out.append(float(away * total**2 / spread) if spread else None)
    return out


def applied(columns: Sequence[Values], windows: Sequence[Window], function: Callable[..., Any], *, min_periods: int = 1, nulls: str = "skip") -> list[Any]:
    """What a user's function returns for each window's values; None where it is not called."""
    out: list[Any] = []
    for window in windows:
        full = [one for one in window if all(values[one] is not None for values in columns)]
        chosen = full if nulls == "skip" else window
        if len(full) < min_periods or not chosen:
            out.append(None)
            continue
        missing = float("nan") if nulls == "nan" else 0.0
        given = [[missing if values[one] is None else values[one] for one in chosen] for values in columns]
        masks = [[values[one] is not None for one in chosen] for values in columns] if nulls == "mask" else []
        out.append(function(*given, *masks))
    return out
