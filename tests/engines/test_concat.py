"""Concat of every form of column, against Python lists."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column import Column, Table
from fastframe.engines.cpu import concat as concat_module
from fastframe.engines.cpu import forms, select
from fastframe.errors import DTypeError
from tests.engines.selecting import FORMS, LARGE, NULLS, column_of, listed, same, values_of
from tests.reference import select as slow

LENGTHS = [[0], [1, 0, 2], [7, 8, 9], [63, 64, 65, 1], [511, 512, 513]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nulls", [*NULLS, "mixed"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_concat(form, nulls, lengths):
    kinds = NULLS * 2 if nulls == "mixed" else [nulls] * 6
    parts = [values_of(form, n_rows, kind, seed) for seed, (n_rows, kind) in enumerate(zip(lengths, kinds, strict=False))]
    columns = [column_of(form, values, before=3 * number % 7) for number, values in enumerate(parts)]
    joined = select.concat(columns, columns[0].dtype)
    assert same(listed(joined), slow.concat(parts))
    if form != "category":   # categories that differ become string
        assert joined.dtype == columns[0].dtype
    if form in ("encoded", "category"):
        assert joined.is_encoded


@pytest.mark.parametrize("form", ["int64", "bool", "string", "encoded"])
def test_concat_many_rows(form):
    parts = [values_of(form, n_rows, "some", seed) for seed, n_rows in enumerate([LARGE, 1, 0, 70_001])]
    columns = [column_of(form, values, before=number) for number, values in enumerate(parts)]
    assert listed(select.concat(columns, columns[0].dtype)) == slow.concat(parts)


@pytest.mark.parametrize("form", FORMS)
def test_concat_with_null_columns(form):
    values = values_of(form, 70, "none")
    column = column_of(form, values, before=1)
    gap = select.nulls(dtypes.NULL, 65)
    joined = select.concat([gap, column, gap, column], column.dtype)
    assert joined.dtype == column.dtype
    assert same(listed(joined), [None] * 65 + values + [None] * 65 + values)
    assert listed(select.concat([gap, gap], column.dtype)) == [None] * 130


def test_one_column_with_rows_is_shared():
    column = column_of("int64", [1, 2])
    assert select.concat([column_of("int64", []), column], column.dtype) is column
    assert listed(select.concat([], dtypes.INT64)) == []


def test_dictionaries_become_one():
    left, right = column_of("encoded", ["b", "a", None]), column_of("encoded", ["c", "a", "b"])
    joined = select.concat([left, right], dtypes.STRING)
    assert joined.is_encoded_text
    assert joined.dictionary.to_pylist() == ["b", "a", "c"]
    assert listed(joined) == ["b", "a", None, "c", "a", "b"]


def test_equal_dictionaries_are_kept():
    column = column_of("encoded", ["b", "a", None])
    joined = select.concat([column, column.slice(1, 2)], dtypes.STRING)
    assert joined.dictionary.buffers()[2].address == column.dictionary.buffers()[2].address
    assert listed(joined) == ["b", "a", None, "a", None]


def test_plain_and_encoded_text():
    joined = select.concat([column_of("encoded", ["b", None]), column_of("large_string", ["a"]), column_of("string", ["c"])], dtypes.STRING)
    assert not joined.is_encoded
    assert listed(joined) == ["b", None, "a", "c"]


def category(values, categories, *, ordered=False):
    codes = pa.array([None if one is None else categories.index(one) for one in values], pa.int32())
    return Column(pa.DictionaryArray.from_arrays(codes, pa.array(categories), ordered=ordered))


def test_equal_categories_stay():
    one, other = category(["x", None], ["y", "x"], ordered=True), category(["y"], ["y", "x"], ordered=True)
    joined = select.concat([one, other], one.dtype)
    assert joined.dtype == one.dtype
    assert joined.dtype.ordered
    assert joined.dictionary.to_pylist() == ["y", "x"]
    assert listed(joined) == ["x", None, "y"]


def test_other_categories_become_string():
    one, other = category(["x", None], ["y", "x"]), category(["z"], ["z", "y"])
    joined = select.concat([one, other], one.dtype)
    assert joined.dtype == dtypes.STRING
    assert listed(joined) == ["x", None, "z"]
    numbers = category([3, 4, None], [4, 3])
    assert listed(select.concat([numbers, category([7], [7])], dtypes.STRING)) == ["3", "4", None, "7"]


def test_other_dtypes_are_refused():
    with pytest.raises(DTypeError, match="concat"):
        select.concat([column_of("int64", [1]), column_of("float64", [0.5])], dtypes.FLOAT64)


def test_offsets_widen_and_narrow(monkeypatch):
    """With the limit at 10 bytes instead of 2 GiB."""
    monkeypatch.setattr(forms, "MAX_SMALL_OFFSET", 10)
    monkeypatch.setattr(concat_module, "MAX_SMALL_OFFSET", 10)
    column = column_of("string", ["12345", None, "67890"])
    assert not pa.types.is_large_string(select.concat([column, column.slice(1, 0)], column.dtype).array.type)
    longer = select.concat([column, column_of("string", ["x"])], column.dtype)
    assert pa.types.is_large_string(longer.array.type)
    assert longer.dtype == dtypes.STRING
    assert listed(longer) == ["12345", None, "67890", "x"]
    taken = select.take(longer, np.array([0, -1, 2, 3], np.int32), missing=True)
    assert pa.types.is_large_string(taken.array.type)
    assert listed(taken) == ["12345", None, "67890", "x"]
    narrow = select.filter_column(longer, select.filter_plan(Column(pa.array([False, True, True, False]))))
    assert pa.types.is_string(narrow.array.type)
    assert listed(narrow) == [None, "67890"]
    chosen = select.where(Column(pa.array([True, False, True, False])), longer, longer)
    assert pa.types.is_large_string(chosen.array.type)
    assert listed(chosen) == listed(longer)
    wide = select.take(column_of("binary", [b"123456"]), np.zeros(2, np.int32))
    assert pa.types.is_large_binary(wide.array.type)
    assert listed(wide) == [b"123456"] * 2


def test_tables():
    one = Table({"a": column_of("int64", [1, None]), "b": column_of("string", ["x", "y"])})
    other = Table({"b": column_of("encoded", ["z"]), "c": column_of("bool", [True])})
    schema = {"a": dtypes.INT64, "b": dtypes.STRING, "c": dtypes.BOOL}
    joined = select.concat_tables([one, other], schema)
    assert joined.schema == schema
    assert {name: listed(joined[name]) for name in joined.names} == {"a": [1, None, None], "b": ["x", "y", "z"], "c": [None, None, True]}
    assert select.concat_tables([Table({}, 2), Table({}, 3)], {}).n_rows == 5


def test_tables_are_cast():
    one, other = Table({"a": column_of("int64", [1, None])}), Table({"a": column_of("float64", [0.5])})
    assert listed(select.concat_tables([one, other], {"a": dtypes.FLOAT64})["a"]) == [1.0, None, 0.5]


@given(st.data())
def test_slices_put_together_again(data):
    form = data.draw(st.sampled_from([form for form in FORMS if form != "category"]))
    n_rows = data.draw(st.integers(0, 400))
    values = values_of(form, n_rows, data.draw(st.sampled_from(NULLS)))
    column = column_of(form, values, before=data.draw(st.integers(0, 70)))
    cuts = sorted(data.draw(st.lists(st.integers(0, n_rows), max_size=6)))
    parts = [column.slice(start, stop - start) for start, stop in zip([0, *cuts], [*cuts, n_rows], strict=True)]
    assert same(listed(select.concat(parts, column.dtype)), values)
