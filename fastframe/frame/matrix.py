"""Columns side by side in one 2-D float array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastframe._threads import run_calls
from fastframe.column import Column
from fastframe.column.memory import allocate, naming
from fastframe.dtypes import Kind


def matrix(columns: Mapping[str, Column], n_rows: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A column-major array of shape ``(n_rows, n_columns)``; missing is NaN, a category its code. One column per call."""
    block = allocate(n_rows * len(columns) * dtype.itemsize, "to_matrix")
    out = np.frombuffer(block, dtype=dtype).reshape((n_rows, len(columns)), order="F")
    with naming("to_matrix"):
        run_calls([_filler(out[:, position], column) for position, column in enumerate(columns.values())])
    return out


def _filler(target: np.ndarray[Any, Any], column: Column) -> Any:
    def fill() -> None:
        array = column.codes if column.is_encoded else column.array
        if column.dtype.kind is Kind.NULL:
            target[:] = np.nan
            return
        if column.dtype.kind is Kind.DECIMAL:
            array = array.cast("float64")
        if array.null_count:
            plain = array.fill_null(False if column.dtype.kind is Kind.BOOL else 0)
            target[:] = plain.to_numpy(zero_copy_only=False)
            target[np.asarray(array.is_null())] = np.nan
        else:
            target[:] = array.to_numpy(zero_copy_only=False)

    return fill
