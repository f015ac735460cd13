// A pool of large blocks by size class; see memory.pyx for why.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include <sys/mman.h>

namespace ff {

constexpr int64_t HUGE_PAGE = 2 << 20;
constexpr int64_t SMALL_BLOCK = 1 << 20;   // below this malloc serves

struct Pool {
    std::mutex lock;
    std::multimap<int64_t, void*> free_blocks;   // capacity -> address
    int64_t held = 0;
    int64_t limit = 256 << 20;
};

// Never destroyed: Arrow and NumPy may free blocks while the interpreter goes down.
inline Pool& pool() {
    static Pool* the_pool = new Pool();
    return *the_pool;
}

inline void* map_pages(int64_t capacity) {
    void* address = mmap(nullptr, (size_t)capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
    if (capacity >= 2 * HUGE_PAGE) madvise(address, (size_t)capacity, MADV_HUGEPAGE);
#endif
    return address;
}

inline void pool_clear() {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    for (auto& block : own.free_blocks) munmap(block.second, (size_t)block.first);
    own.free_blocks.clear();
    own.held = 0;
}

inline void* pool_allocate(int64_t n_bytes, int64_t* capacity) {
    if (n_bytes < SMALL_BLOCK) {
        *capacity = 0;
        return malloc(n_bytes > 0 ? (size_t)n_bytes : 1);
    }
    // Arrow wants 64 bytes of slack at no cost; page rounding gives them nearly always.
    const int64_t page = n_bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : 4096;
    const int64_t wanted = (n_bytes + page - 1) / page * page;
    Pool& own = pool();
    {
        std::lock_guard<std::mutex> guard(own.lock);
        auto found = own.free_blocks.lower_bound(wanted);
        // A block that is up to a quarter too large is still a good fit.
        if (found != own.free_blocks.end() && found->first <= wanted + wanted / 4) {
            void* address = found->second;
            *capacity = found->first;
            own.held -= found->first;
            own.free_blocks.erase(found);
            return address;
        }
    }
    void* address = map_pages(wanted);
    if (address == nullptr) {   // the pool itself may hold what is missing
        pool_clear();
        address = map_pages(wanted);
    }
    *capacity = wanted;
    return address;
}

inline void pool_release(void* address, int64_t capacity) {
    if (capacity == 0) {
        free(address);
        return;
    }
    Pool& own = pool();
    {
        std::lock_guard<std::mutex> guard(own.lock);
        if (own.held + capacity <= own.limit) {
            own.free_blocks.emplace(capacity, address);
            own.held += capacity;
            return;
        }
    }
    munmap(address, (size_t)capacity);
}

inline void pool_limit(int64_t n_bytes) {
    {
        std::lock_guard<std::mutex> guard(pool().lock);
        pool().limit = n_bytes;
    }
    if (pool().held > n_bytes) pool_clear();
}

inline int64_t pool_held() { return pool().held; }

}  // namespace ff
