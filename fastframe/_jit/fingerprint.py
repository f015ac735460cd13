"""When two functions compile to the same code: a digest of bytecode, constants, and all captured values.

numba freezes what a function captures (closures, globals, attributes of modules), so these are part of the digest, as
they are now, and so are the functions it calls, with what these capture. What cannot be told apart by value is told
apart by identity; such a digest holds in this process only, as long as the objects live.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fingerprint:
    """``digest``; whether it means the same in another process; what has to live for it to mean anything."""

    digest: bytes
    portable: bool
    keep_alive: tuple[Any, ...] = field(compare=False)


def fingerprint(function: FunctionType, *others: Any) -> Fingerprint:
    """Of a function and what else decides its compilation."""
    teller = _Teller()
    teller.tell(function)
    for one in others:
        teller.tell(one)
    return Fingerprint(teller.hash.digest(), teller.portable, tuple(teller.kept))


# Modules whose attributes do not change: their functions and constants are told by name.
_FIXED_ROOTS = frozenset({"numpy", "numba", "math", "cmath", "operator", "builtins", "scipy", "llvmlite"})


class _Teller:
    """Feeds values to a hash, each with its kind and length, so that no two sequences feed the same bytes."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.portable = True
        self.kept: list[Any] = []
        self._seen: dict[int, int] = {}   # functions and containers, which may contain themselves

    def _feed(self, kind: str, data: bytes = b"") -> None:
        self.hash.update(f"{kind}:{len(data)}:".encode())
        self.hash.update(data)

    def tell(self, value: Any) -> None:
        if value is None or (isinstance(value, bool | int | str | complex) and not isinstance(value, Enum)):
            self._feed(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))
        elif isinstance(value, float) and not isinstance(value, np.generic):
            self._feed("float", value.hex().encode())
        elif isinstance(value, bytes):
            self._feed("bytes", value)
        elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            self._feed("array", f"{value.dtype.str}{value.dtype.descr}{value.shape}{value.flags.c_contiguous}{value.flags.f_contiguous}".encode())
            self._feed("values", np.ascontiguousarray(value).tobytes())
        elif isinstance(value, np.dtype):
            self._feed("dtype", str(value.descr).encode())
        elif isinstance(value, CodeType):
            self._tell_code(value)
        elif not self._told_before(value):
            self._tell_object(value)

    def _told_before(self, value: Any) -> bool:
        number = self._seen.setdefault(id(value), len(self._seen))
        if number == len(self._seen) - 1 and len(self.kept) < len(self._seen):
            self.kept.append(value)   # ids are told, so they must not be used again
            return False
        self._feed("again", str(number).encode())
        return True

    def _tell_object(self, value: Any) -> None:
        dispatched = getattr(value, "py_func", None)
        if isinstance(value, tuple | list):
            self._feed(f"{type(value).__module__}.{type(value).__qualname__}", str(len(value)).encode())
            for one in value:
                self.tell(one)
        elif isinstance(value, dict):
            self._feed("dict", str(len(value)).encode())
            for key, one in value.items():
                self.tell(key)
                self.tell(one)
        elif isinstance(value, frozenset | set):
            self._feed("set", repr(sorted(value, key=repr)).encode())
        elif isinstance(value, FunctionType):
            self._tell_function(value)
        elif isinstance(dispatched, FunctionType):
            self._feed("dispatcher", repr(sorted(getattr(value, "targetoptions", {}).items(), key=repr)).encode())
            self.tell(dispatched)
        elif isinstance(value, ModuleType):
            self._feed("module", value.__name__.encode())
        elif isinstance(value, type | BuiltinFunctionType | np.ufunc) or type(value).__module__.partition(".")[0] == "numpy":
            name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
            self._feed("named", f"{getattr(value, '__module__', '')}.{name}".encode())
            if isinstance(value, type) and value.__module__.partition(".")[0] not in (*_FIXED_ROOTS, *sys.stdlib_module_names):
                self._by_identity(value)
        else:
            self._by_identity(value)

    def _by_identity(self, value: Any) -> None:
        self._feed("object", str(id(value)).encode())
        self.portable = False

    def _tell_function(self, function: FunctionType) -> None:
        root = (function.__module__ or "").partition(".")[0]
        if root in _FIXED_ROOTS:
            self._feed("named", f"{function.__module__}.{function.__qualname__}".encode())
            return
        self._feed("function", function.__name__.encode())
        self.tell(function.__code__)
        self.tell(function.__defaults__)
        self.tell(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self.tell(cell.cell_contents)
            except ValueError:   # not filled yet
                self._feed("empty")
        names = sorted(set(_names(function.__code__)))
        for name in names:
            if name in function.__globals__:
                self._feed("global", name.encode())
                self._tell_global(function.__globals__[name], names)

    def _tell_global(self, value: Any, names: list[str]) -> None:
        """A module's attributes that the code may mean are told with it."""
        self.tell(value)
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] not in _FIXED_ROOTS:
            for name in names:
                found = getattr(value, name, None)
                if found is not None and not isinstance(found, ModuleType):
                    self._feed("attribute", name.encode())
                    self.tell(found)

    def _tell_code(self, code: CodeType) -> None:
        self._feed("code", code.co_code)
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        for part in (shape, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_exceptiontable):
            self._feed("part", repr(part).encode())
        for constant in code.co_consts:
            self.tell(constant)


def _names(code: CodeType) -> Iterator[str]:
    """Names of globals and attributes that code uses, functions inside included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
