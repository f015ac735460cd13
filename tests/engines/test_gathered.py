"""Medians, quantiles, distinct values and top rows of groups: selections and plans against plain twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastframe as ff
from fastframe.column import Column
from fastframe.engines.cpu import distinct, scatter, topk
from fastframe.engines.cpu.aggregate import Wanted, aggregate, aggregate_all, aggregate_codes
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.topk import top_k
from fastframe.engines.cpu.window import window
from fastframe.ops.aggregations import INTERPOLATIONS, AggregationCall
from fastframe.ops.windows import RANK_METHODS, WindowCall
from fastframe.options import option_context
from fastframe.testing import assert_column_equal
from tests.reference import aggregations as slow
from tests.reference import windows as slow_windows

WIDTHS = [np.uint8, np.uint16, np.uint32]


def groups_of(codes: np.ndarray[Any, Any], n_groups: int) -> Groups:
    """Groups of given codes; what is tested here asks for no first rows."""
    return Groups(codes, n_groups, np.zeros(n_groups, np.int32), "made for a test")


def make_groups(n_rows: int, n_groups: int, width: Any = np.uint32) -> Groups:
    rng = np.random.default_rng(n_rows + n_groups)
    codes = rng.integers(0, n_groups, n_rows).astype(width)
    codes[rng.random(n_rows) < 0.1] = np.iinfo(width).max
    return groups_of(codes, n_groups)


def rows_by_group(groups: Groups) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(groups.n_groups)]
    for row, code in enumerate(groups.codes.tolist()):
        if code < groups.n_groups:
            rows[code].append(row)
    return rows


# ---- selection ------------------------------------------------------------------------------------------------------

SHAPES = {
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "normal": lambda rng, n: rng.normal(5, 2, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 6, n),
    "prices": lambda rng, n: rng.integers(0, 9, n) / 4,
    "one value": lambda rng, n: np.full(n, 2.5),
    "one in ten": lambda rng, n: np.where(rng.random(n) < 0.1, rng.random(n), 0.0),
    "zeros of both signs": lambda rng, n: rng.choice([-0.0, 0.0, 1.0], n),
    "infinities": lambda rng, n: rng.choice([-np.inf, np.inf, 0.0, 1.0, 1e308, -1e308], n),
    "tiny and huge": lambda rng, n: rng.choice([5e-324, 1e-300, 1e300, -1e300, 0.0], n) * rng.choice([1.0, 0.5], n),
    "sorted": lambda rng, n: np.arange(n) * 0.1,
    "outlier": lambda rng, n: np.where(np.arange(n) == n // 2, 1e300, rng.random(n)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 200, 5_001])
def test_selected_floats_are_those_of_a_sort(shape: str, count: int, dtype: str) -> None:
    with np.errstate(over="ignore"):
        values = SHAPES[shape](np.random.default_rng(count), count).astype(dtype)
    groups = groups_of(np.zeros(count, np.uint8), 1)
    ordered = np.sort(values)
    for q in (0.0, 0.1, 0.5, 0.77, 1.0):
        for interpolation, rank in (("lower", int(np.floor(q * (count - 1)))), ("higher", int(np.ceil(q * (count - 1))))):
            result = aggregate(Column(pa.array(values)), AggregationCall("quantile", {"q": q, "interpolation": interpolation}), groups)
            assert result.array[0].as_py() == ordered[rank]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("spread", ["all", "few", "ends"])
def test_selected_integers_are_those_of_a_sort(dtype: str, spread: str) -> None:
    info, rng = np.iinfo(dtype), np.random.default_rng(7)
    choices = {"few": [1, 2, 3], "ends": [info.min, info.min + 1, info.max - 1, info.max]}
    values = rng.choice(np.array(choices[spread], dtype), 999) if spread in choices else rng.integers(info.min, info.max, 999, dtype, endpoint=True)
    ordered = np.sort(values)
    for q in (0.0, 0.3, 0.5, 0.999, 1.0):
        call = AggregationCall("quantile", {"q": q, "interpolation": "lower"})
        result = aggregate(Column(pa.array(values)), call, groups_of(np.zeros(999, np.uint8), 1))
        assert result.array[0].as_py() == ordered[int(np.floor(q * 998))]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("spread", ["few", "wide", "heavy tail"])
def test_groups_of_every_small_size(dtype: str, spread: str) -> None:
    sizes = [*range(71), *range(120, 140), *range(255, 259), 511, 1_030, 3_000]
    rng, n_rows = np.random.default_rng(11), sum(sizes)
    most = 120 if dtype in ("int8", "uint8") else 30_000
    shapes = {"few": rng.integers(0, 7, n_rows), "wide": rng.integers(0, most, n_rows), "heavy tail": np.minimum(rng.lognormal(0, 5, n_rows), most)}
    values, codes = shapes[spread].astype(dtype), np.repeat(np.arange(len(sizes)), sizes).astype(np.uint16)
    mixed = rng.permutation(n_rows)
    column, groups = Column(pa.array(values[mixed])), groups_of(codes[mixed], len(sizes))
    by_group = [np.sort(one) for one in np.split(values, np.cumsum(sizes)[:-1])]
    for q in (0.0, 0.03, 0.5, 0.9, 1.0):
        found = aggregate(column, AggregationCall("quantile", {"q": q}), groups).array.to_pylist()
        lower, upper = (aggregate(column, AggregationCall("quantile", {"q": q, "interpolation": one}), groups).array.to_pylist() for one in ("lower", "higher"))
        for at, ordered in enumerate(by_group):
            position = q * (len(ordered) - 1)
            expected = (ordered[int(np.floor(position))], ordered[int(np.ceil(position))]) if len(ordered) else (None, None)
            assert (lower[at], upper[at]) == expected
            assert found[at] == (pytest.approx(np.quantile(ordered.astype(np.float64), q), rel=1e-6) if len(ordered) else None)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=300), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_any_floats(values: list[float], q: float) -> None:
    call = AggregationCall("quantile", {"q": q, "interpolation": "lower"})
    result = aggregate(Column(pa.array(values, pa.float64())), call, groups_of(np.zeros(len(values), np.uint8), 1))
    position = int(np.float64(q) * (len(values) - 1))
    assert result.array[0].as_py() == sorted(values)[position]


def test_a_zero_is_positive_whichever_is_selected() -> None:
    for values in ([-0.0], [-0.0, -0.0], [-0.0, 0.0, -0.0], [0.0, -0.0] * 100, [-0.0] * 100):
        result = aggregate(Column(pa.array(values)), AggregationCall("median"), groups_of(np.zeros(len(values), np.uint8), 1))
        assert not np.signbit(result.array[0].as_py())


@pytest.mark.parametrize("n_groups", [1, 9, 300])
def test_several_of_one_column_are_those_asked_alone(n_groups: int) -> None:
    rng = np.random.default_rng(n_groups)
    column = Column(pa.array(rng.normal(0, 1, 30_000), mask=rng.random(30_000) < 0.1))
    other = Column(pa.array(rng.integers(0, 100, 30_000)))
    groups = make_groups(30_000, n_groups)
    calls = [AggregationCall("median"), AggregationCall("count"), AggregationCall("nunique"), AggregationCall("nunique", {"dropna": False}),
             *(AggregationCall("quantile", {"q": q, "interpolation": one}) for q in (0.1, 0.9) for one in INTERPOLATIONS),
             AggregationCall("median", {"skipna": False}), AggregationCall("max")]  # fmt: skip
    wanted = [Wanted(call, one) for call in calls for one in (column, other)]
    for found, one in zip(aggregate_all(wanted, groups), wanted, strict=True):
        assert_column_equal(found, aggregate(one.column, one.call, groups))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["median", "nunique"])
@pytest.mark.parametrize("kind", ["float64", "int32", "bool"])
def test_codes_of_every_width(width: Any, name: str, kind: str) -> None:
    rng = np.random.default_rng(3)
    column = Column(pa.array(rng.integers(0, 2, 700).astype(kind), mask=rng.random(700) < 0.2)).slice(5, 690)
    groups = make_groups(690, 200, width)
    listed = [code if code < 200 else None for code in groups.codes.tolist()]
    found = aggregate(column, AggregationCall(name), groups)
    assert found.array.to_pylist() == slow.aggregated(AggregationCall(name), column, listed, 200)


@pytest.mark.parametrize("dtype", ["float64", "int16"])
def test_quantiles_by_partition_are_those_by_group(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One group has half of the rows, some have none, the last partition is short; the bits are those of one thread."""
    rng, n_rows, n_groups = np.random.default_rng(5), 90_000, 9_001
    codes = np.where(rng.random(n_rows) < 0.5, 4_000, rng.integers(0, n_groups - 1, n_rows)).astype(np.uint16)
    column = Column(pa.array(rng.normal(0, 900, n_rows + 3).astype(dtype), mask=rng.random(n_rows + 3) < 0.1)).slice(3, n_rows)
    wanted = [Wanted(AggregationCall("quantile", {"q": q, "interpolation": one}), column) for q in (0.5, 0.9) for one in ("linear", "nearest")]
    monkeypatch.setattr(scatter, "MOST_DIRECT", n_groups)
    with option_context(threads=1):
        expected = aggregate_all(wanted, groups_of(codes, n_groups))
    for most, threads in ((n_groups, 4), (1_000, 1), (1_000, 2), (1_000, 4)):
        monkeypatch.setattr(scatter, "MOST_DIRECT", most)
        with option_context(threads=threads):
            for found, one in zip(aggregate_all(wanted, groups_of(codes, n_groups)), expected, strict=True):
                assert_column_equal(found, one)
    assert expected[0].null_count > 0


