"""What frames and series are made of, and what of it they keep."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from tests.frame.compare import assert_same

TABLE = pa.table({"n": [1, None, 3], "s": ["x", None, "z"]})
WANTED = [{"n": 1, "s": "x"}, {"n": None, "s": None}, {"n": 3, "s": "z"}]


@pytest.mark.parametrize("source", [
    {"n": [1, None, 3], "s": ["x", None, "z"]},
    {"n": ff.Series([1, None, 3]), "s": pa.array(["x", None, "z"])},
    {"n": pd.array([1, None, 3], dtype="Int64"), "s": pd.Series(["x", None, "z"])},
    WANTED,
    TABLE,
    TABLE.to_reader(max_chunksize=1),
    pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(0, 0), TABLE.slice(1)]),
    TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    ff.from_arrow(TABLE),
], ids=["lists", "arrays", "pandas arrays", "records", "table", "reader", "chunks", "pandas", "frame"])  # fmt: skip
def test_sources_of_a_frame(source: object) -> None:
    df = ff.DataFrame(source)
    assert list(df.columns) == ["n", "s"]
    assert (df["n"].dtype, df["s"].dtype) == ("int64", "string")
    assert df.to_dict("records") == WANTED
    assert df.index.tolist() == [0, 1, 2]


def test_rows_arrays_and_scalars() -> None:
    assert ff.DataFrame([[1, "x"], [2, "y"]], columns=["n", "s"]).to_dict("list") == {"n": [1, 2], "s": ["x", "y"]}
    assert ff.DataFrame(np.arange(6).reshape(3, 2), columns=["a", "b"]).to_dict("list") == {"a": [0, 2, 4], "b": [1, 3, 5]}
    assert ff.DataFrame(np.array([(1, 2.5)], dtype=[("i", "i8"), ("f", "f8")])).to_dict("list") == {"i": [1], "f": [2.5]}
    assert ff.DataFrame({"a": [1, 2], "b": "x"}).to_dict("list") == {"a": [1, 2], "b": ["x", "x"]}
    assert ff.DataFrame({"a": 7}, index=["r", "s"])["a"].to_dict() == {"r": 7, "s": 7}
    assert ff.DataFrame([1, 2, 3], columns=["n"])["n"].tolist() == [1, 2, 3]
    assert ff.from_numpy(np.ones((2, 1)), ["x"]).to_dict("list") == {"x": [1.0, 1.0]}
    assert ff.from_dict({"b": [1], "a": [2]}, columns=["a", "b"]).columns.tolist() == ["a", "b"]


def test_nothing() -> None:
    for empty in (ff.DataFrame(), ff.DataFrame({}), ff.DataFrame([]), ff.DataFrame(columns=["a"]), ff.DataFrame({"a": []})):
        assert len(empty) == 0
        assert empty.empty
    assert ff.DataFrame(columns=["a", "b"]).shape == (0, 2)
    assert ff.DataFrame(index=[5, 6]).shape == (2, 0)
    assert ff.Series().shape == (0,)
    assert ff.Series([]).dtype == "null"


@pytest.mark.parametrize(("values", "dtype"), [
    ([1, 2], "int64"), ([1, None], "int64"), ([1.5, 2], "float64"), ([True, None], "bool"), (["a", None], "string"), ([b"a"], "binary"),
    ([datetime.date(2020, 1, 1)], "date32"), ([datetime.datetime(2020, 1, 1)], "timestamp[us]"), ([datetime.timedelta(1)], "duration[us]"),
    ([pd.Timestamp(1, unit="ns")], "timestamp[ns]"), ([pd.NaT, pd.Timestamp("2020-01-01")], "timestamp[us]"),
    (np.array([1, 2], "uint8"), "uint8"), (np.array(["a", "b"]), "string"), (np.array(["2020-01-01"], "M8[ns]"), "timestamp[ns]"),
    (range(3), "int64"), (pd.Categorical(["a", "b"]), "category"), (pa.array([1], pa.int8()), "int8"), ((1, 2), "int64"),
])  # fmt: skip
def test_dtypes_of_values(values: object, dtype: str) -> None:
    assert ff.Series(values).dtype == dtype


def test_nanoseconds_of_pandas_stay() -> None:
    stamps = [pd.Timestamp(1_500_000_000_123_456_789, unit="ns"), pd.NaT]
    s = ff.Series(stamps)
    assert s.to_arrow().cast(pa.int64()).to_pylist() == [1_500_000_000_123_456_789, None]
    assert (s == stamps[0]).tolist() == [True, False]
    assert s.isin([stamps[0].floor("us")]).tolist() == [False, False]
    spans = ff.Series([pd.Timedelta(7, unit="ns")])
    assert spans.to_arrow().cast(pa.int64()).to_pylist() == [7]
    zoned = ff.Series([pd.Timestamp(5, unit="ns", tz="UTC")])
    assert zoned.dtype == "timestamp[ns, UTC]"


@pytest.mark.parametrize("index", [
    pd.RangeIndex(3, name="r"), pd.RangeIndex(10, 4, -2), pd.Index(["x", "y", "x"], name="k"), pd.Index([2.5, 1.5, 0.5]),
    pd.date_range("2020-01-01", periods=3, name="day"), pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["k", None]),
], ids=repr)  # fmt: skip
def test_pandas_labels_come_along_and_go_back(index: pd.Index) -> None:
    frame = pd.DataFrame({"n": pd.array([1, None, 3], dtype="int64[pyarrow]")}, index=index)
    for mine in (ff.DataFrame(frame), ff.from_pandas(frame)):
        assert_same(mine, frame)
        back = mine.to_pandas()
        assert back.index.equals(frame.index)
        assert back.index.names == frame.index.names
        assert (type(back.index) is pd.RangeIndex) == (type(index) is pd.RangeIndex)
    series = frame["n"]
    for one in (ff.Series(series), ff.from_pandas(series)):
        assert_same(one, series)
        assert one.to_pandas().index.equals(index)


def test_series_from_a_dict_and_with_labels() -> None:
    assert ff.Series({"a": 1, "b": 2}).to_dict() == {"a": 1, "b": 2}
    s = ff.Series([1, 2], index=pd.Index(["x", "y"], name="k"), name="n", dtype="int8")
    assert (s.name, s.index.name, s.dtype) == ("n", "k", "int8")
    assert s["y"] == 2
    assert ff.Series(s).to_dict() == s.to_dict()
    assert ff.Series(s).name == "n"


def test_series_of_a_dict_are_lined_up() -> None:
    theirs = pd.DataFrame({"a": pd.Series([1.0, 2.0], index=["x", "y"]), "b": pd.Series([3.0, 4.0], index=["y", "z"])})
    mine = ff.DataFrame({"a": ff.Series([1.0, 2.0], index=["x", "y"]), "b": ff.Series([3.0, 4.0], index=["y", "z"])})
    assert_same(mine, theirs)


def test_a_copy_is_independent() -> None:
    df = ff.DataFrame({"n": [1, 2]})
    other, column = df.copy(), df["n"]
    other["n"] = [5, 6]
    column[0] = 9
    assert df["n"].tolist() == [1, 2]
    df.loc[0, "n"] = 7
    assert other["n"].tolist() == [5, 6]
    assert column.tolist() == [9, 2]


def test_columns_named_like_methods_and_attributes() -> None:
    names = ["dtype", "index", "name", "sum", "value", "left", "right", "_table", "class", "", "shape", "columns"]
    df = ff.DataFrame({name: [position, 2] for position, name in enumerate(names)})
    assert df.columns.tolist() == names
    assert all(df[name].tolist() == [position, 2] for position, name in enumerate(names))
    assert (df + df)["dtype"].tolist() == [0, 4]
    assert df[df["dtype"] == 2].shape == (1, len(names))
    assert df.iloc[0]["left"] == 5
    assert df.fillna(0).shape == df.where(df > 1).shape == (2, len(names))
    assert df.groupby("index")["value"].sum().to_dict() == {1: 4, 2: 2}
    assert df.merge(df, on="value").shape == (2, 2 * len(names) - 1)
    assert df.reset_index(names="labels").shape == (2, len(names) + 1)
    assert ff.concat([df, df]).shape == (4, len(names))


def test_index_of_rows_and_names() -> None:
    df = ff.DataFrame({"n": [1, 2, 3]}, index=ff.Index([ff.Series(["x", "y", "x"])._column], ["k"]))
    assert (df.index.name, df.index.nlevels, df.index.is_unique, df.index.dtype) == ("k", 1, False, "string")
    assert df.index[1:].tolist() == ["y", "x"]
    assert df.index[-1] == "x"
    assert "y" in df.index
    assert (df.index == "x").tolist() == [True, False, True]
    assert df.index.equals(["x", "y", "x"])
    two = df.reset_index().set_index(["k", "n"]).index
    assert two[0] == ("x", 1)
    assert two.get_level_values("n").tolist() == [1, 2, 3]
    assert repr(two) == "Index([('x', 1), ('y', 2), ('x', 3)], names=['k', 'n'])"
    assert repr(ff.DataFrame({"a": [1]}).index) == "Index(range(0, 1))"
    assert (df.columns == ["n"]).all()
    assert df.columns.get_loc("n") == 0
    assert df.columns.isin(["n", "m"]).tolist() == [True]
