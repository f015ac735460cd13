"""Window functions against their slow twins, pandas, and themselves on other threads, slices and plans."""

from __future__ import annotations

import datetime
import decimal
import functools
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column
from fastframe.dtypes import STRING
from fastframe.engines.cpu import window as engine
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.window import window
from fastframe.errors import ArgumentError, DTypeError, IntegerOverflow, LossyCast
from fastframe.ops.windows import RANK_METHODS, WINDOWS, WindowCall
from fastframe.options import option_context
from fastframe.testing import DTYPES, NULLS, assert_column_equal, column, covering
from tests.reference import windows as reference

NO_GROUP = 0xFFFFFFFF


def groups_of(codes: np.ndarray[Any, Any], n_groups: int) -> Groups:
    """Groups of given codes; some may have no row."""
    return Groups(codes, n_groups, filled=False)


def make_groups(n_rows: int, n_groups: int, *, dropped: bool = True, seed: int = 0) -> Groups:
    codes = np.random.default_rng(seed).integers(0, n_groups, n_rows).astype(np.uint32)
    codes[:n_groups] = np.arange(n_groups)[:n_rows]  # every group has a row, as in real groups
    if dropped:
        codes[np.arange(n_rows) % 7 == 3] = NO_GROUP
    return groups_of(codes, n_groups)


def codes_of(groups: Groups | None, n_rows: int) -> list[int]:
    return [0] * n_rows if groups is None else [-1 if one == NO_GROUP else int(one) for one in groups.codes]


OPTIONS: dict[str, list[dict[str, Any]]] = {
    "shift": [
        {"periods": 1},
        {"periods": -1},
        {"periods": 3},
        {"periods": -2},
        {"periods": 0},
        {"periods": 10**12},
        {"periods": -1000},
    ],
    "diff": [{"periods": 1}, {"periods": -1}, {"periods": 2}, {"periods": -700}],
    "pct_change": [{"periods": 1}, {"periods": -3}],
    "cumsum": [{}],
    "cumprod": [{}],
    "cummin": [{}],
    "cummax": [{}],
    "cumcount": [{}, {"ascending": False}],
    "rank": [
        {},
        {"method": "min", "ascending": False},
        {"method": "max", "na_option": "top"},
        {"method": "first", "na_option": "bottom"},
        {"method": "dense", "pct": True},
        {"method": "first", "ascending": False, "na_option": "top", "pct": True},
        {"method": "average", "pct": True},
        {"method": "dense", "na_option": "bottom", "ascending": False, "pct": True},
    ],
    "ffill": [{}, {"limit": 1}, {"limit": 2}],
    "bfill": [{}, {"limit": 1}, {"limit": 3}],
}


def twin(call: WindowCall, given: Column) -> Any:
    options = {name: value for name, value in call.options.items() if name not in ("name", "fill_value")}
    if call.name == "pct_change" and given.dtype == "float32":
        options["dtype"] = np.float32
    if call.name == "shift":
        options["fill"] = call["fill_value"]
    if call.name == "diff" and given.dtype == "date32":   # days, whose differences are in seconds
        return lambda values: [None if one is None else 86_400 * one for one in reference.diff(values, **options)]
    return functools.partial(getattr(reference, call.name), **options)


def supports(name: str, given: Column) -> bool:
    try:
        WindowCall(name).resolve(given.dtype)
    except DTypeError:
        return False
    return True


def check(given: Column, call: WindowCall, groups: Groups | None) -> None:
    values = reference.raw(given)
    expected = reference.by_group(values, codes_of(groups, len(given)), twin(call, given))
    result = window(given, call, groups)
    result.array.validate(full=True)
    assert result.dtype == call.resolve(given.dtype)
    if result.dtype.kind.value == "float" and call.name not in ("shift", "ffill", "bfill", "pct_change"):
        assert result.null_count == expected.count(None)  # null, not NaN
    assert reference.raw(result) == expected


CASES = covering(
    {"dtype": DTYPES, "nulls": NULLS, "sliced": [False, True], "n_rows": [0, 1, 64, 203], "groups": [None, 1, 9]}
)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "cumprod"])  # soon overflows: see test_cumprod
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(one) for one in case.values()))
def test_against_twin(name: str, case: dict[str, Any]) -> None:
    given = column(case["dtype"], case["n_rows"], nulls=case["nulls"], sliced=case["sliced"])
    if not supports(name, given):
        with pytest.raises(DTypeError):
            window(given, WindowCall(name), None)
        return
    groups = (
        make_groups(case["n_rows"], min(case["groups"], case["n_rows"])) if case["groups"] and case["n_rows"] else None
    )
    for options in OPTIONS[name]:
        check(given, WindowCall(name, options), groups)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("groups", [None, 5])
