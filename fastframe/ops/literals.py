"""Python values in expressions: which dtype they take.

A plain Python value is weak, as in NumPy 2: it takes the dtype of the column beside it where it fits. Where it does not,
an int takes the smallest integer dtype that holds both (NumPy raises there), a float beside integers is float64. Beside
dates and times a string is parsed. In comparisons nothing is rounded: an int stays an integer beside any column.
"""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column.plain import scalar_of
from fastframe.dtypes import DType, Kind
from fastframe.errors import DTypeError, LossyCast

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
UNITS = ("s", "ms", "us", "ns")
_PLAIN = (int, float, str, bytes, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)


def is_missing(value: Any) -> bool:
    """Whether a Python value stands for a missing one without a dtype: None, NaT, pandas' NA."""
    if value is None:
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NaTType", "NAType")


def is_weak(value: Any) -> bool:
    """Whether the value takes the dtype of the column beside it (NumPy scalars, Arrow scalars and columns do not)."""
    return (isinstance(value, _PLAIN) and not isinstance(value, np.generic)) or is_missing(value)


def literal(value: Any, dtype: DType | None, anchor: DType | None, *, exact: bool = False) -> pa.Scalar:
    """The value as an Arrow scalar, of ``dtype`` if given, else as it is typed beside ``anchor``.

    Raises
    ------
    LossyCast
        The value does not fit.
    DTypeError
        Not a scalar that Arrow knows.
    """
    if dtype is not None:
        return _of_type(value, dtype)
    if is_missing(value):
        return scalar_of(None, anchor.arrow if anchor is not None and anchor.kind is not Kind.CATEGORY else pa.null())
    if isinstance(value, pa.Scalar):
        return value
    if isinstance(value, (bool, np.bool_)):
        return scalar_of(bool(value), pa.bool_())
    if isinstance(value, (np.datetime64, np.timedelta64)):
        dtype = dtypes.dtype(value.dtype)
        return pa.array(np.array([value]).astype(dtype.numpy), dtype.arrow)[0]
    if isinstance(value, np.generic):
        return _of_type(value.item(), dtypes.dtype(value.dtype))
    if isinstance(value, int):
        return _whole_number(value, anchor, exact)
    if isinstance(value, float):
        return _of_type(value, _float_dtype(value, anchor))
    if isinstance(value, str):
        return _text(value, anchor)
    if isinstance(value, _PLAIN):
        return _beside(_of_type(value, _time_dtype(value) or dtypes.from_arrow(pa.scalar(value).type)), anchor)
    raise DTypeError.of_literal(value)


def _beside(scalar: pa.Scalar, anchor: DType | None) -> pa.Scalar:
    """A time or duration in the unit of the column beside it, where nothing is lost."""
    if anchor is None or scalar.type.id != anchor.arrow.id or anchor.kind not in (Kind.TIMESTAMP, Kind.DURATION):
        return scalar
    if getattr(scalar.type, "tz", None) != getattr(anchor.arrow, "tz", None):
        return scalar
    try:
        return scalar.cast(anchor.arrow)
    except pa.ArrowInvalid:
        return scalar


def _of_type(value: Any, dtype: DType) -> pa.Scalar:
    if is_missing(value):
        return scalar_of(None, dtype.arrow)
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    try:
        return scalar_of(value, dtype.arrow)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        raise LossyCast.of_value(value, dtype) from None


def _fits(value: int, dtype: DType) -> bool:
    bits = 8 * dtype.width
    return 0 <= value < 1 << bits if dtype.kind is Kind.UINT else -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def _smallest(value: int, among: DType) -> DType | None:
    for name in INTEGERS:
        one = dtypes.dtype(name)
        both = dtypes.common(among, one)
        if _fits(value, one) and both is not None and both.is_integer:
            return one
    return None


def _whole_number(value: int, anchor: DType | None, exact: bool) -> pa.Scalar:
    if exact or anchor is None or anchor.kind not in (Kind.INT, Kind.UINT, Kind.FLOAT, Kind.DECIMAL):
        for dtype in (dtypes.INT64, dtypes.UINT64):
            if _fits(value, dtype):
                return scalar_of(value, dtype.arrow)
        if exact:   # beyond every integer dtype: its float lies beyond them too
            return scalar_of(float(value) if abs(value) < 1 << 1023 else float("inf") * (1 if value > 0 else -1), pa.float64())
        raise LossyCast.of_value(value, dtypes.INT64)
    if anchor.kind is Kind.FLOAT:
        return _of_type(float(value), _float_dtype(value, anchor))
    if anchor.kind is Kind.DECIMAL:
        return _of_type(decimal.Decimal(value), dtypes.from_arrow(pa.decimal128(max(1, len(str(abs(value)))), 0)))
    found = anchor if _fits(value, anchor) else _smallest(value, anchor)
    if found is None:
        raise LossyCast.of_value(value, anchor)
    return scalar_of(value, found.arrow)


