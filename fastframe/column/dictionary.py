"""Dictionaries: incoming ones made unique, null-free and int32-coded."""

from __future__ import annotations

import pyarrow as pa

from fastframe.errors import DTypeError


def normalise_dictionary(array: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values with int32 codes and a dictionary of unique, non-null values.

    Arrow allows any integer codes, nulls among the values and values that occur twice; kernels rely on none of that.
    The order of the values stays (of equal values, the first stays; NaN is null, and -0.0 is 0.0, as everywhere in keys).
    Validate untrusted arrays before.

    Raises
    ------
    DTypeError
        Where Arrow cannot compare the values (nested ones).
    """
    values = _without_bitmap(array.dictionary)
    try:
        unique = _keys(values).dictionary_encode(null_encoding="mask")
    except pa.ArrowNotImplementedError:
        raise DTypeError.unsupported_arrow(array.type) from None
    codes = array.indices
    if len(unique.dictionary) != len(values):
        codes = unique.indices.take(codes)
        values = unique.dictionary
    elif array.type.index_type == pa.int32() and values is array.dictionary:
        return array
    return pa.DictionaryArray.from_arrays(codes.cast(pa.int32()), values, ordered=array.type.ordered, safe=False)


def _keys(values: pa.Array) -> pa.Array:
    """The values with one bit pattern for what is one key, and null for what is missing."""
    if values.type not in (pa.float32(), pa.float64()):   # Arrow compares no halves
        return values
    import pyarrow.compute as pc

    return one_zero(pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values))


def one_zero(values: pa.Array) -> pa.Array:
    """Floats with 0.0 for -0.0: Arrow encodes the two as two values."""
    import pyarrow.compute as pc

    return pc.add(values, pa.scalar(0.0, values.type))


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
