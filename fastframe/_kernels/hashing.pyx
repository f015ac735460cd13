"""Exact dense codes of mixed words, and probing (``hashing.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uintptr_t

from fastframe._kernels.codes cimport KeyParts, PackContext, set_keys
from fastframe._kernels.kernel cimport Task, code_t, row_t

cdef extern from "hashing.hpp" namespace "ff" nogil:
    cdef struct ProbeSlot:
        code_t code

    cdef struct PartitionContext:
        const uint64_t* hashes
        int32_t bits
        uint32_t* offsets
        uint64_t* scattered
        const uint32_t* starts
        uint32_t* ids
        uint32_t* n_distinct
        const uint32_t* base
        code_t* codes
        row_t* first_rows
        uint64_t* words

    cdef struct TableContext:
        const uint64_t* scattered
        const uint32_t* starts
        const uint32_t* n_distinct
        const uint32_t* base
        int32_t bits
        const uint64_t* slot_starts
        ProbeSlot* slots
        uint64_t* filter
        uint64_t filter_mask
        PackContext pack
        code_t* codes

    cdef struct TableNumberContext:
        PackContext pack
        uint64_t* slots
        code_t* codes
        int64_t* n_distinct
        int64_t most
        int64_t log_slots

    cdef struct SlotContext:
        const uint64_t* slots
        int64_t log_slots
        int64_t* counts
        code_t* ids
        uint64_t* words

    int number_in_table(void*, int64_t, int64_t, int64_t)
    int count_slots(void*, int64_t, int64_t, int64_t)
    int number_slots(void*, int64_t, int64_t, int64_t)
    int list_words(void*, int64_t, int64_t, int64_t)
    int count_partitions(void*, int64_t, int64_t, int64_t)
    int scatter_hashes(void*, int64_t, int64_t, int64_t)
    int number_partitions(void*, int64_t, int64_t, int64_t)
    int read_back(void*, int64_t, int64_t, int64_t)
    int fill_table(void*, int64_t, int64_t, int64_t)
    int probe_keys(void*, int64_t, int64_t, int64_t)
    uint64_t mix(uint64_t word)
    uint64_t unmix(uint64_t hash)
    uint64_t NO_HASH_ "ff::NO_HASH"

SLOT_BYTES = sizeof(ProbeSlot)
NO_HASH = NO_HASH_


def mixed(uint64_t word):
    """The hash of one word, for tests and tools."""
    return mix(word)


def unmixed(uint64_t hash):
    """The word of a hash."""
    return unmix(hash)


def number_in_one_table(
    KeyParts parts not None, size_t slots, int log_slots, int64_t most, size_t codes, size_t n_distinct, *, object keep
):
    """Over rows: the slot of each row's key in a table that all threads fill.

    # IN  parts, log_slots, most (TOO_LONG where there are more distinct keys; at most half of the slots)
    # OUT slots (NO_HASH before), codes, n_distinct (int64, 0 before)
    """
    cdef TableNumberContext ctx
    set_keys(&ctx.pack, parts, 0, True)
    ctx.slots = <uint64_t*><uintptr_t>slots
    ctx.codes = <code_t*><uintptr_t>codes
    ctx.n_distinct = <int64_t*><uintptr_t>n_distinct
    ctx.most = most
    ctx.log_slots = log_slots
    return Task.make(number_in_table, &ctx, sizeof(ctx), (parts, keep))


def slot_ids(size_t slots, int log_slots, size_t counts, size_t ids, size_t words, *, object keep):
    """``(count, number)``: two phases over slots with the same slices; between them make ``counts`` exclusive sums.

    # IN  slots, log_slots
    # OUT counts, ids (of taken slots), words (of ids)
    """
    cdef SlotContext ctx
    ctx.slots = <const uint64_t*><uintptr_t>slots
    ctx.log_slots = log_slots
    ctx.counts = <int64_t*><uintptr_t>counts
    ctx.ids = <code_t*><uintptr_t>ids
    ctx.words = <uint64_t*><uintptr_t>words
    return Task.make(count_slots, &ctx, sizeof(ctx), keep), Task.make(number_slots, &ctx, sizeof(ctx), keep)


def words_of_codes(size_t scattered, tuple numbered, size_t words, *, object keep):
    """The word of each code, over partitions that `number` made.

    # IN  scattered, numbered: (starts, n_distinct, base)
    # OUT words
    """
    cdef PartitionContext ctx
    ctx.scattered = <uint64_t*><uintptr_t>scattered
    ctx.starts = <const uint32_t*><uintptr_t>numbered[0]
    ctx.n_distinct = <uint32_t*><uintptr_t>numbered[1]
    ctx.base = <const uint32_t*><uintptr_t>numbered[2]
    ctx.words = <uint64_t*><uintptr_t>words
    return Task.make(list_words, &ctx, sizeof(ctx), keep)


def partition(size_t hashes, int bits, size_t offsets, size_t scattered, object keep):
    """``(count, scatter)`` over rows in the same slices.

    Between them make ``offsets`` exclusive sums over (partition, slice).

    # IN  hashes, bits
    # OUT offsets (slices x partitions), scattered
    """
    cdef PartitionContext ctx
    ctx.hashes = <const uint64_t*><uintptr_t>hashes
    ctx.bits = bits
    ctx.offsets = <uint32_t*><uintptr_t>offsets
    ctx.scattered = <uint64_t*><uintptr_t>scattered
    return Task.make(count_partitions, &ctx, sizeof(ctx), keep), Task.make(scatter_hashes, &ctx, sizeof(ctx), keep)


def number(int bits, size_t scattered, size_t starts, size_t ids, size_t n_distinct, *, object keep):
    """Ids within each partition; over partitions. The distinct hashes of a partition move to its front.

    # IN  bits, scattered, starts
    # OUT ids, n_distinct, scattered
    """
    cdef PartitionContext ctx
    ctx.bits = bits
    ctx.scattered = <uint64_t*><uintptr_t>scattered
    ctx.starts = <const uint32_t*><uintptr_t>starts
    ctx.ids = <uint32_t*><uintptr_t>ids
    ctx.n_distinct = <uint32_t*><uintptr_t>n_distinct
    return Task.make(number_partitions, &ctx, sizeof(ctx), keep)


def codes_of_rows(size_t hashes, int bits, tuple numbered, size_t codes, size_t first_rows, *, object keep):
    """Codes in row order, over rows in the slices of `partition`.

    # IN  hashes, bits, numbered: (offsets, ids, base)
    # OUT codes, first_rows (0: not wanted)
    """
    cdef PartitionContext ctx
    ctx.hashes = <const uint64_t*><uintptr_t>hashes
    ctx.bits = bits
    ctx.offsets = <uint32_t*><uintptr_t>numbered[0]
    ctx.ids = <uint32_t*><uintptr_t>numbered[1]
    ctx.base = <const uint32_t*><uintptr_t>numbered[2]
    ctx.codes = <code_t*><uintptr_t>codes
    ctx.first_rows = <row_t*><uintptr_t>first_rows
    return Task.make(read_back, &ctx, sizeof(ctx), keep)


def fill(int bits, tuple numbered, size_t slot_starts, size_t slots, tuple filter, *, object keep):
    """A table to probe, over partitions.

    # IN  bits, numbered: (scattered, starts, n_distinct, base), slot_starts
    # OUT slots, filter: (bits, cleared before; their number less 1), of zeros where none is wanted
    """
    cdef TableContext ctx
    ctx.bits = bits
    ctx.scattered = <const uint64_t*><uintptr_t>numbered[0]
    ctx.starts = <const uint32_t*><uintptr_t>numbered[1]
    ctx.n_distinct = <const uint32_t*><uintptr_t>numbered[2]
    ctx.base = <const uint32_t*><uintptr_t>numbered[3]
    ctx.slot_starts = <const uint64_t*><uintptr_t>slot_starts
    ctx.slots = <ProbeSlot*><uintptr_t>slots
    ctx.filter = <uint64_t*><uintptr_t>filter[0]
    ctx.filter_mask = filter[1]
    return Task.make(fill_table, &ctx, sizeof(ctx), keep)


def probe(KeyParts parts not None, int bits, size_t slot_starts, size_t slots, tuple filter, size_t codes, *, object keep):
    """Codes of keys from a table that `fill` made, over rows.

    # IN  parts, bits, slot_starts, slots, filter
    # OUT codes: NULL_CODE where the table has no such key
    """
    cdef TableContext ctx
    set_keys(&ctx.pack, parts, 0, True)
    ctx.bits = bits
    ctx.slot_starts = <const uint64_t*><uintptr_t>slot_starts
    ctx.slots = <ProbeSlot*><uintptr_t>slots
    ctx.filter = <uint64_t*><uintptr_t>filter[0]
    ctx.filter_mask = filter[1]
    ctx.codes = <code_t*><uintptr_t>codes
    return Task.make(probe_keys, &ctx, sizeof(ctx), (parts, keep))
