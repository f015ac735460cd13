"""`Join` on this machine: keys to a common dtype, the pairs counted, then their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastframe.column import Column, Table
from fastframe.column.arrow import value_at
from fastframe.dtypes import DType, Kind, from_arrow
from fastframe.engines.cpu.cast import cast
from fastframe.engines.cpu.dictionaries import same_categories
from fastframe.engines.cpu.facts import value_range
from fastframe.engines.cpu.filter import filter_column, filter_columns
from fastframe.engines.cpu.join import find_pairs, key_uniqueness, outer_rows, partnered
from fastframe.engines.cpu.join_output import joined_columns, require_memory
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.select import is_missing_rows, take, where
from fastframe.engines.cpu.spread import spread
from fastframe.errors import MergeError
from fastframe.ops.join import VALIDATE, Join

LARGER = 4            # times the probe side, from which the build side is first reduced to what has a partner
MOST_KEPT = 2         # of the build rows at most one in so many may be left for that to pay
FEW_ROWS = 1 << 14    # build rows that are indexed as fast as they are looked at
_EXACT_FLOAT = 2**53


def join_tables(spec: Join, left: Table, right: Table) -> Table:
    """The joined table; see `fastframe.ops.join.Join` for its order and names."""
    pairs = list(zip(spec.left_on, spec.right_on, strict=True))
    shared_dtype = [_shared_dtype(spec, left, one, right, other) for one, other in pairs]
    left_keys = [_as_key(left[name], dtype, name, right[other].dtype, other) for (name, other), dtype in zip(pairs, shared_dtype, strict=True)]
    right_keys = [_as_key(right[other], dtype, other, left[name].dtype, name) for (name, other), dtype in zip(pairs, shared_dtype, strict=True)]
    sides = Sides(left, right, left_keys, right_keys)
    if spec.how != "outer":
        return _in_order(spec, sides)
    _check_unique(spec, sides, "left", "right")
    return _outer(spec, sides)


class Sides(NamedTuple):
    """The tables and their keys in shared dtypes, as ``left_on`` and ``right_on`` have them."""

    left: Table
    right: Table
    left_keys: list[Column]
    right_keys: list[Column]


def _in_order(spec: Join, sides: Sides) -> Table:
    """Inner, left and right joins: one side probes, in its order, an index of the other."""
    flipped = spec.how == "right"
    probe_name, build_name = ("right", "left") if flipped else ("left", "right")
    _check_unique(spec, sides, probe_name)
    probe_keys, build_keys = (sides.right_keys, sides.left_keys) if flipped else (sides.left_keys, sides.right_keys)
    probe: dict[str, Column] = {}
    build: dict[str, Column] = {}
    names = spec.names(sides.left.schema, sides.right.schema)
    for side, name, new in names:
        if side == "both":   # from the side all of whose result rows have one
            probe[new] = probe_keys[spec.left_on.index(name)]
        elif side == probe_name:
            probe[new] = (sides.left if side == "left" else sides.right)[name]
        else:
            build[new] = (sides.left if side == "left" else sides.right)[name]
    if not _wants_unique(spec, build_name):   # the index of all build rows tells whether they are
        build_keys, build = _with_partners(probe_keys, build_keys, build)
    repeated = lambda: _check_unique(spec, sides, build_name)   # noqa: E731
    pairs = find_pairs(probe_keys, build_keys, keeps_unmatched=spec.how != "inner", repeated=repeated)
    require_memory(pairs, probe, build)
    unseen = [key for key in build_keys if not any(key is one for one in build.values())]
    probe_out, build_out = joined_columns(pairs, probe, build, unseen=unseen)
    return Table.of({new: probe_out[new] if new in probe_out else build_out[new] for _, _, new in names}, pairs.n_pairs)


def _with_partners(
    probe_keys: Sequence[Column], build_keys: list[Column], build: dict[str, Column]
) -> tuple[list[Column], dict[str, Column]]:
    """A build side much larger than the probe side without the rows that no probe row asks for.

    They are found against an index of the small side, which stays in the cache; an index of the large one would not.
    """
    n_build = len(build_keys[0])
    if n_build < FEW_ROWS or n_build < LARGER * len(probe_keys[0]):
        return build_keys, build
    plan = partnered(build_keys, probe_keys)
    if plan.n_selected > n_build // MOST_KEPT:
        return build_keys, build
    return [filter_column(key, plan) for key in build_keys], filter_columns(build, plan)


def _outer(spec: Join, sides: Sides) -> Table:
    left_rows, right_rows = outer_rows(sides.left_keys, sides.right_keys)
    out: dict[str, Column] = {}
    for side, name, new in spec.names(sides.left.schema, sides.right.schema):
        if side == "both":
            at = spec.left_on.index(name)
            from_left, from_right = take(sides.left_keys[at], left_rows, missing=True), take(sides.right_keys[at], right_rows, missing=True)
            out[new] = where(is_missing_rows(left_rows), from_right, from_left)
        elif side == "left":
            out[new] = spread(sides.left[name], left_rows, missing=True)
        else:
            out[new] = spread(sides.right[name], right_rows, missing=True)
    return Table.of(out, len(left_rows))


def _shared_dtype(spec: Join, left: Table, left_key: str, right: Table, right_key: str) -> DType:
    """The dtype in which a pair of keys is compared; categories that differ are compared as their values."""
    found = spec.key_dtype(left_key, left.schema, right_key, right.schema)
    if found.kind is Kind.CATEGORY and not same_categories([left[left_key], right[right_key]]):
        return from_arrow(found.arrow.value_type)
    return found


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


def _wants_unique(spec: Join, side: str) -> bool:
    """Whether the keys of a side are to be unique."""
    return spec.validate is not None and VALIDATE[spec.validate][0 if side == "left" else 1]


def _check_unique(spec: Join, sides: Sides, *names: str) -> None:
    """Raise where the keys of the named sides repeat and should not."""
    for side in names:
        keys, names_of_keys = (sides.left_keys, spec.left_on) if side == "left" else (sides.right_keys, spec.right_on)
        if not _wants_unique(spec, side) or not len(keys[0]):
            continue
        groups = group_rows(keys, dropna=False, sort=None)
        row = key_uniqueness(groups.wide_codes, groups.n_groups)
        if row is not None:
            example = tuple(value_at(key, row) for key in keys)
            assert spec.validate is not None
            raise MergeError.not_unique(spec.validate, side, names_of_keys, example if len(example) > 1 else example[0])
