# Bitmap operands for kernel modules; the meaning is in bitmap.hpp.
from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t


cdef extern from "bitmap.hpp" namespace "ff" nogil:
    cdef struct BitSource:
        const uint8_t* bits
        int64_t offset
        uint64_t constant


cdef inline BitSource as_bits(tuple operand):
    """``(address, bit_offset, constant)`` as the C struct; address 0 means that every bit is ``constant``."""
    cdef BitSource out
    out.bits = <const uint8_t*><uintptr_t>operand[0]
    out.offset = operand[1]
    out.constant = <uint64_t>-1 if operand[2] else 0
    return out
