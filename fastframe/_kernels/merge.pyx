"""Kernels from several inputs to one output: concatenation, a choice per row, one value everywhere.

``pieces`` is the address of an int64 array of shape (n_pieces + 1, 6), see ``Piece`` in merge.hpp.
"""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, kernel_t

cdef extern from "merge.hpp" namespace "ff" nogil:
    cdef struct Piece:
        pass
    cdef struct ConcatContext:
        const Piece* pieces
        int64_t n_pieces
        uint8_t* out
    cdef struct ChooseContext:
        BitSource mask
        const uint8_t* yes
        const uint8_t* no
        uint8_t* out
        int64_t streams
    cdef struct FillContext:
        const uint8_t* value
        uint8_t* out
    kernel_t concat_kernel(int width)
    kernel_t concat_bits_kernel(bint validity)
    kernel_t concat_offsets_kernel(bint out_large)
    kernel_t choose_kernel(int width, bint yes_constant, bint no_constant)
    kernel_t fill_kernel(int width)

# As in arithmetic.pyx.
cdef ChooseContext a_choice
CHOOSE_PLACES = {
    "size": sizeof(ChooseContext),
    "mask": <uintptr_t>&a_choice.mask - <uintptr_t>&a_choice,
    "yes": <uintptr_t>&a_choice.yes - <uintptr_t>&a_choice,
    "no": <uintptr_t>&a_choice.no - <uintptr_t>&a_choice,
    "out": <uintptr_t>&a_choice.out - <uintptr_t>&a_choice,
    "streams": <uintptr_t>&a_choice.streams - <uintptr_t>&a_choice,
}


cdef object concat_task(kernel_t kernel, uintptr_t pieces, int64_t n_pieces, uintptr_t out, object keep):
    cdef ConcatContext ctx
    ctx.pieces = <const Piece*>pieces
    ctx.n_pieces = n_pieces
    ctx.out = <uint8_t*>out
    return Task.make(kernel, &ctx, sizeof(ctx), keep)


def concat_values(
    int width,          # IN: bytes of one value: 1, 2, 4, 8 or 16
    tuple pieces not None,   # IN: (address, n_pieces)
    uintptr_t out,      # OUT
    object keep,
):
    """The values of all pieces, zeros for pieces without values."""
    return concat_task(concat_kernel(width), pieces[0], pieces[1], out, keep)


def concat_bits(
    tuple pieces not None,   # IN: (address, n_pieces)
    uintptr_t out,           # OUT: bits
    object keep,
    *,
    bint validity,           # validity bits rather than bool values
):
    """The bits of all pieces."""
    return concat_task(concat_bits_kernel(validity), pieces[0], pieces[1], out, keep)


def concat_offsets(
    tuple pieces not None,   # IN: (address, n_pieces); values are offsets
    uintptr_t out,           # OUT: offsets from entry 1 on
    object keep,
    *,
    bint large,              # int64 offsets out
):
    """The end offsets of all rows of all pieces."""
    return concat_task(concat_offsets_kernel(large), pieces[0], pieces[1], out, keep)


def choose_values(
    int width,             # IN: bytes of one value: 1, 2, 4, 8 or 16
    tuple mask not None,   # IN: bits
    tuple yes not None,    # IN: (address of values at row 0, whether row 0 stands for all)
    tuple no not None,     # IN: likewise
    uintptr_t out,         # OUT
    object keep,
    *,
    bint streams=False,    # whether it goes past the caches
):
    """``yes`` where the mask is 1, else ``no``."""
    cdef ChooseContext ctx
    ctx.mask = as_bits(mask)
    ctx.yes = <const uint8_t*><uintptr_t>yes[0]
    ctx.no = <const uint8_t*><uintptr_t>no[0]
    ctx.out = <uint8_t*>out
    ctx.streams = streams
    return Task.make(choose_kernel(width, yes[1], no[1]), &ctx, sizeof(ctx), keep)


def fill_values(
    int width,         # IN: bytes of one value: 1, 2, 4, 8 or 16
    uintptr_t value,   # IN: one value
    uintptr_t out,     # OUT
    object keep,
):
    """One value in every row."""
    cdef FillContext ctx
    ctx.value = <const uint8_t*>value
    ctx.out = <uint8_t*>out
    return Task.make(fill_kernel(width), &ctx, sizeof(ctx), keep)
