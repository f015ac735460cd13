"""One column of Parquet files from the row groups that hold it, each decoded by pyarrow and put in its place as soon as it is there.

Fixed-width values are copied to the column at once, so only the row groups in work lie in memory twice. Text becomes int32
codes and one dictionary where its writer encoded it, or where its values repeat: that costs no more than to join the row
groups, and the codes serve group-by, join and sort. Anything else is joined by Arrow at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastframe import dtypes
from fastframe._threads import run_calls
from fastframe.column import Column
from fastframe.column.arrow import column_from_arrow, contiguous
from fastframe.column.column import encoded_column
from fastframe.column.memory import allocate, allocate_array, as_buffer
from fastframe.column.validation import codes_of, validate
from fastframe.dtypes import is_arrow_text
from fastframe.engines.cpu.keys_text import ChunkedEncoding, encode_rows, repeats, translate_codes
from fastframe.engines.cpu.take import take
from fastframe.errors import InvalidData
from fastframe.io.parquet_footer import ChunkFacts
from fastframe.io.paths import reading
from fastframe.options import options

_OPERATION = "reading Parquet"

# Text of fewer bytes a row than this in a file was dictionary-encoded all through: plain text has four bytes of length.
ENCODED_BYTES_PER_ROW = 4.0


class Piece(NamedTuple):
    """A row group: of which file, and which rows of the result it holds."""

    path: str
    metadata: Any
    chunks: ChunkFacts
    row_group: int
    number: int   # among all pieces
    start: int
    length: int


def leaves_of(metadata: Any, name: str) -> list[int]:
    """The leaf columns of a file that a (possibly nested) column consists of."""
    paths = [metadata.schema.column(leaf).path for leaf in range(metadata.num_columns)]
    return [leaf for leaf, path in enumerate(paths) if path == name or path.startswith(f"{name}.")]


def is_encoded(chunks: ChunkFacts, leaf: int) -> bool:
    """Whether text is dictionary-encoded throughout, judged by its bytes a row in the file."""
    n_values = int(chunks.n_values[:, leaf].sum())
    return bool(chunks.has_dictionary[:, leaf].all() and int(chunks.size[:, leaf].sum()) < ENCODED_BYTES_PER_ROW * n_values)


def decode(piece: Piece, name: str, kind: pa.DataType, *, encoded: bool) -> list[pa.Array]:
    """The rows of a column in a row group, validated; ``encoded`` text comes as dictionary arrays."""
    from pyarrow._parquet import ParquetReader  # not pyarrow.parquet, which imports the clients of every cloud

    with reading(piece.path, "Parquet"):
        leaves = leaves_of(piece.metadata, name)
        reader = ParquetReader()
        reader.open(piece.path, use_memory_map=True, metadata=piece.metadata, read_dictionary=leaves if encoded else None)
        try:
            column = reader.read_row_groups([piece.row_group], column_indices=leaves, use_threads=False).column(name)
        finally:
            reader.close()
        if options.validate:
            validate(column)
        of_kind = column.type == kind or (encoded and column.type == pa.dictionary(pa.int32(), pa.string()))   # large text, too
        if not of_kind:
            raise InvalidData.in_file(piece.path, "Parquet", f"column {name!r} has different types in different files")
        if len(column) != piece.length:
            raise InvalidData.in_file(piece.path, "Parquet", f"column {name!r} has {len(column)} rows of {piece.length} in a row group")
    return [chunk for chunk in column.chunks if len(chunk)]


def assembly_of(kind: pa.DataType, n_rows: int, n_pieces: int) -> Joined | FixedWidth | Text:
    """An empty column of an Arrow type, to be filled piece by piece on any threads, then finished."""
    if is_arrow_text(kind):
        return Text(kind, n_rows, n_pieces)
    return FixedWidth(kind, n_rows) if has_place(kind, n_pieces) else Joined(kind)


def has_place(kind: pa.DataType, n_pieces: int) -> bool:
    """Whether values of several row groups are put in their place at once: whole bytes of fixed number."""
    types = pa.types
    return n_pieces > 1 and (types.is_decimal128(kind) or (types.is_primitive(kind) and not types.is_boolean(kind)))


class Joined:
    """Pieces that Arrow joins in the end."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._chunks: dict[int, Sequence[pa.Array]] = {}

    def put(self, number: int, start: int, chunks: Sequence[pa.Array]) -> None:
        """Take the rows of a piece, the ``number``-th, from ``start`` on."""
        self._chunks[start] = chunks

    def finish(self, name: str) -> Column:
        """The column, once all rows are there."""
        chunks = [chunk for _, several in sorted(self._chunks.items()) for chunk in several]
        self._chunks.clear()
        return column_from_arrow(pa.chunked_array(chunks, self._kind), name, trusted=True)


class FixedWidth:
    """Values of a fixed number of bytes."""

    def __init__(self, kind: pa.DataType, n_rows: int) -> None:
        self._kind, self._n_rows = kind, n_rows
        self._width = kind.bit_width // 8
        self._block = allocate(n_rows * self._width, _OPERATION)
        self._bytes = np.frombuffer(self._block, np.uint8)
        self._validity = _Validity()

    def put(self, number: int, start: int, chunks: Sequence[pa.Array]) -> None:
        """Copy the rows of a piece from ``start`` on."""
        for chunk in chunks:
            width, stop = self._width, start + len(chunk)
            source = np.frombuffer(chunk.buffers()[1], np.uint8)
            self._bytes[start * width : stop * width] = source[chunk.offset * width : (chunk.offset + len(chunk)) * width]
            self._validity.put(start, chunk)
            start = stop

    def finish(self, name: str) -> Column:
        """The column, once all rows are there."""
        validity = self._validity.finish()
        array = pa.Array.from_buffers(self._kind, self._n_rows, [validity, as_buffer(self._block)], self._validity.null_count)
        return column_from_arrow(array, name, trusted=True)