# ---- distinct values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_groups", [1, 40, 3_000])
@pytest.mark.parametrize("kind", ["int8", "uint64", "int64", "float64", "string"])
def test_all_plans_count_the_same(kind: str, n_groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(n_groups)
    numbers = rng.integers(0, 30, 60_000)
    values = np.char.mod("t%d", numbers) if kind == "string" else numbers.astype(kind) + np.array(2**64 - 40 if kind == "uint64" else 0).astype(kind)
    column = Column(pa.array(values, mask=rng.random(60_000) < 0.1))
    groups = make_groups(60_000, n_groups)
    expected = [len({values[row] for row in rows if column.array[row].is_valid}) for rows in rows_by_group(groups)]
    assert aggregate(column, AggregationCall("nunique"), groups).array.to_pylist() == expected
    monkeypatch.setattr(distinct, "_extent", lambda column: (0, None))
    assert aggregate(column, AggregationCall("nunique"), groups).array.to_pylist() == expected
    monkeypatch.setattr(distinct, "_few", lambda source, operation: None)
    monkeypatch.setattr(distinct, "_PAIRS", 100)
    assert aggregate(column, AggregationCall("nunique"), groups).array.to_pylist() == expected


def test_a_table_of_pairs_grows() -> None:
    """More pairs in one partition than a table begins with room for."""
    values = np.random.default_rng(0).permutation(200_000).astype(np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "_few", lambda source, operation: None)
        patch.setattr(distinct, "_PAIRS", 1 << 30)
        result = aggregate(Column(pa.array(np.concatenate([values, values]))), AggregationCall("nunique"), groups_of(np.zeros(400_000, np.uint8), 1))
    assert result.array.to_pylist() == [200_000]


FEW = {
    "two decimals": lambda rng, n: np.round(rng.normal(0, 1, n), 2),
    "as many as a slice keeps": lambda rng, n: np.arange(n) % 4_096 * 0.25,
    "one more": lambda rng, n: np.arange(n) % 4_097 * 0.25,
    "few, but others in each slice": lambda rng, n: np.arange(n) // 100 * 1.5,
    "many at the end": lambda rng, n: np.maximum(np.arange(n) - n + 5_000, 0) * 0.5,
    "zeros of both signs and NaN": lambda rng, n: rng.choice([-0.0, 0.0, np.nan, np.inf, -np.inf, 5e-324], n),
    "no number": lambda rng, n: np.full(n, np.nan),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", FEW)
@pytest.mark.parametrize("n_groups", [1, 7])
def test_few_pairs_of_several_slices(shape: str, dtype: str, n_groups: int) -> None:
    """Slices share values, or have values of their own; where one has too many the other plan counts the same."""
    rng, n_rows = np.random.default_rng(3), 300_000
    values, missing = FEW[shape](rng, n_rows + 9).astype(dtype), rng.random(n_rows + 9) < 0.1
    codes = np.zeros(n_rows, np.uint8) if n_groups == 1 else rng.choice(np.array([*range(n_groups - 1), 255], np.uint8), n_rows)
    for column, held in ((Column(pa.array(values).slice(5, n_rows)), codes < n_groups),
                         (Column(pa.array(values, mask=missing).slice(5, n_rows)), (codes < n_groups) & ~missing[5:-4])):  # fmt: skip
        own = values[5:-4]
        held = held & ~np.isnan(own)
        expected = [len(np.unique(own[held & (codes == group)] + 0)) for group in range(n_groups)]
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                assert aggregate(column, AggregationCall("nunique"), groups_of(codes, n_groups)).array.to_pylist() == expected


@pytest.mark.parametrize("count", [0, 1, 2, 63, 65, 5_000])
def test_distinct_values_of_few_rows(count: int) -> None:
    for values in (np.arange(count) * 0.5, np.full(count, 2.5), np.full(count, np.nan)):
        (found,) = aggregate_codes([Wanted(AggregationCall("nunique"), Column(pa.array(values)))], None, 1, filled=count > 0)
        assert found.array.to_pylist() == [len(np.unique(values[~np.isnan(values)]))]


# ---- top rows -------------------------------------------------------------------------------------------------------


def slow_top_k(column: Column, groups: Groups, k: int, *, largest: bool) -> list[int]:
    values = column.array.to_pylist()
    out = []
    for rows in rows_by_group(groups):
        held = [row for row in rows if values[row] is not None and values[row] == values[row]]
        out += sorted(held, key=lambda row: -values[row] if largest else values[row])[:k]
    return out


@pytest.mark.parametrize("kind", ["float64", "float32", "int8", "int32", "int64", "uint16", "uint64", "bool"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8, 9, 17, 64, 65])
@pytest.mark.parametrize("largest", [True, False])
def test_top_rows(kind: str, k: int, largest: bool) -> None:
    rng = np.random.default_rng(k)
    if kind.startswith("float"):
        values = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5, 7.0], 700).astype(kind)
    elif kind == "bool":
        values = rng.random(700) < 0.5
    else:
        info = np.iinfo(kind)
        values = rng.choice(np.array([info.min, info.min + 1, 0, 1, 2, info.max - 1, info.max], kind), 700)
    column = Column(pa.array(values, mask=rng.random(700) < 0.1)).slice(3, 690)
    for width, n_groups in zip(WIDTHS, (1, 30, 400), strict=True):
        groups = make_groups(690, n_groups, width)
        assert top_k(column, groups, k, largest=largest).tolist() == slow_top_k(column, groups, k, largest=largest)


