"""The columns of joins, every dtype with and without nulls, against picking Python values by the slow twin's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.column import available, memory
from fastframe.column.column import Column
from fastframe.engines.cpu import join_index, join_output
from fastframe.engines.cpu.join import find_pairs
from fastframe.engines.cpu.join_output import joined_columns
from fastframe.engines.cpu.packed_rows import PackedRows, record_bytes
from fastframe.errors import OutOfMemory, ShapeError
from fastframe.options import option_context
from tests.reference import join as reference

TYPES = {
    "int8": pa.int8(), "uint16": pa.uint16(), "int32": pa.int32(), "float64": pa.float64(), "date": pa.date32(),
    "time": pa.timestamp("us"), "decimal": pa.decimal128(20, 2), "bool": pa.bool_(), "string": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()), "list": pa.list_(pa.int64()), "null": pa.null(),
}  # fmt: skip


def payload(n_rows: int, nulls: float, seed: int) -> dict[str, Column]:
    """A column of every dtype; their values differ from row to row where the dtype allows."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, arrow in TYPES.items():
        numbers = rng.integers(0, 100, n_rows).tolist()
        convert = {"bool": lambda one: one % 2 == 0, "string": str, "category": str, "list": lambda one: [one], "null": lambda one: None}
        values = [convert[name](one) if name in convert else one for one in numbers]
        hidden = (rng.random(n_rows) < nulls).tolist()
        hidden_values = [None if hide else one for one, hide in zip(values, hidden, strict=True)]
        if name == "category":
            array = pa.array(hidden_values, pa.string()).dictionary_encode()
        elif name == "date" or name == "time":
            array = pa.array(hidden_values, pa.int32() if name == "date" else pa.int64()).cast(arrow)
        else:
            array = pa.array(hidden_values, arrow)
        out[name] = Column(array)
    return out


def picked(column: Column, rows: list[int]) -> list[Any]:
    values = column.array.to_pylist()
    return [values[row] if row >= 0 else None for row in rows]


