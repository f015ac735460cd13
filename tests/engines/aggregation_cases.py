"""Columns and groups for the tests of aggregations."""

from __future__ import annotations

import decimal
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column.column import Column
from fastframe.dtypes import Kind, Physical, dtype
from fastframe.engines.cpu.groups import Groups
from fastframe.ops.aggregations import AGGREGATIONS, AggregationCall

NO_GROUP = 0xFFFFFFFF
NAMES = [name for name, one in AGGREGATIONS.items() if not one.needs_other]
PAIRS = [name for name, one in AGGREGATIONS.items() if one.needs_other]
CATEGORIES = pa.array(["low", "mid", "high"])
DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "string", "binary",
    "encoded string", "date32", "date64", "time32[s]", "time64[us]", "timestamp[us]", "timestamp[ns, UTC]", "duration[us]",
    "decimal128(10, 2)", "category", "ordered category", "null", "nested", "float16",
]  # fmt: skip
NULLS = ["none", "some", "all", "sliced"]


def groups_of(codes: np.ndarray[Any, Any], n_groups: int) -> Groups:
    """Groups of given codes; some may have no row."""
    return Groups(codes, n_groups, filled=False)


def make_column(kind: str, n_rows: int, nulls: str, seed: int = 0) -> Column:
    """Values with repeats; floats also with NaN and -0.0 where there are nulls."""
    chance = random.Random(seed)
    extra = 3 if nulls == "sliced" else 0
    values = [_value(kind, chance) for _ in range(n_rows + extra)]
    if nulls != "none":
        share = 1.0 if nulls == "all" else 0.3
        values = [None if chance.random() < share else value for value in values]
        if kind in ("float32", "float64") and nulls != "all":
            values = [float("nan") if chance.random() < 0.1 else value for value in values]
    array = _array(kind, values)
    if nulls == "all" and kind in ("float32", "float64") and n_rows:
        array = pa.concat_arrays([array.slice(0, n_rows // 2), pa.array([float("nan")] * (n_rows - n_rows // 2), array.type)])
    column = Column(array, dtype("string") if kind == "encoded string" else None)
    return column.slice(extra, n_rows) if extra else column


def _array(kind: str, values: list[Any]) -> pa.Array:
    if kind == "null":
        return pa.nulls(len(values))
    if kind == "nested":
        return pa.array(values, pa.list_(pa.int64()))
    if kind == "encoded string":
        return pa.array(values, pa.string()).dictionary_encode()
    if kind in ("category", "ordered category"):
        codes = pa.array(values, pa.int32())
        return pa.DictionaryArray.from_arrays(codes, CATEGORIES, ordered=kind.startswith("ordered"))
    if kind == "decimal128(10, 2)":
        return pa.array([None if value is None else decimal.Decimal(value).scaleb(-2) for value in values], dtype(kind).arrow)
    if kind in ("float16", "float32", "float64"):
        return pa.array(values, dtype(kind).arrow, from_pandas=False)
    given = dtype(kind)
    if given.is_temporal:
        integers = pa.array(values, pa.int32() if given.physical is Physical.I32 else pa.int64())
        return integers.cast(given.arrow) if given.arrow != pa.date64() else integers.cast(pa.timestamp("ms")).cast(pa.date64())
    return pa.array(values, given.arrow)


def _value(kind: str, chance: random.Random) -> Any:
    if kind in ("string", "encoded string"):
        return chance.choice(["", "a", "ab", "b", "é", "zz", "a" * 20, "a" * 20 + "b"])
    if kind == "binary":
        return chance.choice([b"", b"\x00", b"a", b"\xff", b"a\x00"])
    if kind == "bool":
        return chance.random() < 0.5
    if kind in ("category", "ordered category"):
        return chance.randrange(3)
    if kind == "nested":
        return [chance.randrange(3)]
    if kind.startswith("float"):
        return np.float16(chance.randrange(9)) if kind == "float16" else chance.choice([chance.gauss(0, 10), -0.0, 0.0, 1.5])
    if kind == "date64":
        return chance.randrange(-50, 50) * 86_400_000
    if kind.startswith(("uint", "time32", "time64")):
        return chance.randrange(0, 100)
    return chance.choice([-2, -1, 1, 2, chance.randrange(-100, 100)])


def make_codes(n_rows: int, n_groups: int, seed: int = 0, dropped: bool = True) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Codes of which some groups have no row, and some rows no group."""
    random_codes = np.random.default_rng(seed).integers(0, max(1, n_groups * 2 // 3 or 1), n_rows).astype(np.uint32)
    if dropped or n_groups == 0:
        random_codes[:: 7 if n_groups else 1] = NO_GROUP
    return random_codes


def listed_codes(codes: np.ndarray[Any, Any]) -> list[int | None]:
    return [None if code == NO_GROUP else int(code) for code in codes]


def calls(name: str) -> Iterator[AggregationCall]:
    """The aggregation with its defaults and with other values of its options."""
    yield AggregationCall(name)
    yield AggregationCall(name, {"skipna": False})
    for option, values in {"ddof": [0], "min_count": [2], "dropna": [False]}.items():
        if option in AGGREGATIONS[name].options:
            yield from (AggregationCall(name, {option: value}) for value in values)
    if name == "quantile":
        for interpolation in ("linear", "lower", "higher", "nearest", "midpoint"):
            yield from (AggregationCall(name, {"q": q, "interpolation": interpolation}) for q in (0, 0.3, 1))


def is_exact(name: str, column: Column) -> bool:
    """Whether the result may not depend on how rows are split, to the last bit."""
    rounded = ("var", "std", "sem") if column.dtype.kind is not Kind.FLOAT else ("sum", "prod", "mean", "var", "std", "sem")
    return name not in rounded
