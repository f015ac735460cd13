"""Looking at other rows: presence, shifts, fills, lag row maps, differences; see ``window.hpp`` and ``fill.hpp``."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memcpy, memset

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t


cdef extern from "window.hpp" namespace "ff" nogil:
    struct Presence:
        View values
        GroupCodes codes
        uint8_t* validity

    struct Dropped:
        GroupCodes codes
        int64_t width
        int byte
        uint8_t* out

    struct LagRows:
        const uint8_t* rows
        const int32_t* offsets
        int64_t n_groups
        int64_t periods
        row_t outside
        uint8_t* out

    struct GroupNumbers:
        GroupCodes codes
        int64_t last
        uint8_t* out
        uint8_t* validity

    struct Shift:
        View values
        int64_t width
        int64_t periods
        uint8_t[16] fill
        bint fill_valid
        uint8_t* out
        uint8_t* validity

    struct Change:
        View values
        const uint8_t* rows
        int64_t periods
        uint8_t* out
        uint8_t* validity

    kernel_t presence_kernel(int physical)
    kernel_t difference_kernel(int physical)
    kernel_t relative_kernel(int physical)
    int c_clear_dropped "ff::clear_dropped"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_lag_rows "ff::lag_rows"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_group_numbers "ff::group_numbers"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_shift "ff::shift"(void* ctx, int64_t start, int64_t stop, int64_t slice)

cdef extern from "fill.hpp" namespace "ff" nogil:
    struct FillColumn:
        View values
        int64_t limit
        uint8_t[16] value
        int64_t* edges
        uint8_t* out
        uint8_t* validity
        int streams

    kernel_t fill_kernel(int physical, int64_t width, int phase, bint backward)
    cdef enum:
        FILL_EDGES
        FILL_ROWS
        FILL_VALUE


def presence(int physical, values, tuple codes, uintptr_t validity, keep):
    """Over rows: bits of the rows that are neither null nor NaN and, where ``codes`` have an address, in a group."""
    cdef Presence ctx
    ctx.values = as_view(tuple(values))                        # IN
    ctx.codes = as_codes(codes)                        # IN
    ctx.validity = <uint8_t*>validity                   # OUT
    return Task.make(presence_kernel(physical), &ctx, sizeof(ctx), keep)


def clear_dropped(tuple codes, uintptr_t out, *, int64_t width, int byte, keep):
    """Over rows: fill the values of rows outside any group with ``byte``."""
    cdef Dropped ctx
    ctx.codes = as_codes(codes)                        # IN
    ctx.width = width
    ctx.byte = byte
    ctx.out = <uint8_t*>out                             # OUT
    return Task.make(<kernel_t>c_clear_dropped, &ctx, sizeof(ctx), keep)


def lag_rows(
    uintptr_t rows, uintptr_t offsets, uintptr_t out, *, int64_t n_groups, int64_t periods, row_t outside, keep
):
    """Over positions of rows in group order: the row ``periods`` before in the same group, else ``outside``."""
    cdef LagRows ctx
    ctx.rows = <const uint8_t*>rows                     # IN
    ctx.offsets = <const int32_t*>offsets               # IN
    ctx.n_groups = n_groups
    ctx.periods = periods
    ctx.outside = outside
    ctx.out = <uint8_t*>out                             # OUT
    return Task.make(<kernel_t>c_lag_rows, &ctx, sizeof(ctx), keep)


def group_numbers(tuple codes, uintptr_t out, uintptr_t validity, *, int64_t last, keep):
    """Over rows: the group's number, counted down from ``last`` where that is not -1."""
    cdef GroupNumbers ctx
    ctx.codes = as_codes(codes)                        # IN
    ctx.last = last
    ctx.out = <uint8_t*>out                             # OUT
    ctx.validity = <uint8_t*>validity                   # OUT
    return Task.make(<kernel_t>c_group_numbers, &ctx, sizeof(ctx), keep)


def shift(values, uintptr_t out, uintptr_t validity, *, int64_t width, int64_t periods, bytes fill=None, keep):
    """Over rows: values of ``width`` bytes (0: bits) moved by ``periods``, at most the length; None fills with null."""
    cdef Shift ctx
    ctx.values = as_view(tuple(values))                        # IN
    ctx.width = width
    ctx.periods = periods
    memset(ctx.fill, 0, 16)
    ctx.fill_valid = fill is not None
    if fill is not None:
        memcpy(ctx.fill, <const char*>fill, min(16, len(fill)))
    ctx.out = <uint8_t*>out                             # OUT
    ctx.validity = <uint8_t*>validity                   # OUT
    return Task.make(<kernel_t>c_shift, &ctx, sizeof(ctx), keep)


def fill_edges(int physical, values, uintptr_t edges, *, int64_t width, bint backward, keep):
    """Over rows: the last (``backward``: first) row of each slice that is neither null nor NaN, -1 for none."""
    cdef FillColumn ctx
    ctx.values = as_view(tuple(values))                 # IN
    ctx.limit = 0
    ctx.edges = <int64_t*>edges                         # OUT: per slice
    ctx.out = ctx.validity = NULL
    return Task.make(fill_kernel(physical, width, FILL_EDGES, backward), &ctx, sizeof(ctx), keep)


def fill_rows(
    int physical, values, uintptr_t edges, uintptr_t out, uintptr_t validity, *,
    int64_t width, int64_t limit, bint backward, keep
):
    """Over rows: values of ``width`` bytes, missing ones from the last (next) row that is there, at most ``limit`` away."""
    cdef FillColumn ctx
    ctx.values = as_view(tuple(values))                 # IN
    ctx.limit = limit
    ctx.edges = <int64_t*>edges                         # IN: per slice, the last (first) present row before (after) it
    ctx.out = <uint8_t*>out                             # OUT
    ctx.validity = <uint8_t*>validity                   # OUT
    return Task.make(fill_kernel(physical, width, FILL_ROWS, backward), &ctx, sizeof(ctx), keep)


def fill_value(int physical, values, uintptr_t out, *, int64_t width, bytes value not None, bint streams, keep):
    """Over rows: values of ``width`` bytes, with ``value`` where one is null or NaN; ``streams``: past the caches."""
    cdef FillColumn ctx
    if len(value) != width or width > 16:
        raise ValueError(f"a value of {len(value)} bytes for a column of {width}")
    ctx.values = as_view(tuple(values))                 # IN
    ctx.limit = 0
    memcpy(ctx.value, <const char*>value, len(value))
    ctx.edges = NULL
    ctx.out = <uint8_t*>out                             # OUT
    ctx.validity = NULL
    ctx.streams = streams
    return Task.make(fill_kernel(physical, width, FILL_VALUE, False), &ctx, sizeof(ctx), keep)


def change(
    int physical, values, uintptr_t out, uintptr_t validity, *,
    bint relative, uintptr_t rows=0, int64_t periods=0, keep
):
    """Over rows: the difference to (or relative change from) the row that ``rows`` maps to, or ``periods`` before."""
    cdef Change ctx
    ctx.values = as_view(tuple(values))                        # IN
    ctx.rows = <const uint8_t*>rows                     # IN
    ctx.periods = periods
    ctx.out = <uint8_t*>out                             # OUT
    ctx.validity = <uint8_t*>validity                   # OUT
    return Task.make(relative_kernel(physical) if relative else difference_kernel(physical), &ctx, sizeof(ctx), keep)
