"""What functions get and give: every dtype, masks, codes, run-time values, named results, nulls."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

from fastframe._jit.arguments import Codes, lookup_array, storage
from fastframe._jit.calls import Inputs, over_rows, over_runs
from fastframe._jit.function import UserFunction
from fastframe._jit.kernel import compile_rows, compile_runs
from fastframe._jit.runs import Runs
from fastframe.dtypes import dtype
from fastframe.errors import JITError
from tests.jit.running import mapped, outputs_of, results, run_kernel

OFFSETS = np.array([0, 3, 3, 4, 10])
NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
TIMES = ["datetime64[D]", "datetime64[s]", "datetime64[ms]", "datetime64[us]", "datetime64[ns]", "timedelta64[s]", "timedelta64[us]", "timedelta64[ns]"]


def reversed_values(x):
    return x[::-1]


def first(x):
    return x[0] if len(x) else x[:1].sum()


@pytest.mark.parametrize("kind", [*NUMBERS, "bool", *TIMES])
def test_vectors_keep_their_dtype(kind: str) -> None:
    values = (np.arange(10) % 2 if kind == "bool" else np.arange(10)).astype(kind)
    kernel, (out,) = run_kernel(reversed_values, [values], Runs.of_offsets(OFFSETS))
    (result,) = kernel.results
    assert result.dtype == dtype(values.dtype)
    assert result.storage.itemsize == (4 if kind == "datetime64[D]" else values.itemsize)
    expected = np.concatenate([values[begin:end][::-1] for begin, end in itertools.pairwise(OFFSETS)])
    np.testing.assert_array_equal(out.values, expected.view(np.int64) if kind in TIMES else expected)


@pytest.mark.parametrize("kind", NUMBERS)
def test_scalars_widen_as_numba_widens_them(kind: str) -> None:
    """An element keeps its dtype, arithmetic of integers gives 64 bits, of float32 float32."""
    values = np.arange(10).astype(kind)
    elements = run_kernel(lambda x: x[len(x) - 1] if len(x) else x[0], [values[:4]], Runs.of_offsets(np.array([0, 3, 4])))[0]
    sums = run_kernel(lambda x: x[0] + x[0], [values], Runs.of_offsets(np.array([0, 10])))[0]
    assert elements.results[0].dtype == dtype(kind)
    wide = {"i": "int64", "u": "uint64", "f": kind}[np.dtype(kind).kind]
    assert sums.results[0].dtype == dtype(wide)


def test_missing_times_of_results() -> None:
    def latest(t):
        return t[-1]

    times = np.array(["1970-01-01", "1970-01-02", "1970-01-01T00:00:00.000007", "NaT"], "datetime64[us]")
    kernel, (out,) = run_kernel(latest, [times], Runs.of_offsets(np.array([0, 3, 4])))
    assert kernel.results[0].nullable
    assert out.present is not None
    assert out.present.tolist() == [1, 0]
    assert out.values[0] == 7


def test_missing_days_of_vectors() -> None:
    days = np.array(["2020-01-05", "NaT", "1969-12-31"], "datetime64[D]")
    _, (out,) = run_kernel(lambda x: x, [days], Runs.of_offsets(np.array([0, 3])))
    assert out.present is not None
    assert out.present.tolist() == [1, 0, 1]
    assert out.values[[0, 2]].tolist() == [18266, -1]


def test_bools_of_scalars() -> None:
    (out,) = results(lambda x: x.sum() > 10, [np.arange(10)], OFFSETS)
    assert out.tolist() == [False, False, False, True]
    assert out.dtype == bool


def test_masks() -> None:
    def of_present(x, y, x_there, y_there):
        total = 0.0
        for at in range(len(x)):
            if x_there[at] and y_there[at]:
                total += x[at] * y[at]
        return total

    rng = np.random.default_rng(0)
    columns = [rng.normal(size=10), rng.normal(size=10)]
    masks = [rng.random(10) > 0.5, rng.random(10) > 0.3]
    kernel = compile_runs(UserFunction.of(of_present), [dtype("float64")] * 2, masks=True)
    runs = Runs.of_offsets(OFFSETS)
    (out,) = outputs_of(kernel, 10, 4)
    assert over_runs(kernel, Inputs(columns, masks), runs, [out]) is None
    products = np.where(masks[0] & masks[1], columns[0] * columns[1], 0.0)
    np.testing.assert_allclose(out.values, [products[begin:end].sum() for begin, end in itertools.pairwise(OFFSETS)])


@pytest.mark.parametrize("rows", [False, True])
def test_codes_and_their_lookup(rows: bool) -> None:
    names = lookup_array(["pear", "apple", "fig tree"])
    weights = np.array([1.5, 2.5, 4.0])

    def weigh(codes, names, weights, wanted):
        total = 0.0
        for code in codes:
            if names[code] == wanted:
                total += weights[code]
        return total

    def weigh_one(code, names, weights, wanted):
        return weights[code] if names[code] == wanted else 0.0

    codes = np.array([0, 1, 2, 1], np.int32)
    extras = (names, weights, np.array("apple", names.dtype).reshape(()))
    extras = (names, weights, names[1:2])
    changed = (lambda c, n, w, one: weigh_one(c, n, w, one[0])) if rows else (lambda c, n, w, one: weigh(c, n, w, one[0]))
    columns = [Codes(names.dtype)]
    if rows:
        kernel = compile_rows(UserFunction.of(changed), columns, extras=extras)
        (out,) = outputs_of(kernel, 4, 0)
        assert over_rows(kernel, Inputs([codes], extras=extras), 4, [out]) is None
        assert out.values.tolist() == [0.0, 2.5, 0.0, 2.5]
    else:
        kernel = compile_runs(UserFunction.of(changed), columns, extras=extras)
        (out,) = outputs_of(kernel, 4, 2)
        assert over_runs(kernel, Inputs([codes], extras=extras), Runs.of_offsets(np.array([0, 2, 4])), [out]) is None
        assert out.values.tolist() == [2.5, 2.5]


def test_lookup_of_text_has_few_types() -> None:
    assert [lookup_array(["x" * length]).dtype.itemsize // 4 for length in (0, 1, 4, 5, 9, 33)] == [4, 4, 4, 8, 16, 64]
    assert lookup_array(np.array([3, 4])).dtype == np.int64


def test_run_time_values_are_not_baked_in() -> None:
    def scaled(x, factor, table, flag):
        return x.sum() * factor + table[1, 0] if flag else -1.0

    function, column = UserFunction.of(scaled), [dtype("float64")]
    kernel = compile_runs(function, column, extras=(2, np.zeros((2, 2)), True))
    for factor, flag in ((3, True), (-7, False), (2**62, True)):
        table = np.arange(4.0).reshape(2, 2)
        assert compile_runs(function, column, extras=(factor, table, flag)) is kernel
        (out,) = outputs_of(kernel, 10, 1)
        over_runs(kernel, Inputs([np.ones(10)], extras=(factor, table, flag)), Runs.of_offsets(np.array([0, 10])), [out])
        assert out.values[0] == scaled(np.ones(10), factor, table, flag)
    assert compile_runs(function, column, extras=(2.0, np.zeros((2, 2)), True)) is not kernel


@pytest.mark.parametrize("value", [np.int16(-3), np.float32(0.5), np.datetime64(7, "ms"), np.timedelta64(7, "s"), 2**63 + 5, True, np.uint8(200)])
def test_types_of_run_time_values(value: Any) -> None:
    (out,) = results(lambda x, value: value, [np.ones(3)], np.array([0, 3]), (value,))
    assert out[0] == (value.astype(np.int64) if isinstance(value, np.datetime64 | np.timedelta64) else value)


class Extent(NamedTuple):
    low: float
    n: int


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda x: (x.min(), len(x)), [None, None]),
        (lambda x: {"low": x.min(), "n": len(x)}, ["low", "n"]),
        (lambda x: Extent(x.min(), len(x)), ["low", "n"]),
    ],
    ids=["tuple", "dict", "namedtuple"],
)
def test_several_results(function: Any, names: list[str | None]) -> None:
    values = np.array([3.0, 1.0, 2.0, 5.0])
    kernel, (low, n) = run_kernel(function, [values], Runs.of_offsets(np.array([0, 3, 4])))
    assert [one.name for one in kernel.results] == names
    assert [one.dtype for one in kernel.results] == [dtype("float64"), dtype("int64")]
    assert low.values.tolist() == [1.0, 5.0]
    assert n.values.tolist() == [3, 1]


def test_dicts_of_several_branches() -> None:
    def extent(x):
        if len(x) > 1:
            return {"low": x[0], "high": x[1]}
        return {"low": x[0], "high": x[0]}

    assert [one.tolist() for one in results(extent, [np.arange(3.0)], np.array([0, 2, 3]))] == [[0.0, 2.0], [1.0, 2.0]]


def test_none_is_null() -> None:
    def mean_of_many(x):
        if len(x) < 3:
            return None
        return x.mean()

    kernel, (out,) = run_kernel(mean_of_many, [np.arange(10.0)], Runs.of_offsets(OFFSETS))
    assert kernel.results[0].nullable
    assert out.present is not None
    assert out.present.tolist() == [1, 0, 0, 1]
    assert out.values.tolist() == [1.0, 0.0, 0.0, 6.5]


def test_rows_that_are_absent() -> None:
    out = mapped(lambda a: a + 1, [np.arange(5)], rows=np.array([True, False, True, True, False]))[0]
    assert out.present is not None
    assert out.present.tolist() == [1, 0, 1, 1, 0]
    assert out.values.tolist() == [1, 0, 3, 4, 0]


def test_no_runs_and_no_rows() -> None:
    assert results(lambda x: x.sum(), [np.ones(0)], np.array([0]))[0].shape == (0,)
    assert results(lambda x: x * 2, [np.ones(0)], np.array([0, 0, 0]))[0].shape == (0,)
    assert mapped(lambda x: x, [np.ones(0)])[0].values.shape == (0,)


@pytest.mark.parametrize("name", ["string", "decimal128(10, 2)", "time64[us]", "float16", "binary"])
def test_dtypes_that_compiled_code_has_not(name: str) -> None:
    with pytest.raises(JITError, match=r"the lambda cannot take the column: compiled code has no values of dtype"):
        compile_runs(UserFunction.of(lambda x: x.sum()), [dtype(name)])
    with pytest.raises(JITError):
        storage(dtype(name))


def test_values_that_cannot_be_passed() -> None:
    def of_two(x, how):
        return x.sum()

    with pytest.raises(JITError, match=r"of_two\(\) is given how='left', and a value of type str cannot be passed"):
        compile_runs(UserFunction.of(of_two), [dtype("float64")], extras=("left",))


def test_numbers_of_arguments() -> None:
    with pytest.raises(JITError, match=r"takes 1 arguments \(x\), but is given 2 arrays and 0 more"):
        compile_runs(UserFunction.of(lambda x: x.sum()), [dtype("float64")] * 2)


class TestDeclared:
    def kernel(self, function: Any, out: Any, kind: str = "int32") -> Any:
        from dataclasses import replace

        return compile_runs(replace(UserFunction.of(function), out=out), [dtype(kind)])

    def test_lossless(self) -> None:
        assert self.kernel(lambda x: x, "float64").results[0].dtype == "float64"
        kernel = self.kernel(lambda x: x, "int64")
        values = np.array([1, -2, 3], np.int32)
        (out,) = outputs_of(kernel, 3, 1)
        over_runs(kernel, Inputs([values]), Runs.of_offsets(np.array([0, 3])), [out])
        assert out.values.tolist() == [1, -2, 3]
        assert out.values.dtype == np.int64

    @pytest.mark.parametrize(("total", "out"), [(True, "float64"), (True, "int32"), (False, "uint64"), (False, "bool")])
    def test_lossy(self, total: bool, out: str) -> None:
        function = (lambda x: x.sum()) if total else (lambda x: x)
        with pytest.raises(JITError, match=rf"and out={out} cannot hold all values of that type"):
            self.kernel(function, out)

    def test_names(self) -> None:
        made = self.kernel(lambda x: {"a": x[0], "b": x[1]}, {"a": "int64", "b": "float64"})
        assert [one.dtype for one in made.results] == ["int64", "float64"]
        with pytest.raises(JITError, match="out= declares 'a', but the lambda returns 'a', 'b'"):
            self.kernel(lambda x: {"a": x[0], "b": x[1]}, {"a": "int64"})
        with pytest.raises(JITError, match="out= declares 'a', but the lambda returns one value without a name"):
            self.kernel(lambda x: x[0], {"a": "int64"})


def test_shapes_that_are_wanted() -> None:
    function = UserFunction.of(lambda x: x.sum())
    assert compile_runs(function, [dtype("float64")], vector=False).shape == "scalar"
    with pytest.raises(JITError, match=r"returns one value per group, where a vector of the group's length is needed"):
        compile_runs(function, [dtype("float64")], vector=True)
    with pytest.raises(JITError, match=r"returns an array, where one value per row is needed"):
        compile_rows(UserFunction.of(lambda x: np.full(2, x)), [dtype("float64")])
