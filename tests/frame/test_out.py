"""Out of fastframe: Arrow, pandas, NumPy, Python values, pickles, and what a frame looks like."""

from __future__ import annotations

import html
import io
import pickle
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe.testing import DTYPES, NULLS, column, table
from tests.frame.compare import assert_same


def mixed(n_rows: int, nulls: str = "some", *, sliced: bool = True) -> ff.DataFrame:
    """A frame with a column of every dtype."""
    return ff.DataFrame(table(n_rows, nulls=nulls, sliced=sliced))


# ---- Arrow, pandas, NumPy, Python ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("n_rows", [0, 1, 67])
def test_arrow_there_and_back(nulls: str, n_rows: int) -> None:
    df = mixed(n_rows, nulls)
    for out in (df.to_arrow(), pa.table(df), pa.RecordBatchReader.from_stream(df).read_all()):
        out.validate(full=True)
        assert out.column_names == list(DTYPES)
        assert out.equals(ff.from_arrow(out).to_arrow())
        assert [ff.from_arrow(out)[name].dtype for name in DTYPES] == [df[name].dtype for name in DTYPES]
    assert pa.schema(df) == df.to_arrow().schema
    for name in DTYPES:
        assert pa.array(df[name]).equals(df[name].to_arrow())
        assert pa.chunked_array(df[name]).combine_chunks().equals(df[name].to_arrow())


def test_arrow_shares_memory() -> None:
    array = pa.array(range(1000))
    df = ff.from_arrow(pa.table({"n": array}))
    assert df.to_arrow()["n"].chunk(0).buffers()[1].address == array.buffers()[1].address
    assert df["n"].iloc[10:20].to_numpy().ctypes.data == array.buffers()[1].address + 80
    assert df.assign(m=1)["n"].to_arrow().buffers()[1].address == array.buffers()[1].address


def test_arrow_with_labels() -> None:
    df = ff.DataFrame({"k": ["x", "y"], "n": [1, 2]}).set_index("k")
    assert df.to_arrow().column_names == ["n"]
    assert df.to_arrow(index=True).column_names == ["k", "n"]
    assert ff.DataFrame(index=range(3)).to_arrow(index=True).num_rows == 3
    assert ff.DataFrame(index=range(3)).to_arrow().num_columns == 0


@pytest.mark.parametrize("nulls", ["none", "some"])
def test_pandas_there_and_back(nulls: str) -> None:
    df = mixed(23, nulls)
    back = ff.DataFrame(df.to_pandas())
    assert back.index.tolist() == df.index.tolist()
    for name in DTYPES:
        assert back[name].tolist() == df[name].tolist()
    ints = df.to_pandas()["int32"]
    assert str(ints.dtype) == ("int32" if nulls == "none" else "Int32")
    taken = df.iloc[[5, 3]]
    assert taken.to_pandas().index.tolist() == [5, 3]
    assert_same(taken["int64"], taken["int64"].to_pandas())


def test_pandas_labels() -> None:
    df = ff.DataFrame({"k": ["x", "y"], "l": [1, None], "n": [1, 2]}).set_index(["k", "l"])
    found = df.to_pandas()
    assert found.index.names == ["k", "l"]
    assert found.loc[("x", 1), "n"] == 1
    assert isinstance(ff.DataFrame({"n": [1]}).to_pandas().index, pd.RangeIndex)


def test_numpy() -> None:
    df = ff.DataFrame({"i": [1, 2], "f": [0.5, None], "b": [True, False]})
    assert df[["i", "f"]].to_numpy().dtype == np.float64
    np.testing.assert_array_equal(df[["i", "f"]].to_numpy(), [[1, 0.5], [2, np.nan]])
    assert df[["i"]].to_numpy().dtype == np.int64
    assert df.to_numpy().shape == np.asarray(df).shape == df.values.shape == (2, 3)
    assert ff.DataFrame(index=range(3)).to_numpy().shape == (3, 0)
    assert np.asarray(df["i"], dtype="float32").dtype == np.float32
    assert ff.Series([1, None]).to_numpy().dtype == np.float64
    assert ff.Series(["a", None]).to_numpy().tolist() == ["a", None]
    assert ff.Series(["a", None]).to_numpy().dtype == object
    assert ff.Series([pd.Timestamp("2020-01-01"), None]).to_numpy().dtype.kind == "M"
    assert np.sqrt(df["i"].to_numpy()).tolist() == np.sqrt([1, 2]).tolist()


