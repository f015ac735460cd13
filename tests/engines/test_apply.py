"""Rows placed by group, values carried there and back, and functions called on runs: against slow twins and themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import Column, Table, cache
from fastframe.column.memory import allocate
from fastframe.dtypes import Physical
from fastframe.engines.cpu import places as engine
from fastframe.engines.cpu.apply import apply_function
from fastframe.engines.cpu.carried import carried, carried_back, presence
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.places import Places, lacks_values, placed
from fastframe.engines.cpu.runs import cuts, runs_of
from fastframe.ops.apply import RESULT, Apply, FunctionCall
from fastframe.options import option_context
from fastframe.testing import DTYPES, NULLS, assert_column_equal, column, covering
from tests.reference import apply as reference
from tests.reference.windows import raw

FIXED = [one for one in DTYPES if one not in ("string", "encoded string", "binary", "category")]


def codes_of(n_rows: int, n_groups: int, width: int, *, dropped: bool, seed: int = 0) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Codes as the engine has them, and as the twin has them."""
    rng = np.random.default_rng([seed, n_rows, n_groups])
    codes = rng.integers(0, n_groups, n_rows).astype(f"u{width}")
    if dropped:
        codes[rng.random(n_rows) < 0.2] = np.iinfo(codes.dtype).max
    return codes, [-1 if one == np.iinfo(codes.dtype).max else int(one) for one in codes]


def keys_of(n_rows: int) -> list[Column]:
    """A column to keep things on: a new one, so that nothing is kept."""
    return [Column(pa.array(np.arange(n_rows)))]


