"""Hashed words against dictionaries of Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import hashing as kernels
from fastframe.column.column import Column
from fastframe.engines.cpu.key_hash import ProbeTable, codes_of_rows, group_in_table, number_words
from fastframe.engines.cpu.key_parts import fixed_view, packed_hashes, packed_words, parts_of
from tests.reference.keys import encode

RNG = np.random.default_rng(5)


def _words(n_rows: int, n_distinct: int, *, no_key: bool = False) -> np.ndarray:
    words = RNG.integers(0, 2**64, n_distinct, dtype=np.uint64)[RNG.integers(0, n_distinct, n_rows)]
    if no_key:
        words[RNG.random(n_rows) < 0.1] = kernels.NO_HASH
    return words


def _check_codes(words: np.ndarray, codes: np.ndarray, first_rows: np.ndarray) -> None:
    """Codes are equal exactly where words are, and dense; first rows are first."""
    expected, distinct = encode([None if word == kernels.NO_HASH else word for word in words.tolist()])
    found, of_codes = encode([None if code == 0xFFFFFFFF else code for code in codes.tolist()])
    assert found == expected
    assert sorted(of_codes) == list(range(len(distinct)))
    assert len(first_rows) == len(distinct)
    assert (codes[first_rows] == np.arange(len(first_rows))).all()
    _, firsts = np.unique(np.array([-1 if code is None else code for code in found]), return_index=True)
    assert sorted(first_rows.tolist()) == sorted(firsts.tolist()[-len(distinct) :] if distinct else [])


def test_the_mixer_loses_nothing() -> None:
    words = [0, 1, 2**32, 2**63, 2**64 - 1, *range(1000), *(1 << bit for bit in range(64))]
    assert len({kernels.mixed(word) for word in words}) == len(set(words))
    assert kernels.mixed(2**64 - 1) == kernels.NO_HASH


@pytest.mark.parametrize(("n_rows", "n_distinct"), [(1, 1), (5, 2), (3000, 3000), (40_000, 7), (200_000, 150_000)])
@pytest.mark.parametrize("no_key", [False, True])
def test_partitions(n_rows: int, n_distinct: int, no_key: bool) -> None:
    words = _words(n_rows, n_distinct, no_key=no_key)
    _check_codes(words, *codes_of_rows(words, number_words(words.copy())))


def test_the_mixer_turns_back() -> None:
    words = [0, 1, 2**32, 2**63, 2**64 - 1, *RNG.integers(0, 2**64, 1000, dtype=np.uint64).tolist()]
    assert [kernels.unmixed(kernels.mixed(word)) for word in words] == words


@pytest.mark.parametrize("n_distinct", [1, 7, 500])
def test_one_table(n_distinct: int) -> None:
    pool = RNG.integers(-(2**61), 2**61, n_distinct)
    column = Column(pa.array(np.append(pool, pool[RNG.integers(0, n_distinct, 9000)])))
    parts = parts_of(column, ordered=False)
    found = group_in_table(parts, len(column), 10)
    assert found is not None
    assert found.n_groups == n_distinct
    assert (found.words()[found.codes] == packed_words(parts, np.arange(len(column), dtype=np.int32))).all()


def test_a_table_more_than_half_full_is_refused() -> None:
    values = np.arange(513) << 40
    parts = parts_of(Column(pa.array(values)), ordered=False)
    assert group_in_table(parts, 513, 10) is None
    assert group_in_table(parts, 512, 10) is not None


def test_a_run_of_taken_slots_over_the_end_of_the_table() -> None:
    """All hashes belong in the last slot; ids are by hash all the same, whatever came first."""
    hashes = (2**64 - 2 - np.arange(200, dtype=np.uint64))[::-1]
    words = np.array([kernels.unmixed(int(one)) for one in hashes], np.uint64)
    given = np.append(words[RNG.permutation(200)], np.array([0], np.uint64))
    parts = parts_of(Column(pa.array(np.append(given, np.uint64(2**64 - 3)))), ordered=False)   # base 0: words are values
    found = group_in_table(parts, 200, 10)
    assert found is not None
    assert found.words().tolist() == words.tolist()


def test_one_heavy_word_among_many() -> None:
    words = _words(100_000, 80_000)
    words[RNG.random(len(words)) < 0.9] = words[0]
    _check_codes(words, *codes_of_rows(words, number_words(words)))


def test_all_in_one_partition() -> None:
    words = np.arange(50_000, dtype=np.uint64)[RNG.permutation(50_000)]  # the top bits are all zero
    numbered = number_words(words)
    assert numbered.n_distinct[0] == 50_000
    _check_codes(words, *codes_of_rows(words, numbered))


@pytest.mark.parametrize("n_rows", [1, 100, 60_000])
@pytest.mark.parametrize("missing", [False, True])
def test_probe(n_rows: int, missing: bool) -> None:
    """Keys of one side against the table of the other's, a missing one among them or not."""
    values = RNG.integers(-(2**62), 2**62, n_rows)
    others = np.concatenate([values[::-1], RNG.integers(-(2**62), 2**62, 1000), [2**63 - 1, -(2**63)]])
    hidden = np.concatenate([np.zeros(n_rows, bool), RNG.random(1002) < 0.5])
    build = Column(pa.array(values, mask=np.arange(n_rows) == 0 if missing else None))
    probe = Column(pa.array(others, mask=hidden))
    parts = parts_of(build, ordered=False)
    view, keep = fixed_view(probe)
    seen = [replace(part, view=view, missing=True, drop=not part.missing, check=True, keep=keep) for part in parts]
    numbered = number_words(packed_hashes(parts, n_rows))
    codes, _first_rows = codes_of_rows(packed_hashes(parts, n_rows), numbered)
    place = dict(zip(build.array.to_pylist(), codes.tolist(), strict=True))
    found = ProbeTable(numbered).codes(seen, len(others))
    assert found.tolist() == [place.get(value, 0xFFFFFFFF) for value in probe.array.to_pylist()]
