"""Quantiles of one large group by brackets; see ``brackets.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "brackets.hpp" namespace "ff" nogil:
    cdef struct BracketCounts:
        int64_t present

    cdef struct CBrackets "ff::Brackets":
        View view
        const double* shares
        int64_t n_brackets
        int32_t drawn_bits
        double margin
        uint8_t* bounds
        uint8_t* sample
        uint8_t* values
        int64_t room
        BracketCounts* counts
        int32_t interpolation
        int64_t unit
        uint8_t* out
        uint8_t* found

    int DRAW, FILL, SELECT
    int SAMPLE_PADDING "ff::PADDING"
    kernel_t bracket_kernel(int physical, int result, int step)

COUNTS_BYTES = sizeof(BracketCounts)
PADDING = SAMPLE_PADDING   # values of room behind those of a sample, and behind those of each bracket


def tasks(int physical, int result, view, *, uintptr_t shares, int64_t n_shares, int drawn_bits, double margin, uintptr_t bounds,
          uintptr_t sample, uintptr_t values, int64_t room, uintptr_t counts, int interpolation, int64_t unit, uintptr_t out,
          uintptr_t found, keep_alive):
    """Three tasks: the bounds of all brackets (one slice), the pass over rows, and the selection (over shares).

    Parameters
    ----------
    shares : address
        IN doubles, 0 to 1.
    bounds, sample : address
        Room for two values per share; for ``2**drawn_bits + PADDING`` values.
    values : address
        Room for ``room`` values per share, one share after the other.
    counts : address
        IN OUT zeros, ``COUNTS_BYTES`` per share.
    out, found : address
        OUT results; a byte per share: 0 not found, 1 found, 2 there is no value.
    """
    cdef CBrackets ctx
    ctx.view = as_view(tuple(view))
    ctx.shares, ctx.n_brackets = <const double*>shares, n_shares
    ctx.drawn_bits, ctx.margin = drawn_bits, margin
    ctx.bounds, ctx.sample = <uint8_t*>bounds, <uint8_t*>sample
    ctx.values, ctx.room = <uint8_t*>values, room
    ctx.counts = <BracketCounts*>counts
    ctx.interpolation, ctx.unit = interpolation, unit
    ctx.out, ctx.found = <uint8_t*>out, <uint8_t*>found
    return [Task.make(bracket_kernel(physical, result, step), &ctx, sizeof(ctx), keep_alive) for step in (DRAW, FILL, SELECT)]
