"""Tasks of joins over key codes; see ``join.hpp`` and ``join_output.hpp``. Addresses are ints.

``codes`` arguments say where a side's codes come from: ``(address of codes or 0, address of key parts or 0, number of
parts, whether digits need 64 bits, whether a row may have no key)``.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t, uintptr_t

from fastframe._kernels.kernel cimport code_t, row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "code_source.hpp" namespace "ff" nogil:
    cdef struct KeyPart:
        pass

    cdef struct CodeSource:
        const code_t* codes
        const KeyPart* parts
        int64_t n_parts
        int32_t wide
        int32_t may_drop

cdef extern from "packed_rows.hpp" namespace "ff" nogil:
    cdef struct Records:
        pass

cdef extern from "join.hpp" namespace "ff" nogil:
    cdef struct CodeMarks:
        CodeSource build
        uint8_t* marks
        uint64_t* present
        int64_t* n_found
        int64_t prefetch

    cdef struct RowMap:
        CodeSource build
        row_t* row_of_code
        int64_t prefetch

    cdef struct Occurrence:
        const uint64_t* present
        const uint8_t* marks
        int64_t n_codes

    cdef struct MapProbe:
        CodeSource probe
        Occurrence build
        uint64_t* words
        int64_t* n_matches

    cdef struct GroupProbe:
        CodeSource probe
        const int32_t* offsets
        int64_t prefetch
        int64_t* n_results
        int64_t* n_unmatched

    cdef struct OuterPairs:
        const int32_t* left_offsets
        const row_t* left_rows
        const int32_t* right_offsets
        const row_t* right_rows
        int64_t* n_results
        const int64_t* starts
        row_t* left_out
        row_t* right_out

    int mark_codes_kernel "ff::mark_codes"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_marks_kernel "ff::count_marks"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int fill_map_kernel "ff::fill_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int probe_map_kernel "ff::probe_map"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_matches_kernel "ff::count_matches"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_outer_kernel "ff::count_outer"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int fill_outer_kernel "ff::fill_outer"(void* ctx, int64_t start, int64_t stop, int64_t slice)

cdef extern from "join_output.hpp" namespace "ff" nogil:
    cdef struct JoinOutput:
        pass

    cdef struct EmitContext:
        CodeSource probe
        const int32_t* offsets
        const row_t* rows
        const row_t* row_of_code
        const uint64_t* words
        Occurrence build
        uint64_t* found
        int64_t* n_found
        int64_t keeps_unmatched
        int64_t prefetch
        const int64_t* starts
        const JoinOutput* outputs
        int64_t n_outputs
        const Records* records
        int64_t n_records
        int64_t misses
        int64_t streams

    cdef struct CodeRecords:
        CodeSource build
        Records records

    kernel_t emit_kernel(bint misses)
    int scatter_records_kernel "ff::scatter_records"(void* ctx, int64_t start, int64_t stop, int64_t slice)

OUTPUT_WORDS = sizeof(JoinOutput) // 8    # int64 words of one row of the caller's table of outputs
RECORD_WORDS = sizeof(Records) // 8       # and of its table of records
PROBE, BUILD = 0, 1                       # join_output.hpp::Side


cdef CodeSource code_source(tuple codes):
    cdef CodeSource source
    source.codes = <const code_t*><uintptr_t>codes[0]
    source.parts = <const KeyPart*><uintptr_t>codes[1]
    source.n_parts, source.wide, source.may_drop = codes[2:]
    return source


cdef Occurrence as_occurrence(tuple build):
    cdef Occurrence occurrence
    occurrence.present = <const uint64_t*><uintptr_t>build[0]
    occurrence.marks = <const uint8_t*><uintptr_t>build[1]
    occurrence.n_codes = build[2]
    return occurrence


def mark_codes(tuple codes, tuple arrays, *, bint prefetch, keep_alive):
    """``(mark, count)``: over build rows, over codes.

    IN codes OUT arrays: marks (bytes, cleared), present (bits), rows with a code per slice, codes with a row per slice.
    """
    cdef CodeMarks ctx
    ctx.build = code_source(codes)
    ctx.marks = <uint8_t*><uintptr_t>arrays[0]
    ctx.present = <uint64_t*><uintptr_t>arrays[1]
    ctx.n_found = <int64_t*><uintptr_t>arrays[2]
    ctx.prefetch = prefetch
    mark = Task.make(<kernel_t>mark_codes_kernel, &ctx, sizeof(ctx), keep_alive)
    ctx.n_found = <int64_t*><uintptr_t>arrays[3]
    return mark, Task.make(<kernel_t>count_marks_kernel, &ctx, sizeof(ctx), keep_alive)


def fill_map(tuple codes, uintptr_t row_of_code, *, bint prefetch, keep_alive):
    """Over build rows: each row to its code's entry; which one where a code repeats is open. IN codes OUT row_of_code."""
    cdef RowMap ctx
    ctx.build = code_source(codes)
    ctx.row_of_code = <row_t*>row_of_code
    ctx.prefetch = prefetch
    return Task.make(<kernel_t>fill_map_kernel, &ctx, sizeof(ctx), keep_alive)


