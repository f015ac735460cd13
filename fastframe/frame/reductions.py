"""Aggregations over all rows: one value of a series, one value per column of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column import Column, Table
from fastframe.column.arrow import array_to_arrow, column_from, constant
from fastframe.errors import ArgumentError, DTypeError, ShapeError, UnsupportedOperation
from fastframe.frame.calls import aggregation, function_label
from fastframe.frame.columns import cast, concat, mask_rows
from fastframe.frame.core import Frame
from fastframe.frame.expression import is_expression
from fastframe.frame.getitem import select_columns
from fastframe.frame.group_expressions import aggregated_row
from fastframe.frame.labels import label_key, with_labels
from fastframe.frame.run import Question, calling, run
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.expressions import Call, Col, Expression, Lit
from fastframe.ops.groups import Output, Reduce
from fastframe.ops.project import Project

if TYPE_CHECKING:
    from fastframe.frame.dataframe import DataFrame
    from fastframe.frame.series import Series

QUARTILES = (0.25, 0.5, 0.75)


class Reductions(Frame):
    """The aggregations by name; missing values are skipped unless ``skipna=False``.

    Of a frame they give a series labelled by column name, of a series one value (None where it is missing).
    """

    def _reduce(self, function: str, options: Mapping[str, Any], *, axis: int | str | None = 0, numeric_only: bool = False) -> Any:
        raise AssertionError("every subclass reduces in its own way")

    def sum(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False, min_count: int = 0) -> Any:
        """Sum. Integers are summed exactly in 64 bits.

        Raises
        ------
        IntegerOverflow
            The exact total does not fit.

        Examples
        --------
        >>> import fastframe as ff
        >>> ff.Series([1, None, 3]).sum()
        4
        """
        return self._reduce("sum", {"skipna": skipna, "min_count": min_count}, axis=axis, numeric_only=numeric_only)

    def prod(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False, min_count: int = 0) -> Any:
        """Product."""
        return self._reduce("prod", {"skipna": skipna, "min_count": min_count}, axis=axis, numeric_only=numeric_only)

    product = prod

    def mean(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Arithmetic mean."""
        return self._reduce("mean", {"skipna": skipna}, axis=axis, numeric_only=numeric_only)

    def min(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Smallest value."""
        return self._reduce("min", {"skipna": skipna}, axis=axis, numeric_only=numeric_only)

    def max(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Largest value."""
        return self._reduce("max", {"skipna": skipna}, axis=axis, numeric_only=numeric_only)

    def count(self, axis: int | str | None = 0, *, numeric_only: bool = False) -> Any:
        """Number of values that are not missing."""
        return self._reduce("count", {}, axis=axis, numeric_only=numeric_only)

    def median(self, axis: int | str | None = 0, *, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Middle value, or the mean of the two middle ones."""
        return self._reduce("median", {"skipna": skipna}, axis=axis, numeric_only=numeric_only)

    def var(self, axis: int | str | None = 0, *, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Variance with ``n - ddof`` in the denominator."""
        return self._reduce("var", {"skipna": skipna, "ddof": ddof}, axis=axis, numeric_only=numeric_only)

    def std(self, axis: int | str | None = 0, *, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Standard deviation with ``n - ddof`` in the denominator."""
        return self._reduce("std", {"skipna": skipna, "ddof": ddof}, axis=axis, numeric_only=numeric_only)

    def sem(self, axis: int | str | None = 0, *, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Standard error of the mean."""
        return self._reduce("sem", {"skipna": skipna, "ddof": ddof}, axis=axis, numeric_only=numeric_only)

    def any(self, axis: int | str | None = 0, *, skipna: bool = True) -> Any:
        """Whether any value is true."""
        return self._reduce("any", {"skipna": skipna}, axis=axis)

    def all(self, axis: int | str | None = 0, *, skipna: bool = True) -> Any:
        """Whether all values are true."""
        return self._reduce("all", {"skipna": skipna}, axis=axis)

    def nunique(self, *, dropna: bool = True) -> Any:
        """Number of different values; with ``dropna=False`` missing counts as one."""
        return self._reduce("nunique", {"dropna": dropna})


Reduced = tuple[str, str, AggregationCall]   # name of the result, column, function


@lru_cache(maxsize=256)
def _question(wanted: tuple[Reduced, ...]) -> Question:
    return Question(Reduce(tuple([Output(name, column, call) for name, column, call in wanted])))


def _reduced(table: Table, wanted: Sequence[Reduced]) -> dict[str, Column]:
    """Aggregates of all rows, as columns of one row; the same question for all calls that want the same."""
    return _question(tuple(wanted)).of(table).columns


class SeriesReductions(Reductions):
    """Aggregations of one column."""

    def _reduce(self, function: str, options: Mapping[str, Any], *, axis: int | str | None = 0, numeric_only: bool = False) -> Any:
        if axis not in (0, "index", None):
            raise ArgumentError.of(f"Series.{function}", "axis", axis, (0,))
        return array_to_arrow(self._reduce_column(function, options))[0].as_py()

    def quantile(self, q: float | Sequence[float] = 0.5, interpolation: str = "linear") -> Any:
        """The value below which a share ``q`` of the values lies; a series for several ``q``."""
        if isinstance(q, int | float):
            return self._reduce("quantile", {"q": float(q), "interpolation": interpolation})
        try:
            shares = [float(one) for one in q]
        except (TypeError, ValueError):
            raise ArgumentError.of("quantile", "q", q, ("numbers from 0 to 1",)) from None
        return _quantiles(self, shares, interpolation)

    def agg(self, func: Any, **options: Any) -> Any:
        """One aggregation by name, or a series of several.

        >>> import fastframe as ff
        >>> ff.Series([1, 2, 3]).agg("mean")
        2.0
        """
        if not isinstance(func, list | tuple):
            return self._reduce(aggregation(func).name, options)
        names = [function_label(one) for one in func]
        return _labelled(self, names, [self._reduce_column(one, options) for one in func]).rename(self.name)  # type: ignore[attr-defined]

    aggregate = agg

    def _reduce_column(self, function: Any, options: Mapping[str, Any]) -> Any:
        column = next(iter(self._values))
        call = aggregation(function, {**options, "name": column})
        with calling(column, self.name):  # type: ignore[attr-defined]
            return _reduced(self._table, [("result", column, call)])["result"]

    def idxmax(self) -> Any:
        """The label of the first largest value."""
        return self._label_of("max")

    def idxmin(self) -> Any:
        """The label of the first smallest value."""
        return self._label_of("min")

    def _label_of(self, function: str) -> Any:
        rows = mask_rows((self == self._reduce(function, {}))._column)  # type: ignore[attr-defined]
        if not len(rows):
            raise ArgumentError.because(f"idx{function}", "there is no value that is not missing", "Check with .count() first.")
        return self.index[int(rows[0])]

    def item(self) -> Any:
        """The one value of a series of one row."""
        if len(self) != 1:
            raise ShapeError.scalar_needed(len(self))
        return array_to_arrow(next(iter(self._values.values())))[0].as_py()

    def describe(self) -> Any:
        """Count, mean, standard deviation, extremes and quartiles; of text count, unique, top and freq."""
        series: Any = self
        found = _describe(series.to_frame(series.name if series.name is not None else "value"))
        return type(series)._of(found._labels, next(iter(found._values.values())), series.name)


def _quantiles(series: Any, shares: Sequence[float], interpolation: str) -> Any:
    """Several quantiles of a series, labelled by their shares; the values are brought together once."""
    column = next(iter(series._values))
    calls = [aggregation("quantile", {"q": one, "interpolation": interpolation, "name": column}) for one in shares]
    with calling(column, series.name):
        values = list(_reduced(series._table, [(str(n), column, call) for n, call in enumerate(calls)]).values())
    found = _labelled(series, [""] * len(values), values)._column
    return type(series)._of({label_key(0): column_from(np.asarray(shares, dtype=np.float64))}, found, series.name)


class FrameReductions(Reductions):
    """Aggregations of every column."""

    def _reduce(self, function: str, options: Mapping[str, Any], *, axis: int | str | None = 0, numeric_only: bool = False) -> Any:
        names = self._numeric_names() if numeric_only else list(self._values)
        if axis in (1, "columns"):
            return _across(select_columns(self, names), function, options)  # type: ignore[arg-type]
        if axis not in (0, "index"):
            raise ArgumentError.of(f"DataFrame.{function}", "axis", axis, (0, 1, "index", "columns"))
        found = _reduced(self._table, [(name, name, aggregation(function, {**options, "name": name})) for name in names])
        return _labelled(self, names, list(found.values()))

    def idxmax(self) -> Series:
        """The label of the first largest value of each column."""
        return self._labels_by_column("idxmax")

    def idxmin(self) -> Series:
        """The label of the first smallest value of each column."""
        return self._labels_by_column("idxmin")

    def _labels_by_column(self, function: str) -> Series:
        found = [getattr(self[name], function)() for name in self._values]  # type: ignore[index]
        return _labelled(self, list(self._values), [column_from([one]) for one in found])

    def _numeric_names(self) -> list[str]:
        return [name for name, column in self._values.items() if column.dtype.is_numeric or column.dtype == dtypes.BOOL]

    def quantile(self, q: float = 0.5, *, numeric_only: bool = False, interpolation: str = "linear") -> Any:
        """The value below which a share ``q`` of each column lies."""
        return self._reduce("quantile", {"q": q, "interpolation": interpolation}, numeric_only=numeric_only)

    def agg(self, func: Any = None, **options: Any) -> Any:
        """Aggregations of all columns by name or list, of some by ``{column: function or list}``, or of expressions.

        One function gives a series; a list gives a frame with one row per function; ``name=expression`` gives a frame of one
        row. Beside a function stand its options, such as ``ddof=0``.

        Raises
        ------
        ExpressionError
            An expression does not aggregate, has no name, or stands beside something else.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.0, None]})
        >>> df.agg("sum").tolist()
        [6.0, 1.5]
        >>> df.agg(product=(ff.col("a") * ff.col("b")).sum(), most=ff.col("a").max()).to_dict("list")
        {'product': [2.5], 'most': [3]}
        """
        if is_expression(func) or (func is None and any(map(is_expression, options.values()))):
            return aggregated_row(self, func, options)   # type: ignore[arg-type]
        if func is None:
            raise ArgumentError.because("agg", "no function was given", "Use agg('sum'), agg({'x': 'sum'}) or agg(total=ff.col('x').sum()).")
        if isinstance(func, Mapping):
            return _of_columns(self, func, options)
        if isinstance(func, list | tuple):
            return _table_of(self, dict.fromkeys(self._values, func), options)
        return self._reduce(aggregation(func).name, options)

    aggregate = agg

    def describe(self, *, include: Any = None) -> DataFrame:
        """Count, mean, standard deviation, extremes and quartiles of the numeric columns.

        Where there is none, count, unique, top and freq of the others; ``include="all"`` is not supported.
        """
        if include is not None:
            raise UnsupportedOperation.of_argument("describe", "include", include, "Select columns first: df[['a', 'b']].describe().")
        return _describe(self)


def _labelled(frame: Frame, names: Sequence[str], values: Sequence[Any]) -> Series:
    """One-row columns as one series labelled by name."""
    from fastframe.frame.series import Series

    target = dtypes.NULL
    for column in values:
        found = dtypes.common(target, column.dtype)
        if found is None:
            raise DTypeError.of_results({name: column.dtype for name, column in zip(names, values, strict=True)})
        target = found
    column = _stacked(values, target) if values else constant(None, 0)
    labels = _names_column(tuple(names)) if names else constant(None, 0, dtypes.STRING)
    return Series._of({label_key(0): labels}, column, None)


@lru_cache(maxsize=64)
def _names_column(names: tuple[str, ...]) -> Column:
    return column_from(list(names))


def _stacked(values: Sequence[Column], target: dtypes.DType) -> Column:
    """One-row columns under each other."""
    if target.width and all(one.dtype is target and not one.is_encoded for one in values):
        return Column(pa.concat_arrays([one.array for one in values]), target)   # a tenth of the time of `concat`
    return concat([cast(one, target) for one in values], target)


def _of_columns(frame: Frame, func: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """``{column: function or list}``: a series of functions, or a frame where one has several."""
    if any(isinstance(one, list | tuple) for one in func.values()):
        return _table_of(frame, {name: one if isinstance(one, list | tuple) else [one] for name, one in func.items()}, options)
    found = _reduced(frame._table, [(name, name, aggregation(one, options)) for name, one in func.items()])
    return _labelled(frame, list(found), list(found.values()))


def _table_of(frame: Frame, functions: Mapping[str, Sequence[Any]], options: Mapping[str, Any]) -> DataFrame:
    """One row per function, one column per column; missing where a column does not have a function."""
    from fastframe.frame.dataframe import DataFrame

    rows = list(dict.fromkeys(function_label(one) for several in functions.values() for one in several))
    out = {}
    for name, several in functions.items():
        have = {function_label(one): one for one in several}
        found = _reduced(frame._table, [(label, name, aggregation(one, options)) for label, one in have.items()])
        cells = [found[label] if label in have else constant(None, 1) for label in rows]
        out[name] = _labelled(frame, rows, cells)._column
    return DataFrame._of(with_labels({label_key(0): column_from(rows)}, out, len(rows)), (None,))


def _describe(frame: Any) -> DataFrame:
    """The summary of numeric columns, or of text where there are only others."""
    from fastframe.frame.dataframe import DataFrame

    numeric = [name for name, column in frame._values.items() if column.dtype.is_numeric]
    if not numeric:
        return _describe_text(frame)
    rows = ["count", "mean", "std", "min", *(f"{q:.0%}" for q in QUARTILES), "max"]
    calls = [aggregation(name) for name in ("count", "mean", "std", "min")]
    calls += [aggregation("quantile", {"q": q}) for q in QUARTILES] + [aggregation("max")]
    out = {}
    decimals = {name: frame._table[name] for name in numeric if frame._table[name].dtype.kind is dtypes.Kind.DECIMAL}
    table = frame._table.with_columns({name: cast(column, dtypes.FLOAT64, safe=False) for name, column in decimals.items()})
    for name in numeric:
        found = _reduced(table, [(row, name, call) for row, call in zip(rows, calls, strict=True)])
        out[name] = concat([cast(column, dtypes.FLOAT64, safe=False) for column in found.values()], dtypes.FLOAT64)
    return DataFrame._of(with_labels({label_key(0): column_from(rows)}, out, len(rows)), (None,))


def _describe_text(frame: Any) -> DataFrame:
    from fastframe.frame.dataframe import DataFrame

    out = {}
    for name in frame._values:
        counts = frame[name].value_counts()
        top, freq = (counts.index[0], int(counts.iloc[0])) if len(counts) else (None, None)
        cells = [frame[name].count(), len(counts), top, freq]
        out[name] = column_from([None if cell is None else str(cell) for cell in cells])
    return DataFrame._of(with_labels({label_key(0): column_from(["count", "unique", "top", "freq"])}, out, 4), (None,))


def _across(frame: Any, function: str, options: Mapping[str, Any]) -> Series:
    """Aggregations of each row over the columns."""
    from fastframe.frame.series import Series

    rows = _ACROSS.get(function)
    if rows is None or not options.get("skipna", True):
        raise UnsupportedOperation.of_argument(function, "axis", 1, f"Of rows there are {', '.join(_ACROSS)} with skipna=True.")
    names = list(frame._values)
    if not names:
        empty = {"sum": 0, "count": 0, "any": False, "all": True}
        return Series._of(frame._labels, constant(empty.get(function), len(frame)), None, frame._label_names)
    found = run(Project((("result", rows([Col(name) for name in names])),)), Table(frame._values, len(frame)))["result"]
    return Series._of(frame._labels, found, None, frame._label_names)


def _folded(function: str, terms: Sequence[Expression]) -> Expression:
    whole = terms[0]
    for term in terms[1:]:
        whole = Call(function, (whole, term))
    return whole


def _row_sum(columns: Sequence[Expression]) -> Expression:
    return _folded("add", [Call("coalesce", (one, Lit(0))) for one in columns])


def _row_count(columns: Sequence[Expression]) -> Expression:
    return _folded("add", [Call("if_else", (Call("not_missing", (one,)), Lit(1), Lit(0))) for one in columns])


def _row_mean(columns: Sequence[Expression]) -> Expression:
    count = _row_count(columns)
    return Call("if_else", (Call("gt", (count, Lit(0))), Call("truediv", (_row_sum(columns), count)), Lit(None)))


_ACROSS = {
    "sum": _row_sum,
    "count": _row_count,
    "mean": _row_mean,
    "min": lambda columns: _folded("min", columns),
    "max": lambda columns: _folded("max", columns),
    "any": lambda columns: _folded("or", [Call("coalesce", (one, Lit(False))) for one in columns]),
    "all": lambda columns: _folded("and", [Call("coalesce", (one, Lit(True))) for one in columns]),
}
