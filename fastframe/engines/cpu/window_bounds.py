"""Which positions the window of each row spans: for built-in functions and for users' own.

Windows are laid over *positions*: rows in row order, or in group order, where each group is a segment that no window crosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np

from fastframe._kernels import window_bounds as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column import Table, cache
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import DType, Kind
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.order import group_order
from fastframe.engines.cpu.select import take_table
from fastframe.errors import WindowError
from fastframe.ops.rolling import TIME_KINDS, Span
from fastframe.records import record

Array = np.ndarray[Any, Any]

OPERATION = "rolling windows"
SLICE_POSITIONS = 1 << 15   # values and states of a slice stay in a second-level cache
_WARMING = 8                # a slice is so many windows long where it can: it first reads one
_FEWEST_SLICES = 8
_SAMPLED = 64
_NO_LIMIT = 1 << 62
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@record(frozen=True)
class Positions:
    """Rows in the order that windows are laid over; ``rows`` and ``offsets`` (of groups) are None where that is row order."""

    n_positions: int
    rows: Array | None = None
    offsets: Array | None = None

    @property
    def row_address(self) -> int:
        return address_of(self.rows) if self.rows is not None else 0

    def row(self, position: int) -> int:
        return int(self.rows[position]) if self.rows is not None else position


def positions_of(keys: Sequence[Column], n_rows: int, *, dropna: bool = True, sort: bool | None = True) -> Positions:
    """Rows as they are, or by group, kept on the key columns; rows in no group are left out."""
    if not keys:
        return Positions(n_rows)
    name = ("positions", bool(dropna), sort)
    kept = cache.find(keys, name)
    if isinstance(kept, Positions):
        return kept
    groups = group_rows(keys, dropna=dropna, sort=sort)
    rows, offsets = group_order(groups.codes, groups.n_groups)
    found = Positions(len(rows), rows, offsets)
    cache.keep(keys, name, found, rows.nbytes + offsets.nbytes)
    return found


def carried_along(table: Table, names: Sequence[str], positions: Positions) -> dict[str, Column]:
    """Columns in the order of positions."""
    carried = table.select(names)
    return dict((take_table(carried, positions.rows) if positions.rows is not None else carried).columns)


@record(frozen=True)
class Bounds:
    """Windows as kernels see them; ``begin`` and ``end`` (int32) are None where kernels work them out from numbers of rows."""

    positions: Positions
    before: int = 0
    after: int = 1
    begin: Array | None = None
    end: Array | None = None

    @property
    def view(self) -> tuple[int, int, int, int, int, int, int]:
        offsets, begin, end = self.positions.offsets, self.begin, self.end
        return (
            address_of(offsets) if offsets is not None else 0, len(offsets) - 1 if offsets is not None else 1,
            self.positions.n_positions, self.before, self.after,
            address_of(begin) if begin is not None else 0, address_of(end) if end is not None else 0,
        )  # fmt: skip

    @property
    def slice_positions(self) -> int:
        """Positions of one slice: long beside windows, because a slice begins with those its first window reaches."""
        n_positions = self.positions.n_positions
        width = self.before + self.after
        if self.begin is not None and self.end is not None and n_positions:
            width = int((self.end[::_SAMPLED] - self.begin[::_SAMPLED]).max())
        wanted = max(SLICE_POSITIONS, min(_WARMING * width, -(-n_positions // _FEWEST_SLICES)))
        return -(-wanted // 512) * 512


def bounds_of(span: Span, positions: Positions, times: Column | None) -> Bounds:
    """The windows of a span of rows, or of time by ``times``.

    Raises
    ------
    WindowError
        Times that are no times, missing, or not in order.
    """
    if span.expands:
        return Bounds(positions)
    if span.rows is not None:
        most = positions.n_positions + 1   # farther means the same
        return Bounds(positions, max(-most, min(most, span.before)), min(most, span.after))
    assert times is not None
    return _time_bounds(span, positions, times)


def written(span: Span, positions: Positions, times: Column | None) -> tuple[Array, Array]:
    """Per position where its window begins, and where it ends: for kernels that call functions of users."""
    if span.nanoseconds is not None:
        found = bounds_of(span, positions, times)
        assert found.begin is not None and found.end is not None
        return found.begin, found.end
    begin, end = _empty(positions)
    bounds = bounds_of(span, positions, None) if span.rows is not None else Bounds(positions)
    make = kernels.row_bounds if span.rows is not None else kernels.segment_bounds
    task = make(bounds.view, (address_of(begin), address_of(end)), (bounds, begin, end))
    run(task, positions.n_positions, operation=OPERATION)
    return begin, end


def called(bounds: tuple[Array, Array], present: Array | None, *, min_periods: int, translated: bool) -> int:
    """Windows that a function is called on, in place: how many it is not called on, whose bounds become 0 and -1.

    Parameters
    ----------
    present : numpy.ndarray of int32, optional
        How many values stand before each position, and in all; None: all positions have one.
    min_periods : int
        Values that a window needs.
    translated : bool
        Whether only present values lie in memory: bounds become those of their places there, and a window needs one.
    """
    begin, end = bounds
    left_out = np.zeros(-(-len(begin) // SLICE_ROWS) + 1, np.int64)
    address = address_of(present) if present is not None else 0
    task = kernels.called_windows(
        (address_of(begin), address_of(end)), address, address_of(left_out),
        min_periods=min_periods, translated=translated, keep_alive=(begin, end, present, left_out),
    )  # fmt: skip
    run(task, len(begin), SLICE_ROWS, operation=OPERATION)
    return int(left_out.sum())


def _empty(positions: Positions) -> tuple[Array, Array]:
    return allocate_array(positions.n_positions, np.int32, OPERATION), allocate_array(positions.n_positions, np.int32, OPERATION)


def check_times(times: Column, on: str | None) -> str:
    """Raise `WindowError` unless a column has a time in each row; what messages call it."""
    name = "the index" if on is None or on.startswith("\0") else "times" if on.startswith("\1") else f"column {on!r}"
    if times.dtype.kind not in TIME_KINDS:
        raise WindowError.needs_times(name, times.dtype)
    if times.null_count:
        raise WindowError.missing_times(name, times.null_count)
    return name


def nanoseconds_per_unit(dtype: DType) -> int:
    """Of dates, times and durations."""
    if dtype.kind is Kind.DATE:
        return 86400 * 10**9 if dtype.width == 4 else 10**6
    return _NANOSECONDS[dtype.arrow.unit]


def _time_bounds(span: Span, positions: Positions, times: Column) -> Bounds:
    name = check_times(times, span.on)
    begin, end = _empty(positions)
    least, most = _reach(span, times.dtype)
    failures = {}
    for sign in (1, -1):   # times may fall, too
        phases = kernels.TimeBounds(
            Bounds(positions).view, (address_of(begin), address_of(end)), (times.view.values, times.dtype.width, positions.row_address),
            sign=sign, least=least, most=most, to_itself=not span.center and span.closed in ("right", "both"),
            keep_alive=(positions, times, begin, end),
        )  # fmt: skip
        failure = run(phases.check(), positions.n_positions, SLICE_POSITIONS, operation=OPERATION)
        if failure is None:
            run(phases.fill(), positions.n_positions, SLICE_POSITIONS, operation=OPERATION)
            return Bounds(positions, begin=begin, end=end)
        failures[sign] = failure[0]
    sign = max(failures, key=lambda one: failures[one])   # the way that they went for longer
    raise WindowError.not_in_order(name, _disorder(positions, times, failures[sign], sign), grouped=positions.offsets is not None)


def _reach(span: Span, dtype: DType) -> tuple[int, int]:
    """How far before and after its own time a window's times may lie, in units of the times."""
    assert span.nanoseconds is not None
    reach = Fraction(span.nanoseconds, nanoseconds_per_unit(dtype) * (2 if span.center else 1))
    least = ceil(-reach) if span.closed in ("left", "both") else floor(-reach) + 1
    ahead = reach if span.center else Fraction(0)
    most = floor(ahead) if span.closed in ("right", "both") else ceil(ahead) - 1
    return max(-_NO_LIMIT, least), min(_NO_LIMIT, most)


def _disorder(positions: Positions, times: Column, first: int, sign: int) -> int:
    """The first row from position ``first`` on whose time is on the wrong side of the one before it in its group."""
    array = times.array
    values = np.frombuffer(array.buffers()[1], f"i{times.dtype.width}")[array.offset : array.offset + len(array)]
    low, stop = max(0, first - 1), min(positions.n_positions, first + SLICE_POSITIONS)
    visited = values[positions.rows[low:stop]] if positions.rows is not None else values[low:stop]
    wrong = visited[1:] < visited[:-1] if sign > 0 else visited[1:] > visited[:-1]
    if positions.offsets is not None:
        begins = positions.offsets[(positions.offsets > low) & (positions.offsets < stop)]
        wrong[begins - low - 1] = False
    return positions.row(low + 1 + int(np.argmax(wrong)))
