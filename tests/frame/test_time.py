"""``.dt`` against pandas: zones, years before 1970, leap years, weeks, units, durations."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe.column.column import Column
from fastframe.errors import ArgumentError, DTypeError, FastFrameError
from tests.frame.grouped_cases import assert_same, pair

pytestmark = pytest.mark.filterwarnings("ignore:Series.dt")   # pandas 3.1 wants other names for some fields

Verb = Callable[[Any], Any]
TIMES = [
    "1900-02-28 23:59:59.999999", "1969-12-31 23:59:59.000001", "1970-01-01", "2000-02-29 12:34:56.789", "2020-12-31", "2021-01-01",
    "2016-01-03 01:00",
    "2024-02-29 23:00", "2024-03-31 01:30", "2024-07-27 00:30", None, "1965-07-04 05:06:07", "2100-03-01", "2026-12-28",
]  # fmt: skip
NAIVE = [("s", None), ("ms", None), ("us", None), ("ns", None)]
ZONED = [("ms", "UTC"), ("us", "Europe/Berlin"), ("ns", "America/New_York"), ("us", "Asia/Kolkata"), ("s", "Australia/Lord_Howe"), ("us", "+05:30")]


def times(unit: str, zone: str | None, *, sliced: bool = False) -> tuple[Any, Any]:
    values = [None if one is None else pd.Timestamp(one).to_pydatetime() for one in TIMES]
    array = pa.array([None, values[0], *values] if sliced else values, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)
    array = array.cast(pa.timestamp(unit, zone)) if zone else array
    ours, theirs = pair({"v": Column(array[2:] if sliced else array)})
    return ours["v"], theirs["v"]


def field(name: str) -> Verb:
    return lambda s: getattr(s.dt, name)


def method(name: str, argument: str) -> Verb:
    return lambda s: getattr(s.dt, name)(argument)


FIELDS: dict[str, Verb] = {
    **{name: field(name) for name in (
        "year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "dayofweek", "weekday", "day_of_week", "dayofyear",
        "day_of_year",
        "quarter", "days_in_month", "daysinmonth", "is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start",
        "is_year_end",
        "is_leap_year", "date", "time",
    )},
    "week": lambda s: s.dt.week if isinstance(s, ff.Series) else s.dt.isocalendar().week.rename("v"),
    "isoyear": lambda s: s.dt.isoyear if isinstance(s, ff.Series) else s.dt.isocalendar().year.rename("v"),
    "normalize": lambda s: s.dt.normalize(), "day_name": lambda s: s.dt.day_name(), "month_name": lambda s: s.dt.month_name(),
    **{f"strftime {text}": method("strftime", text) for text in ("%Y-%m-%d", "%H:%M:%S", "%d/%m/%y %j", "%a %b %A %B",
    "%p %I", "%f")},
}  # fmt: skip
ROUNDED = {
    f"{way} {freq}": method(way, freq)
    for way in ("floor", "ceil", "round") for freq in ("h", "15min", "D", "s", "2h", "7D", "90s", "12h")
}  # fmt: skip


@pytest.mark.parametrize(("unit", "zone"), [*NAIVE, *ZONED])
@pytest.mark.parametrize("sliced", [False, True])
def test_fields(unit: str, zone: str | None, sliced: bool) -> None:
    ours, theirs = times(unit, zone, sliced=sliced)
    for name, verb in FIELDS.items():
        try:
            assert_same(verb(ours), verb(theirs), numbers=True)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    assert ours.dt.tz == zone
    assert ours.dt.year.dtype.is_integer


@pytest.mark.parametrize(("unit", "zone"), [*NAIVE, *ZONED])
def test_rounding(unit: str, zone: str | None) -> None:
    ours, theirs = times(unit, zone)
    for name, verb in ROUNDED.items():
        try:
            expected = verb(theirs)
        except ValueError:   # pandas refuses wall clock times that do not exist; fastframe takes the next that does
            assert zone is not None
            continue
        try:
            assert_same(verb(ours), expected)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_rounding_in_the_hour_that_occurs_twice_keeps_the_instant() -> None:
    ours = ff.Series(pa.array([1_729_987_200 + 1800 * step for step in range(8)]).cast(pa.timestamp("s")).cast(pa.timestamp("us", "Europe/Berlin")))
    assert ours.dt.floor("s").tolist() == ours.tolist()
    assert [(one - other).total_seconds() for one, other in zip(ours, ours.dt.floor("h"), strict=True)] == [0.0, 1800.0] * 4


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_zones(zone: str) -> None:
    ours, theirs = times("us", None)
    winter = ours.dt.year != 2024
    assert_same(ours[winter].dt.tz_localize(zone), theirs[theirs.dt.year != 2024].dt.tz_localize(zone))
    ours, theirs = times("ns", "Europe/Berlin")
    for verb in (lambda s: s.dt.tz_convert(zone), lambda s: s.dt.tz_localize(None), lambda s: s.dt.tz_convert(None)):
        assert_same(verb(ours), verb(theirs))
    assert ours.dt.tz_convert(zone).dt.tz == zone


def test_dates() -> None:
    """Arrow's dates, which pandas holds as Arrow too; flags of missing dates are False, as of missing timestamps."""
    days = [None if one is None else datetime.date.fromisoformat(one[:10]) for one in TIMES]
    ours, stamps = ff.Series(days, name="v"), pd.Series(pd.to_datetime(days), name="v")
    for name in ("year", "month", "day", "dayofweek", "dayofyear", "quarter", "days_in_month", "is_month_start", "is_month_end", "is_quarter_end",
    "is_year_start", "is_leap_year"):
        assert_same(getattr(ours.dt, name), getattr(stamps.dt, name), numbers=True)
    assert_same(ours.dt.week, stamps.dt.isocalendar().week.rename("v"), numbers=True)
    assert_same(ours.dt.day_name(), stamps.dt.day_name())
    assert_same(ours.dt.strftime("%d.%m.%Y"), stamps.dt.strftime("%d.%m.%Y"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations(unit: str) -> None:
    counts = [0, 1, -1, 90_061_000_001, -90_061_000_001, None, 86_400_000_000, -86_400_000_000, 5 * 10**10]
    counts = counts if unit != "s" else [one and one // 1000 for one in counts]
    frames = pair({"v": Column(pa.array(counts, pa.duration(unit)))})
    for verb in (
        lambda s: s.dt.days, lambda s: s.dt.seconds, lambda s: s.dt.microseconds, lambda s: s.dt.nanoseconds, lambda s: s.dt.total_seconds(),
        lambda s: s.dt.floor("h"), lambda s: s.dt.ceil("D"), lambda s: s.dt.round("s"),
    ):  # fmt: skip
        assert_same(verb(frames[0]["v"]), verb(frames[1]["v"]), numbers=True, rtol=1e-15)


@given(st.lists(st.one_of(st.none(), st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1))), min_size=1, max_size=20))
def test_fields_are_pythons(values: list[datetime.datetime | None]) -> None:
    ours = ff.Series(values, dtype="timestamp[us]")
    for name, field in (
        ("year", lambda one: one.year), ("second", lambda one: one.second), ("microsecond", lambda one: one.microsecond), ("dayofweek",
        lambda one: one.weekday()),
        ("week", lambda one: one.isocalendar()[1]), ("isoyear", lambda one: one.isocalendar()[0]), ("dayofyear", lambda one: one.timetuple().tm_yday),
        ("date", lambda one: one.date()), ("time", lambda one: one.time()),
    ):  # fmt: skip
        assert getattr(ours.dt, name).tolist() == [None if one is None else field(one) for one in values]


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda s: ff.Series([1], name="n").dt, DTypeError,
         ".dt is not defined for dtype int64 of column 'n'. It works on dates, timestamps, times and durations. Use .astype(...) to convert first."),
        (lambda s: s.dt.floor("month"), ArgumentError, None), (lambda s: s.dt.yaer, AttributeError, None), (lambda s: s.dt.tz_convert("UTC"), DTypeError, None),
        (lambda s: s.dt.tz_localize("UTC").dt.tz_localize("UTC"), DTypeError, None), (lambda s: s.dt.total_seconds(), DTypeError, None),
        (lambda s: ff.Series([datetime.datetime(2024, 10, 27, 2, 30)]).dt.tz_localize("Europe/Berlin"), FastFrameError, None),
        (lambda s: ff.Series([datetime.datetime(2024, 3, 31, 2, 30)]).dt.tz_localize("Europe/Berlin"), FastFrameError, None),
    ],
)  # fmt: skip
def test_errors(verb: Verb, error: type[Exception], message: str | None) -> None:
    with pytest.raises(error) as raised:
        verb(times("us", None)[0])
    assert message is None or str(raised.value) == message
