"""Local times and instants by our kernel: pyarrow's, value by value, are the oracle."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import fastframe as ff
from fastframe.column import Column
from fastframe.engines.cpu import clocks
from fastframe.engines.cpu.clocks import PER_SECOND, Policy, instants, local_times
from fastframe.options import option_context

# Half hours; the other half of the year; midnights that there are not; twice in a month; whole days left out; hardly any change.
ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata",
    "Africa/Monrovia", "Asia/Gaza", "Etc/GMT+5", "UTC",
]  # fmt: skip
SPANS = {"s": ("1880-01-01", "2100-01-01"), "ms": ("1960-01-01", "2037-01-01"), "us": ("2009-01-01", "2031-06-01"), "ns": ("1969-12-31", "2012-01-01")}
MEETING = [("earliest", "earliest"), ("earliest", "latest"), ("latest", "earliest"), ("latest", "latest")]


def counts(unit: str, zone: str, n_rows: int = 90_000) -> np.ndarray:
    """Random times, and those in which the zone's clocks change, and an hour or a unit beside."""
    low, high = (np.datetime64(day, unit).astype(np.int64) for day in SPANS[unit])
    found = np.random.default_rng(7).integers(low, high, n_rows)
    changes = np.concatenate([clocks._changes(zone, decade).at for decade in range(-9, 13)]) * PER_SECOND[unit]
    changes = changes[(changes > low) & (changes < high)]
    hour = 3600 * PER_SECOND[unit]
    beside = np.concatenate([changes + by for by in (-hour, -hour // 2, -1, 0, 1, hour // 2, hour, 8 * hour)])
    found[: len(beside)] = beside
    return found


def with_nulls(values: np.ndarray, share: float, dtype: pa.DataType) -> pa.Array:
    mask = np.random.default_rng(8).random(len(values)) < share
    return pa.array(values, mask=mask if share else None).view(dtype)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", SPANS)
@pytest.mark.parametrize(("nulls", "offset"), [(0.0, 0), (0.1, 13)])
def test_local_times(zone: str, unit: str, nulls: float, offset: int) -> None:
    times = with_nulls(counts(unit, zone), nulls, pa.timestamp(unit, tz=zone)).slice(offset)
    if zone != "UTC":
        assert clocks._moved(Column(times), pa.timestamp(unit), zone, None) is not None   # pyarrow is not asked
    assert local_times(Column(times)).array.equals(pc.local_timestamp(times))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", SPANS)
@pytest.mark.parametrize(("ambiguous", "nonexistent"), MEETING)
def test_instants(zone: str, unit: str, ambiguous: str, nonexistent: str) -> None:
    shown = np.asarray(pc.local_timestamp(pa.array(counts(unit, zone)).view(pa.timestamp(unit, tz=zone))).view(pa.int64()))
    local = with_nulls(shown, 0.05, pa.timestamp(unit))
    wanted = pc.assume_timezone(local, zone, ambiguous=ambiguous, nonexistent=nonexistent)
    assert instants(Column(local), zone, Policy(ambiguous, nonexistent)).array.equals(wanted)


def test_what_clocks_skip() -> None:
    """Half past two of a spring night, among so many others that the kernel is asked."""
    days = np.datetime64("2024-01-01T02:30", "us") + np.arange(366).astype("timedelta64[D]")
    local = pa.array(np.tile(days, 30))
    for ambiguous, nonexistent in MEETING:
        wanted = pc.assume_timezone(local, "Europe/Berlin", ambiguous=ambiguous, nonexistent=nonexistent)
        assert instants(Column(local), "Europe/Berlin", Policy(ambiguous, nonexistent)).array.equals(wanted)
    with pytest.raises(ff.errors.ArgumentError, match="2024-03-31 02:30"):
        ff.DataFrame({"t": local})["t"].dt.tz_localize("Europe/Berlin", ambiguous="latest")
    with pytest.raises(ff.errors.ArgumentError, match="2024-10-27 02:30"):
        ff.DataFrame({"t": local})["t"].dt.tz_localize("Europe/Berlin", nonexistent="latest")
    existing = local.filter(pc.not_equal(local, pa.scalar(np.datetime64("2024-03-31T02:30", "us"))))
    summer = existing.filter(pc.not_equal(existing, pa.scalar(np.datetime64("2024-10-27T02:30", "us"))))
    assert instants(Column(summer), "Europe/Berlin", Policy()).array.equals(pc.assume_timezone(summer, "Europe/Berlin"))


@pytest.mark.parametrize("values", [[], [None], [None, None], [0], [-(2**62), 2**62 - 1], [10**17, None]])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_few_and_far_times(values: list[int | None], zone: str) -> None:
    times = pa.array(values, pa.int64()).view(pa.timestamp("us", tz=zone))
    assert local_times(Column(times)).array.equals(pc.local_timestamp(times))


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "Europe/Berlin"])
def test_all_nanoseconds(zone: str) -> None:
    """586 years, which are all that there are."""
    values = np.random.default_rng(9).integers(-(2**63) + 2**49, 2**63 - 2**49, 220_000)
    times = pa.array(values).view(pa.timestamp("ns", tz=zone))
    moved = clocks._moved(Column(times), pa.timestamp("ns"), zone, None)
    assert moved is not None
    assert moved.array.equals(pc.local_timestamp(times))


def test_garbage_under_nulls_changes_nothing() -> None:
    values = np.arange(20_000, dtype=np.int64) * 3600 * 10**6
    values[::7] = 2**63 - 1
    bits = np.packbits(np.arange(20_000) % 7 != 0, bitorder="little")
    times = pa.Array.from_buffers(pa.timestamp("us", tz="Asia/Tokyo"), 20_000, [pa.py_buffer(bits), pa.py_buffer(values)])
    assert local_times(Column(times)).array.equals(pc.local_timestamp(times.take(pa.array(np.arange(20_000)))))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"])
@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_functions_of_a_zone_are_those_of_pandas(zone: str, n_threads: int) -> None:
    pd = pytest.importorskip("pandas")
    stamps = pa.array(counts("us", zone, 60_000)).view(pa.timestamp("us", tz=zone))
    with option_context(threads=n_threads):
        ours = ff.DataFrame({"t": pa.chunked_array([stamps.slice(0, 20_001), stamps.slice(20_001)])})["t"].dt
        theirs = pd.Series(stamps.to_pandas()).dt
        for name in ("year", "month", "day", "hour", "minute", "second", "microsecond", "is_month_end"):
            np.testing.assert_array_equal(getattr(ours, name).to_numpy(), getattr(theirs, name).to_numpy(), err_msg=name)
        np.testing.assert_array_equal(ours.week.to_numpy(), theirs.isocalendar().week.to_numpy(np.int32))
        assert ours.tz_localize(None).to_arrow().equals(pa.array(theirs.tz_localize(None)))
        assert ours.strftime("%Y-%m-%d %H:%M:%S").to_list() == theirs.strftime("%Y-%m-%d %H:%M:%S").tolist()
        in_utc = pc.floor_temporal(stamps.cast(pa.timestamp("us", tz="UTC")), unit="hour")   # clocks are whole hours ahead
        assert ours.floor("h").to_arrow().equals(in_utc.cast(stamps.type))


def test_one_question_of_pyarrow_a_day_is_enough() -> None:
    """Changes lie at least 3.9 days apart, so that none is lost between two midnights."""
    for zone in ZONES:
        at = np.concatenate([clocks._changes(zone, decade).at for decade in range(-9, 13)])
        assert len(at) < 2 or np.diff(at).min() > 2 * 86_400, zone
