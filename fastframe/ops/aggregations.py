"""Aggregations: one row of a table per aggregation, and the call that names one with its options.

Missing values (null or NaN) are skipped; with ``skipna=False`` a group that has one gives null. Integer sums and
products are 64-bit and exact, or raise. A missing result is null. Threads, partitions and streams all go through the same
four steps, ``init``, ``update``, ``combine``, ``finalize``; an engine finds them by the names in the table.
See ``docs/dev/adding_an_aggregation.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar

import pyarrow as pa

from fastframe.dtypes import BOOL, FLOAT64, INT64, DType, Kind, from_arrow
from fastframe.errors import ArgumentError, DTypeError
from fastframe.ops.calls import NamedCall, product_dtype, total_dtype
from fastframe.records import record

INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")
_BETWEEN = {"linear", "midpoint"}   # interpolations that make values the column does not hold
_UNITS_OF_DATE = "ms"               # a mean or median of dates is a timestamp

ResultRule = Callable[["AggregationCall", DType, "str | None"], DType]


class EmptyGroup(Enum):
    """The result of a group without a value."""

    NULL = "null"
    ZERO = "0"
    ONE = "1"
    FALSE = "False"
    TRUE = "True"


def _refuse(call: AggregationCall, dtype: DType, column: str | None, allowed: str) -> DTypeError:
    return DTypeError.of_operation(call.name, dtype, column, f"{allowed} columns")


def _counted(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    return INT64


def _same(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    return dtype


def _total(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    return INT64 if dtype.kind is Kind.NULL else total_dtype(call.name, dtype, column)


def _product(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    return INT64 if dtype.kind is Kind.NULL else product_dtype(call.name, dtype, column)


def _spread(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    if dtype.kind in (Kind.BOOL, Kind.INT, Kind.UINT, Kind.NULL):
        return FLOAT64
    if dtype.kind is Kind.FLOAT and dtype.physical is not None:
        return dtype
    raise _refuse(call, dtype, column, "bool, integer and float")


def _together(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    _spread(call, dtype, column)
    return FLOAT64


def _mean(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    if dtype.kind is Kind.DECIMAL:
        return dtype
    return _middle(call, dtype, column, "bool, numeric, date, time and duration")


def _middle(call: AggregationCall, dtype: DType, column: str | None, allowed: str) -> DType:
    if dtype.kind is Kind.DATE:
        return from_arrow(pa.timestamp(_UNITS_OF_DATE))
    if dtype.is_temporal:
        return dtype
    if dtype.kind is Kind.DECIMAL:
        raise _refuse(call, dtype, column, allowed)
    try:
        return _spread(call, dtype, column)
    except DTypeError:
        raise _refuse(call, dtype, column, allowed) from None


def _quantile(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    between = _middle(call, dtype, column, "bool, integer, float, date, time and duration")
    interpolation = call["interpolation"] if call.name == "quantile" else "linear"
    if interpolation in _BETWEEN or dtype.kind in (Kind.BOOL, Kind.NULL):
        return between
    return dtype


def _extreme(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    if dtype.kind is Kind.CATEGORY:
        if dtype.ordered:
            return dtype
    elif dtype.physical is not None or dtype.kind is Kind.NULL:
        return dtype
    raise _refuse(call, dtype, column, "bool, numeric, date, time, duration, text and ordered category")


def _extreme_position(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    _extreme(call, dtype, column)
    return INT64


def _truth(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    allowed = (Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.DECIMAL, Kind.DURATION, Kind.STRING, Kind.BINARY, Kind.NULL)
    if dtype.kind in allowed and (dtype.physical is not None or dtype.kind is Kind.NULL):
        return BOOL
    raise _refuse(call, dtype, column, "bool, numeric, duration and text")


def _hashable(call: AggregationCall, dtype: DType, column: str | None) -> DType:
    if dtype.physical is not None or dtype.kind is Kind.NULL:
        return INT64
    raise _refuse(call, dtype, column, "scalar")


@record(frozen=True)
class Aggregation:
    """One row of the table.

    Attributes
    ----------
    name : str
    state : tuple of str
        Fields of a partial state, one row per group: what partitions send to each other. Where ``needs_all_values``,
        one row per value instead: the value and its group code.
    update, combine, finalize : str
        Names that an engine looks its kernels up by. ``init`` is the state of no rows, so it has the name of ``update``.
    result : callable
        ``(call, dtype, column name) -> DType`` of the result; raises `DTypeError`.
    empty : EmptyGroup
        The result of a group without a value (sums and products: where ``min_count`` is 0).
    doc : str
    needs_all_values : bool
        Whether the values of a group must come together; Dask then shuffles by key.
    order_dependent : bool
        Whether the order of rows matters to the result (beyond rounding).
    poisons : bool
        Whether, with ``skipna=False``, one missing value makes its group's result null.
    options : mapping
        Names and defaults, besides ``skipna`` and ``name`` (the column's name for messages).
    needs_column : bool
        False where only the groups matter.
    needs_other : bool
        Whether it is of two columns; rows count where both have a value.
    """

    name: str
    state: tuple[str, ...]
    update: str
    combine: str
    finalize: str
    result: ResultRule
    empty: EmptyGroup
    doc: str
    needs_all_values: bool = False
    order_dependent: bool = False
    poisons: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    needs_column: bool = True
    needs_other: bool = False


_N, _TOTAL, _SPREAD = ("n",), ("total", "n"), ("n", "mean", "m2")
_PAIR = ("n", "mean_x", "m2_x", "mean_y", "m2_y", "c")
_VALUE, _ALL = ("value",), ("value", "code")
_POSITION, _SEEN = ("value", "row"), ("value", "seen")
_NULL, _ZERO = EmptyGroup.NULL, EmptyGroup.ZERO
_TEXT_ORDER = "Text is ordered by its bytes, ordered categories by their categories."

_DDOF, _MIN_COUNT = {"ddof": 1}, {"min_count": 0}
_POSITIONED: dict[str, Any] = {"order_dependent": True, "poisons": False}   # first and last take what is in their row
_OF_TWO: dict[str, Any] = {"needs_other": True, "poisons": False}
_GATHERED: dict[str, Any] = {"needs_all_values": True}

AGGREGATIONS: Mapping[str, Aggregation] = MappingProxyType(
    {
        one.name: one
        for one in (
            Aggregation("size", _N, "size", "add", "n", _counted, _ZERO,
                        "Rows, missing values included.", poisons=False, needs_column=False),
            Aggregation("count", _N, "count", "add", "n", _counted, _ZERO,
                        "Values that are not missing.", poisons=False),
            Aggregation("sum", _TOTAL, "sum", "add", "total", _total, _ZERO,
                        "The sum; integers are 64-bit and exact.", options=_MIN_COUNT),
            Aggregation("prod", _TOTAL, "product", "multiply", "product", _product, EmptyGroup.ONE,
                        "The product; integers are 64-bit and exact.", options=_MIN_COUNT),
            Aggregation("mean", _TOTAL, "sum", "add", "mean", _mean, _NULL,
                        "The mean; of dates a timestamp, of decimals rounded to their scale."),
            Aggregation("min", _VALUE, "min", "min", "value", _extreme, _NULL, f"The smallest value. {_TEXT_ORDER}"),
            Aggregation("max", _VALUE, "max", "max", "value", _extreme, _NULL, f"The largest value. {_TEXT_ORDER}"),
            Aggregation("var", _SPREAD, "moments", "moments", "variance", _spread, _NULL,
                        "The variance, over n - ddof.", options=_DDOF),
            Aggregation("std", _SPREAD, "moments", "moments", "deviation", _spread, _NULL,
                        "The standard deviation, over n - ddof.", options=_DDOF),
            Aggregation("sem", _SPREAD, "moments", "moments", "standard_error", _spread, _NULL,
                        "The standard error of the mean.", options=_DDOF),
            Aggregation("first", _SEEN, "first", "first", "value", _same, _NULL,
                        "The first value in row order; without `skipna` that of the first row.", **_POSITIONED),
            Aggregation("last", _SEEN, "last", "last", "value", _same, _NULL,
                        "The last value in row order; without `skipna` that of the last row.", **_POSITIONED),
            Aggregation("median", _ALL, "values", "concatenate", "quantile", _quantile, _NULL,
                        "The middle value, or the mean of the middle two.", **_GATHERED),
            Aggregation("quantile", _ALL, "values", "concatenate", "quantile", _quantile, _NULL,
                        "The value below which a share `q` of the values lies.",
                        options={"q": 0.5, "interpolation": "linear"}, **_GATHERED),
            Aggregation("nunique", _ALL, "values", "concatenate", "distinct", _hashable, _ZERO,
                        "Distinct values; missing ones are one more unless `dropna`.",
                        options={"dropna": True}, poisons=False, **_GATHERED),
            Aggregation("any", _VALUE, "any", "any", "value", _truth, EmptyGroup.FALSE,
                        "Whether any value is true, non-zero or not empty."),
            Aggregation("all", _VALUE, "all", "all", "value", _truth, EmptyGroup.TRUE,
                        "Whether every value is true, non-zero or not empty."),
            Aggregation("idxmin", _POSITION, "idxmin", "idxmin", "row", _extreme_position, _NULL,
                        "The first row number of the smallest value.", order_dependent=True),
            Aggregation("idxmax", _POSITION, "idxmax", "idxmax", "row", _extreme_position, _NULL,
                        "The first row number of the largest value.", order_dependent=True),
            Aggregation("cov", _PAIR, "pair", "moments", "covariance", _together, _NULL,
                        "The covariance of two columns, over n - ddof.", options=_DDOF, **_OF_TWO),
            Aggregation("corr", _PAIR, "pair", "moments", "correlation", _together, _NULL,
                        "Pearson's correlation of two columns; null where one of them does not vary.", **_OF_TWO),
        )
    }
)  # fmt: skip


class AggregationCall(NamedCall):
    """An aggregation and its options, see `Aggregation.options`; besides these ``skipna``.

    Examples
    --------
    >>> from fastframe.ops.aggregations import AggregationCall
    >>> AggregationCall("var", {"ddof": 0})["skipna"]
    True
    """

    table, what = AGGREGATIONS, "an aggregation"
    shared: ClassVar[Mapping[str, Any]] = {"skipna": True, "name": None}

    def check(self, option: str, value: Any) -> None:
        _check(self.name, option, value)

    @property
    def aggregation(self) -> Aggregation:
        return AGGREGATIONS[self.name]

    @property
    def poisons(self) -> bool:
        """Whether one missing value makes its group's result null."""
        return self.aggregation.poisons and not self.options["skipna"]

    def resolve(self, given: DType | None, column: str | None = None) -> DType:
        """The dtype of the result over a column of dtype ``given`` (None where only groups matter).

        Raises
        ------
        DTypeError, ArgumentError
        """
        if given is None:
            if self.aggregation.needs_column:
                raise ArgumentError.because(self.name, "it needs a column", "Name one, for example groupby('k')['x'].")
            return INT64
        return self.aggregation.result(self, given, column)


def _check(aggregation: str, option: str, value: Any) -> None:
    """Raise `ArgumentError` unless an option has a value that it may have."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if option in ("ddof", "min_count") and not is_int:
        raise ArgumentError.of(aggregation, option, value, ["an int"])
    if option in ("skipna", "dropna") and not isinstance(value, bool):
        raise ArgumentError.of(aggregation, option, value, [True, False])
    if option == "interpolation" and value not in INTERPOLATIONS:
        raise ArgumentError.of(aggregation, option, value, INTERPOLATIONS)
    if option == "q" and not (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1):
        raise ArgumentError.of(aggregation, option, value, ["a number from 0 to 1"])
