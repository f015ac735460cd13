"""Sums and means of floats over windows: exact where values allow it, and right where they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastframe as ff
from fastframe.options import option_context

N_ROWS = 3000
WIDTHS = (1, 2, 3, 4, 5, 70, 1025)


def values_of(kind: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    normal = rng.normal(size=N_ROWS)
    return {
        "normal": normal,
        "cents": np.round(1e4 * rng.random(N_ROWS), 2),
        "whole": rng.integers(-(2**52), 2**52, N_ROWS).astype("f8"),
        "zeros": np.where(rng.random(N_ROWS) < 0.5, -0.0, 0.0),
        "smallest": rng.integers(-3, 4, N_ROWS) * 5e-324,
        "subnormal": normal * 1e-310,
        "near the greatest": normal * 1e303,
        "far apart": normal * 10.0 ** rng.integers(-150, 150, N_ROWS),
        "one huge": np.where(np.arange(N_ROWS) == 1500, 1e200, normal),
        "one tiny": np.where(np.arange(N_ROWS) == 1500, 1e-200, normal),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["normal", "cents", "whole", "zeros", "smallest", "subnormal", "near the greatest", "far apart", "one huge", "one tiny"]
)
@pytest.mark.parametrize("share_missing", [0.0, 0.3])
def test_sums_are_those_of_fsum(kind: str, share_missing: float) -> None:
    values = values_of(kind)
    missing = np.random.default_rng(6).random(N_ROWS) < share_missing
    values[missing] = np.nan
    exact = kind not in ("far apart", "one huge", "one tiny")   # whose exponents lie within 106 bits
    for width in WIDTHS:
        sums = ff.Series(values).rolling(width, min_periods=0).sum().tolist()
        means = ff.Series(values).rolling(width, min_periods=1).mean().tolist()
        for row in (*range(width - 1, min(N_ROWS, width + 9)), 1499, 1500, 1501, 1500 + width, *range(N_ROWS - 9, N_ROWS)):
            if not 0 <= row < N_ROWS:
                continue
            window = values[max(0, row - width + 1) : row + 1]
            window = window[window == window]
            expected = math.fsum(window)
            if exact and row > width:
                assert sums[row] == expected, (width, row)
            else:
                assert math.isclose(sums[row], expected, rel_tol=1e-15, abs_tol=1e-30 * float(np.abs(window).sum())), (width, row)
            assert (means[row] is None) == (len(window) == 0)
            if len(window):
                assert means[row] == sums[row] / len(window), (width, row)


@pytest.mark.parametrize("kind", ["normal", "far apart", "one huge"])
@pytest.mark.parametrize("share_missing", [0.0, 0.3])
def test_windows_of_all_rows_so_far(kind: str, share_missing: float) -> None:
    values = values_of(kind)
    missing = np.random.default_rng(6).random(N_ROWS) < share_missing
    values[missing] = np.nan
    frame = ff.DataFrame({"x": values, "k": np.arange(N_ROWS) // 1000})
    for width, min_periods, center in ((N_ROWS, 1, False), (N_ROWS, 2000, False), (10**6, 0, True), (2500, 1, True), (N_ROWS, N_ROWS, False)):
        ahead = (width - 1) // 2 if center else 0
        for low, found in (
            (np.zeros(N_ROWS, int), frame["x"].rolling(width, min_periods, center=center)),
            (np.arange(N_ROWS) // 1000 * 1000, frame.groupby("k")["x"].rolling(width, min_periods, center=center)),
        ):
            sums, means = found.sum().tolist(), found.mean().tolist()
            for row in (0, 1, 63, 700, 999, 1000, 1001, 1999, 2000, 2400, 2998, 2999):
                high = N_ROWS if low[2000] == 0 else low[row] + 1000
                window = values[max(low[row], row + ahead - width + 1) : min(high, row + ahead + 1)]
                window = window[window == window]
                assert (sums[row] is None) == (len(window) < min_periods), (width, row)
                assert (means[row] is None) == (len(window) < max(1, min_periods)), (width, row)
                if sums[row] is not None:
                    near = 1e-30 * float(np.abs(window).sum())
                    assert math.isclose(sums[row], math.fsum(window), rel_tol=1e-15, abs_tol=near), (width, row)
                if means[row] is not None:
                    assert math.isclose(means[row], sums[row] / len(window), rel_tol=1e-15), (width, row)


def test_infinities_leave_with_their_rows() -> None:
    values = np.random.default_rng(7).normal(size=500)
    values[100], values[300], values[302] = np.inf, np.inf, -np.inf
    found = ff.Series(values).rolling(10).sum().tolist()
    for row in range(9, 500):
        window = values[row - 9 : row + 1]
        if np.isinf(window).sum() == 2:
            assert found[row] is None
        elif np.isinf(window).any():
            assert found[row] == window[np.isinf(window)][0]
        else:
            assert math.isclose(found[row], math.fsum(window), rel_tol=1e-15)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_threads_give_the_same_bits(kind: str) -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(size=200_000).astype(kind)
    values[rng.integers(0, len(values), 50)] = np.nan
    values[150_000] = 1e30   # slices beside it are summed otherwise
    frame = ff.DataFrame({"x": values, "k": rng.integers(0, 30, len(values))})
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            wholes = [frame["x"].rolling(width, min_periods=1).mean().to_numpy().tobytes() for width in (2, 64, 40_000)]
            found.append([*wholes, frame.groupby("k")["x"].rolling(9).sum().to_numpy().tobytes()])
    assert found[0] == found[1] == found[2]
