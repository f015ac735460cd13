"""Tasks over values that were brought together by group; see ``quantile.hpp`` and ``distinct.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "quantile.hpp" namespace "ff" nogil:
    cdef struct CQuantile "ff::Quantile":
        uint8_t* values
        const int32_t* starts
        double q
        int32_t interpolation
        int64_t unit
        uint8_t* out
        uint8_t* validity

    kernel_t quantile_kernel(int physical, int result)


def quantiles(int physical, int result, uintptr_t values, uintptr_t starts, *, double q, int interpolation, int64_t unit,
              uintptr_t out, uintptr_t validity, keep_alive):
    """Over groups: the quantile ``q`` of each group's values, which are reordered within their group."""
    cdef CQuantile ctx
    ctx.values = <uint8_t*>values              # IN OUT
    ctx.starts = <const int32_t*>starts        # IN
    ctx.q = q
    ctx.interpolation = interpolation
    ctx.unit = unit
    ctx.out = <uint8_t*>out                    # OUT
    ctx.validity = <uint8_t*>validity          # OUT
    return Task.make(quantile_kernel(physical, result), &ctx, sizeof(ctx), keep_alive)
