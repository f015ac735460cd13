"""Key columns that serve as codes, records in rounds, sums in registers, large groups kept late: as the plain ways."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import cache
from fastframe.column.column import Column
from fastframe.column.table import Table
from fastframe.engines.cpu import keys
from fastframe.engines.cpu.aggregate import Wanted, aggregate, aggregate_all
from fastframe.engines.cpu.groups import Groups, first_rows_of, widened
from fastframe.engines.cpu.keys import group_rows
from fastframe.engines.cpu.prepare_aggregates import Aggregates
from fastframe.engines.cpu.row_codes import ColumnCodes
from fastframe.engines.cpu.spread import spread_codes
from fastframe.engines.cpu.topk import top_k
from fastframe.engines.cpu.window import window
from fastframe.ops.aggregations import AggregationCall
from fastframe.ops.groups import Output
from fastframe.ops.windows import WindowCall
from fastframe.options import option_context

N_GROUPS, N_ROWS = 70_000, 150_000
KINDS: dict[str, Callable[[np.ndarray[Any, Any]], pa.Array]] = {
    "int32": lambda keys: pa.array((keys - 40_000).astype(np.int32)),
    "int32 low": lambda keys: pa.array((keys - 2**31).astype(np.int32)),
    "uint32": lambda keys: pa.array((keys + 2**32 - N_GROUPS).astype(np.uint32)),
    "date32": lambda keys: pa.array((keys - 5).astype(np.int32)).cast(pa.date32()),
    "category": lambda keys: pa.DictionaryArray.from_arrays(pa.array(keys.astype(np.int32)), pa.array([f"k{key:06}" for key in range(N_GROUPS)])),
    "sliced": lambda keys: pa.concat_arrays([pa.array([9, 9, 9], pa.int32()), pa.array(keys.astype(np.int32) + 1)]).slice(3),
}


def _drawn(seed: int = 0) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(seed)
    return random.permutation(np.concatenate([np.arange(N_GROUPS), random.integers(0, N_GROUPS, N_ROWS - N_GROUPS)]))


def _bits(column: Column) -> list[bytes | None]:
    return [None if buffer is None else buffer.to_pybytes() for buffer in column.array.buffers()]


def _values(seed: int = 1) -> tuple[Column, Column]:
    random = np.random.default_rng(seed)
    numbers = random.integers(-50, 50, N_ROWS).astype(np.int32)
    return Column(pa.array(numbers)), Column(pa.array(random.random(N_ROWS), mask=random.random(N_ROWS) < 0.1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_dense_key_is_its_own_codes(kind: str) -> None:
    drawn = _drawn()
    groups = group_rows([Column(KINDS[kind](drawn))], sort=True)
    assert isinstance(groups.codes, ColumnCodes)
    assert groups.n_groups == N_GROUPS
    assert (widened(groups.codes) == drawn).all()
    written = Groups(drawn.astype(np.uint32), N_GROUPS)
    assert (groups.first_rows == first_rows_of(written.codes, N_GROUPS)).all()
    whole, part = _values()
    wanted = [Wanted(AggregationCall(name), column) for name in ("sum", "mean", "max", "first", "std", "median", "nunique", "idxmin")
              for column in (whole, part)]  # fmt: skip
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            for one, other in zip(aggregate_all(wanted, groups), aggregate_all(wanted, written), strict=True):
                assert _bits(one) == _bits(other)
    mean = aggregate(part, AggregationCall("mean"), written)
    assert _bits(spread_codes(mean, groups)) == _bits(spread_codes(mean, written))
    assert (top_k(part, groups, 2) == top_k(part, written, 2)).all()
    for name in ("cumsum", "shift", "rank", "ffill", "cumcount", "ngroup"):
        call = WindowCall(name, {"name": name})
        assert window(part, call, groups).array.equals(window(part, call, written).array), name


@pytest.mark.parametrize("kind", ["int32", "uint32", "category"])
@pytest.mark.parametrize("sort", [True, False, None])
def test_codes_are_written_where_values_are_left_out(kind: str, sort: bool | None) -> None:
    drawn = np.where(_drawn() == 7, 8, _drawn())   # nobody has 7
    column = Column(KINDS[kind](drawn))
    groups = group_rows([column], sort=sort)
    assert isinstance(groups.codes, np.ndarray)
    assert groups.n_groups == N_GROUPS - 1
    first = groups.first_rows
    assert (drawn[first][groups.codes] == drawn).all()


def test_missing_keys_and_memory_of_others_are_written() -> None:
    drawn = _drawn().astype(np.int32)
    missing = Column(pa.array(drawn, mask=np.arange(N_ROWS) == 3))
    assert isinstance(group_rows([missing]).codes, np.ndarray)
    assert isinstance(group_rows([Column(pa.array(drawn), owned=False)]).codes, np.ndarray)


def test_groups_by_appearance_of_a_dense_key() -> None:
    drawn = _drawn(3)
    groups = group_rows([Column(KINDS["int32"](drawn))], sort=False)
    expected = np.unique(drawn, return_index=True)[1]
    assert (groups.first_rows == np.sort(expected)).all()
    assert isinstance(groups.codes, np.ndarray)
    assert (drawn[groups.first_rows][groups.codes] == drawn).all()


CLUSTERS = {
    "sorted": lambda random: np.sort(random.integers(0, 40, 20_000)),
    "one group": lambda random: np.zeros(20_000, np.int64),
    "some runs": lambda random: np.repeat(random.integers(0, 3000, 2000), random.integers(1, 30, 2000)),
    "begins sorted": lambda random: np.concatenate([np.zeros(4200, np.int64), random.integers(0, 2000, 10_000)]),
}


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_sums_in_registers(cluster: str, dropped: bool) -> None:
    """The order of additions is that of the rows: NumPy's, as long as there is one slice and one table."""
    random = np.random.default_rng(5)
    codes = CLUSTERS[cluster](random)
    n_rows, n_groups = len(codes), 3000   # too many for copies of the table
    out = codes.astype(np.uint32)
    if dropped:
        out[5000:5100] = 0xFFFFFFFF
    kept = out != 0xFFFFFFFF
    floats, wide = random.random(n_rows), random.integers(-(2**40), 2**40, n_rows)
    small = random.integers(-100, 100, n_rows).astype(np.int32)
    cents = pa.array(Decimal(int(one)).scaleb(-2) for one in small)
    groups = Groups(out, n_groups, filled=False)
    columns = {"f": floats, "w": wide, "s": small}
    calls = [("f", "sum"), ("f", "mean"), ("w", "sum"), ("s", "sum"), ("s", "mean"), ("f", "count")]
    for some in (calls[:1], calls[:3], calls[2:5], calls):
        found = aggregate_all([Wanted(AggregationCall(name), Column(pa.array(columns[column]))) for column, name in some], groups)
        for (column, name), result in zip(some, found, strict=True):
            total = np.zeros(n_groups, columns[column].dtype if column == "f" else np.int64)
            np.add.at(total, codes[kept], columns[column][kept])
            n = np.bincount(codes[kept], minlength=n_groups)
            expected = total if name == "sum" else n if name == "count" else total[n > 0] / n[n > 0]
            got = np.asarray(result.array.drop_null() if name == "mean" else result.array)
            assert (got == expected).all(), (column, name)
    decimals = np.zeros(n_groups, np.int64)
    np.add.at(decimals, codes[kept], small[kept])
    assert aggregate(Column(cents), AggregationCall("sum"), groups).array.to_pylist() == [Decimal(int(one)).scaleb(-2) for one in decimals]


