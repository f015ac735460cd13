"""The phases of a join over given codes: unique and repeated right sides, every slice boundary, exact sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe._threads import SLICE_ROWS
from fastframe.engines.cpu import join
from fastframe.engines.cpu.join import Pairs, pairs_of_codes
from fastframe.engines.cpu.join_index import RowGroups, RowMap
from fastframe.engines.cpu.join_keys import Codes
from fastframe.engines.cpu.join_output import joined_columns
from fastframe.errors import ShapeError
from fastframe.options import option_context
from tests.engines.joining import numbers, rows_of_pairs
from tests.reference import join as reference

NONE = 0xFFFFFFFF


def found(left: np.ndarray, right: np.ndarray, n_codes: int, *, keeps_unmatched: bool) -> Pairs:
    return pairs_of_codes(Codes(len(left), left), Codes(len(right), right), n_codes, keeps_unmatched=keeps_unmatched)


def probe(left: np.ndarray, right: np.ndarray, n_codes: int, *, keeps_unmatched: bool) -> list[tuple[int, int]]:
    return list(zip(*rows_of_pairs(found(left, right, n_codes, keeps_unmatched=keeps_unmatched)), strict=True))


def expected(left: np.ndarray, right: np.ndarray, *, keeps_unmatched: bool) -> list[tuple[int, int]]:
    how = "left" if keeps_unmatched else "inner"
    return reference.join_rows([(int(code),) for code in left], [(int(code),) for code in right if code != NONE], how)


CODES = st.lists(st.integers(0, 6), max_size=30)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, NONE]), max_size=30), CODES, st.booleans(), st.booleans())
def test_any_codes(left: list[int], right: list[int], unique: bool, keeps_unmatched: bool) -> None:
    right = list(dict.fromkeys(right)) if unique else right
    left_codes, right_codes = np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32)
    assert probe(left_codes, right_codes, 7, keeps_unmatched=keeps_unmatched) == expected(left_codes, right_codes, keeps_unmatched=keeps_unmatched)


@pytest.mark.parametrize("n_rows", [1, 63, 64, 1023, 1025, SLICE_ROWS - 1, SLICE_ROWS + 65])
@pytest.mark.parametrize("right_is", ["unique", "repeated", "empty"])
@pytest.mark.parametrize("keeps_unmatched", [True, False])
def test_blocks_and_slices(n_rows: int, right_is: str, keeps_unmatched: bool) -> None:
    rng = np.random.default_rng(n_rows)
    left = rng.integers(0, 40, n_rows).astype(np.uint32)
    left[rng.random(n_rows) < 0.2] = NONE
    right = {"unique": rng.permutation(40)[:25], "repeated": rng.integers(0, 40, 60), "empty": np.empty(0)}[right_is].astype(np.uint32)
    partners: dict[int, list[int]] = {}
    for row, code in enumerate(right.tolist()):
        partners.setdefault(code, []).append(row)
    none = [-1] if keeps_unmatched else []
    pairs = [(row, partner) for row, code in enumerate(left.tolist()) for partner in partners.get(code, none)]
    assert probe(left, right, 40, keeps_unmatched=keeps_unmatched) == pairs


def test_sides_that_come_once_and_in_order_are_shared() -> None:
    def joined(left: np.ndarray, right: np.ndarray, n_codes: int, *, keeps_unmatched: bool) -> list[list[int] | None]:
        columns = [numbers(len(left)), numbers(len(right))]
        pairs = found(left, right, n_codes, keeps_unmatched=keeps_unmatched)
        sides = joined_columns(pairs, {"row": columns[0]}, {"row": columns[1]})
        return [None if side["row"] is column else side["row"].array.to_pylist() for side, column in zip(sides, columns, strict=True)]

    left, right = np.array([2, 0, 1], dtype=np.uint32), np.array([0, 1, 2], dtype=np.uint32)
    assert joined(left, right, 3, keeps_unmatched=False) == [None, [2, 0, 1]]
    assert joined(right, right, 3, keeps_unmatched=True) == [None, None]
    nearly = np.array([*range(100), 99], dtype=np.uint32)
    assert joined(nearly, np.arange(101, dtype=np.uint32), 101, keeps_unmatched=False) == [None, nearly.tolist()]
    repeated = np.array([0, 0, 5], dtype=np.uint32)    # a right side that repeats, but not where the left side looks
    assert joined(np.array([5, NONE], dtype=np.uint32), repeated, 6, keeps_unmatched=True) == [None, [2, None]]
    assert joined(np.array([0, 3], dtype=np.uint32), repeated, 6, keeps_unmatched=False) == [[0, 0], [0, 1]]


@pytest.mark.parametrize("right", [[3, 1, 0], [3, 1, 1], [NONE, NONE, 2], []])
def test_the_index_is_a_map_where_no_code_repeats(right: list[int]) -> None:
    codes = np.array(right, dtype=np.uint32)
    index = join.build_index(Codes(len(codes), codes), 4)
    kept = [code for code in right if code != NONE]
    assert isinstance(index, RowMap if len(set(kept)) == len(kept) else RowGroups)


def test_a_code_that_repeats_late() -> None:
    codes = np.arange(200_000, dtype=np.uint32)
    codes[-1] = 7
    index = join.build_index(Codes(len(codes), codes), 200_000)
    assert isinstance(index, RowGroups)
    assert index.rows[index.offsets[7] : index.offsets[8]].tolist() == [7, 199_999]


def test_too_many_pairs_are_counted_not_allocated() -> None:
    codes = np.zeros(50_000, dtype=np.uint32)
    with pytest.raises(ShapeError, match="2500000000 rows"):
        found(codes, codes, 1, keeps_unmatched=False)


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
            results.append(rows_of_pairs(found(left, right, 2_000, keeps_unmatched=False)))
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left)
    matched = np.flatnonzero(np.isin(left, right))
    np.testing.assert_array_equal(results[0][0], np.repeat(matched, repeats))
    np.testing.assert_array_equal(results[0][1], order[(first[matched][:, None] + np.arange(repeats)).ravel()])
    assert results[1] == results[0]
    assert results[2] == results[0]


@pytest.mark.parametrize("right", [[5, 7_000_000, 0], [5, 5, 7_000_000], []])
def test_few_rows_of_many_codes(right: list[int]) -> None:
    left, right_codes = np.array([7_000_000, NONE, 5, 6, 5], dtype=np.uint32), np.array(right, dtype=np.uint32)
    for keeps_unmatched in (True, False):
        assert probe(left, right_codes, 8_000_000, keeps_unmatched=keeps_unmatched) == expected(left, right_codes, keeps_unmatched=keeps_unmatched)
