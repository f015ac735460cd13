"""Columns over filled memory, and the two parts of a table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels.memory import Block, address_of
from fastframe.column import Column, Table
from fastframe.column.arrow import column_from, constant
from fastframe.column.column import column_from_buffers
from fastframe.column.range import RangeColumn
from fastframe.dtypes import BOOL, FLOAT64, INT64
from fastframe.errors import DTypeError


def filled(values: np.ndarray) -> Block:
    block = Block(values.nbytes)
    memoryview(block)[:] = values.tobytes()
    return block


@pytest.mark.parametrize("n_rows", [0, 1, 7, 1000])
def test_a_column_of_filled_memory_is_an_arrow_array_when_asked(n_rows: int) -> None:
    values = np.arange(n_rows) / 3
    block = filled(values)
    column = column_from_buffers(FLOAT64, n_rows, block)
    assert (len(column), column.dtype, column.null_count, column.is_encoded) == (n_rows, FLOAT64, 0, False)
    assert column.view == (block.address, 0, 0, n_rows)
    assert column.validity_view == (0, 0, 0, n_rows)
    del block
    assert column.array.to_pylist() == values.tolist()
    assert column.array is column.array
    assert column.slice(n_rows // 2, n_rows - n_rows // 2).array.to_pylist() == values[n_rows // 2 :].tolist()
    assert column.nbytes == 8 * n_rows


@pytest.mark.parametrize("n_rows", [1, 8, 13, 8191, 8192, 8193, 20_001])
@pytest.mark.parametrize("missing", ["none", "first", "last", "all"])
def test_nulls_are_counted_of_the_rows_alone(n_rows: int, missing: str) -> None:
    present = np.ones(n_rows, bool)
    present[{"none": slice(0, 0), "first": slice(0, 1), "last": slice(n_rows - 1, None), "all": slice(None)}[missing]] = False
    bits = np.packbits(np.append(present, np.ones(-n_rows % 8, bool)), bitorder="little")   # what lies beyond the rows is set
    column = column_from_buffers(INT64, n_rows, filled(np.arange(n_rows)), filled(bits))
    assert column.null_count == n_rows - present.sum()
    assert column.array.to_pylist() == [row if there else None for row, there in enumerate(present.tolist())]
    assert (column.view.validity == 0) == (missing == "none")


def test_bools_in_memory() -> None:
    column = column_from_buffers(BOOL, 3, filled(np.array([0b101], np.uint8)))
    assert column.array.to_pylist() == [True, False, True]


def test_the_parts_of_a_table() -> None:
    columns = {"\0" + "0": RangeColumn(3), "a": column_from([1, 2, 3]), "b": column_from(["x", "y", "z"])}
    table = Table(columns)
    assert list(table.hidden) == ["\0" + "0"]
    assert list(table.shown) == ["a", "b"]
    assert table.schema is table.schema
    again = Table.joined(table.hidden, {"a": columns["a"]}, 3)
    assert list(again.columns) == ["\0" + "0", "a"]
    assert again.hidden is table.hidden
    assert list(again.with_columns({"c": columns["b"]}).shown) == ["a", "c"]


@pytest.mark.parametrize("value", [True, 5, -(2**63), 2**63 - 1, 2.5, float("nan"), -0.0, "é", ""])
def test_a_constant_is_the_value_in_every_row(value: object) -> None:
    found, general = constant(value, 3), column_from([value] * 3)
    assert found.dtype == general.dtype
    assert str(found.array.to_pylist()) == str([value] * 3)
    assert len(constant(value, 0)) == 0


def test_a_constant_beyond_every_dtype_is_refused() -> None:
    with pytest.raises(DTypeError, match="'n'"):
        constant(2**80, 3, name="n")


def test_the_address_of_memory() -> None:
    values = np.arange(10)
    assert address_of(values) == values.ctypes.data
    assert address_of(values[3:]) == values.ctypes.data + 24
    block = Block(64)
    assert address_of(block) == block.address


def test_pickling_a_column_of_filled_memory() -> None:
    import pickle

    column = column_from_buffers(INT64, 3, filled(np.arange(3)))
    again = pickle.loads(pickle.dumps(column))
    assert isinstance(again, Column)
    assert again.array.equals(pa.array([0, 1, 2]))
