"""Functions that a `Block` computes, by name: what is neither a step on one number nor a table over categories.

Each is the library's own NumPy call on the same values in the same dtype, so the bits are the same. A file keeps a
function's name and its arrays; `function` makes it again. Functions that the user wrote (`USER`) live in this process only.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors import ContractError
from fastframe.predict import steps as step_twin
from fastframe.predict.features import Block, Computed, Feature, Step

if TYPE_CHECKING:
    from fastframe.predict.row_tape import Cells, Tape

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]
Maker = Callable[[dict[str, Array]], Function]

USER = "user"
UFUNCS = ("log1p", "log", "log2", "log10", "exp", "expm1", "exp2", "sqrt", "cbrt", "square", "abs", "absolute", "fabs", "sign", "negative",
          "positive", "reciprocal", "floor", "ceil", "rint", "trunc", "sin", "cos", "tan", "tanh", "arctan", "arcsinh", "degrees",
          "radians", "isnan", "isfinite", "isinf", "signbit", "deg2rad", "rad2deg", "sinh", "cosh", "arcsin", "arccos")  # fmt: skip
"""NumPy's functions of one value that `FunctionTransformer` may name."""

_KINDS: dict[str, Maker] = {}


def kind(name: str) -> Callable[[Maker], Maker]:
    """Register the maker of a function under the name that files use."""

    def register(maker: Maker) -> Maker:
        _KINDS[name] = maker
        return maker

    return register


def function(name: str, arrays: dict[str, Array]) -> Function:
    """The function that a file names; KeyError if there is none of that name."""
    return _KINDS[name](arrays)


def block(name: str, inputs: tuple[Feature, ...], arrays: dict[str, Array], *, dtype: str = "float64", whole: bool = False) -> Block:
    """The block of a registered function; how many outputs it has is found by calling it on no rows."""
    call = function(name, arrays)
    n_outputs = call(np.empty((0, len(inputs)), dtype)).shape[1]
    return Block(name, inputs, call, n_outputs, arrays, whole, dtype)


def outputs(made: Block) -> list[Computed]:
    return [Computed(made, i) for i in range(made.n_outputs)]


@kind("ufunc")
def _ufunc(arrays: dict[str, Array]) -> Function:
    name = str(arrays["name"][0])
    if name not in UFUNCS:
        raise KeyError(name)
    called = getattr(np, name)

    def ufunc(x: Array) -> Array:
        with np.errstate(all="ignore"):
            out = called(x)
        return out if out.dtype.kind == "f" else out.astype(np.float64)

    return ufunc


@kind("steps")
def _steps(arrays: dict[str, Array]) -> Function:
    """Steps on a computed value: ``names``, and the operands of step ``i`` from ``start[i]`` to ``start[i + 1]``."""
    listed = unpack_steps(arrays)
    return lambda x: step_twin.apply(listed, x)


def pack_steps(listed: tuple[Step, ...]) -> dict[str, Array]:
    lengths = [len(step.operands) for step in listed]
    return {
        "names": np.array([step.name for step in listed], "U24"),
        "start": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "operands": np.array(list(chain.from_iterable(step.operands for step in listed)), np.float64),
    }


def unpack_steps(arrays: dict[str, Array]) -> tuple[Step, ...]:
    names, start, operands = arrays["names"], arrays["start"], arrays["operands"]
    return tuple(
        Step(str(name), tuple(float(v) for v in operands[start[i] : start[i + 1]])) for i, name in enumerate(names)
    )


@kind("categories")
def _categories(arrays: dict[str, Array]) -> Function:
    """An encoder on a number: ``values[k]`` where ``x == keys[k]``; the last two rows are for unseen and missing values.

    ``refuse``: whether the library raises for an unseen, a missing value.
    """
    keys, values = arrays["keys"], arrays["values"]
    refuse_unseen, refuse_missing = (bool(flag) for flag in arrays["refuse"])

    def categories(x: Array) -> Array:
        x = x[:, 0]
        at = np.searchsorted(keys, x)
        known = at < len(keys)
        known[known] = keys[at[known]] == x[known]
        missing = np.isnan(x)
        bad = (~known & ~missing & refuse_unseen) | (missing & refuse_missing)
        if bad.any():
            raise ContractError.unknown_number(float(x[np.argmax(bad)]), int(np.argmax(bad)))
        return values[np.where(missing, len(keys) + 1, np.where(known, at, len(keys)))]

    return categories


