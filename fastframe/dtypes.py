"""The one table between Arrow types, NumPy types, pandas names and what kernels see; result and accumulator types."""

from __future__ import annotations

import re
from dataclasses import field
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.errors import DTypeError
from fastframe.records import record


class Physical(IntEnum):
    """How kernels see values; keep in step with ``_kernels/kernel.hpp``."""

    I8 = 0
    I16 = 1
    I32 = 2
    I64 = 3
    U8 = 4
    U16 = 5
    U32 = 6
    U64 = 7
    F32 = 8
    F64 = 9
    BOOL = 10
    I128 = 11
    STR = 12
    LSTR = 13

    __hash__ = int.__hash__   # Enum's own is a call of Python code, at every look into a dict or set


class Kind(Enum):
    """What values mean."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    TIME = "time"
    STRING = "string"
    BINARY = "binary"
    CATEGORY = "category"
    NULL = "null"
    NESTED = "nested"
    OTHER = "other"

    __hash__ = object.__hash__   # members are single objects; see `Physical`


_WIDTH = {
    Physical.I8: 1, Physical.I16: 2, Physical.I32: 4, Physical.I64: 8,
    Physical.U8: 1, Physical.U16: 2, Physical.U32: 4, Physical.U64: 8,
    Physical.F32: 4, Physical.F64: 8, Physical.I128: 16,
}  # fmt: skip

# name, Arrow type, kind, physical, NumPy dtype. One row per type without parameters.
_PLAIN: list[tuple[str, pa.DataType, Kind, Physical | None, str | None]] = [
    ("bool", pa.bool_(), Kind.BOOL, Physical.BOOL, "bool"),
    ("int8", pa.int8(), Kind.INT, Physical.I8, "int8"),
    ("int16", pa.int16(), Kind.INT, Physical.I16, "int16"),
    ("int32", pa.int32(), Kind.INT, Physical.I32, "int32"),
    ("int64", pa.int64(), Kind.INT, Physical.I64, "int64"),
    ("uint8", pa.uint8(), Kind.UINT, Physical.U8, "uint8"),
    ("uint16", pa.uint16(), Kind.UINT, Physical.U16, "uint16"),
    ("uint32", pa.uint32(), Kind.UINT, Physical.U32, "uint32"),
    ("uint64", pa.uint64(), Kind.UINT, Physical.U64, "uint64"),
    ("float16", pa.float16(), Kind.FLOAT, None, "float16"),
    ("float32", pa.float32(), Kind.FLOAT, Physical.F32, "float32"),
    ("float64", pa.float64(), Kind.FLOAT, Physical.F64, "float64"),
    ("string", pa.string(), Kind.STRING, Physical.STR, None),
    ("string", pa.large_string(), Kind.STRING, Physical.LSTR, None),
    ("binary", pa.binary(), Kind.BINARY, Physical.STR, None),
    ("binary", pa.large_binary(), Kind.BINARY, Physical.LSTR, None),
    ("date32", pa.date32(), Kind.DATE, Physical.I32, "datetime64[D]"),
    ("date64", pa.date64(), Kind.DATE, Physical.I64, "datetime64[ms]"),
    ("time32[s]", pa.time32("s"), Kind.TIME, Physical.I32, None),
    ("time32[ms]", pa.time32("ms"), Kind.TIME, Physical.I32, None),
    ("time64[us]", pa.time64("us"), Kind.TIME, Physical.I64, None),
    ("time64[ns]", pa.time64("ns"), Kind.TIME, Physical.I64, None),
    ("null", pa.null(), Kind.NULL, None, None),
]

# pandas' and Python's other words for the same types.
_ALIASES = {
    "int": "int64", "float": "float64", "double": "float64", "single": "float32", "half": "float16", "boolean": "bool",
    "str": "string", "object": "string", "Int8": "int8", "Int16": "int16", "Int32": "int32", "Int64": "int64",
    "UInt8": "uint8", "UInt16": "uint16", "UInt32": "uint32", "UInt64": "uint64", "Float32": "float32",
    "Float64": "float64", "datetime64": "timestamp[ns]", "timedelta64": "duration[ns]", "date": "date32",
    "large_string": "string", "utf8": "string", "bytes": "binary",
}  # fmt: skip


@record(frozen=True, eq=False)
class DType:
    """A column's dtype. Compares equal to its name, to NumPy and Arrow types, and to Python's ``int``, ``str`` ...

    >>> from fastframe.dtypes import dtype
    >>> dtype("int64") == int, dtype("string") == "str", dtype("timestamp[us]")
    (True, True, timestamp[us])
    """

    name: str
    arrow: pa.DataType
    kind: Kind
    physical: Physical | None
    numpy: np.dtype[Any] | None = None
    width: int = field(init=False)           # bytes of one value where values are byte-wide and of one size, else 0
    is_integer: bool = field(init=False)
    is_numeric: bool = field(init=False)
    is_temporal: bool = field(init=False)
    is_text: bool = field(init=False)        # variable-length bytes, plain or dictionary-encoded (string, binary)

    def __post_init__(self) -> None:
        kind = self.kind
        facts = {
            "width": _WIDTH.get(self.physical, 0) if self.physical is not None else 0,
            "is_integer": kind in (Kind.INT, Kind.UINT),
            "is_numeric": kind in (Kind.INT, Kind.UINT, Kind.FLOAT, Kind.DECIMAL),
            "is_temporal": kind in (Kind.DATE, Kind.TIMESTAMP, Kind.DURATION, Kind.TIME),
            "is_text": kind in (Kind.STRING, Kind.BINARY),
        }
        for name, value in facts.items():   # asked for at every call, so known once per dtype
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, DType):
            return self.name == other.name and (self.kind is not Kind.CATEGORY or self.arrow == other.arrow)
        if isinstance(other, str) and other == self.name:   # also of types that no name can make, such as list<item: int64>
            return True
        try:
            return self.name == dtype(other).name
        except (DTypeError, TypeError, ValueError):
            return False

    @property
    def ordered(self) -> bool:
        """Whether a category's categories have an order."""
        return bool(self.kind is Kind.CATEGORY and self.arrow.ordered)


