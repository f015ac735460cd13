"""Tasks that turn raw scores into answers; see ``forest_links.hpp``. Addresses are ints."""

from cpython.buffer cimport PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uintptr_t

import numpy as np

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "forest_links.hpp" namespace "ff" nogil:
    cdef struct CLinks "ff::Links":
        const uint8_t* values
        uint8_t* out
        int64_t width
        double scale

    kernel_t link_kernel(int kind, int is_double)

_empty = np.empty


KINDS = {
    "sigmoid_xgboost": 0, "sigmoid": 1, "exp": 2, "softplus": 3, "signed_square": 4, "step": 5,
    "softmax_xgboost": 6, "softmax": 7, "softmax_pairwise": 8, "normalize": 9, "normalize_pairwise": 10,
    "both_classes": 11, "largest": 12, "logit_xgboost": 13, "log": 14, "divide": 15, "above": 16, "at_least": 17, "below": 18,
    "exp_wide": 19, "clipped_share": 20,
}


def has_link(str kind, *, bint is_double):
    """Whether a link is defined for float64 (float32) values."""
    return kind in KINDS and link_kernel(KINDS[kind], is_double) != NULL


def link(uintptr_t values, uintptr_t out, str kind, *, int64_t width, bint is_double, double scale, keep_alive):
    """Over rows; the caller has asked `has_link`, and gives ``width`` of at least 1."""
    cdef CLinks ctx
    ctx.values = <const uint8_t*>values   # IN
    ctx.out = <uint8_t*>out               # OUT
    ctx.width = width
    ctx.scale = scale
    return Task.make(link_kernel(KINDS[kind], is_double), &ctx, sizeof(ctx), keep_alive)


def link_few(values, tuple shape, dtype, str kind, *, bint is_double, double scale):
    """The answer, of ``shape`` and ``dtype``, for a few rows, by the calling thread at once; as `link` otherwise.

    ``values``: C-ordered, ``(n_rows, width)`` floats or doubles as ``is_double`` says.
    """
    cdef CLinks ctx
    cdef Py_buffer source, target
    out = _empty(shape, dtype)
    PyObject_GetBuffer(values, &source, PyBUF_ND)
    try:
        assert source.ndim == 2 and source.itemsize == (8 if is_double else 4) and source.shape[0] == shape[0]
        PyObject_GetBuffer(out, &target, PyBUF_ND | PyBUF_WRITABLE)
        ctx.values = <const uint8_t*>source.buf   # IN
        ctx.out = <uint8_t*>target.buf            # OUT
        ctx.width = source.shape[1]
        ctx.scale = scale
        link_kernel(KINDS[kind], is_double)(&ctx, 0, source.shape[0], 0)
        PyBuffer_Release(&target)
    finally:
        PyBuffer_Release(&source)
    return out
