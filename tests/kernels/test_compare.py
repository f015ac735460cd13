"""Comparison, missing and logic kernels against Python's exact comparisons."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column, Table
from fastframe.dtypes import BOOL, dtype
from fastframe.engines.cpu.evaluate import evaluate
from fastframe.ops.expressions import Call, Col, Lit
from tests.kernels.test_arithmetic import FLOATS, INTEGERS, NULLS, column, compute, numbers
from tests.reference import elementwise as slow

OPERATIONS = ["eq", "ne", "lt", "le", "gt", "ge"]
BEYOND_FLOAT = [2**53, 2**53 + 1, 2**62, 2**63 - 1, 0, 1]


def check(result: Column, expected: list[bool]) -> None:
    assert result.dtype == BOOL
    assert result.null_count == 0
    assert result.array.to_pylist() == expected


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_dtype(operation: str, name: str) -> None:
    for seed, (nulls, offset, n_rows) in enumerate(itertools.product(NULLS, (0, 3), (1, 200))):
        left = column(numbers(name, n_rows, seed), name, nulls, offset=offset)
        right = column(numbers(name, n_rows, seed + 1), name, "none" if seed % 2 else "some", offset=6)
        check(compute(operation, left, right), slow.compare(operation, left.array.to_pylist(), right.array.to_pylist()))


@pytest.mark.parametrize(("left", "right"), list(itertools.combinations(["bool", "int8", "uint32", "int64", "uint64", "float32", "float64"], 2)))
def test_mixed_dtypes_are_compared_exactly(left: str, right: str) -> None:
    def edges(name: str) -> list[Any]:
        if name == "bool":
            return [True, False]
        if name.startswith("float"):
            return [0.0, -0.0, 0.5, 1.0, 2.0**53, 2.0**63, -(2.0**63), 2.0**64, float("inf"), float("-inf"), float("nan"), None]
        limits = np.iinfo(name)
        return [value for value in (*BEYOND_FLOAT, -1, 2**64 - 1, -(2**63)) if limits.min <= value <= limits.max] + [limits.min, limits.max, None]

    pairs = list(itertools.product(edges(left), edges(right)))
    one, other = (Column(pa.array([pair[side] for pair in pairs], dtype(name).arrow)) for side, name in ((0, left), (1, right)))
    for operation in OPERATIONS:
        check(compute(operation, one, other), slow.compare(operation, one.array.to_pylist(), other.array.to_pylist()))
        check(compute(operation, other, one), slow.compare(operation, other.array.to_pylist(), one.array.to_pylist()))


@pytest.mark.parametrize("value", [0, 1, -1, 0.5, 1000, 2**53 + 1, 2**63, 2**64 - 1, 2**70, -(2**70), float("inf"), float("nan"), None, True])
@pytest.mark.parametrize("name", ["int8", "uint8", "int64", "uint64", "float64"])
def test_literals_are_compared_exactly(name: str, value: Any) -> None:
    limits = [0, 1, 2] if name == "float64" else [np.iinfo(name).min, 0, 1, np.iinfo(name).max]
    values = Column(pa.array([*limits, None], dtype(name).arrow))
    given = values.array.to_pylist()
    for operation in OPERATIONS:
        check(compute(operation, values, value), slow.compare(operation, given, [value] * len(given)))
        check(compute(operation, value, values), slow.compare(operation, [value] * len(given), given))


@pytest.mark.parametrize(("left", "right"), [("int64", "float64"), ("uint64", "float64"), ("int64", "uint64"), ("float32", "int64")])
def test_mixed_dtypes_in_many_rows_small_and_beyond_float(left: str, right: str) -> None:
    rng = np.random.default_rng(0)
    small = {name: rng.integers(0, 50, 400).astype(name) for name in (left, right)}
    for far in (False, True):
        if far:
            small = {name: np.where(np.arange(400) == 70, np.array(2**62).astype(name), array) for name, array in small.items()}
        one, other = (Column(pa.array(small[name])) for name in (left, right))
        for operation in OPERATIONS:
            check(compute(operation, one, other), slow.compare(operation, small[left].tolist(), small[right].tolist()))


@pytest.mark.parametrize("value", [2.5, -0.5, 3.0, 1e300, True, np.float32(0.5), np.uint64(2**63)])
def test_a_value_beside_a_column_is_never_rounded(value: Any) -> None:
    for name in ("int8", "uint16", "int64", "float32"):
        column_values = [0, 1, 2, 3, 100, None]
        given = Column(pa.array(column_values, dtype(name).arrow))
        exact = value.item() if isinstance(value, np.generic) else value
        for operation in OPERATIONS:
            check(compute(operation, given, value), slow.compare(operation, column_values, [exact] * 6))
            check(compute(operation, value, given), slow.compare(operation, [exact] * 6, column_values))


def test_a_float_literal_takes_float32_beside_float32() -> None:
    check(compute("eq", Column(pa.array([0.1, 0.2], pa.float32())), 0.1), [True, False])
    check(compute("eq", Column(pa.array([0.1, 0.2], pa.float32())), np.float64(0.1)), [False, False])


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS, "bool", "string", "date32"])
@pytest.mark.parametrize("nulls", NULLS)
def test_missing(name: str, nulls: str) -> None:
    values: list[Any] = numbers(name if name in INTEGERS + FLOATS else "uint8", 150, 4)
    values = [str(value) for value in values] if name == "string" else [value > 3 for value in values] if name == "bool" else values
    given = column(values, name, nulls, offset=3)
    expected = [slow.is_missing(value) for value in given.array.to_pylist()]
    table = Table({"x": given})
    check(evaluate(Call("is_missing", (Col("x"),)), table), expected)
    check(evaluate(Call("not_missing", (Col("x"),)), table), [not value for value in expected])


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "int8", "uint64", "bool", "decimal"])
@pytest.mark.parametrize("nulls", NULLS)
def test_finite(name: str, nulls: str) -> None:
    for n_rows, offset in itertools.product((0, 1, 63, 64, 65, 1000), (0, 3)):
        values = np.random.default_rng(n_rows).integers(0, 2, n_rows + offset).astype("float64")
        if name.startswith("float"):
            values[::3], values[1::7], values[2::5] = np.inf, -np.inf, np.nan
        mask = np.full(len(values), nulls == "all") | ((np.arange(len(values)) % 5 == 1) & (nulls == "some"))
        plain = pa.array(values.astype("int64" if name == "decimal" else name), mask=mask)
        array = plain.cast(pa.decimal128(21, 2)) if name == "decimal" else plain
        array = array.slice(offset)
        there = ~mask[offset:]
        table = Table({"x": Column(array)})
        check(evaluate(Call("isfinite", (Col("x"),)), table), (there & np.isfinite(values[offset:])).tolist())
        check(evaluate(Call("isinf", (Col("x"),)), table), (there & np.isinf(values[offset:])).tolist())


def test_finite_limits() -> None:
    for name in ("float32", "float64"):
        limits = np.finfo(name)
        table = Table({"x": Column(pa.array(np.array([limits.max, limits.min, limits.tiny, -0.0, np.inf], name)))})
        check(evaluate(Call("isfinite", (Col("x"),)), table), [True, True, True, True, False])
    check(evaluate(Call("isinf", (Lit(float("-inf")),)), Table({}, 3)), [True] * 3)
    check(evaluate(Call("isfinite", (Lit(None),)), Table({}, 3)), [False] * 3)


@pytest.mark.parametrize("operation", ["and", "or", "xor"])
def test_logic_is_kleenes(operation: str) -> None:
    pairs = list(itertools.product([True, False, None], repeat=2)) * 20
    for offset in (0, 3):
        left, right = (Column(pa.array([None] * offset + [pair[side] for pair in pairs]).slice(offset)) for side in (0, 1))
        result = compute(operation, left, right)
        assert result.array.to_pylist() == slow.logic(operation, left.array.to_pylist(), right.array.to_pylist())
        for value in (True, False, None):
            beside = compute(operation, left, Lit(value, BOOL).value)
            assert beside.array.to_pylist() == slow.logic(operation, left.array.to_pylist(), [value] * len(pairs))


def test_not_keeps_nulls() -> None:
    given = Column(pa.array([True, None, False, True, None]).slice(1))
    assert evaluate(Call("not", (Col("x"),)), Table({"x": given})).array.to_pylist() == [None, True, False, None]


def test_integers_are_combined_bit_by_bit() -> None:
    left, right = Column(pa.array([6, 3, None], pa.int16())), Column(pa.array([3, 5, 1], pa.int32()))
    assert compute("and", left, right).array.to_pylist() == [2, 1, None]
    assert compute("or", left, right).dtype == "int32"
    assert compute("xor", left, 1).array.to_pylist() == [7, 2, None]


def test_bits_of_codes() -> None:
    rng = np.random.default_rng(0)
    codes = pa.array(rng.integers(0, 3, 1000).astype(np.int32), mask=rng.random(1000) < 0.2)
    text = Column(pa.DictionaryArray.from_arrays(codes, pa.array(["b", "a", "c"])).slice(13), dtype("string"))
    given = text.array.to_pylist()
    for operation, function in {"eq": str.__eq__, "lt": str.__lt__, "ge": str.__ge__}.items():
        check(compute(operation, text, "b"), [value is not None and function(value, "b") for value in given])
    check(compute("ne", text, "b"), [value != "b" for value in given])
    check(compute("gt", "b", text), [value is not None and value < "b" for value in given])
