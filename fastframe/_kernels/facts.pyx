"""Smallest, largest, nulls and NaNs per slice of a column (``facts.hpp``)."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t

cdef extern from "facts.hpp" namespace "ff" nogil:
    cdef struct RangePart:
        int64_t n_missing

    cdef struct RangeContext:
        View view
        RangePart* parts

    kernel_t range_kernel(int physical)

    cdef struct StepContext:
        View view
        int64_t origin
        uint64_t guess
        uint64_t* steps

    int common_step(void*, int64_t, int64_t, int64_t)

PART_BYTES = sizeof(RangePart)


def value_range(int physical, object view, size_t parts, object keep):
    """Facts of each slice into ``parts``: records of six 64-bit words, see ``facts.hpp::RangePart``.

    # IN  physical, view
    # OUT parts
    """
    cdef RangeContext ctx
    ctx.view = as_view(tuple(view))
    ctx.parts = <RangePart*><uintptr_t>parts
    return Task.make(range_kernel(physical), &ctx, sizeof(ctx), keep)


def step(object view, int64_t origin, uint64_t guess, size_t steps, object keep):
    """The greatest common divisor of ``guess`` and the differences from ``origin``, per slice of int64 values.

    # IN  view, origin, guess
    # OUT steps (uint64)
    """
    cdef StepContext ctx
    ctx.view = as_view(tuple(view))
    ctx.origin = origin
    ctx.guess = guess
    ctx.steps = <uint64_t*><uintptr_t>steps
    return Task.make(common_step, &ctx, sizeof(ctx), keep)
