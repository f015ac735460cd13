"""Text kernels: comparison; gather, compaction, choice, joining of strings, and numbers as text, each as a pass for sizes and
a pass that copies; and text as integers.

A source is ``(offsets, data, end, large, constant)``: addresses of the offsets at row 0 and of the data, how many bytes
of data may be read, whether offsets are int64, whether every row is row 0. A sink is ``(starts, offsets, data, large)``:
the int64 bytes before each slice (and in all), and where offsets (from entry 1 on) and bytes are written.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t
from fastframe._kernels.text cimport TextSource, as_text

cdef extern from "text.hpp" namespace "ff" nogil:
    cdef struct TakeTextContext:
        TextSource source
        const row_t* rows
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    cdef struct ChooseTextContext:
        BitSource mask
        TextSource yes
        TextSource no
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    kernel_t take_text_sizes_kernel(bint large, bint missing)
    kernel_t take_text_copy_kernel(bint large, bint out_large, bint missing)
    kernel_t choose_text_copy_kernel(bint out_large)
    int c_choose_text_sizes "ff::choose_text_sizes"(void*, int64_t, int64_t, int64_t)

cdef extern from "filter_text.hpp" namespace "ff" nogil:
    cdef struct FilterTextContext:
        TextSource source
        const uint64_t* words
        const int64_t* row_starts
        int64_t* sizes
        int64_t* lengths
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    kernel_t filter_text_sizes_kernel(bint large)
    kernel_t filter_text_copy_kernel(bint large, bint out_large)

cdef extern from "compare_text.hpp" namespace "ff" nogil:
    cdef struct CompareTextContext:
        TextSource left
        TextSource right
        BitSource left_valid
        BitSource right_valid
        int operation
        uint8_t* out
    int c_compare_texts "ff::compare_texts"(void*, int64_t, int64_t, int64_t)

cdef extern from "join_text.hpp" namespace "ff" nogil:
    cdef struct JoinTextContext:
        const TextSource* sources
        int64_t n_sources
        BitSource valid
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    int c_join_text_sizes "ff::join_text_sizes"(void*, int64_t, int64_t, int64_t)
    kernel_t join_text_copy_kernel(bint out_large)

cdef extern from "digits.hpp" namespace "ff" nogil:
    cdef struct DigitsContext:
        View values
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    cdef struct ParseContext:
        TextSource source
        BitSource valid
        uint8_t* out
    kernel_t digits_kernel(int physical, bint copy, bint large)
    kernel_t parse_kernel(int physical, bint large)

cdef extern from "float_text.hpp" namespace "ff" nogil:
    cdef struct ShortDecimal:
        uint8_t n_digits   # and more
    cdef struct FloatTextContext:
        View values
        ShortDecimal* decimals
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
        uint8_t* validity
    kernel_t float_text_kernel(int physical, bint copy, bint large)

DECIMAL_BYTES = sizeof(ShortDecimal)   # of what the pass for sizes keeps of a float
COMPARE = {"eq": 0, "ne": 1, "lt": 2, "le": 3}


def take_text_sizes(
    tuple source not None,   # IN
    uintptr_t rows,          # IN: int32
    uintptr_t sizes,         # OUT: int64 per slice
    object keep,
    *,
    bint missing,            # whether a row may be -1 (the source then has a row)
):
    """Bytes of the taken rows of each slice."""
    cdef TakeTextContext ctx
    ctx.source = as_text(source)
    ctx.rows = <const row_t*>rows
    ctx.sizes = <int64_t*>sizes
    return Task.make(take_text_sizes_kernel(ctx.source.large, missing), &ctx, sizeof(ctx), keep)


def take_text_copy(
    tuple source not None,   # IN
    uintptr_t rows,          # IN: int32
    tuple sink not None,     # OUT
    object keep,
    *,
    bint missing,
):
    """Offsets and bytes of the taken rows; nothing where there is no row."""
    cdef TakeTextContext ctx
    ctx.source = as_text(source)
    ctx.rows = <const row_t*>rows
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(take_text_copy_kernel(ctx.source.large, sink[3], missing), &ctx, sizeof(ctx), keep)


def filter_text_sizes(
    tuple source not None,   # IN
    tuple plan not None,     # IN: addresses (words, starts)
    uintptr_t sizes,         # OUT: int64 per slice
    uintptr_t lengths,       # OUT: int64 per slice, of its strings where they have one
    object keep,
):
    """Bytes of the kept rows of each slice."""
    cdef FilterTextContext ctx
    ctx.source = as_text(source)
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.row_starts = <const int64_t*><uintptr_t>plan[1]
    ctx.sizes = <int64_t*>sizes
    ctx.lengths = <int64_t*>lengths
    return Task.make(filter_text_sizes_kernel(ctx.source.large), &ctx, sizeof(ctx), keep)


def filter_text_copy(
    tuple source not None,   # IN
    tuple plan not None,     # IN: addresses (words, starts)
    tuple sink not None,     # OUT
    uintptr_t lengths,       # IN: as filter_text_sizes found them
    object keep,
):
    """Offsets and bytes of the kept rows."""
    cdef FilterTextContext ctx
    ctx.source = as_text(source)
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.row_starts = <const int64_t*><uintptr_t>plan[1]
    ctx.lengths = <int64_t*>lengths
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(filter_text_copy_kernel(ctx.source.large, sink[3]), &ctx, sizeof(ctx), keep)


def choose_text_sizes(
    tuple mask not None,   # IN: bits
    tuple yes not None,    # IN: source where the mask is 1
    tuple no not None,     # IN: source where it is 0
    uintptr_t sizes,       # OUT: int64 per slice
    object keep,
):
    """Bytes of the chosen rows of each slice."""
    cdef ChooseTextContext ctx
    ctx.mask = as_bits(mask)
    ctx.yes = as_text(yes)
    ctx.no = as_text(no)
    ctx.sizes = <int64_t*>sizes
    return Task.make(c_choose_text_sizes, &ctx, sizeof(ctx), keep)


def choose_text_copy(
    tuple mask not None,   # IN: bits
    tuple yes not None,    # IN: source where the mask is 1
    tuple no not None,     # IN: source where it is 0
    tuple sink not None,   # OUT
    object keep,
):
    """Offsets and bytes of the chosen rows."""
    cdef ChooseTextContext ctx
    ctx.mask = as_bits(mask)
    ctx.yes = as_text(yes)
    ctx.no = as_text(no)
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(choose_text_copy_kernel(sink[3]), &ctx, sizeof(ctx), keep)


def compare_text(
    str operation not None,       # of COMPARE
    tuple left not None,          # IN: source
    tuple right not None,         # IN: source
    tuple left_valid not None,    # IN: bits
    tuple right_valid not None,   # IN: bits
    uintptr_t out,                # OUT: bits
    object keep,
):
    """Bytewise comparison; a row with a null is False (``ne``: True)."""
    cdef CompareTextContext ctx
    ctx.left = as_text(left)
    ctx.right = as_text(right)
    ctx.left_valid = as_bits(left_valid)
    ctx.right_valid = as_bits(right_valid)
    ctx.operation = COMPARE[operation]
    ctx.out = <uint8_t*>out
    return Task.make(c_compare_texts, &ctx, sizeof(ctx), keep)


cdef JoinTextContext joined(tuple sources, tuple valid, bytearray held):
    """The context of a join; ``held``, of the size of all sources, has to outlive it."""
    cdef JoinTextContext ctx
    cdef TextSource* into = <TextSource*><char*>held
    for nth, source in enumerate(sources):
        into[nth] = as_text(source)
    ctx.sources = into
    ctx.n_sources = len(sources)
    ctx.valid = as_bits(valid)
    ctx.sizes = NULL
    ctx.starts = NULL
    ctx.out_offsets = ctx.out_data = NULL
    return ctx


def join_text_sizes(
    tuple sources not None,   # IN
    tuple valid not None,     # IN: bits: rows that no source has a null in
    uintptr_t sizes,          # OUT: int64 per slice
    object keep,
):
    """Bytes of the joined rows of each slice."""
    held = bytearray(len(sources) * sizeof(TextSource))
    cdef JoinTextContext ctx = joined(sources, valid, held)
    ctx.sizes = <int64_t*>sizes
    return Task.make(c_join_text_sizes, &ctx, sizeof(ctx), (keep, held))


def join_text_copy(
    tuple sources not None,   # IN
    tuple valid not None,     # IN: bits: rows that no source has a null in
    tuple sink not None,      # OUT
    object keep,
):
    """Offsets and bytes of the joined rows."""
    held = bytearray(len(sources) * sizeof(TextSource))
    cdef JoinTextContext ctx = joined(sources, valid, held)
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(join_text_copy_kernel(sink[3]), &ctx, sizeof(ctx), (keep, held))


def digits_sizes(
    int physical,      # of integers
    view,              # IN
    uintptr_t sizes,   # OUT: int64 per slice
    object keep,
):
    """Bytes of the decimal digits (and signs) of the rows of each slice."""
    cdef DigitsContext ctx
    ctx.values = as_view(tuple(view))
    ctx.sizes = <int64_t*>sizes
    ctx.starts = NULL
    ctx.out_offsets = ctx.out_data = NULL
    return Task.make(digits_kernel(physical, False, False), &ctx, sizeof(ctx), keep)


def digits_copy(
    int physical,          # of integers
    view,                  # IN
    tuple sink not None,   # OUT
    object keep,
):
    """Offsets and digits of the rows."""
    cdef DigitsContext ctx
    ctx.values = as_view(tuple(view))
    ctx.sizes = NULL
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(digits_kernel(physical, True, sink[3]), &ctx, sizeof(ctx), keep)


def floats_sizes(
    int physical,         # of floats
    view,                 # IN
    uintptr_t decimals,   # OUT: DECIMAL_BYTES per row
    uintptr_t sizes,      # OUT: int64 per slice
    object keep,
):
    """Bytes of the shortest decimal texts of the rows of each slice."""
    cdef FloatTextContext ctx
    memset(&ctx, 0, sizeof(ctx))
    ctx.values = as_view(tuple(view))
    ctx.decimals, ctx.sizes = <ShortDecimal*>decimals, <int64_t*>sizes
    return Task.make(float_text_kernel(physical, False, False), &ctx, sizeof(ctx), keep)


def floats_copy(
    int physical,          # of floats
    view,                  # IN
    uintptr_t decimals,    # IN: of `floats_sizes`
    tuple sink not None,   # OUT
    uintptr_t validity,    # OUT: bits: rows that are neither null nor NaN
    object keep,
):
    """Offsets and texts of the rows."""
    cdef FloatTextContext ctx
    memset(&ctx, 0, sizeof(ctx))
    ctx.values = as_view(tuple(view))
    ctx.decimals, ctx.validity = <ShortDecimal*>decimals, <uint8_t*>validity
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets, ctx.out_data = <uint8_t*><uintptr_t>sink[1], <uint8_t*><uintptr_t>sink[2]
    return Task.make(float_text_kernel(physical, True, sink[3]), &ctx, sizeof(ctx), keep)


def parse_digits(
    int physical,           # of integers
    tuple source not None,  # IN
    tuple valid not None,   # IN: bits
    uintptr_t out,          # OUT: integers, 0 for nulls
    object keep,
):
    """Texts of a sign and 1 to 18 digits as integers that hold them.

    Statuses: INEXACT for any other text, which may be a number all the same.
    """
    cdef ParseContext ctx
    ctx.source = as_text(source)
    ctx.valid = as_bits(valid)
    ctx.out = <uint8_t*>out
    return Task.make(parse_kernel(physical, ctx.source.large), &ctx, sizeof(ctx), keep)
