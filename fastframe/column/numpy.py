"""NumPy and pandas memory in, NumPy out.

Arrays that somebody else may still write to are copied; ``copy=False`` shares them, and then nothing about their values
is remembered (`Column.owned`). Read-only views come out.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.plain import array_of, numpy_of
from fastframe.dtypes import Kind
from fastframe.errors import DTypeError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_numpy(values: Any) -> bool:
    """A NumPy array or scalar, or something that only offers ``__array__``."""
    return isinstance(values, np.ndarray) or (hasattr(values, "__array__") and not isinstance(values, type))


def is_pandas(values: Any) -> bool:
    """A pandas Series, Index or extension array; does not import pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(values, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray)


def column_from_numpy(values: Any, name: str | None = None, *, copy: bool = True) -> Column:
    """A column from a one-dimensional array; NaT and what a masked array masks are missing, NaN stays NaN.

    Raises
    ------
    ShapeError
        For other than one dimension.
    DTypeError
        For complex, void and mixed objects.
    """
    if type(values).__module__.startswith("numpy.ma"):   # by name: numpy.ma is loaded only by those who use it
        return _from_masked(values, name)
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError.of_dimensions(array.ndim, "an array of one dimension")
    if array.dtype.kind in "cV":
        raise DTypeError.of_values(name, f"NumPy dtype {array.dtype} has no Arrow type")
    if array.dtype.kind in "OUST":
        return _from_objects(array, name)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind in "mM":
        return Column(pa.array(_in_arrow_unit(array), from_pandas=True))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise DTypeError.of_values(name, f"NumPy dtype {array.dtype} has no Arrow type")
    if array.dtype.kind == "b":
        return Column(array_of(array))
    owned = np.ascontiguousarray(array) if not copy else np.array(array, order="C", copy=True)
    shared = np.shares_memory(owned, array) if len(array) else False
    return Column(array_of(owned), owned=not shared)


def _from_masked(values: Any, name: str | None) -> Column:
    mask = np.broadcast_to(values.mask, values.shape)
    data = np.where(mask, None, values.data) if values.dtype.kind == "O" else values.data
    column = column_from_numpy(data, name)
    if not mask.any():
        return column
    import pyarrow.compute as pc

    return Column(pc.if_else(pa.array(mask), pa.scalar(None, column.array.type), column.array), column.dtype)


def _in_arrow_unit(array: NDArray[Any]) -> NDArray[Any]:
    unit = np.datetime_data(array.dtype)[0]
    if unit in ("s", "ms", "us", "ns") or (unit == "D" and array.dtype.kind == "M"):
        return np.array(array)
    finer = {"Y": "s", "M": "s", "W": "s", "D": "s", "h": "s", "m": "s", "generic": "ns"}.get(unit, "ns")
    return array.astype(f"{array.dtype.kind}8[{finer}]")


def _from_objects(array: NDArray[Any], name: str | None) -> Column:
    from fastframe.column.arrow import column_from_arrow

    try:
        return column_from_arrow(pa.array(array.tolist() if array.dtype.kind in "UT" else array, from_pandas=True), name, trusted=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise DTypeError.of_values(name, str(error)) from None


def column_from_pandas(values: Any, name: str | None = None, *, copy: bool = True) -> Column:
    """A column from a pandas Series, Index or extension array; ``NA``, ``None`` and ``NaT`` are missing, NaN stays.

    Only arrays that pandas itself holds in Arrow are shared: pandas may write to all others in place.
    """
    from fastframe.column.arrow import column_from_arrow

    values = getattr(values, "array", values)
    numpy_backed = getattr(values, "dtype", None)
    if isinstance(numpy_backed, np.dtype) and numpy_backed.kind != "O":
        return column_from_numpy(np.asarray(values), name, copy=copy)
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise DTypeError.of_values(name, str(error)) from None
    if hasattr(values, "_pa_array"):
        return column_from_arrow(array, name)
    column = column_from_arrow(_copied(array) if copy and isinstance(array, pa.Array) else array, name)
    column.owned = copy
    return column


def _copied(array: pa.Array) -> pa.Array:
    """The array over memory that nobody else has."""
    if isinstance(array, pa.DictionaryArray):
        codes, values = _copied(array.indices), _copied(array.dictionary)
        return pa.DictionaryArray.from_arrays(codes, values, ordered=array.type.ordered)
    if isinstance(array, pa.ExtensionArray):   # refused later, by name
        return array
    return pa.concat_arrays([array, array.slice(0, 0)])   # two arrays, because one alone would be shared


def column_to_numpy(column: Column, dtype: Any = None) -> NDArray[Any]:
    """The values as a NumPy array, read-only where it shares memory.

    Null-free numbers and times share memory. Integers and bools with nulls become float64 with NaN unless ``dtype``
    says otherwise (integers beyond 2**53 raise), times NaT, strings and others objects with None.
    """
    array = column.array
    if column.is_encoded:
        array = array.dictionary_decode()
    if column.dtype.kind in (Kind.INT, Kind.UINT, Kind.BOOL) and array.null_count and dtype is None:
        out = _to_float(column)
    elif column.dtype.kind in (Kind.DECIMAL, Kind.NESTED, Kind.OTHER, Kind.NULL, Kind.TIME):
        out = np.array(array.to_pylist() + [None], dtype=object)[:-1]
    elif column.dtype.kind is Kind.DATE:
        out = array.cast(pa.int32() if column.dtype.width == 4 else pa.int64()).to_numpy(zero_copy_only=False)
        out = _dates(out, column)
    else:
        out = numpy_of(array)
    if dtype is not None and out.dtype != np.dtype(dtype):
        out = _to_float(column).astype(dtype) if array.null_count and np.dtype(dtype).kind == "f" else out.astype(dtype)
    if out.flags.writeable:
        out = out.view()
        out.flags.writeable = False
    return out


def _dates(out: NDArray[Any], column: Column) -> NDArray[Any]:
    missing = np.isnan(out) if out.dtype.kind == "f" else np.zeros(len(out), bool)
    whole = np.where(missing, 0, out).astype("int64")
    stamps = whole.astype("datetime64[D]" if column.dtype.width == 4 else "datetime64[ms]")
    stamps[missing] = np.datetime64("NaT")
    return stamps


def _to_float(column: Column) -> NDArray[Any]:
    """Integers or bools with nulls as float64 with NaN."""
    array = column.array
    filled = array.fill_null(False if column.dtype.kind is Kind.BOOL else 0).to_numpy(zero_copy_only=False)
    if column.dtype.kind is not Kind.BOOL and len(filled) and (filled.max() > 2**53 or filled.min() < -(2**53)):
        from fastframe.errors import LossyCast

        raise LossyCast.to_floats(column.dtype)
    out = filled.astype("float64")
    out[np.asarray(array.is_null())] = np.nan
    return out
