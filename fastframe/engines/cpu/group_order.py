"""Groups in another order: by ascending keys, or by first appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from fastframe._kernels import groups as kernels
from fastframe._threads import run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.groups import OPERATION, Groups, Rows, Words, code_dtype, remapped
from fastframe.engines.cpu.key_parts import KeyPart, fitting_groups, packed_words

SORT_BY_KERNEL = 1 << 15   # groups from which sorting them is worth threads


def by_keys(groups: Groups, parts: Sequence[KeyPart]) -> Groups:
    """The groups by ascending keys, of which ``parts`` are the digits in key order."""
    if groups.words is not None and groups.words.ascending:
        words: list[Words] = [groups.words.words]
    else:
        words = [packed_words(group, groups.first_rows) for group in fitting_groups(parts)]
    order = _order(words)
    if order is None:
        return groups
    return _reordered(groups, order, _inverse(order))


def by_appearance(groups: Groups) -> Groups:
    """The groups by their first rows."""
    first_rows = groups.first_rows
    if bool((first_rows[1:] > first_rows[:-1]).all()):
        return groups
    if len(first_rows) <= SORT_BY_KERNEL:
        order = np.argsort(first_rows)
        return _reordered(groups, order, _inverse(order))
    place, ordered = _places_by_first_row(len(groups.codes), first_rows)
    return replace(_reordered(groups, _inverse(place), place), given_first_rows=ordered)


def _order(words: list[Words]) -> np.ndarray | None:
    """The order of ascending words; None where they are in order already."""
    n_groups = len(words[0])
    if len(words) == 1 and bool((words[0][1:] > words[0][:-1]).all()):
        return None
    if n_groups <= SORT_BY_KERNEL:
        return np.lexsort(words[::-1])
    from fastframe.engines.cpu.sort import sort_rows

    columns = [Column(pa.Array.from_buffers(pa.uint64(), n_groups, [None, pa.py_buffer(one)])) for one in words]
    return sort_rows(columns, descending=[False] * len(columns))


def _reordered(groups: Groups, order: np.ndarray, place: np.ndarray) -> Groups:
    """``order[n]`` is the group that comes n-th, ``place`` its inverse."""
    first_rows = groups.known_first_rows
    words = groups.words
    if words is not None:
        in_order = words.words[order]
        words = replace(words, make=lambda: in_order)
    return Groups(
        remapped(groups.codes, place, code_dtype(groups.n_groups)),
        groups.n_groups,
        None if first_rows is None else first_rows[order],
        groups.plan,
        words,
    )


def _inverse(order: np.ndarray) -> np.ndarray:
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    return place


def _places_by_first_row(n_rows: int, first_rows: Rows) -> tuple[np.ndarray, Rows]:
    """Per group its rank by first row, and the first rows in that order."""
    n_groups, n_cells = len(first_rows), -(-n_rows // 64)
    starts, ranks = np.zeros(n_cells, np.uint64), np.empty(n_cells + 1, np.uint32)
    place = allocate_array(n_groups, np.uint32, OPERATION)
    ordered = allocate_array(n_groups, np.int32, OPERATION)
    arrays = (first_rows, starts, ranks, place, ordered)
    mark, write = kernels.appearances(*(array.ctypes.data for array in arrays), keep=arrays)
    run(mark, n_groups, operation=OPERATION)
    run(kernels.count(starts.ctypes.data, n_rows, ranks.ctypes.data, arrays), n_cells, n_cells, operation=OPERATION)
    run(write, n_groups, operation=OPERATION)
    return place, ordered
