"""How columns lie in memory, as the selecting handlers need it: which form, operands for kernels, results from blocks."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from struct import pack_into
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe._kernels.bitmap import combine_bits
from fastframe._kernels.memory import Block, address_of
from fastframe._threads import SLICE_ROWS, fine_slice_rows, run
from fastframe.column.column import Column, array_from_buffers, text_view
from fastframe.column.memory import allocate, allocate_array, allocate_bits, as_buffer
from fastframe.dtypes import DType, Kind, Physical

if TYPE_CHECKING:
    from fastframe._kernels.bitmap import BitOperand
    from fastframe._kernels.text import TextSink, TextSource
    from fastframe._threads._drive import Task

Rows = np.ndarray[Any, np.dtype[np.int32]]

MAX_SMALL_OFFSET = 2**31 - 1   # bytes of text that int32 offsets reach; one more and offsets are int64


class Form(Enum):
    """How a column's values lie in memory."""

    FIXED = "values of one width"
    BITS = "bits"
    TEXT = "offsets and bytes"
    ENCODED = "int32 codes and a dictionary"
    OTHER = "left to pyarrow"   # nested, float16, null, fixed-size binary

    __hash__ = object.__hash__   # members are looked up per column of a call; Enum's own is written in Python


def form_of(column: Column) -> Form:
    """The form of a column."""
    if column.is_encoded:
        return Form.ENCODED
    physical = column.dtype.physical
    if physical is None:
        return Form.OTHER
    if physical is Physical.BOOL:
        return Form.BITS
    return Form.TEXT if physical in (Physical.STR, Physical.LSTR) else Form.FIXED


def validity_bits(column: Column) -> BitOperand:
    """The validity as a bitmap operand: which rows are not null. Not for dtype null, which has no bitmap."""
    view = column.validity_view
    return view.validity, view.bit_offset, True


def copied_validity(column: Column, operation: str) -> Validity:
    """The validity of a result with the column's nulls, from bit 0 on."""
    if not column.null_count:
        return ALL_VALID
    bits = allocate_bits(len(column), operation)
    run(combine_bits("copy", (validity_bits(column),), bits.address, (column, bits)), len(column), operation=operation)
    return Validity(bits, column.null_count)


def value_bits(column: Column) -> BitOperand:
    """The values of a bool column as a bitmap operand."""
    return column.view.values, column.view.bit_offset, False


def text_source(array: pa.Array, *, constant: bool = False) -> TextSource:
    """A plain text array as kernels take it; ``constant``: its row 0 stands for every row."""
    view = text_view(array)
    data = array.buffers()[2]
    return view.offsets, view.data, data.size if data is not None else 0, view.large, constant


class Validity(NamedTuple):
    """The validity of a result: no bitmap where nothing is null; -1 where nobody counted yet."""

    bits: Block | None
    null_count: int


ALL_VALID = Validity(None, 0)


def fixed_array(arrow: pa.DataType, n_rows: int, values: Block, validity: Validity) -> pa.Array:
    """An array of fixed-width values, codes or bits."""
    return array_from_buffers(arrow, n_rows, values, validity.bits, validity.null_count)


def rewrapped(column: Column, codes: pa.Array) -> Column:
    """The encoded column with other codes."""
    array = pa.DictionaryArray.from_arrays(codes, column.dictionary, ordered=column.array.type.ordered, safe=False)
    return Column(array, column.dtype)


def codes_column(column: Column) -> Column:
    """The int32 codes of an encoded column as a column."""
    return Column(column.codes)


def text_array(arrow: pa.DataType, n_rows: int, sizes: Callable[[int], Task], copy: Callable[[TextSink], Task],
               validity: Callable[[], Validity], *, operation: str, task_rows: int | None = None,
               slice_rows: int | None = None) -> pa.Array:  # fmt: skip
    """The two passes of every text kernel: sizes of slices, their running sum, then offsets and bytes.

    ``sizes`` makes the first pass for the address of its results, ``copy`` the second for its sink. The passes run over
    ``task_rows`` rows (the result's where None) in slices of ``slice_rows`` (fine ones where None); offsets become int64 where
    the result passes 2 GiB.
    """
    task_rows = n_rows if task_rows is None else task_rows
    slice_rows = fine_slice_rows(task_rows) if slice_rows is None else slice_rows
    starts = np.zeros(-(-task_rows // slice_rows) + 1, np.int64)
    at = address_of(starts)
    run(sizes(at + starts.itemsize), task_rows, slice_rows, operation=operation)
    if len(starts) > 2:
        np.cumsum(starts, out=starts)
    n_bytes = int(starts[-1])
    large = n_bytes > MAX_SMALL_OFFSET
    offsets = allocate_offsets(n_rows, large, operation)
    data = allocate(n_bytes, operation)
    run(copy((at, offsets.address, data.address, large)), task_rows, slice_rows, operation=operation)
    return text_from_blocks(arrow, n_rows, offsets, data, validity(), large=large)


def allocate_offsets(n_rows: int, large: bool, operation: str) -> Block:
    """Memory for the offsets of ``n_rows`` strings; offset 0 is written."""
    width = 8 if large else 4
    offsets = allocate((n_rows + 1) * width, operation)
    pack_into("q" if large else "i", offsets, 0, 0)
    return offsets


def text_from_blocks(arrow: pa.DataType, n_rows: int, offsets: Block, data: Block, validity: Validity, *, large: bool) -> pa.Array:
    """A plain text array; its Arrow type follows the width of its offsets."""
    buffers = [None if validity.bits is None else as_buffer(validity.bits), as_buffer(offsets), as_buffer(data)]
    is_binary = pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow)
    small_type, large_type = (pa.binary(), pa.large_binary()) if is_binary else (pa.string(), pa.large_string())
    array = pa.Array.from_buffers(large_type if large else small_type, n_rows, buffers, validity.null_count if validity.bits is not None else 0)
    if validity.bits is not None and array.null_count == 0:
        return text_from_blocks(arrow, n_rows, offsets, data, ALL_VALID, large=large)
    return array


def nulls(dtype: DType, n_rows: int) -> Column:
    """``n_rows`` nulls of a dtype (a category of no categories, for a category)."""
    array = pa.nulls(n_rows, dtype.arrow)
    return Column(array, dtype if dtype.kind is not Kind.CATEGORY else None)


def exclusive_sums(counts: np.ndarray) -> int:
    """Turn counts into sums before each; the total comes back."""
    total = int(counts.sum())
    counts[1:] = np.cumsum(counts[:-1])
    counts[:1] = 0
    return total


def slice_array(n_rows: int, dtype: Any, operation: str) -> np.ndarray[Any, Any]:
    """An uninitialised array of one value per slice of ``n_rows`` rows."""
    return allocate_array(-(-n_rows // SLICE_ROWS), dtype, operation)

