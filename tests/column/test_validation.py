"""Validation of Arrow memory against Arrow's own: damaged text, codes and counts, in slices and chunks of many rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastframe.column import validation
from fastframe.column.validation import validate
from fastframe.options import option_context


@pytest.fixture(autouse=True, params=[0, 1 << 12], ids=["ours", "few rows by Arrow"])
def few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_FEW_ROWS", request.param)
    monkeypatch.setattr(validation, "SLICE_ROWS", 2)


def check(array: pa.Array | pa.ChunkedArray) -> None:
    """As Arrow says, on one thread and on several."""
    for threads in (1, 2, 4):
        with option_context(threads=threads):
            validate(array)


@pytest.mark.parametrize("codes", [[0, 1, 2, 0], [0, -1, 1, 0], [2**31 - 1, 0, 0, 0], [0, 0, None, 2], [0, 0, None, -7]])
def test_codes_beyond_their_dictionary_are_refused(codes: list[int | None]) -> None:
    """What a damaged file could make of pyarrow's reader; a sliced array judges its own rows only."""
    indices = pa.array([99, *codes], pa.int32())
    array = pa.DictionaryArray.from_arrays(indices, pa.array(["a", "b"]), safe=False)
    with pytest.raises(pa.ArrowInvalid):
        check(array.slice(1))
    with pytest.raises(pa.ArrowInvalid):
        check(array)
    check(pa.DictionaryArray.from_arrays(pa.array([99, 1, 0, None if None in codes else 1], pa.int32()), pa.array(["a", "b"]), safe=False).slice(1))
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")])
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        check(pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int32()), broken, safe=False))


def _text(offsets: list[int], data: bytes, dtype: pa.DataType) -> pa.Array:
    width = np.int64 if dtype == pa.large_string() else np.int32
    return pa.Array.from_buffers(dtype, len(offsets) - 1, [None, pa.py_buffer(np.array(offsets, width)), pa.py_buffer(data)])


@pytest.mark.parametrize("dtype", [pa.string(), pa.large_string()])
def test_damaged_text_is_refused(dtype: pa.DataType) -> None:
    for offsets, data in (([0, 2, 1, 3], b"abc"), ([0, 1, 4], b"abc"), ([0, 9, 3], b"abc"), ([-1, 1, 3], b"abc"), ([0, 1, 3], b"a\xff\xff"),
                          ([0, 1, 2], "é".encode())):  # fmt: skip
        with pytest.raises(pa.ArrowInvalid):
            check(_text(offsets, data, dtype))
    for array in (_text([0, 1, 3], "aé".encode(), dtype), pa.array(["ab", None, "", "é"], dtype), pa.array([], dtype), pa.nulls(3, dtype),
                  pa.array(["é", "ab", "c"], dtype).slice(1)):  # fmt: skip
        check(array)


def _outcome(array: pa.Array | pa.ChunkedArray) -> str:
    try:
        check(array)
    except pa.ArrowInvalid as error:
        return str(error)
    return ""


def _arrow(array: pa.Array | pa.ChunkedArray) -> str:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        return str(error)
    return ""


@pytest.mark.parametrize("dtype", [pa.string(), pa.large_string()])
def test_messages_are_those_of_the_whole(dtype: pa.DataType) -> None:
    """A bad byte in any row, in slices and in chunks; bytes under nulls are nobody's."""
    for bad in range(9):
        data = bytearray(b"abcdefghi")
        data[bad] = 0xFF
        array = _text(list(range(10)), bytes(data), dtype)
        assert _arrow(array)
        for given in (array, array.slice(3), pa.chunked_array([array.slice(0, 4), array.slice(4)])):
            assert _outcome(given) == _arrow(given)
        valid = pa.array([row != bad for row in range(9)]).buffers()[1]
        covered = pa.Array.from_buffers(dtype, 9, [valid, *array.buffers()[1:]])
        assert _outcome(covered) == _arrow(covered) == ""


@pytest.mark.parametrize("null_count", [0, 1, 2, 3])
def test_a_wrong_count_of_nulls_is_refused(null_count: int) -> None:
    text = pa.array(["a", "b", "c", "d", "e"])
    codes = pa.array([0, 1, 0, 1, 0], pa.int32())
    valid = pa.array([True, False, True, True, False]).buffers()[1]
    array = pa.Array.from_buffers(pa.string(), 5, [valid, *text.buffers()[1:]], null_count)
    indices = pa.Array.from_buffers(pa.int32(), 5, [valid, codes.buffers()[1]], null_count)
    encoded = pa.DictionaryArray.from_arrays(indices, pa.array(["x", "y"]), safe=False)
    for given in (array, encoded, pa.chunked_array([array, array])):
        assert _outcome(given) == _arrow(given)
    assert bool(_arrow(array)) == (null_count in (1, 3))   # of a count of 0 pyarrow makes an array without a bitmap
