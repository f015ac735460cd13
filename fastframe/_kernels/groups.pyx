"""From codes to dense groups: ranks, other orders and widths, first rows, values of groups (``groups.hpp``)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libcpp.vector cimport vector

from fastframe._kernels.kernel cimport Task, code_t, row_t

cdef extern from "groups.hpp" namespace "ff" nogil:
    cdef struct RankContext:
        const uint64_t* present
        int64_t n_codes
        uint32_t* ranks
        uint64_t* words
        const uint8_t* codes
        uint8_t* out
        int32_t code_bytes
        int32_t out_bytes
        uint32_t base

    cdef struct RemapContext:
        const uint8_t* codes
        const code_t* map
        uint8_t* out
        int32_t code_bytes
        int32_t out_bytes
        int64_t prefetch
        uint32_t base

    cdef struct FillContext:
        uint8_t* out
        int32_t value

    cdef struct FirstRowsContext:
        const uint8_t* codes
        row_t* first
        int64_t n_groups
        int32_t code_bytes
        uint32_t base

    cdef struct AppearContext:
        const row_t* first_rows
        uint64_t* starts
        uint32_t* ranks
        int64_t n_groups
        code_t* place
        row_t* ordered_rows

    cdef cppclass GroupDigit:
        uint64_t stride
        uint64_t radix
        int32_t stride_shift
        int32_t radix_bits
        uint64_t base
        uint64_t step
        uint64_t n_values
        const code_t* lut
        uint8_t* values
        uint8_t* validity
        int32_t physical

    cdef struct DecodeContext:
        const uint64_t* words
        const GroupDigit* digits
        int64_t n_digits

    int count_codes(void*, int64_t, int64_t, int64_t)
    int list_codes(void*, int64_t, int64_t, int64_t)
    int rank_codes(void*, int64_t, int64_t, int64_t)
    int remap_codes(void*, int64_t, int64_t, int64_t)
    int fill_bytes(void*, int64_t, int64_t, int64_t)
    int mark_first_rows(void*, int64_t, int64_t, int64_t)
    int mark_appearances(void*, int64_t, int64_t, int64_t)
    int place_appearances(void*, int64_t, int64_t, int64_t)
    int decode_words(void*, int64_t, int64_t, int64_t)

NEVER = 0x7FFFFFFF
CACHED_CODES = 1 << 17   # maps of more codes than this are prefetched


def count(size_t present, int64_t n_codes, size_t ranks, object keep):
    """Over the cells of ``present``, as one slice.

    # IN  present, n_codes
    # OUT ranks (uint32, one more than cells): codes present before each cell; the last is the total
    """
    cdef RankContext ctx
    ctx.present = <const uint64_t*><uintptr_t>present
    ctx.n_codes = n_codes
    ctx.ranks = <uint32_t*><uintptr_t>ranks
    return Task.make(count_codes, &ctx, sizeof(ctx), keep)


def listed(size_t present, int64_t n_codes, size_t ranks, size_t words, object keep):
    """Over the cells of ``present``.

    # IN  present, n_codes, ranks
    # OUT words (uint64): the codes that occur, ascending
    """
    cdef RankContext ctx
    ctx.present = <const uint64_t*><uintptr_t>present
    ctx.n_codes = n_codes
    ctx.ranks = <uint32_t*><uintptr_t>ranks
    ctx.words = <uint64_t*><uintptr_t>words
    return Task.make(list_codes, &ctx, sizeof(ctx), keep)


def rank(tuple given, tuple codes, tuple out, object keep):
    """Over rows: codes to their ranks among those that occur.

    # IN  given: (present, n_codes, ranks), codes: (address, bytes, code 0)
    # OUT out: (address, bytes), at most as wide as codes; the same memory where as wide
    """
    cdef RankContext ctx
    ctx.present = <const uint64_t*><uintptr_t>given[0]
    ctx.n_codes = given[1]
    ctx.ranks = <uint32_t*><uintptr_t>given[2]
    ctx.codes = <const uint8_t*><uintptr_t>codes[0]
    ctx.code_bytes = codes[1]
    ctx.base = codes[2]
    ctx.out = <uint8_t*><uintptr_t>out[0]
    ctx.out_bytes = out[1]
    return Task.make(rank_codes, &ctx, sizeof(ctx), keep)


def remap(tuple codes, size_t map, tuple out, bint prefetch, object keep):
    """Over rows: ``map[code]``; codes of all bits set stay so. Without a map just another width.

    # IN  codes: (address, bytes, code 0), map (uint32, or 0), prefetch
    # OUT out: (address, bytes)
    """
    cdef RemapContext ctx
    ctx.codes = <const uint8_t*><uintptr_t>codes[0]
    ctx.code_bytes = codes[1]
    ctx.base = codes[2]
    ctx.map = <const code_t*><uintptr_t>map
    ctx.out = <uint8_t*><uintptr_t>out[0]
    ctx.out_bytes = out[1]
    ctx.prefetch = prefetch
    return Task.make(remap_codes, &ctx, sizeof(ctx), keep)


def fill(size_t out, int value, object keep):
    """# OUT out: every byte is ``value``"""
    cdef FillContext ctx
    ctx.out = <uint8_t*><uintptr_t>out
    ctx.value = value
    return Task.make(fill_bytes, &ctx, sizeof(ctx), keep)


