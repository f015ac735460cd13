// The loop that every kernel phase runs in: claim a slice, poll the stop flag, call the kernel.
//
// Slices are claimed in ascending order by an atomic counter. A slice that fails stops further claims; slices already
// claimed finish, so the lowest failing slice is the same for any number of threads, and its status wins.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>
#include <pthread.h>
#include <time.h>
#if defined(__linux__)
#include <sched.h>
#endif

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

// One stay of a thread in the loop, as `ff.profile` wants to know it.
struct Stint {
    uint64_t thread;    // as Python's threading.get_ident()
    int64_t begin_ns;   // of now_ns()
    int64_t end_ns;
    int64_t core_ns;    // of these, how long the thread had a core
};

typedef int (*kernel_t)(void* ctx, int64_t start, int64_t stop, int64_t slice);

struct RunState {
    kernel_t kernel;
    void* ctx;
    int64_t n_rows;
    int64_t slice_rows;
    int64_t n_slices;
    std::atomic<int64_t> next_slice;
    std::atomic<int> stopped;            // cancelled or closed: no more claims
    std::atomic<int64_t> failed_slice;   // n_slices where none failed
    std::atomic<int> failed_status;
    std::atomic<int> n_inside;           // threads that are in drive() now, or have a post of this run
    std::atomic<int> n_owners;           // the maker, and those that have a post; the last one deletes it
    std::mutex lock;                     // of failures, and of the wait for n_inside == 0
    std::condition_variable emptied;
    std::vector<Stint>* stints;          // of `lock`; null where nobody records
};

inline void start_run(RunState* run, kernel_t kernel, void* ctx, int64_t n_rows, int64_t slice_rows) {
    run->kernel = kernel;
    run->ctx = ctx;
    run->n_rows = n_rows;
    run->slice_rows = slice_rows;
    run->n_slices = n_rows / slice_rows + (n_rows % slice_rows != 0);
    run->next_slice.store(0);
    run->stopped.store(0);
    run->failed_slice.store(run->n_slices);
    run->failed_status.store(OK);
    run->n_inside.store(0);
    run->n_owners.store(1);
    run->stints = nullptr;
}

// The clock of stints; Python sees it as now_ns().
inline int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// How long the calling thread has had a core.
inline int64_t core_ns() {
    timespec spent;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent) == 0 ? spent.tv_sec * 1000000000LL + spent.tv_nsec : 0;
}

inline void record_failure(RunState* run, int64_t slice, int status) {
    std::lock_guard<std::mutex> guard(run->lock);
    if (slice < run->failed_slice.load()) {
        run->failed_status.store(status);
        run->failed_slice.store(slice);
    }
}

inline bool may_claim(const RunState* run) {
    return !run->stopped.load() && run->failed_slice.load() == run->n_slices;
}

// A thread's stay in the loop. Entry is counted before the first look at `stopped` and at the counter (all are
// sequentially consistent), so who has seen the run stopped or used up, and then n_inside == 0, knows that no kernel
// runs and none will.
inline void enter(RunState* run) { run->n_inside.fetch_add(1); }

inline void leave(RunState* run) {
    if (run->n_inside.fetch_sub(1) == 1) {
        std::lock_guard<std::mutex> guard(run->lock);
        run->emptied.notify_all();
    }
}

class Stay {
  public:
    explicit Stay(RunState* run) : run_(run) { enter(run_); }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() { leave(run_); }

  private:
    RunState* run_;
};

// Notes a stay in the run's stints, where somebody records. Made after the `Stay`, so noted before the run can be empty.
class StintNote {
  public:
    explicit StintNote(RunState* run) : run_(run->stints != nullptr ? run : nullptr) {
        if (run_ != nullptr) stint_ = {(uint64_t)pthread_self(), now_ns(), 0, core_ns()};
    }
    StintNote(const StintNote&) = delete;
    StintNote& operator=(const StintNote&) = delete;
    ~StintNote() {
        if (run_ == nullptr) return;
        stint_.core_ns = core_ns() - stint_.core_ns;
        stint_.end_ns = now_ns();
        std::lock_guard<std::mutex> guard(run_->lock);
        try {
            run_->stints->push_back(stint_);
        } catch (const std::bad_alloc&) {   // a stint is lost; the work is not
        }
    }

  private:
    RunState* run_;
    Stint stint_;
};

// Work until no slice is left, the run is stopped or failed, or `max_ns` nanoseconds have passed (0: no limit; at
// least one slice is done). Returns true where time ran out and slices may be left to claim.
// For a thread that is counted as inside.
inline bool drive_inside(RunState* run, int64_t max_ns) {
    typedef std::chrono::steady_clock clock;
    const clock::time_point end = clock::now() + std::chrono::nanoseconds(max_ns);
    StintNote note(run);
    while (may_claim(run)) {
        const int64_t slice = run->next_slice.fetch_add(1);
        if (slice >= run->n_slices) return false;
        const int64_t start = slice * run->slice_rows;
        const int64_t stop = run->n_rows - start > run->slice_rows ? start + run->slice_rows : run->n_rows;
        const int status = run->kernel(run->ctx, start, stop, slice);
        if (status != OK) record_failure(run, slice, status);
        if (max_ns > 0 && clock::now() >= end) return true;
    }
    return false;
}

