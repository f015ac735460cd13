"""What a user passes to be compiled: a plain function, one marked by `ff.jit`, or one that numba has decorated."""

from __future__ import annotations

import functools
import inspect
import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any, Literal

from fastframe._jit.fingerprint import Fingerprint, fingerprint
from fastframe.errors import JITError
from fastframe.errors.jit import SourceLine

Nulls = Literal["skip", "mask", "nan"]

# A plain function computes as NumPy's scalars do when it is not compiled (1 / 0.0 is inf; but integers by zero raise, see
# `divisions.py`), and an index outside of an array raises, which costs some per cent in loops and nothing elsewhere. What
# numba.njit has decorated keeps its options.
PLAIN_OPTIONS = {"error_model": "numpy", "boundscheck": True}


@dataclass(frozen=True)
class UserFunction:
    """A function of the user's, and how it is to be compiled and called.

    ``nulls`` and ``out`` are what `ff.jit` was told; None where the caller decides.
    """

    function: FunctionType
    options: Mapping[str, Any] = field(default_factory=lambda: dict(PLAIN_OPTIONS))
    nulls: Nulls | None = None
    out: Any = None
    plain: bool = True   # numba has not decorated it

    @classmethod
    def of(cls, given: Any) -> UserFunction:
        """What the user passed, normalised.

        Raises
        ------
        JITError
            It is no Python function.
        """
        if isinstance(given, UserFunction):
            return given
        marked = getattr(given, "__fastframe_function__", None)
        if isinstance(marked, UserFunction):
            return marked
        if isinstance(given, FunctionType):
            return cls(_checked(given))
        if isinstance(given, MethodType):
            raise JITError.no_function(given, "It is a method: compiled code has no objects. Write a function of its arrays and numbers.")
        if isinstance(given, functools.partial):
            raise JITError.no_function(given, "It is a partial: pass the function itself, and its other arguments beside it.")
        function = getattr(given, "py_func", None)
        if isinstance(function, FunctionType) and hasattr(given, "targetoptions"):
            options = {name: value for name, value in given.targetoptions.items() if name not in ("nopython", "nogil") and value is not None}
            return cls(_checked(function), options, plain=False)
        if callable(given):
            name = getattr(given, "__name__", "function")
            if getattr(given, "__objclass__", None) is str:
                raise JITError.no_function(given, f"Text has methods of its own: use .str.{name}().")
            module = getattr(given, "__module__", None)
            known_as = name if module in (None, "builtins") else f"{module}.{name}"
            raise JITError.no_function(given, f"Wrap it in one: lambda x: {known_as}(x).")
        raise JITError.no_function(given, "Pass a function of one NumPy array per column.")

    @property
    def name(self) -> str:
        """As messages call it."""
        return "the lambda" if self.function.__name__ == "<lambda>" else f"{self.function.__name__}()"

    @property
    def parallel(self) -> bool:
        """Whether numba's own threads run inside (``parallel=True``)."""
        return bool(self.options.get("parallel"))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names, in order."""
        code = self.function.__code__
        return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    def line(self, number: int | None = None) -> SourceLine:
        """A line of its source; its first where no number is given."""
        code = self.function.__code__
        number = number or code.co_firstlineno
        return SourceLine(code.co_filename, number, linecache.getline(code.co_filename, number, self.function.__globals__))

    def fingerprint(self) -> Fingerprint:
        """Equal for functions that compile to the same code; looks at captured values as they are now."""
        return fingerprint(self.function, sorted(self.options.items(), key=repr), self.plain)

    def bind(self, n_arrays: int, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """The values of the parameters after the first ``n_arrays``: those passed on, and defaults.

        Raises
        ------
        JITError
            They are too many, too few, or of names that it has not.
        """
        kwargs = dict(kwargs or {})
        names = self.parameters
        for name in kwargs:
            if name not in names:
                raise JITError.unknown_argument(self.name, name, names)
        signature = inspect.signature(self.function)
        try:
            bound = signature.bind(*[None] * n_arrays, *args, **kwargs)
        except TypeError:
            required = [name for name in names if signature.parameters[name].default is inspect.Parameter.empty]
            takes = f"{len(required)}" if len(required) == len(names) else f"{len(required)} to {len(names)}"
            given = f"{n_arrays} arrays" + (f" and {len(args) + len(kwargs)} more arguments" if args or kwargs else "")
            raise JITError.parameters(self.name, f"{takes} arguments ({', '.join(names)})", given) from None
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in names[n_arrays:])


def _checked(function: FunctionType) -> FunctionType:
    code = function.__code__
    taken = UserFunction.__new__(UserFunction)
    object.__setattr__(taken, "function", function)
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        stars = "**" if code.co_flags & inspect.CO_VARKEYWORDS else "*"
        raise JITError.because(taken.name, taken.line(), f"it takes {stars} parameters, whose number is not known", "name each parameter")
    if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise JITError.because(taken.name, taken.line(), "it is asynchronous", "write def instead of async def")
    if code.co_flags & inspect.CO_GENERATOR:
        raise JITError.because(taken.name, taken.line(), "it is a generator: it yields values", "return one array instead")
    return function
