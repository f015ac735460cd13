"""Columns put together from row groups: encoded, plain, with nulls, from several files; and what a cold answer imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastframe as ff
from fastframe.engines.cpu import keys_text

ROWS = 12_000
RNG = np.random.default_rng(17)


def _texts(n_distinct: int, n_rows: int, *, nulls: bool = False, width: int = 3) -> list[str | None]:
    picks = RNG.integers(0, n_distinct, n_rows)
    return [None if nulls and pick % 7 == 0 else f"{pick:0{width}d}é"[: pick % 40 + 1] + str(pick) for pick in picks]


def _table(*, nulls: bool) -> pa.Table:
    mask = RNG.random(ROWS) < 0.3 if nulls else np.zeros(ROWS, bool)
    numbers = {name: pa.array(RNG.integers(0, 100, ROWS), mask=mask).cast(name) for name in ("int8", "uint16", "int64", "float32", "float64")}
    times = {"date": pa.array(RNG.integers(0, 9999, ROWS).astype(np.int32), mask=mask).cast(pa.date32())}
    times["stamp"] = pa.array(RNG.integers(0, 10**9, ROWS), mask=mask).cast(pa.timestamp("us", tz="UTC"))
    decimals = {"decimal": numbers["int64"].cast(pa.decimal128(30, 2))}
    texts = {
        "few": pa.array(_texts(9, ROWS, nulls=nulls)),
        "many": pa.array(_texts(10**9, ROWS, nulls=nulls)),
        "large": pa.array(_texts(50, ROWS, nulls=nulls), pa.large_string()),
        "long": pa.array([None if text is None else text * 20 for text in _texts(30, ROWS, nulls=nulls)]),
    }
    others = {"flag": pa.array(RNG.random(ROWS) < 0.5, mask=mask), "bytes": pa.array([b"x\xff"] * ROWS, mask=mask), "none": pa.nulls(ROWS)}
    return pa.table(numbers | times | decimals | texts | others)


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("use_dictionary", [False, True])
@pytest.mark.parametrize("group_rows", [777, 4096, ROWS])
def test_what_was_written_comes_back(tmp_path: Path, nulls: bool, use_dictionary: bool, group_rows: int) -> None:
    table = _table(nulls=nulls)
    pq.write_table(table, tmp_path / "x", row_group_size=group_rows, use_dictionary=use_dictionary)
    found = {}
    for threads in (1, 2, 4):
        with ff.option_context(threads=threads):
            frame = ff.read_parquet(tmp_path / "x")
        found[threads] = {name: frame[name]._column.array for name in table.column_names}
        for name in table.column_names:
            found[threads][name].validate(full=True)
            assert frame[name].tolist() == table.column(name).to_pylist(), name
    assert all(found[1][name].equals(found[threads][name]) for threads in (2, 4) for name in table.column_names)


def test_text_that_repeats_becomes_codes_in_order_of_appearance(tmp_path: Path) -> None:
    texts = _texts(300, ROWS, nulls=True)
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    for use_dictionary in (False, True):   # plain pages, and dictionaries that differ from row group to row group
        pq.write_table(pa.table({"s": texts}), tmp_path / "x", row_group_size=3000, use_dictionary=use_dictionary)
        column = ff.read_parquet(tmp_path / "x")["s"]._column
        assert column.is_encoded
        assert column.dictionary.to_pylist() == distinct
        assert column.array.to_pylist() == texts


def test_row_groups_that_repeat_beside_others_that_do_not(tmp_path: Path) -> None:
    texts = [*_texts(5, 4000, nulls=True), *(f"only once {row}" for row in range(4000)), *_texts(5, 4000)]
    pq.write_table(pa.table({"s": texts}), tmp_path / "x", row_group_size=4000, use_dictionary=False)
    column = ff.read_parquet(tmp_path / "x")["s"]._column
    assert not column.is_encoded
    assert column.array.to_pylist() == texts


def test_several_files_with_dictionaries_of_their_own(tmp_path: Path) -> None:
    parts = [_texts(20, 500, nulls=part == 1) for part in range(3)]
    for part, texts in enumerate(parts):
        pq.write_table(pa.table({"s": texts, "v": list(range(500))}), tmp_path / f"{part}.parquet", row_group_size=200)
    frame = ff.read_parquet(tmp_path)
    assert frame["s"].tolist() == parts[0] + parts[1] + parts[2]
    assert frame["v"].tolist() == [*range(500)] * 3
    assert ff.read_parquet(tmp_path, row_groups=[2, 0])["v"].tolist() == [*range(400, 500), *range(200)] * 3


def test_files_whose_types_differ_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": [1, 2]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"v": [1.5]}), tmp_path / "1.parquet")
    with pytest.raises(ff.errors.InvalidData, match="column 'v' has different types in different files"):
        ff.read_parquet(tmp_path)


def test_own_files_keep_the_codes_of_long_dictionaries(tmp_path: Path) -> None:
    texts = [f"a text of some forty bytes, number {row % 40_000:08d}" for row in range(400_000)]
    ff.DataFrame({"s": texts}).to_parquet(tmp_path / "x")
    pages = pq.ParquetFile(tmp_path / "x").metadata.row_group(0).column(0)
    assert pages.total_uncompressed_size < 400_000 * 4 + 2_000_000 + 400_000   # the dictionary, and codes of two bytes
    assert ff.read_parquet(tmp_path / "x")["s"].tolist() == texts


def test_columns_of_all_kinds_keep_the_order_that_was_asked_for(tmp_path: Path) -> None:
    table = _table(nulls=True)
    pq.write_table(table, tmp_path / "x", row_group_size=1000)
    names = ["float64", "many", "flag", "int8", "few", "date", "none", "long"]
    frame = ff.read_parquet(tmp_path / "x", columns=names)
    assert list(frame.columns) == names
    assert all(frame[name].tolist() == table.column(name).to_pylist() for name in names)
    assert len(ff.read_parquet(tmp_path / "x", columns=[])) == ROWS


def test_names_with_dots_and_nested_columns(tmp_path: Path) -> None:
    table = pa.table({"a": [{"b": 1, "c": "x"}, {"b": 2, "c": None}], "a.b": ["p", "q"], "ab": [1.5, 2.5]})
    pq.write_table(table, tmp_path / "x")
    for name in table.column_names:
        assert ff.read_parquet(tmp_path / "x", columns=[name])[name].tolist() == table.column(name).to_pylist()


@pytest.mark.parametrize(("n_distinct", "n_rows", "expected"), [(10, 1000, True), (249, 1000, True), (900, 1000, False), (50, 5000, True)])
def test_repeats_judges_by_distinct_values(n_distinct: int, n_rows: int, expected: bool) -> None:
    assert keys_text.repeats(pa.array([str(row % n_distinct) for row in range(n_rows)])) is expected


def test_repeats_judges_many_rows_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_text, "SEED_ROWS", 1024)
    for n_distinct, expected in ((100, True), (3000, True), (60_000, False), (10**9, False)):
        assert keys_text.repeats(pa.array([str(pick) for pick in RNG.integers(0, n_distinct, 40_000)])) is expected
    assert keys_text.repeats(pa.nulls(5000, pa.string()))


_COLD = """
import sys
from types import SimpleNamespace
import fastframe
from asv_benchmarks.questions.cold import FAMILY
FAMILY.by_name[sys.argv[1]].answers["fastframe"](SimpleNamespace(x=sys.argv[2], keys=sys.argv[3]))
LATE = ("pandas", "pyarrow.compute", "pyarrow.parquet", "pyarrow.fs", "numpy.ma", "numba", "joblib")
OURS = ("fastframe.profiling.block", "fastframe.engines.cpu.window", "fastframe.engines.cpu.topk", "fastframe.engines.cpu.explain")
print([name for name in LATE + OURS if name in sys.modules])
"""


@pytest.mark.parametrize("question", ["c1", "c2", "c3", "c4"])
def test_a_cold_answer_imports_nothing_heavy(tmp_path: Path, question: str) -> None:
    """pyarrow.array alone would import pandas, which takes longer than the answer."""
    from asv_benchmarks import data

    files = data.parquet_files("small", data.Size(20_000), tmp_path)
    paths = [str(files[name]) for name in ("x", "keys")]
    done = subprocess.run([sys.executable, "-c", _COLD, question, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
