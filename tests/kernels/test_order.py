"""`group_order`: the stable counting sort by group code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.engines.cpu import order
from fastframe.engines.cpu.sort import group_order
from fastframe.options import option_context
from tests.reference import sort as reference

MISSING = np.uint32(0xFFFFFFFF)


def check(codes: np.ndarray, n_groups: int) -> None:
    rows, offsets = group_order(codes, n_groups)
    kept = np.flatnonzero(codes != MISSING)
    expected = kept[np.argsort(codes[kept], kind="stable")]
    counts = np.bincount(codes[kept], minlength=n_groups)
    assert rows.dtype == np.int32
    assert offsets.dtype == np.int32
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(offsets, np.concatenate([[0], np.cumsum(counts)]))


@given(st.lists(st.sampled_from([0, 1, 2, 5, 6, int(MISSING)]), max_size=50))
def test_against_the_slow_twin(codes: list[int]) -> None:
    rows, offsets = group_order(np.array(codes, dtype=np.uint32), 7)
    expected_rows, expected_offsets = reference.group_order(codes, 7)
    assert rows.tolist() == expected_rows
    assert offsets.tolist() == expected_offsets


@pytest.mark.parametrize("n_groups", [1, 3, 1023, order.MOST_SLOTS, order.MOST_SLOTS + 1, 100_003, 1 << 20])
@pytest.mark.parametrize("dropped", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_rows", [0, 1, 511, 20_000, 300_001])
def test_sizes_groups_and_dropped_rows(n_rows: int, n_groups: int, dropped: float) -> None:
    rng = np.random.default_rng(n_rows + n_groups)
    codes = rng.integers(0, n_groups, n_rows).astype(np.uint32)
    codes[rng.random(n_rows) < dropped] = MISSING
    check(codes, n_groups)


@pytest.mark.parametrize("n_groups", [10, 50_000])
def test_skewed_sorted_and_single_group(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    skewed = np.where(rng.random(400_000) < 0.9, n_groups - 1, rng.integers(0, n_groups, 400_000)).astype(np.uint32)
    check(skewed, n_groups)
    check(np.sort(skewed), n_groups)
    check(np.full(400_000, n_groups // 2, dtype=np.uint32), n_groups)


def test_no_groups() -> None:
    rows, offsets = group_order(np.full(5, MISSING, dtype=np.uint32), 0)
    assert rows.tolist() == []
    assert offsets.tolist() == [0]


@pytest.mark.parametrize("n_groups", [100, 200_000])
def test_threads_do_not_change_the_result(n_groups: int) -> None:
    codes = np.random.default_rng(1).integers(0, n_groups, 600_000).astype(np.uint32)
    results = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            results.append(group_order(codes, n_groups))
    for rows, offsets in results[1:]:
        np.testing.assert_array_equal(rows, results[0][0])
        np.testing.assert_array_equal(offsets, results[0][1])
