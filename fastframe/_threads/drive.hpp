// The loop that every kernel phase runs in: claim a slice, poll the cancel flag, call the kernel.
//
// Slices are claimed in ascending order by an atomic counter. A slice that fails stops further claims; slices already
// claimed finish, so the lowest failing slice is the same for any number of threads, and its status wins.
#pragma once
#include <atomic>
#include <cstdint>
#include <new>

namespace ff {

// What a kernel returns. Keep in step with fastframe/errors.py::KernelStatus.
enum Status : int {
    OK = 0,
    CANCELLED = 1,
    OVERFLOW_ = 2,       // an exact integer or decimal result does not fit its type
    OUT_OF_MEMORY = 3,   // scratch could not be allocated
    OUT_OF_BOUNDS = 4,   // an index points outside its array
    INEXACT = 5,         // a cast would lose information
    ZERO_DIVISION = 6,
    TOO_LONG = 7,        // string offsets would pass 2 GiB
};

typedef int (*kernel_t)(void* ctx, int64_t start, int64_t stop, int64_t slice);

struct RunState {
    kernel_t kernel;
    void* ctx;
    int64_t n_rows;
    int64_t slice_rows;
    int64_t n_slices;
    std::atomic<int64_t> next_slice;
    std::atomic<int> cancelled;
    std::atomic<int64_t> failed_slice;   // n_slices where none failed
    std::atomic<int> failed_status;
    std::atomic_flag fail_lock;
};

inline void start_run(RunState* run, kernel_t kernel, void* ctx, int64_t n_rows, int64_t slice_rows) {
    run->kernel = kernel;
    run->ctx = ctx;
    run->n_rows = n_rows;
    run->slice_rows = slice_rows;
    run->n_slices = slice_rows > 0 ? (n_rows + slice_rows - 1) / slice_rows : 0;
    run->next_slice.store(0);
    run->cancelled.store(0);
    run->failed_slice.store(run->n_slices);
    run->failed_status.store(OK);
    run->fail_lock.clear();
}

inline void record_failure(RunState* run, int64_t slice, int status) {
    while (run->fail_lock.test_and_set(std::memory_order_acquire)) {}
    if (slice < run->failed_slice.load()) {
        run->failed_slice.store(slice);
        run->failed_status.store(status);
    }
    run->fail_lock.clear(std::memory_order_release);
}

// Work until no slice is left, the run is cancelled or failed, or about max_slices were done (0: no limit).
// Returns true while slices may be left to claim.
inline bool drive(RunState* run, int64_t max_slices) {
    for (int64_t done = 0; max_slices == 0 || done < max_slices; ++done) {
        if (run->cancelled.load(std::memory_order_relaxed)) return false;
        if (run->failed_slice.load(std::memory_order_relaxed) < run->n_slices) return false;
        const int64_t slice = run->next_slice.fetch_add(1, std::memory_order_relaxed);
        if (slice >= run->n_slices) return false;
        const int64_t start = slice * run->slice_rows;
        const int64_t stop = start + run->slice_rows < run->n_rows ? start + run->slice_rows : run->n_rows;
        const int status = run->kernel(run->ctx, start, stop, slice);
        if (status != OK) record_failure(run, slice, status);
    }
    return true;
}

// Plain functions for Cython, which cannot declare std::atomic members.
inline RunState* new_run() { return new (std::nothrow) RunState(); }
inline void delete_run(RunState* run) { delete run; }
inline void cancel_run(RunState* run) { run->cancelled.store(1); }
inline int64_t failed_slice(RunState* run) { return run->failed_slice.load(); }
inline int failed_status(RunState* run) { return run->failed_status.load(); }

}  // namespace ff
