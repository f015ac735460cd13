"""Several aggregations in one pass over the rows: as each alone, whatever the plan, the codes' width and the columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.dtypes import Kind
from fastframe.engines.cpu import accumulate, group_shares, layout, record_batches, updates
from fastframe.engines.cpu.aggregate import Wanted, aggregate, aggregate_all, aggregate_codes
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.partials import combine, finalize, update
from fastframe.engines.cpu.requests import Operation, Request
from fastframe.engines.cpu.spread import spread_codes
from fastframe.errors import IntegerOverflow
from fastframe.ops.aggregations import AggregationCall
from fastframe.options import option_context
from tests.engines.aggregation_cases import NAMES, NULLS, PAIRS, groups_of, listed_codes, make_codes, make_column
from tests.engines.test_aggregate import assert_same, bits, supported
from tests.reference import aggregations as slow

KINDS = ["int8", "int32", "uint64", "int64", "float32", "float64", "bool", "string", "decimal128(10, 2)", "timestamp[us]"]
WIDTHS = [np.uint8, np.uint16, np.uint32]


def as_width(codes: np.ndarray[Any, Any], width: Any) -> np.ndarray[Any, Any]:
    return np.where(codes == 0xFFFFFFFF, np.iinfo(width).max, codes).astype(width)


@pytest.fixture(params=["slices", "far slices", "partitions", "rounds", "batches", "shares"])
def plan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "far slices":
        monkeypatch.setattr(accumulate, "_FAR_BYTES", 0)
    if request.param == "shares":
        monkeypatch.setattr(group_shares, "share_groups", lambda *given: 512)
    if request.param == "rounds":
        monkeypatch.setattr(record_batches, "_FEW_BYTES", 1)
    if request.param == "batches":
        monkeypatch.setattr(record_batches, "shape_of", lambda sizes: record_batches.Shape(2, 300, keeps=True))
        monkeypatch.setattr(record_batches, "_LEAST_SLICE", 512)
    if request.param not in ("slices", "far slices"):
        monkeypatch.setattr(accumulate, "_MANY_GROUPS", 1)
        monkeypatch.setattr(accumulate, "SLICE_ROWS", 512)
        monkeypatch.setattr(accumulate, "_FEW_SLICES", 1000)
        monkeypatch.setattr(accumulate, "_CACHED_BYTES", 1)
        monkeypatch.setattr(record_batches, "_TABLE_BYTES", 1)
        monkeypatch.setattr(accumulate, "slice_rows", lambda n_rows, state=0, row=8: 1024)
        monkeypatch.setattr(record_batches, "slice_rows", lambda n_rows, state=0, row=8: 1024)
    else:
        monkeypatch.setattr(accumulate, "slice_rows", lambda n_rows, state=0, row=8: 512)
    return str(request.param)


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("n_groups", [1, 3, 200, 1500])
def test_all_at_once_is_each_alone(nulls: str, n_groups: int, plan: str) -> None:
    columns = [make_column(kind, 2100, nulls, seed=seed) for seed, kind in enumerate(KINDS)]
    groups = groups_of(make_codes(2100, n_groups, seed=2), n_groups)
    wanted = [Wanted(AggregationCall(name), column) for name in NAMES for column in columns
              if name != "prod" and supported(AggregationCall(name), column)]  # fmt: skip
    wanted += [Wanted(AggregationCall(name), columns[1], columns[5]) for name in PAIRS]
    wanted += [Wanted(AggregationCall("size"), None), Wanted(AggregationCall("sum", {"skipna": False}), columns[5])]
    found = aggregate_all(wanted, groups)
    for one, result in zip(wanted, found, strict=True):
        alone = aggregate(one.column, one.call, groups, other=one.other)
        if result.dtype.kind is Kind.FLOAT:   # sums round as replicas and slices lie
            assert result.array.is_null().equals(alone.array.is_null()), one.call
            np.testing.assert_allclose(result.array.fill_null(0), alone.array.fill_null(0), rtol=1e-5, atol=1e-9)
        else:
            assert result.array.to_pylist() == alone.array.to_pylist(), one.call


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["sum", "mean", "min", "std", "count", "first", "corr", "idxmin", "median", "nunique"])
def test_codes_of_any_width_give_the_same_bits(name: str, width: Any, plan: str) -> None:
    column, other = make_column("float64", 2100, "sliced"), make_column("int32", 2100, "some", seed=1)
    codes = make_codes(2100, 250, seed=3)
    second = other if name == "corr" else None
    expected = aggregate(column, AggregationCall(name), groups_of(codes, 250), other=second)
    found = aggregate(column, AggregationCall(name), groups_of(as_width(codes, width), 250), other=second)
    assert bits(found) == bits(expected)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("kinds", [("int8", "uint8"), ("int32", "int64"), ("float32", "float64"), ("bool", "int16"), ("int64", "float64"), ("null", "int8")])
@pytest.mark.parametrize("nulls", NULLS)
def test_pairs_are_as_the_reference_says(name: str, kinds: tuple[str, str], nulls: str, plan: str) -> None:
    for n_rows, n_groups in ((0, 0), (0, 2), (1, 1), (40, 1), (700, 90)):
        first, second = (make_column(kind, n_rows, nulls, seed=seed) for seed, kind in enumerate(kinds))
        codes = make_codes(n_rows, n_groups)
        call = AggregationCall(name)
        expected = slow.paired(call, first, second, listed_codes(codes), n_groups)
        found = aggregate(first, call, groups_of(codes, n_groups), other=second)
        assert_pairs(found, expected)
        states = [update(call, first.slice(*part), codes[part[0] : sum(part)], n_groups, other=second.slice(*part))
                  for part in ((0, n_rows // 3), (n_rows // 3, n_rows - n_rows // 3))]  # fmt: skip
        assert_pairs(finalize(call, combine(call, states), first.dtype), expected)


def assert_pairs(found: Column, expected: list[float | None]) -> None:
    assert found.dtype == "float64"
    for value, wanted in zip(found.array.to_pylist(), expected, strict=True):
        assert (value is None) == (wanted is None)
        assert wanted is None or math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("scale", [1, 1000, 10**6, 10**12])
def test_integer_pairs_are_exact_far_from_zero(scale: int) -> None:
    """Sums in words of 32 bits, of 64 bits, or floats: the range decides, and offsets cost no digit."""
    rng = np.random.default_rng(scale % 97)
    x, y, codes = rng.integers(-scale, scale, 3000), rng.integers(-9, 9, 3000), rng.integers(0, 7, 3000).astype(np.uint32)
    first, second = Column(pa.array(x + 10**15)), Column(pa.array(y - 10**12))
    expected = slow.paired(AggregationCall("corr"), first, second, codes.tolist(), 7)
    found = aggregate(first, AggregationCall("corr"), groups_of(codes, 7), other=second)
    assert found.array.to_pylist() == pytest.approx(expected, rel=1e-12)


def test_a_column_correlates_fully_with_itself_and_not_with_a_constant() -> None:
    values, codes = Column(pa.array([0.1, 0.2, 0.7, 0.3, 0.5])), np.zeros(5, np.uint32)
    groups = groups_of(codes, 1)
    assert aggregate(values, AggregationCall("corr"), groups, other=values).array.to_pylist() == [1.0]
    constant = Column(pa.array([3] * 5))
    assert aggregate(values, AggregationCall("corr"), groups, other=constant).array.to_pylist() == [None]
    assert aggregate(values, AggregationCall("cov"), groups, other=constant).array.to_pylist() == [0.0]


@pytest.mark.parametrize("n_groups", [5, 3000, 200_000])
def test_threads_do_not_change_a_bit_of_a_pass(n_groups: int) -> None:
    rng = np.random.default_rng(n_groups)
    columns = [Column(pa.array(rng.normal(1e6, 3, 600_000), mask=rng.random(600_000) < 0.05)), Column(pa.array(rng.integers(-9, 9, 600_000).astype(np.int32)))]
    groups = groups_of(rng.integers(0, n_groups, 600_000).astype(np.uint32), n_groups)
    wanted = [Wanted(AggregationCall(name), column) for name in ("sum", "mean", "std", "min") for column in columns]
    wanted.append(Wanted(AggregationCall("corr"), *columns))
    found = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            found.append([bits(one) for one in aggregate_all(wanted, groups)])
    assert found[0] == found[1] == found[2]


def test_overflow_in_a_pass_names_its_column_and_spares_the_others(plan: str) -> None:
    top = 2**63 - 1
    large, small = Column(pa.array([top, top, -top, 1])), Column(pa.array([1, 2, 3, 4]))
    codes = np.zeros(4, np.uint32)
    wanted = [Wanted(AggregationCall("sum", {"name": "small"}), small), Wanted(AggregationCall("sum", {"name": "large"}), large)]
    with pytest.raises(IntegerOverflow, match=f"sum of column 'large' does not fit int64\\. The exact total is {top + 1}"):
        aggregate_all(wanted, groups_of(codes, 1))
    fits = [wanted[0], wanted[1]._replace(column=Column(pa.array([top, top, -top, -5])))]
    assert [one.array.to_pylist() for one in aggregate_all(fits, groups_of(codes, 1))] == [[10], [top - 5]]


@pytest.mark.parametrize("kind", ["int64", "uint64", "decimal128(10, 2)"])
@pytest.mark.parametrize("nulls", NULLS)
def test_sums_whose_range_proves_them_are_those_that_are_checked(kind: str, nulls: str, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    column, codes = make_column(kind, 2100, nulls), make_codes(2100, 40)
    expected = slow.aggregated(AggregationCall("sum"), column, listed_codes(codes), 40)
    for rows in (0, 10**6):
        monkeypatch.setattr(updates, "PROOF_ROWS", max(rows, 1))
        assert_same(aggregate(column, AggregationCall("sum"), groups_of(codes, 40)), expected, AggregationCall("sum"), column)


def test_several_reductions_in_one_pass() -> None:
    column = make_column("float64", 5000, "some")
    wanted = [Wanted(AggregationCall(name), column) for name in ("sum", "mean", "min", "std", "count", "any", "first")]
    found = aggregate_codes(wanted, None, 1, filled=True)
    for one, result in zip(wanted, found, strict=True):
        assert_same(result, slow.aggregated(one.call, column, [0] * 5000, 1), one.call, column)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("kind", ["bool", "int8", "int16", "int32", "float64", "decimal128(10, 2)", "string", "encoded string", "category"])
def test_every_row_gets_its_groups_value(kind: str, nulls: str, width: Any) -> None:
    values = make_column(kind, 200, nulls)
    for n_rows in (0, 1, 64, 700):
        for dropped in (False, True):
            codes = np.random.default_rng(n_rows).integers(0, 200, n_rows).astype(width)
            if dropped:
                codes[::5] = np.iinfo(width).max
            found = spread_codes(values, Groups(codes, 200, np.empty(0, np.int32), "made for a test"))
            listed = values.array.to_pylist()
            expected = [listed[code] if code < 200 else None for code in codes.tolist()]
            assert [None if one != one else one for one in found.array.to_pylist()] == [None if one != one else one for one in expected]
            assert found.array.validate(full=True) is None


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("n_groups", [3, 1500])
def test_totals_that_share_a_word_are_those_that_do_not(nulls: str, n_groups: int, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "PROOF_ROWS", 1)
    monkeypatch.setattr(updates, "PROOF_ROWS", 1)
    rng, n_rows = np.random.default_rng(3), 9000
    edge = 2**31 // n_rows - 1   # the largest magnitude whose totals are proven to fit half a word
    codes = make_codes(n_rows, n_groups, seed=4)
    mask = {"none": None, "all": np.ones(n_rows, bool)}.get(nulls, rng.random(n_rows) < 0.1)
    columns = [Column(pa.array(rng.choice([-most, most, 7, -1], n_rows).astype(kind), mask=mask))
               for kind, most in [("i4", edge), ("i8", edge), ("i4", edge + 1), ("i1", 9), ("i4", 1), ("i4", 5)]]  # fmt: skip
    for names in (["sum"], ["mean", "count"], ["sum", "size", "min", "max"]):
        wanted = [Wanted(AggregationCall(name), column) for column in columns for name in names]
        found = aggregate_all(wanted, groups_of(codes, n_groups))
        for one, result in zip(wanted, found, strict=True):
            assert one.column is not None
            assert_same(result, slow.aggregated(one.call, one.column, listed_codes(codes), n_groups), one.call, one.column)


@pytest.mark.parametrize(("value", "halves"), [(2**15 - 1, [1, 2]), (2**15, [0, 0]), (-(2**15), [0, 0])])
def test_totals_share_words_only_where_their_range_proves_that_they_fit(value: int, halves: list[int]) -> None:
    column = Column(pa.array(np.full(1 << 16, value, np.int32)))
    made = accumulate._pass_of([Request(Operation.SUM, column)], np.zeros(1 << 16, np.uint8), 1, filled=True)
    assert made.layout.halves == halves   # rows, sum
    found = made.run()
    assert found is not None
    assert found[0][0].array.to_pylist() == [value << 16]