class Text:
    """Text: codes where it comes encoded, or where the texts of every piece repeat, else plain."""

    def __init__(self, kind: pa.DataType, n_rows: int, n_pieces: int) -> None:
        self._kind = kind
        self._codes = allocate_array(n_rows, np.uint32, _OPERATION)
        self._validity = _Validity()
        self._encoding = ChunkedEncoding(n_pieces)
        self._encoded: dict[int, int] = {}               # rows of the pieces in it, by first row
        self._dictionaries: dict[int, pa.Array] = {}     # by first row, like the plain ones
        self._plain: dict[int, pa.Array] = {}

    def put(self, number: int, start: int, chunks: Sequence[pa.Array]) -> None:
        """Take the rows of a piece from ``start`` on."""
        if len(chunks) == 1 and not pa.types.is_dictionary(chunks[0].type) and repeats(chunks[0]):
            self._encoding.encode(number, start, chunks[0], self._codes[start : start + len(chunks[0])])
            self._encoded[start] = len(chunks[0])
            self._validity.put(start, chunks[0])
            return
        for chunk in chunks:
            if pa.types.is_dictionary(chunk.type):
                self._codes[start : start + len(chunk)] = codes_of(chunk)
                self._dictionaries[start] = chunk.dictionary
                self._validity.put(start, chunk)
            else:
                self._plain[start] = chunk
            start += len(chunk)

    def finish(self, name: str) -> Column:
        """The column, once all rows are there."""
        if self._dictionaries:
            dictionary = self._unify()
        elif self._encoded:
            dictionary = self._encoding.finish(self._kind)
        if self._plain or not (self._dictionaries or self._encoded):
            decoded = {start: self._decoded(start, n_rows, dictionary) for start, n_rows in self._encoded.items()}
            chunks = [chunk for _, chunk in sorted((self._plain | decoded).items())]
            return column_from_arrow(pa.chunked_array(chunks, self._kind), name, trusted=True)
        validity = self._validity.finish()
        codes = pa.Array.from_buffers(pa.int32(), len(self._codes), [validity, pa.py_buffer(self._codes)], self._validity.null_count)
        return encoded_column(codes, dictionary, dtypes.from_arrow(self._kind))

    def _decoded(self, start: int, n_rows: int, dictionary: pa.Array) -> pa.Array:
        """The texts of a piece beside which others do not repeat."""
        valid = self._validity.of(start)
        codes = pa.py_buffer(self._codes[start : start + n_rows])
        places = pa.Array.from_buffers(pa.int32(), n_rows, [valid.buffers()[1] if valid is not None else None, codes])
        return dictionary.take(places).cast(self._kind)

    def _unify(self) -> pa.Array:
        """One dictionary of unique values for the codes of all pieces."""
        starts = sorted(self._dictionaries)
        several = contiguous(pa.chunked_array([self._dictionaries[start] for start in starts]))
        places = allocate_array(len(several), np.uint32, _OPERATION)
        first_rows = encode_rows(several, places)
        at, calls = 0, []
        for start, stop in zip(starts, [*starts[1:], len(self._codes)], strict=True):
            n_values = len(self._dictionaries[start])
            calls.append(partial(translate_codes, self._codes[start:stop], places[at : at + n_values]))
            at += n_values
        run_calls(calls)   # one by one, each would start and end on all threads
        return several if len(first_rows) == len(several) else take(Column(several), first_rows, missing=False).array


class _Validity:
    """Which rows are null, gathered chunk by chunk."""

    def __init__(self) -> None:
        self._lengths: dict[int, int] = {}
        self._valid: dict[int, pa.Array] = {}
        self.null_count = 0

    def put(self, start: int, chunk: pa.Array) -> None:
        self._lengths[start] = len(chunk)
        if chunk.null_count:
            bits = chunk.indices.buffers()[0] if pa.types.is_dictionary(chunk.type) else chunk.buffers()[0]
            self._valid[start] = pa.Array.from_buffers(pa.bool_(), len(chunk), [None, bits], offset=chunk.offset)

    def of(self, start: int) -> pa.Array | None:
        """Valid rows as bits from 0 on; None where all are."""
        valid = self._valid.get(start)
        return None if valid is None else pa.concat_arrays([valid, valid.slice(0, 0)])

    def finish(self) -> pa.Buffer | None:
        """The bitmap of all rows, or None where none is null."""
        if not self._valid:
            return None
        parts = [self._valid.get(start, _all_true(length)) for start, length in sorted(self._lengths.items())]
        whole = pa.concat_arrays(parts)
        self.null_count = whole.false_count
        return whole.buffers()[1]


def _all_true(length: int) -> pa.Array:
    return pa.Array.from_buffers(pa.bool_(), length, [None, pa.py_buffer(b"\xff" * ((length + 7) // 8))])
