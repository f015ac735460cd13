"""Which dtype can be converted to which."""

from __future__ import annotations

import pyarrow as pa

from fastframe import dtypes
from fastframe.dtypes import DType, Kind
from fastframe.errors import DTypeError

# Kinds that convert alike.
FAMILY = {
    Kind.BOOL: "number", Kind.INT: "number", Kind.UINT: "number", Kind.FLOAT: "number", Kind.DECIMAL: "decimal",
    Kind.DATE: "date", Kind.TIMESTAMP: "timestamp", Kind.DURATION: "duration", Kind.TIME: "time", Kind.STRING: "text",
    Kind.BINARY: "binary", Kind.CATEGORY: "category", Kind.NULL: "null",
}  # fmt: skip

PAIRS = frozenset(
    [("null", target) for target in set(FAMILY.values())]
    + [(source, "text") for source in set(FAMILY.values())]
    + [(source, "category") for source in set(FAMILY.values())]
    + [("text", target) for target in set(FAMILY.values()) - {"null"}]
    + [("category", target) for target in set(FAMILY.values()) - {"null"}]
    + [(one, one) for one in set(FAMILY.values())]
    + [("number", "decimal"), ("decimal", "number"), ("text", "binary"), ("binary", "text")]
    + [("number", one) for one in ("timestamp", "duration", "date", "time")]
    + [(one, "number") for one in ("timestamp", "duration", "date", "time")]
    + [("timestamp", "date"), ("date", "timestamp"), ("timestamp", "time")]
)


def resolve_cast(source: DType, target: DType) -> DType:
    """The dtype that casting ``source`` to ``target`` gives (``category`` takes the values' type); `DTypeError` if none.

    Timestamps with a zone and without do not convert: `tz_localize` says which instants are meant.
    """
    pair = FAMILY.get(source.kind), FAMILY.get(target.kind)
    if source == target:
        return source
    if pair not in PAIRS:
        raise DTypeError.of_pair("astype", source, target)
    if pair == ("timestamp", "timestamp") and (source.arrow.tz is None) != (target.arrow.tz is None):
        raise DTypeError.of_zones("astype", source, target)
    if target.kind is Kind.CATEGORY:
        return _category(source, target)
    return target


def _category(source: DType, target: DType) -> DType:
    if source.kind is Kind.CATEGORY:
        values = source.arrow.value_type
    else:
        values = pa.string() if source.kind in (Kind.STRING, Kind.NULL) else source.arrow
    return dtypes.from_arrow(pa.dictionary(pa.int32(), values, ordered=target.ordered))
