"""Hashed words against dictionaries of Python."""

from __future__ import annotations

import numpy as np
import pytest

from fastframe._kernels import hashing as kernels
from fastframe.engines.cpu import key_hash
from fastframe.engines.cpu.key_hash import ProbeTable, codes_of_rows, encode_words, number_words
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


@pytest.mark.parametrize("no_key", [False, True])
def test_slices(monkeypatch: pytest.MonkeyPatch, no_key: bool) -> None:
    monkeypatch.setattr(key_hash, "SLICE_ROWS", 512)
    words = _words(20_000, 300, no_key=no_key)
    encoded = encode_words(words)
    assert encoded.plan.startswith("hashed by slices")
    _check_codes(words, encoded.codes, encoded.first_rows)
    assert (np.diff(encoded.first_rows) > 0).all()  # in order of first appearance


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
def test_probe(n_rows: int) -> None:
    words = _words(n_rows, n_rows)
    numbered = number_words(words)
    codes, _first_rows = codes_of_rows(words, numbered)
    others = np.concatenate([words[::-1], _words(1000, 1000), np.array([kernels.NO_HASH, 0, 2**63], np.uint64)])
    place = dict(zip(words.tolist(), codes.tolist(), strict=True))
    assert ProbeTable(numbered).codes(others).tolist() == [place.get(word, 0xFFFFFFFF) for word in others.tolist()]
