"""Is Arrow memory from outside what it says it is? In full, by all threads, and in a fraction of Arrow's time where that can be.

Arrow decodes every text on one thread. Text whose offsets ascend and whose bytes are all ASCII is valid; only the rest is left to Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._threads import SLICE_ROWS, run_calls
from fastframe.dtypes import is_arrow_text

_FEW_ROWS = 1 << 12   # Arrow is done with them before we have begun


def validate(array: pa.Array | pa.ChunkedArray) -> None:
    """Check offsets, text, codes and counts of nulls; nothing where all are right.

    Raises
    ------
    pyarrow.ArrowInvalid
        As ``array.validate(full=True)`` does.
    """
    if len(array) <= _FEW_ROWS:
        array.validate(full=True)
        return
    array.validate()
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    try:
        run_calls([partial(_validate, part) for chunk in chunks for part in _parts(chunk)])
    except pa.ArrowInvalid:
        array.validate(full=True)   # whose message counts rows of the whole, not of a part
        raise


def _parts(chunk: pa.Array) -> Iterator[pa.Array]:
    """The chunk, or slices of it where they can be judged one by one: a slice counts its nulls anew, so the chunk's count is checked here."""
    if not is_arrow_text(chunk.type) or len(chunk) <= SLICE_ROWS or not _counts_its_nulls(chunk):
        yield chunk
        return
    for start in range(0, len(chunk), SLICE_ROWS):
        yield chunk.slice(start, SLICE_ROWS)


def _validate(chunk: pa.Array) -> None:
    if len(chunk) and _counts_its_nulls(chunk):
        if is_arrow_text(chunk.type) and _is_ascii(chunk):
            return
        if pa.types.is_dictionary(chunk.type) and chunk.type.index_type == pa.int32() and not chunk.null_count:
            validate(chunk.dictionary)
            if codes_of(chunk).max() < len(chunk.dictionary):
                return
    chunk.validate(full=True)


def _counts_its_nulls(chunk: pa.Array) -> bool:
    """Whether as many rows are null as the array says."""
    valid = chunk.buffers()[0]
    if valid is None:
        return bool(chunk.null_count == 0)
    return bool(pa.Array.from_buffers(pa.bool_(), len(chunk), [None, valid], offset=chunk.offset).false_count == chunk.null_count)


def _is_ascii(text: pa.Array) -> bool:
    """Whether offsets ascend and the bytes between the first and the last, which `validate` has found to be there, are ASCII."""
    kind = np.dtype(np.int64 if pa.types.is_large_string(text.type) else np.int32)
    _, held_offsets, data = text.buffers()
    offsets: np.ndarray[Any, Any] = np.frombuffer(held_offsets, kind, len(text) + 1, text.offset * kind.itemsize)
    if not (offsets[1:] >= offsets[:-1]).all():
        return False
    held = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data is not None else np.empty(0, np.uint8)
    return not len(held) or bool(held.max() < 0x80)


def codes_of(chunk: pa.DictionaryArray) -> np.ndarray:
    """The codes of an array of int32 codes, without sign: a negative one is too large then."""
    indices = chunk.indices
    return np.frombuffer(indices.buffers()[1], np.uint32, len(chunk), 4 * indices.offset)
