"""Frames and series out: Arrow, pandas, NumPy, Python, files; and pickling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column.arrow import array_to_arrow, table_to_arrow
from fastframe.column.numpy import column_to_numpy
from fastframe.column.range import RangeColumn
from fastframe.dtypes import Kind
from fastframe.errors import ArgumentError, DTypeError, EngineUnavailable
from fastframe.frame.core import Frame
from fastframe.frame.getitem import select_columns
from fastframe.frame.matrix import common_float, matrix
from fastframe.frame.reshape import label_column_names

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise EngineUnavailable.of("pandas", "pandas") from None
    return pandas


class Convert(Frame):
    """What frames and series share."""

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if not name.startswith("_cached")}
        return _restore, (type(self), state)

    def _pandas_index(self) -> Any:
        pandas = _pandas()
        columns = list(self._labels.values())
        if len(columns) == 1 and isinstance(columns[0], RangeColumn) and columns[0].is_range:
            first = columns[0]
            return pandas.RangeIndex(first.start, first.start + first.step * len(first), first.step, name=self._label_names[0])
        levels = [pandas.Index(_pandas_values(column)) for column in columns]
        if len(levels) == 1:
            return levels[0].rename(self._label_names[0])
        return pandas.MultiIndex.from_arrays(levels, names=self._label_names)


def _restore(kind: type, state: dict[str, Any]) -> Any:
    new = object.__new__(kind)
    new.__dict__.update(state)
    return new


def _pandas_values(column: Any) -> Any:
    """Values as pandas holds them by default: numbers as NumPy, missing ints as nullable, text as ``str``."""
    pandas = _pandas()
    array = array_to_arrow(column)
    kind = column.dtype.kind
    if kind in (Kind.INT, Kind.UINT, Kind.BOOL) and array.null_count:
        of_kind = pandas.arrays.BooleanArray if kind is Kind.BOOL else pandas.arrays.IntegerArray
        plain = array.fill_null(False if kind is Kind.BOOL else 0).to_numpy(zero_copy_only=False)
        return of_kind(plain, array.is_null().to_numpy(zero_copy_only=False), copy=not plain.flags.writeable)
    if kind in (Kind.DATE, Kind.TIME, Kind.DECIMAL, Kind.NULL, Kind.BINARY):
        return pandas.Series(array.to_pylist(), dtype=object).array
    return array.to_pandas().array


class SeriesConvert(Convert):
    """Of a series."""

    def to_arrow(self) -> pa.Array:
        """The values as an Arrow array that shares memory."""
        return array_to_arrow(next(iter(self._values.values())))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.chunked_array([self.to_arrow()]).__arrow_c_stream__(requested_schema)

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_array__(requested_schema)

    def to_numpy(self, dtype: DTypeLike | None = None, copy: bool = False) -> NDArray[Any]:
        """The values as NumPy, read-only where memory is shared.

        Integers and bools with missing values become float64 with NaN, text and others objects with None.

        Raises
        ------
        LossyCast
            Integers beyond 2**53 beside missing values.
        """
        out = column_to_numpy(next(iter(self._values.values())), dtype)
        return np.array(out) if copy else out

    @property
    def values(self) -> NDArray[Any]:
        """The values as NumPy; see `to_numpy`."""
        return self.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.to_numpy(dtype, copy=bool(copy))

    def to_pandas(self) -> Any:
        """A pandas series with these labels; integers and bools with missing values become pandas' nullable dtypes."""
        ((_, column),) = self._values.items()
        return _pandas().Series(_pandas_values(column), index=self._pandas_index(), name=self.name, copy=False)  # type: ignore[attr-defined]

    def tolist(self) -> list[Any]:
        """Python values; None where missing."""
        return self.to_arrow().to_pylist()

    to_list = tolist

    def to_dict(self) -> dict[Any, Any]:
        """Labels to values."""
        return dict(zip(self.index.tolist(), self.tolist(), strict=True))


