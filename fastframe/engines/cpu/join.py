"""Row maps of joins: which left row goes with which right row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._kernels import join as kernels
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column, column_from_buffers
from fastframe.column.memory import allocate_array, allocate_bits
from fastframe.column.table import MAX_ROWS
from fastframe.dtypes import BOOL, common
from fastframe.engines.cpu.join_keys import join_codes
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.order import group_order
from fastframe.errors import DTypeError, ShapeError

Array = np.ndarray[Any, Any]
Rows = Array | None

OPERATION = "join"
NO_PARTNER = 0xFFFFFFFF
SPARSE_CODES = 16    # possible codes per row from which they are renumbered first


def join_rows(left: Sequence[Column], right: Sequence[Column], *, how: str) -> tuple[Rows, Rows]:
    """The rows of a join's result, in pandas' order.

    Parameters
    ----------
    left, right : sequence of Column
        The keys, pairwise of one dtype. Missing keys match missing keys.
    how : {"inner", "left", "right", "outer"}
        Inner and left joins keep the left order (the matches of a row in right order), right joins the right order;
        outer joins are sorted by the keys, missing last, then in left and right order.

    Returns
    -------
    left_rows, right_rows : int32 array or None
        -1 where the side has no row; None where every row of that side occurs once and in order.

    Raises
    ------
    ShapeError
        Where the result has more than 2**31 - 1 rows; it is counted before any of it is allocated.

    Notes
    -----
    O(left + right + result) after the keys are coded; 4 bytes per right row and code, and 4 per left row.
    """
    if how == "outer":
        return _outer_rows(left, right)
    if how == "right":
        right_rows, left_rows = _probe(*join_codes(right, left), keeps_unmatched=True)
        return left_rows, right_rows
    return _probe(*join_codes(left, right), keeps_unmatched=how == "left")


def matches(left: Sequence[Column], right: Sequence[Column]) -> Column:
    """A null-free bool column: whether each left row's keys occur among the right ones (missing equals missing)."""
    left_codes, right_codes, n_codes = join_codes(left, right)
    n_rows = len(left_codes)
    is_present = np.zeros(n_codes, dtype=np.uint8)
    _run(kernels.mark_codes(_at(right_codes), _at(is_present), keep_alive=(right_codes, is_present)), len(right_codes))
    bits = allocate_bits(n_rows, OPERATION)
    _run(kernels.partner_bits(_at(left_codes), _at(is_present), bits.address, keep_alive=(left_codes, is_present, bits)), n_rows)
    return column_from_buffers(BOOL, n_rows, bits)


def key_uniqueness(codes: Array, n_codes: int) -> int | None:
    """The first row whose code occurred before, or None where all differ; rows without partner are passed over."""
    codes = _contiguous(codes)
    if _unique_map(codes, n_codes) is not None:
        return None
    rows, offsets = group_order(codes, n_codes)
    repeated = np.flatnonzero(np.diff(offsets) > 1)
    return int(rows[offsets[repeated] + 1].min())


def _probe(left_codes: Array, right_codes: Array, n_codes: int, *, keeps_unmatched: bool) -> tuple[Rows, Rows]:
    left_codes, right_codes = _contiguous(left_codes), _contiguous(right_codes)
    if n_codes > SPARSE_CODES * (len(left_codes) + len(right_codes)):
        left_codes, right_codes, n_codes = _renumbered(left_codes, right_codes)
    row_of_code = _unique_map(right_codes, n_codes)
    if row_of_code is not None:
        left_rows, right_rows = _probe_map(left_codes, row_of_code, keeps_unmatched)
    else:
        rows, offsets = group_order(right_codes, n_codes)
        left_rows, right_rows = _probe_groups(left_codes, rows, offsets, keeps_unmatched)
    return left_rows, None if len(right_rows) == len(right_codes) and _is_identity(right_rows) else right_rows


def _is_identity(rows: Array) -> bool:
    every = max(1, len(rows) >> 6)
    expected = np.arange(len(rows), dtype=np.int32) if (rows[::every] == np.arange(0, len(rows), every)).all() else None
    return expected is not None and np.array_equal(rows, expected)


def _renumbered(left_codes: Array, right_codes: Array) -> tuple[Array, Array, int]:
    """The codes of few rows, without the unused ones that would take longer to clear than the rows to join."""
    values, right = np.unique(right_codes, return_inverse=True)
    places = np.minimum(np.searchsorted(values, left_codes), max(0, len(values) - 1))
    left = np.where(values[places] == left_codes, places, NO_PARTNER) if len(values) else np.full(len(left_codes), NO_PARTNER)
    return left.astype(np.uint32), right.astype(np.uint32), len(values)


