"""What differs from pandas on purpose: one test per row of the table in docs/coming_from_pandas.md, named after its id."""

from __future__ import annotations

import datetime
import io
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.frame.row import Row

DOC = Path(__file__).parents[2] / "docs" / "coming_from_pandas.md"


def test_every_row_of_the_table_has_a_test() -> None:
    ids = re.findall(r"^\| ([a-z0-9-]+) \|", DOC.read_text().partition("## What differs on purpose")[2].partition("\n## ")[0], flags=re.MULTILINE)
    rows = [one for one in ids if one != "id" and set(one) != {"-"}]
    tests = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")} - {"every-row-of-the-table-has-a-test"}
    assert len(rows) == len(set(rows)) > 10
    assert set(rows) == tests


def test_ints_stay_ints() -> None:
    ints, bools = ff.Series([1, None]), ff.Series([True, None])
    assert (ints.dtype, bools.dtype) == ("int64", "bool")
    assert (ints + 1).dtype == ints.shift(1).dtype == ints.where(ints > 5).dtype == "int64"
    assert (ints + 1).tolist() == [2, None]
    assert pd.Series([1, None]).dtype == "float64"
    joined = ff.DataFrame({"k": [1, 2]}).merge(ff.DataFrame({"k": [1], "n": [7]}), how="left")
    assert joined["n"].dtype == "int64"
    assert joined["n"].tolist() == [7, None]


def test_missing_result_is_null() -> None:
    assert ff.Series([1.5, float("nan")]).isna().tolist() == [False, True]   # NaN from outside counts as missing
    assert ff.Series([], dtype="float64").mean() is None
    assert np.isnan(pd.Series([], dtype="float64").mean())
    shifted = ff.Series([1.5, 2.5]).shift(1).to_arrow()
    assert shifted.null_count == 1
    assert ff.Series([datetime.datetime(2020, 1, 1)]).shift(1).tolist() == [None]


def test_comparison_with_missing() -> None:
    s = ff.Series([1, None])
    assert (s == 1).tolist() == [True, False]
    assert (s != 1).tolist() == [False, True]
    assert (s < 5).tolist() == [True, False]
    assert (s == s).tolist() == [True, False]
    assert (s > 0).to_arrow().null_count == 0
    assert (pd.Series([1, None], dtype="Int64") == 1).tolist() == [True, pd.NA]


def test_integer_overflow_raises() -> None:
    s = ff.Series([2**63 - 1, 2], name="n")
    with pytest.raises(OverflowError, match=r"sum of column 'n' .* The exact total is 9223372036854775809"):
        s.sum()
    with pytest.raises(OverflowError, match="add of column 'n'"):
        s + 1
    assert ff.Series([2**63 - 1, 1, -1]).sum() == 2**63 - 1   # the total counts, no partial sum
    assert (pd.Series([2**63 - 1]) + 1).tolist() == [-(2**63)]


