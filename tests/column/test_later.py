"""Columns whose values are written when somebody looks at them."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

from fastframe.column.later import LaterColumn
from fastframe.column.memory import allocate
from fastframe.dtypes import FLOAT64


class Counting:
    """Values 0, 1, 2, ..., and how often they were made."""

    def __init__(self, length: int, barrier: threading.Barrier | None = None, failures: int = 0) -> None:
        self.length, self.barrier, self.failures, self.made = length, barrier, failures, 0

    def values(self):
        self.made += 1
        if self.made <= self.failures:
            raise MemoryError("none left")
        if self.barrier is not None:
            self.barrier.wait()
        block = allocate(8 * self.length, "test")
        np.frombuffer(block, np.float64)[:] = np.arange(self.length)
        return block


def test_nothing_is_made_before_somebody_looks() -> None:
    recipe = Counting(5)
    column = LaterColumn(FLOAT64, 5, recipe)
    assert (len(column), column.null_count, column.nbytes, column.physical, column.is_encoded) == (5, 0, 40, FLOAT64.physical, False)
    assert repr(column)
    assert recipe.made == 0
    assert column.recipe is recipe


@pytest.mark.parametrize("look", [lambda one: one.array, lambda one: one.view, lambda one: one.block, lambda one: one.slice(1, 2)])
def test_values_are_made_once(look) -> None:
    recipe = Counting(5)
    column = LaterColumn(FLOAT64, 5, recipe)
    look(column)
    assert column.recipe is None
    assert column.array.to_pylist() == [0, 1, 2, 3, 4]
    assert column.array.buffers()[1].address == column.view.values == column.block.address
    assert column.slice(1, 2).array.to_pylist() == [1, 2]
    assert recipe.made == 1


def test_threads_that_look_at_once_get_the_same_memory() -> None:
    recipe = Counting(100, threading.Barrier(4))   # all four are at it before one is done
    column = LaterColumn(FLOAT64, 100, recipe)
    views = []
    threads = [threading.Thread(target=lambda: views.append(column.view)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recipe.made == 4
    assert views == [column.view] * 4
    assert column.array.to_pylist() == list(range(100))


def test_a_failure_leaves_the_column_as_it_was() -> None:
    column = LaterColumn(FLOAT64, 3, Counting(3, failures=1))
    with pytest.raises(MemoryError):
        column.view   # noqa: B018
    assert column.recipe is not None
    assert column.array.to_pylist() == [0, 1, 2]


def test_pickled_are_the_values() -> None:
    copy = pickle.loads(pickle.dumps(LaterColumn(FLOAT64, 3, Counting(3))))
    assert not isinstance(copy, LaterColumn)
    assert copy.array.to_pylist() == [0, 1, 2]
