"""Task of quantiles over values that were brought together by group; see ``quantile.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "quantile.hpp" namespace "ff" nogil:
    cdef struct CQuantile "ff::Quantile":
        uint8_t* values
        const int32_t* starts
        const double* shares
        int64_t n_shares
        int32_t interpolation
        int64_t unit
        uint8_t** out
        uint8_t** validity
        const uint8_t* codes
        int64_t n_groups
        int32_t shift

    kernel_t quantile_kernel(int physical, int result, bint partitions)


def quantiles(int physical, int result, uintptr_t values, uintptr_t starts, *, uintptr_t codes, int64_t n_groups, int shift,
              uintptr_t shares, int64_t n_shares, int interpolation, int64_t unit, uintptr_t out, uintptr_t validity, keep_alive):
    """Over groups: quantiles of each group's values, which may be reordered within their group.

    With ``codes``, over partitions of ``2**shift`` groups: values and starts are those of partitions.
    ``out`` and ``validity`` are addresses of arrays of addresses, one for each of ``shares``.
    """
    cdef CQuantile ctx
    ctx.values = <uint8_t*>values              # IN OUT
    ctx.starts = <const int32_t*>starts        # IN
    ctx.shares = <const double*>shares         # IN
    ctx.n_shares = n_shares
    ctx.interpolation = interpolation
    ctx.unit = unit
    ctx.out = <uint8_t**>out                   # OUT
    ctx.validity = <uint8_t**>validity         # OUT
    ctx.codes = <const uint8_t*>codes          # IN
    ctx.n_groups = n_groups
    ctx.shift = shift
    return Task.make(quantile_kernel(physical, result, codes != 0), &ctx, sizeof(ctx), keep_alive)
