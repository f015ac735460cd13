"""Arguments that pandas has and fastframe does not, or of another type than declared: refused by name, not with a bare `TypeError`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import index
from types import FunctionType
from typing import Any, TypeVar

from fastframe.errors import ArgumentError, FastFrameError, UnsupportedOperation

Kind = TypeVar("Kind", bound=type)
_TAKES_ANY = 0x08   # the flag of a function with **options (inspect.CO_VARKEYWORDS)


def whole_number(method: str, argument: str, value: Any) -> int:
    """A number of rows; NumPy's integers are ints, too."""
    try:
        return index(value)
    except TypeError:
        raise ArgumentError.of(method, argument, value, ("an int",)) from None


def whole_numbers(method: str, argument: str, values: Any) -> list[int]:
    """One number of rows or several; none is refused."""
    several = hasattr(values, "__iter__") and not isinstance(values, str | bytes)
    numbers = [whole_number(method, argument, one) for one in (values if several else [values])]
    if not numbers:
        raise ArgumentError.because(method, f"{argument} holds no number", "Pass one or several.")
    return numbers


def explained(kind: Kind, owner: str | None = None) -> Kind:
    """A class whose public methods refuse unknown keyword arguments with `UnsupportedOperation`; ``owner`` is its name for users.

    What else a method raises of an argument that is not of the declared type becomes an `ArgumentError` that names it.
    """
    for name in dir(kind):
        method = getattr(kind, name)
        if not name.startswith("_") and isinstance(method, FunctionType):
            setattr(kind, name, _explained(owner or kind.__name__, method))
    return kind


def _explained(owner: str, method: FunctionType) -> Callable[..., Any]:
    code = method.__code__
    known = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    takes_any = bool(code.co_flags & _TAKES_ANY)

    @wraps(method)
    def checked(*given: Any, **options: Any) -> Any:
        if options and not takes_any and not options.keys() <= known:
            name = next(one for one in options if one not in known)
            raise UnsupportedOperation.of_keyword(f"{owner}.{method.__name__}", name, options[name], sorted(known))
        try:
            return method(*given, **options)
        except FastFrameError:
            raise
        except Exception as error:
            if isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None:
                # Of the call itself, in which Python names a base class.
                raise TypeError(str(error).replace(method.__qualname__, f"{owner}.{method.__name__}")) from None
            from fastframe.frame.argument_types import blamed

            explanation = blamed(owner, method, given, options)
            if explanation is None:
                raise
            raise explanation from error

    return checked
