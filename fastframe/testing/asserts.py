"""Comparisons that name the first difference. Messages of failed assertions are made here, as they report no misuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column

Missing = np.ndarray[Any, Any]


def assert_column_equal(left: Column, right: Column) -> None:
    """Both columns have one dtype, one length, the same nulls and the same values, to the last bit.

    NaN is a value here (of any payload the same), and -0.0 is not 0.0. Encoding is not compared: encoded text equals
    plain text.

    Raises
    ------
    AssertionError
        Naming the first difference.
    """
    if left.dtype != right.dtype:
        raise AssertionError(f"dtypes differ: {left.dtype} and {right.dtype}")
    if len(left) != len(right):
        raise AssertionError(f"lengths differ: {len(left)} and {len(right)}")
    _assert_values("the columns", plain(left.array), plain(right.array), rtol=None)


def assert_frame_equal(left: Any, right: Any, *, rtol: float = 0.0, check_order: bool = True) -> None:
    """Both frames have the same columns in the same order, of the same dtypes, and the same rows.

    Parameters
    ----------
    left, right
        Anything with ``to_arrow()`` or ``__arrow_c_stream__`` (fastframe, polars, pandas, duckdb), or pyarrow tables.
    rtol : float
        Relative tolerance of floats. With 0, floats are equal as numbers, so -0.0 equals 0.0. Null and NaN are both
        missing, and equal.
    check_order : bool
        False compares rows as a multiset: both sides are sorted by all columns first. Floats then should not lie within
        ``rtol`` of each other unless other columns tell their rows apart.

    Raises
    ------
    AssertionError
        Naming the first difference.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from fastframe.testing import assert_frame_equal
    >>> assert_frame_equal(pa.table({"x": [1, 2]}), pa.table({"x": [2, 1]}), check_order=False)
    """
    one, other = _arrow_table(left), _arrow_table(right)
    if one.column_names != other.column_names:
        raise AssertionError(f"columns differ: {one.column_names} and {other.column_names}")
    if one.num_rows != other.num_rows:
        raise AssertionError(f"numbers of rows differ: {one.num_rows} and {other.num_rows}")
    for name, mine, theirs in zip(one.column_names, one.columns, other.columns, strict=True):
        if mine.type != theirs.type:
            raise AssertionError(f"dtypes of column {name!r} differ: {mine.type} and {theirs.type}")
    if not check_order and one.num_columns:
        one, other = one.take(_row_order(one)), other.take(_row_order(other))
    for name in one.column_names:
        _assert_values(f"column {name!r}", _contiguous(one[name]), _contiguous(other[name]), rtol=rtol)


def plain(array: pa.Array) -> pa.Array:
    """The array with dictionaries decoded and strings in one offset width."""
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array


def _arrow_table(frame: Any) -> pa.Table:
    if isinstance(frame, pa.Table):
        found = frame
    else:
        found = frame.to_arrow() if hasattr(frame, "to_arrow") else pa.table(frame)
    columns = [
        pa.chunked_array([plain(chunk) for chunk in one.chunks] or [plain(_contiguous(one))]) for one in found.columns
    ]
    return pa.table(columns, names=found.column_names) if columns else found


def _contiguous(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # pyarrow keeps the chunks of what would be too large, or has none
        return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array


def _row_order(table: pa.Table) -> pa.Array:
    """Row numbers sorted by all columns; missing values last, NaN as null."""
    import pyarrow.compute as pc

    keys = {}
    for place, column in enumerate(table.columns):
        nan = pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column
        keys[str(place)] = nan
    return pc.sort_indices(
        pa.table(keys), sort_keys=[(name, "ascending") for name in keys]
    )  # missing values at the end


def _assert_values(what: str, left: pa.Array, right: pa.Array, *, rtol: float | None) -> None:
    """``rtol`` None: nulls and bits; else values, with NaN as null."""
    lost, gone = _missing(left, nan=rtol is not None), _missing(right, nan=rtol is not None)
    if not np.array_equal(lost, gone):
        row = int(np.flatnonzero(lost != gone)[0])
        raise AssertionError(
            f"{what} differ at row {row}: {left[row].as_py()!r} and {right[row].as_py()!r}; one is missing"
        )
    differs = _different(left, right, lost, rtol)
    if differs.any():
        row = int(np.flatnonzero(differs)[0])
        count = int(differs.sum())
        raise AssertionError(
            f"{what} differ at row {row} (and {count - 1} more): {left[row].as_py()!r} and {right[row].as_py()!r}"
        )


def _missing(array: pa.Array, *, nan: bool) -> Missing:
    import pyarrow.compute as pc

    nan = nan and pa.types.is_floating(array.type) and array.type != pa.float16()
    return np.asarray(pc.is_null(array, nan_is_null=nan).to_numpy(zero_copy_only=False))


def _different(left: pa.Array, right: pa.Array, missing: Missing, rtol: float | None) -> Missing:
    if pa.types.is_floating(left.type):
        one, other = _numbers(left), _numbers(right)
        if rtol is None:
            bits = np.dtype(f"u{one.dtype.itemsize}")
            same = (one.view(bits) == other.view(bits)) | (np.isnan(one) & np.isnan(other))
        else:
            with np.errstate(invalid="ignore"):
                same = (one == other) | (
                    np.isfinite(one) & np.isfinite(other) & (np.abs(one - other) <= rtol * np.abs(other))
                )
        return np.asarray(~same & ~missing)
    if left.type == pa.null() or left.equals(right):
        return np.zeros(len(left), bool)
    values = zip(left.to_pylist(), right.to_pylist(), strict=True)
    return np.array([one != other for one, other in values], bool) & ~missing


def _numbers(array: pa.Array) -> np.ndarray[Any, Any]:
    """Float values of an array, with anything under nulls."""
    dtype = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype, count=array.offset + len(array))[array.offset :]
