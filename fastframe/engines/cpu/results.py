"""Memory for the results of elementwise kernels, and columns over it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from fastframe._threads import SLICE_ROWS, run
from fastframe.column import Column
from fastframe.column.column import column_from_buffers
from fastframe.column.memory import Block, allocate, allocate_bits, as_buffer
from fastframe.dtypes import BOOL, DType


def bits_result(task: Any, n_rows: int, out: Block, operation: str, slice_rows: int = SLICE_ROWS) -> Column:
    """Run a task that writes bits without nulls; the column of them."""
    run(task, n_rows, slice_rows, operation=operation)
    return column_from_buffers(BOOL, n_rows, out)


def all_bits(value: bool, n_rows: int, operation: str) -> Column:
    """A bool column of one value."""
    out = allocate_bits(n_rows, operation)
    memoryview(out)[:] = (b"\xff" if value else b"\x00") * len(out)
    return column_from_buffers(BOOL, n_rows, out)


def allocate_values(dtype: DType, n_rows: int, operation: str) -> Block:
    """Memory for ``n_rows`` values of a fixed-width dtype (bits for bool)."""
    return allocate_bits(n_rows, operation) if dtype.width == 0 else allocate(n_rows * dtype.width, operation)


def with_validity(dtype: DType, values: Block, source: Column) -> Column:
    """A column of new values under the validity of ``source`` (copied where its bits do not start at a whole byte)."""
    n_rows = len(source)
    if source.null_count == 0:
        return column_from_buffers(dtype, n_rows, values)
    array = source.codes if source.is_encoded else source.array
    validity = shifted_validity(array)
    return Column(pa.Array.from_buffers(dtype.arrow, n_rows, [validity, as_buffer(values)], source.null_count), dtype)


def shifted_validity(array: pa.Array) -> pa.Buffer:
    """The validity of an array with nulls as a bitmap that starts at its row 0."""
    validity = array.buffers()[0]
    if array.offset % 8 == 0:
        return validity.slice(array.offset // 8, (len(array) + 7) // 8)
    bits = pa.Array.from_buffers(pa.bool_(), len(array), [None, validity], 0, array.offset)
    return pa.concat_arrays([bits, bits.slice(0, 0)]).buffers()[1]
