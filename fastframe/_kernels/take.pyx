"""Gather kernels: values, bits and codes by int32 row numbers, where -1 means no row.

Nothing here checks bounds but `row_bounds`, which the caller runs once per table.
"""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t

cdef extern from "take.hpp" namespace "ff" nogil:
    cdef struct BoundsContext:
        const row_t* rows
        row_t* lowest
        row_t* highest
    cdef struct TakeContext:
        const uint8_t* values
        const row_t* rows
        uint8_t* out
    cdef struct TakeBitsContext:
        const uint8_t* bits
        int64_t bit_offset
        const row_t* rows
        uint8_t* out
    cdef struct PresentContext:
        const row_t* rows
        uint8_t* out
    cdef struct CodeRowsContext:
        View codes
        row_t* out
    kernel_t take_kernel(int width, bint missing, bint prefetch)
    kernel_t take_bits_kernel(bint missing)
    int c_row_bounds "ff::row_bounds"(void*, int64_t, int64_t, int64_t)
    int c_present_rows "ff::present_rows"(void*, int64_t, int64_t, int64_t)
    int c_code_rows "ff::code_rows"(void*, int64_t, int64_t, int64_t)


def row_bounds(
    uintptr_t rows,      # IN: int32
    uintptr_t lowest,    # OUT: int32 per slice
    uintptr_t highest,   # OUT: int32 per slice
    object keep,
):
    """The lowest and the highest row number of each slice."""
    cdef BoundsContext ctx
    ctx.rows = <const row_t*>rows
    ctx.lowest = <row_t*>lowest
    ctx.highest = <row_t*>highest
    return Task.make(c_row_bounds, &ctx, sizeof(ctx), keep)


def take_values(
    int width,          # IN: bytes of one value: 1, 2, 4, 8 or 16
    uintptr_t values,   # IN: of the source, at its row 0
    uintptr_t rows,     # IN: int32
    uintptr_t out,      # OUT: one value per row
    object keep,
    *,
    bint missing,       # whether a row may be -1 (the source then has a row)
    bint prefetch,      # whether the source is larger than a cache
):
    """``out[row] = values[rows[row]]``, 0 where there is no row."""
    cdef TakeContext ctx
    ctx.values = <const uint8_t*>values
    ctx.rows = <const row_t*>rows
    ctx.out = <uint8_t*>out
    return Task.make(take_kernel(width, missing, prefetch), &ctx, sizeof(ctx), keep)


def take_bits(
    uintptr_t bits,       # IN: of the source
    int64_t bit_offset,   # IN
    uintptr_t rows,       # IN: int32
    uintptr_t out,        # OUT: bits
    object keep,
    *,
    bint missing,
):
    """Like `take_values`, of bits."""
    cdef TakeBitsContext ctx
    ctx.bits = <const uint8_t*>bits
    ctx.bit_offset = bit_offset
    ctx.rows = <const row_t*>rows
    ctx.out = <uint8_t*>out
    return Task.make(take_bits_kernel(missing), &ctx, sizeof(ctx), keep)


def present_rows(
    uintptr_t rows,   # IN: int32
    uintptr_t out,    # OUT: bits
    object keep,
):
    """Bits that are 1 where there is a row."""
    cdef PresentContext ctx
    ctx.rows = <const row_t*>rows
    ctx.out = <uint8_t*>out
    return Task.make(c_present_rows, &ctx, sizeof(ctx), keep)


def code_rows(
    tuple codes not None,   # IN: view of int32 codes
    uintptr_t out,          # OUT: int32
    object keep,
):
    """The codes as row numbers of their dictionary: -1 where null."""
    cdef CodeRowsContext ctx
    ctx.codes = as_view(codes)
    ctx.out = <row_t*>out
    return Task.make(c_code_rows, &ctx, sizeof(ctx), keep)
