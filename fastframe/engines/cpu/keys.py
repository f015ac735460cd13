"""Key columns to dense group ids: `group_rows`.

Keys whose words are small against the rows are addressed directly: one pass makes codes and first rows. Others are
hashed. Either way equal codes are equal keys, always, and nothing depends on threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from fastframe._kernels import codes as kernels
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.groups import NO_CODE, Groups
from fastframe.engines.cpu.key_hash import encode_words
from fastframe.engines.cpu.key_parts import (
    KeyPart,
    code_part,
    fitting_groups,
    n_codes,
    pack,
    packed_hashes,
    packed_words,
    parts_of,
    reduce_to_word,
)
from fastframe.engines.cpu.keys_text import exclusive_sums
from fastframe.errors import ArgumentError

FEW_CODES = 1 << 16           # always addressed directly
MOST_DIRECT = 2**31 - 1
SORT_BY_KERNEL = 1 << 15      # groups from which sorting them is worth threads
_OPERATION = "key codes"


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
    if not keys:
        raise ArgumentError.because("groupby", "no keys were given", "Name at least one key.")
    n_rows = len(keys[0])
    parts = [replace(part, drop=dropna) for key in keys for part in parts_of(key, ordered=sort is True)]
    size = n_codes(parts)
    if n_rows == 0 or size == 0:
        return Groups(filled(n_rows, NO_CODE), 0, np.empty(0, np.int32), "no keys")
    if size <= min(MOST_DIRECT, max(FEW_CODES, 2 * n_rows)):
        return _group_direct(parts, n_rows, size, by_appearance=sort is False)
    return _group_hashed(parts, n_rows, sort)


def _described(parts: Sequence[KeyPart]) -> str:
    return " x ".join(part.label for part in parts)


def filled(length: int, value: int) -> np.ndarray:
    codes = allocate_array(length, np.uint32, _OPERATION)
    run(kernels.fill(codes.ctypes.data, value, codes), length, operation=_OPERATION)
    return codes


def _group_direct(parts: list[KeyPart], n_rows: int, size: int, *, by_appearance: bool) -> Groups:
    plan = f"direct {_described(parts)}"
    first = filled(size, kernels.NEVER).view(np.int32)
    held = _held_codes(parts)
    codes = allocate_array(n_rows, np.uint32, _OPERATION) if held is None else held
    out = {"first": first} if held is not None else {"first": first, "codes": codes}
    pack(parts, n_rows, wide=False, prefetch=size > kernels.CACHED_CODES, **out)
    mapping, first_rows = _without_holes(first)
    if by_appearance:
        mapping, first_rows = _by_appearance(codes, mapping, first_rows)
    if mapping is not None:
        codes = _remapped(codes, mapping, out=None if held is not None else codes)
    return Groups(codes, len(first_rows), first_rows, plan)


def _held_codes(parts: Sequence[KeyPart]) -> np.ndarray | None:
    """The codes of a single encoded column where they can be used as they are."""
    part = parts[0]
    column = part.keep[0] if isinstance(part.keep, tuple) else None
    if len(parts) > 1 or column is None or part.missing or part.lut is not None:
        return None
    codes = column.codes
    if not len(codes):
        return np.empty(0, np.uint32)
    # Not to_numpy: pyarrow imports pandas for that, half a second in a fresh process.
    return np.frombuffer(codes.buffers()[1], np.uint32, len(codes), 4 * codes.offset)


def _without_holes(first: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """``(map from code to dense id, first row of each dense id)``; no map where every code occurs."""
    size = len(first)
    counts = allocate_array(-(-size // SLICE_ROWS), np.int64, _OPERATION)
    count, _ = kernels.dense_ids(first.ctypes.data, counts.ctypes.data, 0, 0, keep=(first, counts))
    run(count, size, operation=_OPERATION)
    n_groups = exclusive_sums(counts)
    if n_groups == size:
        return None, first
    dense = allocate_array(size, np.uint32, _OPERATION)
    first_rows = allocate_array(n_groups, np.int32, _OPERATION)
    keep = (first, counts, dense, first_rows)
    _, number = kernels.dense_ids(*(array.ctypes.data for array in keep), keep=keep)
    run(number, size, operation=_OPERATION)
    return dense, first_rows


def _remapped(codes: np.ndarray, mapping: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """``mapping[codes]`` (0xFFFFFFFF stays), into ``out`` or new memory."""
    out = allocate_array(len(codes), np.uint32, _OPERATION) if out is None else out
    far = len(mapping) > kernels.CACHED_CODES
    task = kernels.remap(codes.ctypes.data, mapping.ctypes.data, out.ctypes.data, far, (codes, mapping, out))
    run(task, len(codes), operation=_OPERATION)
    return out


def _by_appearance(
    codes: np.ndarray, mapping: np.ndarray | None, first_rows: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """The map and first rows of `_without_holes`, changed to the order of first appearance."""
    if bool((first_rows[1:] > first_rows[:-1]).all()):
        return mapping, first_rows
    if len(first_rows) <= SORT_BY_KERNEL:
        order = np.argsort(first_rows)
        place, first_rows = _inverse(order), first_rows[order]
    else:
        place, first_rows = _places_by_first_row(len(codes), first_rows)
    return (place if mapping is None else _remapped(mapping, place, out=mapping)), first_rows


def _inverse(order: np.ndarray) -> np.ndarray:
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    return place


def _places_by_first_row(n_rows: int, first_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per group its rank by first row, and the first rows in that order."""
    n_groups = len(first_rows)
    group_at = filled(n_rows, NO_CODE)
    counts = allocate_array(-(-n_rows // SLICE_ROWS), np.int64, _OPERATION)
    place = allocate_array(n_groups, np.uint32, _OPERATION)
    ordered = allocate_array(n_groups, np.int32, _OPERATION)
    arrays = (first_rows, group_at, counts, place, ordered)
    mark, count, number = kernels.appearances(*(array.ctypes.data for array in arrays), keep=arrays)
    run(mark, n_groups, operation=_OPERATION)
    run(count, n_rows, operation=_OPERATION)
    exclusive_sums(counts)
    run(number, n_rows, operation=_OPERATION)
    return place, ordered


def _group_hashed(parts: list[KeyPart], n_rows: int, sort: bool | None) -> Groups:
    def dense(run_of_parts: list[KeyPart]) -> KeyPart:
        encoded = encode_words(packed_hashes(run_of_parts, n_rows))
        return code_part(encoded.codes, len(encoded.first_rows))

    reduced = reduce_to_word(parts, n_codes, dense)
    codes, first_rows, how = encode_words(packed_hashes(reduced, n_rows))
    plan = f"packed {_described(reduced)} into {n_codes(reduced).bit_length()} bits, {how}"
    mapping = None
    if sort is False:
        mapping, first_rows = _by_appearance(codes, None, first_rows)
    elif sort:
        order = _key_order(parts, first_rows)
        mapping, first_rows = _inverse(order), first_rows[order]
    if mapping is not None:
        codes = _remapped(codes, mapping, out=codes)
    return Groups(codes, len(first_rows), first_rows, plan)


def _key_order(parts: list[KeyPart], first_rows: np.ndarray) -> np.ndarray:
    """The order of groups by ascending keys."""
    words = [packed_words(group, first_rows) for group in fitting_groups(parts)]
    if len(first_rows) > SORT_BY_KERNEL:
        from fastframe.engines.cpu.sort import sort_rows

        columns = [Column(pa.Array.from_buffers(pa.uint64(), len(one), [None, pa.py_buffer(one)])) for one in words]
        return sort_rows(columns, descending=[False] * len(columns))
    return np.lexsort(words[::-1])
