"""Errors of users' own functions: compiling them, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastframe.errors.base import FastFrameError, counted, listed

PYTHON_ENGINE = 'pass engine="python" to have it called by the interpreter'


class SourceLine(NamedTuple):
    """Where in the user's code; ``text`` is empty where the source cannot be read."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}" + (f"\n    {self.text.strip()}" if self.text.strip() else "")


class JITError(FastFrameError, TypeError):
    """A function could not be compiled, or its compiled form does not fit its use."""

    @classmethod
    def because(cls, name: str, line: SourceLine | None, reason: str, change: str) -> JITError:
        where = f"\n  {line}" if line is not None else ""
        return cls(f"{name} cannot be compiled: {reason}.{where}\nEither {change}, or {PYTHON_ENGINE}.")

    @classmethod
    def compiler_failed(cls, name: str, line: SourceLine, detail: str) -> JITError:
        return cls.because(name, line, f"numba's compiler itself fails on it ({detail})", "write it more simply")

    @classmethod
    def no_function(cls, given: object, change: str) -> JITError:
        return cls(f"{given!r} is not a Python function, so it cannot be compiled. {change}")

    @classmethod
    def parameters(cls, name: str, takes: str, given: str) -> JITError:
        return cls(f"{name} takes {takes}, but is given {given}. Change its parameters, or what is passed on to it.")

    @classmethod
    def unknown_argument(cls, name: str, argument: str, parameters: Sequence[str]) -> JITError:
        return cls(f"{name} has no parameter {argument!r}; it has {listed(parameters)}. Pass on only what it takes.")

    @classmethod
    def parameter_order(cls, name: str, first: str, columns: Sequence[str]) -> JITError:
        return cls(f"{name} takes {first!r} before its columns {listed(columns)}. Put the parameters of columns first, and other arguments behind them.")

    @classmethod
    def no_value_type(cls, name: str, argument: str, given: object) -> JITError:
        kind = type(given).__name__
        return cls(
            f"{name} is given {argument}={given!r}, and a value of type {kind} cannot be passed to compiled code. "
            f"Pass a number, a bool, a NumPy scalar or a NumPy array, or {PYTHON_ENGINE}."
        )

    @classmethod
    def no_column_type(cls, name: str, column: str, dtype: object, change: str) -> JITError:
        return cls(f"{name} cannot take {column}: compiled code has no values of dtype {dtype}. Either {change}, or {PYTHON_ENGINE}.")

    @classmethod
    def other_shape(cls, name: str, line: SourceLine | None, returns: str, wanted: str) -> JITError:
        where = f"\n  {line}" if line is not None else ""
        return cls(f"{name} returns {returns}, where {wanted} is needed.{where}\nReturn that, or use another method: agg takes scalars, transform vectors.")

    @classmethod
    def lossy_out(cls, name: str, result: str, found: object, wanted: object) -> JITError:
        return cls(
            f"{name} returns {found}{result}, and out={wanted} cannot hold all values of that type. "
            f"Convert inside the function, declare another dtype, or leave out= away."
        )

    @classmethod
    def out_names(cls, name: str, wanted: Sequence[str], found: Sequence[object]) -> JITError:
        return cls(f"out= declares {listed(wanted)}, but {name} returns {listed(found) or 'one value without a name'}. Declare what it returns.")

    @classmethod
    def length(cls, name: str, found: int, wanted: int) -> JITError:
        return cls(f"{name} returned {counted(found, 'value')} for {counted(wanted, 'row')}. Return a scalar, or a vector as long as the arrays it is given.")

    @classmethod
    def not_reproduced(cls, name: str, run: int) -> JITError:
        return cls(
            f"{name} failed in its compiled form (at run {run}), but not when it was called again by the interpreter. "
            f"Does it depend on global state, or on integer overflow? Pass engine=\"python\" to run it uncompiled."
        )

    @classmethod
    def internal(cls, name: str, version: str, detail: str) -> JITError:
        return cls(
            f"{name} was not compiled because of an error of fastframe's, not of yours (numba {version}: {detail}). "
            f"Please report it; until then {PYTHON_ENGINE}."
        )
