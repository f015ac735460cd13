"""Columns side by side in one 2-D float array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastframe._kernels.matrix import matrix_column
from fastframe._threads import run
from fastframe.column import Column
from fastframe.column.memory import allocate, is_streamed
from fastframe.dtypes import Kind, Physical

_NUMBERS = (Kind.INT, Kind.UINT, Kind.FLOAT, Kind.BOOL)
_NUMPY = {
    Physical.BOOL: np.bool_, Physical.F32: np.float32, Physical.F64: np.float64, Physical.I8: np.int8, Physical.I16: np.int16, Physical.I32: np.int32,
    Physical.I64: np.int64, Physical.U8: np.uint8, Physical.U16: np.uint16, Physical.U32: np.uint32, Physical.U64: np.uint64,
}  # fmt: skip


def common_float(columns: Mapping[str, Column], dtype: Any) -> np.dtype[Any] | None:
    """The float dtype that NumPy gives numbers and bools side by side (or ``dtype``, where that is one); None where there is none.

    None, too, for integers beside nulls that a float would not hold, which `column_to_numpy` refuses.
    """
    kinds = [_numpy_type(column) for column in columns.values()]
    if not kinds or None in kinds:
        return None
    common = np.dtype(dtype) if dtype is not None else np.result_type(*kinds)   # type: ignore[arg-type]
    return common if common in (np.float32, np.float64) else None


def _numpy_type(column: Column) -> Any:
    if column.dtype.kind not in _NUMBERS or column.physical is None:
        return None
    if not column.null_count or column.dtype.kind is Kind.FLOAT:
        return _NUMPY[column.physical]
    if column.dtype.width == 8:
        import pyarrow.compute as pc

        ends = pc.min_max(column.array).as_py()
        if ends["min"] is not None and not -(2**53) <= ends["min"] <= ends["max"] <= 2**53:
            return None
    return np.float64


def matrix(columns: Mapping[str, Column], n_rows: int, dtype: np.dtype[Any], operation: str = "to_matrix") -> np.ndarray[Any, Any]:
    """A column-major array of shape ``(n_rows, n_columns)``; missing is NaN, a category its code."""
    n_bytes = n_rows * dtype.itemsize
    block = allocate(n_bytes * len(columns), operation)
    out = np.frombuffer(block, dtype=dtype).reshape((n_rows, len(columns)), order="F")
    streams = is_streamed(n_bytes * len(columns))
    for position, column in enumerate(columns.values()):
        if column.dtype.kind is Kind.NULL:
            out[:, position] = np.nan
            continue
        numbers = _numbers(column)
        assert numbers.physical is not None
        task = matrix_column(
            int(numbers.physical), numbers.view, block.address + position * n_bytes, (numbers, block), is_double=dtype.itemsize == 8, streams=streams
        )
        run(task, n_rows, operation=operation)
    return out


def _numbers(column: Column) -> Column:
    """What a kernel reads: codes, and decimals and halves as floats."""
    if column.is_encoded:
        return Column(column.codes)
    if column.physical is None or column.dtype.kind is Kind.DECIMAL:
        return Column(column.array.cast("float64" if column.dtype.kind is Kind.DECIMAL else "float32"))
    return column
