"""Groups of very different sizes: the largest begin first, so no thread waits longer for another than that one's call takes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe._jit.runs import CALL_COST, PART_COST
from fastframe.engines.cpu.apply_python import CALL_ROWS, PART_ROWS
from fastframe.engines.cpu.runs import Runs, costliest_first, cuts
from fastframe.errors import FunctionError


def schedule(costs: Sequence[int], n_threads: int) -> list[int]:
    """When each thread ends, where whoever is free takes the next part."""
    free = [0] * n_threads
    for cost in costs:
        heapq.heappush(free, heapq.heappop(free) + cost)
    return sorted(free)


def runs_of(lengths: Sequence[int]) -> Runs:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return Runs(offsets[:-1], offsets[1:], None)


def compiled_costs(lengths: Sequence[int]) -> list[int]:
    """Of the parts, in the order of beginning."""
    found = runs_of(lengths).compiled
    costs = np.add.reduceat(np.array(lengths, np.int64) + CALL_COST, found.bounds[:-1])
    assert found.order is not None
    return costs[found.order].tolist()   # type: ignore[no-any-return]


def python_costs(lengths: Sequence[int]) -> list[int]:
    runs = runs_of(lengths)
    bounds = cuts(runs, call_rows=CALL_ROWS, part_rows=PART_ROWS)
    costs = np.add.reduceat(np.array(lengths, np.int64) + CALL_ROWS, bounds[:-1])
    return costs[costliest_first(runs, bounds, call_rows=CALL_ROWS)].tolist()   # type: ignore[no-any-return]


@pytest.mark.parametrize(("costs_of", "part"), [(compiled_costs, PART_COST), (python_costs, PART_ROWS)])
@pytest.mark.parametrize("at", [0, 5_000, 9_999])
def test_a_group_of_half_of_the_rows_begins_first(costs_of: Any, part: int, at: int) -> None:
    lengths = np.full(10_000, 1_000)
    lengths[at] = 10_000_000
    costs = costs_of(lengths)
    assert costs[0] >= 10_000_000
    assert costs[0] == max(costs)
    first, last = schedule(costs, 2)
    assert last - first <= 2 * part
    assert last <= sum(costs) / 2 + 2 * part


@given(st.lists(st.integers(1, 3 * PART_COST), min_size=1, max_size=60), st.integers(2, 4))
def test_nobody_waits_longer_than_the_last_parts_own_run(lengths: list[int], n_threads: int) -> None:
    costs = compiled_costs(lengths)
    ends = schedule(costs, n_threads)
    assert ends[-1] <= max(max(costs), sum(costs) / n_threads + PART_COST + max(lengths) + CALL_COST)
    if costs[0] >= sum(costs) - costs[0]:   # one outweighs all others together: nothing else adds to its run
        assert ends[-1] == costs[0]


def test_the_interpreter_begins_with_the_largest_group() -> None:
    lengths = [PART_ROWS // 4] * 6 + [PART_ROWS * 2]
    df = ff.DataFrame({"k": np.repeat(np.arange(7), lengths), "x": np.ones(sum(lengths), np.int8)})
    begun: list[int] = []

    def counted(x):
        begun.append(len(x))
        return len(x)

    with ff.option_context(threads=1):
        found = df.groupby("k")["x"].agg(counted, engine="python")
    assert found.tolist() == lengths
    assert max(lengths) in begun[:3]   # its part has two small ones in front of it
    assert begun[3:] == lengths[:4]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_lowest_failing_group_is_told_whatever_began_first(threads: int) -> None:
    lengths = [PART_ROWS // 4, PART_ROWS // 2, PART_ROWS // 2, PART_ROWS * 2]
    df = ff.DataFrame({"k": np.repeat(np.arange(4), lengths), "x": np.repeat(np.arange(4, dtype=np.int8), lengths)})
    called: list[int] = []
    lock = threading.Lock()

    def fails(x):
        with lock:
            called.append(int(x[0]))
        if x[0] > 0:
            raise ValueError(f"group {x[0]}")
        return 1

    with ff.option_context(threads=threads), pytest.raises(FunctionError, match="ValueError in the group k=1: group 1"):
        df.groupby("k")["x"].agg(fails, engine="python")
    assert called[0] == 3 or threads > 1
    assert {0, 1} <= set(called)
