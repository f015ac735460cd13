"""Aggregations by group and over whole columns, against the slow reference, pandas, and themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.dtypes import Kind
from fastframe.engines.cpu import accumulate, record_batches, scatter
from fastframe.engines.cpu.aggregate import aggregate
from fastframe.engines.cpu.partials import State, combine, finalize, update
from fastframe.engines.cpu.reduce import reduce
from fastframe.engines.cpu.topk import top_k
from fastframe.errors import DTypeError, IntegerOverflow
from fastframe.ops.aggregations import AggregationCall
from fastframe.options import option_context
from tests.engines.aggregation_cases import DTYPES, NAMES, NULLS, calls, groups_of, is_exact, listed_codes, make_codes, make_column
from tests.reference import aggregations as slow

SHAPES = [(0, 0), (0, 3), (1, 1), (50, 1), (300, 90)]


def supported(call: AggregationCall, column: Column) -> bool:
    try:
        call.resolve(column.dtype)
    except DTypeError:
        return False
    return True


def assert_same(found: Column, expected: list[Any], call: AggregationCall, given: Column) -> None:
    assert found.dtype == call.resolve(given.dtype)
    values = slow.plain(found)
    assert len(values) == len(expected)
    assert found.array.validate(full=True) is None
    tolerance = 2e-6 if given.dtype == "float32" else 1e-12
    for value, wanted in zip(values, expected, strict=True):
        if isinstance(wanted, float) and value is not None:
            assert math.isclose(value, wanted, rel_tol=tolerance, abs_tol=tolerance * 10), call
        else:
            assert value == wanted, call


def overflows(expected: list[Any], call: AggregationCall, given: Column) -> bool:
    if call.resolve(given.dtype).name not in ("int64", "uint64"):
        return False
    low, high = (0, 2**64 - 1) if call.resolve(given.dtype) == "uint64" else (-(2**63), 2**63 - 1)
    return any(value is not None and not low <= value <= high for value in expected)


def check(compute: Callable[[], Column], expected: list[Any], call: AggregationCall, given: Column) -> None:
    """The result is as expected, or an overflow where an expected value does not fit."""
    if overflows(expected, call, given):
        with pytest.raises(IntegerOverflow):
            compute()
    else:
        assert_same(compute(), expected, call, given)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_aggregation_is_as_the_reference_says(name: str, kind: str) -> None:
    for number, (n_rows, n_groups) in enumerate(SHAPES):
        for nulls in NULLS if n_rows > 50 else [NULLS[number]]:
            column = make_column(kind, n_rows, nulls, seed=number)
            codes = make_codes(n_rows, n_groups, seed=number)
            for call in calls(name):
                if not supported(call, column):
                    with pytest.raises(DTypeError, match=name):
                        aggregate(column, call, groups_of(codes, n_groups))
                    continue
                groups = groups_of(codes, n_groups)
                check(partial(aggregate, column, call, groups), slow.aggregated(call, column, listed_codes(codes), n_groups), call, column)
                if n_groups == 1:
                    check(partial(reduce, column, call), slow.aggregated(call, column, [0] * n_rows, 1), call, column)


@pytest.fixture
def small_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many slices and two-level scatters also for few rows."""
    monkeypatch.setattr(accumulate, "slice_rows", lambda n_rows, state=0, row=8: 512)
    monkeypatch.setattr(scatter, "slice_rows", lambda n_rows, state=0, row=8: 512)
    monkeypatch.setattr(scatter, "MOST_DIRECT", 100)
    monkeypatch.setattr(scatter, "MOST_PARTITIONS", 8)


