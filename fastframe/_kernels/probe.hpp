// A kernel that only takes time and notes who ran it: for tests and benchmarks of the threads themselves.
#pragma once
#include <chrono>
#include <thread>

#include "kernel.hpp"

namespace ff {

struct ProbeContext {
    int64_t spin_ns;        // in: how long one slice keeps its core busy
    int64_t fail_from;      // in: slices from here on fail; -1: none does
    int fail_status;        // in
    uint64_t* threads;      // out: per slice, the thread that ran it
    int32_t* cores;         // out: per slice, the core on which it began
    int64_t* rows;          // out: per slice, its number of rows
};

inline int probe(void* context, int64_t start, int64_t stop, int64_t slice) {
    typedef std::chrono::steady_clock clock;
    const ProbeContext& ctx = *static_cast<ProbeContext*>(context);
    const clock::time_point end = clock::now() + std::chrono::nanoseconds(ctx.spin_ns);
    ctx.threads[slice] = (uint64_t)std::hash<std::thread::id>()(std::this_thread::get_id());
    ctx.cores[slice] = (int32_t)current_core();
    ctx.rows[slice] = stop - start;
    while (clock::now() < end) relax();
    return ctx.fail_from >= 0 && slice >= ctx.fail_from ? ctx.fail_status : OK;
}

}  // namespace ff
