"""``.str`` and ``.dt`` of an expression: the methods of a series' accessors, making trees instead of values."""

from __future__ import annotations

from typing import Any

from fastframe.errors import ArgumentError, UnsupportedOperation
from fastframe.frame.accessors import Accessor, TextAccessor, TimeAccessor
from fastframe.frame.expression import Expr


class Deferred(Accessor):
    """An accessor whose functions make expressions; dtypes are checked when a frame computes them."""

    def __init__(self, expression: Expr) -> None:
        self._expression = expression

    def _call(self, function: str, *others: Any, **options: Any) -> Any:
        for option, value in options.items():
            if value is not None and not isinstance(value, str | int | float):
                raise ArgumentError.because(f".{self._name}.{function}", f"{option}={value!r} is not one value for all rows", "Give a text or a number.")
        return self._expression._call(f"{self._prefix}.{function}", *others, **options)


class TextExpressions(Deferred, TextAccessor):
    """Functions of strings.

    >>> import fastframe as ff
    >>> ff.DataFrame({"s": ["Ab", None]}).assign(t=ff.col("s").str.upper())["t"].tolist()
    ['AB', None]
    """


class TimeExpressions(Deferred, TimeAccessor):
    """Fields and functions of dates, timestamps, times and durations."""

    @property
    def tz(self) -> str | None:
        """Not known before a frame computes the expression."""
        raise UnsupportedOperation.of_method("Expr.dt", "tz", "The zone is known by the column: use df['t'].dt.tz.")
