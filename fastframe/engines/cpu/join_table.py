"""`Join` on this machine: keys to a common dtype, row maps, then one take per column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastframe.column import Column, Table
from fastframe.column.arrow import array_to_arrow
from fastframe.dtypes import DType, Kind, from_arrow
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.dictionaries import same_categories
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.join import join_rows, key_uniqueness
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.select import is_missing_rows, take, where
from fastframe.engines.cpu.spread import spread
from fastframe.errors import MergeError
from fastframe.ops.join import VALIDATE, Join

_EXACT_FLOAT = 2**53


def join_tables(spec: Join, left: Table, right: Table) -> Table:
    """The joined table; see `fastframe.ops.join.Join` for its order and names."""
    pairs = list(zip(spec.left_on, spec.right_on, strict=True))
    shared_dtype = [_shared_dtype(spec, left, one, right, other) for one, other in pairs]
    left_keys = [_as_key(left[name], dtype, name, right[other].dtype, other) for (name, other), dtype in zip(pairs, shared_dtype, strict=True)]
    right_keys = [_as_key(right[other], dtype, other, left[name].dtype, name) for (name, other), dtype in zip(pairs, shared_dtype, strict=True)]
    if spec.validate is not None:
        _check_unique(spec, left_keys, right_keys)
    left_rows, right_rows = join_rows(left_keys, right_keys, how=spec.how)
    left_missing, right_missing = spec.how in ("right", "outer"), spec.how in ("left", "outer")
    keys = {name: position for position, (name, other) in enumerate(pairs) if name == other}
    out: dict[str, Column] = {}
    for side, name, new in spec.names(left.schema, right.schema):
        if side == "both":
            position = keys[name]
            out[new] = _merged_key(left_keys[position], right_keys[position], left_rows, right_rows, spec.how)
        elif side == "left":
            out[new] = _taken(left[name], left_rows, missing=left_missing)
        else:
            out[new] = _taken(right[name], right_rows, missing=right_missing)
    n_rows = len(left_rows) if left_rows is not None else left.n_rows
    return Table(out, n_rows)


def _shared_dtype(spec: Join, left: Table, left_key: str, right: Table, right_key: str) -> DType:
    """The dtype in which a pair of keys is compared; categories that differ are compared as their values."""
    found = spec.key_dtype(left_key, left.schema, right_key, right.schema)
    if found.kind is Kind.CATEGORY and not same_categories([left[left_key], right[right_key]]):
        return from_arrow(found.arrow.value_type)
    return found


def _taken(column: Column, rows: np.ndarray | None, *, missing: bool) -> Column:
    return column if rows is None else spread(column, rows, missing=missing)


def _merged_key(left: Column, right: Column, left_rows: np.ndarray | None, right_rows: np.ndarray | None, how: str) -> Column:
    """A key that both sides have under one name: from the side that has the row."""
    if how in ("inner", "left"):
        return _taken(left, left_rows, missing=False)
    if how == "right":
        return _taken(right, right_rows, missing=False)
    assert left_rows is not None and right_rows is not None
    from_left, from_right = take(left, left_rows, missing=True), take(right, right_rows, missing=True)
    return where(is_missing_rows(left_rows), from_right, from_left)


def _as_key(column: Column, dtype: DType, name: str, other: DType, other_name: str) -> Column:
    """The key in the dtype that both sides share; integers that float64 cannot tell apart are refused."""
    if column.dtype == dtype:
        return column
    if dtype.kind is Kind.FLOAT and column.dtype.is_integer and len(column) > column.null_count:
        low, high, *_ = value_range(column)
        assert low is not None and high is not None
        if max(-low, high) > _EXACT_FLOAT:
            raise MergeError.beyond_float(name, column.dtype, other_name, other)
    return cast(column, dtype, safe=False)


def _check_unique(spec: Join, left_keys: Sequence[Column], right_keys: Sequence[Column]) -> None:
    assert spec.validate is not None
    for keys, names, side, wanted in (
        (left_keys, spec.left_on, "left", VALIDATE[spec.validate][0]),
        (right_keys, spec.right_on, "right", VALIDATE[spec.validate][1]),
    ):
        if not wanted or not len(keys[0]):
            continue
        groups = group_rows(keys, dropna=False, sort=None)
        row = key_uniqueness(groups.wide_codes, groups.n_groups)
        if row is not None:
            example = tuple(array_to_arrow(key)[row].as_py() for key in keys)
            raise MergeError.not_unique(spec.validate, side, names, example if len(example) > 1 else example[0])
