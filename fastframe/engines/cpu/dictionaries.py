"""Dictionaries of encoded columns: whether they are equal, one for several columns, the place of values in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import STRING, Kind, is_arrow_text
from fastframe.engines.cpu.forms import codes_column, rewrapped
from fastframe.engines.cpu.take import code_rows, take
from fastframe.errors import LossyCast


def same_dictionary(left: Column, right: Column) -> bool:
    """Whether two encoded columns have equal values in equal order (and are both ordered, or neither)."""
    return left.array.type.ordered == right.array.type.ordered and _equal(left.dictionary, right.dictionary)


def _equal(left: pa.Array, right: pa.Array) -> bool:
    if left.type != right.type or len(left) != len(right):
        return False
    return _place(left) == _place(right) or left.equals(right)


def _place(array: pa.Array) -> tuple[int, list[int]]:
    return array.offset, [buffer.address if buffer is not None else 0 for buffer in array.buffers()]


def same_categories(columns: Sequence[Column]) -> bool:
    """Whether all columns are categories with equal categories in equal order."""
    first = columns[0]
    return all(one.dtype.kind is Kind.CATEGORY and same_dictionary(first, one) for one in columns)


def unified(columns: Sequence[Column]) -> list[Column]:
    """Encoded columns with one dictionary: their values in order of first appearance. Text, not categories, comes out.

    Cost: one pass over the dictionaries on one thread, and a parallel gather of the codes that change.
    """
    first, *others = columns
    if all(_equal(first.dictionary, other.dictionary) for other in others):
        return list(columns)
    dictionaries = [column.dictionary for column in columns]
    wide = reduce(_wider, (dictionary.type for dictionary in dictionaries))
    pooled = pa.concat_arrays([one if one.type == wide else one.cast(wide) for one in dictionaries]).dictionary_encode()
    out, start = [], 0
    for column in columns:
        places = pooled.indices.slice(start, len(column.dictionary))
        start += len(column.dictionary)
        out.append(_remapped(column, places, pooled.dictionary))
    return out


def _wider(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    return left if pa.types.is_large_string(left) or pa.types.is_large_binary(left) else right


def _remapped(column: Column, places: pa.Array, dictionary: pa.Array) -> Column:
    """The column over another dictionary; ``places`` says where each old code's value is (int32)."""
    codes = take(Column(places), code_rows(column), missing=True)
    array = pa.DictionaryArray.from_arrays(codes.array, dictionary, ordered=column.array.type.ordered, safe=False)
    return Column(array, column.dtype)


def in_categories(column: Column, category: Column) -> Column:
    """The values of a category or text column as the given category.

    Raises
    ------
    LossyCast
        Where a value is not among the categories.
    """
    encoded = column if column.is_encoded else encoded_small(column)
    if encoded.dtype.kind is Kind.CATEGORY and same_dictionary(encoded, category):
        return encoded
    import pyarrow.compute as pc

    values = encoded.dictionary
    if values.type != category.dictionary.type:
        values = values.cast(category.dictionary.type)
    places = pc.index_in(values, category.dictionary)
    used = take(Column(places), code_rows(encoded), missing=True)
    if used.null_count > encoded.null_count:
        lost = np.asarray(used.array.is_null()) & np.asarray(encoded.codes.is_valid())
        raise LossyCast.of_value(encoded.array[int(np.argmax(lost))].as_py(), category.dtype)
    return rewrapped(category, used.array)


def encoded_small(column: Column) -> Column:
    """A short plain text column (a scalar, say), encoded by pyarrow on one thread."""
    return Column(column.array.dictionary_encode(), column.dtype)


def as_text(column: Column) -> Column:
    """A category as encoded text of its categories' values; text as it is."""
    if column.dtype.kind is not Kind.CATEGORY:
        return column
    values = column.dictionary
    if not is_arrow_text(values.type):
        values = values.cast(pa.string())
    return Column(pa.DictionaryArray.from_arrays(codes_column(column).array, values, safe=False), STRING)