def test_large_groups_are_kept_when_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_LITTLE", 0)
    random = np.random.default_rng(9)
    frame = ff.DataFrame({"a": random.integers(0, 2**60, 5000), "v": random.random(5000)})
    answers = []
    for kept in (0, 1, 1):
        before = cache.held_bytes()
        answers.append(frame.groupby("a", sort=None)["v"].sum().to_arrow())
        assert (cache.held_bytes() > before) == (kept and len(answers) == 2)
    assert answers[0].equals(answers[1])
    assert answers[0].equals(answers[2])


@pytest.mark.parametrize("base", [0, 1000, 2**32 - 7])
def test_a_repeated_question_takes_a_key_column_as_codes(base: int) -> None:
    rng = np.random.default_rng(8)
    outputs = tuple(Output(name, "v", AggregationCall(name)) for name in ("sum", "mean", "var"))
    table = Table({"v": Column(pa.array(rng.random(1000), mask=rng.random(1000) < 0.1))})
    codes = rng.integers(0, 50, 1000).astype(np.uint32)
    keys = ((codes.astype(np.int64) + base) % 2**32).astype(np.uint32)
    aggregates = Aggregates(outputs, table.schema, grouped=True)
    for _ in range(2):
        written = aggregates.of(outputs, table, codes, 50, False)
        held = aggregates.of(outputs, table, ColumnCodes(keys, base), 50, False)
        assert [one.array.equals(other.array) for one, other in zip(held, written, strict=True)] == [True] * 3