@kind("polynomial")
def _polynomial(arrays: dict[str, Array]) -> Function:
    """Products of input columns; ``factors[i]`` are a term's columns, filled up with -1.

    A term is the shorter term of all but its first column, times the first: the order in which scikit-learn multiplies.
    """
    factors = [tuple(int(column) for column in row if column >= 0) for row in arrays["factors"]]

    def polynomial(x: Array) -> Array:
        out = np.empty((len(x), len(factors)), x.dtype)
        made: dict[tuple[int, ...], Array] = {}

        def term(columns: tuple[int, ...]) -> Array:
            if len(columns) == 1:
                return x[:, columns[0]]
            if columns not in made:
                made[columns] = term(columns[1:]) * x[:, columns[0]]
            return made[columns]

        with np.errstate(all="ignore"):
            for i, columns in enumerate(factors):
                out[:, i] = term(columns) if columns else 1.0
        return out

    return polynomial


def polynomial_factors(n: int, lowest: int, highest: int, *, interaction_only: bool, bias: bool) -> Array:
    """Terms in scikit-learn's order, as `_polynomial` takes them."""
    choose = combinations if interaction_only else combinations_with_replacement
    terms = chain.from_iterable(choose(range(n), degree) for degree in range(max(1, lowest), highest + 1))
    listed = [*([()] if bias else []), *terms]
    factors = np.full((len(listed), max(highest, 1)), -1, np.int64)
    for i, columns in enumerate(listed):
        factors[i, : len(columns)] = columns
    return factors


@kind("normalize")
def _normalize(arrays: dict[str, Array]) -> Function:
    """Rows divided by their norm, in the layout that the library sees."""
    norm, order = str(arrays["norm"][0]), str(arrays["order"][0])

    def normalize(x: Array) -> Array:
        x = np.array(x, order=order)   # type: ignore[call-overload]
        if norm == "l1":
            norms = np.sum(np.abs(x), axis=1)
        elif norm == "l2":
            norms = np.sqrt(np.einsum("ij,ij->i", x, x))
        else:
            norms = np.max(np.abs(x), axis=1)
        norms[norms < 10 * np.finfo(norms.dtype).eps] = 1.0
        x /= norms[:, None]
        return x

    return normalize


@kind("quantiles")
def _quantiles(arrays: dict[str, Array]) -> Function:
    """Where a value lies among quantiles, from 0 to 1: scikit-learn's mean of interpolations from below and from above."""
    quantiles, references = arrays["quantiles"], arrays["references"]

    def share(x: Array) -> Array:
        out = np.array(x)
        column = out[:, 0]
        lowest, highest, known = column == quantiles[0], column == quantiles[-1], ~np.isnan(column)
        found = column[known]
        column[known] = 0.5 * (np.interp(found, quantiles, references) - np.interp(-found, -quantiles[::-1], -references[::-1]))
        column[highest] = 1
        column[lowest] = 0
        return out

    return share


@kind("yeo_johnson")
def _yeo_johnson(arrays: dict[str, Array]) -> Function:
    """Yeo and Johnson's power transform of one column: by ``expm1`` (SciPy, which scikit-learn calls since 1.7) or by ``power``."""
    by_power = str(arrays["formula"][0]) == "power"
    (power,) = arrays["power"]
    small = float(arrays["small"][0])

    def side(x: Array, exponent: Any, *, is_log: bool) -> Array:
        if is_log:
            return np.log1p(x)
        return (np.power(x + 1, exponent) - 1) / exponent if by_power else np.expm1(exponent * np.log1p(x)) / exponent

    def yeo_johnson(x: Array) -> Array:
        out = np.empty(x.shape, x.dtype)
        with np.errstate(all="ignore"):
            positive = x >= 0
            out[positive] = side(x[positive], power, is_log=bool(abs(power) < small))
            out[~positive] = -side(-x[~positive], 2 - power, is_log=bool(abs(power - 2) <= small))
        return out

    return yeo_johnson


@kind("project")
def _project(arrays: dict[str, Array]) -> Function:
    """``x @ components.T``, less ``offset``, over ``scale``: the call that PCA and TruncatedSVD make, in their layout."""
    components, offset, scale = arrays["components"], arrays["offset"], arrays["scale"]
    order = str(arrays["order"][0])

    def project(x: Array) -> Array:
        with np.errstate(all="ignore"):
            out = np.asarray(x, order=order) @ components.T   # type: ignore[call-overload]
            if len(offset):
                out -= offset
            if len(scale):
                out /= scale
        return out

    return project


def _project_row(tape: Tape, x: Cells, arrays: dict[str, Array]) -> Cells:
    out = tape.product(x, arrays["components"].T)
    for name, operation in (("offset", "subtract"), ("scale", "divide")):
        if len(arrays[name]):
            out = tape.call(operation, out, tape.constant(arrays[name], str(arrays[name].dtype)))
    return out


ON_ROW: dict[str, Callable[[Tape, Cells, dict[str, Array]], Cells]] = {
    "project": _project_row,
    "ufunc": lambda tape, x, arrays: tape.call(str(arrays["name"][0]), x),
}
"""How a kind's function of one row is written onto a `Tape`, for the kinds that can be."""
