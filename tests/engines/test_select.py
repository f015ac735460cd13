"""Take and filter of every form of column, against Python lists."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column import Column, Table, memory
from fastframe.engines.cpu import forms, select
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.errors import DTypeError, OutOfRange, ShapeError
from fastframe.options import option_context
from tests.engines.selecting import FORMS, LARGE, MASKS, NULLS, SIZES, column_of, listed, mask_of, mask_values, same, values_of
from tests.reference import select as slow


def rows_of(n_source, n_rows, *, missing, seed=2):
    return np.random.default_rng(seed).integers(-1 if missing else 0, n_source, n_rows).astype(np.int32)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("missing", [False, True])
def test_take(form, nulls, missing):
    for before, n_rows in [(0, 300), (5, 300), (3, 1)]:
        values = values_of(form, n_rows, nulls)
        column = column_of(form, values, before=before)
        for n_taken in SIZES:
            rows = rows_of(n_rows, n_taken, missing=missing)
            taken = select.take(column, rows, missing=missing)
            assert taken.dtype == column.dtype
            assert same(listed(taken), slow.take(values, rows))


@pytest.mark.parametrize("form", ["int64", "bool", "string", "encoded"])
def test_take_many_rows(form):
    values = values_of(form, LARGE, "some")
    rows = rows_of(LARGE, LARGE + 77, missing=True)
    assert listed(select.take(column_of(form, values, before=9), rows, missing=True)) == slow.take(values, rows)


@pytest.mark.parametrize("form", FORMS)
def test_take_from_nothing(form):
    column = column_of(form, [])
    taken = select.take(column, np.full(5, -1, np.int32), missing=True)
    assert listed(taken) == [None] * 5
    assert taken.dtype == column.dtype
    assert listed(select.take(column, np.empty(0, np.int32))) == []


def test_take_shares_the_dictionary_and_keeps_categories():
    column = column_of("category", ["b", "a", None, "b"])
    taken = select.take(column, np.array([1], np.int32))
    assert taken.dictionary.buffers()[2].address == column.dictionary.buffers()[2].address
    assert taken.dictionary.to_pylist() == ["b", "a"]


def test_take_of_few_rows_drops_a_large_dictionary_of_text():
    words = [f"word {number}" for number in range(10_000)]
    column = column_of("encoded", words)
    taken = select.take(column, np.array([7, -1], np.int32), missing=True)
    assert not taken.is_encoded
    assert taken.dtype == column.dtype
    assert listed(taken) == ["word 7", None]
    assert select.take(column_of("category", words), np.array([7], np.int32)).is_encoded


def test_codes_that_were_paid_for_are_used():
    words = ["x", "y", None, "x"] * 10
    column = column_of("string", words)
    column.fact("encoded", lambda: column_of("encoded", words))
    rows = rows_of(40, 30, missing=True)
    taken = select.take(column, rows, missing=True)
    assert taken.is_encoded
    assert taken.dtype == column.dtype
    assert listed(taken) == slow.take(words, rows)
    mask = mask_values(40, "half")
    kept = select.filter_column(column, select.filter_plan(mask_of(mask)))
    assert kept.is_encoded
    assert listed(kept) == slow.filter_rows(words, mask)


@pytest.mark.parametrize(("rows", "missing"), [([0, 3], False), ([-1], False), ([-2], True), ([3], True), ([0], False)])
def test_take_out_of_range(rows, missing):
    column = column_of("int64", [1, 2, 3] if rows != [0] else [])
    with pytest.raises(OutOfRange, match="outside|no rows"):
        select.take(column, np.array(rows, np.int32), missing=missing)
    with pytest.raises(IndexError):
        select.take_table(Table({"a": column}), np.array(rows, np.int32), missing=missing)


def test_take_without_missing_rows_makes_no_validity():
    taken = select.take(column_of("int64", [1, 2]), np.array([1, 0], np.int32), missing=True)
    assert taken.array.buffers()[0] is None


def test_take_codes():
    column = column_of("float64", [0.5, None, 2.5])
    codes = np.array([2, 0xFFFFFFFF, 1, 0, 0], np.uint32)
    assert listed(select.take_codes(column, codes)) == [2.5, None, None, 0.5, 0.5]
    with pytest.raises(OutOfRange):
        select.take_codes(column, np.array([3], np.uint32))


def test_take_table():
    table = Table({form: column_of(form, values_of(form, 100, "some")) for form in FORMS})
    rows = rows_of(100, 250, missing=True)
    taken = select.take_table(table, rows, missing=True)
    assert taken.n_rows == 250
    assert taken.schema == table.schema
    for form in FORMS:
        assert same(listed(taken[form]), slow.take(values_of(form, 100, "some"), rows))
    assert select.take_table(Table({}, 100), rows, missing=True).n_rows == 250


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("kind", MASKS)
def test_filter(form, nulls, kind):
    for n_rows in SIZES:
        values, mask = values_of(form, n_rows, nulls), mask_values(n_rows, kind)
        column = column_of(form, values, before=n_rows % 7)
        kept = select.filter_column(column, select.filter_plan(mask_of(mask, before=n_rows % 5)))
        assert kept.dtype == column.dtype
        assert same(listed(kept), slow.filter_rows(values, mask))


@pytest.mark.parametrize("form", ["uint16", "float32", "int64", "bool", "string"])
@pytest.mark.parametrize("kind", ["half", "few", "nulls"])
@pytest.mark.parametrize("streamed_bytes", [0, 1 << 60])
def test_filter_many_rows(monkeypatch, form, kind, streamed_bytes):
    monkeypatch.setattr(memory, "STREAMED_BYTES", streamed_bytes)
    values, mask = values_of(form, LARGE, "some"), mask_values(LARGE, kind)
    table = Table({"x": column_of(form, values, before=3)})
    kept = select.filter_table(table, mask_of(mask, before=11))
    assert listed(kept["x"]) == slow.filter_rows(values, mask)


def test_filter_of_all_rows_shares_the_columns():
    table = Table({"a": column_of("int64", [1, 2]), "b": column_of("string", ["x", None])})
    kept = select.filter_table(table, mask_of([True, True]))
    assert all(kept[name] is table[name] for name in table.names)


def test_filter_of_a_table_without_columns():
    assert select.filter_table(Table({}, 3), mask_of([True, None, False])).n_rows == 1


def test_filter_refuses():
    table = Table({"a": column_of("int64", [1, 2])})
    with pytest.raises(DTypeError, match="bool"):
        select.filter_table(table, column_of("int64", [1, 0]))
    with pytest.raises(ShapeError, match="3 values"):
        select.filter_table(table, mask_of([True, True, False]))


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("n_rows", [0, 1, 64, 65, 513, 3000])
def test_mask_rows_ranks_and_count(kind, n_rows):
    values = mask_values(n_rows, kind)
    mask = mask_of(values, before=6)
    assert select.mask_rows(mask).dtype == np.int32
    assert select.mask_rows(mask).tolist() == slow.mask_rows(values)
    assert select.mask_ranks(mask).tolist() == slow.mask_ranks(values)
    assert select.count_true(mask) == values.count(True)


def test_mask_rows_over_slices():
    values = mask_values(LARGE, "half")
    assert select.mask_rows(mask_of(values, before=1)).tolist() == slow.mask_rows(values)
    assert select.count_true(mask_of(values)) == sum(values)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_bits(monkeypatch, threads):
    """Buffers byte for byte, of more slices than threads; one thread stores as usual, several past the caches."""
    monkeypatch.setattr(memory, "STREAMED_BYTES", 0)
    n_rows = 700_001
    rng = np.random.default_rng(0)
    columns = {
        "f": Column(pa.array(rng.random(n_rows), mask=rng.random(n_rows) < 0.1)),
        "b": Column(pa.array(rng.random(n_rows) < 0.5, mask=rng.random(n_rows) < 0.1)),
        "s": Column(pa.array(rng.choice(["a", "bcd", ""], n_rows))),
    }
    mask = Column(pa.array(rng.random(n_rows) < 0.3))
    rows = rng.integers(-1, n_rows, n_rows).astype(np.int32)

    def results():
        fresh = Column(mask.array)
        yield from select.filter_table(Table(columns), fresh).columns.values()
        yield from select.take_table(Table(columns), rows, missing=True).columns.values()
        for column in columns.values():
            yield select.where(mask, column, select.take(column, rows, missing=True))
            yield select.concat([column, column.slice(3, 99_999), column], column.dtype)

    def raw():
        return [[buffer.to_pybytes() if buffer else None for buffer in one.array.buffers()] for one in results()]

    with option_context(threads=1):
        expected = raw()
    with option_context(threads=threads):
        assert raw() == expected


@given(st.data())
def test_filter_equals_take_of_mask_rows(data):
    form = data.draw(st.sampled_from(FORMS))
    n_rows = data.draw(st.integers(0, 300))
    mask = data.draw(st.lists(st.sampled_from([True, False, None]), min_size=n_rows, max_size=n_rows))
    before = data.draw(st.integers(0, 70))
    values = values_of(form, n_rows, data.draw(st.sampled_from(NULLS)), seed=data.draw(st.integers(0, 9)))
    column = column_of(form, values, before=before)
    selected = mask_of(mask, before=data.draw(st.integers(0, 70)))
    filtered = select.filter_column(column, select.filter_plan(selected))
    taken = select.take(column, select.mask_rows(selected))
    assert same(listed(filtered), listed(taken))
    assert same(listed(filtered), slow.filter_rows(values, mask))


def test_decode():
    column = column_of("encoded", ["x", None, "y", "x"], before=2)
    assert listed(select.decode(column)) == ["x", None, "y", "x"]
    assert select.decode(column).dtype == dtypes.STRING
    assert not select.decode(column).is_encoded
    plain = column_of("string", ["x"])
    assert select.decode(plain) is plain
    category = Column(pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int32()), pa.array([10, 20])))
    assert listed(select.decode(category)) == [20, None, 10]
    assert select.decode(category).dtype == dtypes.INT64


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
def test_decode_kinds_of_text(kind):
    values = [None if row % 7 == 0 else "ab" * (row % 20) for row in range(300)]
    plain = Column(pa.array(values, pa.string()).cast(kind))
    again = select.decode(encode_text(plain))
    assert again.array.to_pylist() == plain.array.to_pylist()
    assert again.dtype == plain.dtype


def test_decode_past_the_limit_of_offsets(monkeypatch):
    monkeypatch.setattr(forms, "MAX_SMALL_OFFSET", 2000)   # stands for 2 GiB
    values = pa.array(["x" * 100, "y"])
    large = select.decode(Column(pa.DictionaryArray.from_arrays(pa.array(np.zeros(21, np.int32)), values), dtypes.STRING))
    assert pa.types.is_large_string(large.array.type)
    assert large.dtype == dtypes.STRING
    assert listed(large) == ["x" * 100] * 21
    few = select.decode(Column(pa.DictionaryArray.from_arrays(pa.array(np.ones(2000, np.int32)), values), dtypes.STRING))
    assert pa.types.is_string(few.array.type)
