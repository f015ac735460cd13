"""Text to dictionary codes (``encode.hpp``), texts among others (``text_members.hpp``, ``text_index.hpp``), and ranks of a
dictionary (``text_order.hpp``). Addresses come as ints.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memset

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
        CppTables(int64_t n_slices) except +
        int64_t n_tables()
        int64_t n_distinct_if_settled()
        bint settled()
        code_t n_seeds

    cdef struct TextContext:
        CppTables* tables
        TextView view
        int64_t first_slice
        int64_t first_row
        code_t* codes
        int64_t* counts
        row_t* first_rows
        uint64_t* homes

    kernel_t text_phase(int phase, bint large)
    int BUCKETS "ff::N_BUCKETS"
    int64_t texts_bytes(const CppTables& tables, const uint64_t* homes, int64_t n_texts)
    void write_texts[Offset](const CppTables& tables, const uint64_t* homes, int64_t n_texts, Offset* offsets, uint8_t* data)

    cdef struct TranslateContext:
        code_t* codes
        const code_t* places
        code_t n_places

    int translate_codes(void* ctx, int64_t start, int64_t stop, int64_t slice)

cdef extern from "text_members.hpp" namespace "ff" nogil:
    cdef struct TextMembersContext:
        const CppTables* tables
        TextView view
        uint8_t* out

    kernel_t text_members_kernel(bint large)

cdef extern from "text_index.hpp" namespace "ff" nogil:
    cdef struct TextKey:
        uint64_t low

    cdef cppclass CppTextIndex "ff::TextIndex":
        CppTextIndex(const TextView& texts, bint large, const void* keys, int part_bits) except +

    cdef struct TextIndexContext:
        CppTextIndex* index
        TextView view
        TextKey* keys
        uint32_t missing
        uint32_t* rows

    kernel_t text_index_keys_kernel(bint large)
    kernel_t text_index_find_kernel(bint large)
    int text_index_fill(void* ctx, int64_t start, int64_t stop, int64_t slice)

    cdef struct NumberContext:
        const uint32_t* first_rows
        uint32_t missing
        int64_t* counts
        row_t* distinct
        code_t* codes

    kernel_t number_phase(int phase)

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
NUMBER_COUNT, NUMBER_FIRST, NUMBER_RESOLVE = range(3)   # text_index.hpp::NumberPhase
KEY_BYTES = 16   # encode.hpp::TextKey
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
    cdef readonly int64_t n_slices

    def __cinit__(self, int64_t n_slices):
        self.tables = new CppTables(n_slices)
        self.n_slices = n_slices

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

    def over_rows(self, int phase, object view, size_t codes, *, int64_t first_slice=0, int64_t first_row=0, object keep):
        """SEED (one slice) or ENCODE over the rows of one array of texts; or RESOLVE its codes, without the texts.

        # IN  view, codes (RESOLVE)
        # OUT codes
        """
        cdef TextContext ctx
        memset(&ctx, 0, sizeof(ctx))
        ctx.tables = self.tables
        if view is not None:
            ctx.view = as_text(tuple(view))
        ctx.codes = <code_t*><uintptr_t>codes
        ctx.first_slice = first_slice
        ctx.first_row = first_row
        return Task.make(text_phase(phase, view is not None and view[5]), &ctx, sizeof(ctx), (self, keep))

    def phase(self, int phase, *, size_t counts=0, size_t first_rows=0, size_t homes=0, object keep):
        """A phase over tables (BUCKET, LINK), buckets (UNIFY), slices (COUNT, PLACE; between them make ``counts`` exclusive sums
        that start at ``n_seeds``), or codes (SETTLED).

        # IN  counts (PLACE)
        # OUT counts (COUNT), first_rows (PLACE, SETTLED), homes (PLACE)
        """
        cdef TextContext ctx
        memset(&ctx, 0, sizeof(ctx))
        ctx.tables = self.tables
        ctx.counts = <int64_t*><uintptr_t>counts
        ctx.first_rows = <row_t*><uintptr_t>first_rows
        ctx.homes = <uint64_t*><uintptr_t>homes
        return Task.make(text_phase(phase, False), &ctx, sizeof(ctx), (self, keep))

    def members(self, object view, size_t out, *, object keep):
        """Which texts are among the seeds (SEED has run).

        # IN  view
        # OUT out: bits, 0 for nulls
        """
        cdef TextMembersContext ctx
        ctx.tables = self.tables
        ctx.view = as_text(tuple(view))
        ctx.out = <uint8_t*><uintptr_t>out
        return Task.make(text_members_kernel(view[5]), &ctx, sizeof(ctx), (self, keep))

    def texts_bytes(self, size_t homes, int64_t n_texts):
        """Bytes of the distinct texts; ``homes`` 0 where the codes are settled."""
        return texts_bytes(self.tables[0], <const uint64_t*><uintptr_t>homes, n_texts)

    def write_texts(self, size_t homes, int64_t n_texts, size_t offsets, size_t data, bint large):
        """The distinct texts as Arrow text.

        # OUT offsets (int64 where ``large``, else int32), data
        """
        cdef const uint64_t* places = <const uint64_t*><uintptr_t>homes
        cdef uint8_t* out = <uint8_t*><uintptr_t>data
        with nogil:
            if large:
                write_texts(self.tables[0], places, n_texts, <int64_t*><uintptr_t>offsets, out)
            else:
                write_texts(self.tables[0], places, n_texts, <int32_t*><uintptr_t>offsets, out)


cdef class TextIndex:
    """The first row of each of some texts, to be found by their own rows (`fill`) and by those of others (`find`).

    Parameters
    ----------
    view : TextView
        # IN  the indexed texts
    keys : address
        # OUT `KEY_BYTES` per row, of `keys`, which runs first
    part_bits : int
        A thread fills each of so many parts, as a power of two.
    missing : int
        What a null becomes; 0xFFFFFFFF is no row.
    """

    cdef CppTextIndex* index
    cdef TextIndexContext ctx
    cdef readonly object view
    cdef object kept

    def __cinit__(self, object view, size_t keys, int part_bits, uint32_t missing, object keep):
        cdef TextView texts = as_text(tuple(view))
        self.index = new CppTextIndex(texts, view[5], <const void*><uintptr_t>keys, part_bits)
        memset(&self.ctx, 0, sizeof(self.ctx))
        self.ctx.index = self.index
        self.ctx.view = texts
        self.ctx.keys = <TextKey*><uintptr_t>keys
        self.ctx.missing = missing
        self.view, self.kept = view, keep

    def __dealloc__(self):
        del self.index

    def keys(self):
        """Over rows: the key of each."""
        return Task.make(text_index_keys_kernel(self.view[5]), &self.ctx, sizeof(self.ctx), self)

    def fill(self, size_t rows, object keep):
        """Over parts: insert the rows.

        # OUT rows: uint32, the first row with the same text
        """
        cdef TextIndexContext ctx = self.ctx
        ctx.rows = <uint32_t*><uintptr_t>rows
        return Task.make(<kernel_t>text_index_fill, &ctx, sizeof(ctx), (self, keep))

    def find(self, object view, uint32_t missing, size_t rows, object keep):
        """Over rows of other texts: where the index has them; a null becomes ``missing``.

        # IN  view
        # OUT rows: uint32, 0xFFFFFFFF where there is no such text
        """
        cdef TextIndexContext ctx = self.ctx
        ctx.view = as_text(tuple(view))
        ctx.missing = missing
        ctx.rows = <uint32_t*><uintptr_t>rows
        return Task.make(text_index_find_kernel(view[5]), &ctx, sizeof(ctx), (self, keep))


def number(int phase, size_t first_rows, uint32_t missing, *, size_t counts=0, size_t distinct=0, size_t codes=0, object keep):
    """A phase that turns first rows to codes in order of first appearance: see ``text_index.hpp::NumberContext``.

    # IN  first_rows, counts (NUMBER_FIRST: sums before each slice)
    # OUT counts (NUMBER_COUNT), distinct (NUMBER_FIRST), codes (NUMBER_FIRST, then NUMBER_RESOLVE)
    """
    cdef NumberContext ctx
    ctx.first_rows = <const uint32_t*><uintptr_t>first_rows
    ctx.missing = missing
    ctx.counts = <int64_t*><uintptr_t>counts
    ctx.distinct = <row_t*><uintptr_t>distinct
    ctx.codes = <code_t*><uintptr_t>codes
    return Task.make(number_phase(phase), &ctx, sizeof(ctx), keep)


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
