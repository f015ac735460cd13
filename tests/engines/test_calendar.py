"""Fields of dates and times by our kernel, and texts of days: pyarrow's calendar and Python's are the oracles."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe._kernels.calendar import BIT_FIELDS, INT_FIELDS
from fastframe.column import Column
from fastframe.dtypes import BOOL, INT32, dtype
from fastframe.engines.cpu.calendar import calendar_field
from fastframe.engines.cpu.operands import Invocation, Operand
from fastframe.engines.cpu.time_functions import _by_arrow, _strftime
from fastframe.engines.cpu.time_text import text_of_times
from fastframe.options import option_context

FIRST, LAST = -12_687_428, 11_248_737
PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
OF_CLOCKS = ["hour", "minute", "second", "microsecond", "nanosecond"]
OF_DAYS = [name for name in (*INT_FIELDS, *BIT_FIELDS) if name not in ("day_number", *OF_CLOCKS)]


def times(unit: str, n_rows: int, *, nulls: float = 0.0, offset: int = 0, seed: int = 0, zone: str | None = None) -> Column:
    """Random instants of all years that the unit and the kernel have, around midnights and ends of months above all."""
    rng = np.random.default_rng([seed, n_rows])
    most = min(LAST, (2**63 - 1) // PER_DAY[unit] - 1)
    days = rng.integers(max(FIRST, -most), most, n_rows, endpoint=True)
    days[: n_rows // 2] = rng.integers(-40_000, 40_000, n_rows // 2)
    within = rng.integers(0, PER_DAY[unit], n_rows)
    within[::5], within[1::5] = 0, PER_DAY[unit] - 1
    mask = rng.random(n_rows) < nulls if nulls else None
    array = pa.array(days * PER_DAY[unit] + within, pa.int64(), mask=mask).view(pa.timestamp(unit, tz=zone))
    return Column(array.slice(offset))


def by_arrow(name: str, column: Column) -> pa.Array:
    result = BOOL if name in BIT_FIELDS else INT32
    return _by_arrow(Invocation(f"time.{name}", (Operand(column),), result, {}, len(column), None)).array


@pytest.mark.parametrize("name", OF_DAYS + OF_CLOCKS)
@pytest.mark.parametrize("unit", PER_DAY)
@pytest.mark.parametrize(("nulls", "offset"), [(0.0, 0), (0.2, 5)])
def test_fields_of_timestamps(name: str, unit: str, nulls: float, offset: int) -> None:
    column = times(unit, 3000, nulls=nulls, offset=offset)
    found = calendar_field(name, column)
    assert found is not None
    assert found.array.equals(by_arrow(name, column))


@pytest.mark.parametrize("name", OF_DAYS)
def test_fields_of_all_days_of_400_years(name: str) -> None:
    days = np.arange(-150_000, 150_000, dtype=np.int32)
    first = FIRST + 2 * (name == "week")   # whose Thursday's year is beyond pyarrow's
    days = np.concatenate([days, np.arange(first, FIRST + 1500), np.arange(LAST - 1500, LAST + 1)]).astype(np.int32)
    column = Column(pa.array(days).view(pa.date32()))
    found = calendar_field(name, column)
    assert found is not None
    assert found.array.equals(by_arrow(name, column))


def test_years_beyond_the_kernels() -> None:
    for day in (FIRST - 1, LAST + 1, 2**31 - 1, -(2**31)):
        column = Column(pa.array([0, day], pa.int32()).view(pa.date32()))
        assert calendar_field("year", column) is None
    far = Column(pa.array([0, 2**62], pa.int64()).view(pa.timestamp("s")))
    assert calendar_field("month", far) is None
    assert calendar_field("hour", far) is not None


def test_garbage_under_nulls_changes_nothing() -> None:
    bits = pa.py_buffer(b"\x05")
    array = pa.Array.from_buffers(pa.timestamp("s"), 3, [bits, pa.py_buffer(np.array([0, 2**62, 86_400 * 31], np.int64))])
    series = ff.from_arrow(pa.table({"t": array}))["t"]
    assert series.dt.month.tolist() == [1, None, 2]
    assert series.dt.is_month_start.tolist() == [True, False, True]
    assert series.dt.strftime("%m").tolist() == ["01", None, "02"]


@pytest.mark.parametrize(("unit", "kind"), [("s", pa.time32("s")), ("ms", pa.time32("ms")), ("us", pa.time64("us")), ("ns", pa.time64("ns"))])
def test_times_of_day(unit: str, kind: pa.DataType) -> None:
    counts = np.random.default_rng(0).integers(0, PER_DAY[unit], 500)
    column = Column(pa.array(counts, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind))
    for name in OF_CLOCKS:
        found = calendar_field(name, column)
        assert found is not None
        assert found.array.equals(by_arrow(name, column)), name


def test_zones() -> None:
    utc = times("us", 500, zone="UTC", nulls=0.1)
    assert calendar_field("hour", utc) is not None
    elsewhere = times("us", 500, zone="America/New_York", nulls=0.1)
    assert calendar_field("hour", elsewhere) is None
    frame = ff.from_arrow(pa.table({"t": elsewhere.array}))
    assert frame["t"].dt.hour.to_arrow().to_pylist() == pc.hour(elsewhere.array).to_pylist()


@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65])
def test_few_rows(n_rows: int) -> None:
    column = times("us", n_rows)
    for name in ("year", "is_month_end", "second"):
        found = calendar_field(name, column)
        assert found is not None
        assert found.array.equals(by_arrow(name, column))


def test_threads() -> None:
    column = times("ns", 300_000, nulls=0.1, offset=3)
    found = []
    for n_threads in (1, 2, 4):
        with option_context(threads=n_threads):
            found.append([calendar_field(name, column).array for name in ("month", "is_quarter_end", "minute")])   # type: ignore[union-attr]
    assert found[0] == found[1] == found[2]


@given(st.datetimes(), st.sampled_from(["year", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear"]))
def test_python_agrees(instant: datetime.datetime, name: str) -> None:
    found = calendar_field(name, Column(pa.array([instant], pa.timestamp("us"))))
    assert found is not None
    wanted = {"dayofweek": instant.weekday(), "dayofyear": instant.timetuple().tm_yday}
    assert found.array.to_pylist() == [wanted[name] if name in wanted else getattr(instant, name)]


# ---- texts ----------------------------------------------------------------------------------------------------------


def plain(column: Column) -> list[Any]:
    array = column.array
    return array.dictionary_decode().to_pylist() if isinstance(array, pa.DictionaryArray) else array.to_pylist()


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%A %d. %B %y", "%j%%Y", "", "no directive", "%U %G-%V", "%n%t%e|%F"])
@pytest.mark.parametrize("kind", ["s", "ns", "day"])
def test_texts_of_days(form: str, kind: str) -> None:
    rng = np.random.default_rng(4)
    days = rng.integers(-1000, 1000, 20_000)
    mask = rng.random(20_000) < 0.1
    if kind == "day":
        array = pa.array(days, pa.int32(), mask=mask).view(pa.date32())
    else:
        array = pa.array(days * PER_DAY[kind] + rng.integers(0, PER_DAY[kind], 20_000), mask=mask).view(pa.timestamp(kind))
    column = Column(array.slice(3))
    found = text_of_times(column, form, lambda few: _strftime(few, {"format": form}))
    assert found is not None
    assert plain(found) == _strftime(column.array, {"format": form}).to_pylist()


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%d.%m.%y %I %p %f", "%j %e %b %a %u%w|%%F é", "%F%n%T%t%R %D", "%M", "x"])
@pytest.mark.parametrize(("unit", "zone"), [("s", None), ("ms", None), ("us", "UTC"), ("ns", None), ("us", "Europe/Berlin")])
def test_texts_of_times(form: str, unit: str, zone: str | None) -> None:
    rng = np.random.default_rng(5)
    counts = rng.integers(-30_000 * PER_DAY[unit], 30_000 * PER_DAY[unit], 3000)
    array = pa.array(counts, mask=rng.random(3000) < 0.1).view(pa.timestamp(unit, tz=zone)).slice(5)
    found = text_of_times(Column(array), form, lambda few: _strftime(few, {"format": form}))
    assert found is not None
    found.array.validate(full=True)
    assert plain(found) == _strftime(array, {"format": form}).to_pylist()
    for n_threads in (1, 4):
        with option_context(threads=n_threads):
            again = text_of_times(Column(array), form, lambda few: few)
            assert again is not None
            assert plain(again) == plain(found)


@pytest.mark.parametrize("form", ["%Y %Z", "%c", "%Ey", "%s", "%H %B", "%S %"])
def test_formats_that_only_pyarrow_has(form: str) -> None:
    assert text_of_times(times("s", 100), form, lambda few: few) is None


def test_years_without_four_digits() -> None:
    for year, known in ((999, False), (1000, True), (9999, True)):
        column = Column(pa.array([datetime.datetime(year, 12, 31, 23)] * 2))
        assert (text_of_times(column, "%Y %H", lambda few: few) is not None) == known


def test_names() -> None:
    instants = [datetime.datetime(2024, 2, 28) + datetime.timedelta(days=n % 9) for n in range(500)]
    series = ff.Series(instants)
    assert series.dt.day_name().tolist() == [one.strftime("%A") for one in instants]
    assert series.dt.month_name().tolist() == [one.strftime("%B") for one in instants]
    assert series.dt.strftime("%d/%m").tolist() == [one.strftime("%d/%m") for one in instants]
    assert dtype("date32") == series.dt.date.dtype
    assert series.dt.date.tolist() == [one.date() for one in instants]
