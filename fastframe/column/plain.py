"""Arrow arrays and scalars of plain Python and NumPy values, made from buffers.

``pyarrow.array`` and ``pyarrow.scalar`` import pandas on their first use, to know its objects, and that takes longer than most
answers; so what runs without pandas comes through here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

_INTEGERS = {getattr(pa, name)(): np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}
_FLOATS = {getattr(pa, name)(): np.dtype(name) for name in ("float32", "float64")}
_EXACT = {pa.float32(): 1 << 24, pa.float64(): 1 << 53}   # integers up to here have a float of their own
_ARROW = {numpy: arrow for arrow, numpy in (_INTEGERS | _FLOATS).items()}


def array_of(values: np.ndarray[Any, Any]) -> pa.Array:
    """A bool or number array of NumPy's as an Arrow array; shares memory where it is contiguous and not bool."""
    if values.dtype.kind == "b":
        bits = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)], 0)
    kind = _ARROW.get(values.dtype)
    if kind is None:
        return pa.array(values)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))], 0)


def array_of_one(value: Any, kind: pa.DataType) -> pa.Array:
    """One Python value, or None, as an array of an Arrow type; raises what ``pyarrow.array`` raises."""
    if value is None:
        return pa.nulls(1, kind)
    if type(value) is int and kind in _INTEGERS:
        limits = np.iinfo(_INTEGERS[kind])
        if limits.min <= value <= limits.max:
            return array_of(np.array([value], _INTEGERS[kind]))
    elif (type(value) is float and kind in _FLOATS) or (type(value) is int and kind in _FLOATS and abs(value) <= _EXACT[kind]):
        return array_of(np.array([float(value)]).astype(_FLOATS[kind]))
    elif type(value) is bool and kind == pa.bool_():
        return array_of(np.array([value]))
    elif type(value) is str and kind == pa.string():
        text = value.encode()
        return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(np.array([0, len(text)], np.int32)), pa.py_buffer(text)], 0)
    return pa.array([value], kind)


def scalar_of(value: Any, kind: pa.DataType) -> pa.Scalar:
    """One Python value, or None, as a scalar of an Arrow type; raises what ``pyarrow.scalar`` raises."""
    return array_of_one(value, kind)[0]


def array_of_scalar(scalar: pa.Scalar) -> pa.Array:
    """An Arrow scalar as an array of one row."""
    if not scalar.is_valid:
        return pa.nulls(1, scalar.type)
    if scalar.type in _INTEGERS or scalar.type in _FLOATS or scalar.type in (pa.bool_(), pa.string()):
        return array_of_one(scalar.as_py(), scalar.type)
    return pa.array([scalar], scalar.type)


def numpy_of(array: pa.Array) -> np.ndarray[Any, Any]:
    """What ``array.to_numpy(zero_copy_only=False)`` gives; numbers without nulls share the memory."""
    if array.type == pa.bool_() and not array.null_count and len(array):
        bits = np.frombuffer(array.buffers()[1], np.uint8)
        return np.unpackbits(bits, bitorder="little", count=array.offset + len(array))[array.offset :].view(bool)
    dtype = _INTEGERS.get(array.type) or _FLOATS.get(array.type)
    if dtype is None or array.null_count or not len(array):
        return array.to_numpy(zero_copy_only=False)
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)


def raw_values(array: pa.Array) -> np.ndarray[Any, Any]:
    """The values of a bool or number array as they lie in memory, whatever they are under nulls."""
    if array.null_count and array.buffers()[1] is not None:
        array = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]], 0, array.offset)
    return numpy_of(array)


def missing_rows(array: pa.Array) -> np.ndarray[Any, Any] | None:
    """A bool per row: whether it is null; None where none is."""
    if not array.null_count:
        return None
    bits = array.buffers()[0]
    if bits is None:   # dtype null
        return np.ones(len(array), bool)
    valid = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little", count=array.offset + len(array))
    return valid[array.offset :] == 0


def array_with_missing(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any] | None) -> pa.Array:
    """A number array that is null where ``missing``."""
    if missing is None or not missing.any():
        return array_of(values)
    bits = np.packbits(~missing, bitorder="little")
    return pa.Array.from_buffers(_ARROW[values.dtype], len(values), [pa.py_buffer(bits), pa.py_buffer(np.ascontiguousarray(values))])


def text_array_of(texts: list[str]) -> pa.Array:
    """Texts as a string array."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    if offsets[-1] > np.iinfo(np.int32).max:
        return pa.Array.from_buffers(pa.large_string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))], 0)
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(b"".join(encoded))], 0)
