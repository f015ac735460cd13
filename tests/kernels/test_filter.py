"""Filter kernels: every vector width gives the same bytes, and nothing outside a slice's own output is written."""

import numpy as np
import pytest

from fastframe._kernels import filter as kernels
from fastframe._threads import run

SLICE = 512
WIDTHS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.dtype("V16")}


def plan_of(mask):
    words = np.zeros(-(-len(mask) // 64), np.uint64)
    starts = np.zeros(-(-len(mask) // SLICE) + 1, np.int64)
    packed = np.packbits(mask, bitorder="little")
    task = kernels.plan_mask((packed.ctypes.data, 0, False), (0, 0, True), words.ctypes.data, starts[1:].ctypes.data, (packed, words, starts))
    run(task, len(mask), SLICE)
    np.cumsum(starts, out=starts)
    return words, starts


def addresses(words, starts):
    return words.ctypes.data, starts.ctypes.data


def masks(n_rows):
    rng = np.random.default_rng(n_rows)
    for share in (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0):
        yield rng.random(n_rows) < share
    yield np.arange(n_rows) // 70 % 2 == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("vectors", [0, 1, 2])
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 511, 512, 513, 5000])
def test_values(width, vectors, streams, n_rows):
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, n_rows * width + 1).astype(np.uint8)[1:]   # not aligned
    values = raw.view(WIDTHS[width])
    for mask in masks(n_rows):
        words, starts = plan_of(mask)
        expected = values[mask].tobytes()
        out = np.full(len(expected) + 64, 0xAA, np.uint8)
        keep = (raw, words, starts, out)
        task = kernels.filter_values([(width, raw.ctypes.data, out.ctypes.data)], addresses(words, starts), keep, streams=streams, vectors=vectors)
        run(task, n_rows, SLICE)
        assert out[: len(expected)].tobytes() == expected
        assert (out[len(expected) :] == 0xAA).all()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_slice_writes_only_its_own(width, streams):
    """The first slice of four runs alone: a store beyond its end would show in the next one's output."""
    mask = np.random.default_rng(5).random(2048) < 0.6
    words, starts = plan_of(mask)
    raw = np.random.default_rng(6).integers(0, 256, 2048 * width).astype(np.uint8)
    out = np.full(int(mask.sum()) * width, 0xAA, np.uint8)
    first = slice(int(starts[1]) * width, None)
    keep = (raw, words, starts, out)
    task = kernels.filter_values([(width, raw.ctypes.data, out.ctypes.data)], addresses(words, starts), keep, streams=streams)
    run(task, SLICE, SLICE)   # the first slice alone
    assert (out[first] == 0xAA).all()


@pytest.mark.parametrize("vectors", [0, 2])
@pytest.mark.parametrize("offset", [0, 5])
@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 511, 512, 513, 5000])
def test_bits(vectors, offset, n_rows):
    bits = np.random.default_rng(1).integers(0, 2, n_rows + offset).astype(bool)
    packed = np.packbits(bits, bitorder="little")
    for mask in masks(n_rows):
        words, starts = plan_of(mask)
        expected = np.packbits(bits[offset:][mask], bitorder="little")
        out = np.full(len(expected) + 8, 0xAA, np.uint8)
        meeting = starts >> 3
        out[meeting[meeting < len(expected)]] = 0
        keep = packed, words, starts, out
        task = kernels.filter_bits((packed.ctypes.data, offset, False), addresses(words, starts), out.ctypes.data, keep, vectors=vectors)
        run(task, n_rows, SLICE)
        assert out[: len(expected)].tolist() == expected.tolist()
        assert (out[len(expected) :] == 0xAA).all()


def test_software_extract_equals_bmi2_on_random_words():
    """Full words at once, over dense and sparse masks."""
    rng = np.random.default_rng(2)
    mask = np.unpackbits(rng.integers(0, 2**63, 4000).astype(np.uint64).view(np.uint8), bitorder="little").astype(bool)
    bits = np.unpackbits(rng.integers(0, 2**63, 4000).astype(np.uint64).view(np.uint8), bitorder="little")
    packed = np.packbits(bits, bitorder="little")
    words, starts = plan_of(mask)
    results = []
    for vectors in (0, 2):
        out = np.zeros((int(mask.sum()) + 7) // 8, np.uint8)
        task = kernels.filter_bits((packed.ctypes.data, 0, False), addresses(words, starts), out.ctypes.data, (packed, words, starts, out), vectors=vectors)
        run(task, len(mask), SLICE)
        results.append(out.tobytes())
    assert results[0] == results[1] == np.packbits(bits[mask], bitorder="little").tobytes()


@pytest.mark.parametrize("vectors", [0, 2])
@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65, 511, 512, 513, 5000])
def test_kept_rows(vectors, n_rows):
    for mask in masks(n_rows):
        words, starts = plan_of(mask)
        out = np.full(int(mask.sum()) + 16, -7, np.int32)
        run(kernels.kept_rows(addresses(words, starts), out.ctypes.data, (words, starts, out), vectors=vectors), n_rows, SLICE)
        assert out[: int(mask.sum())].tolist() == np.flatnonzero(mask).tolist()
        assert (out[int(mask.sum()) :] == -7).all()


def test_columns_of_several_widths_in_one_run():
    rng = np.random.default_rng(7)
    mask = rng.random(3000) < 0.4
    words, starts = plan_of(mask)
    columns = [rng.integers(0, 100, 3000).astype(WIDTHS[width]) if width < 16 else np.zeros(3000, WIDTHS[width]) for width in WIDTHS]
    outs = [np.full(int(mask.sum()), 0, one.dtype) for one in columns]
    jobs = [(one.itemsize, one.ctypes.data, out.ctypes.data) for one, out in zip(columns, outs, strict=True)]
    run(kernels.filter_values(jobs, addresses(words, starts), (columns, words, starts, outs)), 3000, SLICE)
    for one, out in zip(columns, outs, strict=True):
        assert out.tobytes() == one[mask].tobytes()


def test_a_width_without_a_kernel_is_refused():
    with pytest.raises(TypeError, match="no kernel filters values of 3 bytes"):
        kernels.filter_values([(3, 0, 0)], (0, 0), None)
