"""From pandas' arguments of ``rolling``, ``expanding`` and ``ewm`` to a `Span` or a `Decay`."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from fastframe.errors import ArgumentError, UnsupportedOperation, WindowError
from fastframe.frame.window_source import WindowSource
from fastframe.ops.decay import Decay
from fastframe.ops.rolling import CLOSED, Span

_REFUSED = {
    "win_type": "Weighted windows are not built: use ewm(...), or .to_pandas() for this step.",
    "step": "Take every step-th row of the result: result.iloc[::step].",
    "method": "Each column is computed by itself, on all cores: leave it out.",
}
_UNITS = {
    "D": 86400 * 10**9, "h": 3600 * 10**9, "H": 3600 * 10**9, "min": 60 * 10**9, "T": 60 * 10**9, "s": 10**9, "S": 10**9,
    "ms": 10**6, "us": 10**3, "ns": 1,
}  # fmt: skip
_PART = re.compile(r"(\d*\.?\d*)\s*([A-Za-z]+)\s*")


def rolling_span(source: WindowSource, window: Any, min_periods: Any, on: str | None, how: Mapping[str, Any]) -> tuple[WindowSource, Span]:
    """The source, knowing its times, and the span.

    Raises
    ------
    WindowError, ArgumentError, UnsupportedOperation, ColumnNotFound
    """
    for name, instead in _REFUSED.items():
        if how[name] is not None:
            raise UnsupportedOperation.of_argument("rolling", name, how[name], instead)
    if how["closed"] not in (None, *CLOSED):
        raise ArgumentError.of("rolling", "closed", how["closed"], CLOSED)
    center, closed = bool(how["center"]), how["closed"] or "right"
    if _is_count(window) and window > 0:
        _check_periods("rolling", min_periods, int(window))
        if on is not None:
            source, _ = source.with_times(on)
        return source, _span_of_rows(int(window), int(window if min_periods is None else min_periods), center, closed)
    _check_periods("rolling", min_periods, None)
    nanoseconds = nanoseconds_of(window)
    source, times = source.with_times(on)
    return source, Span(None, nanoseconds, times, 1 if min_periods is None else int(min_periods), center, closed)


@lru_cache(maxsize=64)
def _span_of_rows(rows: int, min_periods: int, center: bool, closed: str) -> Span:
    return Span(rows, min_periods=min_periods, center=center, closed=closed)


def expanding_span(min_periods: Any, method: str) -> Span:
    if method != "single":
        raise UnsupportedOperation.of_argument("expanding", "method", method, _REFUSED["method"])
    _check_periods("expanding", min_periods, None)
    return Span(min_periods=int(min_periods))


_ALPHAS = {   # of each way to say how weights fall: from where on it means something, and the alpha
    "com": (lambda com: com >= 0, lambda com: 1 / (1 + com)),
    "span": (lambda span: span >= 1, lambda span: 2 / (span + 1)),
    "halflife": (lambda half: half > 0, lambda half: -math.expm1(-math.log(2) / half)),
    "alpha": (lambda alpha: 0 < alpha <= 1, lambda alpha: alpha),
}


def decay_of(source: WindowSource, given: Mapping[str, Any], times: Any, how: Mapping[str, Any]) -> tuple[WindowSource, Decay]:
    """The source, knowing its times, and how weights fall.

    Raises
    ------
    WindowError
    """
    _check_periods("ewm", how["min_periods"], None)
    said = {name: value for name, value in given.items() if value is not None}
    if times is not None:
        if list(said) != ["halflife"] or isinstance(said["halflife"], int | float):
            raise WindowError.of_times(said)
        source, on = source.with_own_times(times)
        return source, Decay(0.5, nanoseconds_of(said["halflife"]), on, **how)
    ((name, value),) = said.items() if len(said) == 1 else (("", None),)
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not _ALPHAS[name][0](value):
        raise WindowError.of_decay(said)
    return source, Decay(float(_ALPHAS[name][1](value)), **how)


def nanoseconds_of(window: Any) -> int:
    """A span of time in nanoseconds.

    Raises
    ------
    WindowError
        Where it is none, or not above 0.
    """
    found = _nanoseconds(window)
    if found is None or found <= 0:
        raise WindowError.not_a_window(window)
    return found


def _nanoseconds(window: Any) -> int | None:
    if isinstance(window, str):
        return _read(window)
    if isinstance(window, np.timedelta64):
        return None if np.isnat(window) else int(window / np.timedelta64(1, "ns")) if np.datetime_data(window)[0] not in ("Y", "M", "generic") else None
    if hasattr(window, "nanos"):   # pandas' offsets of fixed length
        return int(window.nanos)
    if isinstance(window, datetime.timedelta):
        below = int(getattr(window, "nanoseconds", 0))   # pandas.Timedelta
        return ((window.days * 86400 + window.seconds) * 10**6 + window.microseconds) * 1000 + below
    return None


def _read(text: str) -> int | None:
    """``"1h30min"`` and the like."""
    total, at = 0.0, 0
    whole = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part[2] not in _UNITS or part[1] == ".":
            return None
        if part[1].isdigit() or not part[1]:
            whole += int(part[1] or 1) * _UNITS[part[2]]
        else:
            total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return whole + round(total)


def _is_count(given: Any) -> bool:
    return isinstance(given, int | np.integer) and not isinstance(given, bool | np.timedelta64)


def _check_periods(method: str, min_periods: Any, window: int | None) -> None:
    if min_periods is None and method == "rolling":
        return
    if not _is_count(min_periods) or min_periods < 0 or (window is not None and min_periods > window):
        raise WindowError.too_few_rows(method, min_periods, window)
