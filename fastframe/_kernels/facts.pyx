"""Smallest, largest, nulls and NaNs per slice of a column (``facts.hpp``)."""

from libc.stdint cimport int64_t, uintptr_t

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t

cdef extern from "facts.hpp" namespace "ff" nogil:
    cdef struct RangePart:
        int64_t n_missing

    cdef struct RangeContext:
        View view
        RangePart* parts

    kernel_t range_kernel(int physical)

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
