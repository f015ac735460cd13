"""Take of whole tables: records and single columns give the same, and only rows that lie at random are packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column.column import Column
from fastframe.column.range import RangeColumn
from fastframe.column.table import Table
from fastframe.engines.cpu import take_table as taking
from fastframe.engines.cpu.select import take
from fastframe.engines.cpu.take_table import is_scattered, movable, take_table
from fastframe.errors import OutOfRange
from fastframe.options import option_context

N_ROWS = 5000


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tables of any size are packed; the numbers of columns that were."""
    asked: list[int] = []
    real = taking.packed_rows
    monkeypatch.setattr(taking, "PACKED_ROWS", 0)
    monkeypatch.setattr(taking, "packed_rows", lambda columns: asked.append(len(columns)) or real(columns))
    return asked


def table_of(n_rows: int, nulls: float, start: int = 0) -> Table:
    random = np.random.default_rng([n_rows, start])

    def column(values: Any) -> Column:
        kind = pa.string() if values.dtype == object else None
        return Column(pa.array(values, kind, mask=random.random(len(values)) < nulls if nulls else None).slice(start))

    n_all = n_rows + start
    columns = {name: column(random.integers(0, 100, n_all).astype(name)) for name in ("int8", "int16", "int32", "int64", "float64")}
    columns["float64"] = column(np.where(random.random(n_all) < 0.1, np.nan, random.normal(size=n_all)))
    columns |= {f"wide{at}": column(random.integers(0, 100, n_all)) for at in range(6)}
    columns["bool"] = column(random.random(n_all) < 0.5)
    columns["few"] = column(random.choice(["a", "bb", ""], n_all).astype(object))
    columns["many"] = column(np.array([f"text {at}" for at in range(n_all)], object))
    columns["category"] = Column(pa.array(random.choice(["x", "y"], n_all)).dictionary_encode().slice(start))
    columns["\0label"] = RangeColumn(n_rows, 5, 2)
    return Table(columns)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("nulls", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("start", [0, 3])
def test_records_give_what_columns_give(packs: list[int], nulls: float, missing: bool, start: int) -> None:
    table = table_of(N_ROWS, nulls, start)
    rows = np.random.default_rng(1).integers(-1 if missing else 0, N_ROWS, N_ROWS).astype(np.int32)
    found = take_table(table, rows, missing=missing)
    assert sum(packs) == 13 + (nulls == 1)   # all of fixed width, and the texts whose values repeat
    assert len(packs) == 2    # kinds of records
    assert found.n_rows == N_ROWS
    for name, column in table.columns.items():
        expected = [None if row < 0 else one for row, one in zip(rows, np.array([*column.array.to_pylist(), None], object)[rows], strict=True)]
        got = found[name].array.to_pylist()
        assert all(one == other or (one != one and other != other) for one, other in zip(got, expected, strict=True)), name
        assert found[name].dtype == column.dtype
    assert isinstance(found["\0label"], RangeColumn) is not missing


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_and_plans_do_not_change_bits(packs: list[int], threads: int) -> None:
    table = table_of(300_000, 0.1)
    rows = np.random.default_rng(2).permutation(300_000).astype(np.int32)
    with option_context(threads=threads):
        found = take_table(table, rows)
    assert packs
    for name, column in table.columns.items():
        if not isinstance(column, RangeColumn):
            expected = take(column, rows).array
            got = found[name].array
            same = got.cast(expected.type) if found[name].is_encoded_text and not pa.types.is_dictionary(expected.type) else got
            assert same.is_valid().equals(expected.is_valid())
            assert same.drop_null().equals(expected.drop_null()) or name == "float64"
            if name == "float64":
                assert same.fill_null(0).to_numpy().tobytes() == expected.fill_null(0).to_numpy().tobytes()


@pytest.mark.parametrize(
    "rows",
    [
        np.arange(N_ROWS),                                    # in order
        np.arange(N_ROWS)[::-1],
        np.sort(np.random.default_rng(3).integers(0, N_ROWS, N_ROWS)),
        np.random.default_rng(4).permutation(N_ROWS)[:2000],   # few
    ],
)
def test_what_is_not_packed(packs: list[int], rows: np.ndarray[Any, Any]) -> None:
    take_table(table_of(N_ROWS, 0.0), rows.astype(np.int32))
    assert packs == []


def test_small_tables_are_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "packed_rows", None)
    rows = np.random.default_rng(5).permutation(N_ROWS).astype(np.int32)
    assert take_table(table_of(N_ROWS, 0.0), rows).n_rows == N_ROWS


def test_rows_are_checked_before_they_are_read(packs: list[int]) -> None:
    rows = np.random.default_rng(6).permutation(N_ROWS).astype(np.int32)
    rows[7] = N_ROWS
    with pytest.raises(OutOfRange):
        take_table(table_of(N_ROWS, 0.0), rows)
    assert packs == []


def test_scattered() -> None:
    far = np.random.default_rng(7).permutation(1_000_000).astype(np.int32)
    assert is_scattered(far)
    assert not is_scattered(np.sort(far))
    assert not is_scattered(far[:1000])
    assert not is_scattered(np.array([], np.int32))


def test_text_that_repeats_moves_by_codes() -> None:
    few, many = Column(pa.array(["a", "b"] * 5000)), Column(pa.array([str(at) for at in range(10_000)]))
    assert movable(few).is_encoded
    assert movable(many) is many
