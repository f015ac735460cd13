# Declarations that every kernel module cimports; the meaning is in kernel.hpp.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "kernel.hpp" namespace "ff" nogil:
    ctypedef uint32_t code_t
    ctypedef int32_t row_t

    cdef struct View:
        const uint8_t* values
        const uint8_t* validity
        int64_t bit_offset
        int64_t length


cdef inline View as_view(tuple view):
    """``(values, validity, bit_offset, length)`` of `Column.view`, addresses as ints, as the C struct."""
    cdef View out
    out.values = <const uint8_t*><uintptr_t>view[0]
    out.validity = <const uint8_t*><uintptr_t>view[1]
    out.bit_offset = view[2]
    out.length = view[3]
    return out
