"""`record`: dataclasses whose methods are shared, for what is imported between a saved file and its first answer.

`dataclasses.dataclass` writes each class its own ``__init__``, ``__eq__`` ... and compiles them: half a millisecond a class, and a
predictor that is loaded needs thirty. Records have the same fields (`dataclasses.fields`, `replace`), and behave the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, eq: bool = True) -> Callable[[type], type]:
        """`dataclasses.dataclass`; always frozen."""
        assert frozen

        def made(cls: type) -> type:
            own = vars(cls)
            for name, method in {**_METHODS, **(_COMPARED if eq else {})}.items():
                if name not in own:
                    setattr(cls, name, method)
            return dataclasses.dataclass(init=False, repr=False, eq=False)(cls)

        return made


@cache
def _fields_of(cls: type) -> tuple[Any, ...]:
    return dataclasses.fields(cls)


def _init(self: Any, *values: Any, **named: Any) -> None:
    cls = self.__class__
    state = self.__dict__
    given = iter(values)
    for field in _fields_of(cls):
        name = field.name
        if field.init and (value := next(given, _NONE)) is not _NONE:
            if name in named:
                raise TypeError(f"{cls.__name__} got two values for {name!r}")
            state[name] = value
        elif field.init and name in named:
            state[name] = named.pop(name)
        elif field.default is not dataclasses.MISSING:
            state[name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            state[name] = field.default_factory()
        else:
            raise TypeError(f"{cls.__name__} needs {name!r}")
    if named or next(given, _NONE) is not _NONE:
        raise TypeError(f"{cls.__name__} takes {', '.join(cls.__match_args__)}, not {', '.join(named) or len(values)}")
    if hasattr(cls, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in _fields_of(self.__class__) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in _fields_of(self.__class__) if field.compare)


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


_NONE = object()
_METHODS = {"__init__": _init, "__repr__": _repr, "__setattr__": _refuse, "__delattr__": _refuse}
_COMPARED = {"__eq__": _eq, "__hash__": _hash}
