"""The public testing helpers: strategies make what they say, assertions tell differences."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastframe import testing
from fastframe.column import Column, Table
from fastframe.errors import ArgumentError
from fastframe.testing import DTYPES, NULLS, assert_column_equal, assert_frame_equal, column, covering, strategies


@given(st.data(), strategies.dtype_names())
def test_columns_are_valid(data: st.DataObject, name: str) -> None:
    made = data.draw(strategies.columns(name, max_rows=12))
    made.array.validate(full=True)
    assert len(made) <= 12
    assert made.dtype == ("string" if name == "encoded string" else name)
    assert made.is_encoded == (name in ("encoded string", "category"))
    assert_column_equal(made, Column(pa.concat_arrays([made.array]), made.dtype))


@given(st.data(), strategies.dtype_names())
def test_missing_can_be_left_out(data: st.DataObject, name: str) -> None:
    made = data.draw(strategies.arrays(name, n_rows=7, missing=False))
    assert len(made) == 7 and made.null_count == 0


@given(st.data())
def test_chunkings_keep_rows(data: st.DataObject) -> None:
    table = data.draw(strategies.tables(max_rows=15))
    parts = data.draw(strategies.chunked(table))
    parts.validate(full=True)
    assert_frame_equal(parts, pa.table({name: one.array for name, one in table.columns.items()}))
    assert parts.num_rows == table.n_rows


def test_chunkings_cut() -> None:
    """Some chunking has several chunks, so the property above is not about whole columns only."""
    seen = set()

    @settings(max_examples=50, database=None, derandomize=True)
    @given(strategies.chunked(pa.table({"x": range(20)})))
    def look(parts: pa.Table) -> None:
        seen.add(parts["x"].num_chunks)

    look()
    assert max(seen) > 2


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("nulls", NULLS)
def test_columns_of_data(name: str, nulls: str) -> None:
    for n_rows in (0, 1, 90):
        for sliced in (False, True):
            made = column(name, n_rows, nulls=nulls, sliced=sliced)
            made.array.validate(full=True)
            expected = {"none": 0, "all": n_rows, "first": min(n_rows, 1), "last": min(n_rows, 1)}
            assert len(made) == n_rows and made.null_count == expected.get(nulls, made.null_count)
            if nulls == "some" and n_rows == 90:
                assert 0 < made.null_count < 90
            assert_column_equal(made, column(name, n_rows, nulls=nulls, sliced=sliced))


def test_sliced_columns_start_inside_a_byte() -> None:
    made = column("int64", 50, nulls="some", sliced=True)
    assert made.view.bit_offset % 8 != 0


def test_unknown_nulls_are_refused() -> None:
    with pytest.raises(ArgumentError, match="Did you mean 'some'"):
        column("int64", 3, nulls="sone")


def test_covering_covers_all_pairs_with_fewer_rows() -> None:
    factors = {"a": "wxyz", "b": [1, 2, 3], "c": [True, False], "d": "pqr"}
    rows = covering(factors)
    for one in factors:
        for other in factors:
            if one != other:
                pairs = {(row[one], row[other]) for row in rows}
                assert pairs == {(left, right) for left in factors[one] for right in factors[other]}
    assert len(rows) < 4 * 3 * 2 * 3 / 3


def made_column(values: list[object], kind: pa.DataType) -> Column:
    return Column(pa.array(values, kind, from_pandas=False))


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (made_column([1], pa.int64()), made_column([1], pa.int32()), "dtypes differ"),
        (made_column([1], pa.int64()), made_column([1, 2], pa.int64()), "lengths differ: 1 and 2"),
        (made_column([1, 2, 3], pa.int64()), made_column([1, 5, 4], pa.int64()), r"row 1 \(and 1 more\): 2 and 5"),
        (made_column([1, None], pa.int64()), made_column([1, 0], pa.int64()), "row 1.*one is missing"),
        (made_column([float("nan")], pa.float64()), made_column([None], pa.float64()), "one is missing"),
        (made_column([0.0], pa.float64()), made_column([-0.0], pa.float64()), "row 0"),
        (made_column(["a", "b"], pa.string()), made_column(["a", "c"], pa.string()), "'b' and 'c'"),
    ],
)
def test_column_differences_are_named(left: Column, right: Column, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_column_equal(left, right)


def test_columns_equal_across_encodings_and_under_nulls() -> None:
    plain = made_column(["a", None, "b"], pa.string())
    assert_column_equal(plain, Column(plain.array.dictionary_encode(), plain.dtype))
    under = pa.Array.from_buffers(pa.float64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([1.0, 99.0]))])
    assert_column_equal(Column(under), made_column([1.0, None], pa.float64()))


def test_frames() -> None:
    left = pa.table({"k": ["a", "b", None], "x": [1.0, None, float("nan")]})
    assert_frame_equal(left, pa.table({"k": ["a", "b", None], "x": [1.0, float("nan"), None]}))
    turned = left.take([2, 0, 1])
    with pytest.raises(AssertionError, match="column 'k' differ at row 0"):
        assert_frame_equal(left, turned)
    assert_frame_equal(left, turned, check_order=False)
    with pytest.raises(AssertionError, match="columns differ"):
        assert_frame_equal(left, left.select(["x", "k"]))
    with pytest.raises(AssertionError, match="numbers of rows differ: 3 and 2"):
        assert_frame_equal(left, left.slice(1), check_order=False)
    with pytest.raises(AssertionError, match="dtypes of column 'k' differ"):
        assert_frame_equal(left, left.set_column(0, "k", pa.array([1, 2, 3])))


def test_frame_tolerance() -> None:
    left, right = pa.table({"x": [1.0, 1e9]}), pa.table({"x": [1.0 + 1e-12, 1e9]})
    assert_frame_equal(left, right, rtol=1e-9)
    with pytest.raises(AssertionError, match="column 'x' differ at row 0"):
        assert_frame_equal(left, right)
    with pytest.raises(AssertionError):
        assert_frame_equal(pa.table({"x": [float("inf")]}), pa.table({"x": [1.0]}), rtol=1e-9)


def test_frames_of_other_libraries() -> None:
    pl = pytest.importorskip("polars")
    assert_frame_equal(pl.DataFrame({"x": [1, 2], "s": ["a", "b"]}), pa.table({"x": [1, 2], "s": ["a", "b"]}))


def test_tables_of_all_dtypes() -> None:
    made = testing.table(20, sliced=True)
    assert isinstance(made, Table) and made.names == list(DTYPES) and made.n_rows == 20


def test_hypothesis_is_not_loaded_by_the_package() -> None:
    code = "import sys, fastframe.testing; print('hypothesis' in sys.modules, 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == [
        "False",
        "False",
    ]