def test_matrix() -> None:
    df = ff.DataFrame({"i": [1, None], "b": [True, False], "c": pd.Categorical(["y", None], categories=["x", "y"]), "s": ["a", "b"]})
    found = df.to_matrix(["b", "i", "c"])
    assert (found.dtype, found.flags.f_contiguous) == (np.float32, True)
    np.testing.assert_array_equal(found, np.array([[1, 1, 1], [0, np.nan, np.nan]], np.float32))
    assert df.to_matrix(["i"], dtype="float64").dtype == np.float64
    assert df.to_matrix([]).shape == (2, 0)
    assert df.head(0).to_matrix(["i"]).shape == (0, 1)
    with pytest.raises(ff.errors.ArgumentError, match="float32"):
        df.to_matrix(["i"], dtype="int64")


def test_python_values() -> None:
    df = ff.DataFrame({"n": [1, None], "s": ["x", "y"]}, index=["p", "q"])
    assert df.to_dict() == {"n": {"p": 1, "q": None}, "s": {"p": "x", "q": "y"}}
    assert df.to_dict("list") == {"n": [1, None], "s": ["x", "y"]}
    assert df.to_dict("records") == [{"n": 1, "s": "x"}, {"n": None, "s": "y"}]
    assert df.to_dict("series")["n"].to_dict() == {"p": 1, "q": None}
    assert [label for label, _ in df.iterrows()] == ["p", "q"]
    assert next(iter(df.itertuples())) == ("p", 1, "x")
    assert next(iter(df.itertuples(index=False, name=None))) == (1, "x")
    assert ff.DataFrame(index=range(2)).to_dict("records") == [{}, {}]


def test_info_and_memory() -> None:
    df = ff.DataFrame({"n": [1, None], "f": [float("nan"), 1.5]})
    stream = io.StringIO()
    df.info(buf=stream)
    text = stream.getvalue()
    assert "2 rows, 2 columns" in text
    assert re.search(r"n +1 +int64", text)
    assert re.search(r"f +1 +float64", text)
    sizes = df.memory_usage()
    assert sizes.index.tolist() == ["Index", "n", "f"]
    assert sizes["f"] == 16
    assert sizes["Index"] == 0   # a range holds nothing
    assert df["f"].memory_usage() == 16


# ---- pickles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("nulls", ["none", "some", "all"])
def test_pickles(protocol: int, nulls: str) -> None:
    df = mixed(40, nulls).iloc[3:30]
    back = pickle.loads(pickle.dumps(df, protocol))
    assert back.to_arrow().equals(df.to_arrow())
    assert back.index.tolist() == df.index.tolist()
    assert [back[name].dtype for name in DTYPES] == [df[name].dtype for name in DTYPES]
    named = ff.Series([1, 2], index=["x", "y"], name="n")
    named.index = pd.Index(["x", "y"], name="k")
    again = pickle.loads(pickle.dumps(named, protocol))
    assert (again.name, again.index.name, again.to_dict()) == ("n", "k", {"x": 1, "y": 2})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_slice_is_pickled_without_its_parent(dtype: str, protocol: int) -> None:
    n = 200_000
    parent = ff.DataFrame({"x": ff.from_arrow(pa.table({"x": column(dtype, n, nulls="some").array}))["x"]})
    assert parent["x"].nunique() > 1   # facts are cached, and stay here
    part = parent.iloc[n - 100 : n - 90]
    shipped = pickle.dumps(part, protocol)
    assert len(shipped) < 6_000
    back = pickle.loads(shipped)
    assert back["x"].tolist() == part["x"].tolist()
    assert back.index.tolist() == list(range(n - 100, n - 90))


