"""Tasks of the stable counting sort by group code; see ``order.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "order.hpp" namespace "ff" nogil:
    cdef struct SlotCounts:
        GroupCodes codes
        uint32_t* counts
        int64_t n_slots
        int shift

    cdef struct SlotTotals:
        uint32_t* counts
        int32_t* totals
        int64_t n_slots
        int64_t n_slices

    cdef struct SlotScatter:
        SlotCounts slots
        const int32_t* starts
        void* items

    cdef struct PartitionOrder:
        const uint64_t* words
        const int32_t* partition_starts
        row_t* rows
        int32_t* offsets
        int64_t n_groups
        int shift

    int count_slots_kernel "ff::count_slots"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int total_slots_kernel "ff::total_slots"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int order_partitions_kernel "ff::order_partitions"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    kernel_t scatter_rows_kernel(bint drops)
    kernel_t scatter_words_kernel(bint drops)


cdef SlotCounts slot_counts(tuple codes, uintptr_t counts, int64_t n_slots, int shift):
    cdef SlotCounts ctx
    ctx.codes = as_codes(codes)
    ctx.counts = <uint32_t*>counts
    ctx.n_slots = n_slots
    ctx.shift = shift
    return ctx


def count_slots(tuple codes, uintptr_t counts, *, int64_t n_slots, int shift, keep_alive):
    """Over rows: per slice, the rows in each slot ``code >> shift``; the last slot takes all larger codes."""
    cdef SlotCounts ctx = slot_counts(codes, counts, n_slots, shift)                    # IN codes OUT counts
    return Task.make(<kernel_t>count_slots_kernel, &ctx, sizeof(ctx), keep_alive)


def total_slots(uintptr_t counts, uintptr_t totals, *, int64_t n_slots, int64_t n_slices, keep_alive):
    """Over slots: counts become the rows of earlier slices; totals are the rows of all."""
    cdef SlotTotals ctx
    ctx.counts = <uint32_t*>counts     # IN OUT
    ctx.totals = <int32_t*>totals      # OUT
    ctx.n_slots = n_slots
    ctx.n_slices = n_slices
    return Task.make(<kernel_t>total_slots_kernel, &ctx, sizeof(ctx), keep_alive)


def scatter_slots(tuple codes, uintptr_t counts, uintptr_t starts, uintptr_t items, *,
                  int64_t n_slots, int shift, bint drops, bint words, keep_alive):
    """Over rows, in the slices of `count_slots`: each row, or word of low code bits and row, to its slot's place."""
    cdef SlotScatter ctx
    ctx.slots = slot_counts(codes, counts, n_slots, shift)    # IN OUT
    ctx.starts = <const int32_t*>starts                       # IN
    ctx.items = <void*>items                                  # OUT
    cdef kernel_t kernel = scatter_words_kernel(drops) if words else scatter_rows_kernel(drops)
    return Task.make(kernel, &ctx, sizeof(ctx), keep_alive)


def order_partitions(uintptr_t words, uintptr_t partition_starts, uintptr_t rows, uintptr_t offsets, *,
                     int64_t n_groups, int shift, keep_alive):
    """Over partitions: rows of each partition by code, and the end of each group."""
    cdef PartitionOrder ctx
    ctx.words = <const uint64_t*>words                          # IN
    ctx.partition_starts = <const int32_t*>partition_starts     # IN
    ctx.rows = <row_t*>rows                                     # OUT
    ctx.offsets = <int32_t*>offsets                             # OUT
    ctx.n_groups = n_groups
    ctx.shift = shift
    return Task.make(<kernel_t>order_partitions_kernel, &ctx, sizeof(ctx), keep_alive)