class FrameConvert(Convert):
    """Of a frame."""

    def to_arrow(self, *, index: bool = False) -> pa.Table:
        """A pyarrow table that shares memory; with ``index=True`` the labels come first, as columns."""
        if not index:
            return table_to_arrow(self._values, len(self))
        return table_to_arrow({**dict(zip(label_column_names(self), self._labels.values(), strict=True)), **self._values}, len(self))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> Any:
        return self.to_arrow().schema.__arrow_c_schema__()

    def to_pandas(self) -> Any:
        """A pandas frame with these labels; integers and bools with missing values become pandas' nullable dtypes."""
        pandas = _pandas()
        index = self._pandas_index()
        columns = {name: pandas.Series(_pandas_values(column), index=index, copy=False) for name, column in self._values.items()}
        return pandas.DataFrame(columns, index=index, columns=list(self._values), copy=False)

    def to_numpy(self, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """All values as one 2-D array of a common dtype, shape ``(n_rows, n_columns)``; objects where there is none."""
        floats = common_float(self._values, dtype)
        if floats is not None:
            return matrix(self._values, len(self), floats, "to_numpy")
        arrays = [column_to_numpy(column) for column in self._values.values()]
        if not arrays:
            return np.empty((len(self), 0), dtype=dtype)
        plain = all(array.dtype.kind in "biuf" for array in arrays)
        kind = np.result_type(*arrays) if plain else object if len({array.dtype for array in arrays}) > 1 else arrays[0].dtype
        out = np.empty((len(self), len(arrays)), dtype=dtype if dtype is not None else kind, order="F")
        for position, array in enumerate(arrays):
            out[:, position] = array
        return out

    @property
    def values(self) -> NDArray[Any]:
        """All values as one 2-D array; see `to_numpy`."""
        return self.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.to_numpy(dtype)

    def to_matrix(self, columns: Sequence[str] | None = None, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """A feature matrix for training: numbers and bools as one float array, missing as NaN, categories as codes.

        Parameters
        ----------
        columns : sequence of str, optional
            All columns where not given.
        dtype : {"float32", "float64"}

        Returns
        -------
        ndarray of shape (n_rows, n_columns), column-major, filled in parallel

        Raises
        ------
        DTypeError
            For text and other columns that are not numbers.

        Examples
        --------
        >>> import fastframe as ff
        >>> ff.DataFrame({"a": [1, None], "b": [True, False]}).to_matrix().tolist()
        [[1.0, 1.0], [nan, 0.0]]
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ArgumentError.of("to_matrix", "dtype", dtype, ("float32", "float64"))
        frame: Any = self if columns is None else select_columns(self, list(columns))  # type: ignore[arg-type]
        for name, column in frame._values.items():
            if not (column.dtype.is_numeric or column.dtype == dtypes.BOOL or column.dtype.kind in (Kind.CATEGORY, Kind.NULL)):
                raise DTypeError.of_operation("to_matrix", column.dtype, name, "numeric, bool and category columns")
        return matrix(frame._values, len(self), np.dtype(dtype))

    def to_dict(self, orient: str = "dict") -> Any:
        """Python values.

        Parameters
        ----------
        orient : {"dict", "list", "records", "series"}
            ``{column: {label: value}}``, ``{column: [values]}``, ``[{column: value}]``, ``{column: Series}``.
        """
        lists = {name: array_to_arrow(column).to_pylist() for name, column in self._values.items()}
        if orient == "list":
            return lists
        if orient == "dict":
            labels = self.index.tolist()
            return {name: dict(zip(labels, values, strict=True)) for name, values in lists.items()}
        if orient == "records":
            rows = zip(*lists.values(), strict=True) if lists else [()] * len(self)
            return [dict(zip(lists, row, strict=True)) for row in rows]
        if orient == "series":
            return {name: self[name] for name in lists}  # type: ignore[index]
        raise ArgumentError.of("to_dict", "orient", orient, ("dict", "list", "records", "series"))

    def to_parquet(self, path: Any, *, index: bool | None = None, compression: str = "snappy", **options: Any) -> None:
        """Write a Parquet file; see `fastframe.io.parquet.write_parquet`."""
        from fastframe.io.parquet import write_parquet

        write_parquet(self.to_arrow(index=self._writes_labels(index)), path, compression=compression, **options)

    def to_feather(self, path: Any, *, index: bool | None = None, compression: str = "lz4", **options: Any) -> None:
        """Write an Arrow IPC (feather) file; see `fastframe.io.feather.write_feather`."""
        from fastframe.io.feather import write_feather

        write_feather(self.to_arrow(index=self._writes_labels(index)), path, compression=compression, **options)

    def to_csv(self, path: Any = None, *, index: bool | None = None, **options: Any) -> str | None:
        """Write a CSV file, or return its text where ``path`` is None; see `fastframe.io.csv.write_csv`."""
        from fastframe.io.csv import write_csv

        return write_csv(self.to_arrow(index=self._writes_labels(index)), path, **options)

    def _writes_labels(self, index: bool | None) -> bool:
        """Labels go to files where asked, or where they are more than 0, 1, 2, ..."""
        return index if index is not None else any(name is not None for name in self._label_names)
