"""What the front end does to values, in NumPy: the slow twin of ``_kernels/forest_steps.hpp``, and what makes lookups.

Values are arrays of numbers with NaN where missing. A step works in the dtype of its input, as the libraries' own NumPy code does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastframe.predict.features import Step
from fastframe.predict.forest import CategoryInput, NumberInput

Array = np.ndarray[Any, Any]


def _count(edges: tuple[float, ...], x: Array, side: str) -> Array:
    return np.searchsorted(np.array(edges, np.float64), x.astype(np.float64), side).astype(x.dtype)   # type: ignore[call-overload]


_STEPS: dict[str, Callable[..., Array]] = {
    "float32": lambda x: x.astype(np.float32),
    "float64": lambda x: x.astype(np.float64),
    "fill": lambda x, a: np.nan_to_num(x, nan=a, posinf=np.inf, neginf=-np.inf),
    "equals_missing": lambda x, a: np.where(x == a, x.dtype.type(np.nan), x),
    "is_missing": lambda x: np.isnan(x).astype(x.dtype),
    "add": lambda x, a: x + a,
    "subtract": lambda x, a: x - a,
    "multiply": lambda x, a: x * a,
    "divide": lambda x, a: x / a,
    "clip": lambda x, a, b: np.clip(x, a, b),
    "abs": lambda x: np.abs(x),
    "sqrt": lambda x: np.sqrt(x),
    "square": lambda x: x * x,
    "negative": lambda x: -x,
    "above": lambda x, a: (x > a).astype(x.dtype),
}


def apply(steps: Sequence[Step], values: Array) -> Array:
    """The values after all steps, of the dtype that the last one gives; the input is not changed."""
    with np.errstate(all="ignore"):
        for step in steps:
            if step.name == "count_at_most":
                values = _count(step.operands, values, "right")
            elif step.name == "count_below":
                values = _count(step.operands, values, "left")
            else:
                operands = [values.dtype.type(operand) for operand in step.operands]
                values = _STEPS[step.name](values, *operands)
    return values


def enter(values: Array, source: NumberInput, domain: str) -> Array:
    """Values as a forest compares them: cast through ``via`` to the domain, then the input's rules; NaN where missing."""
    with np.errstate(all="ignore"):
        if source.via:
            values = values.astype(source.via)
        values = values.astype(domain)
        kind = values.dtype.type
        missing = (values == kind(source.missing_value)) | (np.abs(values) <= kind(source.zero_missing))
        values = np.where(np.abs(values) <= kind(source.flush), kind(0), values) if source.flush else values
        return np.where(missing, kind(np.nan), values)


def codes(values: Array, source: CategoryInput) -> Array:
    """The codes of values that are category codes: ``n_codes`` for others, ``n_codes + 1`` where missing; int64."""
    with np.errstate(all="ignore"):
        whole = np.trunc(values)
        known = (values >= 0 if source.negative_other else values > -1) & (whole < source.n_codes)
        if not source.truncate:
            known &= whole == values
        found = np.where(known, np.where(known, whole, 0).astype(np.int64), source.n_codes)
    return np.where(np.isnan(values), source.n_codes + 1, found)
