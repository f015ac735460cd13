"""From what users call an aggregation (``"sum"``, ``np.mean``, ``max``) to an `AggregationCall`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastframe.errors import ArgumentError, UnsupportedOperation
from fastframe.ops.aggregations import AGGREGATIONS, AggregationCall

_ALIASES = {"average": "mean", "amin": "min", "amax": "max", "nanmean": "mean", "nansum": "sum", "len": "size"}


def aggregation(function: Any, options: Mapping[str, Any] | None = None) -> AggregationCall:
    """The call for a name, or for NumPy's or Python's function of a known name.

    Raises
    ------
    ArgumentError
        For an unknown name; close names are suggested.
    UnsupportedOperation
        For a function of the user's own.
    """
    name = function if isinstance(function, str) else getattr(function, "__name__", "")
    name = _ALIASES.get(name, name)
    if name not in AGGREGATIONS:
        if callable(function):
            raise UnsupportedOperation.of_argument("agg", "func", name or function, f"Use one of {', '.join(AGGREGATIONS)}.")
        raise ArgumentError.of("agg", "func", function, AGGREGATIONS)
    given = options or {}
    try:   # calls are checked when they are made, and the same few are made again and again
        return _known_call(name, tuple([(option, type(value), value) for option, value in given.items()]))
    except TypeError:   # a value that cannot be hashed; the call says whether it can be used
        return AggregationCall(name, dict(given))


@lru_cache(maxsize=256)
def _known_call(name: str, options: tuple[tuple[str, type, Any], ...]) -> AggregationCall:
    return AggregationCall(name, {option: value for option, _, value in options})


def function_label(function: Any) -> str:
    """What a result column is called after its function."""
    return function if isinstance(function, str) else getattr(function, "__name__", str(function))