def test_buffers_of_a_slice_go_out_of_band() -> None:
    n = 100_000
    buffers: list[pickle.PickleBuffer] = []
    part = ff.DataFrame({"x": np.arange(n)}).iloc[10:1010]
    head = pickle.dumps(part, 5, buffer_callback=buffers.append)
    assert len(head) < 3_000
    assert sum(memoryview(one).nbytes for one in buffers) < 9_000
    assert pickle.loads(head, buffers=buffers)["x"].tolist() == list(range(10, 1010))


# ---- what it looks like --------------------------------------------------------------------------------------------------


def test_terminal() -> None:
    df = ff.DataFrame({"n": [1, None], "f": [0.5, float("nan")], "s": ["x", "a\nb"]}, index=["p", "q"])
    assert repr(df) == (
        "       n        f       s\n"
        "   int64  float64  string\n"
        "p      1      0.5       x\n"
        "q   null      NaN    a\\nb\n"
        "\n"
        "[2 rows x 3 columns]"
    )
    assert repr(df["n"]) == "p     1\nq  null\nName: n, Length: 2, dtype: int64"
    assert repr(ff.DataFrame()) == "DataFrame without columns\n[0 rows x 0 columns]"
    assert repr(df.iloc[0]) == "n    1\nf    0.5\ns    x\nName: p"


@pytest.mark.parametrize("n_rows", [0, 1, 10, 11, 1000])
def test_terminal_shows_few_rows(n_rows: int) -> None:
    df = mixed(n_rows, sliced=True)
    lines = repr(df).splitlines()
    assert lines[-1] == f"[{n_rows} rows x {len(DTYPES)} columns]"
    assert len(lines) == 4 + min(n_rows, 11)
    assert len(repr(df["string"]).splitlines()) == 1 + min(n_rows, 11)
    assert repr(df.head(0))


def test_options_of_the_display() -> None:
    df = ff.DataFrame({f"c{number}": [number] * 50 + [10**9] for number in range(30)})
    with ff.option_context(max_rows=4, max_columns=2):
        text = repr(df)
        assert len(text.splitlines()) == 2 + 5 + 2
        assert "c0" in text
        assert "c29" in text
        assert "c15" not in text
    assert ff.options.max_rows == 10
    with ff.option_context(max_width=5):
        assert "abcd…" in repr(ff.Series(["abcdefghij"]))
    with pytest.raises(RuntimeError, match="inside"), ff.option_context(max_rows=3, threads=1):
        raise RuntimeError("inside")
    assert (ff.options.max_rows, ff.options.threads) == (10, None)
    with pytest.raises(ff.errors.ArgumentError, match="max_rows"), ff.option_context(max_row=3):
        pass


EVIL = "<script>alert(1)</script>"


def test_notebook_escapes() -> None:
    df = ff.DataFrame({EVIL: ["<b>x</b>", "a & b"], "n": [1, None]}, index=["<i>", '"q"'])
    df.index = pd.Index(["<i>", '"q"'], name="<u>k</u>")
    with ff.option_context(max_width=100):
        text = df._repr_html_()
    assert "<script" not in text
    assert html.escape(EVIL) in text
    for raw in ("<b>", "<i>", "<u>", "a & b"):
        assert raw not in text
        assert html.escape(raw) in text
    assert "2 rows × 2 columns" in text
    assert "<script" not in df[EVIL]._repr_html_()
    assert "<b>" not in df[EVIL]._repr_html_()
    assert "<script" not in ff.Series(pd.Categorical([EVIL]))._repr_html_()


def test_notebook_of_edge_frames() -> None:
    for df in (ff.DataFrame(), ff.DataFrame(index=range(3)), ff.DataFrame({"a": []}), ff.DataFrame({"a": [None]})):
        assert "columns</p>" in df._repr_html_()


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = repr(ff.DataFrame({"a\x1b[31m": ["x\x1b[2Jy", "a\x00b"]}))
    assert "\x1b" not in text
    assert "\x00" not in text