@pytest.mark.parametrize(("n_groups", "k"), [(3, 64), (1_000, 1), (1_000, 2), (1_000, 7), (200_000, 2), (200_000, 64)])
def test_top_rows_of_many_slices_and_of_partitions(n_groups: int, k: int) -> None:
    n_rows = 600_000
    values = np.random.default_rng(k).integers(-1000, 1000, n_rows).astype(np.float64)
    values[::13] = np.nan
    groups = make_groups(n_rows, n_groups)
    order = np.lexsort((np.arange(n_rows), -values, groups.codes))
    order = order[(groups.codes[order] < n_groups) & ~np.isnan(values[order])]
    codes = groups.codes[order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    place = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            np.testing.assert_array_equal(top_k(Column(pa.array(values)), groups, k), order[place < k])


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("n_groups", [50, 100_000])
def test_top_rows_of_equal_and_of_lowest_values(n_groups: int, largest: bool, k: int) -> None:
    n_rows, info = 600_000, np.iinfo(np.int64)
    rng = np.random.default_rng(k)
    values, missing = rng.choice(np.array([info.min, info.min + 1, -1, 5, info.max]), n_rows), rng.random(n_rows) < 0.3
    values[: n_rows // 3] = info.min if largest else info.max
    column = Column(pa.array(values, mask=missing))
    groups = make_groups(n_rows, n_groups)
    held = np.flatnonzero((groups.codes < n_groups) & ~missing)
    rank = values[held] ^ (-1 if largest else 0)   # in the wanted order, with no overflow
    order = held[np.lexsort((held, rank, groups.codes[held]))]
    codes = groups.codes[order]
    place = np.arange(len(codes)) - np.searchsorted(codes, codes)
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            np.testing.assert_array_equal(top_k(column, groups, k, largest=largest), order[place < k])


def test_top_rows_of_nothing() -> None:
    empty, none = Column(pa.array([], pa.float64())), Column(pa.nulls(4, pa.float64()))
    assert top_k(empty, groups_of(np.empty(0, np.uint8), 0), 2).tolist() == []
    assert top_k(none, groups_of(np.zeros(4, np.uint8), 1), 2).tolist() == []
    assert topk.top_k(none, groups_of(np.zeros(4, np.uint8), 1), 0).tolist() == []


# ---- ranks and walks by group ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", RANK_METHODS)
@pytest.mark.parametrize("kind", ["float64", "float32", "int8", "int64", "uint64"])
def test_ranks_within_partitions(method: str, kind: str) -> None:
    rng = np.random.default_rng(5)
    values = (rng.integers(-30, 30, 4_000) if kind != "uint64" else rng.integers(0, 60, 4_000)).astype(kind)
    column = Column(pa.array(values, mask=rng.random(4_000) < 0.1))
    for n_groups, width in ((20, np.uint8), (150, np.uint16), (2_500, np.uint32)):
        groups = make_groups(4_000, n_groups, width)
        codes = [code if code < n_groups else -1 for code in groups.codes.tolist()]
        for pct, ascending in ((False, True), (True, False)):
            options = {"method": method, "pct": pct, "ascending": ascending}
            expected = slow_windows.by_group(slow_windows.raw(column), codes, lambda one, options=options: slow_windows.rank(one, **options))
            assert slow_windows.raw(window(column, WindowCall("rank", options), groups)) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_ranks_of_every_spread(shape: str) -> None:
    """Evenly spread values, and values that distribution does not part."""
    pd = pytest.importorskip("pandas")
    values = SHAPES[shape](np.random.default_rng(1), 90_000)
    codes = np.random.default_rng(2).integers(0, 30, 90_000).astype(np.uint8)
    series = pd.Series(values).groupby(codes)
    for method in ("average", "first"):
        found = window(Column(pa.array(values)), WindowCall("rank", {"method": method}), groups_of(codes, 30))
        np.testing.assert_array_equal(found.array.to_numpy(), series.rank(method=method).to_numpy())


WALKS = [("shift", {"periods": 1}), ("shift", {"periods": -1, "fill_value": 3}), ("shift", {"periods": 2}), ("diff", {"periods": 1}),
         ("diff", {"periods": -1}), ("ffill", {"limit": 2}), ("bfill", {}), ("cumsum", {}), ("cummax", {}), ("cumcount", {}), ("ngroup", {}),
         ("rank", {}), ("rank", {"na_option": "top"})]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), WALKS)
