"""Conversions between numeric types (and bool)."""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "cast.hpp" namespace "ff" nogil:
    cdef struct CastContext:
        View values
        uint8_t* out
        uint8_t* validity
        int64_t* bad_rows
        int64_t streams

    kernel_t cast_kernel(int source, int target, bint checked)

# As in arithmetic.pyx.
cdef CastContext a_cast
CAST_PLACES = {
    "size": sizeof(CastContext),
    "operand": <uintptr_t>&a_cast.values - <uintptr_t>&a_cast,
    "out": <uintptr_t>&a_cast.out - <uintptr_t>&a_cast,
    "validity": <uintptr_t>&a_cast.validity - <uintptr_t>&a_cast,
    "streams": <uintptr_t>&a_cast.streams - <uintptr_t>&a_cast,
}


def cast(
    view, int source, int target, uintptr_t out, uintptr_t validity, uintptr_t bad_rows, *, bint checked, bint streams=False, keep_alive
):
    """The task that converts values of physical type ``source`` to ``target``.

    Parameters
    ----------
    view : tuple
        IN values.
    out : address
        OUT values of type ``target`` (bits for bool).
    validity : address
        OUT bits; needed from a float to a type without NaN, where NaN becomes null. Else 0: the validity is the input's.
    bad_rows : address
        OUT one int64 per slice, written by a slice that fails: the first row that does not fit.
    streams : bool
        Write numbers past the caches; ``out`` is then aligned to a line.

    Statuses: INEXACT where ``checked`` and a value does not fit.
    """
    cdef CastContext ctx
    ctx.values = as_view(tuple(view))
    ctx.out = <uint8_t*>out
    ctx.validity = <uint8_t*>validity
    ctx.bad_rows = <int64_t*>bad_rows
    ctx.streams = streams
    return Task.make(cast_kernel(source, target, checked), &ctx, sizeof(ctx), keep_alive)
