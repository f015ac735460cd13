"""Text as keys: dictionary encoding in parallel, and the order of a dictionary's values.

``encode_text(column) -> Column`` gives an encoded column (kept on the column it came from);
``rank_of_dictionary(dictionary: pa.Array) -> np.ndarray`` gives, per code, the int32 rank of its value in bytewise
(UTF-8) order; ``ranks(column)`` is the same for an encoded text column, computed once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fastframe._kernels import encode as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run
from fastframe.column import cache
from fastframe.column.column import Column, encoded_column, text_view
from fastframe.column.memory import allocate_array, as_buffer
from fastframe.engines.cpu.forms import copied_validity, exclusive_sums
from fastframe.engines.cpu.take import by_codes, take
from fastframe.engines.cpu.text_index import TextIndex
from fastframe.errors import DTypeError

SEED_ROWS = 1 << 15   # numbered first, by one thread, for the tables of all; few distinct texts need nothing more
RANK_ROWS = 1 << 16   # of one sorted run
_SHORT_ROWS = 1 << 17   # fewer are not worth a look whether values repeat
_MOST_SMALL = 2**31 - 1   # bytes of text with int32 offsets
_RANKING = "sorting a dictionary"
_ENCODING = "dictionary encoding"


def encode_text(column: Column) -> Column:
    """The column with int32 codes into a dictionary of its distinct values, in order of first appearance.

    An encoded column is returned as it is. The result is kept on the column (``ff.options.cache_bytes``).

    Raises
    ------
    DTypeError
        For a column that is not text.
    """
    if column.is_encoded:
        return column
    if not column.dtype.is_text:
        raise DTypeError.of_operation("dictionary encoding", column.dtype, allowed="string and binary columns")
    encoded: Column | None = cache.find([column], "encoded")
    if encoded is None:
        encoded = _encode(column)
        cache.keep([column], "encoded", encoded, encoded.nbytes)
    return encoded


def _encode(column: Column) -> Column:
    n_rows = len(column)
    codes = allocate_array(n_rows, np.uint32, _ENCODING)
    if n_rows < _SHORT_ROWS or _repeats(column):
        distinct_rows = encode_rows(column.array, codes)
    else:   # tables that grow with every thread, and then are united, take more than twice the time
        distinct_rows = TextIndex(column.array).number(codes)
    plain = Column(column.array, column.dtype)   # of which nobody else publishes codes meanwhile: take would use them
    dictionary = take(plain, distinct_rows, missing=False).array
    present = copied_validity(column, _ENCODING).bits
    indices = pa.Array.from_buffers(pa.int32(), n_rows, [None if present is None else as_buffer(present), pa.py_buffer(codes)])
    return encoded_column(indices, dictionary, column.dtype)


def encode_rows(array: pa.Array, codes: np.ndarray) -> np.ndarray:
    """Write each row's code (0xFFFFFFFF for null) into ``codes``; the first row of each distinct value comes back."""
    n_rows = len(array)
    tables = kernels.TextTables(-(-n_rows // SLICE_ROWS))
    view, address, keep = text_view(array), address_of(codes), (array, codes)
    if n_rows > 2 * SEED_ROWS:
        run(tables.over_rows(kernels.SEED, view, address, keep=keep), SEED_ROWS, SEED_ROWS, operation=_ENCODING)
    run(tables.over_rows(kernels.ENCODE, view, address, keep=keep), n_rows, SLICE_ROWS, operation=_ENCODING)
    if tables.settled is not None:
        first_rows = allocate_array(tables.settled, np.int32, _ENCODING)
        run(tables.phase(kernels.SETTLED, first_rows=address_of(first_rows), keep=first_rows), len(first_rows), operation=_ENCODING)
        return first_rows
    first_rows, _ = _unify(tables)
    run(tables.over_rows(kernels.RESOLVE, None, address, keep=codes), n_rows, SLICE_ROWS, operation=_ENCODING)
    return first_rows


def _unify(tables: Any) -> tuple[np.ndarray, np.ndarray]:
    """Give the distinct texts of all tables their final codes: per code its first row, and where its text is kept."""
    run(tables.phase(kernels.BUCKET, keep=None), tables.n_tables, 1, operation=_ENCODING)
    run(tables.phase(kernels.UNIFY, keep=None), kernels.N_BUCKETS, 8, operation=_ENCODING)
    counts = allocate_array(tables.n_slices, np.int64, _ENCODING)
    run(tables.phase(kernels.COUNT, counts=address_of(counts), keep=counts), tables.n_slices, 1, operation=_ENCODING)
    n_texts = tables.n_seeds + exclusive_sums(counts)
    counts += tables.n_seeds
    first_rows, homes = allocate_array(n_texts, np.int32, _ENCODING), allocate_array(n_texts, np.uint64, _ENCODING)
    out = {"counts": address_of(counts), "first_rows": address_of(first_rows), "homes": address_of(homes)}
    run(tables.phase(kernels.PLACE, **out, keep=(counts, first_rows, homes)), tables.n_slices, 1, operation=_ENCODING)
    run(tables.phase(kernels.LINK, keep=None), tables.n_tables, 1, operation=_ENCODING)
    return first_rows, homes


class ChunkedEncoding:
    """Codes of texts that come in several arrays, each of which may be let go of once it is encoded; by any threads.

    Parameters
    ----------
    n_chunks : int
        Arrays to come. ``encode`` takes them in any order, but ascending order needs the fewest tables.
    """

    def __init__(self, n_chunks: int) -> None:
        self._tables = kernels.TextTables(n_chunks)
        self._encoded: dict[int, np.ndarray] = {}

    def encode(self, chunk: int, first_row: int, array: pa.Array, codes: np.ndarray) -> None:
        """Number the texts of an array (of 1 row at least) whose first row is ``first_row`` among all."""
        task = self._tables.over_rows(
            kernels.ENCODE, text_view(array), address_of(codes), first_slice=chunk, first_row=first_row, keep=(array, codes)
        )
        run(task, len(array), len(array), operation=_ENCODING)
        self._encoded[chunk] = codes

    def finish(self, kind: pa.DataType) -> pa.Array:
        """Make all codes final; the dictionary, in order of first appearance. Every array must have been encoded."""
        n_texts, homes = self._tables.settled, np.empty(0, np.uint64)
        if n_texts is None:
            _, homes = _unify(self._tables)
            n_texts = len(homes)
            for chunk, codes in self._encoded.items():
                resolve = self._tables.over_rows(kernels.RESOLVE, None, address_of(codes), first_slice=chunk, keep=codes)
                run(resolve, len(codes), len(codes), operation=_ENCODING)
        address = address_of(homes) if len(homes) else 0
        n_bytes = self._tables.texts_bytes(address, n_texts)
        large = pa.types.is_large_string(kind) or n_bytes > _MOST_SMALL
        offsets = allocate_array(n_texts + 1, np.int64 if large else np.int32, _ENCODING)
        data = allocate_array(n_bytes, np.uint8, _ENCODING)
        self._tables.write_texts(address, n_texts, address_of(offsets), address_of(data), large)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_string() if large else pa.string(), n_texts, buffers, 0)


def in_codes(column: Column, *, short: bool) -> Column:
    """Text by codes where these are known, or where it is long and its values repeat, or (with ``short``) where it is short; else as it is.

    Codes of text whose values hardly repeat take as much room as the text, and more time than most of what is done with it.
    """
    if column.is_encoded or not column.dtype.is_text:
        return column
    if short if len(column) < _SHORT_ROWS else _repeats(column):
        return encode_text(column)
    return by_codes(column)


def _repeats(column: Column) -> bool:
    known: bool = column.fact("repeats", lambda: repeats(column.array))
    return known


def repeats(array: pa.Array) -> bool:
    """Whether codes and a dictionary are smaller than plain text by far: at most a quarter of the texts are distinct.

    Judged by the first rows. Few of them are equal where many values are to come; then their number tells how many (the
    birthday paradox).
    """
    sample = array.slice(0, SEED_ROWS)
    n_texts = len(sample) - sample.null_count
    n_distinct = len(encode_rows(sample, allocate_array(len(sample), np.uint32, _ENCODING)))
    n_equal = n_texts - n_distinct
    if len(sample) < len(array) and 2 * n_equal < n_texts:
        return 2 * n_texts * n_texts <= n_equal * len(array)
    return 4 * n_distinct <= len(array)


def translate_codes(codes: np.ndarray, places: np.ndarray) -> None:
    """Replace each code (uint32) by ``places[code]``, in place; one past the end becomes 0xFFFFFFFF."""
    if len(codes) and not (places == np.arange(len(places), dtype=np.uint32)).all():
        run(kernels.translate(address_of(codes), address_of(places), len(places), (codes, places)), len(codes), operation=_ENCODING)


def rank_of_dictionary(dictionary: pa.Array) -> np.ndarray:
    """Per value of a dictionary of unique, non-null text, its rank in bytewise order (int32)."""
    n_values = len(dictionary)
    ranks = allocate_array(n_values, np.int32, _RANKING)
    if n_values == 0:
        return ranks
    view = text_view(dictionary)
    prefixes = allocate_array(-(-n_values // RANK_ROWS), np.int64, _RANKING)
    keys, merged = (allocate_array(n_values * kernels.RANK_KEY_BYTES, np.uint8, _RANKING) for _ in range(2))
    keep = (dictionary, prefixes, keys, merged, ranks)
    run(kernels.rank(kernels.SHARED_PREFIX, view, keep, prefixes=address_of(prefixes)), n_values, RANK_ROWS)
    prefix = int(prefixes.min())
    run(kernels.rank(kernels.SORT_RUNS, view, keep, prefix=prefix, keys=address_of(keys)), n_values, RANK_ROWS)
    run_rows = RANK_ROWS
    while run_rows < n_values:
        addresses = {"keys": address_of(keys), "merged": address_of(merged)}
        merge = kernels.rank(kernels.MERGE_RUNS, view, keep, prefix=prefix, run_rows=run_rows, **addresses)
        run(merge, -(-n_values // (2 * run_rows)), 1, operation=_RANKING)
        keys, merged = merged, keys
        run_rows *= 2
    run(kernels.rank(kernels.WRITE_RANKS, view, keep, keys=address_of(keys), ranks=address_of(ranks)), n_values)
    return ranks


def ranks(column: Column) -> np.ndarray | None:
    """`rank_of_dictionary` of an encoded text column, kept on it; None where the dictionary is in order already."""
    return column.fact("ranks", lambda: _unless_identity(rank_of_dictionary(column.dictionary)))


def _unless_identity(found: np.ndarray) -> np.ndarray | None:
    return None if bool((found[1:] > found[:-1]).all()) else found
