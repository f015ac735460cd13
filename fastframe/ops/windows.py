"""Window functions: one row of a table per function of a row's neighbours, and the call that names one.

A window function gives one value per row, from the rows of its group (or all rows) in row order. Missing values are
skipped and stay missing; a missing result is null. Integers stay integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.dtypes import FLOAT64, INT64, DType, Kind, from_arrow
from fastframe.errors import ArgumentError, DTypeError, LossyCast
from fastframe.ops.calls import NamedCall, product_dtype, total_dtype
from fastframe.records import record

RANK_METHODS = ("average", "min", "max", "first", "dense")
NA_OPTIONS = ("keep", "top", "bottom")

ResultRule = Callable[[str, DType, "str | None"], DType]


def _same(name: str, dtype: DType, column: str | None) -> DType:
    return dtype


def _counted(name: str, dtype: DType, column: str | None) -> DType:
    return INT64


def _extreme(name: str, dtype: DType, column: str | None) -> DType:
    if (
        (dtype.kind is Kind.CATEGORY
        and dtype.ordered)
        or (dtype.physical is not None
        and not dtype.is_text
        and dtype.kind is not Kind.CATEGORY)
    ):
        return dtype
    raise DTypeError.of_operation(
        name, dtype, column, "bool, numeric, date, time, duration and ordered category columns"
    )


def _difference(name: str, dtype: DType, column: str | None) -> DType:
    if dtype.is_integer:
        return INT64
    if (dtype.kind is Kind.FLOAT and dtype.physical is not None) or dtype.kind is Kind.DURATION:
        return dtype
    if dtype.kind is Kind.DECIMAL:
        return from_arrow(pa.decimal128(min(38, dtype.arrow.precision + 1), dtype.arrow.scale))
    if dtype.kind is Kind.DATE:
        return from_arrow(pa.duration("s" if dtype.arrow == pa.date32() else "ms"))
    if dtype.kind in (Kind.TIMESTAMP, Kind.TIME):
        return from_arrow(pa.duration(dtype.arrow.unit))
    raise DTypeError.of_operation(name, dtype, column, "numeric, date, time and duration columns")


def _relative(name: str, dtype: DType, column: str | None) -> DType:
    if dtype.is_integer:
        return FLOAT64
    if dtype.kind is Kind.FLOAT and dtype.physical is not None:
        return dtype
    raise DTypeError.of_operation(name, dtype, column, "integer and float columns")


def _ranked(name: str, dtype: DType, column: str | None) -> DType:
    if dtype.physical is not None:
        return FLOAT64
    raise DTypeError.of_operation(name, dtype, column, "bool, numeric, temporal, text and category columns")


@record(frozen=True)
class WindowFunction:
    """One row of the table.

    Attributes
    ----------
    name : str
    result : callable
        ``(name, dtype, column name) -> DType`` of the result; raises `DTypeError`.
    doc : str
    options : mapping
        Names and defaults. Every function also takes ``name``: the column's name for messages.
    needs_column : bool
        False where only the groups matter.
    """

    name: str
    result: ResultRule
    doc: str
    options: Mapping[str, Any] = field(default_factory=dict)
    needs_column: bool = True


_RANK = {"method": "average", "ascending": True, "na_option": "keep", "pct": False}

WINDOWS: Mapping[str, WindowFunction] = MappingProxyType(
    {
        one.name: one
        for one in (
            WindowFunction(
                "shift",
                _same,
                "The value `periods` rows before (after, where negative), else `fill_value`.",
                {"periods": 1, "fill_value": None},
            ),
            WindowFunction(
                "diff",
                _difference,
                "The difference to the value `periods` rows before; exact for integers.",
                {"periods": 1},
            ),
            WindowFunction(
                "pct_change", _relative, "The relative change from the value `periods` rows before.", {"periods": 1}
            ),
            WindowFunction("cumsum", total_dtype, "The sum up to this row; integers are 64-bit and checked."),
            WindowFunction("cumprod", product_dtype, "The product up to this row; integers are 64-bit and checked."),
            WindowFunction("cummin", _extreme, "The least value up to this row."),
            WindowFunction("cummax", _extreme, "The greatest value up to this row."),
            WindowFunction(
                "cumcount",
                _counted,
                "The number of rows before this one (after it, descending).",
                {"ascending": True},
                needs_column=False,
            ),
            WindowFunction(
                "ngroup", _counted, "The number of the row's group.", {"ascending": True}, needs_column=False
            ),
            WindowFunction(
                "rank", _ranked, "The rank among the group's values, from 1; `pct` divides by their number.", _RANK
            ),
            WindowFunction(
                "ffill", _same, "Missing values take the last present one, at most `limit` in a row.", {"limit": None}
            ),
            WindowFunction(
                "bfill", _same, "Missing values take the next present one, at most `limit` in a row.", {"limit": None}
            ),
        )
    }
)


class WindowCall(NamedCall):
    """A window function and its options, see `WindowFunction.options`.

    Examples
    --------
    >>> from fastframe.ops.windows import WindowCall
    >>> WindowCall("shift", {"periods": -1})["fill_value"] is None
    True
    """

    table, what = WINDOWS, "a window"

    def check(self, option: str, value: Any) -> None:
        _check(self.name, option, value)

    @property
    def function(self) -> WindowFunction:
        return WINDOWS[self.name]

    def resolve(self, given: DType | None, column: str | None = None) -> DType:
        """The dtype of the result over a column of dtype ``given`` (None where the call only counts rows).

        Raises
        ------
        DTypeError, ArgumentError
        """
        if given is None:
            if self.function.needs_column:
                raise ArgumentError.because(self.name, "it needs a column", "Name one, for example groupby('k')['x'].")
            return INT64
        result = self.function.result(self.name, given, column)
        if self.options.get("fill_value") is not None:
            fill_scalar(self.options["fill_value"], given, column)
        return result


def fill_scalar(value: Any, dtype: DType, column: str | None) -> pa.Scalar:
    """``value`` as a scalar of a column's dtype; for a category, of its categories' dtype.

    Raises
    ------
    LossyCast
        Where the dtype does not hold the value.
    """
    arrow = (
        dtype.arrow.value_type if dtype.kind is Kind.CATEGORY and pa.types.is_dictionary(dtype.arrow) else dtype.arrow
    )
    given = value.item() if isinstance(value, np.generic) and value.dtype.kind in "biuf" else value
    fraction = dtype.is_integer and isinstance(given, float) and not given.is_integer()
    if fraction or (dtype.kind is Kind.BOOL) != isinstance(given, bool):  # pyarrow would take 1.5 and True for 1
        raise LossyCast.of_value(value, dtype, column)
    try:
        return (
            pa.scalar(given).cast(arrow)
            if isinstance(given, np.datetime64 | np.timedelta64)
            else pa.scalar(given, arrow)
        )
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise LossyCast.of_value(value, dtype, column) from None


def _check(function: str, option: str, value: Any) -> None:
    """Raise `ArgumentError` unless an option has a value that it may have."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if option == "periods" and not is_int:
        raise ArgumentError.of(function, option, value, ["an int"])
    if option == "limit" and not (value is None or (is_int and value > 0)):
        raise ArgumentError.of(function, option, value, ["None", "an int of at least 1"])
    if option == "method" and value not in RANK_METHODS:
        raise ArgumentError.of(function, option, value, RANK_METHODS)
    if option == "na_option" and value not in NA_OPTIONS:
        raise ArgumentError.of(function, option, value, NA_OPTIONS)
    if option in ("ascending", "pct") and not isinstance(value, bool):
        raise ArgumentError.of(function, option, value, [True, False])
