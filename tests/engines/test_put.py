"""Where, put, fill, constant and is_missing of every form of column, against Python lists."""

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastframe import dtypes
from fastframe.column import Column
from fastframe.engines.cpu import select
from fastframe.errors import DTypeError, LossyCast, OutOfRange, ShapeError
from tests.engines.selecting import FORMS, LARGE, MASKS, NULLS, SIZES, column_of, listed, mask_of, mask_values, same, values_of
from tests.reference import select as slow

ONE_DICTIONARY = [form for form in FORMS if form != "category"]


@pytest.mark.parametrize("form", ONE_DICTIONARY)
@pytest.mark.parametrize("kind", ["half", "runs", "nulls", "all", "none"])
@pytest.mark.parametrize("nulls", NULLS)
def test_where(form, kind, nulls):
    for n_rows in SIZES:
        mask, yes, no = mask_values(n_rows, kind), values_of(form, n_rows, nulls), values_of(form, n_rows, "some", seed=4)
        columns = mask_of(mask, before=n_rows % 5), column_of(form, yes, before=2), column_of(form, no, before=9)
        chosen = select.where(*columns)
        assert chosen.dtype == columns[1].dtype
        assert same(listed(chosen), slow.where(mask, yes, no))


@pytest.mark.parametrize("form", ONE_DICTIONARY)
@pytest.mark.parametrize("n_rows", [0, 1, 64, 100])
@pytest.mark.parametrize("nulls", ["none", "all"])
def test_where_with_one_value(form, n_rows, nulls):
    mask, many, one = mask_values(n_rows, "half"), values_of(form, n_rows, "some"), values_of(form, 1, nulls, seed=3)
    column, scalar = column_of(form, many, before=5), column_of(form, one, before=1)
    assert same(listed(select.where(mask_of(mask), scalar, column)), slow.where(mask, one, many))
    assert same(listed(select.where(mask_of(mask), column, scalar)), slow.where(mask, many, one))
    assert same(listed(select.where(mask_of(mask), scalar, scalar)), slow.where(mask, one, one))


@pytest.mark.parametrize("form", FORMS)
def test_where_with_null_dtype(form):
    mask, values = mask_values(70, "half"), values_of(form, 70, "none")
    column, gap = column_of(form, values), select.nulls(dtypes.NULL, 1)
    blanked = select.where(mask_of(mask), gap, column)
    assert blanked.dtype == column.dtype
    assert same(listed(blanked), slow.where(mask, [None], values))
    assert same(listed(select.where(mask_of(mask), column, gap)), slow.where(mask, values, [None]))
    assert listed(select.where(mask_of(mask), gap, gap)) == [None] * 70


@pytest.mark.parametrize("form", ["int8", "int64", "bool", "string"])
def test_where_many_rows(form):
    mask, yes, no = mask_values(LARGE, "half"), values_of(form, LARGE, "some"), values_of(form, LARGE, "none", seed=4)
    chosen = select.where(mask_of(mask), column_of(form, yes, before=3), column_of(form, no))
    assert listed(chosen) == slow.where(mask, yes, no)


def test_where_keeps_text_encoded_where_it_is_free():
    mask = mask_of([True, False, None])
    encoded, plain = column_of("encoded", ["b", "a", "b"]), column_of("string", ["x", "y", "z"])
    assert select.where(mask, encoded, column_of("encoded", ["q", "r", "s"])).is_encoded
    assert select.where(mask, column_of("string", ["new"]), encoded).is_encoded
    assert not select.where(mask, encoded, plain).is_encoded
    assert listed(select.where(mask, encoded, plain)) == ["b", "y", "z"]
    assert listed(select.where(mask, column_of("string", ["new"]), encoded)) == ["new", "a", "b"]
    assert listed(select.where(mask, column_of("large_string", ["new", "s", "t"]), plain)) == ["new", "y", "z"]


def category(values, categories):
    codes = pa.array([None if one is None else categories.index(one) for one in values], pa.int32())
    return Column(pa.DictionaryArray.from_arrays(codes, pa.array(categories)))