inline bool drive(RunState* run, int64_t max_ns) {
    Stay stay(run);
    return drive_inside(run, max_ns);
}

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Wait until no thread is inside, or `max_ns` have passed (0: no limit); true where none is. The last slices of two
// threads mostly end within microseconds of each other, less than a sleep and a wake-up take: so look for a while first.
inline bool wait_empty(RunState* run, int64_t max_ns) {
    typedef std::chrono::steady_clock clock;
    const clock::time_point begin = clock::now();
    while (clock::now() - begin < std::chrono::microseconds(20)) {
        if (run->n_inside.load() == 0) return true;
        relax();
    }
    std::unique_lock<std::mutex> guard(run->lock);
    const auto empty = [run] { return run->n_inside.load() == 0; };
    if (max_ns > 0) return run->emptied.wait_for(guard, std::chrono::nanoseconds(max_ns), empty);
    run->emptied.wait(guard, empty);
    return true;
}

// Plain functions for Cython, which cannot declare std::atomic members.
inline RunState* new_run() { return new (std::nothrow) RunState(); }
inline void delete_run(RunState* run) {
    if (run == nullptr || run->n_owners.fetch_sub(1) != 1) return;
    delete run->stints;
    delete run;
}
inline bool record_stints(RunState* run) {
    run->stints = new (std::nothrow) std::vector<Stint>();
    return run->stints != nullptr;
}
inline int64_t n_stints(const RunState* run) { return run->stints != nullptr ? (int64_t)run->stints->size() : 0; }
inline Stint stint_at(const RunState* run, int64_t at) { return (*run->stints)[(size_t)at]; }
inline int64_t n_unclaimed(const RunState* run) {
    const int64_t next = run->next_slice.load();
    return next < run->n_slices ? run->n_slices - next : 0;
}
inline void stop_run(RunState* run) { run->stopped.store(1); }
inline int64_t failed_slice(RunState* run) { return run->failed_slice.load(); }
inline int failed_status(RunState* run) { return run->failed_status.load(); }

// Where a helper that has done its part of a run looks for the next one before it goes to sleep. The phases of an operation
// follow each other within tens of microseconds; to sleep, to be woken and to get the GIL takes longer than that. A helper
// that listens holds neither the GIL nor a reference to anything.
//
// The slot is null (nobody listens), listening(), or a run that was posted: whoever swaps the run out of it, its helper or
// its caller who wants it back, has it. A post counts as inside its run and as an owner of it.
struct Mailbox {
    std::atomic<RunState*> slot;
};

inline RunState* listening() { return reinterpret_cast<RunState*>(1); }

inline bool swap_slot(Mailbox* box, RunState* from, RunState* to) { return box->slot.compare_exchange_strong(from, to); }

// Take a post back that was not delivered.
inline void drop_post(RunState* run) {
    leave(run);
    delete_run(run);
}

// Give the run to the helper that listens; false where none does.
inline bool post(Mailbox* box, RunState* run) {
    if (box->slot.load() != listening()) return false;
    enter(run);
    run->n_owners.fetch_add(1);
    if (swap_slot(box, listening(), run)) return true;
    drop_post(run);
    return false;
}

// The helper need not come any more, if it has not come yet.
inline void withdraw(Mailbox* box, RunState* run) {
    if (swap_slot(box, run, listening())) drop_post(run);
}

// Have the helper that listens stop; false where none does.
inline bool hush(Mailbox* box) { return swap_slot(box, listening(), nullptr); }

// The next run that is posted within `max_ns`, or null; the slot was opened before.
inline RunState* listen(Mailbox* box, int64_t max_ns) {
    const int64_t end = now_ns() + max_ns;
    for (;;) {
        for (int look = 0; look < 32; ++look) {
            RunState* run = box->slot.load();
            if (run == nullptr) return nullptr;   // hushed
            if (run != listening() && swap_slot(box, run, nullptr)) return run;
            relax();
        }
        if (now_ns() >= end && hush(box)) return nullptr;
    }
}

// A helper's work: the run that it was woken for, then those that are posted until none is for `linger_ns`. It listens
// before it leaves a run, so a caller that has seen the run empty finds it listening.
inline void help(Mailbox* box, RunState* run, int64_t linger_ns) {
    enter(run);
    drive_inside(run, 0);
    box->slot.store(listening());
    leave(run);
    while ((run = listen(box, linger_ns)) != nullptr) {
        drive_inside(run, 0);
        box->slot.store(listening());
        drop_post(run);
    }
}

// The core that the calling thread is on, -1 where the system does not say.
inline int current_core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

}  // namespace ff