@pytest.mark.parametrize("name", ["shift", "diff", "cummin", "cummax", "rank", "ffill", "bfill", "pct_change"])
def test_floats_with_nan_and_infinity(dtype: str, groups: int | None, name: str) -> None:
    given = column(dtype, 150, nulls="some", sliced=True, wide=True)
    if name == "diff":
        expected = [None if one is not None and one != one else one for one in _wide_diff(given, groups)]
        result = window(given, WindowCall("diff"), make_groups(150, groups) if groups else None)
        assert reference.raw(result) == expected
        return
    for options in OPTIONS[name]:
        check(given, WindowCall(name, options), make_groups(150, groups) if groups else None)


def _wide_diff(given: Column, groups: int | None) -> list[Any]:
    dtype = np.float32 if given.dtype == "float32" else np.float64
    values = [None if one is None else dtype(one) for one in reference.raw(given)]
    with np.errstate(invalid="ignore"):
        out = reference.by_group(
            values, codes_of(make_groups(150, groups) if groups else None, 150), lambda one: reference.diff(one, 1)
        )
    return [None if one is None else float(one) for one in out]


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64"])
@pytest.mark.parametrize("groups", [None, 20])
def test_cumprod(dtype: str, groups: int | None) -> None:
    values = [one if one is None else one % 3 for one in reference.raw(column(dtype, 60, nulls="some"))]
    given = Column(pa.array(values, pa.from_numpy_dtype(dtype)))
    check(given, WindowCall("cumprod"), make_groups(60, groups) if groups else None)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("name", ["cummin", "cummax", "rank", "shift", "ffill"])
def test_integers_of_the_whole_range(dtype: str, name: str) -> None:
    given = column(dtype, 200, nulls="some", sliced=True, wide=True)
    for groups in (None, make_groups(200, 6)):
        check(given, WindowCall(name), groups)


FILLS = {
    "int8": 7,
    "uint64": 2**63,
    "float64": -1.5,
    "bool": True,
    "string": "new",
    "encoded string": "new",
    "category": "zebra",
    "date32": datetime.date(2020, 2, 3),
    "decimal128(12, 2)": decimal.Decimal("1.25"),
    "binary": b"x",
}


@pytest.mark.parametrize("dtype", FILLS)
@pytest.mark.parametrize("nulls", ["none", "some", "all"])
@pytest.mark.parametrize("periods", [1, -1, 4, -300])
@pytest.mark.parametrize("grouped", [False, True])
def test_shift_fills(dtype: str, nulls: str, periods: int, grouped: bool) -> None:
    given = column(dtype, 130, nulls=nulls, sliced=True)
    groups = make_groups(130, 7) if grouped else None
    fill = FILLS[dtype]
    result = window(given, WindowCall("shift", {"periods": periods, "fill_value": fill}), groups)
    raw_fill = (
        reference.raw(Column(pa.array([fill], given.dtype.arrow), given.dtype))[0]
        if dtype not in ("category", "encoded string")
        else fill
    )
    expected = reference.by_group(
        reference.raw(given), codes_of(groups, 130), lambda one: reference.shift(one, periods, raw_fill)
    )
    assert reference.raw(result) == expected
    assert result.dtype == given.dtype


def test_shift_of_nested_values() -> None:
    given = Column(pa.array([[1], None, [2, 3], []]))
    assert reference.raw(window(given, WindowCall("shift"), None)) == [None, [1], None, [2, 3]]
    assert reference.raw(window(given, WindowCall("ffill"), None)) == [[1], [1], [2, 3], []]


def test_ordered_categories() -> None:
    array = pa.DictionaryArray.from_arrays(
        pa.array([2, 0, None, 1, 0], pa.int32()), pa.array(["z", "m", "a"]), ordered=True
    )
    given = Column(array)
    assert window(given, WindowCall("cummin"), None).array.to_pylist() == ["a", "z", None, "z", "z"]
    assert window(given, WindowCall("cummax"), None).array.type.ordered
    assert window(given, WindowCall("rank"), None).array.to_pylist() == [4.0, 1.5, None, 3.0, 1.5]


def test_rank_of_categories() -> None:
    """Unordered categories rank by their values."""
    given = column("category", 100, nulls="some", sliced=True)
    text = Column(given.array.dictionary_decode())
    for options in OPTIONS["rank"]:
        assert_column_equal(
            window(given, WindowCall("rank", options), None), window(text, WindowCall("rank", options), None)
        )


