"""What ``DataFrame(data)`` and ``Series(data)`` accept, made into a table with labels."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from fastframe import dtypes
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from, constant, table_from_arrow
from fastframe.column.numpy import is_pandas
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, DuplicateColumn, ShapeError
from fastframe.frame.columns import cast
from fastframe.frame.core import Frame
from fastframe.frame.index import Index
from fastframe.frame.labels import default_labels, label_key, labels_of, lined_up, values_of, with_labels

LabelNames = tuple[str | None, ...]
_SCALARS = (str, bytes, int, float, bool, complex, type(None), np.generic)




def is_scalar(value: Any) -> bool:
    """One value, as opposed to one per row (an expression, which has a ``_tree``, may be either)."""
    if isinstance(value, _SCALARS):
        return True
    several = hasattr(value, "__iter__") or hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")
    return not (several or hasattr(value, "_tree"))


def listed(values: Any) -> tuple[Any, ...]:
    """Values as a tuple of Python values; one text is refused, as it would be taken letter by letter."""
    if isinstance(values, str | bytes):
        raise ArgumentError.because("isin", f"one text {values!r} was given", f"Pass a list: isin([{values!r}]).")
    if isinstance(values, np.ndarray):
        return tuple(values.tolist())
    if not hasattr(values, "__iter__"):
        raise ArgumentError.because("isin", f"one value {values!r} was given", f"Pass a list: isin([{values!r}]).")
    return tuple(values)


def text_name(name: Any) -> str:
    """A column name as text; numbers, which pandas allows, become their digits."""
    return name if isinstance(name, str) else str(name)


def frame_parts(data: Any, index: Any, columns: Sequence[Any] | None, dtype: Any, *, copy: bool) -> tuple[Table, LabelNames]:
    """Table and label names for ``DataFrame(data, index, columns, dtype)``."""
    if columns is not None and (isinstance(columns, str) or not isinstance(columns, Iterable)):
        raise ArgumentError.because("DataFrame", f"columns={columns!r} was given", "Pass a list of names.")
    names = [text_name(name) for name in columns] if columns is not None else None
    table, label_names = _parts_of(data, names, index, copy=copy)
    if index is not None and not isinstance(data, Frame):
        n_rows = table.n_rows if values_of(table) else len(index)
        labels, label_names = Index.parts(index, n_rows)
        table = with_labels(labels, values_of(table), n_rows)
    if names is not None and list(values_of(table)) != names:
        table = _choose(table, names, positional=not isinstance(data, Mapping) and not _named(data))
    if dtype is not None:
        target = dtypes.dtype(dtype)
        table = table.with_columns({name: cast(column, target) for name, column in values_of(table).items()})
    return table, label_names


def _named(data: Any) -> bool:
    return isinstance(data, Frame) or hasattr(data, "columns") or hasattr(data, "column_names") or _is_records(data)


def _is_records(data: Any) -> bool:
    return isinstance(data, list) and len(data) > 0 and all(isinstance(row, Mapping) for row in data)


def _choose(table: Table, names: list[str], *, positional: bool) -> Table:
    """The asked columns: renamed by position, or chosen by name with missing ones all null."""
    values = values_of(table)
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    if positional:
        if len(names) != len(values):
            raise ShapeError.of_names(len(names), len(values))
        return with_labels(labels_of(table), dict(zip(names, values.values(), strict=True)), table.n_rows)
    if values and not set(names) & set(values):
        raise ColumnNotFound.all_of(names, list(values))
    chosen = {name: values[name] if name in values else constant(None, table.n_rows) for name in names}
    return with_labels(labels_of(table), chosen, table.n_rows)


def _parts_of(data: Any, names: list[str] | None, index: Any, *, copy: bool) -> tuple[Table, LabelNames]:
    n_rows = len(index) if index is not None else None
    if data is None:
        return _fresh({name: constant(None, n_rows or 0) for name in names or []}, n_rows or 0)
    if isinstance(data, Frame):
        return data._table, data._label_names
    if isinstance(data, Table):
        return _fresh(data.columns, data.n_rows)
    if isinstance(data, Mapping):
        return mapping_parts(data, n_rows, copy=copy)
    if is_pandas_frame(data):
        return pandas_parts(data, copy=copy)
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _fresh({name: column_from(data[name], name, copy=copy) for name in data.dtype.names})
    if hasattr(data, "__arrow_c_stream__"):
        table = table_from_arrow(data)
        return _fresh(table.columns, table.n_rows)
    return _sequence_parts(data, names, copy=copy)


def is_pandas_frame(data: Any) -> bool:
    """A pandas DataFrame; does not import pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _sequence_parts(data: Any, names: list[str] | None, *, copy: bool) -> tuple[Table, LabelNames]:
    """Records, rows, or a 2-D array."""
    _refuse_set(data)
    if is_scalar(data):
        raise DTypeError.not_tabular("a frame", data)
    if not isinstance(data, np.ndarray):
        data = data if isinstance(data, list) else list(data)
        if not data:
            return _fresh({name: constant(None, 0) for name in names or []}, 0)
        if _is_records(data):
            keys = list(dict.fromkeys(key for row in data for key in row))
            return _fresh({text_name(key): column_from([row.get(key) for row in data], text_name(key)) for key in keys})
        if not all(isinstance(row, list | tuple | np.ndarray) for row in data):
            return _fresh({names[0] if names else "0": column_from(data)})
        width = max(len(row) for row in data)
        if any(len(row) != width for row in data):
            raise ShapeError.of_lengths({f"row {number}": len(row) for number, row in enumerate(data)})
        return _fresh({str(position): column_from([row[position] for row in data]) for position in range(width)})
    if data.ndim == 1:
        data = data[:, None]
    if data.ndim != 2:
        raise ShapeError.of_dimensions(data.ndim, "a 2-D array, one row per row")
    return _fresh({str(position): column_from(data[:, position], copy=copy) for position in range(data.shape[1])}, data.shape[0])


