"""Columns in the form that aggregation kernels read: numbers in place of dictionaries, an int64 column in place of null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column, encoded_column
from fastframe.dtypes import Kind
from fastframe.engines.cpu.keys_text import encode_text, rank_of_dictionary
from fastframe.engines.cpu.take import code_rows, take

Restore = Callable[[Column], Column]


def present(column: Column) -> Column:
    """The column; one of dtype null as int64 nulls."""
    return Column(pa.nulls(len(column), pa.int64())) if column.dtype.kind is Kind.NULL else column


def comparable(column: Column) -> tuple[Column, Restore]:
    """Numbers that order as the values do, and the way back from such numbers to a column of the same dtype."""
    if column.dtype.kind is Kind.NULL:
        return present(column), lambda values: Column(pa.nulls(len(values)))
    if not column.is_encoded:
        return column, lambda values: values
    if column.dtype.kind is Kind.CATEGORY:   # ordered: by code
        return Column(column.codes), lambda values: encoded_column(values.array, column.dictionary, column.dtype, ordered=True)
    positions = rank_of_dictionary(column.dictionary)
    order = np.empty_like(positions)
    order[positions] = np.arange(len(order), dtype=np.int32)

    def restore(values: Column) -> Column:
        codes = take(Column(pa.array(order)), _rows(values), missing=True)
        return encoded_column(codes.array, column.dictionary, column.dtype)

    return take(Column(pa.array(positions)), code_rows(column), missing=True), restore


def truth(column: Column) -> Column:
    """The column, or for encoded text whether each value has any bytes."""
    if not column.is_encoded:
        return present(column)
    text = column.dictionary
    empty = np.array([not value for value in text.to_pylist()], dtype=bool)
    return take(Column(pa.array(~empty)), code_rows(column), missing=True)


def identities(column: Column) -> Column:
    """Fixed-width values that are equal where the column's values are: codes in place of text."""
    if column.dtype.is_text and not column.is_encoded:
        column = encode_text(column)
    return Column(column.codes) if column.is_encoded else present(column)


def _rows(positions: Column) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Numbers of a column as row numbers, -1 where null."""
    return np.ascontiguousarray(positions.array.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int32)
