"""`GroupBy.corr` and `cov`: of two columns one number per group, of all columns a matrix per group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column, Table
from fastframe.column.arrow import column_from
from fastframe.dtypes import BOOL
from fastframe.errors import ArgumentError, UnsupportedOperation
from fastframe.frame.core import is_series
from fastframe.frame.getitem import row_values
from fastframe.frame.labels import label_key, with_labels
from fastframe.frame.run import run
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import GroupBy as GroupBySpec
from fastframe.ops.groups import Output
from fastframe.ops.rows import Take

_OTHER = "\1other"


class GroupPairs:
    """Rows count where both columns have a value."""

    _frame: Any
    _table: Table
    _chosen: list[str]
    _one: bool
    _keys: list[tuple[str | None, str]]
    _sort: bool | None
    _dropna: bool
    _as_index: bool

    def corr(self, other: Any = None, *, numeric_only: bool = False) -> Any:
        """Pearson's correlation of a column with ``other`` (a column's name, or a Series); or of all columns, as a matrix.

        Missing where one of the two does not vary. The matrix has a row per group and column.

        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": [1, 1, 1, 2], "a": [1, 2, 3, 4], "b": [3, 2, 1, 0]})
        >>> df.groupby("k")["a"].corr("b").tolist()
        [-1.0, None]
        """
        return self._pairs("corr", other, {}, numeric_only=numeric_only)

    def cov(self, other: Any = None, *, ddof: int = 1, numeric_only: bool = False) -> Any:
        """The covariance of a column with ``other`` (a column's name, or a Series); or of all columns, as a matrix."""
        return self._pairs("cov", other, {"ddof": ddof}, numeric_only=numeric_only)

    def _pairs(self, function: str, other: Any, options: Mapping[str, Any], *, numeric_only: bool) -> Any:
        if self._one and other is None:
            raise ArgumentError.because(function, "it needs a second column", f"Write groupby(...)['x'].{function}('y').")
        if self._one:
            return self._with_other(function, other, options)
        if other is not None:
            raise ArgumentError.because(function, "other is for one column", f"Write groupby(...)['x'].{function}('y').")
        return self._matrix(function, options, numeric_only=numeric_only)

    def _with_other(self, function: str, other: Any, options: Mapping[str, Any]) -> Any:
        (name,) = self._chosen
        second, table = other, self._table
        if not isinstance(other, str) or is_series(self._frame):
            second, table = _OTHER, self._table.with_columns({_OTHER: row_values(self._table, "other", other)})
        elif other not in self._frame._values:
            self[other]   # type: ignore[index]   # raises, and says what is close
        call = AggregationCall(function, {**options, "name": name})
        return self._aggregated([Output(name, name, call, second)], series=True, table=table)   # type: ignore[attr-defined]

    def _matrix(self, function: str, options: Mapping[str, Any], *, numeric_only: bool) -> Any:
        from fastframe.frame.dataframe import DataFrame

        if not self._as_index:
            raise UnsupportedOperation.of_argument(function, "as_index", False, "Leave it out, and use reset_index() on the result.")
        columns = self._table.columns
        names = [name for name in self._chosen if not numeric_only or columns[name].dtype.is_numeric or columns[name].dtype == BOOL]
        outputs = {(one, other): Output(f"\1{one}\1{other}", names[one], AggregationCall(function, {**options, "name": names[one]}), names[other])
                   for one in range(len(names)) for other in range(one, len(names))}  # fmt: skip
        keys = tuple(internal for _, internal in self._keys)
        found = run(GroupBySpec(keys, tuple(outputs.values()), self._sort, self._dropna), self._table)
        numbers = {pair: found[output.name].array.to_numpy(zero_copy_only=False) for pair, output in outputs.items()}
        labels = _matrix_labels(found, keys, names)
        return DataFrame._of(with_labels(labels, _matrix_values(numbers, names)), (*(name for name, _ in self._keys), None))


def _matrix_labels(found: Table, keys: tuple[str, ...], names: list[str]) -> dict[str, Column]:
    """Each group's keys once per column, and the columns' names."""
    repeated = column_from(pa.array(np.repeat(np.arange(found.n_rows, dtype=np.int32), len(names))))
    taken = run(Take(), Table({key: found[key] for key in keys}), Table({"row": repeated}))
    return {label_key(level): taken[key] for level, key in enumerate(keys)} | {label_key(len(keys)): column_from(pa.array(names * found.n_rows, pa.string()))}


def _matrix_values(numbers: Mapping[tuple[int, int], np.ndarray[Any, Any]], names: list[str]) -> dict[str, Column]:
    """Per column its numbers with every column, group by group."""
    places = range(len(names))
    pairs = {name: [numbers[min(row, column), max(row, column)] for row in places] for column, name in enumerate(names)}
    return {name: column_from(pa.array(np.stack(several, axis=1).ravel(), from_pandas=True)) for name, several in pairs.items()}