_BY_ARROW: dict[pa.DataType, DType] = {}
_BY_NAME: dict[str, DType] = {}
for _name, _arrow, _kind, _physical, _numpy in _PLAIN:
    _made = DType(_name, _arrow, _kind, _physical, np.dtype(_numpy) if _numpy else None)
    _BY_ARROW[_arrow] = _made
    _BY_NAME.setdefault(_name, _made)


def is_arrow_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is plain text: strings with offsets of either width, no views."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


@lru_cache(maxsize=1024)
def from_arrow(arrow: pa.DataType, column: str | None = None) -> DType:
    """The dtype of an Arrow type as it is held (string_view and half-supported types are converted at intake).

    A dictionary type is a ``category`` here; intake decides whether a dictionary is only an encoding of ``string``.
    """
    if arrow in _BY_ARROW:
        return _BY_ARROW[arrow]
    types = pa.types
    if types.is_timestamp(arrow):
        zone = f", {arrow.tz}" if arrow.tz else ""
        return DType(f"timestamp[{arrow.unit}{zone}]", arrow, Kind.TIMESTAMP, Physical.I64, np.dtype(f"datetime64[{arrow.unit}]"))
    if types.is_duration(arrow):
        return DType(f"duration[{arrow.unit}]", arrow, Kind.DURATION, Physical.I64, np.dtype(f"timedelta64[{arrow.unit}]"))
    if types.is_decimal128(arrow):
        return DType(f"decimal128({arrow.precision}, {arrow.scale})", arrow, Kind.DECIMAL, Physical.I128)
    if types.is_dictionary(arrow):
        return DType("category", arrow, Kind.CATEGORY, Physical.I32)
    if types.is_nested(arrow) and not types.is_union(arrow):
        return DType(str(arrow), arrow, Kind.NESTED, None)
    if types.is_fixed_size_binary(arrow) or types.is_decimal(arrow) or types.is_interval(arrow):
        return DType(str(arrow), arrow, Kind.OTHER, None)
    raise DTypeError.unsupported_arrow(arrow, column)


# Patterns, which `re` compiles (half a millisecond) when a name first needs them.
_PARAMETRIC = r"(timestamp|datetime64|duration|timedelta64|decimal128|decimal)\s*[\[(]\s*(.*?)\s*[\])]$"
_NUMPY_CODE = r"[<>=|]?(i[1248]|u[1248]|f[248]|[SU]\d*|[mM]8\[(s|ms|us|ns|D)\])"   # the array protocol's: "i8", "<f4", "M8[ns]"


def dtype(given: Any) -> DType:
    """The dtype for a name, a NumPy, Arrow or Python type.

    Raises
    ------
    DTypeError
        For anything else; close names are suggested.
    """
    if isinstance(given, DType):
        return given
    if isinstance(given, pa.DataType):
        return from_arrow(given)
    if isinstance(given, type) and given in _PYTHON:
        return _BY_NAME[_PYTHON[given]]
    if isinstance(given, str):
        return _from_name(given)
    name = getattr(given, "name", None)   # pandas extension dtypes
    if isinstance(name, str) and not isinstance(given, np.dtype) and type(given).__module__.startswith("pandas"):
        return _from_name(name)
    try:
        return _from_numpy(np.dtype(given))
    except TypeError:
        raise DTypeError.unknown(given, sorted(_BY_NAME)) from None


