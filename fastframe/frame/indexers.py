"""``.loc``, ``.iloc``, ``.at`` and ``.iat``."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe.column import Table
from fastframe.column.arrow import value_at
from fastframe.errors import ArgumentError, ColumnNotFound, ShapeError
from fastframe.frame.core import Frame, is_series
from fastframe.frame.getitem import assign_at, chosen_rows, column_names, column_series, fitted, select_columns, target_values
from fastframe.frame.labels import values_of
from fastframe.frame.positions import Selection, by_label, by_position
from fastframe.frame.row import Row
from fastframe.frame.run import run
from fastframe.ops.project import Put


class Indexer:
    """One of the four; knows how to find rows and columns."""

    def __init__(self, frame: Any, *, labels: bool) -> None:
        self._frame, self._labels = frame, labels

    def _rows(self, key: Any) -> Selection:
        return by_label(self._frame, key) if self._labels else by_position(self._frame, key)

    def _names(self, key: Any) -> tuple[list[str], bool]:
        """Column names, and whether one column was asked for by itself."""
        if self._labels:
            return column_names(self._frame, key), isinstance(key, str | int)
        names = list(self._frame._values)
        if isinstance(key, int | np.integer):
            return [_name_at(names, int(key))], True
        if isinstance(key, slice):
            return names[key], False
        picked = np.asarray(key)
        if picked.dtype == bool:
            return column_names(self._frame, picked.tolist()), False
        if picked.dtype.kind not in "iu" and len(picked):
            raise ArgumentError.because("iloc", f"{key!r} is not a position of columns", "Use .loc for names.")
        return [_name_at(names, int(one)) for one in picked], False

    def _split(self, key: Any) -> tuple[Any, Any]:
        """Row key and column key; a series, or a tuple of labels of several levels, has only rows."""
        levels = len(self._frame._labels)
        whole = isinstance(key, tuple) and self._labels and levels > 1 and len(key) == levels and not _looks_like_columns(key[-1], self._frame)
        if is_series(self._frame) or not isinstance(key, tuple) or whole:
            return key, slice(None)
        if len(key) != 2:
            raise ShapeError.of_dimensions(len(key), "a row key and a column key")
        return key

    def __getitem__(self, key: Any) -> Any:
        rows_key, columns_key = self._split(key)
        if is_series(self._frame):
            return _series_at(self._frame, self._rows(rows_key))
        names, one_column = ([], False) if _everything(columns_key) else self._names(columns_key)
        frame = column_series(self._frame, names[0]) if one_column else self._frame
        if not one_column and not _everything(columns_key):
            frame = select_columns(self._frame, names)
        if _everything(rows_key):
            return frame
        selection = self._rows(rows_key)
        return _series_at(frame, selection) if one_column else _frame_at(frame, selection)

    def __setitem__(self, key: Any, value: Any) -> None:
        rows_key, columns_key = self._split(key)
        selection = Selection(slice=(0, len(self._frame), 1)) if _everything(rows_key) else self._rows(rows_key)
        if is_series(self._frame):
            _assign_series(self._frame, selection, value)
            return
        names = list(self._frame._values) if _everything(columns_key) else self._new_or_known(columns_key)
        assign_at(self._frame, selection, names, value)

    def _new_or_known(self, key: Any) -> list[str]:
        if self._labels and isinstance(key, str):
            return [key]
        return self._names(key)[0]


def _name_at(names: list[str], position: int) -> str:
    if not -len(names) <= position < len(names):
        raise ColumnNotFound.at(position, len(names))
    return names[position]


def _everything(key: Any) -> bool:
    return isinstance(key, slice) and key == slice(None)


def _looks_like_columns(key: Any, frame: Any) -> bool:
    if isinstance(key, slice | list):
        return True
    return not is_series(frame) and isinstance(key, str) and key in frame._values


def _series_at(series: Any, selection: Selection) -> Any:
    if selection.one is not None:
        return value_at(series._column, selection.one)
    return series._with_table(selection.of(series._table))


def _frame_at(frame: Any, selection: Selection) -> Any:
    if selection.one is None:
        return frame._with_table(selection.of(frame._table))
    position = selection.one
    return Row({name: value_at(column, position) for name, column in frame._values.items()}, frame.index[position])


def _assign_series(series: Any, selection: Selection, value: Any) -> None:
    name = next(iter(values_of(series._table)))
    values = target_values(chosen_rows(series, selection, value), series.name or name, value)
    fitting = fitted(values, series.dtype, series.name, value)
    series._table = run(Put(name), series._table, selection.targets(), Table({"value": fitting}))


class Indexing(Frame):
    """The four indexers of a frame or series."""

    @property
    def loc(self) -> Indexer:
        """Rows and columns by label, mask, list or slice (its end is included)."""
        return Indexer(self, labels=True)

    @property
    def iloc(self) -> Indexer:
        """Rows and columns by position, mask, list or slice (its end is not included)."""
        return Indexer(self, labels=False)

    @property
    def at(self) -> Indexer:
        """One value by row and column label."""
        return Indexer(self, labels=True)

    @property
    def iat(self) -> Indexer:
        """One value by row and column position."""
        return Indexer(self, labels=False)
