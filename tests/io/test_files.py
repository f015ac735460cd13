"""Files: what is written comes back, and the readers' arguments do what pandas' do."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastframe as ff
from fastframe import testing

DTYPES = [name for name in testing.DTYPES if not name.startswith(("list", "struct"))]


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("sliced", [False, True])
def test_round_trip_of_every_dtype(tmp_path: Path, kind: str, sliced: bool) -> None:
    table = testing.table(200, DTYPES, nulls="some", sliced=sliced)
    frame = ff.DataFrame(table)
    getattr(frame, f"to_{kind}")(tmp_path / "x")
    back = getattr(ff, f"read_{kind}")(tmp_path / "x")
    expected = frame.to_arrow()
    for name in expected.column_names:
        given, found = expected.column(name), back.to_arrow().column(name)
        assert found.cast(given.type).equals(given) or found.to_pylist() == given.to_pylist(), name


def test_empty_and_columnless_frames(tmp_path: Path) -> None:
    frame = ff.DataFrame({"a": [1, 2], "s": ["x", None]}).head(0)
    for kind in ("parquet", "feather", "csv"):
        getattr(frame, f"to_{kind}")(tmp_path / kind)
        back = getattr(ff, f"read_{kind}")(tmp_path / kind)
        assert back.shape == (0, 2)
    assert ff.read_parquet(tmp_path / "parquet").dtypes["a"] == "int64"


def test_parquet_columns_files_globs_and_row_groups(tmp_path: Path) -> None:
    for part in range(3):
        ff.DataFrame({"a": range(part * 10, part * 10 + 10), "s": ["x"] * 10}).to_parquet(tmp_path / f"p{part}.parquet", row_group_size=4)
    assert ff.read_parquet(str(tmp_path / "p*.parquet"), columns=["a"])["a"].tolist() == list(range(30))
    assert ff.read_parquet(tmp_path)["a"].sum() == sum(range(30))
    assert ff.read_parquet([tmp_path / "p2.parquet", tmp_path / "p0.parquet"])["a"].iloc[0] == 20
    assert ff.read_parquet(tmp_path / "p0.parquet", row_groups=[1])["a"].tolist() == [4, 5, 6, 7]
    none = ff.read_parquet(tmp_path / "p0.parquet", row_groups=[])
    assert (none.shape, none.dtypes["a"], none.dtypes["s"]) == ((0, 2), "int64", "string")
    with ff.option_context(threads=1):   # the other way to share the work
        assert ff.read_parquet(str(tmp_path / "p*.parquet"))["a"].tolist() == list(range(30))
    assert ff.read_parquet(str(tmp_path / "p*.parquet"), filters=[("a", ">", 25)])["a"].tolist() == [26, 27, 28, 29]
    with pytest.raises(ff.errors.ColumnNotFound, match=r"no column 'aa'\. Did you mean 'a'"):
        ff.read_parquet(tmp_path / "p0.parquet", columns=["aa"])
    ff.DataFrame({"other": [1]}).to_parquet(tmp_path / "q.parquet")
    with pytest.raises(ff.errors.InvalidData, match="differ"):
        ff.read_parquet([tmp_path / "p0.parquet", tmp_path / "q.parquet"])


def test_parquet_text_stays_encoded_only_where_its_writer_encoded_it(tmp_path: Path) -> None:
    rows = 20_000
    table = pa.table({"few": [f"k{row % 5}" for row in range(rows)], "many": [f"value number {row}" for row in range(rows)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=3000)
    frame = ff.read_parquet(tmp_path / "x.parquet")
    assert frame["few"]._column.is_encoded
    assert not frame["many"]._column.is_encoded
    assert (frame.dtypes["few"], frame.dtypes["many"]) == ("string", "string")
    assert frame.to_arrow().equals(table)


def test_parquet_with_labels(tmp_path: Path) -> None:
    frame = ff.DataFrame({"k": ["a", "b"], "v": [1, 2]}).set_index("k")
    frame.to_parquet(tmp_path / "x")
    assert list(ff.read_parquet(tmp_path / "x").columns) == ["k", "v"]
    frame.to_parquet(tmp_path / "x", index=False)
    assert list(ff.read_parquet(tmp_path / "x").columns) == ["v"]


CSV = "id,price,when,flag,name\n1,2.5,2013-01-01 05:15:00,True,ann\n2,NA,2013-01-02 06:00:00,False,\n3,1e3,,True,\"a,b\"\n"


def test_csv_reads_what_pandas_reads(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(CSV)
    frame, expected = ff.read_csv(path), pd.read_csv(path, parse_dates=["when"])
    assert list(frame.columns) == list(expected.columns)
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["price"].tolist() == [2.5, None, 1000.0]
    assert frame["name"].tolist() == ["ann", None, "a,b"]
    assert frame["flag"].tolist() == [True, False, True]
    assert frame["when"].tolist() == [datetime.datetime(2013, 1, 1, 5, 15), datetime.datetime(2013, 1, 2, 6), None]


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zip"])
def test_csv_compressed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    if suffix.endswith("gz"):
        path.write_bytes(gzip.compress(CSV.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.csv", CSV)
    assert ff.read_csv(path)["id"].tolist() == [1, 2, 3]


def test_csv_arguments(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("# comment\na;b;c\n1;2,5;x\n2;?;y\n")
    frame = ff.read_csv(path, sep=";", skiprows=1, decimal=",", na_values="?", dtype={"a": "int16"}, usecols=["a", "b"])
    assert frame.to_dict("list") == {"a": [1, 2], "b": [2.5, None]}
    assert frame.dtypes["a"] == "int16"
    plain = ff.read_csv(io.StringIO("1,2\n3,4\n"), header=None)
    assert list(plain.columns) == ["0", "1"]
    named = ff.read_csv(io.StringIO("1,2\n3,4\n"), names=["p", "q"], index_col="p")
    assert named["q"].to_dict() == {1: 2, 3: 4}
    assert ff.read_csv(io.StringIO("a\n1\n2\n3\n"), nrows=2)["a"].tolist() == [1, 2]
    with pytest.raises(ff.errors.ArgumentError, match=r"Did you mean 'skiprows'"):
        ff.read_csv(path, skip_rows=1)
    with pytest.raises(ff.errors.ColumnNotFound, match="not all of the columns 'z' are in"):
        ff.read_csv(io.StringIO("a,b\n1,2\n"), usecols=["z"])


def test_csv_that_is_not_text_is_refused() -> None:
    with pytest.raises(ff.errors.InvalidData, match=r"column 'a' is not utf8 text; pass encoding="):
        ff.read_csv(io.BytesIO(b"a\n\xff\n"))
    assert ff.read_csv(io.BytesIO(b"a\n\xe9\n"), encoding="latin-1")["a"].tolist() == ["é"]


def test_csv_out(tmp_path: Path) -> None:
    frame = ff.DataFrame({"a": [1, None], "x": [0.5, float("nan")], "s": ['say "hi"', "p,q"]})
    text = frame.to_csv()
    assert text is not None
    expected = frame.to_pandas()
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text), dtype={"a": "Int64"}), expected, check_dtype=False)
    frame.to_csv(tmp_path / "x.csv", sep=";")
    assert ff.read_csv(tmp_path / "x.csv", sep=";")["s"].tolist() == frame["s"].tolist()
    category = ff.DataFrame({"c": ["u", "v"]}).astype({"c": "category"})
    assert category.to_csv() == '"c"\n"u"\n"v"\n'


def test_decimals_and_numpy_times_survive(tmp_path: Path) -> None:
    frame = ff.DataFrame({"d": [decimal.Decimal("1.10"), None], "t": np.array(["2013-01-01T00:00:00.123456789", "NaT"], "datetime64[ns]")})
    frame.to_parquet(tmp_path / "x")
    assert ff.read_parquet(tmp_path / "x").to_arrow().equals(frame.to_arrow())
