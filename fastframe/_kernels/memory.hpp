// A pool of large blocks; see memory.pyx for why.
//
// Blocks that come back are kept, in the order of their addresses. A request takes, in this order: the smallest kept block
// that fits it well; the front of the smallest run of neighbours that is large enough; fresh pages. Before it takes fresh
// pages it gives kept ones back, those unused for longest first, until all that is mapped is no more than was ever in use
// at once (and SLACK): so the pool does not raise the peak of a process. What nobody asked for in IDLE_NS goes back, too.
//
// A few dozen blocks are kept, so a sorted vector that is searched from end to end is the fastest structure.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace ff {

constexpr int64_t HUGE_PAGE = 2 << 20;
constexpr int64_t BLOCK_UNIT = 64 << 10;
constexpr int64_t SMALL_BLOCK = 1 << 20;       // below this malloc serves
constexpr int64_t LARGEST_BLOCK = 1LL << 46;   // above this no system has memory, and sizes could overflow
constexpr size_t ALIGNMENT = 64;               // what Arrow recommends; a cache line

constexpr int64_t SLACK = 64 << 20;            // kept beyond the peak: sizes that come and go by turns
constexpr int64_t SECOND = 1000000000;         // ns
constexpr int64_t IDLE_NS = 10 * SECOND;       // long against a pause between two operations, short against lunch

struct FreeBlock {
    char* address;
    int64_t capacity;
    int64_t since;                        // when it came back

    char* end() const { return address + capacity; }
};

struct Pool {
    std::mutex lock;
    std::vector<FreeBlock> free_blocks;   // by address
    int64_t held = 0;                     // the sum of their capacities
    int64_t live = 0;                     // bytes of blocks in use
    int64_t peak = 0;                     // the most of these ever
    int64_t limit = 128 << 20;
    std::atomic<int64_t> skipped{0};      // ns by which a test has moved the clock
    std::atomic<bool> watched{false};     // whether the janitor runs
    std::atomic<int64_t (*)(int64_t latest)> others{nullptr};   // release_until of blocks that are kept elsewhere (medium.hpp)
};

inline Pool& pool();

// How many of the first `n_bits` bits are 1.
inline int64_t count_ones(const void* bits, int64_t n_bits) {
    int64_t found = 0;
    const char* at = (const char*)bits;
    uint64_t word;
    for (; n_bits >= 64; n_bits -= 64, at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        found += __builtin_popcountll(word);
    }
    word = 0;
    memcpy(&word, at, (size_t)((n_bits + 7) / 8));
    return found + __builtin_popcountll(word & (((uint64_t)1 << n_bits) - 1));
}

// The lock must not be held by a thread that a forked child lacks. The child also gives its copies of the free blocks
// back: writing to one would copy its pages first. It has no janitor.
inline void before_fork() { pool().lock.lock(); }
inline void after_fork_in_parent() { pool().lock.unlock(); }
inline void after_fork_in_child() {
    Pool& own = pool();
    for (const FreeBlock& block : own.free_blocks) munmap(block.address, (size_t)block.capacity);
    own.free_blocks.clear();
    own.held = 0;
    own.watched = false;
    own.lock.unlock();
}

inline Pool* make_pool() {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return new Pool();
}

// Never destroyed: Arrow and NumPy may free blocks while the interpreter goes down.
inline Pool& pool() {
    static Pool* the_pool = make_pool();
    return *the_pool;
}

inline int64_t now_ns(const Pool& own) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count() + own.skipped;
}

inline int64_t round_up(int64_t n_bytes, int64_t unit) { return (n_bytes + unit - 1) / unit * unit; }

