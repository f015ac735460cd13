// Blocks of 64 KiB to 1 MiB, kept for reuse below the pool of memory.hpp.
//
// They are malloc's, which returns the top of its heap to the system whenever some of them are free at once: then each is
// touched for the first time by every operation, at a quarter of a microsecond per 4 KiB. So those that come back are kept,
// up to MOST_KEPT bytes, in the order in which they came; what stays unused for IDLE_NS goes back with the next block that
// comes, or by the pool's janitor. Sizes are rounded to an eighth of a power of two, and a request takes a block of its own size only.
#pragma once
#include "memory.hpp"

namespace ff {

constexpr int64_t LEAST_MEDIUM = 64 << 10;   // malloc serves smaller ones from what it keeps
constexpr int64_t MOST_KEPT = 32 << 20;
// Of their addresses, as of the pool's. malloc's own would be 48 bytes beyond those of NumPy's arrays of this size, modulo
// 4096: the processor takes the next rows' loads for reads of what was just stored, and waits.
constexpr size_t PAGE = 4096;

struct MediumBlocks {
    std::mutex lock;
    std::vector<FreeBlock> kept;   // the longest unused first
    int64_t held = 0;              // the sum of their capacities
    int64_t limit = MOST_KEPT;
};

inline MediumBlocks& medium();
inline void lock_medium() { medium().lock.lock(); }
inline void unlock_medium() { medium().lock.unlock(); }   // a child goes on with its copy: it is malloc's

inline int64_t medium_release_until(int64_t latest);

inline MediumBlocks* make_medium() {
    Pool& janitors = pool();   // it must be there before this lock is first held
    pthread_atfork(lock_medium, unlock_medium, unlock_medium);
    MediumBlocks* made = new MediumBlocks();
    std::lock_guard<std::mutex> guard(janitors.lock);
    janitors.others = medium_release_until;
    return made;
}

// Never destroyed, as the pool.
inline MediumBlocks& medium() {
    static MediumBlocks* the_blocks = make_medium();
    return *the_blocks;
}

inline bool is_medium(int64_t n_bytes) { return n_bytes >= LEAST_MEDIUM && n_bytes < SMALL_BLOCK; }

inline int64_t medium_capacity(int64_t n_bytes) {
    const int64_t power = (int64_t)1 << (63 - __builtin_clzll((uint64_t)n_bytes));
    return std::min(round_up(n_bytes, power / 8), SMALL_BLOCK - 1);   // from SMALL_BLOCK on it would be taken for the pool's
}

// Give the longest unused back until at most `most` bytes are held, and all that came back before `latest`. Needs the lock.
inline void shrink_medium(MediumBlocks& own, int64_t most, int64_t latest) {
    size_t gone = 0;
    for (; gone < own.kept.size() && (own.held > most || own.kept[gone].since < latest); ++gone) {
        own.held -= own.kept[gone].capacity;
        free(own.kept[gone].address);
    }
    own.kept.erase(own.kept.begin(), own.kept.begin() + (int64_t)gone);
}

// As release_until.
inline int64_t medium_release_until(int64_t latest) {
    MediumBlocks& own = medium();
    std::lock_guard<std::mutex> guard(own.lock);
    if (latest > 0) shrink_medium(own, own.limit, latest);
    return own.kept.empty() ? 0 : own.kept.front().since;
}

inline void* take_medium(int64_t capacity) {
    MediumBlocks& own = medium();
    std::lock_guard<std::mutex> guard(own.lock);
    for (size_t at = own.kept.size(); at-- > 0;) {
        if (own.kept[at].capacity != capacity) continue;
        void* address = own.kept[at].address;
        own.held -= capacity;
        own.kept.erase(own.kept.begin() + (int64_t)at);
        return address;
    }
    return nullptr;
}

inline void keep_medium(void* address, int64_t capacity) {
    MediumBlocks& own = medium();
    {
        std::lock_guard<std::mutex> guard(own.lock);
        const int64_t now = now_ns(pool());
        try {
            own.kept.push_back(FreeBlock{static_cast<char*>(address), capacity, now});
        } catch (const std::bad_alloc&) {   // no memory for the list
            free(address);
            return;
        }
        own.held += capacity;
        shrink_medium(own, own.limit, now - IDLE_NS);
    }
    start_watching(pool());
}

// ---- blocks of any size ---------------------------------------------------------------------------------------------

// Memory for `n_bytes`, null where there is none; `capacity` is what block_release must be told.
inline void* block_allocate(int64_t n_bytes, int64_t* capacity) {
    if (!is_medium(n_bytes)) return pool_allocate(n_bytes, capacity);
    *capacity = medium_capacity(n_bytes);
    void* address = take_medium(*capacity);
    if (address == nullptr && posix_memalign(&address, PAGE, (size_t)*capacity) != 0) return nullptr;
    return address;
}

inline void block_release(void* address, int64_t capacity) {
    if (capacity != 0 && capacity < SMALL_BLOCK)
        keep_medium(address, capacity);
    else
        pool_release(address, capacity);
}

inline void limit_kept(int64_t n_bytes) {
    {
        MediumBlocks& own = medium();
        std::lock_guard<std::mutex> guard(own.lock);
        own.limit = std::min(n_bytes, MOST_KEPT);
        shrink_medium(own, own.limit, 0);
    }
    pool_limit(n_bytes);
}

inline int64_t all_held() {
    const int64_t of_pool = pool_held();   // never both locks at once: a fork takes them in its own order
    MediumBlocks& own = medium();
    std::lock_guard<std::mutex> guard(own.lock);
    return own.held + of_pool;
}

inline void clear_kept() {
    {
        MediumBlocks& own = medium();
        std::lock_guard<std::mutex> guard(own.lock);
        shrink_medium(own, 0, 0);
    }
    pool_clear();
}

// For tests: let time pass for both, and give back what is idle then.
inline void skip_idle(int64_t ns) {
    pool_skip(ns);
    MediumBlocks& own = medium();
    std::lock_guard<std::mutex> guard(own.lock);
    shrink_medium(own, own.limit, now_ns(pool()) - IDLE_NS);
}

}  // namespace ff