def check(left: dict[str, Column], right: dict[str, Column], keys: tuple[list[int], list[int]], how: str) -> None:
    rows = reference.join_rows([(key,) for key in keys[0]], [(key,) for key in keys[1]], how)
    sides = [Column(pa.array(one, pa.int64())) for one in keys]
    pairs = find_pairs([sides[0]], [sides[1]], keeps_unmatched=how == "left")
    outs = joined_columns(pairs, left, right)
    for out, columns, taken in zip(outs, (left, right), zip(*rows, strict=True) if rows else ([], []), strict=True):
        assert set(out) == set(columns)
        for name, column in columns.items():
            assert out[name].array.to_pylist() == picked(column, list(taken)), name
            assert out[name].dtype == column.dtype
            out[name].array.validate(full=True)


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("start", [0, 3])
def test_every_dtype(monkeypatch: pytest.MonkeyPatch, how: str, nulls: float, repeats: int, packs: bool, start: int) -> None:
    monkeypatch.setattr(join_output, "PACKED_BYTES", 0 if packs else 1 << 60)
    rng = np.random.default_rng(8)
    keys = rng.integers(0, 90, 150).tolist(), np.repeat(rng.permutation(100)[:60], repeats)[start:].tolist()
    sides = [{name: column.slice(start, len(key)) for name, column in payload(len(key) + start, nulls, seed).items()} for seed, key in enumerate(keys)]
    check(*sides, keys, how)


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("sizes", [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_empty_sides(how: str, sizes: tuple[int, int]) -> None:
    sides = [payload(size, 0.2, size) for size in sizes]
    check(*sides, ([1, 2, 3][: sizes[0]], [1, 5, 1][: sizes[1]]), how)


@pytest.mark.parametrize("streams", [True, False])   # the codes that occur are bits then, else bytes
@pytest.mark.parametrize("packs", ["all", "in parts", ""])
@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("how", ["inner", "left"])
def test_many_slices_threads_and_streams(monkeypatch: pytest.MonkeyPatch, streams: bool, packs: str, repeats: int, how: str) -> None:
    """Slices meet inside bytes and cache lines; whatever writes them, the bytes are the same."""
    monkeypatch.setattr(memory, "STREAMED_BYTES", 0 if streams else 1 << 60)
    monkeypatch.setattr(join_index, "MARKED_CODES", 0 if streams else 1 << 60)
    monkeypatch.setattr(join_output, "PACKED_BYTES", 0 if packs else 1 << 60)
    parts: list[list[str]] = []
    if packs == "in parts":
        monkeypatch.setattr(join_output, "FEW_RECORDS", 0)
        monkeypatch.setattr(join_output, "RECORDS_SHARE", 1 << 60)
        of_build = join_output._of_build
        monkeypatch.setattr(join_output, "_of_build", lambda pairs, columns: parts.append(list(columns)) or of_build(pairs, columns))
    rng = np.random.default_rng(9)
    n_left, n_right = 400_123, 50_021
    key = rng.integers(0, 55_000, n_left)
    right_key = np.repeat(rng.permutation(60_000)[: n_right // repeats + 1], repeats)[:n_right]
    left = {"k": key, "small": key.astype(np.int8), "hidden": pa.array(key, mask=rng.random(n_left) < 0.1)}
    right = {
        "k": right_key, "byte": right_key.astype(np.int8), "even": right_key % 2 == 0, "half": (right_key % 1000).astype(np.int16),
        "sum": pa.array(right_key * 2.0, mask=rng.random(n_right) < 0.1),
    }  # fmt: skip
    frames = [ff.from_arrow(pa.table(side)) for side in (left, right)]
    merged = []
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            merged.append(frames[0].merge(frames[1], on="k", how=how).to_arrow())
    assert len(parts) == (3 if packs == "in parts" and repeats == 1 else 0)   # the widest columns first, once for each number of threads
    assert merged[1].equals(merged[0])
    assert merged[2].equals(merged[0])
    expected = pa.table(left).to_pandas().merge(pa.table(right).to_pandas(), on="k", how=how)
    for name in expected.columns:
        found = merged[0][name].to_pandas()
        np.testing.assert_array_equal(found.isna(), expected[name].isna())
        np.testing.assert_array_equal(found.dropna().to_numpy(), expected[name].dropna().to_numpy(), strict=False)


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("start", [0, 3])
def test_integers_kept_as_distances(monkeypatch: pytest.MonkeyPatch, how: str, nulls: float, start: int) -> None:
    """Ranges of 1, 10, 40 and 57 bits, below zero, up to the largest values, and with anything under the nulls."""
    monkeypatch.setattr(join_output, "FEW_RECORDS", 0)
    monkeypatch.setattr(join_output, "RECORDS_SHARE", 1)   # all in one part
    monkeypatch.setattr(join_output, "PACKED_BYTES", 0)
    sizes: list[tuple[int, int]] = []
    unfilled = join_output.unfilled
    monkeypatch.setattr(join_output, "unfilled", lambda *args, **options: sizes.append(_sizes(unfilled(*args, **options))) or unfilled(*args, **options))
    rng = np.random.default_rng(4)
    n_right = 1500
    numbers = {
        "constant": (np.int64, -(2**63), 1), "negative": (np.int16, -500, 600), "high": (np.int64, 2**63 - 2**40, 2**40 - 1),
        "widest": (np.int64, -(2**56), 2**57), "unsigned": (np.uint32, 2**32 - 9, 9), "byte": (np.int8, -128, 3),
    }  # fmt: skip
    right = {}
    for name, (dtype, low, span) in numbers.items():
        values = (rng.integers(0, span, n_right) + low).astype(dtype)
        values[-2:] = low, low + span - 1
        hidden = rng.random(n_right) < nulls
        garbage = np.where(hidden, rng.integers(-100, 100, n_right).astype(dtype), values)
        validity = pa.py_buffer(np.packbits(~hidden, bitorder="little")) if nulls else None
        right[name] = Column(pa.Array.from_buffers(pa.from_numpy_dtype(dtype), n_right, [validity, pa.py_buffer(garbage)]).slice(start))
    keys = rng.integers(0, 3000, 2000).tolist(), rng.permutation(3000)[: n_right - start].tolist()
    check({"row": Column(pa.array(range(2000)))}, right, keys, how)
    assert all(size < whole for size, whole in sizes)
    assert start or sizes


def _sizes(records: PackedRows) -> tuple[int, int]:
    return records.size, record_bytes(records.columns)


def test_one_chunk_or_many() -> None:
    rng = np.random.default_rng(3)
    left, right = ({"k": rng.integers(0, 500, n_rows), "v": rng.random(n_rows)} for n_rows in (3000, 700))
    whole = [pa.table(side) for side in (left, right)]
    chunked = [pa.concat_tables([table.slice(0, 13), table.slice(13, 200), table.slice(213)]) for table in whole]
    one, other = (ff.from_arrow(pair[0]).merge(ff.from_arrow(pair[1]), on="k").to_arrow() for pair in (whole, chunked))
    assert one.equals(other)


def test_text_that_repeats_comes_encoded() -> None:
    left, right = ff.DataFrame({"k": [0, 1] * 50}), ff.DataFrame({"k": [0, 1], "text": ["zero", "one"]})
    merged = left.merge(right, on="k")
    assert merged["text"].to_list() == ["zero", "one"] * 50
    assert merged._table["text"].is_encoded


def test_fan_out_beyond_row_numbers_is_counted_first() -> None:
    keys = ff.from_arrow(pa.table({"k": np.zeros(1_000_000, np.int32)}))
    with pytest.raises(ShapeError) as caught:
        keys.merge(keys, on="k")
    assert str(caught.value) == (
        "the join would make 1000000000000 rows, more than the 2147483647 that one local table holds. "
        "Keys repeat on both sides: aggregate one side first, or check with validate='one_to_many'."
    )


def test_fan_out_beyond_memory_is_counted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_output, "available_bytes", lambda: 10**9)
    side = ff.from_arrow(pa.table({"k": np.zeros(20_000, np.int32), "v": np.zeros(20_000)}))
    with pytest.raises(OutOfMemory) as caught:
        side.merge(side, on="k")
    assert str(caught.value) == (
        "the join would make 400000000 rows of 8 GB, and 1 GB of memory are free. Nothing was allocated. "
        "Where keys repeat on both sides, aggregate one side first, or check with validate='one_to_many'; or drop columns."
    )
    assert caught.value.n_bytes == 8_000_000_000


def test_available_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert 0 < available.available_bytes() < 1 << 47
    for name, text in (("memory.max", "1000\n"), ("memory.current", "300\n"), ("memory.stat", "anon 1\ninactive_file 50\n")):
        (tmp_path / name).write_text(text)
    assert available._left_by_cgroup(tmp_path, 2) == 750
    (tmp_path / "memory.max").write_text("max\n")
    assert available._left_by_cgroup(tmp_path, 2) is None
    assert available._left_by_cgroup(tmp_path, 1) is None   # no such files
    for name, text in (("limit_in_bytes", "1000\n"), ("usage_in_bytes", "300\n"), ("stat", "total_inactive_file 50\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert available._left_by_cgroup(tmp_path, 1) == 750
    (tmp_path / "memory.limit_in_bytes").write_text("9223372036854771712\n")   # version 1's word for none
    assert available._left_by_cgroup(tmp_path, 1) is None