@pytest.mark.parametrize("by_partition", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_all_plans_agree_with_the_reference(name: str, by_partition: bool, small_plans: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if by_partition:
        monkeypatch.setattr(accumulate, "_MANY_GROUPS", 1)
        monkeypatch.setattr(accumulate, "SLICE_ROWS", 512)
        monkeypatch.setattr(accumulate, "_FEW_SLICES", 1000)
        monkeypatch.setattr(accumulate, "_CACHED_BYTES", 1)
        monkeypatch.setattr(record_batches, "_TABLE_BYTES", 1)
        monkeypatch.setattr(accumulate, "slice_rows", lambda n_rows, state=0, row=8: 1024)
        monkeypatch.setattr(record_batches, "slice_rows", lambda n_rows, state=0, row=8: 1024)
    for kind in ["bool", "int64", "float32", "string", "decimal128(10, 2)", "date32"]:
        for n_groups in (3, 70, 1500):
            column = make_column(kind, 2100, "sliced", seed=n_groups)
            codes = make_codes(len(column), n_groups, seed=1)
            call = AggregationCall(name)
            if supported(call, column):
                expected = slow.aggregated(call, column, listed_codes(codes), n_groups)
                check(partial(aggregate, column, call, groups_of(codes, n_groups)), expected, call, column)


def bits(column: Column) -> tuple[Any, ...]:
    values = column.array.fill_null(0) if column.dtype.is_numeric else column.array
    data = values.to_numpy(zero_copy_only=False).tobytes() if column.dtype.kind in (Kind.FLOAT, Kind.INT, Kind.UINT) else values.to_pylist()
    return data, column.array.is_null().to_pylist()


@pytest.mark.parametrize("n_groups", [1, 50, 3000, 200_000])
@pytest.mark.parametrize("name", NAMES)
def test_threads_and_slices_of_a_parent_do_not_change_a_bit(name: str, n_groups: int) -> None:
    n_rows = 600_000
    rng = np.random.default_rng(n_groups)
    values = pa.array(rng.normal(1e6, 3, n_rows + 5), mask=rng.random(n_rows + 5) < 0.05)
    codes = rng.integers(0, n_groups, n_rows).astype(np.uint32)
    column = Column(values).slice(5, n_rows)
    rebuilt = Column(pa.array(values.slice(5).to_pylist()))
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found.append(bits(aggregate(column, AggregationCall(name), groups_of(codes, n_groups))))
            found.append(bits(reduce(column, AggregationCall(name))))
    with option_context(threads=2):
        found.append(bits(aggregate(rebuilt, AggregationCall(name), groups_of(codes, n_groups))))
        found.append(bits(reduce(rebuilt, AggregationCall(name))))
    assert all(one == found[0] for one in found[::2])
    assert all(one == found[1] for one in found[1::2])


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_parts_combine_to_the_whole(name: str, kind: str) -> None:
    n_rows, n_groups = (60 if name == "prod" else 400), 23
    column = make_column(kind, n_rows, "some", seed=5)
    codes = make_codes(n_rows, n_groups, seed=5)
    for call in calls(name):
        if not supported(call, column):
            continue
        whole = aggregate(column, call, groups_of(codes, n_groups))
        for cuts in ([0, n_rows], [0, 0, 1, n_rows // 3, n_rows], [0, n_rows // 2, n_rows - 9, n_rows]):
            states = [update(call, column.slice(start, stop - start), codes[start:stop], n_groups) for start, stop in pairwise(cuts)]
            nested = combine(call, [combine(call, states[:2]), *states[2:]])
            for joined in (combine(call, states), nested):
                found = finalize(call, joined, column.dtype)
                if is_exact(name, column):
                    assert found.array.to_pylist() == whole.array.to_pylist(), call
                else:
                    assert_same(found, slow.plain(whole), call, column)


def test_a_state_is_columns_that_can_be_sent(tmp_path: Any) -> None:
    call = AggregationCall("mean")
    column, codes = make_column("int64", 300, "some"), make_codes(300, 9)
    states = [update(call, column.slice(0, 120), codes[:120], 9), update(call, column.slice(120, 180), codes[120:], 9)]
    received = []
    for state in states:
        batch = pa.record_batch([one.array for one in state.columns.values()], names=list(state.columns))
        with pa.ipc.new_file(tmp_path / "state.arrow", batch.schema) as sink:
            sink.write_batch(batch)
        sent = pa.ipc.open_file(tmp_path / "state.arrow").get_batch(0)
        received.append(State({name: Column(sent.column(name)) for name in sent.schema.names}, state.n_groups, state.n_rows))
    found = finalize(call, combine(call, received), column.dtype)
    assert found.array.equals(aggregate(column, call, groups_of(codes, 9)).array)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "min", "max", "var", "std", "sem", "first", "last", "median", "nunique", "count", "any", "all"])
@pytest.mark.parametrize("kind", ["int64", "float64", "float32"])
def test_pandas_agrees(name: str, kind: str) -> None:
    column = make_column(kind, 2000, "none" if kind == "int64" else "some", seed=9)
    codes = make_codes(2000, 600, seed=2, dropped=False)
    series = pd.Series(column.array.to_numpy(zero_copy_only=False))
    if name == "prod":
        series = series.clip(-1, 1)
        column = Column(pa.array(series, from_pandas=True))
    expected = getattr(series.groupby(codes), name)().reindex(range(600))
    found = aggregate(column, AggregationCall(name), groups_of(codes, 600)).array.to_pandas()
    filled = np.isin(np.arange(600), codes)
    np.testing.assert_allclose(found[filled].astype(float), expected[filled].astype(float), rtol=1e-5 if kind == "float32" else 1e-11, atol=1e-12)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_quantiles_are_pandas_quantiles(interpolation: str) -> None:
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=3000), rng.integers(0, 40, 3000).astype(np.uint32)
    for q in (0.0, 0.1, 0.25, 0.5, 0.77, 1.0):
        expected = pd.Series(values).groupby(codes).quantile(q, interpolation=interpolation)
        found = aggregate(Column(pa.array(values)), AggregationCall("quantile", {"q": q, "interpolation": interpolation}), groups_of(codes, 40))
        np.testing.assert_allclose(np.asarray(found.array), expected, rtol=1e-13)


class TestExactness:
    def test_overflow_is_judged_on_the_total_not_on_a_partial(self) -> None:
        top = 2**63 - 1
        column = Column(pa.array([top, top, -top, -top, 5]))
        assert reduce(column, AggregationCall("sum")).array.to_pylist() == [5]
        codes = np.array([0, 0, 0, 0, 1], np.uint32)
        assert aggregate(column, AggregationCall("sum"), groups_of(codes, 2)).array.to_pylist() == [0, 5]

    def test_overflow_names_the_column_and_the_exact_total(self) -> None:
        column = Column(pa.array([2**63 - 1, 1, 3]))
        codes = np.array([1, 1, 0], np.uint32)
        with pytest.raises(IntegerOverflow, match=f"sum of column 'price' does not fit int64\\. The exact total is {2**63}"):
            aggregate(column, AggregationCall("sum", {"name": "price"}), groups_of(codes, 2))
        assert aggregate(column, AggregationCall("mean"), groups_of(codes, 2)).array.to_pylist() == [3.0, 2.0**62]

    def test_unsigned_sums_are_unsigned(self) -> None:
        column = Column(pa.array([2**64 - 1, 0], pa.uint64()))
        assert reduce(column, AggregationCall("sum")).array.to_pylist() == [2**64 - 1]
        with pytest.raises(IntegerOverflow, match=str(2**64)):
            reduce(Column(pa.array([2**64 - 1, 1], pa.uint64())), AggregationCall("sum"))

    def test_narrow_sums_do_not_wrap(self) -> None:
        for kind, value in [("int8", -128), ("int16", 2**15 - 1), ("int32", -(2**31)), ("uint8", 255), ("uint32", 2**32 - 1)]:
            column = Column(pa.array([value] * 1000, kind))
            assert reduce(column, AggregationCall("sum")).array.to_pylist() == [1000 * value]

    def test_decimal_sums_are_exact_beyond_128_bits(self) -> None:
        from decimal import Decimal

        most = Decimal("9" * 38)
        column = Column(pa.array([most] * 3 + [most.copy_negate()] * 2 + [Decimal(7)], pa.decimal128(38, 0)))
        with pytest.raises(IntegerOverflow, match=r"10{37}6"):
            reduce(column, AggregationCall("sum"))
        assert reduce(column.slice(0, 5), AggregationCall("sum")).array.to_pylist() == [most]
        assert reduce(column.slice(0, 3), AggregationCall("mean")).array.to_pylist() == [most]

    def test_products_overflow_unless_a_factor_is_zero(self) -> None:
        big = [2**40, 2**40]
        with pytest.raises(IntegerOverflow, match="prod"):
            reduce(Column(pa.array(big)), AggregationCall("prod"))
        assert reduce(Column(pa.array([*big, 0])), AggregationCall("prod")).array.to_pylist() == [0]
        assert reduce(Column(pa.array([2**62, -2])), AggregationCall("prod")).array.to_pylist() == [-(2**63)]
        with pytest.raises(IntegerOverflow):
            reduce(Column(pa.array([2**62, 2])), AggregationCall("prod"))

    @pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
    def test_variance_is_stable_far_from_zero(self, offset: float) -> None:
        rng = np.random.default_rng(1)
        deviations = rng.integers(-8, 8, 300_000) / 8   # exact next to the offset
        column = Column(pa.array(deviations + offset))
        codes = rng.integers(0, 5, 300_000).astype(np.uint32)
        whole = reduce(column, AggregationCall("var")).array[0].as_py()
        assert whole == pytest.approx(np.var(deviations, ddof=1), rel=1e-12)
        found = aggregate(column, AggregationCall("var"), groups_of(codes, 5)).array.to_pylist()
        assert found == pytest.approx([np.var(deviations[codes == code], ddof=1) for code in range(5)], rel=1e-12)

    def test_variance_survives_an_outlier_in_front(self) -> None:
        values = np.concatenate([[1e6], np.random.default_rng(0).normal(size=100_000)])
        assert reduce(Column(pa.array(values)), AggregationCall("var")).array[0].as_py() == pytest.approx(np.var(values, ddof=1), rel=1e-9)   # n * epsilon

    def test_infinities(self) -> None:
        column = Column(pa.array([math.inf, 1.0, math.inf, -math.inf]))
        codes = np.array([0, 0, 1, 1], np.uint32)
        groups = groups_of(codes, 2)
        results = {name: aggregate(column, AggregationCall(name), groups).array.to_pylist() for name in ("sum", "mean", "min", "max", "var", "median")}
        assert results["sum"] == results["mean"] == results["median"] == [math.inf, None]
        assert (results["min"], results["max"], results["var"]) == ([1.0, -math.inf], [math.inf, math.inf], [None, None])


def test_large_text_offsets() -> None:
    column = Column(pa.array(["b", None, "a", "c"], pa.large_string()))
    codes = np.array([0, 0, 0, 1], np.uint32)
    for name, expected in {"min": ["a", "c"], "max": ["b", "c"], "nunique": [2, 1], "any": [True, True], "first": ["b", "c"]}.items():
        assert aggregate(column, AggregationCall(name), groups_of(codes, 2)).array.to_pylist() == expected


def test_size_needs_no_column() -> None:
    codes = make_codes(100, 7)
    found = aggregate(None, AggregationCall("size"), groups_of(codes, 7))
    assert found.array.to_pylist() == [int((codes == code).sum()) for code in range(7)]


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3, 1000])
def test_top_k_is_a_sort_of_each_group(k: int, largest: bool) -> None:
    column, codes = make_column("float64", 500, "sliced"), make_codes(500, 30)
    values = slow.plain(column)
    expected = []
    for code in range(30):
        rows = [row for row in range(500) if codes[row] == code and values[row] is not None]
        expected += sorted(rows, key=lambda row: -values[row] if largest else values[row])[:k]
    assert top_k(column, groups_of(codes, 30), k, largest=largest).tolist() == expected


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("name", ["sum", "mean", "min", "max", "var", "count"])
def test_reduction_by_lanes_over_many_chunks(name: str, kind: str) -> None:
    for n_rows in (63, 64, 65, 1023, 1025, 5000):
        for nulls in NULLS:
            column = make_column(kind, n_rows, nulls, seed=n_rows)
            call = AggregationCall(name)
            assert_same(reduce(column, call), slow.aggregated(call, column, [0] * n_rows, 1), call, column)


def test_only_infinity_is_not_nothing() -> None:
    only_infinite = Column(pa.array([math.inf, None, math.nan]))
    assert reduce(only_infinite, AggregationCall("min")).array.to_pylist() == [math.inf]
    assert reduce(only_infinite.slice(1, 2), AggregationCall("min")).array.to_pylist() == [None]
