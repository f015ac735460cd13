"""Functions of plain text: see ``plain_text.hpp`` and ``shaped_text.hpp``. Sources and sinks are those of `text`."""

from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, kernel_t
from fastframe._kernels.text cimport TextSource, as_text

cdef extern from "plain_text.hpp" namespace "ff" nogil:
    cdef struct PlainTextContext:
        TextSource source
        BitSource valid
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out
        uint8_t* validity
        int64_t first
        const uint8_t* pattern
        int64_t n_pattern
        const uint8_t* given
        int64_t n_given
        int missing
        int ascii
    kernel_t plain_text_kernel(int phase, bint large, bint out_large)
    cdef enum:
        TEXT_IS_ASCII
        TEXT_LENGTHS
        TEXT_CONTAINS
        TEXT_BEGINS
        TEXT_ENDS
        TEXT_COUNTS
        TEXT_REPLACE_SIZES
        TEXT_REPLACE_COPY
        TEXT_PIECE_SIZES
        TEXT_PIECE_COPY
        TEXT_CASE

cdef extern from "shaped_text.hpp" namespace "ff" nogil:
    cdef struct ShapedTextContext:
        TextSource source
        BitSource valid
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out
        uint8_t* validity
        int64_t first
        int64_t last
        int64_t width
        const uint8_t* given
        int64_t n_given
        uint64_t stripped[2]
        int at_start
        int at_end
        int ascii
    kernel_t shaped_sizes_kernel(int rule, bint large)
    kernel_t shaped_copy_kernel(int rule, bint large, bint out_large)

CASES = ("upper", "lower", "swapcase", "title", "capitalize")   # in the order of Case
_RULES = {"part": 0, "strip": 1, "affix": 2, "padded": 3, "signed": 4}   # of TextRule


cdef PlainTextContext plain(tuple source, tuple valid):
    cdef PlainTextContext ctx
    memset(&ctx, 0, sizeof(ctx))
    ctx.source = as_text(source)
    ctx.valid = as_bits(valid)
    return ctx


def is_ascii(
    tuple source not None,   # IN
    uintptr_t found,         # OUT: int64 per slice: 1 where a byte is not ASCII
    object keep,
):
    """Whether all bytes of the rows of each slice are ASCII, those of nulls too."""
    cdef PlainTextContext ctx = plain(source, (0, 0, True))
    ctx.sizes = <int64_t*>found
    return Task.make(plain_text_kernel(TEXT_IS_ASCII, ctx.source.large, False), &ctx, sizeof(ctx), keep)


def lengths(
    tuple source not None,   # IN
    tuple valid not None,    # IN: bits
    uintptr_t out,           # OUT: int64, 0 for nulls
    object keep,
    *,
    bint ascii,              # whether all bytes are
):
    """Characters of each row."""
    cdef PlainTextContext ctx = plain(source, valid)
    ctx.ascii = ascii
    ctx.out = <uint8_t*>out
    return Task.make(plain_text_kernel(TEXT_LENGTHS, ctx.source.large, False), &ctx, sizeof(ctx), keep)


def change_case(
    tuple source not None,   # IN: ASCII
    tuple valid not None,    # IN: bits
    str case not None,       # of CASES
    tuple sink not None,     # OUT; sizes are those of `join_text_sizes`
    object keep,
):
    """Offsets and bytes of each row in another case."""
    cdef PlainTextContext ctx = plain(source, valid)
    into(&ctx, sink)
    return Task.make(plain_text_kernel(TEXT_CASE + <int>CASES.index(case), ctx.source.large, sink[3]), &ctx, sizeof(ctx), keep)


def affix(
    tuple source not None,   # IN: any text
    tuple valid not None,    # IN: bits
    bytes literal not None,
    uintptr_t out,           # OUT: bits
    object keep,
    *,
    bint at_end,             # else at the start
    bint missing,            # of nulls
):
    """Which rows begin or end with a literal."""
    cdef PlainTextContext ctx = plain(source, valid)
    ctx.pattern, ctx.n_pattern = <const uint8_t*><const char*>literal, len(literal)
    ctx.missing = missing
    ctx.out = <uint8_t*>out
    return Task.make(plain_text_kernel(TEXT_ENDS if at_end else TEXT_BEGINS, ctx.source.large, False), &ctx, sizeof(ctx), (keep, literal))


