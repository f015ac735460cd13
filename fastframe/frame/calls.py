"""From what users call an aggregation (``"sum"``, ``np.mean``, ``max``) to an `AggregationCall`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from fastframe.errors import ArgumentError, UnsupportedOperation
from fastframe.ops.aggregations import AGGREGATIONS, AggregationCall
from fastframe.ops.calls import NamedCall

Call = TypeVar("Call", bound=NamedCall)

_ALIASES = {"average": "mean", "amin": "min", "amax": "max", "nanmean": "mean", "nansum": "sum", "len": "size"}


_MODULES = ("numpy", "builtins", "statistics")   # whose functions of a known name are ours of that name


def is_name_of_ours(function: Any) -> bool:
    """Whether it is a name, or NumPy's or Python's function of the name of an aggregation; a user's own never is."""
    if isinstance(function, str):
        return True
    known = aggregation_name(function) in AGGREGATIONS
    return known and str(getattr(function, "__module__", "")).partition(".")[0] in _MODULES


def aggregation_name(function: Any) -> str:
    """What an aggregation is called, given its name or a function; "" for anything else."""
    name = function if isinstance(function, str) else getattr(function, "__name__", "")
    return _ALIASES.get(name, name)


def aggregation(function: Any, options: Mapping[str, Any] | None = None) -> AggregationCall:
    """The call for a name, or for NumPy's or Python's function of a known name.

    Raises
    ------
    ArgumentError
        For an unknown name; close names are suggested.
    UnsupportedOperation
        For a function of the user's own.
    """
    name = aggregation_name(function)
    if name not in AGGREGATIONS or not is_name_of_ours(function):
        if callable(function):
            instead = f"Functions of your own work on groups: groupby(keys).agg(f). By name there are {', '.join(AGGREGATIONS)}."
            raise UnsupportedOperation.of_argument("agg", "func", name or function, instead)
        raise ArgumentError.of("agg", "func", function, AGGREGATIONS)
    return kept_call(AggregationCall, name, options or {})


def kept_call(kind: type[Call], name: str, options: Mapping[str, Any]) -> Call:
    """A call of some kind: calls are checked when they are made, and the same few are made again and again."""
    try:
        return _known_call(kind, name, tuple([(option, type(value), value) for option, value in options.items()]))   # type: ignore[return-value]
    except TypeError:   # a value that cannot be hashed; the call says whether it can be used
        return kind(name, dict(options))


@lru_cache(maxsize=256)
def _known_call(kind: type[NamedCall], name: str, options: tuple[tuple[str, type, Any], ...]) -> NamedCall:
    return kind(name, {option: value for option, _, value in options})


def function_label(function: Any) -> str:
    """What a result column is called after its function."""
    return function if isinstance(function, str) else getattr(function, "__name__", str(function))
