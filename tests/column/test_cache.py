"""What is kept on columns for the next time: found again, counted, limited, and gone with its columns."""

from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import cache
from fastframe.column.column import Column
from fastframe.column.memory import relieve
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.options import option_context

RNG = np.random.default_rng(11)
N = 2000


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _numbers() -> Column:
    return Column(pa.array(RNG.integers(0, 50, N), mask=RNG.random(N) < 0.05))


def _texts() -> Column:
    return Column(pa.array(RNG.choice(["b", "a", "c", ""], N)))


def test_what_is_kept_is_found_by_the_same_columns_only() -> None:
    one, other, third = _numbers(), _numbers(), _numbers()
    value = object()
    cache.keep([one, other], "x", value, 10)
    assert cache.find([one, other], "x") is value
    for columns in ([one], [other, one], [one, third], [one, other, third]):
        assert cache.find(columns, "x") is None
    assert cache.find([one, other], "y") is None
    assert (cache.held_bytes(), cache.cached_bytes(one), cache.cached_bytes(other)) == (10, 10, 0)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_it_dies_with_any_of_its_columns(gone: int) -> None:
    columns = [_numbers(), _numbers(), _numbers()]
    group_rows(columns)
    assert cache.held_bytes() > N
    del columns[gone]
    assert cache.held_bytes() == 0   # at once, without a garbage collection


def test_kept_groups_do_not_keep_their_columns() -> None:
    gc.disable()
    try:
        for columns in ([_numbers()], [_texts()], [_numbers(), _texts()]):
            for sort in (None, True, False):
                group_rows(columns, sort=sort)
        del columns
        assert cache.held_bytes() == 0
    finally:
        gc.enable()


def test_the_longest_unused_goes_first() -> None:
    columns = [_numbers() for _ in range(4)]
    with option_context(cache_bytes=30):
        for column in columns[:3]:
            cache.keep([column], "x", object(), 10)
        cache.find([columns[0]], "x")
        cache.keep([columns[3]], "x", object(), 10)
        assert [cache.find([column], "x") is not None for column in columns] == [True, False, True, True]
        cache.keep([columns[1]], "x", object(), 31)   # more than there may be
        assert cache.find([columns[1]], "x") is None
        assert cache.held_bytes() == 30
        ff.options.cache_bytes = 10
        assert cache.held_bytes() == 10
        assert columns[0].known("x") is None
    with option_context(cache_bytes=0):
        group_rows(columns)
        assert cache.held_bytes() == 0


def test_a_value_that_is_kept_anew_counts_once() -> None:
    column = _numbers()
    for n_bytes in (10, 20, 5):
        cache.keep([column], "x", object(), n_bytes)
        assert cache.held_bytes() == n_bytes


def test_memory_pressure_and_drop_facts_empty_it() -> None:
    column = _texts()
    group_rows([column])
    assert column.known("encoded") is not None
    relieve()
    assert (cache.held_bytes(), column.known("encoded")) == (0, None)
    group_rows([column])
    column.drop_facts()
    assert cache.held_bytes() == 0


def test_memory_that_is_not_ours_and_pickles_keep_nothing() -> None:
    shared = Column(_texts().array, owned=False)
    group_rows([shared, _numbers()])
    assert cache.find([shared], "encoded") is None
    column = _texts()
    group_rows([column])
    held = cache.held_bytes()
    again = pickle.loads(pickle.dumps(column))
    assert (cache.held_bytes(), cache.cached_bytes(again)) == (held, 0)


@pytest.mark.parametrize("limit", [-1, 1.5, None, "1"])
def test_limits_that_are_none(limit: object) -> None:
    with pytest.raises(ff.errors.ArgumentError, match="options was given cache_bytes="):
        ff.options.cache_bytes = limit  # type: ignore[assignment]


def _same(one: object, other: object) -> bool:
    pairs = ((one.codes, other.codes), (one.first_rows, other.first_rows))  # type: ignore[attr-defined]
    return all(left.dtype == right.dtype and (left == right).all() for left, right in pairs)


KEYS = {
    "numbers": lambda: [_numbers()],
    "text": lambda: [_texts()],
    "both": lambda: [_texts(), _numbers()],
    "wide": lambda: [Column(pa.array(RNG.integers(-(2**60), 2**60, 100)[RNG.integers(0, 100, N)])), _numbers()],
    "floats": lambda: [Column(pa.array(RNG.choice([0.0, -0.0, np.nan, 1.5], N)))],
    "no nulls": lambda: [Column(pa.array(RNG.integers(0, 9, N)))],
}


@pytest.mark.parametrize("kind", KEYS)
def test_what_is_kept_decides_no_bit(kind: str) -> None:
    asked = list(product((True, False), (True, False, None)))
    columns = KEYS[kind]()
    with option_context(cache_bytes=0):
        alone = {(dropna, sort): group_rows(columns, dropna=dropna, sort=sort) for dropna, sort in asked}
    for order in list(permutations(asked))[::37]:
        cache.clear()
        for dropna, sort in order:
            for _ in range(2):
                assert _same(group_rows(columns, dropna=dropna, sort=sort), alone[dropna, sort])


def test_groups_are_found_again_in_any_order() -> None:
    column = _numbers()
    first = group_rows([column], sort=None)
    assert group_rows([column], sort=None).codes is first.codes
    assert group_rows([column], sort=True).codes is first.codes   # a range is in key order as it is
    held = cache.held_bytes()
    assert held == first.n_bytes == len(first.codes) + 20 * first.n_groups
    group_rows([column], sort=False)
    assert cache.held_bytes() == 2 * held


def test_memory_usage_counts_what_is_kept() -> None:
    df = ff.DataFrame({"k": RNG.choice(["x", "yy"], N), "n": RNG.integers(0, 9, N), "v": np.arange(N)})
    before = df.memory_usage(deep=True)
    df.groupby(["k", "n"])["v"].sum()
    after, shallow = df.memory_usage(deep=True), df.memory_usage(deep=False)
    assert after["k"] - before["k"] > 5 * N   # codes of the text, and of the groups
    assert after["v"] == before["v"] == shallow["v"]
    assert (shallow == before).all()
    assert df["k"].memory_usage() - df["k"].memory_usage(deep=False) == after["k"] - shallow["k"]
    df = df.drop(columns=["k"])
    assert cache.held_bytes() == 0


def test_many_threads() -> None:
    columns = [[_numbers(), _texts()] for _ in range(5)]
    expected = [group_rows(pair).codes.copy() for pair in columns]
    wrong: list[int] = []

    def work(seed: int) -> None:
        pick = np.random.default_rng(seed)
        for _ in range(150):
            place = int(pick.integers(0, 5))
            if not (group_rows(columns[place]).codes == expected[place]).all():
                wrong.append(place)
            if pick.random() < 0.2:
                cache.clear()
            encode_text(Column(columns[place][1].array))   # dies at once

    with option_context(cache_bytes=20_000):   # room for a few of them
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert cache.held_bytes() <= 20_000
