"""Bitmap kernels: logic, counts, bytes to bits and back, which floats are missing.

An operand is ``(address, bit_offset, constant)``; address 0 stands for ``constant`` everywhere. Results start at bit 0;
the caller allocates them and keeps them alive, as it does with inputs, through ``keep``. Bits past the last row are 0.
"""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t

cdef extern from "bitmap.hpp" namespace "ff" nogil:
    cdef struct CombineContext:
        BitSource first
        BitSource second
        BitSource third
        uint8_t* out
    cdef struct CountContext:
        BitSource first
        BitSource second
        int64_t* counts
    cdef struct PackBitsContext:
        const uint8_t* bytes
        uint8_t* out
    cdef struct UnpackContext:
        BitSource bits
        uint8_t* out
    cdef struct MissingContext:
        View column
        uint8_t* out
    kernel_t combine_kernel(int op)
    kernel_t missing_kernel(int physical, bint has_nulls)
    int c_count_bits "ff::count_bits"(void*, int64_t, int64_t, int64_t)
    int c_pack_bytes "ff::pack_bytes"(void*, int64_t, int64_t, int64_t)
    int c_unpack_bits "ff::unpack_bits"(void*, int64_t, int64_t, int64_t)

EVERYWHERE = (0, 0, True)
NOWHERE = (0, 0, False)
_OPS = {"copy": 0, "not": 1, "and": 2, "or": 3, "xor": 4, "and_not": 5, "select": 6}
# As in arithmetic.pyx.
cdef CombineContext a_combination
COMBINE_PLACES = {
    "size": sizeof(CombineContext),
    "first": <uintptr_t>&a_combination.first - <uintptr_t>&a_combination,
    "second": <uintptr_t>&a_combination.second - <uintptr_t>&a_combination,
    "third": <uintptr_t>&a_combination.third - <uintptr_t>&a_combination,
    "out": <uintptr_t>&a_combination.out - <uintptr_t>&a_combination,
}


def combine_bits(
    str op not None,      # IN: copy, not, and, or, xor, and_not, select (first ? second : third)
    tuple operands not None,   # IN: as many as the operation has
    uintptr_t out,        # OUT: bits
    object keep,
):
    """Bitwise ``op`` of one to three operands."""
    cdef CombineContext ctx
    cdef tuple filled = (operands + (NOWHERE, NOWHERE))[:3]
    ctx.first = as_bits(filled[0])
    ctx.second = as_bits(filled[1])
    ctx.third = as_bits(filled[2])
    ctx.out = <uint8_t*>out
    return Task.make(combine_kernel(_OPS[op]), &ctx, sizeof(ctx), keep)


def count_bits(
    tuple first not None,    # IN
    tuple second not None,   # IN
    uintptr_t counts,        # OUT: int64 per slice
    object keep,
):
    """Per slice, how many bits are set in both operands."""
    cdef CountContext ctx
    ctx.first = as_bits(first)
    ctx.second = as_bits(second)
    ctx.counts = <int64_t*>counts
    return Task.make(c_count_bits, &ctx, sizeof(ctx), keep)


def pack_bytes(
    uintptr_t values,   # IN: bytes
    uintptr_t out,      # OUT: bits
    object keep,
):
    """Bits from bytes: any byte but 0 is 1."""
    cdef PackBitsContext ctx
    ctx.bytes = <const uint8_t*>values
    ctx.out = <uint8_t*>out
    return Task.make(c_pack_bytes, &ctx, sizeof(ctx), keep)


def unpack_bits(
    tuple bits not None,   # IN
    uintptr_t out,         # OUT: bytes
    object keep,
):
    """Bytes 0 and 1 from bits."""
    cdef UnpackContext ctx
    ctx.bits = as_bits(bits)
    ctx.out = <uint8_t*>out
    return Task.make(c_unpack_bits, &ctx, sizeof(ctx), keep)


def missing_floats(
    int physical,          # IN: Physical.F32 or F64
    tuple view not None,   # IN: Column.view
    uintptr_t out,         # OUT: bits
    object keep,
):
    """Bits that are 1 where a float is null or NaN."""
    cdef MissingContext ctx
    ctx.column = as_view(view)
    ctx.out = <uint8_t*>out
    return Task.make(missing_kernel(physical, ctx.column.validity != NULL), &ctx, sizeof(ctx), keep)
