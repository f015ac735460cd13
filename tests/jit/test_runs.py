"""How runs are cut into parts: every run once, about equal cost, the costliest first, from lengths alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastframe._jit.runs import CALL_COST, PART_COST, Runs


@given(st.lists(st.integers(0, 3 * PART_COST), max_size=60))
def test_parts(lengths: list[int]) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    runs = Runs.of_offsets(offsets)
    assert runs.n_runs == len(lengths)
    assert runs.bounds[0] == 0
    assert runs.bounds[-1] == len(lengths)
    assert (np.diff(runs.bounds) > 0).all()
    if not lengths:
        assert runs.n_parts == 0
        return
    assert runs.order is not None
    assert sorted(runs.order) == list(range(runs.n_parts))
    cost = np.add.reduceat(np.array(lengths) + CALL_COST, runs.bounds[:-1])
    assert (np.diff(cost[runs.order]) <= 0).all()
    for part, first, last in zip(range(runs.n_parts), runs.bounds[:-1], runs.bounds[1:], strict=True):
        assert cost[part] <= PART_COST + max(lengths[first:last]) + CALL_COST


def test_a_giant_group_begins_first() -> None:
    lengths = np.full(10_000, 50)
    lengths[7777] = 500_000
    runs = Runs.of_offsets(np.concatenate([[0], np.cumsum(lengths)]))
    assert runs.order is not None
    first = runs.order[0]
    assert runs.bounds[first] <= 7777 < runs.bounds[first + 1]
    assert runs.n_parts > 8


def test_many_small_groups_are_cut_by_their_calls() -> None:
    runs = Runs.of_offsets(np.arange(100_001))
    assert runs.n_parts >= 100_000 * CALL_COST // PART_COST


def test_widths_and_even_parts() -> None:
    begin = np.arange(10, dtype=np.int32)
    even = Runs.evenly(begin, begin + np.int32(1), 4)
    assert even.bounds.tolist() == [0, 4, 8, 10]
    assert even.order is None
    assert even.begin.dtype == even.end.dtype == np.int32
    mixed = Runs.evenly(begin, begin.astype(np.int64) + 1, 100)
    assert mixed.begin.dtype == mixed.end.dtype == np.int64
    assert mixed.bounds.tolist() == [0, 10]
    assert Runs.evenly(begin[:0], begin[:0], 4).n_parts == 0