def counts(
    tuple source not None,   # IN: any text
    tuple valid not None,    # IN: bits
    bytes literal not None,  # 1 byte or more
    uintptr_t out,           # OUT: int64, 0 for nulls
    object keep,
):
    """How often a literal occurs in each row, without overlap."""
    cdef PlainTextContext ctx = searching(source, valid, literal)
    ctx.out = <uint8_t*>out
    return Task.make(plain_text_kernel(TEXT_COUNTS, ctx.source.large, False), &ctx, sizeof(ctx), (keep, literal))


def contains(
    tuple source not None,   # IN: any text
    tuple valid not None,    # IN: bits
    bytes literal not None,  # 1 byte or more
    uintptr_t out,           # OUT: bits
    object keep,
    *,
    bint missing,            # of nulls
):
    """Which rows have a literal in them."""
    cdef PlainTextContext ctx = searching(source, valid, literal)
    ctx.missing = missing
    ctx.out = <uint8_t*>out
    return Task.make(plain_text_kernel(TEXT_CONTAINS, ctx.source.large, False), &ctx, sizeof(ctx), (keep, literal))


def replace_sizes(
    tuple source not None,      # IN: any text
    tuple valid not None,       # IN: bits
    tuple replaced not None,    # two bytes: the literal, of 1 byte or more, and what replaces it
    uintptr_t sizes,            # OUT: int64 per slice
    object keep,
):
    """Bytes of each slice with all occurrences of a literal replaced."""
    cdef PlainTextContext ctx = replacing(source, valid, replaced)
    ctx.sizes = <int64_t*>sizes
    return Task.make(plain_text_kernel(TEXT_REPLACE_SIZES, ctx.source.large, False), &ctx, sizeof(ctx), (keep, replaced))


def replace_copy(
    tuple source not None,      # IN: any text
    tuple valid not None,       # IN: bits
    tuple replaced not None,    # two bytes: the literal, of 1 byte or more, and what replaces it
    tuple sink not None,        # OUT
    object keep,
):
    """Offsets and bytes of rows with all occurrences of a literal replaced."""
    cdef PlainTextContext ctx = replacing(source, valid, replaced)
    into(&ctx, sink)
    return Task.make(plain_text_kernel(TEXT_REPLACE_COPY, ctx.source.large, sink[3]), &ctx, sizeof(ctx), (keep, replaced))


def piece_sizes(
    tuple source not None,      # IN: any text
    tuple valid not None,       # IN: bits
    bytes literal not None,     # 1 byte or more
    int64_t number,             # of the piece, from 0 on
    uintptr_t sizes,            # OUT: int64 per slice
    object keep,
):
    """Bytes of one of the pieces between occurrences of a literal, by slice."""
    cdef PlainTextContext ctx = searching(source, valid, literal)
    ctx.first = number
    ctx.sizes = <int64_t*>sizes
    return Task.make(plain_text_kernel(TEXT_PIECE_SIZES, ctx.source.large, False), &ctx, sizeof(ctx), (keep, literal))


def piece_copy(
    tuple source not None,      # IN: any text
    tuple valid not None,       # IN: bits
    bytes literal not None,     # 1 byte or more
    int64_t number,             # of the piece, from 0 on
    tuple sink not None,        # OUT
    uintptr_t validity,         # OUT: bits: rows that have such a piece
    object keep,
):
    """Offsets and bytes of one of the pieces between occurrences of a literal."""
    cdef PlainTextContext ctx = searching(source, valid, literal)
    ctx.first = number
    ctx.validity = <uint8_t*>validity
    into(&ctx, sink)
    return Task.make(plain_text_kernel(TEXT_PIECE_COPY, ctx.source.large, sink[3]), &ctx, sizeof(ctx), (keep, literal))


