"""`record`: dataclasses whose methods are compiled when they pay, not at import.

`dataclasses.dataclass` writes each class its own ``__init__``, ``__eq__`` ... and compiles them: half a millisecond a class, and
an import of fastframe with a first group-by makes fifty, most of which the process never uses. Records have the same fields
(`dataclasses.fields`, `replace`) and behave the same; the first instances of a class are filled field by field, and only then
its ``__init__`` is compiled, so that further ones cost what a dataclass's cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

_UNCOMPILED = 4   # instances of a class before its __init__ is compiled: 0.2 ms, an uncompiled one takes 3 us more

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool = False, eq: bool = True, repr: bool = True) -> Callable[[type], type]:
        """`dataclasses.dataclass` without slots; ``eq`` also makes the hash of a frozen one."""

        def made(cls: type) -> type:
            cls = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
            methods = {"__init__": _first_init(cls, frozen)}
            if repr:
                methods["__repr__"] = _repr
            if frozen:
                methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
            own = vars(cls)
            if eq:
                methods |= _compared(cls, frozen)
            for name, method in methods.items():
                if name not in own or (name == "__hash__" and own[name] is None):   # Python's mark of a class with __eq__
                    setattr(cls, name, method)
            return cls

        return made


def _first_init(cls: type, frozen: bool) -> Callable[..., None]:
    """``__init__`` of the first instances; wrong arguments are refused by the compiled one, in Python's words."""
    fields = dataclasses.fields(cls)
    names = [field.name for field in fields if field.init]
    put = object.__setattr__ if frozen else setattr
    finishes = hasattr(cls, "__post_init__")
    made = count(1)

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        given = dict(zip(names, values, strict=False)) | named
        lacks = [field.name for field in fields if field.init and field.name not in given and _has_no_default(field)]
        if next(made) > _UNCOMPILED or lacks or len(given) != len(values) + len(named) or not named.keys() <= set(names):
            if vars(cls).get("__init__") is __init__:
                cls.__init__ = _compiled_init(cls, fields, frozen)   # type: ignore[misc]
            cls.__init__(self, *values, **named)
            return
        for field in fields:
            if field.init and field.name in given:
                put(self, field.name, given[field.name])
            elif field.default_factory is not dataclasses.MISSING:
                put(self, field.name, field.default_factory())
            elif field.init:
                put(self, field.name, field.default)
        if finishes:
            self.__post_init__()

    return __init__


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _compiled_init(cls: type, fields: tuple[dataclasses.Field[Any], ...], frozen: bool) -> Callable[..., None]:
    """``__init__`` as `dataclasses` writes it."""
    scope: dict[str, Any] = {"_put": object.__setattr__, "_ABSENT": dataclasses.MISSING}
    parameters, body = ["self"], []
    for field in fields:
        name, value = field.name, field.name
        if field.default_factory is not dataclasses.MISSING:
            scope[f"_new_{name}"], default = field.default_factory, "_ABSENT"
            value = f"_new_{name}() if {name} is _ABSENT else {name}" if field.init else f"_new_{name}()"
        else:
            scope[f"_default_{name}"], default = field.default, f"_default_{name}"
            if not field.init:
                continue   # the class has it
        if field.init:
            parameters.append(name if _has_no_default(field) else f"{name}={default}")
        body.append(f" _put(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or [" pass"]), scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _compared(cls: type, frozen: bool) -> dict[str, Any]:
    """Equality by values, and what goes with it: a hash of them, or none where they may change."""
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    first = attrgetter(*names) if names else None
    values: Callable[[Any], Any] = first if first and len(names) > 1 else lambda self: (first(self),) if first else ()

    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}
