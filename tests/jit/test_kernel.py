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


@pytest.mark.parametrize("width", [np.int32, np.int64])
def test_windows_that_overlap(width: type) -> None:
    values = np.random.default_rng(2).normal(size=3000)
    end = np.arange(1, 3001, dtype=width)
    begin = np.maximum(end - width(20), 0).astype(width)
    for runs in (Runs.evenly(begin, end, 256), Runs.evenly(np.zeros_like(begin), end, 100)):
        _, (out,) = run_kernel(drawdown, [values], runs)
        np.testing.assert_array_equal(out.values, reference.over_runs(drawdown, [values], list(zip(runs.begin, runs.end, strict=True))))


def test_memory_that_is_not_aligned() -> None:
    values = np.arange(100.0)
    shifted = np.frombuffer(b"x" + values.tobytes(), np.float64, offset=1)
    assert not shifted.flags.aligned
    _, (out,) = run_kernel(lambda x: x.sum() + x[0], [shifted], Runs.of_offsets(np.array([0, 40, 100])))
    assert out.values.tolist() == [values[:40].sum(), values[40:].sum() + 40]


def test_inputs_are_checked() -> None:
    kernel = compile_rows(UserFunction.of(lambda a: a + 1), [FLOAT])
    (out,) = outputs_of(kernel, 4, 0)
    for wrong in (np.arange(4), np.arange(4, dtype=np.float32), np.zeros(4, bool)):
        with pytest.raises(AssertionError, match="given for float64"):
            over_rows(kernel, Inputs([wrong]), 4, [out])
    with pytest.raises(ValueError, match="zip"):
        over_rows(kernel, Inputs([np.ones(4)] * 2), 4, [out])
    with pytest.raises(AssertionError, match="one mask per column"):
        over_rows(kernel, Inputs([np.ones(4)], [np.ones(4, bool)]), 4, [out])