def _unique_map(codes: Array, n_codes: int) -> Array | None:
    """The row of each code (-1: none), or None where a code repeats."""
    n_rows = len(codes)
    head = np.sort(codes[: 1 << 10][codes[: 1 << 10] != NO_PARTNER])
    if (head[1:] == head[:-1]).any():    # most repetition shows early
        return None
    row_of_code = allocate_array(n_codes, np.int32, OPERATION)
    rows_found, codes_found = (allocate_array(_n_slices(length), np.int64, OPERATION) for length in (n_rows, n_codes))
    alive = (codes, row_of_code, rows_found, codes_found)
    _run(kernels.clear_map(_at(row_of_code), keep_alive=alive), n_codes)
    _run(kernels.fill_map(_at(codes), _at(row_of_code), _at(rows_found), keep_alive=alive), n_rows)
    _run(kernels.count_map(_at(row_of_code), _at(codes_found), keep_alive=alive), n_codes)
    return row_of_code if rows_found.sum() == codes_found.sum() else None


def _probe_map(codes: Array, row_of_code: Array, keeps_unmatched: bool) -> tuple[Rows, Array]:
    n_rows = len(codes)
    partners = allocate_array(n_rows, np.int32, OPERATION)
    n_matches = allocate_array(_n_slices(n_rows), np.int64, OPERATION)
    alive = (codes, row_of_code, partners, n_matches)
    _run(kernels.probe_map(_at(codes), _at(row_of_code), _at(partners), _at(n_matches), keep_alive=alive), n_rows)
    starts = _starts(n_matches)
    total = int(starts[-1])
    if keeps_unmatched or total == n_rows:
        return None, partners
    left_rows, right_rows = (allocate_array(total, np.int32, OPERATION) for _ in range(2))
    alive = (partners, starts, left_rows, right_rows)
    _run(kernels.compact_matches(_at(partners), _at(starts), _at(left_rows), _at(right_rows), keep_alive=alive), n_rows)
    return left_rows, right_rows


def _probe_groups(codes: Array, rows: Array, offsets: Array, keeps_unmatched: bool) -> tuple[Rows, Array]:
    n_rows, n_slices = len(codes), _n_slices(len(codes))
    n_results, n_unmatched = (allocate_array(n_slices, np.int64, OPERATION) for _ in range(2))
    alive = (codes, offsets, n_results, n_unmatched)
    _run(kernels.count_matches(_at(codes), _at(offsets), _at(n_results), _at(n_unmatched), keep_alive=alive), n_rows)
    starts = _starts(n_results + n_unmatched if keeps_unmatched else n_results)
    total = _checked(starts)
    # Every row at least once, and no more rows than that: every row once.
    once = total == n_rows and (keeps_unmatched or not n_unmatched.any())
    left_rows = None if once else allocate_array(total, np.int32, OPERATION)
    right_rows = allocate_array(total, np.int32, OPERATION)
    task = kernels.fill_matches(
        _at(codes), _at(offsets), _at(rows), _at(starts), 0 if left_rows is None else _at(left_rows), _at(right_rows),
        keeps_unmatched=keeps_unmatched, keep_alive=(codes, offsets, rows, starts, left_rows, right_rows),
    )  # fmt: skip
    _run(task, n_rows)
    return left_rows, right_rows


def _outer_rows(left: Sequence[Column], right: Sequence[Column]) -> tuple[Rows, Rows]:
    """All pairs in key order: both sides get the codes of one sorted grouping of all keys."""
    n_left = len(left[0])
    groups = group_rows([_stacked(one, other) for one, other in zip(left, right, strict=True)], dropna=False, sort=True)
    codes = _contiguous(groups.wide_codes)
    left_rows, left_offsets = group_order(codes[:n_left], groups.n_groups)
    right_rows, right_offsets = group_order(codes[n_left:], groups.n_groups)
    sides = (_at(left_offsets), _at(left_rows)), (_at(right_offsets), _at(right_rows))
    n_results = allocate_array(_n_slices(groups.n_groups), np.int64, OPERATION)
    groups_alive = (left_rows, left_offsets, right_rows, right_offsets, n_results)
    _run(kernels.count_outer(*sides, _at(n_results), keep_alive=groups_alive), groups.n_groups)
    starts = _starts(n_results)
    total = _checked(starts)
    left_out, right_out = (allocate_array(total, np.int32, OPERATION) for _ in range(2))
    alive = (groups_alive, starts, left_out, right_out)
    _run(kernels.fill_outer(*sides, _at(starts), _at(left_out), _at(right_out), keep_alive=alive), groups.n_groups)
    return left_out, right_out


def _stacked(left: Column, right: Column) -> Column:
    from fastframe.engines.cpu.select import concat

    dtype = common(left.dtype, right.dtype)
    if dtype is None:
        raise DTypeError.of_pair(OPERATION, left.dtype, right.dtype)
    return concat([left, right], dtype)


def _checked(starts: Array) -> int:
    """All result rows; an error where they are too many."""
    total = int(starts[-1])
    if total > MAX_ROWS:
        raise ShapeError.join_too_large(total)
    return total


def _starts(per_slice: Array) -> Array:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(per_slice)])


def _run(task: Any, n_rows: int) -> None:
    run(task, n_rows, SLICE_ROWS, operation=OPERATION)


def _n_slices(n_rows: int) -> int:
    return -(-n_rows // SLICE_ROWS)


def _at(array: Array) -> int:
    return int(array.ctypes.data)


def _contiguous(codes: Array) -> Array:
    return np.ascontiguousarray(codes, dtype=np.uint32)
