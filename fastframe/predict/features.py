"""What a model is fed, as formulas over the contract's columns: the result of reading a pipeline's encoders.

A `Feature` gives one number per row. Encoders compose features symbolically while a pipeline is read, so a predictor
never makes the matrices in between:

* elementwise steps on a number column are applied, exactly as the library does, to blocks of values in cache;
* any chain of steps on a category column becomes one `Lookup` table, made at compile time by the same steps;
* forests turn lookups into set tests or ranks; dense models get the blocks they need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastframe.records import record

Array = np.ndarray[Any, Any]


@record(frozen=True)
class Step:
    """One elementwise operation, in the dtype of its input unless it is a cast; ``x`` is the value, NaN where missing.

    ``name`` is one of `STEPS`; ``operands`` are float64 scalars (rounded to the working dtype by the operation, as the
    library's own code does before it computes) or, for ``searchsorted_*``, the edges.
    """

    name: str
    operands: tuple[float, ...] = ()


STEPS: dict[str, str] = {
    "float32": "cast, to nearest", "float64": "cast",
    "fill": "operand where missing", "equals_missing": "NaN where x == operand", "is_missing": "1 where missing, else 0",
    "add": "x + a", "subtract": "x - a", "multiply": "x * a", "divide": "x / a", "clip": "min(max(x, a), b)",
    "abs": "|x|", "sqrt": "", "square": "x * x", "negative": "-x",
    "above": "1 where x > a, else 0", "count_at_most": "edges <= x (searchsorted right)", "count_below": "edges < x (searchsorted left)",
}  # fmt: skip
"""Steps that kernels and `steps.apply` (their slow twin) know."""


@record(frozen=True)
class Number:
    """A number (or bool) column of the contract, then steps. ``via`` is the dtype it is first cast to: a matrix's dtype.

    With ``via=""`` the column is cast at once to what comes next: a first step that is a cast, or else the forest's input.
    """

    column: int
    steps: tuple[Step, ...] = ()
    via: str = "float64"


@record(frozen=True)
class Code:
    """The code of a category column, as an integer: what category nodes look up. Missing is missing; unseen is "other".

    As a number (in a matrix, or where number nodes compare it) unseen is one more than the last code.
    """

    column: int


@record(frozen=True, eq=False)
class Lookup:
    """A value for each category of a column: ``values[code]``; the last two are for unseen and for missing values."""

    column: int
    values: Array   # float32 or float64, (n_categories + 2,)


@record(frozen=True, eq=False)
class Computed:
    """One output of a function of several features, computed in blocks of rows: polynomial terms, users' own functions.

    ``function`` takes arrays, one per input feature, and returns one array of ``n_outputs`` columns; ``output`` is which
    of them this is. Features of the same block share the `Block` object, so that it is computed once.
    """

    block: Block
    output: int


@record(frozen=True, eq=False)
class Block:
    """A function over several features. ``whole``: it must see all rows in one call (BLAS: bits depend on the shape).

    Made by `blocks.block`, which knows the functions by name; `blocks.USER` names functions that no file can keep.
    """

    name: str
    inputs: tuple[Feature, ...]
    function: Callable[[Array], Array]   # (n, len(inputs)) C order, of dtype -> (n, n_outputs)
    n_outputs: int
    arrays: dict[str, Array]             # what a file must keep to make the function again, by name
    whole: bool = False
    dtype: str = "float64"               # "float64" or "float32": of the matrix that the function takes


Feature = Number | Code | Lookup | Computed
