"""Columns carried to places by group, as memory that a function can be called on, and results carried back to rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels import places as kernels
from fastframe._kernels.memory import Block
from fastframe._threads import run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate, allocate_array, allocate_bits
from fastframe.dtypes import DType, Kind, Physical
from fastframe.engines.cpu.places import Places

Array = np.ndarray[Any, Any]

_NAN = {Physical.F32: 0x7FC00000, Physical.F64: 0x7FF8000000000000}
_NAT = 1 << 63
_WORDS = {1: Physical.U8, 2: Physical.U16, 4: Physical.U32, 8: Physical.U64, 16: Physical.I128}
_OPERATION = "values by group"


def carried(column: Column, places: Places) -> Array:
    """The values of placed rows in group order, read only, as NumPy has them: bools as bytes, categories as their codes.

    Where a value is null there is NaN, NaT, or else 0. Nothing is copied where rows are in group order as they are.
    """
    physical, numpy = column.physical, _numpy_dtype(column)
    assert physical is not None
    if not places.steps and not column.view.validity and physical is not Physical.BOOL:
        return _frozen(_dated(_own_values(column), column.dtype, numpy))
    width = _width(column)
    fill = _NAN.get(physical, _NAT if column.dtype.kind in (Kind.TIMESTAMP, Kind.DURATION) else 0)
    first = _room(places, width)
    task = kernels.carry(physical, column.view, _step(places, 0), first.ctypes.data, fill=fill, keep_alive=(column, places, first))
    run(task, places.n_rows, operation=_OPERATION)
    return _frozen(_dated(_further(first, places, width), column.dtype, numpy))


def presence(column: Column, places: Places) -> Array:
    """Bools in group order, read only: whether each placed row has a value, neither null nor NaN."""
    floats = column.physical in _NAN
    view = column.view if floats else column.validity_view
    physical = column.physical if floats else Physical.U8
    first = _room(places, 1)
    task = kernels.presence(int(physical or 0), view, _step(places, 0), first.ctypes.data, (column, places, first))
    run(task, places.n_rows, operation=_OPERATION)
    return _frozen(_further(first, places, 1).view(np.bool_))


def carried_back(values: Block, dtype: DType, places: Places) -> Column:
    """One value per row from the values of placed rows in group order (bools as bytes); null where a row has no place."""
    width = 0 if dtype.physical is Physical.BOOL else dtype.width
    if not places.steps and width:
        return column_from_buffers(dtype, places.n_rows, values)
    if len(places.steps) == 2:
        inner = allocate(places.n_placed * max(width, 1), _OPERATION)
        _return(values, places.steps[1], (max(width, 1), inner.address, 0), places.n_placed, inner)
        values = inner
    out = allocate(places.n_rows * width, _OPERATION) if width else allocate_bits(places.n_rows, _OPERATION)
    validity = allocate_bits(places.n_rows, _OPERATION) if places.n_placed < places.n_rows else None
    step = places.steps[0] if places.steps else None
    _return(values, step, (width, out.address, 0 if validity is None else validity.address), places.n_rows, (out, validity))
    return column_from_buffers(dtype, places.n_rows, out, validity, places.n_rows - places.n_placed)


def _return(values: Block, step: Array | None, out: tuple[int, int, int], n_rows: int, keep: Any) -> None:
    width, to, validity = out
    task = kernels.carry_back(width, values.address, 0 if step is None else step.ctypes.data, to, validity, (values, step, keep))
    run(task, n_rows, operation=_OPERATION)


def _step(places: Places, number: int) -> int:
    return int(places.steps[number].ctypes.data) if places.steps else 0


def _room(places: Places, width: int) -> Array:
    """Memory for as many values of ``width`` bytes as a step writes."""
    return allocate_array(places.n_placed, np.dtype(f"V{width}") if width == 16 else np.dtype(f"u{width}"), _OPERATION)


def _further(first: Array, places: Places, width: int) -> Array:
    """The second step, where there is one."""
    if len(places.steps) < 2:
        return first
    second, step = _room(places, width), places.steps[1]
    view = (first.ctypes.data, 0, 0, len(first))
    task = kernels.carry(_WORDS[width], view, step.ctypes.data, second.ctypes.data, keep_alive=(first, step, second))
    run(task, len(first), operation=_OPERATION)
    return second


def _width(column: Column) -> int:
    return 4 if column.is_encoded else max(column.dtype.width, 1)


def _numpy_dtype(column: Column) -> np.dtype[Any]:
    """What a function sees."""
    if column.is_encoded:
        return np.dtype(np.int32)
    return column.dtype.numpy if column.dtype.numpy is not None else np.dtype(f"V{_width(column)}")


def _dated(values: Array, dtype: DType, numpy: np.dtype[Any]) -> Array:
    """The values as ``numpy``: NumPy's days are of 64 bits, Arrow's of 32."""
    if dtype.kind is Kind.DATE and values.itemsize == 4:
        return values.view(np.int32).astype(np.int64).view(numpy)
    return values.view(numpy)


def _own_values(column: Column) -> Array:
    """The column's own memory."""
    array = column.codes if column.is_encoded else column.array
    if not len(array):
        return np.empty(0, f"V{_width(column)}")
    width = _width(column)
    return np.frombuffer(array.buffers()[1], f"V{width}", len(array), array.offset * width)


def _frozen(values: Array) -> Array:
    values.flags.writeable = False
    return values
