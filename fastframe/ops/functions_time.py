"""Date and time functions: rows of the function table, named ``time.<pandas' name>``. Missing gives null, but False where the
result is bool, as in pandas.

Fields of a timestamp with a zone are those of its local time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from fastframe import dtypes
from fastframe.dtypes import BOOL, FLOAT64, INT32, INT64, STRING, DType, Kind
from fastframe.errors import DTypeError
from fastframe.ops.function import REQUIRED, Function, ResultRule
from fastframe.ops.result_types import fixed, same

_DATES = frozenset({Kind.TIMESTAMP, Kind.DATE})
_CLOCKS = frozenset({Kind.TIMESTAMP, Kind.TIME})
_SPANS = frozenset({Kind.DURATION})
_STAMPS = frozenset({Kind.TIMESTAMP})
_DATES_TEXT, _CLOCKS_TEXT, _STAMPS_TEXT = "timestamps and dates", "timestamps and times", "timestamps"
DATE32 = dtypes.dtype("date32")


def _localized(operation: str, given: Sequence[DType], options: Mapping[str, Any]) -> DType:
    (stamp,) = given
    if stamp.kind is not Kind.TIMESTAMP:
        raise DTypeError.of_operation(operation, stamp, allowed=_STAMPS_TEXT)
    if stamp.arrow.tz is not None and options["zone"] is not None:
        raise DTypeError.of_operation(operation, stamp, allowed="timestamps without a zone; use tz_convert for this one.")
    return dtypes.from_arrow(pa.timestamp(stamp.arrow.unit, tz=options["zone"]))


def _converted(operation: str, given: Sequence[DType], options: Mapping[str, Any]) -> DType:
    (stamp,) = given
    if stamp.kind is not Kind.TIMESTAMP or stamp.arrow.tz is None:
        raise DTypeError.of_operation(operation, stamp, allowed="timestamps with a zone; use tz_localize for this one.")
    return dtypes.from_arrow(pa.timestamp(stamp.arrow.unit, tz=options["zone"]))


def _clock(operation: str, given: Sequence[DType], options: Mapping[str, Any]) -> DType:
    (stamp,) = given
    if stamp.kind is not Kind.TIMESTAMP:
        raise DTypeError.of_operation(operation, stamp, allowed=_STAMPS_TEXT)
    unit = stamp.arrow.unit
    return dtypes.from_arrow(pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit))


def _row(name: str, result: ResultRule, doc: str, **options: Any) -> Function:
    return Function(f"time.{name}", result, "time", doc, 1, 1, tuple(options.items()))


def _date_field(name: str, doc: str) -> Function:
    return _row(name, fixed(INT32, _DATES, _DATES_TEXT), doc)


def _clock_field(name: str, doc: str) -> Function:
    return _row(name, fixed(INT32, _CLOCKS, _CLOCKS_TEXT), doc)


_ROUNDED = same(frozenset(_STAMPS | _SPANS), "timestamps and durations")

TIME = [
    _date_field("year", "Year."),
    _date_field("month", "Month, 1 to 12."),
    _date_field("day", "Day of the month."),
    _clock_field("hour", "Hour."),
    _clock_field("minute", "Minute."),
    _clock_field("second", "Second."),
    _clock_field("microsecond", "Microsecond within the second, 0 to 999999."),
    _clock_field("nanosecond", "Nanosecond within the microsecond, 0 to 999."),
    *[_date_field(name, "Day of the week, Monday 0.") for name in ("dayofweek", "weekday")],
    _date_field("dayofyear", "Day of the year."),
    _date_field("quarter", "Quarter, 1 to 4."),
    _date_field("week", "ISO 8601 week."),
    _date_field("isoyear", "ISO 8601 year, that of `week`."),
    _date_field("days_in_month", "Number of days of the month."),
    *[
        _row(f"is_{period}_{end}", fixed(BOOL, _DATES, _DATES_TEXT), f"Whether it is the {order} day of the {period}.")
        for period in ("month", "quarter", "year")
        for end, order in (("start", "first"), ("end", "last"))
    ],
    _row("is_leap_year", fixed(BOOL, _DATES, _DATES_TEXT), "Whether the year is a leap year."),
    _row("date", fixed(DATE32, _DATES, _DATES_TEXT), "The day."),
    _row("time", _clock, "The time of day."),
    _row("normalize", same(_STAMPS, _STAMPS_TEXT), "Midnight of the day."),
    _row("floor", _ROUNDED, "Down to a multiple of ``freq``, for example '15min', 'D', 'h'.", freq=REQUIRED),
    _row("ceil", _ROUNDED, "Up to a multiple of ``freq``.", freq=REQUIRED),
    _row("round", _ROUNDED, "To the nearest multiple of ``freq``, half to even.", freq=REQUIRED),
    _row("strftime", fixed(STRING, _DATES, _DATES_TEXT), "Text by ``format`` (as strftime).", format=REQUIRED),
    _row("day_name", fixed(STRING, _DATES, _DATES_TEXT), "Name of the day in English."),
    _row("month_name", fixed(STRING, _DATES, _DATES_TEXT), "Name of the month in English."),
    _row("tz_localize", _localized,
        "Local times as instants of ``zone``; None: instants as local times. ``ambiguous`` and ``nonexistent``: raise, earliest, latest.",
        zone=REQUIRED, ambiguous="raise", nonexistent="raise"),
    _row("tz_convert", _converted, "The same instants in another ``zone``; None: without a zone, in UTC.", zone=REQUIRED),
    _row("total_seconds", fixed(FLOAT64, _SPANS, "durations"), "Seconds with their fraction."),
    _row("days", fixed(INT64, _SPANS, "durations"), "Whole days, floored."),
    _row("seconds", fixed(INT32, _SPANS, "durations"), "Whole seconds beyond `days`, 0 to 86399."),
    _row("microseconds", fixed(INT32, _SPANS, "durations"), "Microseconds beyond `seconds`, 0 to 999999."),
    _row("nanoseconds", fixed(INT32, _SPANS, "durations"), "Nanoseconds beyond `microseconds`, 0 to 999."),
]
