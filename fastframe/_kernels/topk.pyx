"""The rows of the k largest or smallest values of each group (``topk.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uintptr_t

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t

cdef extern from "topk.hpp" namespace "ff" nogil:
    int MOST_BEST

    cdef struct TopKContext:
        View view
        const row_t* rows
        const int32_t* offsets
        int64_t k
        int64_t smallest
        row_t* best
        int32_t* counts

    kernel_t top_k_kernel(int physical, bint nulls)

MOST = MOST_BEST


def top_k(int physical, object view, uintptr_t rows, uintptr_t offsets, *, int64_t k, bint smallest, uintptr_t best, uintptr_t counts,
          object keep_alive):
    """The best rows of groups; runs over groups.

    # IN  physical, view, rows and offsets (of ``group_order``), k (1 to MOST), smallest
    # OUT best (k int32 per group), counts (int32 per group)
    """
    cdef TopKContext ctx
    ctx.view = as_view(tuple(view))
    ctx.rows = <const row_t*>rows
    ctx.offsets = <const int32_t*>offsets
    ctx.k = k
    ctx.smallest = smallest
    ctx.best = <row_t*>best
    ctx.counts = <int32_t*>counts
    return Task.make(top_k_kernel(physical, ctx.view.validity != NULL), &ctx, sizeof(ctx), keep_alive)
