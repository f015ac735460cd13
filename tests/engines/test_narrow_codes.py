"""Loops that read codes of a byte or two as they lie, and what a pass finds out about NaN: nothing changes a bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

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
