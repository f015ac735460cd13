"""Reductions and clip written as LLVM IR: against NumPy, for all lengths around the lanes, NaN, infinities and integers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fastframe._jit.runs import Runs
from fastframe._jit.shortcuts import REDUCTIONS, shortcut
from tests.jit.running import results, run_kernel

LENGTHS = [0, 1, 2, 7, 8, 9, 15, 16, 17, 40, 1000]
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
FUNCTIONS = {
    "sum": lambda x: x.sum(), "mean": lambda x: x.mean(), "var": lambda x: x.var(), "std": lambda x: x.std(),
    "np.sum": lambda x: np.sum(x), "np.std": lambda x: np.std(x),
    "min": lambda x: x.min() if len(x) else x.sum(), "np.max": lambda x: np.max(x) if len(x) else x.sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["float64", "int64", "int32"])
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom", "ignore:invalid value")
def test_reductions(name: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=OFFSETS[-1]) * 1e3).astype(kind)
    kernel, (out,) = run_kernel(FUNCTIONS[name], [values], Runs.of_offsets(OFFSETS))
    found = out.values
    assert kernel.compiled.shortcuts
    expected = [FUNCTIONS[name](values[begin:end]) for begin, end in itertools.pairwise(OFFSETS)]
    np.testing.assert_allclose(found, np.array(expected, found.dtype), rtol=1e-12)
    assert found.dtype.kind == ("i" if kind != "float64" and name in ("sum", "np.sum", "min", "np.max") else "f")


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_bools() -> None:
    def share(x, there):
        return there.sum() + there.mean() * 1000 + x[there].sum()

    rng = np.random.default_rng(2)
    values, there = rng.normal(size=OFFSETS[-1]), rng.random(OFFSETS[-1]) > 0.4
    kernel, (out,) = run_kernel(share, [values, there], Runs.of_offsets(OFFSETS))
    assert kernel.compiled.shortcuts
    expected = [share(values[begin:end], there[begin:end]) for begin, end in itertools.pairwise(OFFSETS)]
    np.testing.assert_allclose(out.values, expected, rtol=1e-12)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 3, 8, 16])
def test_special_values(special: float, at: int) -> None:
    values = np.arange(17.0)
    values[at] = special
    for name in ("sum", "mean", "min", "np.max"):
        found = results(FUNCTIONS[name], [values], np.array([0, 17]))[0]
        np.testing.assert_array_equal(found, [FUNCTIONS[name](values)])


def test_sums_do_not_depend_on_where_they_lie() -> None:
    rng = np.random.default_rng(1)
    piece = rng.normal(size=37)
    values = np.concatenate([piece, [0.0], piece])
    found = results(FUNCTIONS["sum"], [values], np.array([0, 37, 38, 75]))[0]
    assert found[0].tobytes() == found[2].tobytes()


def test_clip() -> None:
    def clipped(x, low, high):
        return np.clip(x, low, high)

    floats = np.array([-np.inf, -4.0, -3.0, -0.0, 0.5, 3.0, np.nan, np.inf])
    for low, high in [(-3, 3), (-0.5, 2.5), (2, -2), (np.nan, 1.0), (0.0, np.nan), (-np.inf, np.inf)]:
        found = results(clipped, [floats], np.array([0, 8]), (low, high))[0]
        np.testing.assert_array_equal(found, np.clip(floats, low, high))
    integers = np.array([-5, 0, 7, 2**62])
    found = results(clipped, [integers], np.array([0, 4]), (-1, 5))[0]
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, [-1, 0, 5, 5])


def test_types_without_shortcut_compile_as_numba_does() -> None:
    def of_masked(x):
        return x[x > 0].reshape(1, -1).sum()

    def of_strided(x):
        return x[::2].max() - x[::2].mean()

    singles = np.arange(-5, 6, dtype=np.float32)
    assert results(of_masked, [singles], np.array([0, 11]))[0][0] == 15
    assert results(of_strided, [singles.astype(float)], np.array([0, 11]))[0][0] == 5.0


@pytest.mark.parametrize(("module", "name", "n_args"), [(None, "mean", 1), (np, "clip", 2), (np, "mean", 2), (np, "median", 1), (None, "ptp", 0)])
def test_what_has_no_shortcut(module: Any, name: str, n_args: int) -> None:
    assert shortcut(module, name, n_args) is None
    assert shortcut(None, "mean", 0) is REDUCTIONS["mean"]
