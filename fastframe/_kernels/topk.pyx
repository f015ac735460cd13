"""The rows of the k largest or smallest values of each group (``topk.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t

cdef extern from "topk.hpp" namespace "ff" nogil:
    int MOST_BEST
    int TOPK_SPARE

    cdef struct CTopK "ff::TopK":
        View view
        GroupCodes codes
        const uint8_t* rows
        const int32_t* starts
        int64_t n_groups
        int64_t n_slices
        int64_t k
        int32_t shift
        bint smallest
        uint8_t* states
        row_t* best
        int32_t* counts

    cdef struct TopKKernels:
        kernel_t update
        kernel_t merge
        kernel_t partitions
        int64_t state_bytes

    TopKKernels top_k_kernels(int physical, int64_t k)

MOST = MOST_BEST
SPARE = TOPK_SPARE


def state_bytes(int physical, int64_t k):
    """Bytes of one group's state."""
    return top_k_kernels(physical, k).state_bytes


cdef class TopK:
    """The best rows of groups: its inputs and results, and the tasks of both plans."""

    cdef CTopK ctx
    cdef TopKKernels kernels
    cdef list keep_alive

    def __init__(self, int physical, *, int64_t k, bint smallest, int64_t n_groups, uintptr_t best, uintptr_t counts, keep):
        self.kernels = top_k_kernels(physical, k)
        self.ctx.k = k
        self.ctx.smallest = smallest
        self.ctx.n_groups = n_groups
        self.ctx.best = <row_t*>best                                  # OUT: k int32 per group
        self.ctx.counts = <int32_t*>counts                            # OUT: int32 per group
        self.keep_alive = [keep]

    def slices(self, view, codes, *, uintptr_t states, int64_t n_slices, keep):
        """``(over rows: the states of each slice, over groups: the best of all slices)``."""
        self.ctx.view = as_view(tuple(view))                          # IN
        self.ctx.codes = as_codes(codes)                              # IN
        self.ctx.states = <uint8_t*>states                            # OUT, then IN
        self.ctx.n_slices = n_slices
        self.keep_alive.append(keep)
        return self._task(self.kernels.update), self._task(self.kernels.merge)

    def partitions(self, uintptr_t values, uintptr_t codes, uintptr_t rows, *, uintptr_t starts, int shift, keep):
        """Over partitions: the best of values that were scattered by ranges of ``2**shift`` groups."""
        self.ctx.view.values = <const uint8_t*>values                 # IN
        self.ctx.codes.values = <const uint8_t*>codes                 # IN
        self.ctx.rows = <const uint8_t*>rows                          # IN
        self.ctx.starts = <const int32_t*>starts                      # IN
        self.ctx.shift = shift
        self.keep_alive.append(keep)
        return self._task(self.kernels.partitions)

    cdef object _task(self, kernel_t kernel):
        return Task.make(kernel, &self.ctx, sizeof(self.ctx), list(self.keep_alive))
