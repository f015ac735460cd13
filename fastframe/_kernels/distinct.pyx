"""Tasks that count the distinct values of each group; see ``distinct.hpp`` and ``few_pairs.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "distinct.hpp" namespace "ff" nogil:
    cdef struct CMarks "ff::Marks":
        View view
        GroupCodes codes
        int64_t least
        int64_t n_values
        int64_t n_groups
        uint8_t* marks
        int64_t* counts

    cdef struct CDistinct "ff::Distinct":
        const uint8_t* values
        const uint8_t* codes
        const int32_t* starts
        int64_t* counts

    kernel_t mark_kernel(int physical)
    kernel_t distinct_kernel(int physical)
    int count_marks_kernel "ff::count_marks"(void* ctx, int64_t start, int64_t stop, int64_t slice)

cdef extern from "few_pairs.hpp" namespace "ff" nogil:
    cdef struct CFewPairs "ff::FewPairs":
        View view
        GroupCodes codes
        uint8_t* values
        uint8_t* own_codes
        int64_t* kept
        int64_t n_slices
        int64_t* counts

    cdef struct FewPairsKernels:
        kernel_t keep
        kernel_t count

    const int64_t MOST_KEPT_PAIRS
    FewPairsKernels few_pairs_kernels(int physical)

MOST_KEPT = MOST_KEPT_PAIRS   # (group, value) pairs of one slice


def marks(int physical, view, codes, *, int64_t least, int64_t n_values, int64_t n_groups, uintptr_t marks, uintptr_t counts, keep_alive):
    """``(over rows: marks the pairs that occur, over groups: counts each group's marks)``."""
    cdef CMarks ctx
    ctx.view = as_view(tuple(view))            # IN
    ctx.codes = as_codes(codes)                # IN
    ctx.least = least
    ctx.n_values = n_values
    ctx.n_groups = n_groups
    ctx.marks = <uint8_t*>marks                # OUT of marking, IN of counting
    ctx.counts = <int64_t*>counts              # OUT
    return (Task.make(mark_kernel(physical), &ctx, sizeof(ctx), keep_alive),
            Task.make(<kernel_t>count_marks_kernel, &ctx, sizeof(ctx), keep_alive))


def count_distinct(int physical, uintptr_t values, uintptr_t codes, *, uintptr_t starts, uintptr_t counts, keep_alive):
    """Over partitions of equal hashes: adds each group's distinct values to ``counts``."""
    cdef CDistinct ctx
    ctx.values = <const uint8_t*>values        # IN
    ctx.codes = <const uint8_t*>codes          # IN
    ctx.starts = <const int32_t*>starts        # IN
    ctx.counts = <int64_t*>counts              # IN OUT
    return Task.make(distinct_kernel(physical), &ctx, sizeof(ctx), keep_alive)


def few_pairs(int physical, view, codes, *, int64_t n_slices, uintptr_t values, uintptr_t own_codes, uintptr_t kept, uintptr_t counts,
              keep_alive):
    """``(over rows: keeps the pairs of each slice, one call: adds each group's distinct values to ``counts``)``.

    The first fails where a slice has more than ``MOST_KEPT`` pairs. ``values`` and ``own_codes`` have room for so many of each slice.
    """
    cdef FewPairsKernels kernels = few_pairs_kernels(physical)
    cdef CFewPairs ctx
    ctx.view = as_view(tuple(view))            # IN
    ctx.codes = as_codes(codes)                # IN
    ctx.values = <uint8_t*>values              # OUT of keeping, IN of counting
    ctx.own_codes = <uint8_t*>own_codes        # OUT of keeping, IN of counting
    ctx.kept = <int64_t*>kept                  # OUT of keeping, IN of counting
    ctx.n_slices = n_slices
    ctx.counts = <int64_t*>counts              # IN OUT
    return (Task.make(kernels.keep, &ctx, sizeof(ctx), keep_alive), Task.make(kernels.count, &ctx, sizeof(ctx), keep_alive))