@pytest.mark.parametrize("n_groups", [4, 60])
def test_ranks_of_encoded_text_follow_the_texts(n_groups: int) -> None:
    """Not its codes, whose order is that of the dictionary: for few groups and for so many that each is ranked by itself."""
    words = pa.array(["b", "a", "", "d", "c"])
    codes = pa.array([row % 7 if row % 7 < 5 else None for row in range(500)], pa.int32())
    encoded = Column(pa.DictionaryArray.from_arrays(codes, words), STRING)
    groups = make_groups(500, n_groups)
    for options in OPTIONS["rank"]:
        call = WindowCall("rank", options)
        assert_column_equal(window(encoded, call, groups), window(Column(words.take(codes)), call, groups))


def test_ngroup_and_cumcount_without_column() -> None:
    groups = make_groups(30, 4)
    codes = [None if one == -1 else one for one in codes_of(groups, 30)]
    assert window(None, WindowCall("ngroup"), groups).array.to_pylist() == codes
    down = window(None, WindowCall("ngroup", {"ascending": False}), groups).array.to_pylist()
    assert down == [None if one is None else 3 - one for one in codes]
    counted = window(None, WindowCall("cumcount"), groups).array.to_pylist()
    assert counted == reference.by_group([0] * 30, codes_of(groups, 30), reference.cumcount)


# ---- large inputs: many slices, both plans, any number of threads ---------------------------------------------------

N_LARGE = 600_000  # five slices


@functools.cache
def large(dtype: str) -> Column:
    return column(dtype, N_LARGE, nulls="some", sliced=True)


@pytest.mark.parametrize("n_groups", [None, 3, 40_000, 300_000])
@pytest.mark.parametrize(
    "name", ["shift", "diff", "cumsum", "cummax", "cumcount", "rank", "ffill", "bfill", "pct_change"]
)
def test_large_against_pandas(name: str, n_groups: int | None) -> None:
    pd = pytest.importorskip("pandas")
    given = large("float64")
    groups = make_groups(N_LARGE, n_groups) if n_groups else None
    series = pd.Series(given.array.to_numpy(zero_copy_only=False))
    keyed = series if groups is None else series.groupby(pd.Series(groups.codes).where(groups.codes != NO_GROUP))
    for options in [{}, {"periods": -2}] if name in ("shift", "diff") else [{}]:
        if name == "cumcount":
            expected = (
                pd.Series(np.arange(N_LARGE)) if groups is None else keyed.cumcount().where(groups.codes != NO_GROUP)
            )
        else:
            expected = getattr(keyed, name)(**options)
        result = window(given, WindowCall(name, options), groups)
        np.testing.assert_array_equal(result.array.to_numpy(zero_copy_only=False), expected.to_numpy())


