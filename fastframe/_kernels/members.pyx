"""Membership of values in a set: see ``members.hpp``."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t, uintptr_t

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "members.hpp" namespace "ff" nogil:
    cdef struct MembersContext:
        View values
        const uint8_t* table
        uint64_t low
        uint64_t size
        uint64_t empty
        int32_t shift
        uint8_t* out

    kernel_t members_kernel(int physical, bint close)
    int MOST_FEW
    kernel_t few_members_kernel(int physical)
    void put_members(const uint64_t* words, int64_t count, uint64_t* table, uint64_t size, uint64_t empty, int shift)


def compares_few(int physical, int64_t n_members):
    """Whether `few` takes so many members of a type on this machine."""
    return 0 < n_members <= MOST_FEW and few_members_kernel(physical) != NULL


def few(int physical, view, uintptr_t words, int64_t n_members, uintptr_t out, *, keep_alive):
    """The same as `near` by comparing with each: IN ``words``, uint64, as many as `compares_few` allows."""
    cdef MembersContext ctx
    if not compares_few(physical, n_members):
        raise ValueError(f"{n_members} members are not few")
    ctx.values = as_view(tuple(view))
    ctx.table = <const uint8_t*>words
    ctx.low, ctx.size = 0, n_members
    ctx.empty, ctx.shift = 0, 0
    ctx.out = <uint8_t*>out
    return Task.make(few_members_kernel(physical), &ctx, sizeof(ctx), keep_alive)


def near(int physical, view, uintptr_t table, uint64_t low, int64_t size, uintptr_t out, *, keep_alive):
    """The task that tells which values are members, by a table of bytes.

    Parameters
    ----------
    physical : int
        Of the values: an integer.
    view : tuple
        IN values.
    table : address
        IN ``size`` (1 at least) bytes, 0 or 1: whether ``low`` and the words after it are members.
    out : address
        OUT bits, 0 for nulls.
    """
    cdef MembersContext ctx
    ctx.values = as_view(tuple(view))
    ctx.table = <const uint8_t*>table
    ctx.low, ctx.size = low, size
    ctx.empty, ctx.shift = 0, 0
    ctx.out = <uint8_t*>out
    return Task.make(members_kernel(physical, True), &ctx, sizeof(ctx), keep_alive)


def hashed(int physical, view, uintptr_t table, int64_t size, uint64_t empty, uintptr_t out, *, keep_alive):
    """The same by a table that `put` has filled."""
    cdef MembersContext ctx
    ctx.values = as_view(tuple(view))
    ctx.table = <const uint8_t*>table
    ctx.low, ctx.size = 0, size
    ctx.empty, ctx.shift = empty, shift_of(size)
    ctx.out = <uint8_t*>out
    return Task.make(members_kernel(physical, False), &ctx, sizeof(ctx), keep_alive)


def put(uintptr_t words, int64_t count, uintptr_t table, int64_t size, uint64_t empty):
    """Fill a table of ``size`` words (a power of two, more than ``count``), all ``empty``, with the words of members."""
    cdef int shift = shift_of(size)
    if count >= size:
        raise ValueError(f"{count} members do not fit a table of {size}")
    with nogil:
        put_members(<const uint64_t*>words, count, <uint64_t*>table, size, empty, shift)


cdef int shift_of(int64_t size) except -1:
    cdef int shift = 64
    if size < 2 or size & (size - 1):
        raise ValueError(f"a table of {size} words is no power of two")
    while size > 1:
        size >>= 1
        shift -= 1
    return shift
