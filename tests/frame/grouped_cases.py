"""Pairs of a fastframe and a pandas object over the same values, and a comparison of what verbs make of them."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import fastframe as ff
from fastframe.column.column import Column
from fastframe.frame.dataframe import DataFrame
from fastframe.frame.labels import default_labels, with_labels
from fastframe.testing import column

_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(), pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(), pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(),
}  # fmt: skip
_REFUSED = (ZeroDivisionError, AttributeError, KeyError, pd.errors.InvalidIndexError, TypeError, ValueError, NotImplementedError, pa.ArrowException)


def pandas_series(values: Column) -> pd.Series:
    """A column as pandas holds it: nullable ints and bools where it has nulls, Arrow's decimals, dates and times."""
    array = values.array
    if isinstance(array, pa.DictionaryArray) and values.dtype.name != "category":
        array = array.dictionary_decode()
    if array.null_count and array.type in _NULLABLE:
        return array.to_pandas(types_mapper=_NULLABLE.get)
    if pa.types.is_date(array.type) or pa.types.is_decimal(array.type) or pa.types.is_time(array.type):
        return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])))
    if pa.types.is_string(array.type):
        return pd.Series(array.to_pylist(), dtype="str")
    return array.to_pandas()


def pair(columns: Mapping[str, Column]) -> tuple[DataFrame, pd.DataFrame]:
    """The same columns as a frame of each."""
    n_rows = len(next(iter(columns.values())))
    table = with_labels(default_labels(n_rows), columns, n_rows)
    other = pd.DataFrame({name: pandas_series(one) for name, one in columns.items()})
    return DataFrame._of(table), other


def made(n_rows: int, **kinds: Any) -> tuple[DataFrame, pd.DataFrame]:
    """A pair from column names to what `fastframe.testing.column` takes, in short: a dtype or a dict of its arguments."""
    return pair({
        name: column(**{"n_rows": n_rows, "seed": place, **(kind if isinstance(kind, dict) else {"dtype": kind})})
        for place, (name, kind) in enumerate(kinds.items())
    })


def plain(value: Any) -> Any:
    """A value that both sides agree on: missing is None, instants are nanoseconds, NumPy's scalars Python's."""
    if isinstance(value, tuple):
        return tuple(plain(one) for one in value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind not in "mM" else pd.Timestamp(value) if value.dtype.kind == "M" else pd.Timedelta(value)
        return plain(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, decimal.Decimal) and value.is_nan():
        return None
    if isinstance(value, datetime.datetime):
        stamp = pd.Timestamp(value).as_unit("ns")
        return ("instant", stamp.value, str(stamp.tz) if stamp.tz is not None else None)
    if isinstance(value, datetime.timedelta):
        return ("duration", pd.Timedelta(value).as_unit("ns").value)
    return value


def _listed(values: Any) -> list[Any]:
    return [plain(one) for one in values.tolist()]


def content(result: Any, *, labels: bool = True) -> dict[Any, list[Any]]:
    """Names to values, the labels first under ``("index", names)``."""
    if isinstance(result, ff.DataFrame | pd.DataFrame):
        found = {name: _listed(result[name]) for name in result.columns}
    else:
        found = {result.name if result.name is not None else "": _listed(result)}
    if not labels:
        return found
    return {("index", *result.index.names): _listed(result.index), **found}


def _differs(one: Any, other: Any, rtol: float) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) != len(other) or any(_differs(left, right, rtol) for left, right in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return not (one == other or math.isclose(one, other, rel_tol=rtol, abs_tol=rtol))
    return type(one) is not type(other) or one != other


def assert_same(ours: Any, theirs: Any, *, rtol: float = 0.0, labels: bool = True, numbers: bool = False) -> None:
    """Both have the same labels, names and values, ints as ints (``numbers=True``: an int may be an equal float)."""
    if not isinstance(theirs, pd.DataFrame | pd.Series):
        one, other = plain(ours), plain(theirs)
        assert not _differs(float(one) if numbers and one is not None else one, float(other) if numbers and other is not None else other, rtol), (ours, theirs)
        return
    assert isinstance(ours, ff.DataFrame) == isinstance(theirs, pd.DataFrame), (type(ours), type(theirs))
    mine, pandas = content(ours, labels=labels), content(theirs, labels=labels)
    assert list(mine) == list(pandas)
    for name, values in mine.items():
        expected = pandas[name]
        assert len(values) == len(expected), f"{name!r}: {len(values)} rows and {len(expected)}"
        for row, (one, other) in enumerate(zip(values, expected, strict=True)):
            if numbers and isinstance(one, int | float) and isinstance(other, int | float | bool):
                one, other = float(one), float(other)
            assert not _differs(one, other, rtol), f"{name!r} row {row}: {one!r}, but pandas has {other!r}"


def outcome(verb: Callable[[Any], Any], frame: Any) -> Any:
    """The verb's result, or None where it refuses the dtypes."""
    try:
        return verb(frame)
    except _REFUSED as error:
        return error


def assert_verb(verb: Callable[[Any], Any], frames: tuple[Any, Any], **options: Any) -> None:
    """The verb gives the same on both; where pandas refuses it, fastframe may as well, and the other way round not."""
    theirs = outcome(verb, frames[1])
    if isinstance(theirs, Exception):
        found = outcome(verb, frames[0])
        assert not isinstance(found, Exception) or isinstance(found, ff.errors.FastFrameError), found
        return
    assert_same(verb(frames[0]), theirs, **options)
