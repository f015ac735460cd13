"""Packing columns into records and gathering them again, against `take` of each column in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import memory
from fastframe.column.column import Column
from fastframe.engines.cpu.packed_rows import can_pack, packed_rows, record_bytes
from fastframe.options import option_context

RNG = np.random.default_rng(5)


def column_of(name: str, n_rows: int, nulls: float) -> Column:
    random = np.random.default_rng([n_rows, len(name)])
    mask = random.random(n_rows) < nulls if nulls else None
    if name == "text":
        return Column(pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 3, n_rows).astype(np.int32), mask=mask), pa.array(["a", "b", "c"])))
    if name == "bool":
        return Column(pa.array(random.random(n_rows) < 0.5, mask=mask))
    if name == "decimal":
        values = [None if mask is not None and mask[at] else int(one) for at, one in enumerate(random.integers(-9, 9, n_rows))]
        return Column(pa.array(values, pa.decimal128(30, 2)))
    return Column(pa.array(random.integers(0, 100, n_rows).astype(name), mask=mask))


def values_of(column: Column) -> list[Any]:
    return column.array.to_pylist()


LAYOUTS = [
    (["int8"], 8),
    (["int32", "int32"], 8),
    (["int32", "bool", "float64"], 16),
    (["text", "decimal", "bool", "int16", "int8"], 32),
    (["float64"] * 8, 64),
    (["bool"] * 9, 8),
    (["decimal"] * 5, 80),
]


@pytest.mark.parametrize(("names", "size"), LAYOUTS)
@pytest.mark.parametrize("n_rows", [0, 1, 255, 256, 1000])
def test_records_without_nulls(names: list[str], size: int, n_rows: int) -> None:
    columns = [column_of(name, n_rows, 0) for name in names]
    assert record_bytes(columns) == size
    rows = RNG.integers(0, max(n_rows, 1), 700 if n_rows else 0).astype(np.int32)
    gathered = [one for packed in packed_rows(columns) for one in packed.gather(rows)]
    for source, found in zip(columns, gathered, strict=True):
        assert found.dtype == source.dtype
        values = values_of(source)
        assert values_of(found) == [values[row] for row in rows]
        assert found.null_count == 0


@pytest.mark.parametrize("names", [names for names, _ in LAYOUTS])
@pytest.mark.parametrize("nulls", [0.3, 1.0])
@pytest.mark.parametrize("start", [0, 3])
def test_nulls_missing_rows_and_bit_offsets(names: list[str], nulls: float, start: int) -> None:
    columns = [column_of(name, 900, nulls).slice(start, 890) for name in names]
    columns += [column_of("int32", 900, 0).slice(start, 890)]
    rows = RNG.integers(-1, 890, 1300).astype(np.int32)
    gathered = [one for packed in packed_rows(columns) for one in packed.gather(rows, missing=True)]
    for source, found in zip(columns, gathered, strict=True):
        values = values_of(source)
        assert values_of(found) == [None if row < 0 else values[row] for row in rows]


@pytest.mark.parametrize("streams", [True, False])
def test_threads_and_streaming_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    monkeypatch.setattr(memory, "STREAMED_BYTES", 0 if streams else 1 << 40)
    columns = [column_of(name, 300_001, 0.1) for name in ("int32", "bool", "float64", "int8")]
    rows = np.random.default_rng(1).permutation(300_001).astype(np.int32)
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            (packed,) = packed_rows(columns)
            gathered = packed.gather(rows)
        for source, found in zip(columns, gathered, strict=True):
            assert found.array.equals(source.array.take(pa.array(rows)))


def test_what_has_no_width_is_not_packed() -> None:
    assert not can_pack(Column(pa.array(["plain text"])))
    assert not can_pack(Column(pa.array([[1]])))
    assert not can_pack(Column(pa.nulls(3)))
    assert can_pack(column_of("text", 3, 0))
