"""Tasks of joins over dense key codes; see ``join.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport code_t, row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "join.hpp" namespace "ff" nogil:
    cdef struct RowMap:
        const code_t* codes
        row_t* row_of_code
        int64_t* n_found

    cdef struct MapProbe:
        const code_t* codes
        const row_t* row_of_code
        row_t* partners
        int64_t* n_matches

    cdef struct MatchCompaction:
        const row_t* partners
        const int64_t* starts
        row_t* left_rows
        row_t* right_rows

    cdef struct GroupProbe:
        const code_t* codes
        const int32_t* offsets
        const row_t* rows
        int64_t* n_results
        int64_t* n_unmatched
        const int64_t* starts
        row_t* left_rows
        row_t* right_rows

    cdef struct OuterPairs:
        const int32_t* left_offsets
        const row_t* left_rows
        const int32_t* right_offsets
        const row_t* right_rows
        int64_t* n_results
        const int64_t* starts
        row_t* left_out
        row_t* right_out

    cdef struct PartnerMarks:
        const code_t* codes
        uint8_t* is_present
        uint8_t* bits

    int clear_map_kernel "ff::clear_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int fill_map_kernel "ff::fill_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_map_kernel "ff::count_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int probe_map_kernel "ff::probe_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int compact_matches_kernel "ff::compact_matches"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_matches_kernel "ff::count_matches"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    kernel_t fill_matches_kernel(bint keeps_unmatched)
    int count_outer_kernel "ff::count_outer"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int fill_outer_kernel "ff::fill_outer"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int mark_codes_kernel "ff::mark_codes"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int partner_bits_kernel "ff::partner_bits"(void* ctx, int64_t start, int64_t stop, int64_t slice)


cdef Task map_task(kernel_t kernel, uintptr_t codes, uintptr_t row_of_code, uintptr_t n_found, object keep_alive):
    cdef RowMap ctx
    ctx.codes = <const code_t*>codes
    ctx.row_of_code = <row_t*>row_of_code
    ctx.n_found = <int64_t*>n_found
    return Task.make(kernel, &ctx, sizeof(ctx), keep_alive)


def clear_map(uintptr_t row_of_code, *, keep_alive):
    """Over codes: no row (-1). OUT row_of_code."""
    return map_task(<kernel_t>clear_map_kernel, 0, row_of_code, 0, keep_alive)


def fill_map(uintptr_t codes, uintptr_t row_of_code, uintptr_t n_found, *, keep_alive):
    """Over rows: each row to its code's entry; per slice, rows with a code. IN codes OUT row_of_code, n_found."""
    return map_task(<kernel_t>fill_map_kernel, codes, row_of_code, n_found, keep_alive)


def count_map(uintptr_t row_of_code, uintptr_t n_found, *, keep_alive):
    """Over codes: per slice, codes with a row. IN row_of_code OUT n_found."""
    return map_task(<kernel_t>count_map_kernel, 0, row_of_code, n_found, keep_alive)


def probe_map(uintptr_t codes, uintptr_t row_of_code, uintptr_t partners, uintptr_t n_matches, *, keep_alive):
    """Over left rows: the partner of each, and per slice how many have one."""
    cdef MapProbe ctx
    ctx.codes = <const code_t*>codes                # IN
    ctx.row_of_code = <const row_t*>row_of_code     # IN
    ctx.partners = <row_t*>partners                 # OUT
    ctx.n_matches = <int64_t*>n_matches             # OUT
    return Task.make(<kernel_t>probe_map_kernel, &ctx, sizeof(ctx), keep_alive)


def compact_matches(uintptr_t partners, uintptr_t starts, uintptr_t left_rows, uintptr_t right_rows, *, keep_alive):
    """Over left rows, in the slices of `probe_map`: the rows that have a partner, and the partners."""
    cdef MatchCompaction ctx
    ctx.partners = <const row_t*>partners      # IN
    ctx.starts = <const int64_t*>starts        # IN
    ctx.left_rows = <row_t*>left_rows          # OUT
    ctx.right_rows = <row_t*>right_rows        # OUT
    return Task.make(<kernel_t>compact_matches_kernel, &ctx, sizeof(ctx), keep_alive)


