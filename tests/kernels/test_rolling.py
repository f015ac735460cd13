"""Rolling kernels write exactly their rows, whatever the slices; window bounds are those of the slow twins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fastframe._kernels import decay, rolling
from fastframe._threads import run
from fastframe.column.column import Column
from fastframe.column.numpy import column_from_numpy
from fastframe.dtypes import Physical
from fastframe.engines.cpu.window_bounds import Bounds, Positions, written
from fastframe.ops.rolling import Span
from fastframe.testing import column
from tests.reference import rolling as slow

GUARD = 0xA5


def guarded(n_bytes: int) -> np.ndarray:
    """Bytes with as many guards behind."""
    return np.full(n_bytes + 64, GUARD, np.uint8)


@pytest.mark.parametrize("n_rows", [1, 63, 65, 513, 1500])
@pytest.mark.parametrize(
    ("op", "kind", "width"), [(rolling.SUM, "float64", 8), (rolling.VARIANCE, "float32", 4), (rolling.MINIMUM, "int16", 2), (rolling.MAXIMUM, "bool", 0)]
)
def test_windows_write_their_rows_only(n_rows: int, op: int, kind: str, width: int) -> None:
    given = column(kind, n_rows, nulls="some", sliced=True)
    n_bytes = width * n_rows if width else (n_rows + 7) // 8
    values, validity = guarded(n_bytes), guarded((n_rows + 7) // 8)
    phases = rolling.Rolling(op, int(given.physical), given.view, 0, result=int(given.physical), min_periods=1, keep=given)
    phases.set_bounds(Bounds(Positions(n_rows), 69, 1).view, None)
    phases.set_output(values.ctypes.data, validity.ctypes.data, (values, validity))
    assert run(phases.windows(), n_rows, 512) is None
    assert (values[n_bytes:] == GUARD).all() and (validity[(n_rows + 7) // 8 :] == GUARD).all()
    assert not np.unpackbits(validity[: (n_rows + 7) // 8], bitorder="little")[n_rows:].any()


@pytest.mark.parametrize("n_rows", [1, 64, 700])
def test_decays_write_their_rows_only(n_rows: int) -> None:
    given = column("float32", n_rows, nulls="some", sliced=True)
    values, present, validity = guarded(4 * n_rows), guarded(n_rows + 8), guarded((n_rows + 7) // 8)
    offsets = np.array([0, 0, n_rows // 2, n_rows], np.int32)
    bounds = Bounds(Positions(n_rows, None, offsets))
    phases = decay.Decays(
        decay.MEAN, (int(Physical.F32), given.view), bounds.view, 0, result=int(Physical.F32), factor=0.5, adjust=True, skips=False,
        rooted=False, biased=True, min_periods=1, keep=(given, offsets),
    )  # fmt: skip
    phases.set_output(values.ctypes.data, present.ctypes.data, validity.ctypes.data, None)
    assert run(phases.walk(), n_rows, 512) is None
    assert run(phases.pack(), n_rows, 512) is None
    for array, used in ((values, 4 * n_rows), (present, n_rows), (validity, (n_rows + 7) // 8)):
        assert (array[used:] == GUARD).all()


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
@pytest.mark.parametrize("closed", ["right", "left", "both", "neither"])
@pytest.mark.parametrize("center", [False, True])
def test_bounds_of_rows_in_groups(rows: int, closed: str, center: bool) -> None:
    offsets = np.array([0, 7, 7, 8, 30], np.int32)
    positions = Positions(30, np.arange(30, dtype=np.int32), offsets)
    begin, end = written(Span(rows=rows, center=center, closed=closed), positions, None)
    expected = []
    for low, high in itertools.pairwise(offsets):
        expected += [[one + low for one in window] for window in slow.row_windows(high - low, rows, center=center, closed=closed)]
    assert [list(range(low, high)) for low, high in zip(begin, end)] == expected


def test_bounds_that_grow() -> None:
    begin, end = written(Span(), Positions(5, None, np.array([0, 2, 5], np.int32)), None)
    assert begin.tolist() == [0, 0, 2, 2, 2]
    assert end.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_of_times_at_the_ends_of_their_range(sign: int) -> None:
    least = -(2**63) + 1
    times = np.array([least, least + 5, 0, 2**63 - 6, 2**63 - 1])[::sign].astype("m8[ns]")
    given: Column = column_from_numpy(np.ascontiguousarray(times))
    for closed in ("right", "left", "both", "neither"):
        begin, end = written(Span(nanoseconds=5, on="t", closed=closed), Positions(5), given)
        expected = slow.time_windows([sign * int(one) for one in times.astype("i8")], 5, closed=closed)
        assert [list(range(low, high)) for low, high in zip(begin, end)] == expected
