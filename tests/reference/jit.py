"""A user's function called by the interpreter, run by run or row by row: what compiled kernels are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def over_runs(function: Callable[..., Any], arrays: Sequence[np.ndarray], bounds: Sequence[tuple[int, int]], extras: Sequence[Any] = ()) -> list[Any]:
    """What the function returns for each run."""
    return [function(*[array[begin:end].copy() for array in arrays], *extras) for begin, end in bounds]


def over_rows(function: Callable[..., Any], arrays: Sequence[np.ndarray], extras: Sequence[Any] = ()) -> list[Any]:
    """What the function returns for each row."""
    return [function(*[array[row] for array in arrays], *extras) for row in range(len(arrays[0]))]