@pytest.mark.parametrize("width", WIDTHS[:2])
def test_narrow_codes_change_no_bit(name: str, options: dict[str, Any], width: Any) -> None:
    rng = np.random.default_rng(9)
    column = Column(pa.array(rng.integers(0, 50, 3_000), mask=rng.random(3_000) < 0.2)).slice(7, 2_900)
    narrow = make_groups(2_900, 100, width)
    wide = groups_of(narrow.wide_codes, 100)
    assert_column_equal(window(column, WindowCall(name, options), narrow), window(column, WindowCall(name, options), wide))


@pytest.mark.parametrize("unit", ["s", "ns"])
@pytest.mark.parametrize("kind", [pa.timestamp, pa.duration])
def test_quantiles_of_times_are_cut_towards_zero_as_pandas_cuts_them(kind: Any, unit: str) -> None:
    """Before 1970, too; of groups, and of a whole column by brackets, whose values lie around zero."""
    rng = np.random.default_rng(14)
    for numbers in ([-1, 0], [-3, 0], [3, 0], [-4, -1, 2, 7], rng.integers(-1000, 1000, 20_000).tolist(), [-7]):
        frame = ff.from_arrow(pa.table({"k": [0] * len(numbers), "t": pa.array(numbers, kind(unit))}))
        expected = frame.to_pandas()
        for share in (0.1, 0.25, 0.5, 0.75):
            wanted = [int(expected["t"].quantile(share).asm8.astype("int64"))]
            for found in (frame["t"].quantile([share]), frame.groupby("k")["t"].quantile(share)):
                assert found.to_arrow().cast(pa.int64()).to_pylist() == wanted, (numbers[:4], share)
