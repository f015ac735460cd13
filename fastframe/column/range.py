"""`RangeColumn`: the default row labels, a range and perhaps a selection of it, made into values only when looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.column.plain import array_of
from fastframe.dtypes import INT64

Rows = np.ndarray[Any, Any]


class RangeColumn(Column):
    """``start, start + step, ...`` of ``length`` int64 values, or some rows of it; costs nothing until looked at.

    Filter, take and sort keep a selection instead of values: ``rows``, the int32 row numbers that were taken, or what
    will find them.
    """

    __slots__ = ("start", "step", "_rows")

    def __init__(self, length: int, start: int = 0, step: int = 1, rows: Rows | Callable[[], Rows] | None = None) -> None:
        self.start, self.step, self._rows = start, step, rows
        self._array, self.is_encoded = None, False
        self._prepare(INT64, length)

    @property
    def rows(self) -> Rows | None:
        """The row numbers that were taken; None where all are there."""
        rows = self._rows   # another thread may replace it
        if callable(rows):
            rows = self._rows = rows()
        return rows

    @property
    def is_range(self) -> bool:
        """Whether no rows were taken from it."""
        return self._rows is None

    def _made(self) -> pa.Array:
        rows = np.arange(self.length, dtype=np.int64) if self.rows is None else self.rows.astype(np.int64)
        return array_of(rows * self.step + self.start)

    def __reduce__(self) -> tuple[Any, ...]:
        return RangeColumn, (self.length, self.start, self.step, self.rows)

    @property
    def null_count(self) -> int:
        return 0

    @property
    def nbytes(self) -> int:
        return 0 if self.is_range and self._array is None else 8 * self.length

    def __repr__(self) -> str:
        kind = "range" if self.is_range else "rows of a range"
        return f"RangeColumn({kind}, start={self.start}, step={self.step}, {self.length} rows)"

    @property
    def is_default(self) -> bool:
        """Whether these are the labels 0, 1, 2, ... that a new frame has."""
        return self._rows is None and self.start == 0 and self.step == 1

    def equals(self, other: RangeColumn) -> bool:
        """Whether both are plain ranges with equal values, known without looking at any."""
        if self._rows is not None or other._rows is not None:
            return self._rows is other._rows and (self.start, self.step) == (other.start, other.step)
        return (self.length, self.start, self.step) == (other.length, other.start, other.step)

    def slice(self, start: int, length: int) -> RangeColumn:
        if self.rows is not None:
            return RangeColumn(length, self.start, self.step, self.rows[start : start + length])
        return RangeColumn(length, self.start + start * self.step, self.step)

    def take(self, rows: Rows) -> RangeColumn:
        """The labels of the given rows, none of which is -1."""
        taken = rows if self.rows is None else self.rows[rows]
        return RangeColumn(len(rows), self.start, self.step, taken)

    def take_later(self, length: int, rows: Callable[[], Rows]) -> RangeColumn:
        """`take` of the ``length`` rows that ``rows()`` gives once somebody looks at them."""
        if not self.is_range:   # not one selection waiting for another, and that for a third
            return self.take(rows())
        return RangeColumn(length, self.start, self.step, rows)
