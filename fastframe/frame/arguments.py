"""Arguments that pandas has and fastframe does not: refused with what to write instead, not with a bare `TypeError`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar

from fastframe.errors import UnsupportedOperation

Kind = TypeVar("Kind", bound=type)
_TAKES_ANY = 0x08   # the flag of a function with **options (inspect.CO_VARKEYWORDS)


def explained(kind: Kind) -> Kind:
    """A class whose public methods refuse unknown keyword arguments with `UnsupportedOperation`."""
    for name in dir(kind):
        method = getattr(kind, name)
        if not name.startswith("_") and isinstance(method, FunctionType) and not method.__code__.co_flags & _TAKES_ANY:
            setattr(kind, name, _explained(kind.__name__, method))
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
