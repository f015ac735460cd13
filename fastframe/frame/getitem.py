"""``df[...]``, ``df[...] = ...`` and the same for series, as plain functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe import dtypes
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from, constant
from fastframe.errors import ArgumentError, ColumnNotFound, LossyCast, ShapeError
from fastframe.frame.columns import cast
from fastframe.frame.computing import computed_column, filtered
from fastframe.frame.construct import is_scalar, text_name
from fastframe.frame.core import Frame, is_series
from fastframe.frame.expression import is_expression
from fastframe.frame.index import Names
from fastframe.frame.labels import labels_of, lined_up, values_of, with_labels
from fastframe.frame.positions import Selection, by_label, by_position, is_mask, mask_column
from fastframe.frame.run import run
from fastframe.ops.project import Put

if TYPE_CHECKING:
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.series import Series


def get_item(frame: DataFrame, key: Any) -> Any:
    """``df[key]``: a column by name, columns by list, rows by mask or slice.

    Raises
    ------
    ColumnNotFound, ShapeError, DTypeError
    """
    if isinstance(key, str):   # before anything else: it is what most calls are
        return column_series(frame, key)
    if callable(key):
        key = key(frame)
    if is_expression(key):
        return frame._with_table(filtered(frame._table, key))
    if isinstance(key, slice):
        return frame._with_table(_rows_slice(frame, key).of(frame._table))
    if is_scalar(key):
        return column_series(frame, text_name(key))
    if isinstance(key, Frame) and not is_series(key):   # a frame of masks
        return frame.where(key)
    if is_mask(key):
        return frame._with_table(Selection(mask=mask_column(frame, key)).of(frame._table))
    return select_columns(frame, column_names(frame, key))


def _rows_slice(frame: Frame, key: slice) -> Selection:
    whole = all(edge is None or isinstance(edge, int | np.integer) for edge in (key.start, key.stop))
    return by_position(frame, key) if whole else by_label(frame, key)


def column_series(frame: DataFrame, name: str) -> Series:
    """One column as a series that shares labels and memory."""
    table = frame._table
    column = table.shown.get(name)
    if column is None:
        raise ColumnNotFound.among(name, list(table.shown))
    series: Series = frame._series_type._of(table.hidden, column, name, frame._label_names)
    return series


def select_columns(frame: DataFrame, names: list[str]) -> DataFrame:
    """Some columns, in the given order, under the same labels."""
    chosen = Table(frame._values, len(frame)).select(names)
    return frame._with_table(with_labels(frame._labels, chosen.columns, len(frame)))


def column_names(frame: DataFrame, key: Any) -> list[str]:
    """Names for a column key: a name, names, a mask over columns, or a slice of names with its end included."""
    names = list(frame._values)
    if isinstance(key, slice):
        start = names.index(_known(names, key.start)) if key.start is not None else 0
        stop = names.index(_known(names, key.stop)) + 1 if key.stop is not None else len(names)
        return names[start : stop : key.step]
    if isinstance(key, str | int):
        return [_known(names, text_name(key))]
    listed = list(key)
    if listed and all(isinstance(one, bool | np.bool_) for one in listed):
        if len(listed) != len(names):
            raise ShapeError.of_names(len(listed), len(names))
        return [name for name, wanted in zip(names, listed, strict=True) if wanted]
    return [text_name(one) for one in listed]


def _known(names: list[str], name: Any) -> str:
    if text_name(name) not in names:
        raise ColumnNotFound.among(name, names)
    return text_name(name)


def set_item(frame: DataFrame, key: Any, value: Any) -> None:
    """``df[key] = value``: one column, several, or the rows of a mask."""
    if isinstance(key, Frame) and not is_series(key):   # a frame of masks
        for name in key._values:
            assign_at(frame, Selection(mask=mask_column(frame, key[name])), [name], value)  # type: ignore[index]
    elif is_mask(key):
        assign_at(frame, Selection(mask=mask_column(frame, key)), list(frame._values), value)
    elif isinstance(key, str | int):
        set_columns(frame, {text_name(key): value})
    elif isinstance(key, list | tuple | Names | np.ndarray):
        set_columns(frame, _spread([text_name(name) for name in key], value))
    else:
        raise ArgumentError.because("df[key] = value", f"{key!r} is not a column name, names or mask", "Use .loc or .iloc for rows.")


def _spread(names: list[str], value: Any) -> dict[str, Any]:
    """One value per column from a frame, a 2-D array, or one value for all."""
    if isinstance(value, Frame) and not is_series(value):
        columns = list(value._values)
        if len(columns) != len(names):
            raise ShapeError.of_names(len(names), len(columns))
        return {name: value[column] for name, column in zip(names, columns, strict=True)}  # type: ignore[index]
    if isinstance(value, np.ndarray) and value.ndim == 2:
        if value.shape[1] != len(names):
            raise ShapeError.of_names(len(names), value.shape[1])
        return {name: value[:, position] for position, name in enumerate(names)}
    if isinstance(value, list | tuple) and len(value) == len(names):
        return dict(zip(names, value, strict=True))
    return dict.fromkeys(names, value)


def set_columns(frame: DataFrame, values: Mapping[str, Any]) -> None:
    """Give the frame a new table with columns replaced or added; a series is lined up with the frame by labels."""
    table = frame._table
    for name, value in values.items():
        if not values_of(table) and table.n_rows == 0 and not is_scalar(value) and not is_expression(value):
            table = _first_column(name, value)
            continue
        table = table.with_columns({name: row_values(table, name, value)})
    frame._table = table


def _first_column(name: str, value: Any) -> Table:
    from fastframe.frame.construct import mapping_parts

    return mapping_parts({name: value}, None, copy=True)[0]


def row_values(table: Table, name: str, value: Any) -> Column:
    """One value per row of a table: a scalar repeated, an expression computed, a series lined up by labels, else by position.

    Raises
    ------
    ShapeError, DuplicateLabel, DTypeError
    """
    if isinstance(value, Frame):
        _, other = lined_up(with_labels(labels_of(table), {}, table.n_rows), value._table, "left")
        columns = list(values_of(other).values())
        if len(columns) != 1:
            raise ShapeError.of_names(1, len(columns))
        return columns[0]
    if is_scalar(value):
        return constant(value, table.n_rows, name=name)
    if is_expression(value):
        return computed_column(table, value)
    column = column_from(value, name)
    if len(column) != table.n_rows:
        raise ShapeError.of_assignment(name, len(column), table.n_rows)
    return column


def chosen_rows(frame: Frame, selection: Selection, value: Any) -> Table:
    """The chosen rows as a table of their labels, where the value has labels, too; else of no columns."""
    if isinstance(value, Frame):
        return Table(labels_of(selection.of(Table(frame._labels, len(frame)))))
    return Table.of({}, selection.n_rows)


def target_values(chosen: Table, name: str, value: Any) -> Column:
    """One value per chosen row, as `row_values`, or a single one for all, and a message about the rows that are replaced."""
    if not isinstance(value, Frame | Column):
        if is_scalar(value):
            return constant(value, min(chosen.n_rows, 1), name=name)
        value = column_from(value, name)
        if len(value) != chosen.n_rows:
            raise ShapeError.of_targets(len(value), chosen.n_rows)
    return value if isinstance(value, Column) else row_values(chosen, name, value)


def assign_at(frame: DataFrame, selection: Selection, names: list[str], value: Any) -> None:
    """``df.loc[rows, names] = value``; a dtype never changes, a new column is missing elsewhere.

    Raises
    ------
    LossyCast
        The value does not fit the column's dtype.
    """
    table, targets = frame._table, selection.targets()
    if is_expression(value):   # over all rows: an aggregation in it is of all of them
        value = selection.of(Table({"value": computed_column(table, value)}))["value"]
    given = _spread(names, value) if len(names) > 1 or isinstance(value, Frame) else {names[0]: value}
    for name, one in given.items():
        values = target_values(chosen_rows(frame, selection, one), name, one)
        if name not in table:
            table = table.with_columns({name: constant(None, table.n_rows, values.dtype)})
        fitting = fitted(values, table[name].dtype, name, one)
        table = run(Put(name), table, targets, Table({"value": fitting}))
    frame._table = table


def fitted(values: Column, dtype: dtypes.DType, name: str | None, given: Any) -> Column:
    """Values in a column's dtype, or `LossyCast` naming what does not fit."""
    source = values.dtype
    if source == dtype or source.kind is dtypes.Kind.NULL:
        return cast(values, dtype)
    alike = source.kind is dtype.kind or (source.is_numeric and dtype.is_numeric) or dtypes.common(source, dtype) == dtype
    if alike or (dtype.is_temporal and source.kind is dtypes.Kind.STRING) or dtype.kind is dtypes.Kind.CATEGORY:
        try:
            return cast(values, dtype)
        except (ValueError, TypeError):   # the message below says what does not fit in the words of the assignment
            pass
    raise LossyCast.of_value(given, dtype, name) if is_scalar(given) else LossyCast.of_assigned(source, dtype, name)


def get_series_item(series: Series, key: Any) -> Any:
    """``s[key]``: by mask, slice of positions, label or list of labels."""
    if isinstance(key, slice):
        return series._with_table(_rows_slice(series, key).of(series._table))
    return series.loc[key]


def set_series_item(series: Series, key: Any, value: Any) -> None:
    """``s[key] = value``."""
    series.loc[key] = value