def _refuse_set(data: Any) -> None:
    if isinstance(data, Set):
        raise DTypeError.of_set()


def _fresh(values: Mapping[str, Column], n_rows: int | None = None) -> tuple[Table, LabelNames]:
    """Values under default labels."""
    rows = len(next(iter(values.values()))) if n_rows is None and values else n_rows or 0
    lengths = {name: len(column) for name, column in values.items()}
    if any(length != rows for length in lengths.values()):
        raise ShapeError.of_lengths(lengths)
    return with_labels(default_labels(rows), values, rows), (None,)


def mapping_parts(data: Mapping[Any, Any], n_rows: int | None, *, copy: bool) -> tuple[Table, LabelNames]:
    """``{name: values}``: arrays by position, one value for every row, series by their labels."""
    names = [text_name(name) for name in data]
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    series = {name: value for name, value in zip(names, data.values(), strict=True) if isinstance(value, Frame)}
    labels, label_names = default_labels(0), (None,)
    if series:
        series, labels, label_names = _lined_up_series(series)
    found: dict[str, Column | None] = {}
    for name, value in zip(names, data.values(), strict=True):
        if name in series:
            found[name] = series[name]
        else:
            found[name] = None if is_scalar(value) else column_from(value, name, copy=copy)
    lengths = {name: len(column) for name, column in found.items() if column is not None}
    if len(set(lengths.values())) > 1:
        raise ShapeError.of_lengths(lengths)
    rows = next(iter(lengths.values()), n_rows if n_rows is not None else (1 if found else 0))
    values = {
        name: column if column is not None else constant(value, rows, name=name)
        for (name, column), value in zip(found.items(), data.values(), strict=True)
    }
    return with_labels(labels if series else default_labels(rows), values, rows), label_names


def _lined_up_series(series: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Column], LabelNames]:
    """Series of one dict by the union of their labels."""
    names = list(series)
    table = with_labels(series[names[0]]._labels, {names[0]: series[names[0]]._column}, len(series[names[0]]))
    for name in names[1:]:
        other = with_labels(series[name]._labels, {name: series[name]._column}, len(series[name]))
        table, other = lined_up(table, other)
        table = table.with_columns(values_of(other))
    return values_of(table), labels_of(table), series[names[0]]._label_names


def pandas_parts(frame: Any, *, copy: bool = True) -> tuple[Table, LabelNames]:
    """A pandas frame's columns and labels.

    Raises
    ------
    DTypeError
        For columns of mixed objects.
    DuplicateColumn
    """
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DTypeError.of_values(None, "column names of several levels do not exist here; join them into one name")
    names = [text_name(name) for name in frame.columns]
    if len(set(names)) != len(names):
        raise DuplicateColumn.of({name for name in names if names.count(name) > 1})
    values = {name: column_from(frame.iloc[:, position], name, copy=copy) for position, name in enumerate(names)}
    index = frame.index
    if type(index).__name__ == "RangeIndex":
        labels, label_names = Index.parts(range(index.start, index.stop, index.step), len(frame))
        return with_labels(labels, values, len(frame)), (None if index.name is None else str(index.name),)
    labels, label_names = Index.parts(index, len(frame))
    return with_labels(labels, values, len(frame)), label_names


def series_parts(data: Any, index: Any, dtype: Any, *, copy: bool) -> tuple[Column, dict[str, Column], LabelNames, str | None]:
    """Values, labels, label names and name for ``Series(data, index, dtype)``."""
    _refuse_set(data)
    name = getattr(data, "name", None)
    labels: dict[str, Column] | None = None
    label_names: LabelNames = (None,)
    if isinstance(data, Frame):
        column, labels, label_names = next(iter(data._values.values())), data._labels, data._label_names
    elif isinstance(data, Mapping):
        column = column_from(list(data.values()))
        labels = {label_key(0): column_from(list(data))}
    elif is_pandas(data) and hasattr(data, "index"):
        table, label_names = pandas_parts(data.to_frame("value"), copy=copy)
        column, labels = table["value"], labels_of(table)
    elif is_scalar(data):
        column = constant(data, len(index) if index is not None else 1 if data is not None else 0)
    else:
        column = column_from(data, copy=copy)
    if index is not None:
        labels, label_names = Index.parts(index, len(column))
    if dtype is not None:
        column = cast(column, dtypes.dtype(dtype))
    return column, labels if labels is not None else default_labels(len(column)), label_names, None if name is None else str(name)
