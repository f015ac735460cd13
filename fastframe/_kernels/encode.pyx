"""Text to dictionary codes (``encode.hpp``), and ranks of a dictionary (``text_order.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport Task, code_t, kernel_t, row_t

cdef extern from "text_view.hpp" namespace "ff" nogil:
    cdef struct TextView:
        const uint8_t* offsets
        const uint8_t* data
        const uint8_t* validity
        int64_t bit_offset
        int64_t length

cdef extern from "encode.hpp" namespace "ff" nogil:
    cdef cppclass CppTables "ff::TextTables":
        CppTables(const TextView& view, bint large, int64_t n_slices) except +
        int64_t n_tables()
        int64_t n_distinct_if_settled()
        bint settled()
        code_t n_seeds

    cdef struct TextContext:
        CppTables* tables
        code_t* codes
        int64_t* counts
        row_t* first_rows

    kernel_t text_phase(int phase, bint large)
    int BUCKETS "ff::N_BUCKETS"

    cdef struct TranslateContext:
        code_t* codes
        const code_t* places
        code_t n_places

    int translate_codes(void* ctx, int64_t start, int64_t stop, int64_t slice)

cdef extern from "text_order.hpp" namespace "ff" nogil:
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

N_BUCKETS = BUCKETS
SEED, ENCODE, BUCKET, UNIFY, COUNT, PLACE, LINK, RESOLVE, SETTLED = range(9)   # encode.hpp::TextPhase
RANK_KEY_BYTES = sizeof(RankKey)
SHARED_PREFIX, SORT_RUNS, MERGE_RUNS, WRITE_RANKS = range(4)   # text_order.hpp::RankPhase


cdef TextView as_text(tuple view):
    cdef TextView out
    out.offsets = <const uint8_t*><uintptr_t>view[0]
    out.data = <const uint8_t*><uintptr_t>view[1]
    out.validity = <const uint8_t*><uintptr_t>view[2]
    out.bit_offset = view[3]
    out.length = view[4]
    return out


cdef class TextTables:
    """Codes of text in order of first appearance, by one table per thread."""

    cdef CppTables* tables
    cdef bint large
    cdef readonly int64_t n_slices
    cdef object keep

    def __cinit__(self, object view, int64_t n_slices, object keep):
        self.large = view[5]
        self.tables = new CppTables(as_text(tuple(view)), self.large, n_slices)
        self.n_slices = n_slices
        self.keep = keep

    def __dealloc__(self):
        del self.tables

    @property
    def n_tables(self):
        """Tables that the encoding made: as many as threads took part."""
        return self.tables.n_tables()

    @property
    def n_seeds(self):
        """Texts whose codes were final from the start."""
        return self.tables.n_seeds

    @property
    def settled(self):
        """How many texts are distinct, if the codes are final after the encoding; else None."""
        return self.tables.n_distinct_if_settled() if self.tables.settled() else None

    def phase(self, int phase, *, size_t codes=0, size_t counts=0, size_t first_rows=0, object keep):
        """One phase of ``encode.hpp``: over rows (SEED in one slice, ENCODE, RESOLVE), tables (BUCKET, LINK), buckets (UNIFY),
        slices (COUNT, PLACE; between them make ``counts`` exclusive sums that start at ``n_seeds``), or codes (SETTLED).

        # IN  counts (PLACE), codes (RESOLVE)
        # OUT codes (SEED, ENCODE, RESOLVE), counts (COUNT), first_rows (PLACE, SETTLED)
        """
        cdef TextContext ctx
        ctx.tables = self.tables
        ctx.codes = <code_t*><uintptr_t>codes
        ctx.counts = <int64_t*><uintptr_t>counts
        ctx.first_rows = <row_t*><uintptr_t>first_rows
        return Task.make(text_phase(phase, self.large), &ctx, sizeof(ctx), (self, keep))


def translate(
    size_t codes,      # IN, OUT
    size_t places,     # IN: per code, what it becomes
    code_t n_places,   # IN: any other code becomes 0xFFFFFFFF
    object keep,
):
    """Codes of one dictionary as codes of another."""
    cdef TranslateContext ctx
    ctx.codes = <code_t*><uintptr_t>codes
    ctx.places = <const code_t*><uintptr_t>places
    ctx.n_places = n_places
    return Task.make(<kernel_t>translate_codes, &ctx, sizeof(ctx), keep)


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
    """One phase of ranking unique, non-null text: see ``text_order.hpp::RankContext``.

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
