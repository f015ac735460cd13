"""Tasks that turn raw scores into answers; see ``forest_links.hpp``. Addresses are ints."""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "forest_links.hpp" namespace "ff" nogil:
    cdef struct CLinks "ff::Links":
        const uint8_t* values
        uint8_t* out
        int64_t width
        double scale

    kernel_t link_kernel(int kind, int is_double)


KINDS = {
    "sigmoid_xgboost": 0, "sigmoid": 1, "exp": 2, "softplus": 3, "signed_square": 4, "step": 5,
    "softmax_xgboost": 6, "softmax": 7, "softmax_pairwise": 8, "normalize": 9, "normalize_pairwise": 10,
    "both_classes": 11, "largest": 12, "logit_xgboost": 13, "log": 14, "divide": 15,
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
