"""The parallel passes of the sort on few rows: buckets, ties over several digits, deferred runs, orders known before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.column.column import Column
from fastframe.engines.cpu import sort
from fastframe.options import option_context

N_ROWS = 5_000


@pytest.fixture
def tiny_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a few thousand rows go through every phase."""
    monkeypatch.setattr(sort, "SMALL_ROWS", 16)
    monkeypatch.setattr(sort, "BUCKET_ROWS", 40)
    monkeypatch.setattr(sort, "LEAST_DEFERRED", 64)


def order_of(*keys: np.ndarray) -> np.ndarray:
    return sort.sort_rows([Column(pa.array(key)) for key in keys], descending=[False] * len(keys))


RNG = np.random.default_rng(7)
SHAPES: dict[str, Callable[[int], np.ndarray]] = {
    "random floats": lambda n: RNG.random(n) * RNG.choice([1e-300, 1.0, -1e300], n),
    "few floats": lambda n: np.round(RNG.random(n), 1),
    "all 64 bits": lambda n: RNG.integers(-(2**63), 2**63 - 1, n, endpoint=True),
    "one far value": lambda n: np.where(np.arange(n) == n // 3, 2**62, RNG.integers(0, 50, n)),
    "far values at both ends": lambda n: np.where(RNG.random(n) < 0.01, RNG.choice([-(2**63), 2**63 - 1], n), RNG.integers(0, 2**40, n)),
    "every magnitude": lambda n: np.exp(RNG.random(n) * 43).astype(np.int64),
    "nearly one value": lambda n: np.where(RNG.random(n) < 0.002, RNG.integers(-(2**60), 2**60, n), 77),
    "one value": lambda n: np.full(n, 3.5),
    "two values": lambda n: RNG.integers(0, 2, n) * 2**50,
    "half of it one value": lambda n: np.where(RNG.random(n) < 0.5, 0, RNG.integers(0, 2**60, n)),
    "ascending": lambda n: np.sort(RNG.random(n)),
    "ascending with ties": lambda n: np.sort(RNG.integers(0, 30, n)),
    "strictly descending": lambda n: np.arange(n, 0, -1) * 2**45,
    "descending with ties": lambda n: np.sort(RNG.integers(0, 30, n))[::-1].copy(),
    "nearly ascending": lambda n: np.arange(n) + np.where(np.arange(n) == n - 2, -5, 0),
}


@pytest.mark.usefixtures("tiny_buckets")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_rows", [17, 500, N_ROWS, 150_000])
def test_one_key(shape: str, n_rows: int) -> None:
    values = SHAPES[shape](n_rows)
    np.testing.assert_array_equal(order_of(values), np.argsort(values, kind="stable"))


@pytest.mark.usefixtures("tiny_buckets")
@pytest.mark.parametrize("last", SHAPES)
@pytest.mark.parametrize("first", ["few floats", "two values", "half of it one value", "all 64 bits"])
def test_ties_are_refined_by_later_keys(first: str, last: str) -> None:
    keys = SHAPES[first](N_ROWS), SHAPES["few floats"](N_ROWS), SHAPES[last](N_ROWS)
    np.testing.assert_array_equal(order_of(*keys), np.lexsort(keys[::-1]))


@pytest.mark.usefixtures("tiny_buckets")
def test_long_ties_are_deferred_and_sorted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []
    real = sort._sort_digit
    monkeypatch.setattr(sort, "_sort_digit", lambda keys, rows, words, level, **rest: levels.append(level) or real(keys, rows, words, level, **rest))
    values = np.where(np.arange(N_ROWS) == 7, 2**62, RNG.integers(0, 1000, N_ROWS))
    again = RNG.integers(-(2**62), 2**62, N_ROWS)
    np.testing.assert_array_equal(order_of(values, again), np.lexsort([again, values]))
    assert levels[0] == 0
    assert 1 in levels


@pytest.mark.usefixtures("tiny_buckets")
def test_a_bucket_of_many_magnitudes_is_sorted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    real = sort._sort_digit
    monkeypatch.setattr(sort, "_sort_digit", lambda keys, rows, words, level, **rest: lengths.append(len(rows)) or real(keys, rows, words, level, **rest))
    values = np.exp(RNG.random(N_ROWS) * 43).astype(np.int64)
    np.testing.assert_array_equal(order_of(values), np.argsort(values, kind="stable"))
    assert len(lengths) > 1
    assert max(lengths[1:]) < N_ROWS


@pytest.mark.parametrize("shape", ["random floats", "few floats", "half of it one value"])
def test_threads_do_not_change_the_result(shape: str) -> None:
    values, tie = SHAPES[shape](400_000), RNG.random(400_000)
    results = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            results.append(order_of(values, tie))
    np.testing.assert_array_equal(results[0], np.lexsort([tie, values]))
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-(2**63), 2**63 - 1), st.sampled_from([0.0, 1.5, -2.0])), min_size=1, max_size=300),
    st.integers(1, 40),
)
def test_any_rows_at_any_bucket_size(rows: list[tuple[int, int, float]], bucket_rows: int) -> None:
    keys = [np.array(values) for values in zip(*rows, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort, "SMALL_ROWS", 1)
        patch.setattr(sort, "BUCKET_ROWS", bucket_rows)
        patch.setattr(sort, "LEAST_DEFERRED", 4)
        np.testing.assert_array_equal(order_of(*keys), np.lexsort(keys[::-1]))


def test_words_order_and_equal_as_values_do() -> None:
    values = pa.array([3.0, None, -0.0, 0.0, float("nan"), -1e300, 3.0])
    (words,) = sort.order_words(Column(values))
    assert words[0] == words[6]
    assert words[2] == words[3]
    assert words[1] == words[4]
    assert words[5] < words[2] < words[0] < words[1]
    (down,) = sort.order_words(Column(values), descending=True, nulls_first=True)
    assert down[1] < down[0] < down[2] < down[5]


def test_words_of_all_64_bits_and_nulls_are_two() -> None:
    column = Column(pa.array([2**63 - 1, None, -(2**63)]))
    pairs = list(zip(*(words.tolist() for words in sort.order_words(column)), strict=True))
    assert pairs[2] < pairs[0] < pairs[1]
    assert sort.order_words(Column(pa.array([5, 5, 5]))) == []
