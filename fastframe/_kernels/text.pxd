# Text operands for kernel modules; the meaning is in text.hpp.
from libc.stdint cimport int64_t, uint8_t, uintptr_t


cdef extern from "text.hpp" namespace "ff" nogil:
    cdef struct TextSource:
        const uint8_t* offsets
        const uint8_t* data
        int64_t end
        int large
        int constant


cdef inline TextSource as_text(tuple source):
    """``(offsets, data, end, large, constant)`` as the C struct."""
    cdef TextSource out
    out.offsets = <const uint8_t*><uintptr_t>source[0]
    out.data = <const uint8_t*><uintptr_t>source[1]
    out.end = source[2]
    out.large = source[3]
    out.constant = source[4]
    return out