@pytest.fixture(params=[1, 1 << 11], ids=["two steps", "one step"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(engine, "MOST_DIRECT", request.param)
    return int(request.param)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize(("n_rows", "n_groups"), [(0, 1), (1, 1), (63, 5), (700, 40), (1000, 199)])
def test_places_against_twin(steps: int, n_rows: int, n_groups: int, width: int, dropped: bool) -> None:
    codes, plain = codes_of(n_rows, n_groups, width, dropped=dropped)
    found = placed(Groups(codes, n_groups, filled=False), keys_of(n_rows), (), [])
    expected, offsets = reference.places(plain, n_groups)
    assert found.of_rows.tolist() == expected
    assert found.offsets.tolist() == offsets
    assert found.n_placed == offsets[-1]


@pytest.mark.parametrize("n_groups", [3, 3000])
def test_places_of_many_slices_and_threads(steps: int, n_groups: int) -> None:
    codes, _ = codes_of(400_000, n_groups, 4, dropped=True)
    kept = np.flatnonzero(codes < n_groups)
    expected = np.full(len(codes), -1)
    expected[kept[np.argsort(codes[kept], kind="stable")]] = np.arange(len(kept))
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            assert (placed(Groups(codes, n_groups), keys_of(len(codes)), (), []).of_rows == expected).all()


@pytest.mark.parametrize("n_rows", [1, 64, 400_000])
def test_rows_that_are_together_stay(n_rows: int) -> None:
    codes = np.sort(np.random.default_rng(1).integers(0, 70, n_rows)).astype(np.uint8)
    found = placed(Groups(codes, 71, filled=False), keys_of(n_rows), (), [])
    assert found.steps == ()
    assert found.offsets.tolist() == np.searchsorted(codes, np.arange(72)).tolist()
    values = column("float64", n_rows)
    assert carried(values, found).ctypes.data == values.view.values   # not copied


def test_rows_that_are_together_but_for_a_dropped_one() -> None:
    codes = np.array([0, 0, 255, 1], np.uint8)
    assert placed(Groups(codes, 2), keys_of(4), (), []).of_rows.tolist() == [0, 1, -1, 2]
    codes = np.array([0, 1, 1, 0], np.uint8)
    assert placed(Groups(codes, 2), keys_of(4), (), []).of_rows.tolist() == [0, 2, 3, 1]


def as_numbers(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Times as the integers that they are held as."""
    return values if values.dtype.kind in "biuf" else values.view(f"i{values.itemsize}")


CASES = covering({"dtype": FIXED, "nulls": NULLS, "sliced": [False, True], "n_rows": [0, 1, 64, 203], "groups": [1, 9]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(one) for one in case.values()))
def test_there_and_back(steps: int, case: dict[str, Any]) -> None:
    """Rows without a value are left out on the way there and null on the way back, so the column comes back as it was."""
    given = column(case["dtype"], case["n_rows"], nulls=case["nulls"], sliced=case["sliced"], wide=True)
    codes, plain = codes_of(case["n_rows"], case["groups"], 1, dropped=False)
    places = placed(Groups(codes, case["groups"], filled=False), keys_of(case["n_rows"]), (), [given])
    values = raw(given)
    rows = [row for rows in reference.members(plain, case["groups"], [one is not None for one in values]) for row in rows]
    there = carried(given, places)
    assert there.dtype == (given.dtype.numpy if given.dtype.numpy is not None else there.dtype)
    assert not there.flags.writeable
    stored = there.astype("M8[D]").astype(np.int32) if given.dtype == "date32" else there
    expected = np.array(values, dtype=object)[rows]
    if given.physical is not Physical.I128:
        assert as_numbers(stored).tolist() == list(expected)
    block = allocate(stored.nbytes, "test")
    np.frombuffer(block, np.uint8)[:] = np.ascontiguousarray(stored).view(np.uint8)
    back = carried_back(block, given.dtype, places)
    back.array.validate(full=True)
    assert raw(back) == values


def test_values_under_nulls() -> None:
    groups = Groups(np.array([1, 0, 1, 0], np.uint8), 2)
    places = placed(groups, keys_of(4), (), [])
    for arrow, missing in ((pa.float32(), "nan"), (pa.int16(), "0"), (pa.timestamp("us"), "NaT"), (pa.duration("s"), "NaT"), (pa.bool_(), "False")):
        given = Column(pa.array([1, None, None, 1], pa.int64()).cast(pa.int8() if arrow == pa.bool_() else pa.int64()).cast(arrow))
        assert str(carried(given, places)[0]) == missing
        assert presence(given, places).tolist() == [False, True, True, False]
    given = Column(pa.array([1.0, np.nan, None, 2.0]))
    assert presence(given, places).tolist() == [False, True, True, False]


def test_a_column_lacks_values() -> None:
    assert lacks_values(Column(pa.array([1, None])))
    assert lacks_values(Column(pa.array([1.0, np.nan])))
    assert not lacks_values(Column(pa.array([1.0, np.inf])))
    assert not lacks_values(Column(pa.array(["", "a"])))


def test_runs_and_their_cuts() -> None:
    places = Places(np.array([0, 3, 3, 10, 10], np.int32), (), 10)
    runs = runs_of(places)
    assert (runs.begin.tolist(), runs.end.tolist(), runs.of_group.tolist(), runs.groups.tolist()) == ([0, 3], [3, 10], [0, -1, 1, -1], [0, 2])   # type: ignore[union-attr]
    assert runs_of(places) is runs
    many = runs_of(Places(np.array([0, 4, 8, 100, 104, 108], np.int32), (), 108))
    assert cuts(many, call_rows=1, part_rows=10) == [0, 2, 3, 5]
    assert cuts(many, call_rows=0, part_rows=1000) == [0, 5]
    assert cuts(runs_of(Places(np.zeros(3, np.int32), (), 0)), call_rows=1, part_rows=10) == [0]


def total(x):   # type: ignore[no-untyped-def]
    return x.sum()


def centred(x):   # type: ignore[no-untyped-def]
    return x - x.min()


APPLIED = covering(
    {
        "dtype": ["int8", "int64", "uint16", "float32", "float64", "bool"], "nulls": NULLS, "sliced": [False, True], "n_rows": [0, 1, 64, 203],
        "groups": [1, 9, 300], "engine": ["numba", "python"], "result": ["agg", "transform"],
    }
)  # fmt: skip


@pytest.mark.parametrize("case", APPLIED, ids=lambda case: "-".join(str(one) for one in case.values()))
def test_apply_against_twin(case: dict[str, Any]) -> None:
    given = column(case["dtype"], case["n_rows"], nulls=case["nulls"], sliced=case["sliced"])
    rng = np.random.default_rng(3)
    key = Column(pa.array(rng.integers(0, case["groups"], case["n_rows"])))
    codes = {value: place for place, value in enumerate(sorted(set(key.array.to_pylist())))}
    plain = [codes[one] for one in key.array.to_pylist()]
    values = raw(given)
    rows = reference.members(plain, len(codes), [one is not None for one in values])
    numpy = np.array([0 if one is None else one for one in values], given.dtype.numpy)
    function = total if case["result"] == "agg" else centred if case["dtype"] != "bool" else np.logical_not
    if function is np.logical_not:
        function = lambda x: ~x   # noqa: E731
    expected = (reference.per_group if case["result"] == "agg" else reference.per_row)([numpy], rows, function)
    spec = Apply(("k",), FunctionCall(function, ("x",), engine=case["engine"]), case["result"])
    found = apply_function(spec, Table({"k": key, "x": given}))[RESULT]
    found.array.validate(full=True)
    assert len(found) == len(expected)
    assert [None if one is None else pytest.approx(float(one), rel=1e-5) for one in expected] == found.array.to_pylist()


def test_identical_bits_for_any_threads_and_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values = pa.array(rng.normal(size=300_000), mask=rng.random(300_000) < 0.1)
    key = pa.array(np.where(rng.random(300_000) < 0.5, 7, rng.integers(0, 5000, 300_000)))   # one group has half of the rows
    spec = Apply(("k",), FunctionCall(lambda x: (x - x.mean()) / x.std(), ("x",)), "transform")
    bits = []
    for threads in (1, 2, 4):
        for most in (1, 1 << 20):
            monkeypatch.setattr(engine, "MOST_DIRECT", most)
            with option_context(threads=threads):
                found = apply_function(spec, Table({"k": Column(key), "x": Column(values)}))[RESULT]
                bits.append(found.array.fill_null(0).to_numpy().tobytes() + found.array.is_valid().to_numpy(zero_copy_only=False).tobytes())
    assert len(set(bits)) == 1


def test_places_and_values_are_kept_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    table = Table({"k": Column(pa.array(rng.integers(0, 50, 3000))), "x": column("float64", 3000, nulls="some"), "y": column("float64", 3000)})
    both = Apply(("k",), FunctionCall(lambda x, y: (x * y).sum(), ("x", "y")), "agg")
    first = apply_function(both, table)[RESULT]
    kept = cache.held_bytes()
    assert cache.cached_bytes(table["x"]) >= 8 * (3000 - table["x"].null_count)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_place", None)
        again = apply_function(both, table)[RESULT]
        with pytest.raises(TypeError, match="NoneType"):   # other rows take part where only y is needed
            apply_function(Apply(("k",), FunctionCall(lambda y: y.sum(), ("y",)), "agg"), table)
    assert_column_equal(first, again)
    cache.clear()
    assert cache.held_bytes() < kept
    assert_column_equal(first, apply_function(both, table)[RESULT])


def test_nothing_is_kept_of_memory_that_is_not_ours() -> None:
    values = Column(pa.array([1.0, 2.0, 3.0]), owned=False)
    key = Column(pa.array([2, 1, 2]), owned=False)
    before = cache.held_bytes()
    apply_function(Apply(("k",), FunctionCall(lambda x: x.sum(), ("x",)), "agg"), Table({"k": key, "x": values}))
    assert cache.held_bytes() == before


@pytest.mark.parametrize("compiled", ["numba", "python"])
def test_the_lowest_failing_group_is_named_whatever_the_threads(compiled: str) -> None:
    rng = np.random.default_rng(0)
    table = Table({"k": Column(pa.array(rng.integers(0, 3000, 200_000))), "x": Column(pa.array(rng.integers(0, 1000, 200_000)))})
    groups = group_rows([table["k"]])
    lowest = min(key for key, value in zip(table["k"].array.to_pylist(), table["x"].array.to_pylist(), strict=True) if value == 999)

    def refuses(x):   # type: ignore[no-untyped-def]
        if x.max() == 999:
            raise ValueError("too large")
        return x.sum()

    assert groups.n_groups == 3000
    for threads in (1, 2, 4):
        with option_context(threads=threads), pytest.raises(Exception, match=rf"refuses\(\) raised ValueError in the group 'k'={lowest}: too large") as raised:
            apply_function(Apply(("k",), FunctionCall(refuses, ("x",), engine=compiled), "agg", shown=("'k'",)), table)
        assert isinstance(raised.value.__cause__, ValueError)
