"""Facts of a column's values, computed in one parallel pass and kept on the column."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastframe._kernels import facts as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import run, slice_rows
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.dtypes import Kind, Physical
from fastframe.errors import DTypeError

_WORDS = 6   # of facts.hpp::RangePart
_SAMPLE = 4096
_NAN_FREE = "no NaN"   # known without a range, which for floats costs a pass of its own
_SIGNED = {Physical.I8, Physical.I16, Physical.I32, Physical.I64}


class Range(NamedTuple):
    """Smallest and largest value that is not missing (None where all are), and how many are missing (null or NaN).

    Integers, bools, dates and times are given as the integers that kernels see; decimals as unscaled integers.
    """

    min: int | float | None
    max: int | float | None
    n_missing: int
    has_nan: bool


def value_range(column: Column) -> Range:
    """The range of a fixed-width column's values, in one pass at most (kept as fact ``"range"``).

    Raises
    ------
    DTypeError
        For text, nested and encoded columns, which have no such range.
    """
    return column.fact("range", lambda: _value_range(column))


def lies_within(column: Column, bound: int) -> bool:
    """Whether all values lie between ``-bound`` and ``bound``."""
    found = value_range(column)
    return found.min is None or (found.min > -bound and found.max is not None and found.max < bound)


def lacks_nan(column: Column) -> bool:
    """Whether it is known that no value is NaN; nothing is looked at."""
    found = column.known("range")
    return column.known(_NAN_FREE) is True or (found is not None and not found.has_nan)


def note_no_nan(column: Column) -> None:
    """Keep that no value is NaN, as who has read them all has found."""
    column.fact(_NAN_FREE, lambda: True)


def _value_range(column: Column) -> Range:
    physical = column.physical
    if column.dtype.kind is Kind.NULL:
        return Range(None, None, len(column), False)
    if column.is_encoded or physical is None or physical in (Physical.STR, Physical.LSTR):
        raise DTypeError.of_operation("the range of values", column.dtype, allowed="fixed-width columns")
    n_rows = len(column)
    rows = slice_rows(n_rows, kernels.PART_BYTES)
    parts = allocate_array(-(-n_rows // rows) * _WORDS, np.uint64, "min and max").reshape(-1, _WORDS)
    task = kernels.value_range(physical, column.view, address_of(parts), (column, parts))
    run(task, n_rows, rows, operation="min and max")
    listed = parts.tolist()   # few, and each step of NumPy takes longer than one of them
    n_missing, has_nan = sum([part[4] for part in listed]), any(part[5] for part in listed)
    filled = [part for at, part in enumerate(listed) if min(rows, n_rows - at * rows) > part[4]]
    if not filled:
        return Range(None, None, n_missing, has_nan)
    low, high = [part[0:2] for part in filled], [part[2:4] for part in filled]
    return Range(_extreme(low, physical, min), _extreme(high, physical, max), n_missing, has_nan)


def _extreme(words: list[list[int]], physical: Physical, choose: Callable[..., Any]) -> int | float:
    """The least or greatest of values that are two words each, the lower one first."""
    if physical is Physical.I128:
        values = [high << 64 | low for low, high in words]
        return choose(value - (1 << 128) if value >> 127 else value for value in values)
    form = "<d" if physical in (Physical.F32, Physical.F64) else "<q" if physical in _SIGNED else "<Q"
    return choose([struct.unpack(form, low.to_bytes(8, "little"))[0] for low, _ in words])


def value_step(column: Column) -> int:
    """The largest number that divides all differences of an int64 column's values: days of timestamps, say.

    1 where there is none, where a sample shows that there is none, and for values that are all equal (kept as fact
    ``"step"``).
    """
    return int(column.fact("step", lambda: _value_step(column)))


def _value_step(column: Column) -> int:
    found = value_range(column)
    if found.min is None:
        return 1
    sample = column.array.slice(0, _SAMPLE).drop_null().view("int64").to_numpy()
    low = np.array(found.min, np.int64).view(np.uint64)
    guess = int(np.gcd.reduce(sample.view(np.uint64) - low)) if len(sample) else 0   # wraps to the exact distance
    if guess <= 1:
        return 1
    n_rows = len(column)
    rows = slice_rows(n_rows)
    steps = allocate_array(-(-n_rows // rows), np.uint64, "common step")
    task = kernels.step(column.view, int(found.min), guess, address_of(steps), (column, steps))
    run(task, n_rows, rows, operation="common step")
    return max(1, int(np.gcd.reduce(steps)))
