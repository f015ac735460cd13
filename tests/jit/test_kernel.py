"""Users' functions as kernels: results against the interpreter, for all types, shapes, windows and thread counts."""

from __future__ import annotations

import numpy as np
import pytest

import fastframe as ff
from fastframe._jit.calls import Inputs, over_rows
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import compile_rows
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype
from tests.jit.running import outputs_of, run_kernel
from tests.reference import jit as reference

FLOAT = dtype("float64")


def standardised(x):
    return np.clip((x - x.mean()) / x.std(), -3, 3)


def drawdown(x):
    peak, worst = x[0], 0.0
    for value in x:
        peak = max(peak, value)
        worst = max(worst, peak - value)
    return worst


@pytest.fixture
def runs_of_rows() -> tuple[np.ndarray, Runs]:
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 40, 500))])
    return rng.normal(size=int(offsets[-1])), Runs.of_offsets(offsets)


def test_vector_of_each_run(runs_of_rows: tuple[np.ndarray, Runs]) -> None:
    values, runs = runs_of_rows
    with np.errstate(all="ignore"):
        expected = np.concatenate(reference.over_runs(standardised, [values], list(zip(runs.begin, runs.end, strict=True))))
    kernel, (out,) = run_kernel(standardised, [values], runs)
    assert kernel.shape == "vector"
    assert [(one.name, one.dtype, one.nullable) for one in kernel.results] == [(None, FLOAT, False)]
    np.testing.assert_allclose(out.values, expected, rtol=1e-12)


def test_scalar_of_each_run(runs_of_rows: tuple[np.ndarray, Runs]) -> None:
    values, runs = runs_of_rows
    _, (out,) = run_kernel(drawdown, [values], runs)
    np.testing.assert_array_equal(out.values, reference.over_runs(drawdown, [values], list(zip(runs.begin, runs.end, strict=True))))
    assert (out.present == 1).all()


def test_threads_and_parts_do_not_change_bits(runs_of_rows: tuple[np.ndarray, Runs]) -> None:
    values, runs = runs_of_rows
    found = set()
    for threads in (1, 2, 4):
        for shared in (runs, Runs.evenly(runs.begin, runs.end, 7), Runs.evenly(runs.begin.astype(np.int32), runs.end.astype(np.int32), 1)):
            with ff.option_context(threads=threads):
                found.add(run_kernel(standardised, [values], shared)[1][0].values.tobytes())
    assert len(found) == 1


def test_rows() -> None:
    def combined(a, b, factor):
        if a > b:
            return a * factor
        return b - a

    rng = np.random.default_rng(1)
    a, b = rng.integers(-9, 9, 40_000), rng.normal(size=40_000)
    kernel = compile_rows(UserFunction.of(combined), [dtype("int64"), FLOAT], extras=(3,))
    (out,) = outputs_of(kernel, len(a), 0)
    assert over_rows(kernel, Inputs([a, b], extras=(3,)), len(a), [out]) is None
    np.testing.assert_array_equal(out.values, reference.over_rows(combined, [a, b], (3,)))
