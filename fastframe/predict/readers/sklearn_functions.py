"""scikit-learn's `FunctionTransformer`: NumPy's own functions by name, the user's compiled by numba.

A user's function is taken if numba compiles it, if it treats each row by itself, and if the compiled one gives the same
bits on probe matrices (of several sizes and values); else it is refused, with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fastframe.errors import UnsupportedModel
from fastframe.predict import blocks
from fastframe.predict.features import Block, Lookup
from fastframe.predict.pipeline import Cell, Columns, Matrix, Raw, Words, floats
from fastframe.predict.readers.sklearn_scalers import dense_of, refuse_sparse

Array = np.ndarray[Any, Any]
_PROBE_ROWS = 64


def function_transformer(transformer: Any, matrix: Matrix, columns: Columns) -> list[Cell]:
    function = transformer.func
    if function is None:
        return matrix.cells
    refuse_sparse(transformer, matrix)
    framed = hasattr(matrix.probe, "columns")   # then NumPy's functions see each column in its own dtype
    cells = [floats(Matrix([cell]), columns)[0] for cell in matrix.cells] if framed else floats(matrix, columns)
    if transformer.validate:
        for cell in cells:
            columns.use(cell)
    name = getattr(function, "__name__", "")
    if isinstance(function, np.ufunc) and name in blocks.UFUNCS and not transformer.kw_args:
        return [_ufunc(name, cell) for cell in cells]
    made = _compiled(function, transformer.kw_args or {}, matrix, cells)
    dtype = str(made.function(np.ones((1, len(cells)), made.dtype)).dtype)
    return [Cell(feature, dtype, missing=True) for feature in blocks.outputs(made)]


def _ufunc(name: str, cell: Cell) -> Cell:
    source = cell.source
    assert not isinstance(source, (Raw, Words))
    arrays = {"name": np.array([name])}
    dtype = str(blocks.function("ufunc", arrays)(np.ones((1, 1), cell.dtype)).dtype)
    if isinstance(source, Lookup):
        values = blocks.function("ufunc", arrays)(source.values)
        return Cell(Lookup(source.column, values if dtype == "float32" else values.astype(np.float64)), dtype, cell.missing)
    made = blocks.block("ufunc", (source,), arrays, dtype=cell.dtype)
    return Cell(blocks.outputs(made)[0], dtype, missing=True)


def _compiled(function: Callable[..., Any], options: dict[str, Any], matrix: Matrix, cells: list[Cell]) -> Block:
    label = getattr(function, "__name__", type(function).__name__)

    def refuse(reason: str) -> UnsupportedModel:
        return UnsupportedModel.because(f"FunctionTransformer({label})", [reason])

    try:
        import numba
    except ImportError:
        raise refuse("numba is not installed, which compiles the functions of users") from None
    dtype = cells[0].dtype
    probes = _probes(len(cells), dtype, missing=any(cell.missing for cell in cells))
    try:
        expected = [np.asarray(_as_library(function, options, probe, matrix.names)) for probe in probes]
    except Exception as error:   # whatever a user's function raises
        raise refuse(f"it fails on a probe: {type(error).__name__}: {error}") from None
    if any(one.ndim != 2 or len(one) != len(probe) or one.dtype.kind not in "fiub" for one, probe in zip(expected, probes, strict=True)):
        raise refuse("it does not give a matrix of numbers with a row for each row")
    compiled = numba.njit(nogil=True)(function)

    def run(x: Array) -> Array:
        out = compiled(np.ascontiguousarray(x), **options)
        return out if out.dtype == np.float32 else out.astype(np.float64, copy=False)

    try:
        answers = [run(probe) for probe in probes]
    except Exception as error:   # numba's, and what the compiled function raises
        raise refuse(f"numba does not compile it: {type(error).__name__}: {str(error).strip().splitlines()[0]}") from None
    for one, answer, probe in zip(expected, answers, probes, strict=True):
        if not _same_bits(one, answer):
            raise refuse("compiled by numba it gives other bits on a probe")
        half = len(probe) // 2
        if not (_same_bits(one[:half], run(probe[:half])) and _same_bits(one[half:], run(probe[half:]))):
            raise refuse("a row's answer depends on other rows")
    return Block(blocks.USER, dense_of(cells), run, expected[0].shape[1], {}, dtype=dtype)


def _as_library(function: Callable[..., Any], options: dict[str, Any], probe: Array, names: list[str] | None) -> Any:
    """Called as the transformer calls it: with a frame where the step before gives one."""
    given: Any = probe.copy()
    if names is not None:
        import pandas as pd

        given = pd.DataFrame(given, columns=names)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(given, **options)


def _probes(width: int, dtype: str, *, missing: bool) -> list[Array]:
    rng = np.random.default_rng(7)
    plain = rng.normal(size=(_PROBE_ROWS, width)).astype(dtype)
    spread = (rng.normal(size=(_PROBE_ROWS, width)) * 10.0 ** rng.integers(-9, 9, (_PROBE_ROWS, width))).astype(dtype)
    spread[0], spread[1], spread[2] = 0.0, -0.0, 1.0
    if missing:
        spread[rng.random(spread.shape) < 0.1] = np.nan
    return [np.abs(plain), plain, spread, spread[:2]]


def _same_bits(one: Array, other: Array) -> bool:
    if one.dtype != np.float32:
        one = one.astype(np.float64)
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == _plain_nan(one, other).tobytes()


def _plain_nan(one: Array, other: Array) -> Array:
    """``other`` with the sign and payload of NaN taken from ``one`` where both are NaN: they mean nothing."""
    return np.where(np.isnan(one) & np.isnan(other), one, other)


TRANSFORMERS = {"FunctionTransformer": function_transformer}