def test_where_of_categories():
    mask = mask_of([True, False, True])
    base = category(["a", "b", None], ["b", "a", "c"])
    chosen = select.where(mask, category(["c", "x", "b"], ["c", "b", "x"]).slice(0, 1), base)
    assert chosen.dictionary.to_pylist() == ["b", "a", "c"]
    assert listed(chosen) == ["c", "b", "c"]
    assert listed(select.where(mask, column_of("string", ["c", None, "b"]), base)) == ["c", "b", "b"]
    assert listed(select.where(mask, base, column_of("string", ["c"]))) == ["a", "c", None]
    assert listed(select.where(mask, base, select.nulls(base.dtype, 3))) == ["a", None, None]
    with pytest.raises(LossyCast, match="'x'"):
        select.where(mask, column_of("string", ["x"]), base)
    with pytest.raises(DTypeError):
        select.where(mask, column_of("int64", [1]), base)


def test_where_refuses():
    mask, column = mask_of([True, False]), column_of("int64", [1, 2])
    with pytest.raises(DTypeError, match="where"):
        select.where(mask, column, column_of("float64", [0.5, 1.5]))
    with pytest.raises(DTypeError, match="bool"):
        select.where(column, column, column)
    with pytest.raises(ShapeError):
        select.where(mask, column, column_of("int64", [1, 2, 3]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nulls", NULLS)
def test_is_missing(form, nulls):
    for n_rows in SIZES:
        values = values_of(form, n_rows, nulls)
        found = select.is_missing(column_of(form, values, before=6))
        assert found.dtype == dtypes.BOOL
        assert found.null_count == 0
        assert listed(found) == slow.is_missing(values)


@pytest.mark.parametrize("arrow", [pa.float16(), pa.float32(), pa.float64()])
def test_nan_is_missing(arrow):
    values = [0.5, float("nan"), None, -0.0, float("inf")] * 30
    column = Column(pa.array([np.float16(one) if one is not None and arrow == pa.float16() else one for one in values], arrow)).slice(2, 140)
    assert listed(select.is_missing(column)) == slow.is_missing(values[2:142])
    assert listed(select.is_missing(select.nulls(dtypes.NULL, 3))) == [True] * 3


def test_is_missing_rows():
    assert listed(select.is_missing_rows(np.array([3, -1, 0, -1], np.int32))) == [False, True, False, True]
    assert listed(select.is_missing_rows(np.empty(0, np.int32))) == []


@pytest.mark.parametrize("form", ONE_DICTIONARY)
def test_fill_null(form):
    values, fill, one = values_of(form, 200, "some"), values_of(form, 200, "none", seed=5), values_of(form, 1, "none", seed=6)
    column = column_of(form, values, before=3)
    assert same(listed(select.fill_null(column, column_of(form, fill))), slow.fill_null(values, fill))
    assert same(listed(select.fill_null(column, column_of(form, one))), slow.fill_null(values, one))


def test_fill_null_fills_nan_and_shares_what_is_whole():
    column = column_of("float64", [0.5, float("nan"), None])
    assert listed(select.fill_null(column, column_of("float64", [9.0]))) == [0.5, 9.0, 9.0]
    for form in ("int64", "float64"):
        whole = column_of(form, [1, 2])
        assert select.fill_null(whole, column_of(form, [9])) is whole
    assert listed(select.fill_null(select.nulls(dtypes.NULL, 2), column_of("int64", [9]))) == [9, 9]


@pytest.mark.parametrize("form", ONE_DICTIONARY)
@pytest.mark.parametrize("n_rows", [1, 64, 300])
def test_put_by_rows(form, n_rows):
    values, rng = values_of(form, n_rows, "some"), np.random.default_rng(0)
    column = column_of(form, values, before=4)
    rows = rng.integers(0, n_rows, 50).astype(np.int32)   # with repetitions: the last wins
    new = values_of(form, 50, "some", seed=8)
    assert same(listed(select.put(column, rows, column_of(form, new, before=1))), slow.put_rows(values, rows, new))
    one = values_of(form, 1, "none", seed=8)
    assert same(listed(select.put(column, rows, column_of(form, one))), slow.put_rows(values, rows, one))
    assert same(listed(column), values), "the input is not changed"


@pytest.mark.parametrize("form", ONE_DICTIONARY)
@pytest.mark.parametrize("kind", MASKS)
def test_put_by_mask(form, kind):
    values, mask = values_of(form, 300, "some"), mask_values(300, kind)
    column, target, rows = column_of(form, values), mask_of(mask, before=3), slow.mask_rows(mask)
    new = values_of(form, len(rows), "some", seed=8)
    if rows:
        assert same(listed(select.put(column, target, column_of(form, new))), slow.put_rows(values, rows, new))
    one = values_of(form, 1, "none", seed=8)
    assert same(listed(select.put(column, target, column_of(form, one))), slow.put_rows(values, rows, one))


def test_put_null_of_any_dtype():
    column = column_of("category", ["a", "b"])
    changed = select.put(column, np.array([1], np.int32), select.nulls(dtypes.NULL, 1))
    assert changed.dtype == column.dtype
    assert listed(changed) == ["a", None]


def test_put_refuses():
    column = column_of("int64", [1, 2, 3])
    with pytest.raises(OutOfRange):
        select.put(column, np.array([3], np.int32), column)
    with pytest.raises(OutOfRange):
        select.put(column, np.array([-1], np.int32), column_of("int64", [1]))
    with pytest.raises(ShapeError, match="3 values were given for 2 rows"):
        select.put(column, np.array([0, 1], np.int32), column)
    with pytest.raises(ShapeError):
        select.put(column, mask_of([True]), column_of("int64", [1]))
    with pytest.raises(DTypeError):
        select.put(column, mask_of([True] * 3), column_of("string", ["x"]))


CONSTANTS = [
    (True, "bool"), (False, "bool"), (-7, "int8"), (7, "uint64"), (0.5, "float32"), (-0.0, "float64"), ("é" * 20, "string"), (b"x", "binary"),
    (datetime.date(2020, 1, 2), "date32"), (datetime.datetime(2020, 1, 2), "timestamp[us]"), (Decimal("1.25"), "decimal128(30, 2)"),
    ("x", "category"), (0.5, "float16"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name"), CONSTANTS)
def test_constant(value, name):
    dtype = dtypes.dtype(name)
    for n_rows in [0, 1, 9, 64, 1000]:
        column = select.constant(np.float16(value) if name == "float16" else value, dtype, n_rows)
        assert column.dtype == dtype
        assert same(listed(column), [value] * n_rows)
        assert listed(select.constant(None, dtype, min(n_rows, 9))) == [None] * min(n_rows, 9)


def test_constant_of_many_rows():
    for value, name in [(7, "int16"), (True, "bool"), ("x", "string")]:
        assert listed(select.constant(value, dtypes.dtype(name), LARGE)) == [value] * LARGE


def test_constant_refuses():
    for value, name in [(300, "int8"), ("x", "int64"), (1.5, "string")]:
        with pytest.raises(LossyCast, match="does not fit"):
            select.constant(value, dtypes.dtype(name), 3)


@pytest.mark.parametrize("form", FORMS)
def test_repeat(form):
    for kind in ("none", "all"):
        values = values_of(form, 1, kind)
        repeated = select.repeat(column_of(form, values, before=3), 70)
        assert repeated.dtype == column_of(form, values).dtype
        assert same(listed(repeated), values * 70)
    with pytest.raises(ShapeError):
        select.repeat(column_of(form, values_of(form, 2, "none")), 3)


@given(st.data())
def test_put_equals_where(data):
    """Putting at a mask the values that a whole column has there is choosing between the two columns."""
    form = data.draw(st.sampled_from(ONE_DICTIONARY))
    n_rows = data.draw(st.integers(2, 300))
    mask = data.draw(st.lists(st.sampled_from([True, False, None]), min_size=n_rows, max_size=n_rows))
    column = column_of(form, values_of(form, n_rows, "some"), before=data.draw(st.integers(0, 70)))
    other = column_of(form, values_of(form, n_rows, data.draw(st.sampled_from(NULLS)), seed=7))
    target = mask_of(mask, before=data.draw(st.integers(0, 70)))
    new = select.filter_column(other, select.filter_plan(target))
    if len(new):
        assert same(listed(select.put(column, target, new)), listed(select.where(target, other, column)))
    else:
        assert select.put(column, target, column_of(form, values_of(form, 1, "none"))) is column
