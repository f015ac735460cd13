"""Dense codes of hashed key words, and tables to probe; exact, as the hash is invertible (``_kernels/hash.hpp``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastframe._kernels import hashing as kernels
from fastframe._threads import SLICE_ROWS, run, slice_rows
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.forms import exclusive_sums
from fastframe.engines.cpu.groups import code_dtype, remapped
from fastframe.engines.cpu.key_direct import Found
from fastframe.engines.cpu.key_parts import KeyPart, fitting_groups, kernel_parts, pack, packed_words
from fastframe.engines.cpu.plan import partition_bits

SAMPLE_ROWS = 1 << 14
NEAR_BYTES = 512 << 10       # of a table that stays in the L2 cache
FILTER_BITS = 16             # per key at least: at most one of so many keys that are not there is looked up
_OPERATION = "key hashing"
_NOTHING = np.empty(0, np.uint32)


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


def expected_keys(parts: Sequence[KeyPart], n_rows: int) -> int:
    """How many distinct keys a fixed sample of the rows lets expect (Chao 1984: seen + once squared / twice twice).

    It is right for keys that are about equally frequent, and a lower bound for others.
    """
    rows = np.arange(0, n_rows, max(1, n_rows // SAMPLE_ROWS), dtype=np.int32)[:SAMPLE_ROWS]
    if len(rows) == 0:
        return 0
    words = np.stack([packed_words(group, rows) for group in fitting_groups(parts)])
    _, counts = np.unique(words, axis=1, return_counts=True) if len(words) > 1 else np.unique(words[0], return_counts=True)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    if once == len(rows):
        return n_rows
    return len(counts) + (once * (once - 1) // (2 * (twice + 1)))


def group_in_table(parts: Sequence[KeyPart], n_rows: int, log_slots: int) -> Found | None:
    """Groups in the order of their words' hashes; None where more than half of the table would be full."""
    n_slots = 1 << log_slots
    slots = np.full(n_slots, kernels.NO_HASH, np.uint64)
    at = allocate_array(n_rows, np.uint32, _OPERATION)
    n_distinct = np.zeros(1, np.int64)
    task = kernels.number_in_one_table(
        kernel_parts(parts), slots.ctypes.data, log_slots, n_slots // 2, at.ctypes.data, n_distinct.ctypes.data,
        keep=(slots, at, n_distinct),
    )  # fmt: skip
    if run(task, n_rows, operation=_OPERATION) is not None or int(n_distinct[0]) > n_slots // 2:
        return None
    counts = np.empty(-(-n_slots // SLICE_ROWS), np.int64)
    ids, words = np.empty(n_slots, np.uint32), np.empty(int(n_distinct[0]), np.uint64)
    arrays = (slots, counts, ids, words)
    count, number = kernels.slot_ids(
        slots.ctypes.data, log_slots, *(one.ctypes.data for one in (counts, ids, words)), keep=arrays
    )
    run(count, n_slots, operation=_OPERATION)
    exclusive_sums(counts)
    run(number, n_slots, operation=_OPERATION)
    return Found(remapped(at, ids, code_dtype(len(words))), len(words), lambda: words)


def group_in_partitions(parts: Sequence[KeyPart], n_rows: int, bits: int) -> Found:
    """Groups by partition of their words' hashes, in order of first appearance within each."""
    rows = partition_slices(n_rows, bits)
    hashes = allocate_array(n_rows, np.uint64, _OPERATION)
    counts = allocate_array(-(-n_rows // rows) << bits, np.uint32, _OPERATION).reshape(-1, 1 << bits)
    pack(parts, n_rows, wide=True, hashes=hashes, counts=counts, partitions=(bits, rows))
    numbered = _numbered(hashes, counts, bits, rows)
    codes, _ = codes_of_rows(hashes, numbered, first=False)
    hashes, numbered = _NOTHING, numbered._replace(ids=_NOTHING)   # given back before more is asked for
    words = allocate_array(numbered.n_codes, np.uint64, _OPERATION)
    given = (numbered.starts, numbered.n_distinct, numbered.base)
    addresses = (given[0].ctypes.data, given[1].ctypes.data, given[2].ctypes.data)
    task = kernels.words_of_codes(numbered.scattered.ctypes.data, addresses, words.ctypes.data, keep=(numbered, words))
    run(task, 1 << bits, 16, operation=_OPERATION)
    narrow = code_dtype(numbered.n_codes)
    return Found(codes if narrow == codes.dtype else remapped(codes, None, narrow), numbered.n_codes, lambda: words)


def partition_slices(n_rows: int, bits: int) -> int:
    """Rows of one slice: each has a count per partition."""
    return slice_rows(n_rows, 4 << bits)


def number_words(hashes: np.ndarray) -> Numbered:
    """Scatter words to partitions and number the distinct ones of each, in order of first appearance."""
    n_rows = len(hashes)
    bits = partition_bits(n_rows)
    rows = partition_slices(n_rows, bits)
    counts = allocate_array(-(-n_rows // rows) << bits, np.uint32, _OPERATION).reshape(-1, 1 << bits)
    count, _ = kernels.partition(hashes.ctypes.data, bits, counts.ctypes.data, 0, (hashes, counts))
    run(count, n_rows, rows, operation=_OPERATION)
    return _numbered(hashes, counts, bits, rows)


def _numbered(hashes: np.ndarray, offsets: np.ndarray, bits: int, rows: int) -> Numbered:
    """`number_words` from counts of hashes per slice and partition, which become the places where they go."""
    n_rows, n_parts = len(hashes), 1 << bits
    per_part = offsets.sum(axis=0, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(per_part)]).astype(np.uint32)
    offsets[:] = np.cumsum(offsets, axis=0, dtype=np.uint32) - offsets + starts[:-1]
    scattered = allocate_array(n_rows, np.uint64, _OPERATION)
    keep = (hashes, offsets, scattered)
    _, scatter = kernels.partition(hashes.ctypes.data, bits, offsets.ctypes.data, scattered.ctypes.data, keep)
    run(scatter, n_rows, rows, operation=_OPERATION)
    ids = allocate_array(n_rows, np.uint32, _OPERATION)
    n_distinct = allocate_array(n_parts, np.uint32, _OPERATION)
    arrays = (scattered, starts, ids, n_distinct)
    number = kernels.number(bits, *(array.ctypes.data for array in arrays), keep=arrays)
    run(number, n_parts, 16, operation=_OPERATION)
    base = n_distinct.astype(np.int64)
    total = exclusive_sums(base)
    return Numbered(bits, offsets, scattered, starts, ids, n_distinct, base.astype(np.uint32), total, rows)


def codes_of_rows(hashes: np.ndarray, numbered: Numbered, *, first: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """``(codes, first_rows)`` of numbered words, in row order; no first rows where they are not wanted."""
    codes = allocate_array(len(hashes), np.uint32, _OPERATION)
    first_rows = allocate_array(numbered.n_codes if first else 0, np.int32, _OPERATION)
    addresses = (numbered.offsets.ctypes.data, numbered.ids.ctypes.data, numbered.base.ctypes.data)
    keep = (hashes, numbered, codes, first_rows)
    out = codes.ctypes.data, first_rows.ctypes.data if first else 0
    task = kernels.codes_of_rows(hashes.ctypes.data, numbered.bits, addresses, *out, keep=keep)
    run(task, len(hashes), numbered.rows, operation=_OPERATION)
    return codes, first_rows


class ProbeTable:
    """The distinct words of one side of a join, to be looked up from the other: 4/7 full, linear probing.

    A table that fits a cache even so is a quarter full: then a word that is not there meets an empty slot at once.
    """

    def __init__(self, numbered: Numbered) -> None:
        near = 4 * numbered.n_codes * kernels.SLOT_BYTES <= NEAR_BYTES
        sizes = numbered.n_distinct.astype(np.uint64) * (16 if near else 7) // 4 + 1   # an empty slot at least
        self.bits = numbered.bits
        self.slot_starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint64)
        self.slots = allocate_array(int(self.slot_starts[-1]) * kernels.SLOT_BYTES, np.uint8, _OPERATION)
        n_bits = 64 << (numbered.n_codes * FILTER_BITS // 64).bit_length() if near else 0
        self._bits = np.zeros(n_bits // 64, np.uint64)
        self.filter = (self._bits.ctypes.data, n_bits - 1) if near else (0, 0)
        distinct = (numbered.scattered, numbered.starts, numbered.n_distinct, numbered.base)
        addresses = tuple(array.ctypes.data for array in distinct)
        table = self.slot_starts.ctypes.data, self.slots.ctypes.data
        task = kernels.fill(self.bits, addresses, *table, self.filter, keep=(self, numbered))
        run(task, len(sizes), 16, operation=_OPERATION)

    def codes(self, parts: Sequence[KeyPart], n_rows: int) -> np.ndarray:
        """The code of each row's key, 0xFFFFFFFF where the table has none."""
        codes = allocate_array(n_rows, np.uint32, _OPERATION)
        table = self.slot_starts.ctypes.data, self.slots.ctypes.data
        task = kernels.probe(kernel_parts(parts), self.bits, *table, self.filter, codes.ctypes.data, keep=(self, parts, codes))
        run(task, n_rows, operation=_OPERATION)
        return codes
