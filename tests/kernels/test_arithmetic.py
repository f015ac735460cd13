"""Arithmetic kernels against exact Python arithmetic: dtypes, nulls, slices, scalars, overflow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column, Table
from fastframe.dtypes import FLOAT64, INT64, dtype
from fastframe.engines.cpu.evaluate import evaluate
from fastframe.errors import ArgumentError, DTypeError, IntegerOverflow
from fastframe.ops.expressions import Call, Col, Lit
from fastframe.options import option_context
from tests.reference import elementwise as slow

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float32", "float64"]
NULLS = ["none", "some", "all"]


def column(values: list[Any], name: str, nulls: str, *, offset: int) -> Column:
    """Values with nulls, as a slice that starts at row ``offset`` of its parent."""
    if nulls == "some":
        values = [None if place % 5 == 2 else value for place, value in enumerate(values)]
    elif nulls == "all":
        values = [None] * len(values)
    filler = [values[0] if values else None] * offset
    return Column(pa.array(filler + values + filler, dtype(name).arrow).slice(offset, len(values)))


def compute(operation: str, left: Any, right: Any, n_rows: int | None = None) -> Column:
    columns = {name: side for name, side in (("x", left), ("y", right)) if isinstance(side, Column)}
    args = tuple(Col(name) if isinstance(side, Column) else side if isinstance(side, Lit) else Lit(side) for name, side in (("x", left), ("y", right)))
    result = evaluate(Call(operation, args), Table(columns, n_rows))
    result.array.validate(full=True)
    return result


def numbers(name: str, n_rows: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    if name.startswith("float"):
        special = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-300, 2.0**53]
        values = (rng.standard_normal(n_rows) * 100).astype(name).tolist()
        return (special + values)[:n_rows] if n_rows > 20 else values
    return rng.integers(0 if name.startswith("u") else -11, 12, n_rows).tolist()


def same(left: list[Any], right: list[Any]) -> bool:
    """Equal to the bit: nulls, NaN and the sign of zero count."""
    def key(value: Any) -> Any:
        return ("nan",) if isinstance(value, float) and value != value else (value, np.signbit(value)) if isinstance(value, float) else value

    return [key(value) for value in left] == [key(value) for value in right]


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "floordiv", "mod", "fmod", "pow"])
def test_integers_match_exact_arithmetic(operation: str, name: str) -> None:
    for seed, (nulls, offset, n_rows) in enumerate(itertools.product(NULLS, (0, 3), (1, 130))):
        left = column(numbers(name, n_rows, seed), name, nulls, offset=offset)
        right = column([abs(value) % 3 if operation == "pow" else value for value in numbers(name, n_rows, seed + 100)], name, "some", offset=7)
        try:
            expected = slow.integer_arithmetic(operation, left.array.to_pylist(), right.array.to_pylist(), name)
        except slow.DoesNotFit:
            with pytest.raises(IntegerOverflow, match=f"{operation} of column 'x' does not fit {name}"):
                compute(operation, left, right)
            continue
        result = compute(operation, left, right)
        assert result.dtype == name
        assert result.array.to_pylist() == expected


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("operation", ["floordiv", "mod"])
def test_division_by_one_integer(operation: str, name: str) -> None:
    """By a reciprocal where the divisor is 2 or more: around powers of two, whose reciprocals have the most bits."""
    limits, random = np.iinfo(name), np.random.default_rng(3)
    edges = {sign * (2**power + one) for power in range(64) for one in (-1, 0, 1) for sign in (1, -1)} | {limits.min, limits.max, limits.max - 1}
    kept = [one for one in sorted(edges) if limits.min <= one <= limits.max]
    divisors = [one for one in kept if one != 0] + random.integers(2, limits.max, 20, name).tolist() + [3, 7, 10, 100]
    values = kept + random.integers(limits.min, limits.max, 1500, name, endpoint=True).tolist()
    for turn, divisor in enumerate(divisors):
        given = [one for one in values if not (divisor == -1 and one == limits.min)]
        left = column(given, name, NULLS[turn % 2], offset=turn % 3)
        found = compute(operation, left, Lit(divisor, dtype(name))).array.to_pylist()
        assert found == slow.integer_arithmetic(operation, left.array.to_pylist(), [divisor] * len(given), name), divisor


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "truediv", "floordiv", "mod", "fmod"])
def test_floats_match_numpy_bit_for_bit(operation: str, name: str) -> None:
    for seed, (nulls, offset, n_rows) in enumerate(itertools.product(NULLS, (0, 3), (1, 200))):
        left = column(numbers(name, n_rows, seed), name, nulls, offset=offset)
        right = column(numbers(name, n_rows, seed + 50)[::-1], name, "some", offset=1)
        result = compute(operation, left, right)
        assert result.dtype == name
        expected = slow.float_arithmetic(operation, left.array.to_pylist(), right.array.to_pylist(), name)
        assert same(result.array.to_pylist(), expected), (nulls, offset, n_rows)


@pytest.mark.parametrize("name", [*FLOATS, "int64", "uint8", "int16"])
@pytest.mark.parametrize("operation", ["arctan2", "hypot"])
def test_functions_of_pairs(operation: str, name: str) -> None:
    for seed, (nulls, offset, n_rows) in enumerate(itertools.product(NULLS, (0, 3), (0, 1, 200))):
        left = column(numbers(name, n_rows, seed), name, nulls, offset=offset)
        right = column(numbers(name, n_rows, seed + 50)[::-1], name, "some", offset=1)
        result = compute(operation, left, right)
        assert result.dtype == (name if name in FLOATS else "float64")
        expected = slow.of_pairs(operation, left.array.to_pylist(), right.array.to_pylist())
        found = result.array.to_pylist()
        assert [one is None for one in found] == [one is None for one in expected]
        there = [(one, other) for one, other in zip(found, expected, strict=True) if one is not None]
        np.testing.assert_allclose([one for one, _ in there], [other for _, other in there], rtol=1e-6 if name == "float32" else 1e-15, atol=1e-38)


def test_pairs_with_zeros_infinities_and_scalars() -> None:
    inf, nan = float("inf"), float("nan")
    y, x = [0.0, -0.0, 0.0, -0.0, inf, 1.0, nan, 1e200], [0.0, 0.0, -1.0, -1.0, -inf, -inf, inf, 1e200]
    pi = np.pi
    angles = [0.0, -0.0, pi, -pi, 3 * pi / 4, pi, nan, pi / 4]
    ys, xs = Column(pa.array(y)), Column(pa.array(x))
    assert same(compute("arctan2", ys, xs).array.to_pylist(), angles)
    assert same(compute("hypot", ys, xs).array.to_pylist()[:7], [0.0, 0.0, 1.0, 1.0, inf, inf, nan])
    assert compute("hypot", ys, xs).array[7].as_py() == pytest.approx(2**0.5 * 1e200)   # nothing overflows inside
    assert compute("hypot", Column(pa.array([3, None, -8])), 4).array.to_pylist() == [5.0, None, pytest.approx(80**0.5)]
    assert compute("arctan2", 1, Column(pa.array([1.0], pa.float32()))).array.to_pylist() == [np.float32(pi / 4)]
    assert compute("arctan2", Column(pa.array([1, 2])), None).array.to_pylist() == [None, None]
    with pytest.raises(DTypeError, match="hypot is not defined for dtype string. It works on numbers"):
        compute("hypot", Column(pa.array(["a"])), 1)


@pytest.mark.parametrize("name", INTEGERS)
def test_limits_overflow_exactly_where_they_should(name: str) -> None:
    limits = np.iinfo(name)
    edge = [limits.min, limits.min + 1, -1 if limits.min else 0, 0, 1, limits.max - 1, limits.max]
    for operation, a, b in itertools.product(("add", "sub", "mul", "floordiv", "mod"), edge, edge):
        left, right = column([a], name, "none", offset=0), column([b], name, "none", offset=0)
        try:
            expected = slow.integer_arithmetic(operation, [a], [b], name)
        except slow.DoesNotFit:
            with pytest.raises(OverflowError):
                compute(operation, left, right)
        else:
            assert compute(operation, left, right).array.to_pylist() == expected


def test_values_under_nulls_do_not_overflow() -> None:
    hidden = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([1, 2**63 - 1]).tobytes())])
    result = compute("add", Column(hidden), Column(pa.array([1, 1])))
    assert result.array.to_pylist() == [2, None]


def test_an_overflow_in_a_late_row_is_found_and_the_tail_is_computed() -> None:
    n_rows = 300_001
    values = np.ones(n_rows, np.int32)
    assert compute("add", Column(pa.array(values)), 1).array.to_numpy().sum() == 2 * n_rows
    values[-1] = 2**31 - 1
    with pytest.raises(IntegerOverflow, match="int32"):
        compute("add", Column(pa.array(values)), 1)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_bits(threads: int) -> None:
    rng = np.random.default_rng(1)
    values = pa.array(rng.standard_normal(400_000), mask=rng.random(400_000) < 0.1)
    left, right = Column(values.slice(5, 390_000)), Column(values.slice(9, 390_000))
    with option_context(threads=1):
        alone = compute("truediv", left, right).array
    with option_context(threads=threads):
        assert compute("truediv", left, right).array.equals(alone)


@pytest.mark.parametrize(("left", "right", "result"), [
    ("int8", "int16", "int16"), ("int32", "uint32", "int64"), ("int64", "uint64", "float64"), ("int32", "float32", "float64"),
    ("int16", "float32", "float32"), ("bool", "int8", "int8"), ("bool", "bool", "int64"), ("float32", "float64", "float64"),
])  # fmt: skip
def test_mixed_dtypes_promote_as_in_numpy(left: str, right: str, result: str) -> None:
    one = Column(pa.array([1, 0, 1]).cast(dtype(left).arrow))
    other = Column(pa.array([1, 1, None]).cast(dtype(right).arrow))
    total = compute("add", one, other)
    assert total.dtype == result
    assert total.array.to_pylist() == [2, 1, None]


@pytest.mark.parametrize(("name", "value", "result"), [
    ("int8", 1, "int8"), ("int8", 1000, "int16"), ("int8", 1.5, "float64"), ("uint8", -1, "int16"), ("float32", 1, "float32"),
    ("float32", 0.1, "float32"), ("float32", 1e300, "float64"), ("int64", True, "int64"), ("int8", np.int64(1), "int64"),
    ("float32", np.float64(1), "float64"), ("bool", 1, "int64"),
])  # fmt: skip
def test_literals_are_weak_and_numpy_scalars_are_not(name: str, value: Any, result: str) -> None:
    ones = Column(pa.array([1, None]).cast(dtype(name).arrow))
    assert compute("add", ones, value).dtype == result
    swapped = compute("sub", value, ones) if result != "uint8" else None
    assert swapped is not None and swapped.dtype == result
    expected = (np.dtype(result).type(value) - np.dtype(result).type(1)).item()
    assert swapped.array.to_pylist() == [expected, None]


def test_missing_sides_stay_missing_even_where_ieee_has_an_answer() -> None:
    base = Column(pa.array([1.0, float("nan"), None, 2.0]))
    power = compute("pow", base, 0)
    assert same(power.array.to_pylist(), [1.0, float("nan"), None, 1.0])
    assert compute("pow", base, None).array.to_pylist() == [None] * 4
    one = compute("pow", 1.0, base)
    assert one.array.to_pylist()[2] is None and np.isnan(one.array.to_pylist()[1])


def test_an_integer_to_a_negative_power_raises() -> None:
    with pytest.raises(ArgumentError, match="negative power"):
        compute("pow", Column(pa.array([2, 3])), Column(pa.array([2, -1])))
    assert compute("pow", Column(pa.array([2, 3])), Column(pa.array([2, None]))).array.to_pylist() == [4, None]


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize(("operation", "choose"), [("min", min), ("max", max)])
def test_extremes_of_two_skip_missing(operation: str, choose: Any, name: str) -> None:
    for seed, (nulls, offset) in enumerate(itertools.product(NULLS, (0, 5))):
        left = column(numbers(name, 100, seed), name, nulls, offset=offset)
        right = column(numbers(name, 100, seed + 9), name, "some", offset=2)
        result = [None if slow.is_missing(value) else value for value in compute(operation, left, right).array.to_pylist()]
        assert result == slow.extreme(choose, left.array.to_pylist(), right.array.to_pylist())


def test_clip_keeps_missing_values_and_ignores_missing_bounds() -> None:
    table = Table({
        "x": Column(pa.array([5, -5, None, 1, 9])), "lo": Column(pa.array([0, 0, 0, None, None])), "hi": Column(pa.array([3, 3, 3, 0, None])),
    })  # fmt: skip
    clipped = evaluate(Call("clip", (Col("x"), Col("lo"), Col("hi"))), table)
    assert clipped.array.to_pylist() == [3, 0, None, 0, 9]
    assert evaluate(Call("clip", (Col("x"), Lit(None), Lit(4))), table).array.to_pylist() == [4, -5, None, 1, 4]


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
def test_unary_functions(name: str) -> None:
    values = column(numbers(name, 150, 3), name, "some", offset=3)
    table = Table({"x": values})
    given = values.array.to_pylist()
    as_numpy = np.array([0 if value is None else value for value in given], name)
    for operation, function in {"abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}.items():
        result = evaluate(Call(operation, (Col("x"),)), table)
        assert result.dtype == name
        expected = [None if value is None else one for value, one in zip(given, function(as_numpy).astype(name).tolist(), strict=True)]
        assert same(result.array.to_pylist(), expected), operation
    if not name.startswith("u"):
        negated = evaluate(Call("neg", (Col("x"),)), table)
        assert same(negated.array.to_pylist(), [None if value is None else -value for value in given])


@pytest.mark.parametrize("name", ["float32", "float64", "int32"])
def test_transcendental_functions_are_close_to_numpy(name: str) -> None:
    values = np.abs(np.random.default_rng(2).standard_normal(1000) * 5).astype(name) + np.ones(1, name)
    table = Table({"x": Column(pa.array(values))})
    for operation in ("sqrt", "exp", "log", "log1p", "expm1"):
        result = evaluate(Call(operation, (Col("x"),)), table)
        assert result.dtype == ("float32" if name == "float32" else "float64")
        wide = values if name != "int32" else values.astype("float64")
        np.testing.assert_allclose(result.array.to_numpy(), getattr(np, operation)(wide), rtol=2e-6 if name == "float32" else 4e-16)


@pytest.mark.parametrize("name", ["float32", "float64", "int32"])
@pytest.mark.parametrize(
    "operation",
    ["log2", "log10", "cbrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"],
)
def test_functions_of_the_c_library_are_close_to_numpy(operation: str, name: str) -> None:
    values = (np.random.default_rng(5).standard_normal(1000) * 4).astype(name)
    values[:4] = [0, 1, -1, 2]
    table = Table({"x": Column(pa.array(values, mask=np.arange(1000) % 7 == 6).slice(3))})
    result = evaluate(Call(operation, (Col("x"),)), table)
    with np.errstate(all="ignore"):
        expected = getattr(np, operation)(values if name != "int32" else values.astype("float64"))[3:]
    assert result.array.null_count == 997 // 7
    here = np.asarray(result.array.is_valid())
    np.testing.assert_allclose(result.array.to_numpy(zero_copy_only=False)[here], expected[here], rtol=4e-6 if name == "float32" else 1e-14)


@pytest.mark.parametrize("decimals", [0, 1, 2, -1, -2])
def test_round_is_numpys(decimals: int) -> None:
    values = np.array([0.5, 1.5, 2.5, -0.5, 1.25, 123.456, 155.0, 1e300, np.inf, 0.285])
    table = Table({"x": Column(pa.array(values)), "i": Column(pa.array([155, -155, 145, None]).take(pa.array([0, 1, 2, 3] * 2 + [0, 0])))})
    rounded = evaluate(Call("round", (Col("x"),), (("decimals", decimals),)), table)
    assert same(rounded.array.to_pylist(), np.round(values, decimals).tolist())
    integers = evaluate(Call("round", (Col("i"),), (("decimals", decimals),)), table)
    assert integers.dtype == INT64
    assert integers.array.to_pylist()[:4] == [int(np.round(value, decimals)) if value is not None else None for value in (155, -155, 145, None)]


def test_the_cut_remainder_of_the_least_integer_by_minus_one_is_zero() -> None:
    for name, least in (("int8", -128), ("int64", -(2**63))):
        values = column([least, least, 7, -7], name, "none", offset=1)
        divisors = column([-1, 0, -2, 2], name, "none", offset=0)
        assert compute("fmod", values, divisors).array.to_pylist() == [0, None, 1, -1]
        assert compute("fmod", values, 3).array.to_pylist() == [-(abs(least) % 3), -(abs(least) % 3), 1, -1]


def test_negation_of_the_least_integer_and_of_unsigned_overflows() -> None:
    for name, value in (("int8", -128), ("int64", -(2**63)), ("uint8", 1)):
        with pytest.raises(IntegerOverflow):
            evaluate(Call("neg", (Col("x"),)), Table({"x": column([value], name, "none", offset=0)}))
    for name, value in (("int8", -128), ("int32", -(2**31))):
        with pytest.raises(IntegerOverflow):
            evaluate(Call("abs", (Col("x"),)), Table({"x": column([value], name, "none", offset=0)}))


def test_empty_and_scalar_only() -> None:
    empty = Column(pa.array([], pa.int32()))
    assert len(compute("add", empty, empty)) == 0
    assert compute("add", 2, 3, n_rows=4).array.to_pylist() == [5, 5, 5, 5]
    assert compute("truediv", 1, 0, n_rows=2).array.to_pylist() == [float("inf")] * 2
    assert compute("truediv", 1, 0, n_rows=2).dtype == FLOAT64
