"""`concat` against pandas: rows and columns, dtypes, categories, labels, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastframe as ff
from fastframe import dtypes
from fastframe.errors import ArgumentError, DTypeError, DuplicateColumn, DuplicateLabel, ShapeError, UnsupportedOperation
from fastframe.testing import DTYPES, assert_column_equal
from tests.frame.grouped_cases import assert_same, made

Parts = Callable[[Any, Any], Any]
A: dict[str, list[Any]] = {"a": [1, 2], "b": ["x", None], "c": [1.5, None]}
B: dict[str, list[Any]] = {"b": ["q", "r"], "a": [3, 4], "d": [True, False]}


def sides() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return (ff.DataFrame(A, index=[10, 20]), pd.DataFrame(A, index=[10, 20])), (ff.DataFrame(B, index=[20, 30]), pd.DataFrame(B, index=[20, 30]))


def check(parts: Parts, **options: Any) -> None:
    (left, pandas_left), (right, pandas_right) = sides()
    assert_same(ff.concat(parts(left, right), **options), pd.concat(parts(pandas_left, pandas_right), **options), numbers=True)


@pytest.mark.parametrize("join", ["outer", "inner"])
@pytest.mark.parametrize("ignore_index", [True, False])
@pytest.mark.parametrize(
    "parts",
    [
        lambda l, r: [l, r], lambda l, r: [r, l], lambda l, r: [l, r, l.iloc[:0], r.iloc[:1]], lambda l, r: [l.iloc[:0], r], lambda l, r: [l],
        lambda l, r: [l["a"], r["a"]], lambda l, r: [l["a"], l["c"]], lambda l, r: [l, r["a"]], lambda l, r: [l, None, r],
        lambda l, r: (one for one in (l, r)), lambda l, r: [l.set_index("a"), r.set_index("a")],
        lambda l, r: [l.set_index("a"), r.rename(columns={"a": "z"}).set_index("z")],
        lambda l, r: [l.set_index(["a", "b"]), r.set_index(["a", "b"])], lambda l, r: [l.reset_index(drop=True), r.reset_index(drop=True)],
        lambda l, r: [l[["c"]], r[["d"]]],
    ],
)  # fmt: skip
def test_rows(parts: Parts, join: str, ignore_index: bool) -> None:
    check(parts, join=join, ignore_index=ignore_index)


@pytest.mark.parametrize("join", ["outer", "inner"])
@pytest.mark.parametrize(
    "parts",
    [
        lambda l, r: [l, r[["d"]]], lambda l, r: [l["a"], r["b"]], lambda l, r: [l, r["d"]], lambda l, r: [l[["a"]], r[["b"]], l[["c"]].iloc[::-1]],
        lambda l, r: [r[["b"]], l[["a"]], l[["c"]].iloc[:1]], lambda l, r: [l[["a"]].reset_index(drop=True), r[["b"]].reset_index(drop=True)],
        lambda l, r: [l[["a"]], r[["b"]].iloc[:0]], lambda l, r: [l],
    ],
)  # fmt: skip
def test_columns(parts: Parts, join: str) -> None:
    check(parts, axis=1, join=join)


def test_columns_of_equal_labels_may_repeat_them() -> None:
    check(lambda l, r: [l.iloc[[0, 0, 1]][["a"]], l.iloc[[0, 0, 1]][["b"]]], axis=1)


def test_unnamed_series_are_numbered() -> None:
    s = ff.Series([1, 2])
    assert ff.concat([s, s], axis=1).columns.tolist() == ["0", "1"]
    assert ff.concat([ff.Series([1, 2], name="a"), s, s], axis=1).columns.tolist() == ["a", "0", "1"]


KINDS = [name for name in DTYPES if name != "binary" and not name.startswith("time3") and not name.startswith("time6")]


@pytest.mark.parametrize("left", KINDS)
def test_dtypes(left: str) -> None:
    """Where two dtypes have a common one, pandas' values come out; else an error names the column."""
    for right in KINDS:
        one, other = dtypes.dtype(left.removeprefix("encoded ")), dtypes.dtype(right.removeprefix("encoded "))
        for n_left, n_right in ((9, 7), (0, 4), (5, 0)):
            mine, theirs = made(n_left, v={"dtype": left, "nulls": "some"}), made(n_right, v={"dtype": right, "seed": 3, "sliced": True})
            common = dtypes.common(one, other)
            if common is None:
                with pytest.raises(DTypeError, match="concat of column 'v' is not defined between"):
                    ff.concat([mine[0], theirs[0]])
                continue
            found = ff.concat([mine[0], theirs[0]], ignore_index=True)
            assert found["v"].dtype == common
            known = "decimal" in left + right or "date64" in (left, right)   # pandas keeps both as objects, or makes timestamps
            if left == right or not known:
                assert_same(found, pd.concat([mine[1], theirs[1]], ignore_index=True), numbers=True)


