"""The phases of a join over given codes: unique and repeated right sides, every slice boundary, exact sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe.engines.cpu import join
from fastframe.errors import ShapeError
from fastframe.options import option_context
from tests.reference import join as reference

NONE = 0xFFFFFFFF


def pairs_of(left_rows: np.ndarray | None, right_rows: np.ndarray | None, n_left: int, n_right: int) -> list[tuple[int, int]]:
    left = left_rows.tolist() if left_rows is not None else list(range(n_left))
    right = right_rows.tolist() if right_rows is not None else list(range(n_right))
    return list(zip(left, right, strict=True))


def probe(left: np.ndarray, right: np.ndarray, n_codes: int, *, keeps_unmatched: bool) -> list[tuple[int, int]]:
    found = join._probe(left, right, n_codes, keeps_unmatched=keeps_unmatched)
    return pairs_of(*found, len(left), len(right))


def expected(left: np.ndarray, right: np.ndarray, *, keeps_unmatched: bool) -> list[tuple[int, int]]:
    how = "left" if keeps_unmatched else "inner"
    return reference.join_rows([(int(code),) for code in left], [(int(code),) for code in right if code != NONE], how)


CODES = st.lists(st.integers(0, 6), max_size=30)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, NONE]), max_size=30), CODES, st.booleans(), st.booleans())
def test_any_codes(left: list[int], right: list[int], unique: bool, keeps_unmatched: bool) -> None:
    right = list(dict.fromkeys(right)) if unique else right
    left_codes, right_codes = np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32)
    assert probe(left_codes, right_codes, 7, keeps_unmatched=keeps_unmatched) == expected(left_codes, right_codes, keeps_unmatched=keeps_unmatched)


@pytest.mark.parametrize("n_rows", [511, 512, 513, 1500])
@pytest.mark.parametrize("right_is", ["unique", "repeated", "empty"])
@pytest.mark.parametrize("keeps_unmatched", [True, False])
def test_slices(monkeypatch: pytest.MonkeyPatch, n_rows: int, right_is: str, keeps_unmatched: bool) -> None:
    monkeypatch.setattr(join, "SLICE_ROWS", 512)
    rng = np.random.default_rng(n_rows)
    left = rng.integers(0, 40, n_rows).astype(np.uint32)
    left[rng.random(n_rows) < 0.2] = NONE
    right = {"unique": rng.permutation(40)[:25], "repeated": rng.integers(0, 40, 60), "empty": np.empty(0)}[right_is].astype(np.uint32)
    assert probe(left, right, 40, keeps_unmatched=keeps_unmatched) == expected(left, right, keeps_unmatched=keeps_unmatched)


def test_shared_sides_are_none() -> None:
    left, right = np.array([2, 0, 1], dtype=np.uint32), np.array([0, 1, 2], dtype=np.uint32)
    left_rows, right_rows = join._probe(left, right, 3, keeps_unmatched=False)
    assert left_rows is None
    assert right_rows is not None
    assert right_rows.tolist() == [2, 0, 1]
    assert join._probe(right, right, 3, keeps_unmatched=True) == (None, None)
    repeated = np.array([0, 0, 5], dtype=np.uint32)    # a right side that repeats, but not where the left side looks
    left_rows, right_rows = join._probe(np.array([5, NONE], dtype=np.uint32), repeated, 6, keeps_unmatched=True)
    assert left_rows is None
    assert right_rows is not None
    assert right_rows.tolist() == [2, -1]
    left_rows, right_rows = join._probe(np.array([0, 3], dtype=np.uint32), repeated, 6, keeps_unmatched=False)
    assert left_rows is not None
    assert left_rows.tolist() == [0, 0]


def test_too_many_pairs_are_counted_not_allocated() -> None:
    codes = np.zeros(50_000, dtype=np.uint32)
    with pytest.raises(ShapeError, match="2500000000 rows"):
        join._probe(codes, codes, 1, keeps_unmatched=False)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, NONE]), max_size=12))
def test_first_repeated_row(codes: list[int]) -> None:
    assert join.key_uniqueness(np.array(codes, dtype=np.uint32), 6) == reference.first_repeated(codes, NONE)


def test_first_repeated_row_far_on() -> None:
    codes = np.random.default_rng(2).permutation(300_000).astype(np.uint32)
    assert join.key_uniqueness(codes, 300_000) is None
    codes[250_000], codes[280_000] = codes[3], codes[2]
    assert join.key_uniqueness(codes, 300_000) == 250_000


@pytest.mark.parametrize("repeats", [1, 3])
def test_threads_do_not_change_the_result(repeats: int) -> None:
    rng = np.random.default_rng(4)
    left = rng.integers(0, 2_000, 400_000).astype(np.uint32)
    right = np.repeat(rng.permutation(2_000)[:1_500], repeats).astype(np.uint32)
    results = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            results.append(join._probe(left, right, 2_000, keeps_unmatched=False))
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left)
    matched = np.flatnonzero(np.isin(left, right))
    np.testing.assert_array_equal(results[0][0], np.repeat(matched, repeats))
    np.testing.assert_array_equal(results[0][1], order[(first[matched][:, None] + np.arange(repeats)).ravel()])
    for left_rows, right_rows in results[1:]:
        np.testing.assert_array_equal(left_rows, results[0][0])
        np.testing.assert_array_equal(right_rows, results[0][1])


@pytest.mark.parametrize("right", [[5, 7_000_000, 0], [5, 5, 7_000_000], []])
def test_few_rows_of_many_codes(right: list[int]) -> None:
    left, right_codes = np.array([7_000_000, NONE, 5, 6, 5], dtype=np.uint32), np.array(right, dtype=np.uint32)
    for keeps_unmatched in (True, False):
        assert probe(left, right_codes, 8_000_000, keeps_unmatched=keeps_unmatched) == expected(left, right_codes, keeps_unmatched=keeps_unmatched)
