"""Tasks that run a forest's front end over a whole batch; see ``forest_planes.hpp``. Addresses are ints."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "forest_planes.hpp" namespace "ff" nogil:
    cdef struct CFrontStep "ff::FrontStep":
        pass
    cdef struct CFrontColumn "ff::FrontColumn":
        pass
    cdef struct CFrontInput "ff::FrontInput":
        pass
    cdef struct CFrontPlane "ff::FrontPlane":
        pass
    cdef struct CFront "ff::Front":
        pass
    cdef struct CFrontTask "ff::FrontTask":
        const CFront* front
        const CFrontColumn* columns
        uint8_t* out

    const int RANK_PADDING
    bint wide_ranks()
    kernel_t fill_kernel(int form)
    int64_t n_planes_of(const CFront* front)


SIZES = {
    "column": sizeof(CFrontColumn), "step": sizeof(CFrontStep), "input": sizeof(CFrontInput),
    "plane": sizeof(CFrontPlane), "front": sizeof(CFront),
}
PADDING = RANK_PADDING   # of thresholds
WIDE = bool(wide_ranks())   # whether inputs may be packed as `wide`


def fill(int form, uintptr_t front, uintptr_t columns, uintptr_t out, *, keep_alive):
    """Over rows: codes or values of all planes. ``form``: 0 u8 tiles, 1 u16 rows, 2 float32 rows, 3 float64 rows."""
    cdef CFrontTask ctx
    ctx.front = <const CFront*>front                  # IN
    ctx.columns = <const CFrontColumn*>columns        # IN
    ctx.out = <uint8_t*>out                           # OUT
    return Task.make(fill_kernel(form), &ctx, sizeof(ctx), keep_alive)


def fill_few(int form, uintptr_t front, uintptr_t columns, out, int64_t n_rows):
    """As `fill` of float32 or float64 rows, by the calling thread at once; ``out``: contiguous, of at least ``n_rows`` rows of values."""
    cdef CFrontTask ctx
    cdef Py_buffer memory
    assert form == 2 or form == 3
    PyObject_GetBuffer(out, &memory, PyBUF_SIMPLE | PyBUF_WRITABLE)
    try:
        assert memory.len >= n_rows * n_planes_of(<const CFront*>front) * (4 if form == 2 else 8)
        ctx.front = <const CFront*>front                  # IN
        ctx.columns = <const CFrontColumn*>columns        # IN
        ctx.out = <uint8_t*>memory.buf                    # OUT
        fill_kernel(form)(&ctx, 0, n_rows, 0)
    finally:
        PyBuffer_Release(&memory)
