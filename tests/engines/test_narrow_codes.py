"""Loops that read codes of a byte or two as they lie, and what a pass finds out about NaN: nothing changes a bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column.column import Column
from fastframe.engines.cpu import layout
from fastframe.engines.cpu.aggregate import Wanted, aggregate_codes
from fastframe.engines.cpu.facts import lacks_nan, value_range
from fastframe.engines.cpu.requests import PROOF_ROWS
from fastframe.ops.aggregations import AggregationCall
from fastframe.options import option_context

ROWS = PROOF_ROWS + 4099   # several runs; the last of them ends within the four rows of a step
DROPPED = 0xFFFFFFFF


def columns() -> dict[str, Column]:
    rng = np.random.default_rng(5)
    return {
        "int32": Column(pa.array(rng.integers(-9, 9, ROWS).astype(np.int32))),
        "int64": Column(pa.array(rng.integers(-9, 9, ROWS))),
        "wide": Column(pa.array(rng.integers(-(2**40), 2**40, ROWS))),
        "float": Column(pa.array(rng.normal(size=ROWS) * 10.0 ** rng.integers(-9, 9, ROWS))),
        "decimal": Column(pa.array(rng.integers(0, 999, ROWS)).cast(pa.decimal128(19, 0))),
    }


def codes_of(n_groups: int, order: str) -> np.ndarray[Any, Any]:
    codes = np.random.default_rng(7).integers(0, n_groups, ROWS).astype(np.uint32)
    if order == "sorted":
        codes.sort()
    if order == "dropped":
        codes[4100::7919] = DROPPED
    return codes


def narrow(codes: np.ndarray[Any, Any], width: Any) -> np.ndarray[Any, Any]:
    return np.where(codes == DROPPED, np.iinfo(width).max, codes).astype(width)


ASKED = {
    "one word": [("sum", "int32")],
    "a float": [("sum", "float")],
    "rows and a float": [("mean", "float")],
    "halves": [("mean", "int32"), ("sum", "int64")],
    "three words": [("mean", "int32"), ("mean", "wide"), ("mean", "float")],
    "five words": [("sum", "wide"), ("sum", "float"), ("mean", "decimal"), ("mean", "int64"), ("size", "int32")],
}


@pytest.mark.parametrize("order", ["random", "sorted", "dropped"])
@pytest.mark.parametrize("n_groups", [1, 100, 254])
@pytest.mark.parametrize("asked", list(ASKED))
def test_codes_that_are_read_as_they_lie_give_the_same_bits(asked: str, n_groups: int, order: str) -> None:
    of = columns()
    codes = codes_of(n_groups, order)
    wanted = [Wanted(AggregationCall(name), None if name == "size" else of[column]) for name, column in ASKED[asked]]
    found = {}
    for width in (np.uint32, np.uint16, np.uint8):   # codes of four bytes go by targets
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                found[width, threads] = [one.array for one in aggregate_codes(wanted, narrow(codes, width), n_groups, filled=True)]
    first = found[np.uint32, 1]
    assert all(one.equals(other) for some in found.values() for one, other in zip(first, some, strict=True))
    for (name, column), result in zip(ASKED[asked], first, strict=True):
        if name == "sum" and column != "float":
            kept = codes != DROPPED
            exact = np.zeros(n_groups, np.int64)
            np.add.at(exact, codes[kept], np.asarray(of[column].array)[kept])
            assert result.to_pylist() == exact.tolist()


def spied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The widths in which the passes from now on look for NaN."""
    looks: list[tuple[int, ...]] = []
    draw = layout.Layout.put_into

    def put_into(self: layout.Layout, program: Any, requests: Any, operands: layout.Operands) -> None:
        looks.append(tuple(
            0 if operands.nan_free(self.inputs[number][0]) else nan
            for pair, nans, _, _ in self.presences for number, nan in zip(pair, nans, strict=True) if nan
        ))  # fmt: skip
        draw(self, program, requests, operands)

    monkeypatch.setattr(layout.Layout, "put_into", put_into)
    return looks


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_pass_that_finds_no_nan_spares_the_next_one_the_look(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    column = Column(pa.array(np.random.default_rng(3).normal(size=ROWS).astype(kind)))
    codes = narrow(codes_of(100, "random"), np.uint8)
    looks = spied(monkeypatch)
    wanted = [Wanted(AggregationCall(name), column) for name in ("mean", "sum", "std")]
    found = [aggregate_codes(wanted, codes, 100, filled=True) for _ in range(2)]
    assert looks == [(np.dtype(kind).itemsize,), (0,)]
    assert lacks_nan(column) and not value_range(column).has_nan
    assert all(one.array.equals(other.array) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("place", [0, 5000, ROWS - 1])
@pytest.mark.parametrize("dropped", [False, True])
def test_one_nan_anywhere_is_looked_for_again(place: int, dropped: bool) -> None:
    values = np.ones(ROWS)
    values[place] = math.nan
    codes = codes_of(100, "random")
    codes[place] = DROPPED if dropped else 3
    column = Column(pa.array(values))
    for _ in range(2):   # by groups that leave the row out, then by such that have it
        total = np.bincount(codes[codes != DROPPED], minlength=100)
        total[3] -= codes[place] != DROPPED
        count, found = aggregate_codes([Wanted(AggregationCall(name), column) for name in ("count", "sum")], narrow(codes, np.uint8), 100, filled=True)
        assert not lacks_nan(column)
        assert count.array.to_pylist() == total.tolist() and found.array.to_pylist() == total.tolist()
        codes[place] = 3


def test_partitions_find_out_nothing_for_they_leave_rows_out() -> None:
    values = np.ones(ROWS)
    values[77] = math.nan
    codes = np.random.default_rng(1).permutation(ROWS).astype(np.uint32)
    codes[77] = DROPPED
    column = Column(pa.array(values))
    aggregate_codes([Wanted(AggregationCall("sum"), column)], codes, ROWS, filled=False)
    assert not lacks_nan(column)
    codes[77] = 0
    (found,) = aggregate_codes([Wanted(AggregationCall("count"), column)], codes, ROWS, filled=False)
    assert sum(found.array.to_pylist()) == ROWS - 1


def test_memory_that_is_not_ours_is_looked_at_each_time() -> None:
    values = np.ones(ROWS)
    column = Column(pa.array(values), owned=False)
    codes = narrow(codes_of(10, "random"), np.uint8)
    aggregate_codes([Wanted(AggregationCall("sum"), column)], codes, 10, filled=True)
    assert not lacks_nan(column)


PAIRED = {"int32": (-3, 4, np.int32), "small": (-100, 5, np.int64), "wide": (-30_000, 30_000, np.int64)}


@pytest.mark.parametrize("order", ["random", "sorted", "dropped"])
@pytest.mark.parametrize("n_groups", [3, 254, 3000])
@pytest.mark.parametrize("pair", [("int32", "int32"), ("int32", "small"), ("small", "int32"), ("wide", "int32"), ("wide", "small")])
def test_pairs_row_by_row_are_those_in_blocks(pair: tuple[str, str], n_groups: int, order: str) -> None:
    rng = np.random.default_rng(11)
    x, y = (Column(pa.array(rng.integers(low, high, ROWS).astype(kind))) for low, high, kind in (PAIRED[name] for name in pair))
    codes = codes_of(n_groups, order)

    def found(x: Column, y: Column, width: Any) -> list[pa.Array]:
        wanted = [Wanted(AggregationCall("corr"), x, y), Wanted(AggregationCall("sum"), x), Wanted(AggregationCall("cov"), y, x)]
        return [one.array for one in aggregate_codes(wanted, narrow(codes, width), n_groups, filled=True)]

    blocks = found(Column(x.array.cast(pa.int16())), Column(y.array.cast(pa.int16())), np.uint32)   # these have no loop of runs
    rows = np.flatnonzero(codes == 1)
    one, other = (np.asarray(column.array)[rows].astype(float) for column in (x, y))
    assert blocks[0][1].as_py() == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert blocks[2][1].as_py() == pytest.approx(np.cov(one, other)[0, 1])
    for width in (np.uint32, np.uint16, *([np.uint8] if n_groups < 255 else [])):
        for threads in (1, 2, 4):
            with option_context(threads=threads):
                assert all(same.equals(again) for same, again in zip(blocks, found(x, y, width), strict=True))


def test_pairs_by_a_key_column_that_is_its_own_codes() -> None:
    rng = np.random.default_rng(2)
    key = rng.permutation(np.arange(ROWS, dtype=np.int32) % 70_000 - 5)
    x, y = rng.integers(0, 9, ROWS).astype(np.int32), rng.integers(0, 9, ROWS)
    frames = [ff.DataFrame({"k": of, "x": x, "y": y}) for of in (key, key.astype(np.int64))]   # eight bytes: codes are written
    own, written = (frame.groupby("k").agg(c=(("x", "y"), "cov"))["c"].to_arrow() for frame in frames)
    assert own.equals(written)


def test_a_missing_value_sends_its_run_to_blocks() -> None:
    x = pa.array(np.arange(ROWS) % 5).cast(pa.int32())
    y = pa.array([None if row in (9, ROWS - 1) else row % 7 for row in range(ROWS)], pa.int64())
    codes = narrow(codes_of(4, "random"), np.uint8)
    (found,) = aggregate_codes([Wanted(AggregationCall("cov"), Column(x), Column(y))], codes, 4, filled=True)
    for group in range(4):
        rows = [row for row in np.flatnonzero(codes == group) if y[int(row)].is_valid]
        assert found.array[group].as_py() == pytest.approx(np.cov(np.asarray(x)[rows], np.asarray(rows) % 7)[0, 1])


@pytest.mark.parametrize("order", ["random", "sorted", "dropped"])
@pytest.mark.parametrize("n_groups", [3, 254, 3000])
@pytest.mark.parametrize("names", [("max", "min"), ("min", "max"), ("max", "max"), ("min", "min")])
@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint32, np.int64, np.float32, np.float64])
def test_two_extremes_in_one_loop(kind: Any, names: tuple[str, str], n_groups: int, order: str) -> None:
    rng = np.random.default_rng(13)
    bounds = (-(2**31), 2**32 - 1) if np.dtype(kind).kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
    values = [rng.integers(*bounds, ROWS, endpoint=True).astype(kind) for _ in names]
    codes = codes_of(n_groups, order)
    kept = codes != DROPPED
    expected = []
    for name, some in zip(names, values, strict=True):
        by_group = np.full(n_groups, bounds[0] if name == "max" else bounds[1], kind)
        (np.maximum if name == "max" else np.minimum).at(by_group, codes[kept], some[kept])
        expected.append(by_group.tolist())
    wanted = [Wanted(AggregationCall(name), Column(pa.array(some))) for name, some in zip(names, values, strict=True)]
    for width in (np.uint32, np.uint16, *([np.uint8] if n_groups < 255 else [])):
        for threads in (1, 4):
            with option_context(threads=threads):
                found = aggregate_codes(wanted, narrow(codes, width), n_groups, filled=True)
            assert [one.array.to_pylist() for one in found] == expected
