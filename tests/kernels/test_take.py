"""Take kernels: widths, prefetch, missing rows, codes under nulls."""

import numpy as np
import pytest

from fastframe._kernels import take as kernels
from fastframe._threads import run

SLICE = 512


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("n_rows", [0, 1, 31, 32, 33, 512, 1500])
def test_values(width, missing, prefetch, n_rows):
    rng = np.random.default_rng(n_rows)
    source = rng.integers(0, 256, (77, width)).astype(np.uint8)
    rows = rng.integers(-1 if missing else 0, 77, n_rows).astype(np.int32)
    out = np.full((n_rows, width), 0xAA, np.uint8)
    task = kernels.take_values(width, source.ctypes.data, rows.ctypes.data, out.ctypes.data, (source, rows, out), missing=missing, prefetch=prefetch)
    run(task, n_rows, SLICE)
    assert out.tolist() == [source[row].tolist() if row >= 0 else [0] * width for row in rows]


def test_unknown_width_is_refused():
    with pytest.raises(TypeError, match="no kernel"):
        kernels.take_values(3, 0, 0, 0, None, missing=False, prefetch=False)


@pytest.mark.parametrize("n_rows", [1, 511, 513, 3000])
def test_bounds(n_rows):
    rows = np.random.default_rng(n_rows).integers(-1, 10**6, n_rows).astype(np.int32)
    n_slices = -(-n_rows // SLICE)
    lowest, highest = np.empty(n_slices, np.int32), np.empty(n_slices, np.int32)
    run(kernels.row_bounds(rows.ctypes.data, lowest.ctypes.data, highest.ctypes.data, (rows, lowest, highest)), n_rows, SLICE)
    parts = [rows[start : start + SLICE] for start in range(0, n_rows, SLICE)]
    assert lowest.tolist() == [part.min() for part in parts]
    assert highest.tolist() == [part.max() for part in parts]


def test_codes_under_nulls_are_ignored():
    codes = np.array([0, 2**31 - 1, 1, -5], np.int32)   # what lies under a null may point anywhere
    valid = np.array([0b0101], np.uint8)
    out = np.empty(4, np.int32)
    run(kernels.code_rows((codes.ctypes.data, valid.ctypes.data, 0, 4), out.ctypes.data, (codes, valid, out)), 4, SLICE)
    assert out.tolist() == [0, -1, 1, -1]