def scatter_records(tuple codes, uintptr_t records, *, keep_alive):
    """Over build rows, no two of one code: each row's record to its code's place. IN codes OUT one row of a table of records."""
    cdef CodeRecords ctx
    ctx.build = code_source(codes)
    ctx.records = (<const Records*>records)[0]
    return Task.make(<kernel_t>scatter_records_kernel, &ctx, sizeof(ctx), keep_alive)


def probe_map(tuple codes, tuple build, uintptr_t words, uintptr_t n_matches, *, keep_alive):
    """Over probe rows: whether each has a partner, and per slice how many have one.

    ``build`` is which codes have a row: bits, bytes or 0, and their number.
    """
    cdef MapProbe ctx
    ctx.probe = code_source(codes)             # IN
    ctx.build = as_occurrence(build)           # IN
    ctx.words = <uint64_t*>words               # OUT
    ctx.n_matches = <int64_t*>n_matches        # OUT
    return Task.make(<kernel_t>probe_map_kernel, &ctx, sizeof(ctx), keep_alive)


def count_matches(tuple codes, uintptr_t offsets, uintptr_t n_results, uintptr_t n_unmatched, *, bint prefetch, keep_alive):
    """Over probe rows: per slice, pairs with grouped build rows, and rows without partner."""
    cdef GroupProbe ctx
    ctx.probe = code_source(codes)             # IN
    ctx.offsets = <const int32_t*>offsets      # IN
    ctx.prefetch = prefetch                    # IN
    ctx.n_results = <int64_t*>n_results        # OUT
    ctx.n_unmatched = <int64_t*>n_unmatched    # OUT
    return Task.make(<kernel_t>count_matches_kernel, &ctx, sizeof(ctx), keep_alive)


def emit_pairs(tuple codes, tuple index, uintptr_t words, uintptr_t starts, tuple outputs, tuple records, *,
               tuple build, tuple found, bint keeps_unmatched, bint misses, bint prefetch, bint streams, keep_alive):
    """Over probe rows, in the slices of the first pass: the columns of the pairs.

    ``index`` is ``(row_of_code, 0, 0)``, ``(0, offsets, rows)``, or zeros where records are found by their codes; ``outputs`` and
    ``records``
    are tables of ``JoinOutput`` and ``Records``, as ``(address, length)``: where the results go. ``build`` is zeros, or for
    a map with ``keeps_unmatched`` as for `probe_map`, and ``found`` then what is found: words, number of matches per slice.
    """
    cdef EmitContext ctx
    ctx.probe = code_source(codes)                                    # IN
    ctx.row_of_code = <const row_t*><uintptr_t>index[0]               # IN
    ctx.offsets = <const int32_t*><uintptr_t>index[1]                 # IN
    ctx.rows = <const row_t*><uintptr_t>index[2]                      # IN
    ctx.words = <const uint64_t*>words                                # IN
    ctx.build = as_occurrence(build)                                  # IN
    ctx.found = <uint64_t*><uintptr_t>found[0]                        # OUT
    ctx.n_found = <int64_t*><uintptr_t>found[1]                       # OUT
    ctx.starts = <const int64_t*>starts                               # IN
    ctx.outputs = <const JoinOutput*><uintptr_t>outputs[0]            # IN, OUT
    ctx.n_outputs = outputs[1]
    ctx.records = <const Records*><uintptr_t>records[0]               # IN, OUT
    ctx.n_records = records[1]
    ctx.keeps_unmatched = keeps_unmatched
    ctx.misses = misses
    ctx.prefetch = prefetch
    ctx.streams = streams
    return Task.make(emit_kernel(misses), &ctx, sizeof(ctx), keep_alive)


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
