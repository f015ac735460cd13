"""Filter kernels: the plan of a mask, and the compaction of values, bits and row numbers by it.

``words`` and ``starts`` are those of the plan: uint64 words of 64 rows each, and int64 kept rows before each slice (one
more entry than slices). Slices must be those that the plan was made with.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t
from libcpp.vector cimport vector

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, kernel_t, row_t

cdef extern from "filter.hpp" namespace "ff" nogil:
    cdef struct PlanContext:
        BitSource mask
        BitSource validity
        uint64_t* words
        int64_t* counts
    cdef struct FilterContext:
        const uint8_t* values
        const uint64_t* words
        const int64_t* starts
        uint8_t* out
        int64_t streams
    cdef struct FilterJob:
        kernel_t kernel
        FilterContext ctx
    cdef struct FilterBitsContext:
        BitSource bits
        const uint64_t* words
        const int64_t* starts
        uint8_t* out
    cdef struct KeptRowsContext:
        const uint64_t* words
        const int64_t* starts
        row_t* out
    cdef struct RanksContext:
        const uint64_t* words
        const int64_t* starts
        row_t* out
    kernel_t filter_kernel(int width, int vectors)
    kernel_t filter_bits_kernel(int vectors)
    int c_filter_jobs "ff::filter_jobs"(void*, int64_t, int64_t, int64_t)
    int c_plan_mask "ff::plan_mask"(void*, int64_t, int64_t, int64_t)
    kernel_t kept_rows_kernel(int vectors)
    int c_kept_ranks "ff::kept_ranks"(void*, int64_t, int64_t, int64_t)

WIDEST = 2   # vectors: 0 portable, 1 those of the baseline, 2 the widest of this machine; all give the same bytes


def plan_mask(
    tuple mask not None,       # IN: bits
    tuple validity not None,   # IN: bits
    uintptr_t words,           # OUT: uint64 per 64 rows
    uintptr_t counts,          # OUT: int64 per slice
    object keep,
):
    """The words of a mask, null as false, and how many rows each slice keeps."""
    cdef PlanContext ctx
    ctx.mask = as_bits(mask)
    ctx.validity = as_bits(validity)
    ctx.words = <uint64_t*>words
    ctx.counts = <int64_t*>counts
    return Task.make(c_plan_mask, &ctx, sizeof(ctx), keep)


def filter_values(
    list columns not None,  # IN and OUT: (bytes of one value: 1, 2, 4, 8 or 16; values at row 0; where one per kept row goes)
    tuple plan not None,    # IN: addresses (words, starts)
    object keep,
    *,
    bint streams=False,     # IN: whether results go past the caches
    int vectors=WIDEST,
):
    """The values of the kept rows of some columns."""
    cdef vector[FilterJob] jobs
    cdef FilterJob job
    cdef uintptr_t values, out
    cdef int width
    job.ctx.words = <const uint64_t*><uintptr_t>plan[0]
    job.ctx.starts = <const int64_t*><uintptr_t>plan[1]
    job.ctx.streams = streams
    for width, values, out in columns:
        job.kernel = filter_kernel(width, vectors)
        if job.kernel == NULL:
            raise TypeError(f"no kernel filters values of {width} bytes")
        job.ctx.values = <const uint8_t*>values
        job.ctx.out = <uint8_t*>out
        jobs.push_back(job)
    job.kernel = NULL
    jobs.push_back(job)
    return Task.make(c_filter_jobs, jobs.data(), jobs.size() * sizeof(FilterJob), keep)


def filter_bits(
    tuple bits not None,   # IN
    tuple plan not None,   # IN: addresses (words, starts)
    uintptr_t out,         # OUT: bits; the bytes that hold a start of the plan are 0 before
    object keep,
    *,
    int vectors=WIDEST,
):
    """The bits of the kept rows."""
    cdef FilterBitsContext ctx
    ctx.bits = as_bits(bits)
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.starts = <const int64_t*><uintptr_t>plan[1]
    ctx.out = <uint8_t*>out
    return Task.make(filter_bits_kernel(vectors), &ctx, sizeof(ctx), keep)


def kept_rows(
    tuple plan not None,   # IN: addresses (words, starts)
    uintptr_t out,         # OUT: int32 per kept row
    object keep,
    *,
    int vectors=WIDEST,
):
    """The numbers of the kept rows."""
    cdef KeptRowsContext ctx
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.starts = <const int64_t*><uintptr_t>plan[1]
    ctx.out = <row_t*>out
    return Task.make(kept_rows_kernel(vectors), &ctx, sizeof(ctx), keep)


def kept_ranks(
    tuple plan not None,   # IN: addresses (words, starts)
    uintptr_t out,         # OUT: int32 per row
    object keep,
):
    """How many kept rows come before each kept row; -1 for the others."""
    cdef RanksContext ctx
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.starts = <const int64_t*><uintptr_t>plan[1]
    ctx.out = <row_t*>out
    return Task.make(c_kept_ranks, &ctx, sizeof(ctx), keep)
