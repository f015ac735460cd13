"""`ff.jit`, functions that numba has decorated, and binding arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest

import fastframe as ff
from fastframe._jit import kernel as kernel_module
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import compile_rows, compile_runs
from fastframe.dtypes import dtype
from fastframe.errors import ArgumentError, JITError
from tests.jit.running import results

ONE = np.array([0, 4])


def spread(price, scale=2):
    return (price.max() - price.min()) * scale


def test_marked_function_is_the_function() -> None:
    marked = ff.jit(spread)
    assert marked(np.array([1.0, 4.0])) == 6.0
    assert marked.__name__ == "spread"
    assert repr(marked) == "<fastframe.jit of spread()>"
    assert UserFunction.of(marked).function is spread
    assert results(marked, [np.arange(4.0)], ONE, (3,))[0].tolist() == [9.0]


def test_settings() -> None:
    function = UserFunction.of(ff.jit(nulls="mask", out="float64")(lambda x, there: x.sum()))
    assert (function.nulls, function.out) == ("mask", dtype("float64"))
    assert UserFunction.of(ff.jit(out={"a": "int"})(lambda x: {"a": 1})).out == {"a": dtype("int64")}
    again = UserFunction.of(ff.jit(nulls="nan")(ff.jit(out="int64")(spread)))
    assert (again.nulls, again.out) == ("nan", dtype("int64"))
    with pytest.raises(ArgumentError, match="nulls"):
        ff.jit(nulls="drop")   # type: ignore[call-overload]
    with pytest.raises(ff.errors.DTypeError, match="flot64"):
        ff.jit(out="flot64")(spread)


def compiled_now(make: Any) -> int:
    """How many kernels a call compiles."""
    before = len(kernel_module.kernels)
    make()
    return len(kernel_module.kernels) - before


def test_ahead_of_time() -> None:
    kernel_module.kernels.clear()
    marked = ff.jit(spread)
    frame = ff.DataFrame({"price": [1.0, 2.0], "other": ["a", "b"]})
    assert compiled_now(lambda: marked.compile(frame)) == 1
    assert compiled_now(lambda: compile_runs(UserFunction.of(spread), [dtype("float64")], extras=(2,))) == 0
    assert compiled_now(lambda: marked.compile({"price": "float64"}, scale=5)) == 0
    assert compiled_now(lambda: marked.compile({"price": "int64"}, scale=0.5)) == 1
    unnamed = ff.jit(nulls="mask")(lambda a, a_there: a[a_there].sum())
    assert compiled_now(lambda: unnamed.compile({"v": "float64"})) == 1
    assert compiled_now(lambda: compile_runs(UserFunction.of(unnamed), [dtype("float64")], masks=True)) == 0
    by_row = ff.jit(lambda a, b: a + b)
    assert compiled_now(lambda: by_row.compile({"x": "int64", "y": "int8"}, rows=True)) == 1
    assert compiled_now(lambda: compile_rows(UserFunction.of(by_row), [dtype("int64"), dtype("int8")])) == 0


def test_ahead_of_time_says_what_is_wrong() -> None:
    marked = ff.jit(spread)
    with pytest.raises(JITError, match=r"has no parameter 'scal'; it has 'price', 'scale'"):
        marked.compile({"price": "float64"}, scal=2)
    with pytest.raises(JITError, match="compiled code has no values of dtype string"):
        marked.compile({"price": "string"})
    with pytest.raises(JITError, match="takes 'scale' before its columns 'price'"):
        ff.jit(lambda scale, price: price * scale).compile({"price": "float64"}, scale=2)
    with pytest.raises(ArgumentError, match="schema"):
        marked.compile(3)
    with pytest.raises(JITError, match="arrays have no .nunique"):
        ff.jit(lambda price: price.nunique()).compile({"price": "float64"})


def test_binding() -> None:
    function = UserFunction.of(spread)
    assert function.bind(1) == (2,)
    assert function.bind(1, (3,)) == (3,)
    assert function.bind(1, (), {"scale": 4}) == (4,)
    with pytest.raises(JITError, match=r"spread\(\) takes 1 to 2 arguments \(price, scale\), but is given 1 arrays and 2 more arguments"):
        function.bind(1, (3, 4))
    with pytest.raises(JITError, match=r"takes 2 arguments \(a, b\), but is given 1 arrays\."):
        UserFunction.of(lambda a, b: a).bind(1)


def test_functions_of_numba() -> None:
    @numba.njit
    def decorated(x):
        return 1 / x[0]

    assert UserFunction.of(decorated).function is decorated.py_func
    assert results(decorated, [np.full(4, 2.0)], ONE)[0].tolist() == [0.5]
    plain = results(lambda x: 1 / x[0], [np.zeros(4)], ONE)[0]
    assert plain.tolist() == [np.inf]   # as NumPy divides
    with pytest.raises(AssertionError):   # numba's own rule, which its decorator has asked for: it raises
        results(decorated, [np.zeros(4)], ONE)

    @numba.njit
    def calling(x):
        return decorated(x) + 1

    assert results(calling, [np.full(4, 2.0)], ONE)[0].tolist() == [1.5]


@numba.njit(parallel=True)
def roots(x):
    out = np.empty_like(x)
    for at in numba.prange(len(x)):
        out[at] = np.sqrt(abs(x[at]))
    return out / x.max()


def test_parallel_functions_run_alone() -> None:
    values = np.random.default_rng(0).normal(size=4000)
    offsets = np.arange(0, 4001, 1000)
    before = numba.get_num_threads()
    found = []
    for threads in (1, 2):
        with ff.option_context(threads=threads):
            found.append(results(roots, [values], offsets)[0])
    expected = np.concatenate([roots.py_func(values[at : at + 1000]) for at in offsets[:-1]])
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    assert found[0].tobytes() == found[1].tobytes()
    assert numba.get_num_threads() == before


CHILD = """
import threading
import numba, numpy as np
from tests.jit.running import results
from tests.jit.test_decorator import roots

values = np.random.default_rng(0).normal(size=4000)
offsets = np.arange(0, 4001, 1000)
expected = results(roots, [values], offsets)[0].tobytes()
wrong = []

def work():
    for _ in range(50):
        if results(roots, [values], offsets)[0].tobytes() != expected:
            wrong.append(1)

threads = [threading.Thread(target=work) for _ in range(2)]
[one.start() for one in threads]
[one.join() for one in threads]
print(numba.threading_layer(), len(wrong))
"""


def test_workqueue_does_not_abort_the_process() -> None:
    """numba's layer that ends the process when two threads are inside it."""
    environment = {**os.environ, "NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["workqueue", "0"]
