"""Bitmap kernels against Python bools, over bit offsets and lengths."""

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import bitmap
from fastframe._threads import run
from fastframe.dtypes import Physical
from tests.reference import select as slow

SIZES = [0, 1, 7, 8, 9, 63, 64, 65, 128, 511, 512, 513, 2000]
OPS = ["copy", "not", "and", "or", "xor", "and_not", "select"]
SLICE = 512


def operand(rng, n_bits, offset):
    bools = rng.integers(0, 2, n_bits + offset).astype(bool)
    packed = np.packbits(bools, bitorder="little")
    return packed, bools[offset:], (packed.ctypes.data, offset, False)


def unpacked(out, n_bits):
    return np.unpackbits(out, bitorder="little")[:n_bits].astype(bool)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("n_bits", SIZES)
def test_combine(op, n_bits):
    rng = np.random.default_rng(n_bits)
    for offsets in [(0, 0, 0), (1, 7, 8), (13, 0, 63), (64, 3, 5)]:
        sides = [operand(rng, n_bits, offset) for offset in offsets]
        out = np.full((n_bits + 7) // 8 + 8, 0xAA, np.uint8)
        run(bitmap.combine_bits(op, tuple(side[2] for side in sides), out.ctypes.data, (sides, out)), n_bits, SLICE)
        expected = [slow.bit_operation(op, *(bool(side[1][row]) for side in sides)) for row in range(n_bits)]
        assert unpacked(out, n_bits).tolist() == expected
        n_bytes = (n_bits + 7) // 8
        assert (out[n_bytes:] == 0xAA).all(), "nothing after the last byte is written"
        assert not unpacked(out, 8 * n_bytes)[n_bits:].any(), "bits after the last row are 0"


def test_constant_operands():
    rng = np.random.default_rng(3)
    packed, bools, side = operand(rng, 1000, 5)
    out = np.empty(125, np.uint8)
    run(bitmap.combine_bits("and", (side, bitmap.EVERYWHERE), out.ctypes.data, (packed, out)), 1000, SLICE)
    assert unpacked(out, 1000).tolist() == bools.tolist()
    run(bitmap.combine_bits("and", (side, bitmap.NOWHERE), out.ctypes.data, (packed, out)), 1000, SLICE)
    assert not out.any()


@pytest.mark.parametrize("n_bits", SIZES)
@pytest.mark.parametrize("offset", [0, 1, 7, 9])
def test_count(n_bits, offset):
    rng = np.random.default_rng(n_bits)
    one, other = operand(rng, n_bits, offset), operand(rng, n_bits, 3)
    counts = np.full(-(-n_bits // SLICE), -1, np.int64)
    run(bitmap.count_bits(one[2], other[2], counts.ctypes.data, (one, other, counts)), n_bits, SLICE)
    assert counts.tolist() == [int((one[1] & other[1])[start : start + SLICE].sum()) for start in range(0, n_bits, SLICE)]


@pytest.mark.parametrize("n_bits", SIZES)
def test_bytes_and_back(n_bits):
    rng = np.random.default_rng(n_bits)
    values = rng.choice(np.array([0, 1, 2, 128, 255], np.uint8), n_bits)
    bits = np.zeros((n_bits + 7) // 8, np.uint8)
    run(bitmap.pack_bytes(values.ctypes.data, bits.ctypes.data, (values, bits)), n_bits, SLICE)
    assert bits.tolist() == np.packbits(values != 0, bitorder="little").tolist()
    out = np.full(n_bits, 9, np.uint8)
    run(bitmap.unpack_bits((bits.ctypes.data, 0, False), out.ctypes.data, (bits, out)), n_bits, SLICE)
    assert out.tolist() == (values != 0).astype(int).tolist()


@pytest.mark.parametrize("physical", [Physical.F32, Physical.F64])
@pytest.mark.parametrize("offset", [0, 3])
def test_missing_floats(physical, offset):
    dtype = np.float32 if physical is Physical.F32 else np.float64
    values = np.array([0.0, np.nan, 1.0, -np.nan, np.inf, -0.0] * 100, dtype)
    valid = np.random.default_rng(0).integers(0, 2, len(values) + offset).astype(bool)
    packed = np.packbits(valid, bitorder="little")
    out = np.empty(75, np.uint8)
    view = (values.ctypes.data, packed.ctypes.data, offset, len(values))
    run(bitmap.missing_floats(int(physical), view, out.ctypes.data, (values, packed, out)), len(values), SLICE)
    assert unpacked(out, len(values)).tolist() == (np.isnan(values) | ~valid[offset:]).tolist()


def test_views_of_arrow_slices():
    array = pa.array([True, False, None, True] * 50).slice(3, 150)
    side = (array.buffers()[1].address, array.offset, False)
    valid = (array.buffers()[0].address, array.offset, True)
    counts = np.zeros(1, np.int64)
    run(bitmap.count_bits(side, valid, counts.ctypes.data, (array, counts)), 150, SLICE)
    assert counts[0] == array.to_pylist().count(True)
