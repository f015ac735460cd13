// A pool of large blocks; see memory.pyx for why.
//
// Blocks that come back are kept in the order of their return. A request takes the smallest one that fits it well; when
// more than the limit is kept, the longest unused go back to the system. A handful of blocks are kept, so a vector that
// is searched from end to end is the fastest structure.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ff {

constexpr int64_t HUGE_PAGE = 2 << 20;
constexpr int64_t BLOCK_UNIT = 64 << 10;
constexpr int64_t SMALL_BLOCK = 1 << 20;       // below this malloc serves
constexpr int64_t LARGEST_BLOCK = 1LL << 46;   // above this no system has memory, and sizes could overflow
constexpr size_t ALIGNMENT = 64;               // what Arrow recommends; a cache line

struct FreeBlock {
    void* address;
    int64_t capacity;
};

struct Pool {
    std::mutex lock;
    std::vector<FreeBlock> free_blocks;   // the longest unused first
    int64_t held = 0;                     // the sum of their capacities
    int64_t limit = 128 << 20;
};

inline Pool& pool();

// The lock must not be held by a thread that a forked child lacks. The child also gives its copies of the free blocks
// back: writing to one would copy its pages first.
inline void before_fork() { pool().lock.lock(); }
inline void after_fork_in_parent() { pool().lock.unlock(); }
inline void after_fork_in_child() {
    Pool& own = pool();
    for (const FreeBlock& block : own.free_blocks) munmap(block.address, (size_t)block.capacity);
    own.free_blocks.clear();
    own.held = 0;
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

// Give the longest unused blocks back to the system until at most `most` bytes are held. The lock is held.
inline void shrink(Pool& own, int64_t most) {
    size_t n_gone = 0;
    while (own.held > most) {
        const FreeBlock& block = own.free_blocks[n_gone++];
        munmap(block.address, (size_t)block.capacity);
        own.held -= block.capacity;
    }
    own.free_blocks.erase(own.free_blocks.begin(), own.free_blocks.begin() + (int64_t)n_gone);
}

// A kept block of at least `wanted` bytes, and at most a quarter more: a larger one would waste memory.
inline bool take_free(int64_t wanted, FreeBlock* found) {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    auto best = own.free_blocks.end();
    for (auto block = own.free_blocks.begin(); block != own.free_blocks.end(); ++block) {
        if (block->capacity < wanted || block->capacity > wanted + wanted / 4) continue;
        if (best == own.free_blocks.end() || block->capacity <= best->capacity) best = block;
    }
    if (best == own.free_blocks.end()) return false;
    *found = *best;
    own.held -= best->capacity;
    own.free_blocks.erase(best);
    return true;
}

inline void pool_clear() {
    Pool& own = pool();
    std::lock_guard<std::mutex> guard(own.lock);
    shrink(own, 0);
}

// Memory for `n_bytes`, null where there is none; `capacity` is what pool_release must be told, 0 for malloc's.
inline void* pool_allocate(int64_t n_bytes, int64_t* capacity) {
    *capacity = 0;
    if (n_bytes < SMALL_BLOCK) {
        void* address = nullptr;
        return posix_memalign(&address, ALIGNMENT, n_bytes > 0 ? (size_t)n_bytes : 1) == 0 ? address : nullptr;
    }
    if (n_bytes > LARGEST_BLOCK) return nullptr;
    static const int64_t small_page = (int64_t)sysconf(_SC_PAGESIZE);
    // Not rounded to whole huge pages: the tail of a block comes in small pages, and fifty columns keep fifty megabytes.
    FreeBlock block{nullptr, round_up(n_bytes, small_page > BLOCK_UNIT ? small_page : BLOCK_UNIT)};
    if (!take_free(block.capacity, &block)) {
        block.address = map_block(block.capacity);
        if (block.address == nullptr) {   // the pool itself may hold what is missing
            pool_clear();
            block.address = map_block(block.capacity);
        }
    }
    *capacity = block.capacity;
    return block.address;
}

inline void pool_release(void* address, int64_t capacity) {
    if (capacity == 0) {
        free(address);
        return;
    }
    Pool& own = pool();
    {
        std::lock_guard<std::mutex> guard(own.lock);
        if (capacity <= own.limit) {
            try {
                own.free_blocks.push_back(FreeBlock{address, capacity});
                own.held += capacity;
                shrink(own, own.limit);
                return;
            } catch (const std::bad_alloc&) {   // no memory for the list: let go of the block itself
            }
        }
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

}  // namespace ff
