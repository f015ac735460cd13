"""Dictionaries: incoming ones made unique, null-free and int32-coded; encoded columns decoded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.errors import DTypeError

_INT32_MAX = 2**31 - 1


def normalise_dictionary(array: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values with int32 codes and a dictionary of unique, non-null values.

    Arrow allows any integer codes, nulls among the values and values that occur twice; kernels rely on none of that.
    The order of the values stays (of equal values, the first stays). Validate untrusted arrays before.

    Raises
    ------
    DTypeError
        Where Arrow cannot compare the values (nested ones).
    """
    values = _without_bitmap(array.dictionary)
    try:
        unique = values.dictionary_encode(null_encoding="mask")
    except pa.ArrowNotImplementedError:
        raise DTypeError.unsupported_arrow(array.type) from None
    codes = array.indices
    if len(unique.dictionary) != len(values):
        codes = unique.indices.take(codes)
        values = unique.dictionary
    elif array.type.index_type == pa.int32() and values is array.dictionary:
        return array
    return pa.DictionaryArray.from_arrays(codes.cast(pa.int32()), values, ordered=array.type.ordered, safe=False)


def _without_bitmap(values: pa.Array) -> pa.Array:
    """Null-free values without a validity bitmap: XGBoost refuses categories that have one."""
    buffers = values.buffers()
    if values.null_count or buffers[0] is None or values.type.num_fields:
        return values
    return pa.Array.from_buffers(values.type, len(values), [None, *buffers[1:]], 0, values.offset)


def without_views(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A dictionary whose values are string views (polars' categories) as one of plain text; anything else as it is."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(getattr(array.type, "value_type", None))
    if plain is None or not pa.types.is_dictionary(array.type):
        return array
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([without_views(chunk) for chunk in array.chunks], pa.dictionary(array.type.index_type, plain, array.type.ordered))
    return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(plain), ordered=array.type.ordered, safe=False)


def decode(column: Column) -> Column:
    """An encoded text or category column as plain values (text that would pass 2 GiB gets 64-bit offsets)."""
    if not column.is_encoded:
        return column
    values = column.dictionary
    if _text_bytes(column, values) > _INT32_MAX:
        values = values.cast(pa.large_string() if pa.types.is_string(values.type) else pa.large_binary())
    plain = values.take(column.codes)
    return Column(plain, column.dtype) if column.is_encoded_text else Column(plain)


def _text_bytes(column: Column, values: pa.Array) -> int:
    """Bytes of the decoded text; 0 for values that have no 32-bit offsets."""
    if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type)) or len(values) == 0:
        return 0
    offsets = np.frombuffer(values.buffers()[1], np.int32)[values.offset:values.offset + len(values) + 1]
    lengths = np.diff(offsets).astype(np.int64)
    if int(lengths.max()) * len(column) <= _INT32_MAX:
        return int(lengths.max()) * len(column)   # a bound is enough
    codes = column.codes.drop_null().to_numpy(zero_copy_only=False)
    return int(lengths @ np.bincount(codes, minlength=len(lengths)))
