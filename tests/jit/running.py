"""Compile and run a function in one call, as tests want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._jit.calls import Inputs, Output, over_rows, over_runs
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import Kernel, compile_rows, compile_runs
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype


def outputs_of(kernel: Kernel, n_rows: int, n_runs: int) -> list[Output]:
    """Fresh outputs, filled with what no test expects."""
    n_values = n_rows if kernel.shape == "vector" or kernel.rows else n_runs
    return [Output(np.full(n_values, 99, np.int64).astype(one.storage), np.full(n_values, 7, np.uint8)) for one in kernel.results]


def run_kernel(function: Any, arrays: Sequence[np.ndarray], runs: Runs, extras: Sequence[Any] = ()) -> tuple[Kernel, list[Output]]:
    """The kernel and what it wrote; it must not fail."""
    kernel = compile_runs(UserFunction.of(function), [dtype(one.dtype) for one in arrays], extras=extras)
    outputs = outputs_of(kernel, len(arrays[0]), runs.n_runs)
    assert over_runs(kernel, Inputs(arrays, extras=extras), runs, outputs) is None
    return kernel, outputs


def results(function: Any, arrays: Sequence[np.ndarray], offsets: np.ndarray, extras: Sequence[Any] = ()) -> list[np.ndarray]:
    """Values of all results for groups that lie one behind the other."""
    return [one.values for one in run_kernel(function, arrays, Runs.of_offsets(offsets), extras)[1]]


def mapped(function: Any, arrays: Sequence[np.ndarray], extras: Sequence[Any] = (), rows: np.ndarray | None = None) -> list[Output]:
    """Outputs of a function of rows; it must not fail."""
    kernel = compile_rows(UserFunction.of(function), [dtype(one.dtype) for one in arrays], extras=extras)
    outputs = outputs_of(kernel, len(arrays[0]), 0)
    assert over_rows(kernel, Inputs(arrays, extras=extras), len(arrays[0]), outputs, rows=rows) is None
    return outputs
