"""One comparator for results of pandas and of fastframe: both become Arrow first, then names, types and values must agree.

Null, NaN, NaT and NA are all missing here (row `missing-result-is-null` of docs/coming_from_pandas.md); encodings and offset
widths of text do not count. pandas objects should hold ArrowDtype columns, so that pandas' turning integers to floats is not
what is compared.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import fastframe as ff
from fastframe.frame.row import Row
from fastframe.testing.asserts import plain

RTOL = 1e-9   # pandas sums floats in another order, and its variance has another formula


def assert_same(mine: Any, theirs: Any, *, types: str = "exact", rtol: float = RTOL) -> None:
    """fastframe's result says what pandas' result says.

    Parameters
    ----------
    types : {"exact", "kind", "values"}
        Whether columns must have one Arrow type, one kind of type (any integers, any floats ...), or only equal values.
    """
    if isinstance(theirs, pd.DataFrame):
        assert isinstance(mine, ff.DataFrame), f"a frame is expected, not {type(mine).__name__}"
        assert list(mine.columns) == [str(name) for name in theirs.columns]
        assert len(mine) == len(theirs)
        assert_index(mine.index, theirs.index, types)
        for position, name in enumerate(mine.columns):
            assert_arrays(mine[name].to_arrow(), arrow_of(theirs.iloc[:, position]), f"column {name!r}", types, rtol)
    elif isinstance(theirs, pd.Series) and isinstance(mine, Row):
        assert list(mine) == list(theirs.index)
        for name in mine:
            assert_scalars(mine[name], theirs[name], rtol)
    elif isinstance(theirs, pd.Series):
        assert isinstance(mine, ff.Series), f"a series is expected, not {type(mine).__name__}"
        assert mine.name == theirs.name
        assert len(mine) == len(theirs)
        assert_index(mine.index, theirs.index, types)
        assert_arrays(mine.to_arrow(), arrow_of(theirs), "the series", types, rtol)
    elif isinstance(theirs, pd.Index):
        assert_index(mine, theirs, types)
    elif isinstance(theirs, np.ndarray | pd.api.extensions.ExtensionArray):
        assert_scalars(np.asarray(mine).tolist(), np.asarray(theirs, dtype=object).tolist(), rtol)
    else:
        assert_scalars(mine, theirs, rtol)


def assert_index(mine: ff.Index, theirs: pd.Index, types: str) -> None:
    """Labels of one or several levels, with their names."""
    assert list(mine.names) == list(theirs.names)
    assert mine.nlevels == theirs.nlevels
    for level in range(mine.nlevels):
        ours = pa.array(mine.get_level_values(level).tolist()) if len(mine) else pa.nulls(0)
        others = arrow_of(theirs.get_level_values(level))
        others = pa.array(plain(others).to_pylist()) if len(others) else pa.nulls(0)   # pandas has no small integer labels
        assert_arrays(ours, others, f"level {level} of the index", "kind" if types == "exact" else types, RTOL)


def arrow_of(values: Any) -> pa.Array:
    """A pandas column or index as one Arrow array; NaN is null."""
    found = pa.array(values.array, from_pandas=True)
    if isinstance(found, pa.ChunkedArray):
        found = pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], found.type)
    return found


def assert_arrays(mine: pa.Array, theirs: pa.Array, what: str, types: str, rtol: float) -> None:
    """Two Arrow arrays, missing where the other is missing and else equal."""
    mine, theirs = nan_to_null(plain(mine)), nan_to_null(plain(theirs))
    all_missing = len(theirs) == theirs.null_count and types != "exact"
    assert all_missing or same_type(mine.type, theirs.type, types), f"{what} is {mine.type}, pandas has {theirs.type}"
    assert len(mine) == len(theirs), f"{what} has {len(mine)} values, pandas has {len(theirs)}"
    if not mine.equals(theirs):
        for row, (one, other) in enumerate(zip(mine.to_pylist(), theirs.to_pylist(), strict=True)):
            assert equal(one, other, rtol), f"{what}, row {row}: {one!r}, pandas has {other!r}"


def nan_to_null(array: pa.Array) -> pa.Array:
    if not pa.types.is_floating(array.type) or not len(array):
        return array
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def same_type(mine: pa.DataType, theirs: pa.DataType, types: str) -> bool:
    if types == "values" or mine == theirs:
        return True
    return types == "kind" and kind_of(mine) == kind_of(theirs)


def kind_of(kind: pa.DataType) -> str:
    types = pa.types
    for name in ("integer", "floating", "temporal", "decimal", "boolean", "string", "null"):
        if getattr(types, f"is_{name}")(kind):
            return name
    return str(kind)


def assert_scalars(mine: Any, theirs: Any, rtol: float) -> None:
    """Python values, in lists and dicts too."""
    if isinstance(theirs, Mapping):
        assert [as_python(key) for key in mine] == [as_python(key) for key in theirs]
        for one, other in zip(mine.values(), theirs.values(), strict=True):
            assert_scalars(one, other, rtol)
    elif isinstance(theirs, list | tuple):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert_scalars(one, other, rtol)
    elif isinstance(theirs, pd.Series | pd.DataFrame):
        assert_same(mine, theirs, rtol=rtol)
    else:
        assert equal(mine, theirs, rtol), f"{mine!r}, pandas has {theirs!r}"


def as_python(value: Any) -> Any:
    """NumPy's and pandas' scalars as Python's; everything missing as None."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
        return None if value is pd.NaT else value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple):
        return tuple(as_python(one) for one in value)
    return None if isinstance(value, float) and math.isnan(value) else value


def equal(mine: Any, theirs: Any, rtol: float) -> bool:
    """Whether two values are the same: missing with missing, floats within ``rtol``, and a bool is not a number."""
    mine, theirs = as_python(mine), as_python(theirs)
    if mine is None or theirs is None:
        return mine is theirs
    if isinstance(mine, float) or isinstance(theirs, float):
        if not (isinstance(mine, int | float | Decimal) and isinstance(theirs, int | float | Decimal)):
            return False
        return math.isclose(mine, theirs, rel_tol=rtol, abs_tol=rtol)
    if isinstance(mine, datetime.date) and isinstance(theirs, datetime.date):
        return as_stamp(mine) == as_stamp(theirs)
    if isinstance(mine, datetime.timedelta) and isinstance(theirs, datetime.timedelta):
        return pd.Timedelta(mine) == pd.Timedelta(theirs)
    return isinstance(mine, bool) == isinstance(theirs, bool) and mine == theirs


def as_stamp(value: datetime.date) -> pd.Timestamp:
    return pd.Timestamp(value)