@pytest.mark.parametrize("n_groups", [None, 3, 300_000])
@pytest.mark.parametrize("name", OPTIONS)
def test_bits_do_not_depend_on_threads(name: str, n_groups: int | None) -> None:
    wide = column("float64", N_LARGE, nulls="some", wide=True)
    finite = Column(pa.array(np.random.default_rng(1).standard_normal(N_LARGE)))
    groups = make_groups(N_LARGE, n_groups) if n_groups else None
    for given in (wide, finite):
        with option_context(threads=1):
            alone = window(given, WindowCall(name), groups)
        for threads in (2, 4):
            with option_context(threads=threads):
                assert_column_equal(window(given, WindowCall(name), groups), alone)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        *product(
            ["int32", "bool", "decimal128(12, 2)"],
            ["cumsum", "cummin", "cummax", "ffill", "bfill", "cumcount", "shift"],
        ),
        *product(["string"], ["ffill", "bfill", "cumcount", "shift"]),
    ],
)
def test_plans_agree(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results that are exact do not depend on whether rows are walked in row order or group by group."""
    given = column(dtype, 5_000, nulls="some", sliced=True)
    for n_groups in (1, 40, 3000):
        groups = make_groups(5_000, n_groups)
        carried = window(given, WindowCall(name), groups)
        monkeypatch.setattr(engine, "_carries", lambda n_rows, state_bytes: False)
        ordered = window(given, WindowCall(name), groups)
        monkeypatch.undo()
        assert_column_equal(carried, ordered)


@pytest.mark.parametrize("method", RANK_METHODS)
@pytest.mark.parametrize("grouped", [False, True])
def test_rank_across_slices(method: str, grouped: bool) -> None:
    """Runs of ties and groups longer than a slice."""
    pd = pytest.importorskip("pandas")
    values = np.repeat([3.0, np.nan, 1.0, 2.0, 2.0], N_LARGE // 5)
    keys = np.zeros(N_LARGE, np.uint32)
    keys[-1000:] = 1
    groups = groups_of(keys, 2) if grouped else None
    series = pd.Series(values)
    for pct in (False, True):
        for na_option in ("keep", "top", "bottom"):
            options = {"method": method, "pct": pct, "na_option": na_option}
            expected = (series.groupby(keys) if grouped else series).rank(**options)
            result = window(Column(pa.array(values)), WindowCall("rank", options), groups)
            np.testing.assert_array_equal(result.array.to_numpy(zero_copy_only=False), expected.to_numpy())


# ---- exactness and errors -------------------------------------------------------------------------------------------


def test_overflow_is_judged_on_true_results() -> None:
    """A slice's own total may overflow while every row's result fits."""
    n_rows = 3 * (1 << 17)
    values = np.zeros(n_rows, np.int64)
    values[10] = -(2**63)
    values[(1 << 17) + 5] = 2**62
    values[(1 << 17) + 6] = 2**62
    values[(1 << 17) + 7] = 2**62
    result = window(Column(pa.array(values)), WindowCall("cumsum"), None).array
    assert result[-1].as_py() == -(2**63) + 3 * 2**62
    values[10] = 0
    with pytest.raises(IntegerOverflow, match="cumsum of column 'x' does not fit int64"):
        window(Column(pa.array(values)), WindowCall("cumsum", {"name": "x"}), None)


def test_cumprod_after_zero_never_overflows() -> None:
    n_rows = 2 * (1 << 17)
    values = np.full(n_rows, 3, np.int64)
    values[0] = 0
    assert window(Column(pa.array(values)), WindowCall("cumprod"), None).array[-1].as_py() == 0
    with pytest.raises(IntegerOverflow):
        window(Column(pa.array(values[1:])), WindowCall("cumprod"), None)


@pytest.mark.parametrize("ordered", [False, True])
def test_grouped_overflow(ordered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_carries", lambda n_rows, state_bytes: not ordered)
    given = Column(pa.array([2**63, 1, 2**63], pa.uint64()))
    apart, together = groups_of(np.array([0, 1, 1], np.uint32), 2), groups_of(np.array([0, 1, 0], np.uint32), 2)
    assert window(given, WindowCall("cumsum"), apart).array.to_pylist() == [2**63, 1, 2**63 + 1]
    with pytest.raises(IntegerOverflow, match="uint64"):
        window(given, WindowCall("cumsum"), together)


def test_diff_overflow() -> None:
    for dtype, values in ((pa.int64(), [-(2**63), 1]), (pa.uint64(), [0, 2**63])):
        with pytest.raises(IntegerOverflow, match="diff of column 'x' does not fit int64"):
            window(Column(pa.array(values, dtype)), WindowCall("diff", {"name": "x"}), None)
    fits = Column(pa.array([2**64 - 1, 2**64 - 5], pa.uint64()))
    assert window(fits, WindowCall("diff"), None).array.to_pylist() == [None, -4]


def test_decimal_overflow() -> None:
    large_value = decimal.Decimal(9 * 10**37)
    given = Column(pa.array([large_value, large_value], pa.decimal128(38, 0)))
    with pytest.raises(IntegerOverflow):
        window(given, WindowCall("cumsum"), None)


def test_refusals() -> None:
    text = Column(pa.array(["a"]))
    with pytest.raises(DTypeError, match="cumsum is not defined for dtype string of column 'x'"):
        window(text, WindowCall("cumsum", {"name": "x"}), None)
    with pytest.raises(LossyCast):
        window(Column(pa.array([1], pa.int8())), WindowCall("shift", {"fill_value": 300}), None)
    with pytest.raises(LossyCast):
        window(column("category", 3), WindowCall("shift", {"fill_value": "not a category"}), None)
    with pytest.raises(ArgumentError, match="Group first"):
        window(text, WindowCall("ngroup"), None)


def test_result_is_null_for_null_columns() -> None:
    given = Column(pa.nulls(3))
    for name in ("shift", "ffill", "bfill"):
        assert window(given, WindowCall(name), None).array.to_pylist() == [None] * 3


def test_every_window_is_tested() -> None:
    assert set(WINDOWS) == set(OPTIONS) | {"ngroup"}
