"""Ranks, widths, first rows and values of groups, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from fastframe._kernels import groups as kernels
from fastframe._threads import run
from fastframe.dtypes import Physical
from fastframe.engines.cpu.groups import code_dtype, filled, first_rows_of, remapped
from fastframe.engines.cpu.row_codes import code_view

RNG = np.random.default_rng(3)
WIDTHS = (np.uint8, np.uint16, np.uint32)


def _codes(n_rows: int, n_codes: int, dtype: type, dropped: float = 0.1) -> np.ndarray:
    codes = RNG.integers(0, n_codes, n_rows).astype(dtype)
    codes[RNG.random(n_rows) < dropped] = np.iinfo(dtype).max
    return codes


def test_codes_leave_room_for_dropped_rows() -> None:
    assert [code_dtype(n) for n in (0, 255, 256, 65535, 65536, 2**31)] == [
        np.uint8, np.uint8, np.uint16, np.uint16, np.uint32, np.uint32,
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", WIDTHS)
@pytest.mark.parametrize("out", WIDTHS)
@pytest.mark.parametrize("mapped", [True, False])
def test_remap(dtype: type, out: type, mapped: bool) -> None:
    codes = _codes(5000, 200, dtype)
    mapping = RNG.permutation(200).astype(np.uint32) if mapped else None
    there = codes != np.iinfo(dtype).max
    expected = np.full(len(codes), np.iinfo(out).max, out)
    expected[there] = codes[there] if mapping is None else mapping[codes[there]]
    assert (remapped(codes, mapping, out) == expected).all()


def test_remap_with_a_map_beyond_the_cache() -> None:
    codes = _codes(300_000, 200_000, np.uint32)
    mapping = RNG.permutation(200_000).astype(np.uint32)
    there = codes != 0xFFFFFFFF
    found = remapped(codes, mapping, np.uint32)
    assert (found[there] == mapping[codes[there]]).all()
    assert (found[~there] == 0xFFFFFFFF).all()


@pytest.mark.parametrize(
    ("dtype", "n_codes", "out"),
    [
        (np.uint8, 200, np.uint8), (np.uint16, 300, np.uint8), (np.uint16, 60_000, np.uint16),
        (np.uint32, 70_000, np.uint8), (np.uint32, 100_000, np.uint16), (np.uint32, 4_000_000, np.uint32),
    ],
)  # fmt: skip
def test_ranks(dtype: type, n_codes: int, out: type) -> None:
    pool = RNG.choice(n_codes, min(100, n_codes), replace=False)
    codes = pool[RNG.integers(0, len(pool), 5000)].astype(dtype)
    codes[RNG.random(5000) < 0.1] = np.iinfo(dtype).max
    there = codes != np.iinfo(dtype).max
    distinct, places = np.unique(codes[there], return_inverse=True)
    n_cells = -(-n_codes // 64)
    bits = np.zeros(n_cells * 64, np.uint8)
    bits[distinct] = 1
    bits[n_codes:] = 1   # never counted
    present = np.packbits(bits, bitorder="little").view(np.uint64)
    ranks = np.empty(n_cells + 1, np.uint32)
    run(kernels.count(present.ctypes.data, n_codes, ranks.ctypes.data, (present, ranks)), n_cells, n_cells)
    assert ranks[-1] == len(distinct)
    found, words = np.empty(5000, out), np.empty(len(distinct), np.uint64)
    given = (present.ctypes.data, n_codes, ranks.ctypes.data)
    run(kernels.rank(given, code_view(codes), code_view(found), (present, ranks, codes, found)), 5000, 512)
    assert (found[there] == places).all()
    assert (found[~there] == np.iinfo(out).max).all()
    run(kernels.listed(*given, words.ctypes.data, (present, ranks, words)), n_cells, 512)
    assert words.tolist() == distinct.tolist()


@pytest.mark.parametrize("dtype", WIDTHS)
def test_first_rows(dtype: type) -> None:
    n_groups = {1: 250, 2: 60_000, 4: 100_000}[np.dtype(dtype).itemsize]
    codes = np.concatenate([RNG.permutation(n_groups), RNG.integers(0, n_groups, 200_000)]).astype(dtype)
    codes[5::7] = np.iinfo(dtype).max
    expected = np.full(n_groups, kernels.NEVER)
    np.minimum.at(expected, codes[codes != np.iinfo(dtype).max], np.flatnonzero(codes != np.iinfo(dtype).max))
    assert (first_rows_of(codes, n_groups) == expected).all()


def test_filled() -> None:
    assert (filled(1000, np.uint16, 0xFF) == 0xFFFF).all()
    assert len(filled(0, np.uint32, 1)) == 0


@pytest.mark.parametrize("stride", [1, 8, 9])
@pytest.mark.parametrize("radix", [0, 16, 13])
@pytest.mark.parametrize("physical", [Physical.I8, Physical.U16, Physical.I32, Physical.I64, Physical.BOOL])
def test_digits(stride: int, radix: int, physical: Physical) -> None:
    n_values = 1 if physical is Physical.BOOL else 12
    codes = RNG.integers(0, n_values + 1, 1000).astype(np.uint64)
    words = codes * np.uint64(stride) + RNG.integers(0, stride, 1000).astype(np.uint64)
    words += np.uint64(radix * stride) * RNG.integers(0, 5, 1000).astype(np.uint64)
    base, step = (0, 1) if physical is Physical.BOOL else (-20, 3)
    kind = {Physical.I8: np.int8, Physical.U16: np.uint16, Physical.I32: np.int32, Physical.I64: np.int64}
    values = np.empty(1000, kind.get(physical, np.uint8))
    validity, again = np.empty(125, np.uint8), np.empty_like(values)
    digit = {
        "stride": stride, "radix": radix, "stride_shift": stride.bit_length() - 1 if stride != 9 else -1,
        "radix_bits": 4 if radix == 16 else -1, "base": base % 2**64, "step": step, "n_values": n_values, "lut": 0,
        "values": values.ctypes.data, "validity": validity.ctypes.data, "physical": int(physical),
    }  # fmt: skip
    keep = (words, values, validity)
    digits = kernels.Digits([digit, {**digit, "values": again.ctypes.data, "n_values": 2**60, "validity": 0}])
    run(kernels.decode(words.ctypes.data, digits, keep=(*keep, again)), 1000)
    there = codes != n_values
    assert (np.unpackbits(validity, bitorder="little")[:1000].astype(bool) == there).all()
    if physical is Physical.BOOL:
        assert not np.unpackbits(values[:125], bitorder="little")[:1000].any()   # the only value is False
    else:
        expected = (codes.astype(np.int64) * step + base).astype(values.dtype)
        assert (values[there] == expected[there]).all()
        assert (again == expected).all()   # no code is missing