def count_matches(uintptr_t codes, uintptr_t offsets, uintptr_t n_results, uintptr_t n_unmatched, *, keep_alive):
    """Over left rows: per slice, pairs with grouped right rows, and rows without partner."""
    cdef GroupProbe ctx
    ctx.codes = <const code_t*>codes           # IN
    ctx.offsets = <const int32_t*>offsets      # IN
    ctx.n_results = <int64_t*>n_results        # OUT
    ctx.n_unmatched = <int64_t*>n_unmatched    # OUT
    return Task.make(<kernel_t>count_matches_kernel, &ctx, sizeof(ctx), keep_alive)


def fill_matches(uintptr_t codes, uintptr_t offsets, uintptr_t rows, uintptr_t starts, uintptr_t left_rows, uintptr_t right_rows, *,
                 bint keeps_unmatched, keep_alive):
    """Over left rows, in the slices of `count_matches`: the pairs; ``left_rows`` 0 leaves the left ones out."""
    cdef GroupProbe ctx
    ctx.codes = <const code_t*>codes           # IN
    ctx.offsets = <const int32_t*>offsets      # IN
    ctx.rows = <const row_t*>rows              # IN
    ctx.starts = <const int64_t*>starts        # IN
    ctx.left_rows = <row_t*>left_rows          # OUT
    ctx.right_rows = <row_t*>right_rows        # OUT
    return Task.make(fill_matches_kernel(keeps_unmatched), &ctx, sizeof(ctx), keep_alive)


cdef OuterPairs outer_pairs(tuple left, tuple right):
    cdef OuterPairs ctx
    ctx.left_offsets = <const int32_t*><uintptr_t>left[0]
    ctx.left_rows = <const row_t*><uintptr_t>left[1]
    ctx.right_offsets = <const int32_t*><uintptr_t>right[0]
    ctx.right_rows = <const row_t*><uintptr_t>right[1]
    return ctx


def count_outer(tuple left, tuple right, uintptr_t n_results, *, keep_alive):
    """Over codes: per slice, the pairs of an outer join; a side is ``(offsets, rows)``."""
    cdef OuterPairs ctx = outer_pairs(left, right)     # IN
    ctx.n_results = <int64_t*>n_results                # OUT
    return Task.make(<kernel_t>count_outer_kernel, &ctx, sizeof(ctx), keep_alive)


def fill_outer(tuple left, tuple right, uintptr_t starts, uintptr_t left_out, uintptr_t right_out, *, keep_alive):
    """Over codes, in the slices of `count_outer`: the pairs, with -1 for a missing side."""
    cdef OuterPairs ctx = outer_pairs(left, right)     # IN
    ctx.starts = <const int64_t*>starts                # IN
    ctx.left_out = <row_t*>left_out                    # OUT
    ctx.right_out = <row_t*>right_out                  # OUT
    return Task.make(<kernel_t>fill_outer_kernel, &ctx, sizeof(ctx), keep_alive)


def mark_codes(uintptr_t codes, uintptr_t is_present, *, keep_alive):
    """Over rows: sets the byte of each row's code."""
    cdef PartnerMarks ctx
    ctx.codes = <const code_t*>codes          # IN
    ctx.is_present = <uint8_t*>is_present     # OUT
    return Task.make(<kernel_t>mark_codes_kernel, &ctx, sizeof(ctx), keep_alive)


def partner_bits(uintptr_t codes, uintptr_t is_present, uintptr_t bits, *, keep_alive):
    """Over rows: the bit of each says whether its code was marked."""
    cdef PartnerMarks ctx
    ctx.codes = <const code_t*>codes          # IN
    ctx.is_present = <uint8_t*>is_present     # IN
    ctx.bits = <uint8_t*>bits                 # OUT
    return Task.make(<kernel_t>partner_bits_kernel, &ctx, sizeof(ctx), keep_alive)
