"""Slow twins of the key kernels: plain Python over lists of values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import Kind


class Missing:
    """The key of null and NaN; sorts after everything."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


def key_values(column: Column) -> list[Any]:
    """The values of a key column, null and NaN as MISSING, -0.0 as 0.0."""
    array = column.array
    if column.dtype.is_temporal:
        array = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    values = []
    for value in array.to_pylist():
        if value is None or (isinstance(value, float) and math.isnan(value)):
            values.append(MISSING)
        else:
            values.append(value + 0.0 if isinstance(value, float) else value)
    return values


def sort_key(column: Column) -> Any:
    """A function that orders `key_values` of a column, missing last."""
    if column.dtype.kind is Kind.CATEGORY:
        place = {value: code for code, value in enumerate(column.dictionary.to_pylist())}
        return lambda value: (value is MISSING, 0 if value is MISSING else place[value])
    if column.dtype.is_text:
        return lambda value: (
            value is MISSING,
            b"" if value is MISSING else value.encode() if isinstance(value, str) else value,
        )
    return lambda value: (value is MISSING, 0 if value is MISSING else value)


def group_rows(keys: list[Column], dropna: bool, sort: bool) -> tuple[list[int], list[int]]:
    """``(codes, first_rows)``; a dropped row has code -1."""
    rows = list(zip(*(key_values(key) for key in keys), strict=True))
    kept = [not (dropna and MISSING in row) for row in rows]
    first: dict[Any, int] = {}
    for number, row in enumerate(rows):
        if kept[number]:
            first.setdefault(row, number)
    order = list(first)
    if sort:
        orders = [sort_key(key) for key in keys]
        order.sort(key=lambda row: tuple(by(value) for by, value in zip(orders, row, strict=True)))
    place = {row: code for code, row in enumerate(order)}
    return [place[row] if keep else -1 for row, keep in zip(rows, kept, strict=True)], [first[row] for row in order]


def partners(left: list[Column], right: list[Column]) -> list[list[int]]:
    """Per left row the right rows with an equal key; missing equals missing."""
    rows: dict[Any, list[int]] = {}
    for number, row in enumerate(zip(*(key_values(key) for key in right), strict=True)):
        rows.setdefault(row, []).append(number)
    return [rows.get(row, []) for row in zip(*(key_values(key) for key in left), strict=True)]


def partners_of_codes(left_codes: np.ndarray, right_codes: np.ndarray) -> list[list[int]]:
    """The same from codes."""
    rows: dict[int, list[int]] = {}
    for number, code in enumerate(right_codes.tolist()):
        rows.setdefault(code, []).append(number)
    return [rows.get(code, []) for code in left_codes.tolist()]


def value_range(column: Column) -> tuple[Any, Any, int, bool]:
    """``(min, max, n_missing, has_nan)``."""
    present = [value for value in key_values(column) if value is not MISSING]
    has_nan = any(
        isinstance(value, float) and math.isnan(value) for value in column.array.to_pylist() if value is not None
    )
    if not present:
        return None, None, len(column), has_nan
    return min(present), max(present), len(column) - len(present), has_nan


def encode(values: list[Any]) -> tuple[list[Any], list[Any]]:
    """``(codes, distinct values in order of first appearance)``; null has no code."""
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    place = {value: code for code, value in enumerate(distinct)}
    return [None if value is None else place[value] for value in values], distinct
