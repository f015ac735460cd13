"""Which rows of a join go together: `find_pairs`, the first of its two passes, and what needs the row numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastframe._kernels import join as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column.column import Column
from fastframe.column.memory import allocate_array
from fastframe.column.table import MAX_ROWS
from fastframe.dtypes import common
from fastframe.engines.cpu.filter import FilterPlan
from fastframe.engines.cpu.join_index import NO_PARTNER, OPERATION, Occurrence, RowGroups, RowMap, build_index, n_slices, occurring
from fastframe.engines.cpu.join_keys import Codes, shared_codes
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.order import group_order
from fastframe.errors import DTypeError, ShapeError
from fastframe.records import record

Array = np.ndarray[Any, Any]
Words = Array | None   # one bit per row, in 64-bit words

SPARSE_CODES = 16    # possible codes per row from which they are renumbered first


@record(frozen=True, eq=False)
class Pairs:
    """The pairs of a join, in probe order (the partners of a row in build order): counted, not yet written.

    Attributes
    ----------
    probe : Codes
    index : RowMap or RowGroups
        Of the build side.
    n_build : int
        Rows of the build side.
    words : numpy.ndarray of uint64, or None
        With a map whose pairs were counted: one bit per probe row, whether it has a partner.
    starts : numpy.ndarray of int64
        Pairs before each slice of probe rows, and in all.
    n_unmatched : int or None
        Probe rows without partner; None where every probe row comes once anyway, so that none was looked up yet.
    keeps_unmatched : bool
        They come out once, with no build row.
    """

    probe: Codes
    index: RowMap | RowGroups
    n_build: int
    words: Words
    starts: Array
    n_unmatched: int | None
    keeps_unmatched: bool

    @property
    def n_pairs(self) -> int:
        return int(self.starts[-1])

    @property
    def misses(self) -> bool:
        """Whether some pair has no build row, or may have none."""
        return self.keeps_unmatched and self.n_unmatched != 0

    @property
    def keeps_probe(self) -> bool:
        """Whether every probe row occurs once. (All at least once, and no more pairs than that.)"""
        return self.n_pairs == self.probe.n_rows and (self.keeps_unmatched or self.n_unmatched == 0)

    @property
    def selection(self) -> FilterPlan | None:
        """The probe rows as a filter, where none occurs twice."""
        if self.words is None:
            return None
        return FilterPlan(self.probe.n_rows, self.n_pairs, self.words, self.starts, (address_of(self.words), address_of(self.starts)))


def find_pairs(
    probe: Sequence[Column], build: Sequence[Column], *, keeps_unmatched: bool, repeated: Callable[[], None] | None = None
) -> Pairs:  # fmt: skip
    """Count the pairs of two tables' keys (pairwise of one dtype; missing keys equal each other).

    ``repeated`` is called before pairs are counted where build keys repeat.

    Raises
    ------
    ShapeError
        Where there are more than 2**31 - 1 pairs.
    """
    return pairs_of_codes(*shared_codes(probe, build), keeps_unmatched=keeps_unmatched, repeated=repeated)


def pairs_of_codes(
    probe: Codes, build: Codes, n_codes: int, *, keeps_unmatched: bool, repeated: Callable[[], None] | None = None
) -> Pairs:  # fmt: skip
    """`find_pairs` of codes.

    O(probe + build + codes); one bit per probe row against a map, nothing against groups. Against a map, and with the
    unmatched rows kept, every probe row comes once: nothing is counted, nor are probe rows looked at.
    """
    if n_codes > SPARSE_CODES * (probe.n_rows + build.n_rows):
        probe, build, n_codes = _renumbered(probe, build)
    index = build_index(build, n_codes)
    if repeated is not None and not isinstance(index, RowMap):
        repeated()
    if keeps_unmatched and isinstance(index, RowMap) and probe.n_rows != build.n_rows:   # else the build side may come out as it is
        starts = np.minimum(SLICE_ROWS * np.arange(n_slices(probe.n_rows) + 1, dtype=np.int64), probe.n_rows)
        return Pairs(probe, index, build.n_rows, None, starts, None, keeps_unmatched)
    words, n_results, n_unmatched = _count_by_map(probe, index.occurrence) if isinstance(index, RowMap) else _count_by_groups(probe, index)
    starts = running(n_results + n_unmatched if keeps_unmatched else n_results)
    if starts[-1] > MAX_ROWS:
        raise ShapeError.join_too_large(int(starts[-1]))
    return Pairs(probe, index, build.n_rows, words, starts, int(n_unmatched.sum()), keeps_unmatched)


def _renumbered(probe: Codes, build: Codes) -> tuple[Codes, Codes, int]:
    """The codes of few rows, without the unused ones that would take longer to clear than the rows to join."""
    probe_codes, build_codes = probe.held().array, build.held().array
    assert probe_codes is not None
    assert build_codes is not None
    values, places = np.unique(build_codes, return_inverse=True)
    seen = np.minimum(np.searchsorted(values, probe_codes), max(0, len(values) - 1))
    found = np.where(values[seen] == probe_codes, seen, NO_PARTNER) if len(values) else np.full(len(probe_codes), NO_PARTNER)
    # The code of rows without key stays what it is on both sides: theirs is the last of the values.
    n_values = len(values) - int(len(values) > 0 and values[-1] == NO_PARTNER)
    numbered = [np.where(codes < n_values, codes, NO_PARTNER).astype(np.uint32) for codes in (found, places)]
    return Codes(probe.n_rows, numbered[0]), Codes(build.n_rows, numbered[1]), n_values


def _count_by_map(probe: Codes, build: Occurrence) -> tuple[Words, Array, Array]:
    words = allocate_array(-(-probe.n_rows // 64), np.uint64, OPERATION)
    n_matches = allocate_array(n_slices(probe.n_rows), np.int64, OPERATION)
    addresses = (address_of(words), address_of(n_matches))
    task = kernels.probe_map(probe.source, build.addresses, *addresses, keep_alive=(probe, build, words, n_matches))
    run(task, probe.n_rows, SLICE_ROWS, operation=OPERATION)
    sizes = np.minimum(SLICE_ROWS, probe.n_rows - SLICE_ROWS * np.arange(len(n_matches), dtype=np.int64))
    return words, n_matches, sizes - n_matches


def _count_by_groups(probe: Codes, index: RowGroups) -> tuple[Words, Array, Array]:
    n_results, n_unmatched = (allocate_array(n_slices(probe.n_rows), np.int64, OPERATION) for _ in range(2))
    task = kernels.count_matches(probe.source, address_of(index.offsets), address_of(n_results), address_of(n_unmatched),
                                 prefetch=index.is_far, keep_alive=(probe, index, n_results, n_unmatched))  # fmt: skip
    run(task, probe.n_rows, SLICE_ROWS, operation=OPERATION)
    return None, n_results, n_unmatched


def partnered(left: Sequence[Column], right: Sequence[Column]) -> FilterPlan:
    """The left rows whose keys occur among the right ones (missing equals missing), as a filter.

    One bit per left row, and a byte per possible code.
    """
    probe, build, n_codes = shared_codes(left, right)
    occurrence, _ = occurring(build, n_codes)
    words, n_matches, _ = _count_by_map(probe, occurrence)
    assert words is not None
    starts = running(n_matches)
    return FilterPlan(probe.n_rows, int(starts[-1]), words, starts, (address_of(words), address_of(starts)))


def key_uniqueness(codes: Array, n_codes: int) -> int | None:
    """The first row whose code occurred before, or None where all differ; rows without partner are passed over."""
    codes = np.ascontiguousarray(codes, dtype=np.uint32)
    index = build_index(Codes(len(codes), codes), n_codes)
    if isinstance(index, RowMap):
        return None
    repeated = np.flatnonzero(np.diff(index.offsets) > 1)
    return int(index.rows[index.offsets[repeated] + 1].min())


def outer_rows(left: Sequence[Column], right: Sequence[Column]) -> tuple[Array, Array]:
    """All pairs in key order, missing last, then in left and right order: the rows of both sides, -1 where a side has none.

    Both sides get the codes of one sorted grouping of all keys.
    """
    n_left = len(left[0])
    groups = group_rows([_stacked(one, other) for one, other in zip(left, right, strict=True)], dropna=False, sort=True)
    codes = np.ascontiguousarray(groups.wide_codes)
    left_rows, left_offsets = group_order(codes[:n_left], groups.n_groups)
    right_rows, right_offsets = group_order(codes[n_left:], groups.n_groups)
    sides = (address_of(left_offsets), address_of(left_rows)), (address_of(right_offsets), address_of(right_rows))
    n_results = allocate_array(n_slices(groups.n_groups), np.int64, OPERATION)
    alive = (left_rows, left_offsets, right_rows, right_offsets, n_results)
    run(kernels.count_outer(*sides, address_of(n_results), keep_alive=alive), groups.n_groups, SLICE_ROWS, operation=OPERATION)
    starts = running(n_results)
    if starts[-1] > MAX_ROWS:
        raise ShapeError.join_too_large(int(starts[-1]))
    left_out, right_out = (allocate_array(int(starts[-1]), np.int32, OPERATION) for _ in range(2))
    addresses = (address_of(starts), address_of(left_out), address_of(right_out))
    task = kernels.fill_outer(*sides, *addresses, keep_alive=(alive, starts, left_out, right_out))
    run(task, groups.n_groups, SLICE_ROWS, operation=OPERATION)
    return left_out, right_out


def _stacked(left: Column, right: Column) -> Column:
    from fastframe.engines.cpu.select import concat

    dtype = common(left.dtype, right.dtype)
    if dtype is None:
        raise DTypeError.of_pair(OPERATION, left.dtype, right.dtype)
    return concat([left, right], dtype)


def running(per_slice: Array) -> Array:
    """Sums before each slice, and of all."""
    sums = np.zeros(len(per_slice) + 1, np.int64)
    np.cumsum(per_slice, out=sums[1:])
    return sums
