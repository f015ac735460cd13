"""The task that gives every row its group's value; see ``spread.hpp``. Addresses are ints."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "spread.hpp" namespace "ff" nogil:
    cdef struct CSpread "ff::Spread":
        const uint8_t* codes
        int64_t n_groups
        uint32_t base
        const uint8_t* values
        const uint8_t* validity
        int64_t streams
        uint8_t* out_values
        uint8_t* out_validity

    kernel_t spread_kernel(int value_bytes, int code_bytes)


def spread(tuple codes, int64_t n_groups, tuple groups, tuple out, *, int value_bytes, bint streams, keep_alive):
    """Over rows: ``codes`` are ``(address, bytes, code 0)``, ``groups`` and ``out`` are ``(values, validity)``.

    The groups' validity is 0 where none is missing.
    """
    cdef CSpread ctx
    ctx.codes = <const uint8_t*><uintptr_t>codes[0]                # IN
    ctx.base = codes[2]
    ctx.n_groups = n_groups
    ctx.values = <const uint8_t*><uintptr_t>groups[0]              # IN
    ctx.validity = <const uint8_t*><uintptr_t>groups[1]            # IN
    ctx.streams = streams
    ctx.out_values = <uint8_t*><uintptr_t>out[0]                   # OUT
    ctx.out_validity = <uint8_t*><uintptr_t>out[1]                 # OUT
    return Task.make(spread_kernel(value_bytes, codes[1]), &ctx, sizeof(ctx), keep_alive)
