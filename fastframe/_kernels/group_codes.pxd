# Declarations of group_codes.hpp for the kernel modules that read codes of any width.
from libc.stdint cimport int64_t, uint8_t, uintptr_t


cdef extern from "group_codes.hpp" namespace "ff" nogil:
    cdef struct GroupCodes:
        const uint8_t* values
        int64_t width


cdef inline GroupCodes as_codes(tuple codes):
    """``(address, bytes of a code)``, address 0 where all rows are of group 0, as the C struct."""
    cdef GroupCodes out
    out.values = <const uint8_t*><uintptr_t>codes[0]
    out.width = codes[1]
    return out
