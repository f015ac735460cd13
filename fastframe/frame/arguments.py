"""Arguments that pandas has and fastframe does not: refused with what to write instead, not with a bare `TypeError`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import index
from types import FunctionType
from typing import Any, TypeVar

from fastframe.errors import ArgumentError, UnsupportedOperation

Kind = TypeVar("Kind", bound=type)
_TAKES_ANY = 0x08   # the flag of a function with **options (inspect.CO_VARKEYWORDS)


def whole_number(method: str, argument: str, value: Any) -> int:
    """A number of rows; NumPy's integers are ints, too."""
    try:
        return index(value)
    except TypeError:
        raise ArgumentError.of(method, argument, value, ("an int",)) from None


def whole_numbers(method: str, argument: str, values: Any) -> list[int]:
    """One number of rows or several."""
    several = hasattr(values, "__iter__") and not isinstance(values, str | bytes)
    return [whole_number(method, argument, one) for one in (values if several else [values])]


def explained(kind: Kind, owner: str | None = None) -> Kind:
    """A class whose public methods refuse unknown keyword arguments with `UnsupportedOperation`; ``owner`` is its name for users."""
    for name in dir(kind):
        method = getattr(kind, name)
        if not name.startswith("_") and isinstance(method, FunctionType) and not method.__code__.co_flags & _TAKES_ANY:
            setattr(kind, name, _explained(owner or kind.__name__, method))
    return kind


def _explained(owner: str, method: FunctionType) -> Callable[..., Any]:
    code = method.__code__
    known = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])

    @wraps(method)
    def checked(*given: Any, **options: Any) -> Any:
        if options and not options.keys() <= known:
            name = next(one for one in options if one not in known)
            raise UnsupportedOperation.of_keyword(f"{owner}.{method.__name__}", name, options[name], sorted(known))
        return method(*given, **options)

    return checked
