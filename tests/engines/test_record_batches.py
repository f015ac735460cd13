"""Records in rounds and batches: each row once, bounded, and the same bits whatever the shape."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.engines.cpu import record_batches
from fastframe.engines.cpu.aggregate import Wanted, aggregate_all
from fastframe.engines.cpu.groups import Groups
from fastframe.engines.cpu.record_batches import Shape, Sizes, rounds_of, runs_of, shape_of
from fastframe.errors import IntegerOverflow
from fastframe.ops.aggregations import AggregationCall
from fastframe.options import option_context

SHAPES = [Shape(1, 20_000, keeps=True), Shape(3, 9_000, keeps=True), Shape(1, 1, keeps=True), Shape(9, 50_000, keeps=False)]
NAMES = ("sum", "mean", "min", "first", "var", "count", "size")


def make_codes(order: str) -> np.ndarray[Any, Any]:
    """150,000 groups, one of them in a sixth of the rows, a twentieth of the rows in none."""
    random = np.random.default_rng(8)
    codes = random.integers(0, 150_000, 300_000).astype(np.uint32)
    codes[:50_000] = 5
    if order == "sorted":
        codes.sort()
    codes[random.random(len(codes)) < 0.05] = 0xFFFFFFFF
    return codes


def make_column(kind: str) -> Column:
    random = np.random.default_rng(9)
    values = random.normal(0, 1e3, 300_000)
    array = pa.array(values, mask=random.random(300_000) < 0.1) if kind != "float" else pa.array(values)
    return Column(array if kind != "decimal" else array.cast(pa.decimal128(20, 6), safe=False))


def bits(column: Column) -> tuple[bytes, bytes]:
    filled = column.array.fill_null(pa.scalar(Decimal(0) if pa.types.is_decimal(column.array.type) else 0, column.array.type))
    return filled.buffers()[1].to_pybytes()[: len(filled) * filled.type.bit_width // 8], column.array.is_null().to_numpy(zero_copy_only=False).tobytes()


def shaped(monkeypatch: pytest.MonkeyPatch, shape: Shape) -> list[Any]:
    """Have this shape be chosen; what rounds are made of it."""
    made: list[Any] = []
    monkeypatch.setattr(record_batches, "shape_of", lambda sizes: shape)
    monkeypatch.setattr(record_batches, "rounds_of", lambda *given: made.append(rounds_of(*given)) or made[-1])
    return made


@pytest.mark.parametrize("order", ["any", "sorted"])
@pytest.mark.parametrize("kind", ["float", "nulls", "decimal"])
def test_every_shape_has_the_bits_of_one_batch(kind: str, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups, column = Groups(make_codes(order), 150_000, filled=False), make_column(kind)
    names = NAMES if kind != "decimal" else ("sum", "mean", "min", "count")
    wanted = [Wanted(AggregationCall(name), None if name == "size" else column) for name in names]
    whole = shaped(monkeypatch, Shape(1, 300_000, keeps=False))
    expected = [bits(one) for one in aggregate_all(wanted, groups)]
    assert [one.ends for one in whole[0]] == [(0, whole[0][0].ends[1])]
    for shape, threads in ((SHAPES[0], 1), (SHAPES[1], 2), (SHAPES[1], 4), (SHAPES[2], 2), (SHAPES[3], 2)):
        made = shaped(monkeypatch, shape)
        with option_context(threads=threads):
            assert [bits(one) for one in aggregate_all(wanted, groups)] == expected
        assert len(made[0]) == shape.n_rounds or not shape.keeps
        assert max(len(one.ends) for one in made[0]) > 2


def test_a_total_that_passes_64_bits_in_a_later_batch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.arange(300_000, dtype=np.uint32) % 150_000
    column = Column(pa.array(np.full(300_000, 2**62 + 1, np.int64)))
    for shape in SHAPES:
        shaped(monkeypatch, shape)
        with pytest.raises(IntegerOverflow):
            aggregate_all([Wanted(AggregationCall("sum"), column)], Groups(codes, 150_000, filled=True))


@pytest.mark.parametrize("numbers", [[], [5], [0, 0, 7, 0], [3, 3, 3, 91, 1]])
@pytest.mark.parametrize("most", [1, 6, 1000])
def test_runs_cover_all_numbers_once(numbers: list[int], most: int) -> None:
    found = runs_of(np.array(numbers, np.int64), most)
    assert [at for first, stop in found for at in range(first, stop)] == list(range(len(numbers)))
    assert all(sum(numbers[first:stop]) <= most or stop == first + 1 for first, stop in found)


@pytest.mark.parametrize("shape", [Shape(1, 40, keeps=True), Shape(3, 40, keeps=True), Shape(4, 100, keeps=False)])
def test_rounds_cover_all_records_once(shape: Shape) -> None:
    counts = np.random.default_rng(3).integers(0, 4, (20, 8)).astype(np.int32)
    counts[:, -1] = 0
    counts[:, 2] = 30   # a partition larger than a round
    rounds = rounds_of(counts, shape)
    assert [at for one in rounds for at in range(one.first, one.stop)] == list(range(7))
    for one in rounds:
        assert one.ends[0] == 0
        assert one.ends[-1] == 20
        sums = [int(counts[start:stop, one.first : one.stop].sum()) for start, stop in zip(one.ends, one.ends[1:], strict=False)]
        assert max(sums) == one.n_records
        assert all(total <= shape.most_records or stop == start + 1 for total, start, stop in zip(sums, one.ends, one.ends[1:], strict=False))


@pytest.mark.parametrize("state", [8, 16, 32, 64])
@pytest.mark.parametrize("n_partitions", [1, 31, 977])
@pytest.mark.parametrize("row", [(8, 8), (20, 20), (12, 16), (32, 24)])
def test_records_and_kept_states_stay_within_the_bound(row: tuple[int, int], n_partitions: int, state: int) -> None:
    row_bytes, record_bytes = row
    sizes = Sizes(10_000_000, row_bytes, record_bytes, 10, n_partitions=n_partitions, table_bytes=1028 * state, missing_bytes=0)
    shape = shape_of(sizes)
    tables = -(-n_partitions // shape.n_rounds) * sizes.table_bytes if shape.keeps else 0
    assert tables + shape.most_records * record_bytes <= 10_000_000 * row_bytes // 6
    assert shape.keeps or shape.n_rounds * shape.most_records >= 10_000_000
