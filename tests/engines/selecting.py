"""Columns of every form for the tests of take, filter, concat, where and put."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe.column import Column

SIZES = [0, 1, 7, 8, 9, 63, 64, 65, 511, 512, 513]
LARGE = 200_000   # two slices
NULLS = ["none", "some", "all"]

WORDS = ["", "a", "bc", "déjà vu", "exactly-16-bytes", "seventeen bytes!!", "x" * 40, "zz", "12345678"]


def _words(rng, n_rows):
    return [WORDS[code] for code in rng.integers(0, len(WORDS), n_rows)]


# dtype name -> Arrow type, values of n rows
MAKERS = {
    "bool": (pa.bool_(), lambda rng, n: [bool(one) for one in rng.integers(0, 2, n)]),
    "int8": (pa.int8(), lambda rng, n: rng.integers(-128, 128, n).tolist()),
    "uint16": (pa.uint16(), lambda rng, n: rng.integers(0, 2**16, n).tolist()),
    "int32": (pa.int32(), lambda rng, n: rng.integers(-(2**31), 2**31, n).tolist()),
    "float32": (pa.float32(), lambda rng, n: rng.integers(-100, 100, n).astype(np.float32).tolist()),
    "int64": (pa.int64(), lambda rng, n: rng.integers(-(2**62), 2**62, n).tolist()),
    "float64": (pa.float64(), lambda rng, n: rng.choice([0.5, -0.0, 1e300, -7.25, float("inf")], n).tolist()),
    "date32": (pa.date32(), lambda rng, n: [datetime.date(1970, 1, 1) + datetime.timedelta(int(d)) for d in rng.integers(-999, 9999, n)]),
    "decimal": (pa.decimal128(30, 2), lambda rng, n: [Decimal(int(v)).scaleb(-2) * 10**12 for v in rng.integers(-(2**40), 2**40, n)]),
    "string": (pa.string(), _words),
    "large_string": (pa.large_string(), _words),
    "binary": (pa.binary(), lambda rng, n: [word.encode() for word in _words(rng, n)]),
    "encoded": (pa.string(), _words),
    "category": (pa.string(), _words),
    "float16": (pa.float16(), lambda rng, n: rng.integers(-100, 100, n).astype(np.float16).tolist()),
    "list": (pa.list_(pa.int64()), lambda rng, n: [[int(v)] * int(v % 3) for v in rng.integers(0, 9, n)]),
}
FORMS = list(MAKERS)


def values_of(form, n_rows, nulls, seed=0):
    """Python values, None where null."""
    rng = np.random.default_rng(seed)
    values = MAKERS[form][1](rng, n_rows)
    if nulls == "all":
        return [None] * n_rows
    if nulls == "some":
        return [None if lost else value for value, lost in zip(values, rng.random(n_rows) < 0.3, strict=True)]
    return values


def column_of(form, values, *, before=0):
    """A column of the values; with ``before``, a slice that starts that far into its buffers and ends before their end."""
    arrow = MAKERS[form][0]
    padding = values_of(form, before, "some", seed=9) if before else []
    array = pa.array([*padding, *values, *padding], arrow)
    if form in ("encoded", "category"):
        array = array.dictionary_encode()
    column = Column(array, dtypes.STRING if form == "encoded" else None)
    return column.slice(before, len(values)) if before else column


def listed(column):
    column.array.validate(full=True)
    return column.array.to_pylist()


def mask_of(values, *, before=0):
    return column_of("bool", values, before=before)


def mask_values(n_rows, kind, seed=1):
    rng = np.random.default_rng(seed)
    if kind == "all":
        return [True] * n_rows
    if kind == "none":
        return [False] * n_rows
    if kind == "nulls":
        return [None if one == 0 else bool(one == 1) for one in rng.integers(0, 3, n_rows)]
    if kind == "runs":   # whole words of ones and zeros, and edges within words
        return [bool((row // 100) % 2) for row in range(n_rows)]
    return [bool(one) for one in rng.random(n_rows) < {"half": 0.5, "few": 0.02, "most": 0.97}[kind]]


MASKS = ["half", "few", "most", "runs", "nulls", "all", "none"]


def same(found, expected):
    """Equal lists, NaN equal to NaN and -0.0 not equal to 0.0."""
    return [repr(one) for one in found] == [repr(one) for one in expected]
