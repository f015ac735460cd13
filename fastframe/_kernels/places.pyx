"""Tasks that place rows by group, and carry values to their places and back; see ``places.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport View, as_view, code_t, row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "places.hpp" namespace "ff" nogil:
    cdef struct Ascending:
        GroupCodes codes
        int32_t* offsets

    cdef struct RowPlaces:
        GroupCodes codes
        uint32_t* counts
        const int32_t* starts
        int64_t n_slots
        int32_t shift
        row_t* places

    cdef struct PartitionPlaces:
        const code_t* codes
        const int32_t* starts
        int64_t n_groups
        int32_t shift
        row_t* places
        int32_t* offsets

    cdef struct Carry:
        View view
        const row_t* places
        uint8_t* out
        uint64_t fill

    cdef struct Return:
        const uint8_t* values
        const row_t* places
        uint8_t* out
        uint8_t* validity

    cdef struct Dropped:
        View view
        uint8_t* codes
        int64_t width

    int ascending_codes(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int place_rows_kernel "ff::place_rows"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int place_in_partitions_kernel "ff::place_in_partitions"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    kernel_t carry_kernel(int physical, bint nulls)
    kernel_t presence_bytes_kernel(int physical, bint nulls)
    kernel_t return_kernel(int width)
    kernel_t drop_missing_kernel(int physical)


def ascending(tuple codes, uintptr_t offsets, keep_alive):
    """Over rows: first rows of groups; fails where rows of a group are not together, in group order, or in none."""
    cdef Ascending ctx
    ctx.codes = as_codes(codes)                        # IN
    ctx.offsets = <int32_t*>offsets                    # OUT
    return Task.make(<kernel_t>ascending_codes, &ctx, sizeof(ctx), keep_alive)


def place_rows(tuple codes, uintptr_t counts, uintptr_t starts, uintptr_t places, *, int64_t n_slots, int shift, keep_alive):
    """Over rows, in the slices of `order.count_slots`: each row's place; -1 where it is in no group."""
    cdef RowPlaces ctx
    ctx.codes = as_codes(codes)                        # IN
    ctx.counts = <uint32_t*>counts                     # IN OUT
    ctx.starts = <const int32_t*>starts                # IN
    ctx.n_slots = n_slots
    ctx.shift = shift
    ctx.places = <row_t*>places                        # OUT
    return Task.make(<kernel_t>place_rows_kernel, &ctx, sizeof(ctx), keep_alive)


def place_in_partitions(uintptr_t codes, uintptr_t starts, uintptr_t places, uintptr_t offsets, *,
                        int64_t n_groups, int shift, keep_alive):
    """Over partitions of ``2**shift`` groups: from places in partition order to those in group order."""
    cdef PartitionPlaces ctx
    ctx.codes = <const code_t*>codes                   # IN
    ctx.starts = <const int32_t*>starts                # IN
    ctx.n_groups = n_groups
    ctx.shift = shift
    ctx.places = <row_t*>places                        # OUT
    ctx.offsets = <int32_t*>offsets                    # OUT
    return Task.make(<kernel_t>place_in_partitions_kernel, &ctx, sizeof(ctx), keep_alive)


cdef Carry carry_of(view, uintptr_t places, uintptr_t out, uint64_t fill):
    cdef Carry ctx
    ctx.view = as_view(tuple(view))                    # IN
    ctx.places = <const row_t*>places                  # IN
    ctx.out = <uint8_t*>out                            # OUT
    ctx.fill = fill
    return ctx


def carry(int physical, view, uintptr_t places, uintptr_t out, *, uint64_t fill=0, keep_alive):
    """Over rows: values to their places (0: the rows' own numbers), bools as bytes, ``fill``'s bits in place of nulls."""
    cdef Carry ctx = carry_of(view, places, out, fill)
    return Task.make(carry_kernel(physical, ctx.view.validity != NULL), &ctx, sizeof(ctx), keep_alive)


def presence(int physical, view, uintptr_t places, uintptr_t out, keep_alive):
    """Over rows: a byte at each row's place, 1 where its value is neither null nor NaN."""
    cdef Carry ctx = carry_of(view, places, out, 0)
    return Task.make(presence_bytes_kernel(physical, ctx.view.validity != NULL), &ctx, sizeof(ctx), keep_alive)


def carry_back(int width, uintptr_t values, uintptr_t places, uintptr_t out, uintptr_t validity, keep_alive):
    """Over rows: the values at their places; width 0 makes bits of bytes (``places`` 0: the rows' own numbers)."""
    cdef Return ctx
    ctx.values = <const uint8_t*>values                # IN
    ctx.places = <const row_t*>places                  # IN
    ctx.out = <uint8_t*>out                            # OUT
    ctx.validity = <uint8_t*>validity                  # OUT
    return Task.make(return_kernel(width), &ctx, sizeof(ctx), keep_alive)


def drop_missing(int physical, view, uintptr_t codes, int code_bytes, keep_alive):
    """Over rows: codes get all bits set where the row's value is null or NaN."""
    cdef Dropped ctx
    ctx.view = as_view(tuple(view))                    # IN
    ctx.codes = <uint8_t*>codes                        # IN OUT
    ctx.width = code_bytes
    return Task.make(drop_missing_kernel(physical), &ctx, sizeof(ctx), keep_alive)
