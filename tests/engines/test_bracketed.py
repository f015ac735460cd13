"""Quantiles of a large column by brackets: the same bits as by bringing its values together, whatever the values are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column
from fastframe.engines.cpu import bracketed, gathered
from fastframe.engines.cpu.aggregate import Wanted, aggregate_codes
from fastframe.ops.aggregations import INTERPOLATIONS, AggregationCall
from fastframe.options import option_context
from fastframe.testing import assert_column_equal

N = 40_000
SHARES = [0.0, 0.0001, 0.25, 0.5, 0.731, 0.9999, 1.0]


def floats(shape: str) -> Any:
    rng = np.random.default_rng(len(shape))
    return {
        "uniform": lambda: rng.uniform(-1, 1, N),
        "lognormal": lambda: rng.lognormal(0, 6, N),
        "sorted": lambda: np.arange(N) * 0.1,
        "descending": lambda: -np.arange(N) * 0.1,
        "period of a stretch": lambda: np.arange(N) % 39 * 1.0,
        "one value": lambda: np.full(N, 2.5),
        "half one value": lambda: np.where(rng.random(N) < 0.5, 0.5, rng.random(N)),
        "few values": lambda: rng.integers(0, 9, N) / 4,
        "zeros of both signs": lambda: rng.choice([-0.0, 0.0, 1.0], N),
        "infinities": lambda: rng.choice([-np.inf, np.inf, 0.0, 1.0, 1e308, -1e308], N),
        "tiny": lambda: rng.choice([5e-324, -5e-324, 1e-300, 0.0], N),
        "all NaN": lambda: np.full(N, np.nan),
        "one number": lambda: np.where(np.arange(N) == 77, 3.0, np.nan),
        "NaN here and there": lambda: np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
        "huge values in one place": lambda: np.where(np.arange(N) // 100 == 7, 1e300, rng.random(N)),
    }[shape]()


SHAPES = [
    "uniform", "lognormal", "sorted", "descending", "period of a stretch", "one value", "half one value", "few values", "zeros of both signs",
    "infinities", "tiny", "all NaN", "one number", "NaN here and there", "huge values in one place",
]  # fmt: skip


def quantiles(column: Column, interpolation: str = "linear", shares: list[float] = SHARES) -> list[Column]:
    return of_calls(column, [AggregationCall("quantile", {"q": q, "interpolation": interpolation}) for q in shares])


def of_calls(column: Column, calls: list[AggregationCall]) -> list[Column]:
    return aggregate_codes([Wanted(call, column) for call in calls], None, 1, filled=True)


def together(monkeypatch: pytest.MonkeyPatch, column: Column, interpolation: str = "linear", shares: list[float] = SHARES) -> list[Column]:
    with monkeypatch.context() as patch:
        patch.setattr(gathered, "FEWEST_ROWS", 1 << 40)
        return quantiles(column, interpolation, shares)


def agrees(monkeypatch: pytest.MonkeyPatch, column: Column, interpolation: str = "linear", shares: list[float] = SHARES) -> None:
    expected = together(monkeypatch, column, interpolation, shares)
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            for result, other in zip(quantiles(column, interpolation, shares), expected, strict=True):
                assert_column_equal(result, other)


@pytest.fixture
def no_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test in which the brackets do not tell."""

    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError("values were brought together")

    monkeypatch.setattr(gathered, "by_group", refuse)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_floats_of_any_shape_have_the_same_bits(monkeypatch: pytest.MonkeyPatch, shape: str, interpolation: str) -> None:
    agrees(monkeypatch, Column(pa.array(floats(shape))), interpolation)


@pytest.mark.parametrize("shape", ["uniform", "lognormal", "sorted", "one value", "half one value", "infinities", "all NaN", "few values"])
def test_no_value_is_copied(no_way_round: None, shape: str) -> None:
    values = floats(shape)
    for q, result in zip(SHARES, quantiles(Column(pa.array(values)), "lower"), strict=True):
        assert result.array[0].as_py() == (None if shape == "all NaN" else np.sort(values)[int(q * (N - 1))])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32"])
def test_numbers_of_every_width(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    rng = np.random.default_rng(3)
    if dtype == "float32":
        values: Any = rng.normal(size=N).astype(dtype)
    else:
        ends = np.iinfo(dtype)
        values = rng.integers(ends.min, ends.max, N, dtype=dtype, endpoint=True)
        values[:50], values[50:100] = ends.min, ends.max
    agrees(monkeypatch, Column(pa.array(values)))
    agrees(monkeypatch, Column(pa.array(values, mask=rng.random(N) < 0.3).slice(5, N - 9)), "nearest")


@pytest.mark.parametrize("arrow", [pa.date32(), pa.timestamp("us"), pa.duration("ms"), pa.timestamp("ns", "UTC")])
def test_dates_and_times(monkeypatch: pytest.MonkeyPatch, arrow: pa.DataType) -> None:
    rng = np.random.default_rng(4)
    ints = pa.array(rng.integers(-9_999, 99_999, N).astype(np.int32 if arrow == pa.date32() else np.int64), mask=rng.random(N) < 0.02)
    for interpolation in INTERPOLATIONS:
        agrees(monkeypatch, Column(ints.cast(arrow)), interpolation)


def test_median_of_bools(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    for share in (0.2, 0.5, 0.9):
        column = Column(pa.array(rng.random(N) < share, mask=rng.random(N) < 0.1).slice(3, N - 6))
        (result,) = of_calls(column, [AggregationCall("median")])
        with monkeypatch.context() as patch:
            patch.setattr(gathered, "FEWEST_ROWS", 1 << 40)
            (expected,) = of_calls(column, [AggregationCall("median")])
        assert_column_equal(result, expected)


@pytest.mark.parametrize("missing", [0.05, 0.98, 0.9999, 1.0])
def test_nulls_at_bit_offsets(monkeypatch: pytest.MonkeyPatch, missing: float) -> None:
    rng = np.random.default_rng(6)
    whole = pa.array(rng.normal(size=N), mask=rng.random(N) < missing)
    for offset in (0, 1, 7, 64, 99):
        agrees(monkeypatch, Column(whole.slice(offset, N - offset - 3)))


def test_more_quantiles_than_one_pass_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    agrees(monkeypatch, Column(pa.array(floats("uniform"))), shares=[at / 20 for at in range(21)])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bracket_beside_its_quantile_is_widened_and_then_gone_round(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    column = Column(pa.array(floats(shape)))
    for margins in ((0.0, 16.0), (0.0, 0.0)):
        monkeypatch.setattr(bracketed, "_MARGINS", margins)
        agrees(monkeypatch, column)


def test_brackets_that_are_not_widened_go_round(monkeypatch: pytest.MonkeyPatch, no_way_round: None) -> None:
    monkeypatch.setattr(bracketed, "_MARGINS", (0.0,))
    with pytest.raises(AssertionError, match="brought together"):
        quantiles(Column(pa.array(floats("uniform"))))


def test_no_room_for_the_values_of_a_bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all rows are null, so a bracket without ends holds all values."""
    monkeypatch.setattr(bracketed, "_SPARE_VALUES", 0)
    rng = np.random.default_rng(7)
    agrees(monkeypatch, Column(pa.array(rng.normal(size=N), mask=rng.random(N) < 0.95)))


def test_values_that_are_not_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    values = floats("uniform")
    memory = bytearray(8 * N + 3)
    memory[3:] = values.tobytes()
    array = pa.Array.from_buffers(pa.float64(), N, [None, pa.py_buffer(memory).slice(3)])
    agrees(monkeypatch, Column(array))
