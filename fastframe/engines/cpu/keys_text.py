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
from fastframe._kernels.bitmap import combine_bits
from fastframe._threads import SLICE_ROWS, run
from fastframe.column import cache
from fastframe.column.column import Column, encoded_column, text_view
from fastframe.column.memory import allocate_array, allocate_bits, as_buffer
from fastframe.engines.cpu.take import take
from fastframe.errors import DTypeError

SEED_ROWS = 1 << 15   # numbered first, by one thread, for the tables of all; few distinct texts need nothing more
RANK_ROWS = 1 << 16   # of one sorted run
_RANKING = "sorting a dictionary"


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
    codes = allocate_array(n_rows, np.uint32, "dictionary encoding")
    distinct_rows = encode_rows(column.array, codes)
    dictionary = take(column, distinct_rows, missing=False).array
    indices = pa.Array.from_buffers(pa.int32(), n_rows, [_validity(column), pa.py_buffer(codes)])
    return encoded_column(indices, dictionary, column.dtype)


def _validity(column: Column) -> pa.Buffer | None:
    """The column's validity bitmap from bit 0 on."""
    view = column.validity_view
    if view.validity == 0:
        return None
    bits = allocate_bits(view.length, "dictionary encoding")
    copy = combine_bits("copy", ((view.validity, view.bit_offset, False),), bits.address, column)
    run(copy, view.length, operation="dictionary encoding")
    return as_buffer(bits)


def encode_rows(array: pa.Array, codes: np.ndarray) -> np.ndarray:
    """Write each row's code (0xFFFFFFFF for null) into ``codes``; the first row of each distinct value comes back."""
    n_rows = len(array)
    tables = kernels.TextTables(text_view(array), -(-n_rows // SLICE_ROWS), array)
    at, name = codes.ctypes.data, "dictionary encoding"
    if n_rows > 2 * SEED_ROWS:
        run(tables.phase(kernels.SEED, codes=at, keep=codes), SEED_ROWS, SEED_ROWS, operation=name)
    run(tables.phase(kernels.ENCODE, codes=at, keep=codes), n_rows, SLICE_ROWS, operation=name)
    if tables.settled is not None:
        first_rows = allocate_array(tables.settled, np.int32, name)
        run(tables.phase(kernels.SETTLED, first_rows=first_rows.ctypes.data, keep=first_rows), len(first_rows), operation=name)
        return first_rows
    first_rows = _unify(tables, name)
    run(tables.phase(kernels.RESOLVE, codes=at, keep=codes), n_rows, SLICE_ROWS, operation=name)
    return first_rows


def _unify(tables: Any, name: str) -> np.ndarray:
    """Give the distinct texts of all tables their final codes; their first rows come back."""
    run(tables.phase(kernels.BUCKET, keep=None), tables.n_tables, 1, operation=name)
    run(tables.phase(kernels.UNIFY, keep=None), kernels.N_BUCKETS, 8, operation=name)
    counts = allocate_array(tables.n_slices, np.int64, name)
    run(tables.phase(kernels.COUNT, counts=counts.ctypes.data, keep=counts), tables.n_slices, 1, operation=name)
    first_rows = allocate_array(tables.n_seeds + exclusive_sums(counts), np.int32, name)
    counts += tables.n_seeds
    out = {"counts": counts.ctypes.data, "first_rows": first_rows.ctypes.data}
    run(tables.phase(kernels.PLACE, **out, keep=(counts, first_rows)), tables.n_slices, 1, operation=name)
    run(tables.phase(kernels.LINK, keep=None), tables.n_tables, 1, operation=name)
    return first_rows


def repeats(array: pa.Array) -> bool:
    """Whether codes and a dictionary are smaller than plain text by far: at most a quarter of the texts are distinct.

    Judged by the first rows. Few of them are equal where many values are to come; then their number tells how many (the
    birthday paradox).
    """
    sample = array.slice(0, SEED_ROWS)
    n_texts = len(sample) - sample.null_count
    n_distinct = len(encode_rows(sample, allocate_array(len(sample), np.uint32, "dictionary encoding")))
    n_equal = n_texts - n_distinct
    if len(sample) < len(array) and 2 * n_equal < n_texts:
        return 2 * n_texts * n_texts <= n_equal * len(array)
    return 4 * n_distinct <= len(array)


def translate_codes(codes: np.ndarray, places: np.ndarray) -> None:
    """Replace each code (uint32) by ``places[code]``, in place; one past the end becomes 0xFFFFFFFF."""
    if len(codes) and not (places == np.arange(len(places), dtype=np.uint32)).all():
        run(kernels.translate(codes.ctypes.data, places.ctypes.data, len(places), (codes, places)), len(codes), operation="dictionary encoding")


def number_by_slices(
    tables: Any, codes: np.ndarray, rows: int, n_buckets: int, most: int | None = None
) -> np.ndarray | None:
    """Run the phases of ``slice_tables.hpp``; None where a slice has more than ``most`` distinct keys."""
    n_rows, n_slices = len(codes), tables.n_slices
    counts = allocate_array(n_slices, np.int64, "key encoding")
    limit = () if most is None else (most,)
    encode, unify, rank, _ = tables.phases(codes.ctypes.data, counts.ctypes.data, 0, *limit, keep=(codes, counts))
    if run(encode, n_rows, rows, operation="key encoding") is not None:
        return None
    run(unify, n_buckets, 1, operation="key encoding")
    run(rank, n_slices, 1, operation="key encoding")
    n_distinct = exclusive_sums(counts)
    first_rows = allocate_array(n_distinct, np.int32, "key encoding")
    arrays = (codes, counts, first_rows)
    *_, resolve = tables.phases(*(array.ctypes.data for array in arrays), *limit, keep=arrays)
    run(resolve, n_rows, rows, operation="key encoding")
    return first_rows


def exclusive_sums(counts: np.ndarray) -> int:
    """Turn counts into sums before each; the total comes back."""
    total = int(counts.sum())
    counts[1:] = np.cumsum(counts[:-1])
    counts[:1] = 0
    return total


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
    run(kernels.rank(kernels.SHARED_PREFIX, view, keep, prefixes=prefixes.ctypes.data), n_values, RANK_ROWS)
    prefix = int(prefixes.min())
    run(kernels.rank(kernels.SORT_RUNS, view, keep, prefix=prefix, keys=keys.ctypes.data), n_values, RANK_ROWS)
    run_rows = RANK_ROWS
    while run_rows < n_values:
        addresses = {"keys": keys.ctypes.data, "merged": merged.ctypes.data}
        merge = kernels.rank(kernels.MERGE_RUNS, view, keep, prefix=prefix, run_rows=run_rows, **addresses)
        run(merge, -(-n_values // (2 * run_rows)), 1, operation=_RANKING)
        keys, merged = merged, keys
        run_rows *= 2
    run(kernels.rank(kernels.WRITE_RANKS, view, keep, keys=keys.ctypes.data, ranks=ranks.ctypes.data), n_values)
    return ranks


def ranks(column: Column) -> np.ndarray | None:
    """`rank_of_dictionary` of an encoded text column, kept on it; None where the dictionary is in order already."""
    return column.fact("ranks", lambda: _unless_identity(rank_of_dictionary(column.dictionary)))


def _unless_identity(found: np.ndarray) -> np.ndarray | None:
    return None if bool((found[1:] > found[:-1]).all()) else found