_PYTHON = {int: "int64", float: "float64", bool: "bool", str: "string", bytes: "binary"}


def _from_name(name: str) -> DType:
    name = _ALIASES.get(name.strip(), name.strip())
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == "category":
        return from_arrow(pa.dictionary(pa.int32(), pa.string()))
    match = re.match(_PARAMETRIC, name)
    if match is None:
        if re.fullmatch(_NUMPY_CODE, name):
            return _from_numpy(np.dtype(name))
        raise DTypeError.unknown(name, sorted(_BY_NAME))
    family, inner = match.groups()
    parts = [part.strip() for part in inner.split(",")]
    try:
        if family in ("timestamp", "datetime64"):
            return from_arrow(pa.timestamp(parts[0], tz=parts[1].removeprefix("tz=") if len(parts) > 1 else None))
        if family in ("duration", "timedelta64"):
            return from_arrow(pa.duration(parts[0]))
        return from_arrow(pa.decimal128(int(parts[0]), int(parts[1]) if len(parts) > 1 else 0))
    except (ValueError, pa.ArrowException):
        raise DTypeError.unknown(name, sorted(_BY_NAME)) from None


def _from_numpy(given: np.dtype[Any]) -> DType:
    if given.kind in "US":
        return _BY_NAME["string"] if given.kind == "U" else _BY_NAME["binary"]
    if given.kind == "O":
        return _BY_NAME["string"]
    if given.kind in "mM":
        unit = np.datetime_data(given)[0]
        if unit == "D" and given.kind == "M":
            return _BY_NAME["date32"]
        unit = unit if unit in ("s", "ms", "us", "ns") else "ns" if unit == "generic" else "s"
        return from_arrow(pa.timestamp(unit) if given.kind == "M" else pa.duration(unit))
    if given.name in _BY_NAME:
        return _BY_NAME[given.name]
    raise DTypeError.unknown(given, sorted(_BY_NAME))


@lru_cache(maxsize=1024)
def common(left: DType, right: DType) -> DType | None:
    """The dtype that holds values of both without loss of kind, as NumPy promotes; None where there is none.

    Integers stay integers (int64 with uint64 becomes float64, as in NumPy and pandas); null gives way to the other.
    """
    if left == right:
        return left
    if left.kind is Kind.NULL:
        return right
    if right.kind is Kind.NULL:
        return left
    if left.numpy is not None and right.numpy is not None and {left.kind, right.kind} <= _ARITHMETIC:
        return _from_numpy(np.promote_types(left.numpy, right.numpy))
    if left.kind is right.kind and left.kind in (Kind.TIMESTAMP, Kind.DURATION) and getattr(left.arrow, "tz", None) == getattr(right.arrow, "tz", None):
        return max((left, right), key=lambda one: ("s", "ms", "us", "ns").index(one.arrow.unit))
    if {left.kind, right.kind} == {Kind.DATE, Kind.TIMESTAMP}:
        stamp = left if left.kind is Kind.TIMESTAMP else right
        return stamp if stamp.arrow.tz is None else None
    if left.kind is right.kind is Kind.DATE:
        return _BY_NAME["date64"]
    if left.kind is right.kind is Kind.DECIMAL:
        scale = max(left.arrow.scale, right.arrow.scale)
        whole = max(left.arrow.precision - left.arrow.scale, right.arrow.precision - right.arrow.scale)
        return from_arrow(pa.decimal128(min(38, whole + scale), scale))
    if Kind.DECIMAL in (left.kind, right.kind):
        other = left if right.kind is Kind.DECIMAL else right
        decimal = right if right.kind is Kind.DECIMAL else left
        if other.is_integer:
            return from_arrow(pa.decimal128(38, decimal.arrow.scale))
        return _BY_NAME["float64"] if other.kind is Kind.FLOAT else None
    if {left.kind, right.kind} == {Kind.CATEGORY, Kind.STRING} or (left.kind is right.kind is Kind.CATEGORY):
        return _BY_NAME["string"]
    return None


_ARITHMETIC = {Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT}
BOOL, INT64, UINT64, FLOAT64, STRING = (_BY_NAME[name] for name in ("bool", "int64", "uint64", "float64", "string"))
INT32, UINT32, FLOAT32, NULL, INT8 = (_BY_NAME[name] for name in ("int32", "uint32", "float32", "null", "int8"))