inline void* map_pages(int64_t n_bytes) {
    void* address = mmap(nullptr, (size_t)n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return address == MAP_FAILED ? nullptr : address;
}

// Fresh pages; from two huge pages on, aligned so that all of them can be huge (older kernels align to small pages).
inline void* map_block(int64_t capacity) {
#ifdef MADV_HUGEPAGE
    if (capacity >= 2 * HUGE_PAGE) {
        char* mapped = static_cast<char*>(map_pages(capacity + HUGE_PAGE));
        if (mapped == nullptr) return nullptr;
        const int64_t head = round_up((int64_t)(uintptr_t)mapped, HUGE_PAGE) - (int64_t)(uintptr_t)mapped;
        if (head > 0) munmap(mapped, (size_t)head);
        if (head < HUGE_PAGE) munmap(mapped + head + capacity, (size_t)(HUGE_PAGE - head));
        madvise(mapped + head, (size_t)capacity, MADV_HUGEPAGE);
        return mapped + head;
    }
#endif
    return map_pages(capacity);
}

// What follows up to `pool_allocate` needs the lock.

inline void forget(Pool& own, std::vector<FreeBlock>::iterator block) {
    munmap(block->address, (size_t)block->capacity);
    own.held -= block->capacity;
    own.free_blocks.erase(block);
}

inline bool is_older(const FreeBlock& one, const FreeBlock& other) { return one.since < other.since; }

// Give the longest unused blocks back to the system until at most `most` bytes are held.
inline void shrink(Pool& own, int64_t most) {
    while (own.held > most && !own.free_blocks.empty())
        forget(own, std::min_element(own.free_blocks.begin(), own.free_blocks.end(), is_older));
}

// Give back what has been kept unused until `latest`; when the longest unused of the rest came back, 0 where none is kept.
inline int64_t release_until(Pool& own, int64_t latest) {
    while (!own.free_blocks.empty()) {
        auto oldest = std::min_element(own.free_blocks.begin(), own.free_blocks.end(), is_older);
        if (oldest->since > latest) return oldest->since;
        forget(own, oldest);
    }
    return 0;
}

// Where the smallest run of neighbours of at least `wanted` bytes in all begins; its length in `n_blocks`, 0 where there is none.
inline size_t smallest_run(const Pool& own, int64_t wanted, size_t* n_blocks) {
    const std::vector<FreeBlock>& blocks = own.free_blocks;
    int64_t best = INT64_MAX;
    size_t found = 0;
    *n_blocks = 0;
    for (size_t first = 0; first < blocks.size(); ++first) {
        int64_t bytes = 0;
        for (size_t last = first; last < blocks.size() && bytes < wanted; ++last) {
            if (last > first && blocks[last].address != blocks[last - 1].end()) break;
            bytes += blocks[last].capacity;
            if (bytes >= wanted && bytes < best) best = bytes, found = first, *n_blocks = last - first + 1;
        }
    }
    return found;
}

// A kept block of at least `wanted` bytes and at most a quarter more, or one cut from kept neighbours.
inline bool take_free(Pool& own, int64_t wanted, FreeBlock* found) {
    auto best = own.free_blocks.end();
    for (auto block = own.free_blocks.begin(); block != own.free_blocks.end(); ++block) {
        if (block->capacity < wanted || block->capacity > wanted + wanted / 4) continue;
        if (best == own.free_blocks.end() || block->capacity <= best->capacity) best = block;
    }
    size_t n_blocks = 1;
    const size_t first = best != own.free_blocks.end() ? (size_t)(best - own.free_blocks.begin()) : smallest_run(own, wanted, &n_blocks);
    if (n_blocks == 0) return false;
    FreeBlock& last = own.free_blocks[first + n_blocks - 1];
    *found = own.free_blocks[first];
    found->capacity = last.end() - found->address;
    const int64_t excess = found->capacity - (wanted >= 2 * HUGE_PAGE ? round_up(wanted, HUGE_PAGE) : wanted);
    const bool cut = best == own.free_blocks.end() && excess >= SMALL_BLOCK;
    if (cut) {   // the rest stays, as old as it was
        found->capacity -= excess;
        last = FreeBlock{found->end(), excess, last.since};
    }
    own.held -= found->capacity;
    const auto gone = own.free_blocks.begin() + (int64_t)first;
    own.free_blocks.erase(gone, gone + (int64_t)(n_blocks - (cut ? 1 : 0)));
    return true;
}

// Give back everywhere what has been kept unused until `latest`; as release_until. No lock may be held.
inline int64_t release_everywhere(Pool& own, int64_t latest) {
    int64_t oldest;
    {
        std::lock_guard<std::mutex> guard(own.lock);
        oldest = release_until(own, latest);
    }
    int64_t (*others)(int64_t) = own.others;
    const int64_t elsewhere = others != nullptr ? others(latest) : 0;
    return oldest == 0 || (elsewhere != 0 && elsewhere < oldest) ? elsewhere : oldest;
}

// Releases idle blocks while no operation comes along that would; ends when nothing is kept. It holds a lock only to
// look, and takes no signals: those are Python's main thread's. Who keeps a block asks afterwards whether it is watched, so
// the janitor says first that it ends, and looks once more.
inline void* watch_pool(void*) {
    Pool& own = pool();
    for (;;) {
        const int64_t now = now_ns(own), oldest = release_everywhere(own, now - IDLE_NS);
        if (oldest == 0) {
            own.watched = false;
            if (release_everywhere(own, INT64_MIN) == 0 || own.watched.exchange(true)) return nullptr;
            continue;
        }
        const int64_t wait = std::max<int64_t>(oldest + IDLE_NS - now, SECOND / 10);
        const timespec pause{(time_t)(wait / SECOND), (long)(wait % SECOND)};
        nanosleep(&pause, nullptr);
    }
}

inline void start_watching(Pool& own) {
    if (own.watched || own.watched.exchange(true)) return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        own.watched = false;
        return;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_sigmask(SIG_SETMASK, &all, &before);   // a thread inherits the mask
    pthread_t thread;
    if (pthread_create(&thread, &attributes, watch_pool, nullptr) != 0) own.watched = false;   // then the next operations release
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
}

inline void pool_clear() {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    shrink(own, 0);
}

inline int64_t block_capacity(int64_t n_bytes) {
    static const int64_t small_page = (int64_t)sysconf(_SC_PAGESIZE);
    // Not rounded to whole huge pages: the tail of a block comes in small pages, and fifty columns keep fifty megabytes.
    return round_up(n_bytes, small_page > BLOCK_UNIT ? small_page : BLOCK_UNIT);
}

// Memory for `n_bytes`, null where there is none; `capacity` is what pool_release must be told, 0 for malloc's.
inline void* pool_allocate(int64_t n_bytes, int64_t* capacity) {
    *capacity = 0;
    if (n_bytes < SMALL_BLOCK) {
        void* address = nullptr;
        return posix_memalign(&address, ALIGNMENT, n_bytes > 0 ? (size_t)n_bytes : 1) == 0 ? address : nullptr;
    }
    if (n_bytes > LARGEST_BLOCK) return nullptr;
    Pool& own = pool();
    FreeBlock block{nullptr, block_capacity(n_bytes), 0};
    {
        std::lock_guard<std::mutex> guard(own.lock);
        const bool kept = take_free(own, block.capacity, &block);
        own.live += block.capacity;
        own.peak = std::max(own.peak, own.live);
        if (!kept) shrink(own, std::max<int64_t>(own.peak - own.live, 0) + SLACK);
    }
    if (block.address == nullptr) block.address = static_cast<char*>(map_block(block.capacity));
    if (block.address == nullptr) {   // the pool itself may hold what is missing
        pool_clear();
        block.address = static_cast<char*>(map_block(block.capacity));
    }
    if (block.address == nullptr) {
        std::lock_guard<std::mutex> guard(own.lock);
        own.live -= block.capacity;
    }
    *capacity = block.capacity;
    return block.address;
}

// Keep a block; false where it is to go back to the system. The lock is held.
inline bool keep(Pool& own, char* address, int64_t capacity) {
    if (capacity > own.limit) return false;
    const FreeBlock block{address, capacity, now_ns(own)};
    try {
        own.free_blocks.insert(std::lower_bound(own.free_blocks.begin(), own.free_blocks.end(), block,
                                                [](const FreeBlock& one, const FreeBlock& other) { return one.address < other.address; }),
                               block);
    } catch (const std::bad_alloc&) {   // no memory for the list
        return false;
    }
    own.held += capacity;
    shrink(own, own.limit);
    release_until(own, block.since - IDLE_NS);
    start_watching(own);
    return true;
}

inline void pool_release(void* address, int64_t capacity) {
    if (capacity == 0) {
        free(address);
        return;
    }
    Pool& own = pool();
    {
        std::lock_guard<std::mutex> guard(own.lock);
        own.live -= capacity;
        if (keep(own, static_cast<char*>(address), capacity)) return;
    }
    munmap(address, (size_t)capacity);
}

inline void pool_limit(int64_t n_bytes) {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    own.limit = n_bytes;
    shrink(own, n_bytes);
}

inline int64_t pool_held() {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    return own.held;
}

// For tests: let time pass, and do what the janitor would do then.
inline void pool_skip(int64_t ns) {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    own.skipped += ns;
    release_until(own, now_ns(own) - IDLE_NS);
}

// For tests: forget how much was in use at once.
inline void pool_forget_peak() {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    own.peak = own.live;
}

}  // namespace ff
