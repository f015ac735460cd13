"""Data from outside: every type is held or refused, damaged memory is refused, writable memory is not trusted."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fastframe as ff
from fastframe import dtypes
from fastframe.column import arrow as intake
from fastframe.column.arrow import column_from, column_from_arrow, contiguous, view_bytes

STAMP = datetime.datetime(2013, 1, 1, 5)
VALUES: list[tuple[pa.DataType, list[Any], str]] = [
    (pa.int8(), [1, None, -3], "int8"),
    (pa.uint64(), [2**64 - 1, None, 0], "uint64"),
    (pa.float16(), [np.float16(0.5), None, np.float16(2)], "float16"),
    (pa.float64(), [0.5, None, float("inf")], "float64"),
    (pa.bool_(), [True, None, False], "bool"),
    (pa.string(), ["a", None, "é\0x"], "string"),
    (pa.large_string(), ["a", None, ""], "string"),
    (pa.string_view(), ["a", None, "longer than twelve bytes"], "string"),
    (pa.binary(), [b"a", None, b"\xff"], "binary"),
    (pa.binary_view(), [b"a", None, b"\xff"], "binary"),
    (pa.date32(), [datetime.date(1969, 12, 31), None, datetime.date(2400, 2, 29)], "date32"),
    (pa.date64(), [datetime.date(1969, 12, 31), None, datetime.date(2400, 2, 29)], "date64"),
    (pa.timestamp("us"), [STAMP, None, STAMP], "timestamp[us]"),
    (pa.timestamp("s", tz="Europe/Rome"), [STAMP, None, STAMP], "timestamp[s, Europe/Rome]"),
    (pa.duration("ms"), [datetime.timedelta(1), None, datetime.timedelta(-1)], "duration[ms]"),
    (pa.time32("s"), [datetime.time(5), None, datetime.time(6)], "time32[s]"),
    (pa.time64("us"), [datetime.time(5), None, datetime.time(6)], "time64[us]"),
    (pa.decimal128(10, 2), [decimal.Decimal("1.10"), None, decimal.Decimal("-7")], "decimal128(10, 2)"),
    (pa.decimal32(7, 2), [decimal.Decimal("1.10"), None, decimal.Decimal("-7")], "decimal128(7, 2)"),
    (pa.null(), [None, None, None], "null"),
    (pa.list_(pa.int64()), [[1, 2], None, []], "list<item: int64>"),
    (pa.struct([("a", pa.int64())]), [{"a": 1}, None, {"a": None}], "struct<a: int64>"),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b"], "category"),
]


@pytest.mark.parametrize(("kind", "values", "name"), VALUES, ids=[str(kind) for kind, _, _ in VALUES])
@pytest.mark.parametrize("layout", ["one", "sliced", "chunks", "empty"])
def test_every_arrow_type_is_held_shown_and_given_back(kind: pa.DataType, values: list[Any], name: str, layout: str) -> None:
    given = pa.array(values, kind)
    if layout == "sliced":
        given = pa.concat_arrays([given] * 5).slice(4, 7)
    elif layout == "chunks":
        given = pa.chunked_array([given.slice(0, 0), given, given.slice(1, 0), given.slice(1)])
    elif layout == "empty":
        given = pa.chunked_array([], kind)
    series = ff.Series(given, name="x")
    assert series.dtype == name
    assert series.tolist() == given.to_pylist()
    assert series.isna().tolist() == [one is None for one in given.to_pylist()]
    assert "dtype:" in repr(series)
    assert series.iloc[1:].tolist() == given.to_pylist()[1:]
    assert ff.concat([series, series], ignore_index=True).tolist() == given.to_pylist() * 2


def test_unsupported_types_are_refused_by_name() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    with pytest.raises(ff.errors.DTypeError, match=r"sparse_union.*not supported"):
        ff.DataFrame(pa.table({"u": union}))
    for bad in ([1, "a"], [object()], np.array([1 + 2j])):
        with pytest.raises(ff.errors.DTypeError):
            ff.Series(bad)


def damaged_strings(offsets: list[int], data: bytes = b"abcdef") -> pa.Array:
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(np.array(offsets, np.int32)), pa.py_buffer(data)])


@pytest.mark.parametrize(
    "array",
    [
        damaged_strings([0, 99, 3]),
        damaged_strings([0, 4, 2, 6]),
        damaged_strings([0, -1, 2]),
        damaged_strings([0, 1, 2], b"\xff\xfe"),
        pa.DictionaryArray.from_arrays(pa.array([0, 5], pa.int32()), pa.array(["a"]), safe=False),
        pa.Array.from_buffers(pa.decimal128(3, 0), 1, [None, pa.py_buffer(np.array([10**9, 0], np.int64))]),
    ],
    ids=["offset beyond the data", "offsets fall", "negative offset", "not UTF-8", "code beyond the dictionary", "decimal too large"],
)
def test_damaged_arrow_memory_is_refused(array: pa.Array) -> None:
    with pytest.raises(ff.errors.InvalidData, match="not valid"):
        ff.Series(array)
    with pytest.raises(ff.errors.InvalidData, match="column 'x'"):
        ff.from_arrow(pa.Table.from_arrays([array], ["x"]))


def test_dictionaries_with_duplicates_and_nulls() -> None:
    codes = pa.array([0, 1, 2, 3, None, 1], pa.int8())
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["b", "a", "b", None]))
    series = ff.Series(array)
    assert series.tolist() == ["b", "a", "b", None, None, "a"]
    assert series.nunique() == 2
    assert series.value_counts().to_dict() == {"b": 2, "a": 2}
    assert series.isna().tolist() == [False, False, False, True, True, False]
    mixed = pa.chunked_array([array, pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["z", "a"]))])
    assert ff.Series(mixed).tolist() == ["b", "a", "b", None, None, "a", "a", "z"]


def test_strings_beyond_two_gib_become_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_TWO_GIB", 10)
    chunks = pa.chunked_array([pa.array(["abcdef", None]), pa.array(["ghijkl"]).slice(0), pa.array(["xx", "y"]).slice(1)])
    whole = contiguous(chunks)
    assert whole.type == pa.large_string()
    assert column_from_arrow(chunks).dtype == "string"
    assert column_from_arrow(chunks).array.to_pylist() == ["abcdef", None, "ghijkl", "y"]


def test_numpy_owners_may_write_afterwards() -> None:
    values = np.arange(5.0)
    frame = ff.DataFrame({"a": values})
    total = frame["a"].sum()
    values[:] = 100
    assert frame["a"].sum() == total == 10
    shared = column_from(values, copy=False)
    assert not shared.owned
    assert ff.Series(values, copy=False).max() == 100
    values[0] = 700
    series = ff.Series(values, copy=False)
    assert series.max() == 700
    values[0] = -1
    assert series.max() == 100, "no fact about memory that others may write is kept"
    assert not frame["a"].to_numpy().flags.writeable


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6)[::2], np.arange(6, dtype=">i4"), np.array(["a", "bc"]), np.array([b"a", b"bc"]), np.array([True, False]),
        np.array(["2013-01-01", "NaT"], "datetime64[D]"), np.array([1, "NaT"], "timedelta64[ns]"), np.array(["2013-01", "NaT"], "datetime64[M]"),
        np.array([1.5, np.nan], "float32"), np.array(["x", None], object),
        np.array([], "int16"), np.frombuffer(b"\0" + b"\1\0\0\0\2\0\0\0", np.int32, offset=1),
    ],
    ids=lambda array: f"{array.dtype}-{len(array)}",
)  # fmt: skip
def test_numpy_arrays(values: np.ndarray[Any, Any]) -> None:
    series = ff.Series(values)
    back = series.to_numpy()
    expected = values.astype("U") if values.dtype.kind == "U" else values
    for one, two in zip(back, expected, strict=True):
        assert one == two or (one != one and two != two) or (one is None and two is None) or (pd.isna(one) and pd.isna(two))


def test_wrong_dimensions() -> None:
    with pytest.raises(ff.errors.ShapeError, match="3 dimensions"):
        ff.DataFrame(np.zeros((2, 2, 2)))
    with pytest.raises(ff.errors.ShapeError, match="2 dimensions"):
        ff.Series(np.zeros((2, 2)))


def test_polars_pandas_and_pyarrow_come_in_alike() -> None:
    data = {"n": [1, None, 3], "s": ["a", None, "c"], "t": [STAMP, None, STAMP]}
    table = pa.table(data)
    for source in (table, table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), pl.DataFrame(data)):
        assert ff.DataFrame(source).to_dict("list") == data
    pandas = pd.DataFrame({"n": pd.array([1, None, 3], "Int64"), "s": data["s"], "t": data["t"]}, index=["x", "y", "z"])
    frame = ff.from_pandas(pandas)
    assert frame.to_dict("list") == data
    assert frame.index.tolist() == ["x", "y", "z"]
    assert frame.to_pandas().index.equals(pandas.index)
    assert pl.DataFrame(frame).to_dicts() == frame.to_dict("records")
    assert pa.table(frame).to_pydict() == data


def test_pandas_frames_that_have_no_place_here() -> None:
    with pytest.raises(ff.errors.DuplicateColumn, match="'a'"):
        ff.from_pandas(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ff.errors.DTypeError, match="several levels"):
        ff.from_pandas(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))
    with pytest.raises(ff.errors.DuplicateColumn):
        ff.from_arrow(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]))


def test_dtype_names() -> None:
    for given, name in [("Int64", "int64"), (np.float32, "float32"), (str, "string"), (pa.date32(), "date32"), (pd.StringDtype(), "string")]:
        assert dtypes.dtype(given).name == name
    with pytest.raises(ff.errors.DTypeError, match=r"'flaot64' is not a dtype.*Did you mean 'float64'"):
        dtypes.dtype("flaot64")


@pytest.mark.parametrize(
    ("values", "new"),
    [
        (pd.Series([1, 2, None], dtype="Int64"), 100),
        (pd.Series([1.5, 2, None], dtype="Float64"), 100.0),
        (pd.Series([1.5, 2, np.nan]), 100.0),
        (pd.Series([1, 2], dtype="int8"), 100),
        (pd.Series([True, None], dtype="boolean"), False),
        (pd.Series(["a", None]), "z"),
        (pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])), pd.Timestamp("1999-01-01")),
        (pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])).dt.tz_localize("UTC"), pd.Timestamp("1999-01-01", tz="UTC")),
        (pd.Series(pd.to_timedelta([1, 2], unit="s")), pd.Timedelta(99, "s")),
        (pd.Series(pd.Categorical.from_codes(np.arange(40_000), categories=range(40_000))), 7),
        (pd.Series([1, 2], dtype=pd.ArrowDtype(pa.int64())), 100),
    ],
    ids=lambda one: str(getattr(one, "dtype", "")),
)
def test_pandas_owners_may_write_afterwards(values: pd.Series, new: Any) -> None:
    """Also through every other door: none shares memory that pandas writes to in place."""
    frame = pd.DataFrame({"a": values.copy()})
    made = [ff.from_pandas(frame)["a"], ff.DataFrame(frame)["a"], ff.from_arrow(frame)["a"], ff.DataFrame({"a": frame["a"]})["a"], ff.Series(frame["a"])]
    before = [series.tolist() for series in made]
    frame.iloc[0, 0] = new
    assert frame["a"].tolist()[0] == new
    assert [series.tolist() for series in made] == before


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view()])
@pytest.mark.parametrize(("start", "length"), [(0, 6), (1, 4), (3, 1), (2, 0), (6, 0)])
def test_view_bytes_count_every_value_of_the_slice(kind: pa.DataType, start: int, length: int) -> None:
    shared = b"longer than twelve bytes"
    values = [b"a", shared, b"", shared, b"twelve bytes", shared]
    array = pa.array(values, pa.binary()).cast(pa.string() if kind == pa.string_view() else pa.binary()).cast(kind)
    assert view_bytes(array.slice(start, length)) == sum(map(len, values[start : start + length]))


def test_view_bytes_of_no_values() -> None:
    assert view_bytes(pa.array([], pa.string_view())) == 0
    assert view_bytes(pa.array([None, None], pa.string_view())) == 0
