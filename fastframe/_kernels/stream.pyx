"""Memory read, and memory copied, as fast as a plain loop does it: to measure what this machine's memory gives."""

from libc.stdint cimport int64_t, uint64_t, uintptr_t

from fastframe._threads._drive cimport Task

cdef extern from "stream.hpp" namespace "ff" nogil:
    cdef struct StreamContext:
        const uint64_t* source
        uint64_t* target
        uint64_t* sums

    int stream(void* context, int64_t start, int64_t stop, int64_t slice)


def stream_task(
    uintptr_t source,       # IN: address of one 64-bit word per row
    uintptr_t target,       # OUT: address of the copy, or 0: then only sums are made
    uintptr_t sums,         # OUT: address of one 64-bit word per slice
    object keep_alive,
):
    """A task that copies ``source`` to ``target``, or sums it where there is none."""
    cdef StreamContext ctx
    ctx.source = <const uint64_t*>source
    ctx.target = <uint64_t*>target
    ctx.sums = <uint64_t*>sums
    return Task.make(stream, &ctx, sizeof(ctx), keep_alive)
