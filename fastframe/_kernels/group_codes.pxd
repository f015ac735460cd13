# Declarations of group_codes.hpp for the kernel modules that read codes of any width.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uintptr_t


cdef extern from "group_codes.hpp" namespace "ff" nogil:
    cdef struct GroupCodes:
        const uint8_t* values
        int64_t width
        uint32_t base


cdef inline GroupCodes as_codes(tuple codes):
    """``(address, bytes of a code, code 0)``, address 0 where all rows are of group 0, as the C struct."""
    cdef GroupCodes out
    address, width, base = codes
    out.values = <const uint8_t*><uintptr_t>address
    out.width = width
    out.base = base
    return out
