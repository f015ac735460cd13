"""Key columns to codes and words, and dense group ids (``codes.hpp``). Addresses come as ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from fastframe._kernels.kernel cimport Task, View, as_view, code_t, row_t

cdef extern from "codes.hpp" namespace "ff" nogil:
    cdef struct KeyPart:
        const uint8_t* values
        const uint8_t* validity
        int64_t bit_offset
        int32_t physical
        int32_t field
        uint64_t base
        uint64_t base_high
        uint64_t n_values
        uint64_t stride
        const code_t* lut
        int32_t may_miss
        int32_t drop_missing
        int32_t check
        uint64_t step

    cdef struct PackContext:
        const KeyPart* parts
        int64_t n_parts
        const row_t* rows
        int32_t wide
        int32_t may_drop
        code_t* codes
        uint64_t* words
        uint64_t* hashes
        row_t* first
        int64_t prefetch

    cdef struct FillContext:
        code_t* out
        code_t value

    cdef struct DenseContext:
        const row_t* first
        int64_t* counts
        code_t* dense
        row_t* first_of_dense

    cdef struct RemapContext:
        const code_t* codes
        const code_t* map
        code_t* out
        int64_t prefetch

    cdef struct AppearContext:
        const row_t* first_rows
        code_t* group_at
        int64_t* counts
        code_t* place
        row_t* ordered_rows

    int pack_keys(void*, int64_t, int64_t, int64_t)
    int fill_codes(void*, int64_t, int64_t, int64_t)
    int count_present(void*, int64_t, int64_t, int64_t)
    int number_present(void*, int64_t, int64_t, int64_t)
    int remap_codes(void*, int64_t, int64_t, int64_t)
    int mark_appearances(void*, int64_t, int64_t, int64_t)
    int count_appearances(void*, int64_t, int64_t, int64_t)
    int number_appearances(void*, int64_t, int64_t, int64_t)

WHOLE, UPPER, LOWER, HIGH64 = 0, 1, 2, 3   # codes.hpp::Field
NEVER = 0x7FFFFFFF
CACHED_CODES = 1 << 17                     # maps of more codes than this are prefetched


cdef class KeyParts:
    """The digits of a packed key, first digit first."""

    cdef KeyPart* parts
    cdef readonly int n_parts
    cdef readonly bint may_drop
    cdef list keep

    def __cinit__(self, list parts not None):
        self.n_parts = 0
        self.keep = []
        self.may_drop = False
        self.parts = <KeyPart*>calloc(max(len(parts), 1), sizeof(KeyPart))
        if self.parts == NULL:
            raise MemoryError()
        for part in parts:
            self._add(part)

    def __dealloc__(self):
        free(self.parts)

    @property
    def address(self):
        """Of the parts, for kernels that make codes block by block as they need them."""
        return <size_t>self.parts

    cdef _add(self, dict given):
        cdef KeyPart* part = self.parts + self.n_parts
        cdef View view = as_view(tuple(given["view"]))
        part.values = view.values
        part.validity = view.validity
        part.bit_offset = view.bit_offset
        part.physical = given["physical"]
        part.field = given["field"]
        part.base = given["base"]
        part.base_high = given["base_high"]
        part.n_values = given["n_values"]
        part.stride = given["stride"]
        part.lut = <const code_t*><uintptr_t>given["lut"]
        part.may_miss = given["may_miss"]
        part.drop_missing = given["drop_missing"]
        part.check = given["check"]
        part.step = given["step"]
        self.may_drop = self.may_drop or part.drop_missing or part.check
        self.keep.append(given["keep"])
        self.n_parts += 1


def pack(
    KeyParts parts not None,
    bint wide,
    *,
    size_t rows=0,
    size_t codes=0,
    size_t words=0,
    size_t hashes=0,
    size_t first=0,
    bint prefetch=False,
    object keep,
):
    """One word per row: the sum of its digits times their strides.

    # IN  parts, wide (words need 64 bits), rows (row numbers to take, or 0)
    # OUT codes, words, hashes, first (0: not wanted); rows without a key get NULL_CODE, NO_WORD, NO_HASH
    """
    cdef PackContext ctx
    ctx.parts = parts.parts
    ctx.n_parts = parts.n_parts
    ctx.rows = <const row_t*><uintptr_t>rows
    ctx.wide = wide
    ctx.may_drop = parts.may_drop
    ctx.codes = <code_t*><uintptr_t>codes
    ctx.words = <uint64_t*><uintptr_t>words
    ctx.hashes = <uint64_t*><uintptr_t>hashes
    ctx.first = <row_t*><uintptr_t>first
    ctx.prefetch = prefetch
    return Task.make(pack_keys, &ctx, sizeof(ctx), (parts, keep))


def fill(size_t out, code_t value, object keep):
    """# OUT out: every code is ``value``"""
    cdef FillContext ctx
    ctx.out = <code_t*><uintptr_t>out
    ctx.value = value
    return Task.make(fill_codes, &ctx, sizeof(ctx), keep)


def dense_ids(size_t first, size_t counts, size_t dense, size_t first_of_dense, *, object keep):
    """``(count, number)``: two phases over codes with the same slices; between them make ``counts`` exclusive sums.

    # IN  first
    # OUT counts, dense, first_of_dense
    """
    cdef DenseContext ctx
    ctx.first = <const row_t*><uintptr_t>first
    ctx.counts = <int64_t*><uintptr_t>counts
    ctx.dense = <code_t*><uintptr_t>dense
    ctx.first_of_dense = <row_t*><uintptr_t>first_of_dense
    return Task.make(count_present, &ctx, sizeof(ctx), keep), Task.make(number_present, &ctx, sizeof(ctx), keep)


def remap(size_t codes, size_t map, size_t out, bint prefetch, object keep):
    """# IN codes, map. OUT out: ``map[code]``, NULL_CODE stays"""
    cdef RemapContext ctx
    ctx.codes = <const code_t*><uintptr_t>codes
    ctx.map = <const code_t*><uintptr_t>map
    ctx.out = <code_t*><uintptr_t>out
    ctx.prefetch = prefetch
    return Task.make(remap_codes, &ctx, sizeof(ctx), keep)


def appearances(size_t first_rows, size_t group_at, size_t counts, size_t place, size_t ordered_rows, *, object keep):
    """``(mark, count, number)``: phases over groups, rows, rows; between the last two make ``counts`` exclusive sums.

    # IN  first_rows
    # OUT group_at (NULL_CODE before), counts, place, ordered_rows
    """
    cdef AppearContext ctx
    ctx.first_rows = <const row_t*><uintptr_t>first_rows
    ctx.group_at = <code_t*><uintptr_t>group_at
    ctx.counts = <int64_t*><uintptr_t>counts
    ctx.place = <code_t*><uintptr_t>place
    ctx.ordered_rows = <row_t*><uintptr_t>ordered_rows
    return (
        Task.make(mark_appearances, &ctx, sizeof(ctx), keep),
        Task.make(count_appearances, &ctx, sizeof(ctx), keep),
        Task.make(number_appearances, &ctx, sizeof(ctx), keep),
    )