def first_rows(tuple codes, size_t first, int64_t n_groups, object keep):
    """Over rows: lower ``first`` of each group to the first row that has it.

    # IN  codes: (address, bytes, code 0), n_groups
    # OUT first (int32, NEVER before)
    """
    cdef FirstRowsContext ctx
    ctx.codes = <const uint8_t*><uintptr_t>codes[0]
    ctx.code_bytes = codes[1]
    ctx.base = codes[2]
    ctx.first = <row_t*><uintptr_t>first
    ctx.n_groups = n_groups
    return Task.make(mark_first_rows, &ctx, sizeof(ctx), keep)


def appearances(size_t first_rows, size_t starts, size_t ranks, size_t place, size_t ordered_rows, *, object keep):
    """``(mark, place)``: two phases over groups; between them `count` makes ``ranks`` of ``starts``.

    # IN  first_rows, ranks
    # OUT starts (a bit per row, clear before), place, ordered_rows
    """
    cdef AppearContext ctx
    ctx.first_rows = <const row_t*><uintptr_t>first_rows
    ctx.starts = <uint64_t*><uintptr_t>starts
    ctx.ranks = <uint32_t*><uintptr_t>ranks
    ctx.place = <code_t*><uintptr_t>place
    ctx.ordered_rows = <row_t*><uintptr_t>ordered_rows
    return Task.make(mark_appearances, &ctx, sizeof(ctx), keep), Task.make(place_appearances, &ctx, sizeof(ctx), keep)


cdef class Digits:
    """The digits of packed words that become columns."""

    cdef vector[GroupDigit] digits
    cdef list keep

    def __cinit__(self, list digits not None):
        cdef GroupDigit digit
        self.keep = digits
        for given in digits:
            digit.stride = given["stride"]
            digit.radix = given["radix"]
            digit.stride_shift = given["stride_shift"]
            digit.radix_bits = given["radix_bits"]
            digit.base = given["base"]
            digit.step = given["step"]
            digit.n_values = given["n_values"]
            digit.lut = <const code_t*><uintptr_t>given["lut"]
            digit.values = <uint8_t*><uintptr_t>given["values"]
            digit.validity = <uint8_t*><uintptr_t>given["validity"]
            digit.physical = given["physical"]
            self.digits.push_back(digit)


def decode(size_t words, Digits digits not None, *, object keep):
    """Over groups: the digits of their words as values, all in one pass over the words.

    # IN  words, digits: see ``groups.hpp::GroupDigit``
    # OUT values and validity of each digit
    """
    cdef DecodeContext ctx
    ctx.words = <const uint64_t*><uintptr_t>words
    ctx.digits = digits.digits.data()
    ctx.n_digits = digits.digits.size()
    return Task.make(decode_words, &ctx, sizeof(ctx), (digits, keep))
