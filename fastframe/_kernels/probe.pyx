"""A kernel that only takes time and notes who ran it: for tests and benchmarks of the threads themselves."""

from libc.stdint cimport int32_t, int64_t, uint64_t, uintptr_t

from fastframe._threads._drive cimport Task

cdef extern from "probe.hpp" namespace "ff" nogil:
    cdef struct ProbeContext:
        int64_t spin_ns
        int64_t fail_from
        int fail_status
        uint64_t* threads
        int32_t* cores
        int64_t* rows

    int probe(void* context, int64_t start, int64_t stop, int64_t slice)


def probe_task(
    tuple outputs,           # OUT: addresses of threads (uint64), cores (int32) and rows (int64), one item per slice
    object keep_alive,
    int64_t spin_ns=0,       # IN
    int64_t fail_from=-1,    # IN
    int fail_status=0,       # IN
):
    """A task whose slices each take ``spin_ns`` and, from slice ``fail_from`` on, return ``fail_status``."""
    cdef ProbeContext ctx
    ctx.spin_ns = spin_ns
    ctx.fail_from = fail_from
    ctx.fail_status = fail_status
    ctx.threads = <uint64_t*><uintptr_t>outputs[0]
    ctx.cores = <int32_t*><uintptr_t>outputs[1]
    ctx.rows = <int64_t*><uintptr_t>outputs[2]
    return Task.make(probe, &ctx, sizeof(ctx), keep_alive)
