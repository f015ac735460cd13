"""Exact dense codes of mixed words, and probing (``hashing.hpp``, ``slice_tables.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uintptr_t

from fastframe._kernels.kernel cimport Task, code_t, kernel_t, row_t

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

    cdef struct TableContext:
        const uint64_t* scattered
        const uint32_t* starts
        const uint32_t* n_distinct
        const uint32_t* base
        int32_t bits
        const uint64_t* slot_starts
        ProbeSlot* slots
        const uint64_t* hashes
        code_t* codes

    cdef struct WordSource:
        const uint64_t* hashes

    cdef cppclass SliceTables[Source]:
        SliceTables(const Source& given, int64_t n_slices) except +

    cdef cppclass SliceTablesContext[Source]:
        SliceTables[Source]* tables
        int64_t most
        code_t missing
        code_t* codes
        int64_t* counts
        row_t* first_rows

    int count_partitions(void*, int64_t, int64_t, int64_t)
    int scatter_hashes(void*, int64_t, int64_t, int64_t)
    int number_partitions(void*, int64_t, int64_t, int64_t)
    int read_back(void*, int64_t, int64_t, int64_t)
    int fill_table(void*, int64_t, int64_t, int64_t)
    int probe_table(void*, int64_t, int64_t, int64_t)
    kernel_t slice_phase[Source](int phase)
    uint64_t mix(uint64_t word)
    int UNIFY_BUCKETS "ff::N_BUCKETS"
    uint64_t NO_HASH_ "ff::NO_HASH"

N_BUCKETS = UNIFY_BUCKETS
SLOT_BYTES = sizeof(ProbeSlot)
NO_HASH = NO_HASH_


def mixed(uint64_t word):
    """The hash of one word, for tests and tools."""
    return mix(word)


cdef class WordTables:
    """Codes of few distinct words in order of first appearance, by one table per slice."""

    cdef SliceTables[WordSource]* tables
    cdef readonly int64_t n_slices
    cdef object keep

    def __cinit__(self, size_t hashes, int64_t n_slices, object keep):
        cdef WordSource source
        source.hashes = <const uint64_t*><uintptr_t>hashes
        self.tables = new SliceTables[WordSource](source, n_slices)
        self.n_slices = n_slices
        self.keep = keep

    def __dealloc__(self):
        del self.tables

    def phases(self, size_t codes, size_t counts, size_t first_rows, int64_t most, *, object keep):
        """``(encode over rows, unify over buckets, rank over slices, resolve over rows)``.

        Encode gives TOO_LONG where a slice has more than ``most`` distinct words; between rank and resolve make
        ``counts`` exclusive sums.

        # OUT codes, counts, first_rows
        """
        cdef SliceTablesContext[WordSource] ctx
        ctx.tables = self.tables
        ctx.most = most
        ctx.missing = 0xFFFFFFFF
        ctx.codes = <code_t*><uintptr_t>codes
        ctx.counts = <int64_t*><uintptr_t>counts
        ctx.first_rows = <row_t*><uintptr_t>first_rows
        kept = (self, keep)
        return tuple([Task.make(slice_phase[WordSource](phase), &ctx, sizeof(ctx), kept) for phase in range(4)])


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
    # OUT codes, first_rows
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


def fill(int bits, tuple numbered, size_t slot_starts, size_t slots, *, object keep):
    """A table to probe, over partitions.

    # IN  bits, numbered: (scattered, starts, n_distinct, base), slot_starts
    # OUT slots
    """
    cdef TableContext ctx
    ctx.bits = bits
    ctx.scattered = <const uint64_t*><uintptr_t>numbered[0]
    ctx.starts = <const uint32_t*><uintptr_t>numbered[1]
    ctx.n_distinct = <const uint32_t*><uintptr_t>numbered[2]
    ctx.base = <const uint32_t*><uintptr_t>numbered[3]
    ctx.slot_starts = <const uint64_t*><uintptr_t>slot_starts
    ctx.slots = <ProbeSlot*><uintptr_t>slots
    return Task.make(fill_table, &ctx, sizeof(ctx), keep)


def probe(int bits, size_t slot_starts, size_t slots, size_t hashes, size_t codes, *, object keep):
    """Codes of hashes from a table that `fill` made, over rows.

    # IN  bits, slot_starts, slots, hashes
    # OUT codes: NULL_CODE where the table has no such hash
    """
    cdef TableContext ctx
    ctx.bits = bits
    ctx.slot_starts = <const uint64_t*><uintptr_t>slot_starts
    ctx.slots = <ProbeSlot*><uintptr_t>slots
    ctx.hashes = <const uint64_t*><uintptr_t>hashes
    ctx.codes = <code_t*><uintptr_t>codes
    return Task.make(probe_table, &ctx, sizeof(ctx), keep)
