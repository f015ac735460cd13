# What modules that walk windows cimport; the meaning is in window_bounds.hpp.
from libc.stdint cimport int32_t, int64_t, uintptr_t


cdef extern from "window_bounds.hpp" namespace "ff" nogil:
    cdef struct WindowBounds:
        const int32_t* segments
        int64_t n_segments
        int64_t n_positions
        int64_t before
        int64_t after
        const int32_t* begin
        const int32_t* end


cdef inline WindowBounds as_bounds(tuple bounds):
    """``(segments, n_segments, n_positions, before, after, begin, end)``, addresses as ints, as the C struct."""
    cdef WindowBounds out
    out.segments = <const int32_t*><uintptr_t>bounds[0]
    out.n_segments = bounds[1]
    out.n_positions = bounds[2]
    out.before = bounds[3]
    out.after = bounds[4]
    out.begin = <const int32_t*><uintptr_t>bounds[5]
    out.end = <const int32_t*><uintptr_t>bounds[6]
    return out
