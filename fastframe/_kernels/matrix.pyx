"""Columns as those of a matrix: see ``matrix.hpp``."""

from libc.stdint cimport uint8_t, uintptr_t

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t

cdef extern from "matrix.hpp" namespace "ff" nogil:
    cdef struct MatrixContext:
        View values
        uint8_t* out
        int streams
    kernel_t matrix_kernel(int physical, bint is_double)


def matrix_column(
    int physical,      # of numbers or bools
    view,              # IN
    uintptr_t out,     # OUT: double or float, NaN for nulls
    object keep,
    *,
    bint is_double,
    bint streams,      # whether it goes past the caches
):
    """The values as floats."""
    cdef MatrixContext ctx
    cdef kernel_t kernel = matrix_kernel(physical, is_double)
    if kernel == NULL:
        raise TypeError(f"values of physical type {physical} are no numbers")
    ctx.values = as_view(tuple(view))
    ctx.out = <uint8_t*>out
    ctx.streams = streams
    return Task.make(kernel, &ctx, sizeof(ctx), keep)
