"""What clocks show: instants as local times of their zone and back, by our kernel and the changes of clocks that pyarrow tells.

pyarrow asks its time zone database for every value. Clocks change a few times a year, so we ask it once a day of the values' years,
halve the days on which clocks changed down to the second, and keep what was found per zone and decade. Nothing is lost by a day: in all
zones of the database changes are at least 3.9 days apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels.calendar import move_clocks
from fastframe._threads import fine_slice_rows, run
from fastframe.column import Column
from fastframe.dtypes import Kind, from_arrow
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.results import allocate_values, with_validity
from fastframe.engines.cpu.sliced import over_slices

Longs = np.ndarray[Any, np.dtype[np.int64]]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
_DECADE = 3_653 * _DAY
_MARGIN = 2 * _DAY   # local times and instants are at most so far apart
_LAST_SECOND = 80 * 3_653 * _DAY   # before and after 1970: the years 1170 to 2770
_NEVER = 2**63 - 1


class Policy(NamedTuple):
    """What a local time becomes that clocks show twice, or skip: 'earliest', 'latest', or 'raise' an error."""

    ambiguous: str = "raise"
    nonexistent: str = "raise"


def zone_of(column: Column) -> str | None:
    """The time zone of timestamps; None where there is none."""
    return column.dtype.arrow.tz if column.dtype.kind is Kind.TIMESTAMP else None


def local_times(column: Column) -> Column:
    """Timestamps as those of their zone's clocks; others as they are."""
    zone = zone_of(column)
    if zone is None:
        return column
    plain = pa.timestamp(column.dtype.arrow.unit)
    if zone == "UTC":
        return Column(column.array.view(plain))
    moved = _moved(column, plain, zone, None)
    if moved is not None:
        return moved

    import pyarrow.compute as pc

    return Column(over_slices(column.array, pc.local_timestamp))


def instants(local: Column, zone: str, policy: Policy) -> Column:
    """What clocks of a zone show as instants.

    Raises
    ------
    pyarrow.ArrowInvalid
        For a time that they show twice, or skip, where the policy is 'raise'; for a zone that there is not.
    """
    target = pa.timestamp(local.dtype.arrow.unit, tz=zone)
    if zone == "UTC":
        return Column(local.array.view(target))
    moved = _moved(local, target, zone, policy)
    if moved is not None:
        return moved

    import pyarrow.compute as pc

    return Column(over_slices(local.array, lambda times: pc.assume_timezone(times, zone, **policy._asdict())))


def _moved(column: Column, target: pa.DataType, zone: str, policy: Policy | None) -> Column | None:
    """By the kernel, to instants by a policy, else to local times; None where pyarrow takes less time, or shall refuse a value."""
    bounds = value_range(column)
    if bounds.min is None or bounds.max is None:
        return None
    per_second = PER_SECOND[column.dtype.arrow.unit]
    low, high = int(bounds.min) // per_second - _MARGIN, int(bounds.max) // per_second + _MARGIN
    if (high - low) // _DAY > len(column) or low < -_LAST_SECOND or high > _LAST_SECOND:
        return None
    first, shift, parts = _parts(zone, per_second, low // _DECADE, high // _DECADE, policy)
    dtype = from_arrow(target)
    out = allocate_values(dtype, len(column), "time zone")
    task = move_clocks(column.view, parts, first, shift, out.address, (column, out))
    failure = run(task, len(column), fine_slice_rows(len(column)), operation="time zone")
    return with_validity(dtype, out, column) if failure is None else None


class _Changes(NamedTuple):
    """When clocks change, in seconds since 1970, and what they are ahead of UTC: before each change, and after the last."""

    at: Longs
    ahead: Longs


@lru_cache(maxsize=64)
def _parts(zone: str, per_second: int, first_decade: int, last_decade: int, policy: Policy | None) -> tuple[int, int, Longs]:
    """First count, length as a power of two, and rows of clocks.hpp::ClockPart for the values of some decades."""
    decades = [_changes(zone, decade) for decade in range(first_decade, last_decade + 1)]
    at = np.concatenate([one.at for one in decades])
    ahead = np.concatenate([*[one.ahead[:-1] for one in decades], decades[-1].ahead[-1:]])
    before, after = ahead[:-1], ahead[1:]
    last = _NEVER // per_second
    from_to = (at, at) if policy is None else (at + np.minimum(before, after), at + np.maximum(before, after))   # what clocks show twice, or skip
    at, low, high = (np.clip(seconds, -last, last) * per_second for seconds in (at, *from_to))
    start, stop = (int(np.clip(edge * _DECADE, -last, last)) * per_second for edge in (first_decade, last_decade + 1))
    shift = min((stop - start).bit_length(), 63)
    while True:   # ends, for a part of a day has one change at most
        starts = start + (np.arange(((stop - start) >> shift) + 1, dtype=np.int64) << shift)
        passed = np.searchsorted(high, starts, "right")
        n_within = np.searchsorted(low, np.append(starts[1:], stop), "left") - passed
        if (n_within <= 1).all():
            break
        shift -= 1
    parts = _table(at, low, high, ahead * per_second, policy)[passed]
    parts[n_within <= 0, 0:2] = _NEVER
    return start, shift, np.ascontiguousarray(parts)


def _table(at: Longs, low: Longs, high: Longs, ahead: Longs, policy: Policy | None) -> Longs:
    """A row of ClockPart for each change, which is between ``low`` and ``high``, and one for the time after the last."""
    table = np.zeros((len(ahead), 7), np.int64)
    before, after = ahead, np.append(ahead[1:], ahead[-1:])
    if policy is None:
        table[:, 2], table[:, 3] = before, after
    else:
        table[:, 2], table[:, 3] = -before, -after
        twice, skipped = after < before, after > before
        table[twice, 4] = -1
        table[twice, 5] = -(before if policy.ambiguous == "earliest" else after)[twice]
        table[twice, 6] = policy.ambiguous == "raise"
        table[skipped, 5] = np.append(at, 0)[skipped] - (policy.nonexistent == "earliest")
        table[skipped, 6] = policy.nonexistent == "raise"
    table[:-1, 0], table[:-1, 1] = low, high
    table[-1, 0:2] = _NEVER
    return table


@lru_cache(maxsize=1024)
def _changes(zone: str, decade: int) -> _Changes:
    """The changes of clocks in ten years (of 3,653 days, the first from 1970 on)."""
    days = np.arange(decade * _DECADE, (decade + 1) * _DECADE + 1, _DAY, dtype=np.int64)
    ahead = _ahead(zone, days)
    changing = np.flatnonzero(ahead[1:] != ahead[:-1])
    low, high, before = days[changing], days[changing + 1], ahead[changing]
    while (high - low > 1).any():
        middle = (low + high) // 2
        is_before = _ahead(zone, middle) == before
        low, high = np.where(is_before, middle, low), np.where(is_before, high, middle)
    return _Changes(high, np.append(before, ahead[-1:]))


def _ahead(zone: str, seconds: Longs) -> Longs:
    import pyarrow.compute as pc

    local = pc.local_timestamp(pa.array(seconds).cast(pa.timestamp("s", tz=zone)))
    return np.asarray(local.view(pa.int64())) - seconds
