"""Dense codes of hashed key words, and tables to probe; exact, as the hash is invertible (``_kernels/hash.hpp``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastframe._kernels import hashing as kernels
from fastframe._threads import SLICE_ROWS, run, slice_rows
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.keys_text import exclusive_sums, number_by_slices

PARTITION_ROWS = 4096        # rows of one partition: its table and distinct words stay in the L2 cache
MOST_BITS = 11               # log2 of the most partitions: more streams than that miss the TLB
SAMPLE_ROWS = 4096
FEW_WORDS = 512              # distinct words in the sample, up to which a table per slice is tried
MOST_SLICE_WORDS = 1 << 13   # distinct words in one slice, from which partitions are better
_OPERATION = "key hashing"


class Encoded(NamedTuple):
    """Dense codes of words: per row (0xFFFFFFFF: no key), and the first row of each code."""

    codes: np.ndarray
    first_rows: np.ndarray
    plan: str


class Numbered(NamedTuple):
    """Words numbered by partitions: see ``hashing.hpp::PartitionContext``."""

    bits: int
    offsets: np.ndarray
    scattered: np.ndarray
    starts: np.ndarray
    ids: np.ndarray
    n_distinct: np.ndarray
    base: np.ndarray
    n_codes: int
    rows: int


def encode_words(hashes: np.ndarray) -> Encoded:
    """Dense codes of mixed words. The order of codes is a function of the words alone."""
    if _few_distinct(hashes):
        codes = allocate_array(len(hashes), np.uint32, _OPERATION)
        tables = kernels.WordTables(hashes.ctypes.data, -(-len(hashes) // SLICE_ROWS), hashes)
        first_rows = number_by_slices(tables, codes, SLICE_ROWS, kernels.N_BUCKETS, MOST_SLICE_WORDS)
        if first_rows is not None:
            return Encoded(codes, first_rows, f"hashed by slices, {len(first_rows)} groups")
    numbered = number_words(hashes)
    codes, first_rows = codes_of_rows(hashes, numbered)
    return Encoded(codes, first_rows, f"hashed in {1 << numbered.bits} partitions, {numbered.n_codes} groups")


def _few_distinct(hashes: np.ndarray) -> bool:
    """Whether a fixed sample, spread over the rows, has few distinct words."""
    sample = np.sort(hashes[:: max(1, len(hashes) // SAMPLE_ROWS)][:SAMPLE_ROWS])
    return len(hashes) > 0 and 1 + np.count_nonzero(sample[1:] != sample[:-1]) <= FEW_WORDS


def number_words(hashes: np.ndarray) -> Numbered:
    """Scatter words to partitions and number the distinct ones of each, in order of first appearance."""
    n_rows = len(hashes)
    bits = min(MOST_BITS, max(1, (n_rows // PARTITION_ROWS).bit_length()))
    n_parts = 1 << bits
    rows = slice_rows(n_rows, 4 * n_parts)
    offsets = allocate_array(-(-n_rows // rows) * n_parts, np.uint32, _OPERATION).reshape(-1, n_parts)
    scattered = allocate_array(n_rows, np.uint64, _OPERATION)
    keep = (hashes, offsets, scattered)
    count, scatter = kernels.partition(hashes.ctypes.data, bits, offsets.ctypes.data, scattered.ctypes.data, keep)
    run(count, n_rows, rows, operation=_OPERATION)
    per_part = offsets.sum(axis=0, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(per_part)]).astype(np.uint32)
    offsets[:] = np.cumsum(offsets, axis=0, dtype=np.uint32) - offsets + starts[:-1]
    run(scatter, n_rows, rows, operation=_OPERATION)
    ids = allocate_array(n_rows, np.uint32, _OPERATION)
    n_distinct = allocate_array(n_parts, np.uint32, _OPERATION)
    arrays = (scattered, starts, ids, n_distinct)
    number = kernels.number(bits, *(array.ctypes.data for array in arrays), keep=arrays)
    run(number, n_parts, 16, operation=_OPERATION)
    base = n_distinct.astype(np.int64)
    total = exclusive_sums(base)
    return Numbered(bits, offsets, scattered, starts, ids, n_distinct, base.astype(np.uint32), total, rows)


def codes_of_rows(hashes: np.ndarray, numbered: Numbered) -> tuple[np.ndarray, np.ndarray]:
    """``(codes, first_rows)`` of numbered words, in row order."""
    codes = allocate_array(len(hashes), np.uint32, _OPERATION)
    first_rows = allocate_array(numbered.n_codes, np.int32, _OPERATION)
    addresses = (numbered.offsets.ctypes.data, numbered.ids.ctypes.data, numbered.base.ctypes.data)
    keep = (hashes, numbered, codes, first_rows)
    out = codes.ctypes.data, first_rows.ctypes.data
    task = kernels.codes_of_rows(hashes.ctypes.data, numbered.bits, addresses, *out, keep=keep)
    run(task, len(hashes), numbered.rows, operation=_OPERATION)
    return codes, first_rows


class ProbeTable:
    """The distinct words of one side of a join, to be looked up from the other: 4/7 full, linear probing."""

    def __init__(self, numbered: Numbered) -> None:
        sizes = numbered.n_distinct.astype(np.uint64) * 7 // 4 + 1   # an empty slot at least
        self.bits = numbered.bits
        self.slot_starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint64)
        self.slots = allocate_array(int(self.slot_starts[-1]) * kernels.SLOT_BYTES, np.uint8, _OPERATION)
        distinct = (numbered.scattered, numbered.starts, numbered.n_distinct, numbered.base)
        addresses = tuple(array.ctypes.data for array in distinct)
        table = (self.slot_starts, self.slots)
        task = kernels.fill(self.bits, addresses, *(array.ctypes.data for array in table), keep=(table, numbered))
        run(task, len(sizes), 16, operation=_OPERATION)

    def codes(self, hashes: np.ndarray) -> np.ndarray:
        """Per word its code, 0xFFFFFFFF where the table has none."""
        codes = allocate_array(len(hashes), np.uint32, _OPERATION)
        arrays = (self.slot_starts, self.slots, hashes, codes)
        task = kernels.probe(self.bits, *(array.ctypes.data for array in arrays), keep=arrays)
        run(task, len(hashes), operation=_OPERATION)
        return codes