def test_integer_division_by_zero() -> None:
    s = ff.Series([7, -7])
    assert (s // 0).tolist() == (s % 0).tolist() == [None, None]
    assert (s // 0).dtype == (s % 0).dtype == "int64"
    assert (s / 0).tolist() == [float("inf"), float("-inf")]
    assert (pd.Series([7]) // 0).tolist() == [float("inf")]


def test_lossy_cast_raises() -> None:
    with pytest.raises(ff.errors.LossyCast, match=r"1\.5"):
        ff.Series([1.5]).astype("int64")
    with pytest.raises(ff.errors.LossyCast, match="300"):
        ff.Series([300]).astype("int8")
    assert ff.Series([1.5]).astype("int64", safe=False).tolist() == [1]
    assert ff.Series([2.0]).astype("int64").tolist() == [2]
    assert pd.Series([300]).astype("int8").tolist() == [44]


def test_setitem_keeps_dtype() -> None:
    s = ff.Series([1, 2], name="n")
    with pytest.raises(ff.errors.LossyCast, match=r"1\.5 does not fit dtype int64 of column 'n'"):
        s[0] = 1.5
    s[0] = 7.0
    assert s.dtype == "int64"
    assert s.tolist() == [7, 2]
    df = ff.DataFrame({"n": [1, 2]})
    with pytest.raises(ff.errors.LossyCast):
        df.loc[0, "n"] = "x"
    df["n"] = ["x", "y"]   # a whole column is another column
    assert df["n"].dtype == "string"


def test_no_enlargement() -> None:
    df, s = ff.DataFrame({"n": [1]}), ff.Series([1])
    with pytest.raises(ff.errors.LabelNotFound):
        df.loc[5] = 2
    with pytest.raises(ff.errors.LabelNotFound):
        s.loc[5] = 2
    assert (len(df), len(s)) == (1, 1)


def test_bools_add_as_ints() -> None:
    s = ff.Series([True, False, None])
    assert (s + s).tolist() == [2, 0, None]
    assert (s + s).dtype == "int64"
    assert (s | s).dtype == "bool"
    assert (pd.Series([True]) + pd.Series([True])).tolist() == [True]


def test_loc_keeps_levels() -> None:
    df = ff.DataFrame({"k": ["x", "x", "y"], "l": [1, 2, 1], "n": [1, 2, 3]}).set_index(["k", "l"])
    assert df.loc["x"].index.tolist() == [("x", 1), ("x", 2)]
    assert df.loc[("y", 1), "n"] == 3


def test_column_names_are_text() -> None:
    df = ff.DataFrame({0: [1], 2.5: [2]})
    assert list(df.columns) == ["0", "2.5"]
    assert df[0].tolist() == df["0"].tolist() == [1]
    assert list(ff.DataFrame(np.zeros((1, 2))).columns) == ["0", "1"]
    assert list(ff.DataFrame(pd.DataFrame(np.zeros((1, 2)))).columns) == ["0", "1"]


def test_no_column_multiindex() -> None:
    found = ff.DataFrame({"k": [1, 1], "v": [2, 3]}).groupby("k").agg({"v": ["sum", "max"]})
    assert list(found.columns) == ["v_sum", "v_max"]
    with pytest.raises(TypeError, match="several levels"):
        ff.DataFrame(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_groupby_sort_none() -> None:
    df = ff.DataFrame({"k": [2, 1, 2], "v": [1, 2, 3]})
    once = df.groupby("k", sort=None)["v"].sum()
    assert once.to_dict() == {2: 4, 1: 2}
    with ff.option_context(threads=1):
        assert df.groupby("k", sort=None)["v"].sum().to_arrow().equals(once.to_arrow())


def test_category_from_dictionary() -> None:
    data = pa.table({"c": pa.array(["a", "b", "a"]).dictionary_encode()})
    assert ff.from_arrow(data)["c"].dtype == "category"
    held = ff.from_arrow(data, encodings=True)["c"]
    assert held.dtype == "string"
    assert held.tolist() == ["a", "b", "a"]
    assert held.to_arrow().type == pa.string()


def test_row_of_mixed_dtypes() -> None:
    row = ff.DataFrame({"n": [1], "s": ["x"]}).iloc[0]
    assert isinstance(row, Row)
    assert dict(row) == {"n": 1, "s": "x"}
    assert (row["n"], row.s, row[0]) == (1, "x", 1)
    with pytest.raises(TypeError):
        row["n"] = 2  # type: ignore[index]
    assert pd.DataFrame({"n": [1], "s": ["x"]}).iloc[0].dtype == object


def test_reduction_needs_common_dtype() -> None:
    df = ff.DataFrame({"n": [1], "s": ["x"]})
    with pytest.raises(ff.errors.DTypeError, match="no common dtype for one series"):
        df.max()
    assert df.max(numeric_only=True).to_dict() == {"n": 1}
    assert pd.DataFrame({"n": [1], "s": ["x"]}).max().dtype == object


def test_dtypes_is_a_row() -> None:
    found = ff.DataFrame({"n": [1], "s": ["x"]}).dtypes
    assert isinstance(found, Row)
    assert found["n"] == "int64"
    assert found.s == "string"


def test_value_counts_ties() -> None:
    values = ["d", "a", "c", "b", "a", "d"] * 300
    with ff.option_context(threads=2):
        assert ff.Series(values).value_counts().index.tolist() == ["d", "a", "c", "b"]


def test_index_not_written(tmp_path: Path) -> None:
    df = ff.DataFrame({"n": [1, 2]}, index=["x", "y"])
    assert df.to_csv() == '"n"\n1\n2\n'
    named = df.copy()
    named.index = pd.Index(["x", "y"], name="key")
    assert named.to_csv() == '"key","n"\n"x",1\n"y",2\n'
    assert df.to_csv(index=True) == '"index","n"\n"x",1\n"y",2\n'
    assert pd.DataFrame({"n": [1, 2]}).to_csv() == ",n\n0,1\n1,2\n"
    df.to_parquet(tmp_path / "n.parquet")
    assert ff.read_parquet(tmp_path / "n.parquet").columns.tolist() == ["n"]


def test_csv_times_are_read() -> None:
    text = "d,t,z,c\n2024-01-02,2024-01-02 03:04:05,2024-01-02T03:04:05Z,03:04:05\n"
    assert list(ff.read_csv(io.BytesIO(text.encode())).dtypes.values()) == ["date32", "timestamp[s]", "timestamp[s, UTC]", "time32[s]"]
    assert ff.read_csv(io.BytesIO(text.encode()), dtype={"t": "string"})["t"].tolist() == ["2024-01-02 03:04:05"]
    assert set(map(str, pd.read_csv(io.StringIO(text)).dtypes)) == {"str"}


@pytest.mark.parametrize("method", ["sort_values", "sort_index", "fillna", "dropna", "drop", "rename", "set_index", "reset_index", "drop_duplicates"])
def test_no_inplace(method: str) -> None:
    df = ff.DataFrame({"n": [2, 1]})
    with pytest.raises(ff.errors.UnsupportedOperation, match=rf"DataFrame.{method}\(inplace=True\) is not supported.* assign the result"):
        getattr(df, method)("n", inplace=True)
    with pytest.raises(NotImplementedError, match="assign the result"):
        df["n"].sort_values(inplace=True)


def test_sort_is_stable() -> None:
    n = 5000
    df = ff.DataFrame({"k": np.arange(n) % 3, "row": np.arange(n)})
    for ascending in (True, False):
        found = df.sort_values("k", ascending=ascending)
        assert all(np.diff(found["row"].to_numpy()[found["k"].to_numpy() == k]).min() > 0 for k in range(3))


def test_rows_per_table() -> None:
    with pytest.raises(ff.errors.ShapeError, match="2147483647"):
        ff.DataFrame(index=range(2**31))
    assert len(ff.DataFrame(index=range(2**31 - 1))) == 2**31 - 1


def test_regex_is_re2() -> None:
    s = ff.Series(["ab1", "b"])
    assert s.str.contains(r"^[a-z]+\d").tolist() == [True, False]
    for pattern in (r"a(?=b)", r"(a)\1"):
        with pytest.raises(ff.errors.FastFrameError):
            s.str.contains(pattern)
        assert re.compile(pattern)


def test_dates() -> None:
    types = [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns", "UTC"), pa.time32("s"), pa.duration("us"), pa.decimal128(9, 2)]
    df = ff.from_arrow(pa.table({str(kind): pa.nulls(2, kind) for kind in types}))
    assert [df.to_arrow().schema.field(str(kind)).type for kind in types] == types
    assert (ff.Series([Decimal("1.10")]) + Decimal("2.05")).tolist() == [Decimal("3.15")]
    assert ff.Series([datetime.date(2020, 2, 29)]).dtype == "date32"


def test_row_functions_refused() -> None:
    df = ff.DataFrame({"n": [1]})
    for call in (lambda: df.apply(len), lambda: df["n"].apply(abs)):
        with pytest.raises(ff.errors.UnsupportedOperation, match=r"Use \.map"):
            call()
    with pytest.raises(ff.errors.JITError, match="lambda x: abs"):   # compiled, never called by the interpreter unless asked to
        df["n"].map(abs)
    assert df["n"].map(lambda x: abs(x)).tolist() == df["n"].map(abs, engine="python").tolist() == [1]


def test_window_outside_groups() -> None:
    data = {"k": ["a", None, "a"], "v": [1, 2, 3]}
    ours, theirs = ff.DataFrame(data).groupby("k")["v"], pd.DataFrame(data).groupby("k")["v"]
    assert ours.shift(1, fill_value=7).tolist() == [7, None, 1]
    assert theirs.shift(1, fill_value=7).tolist() == [7, 7, 1]
    assert ours.shift(0).tolist() == [1, None, 3]
    assert theirs.shift(0).tolist() == [1, 2, 3]


def test_outer_merge_missing_last() -> None:
    day = datetime.datetime(2020, 1, 1)
    left, right = {"k": [None, day], "a": [1, 2]}, {"k": [day], "b": [3]}
    assert ff.DataFrame(left).merge(ff.DataFrame(right), how="outer")["k"].tolist() == [day, None]
    assert pd.DataFrame(left).merge(pd.DataFrame(right), how="outer")["k"].isna().tolist() == [True, False]


def test_merge_keys_exact() -> None:
    left, right = {"k": [2**53 + 1]}, {"k": [float(2**53)]}
    assert len(pd.DataFrame(left).merge(pd.DataFrame(right))) == 1
    with pytest.raises(ff.errors.MergeError, match="integers beyond"):
        ff.DataFrame(left).merge(ff.DataFrame(right))


def test_concat_needs_common_dtype() -> None:
    assert pd.concat([pd.Series([1]), pd.Series(["x"])]).dtype == object
    with pytest.raises(ff.errors.DTypeError, match="not defined between int64 and string"):
        ff.concat([ff.Series([1]), ff.Series(["x"])])
    with pytest.raises(ff.errors.DTypeError, match="cannot stand in one index"):
        ff.concat([ff.Series([1], index=["a"]), ff.Series([1], index=[2])])


def test_aggregations_of_numbers() -> None:
    assert pd.Series(["a", "b"]).sum() == "ab"
    for verb in (lambda: ff.Series(["a", "b"]).sum(), lambda: ff.Series([datetime.datetime(2020, 1, 1)]).std()):
        with pytest.raises(ff.errors.DTypeError, match="is not defined for dtype"):
            verb()


def test_windows_keep_dtypes() -> None:
    s = ff.Series([1, None, 3])
    assert [getattr(s.rolling(2, 1), one)().dtype for one in ("sum", "count", "min", "max", "mean")] == ["int64"] * 4 + ["float64"]
    assert s.rolling(2, 1).sum().tolist() == [1, 1, 3]
    days = ff.Series([datetime.date(2020, 1, 2), datetime.date(2020, 1, 1)])
    assert days.rolling(2, 1).min().tolist() == [datetime.date(2020, 1, 2), datetime.date(2020, 1, 1)]
    assert pd.Series([1, 3]).rolling(2, 1).sum().dtype == "float64"


def test_windows_count_infinities() -> None:
    values = [1.0, float("inf"), 2.0, 3.0]
    assert ff.Series(values).rolling(2).sum().tolist() == [None, float("inf"), float("inf"), 5.0]
    assert pd.Series(values).rolling(2).sum().isna().tolist() == [True, True, True, False]


def test_group_nlargest_of_values() -> None:
    data = {"k": [1, 1, 2], "v": [None, 2.0, None]}
    assert ff.DataFrame(data).groupby("k")["v"].nlargest(2).tolist() == [2.0]
    assert pd.DataFrame(data).groupby("k")["v"].nlargest(2).isna().tolist() == [False, True, True]
    assert ff.DataFrame(data)["v"].nlargest(2).isna().tolist() == [False, True]   # of a whole column, as in pandas


def test_describe_of_numbers() -> None:
    days = [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 3), datetime.datetime(2024, 1, 3)]
    found = ff.Series(days).describe()
    assert found.index.tolist() == ["count", "unique", "top", "freq"]
    assert found.tolist() == ["3", "2", "2024-01-03 00:00:00", "2"]
    assert list(ff.DataFrame({"t": days, "n": [1, 2, 3]}).describe().columns) == ["n"]
    assert pd.Series(days).describe()["mean"] == pd.Timestamp("2024-01-02 08:00")


def test_numpy_functions_of_narrow_integers() -> None:
    for dtype, narrow in (("int8", "float16"), ("int16", "float32"), ("int64", "float64")):
        assert np.sqrt(ff.Series([2, 3], dtype=dtype)).dtype == "float64"
        assert np.sqrt(pd.Series([2, 3], dtype=dtype)).dtype == narrow
