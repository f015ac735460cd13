"""Integer divisions by zero and negative powers of integers raise in plain functions; divisions of floats are NumPy's."""

from __future__ import annotations

import traceback
from typing import Any

import numba
import numpy as np
import pytest

import fastframe as ff
from fastframe._jit.calls import Failure, Inputs, over_runs
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import compile_runs
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype
from fastframe.errors import FunctionError, RowFunctionError
from tests.jit.running import mapped, outputs_of, results

ZERO = "integer division or modulo by zero"
INTEGERS = ["int8", "uint32", "int64"]


def halves(a, b):
    return a // b


def remains(a, b):
    return a % b


def both(a, b):
    return divmod(a, b)


def in_place(a, b):
    a //= b
    return a


def remains_in_place(a, b):
    c = a + 0
    c %= b
    return c


def by_ufunc(a, b):
    return np.floor_divide(a, b) + np.mod(a, b) + np.remainder(a, b)


def by_helper(a, b):
    return 1 + halves(a, b)


SCALARS = [halves, remains, both, in_place, remains_in_place, by_ufunc, by_helper]


def frame(kind: str = "int64", zero_at: int | None = None) -> ff.DataFrame:
    b = np.array([3, 2, 5, 7, 1, 4])
    if zero_at is not None:
        b[zero_at] = 0
    return ff.DataFrame({"k": [1, 1, 1, 2, 2, 2], "a": np.array([9, 8, 7, 6, 5, 4], kind), "b": b.astype(kind)})


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("function", SCALARS, ids=lambda one: one.__name__)
def test_scalars(function: Any, kind: str) -> None:
    df = frame(kind)
    a, b = df["a"].to_numpy().astype(np.int64), df["b"].to_numpy().astype(np.int64)
    found = df.map_rows(function, columns=["a", "b"])
    expected = [function(int(x), int(y)) for x, y in zip(a, b, strict=True)]
    assert (list(zip(*found.to_dict("list").values(), strict=True)) if function is both else found.tolist()) == expected
    told = rf"^{function.__name__}\(\) raised ZeroDivisionError at row 4, called with 5, 0: {ZERO}\. Nothing was changed"
    with pytest.raises(RowFunctionError, match=told) as caught:
        frame(kind, zero_at=4).map_rows(function, columns=["a", "b"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("function", [halves, remains, remains_in_place, by_ufunc, by_helper], ids=lambda one: one.__name__)
def test_arrays(function: Any) -> None:
    df = frame()
    found = df.groupby("k")[["a", "b"]].transform(function)
    assert found.tolist() == function(df["a"].to_numpy(), df["b"].to_numpy()).tolist()
    with pytest.raises(FunctionError, match=rf"^{function.__name__}\(\) raised ZeroDivisionError in the group k=2: {ZERO}\."):
        frame(zero_at=5).groupby("k")[["a", "b"]].transform(function)


def test_windows_are_named() -> None:
    with pytest.raises(FunctionError, match=rf"the lambda raised ZeroDivisionError in the window of row 4: {ZERO}\."):
        frame(zero_at=4)["b"].rolling(2).apply(lambda b: b[0] // b[1])


def test_array_expressions_stay_whole() -> None:
    """The checked operand is a temporary of a larger expression, and used by it."""
    df = frame()

    def nested(a, b):
        return (a * 2 + 1) // (b + 1) % (b * 2) + a // 2

    a, b = df["a"].to_numpy(), df["b"].to_numpy()
    assert df.groupby("k")[["a", "b"]].transform(nested).tolist() == nested(a, b).tolist()
    with pytest.raises(FunctionError, match=ZERO):
        df.groupby("k")[["a", "b"]].transform(lambda a, b: (a + 1) // (b - 4))
    assert df.groupby("k")[["a", "b"]].transform(lambda a, b: a // np.where(b == 4, 1, b - 4)).tolist() == [-9, -4, 7, 2, -2, 4]


def test_strided_and_matrix_operands() -> None:
    values, offsets = np.array([1, 0, 2, 0, 3, 0]), np.array([0, 6])
    assert results(lambda x: (7 // x[::2]).sum(), [values], offsets)[0].tolist() == [7 + 3 + 2]
    assert results(lambda x: (7 // (x + 1).reshape(2, 3)).sum(), [values], offsets)[0].tolist() == [3 + 7 + 2 + 7 + 1 + 7]
    with pytest.raises(AssertionError):   # of `results`: it failed
        results(lambda x: (7 // x[1::2]).sum(), [values], offsets)


def test_writing_in_place_into_what_it_made() -> None:
    def made(a):
        z = a + 0
        z *= 2
        z //= 3
        return z

    assert frame().groupby("k")["a"].transform(made).tolist() == [6, 5, 4, 4, 3, 2]


def test_constants_and_loops() -> None:
    def digits(x):
        n = 0
        for value in x:
            while value > 0:
                n += value % 10
                value //= 10
        return n

    assert results(digits, [np.array([123, 45, 6])], np.array([0, 2, 3]))[0].tolist() == [15, 6]
    with pytest.raises(RowFunctionError, match=ZERO):
        frame().map_rows(lambda a: a % 0)


def test_floats_are_numpys() -> None:
    floats = [np.array([1.0, -1.0, 0.0]), np.zeros(3)]
    with np.errstate(all="ignore"):
        for function in (lambda a, b: a / b, lambda a, b: a // b, lambda a, b: a % b):
            (out,) = mapped(function, floats)
            np.testing.assert_array_equal(out.values, function(*floats))
        (out,) = mapped(lambda a, b: a // b, [np.array([1, -1, 0]), np.zeros(3)])
        np.testing.assert_array_equal(out.values, np.array([1, -1, 0]) // np.zeros(3))
        (out,) = mapped(lambda a, b: a / b, [np.array([1, -1, 0]), np.zeros(3, np.int64)])
        np.testing.assert_array_equal(out.values, [np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("function", [lambda a, b: a ** (b - 3), lambda a, b: pow(a, b - 3), lambda a, b: a**-1], ids=["operator", "pow", "constant"])
def test_negative_powers_of_integers(function: Any) -> None:
    row = 1 if function.__code__.co_consts != (None, -1) else 0
    with pytest.raises(RowFunctionError, match=f"ValueError at row {row}, called with .*[Ii]ntegers? to (a )?negative"):
        frame().map_rows(function, columns=["a", "b"])
    with pytest.raises(FunctionError, match="ValueError in the group k=1: [Ii]ntegers? to (a )?negative"):
        frame().groupby("k")[["a", "b"]].transform(lambda a, b: a ** (b - 3))


def test_other_powers() -> None:
    df = frame()
    assert df.map_rows(lambda a: a**2).tolist() == [81, 64, 49, 36, 25, 16]
    assert df.map_rows(lambda a, b: b**b).tolist() == [27, 4, 3125, 823543, 1, 256]
    assert df.map_rows(lambda b: 2.0**-b).tolist() == [2.0**-b for b in (3, 2, 5, 7, 1, 4)]
    assert df.map_rows(lambda a: a**0.5 + float(a) ** -1).tolist() == pytest.approx([a**0.5 + 1 / a for a in (9, 8, 7, 6, 5, 4)])
    assert df.groupby("k")["a"].transform(lambda a: a**2 - a ** np.int64(1)).tolist() == [72, 56, 42, 30, 20, 12]


def test_caught_inside() -> None:
    def guarded(a, b):
        try:
            return a // b
        except Exception:
            return -1

    assert frame(zero_at=2).map_rows(guarded, columns=["a", "b"]).tolist() == [3, 4, -1, 0, 5, 1]


def test_optional_operands() -> None:
    def maybe(a, b):
        divisor = None
        if a > 5:
            divisor = b
        return -1 if divisor is None else a // divisor

    assert frame().map_rows(maybe, columns=["a", "b"]).tolist() == [3, 4, 1, 0, -1, -1]
    with pytest.raises(RowFunctionError, match="ZeroDivisionError at row 1"):
        frame(zero_at=1).map_rows(maybe, columns=["a", "b"])


def test_traceback_ends_at_the_users_line() -> None:
    with pytest.raises(RowFunctionError) as caught:
        frame(zero_at=3).map_rows(by_helper, columns=["a", "b"])
    frames = traceback.extract_tb(caught.value.__cause__.__traceback__)   # type: ignore[union-attr]
    assert (frames[-1].filename, frames[-1].lineno) == (__file__, halves.__code__.co_firstlineno + 1)


def test_numbas_own_functions_keep_their_rules() -> None:
    silent = numba.njit(error_model="numpy", boundscheck=True)(halves)   # the very options of plain functions
    assert frame(zero_at=1).map_rows(silent, columns=["a", "b"]).tolist() == [3, 0, 1, 0, 5, 1]
    with pytest.raises(RowFunctionError, match="ZeroDivisionError at row 1"):
        frame(zero_at=1).map_rows(halves, columns=["a", "b"])
    strict = numba.njit(lambda a: 1.0 / (a - 9))
    with pytest.raises(RowFunctionError, match="ZeroDivisionError at row 0"):
        frame().map_rows(strict)


def test_no_memory_is_lost() -> None:
    from numba.core.runtime import _nrt_python, rtsys

    kernel = compile_runs(UserFunction.of(lambda x: (7 // x).sum()), [dtype("int64")])
    inputs, runs = Inputs([np.array([1, 2, 3, 0])]), Runs.of_offsets(np.array([0, 2, 4]))
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        assert over_runs(kernel, inputs, runs, outputs_of(kernel, 4, 2)) == Failure(1, False)
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free > 0
