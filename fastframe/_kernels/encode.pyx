"""Text to dictionary codes, and ranks of a dictionary (``encode.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport Task, code_t, kernel_t, row_t

cdef extern from "encode.hpp" namespace "ff" nogil:
    cdef struct TextView:
        const uint8_t* offsets
        const uint8_t* data
        const uint8_t* validity
        int64_t bit_offset
        int64_t length

    cdef cppclass TextSource[Offset]:
        @staticmethod
        TextSource[Offset] of(const TextView& view)

    cdef cppclass SliceTables[Source]:
        SliceTables(const Source& given, int64_t n_slices) except +

    cdef cppclass SliceTablesContext[Source]:
        SliceTables[Source]* tables
        int64_t most
        code_t missing
        code_t* codes
        int64_t* counts
        row_t* first_rows

    kernel_t slice_phase[Source](int phase)

    cdef struct RankKey:
        int64_t row

    cdef struct RankContext:
        TextView view
        int64_t prefix
        int64_t* prefixes
        RankKey* keys
        RankKey* merged
        int64_t run_rows
        int32_t* ranks

    kernel_t rank_phase(int phase, bint large)
    int UNIFY_BUCKETS "ff::N_BUCKETS"

ctypedef TextSource[int32_t] SmallText
ctypedef TextSource[int64_t] LargeText

N_BUCKETS = UNIFY_BUCKETS
RANK_KEY_BYTES = sizeof(RankKey)
SHARED_PREFIX, SORT_RUNS, MERGE_RUNS, WRITE_RANKS = range(4)   # encode.hpp::RankPhase


cdef TextView as_text(tuple view):
    cdef TextView out
    out.offsets = <const uint8_t*><uintptr_t>view[0]
    out.data = <const uint8_t*><uintptr_t>view[1]
    out.validity = <const uint8_t*><uintptr_t>view[2]
    out.bit_offset = view[3]
    out.length = view[4]
    return out


cdef class TextTables:
    """Codes of text in order of first appearance, by one table per slice."""

    cdef SliceTables[SmallText]* small
    cdef SliceTables[LargeText]* wide
    cdef readonly int64_t n_slices
    cdef object keep

    def __cinit__(self, object view, int64_t n_slices, object keep):
        cdef TextView text = as_text(tuple(view))
        self.small = NULL
        self.wide = NULL
        if view[5]:
            self.wide = new SliceTables[LargeText](TextSource[int64_t].of(text), n_slices)
        else:
            self.small = new SliceTables[SmallText](TextSource[int32_t].of(text), n_slices)
        self.n_slices = n_slices
        self.keep = keep

    def __dealloc__(self):
        del self.small
        del self.wide

    def phases(self, size_t codes, size_t counts, size_t first_rows, *, object keep):
        """``(encode over rows, unify over buckets, rank over slices, resolve over rows)``.

        Between rank and resolve make ``counts`` exclusive sums.

        # OUT codes, counts, first_rows
        """
        cdef SliceTablesContext[SmallText] small
        cdef SliceTablesContext[LargeText] wide
        kept = (self, keep)
        if self.small != NULL:
            small.tables = self.small
            small.most = 1 << 40
            small.missing = 0
            small.codes = <code_t*><uintptr_t>codes
            small.counts = <int64_t*><uintptr_t>counts
            small.first_rows = <row_t*><uintptr_t>first_rows
            return tuple([Task.make(slice_phase[SmallText](phase), &small, sizeof(small), kept) for phase in range(4)])
        wide.tables = self.wide
        wide.most = 1 << 40
        wide.missing = 0
        wide.codes = <code_t*><uintptr_t>codes
        wide.counts = <int64_t*><uintptr_t>counts
        wide.first_rows = <row_t*><uintptr_t>first_rows
        return tuple([Task.make(slice_phase[LargeText](phase), &wide, sizeof(wide), kept) for phase in range(4)])


def rank(
    int phase,
    object view,
    object keep,
    *,
    int64_t prefix=0,
    size_t prefixes=0,
    size_t keys=0,
    size_t merged=0,
    int64_t run_rows=0,
    size_t ranks=0,
):
    """One phase of ranking unique, non-null text: see ``encode.hpp::RankContext``.

    # IN  view, prefix, run_rows
    # OUT prefixes (SHARED_PREFIX), keys (SORT_RUNS), merged (MERGE_RUNS, over pairs of runs), ranks (WRITE_RANKS)
    """
    cdef RankContext ctx
    ctx.view = as_text(tuple(view))
    ctx.prefix = prefix
    ctx.prefixes = <int64_t*><uintptr_t>prefixes
    ctx.keys = <RankKey*><uintptr_t>keys
    ctx.merged = <RankKey*><uintptr_t>merged
    ctx.run_rows = run_rows
    ctx.ranks = <int32_t*><uintptr_t>ranks
    return Task.make(rank_phase(phase, view[5]), &ctx, sizeof(ctx), keep)