def test_decimals_with_others() -> None:
    amounts = ff.DataFrame({"v": pa.array([150, None]).cast(pa.decimal128(21, 2))})
    assert [str(one) for one in ff.concat([amounts, ff.DataFrame({"v": [2]})])["v"]] == ["150.00", "None", "2.00"]
    assert ff.concat([amounts, ff.DataFrame({"v": [2.5]})])["v"].tolist() == [150.0, None, 2.5]


def test_signed_and_unsigned_64_bits_become_floats_as_in_pandas() -> None:
    found = ff.concat([ff.Series([2**53 + 1]), ff.Series([1], dtype="uint64")])
    assert found.dtype == pd.concat([pd.Series([2**53 + 1]), pd.Series([1], dtype="uint64")]).dtype == "float64"
    assert found.tolist() == [2.0**53, 1.0]


def test_categories() -> None:
    def frames(categories: list[str], values: list[str | None]) -> tuple[Any, Any]:
        theirs = pd.DataFrame({"c": pd.Categorical(values, categories=categories)})
        return ff.DataFrame(theirs), theirs

    one, same, other = frames(["a", "b"], ["a", None]), frames(["a", "b"], ["b"]), frames(["b", "a"], ["b", "a"])
    equal = ff.concat([one[0], same[0]], ignore_index=True)
    assert equal["c"].dtype.kind.value == "category"
    assert equal["c"].cat.categories == ["a", "b"]
    assert_same(equal, pd.concat([one[1], same[1]], ignore_index=True))
    unequal = ff.concat([one[0], other[0]], ignore_index=True)
    assert unequal["c"].dtype == "string"
    assert_same(unequal, pd.concat([one[1], other[1]], ignore_index=True))


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (lambda l, r: ff.concat([]), ArgumentError, "concat: there is nothing to concatenate. Pass at least one frame or series."),
        (lambda l, r: ff.concat([l, r], axis=3), ArgumentError, "concat was given axis=3. Allowed are: 0, 1, 'index', 'columns'."),
        (lambda l, r: ff.concat([l, r], join="x"), ArgumentError, "concat was given join='x'. Allowed are: 'outer', 'inner'."),
        (lambda l, r: ff.concat(l), ArgumentError, "concat: DataFrame was given. Pass a list of frames and series."),
        (lambda l, r: ff.concat([l, 3]), ArgumentError, "concat: int was given. Pass a list of frames and series."),
        (lambda l, r: ff.concat({"x": l}), UnsupportedOperation,
        "concat(keys=['x']) is not supported. Assign the key as a column of each frame first."),
        (lambda l, r: ff.concat([l, r], axis=1, ignore_index=True), UnsupportedOperation, None),
        (lambda l, r: ff.concat([l, r], axis=1), DuplicateColumn,
         "column names must be unique, but 'a', 'b' would occur more than once. Rename them first, or pass names that differ."),
        (lambda l, r: ff.concat([l.iloc[[0, 0]], r[["d"]]], axis=1), DuplicateLabel, None),
        (lambda l, r: ff.concat([l, r.set_index("b")]), DTypeError,
         "row labels of dtypes int64 and string cannot stand in one index. Pass ignore_index=True, or use reset_index() first."),
        (lambda l, r: ff.concat([l, r.set_index("b")[["d"]]], axis=1), DTypeError, None),
        (lambda l, r: ff.concat([l, r.set_index(["a", "b"])]), ShapeError,
         "an index of 1 levels cannot be lined up with one of 2. Use reset_index() or set_index() to give both the same."),
        (lambda l, r: ff.concat([l[["b"]], r[["a"]].rename(columns={"a": "b"})]), DTypeError,
         "concat of column 'b' is not defined between string and int64. Use .astype(...) to give both one dtype."),
    ],
)  # fmt: skip
def test_errors(verb: Parts, error: type[Exception], message: str | None) -> None:
    (left, _), (right, _) = sides()
    with pytest.raises(error) as raised:
        verb(left, right)
    assert message is None or str(raised.value) == message


@given(st.lists(st.integers(0, 5), max_size=5), st.sampled_from(["int32", "float64", "string", "encoded string", "bool", "category"]))
def test_the_whole_is_its_parts(lengths: list[int], dtype: str) -> None:
    whole, _ = made(sum(lengths), v={"dtype": dtype, "nulls": "some", "sliced": True})
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    parts = [whole.iloc[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    assert_column_equal(ff.concat([whole.iloc[:0], *parts])["v"]._column, whole["v"]._column)