cdef PlainTextContext searching(tuple source, tuple valid, bytes literal):
    """``literal`` has to outlive the context."""
    cdef PlainTextContext ctx = plain(source, valid)
    if not literal:
        raise ValueError("an empty literal is everywhere")
    ctx.pattern = <const uint8_t*><const char*>literal
    ctx.n_pattern = len(literal)
    return ctx


cdef PlainTextContext replacing(tuple source, tuple valid, tuple replaced):
    """``replaced`` has to outlive the context."""
    cdef PlainTextContext ctx = searching(source, valid, replaced[0])
    cdef bytes given = replaced[1]
    ctx.given = <const uint8_t*><const char*>given
    ctx.n_given = len(given)
    return ctx


cdef int into(PlainTextContext* ctx, tuple sink) except -1:
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out = <uint8_t*><uintptr_t>sink[2]
    return 0


cdef class TextShape:
    """What is made of each text: a part, or the text filled up.

    ``"part"`` takes characters ``first`` to ``last`` as a Python slice does; ``"strip"`` leaves out ``given``, characters of ASCII;
    ``"affix"`` a prefix or suffix ``given``; ``"padded"`` fills up to ``width`` characters with ``given``, one character, at the start,
    the end or both; ``"signed"`` behind a sign at the start. ``ascii``: all bytes are.
    """

    cdef int rule
    cdef int64_t first
    cdef int64_t last
    cdef int64_t width
    cdef bytes given
    cdef bint at_start
    cdef bint at_end
    cdef bint ascii

    def __init__(
        self, str rule not None, *, int64_t first=0, int64_t last=0, int64_t width=0, bytes given not None=b"", bint at_start=False,
        bint at_end=False, bint ascii=False,
    ):
        if rule in ("padded", "signed") and not given:
            raise ValueError("nothing to fill with")
        self.rule, self.first, self.last, self.width, self.given = _RULES[rule], first, last, width, given
        self.at_start, self.at_end, self.ascii = at_start, at_end, ascii


cdef ShapedTextContext shaped(tuple source, tuple valid, TextShape shape):
    """``shape`` has to outlive the context."""
    cdef ShapedTextContext ctx
    cdef unsigned char one
    memset(&ctx, 0, sizeof(ctx))
    ctx.source, ctx.valid = as_text(source), as_bits(valid)
    ctx.first, ctx.last, ctx.width = shape.first, shape.last, shape.width
    ctx.given, ctx.n_given = <const uint8_t*><const char*>shape.given, len(shape.given)
    ctx.at_start, ctx.at_end, ctx.ascii = shape.at_start, shape.at_end, shape.ascii
    if shape.rule == _RULES["strip"]:
        for one in shape.given:
            ctx.stripped[(one & 127) >> 6] |= <uint64_t>1 << (one & 63)
    return ctx


def shaped_sizes(
    tuple source not None,    # IN: any text
    tuple valid not None,     # IN: bits
    TextShape shape not None,
    uintptr_t sizes,          # OUT: int64 per slice
    object keep,
):
    """Bytes of shaped texts, by slice."""
    cdef ShapedTextContext ctx = shaped(source, valid, shape)
    ctx.sizes = <int64_t*>sizes
    return Task.make(shaped_sizes_kernel(shape.rule, ctx.source.large), &ctx, sizeof(ctx), (keep, shape))


def shaped_copy(
    tuple source not None,    # IN: any text
    tuple valid not None,     # IN: bits
    TextShape shape not None,
    tuple sink not None,      # OUT
    uintptr_t validity,       # OUT: bits: rows that are not empty; 0 where they may be
    object keep,
):
    """Offsets and bytes of shaped texts."""
    cdef ShapedTextContext ctx = shaped(source, valid, shape)
    ctx.starts, ctx.out_offsets, ctx.out = <const int64_t*><uintptr_t>sink[0], <uint8_t*><uintptr_t>sink[1], <uint8_t*><uintptr_t>sink[2]
    ctx.validity = <uint8_t*>validity
    return Task.make(shaped_copy_kernel(shape.rule, ctx.source.large, sink[3]), &ctx, sizeof(ctx), (keep, shape))
