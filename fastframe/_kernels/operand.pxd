# The operands of elementwise kernels; the meaning is in operand.hpp.
from libc.stdint cimport int64_t, uint8_t

from fastframe._kernels.kernel cimport View, as_view


cdef extern from "operand.hpp" namespace "ff" nogil:
    ctypedef void (*convert_t)(const View& values, int64_t start, int count, uint8_t* out)

    cdef struct Operand:
        View values
        convert_t convert
        int scalar

    convert_t converter(int source, int target)
    convert_t gatherer(int value_bytes, int code_bytes)


cdef inline Operand as_operand(tuple given, int physical) except *:
    """``(view, physical, scalar)`` as the C struct, to be read as values of type ``physical``."""
    cdef Operand out
    out.values = as_view(tuple(given[0]))
    out.convert = converter(given[1], physical)
    out.scalar = given[2]
    if out.convert == NULL and <int>given[1] != physical:
        raise TypeError(f"values of physical type {given[1]} cannot be read as {physical}; resolve() must refuse this")
    return out
