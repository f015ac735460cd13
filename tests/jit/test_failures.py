"""Functions that cannot be compiled, and functions that fail when called: what is raised, and what it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastframe as ff
from fastframe._jit.calls import Failure, Inputs, call_again, over_rows, over_runs
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import compile_rows, compile_runs
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype
from fastframe.errors import FastFrameError, JITError
from tests.jit.running import outputs_of

FLOAT = dtype("float64")
table = {"a": 1.0}
frame = pd.DataFrame({"a": [1.0]})


steps = [1.0, 2.0]


class Model:
    def predict(self, x):
        return x


model = Model()


def no_such_method(v):
    return v.dropna()


def with_keywords(*args, **kwargs):
    return args[0]


def of_pandas(x):
    return pd.Series(x).mean()   # blame


def of_frame(x):
    return frame["a"].sum() * x[0]   # blame


def of_dict(x):
    return table["a"] * x[0]   # blame


def of_global_list(x):
    return steps[0] * x[0]   # blame


def of_object(x):
    return model.predict(x)   # blame


def of_method(x):
    return x.rolling(3)   # blame


def of_helper(x):
    return no_such_method(x).mean()


def of_keywords(x):
    return with_keywords(x[0])   # blame


def of_undefined(x):
    return x[0] + not_there   # noqa: F821  blame


def of_import(x):
    import math as again  # blame

    return again.sqrt(x[0])


def of_f_string(x):
    return len(f"{x[0]:.2f}")   # blame


def of_two_types(x):
    y = 0
    if x[0] > 0:
        y = x
    return y.sum()   # blame


def of_two_returns(x):
    if x[0] > 0:
        return x   # blame
    return 0.0   # blame


def of_text(x):
    return "big" if x[0] > 0 else "small"


def of_list(x):
    return [value for value in x]   # noqa: C416


def of_none(x):
    x.sum()


def of_writing(x):
    x[0] = 1.0   # blame
    return x


def of_writing_in_place(x):
    x -= x.mean()   # blame
    return x


def of_matrix(x):
    return x.reshape(1, -1)


def of_one_exception(x):
    try:
        return 1 / x[0]
    except ZeroDivisionError:   # blame
        return 0.0


def of_recursion(x):
    return of_recursion(x[1:]) + 1   # blame


def of_strange_argument(x):
    return np.mean(x, axis=0, keepdims=True)   # blame


def of_missing_function(x):
    return np.apply_along_axis(np.sum, 0, x)   # blame


def of_text_index(x):
    return x["a"]   # blame


def of_text_dtype(x):
    return x.astype("category")   # blame


def of_set(x):
    return {1.0, 2.0}


def of_any_dict(x):
    found = {}
    for value in x:
        found[value] = 1
    return found


def of_class(x):
    class Inner:   # blame
        pass

    return 1


def of_sometimes_vector(x):
    return None if x[0] > 0 else x


REASONS = {
    of_pandas: "it uses pandas, and compiled code knows NumPy arrays and numbers only",
    of_frame: "it uses pandas, and compiled code knows NumPy arrays and numbers only",
    of_dict: "it uses table (a dict) from outside, which compiled code does not know",
    of_global_list: "it uses the list, dict or set steps from outside, which could change",
    of_object: "it uses model (a tests.jit.test_failures.Model) from outside, which compiled code does not know",
    of_method: "arrays have no .rolling in compiled code",
    of_helper: "arrays have no .dropna in compiled code",
    of_keywords: "it uses with_keywords (a function) from outside, which compiled code does not know",
    of_undefined: "the name not_there is not defined",
    of_import: "it imports a module inside",
    of_f_string: "it formats text with an f-string",
    of_two_types: "y is int64 in one place and array of float64 in another",
    of_two_returns: "it returns different types in different branches (float64, array of float64)",
    of_text: "it returns text",
    of_list: "it returns a list or a set",
    of_none: "it returns None",
    of_writing: "it writes into an array it was given, and these are read-only",
    of_writing_in_place: "it writes into an array it was given, and these are read-only",
    of_matrix: "it returns an array of 2 dimensions",
    of_one_exception: "it catches one kind of exception, and compiled code can only catch all of them",
    of_recursion: "it calls itself",
    of_strange_argument: "mean does not take these types in compiled code (array of float64, axis=int64, keepdims=bool)",
    of_missing_function: "compiled code has no numpy.apply_along_axis",
    of_text_index: "indexing with these types is not possible in compiled code (array of float64, text)",
    of_text_dtype: "'category' is no dtype of NumPy",
    of_set: "it returns a list or a set",
    of_any_dict: "it returns a dict whose keys are not constant",
    of_class: "it defines a class inside",
    of_sometimes_vector: "it returns a vector in some cases and None in others",
}


@pytest.mark.parametrize("function", REASONS, ids=lambda one: one.__name__)
def test_reasons(function: Any) -> None:
    with pytest.raises(JITError) as caught:
        compile_runs(UserFunction.of(function), [FLOAT])
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{function.__name__}() cannot be compiled: {REASONS[function]}."
    assert lines[1].startswith(f"  {__file__}:")
    source = lines[2].strip()
    with open(__file__) as file:
        text = file.read().split(f"def {function.__name__}(")[1].split("\n\n\n")[0]
    blamed = [line.strip() for line in text.splitlines() if line.endswith("blame")]
    assert source in (blamed or [f"def {function.__name__}(x):", "return v.dropna()"])
    assert lines[3].startswith("Either ")
    assert lines[3].endswith('or pass engine="python" to have it called by the interpreter.')
    assert "numba" not in str(caught.value)


def test_error_is_one_of_ours() -> None:
    assert issubclass(JITError, FastFrameError)
    assert issubclass(JITError, TypeError)


async def asynchronous(x):
    return x


def generating(x):
    yield from x


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda *x: x, r"the lambda cannot be compiled: it takes \* parameters"),
        (lambda **x: x, r"the lambda cannot be compiled: it takes \*\* parameters"),
        (asynchronous, "it is asynchronous"),
        (generating, "it is a generator"),
        (np.mean, r"is not a Python function, so it cannot be compiled. Wrap it in one: lambda x: numpy.mean\(x\)"),
        (math.sqrt, r"Wrap it in one: lambda x: math.sqrt\(x\)"),
        (max, r"Wrap it in one: lambda x: max\(x\)"),
        (str.upper, r"Text has methods of its own: use \.str\.upper\(\)"),
        (model.predict, "It is a method"),
        ("mean", "'mean' is not a Python function, so it cannot be compiled. Pass a function of one NumPy array per column"),
    ],
)
def test_what_is_no_function(given: Any, message: str) -> None:
    with pytest.raises(JITError, match=message):
        UserFunction.of(given)


@pytest.mark.parametrize("error", [AttributeError("no such part"), TypeError("other arguments")])
def test_another_numba_is_our_error_and_no_crash(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("fastframe._jit.glue.populate_array", changed)
    with pytest.raises(JITError, match=r"was not compiled because of an error of fastframe's, not of yours \(numba [\d.]+: \w+: (no such|other)"):
        compile_runs(UserFunction.of(lambda x: x.sum() + 77), [FLOAT])


# -- failures of calls


def checked(x, limit):
    if x[0] > limit:
        raise ValueError("too large", x[0], limit)
    return x.sum()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_lowest_failing_run_wins(threads: int) -> None:
    values = np.arange(200_000.0)
    runs = Runs.of_offsets(np.arange(0, 200_001, 10))
    kernel = compile_runs(UserFunction.of(checked), [FLOAT], extras=(1.0,))
    backwards = Runs(runs.begin, runs.end, runs.bounds, np.arange(runs.n_parts)[::-1].copy())
    for limit in (150_005.0, 90_000.0, -1.0):
        inputs = Inputs([values], extras=(limit,))
        with ff.option_context(threads=threads):
            for order in (runs, backwards):
                failure = over_runs(kernel, inputs, order, outputs_of(kernel, len(values), runs.n_runs))
                assert failure == Failure(next(row for row in range(0, 200_000, 10) if row > limit) // 10, False)
        with pytest.raises(ValueError, match="too large") as caught:
            call_again(kernel, inputs, failure, runs)
        assert caught.value.args[2] == limit
        assert caught.traceback[-1].name == "checked"


def test_lowest_failing_row_wins() -> None:
    def inverse(a):
        if a == 0:
            raise ZeroDivisionError("no inverse of 0")
        return 1 / a

    values = np.ones(100_000)
    values[[70_000, 99_999]] = 0
    kernel = compile_rows(UserFunction.of(inverse), [FLOAT])
    inputs = Inputs([values])
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            failure = over_rows(kernel, inputs, len(values), outputs_of(kernel, len(values), 0))
        assert failure == Failure(70_000, False)
    with pytest.raises(ZeroDivisionError, match="no inverse of 0"):
        call_again(kernel, inputs, failure)


def test_parameters_by_keyword_only() -> None:
    def limited(x, *, limit):
        if x[0] > limit:
            raise ValueError("above the limit")
        return x.sum()

    function = UserFunction.of(limited)
    extras = function.bind(1, (), {"limit": 1.0})
    kernel = compile_runs(function, [FLOAT], extras=extras)
    inputs, runs = Inputs([np.arange(4.0)], extras=extras), Runs.of_offsets(np.array([0, 2, 4]))
    failure = over_runs(kernel, inputs, runs, outputs_of(kernel, 4, 2))
    assert failure == Failure(1, False)
    with pytest.raises(ValueError, match="above the limit"):
        call_again(kernel, inputs, failure, runs)


def test_vectors_of_wrong_length() -> None:
    kernel = compile_runs(UserFunction.of(lambda x: x[x > 2]), [FLOAT])
    inputs, runs = Inputs([np.array([3.0, 4.0, 1.0, 5.0])]), Runs.of_offsets(np.array([0, 2, 4]))
    (out,) = outputs_of(kernel, 4, 2)
    failure = over_runs(kernel, inputs, runs, [out])
    assert failure == Failure(1, True)
    with pytest.raises(JITError, match="the lambda returned 1 value for 2 rows"):
        call_again(kernel, inputs, failure, runs)


def beyond(x, at):
    return x[at]


@pytest.mark.parametrize("at", [2, -3, 10**12])
@pytest.mark.parametrize("function", [lambda x, at: x[at], lambda x, at: beyond(x, at)], ids=["itself", "helper"])
def test_indices_outside_of_an_array_raise(function: Any, at: int) -> None:
    kernel = compile_runs(UserFunction.of(function), [FLOAT], extras=(1,))
    inputs, runs = Inputs([np.arange(6.0)], extras=(at,)), Runs.of_offsets(np.array([0, 2, 4, 6]))
    assert over_runs(kernel, Inputs(inputs.columns, extras=(1,)), runs, outputs_of(kernel, 6, 3)) is None
    failure = over_runs(kernel, inputs, runs, outputs_of(kernel, 6, 3))
    assert failure == Failure(0, False)
    with pytest.raises(IndexError):
        call_again(kernel, inputs, failure, runs)


def test_failures_of_the_compiled_form_alone() -> None:
    calls = np.zeros(1)

    def fails_once(x):
        if calls[0] == 0:   # a captured array is frozen in compiled code, and not by the interpreter
            raise ValueError("compiled")
        return x.sum()

    kernel = compile_runs(UserFunction.of(fails_once), [FLOAT])
    inputs, runs = Inputs([np.ones(2)]), Runs.of_offsets(np.array([0, 2]))
    failure = over_runs(kernel, inputs, runs, outputs_of(kernel, 2, 1))
    assert failure == Failure(0, False)
    with pytest.raises(ValueError, match="compiled"):
        call_again(kernel, inputs, failure, runs)
    calls[0] = 1
    with pytest.raises(JITError, match="failed in its compiled form .at run 0., but not when it was called again"):
        call_again(kernel, inputs, failure, runs)


def test_no_memory_is_lost() -> None:
    """numba's own count of what is allocated and freed: vectors, exceptions with run-time values, wrong lengths."""
    from numba.core.runtime import _nrt_python, rtsys

    def doubled_up_to(x, limit, short):
        y = x * 2
        if x[0] > limit:
            raise ValueError("too large", x[0], limit)
        return y[1:] if short else y

    values, runs = np.arange(1000.0), Runs.of_offsets(np.arange(0, 1001, 10))
    kernel = compile_runs(UserFunction.of(doubled_up_to), [FLOAT], extras=(1.0, False))
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        for extras, failure in (((1e9, False), None), ((500.0, False), Failure(51, False)), ((1e9, True), Failure(0, True))):
            assert over_runs(kernel, Inputs([values], extras=extras), runs, outputs_of(kernel, 1000, 100)) == failure
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc >= 150
    assert after.alloc - before.alloc == after.free - before.free
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free


def test_functions_get_read_only_arrays_when_called_again() -> None:
    def writes(x):
        x[0] = 1.0
        return x

    kernel = compile_runs(UserFunction.of(lambda x: x), [FLOAT])
    values = np.zeros(2)
    from dataclasses import replace

    writing = replace(kernel, function=UserFunction.of(writes))
    with pytest.raises(ValueError, match="read-only"):
        call_again(writing, Inputs([values]), Failure(0, False), Runs.of_offsets(np.array([0, 2])))
    assert values.tolist() == [0.0, 0.0]
