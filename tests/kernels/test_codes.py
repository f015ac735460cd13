"""Packing of digits and dense ids, against NumPy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels.hashing import mixed
from fastframe.column.column import Column
from fastframe.engines.cpu.groups import NO_CODE
from fastframe.engines.cpu.key_parts import (
    MOST_CODES,
    fitting_groups,
    n_codes,
    pack,
    packed_hashes,
    packed_words,
    parts_of,
    reduce_to_word,
)

RNG = np.random.default_rng(9)
N = 5000


def _parts(*arrays: pa.Array, ordered: bool = True) -> list:
    return [part for array in arrays for part in parts_of(Column(array), ordered=ordered)]


def test_words_are_mixed_radix_numbers() -> None:
    small = RNG.integers(-3, 4, N)
    text = RNG.choice(["b", "a", "c"], N)
    flag = RNG.random(N) < 0.5
    mask = RNG.random(N) < 0.1
    parts = _parts(pa.array(small, mask=mask), pa.array(text), pa.array(flag))
    assert [part.n_codes for part in parts] == [8, 3, 2]
    digits = np.where(mask, 7, small + 3), np.searchsorted(["a", "b", "c"], text), flag
    expected = digits[0] * 6 + digits[1] * 2 + digits[2]
    for wide in (False, True):
        codes = np.empty(N, np.uint32)
        pack(parts, N, wide=wide, codes=codes)
        assert codes.tolist() == expected.tolist()
    rows = RNG.integers(0, N, 300).astype(np.int32)
    assert packed_words(parts, rows).tolist() == expected[rows].tolist()
    assert packed_hashes(parts, N)[:50].tolist() == [mixed(int(word)) for word in expected[:50]]


@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
)
def test_words_keep_the_order(kind: str) -> None:
    if kind.startswith("f"):
        values = np.concatenate(
            [RNG.normal(size=500).astype(kind), np.array([np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324], kind)]
        )
    else:
        info = np.iinfo(kind)
        values = np.append(
            RNG.integers(info.min, info.max, 500, dtype=kind, endpoint=True), np.array([info.min, info.max], kind)
        )
    array = pa.array(np.append(values, values[:1]), mask=np.append(np.zeros(len(values), bool), True))
    rows = np.arange(len(array), dtype=np.int32)
    words = [packed_words(group, rows) for group in fitting_groups(_parts(array))]
    order = np.lexsort(words[::-1])
    assert order[-1] == len(array) - 1  # missing last
    assert (np.diff(values[order[:-1]].astype(object)) >= 0).all()
    assert len(set(zip(*(word.tolist() for word in words), strict=True))) == len(np.unique(values)) + 1


def test_runs_of_parts_fit_a_word() -> None:
    wide = pa.array([-(2**63), 2**63 - 1, None])
    parts = _parts(wide, wide, pa.array([1, 2, 3]))
    assert [part.n_codes for part in parts] == [2**32 + 1, 2**32 + 1] * 2 + [3]
    groups = fitting_groups(parts)
    assert [part for group in groups for part in group] == parts
    assert all(n_codes(group) <= MOST_CODES for group in groups)
    asked: list[int] = []

    def dense(run_of_parts: list) -> object:
        asked.append(len(run_of_parts))
        return _parts(pa.array([0, 1, 2]))[0]

    assert n_codes(reduce_to_word(parts, n_codes, dense)) <= MOST_CODES
    assert asked


def test_rows_without_a_key() -> None:
    from dataclasses import replace

    parts = [replace(part, drop=True) for part in _parts(pa.array([1, None, 3]), pa.array([1.0, 2.0, float("nan")]))]
    codes = np.empty(3, np.uint32)
    pack(parts, 3, wide=False, codes=codes)
    assert codes[0] != NO_CODE
    assert codes[1:].tolist() == [NO_CODE] * 2


def test_presence_is_a_bit_per_word() -> None:
    values = RNG.choice(np.array([0, 3, 64, 65, 129]), N)
    (part,) = _parts(pa.array(values, mask=RNG.random(N) < 0.2))
    from dataclasses import replace

    for drop in (True, False):
        chosen = [replace(part, drop=drop)]
        size = n_codes(chosen)
        present, codes = np.zeros(-(-size // 64), np.uint64), np.empty(N, np.uint8)
        pack(chosen, N, wide=False, codes=codes, present=present)
        bits = np.unpackbits(present.view(np.uint8), bitorder="little")
        assert np.flatnonzero(bits).tolist() == [0, 3, 64, 65, 129] + [130] * (not drop)
        assert (codes[values == 129] >= 129).all()
        assert ((codes == 255).any()) == drop


def test_hashes_are_counted_by_partition() -> None:
    parts = _parts(pa.array(RNG.integers(0, 2**50, N)))
    hashes, counts = np.empty(N, np.uint64), np.empty((-(-N // 1024), 8), np.uint32)
    pack(parts, N, wide=True, hashes=hashes, counts=counts, partitions=(3, 1024))
    for place, some in enumerate(counts):
        rows = hashes[place * 1024 : (place + 1) * 1024]
        assert some.tolist() == np.bincount(rows >> np.uint64(61), minlength=8).tolist()
