"""Key columns to dense group ids: `group_rows`.

`plan.py` decides how; what was found is kept on the key columns (`column/cache.py`). Equal codes are equal keys, always,
and nothing depends on threads or on what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastframe.column import cache
from fastframe.column.column import Column
from fastframe.engines.cpu.group_keys import words_of_groups
from fastframe.engines.cpu.group_order import by_appearance, by_keys
from fastframe.engines.cpu.groups import Groups, filled
from fastframe.engines.cpu.key_direct import Found, group_directly
from fastframe.engines.cpu.key_hash import expected_keys, group_in_partitions, group_in_table
from fastframe.engines.cpu.key_parts import MOST_CODES, KeyPart, code_part, n_codes, parts_of, reduce_to_word, shifted
from fastframe.engines.cpu.plan import Method, Plan, by_partitions, choose, partition_bits
from fastframe.errors import ArgumentError

_LITTLE = 32 << 20   # bytes of groups that are kept at once; of more, half of the bytes of their keys


class _Alias(NamedTuple):
    """What is kept for keys whose groups are the very ones that are kept under another name."""

    name: tuple[object, ...]


def group_rows(keys: Sequence[Column], *, dropna: bool = True, sort: bool | None = True) -> Groups:
    """Group rows by equal keys; null and NaN are one key, -0.0 and 0.0 too.

    Parameters
    ----------
    keys : sequence of Column
        At least one; all of one length.
    dropna : bool
        Leave out rows where any key is missing.
    sort : bool or None
        True: groups by ascending keys, missing last, text bytewise, categories in category order. False: by first
        appearance. None: the cheapest order; it is a function of the columns' values and of how text is held.

    Raises
    ------
    DTypeError
        For keys of dtypes that have no codes.
    """
    groups = cached_groups(keys, dropna=dropna, sort=sort)
    return (groups if groups is not None else _group(keys, dropna, sort)).shared()


def cached_groups(keys: Sequence[Column], *, dropna: bool, sort: bool | None) -> Groups | None:
    """The groups that are kept for these very columns."""
    if not keys:
        raise ArgumentError.because("groupby", "no keys were given", "Name at least one key.")
    kept = cache.find(keys, _name(dropna, sort))
    if isinstance(kept, _Alias):
        kept = cache.find(keys, kept.name)
    return kept if isinstance(kept, Groups) else None   # what an alias stood for may be gone, or be an alias itself now


def plan_groups(keys: Sequence[Column], *, dropna: bool) -> Plan:
    """How the groups of these columns are found."""
    parts = [part for parts in _parts(keys, dropna, ordered=False) for part in parts]
    n_rows = len(keys[0])
    return choose(parts, n_rows, lambda: expected_keys(parts, n_rows))


def _name(dropna: bool, sort: bool | None) -> tuple[object, ...]:
    return ("groups", bool(dropna), sort)


def _parts(keys: Sequence[Column], dropna: bool, *, ordered: bool) -> list[list[KeyPart]]:
    return [[part.but(drop=dropna) for part in parts_of(key, ordered=ordered)] for key in keys]


def _group(keys: Sequence[Column], dropna: bool, sort: bool | None) -> Groups:
    """The groups, kept for the next time."""
    parts = _parts(keys, dropna, ordered=sort is True)
    missing = any(part.missing for of_key in parts for part in of_key)
    name, known = _known(keys, sort, [dropna] if missing else [dropna, not dropna])
    groups = known if known is not None else find_groups(parts, len(keys[0]), ordered=sort is True)
    if sort:
        groups = by_keys(groups, [part for of_key in parts for part in of_key])
    elif sort is False:
        groups = by_appearance(groups)
    if groups is known:
        cache.keep(keys, _name(dropna, sort), _Alias(name), 0)
    else:
        _keep(keys, _name(dropna, sort), groups)
    return groups


def _keep(keys: Sequence[Column], name: tuple[object, ...], groups: Groups) -> None:
    """Keep the groups for the next time: large ones once they are asked for a second time."""
    asked = ("asked", *name)
    if groups.n_bytes <= max(_LITTLE, sum(key.nbytes for key in keys) // 2) or cache.find(keys, asked):
        cache.keep(keys, name, groups, groups.n_bytes)
    else:
        cache.keep(keys, asked, True, 0)


def _known(keys: Sequence[Column], sort: bool | None, drops: Sequence[bool]) -> tuple[tuple[object, ...], Groups | None]:
    """Groups of the same rows that are kept, and their name. What ``sort=None`` gives must not depend on what is kept."""
    for order in (None,) if sort is None else (sort, None, not sort):
        for drop in drops:
            kept = cache.find(keys, _name(drop, order))
            if isinstance(kept, Groups):
                return _name(drop, order), kept
    return (), None


def find_groups(parts_by_key: Sequence[Sequence[KeyPart]], n_rows: int, *, ordered: bool) -> Groups:
    """Groups in the order of the plan; ``ordered``: the parts are in key order."""
    parts = [part for parts in parts_by_key for part in parts]
    plan = choose(parts, n_rows, lambda: expected_keys(parts, n_rows))
    if plan.method is Method.NOTHING:
        return Groups(filled(n_rows, np.uint8, 0xFF), 0, np.empty(0, np.int32), plan)
    if plan.method is Method.DIRECT:
        found = group_directly(parts, n_rows)
    else:
        found, parts, plan = _group_hashed(plan, parts, n_rows)
    if plan.n_possible > MOST_CODES:   # packed in steps: the words do not have all keys
        return Groups(found.codes, found.n_groups, None, plan)
    places = iter(parts)
    in_order = ordered or not any(isinstance(part.keep, tuple) for part in parts)
    words = words_of_groups(found, [[next(places) for _ in of_key] for of_key in parts_by_key], ascending=in_order)
    return Groups(found.codes, found.n_groups, None, plan, words)


def _group_hashed(plan: Plan, parts: list[KeyPart], n_rows: int) -> tuple[Found, list[KeyPart], Plan]:
    """Groups of keys that are packed into one word; where they do not fit, codes stand for those in front."""

    def dense(some: list[KeyPart]) -> KeyPart:
        its_plan = choose(some, n_rows, lambda: expected_keys(some, n_rows))
        found, _ = _hashed(its_plan, shifted(some), n_rows)
        assert isinstance(found.codes, np.ndarray)   # hashed: written
        return code_part(found.codes, found.n_groups)

    packed = shifted(reduce_to_word(parts, n_codes, dense))
    found, plan = _hashed(plan, packed, n_rows)
    return found, packed, plan


def _hashed(plan: Plan, parts: Sequence[KeyPart], n_rows: int) -> tuple[Found, Plan]:
    """Groups of packed words by hashing, and the plan that it took."""
    if plan.method is Method.TABLE:
        found = group_in_table(parts, n_rows, plan.size)
        if found is not None:
            return found, plan
        reason = f"{plan.reason}, but the table became more than half full"
        plan = by_partitions(plan.keys, reason, n_rows, plan.n_possible, plan.n_expected)
    return group_in_partitions(parts, n_rows, partition_bits(n_rows)), plan
