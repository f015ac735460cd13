"""What a Parquet footer says of its column chunks; and damaged footers and pages are refused or do no harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastframe as ff
from fastframe.io.parquet_footer import chunk_facts
from tests.io.test_damaged_files import ROOT

_DAMAGE = """
import sys, pathlib, faulthandler
faulthandler.enable()
import fastframe as ff
from tests.io.damage import damaged
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.whole")):
    for what, changed in damaged(path.read_bytes(), seed=len(path.name), n_flips=250):
        (path.parent / "damaged").write_bytes(changed)
        try:
            ff.read_parquet(path.parent / "damaged").to_arrow().validate(full=True)
        except (ff.errors.FastFrameError, MemoryError) as error:
            assert str(error), what
print("done")
"""


def _table() -> pa.Table:
    rng = np.random.default_rng(17)
    missing = rng.random(400) < 0.2
    return pa.table({
        "int32": pa.array(rng.integers(0, 40, 400).astype(np.int32), mask=missing),
        "float64": pa.array(rng.integers(0, 40, 400) / 4, mask=missing),
        "text": pa.array([f"value {pick}" for pick in rng.integers(0, 40, 400)], mask=missing),
    })  # fmt: skip


def test_damaged_files_of_small_pages_do_no_harm(tmp_path: Path) -> None:
    for compression in ("snappy", "none"):
        for use_dictionary in (False, True):
            pq.write_table(_table(), tmp_path / f"{compression}{use_dictionary}.whole", compression=compression, use_dictionary=use_dictionary,
                           row_group_size=150, data_page_size=300, write_batch_size=50)  # fmt: skip
    child = subprocess.run([sys.executable, "-c", _DAMAGE, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert child.stdout.strip() == "done", child.stderr[-3000:]


def test_facts_are_those_that_pyarrow_tells(tmp_path: Path) -> None:
    """Every physical type, nested columns, many row groups, key-value metadata, versions and statistics."""
    table = _table()
    table = table.append_column("bool", pa.array([row % 2 == 0 for row in range(400)]))
    table = table.append_column("decimal", pa.array([None, 5] * 200, pa.decimal128(30, 2)))
    table = table.append_column("list", pa.array([[row, None] for row in range(400)]))
    table = table.append_column("struct", pa.array([{"a": row, "b": {"c": "x"}} for row in range(400)]))
    table = table.append_column("float32", pa.array(np.arange(400, dtype=np.float32)))
    table = table.replace_schema_metadata({"some": "thing" * 1000})
    for options in ({}, {"row_group_size": 7}, {"version": "1.0"}, {"data_page_version": "2.0", "compression": "zstd"}, {"use_dictionary": ["text"]},
                    {"write_page_index": True}, {"use_deprecated_int96_timestamps": True}, {"store_schema": False}):  # fmt: skip
        pq.write_table(table, tmp_path / "x", **options)
        metadata = pq.read_metadata(tmp_path / "x")
        found = chunk_facts(str(tmp_path / "x"), metadata)
        assert found.size.shape == (metadata.num_row_groups, metadata.num_columns)
        for group in range(metadata.num_row_groups):
            for leaf in range(metadata.num_columns):
                expected = metadata.row_group(group).column(leaf)
                assert found.has_dictionary[group, leaf] == expected.has_dictionary_page
                assert found.stored[group, leaf] == expected.total_compressed_size
                assert found.size[group, leaf] == expected.total_uncompressed_size
                assert found.n_values[group, leaf] == expected.num_values
    pq.write_table(table.slice(0, 0), tmp_path / "x")
    assert ff.read_parquet(tmp_path / "x", columns=["text", "int32"]).shape == (0, 2)


def test_a_chunk_of_another_type_than_its_schema_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x"
    pq.write_table(pa.table({"n": pa.array([1, 2, 3], pa.int64())}), path, store_schema=False, write_statistics=False)
    content = bytearray(path.read_bytes())
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    chunk = content.index(b"n", content.index(b"n", start) + 1)   # its path, behind type and encodings; the first is the schema's
    place = content.rindex(b"\x15\x04", start, chunk)             # field 1, an i32: INT64
    content[place + 1] = 0x0A                                     # DOUBLE
    path.write_bytes(content)
    assert ff.read_parquet(path)["n"].tolist() == [1, 2, 3]   # by the schema; pyarrow's object of the chunk would end the process


def test_a_row_group_of_fewer_columns_than_the_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    pq.write_table(pa.table({"n": [1, 2], "m": [3, 4]}), path)
    other = tmp_path / "y"
    pq.write_table(pa.table({"n": [1, 2]}), other)
    with pytest.raises(ff.errors.InvalidData, match="describes 2 column chunks, not 1 row groups of 1 columns"):
        chunk_facts(str(path), pq.read_metadata(other))
