"""Ranks from a sorted order; see ``rank.hpp`` for the phases. Ranks within partitions of groups: ``grouped_rank.hpp``."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t


cdef extern from "rank.hpp" namespace "ff" nogil:
    struct Edge:
        int64_t group

    struct CRanking "ff::Ranking":
        View values
        const uint8_t* data
        const uint8_t* rows
        GroupCodes codes
        int64_t n_positions
        int64_t n_slices
        bint keep
        int method
        uint8_t* marks
        Edge* edges
        double* divisors
        uint8_t* out

    kernel_t rank_kernel(int phase, int physical)

cdef extern from "grouped_rank.hpp" namespace "ff" nogil:
    struct GroupedRank:
        const uint8_t* values
        const uint8_t* codes
        const int32_t* starts
        int64_t n_groups
        int32_t shift
        int32_t method
        bint descending
        bint percent
        uint8_t* ranks

    kernel_t grouped_rank_kernel(int physical)


METHODS = ("average", "min", "max", "first", "dense")
MARK, LINK, RANK, PERCENT = range(4)
EDGE_BYTES = sizeof(Edge)


cdef class Ranking:
    """The phases of one ranking; set its inputs and outputs first, then run `phase` tasks in turn."""

    cdef CRanking ranking
    cdef int physical
    cdef list keep_alive

    def __init__(self, int physical, values, *, uintptr_t data=0, str method, bint keep):
        self.physical = physical
        self.ranking.values = as_view(tuple(values))                                 # IN
        self.ranking.data = <const uint8_t*>data                              # IN
        self.ranking.method = METHODS.index(method)
        self.ranking.keep = keep
        self.keep_alive = []

    def set_order(self, uintptr_t rows, int64_t n_positions, *, tuple codes=(0, 4, 0), keep):
        self.ranking.rows = <const uint8_t*>rows                              # IN
        self.ranking.codes = as_codes(codes)                            # IN
        self.ranking.n_positions = n_positions
        self.keep_alive.append(keep)

    def set_scratch(self, uintptr_t marks, uintptr_t edges, int64_t n_slices, uintptr_t divisors, *, keep):
        self.ranking.marks = <uint8_t*>marks                                  # OUT, then IN
        self.ranking.edges = <Edge*>edges                                     # OUT, then IN
        self.ranking.n_slices = n_slices
        self.ranking.divisors = <double*>divisors                             # OUT, then IN
        self.keep_alive.append(keep)

    def set_output(self, uintptr_t out, *, keep):
        self.ranking.out = <uint8_t*>out                                      # OUT
        self.keep_alive.append(keep)

    def phase(self, int phase):
        """The task of a phase: MARK and RANK over positions, LINK over one row, PERCENT over rows."""
        return Task.make(rank_kernel(phase, self.physical), &self.ranking, sizeof(CRanking), list(self.keep_alive))


def has_grouped(int physical):
    """Whether `grouped_ranks` knows a physical type."""
    return grouped_rank_kernel(physical) != NULL


def grouped_ranks(int physical, uintptr_t values, uintptr_t codes, *, uintptr_t starts, int64_t n_groups, int shift, str method,
                  bint descending, bint percent, uintptr_t ranks, keep):
    """Over partitions of ``2**shift`` groups: the rank of each value in its group, at the value's place."""
    cdef GroupedRank ctx
    ctx.values = <const uint8_t*>values                                       # IN
    ctx.codes = <const uint8_t*>codes                                         # IN
    ctx.starts = <const int32_t*>starts                                       # IN
    ctx.n_groups = n_groups
    ctx.shift = shift
    ctx.method = METHODS.index(method)
    ctx.descending = descending
    ctx.percent = percent
    ctx.ranks = <uint8_t*>ranks                                               # OUT
    return Task.make(grouped_rank_kernel(physical), &ctx, sizeof(ctx), keep)
