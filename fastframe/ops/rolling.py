"""Rolling and expanding windows: how far they reach, and one row of a table per function of their values.

A window is the rows around a row, in row order, within its group. Missing values are skipped; a window with fewer than
``min_periods`` values has no result (null). Integers stay integers: sums are 64-bit and checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from fastframe.dtypes import FLOAT64, INT64, DType, Kind
from fastframe.errors import ArgumentError, DTypeError
from fastframe.ops.calls import NamedCall, total_dtype
from fastframe.records import record

CLOSED = ("right", "left", "both", "neither")
INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")
TIME_KINDS = (Kind.DATE, Kind.TIMESTAMP, Kind.DURATION, Kind.TIME)

ResultRule = Callable[[str, DType, "str | None"], DType]


@record(frozen=True)
class Span:
    """How far windows reach: a number of rows, a span of time, or (with neither) from the first row to the window's own.

    Attributes
    ----------
    rows : int, optional
    nanoseconds : int, optional
        Of the column ``on``, whose times rise or fall within each group.
    min_periods : int
        Values that a window needs for a result (for ``count``: rows).
    center : bool
        Whether the window's own row is its middle rather than its end.
    closed : str
        One of `CLOSED`: which of its ends belong to a window.
    """

    rows: int | None = None
    nanoseconds: int | None = None
    on: str | None = None
    min_periods: int = 1
    center: bool = False
    closed: str = "right"

    @property
    def expands(self) -> bool:
        """Whether windows begin with the first row."""
        return self.rows is None and self.nanoseconds is None

    @property
    def before(self) -> int:
        """Rows from the window's first to its own."""
        assert self.rows is not None
        return self.rows - 1 - self._ahead + (self.closed in ("left", "both"))

    @property
    def after(self) -> int:
        """Rows from its own to behind its last."""
        return self._ahead + (self.closed in ("right", "both"))

    @property
    def _ahead(self) -> int:
        return (self.rows - 1) // 2 if self.center and self.rows is not None else 0


def _counted(name: str, dtype: DType, column: str | None) -> DType:
    return INT64


def _total(name: str, dtype: DType, column: str | None) -> DType:
    if dtype.kind is Kind.DECIMAL:
        raise DTypeError.of_operation(name, dtype, column, "bool, integer, float and duration columns")
    return total_dtype(name, dtype, column)


def of_numbers(name: str, dtype: DType, column: str | None) -> DType:
    """Floats as they are, float64 of integers and bools."""
    if dtype.kind is Kind.BOOL or dtype.is_integer:
        return FLOAT64
    if dtype.kind is Kind.FLOAT and dtype.physical is not None:
        return dtype
    raise DTypeError.of_operation(name, dtype, column, "bool, integer and float columns")


def paired(name: str, dtype: DType, column: str | None) -> DType:
    of_numbers(name, dtype, column)
    return FLOAT64


def _extreme(name: str, dtype: DType, column: str | None) -> DType:
    if dtype.kind in TIME_KINDS or dtype.kind is Kind.BOOL or dtype.is_integer:
        return dtype
    if dtype.kind is Kind.FLOAT and dtype.physical is not None:
        return dtype
    raise DTypeError.of_operation(name, dtype, column, "bool, integer, float, date, time and duration columns")


@record(frozen=True)
class RollingFunction:
    """One row of the table.

    Attributes
    ----------
    result : callable
        ``(name, dtype, column name) -> DType`` of the result; raises `DTypeError`.
    options : mapping
        Names and defaults. Every function also takes ``name``: the column's name for messages.
    needs_other : bool
        Whether it is a function of two columns.
    needs_values : bool
        Whether a result needs a value, whatever ``min_periods``.
    """

    name: str
    result: ResultRule
    doc: str
    options: Mapping[str, Any] = field(default_factory=dict)
    needs_other: bool = False
    needs_values: bool = True


_DDOF = {"ddof": 1}

ROLLINGS: Mapping[str, RollingFunction] = MappingProxyType(
    {
        one.name: one
        for one in (
            RollingFunction("count", _counted, "Values that are not missing.", needs_values=False),
            RollingFunction("sum", _total, "The sum; integers are 64-bit and checked, floats compensated.", needs_values=False),
            RollingFunction("mean", of_numbers, "The arithmetic mean."),
            RollingFunction("var", of_numbers, "The variance with n - ddof in the denominator.", _DDOF),
            RollingFunction("std", of_numbers, "The standard deviation.", _DDOF),
            RollingFunction("sem", of_numbers, "The standard error of the mean: the standard deviation by the root of the number of values.", _DDOF),
            RollingFunction("skew", of_numbers, "The skewness, corrected for the number of values; null where values do not vary."),
            RollingFunction("kurt", of_numbers, "The excess kurtosis, corrected for the number of values; null where values do not vary."),
            RollingFunction("min", _extreme, "The least value."),
            RollingFunction("max", _extreme, "The greatest value."),
            RollingFunction("median", of_numbers, "The middle value, or the mean of the two middle ones."),
            RollingFunction("quantile", of_numbers, "The value below which a share q of the values lies.", {"q": 0.5, "interpolation": "linear"}),
            RollingFunction("cov", paired, "The covariance with the other column, of rows where both have a value.", _DDOF, needs_other=True),
            RollingFunction("corr", paired, "Pearson's correlation; null where one column does not vary.", _DDOF, needs_other=True),
        )
    }
)


class RollingCall(NamedCall):
    """A function of windows and its options, see `RollingFunction.options`.

    Examples
    --------
    >>> from fastframe.ops.rolling import RollingCall
    >>> RollingCall("var", {"ddof": 0})["ddof"]
    0
    """

    table, what = ROLLINGS, "a rolling window"

    def check(self, option: str, value: Any) -> None:
        if option == "ddof" and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise ArgumentError.of(self.name, option, value, ["an int of at least 0"])
        if option == "q" and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise ArgumentError.of(self.name, option, value, ["a number from 0 to 1"])
        if option == "interpolation" and value not in INTERPOLATIONS:
            raise ArgumentError.of(self.name, option, value, INTERPOLATIONS)

    @property
    def function(self) -> RollingFunction:
        return ROLLINGS[self.name]

    def resolve(self, given: DType | None, column: str | None = None) -> DType:
        """The dtype of the result over a column of dtype ``given``.

        Raises
        ------
        DTypeError
        """
        if given is None:
            raise ArgumentError.because(self.name, "it needs a column", "Name one, for example rolling(3)['x'].")
        return self.function.result(self.name, given, column)