def _float_dtype(value: float, anchor: DType | None) -> DType:
    if anchor is None or anchor.kind is not Kind.FLOAT or anchor.numpy is None or anchor == dtypes.FLOAT64:
        return dtypes.FLOAT64
    return anchor if not np.isfinite(value) or abs(value) <= float(np.finfo(anchor.numpy).max) else dtypes.FLOAT64


def _time_dtype(value: Any) -> DType | None:
    """pandas' Timestamp and Timedelta say their unit; Arrow would take microseconds."""
    unit = getattr(value, "unit", None)
    if unit not in UNITS:
        return None
    if isinstance(value, datetime.datetime):
        zone = pa.scalar(value).type.tz
        return dtypes.from_arrow(pa.timestamp(unit, tz=zone))
    return dtypes.from_arrow(pa.duration(unit))


def _text(value: str, anchor: DType | None) -> pa.Scalar:
    parsers = {Kind.TIMESTAMP: _timestamp, Kind.DATE: _date, Kind.TIME: _time, Kind.DURATION: _duration}
    if anchor is None or anchor.kind not in parsers:
        try:
            return scalar_of(value, pa.string())
        except UnicodeEncodeError:   # half of a surrogate pair is no text
            raise LossyCast.of_value(value, dtypes.STRING) from None
    try:
        return parsers[anchor.kind](value, anchor)
    except (pa.ArrowException, ValueError):
        raise LossyCast.of_value(value, anchor) from None


def parse_timestamp(text: str, unit: str = "s") -> pa.Scalar:
    """An ISO 8601 text without a zone as a timestamp, in ``unit`` or the coarsest finer one that holds it."""
    for one in UNITS[UNITS.index(unit) :]:
        try:
            return pa.scalar(text).cast(pa.timestamp(one))
        except pa.ArrowInvalid:
            continue
    value = np.datetime64(text)   # "2020" and "2020-05" too
    return pa.scalar(value.astype("datetime64[s]"), pa.timestamp("s")).cast(pa.timestamp(unit))


def _timestamp(text: str, anchor: DType) -> pa.Scalar:
    import pyarrow.compute as pc

    unit, zone = anchor.arrow.unit, anchor.arrow.tz
    if zone is None:
        return parse_timestamp(text, unit)
    for one in UNITS[UNITS.index(unit) :]:
        try:
            return pa.scalar(text).cast(pa.timestamp(one, tz=zone))   # it has an offset
        except pa.ArrowInvalid:
            continue
    return pc.assume_timezone(parse_timestamp(text, unit), zone)


def _date(text: str, anchor: DType) -> pa.Scalar:
    stamp = parse_timestamp(text)
    return stamp.cast(pa.date32()) if stamp.as_py().time() == datetime.time() else stamp


def _time(text: str, anchor: DType) -> pa.Scalar:
    return pa.scalar(datetime.time.fromisoformat(text), pa.time64("us"))


def _duration(text: str, anchor: DType) -> pa.Scalar:
    return pa.scalar(parse_duration(text), pa.duration("ns"))


_UNIT_NS = {
    "W": 604_800_000_000_000, "D": 86_400_000_000_000, "h": 3_600_000_000_000, "min": 60_000_000_000,
    "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1,
}  # fmt: skip
_UNIT_WORDS = {
    "week": "W", "w": "W", "day": "D", "d": "D", "hour": "h", "hr": "h", "h": "h", "minute": "min", "min": "min", "t": "min",
    "m": "min", "second": "s", "sec": "s", "s": "s", "millisecond": "ms", "milli": "ms", "ms": "ms", "l": "ms",
    "microsecond": "us", "micro": "us", "us": "us", "µs": "us", "u": "us", "nanosecond": "ns", "nano": "ns", "ns": "ns", "n": "ns",
}  # fmt: skip


def duration_unit(word: str) -> str:
    """``W``, ``D``, ``h``, ``min``, ``s``, ``ms``, ``us`` or ``ns`` for a unit's name; ValueError for another word."""
    low = word.lower()
    found = _UNIT_WORDS.get(low) or _UNIT_WORDS.get(low.removesuffix("s"))
    if found is None:
        raise ValueError(word)
    return found


def parse_duration(text: str) -> int:
    """Nanoseconds of ``"1 day"``, ``"2h 30min"``, ``"-90s"``, ``"1 days 02:03:04"``; ValueError for other text."""
    import re

    rest = text.strip()
    sign = -1 if rest.startswith("-") else 1
    rest = rest.lstrip("+-").strip()
    clock = re.search(r"(\d+):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$", rest)
    total = 0
    if clock:
        hours, minutes, seconds, part = clock.groups()
        total = (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * 10**9 + int((part or "0").ljust(9, "0"))
        rest = rest[: clock.start()].strip()
    if not rest and not clock:
        raise ValueError(text)
    for number, word in re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-zµ]+)", rest):
        total += int(decimal.Decimal(number) * _UNIT_NS[duration_unit(word)])
    if re.sub(r"(\d+(?:\.\d+)?)\s*([A-Za-zµ]+)|[\s,]", "", rest):
        raise ValueError(text)
    return sign * total
