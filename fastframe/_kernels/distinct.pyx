"""Task that counts distinct (group, value) pairs; see ``distinct.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "distinct.hpp" namespace "ff" nogil:
    cdef struct CDistinct "ff::Distinct":
        const uint8_t* values
        const uint8_t* codes
        const int32_t* starts
        int64_t* counts

    kernel_t distinct_kernel(int physical)


def count_distinct(int physical, uintptr_t values, uintptr_t codes, *, uintptr_t starts, uintptr_t counts, keep_alive):
    """Over partitions of equal hashes: adds each group's distinct values to ``counts``."""
    cdef CDistinct ctx
    ctx.values = <const uint8_t*>values        # IN
    ctx.codes = <const uint8_t*>codes          # IN
    ctx.starts = <const int32_t*>starts        # IN
    ctx.counts = <int64_t*>counts              # IN OUT
    return Task.make(distinct_kernel(physical), &ctx, sizeof(ctx), keep_alive)
