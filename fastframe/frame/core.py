"""`Frame`: what `DataFrame` and `Series` share: a table, its label columns, and running specs on it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from fastframe.column import Column, Table
from fastframe.errors import ShapeError
from fastframe.frame.index import Index
from fastframe.frame.labels import label_keys
from fastframe.frame.run import run
from fastframe.ops.base import Spec


class Frame:
    """A handle on an immutable table whose first columns are the labels.

    ``_table`` holds label columns (see `labels.py`) and values; ``_label_names`` what users call the labels.
    """

    _table: Table
    _label_names: tuple[str | None, ...]
    _is_series: ClassVar[bool] = False
    _series_type: ClassVar[Any]   # Series and DataFrame, which each module sets: an import at every call takes half a microsecond
    _frame_type: ClassVar[Any]

    def _with_table(self, table: Table, label_names: tuple[str | None, ...] | None = None) -> Self:
        """The same kind of object over another table."""
        new = object.__new__(type(self))
        new.__dict__["_table"] = table
        new.__dict__["_label_names"] = self._label_names if label_names is None else label_names
        return new

    def _run(self, spec: Spec, *others: Table) -> Self:
        """The same kind of object over the result of a spec that keeps label columns as they are named."""
        return self._with_table(run(spec, self._table, *others))

    @property
    def _labels(self) -> dict[str, Column]:
        return self._table.hidden

    @property
    def _values(self) -> dict[str, Column]:
        return self._table.shown

    @property
    def _label_keys(self) -> list[str]:
        return label_keys(self._table)

    def __len__(self) -> int:
        return self._table.n_rows

    def __bool__(self) -> bool:
        raise ShapeError.ambiguous_truth(type(self).__name__)

    @property
    def index(self) -> Index:
        """The row labels."""
        return Index(list(self._labels.values()), self._label_names)

    @index.setter
    def index(self, labels: Any) -> None:
        columns, names = Index.parts(labels, len(self))
        table = Table({**columns, **self._values}, len(self))
        self._table, self._label_names = table, names

    @property
    def empty(self) -> bool:
        """Whether there is no value at all."""
        return len(self) == 0 or not self._values


def is_series(value: Any) -> bool:
    """Whether a value is a `Series`: a frame may well have a column called ``dtype``."""
    return isinstance(value, Frame) and value._is_series
