"""Filters of plain strings of one length, whose offsets are not read again, and of slices of different lengths, against pyarrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe._threads import SLICE_ROWS
from fastframe.column.column import Column
from fastframe.engines.cpu import filter as select
from fastframe.options import option_context

RNG = np.random.default_rng(23)
LENGTHS = (0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 65, 70)


def _text(lengths: np.ndarray, kind: pa.DataType, valid: np.ndarray | None = None) -> pa.Array:
    """Random ASCII, also under nulls."""
    offsets = np.zeros(len(lengths) + 1, np.int64 if pa.types.is_large_string(kind) else np.int32)
    np.cumsum(lengths, out=offsets[1:])
    bits = None if valid is None else pa.array(valid).buffers()[1]
    return pa.Array.from_buffers(kind, len(lengths), [bits, pa.py_buffer(offsets), pa.py_buffer(RNG.integers(97, 123, offsets[-1], np.uint8))])


def _check(array: pa.Array, mask: np.ndarray) -> None:
    expected = array.filter(pa.array(mask))
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found = select.filter_column(Column(array), select.filter_plan(Column(pa.array(mask)))).array
        found.validate(full=True)
        assert found.cast(expected.type).equals(expected)


def _masks(n_rows: int) -> list[np.ndarray]:
    half, runs = RNG.random(n_rows) < 0.5, np.repeat(RNG.random(n_rows // 100 + 1) < 0.5, 100)[:n_rows]
    last = np.zeros(n_rows, bool)
    last[-1] = True
    return [half, runs, RNG.random(n_rows) < 0.01, last, ~last, np.zeros(n_rows, bool)]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_one_length(length: int, kind: pa.DataType) -> None:
    for n_rows in (1, 63, 64, 1000):
        array = _text(np.full(n_rows, length), kind)
        covered = _text(np.full(n_rows, length), kind, RNG.random(n_rows) < 0.8)
        for mask in _masks(n_rows):
            _check(array, mask)
            _check(covered, mask)
            _check(array.slice(n_rows // 3), mask[n_rows // 3 :])


def test_slices_of_one_length_beside_others() -> None:
    lengths = np.full(3 * SLICE_ROWS + 777, 5)
    lengths[SLICE_ROWS : 2 * SLICE_ROWS] = 12
    for changed in (None, 0, SLICE_ROWS - 1, 3 * SLICE_ROWS + 776, 2 * SLICE_ROWS + 70):
        if changed is not None:
            lengths[changed] = 40
        array = _text(lengths, pa.string())
        for mask in _masks(len(lengths))[:4]:
            _check(array, mask)
