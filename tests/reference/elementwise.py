"""Slow twins of elementwise functions: one Python value at a time, None for missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

Values = Sequence[Any]


class DoesNotFit(Exception):
    """An exact integer result lies outside the dtype."""


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def integer_arithmetic(operation: str, left: Values, right: Values, dtype: str) -> list[int | None]:
    """Exact integers, checked against the limits of ``dtype``; None by zero."""
    limits = np.iinfo(dtype)
    functions: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "floordiv": lambda a, b: a // b,
        "mod": lambda a, b: a % b,
        "fmod": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
        "pow": lambda a, b: a**b,
    }
    out: list[int | None] = []
    for a, b in zip(left, right, strict=True):
        if a is None or b is None or (operation in ("floordiv", "mod", "fmod") and b == 0):
            out.append(None)
            continue
        exact = functions[operation](int(a), int(b))
        if not limits.min <= exact <= limits.max:
            raise DoesNotFit
        out.append(exact)
    return out


def float_arithmetic(operation: str, left: Values, right: Values, dtype: str) -> list[Any]:
    """NumPy's scalar arithmetic in ``dtype``, None where a side is null."""
    functions = {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
        "floordiv": np.floor_divide, "mod": np.mod, "fmod": np.fmod,
    }  # fmt: skip
    make = np.dtype(dtype).type
    with np.errstate(all="ignore"):
        return [None if a is None or b is None else functions[operation](make(a), make(b)).item() for a, b in zip(left, right, strict=True)]


def of_pairs(operation: str, left: Values, right: Values) -> list[Any]:
    """arctan2 and hypot by Python's own; None where a side is null, NaN where a side is NaN."""
    function = {"arctan2": math.atan2, "hypot": math.hypot}[operation]
    return [
        None if a is None or b is None else math.nan if is_missing(float(a)) or is_missing(float(b)) else function(a, b)
        for a, b in zip(left, right, strict=True)
    ]


def _number(value: Any) -> Any:
    return value if isinstance(value, float) and not math.isfinite(value) else Fraction(value)


def compare(operation: str, left: Values, right: Values) -> list[bool]:
    """Exact comparison of numbers; False with a missing side, ``ne`` True."""
    functions: dict[str, Callable[[Any, Any], bool]] = {
        "eq": lambda a, b: a == b,
        "ne": lambda a, b: a != b,
        "lt": lambda a, b: a < b,
        "le": lambda a, b: a <= b,
        "gt": lambda a, b: a > b,
        "ge": lambda a, b: a >= b,
    }
    return [
        operation == "ne" if is_missing(a) or is_missing(b) else functions[operation](_number(a), _number(b)) for a, b in zip(left, right, strict=True)
    ]


def logic(operation: str, left: Values, right: Values) -> list[bool | None]:
    """Kleene's three-valued logic."""
    out: list[bool | None] = []
    for a, b in zip(left, right, strict=True):
        if operation == "and":
            out.append(False if a is False or b is False else None if a is None or b is None else True)
        elif operation == "or":
            out.append(True if a is True or b is True else None if a is None or b is None else False)
        else:
            out.append(None if a is None or b is None else a != b)
    return out


def extreme(choose: Callable[[Any, Any], Any], left: Values, right: Values) -> list[Any]:
    """min or max of two, a missing one gives way."""
    out = []
    for a, b in zip(left, right, strict=True):
        there = [value for value in (a, b) if not is_missing(value)]
        out.append(choose(there) if there else None)
    return out


def cast_number(values: Values, target: str) -> list[Any]:
    """Numbers as ``target``, exactly; raises DoesNotFit. Floats may round but not become infinite; missing stays missing."""
    out: list[Any] = []
    kind = np.dtype(target).kind
    for value in values:
        if value is None or (is_missing(value) and kind != "f"):
            out.append(None)
        elif kind == "b":
            out.append(bool(value))
        elif kind == "f":
            with np.errstate(over="ignore"):
                rounded = np.dtype(target).type(value).item()
            if math.isinf(rounded) and not (isinstance(value, float) and math.isinf(value)):
                raise DoesNotFit
            out.append(rounded)
        else:
            if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
                raise DoesNotFit
            limits = np.iinfo(target)
            if not limits.min <= int(value) <= limits.max:
                raise DoesNotFit
            out.append(int(value))
    return out
