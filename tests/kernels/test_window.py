"""Window kernels write exactly their rows, and exist for exactly the types that they say."""

from __future__ import annotations

import numpy as np
import pytest

from fastframe._kernels import cumulative, window
from fastframe._threads import run
from fastframe.dtypes import Physical
from fastframe.testing import DTYPES, column

GUARD = 0xA5


def guarded(n_bytes: int) -> np.ndarray:
    """Bytes with as many guards behind."""
    return np.full(n_bytes + 64, GUARD, np.uint8)


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 600])
@pytest.mark.parametrize("periods", [1, -1, 64, -65])
def test_shift_writes_its_rows_only(n_rows: int, periods: int) -> None:
    given = column("int16", n_rows, nulls="some", sliced=True)
    periods = max(-n_rows, min(n_rows, periods))
    values, validity = guarded(2 * n_rows), guarded((n_rows + 7) // 8)
    task = window.shift(
        tuple(given.view), values.ctypes.data, validity.ctypes.data, width=2, periods=periods, keep=given
    )
    assert run(task, n_rows, 512) is None
    assert (values[2 * n_rows :] == GUARD).all() and (validity[(n_rows + 7) // 8 :] == GUARD).all()
    bits = np.unpackbits(validity[: (n_rows + 7) // 8], bitorder="little")
    assert not bits[n_rows:].any()  # the last byte's spare bits are zero
    expected = [given.array[row - periods].is_valid if 0 <= row - periods < n_rows else False for row in range(n_rows)]
    assert bits[:n_rows].tolist() == expected


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("n_rows", [1, 64, 700])
def test_cumulative_writes_its_rows_only(n_rows: int, grouped: bool) -> None:
    given = column("float32", n_rows, nulls="some", sliced=True)
    values, validity = guarded(4 * n_rows), guarded((n_rows + 7) // 8)
    codes = (np.arange(n_rows) % 3).astype(np.uint32)
    walk = cumulative.Walk(cumulative.SUM, Physical.F32, given.view, grouped=grouped)
    n_groups, n_slices = (3 if grouped else 1), -(-n_rows // 512)
    carries = guarded(n_slices * n_groups * walk.state_bytes)
    if grouped:
        walk.set_groups((codes.ctypes.data, 4, 0), 3, codes)
    walk.set_carries(carries.ctypes.data, n_slices, carries)
    walk.set_output(values.ctypes.data, validity.ctypes.data, (values, validity))
    for phase, length in ((cumulative.FOLD, n_rows), (cumulative.SCAN, n_groups), (cumulative.APPLY, n_rows)):
        assert run(walk.phase(phase), length, 512) is None
    for array, used in (
        (values, 4 * n_rows),
        (validity, (n_rows + 7) // 8),
        (carries, n_slices * n_groups * walk.state_bytes),
    ):
        assert (array[used:] == GUARD).all()


def test_lag_rows() -> None:
    rows, offsets = np.array([1, 3, 4, 0, 5], np.int32), np.array([0, 3, 3, 5], np.int32)  # an empty group in between
    out = np.full(6, -9, np.int32)
    keep = (rows, offsets, out)
    task = window.lag_rows(
        rows.ctypes.data, offsets.ctypes.data, out.ctypes.data, n_groups=3, periods=1, outside=77, keep=keep
    )
    assert run(task, 5, 1) is None  # a slice per position: each finds its group
    assert out.tolist() == [77, 77, -9, 1, 3, 0]


def test_clear_dropped() -> None:
    codes, out = np.array([0, 0xFFFFFFFF, 1], np.uint32), np.arange(3, dtype=np.int32)
    run(window.clear_dropped((codes.ctypes.data, 4, 0), out.ctypes.data, width=4, byte=0xFF, keep=(codes, out)), 3)
    assert out.tolist() == [0, -1, 2]


@pytest.mark.parametrize("name", DTYPES)
def test_every_fixed_width_type_has_an_extreme(name: str) -> None:
    given = column(name, 3)
    physical = given.physical
    assert physical is not None
    if physical in (Physical.STR, Physical.LSTR):
        assert cumulative.Walk(cumulative.MINIMUM, physical, (0, 0, 0, 0)).state_bytes == 0
    else:
        walk = cumulative.Walk(cumulative.MINIMUM, physical, given.view)
        assert walk.state_bytes == (
            1 if name == "bool" else given.array.type.bit_width // 8 if not given.is_encoded else 4
        )
        assert walk.scatters == (name != "bool")


def test_kernels_that_do_not_exist_are_refused() -> None:
    with pytest.raises(TypeError, match="no kernel exists"):
        cumulative.Walk(cumulative.PRODUCT, Physical.I128, (0, 0, 0, 0)).phase(cumulative.APPLY)
    with pytest.raises(TypeError, match="no kernel exists"):
        window.change(Physical.BOOL, (0, 0, 0, 0), 0, 0, relative=False, keep=None)
