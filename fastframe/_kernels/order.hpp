// Rows in the order of their group codes: a stable counting sort, in one pass or, for many groups, in two.
//
// One pass: a histogram per slice, a prefix over (group, slice), a scatter. Each slice then knows where its rows of each
// group go, so the result is stable and the same for any number of threads. The scatter computes a block of
// destinations and prefetches them for writing before it writes (1.5 to 2 times faster, see the prototypes' lesson 2).
// Two passes: the same scatter into at most a few thousand partitions by the codes' high bits, then each partition, which
// fits the cache, is counted and scattered by one thread (radix partitioning as in Manegold, Boncz and Kersten, 2002).
#pragma once
#include <algorithm>
#include <new>
#include <vector>

#include "group_codes.hpp"
#include "prefetch.hpp"

namespace ff {

// Slots are groups, or partitions of groups: `code >> shift`. The last slot takes the rows to be left out.
struct SlotCounts {
    GroupCodes codes;       // in
    uint32_t* counts;       // out: n_slices x n_slots, rows of the slice in each slot
    int64_t n_slots;
    int shift;
};

inline int64_t slot_of(code_t code, int shift, int64_t last_slot) {
    const int64_t slot = code >> shift;
    return slot < last_slot ? slot : last_slot;
}

inline int count_slots(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SlotCounts& in = *(const SlotCounts*)ctx;
    uint32_t* counts = in.counts + slice * in.n_slots;
    memset(counts, 0, (size_t)in.n_slots * sizeof(uint32_t));
    code_t code[CODE_BLOCK];
    for (int64_t block = start; block < stop; block += CODE_BLOCK) {
        const int count = (int)std::min<int64_t>(CODE_BLOCK, stop - block);
        read_codes(in.codes, block, count, code);
        for (int lane = 0; lane < count; ++lane) ++counts[slot_of(code[lane], in.shift, in.n_slots - 1)];
    }
    return OK;
}

// Runs over slots: turns each slice's count into the rows of earlier slices in that slot, and sums the slots up.
struct SlotTotals {
    uint32_t* counts;       // in, out
    int32_t* totals;        // out: n_slots
    int64_t n_slots;
    int64_t n_slices;
};

inline int total_slots(void* ctx, int64_t start, int64_t stop, int64_t) {
    const SlotTotals& in = *(const SlotTotals*)ctx;
    std::fill(in.totals + start, in.totals + stop, 0);
    for (int64_t slice = 0; slice < in.n_slices; ++slice) {
        uint32_t* counts = in.counts + slice * in.n_slots;
        for (int64_t slot = start; slot < stop; ++slot) {
            const int32_t before = in.totals[slot];
            in.totals[slot] += (int32_t)counts[slot];
            counts[slot] = (uint32_t)before;
        }
    }
    return OK;
}

// Writes what `make(row, code)` gives to the row's place; rows of the last slot are left out where DROPS.
template <bool DROPS, typename Item, typename Make>
inline void scatter_slots(const SlotCounts& in, const int32_t* starts, Item* items, int64_t start, int64_t stop,
                          int64_t slice, Make make) {
    uint32_t* next = in.counts + slice * in.n_slots;
    const int64_t last_slot = in.n_slots - 1;
    for (int64_t slot = 0; slot < last_slot; ++slot) next[slot] += (uint32_t)starts[slot];
    code_t code[CODE_BLOCK];
    uint32_t places[CODE_BLOCK];
    int lanes[CODE_BLOCK];
    for (int64_t block = start; block < stop; block += CODE_BLOCK) {
        const int count = (int)std::min<int64_t>(CODE_BLOCK, stop - block);
        read_codes(in.codes, block, count, code);
        int kept = 0;
        for (int lane = 0; lane < count; ++lane) {
            const int64_t slot = slot_of(code[lane], in.shift, last_slot);
            const uint32_t place = next[slot]++;
            places[kept] = place;
            if (DROPS) {
                lanes[kept] = lane;
                if (slot < last_slot) {
                    prefetch_to_write(items + place);
                    ++kept;
                }
            } else {
                prefetch_to_write(items + place);
                ++kept;
            }
        }
        for (int lane = 0; lane < kept; ++lane) {
            const int from = DROPS ? lanes[lane] : lane;
            items[places[lane]] = make((row_t)(block + from), code[from]);
        }
    }
}

struct SlotScatter {
    SlotCounts slots;         // in: counts as `total_slots` left them
    const int32_t* starts;    // in: first place of each slot
    void* items;              // out: rows (row_t), or words of low code bits and row (uint64_t)
};

template <bool DROPS>
inline int scatter_rows(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SlotScatter& in = *(const SlotScatter*)ctx;
    scatter_slots<DROPS>(in.slots, in.starts, (row_t*)in.items, start, stop, slice, [](row_t row, code_t) { return row; });
    return OK;
}

template <bool DROPS>
inline int scatter_words(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SlotScatter& in = *(const SlotScatter*)ctx;
    const code_t low_bits = ((code_t)1 << in.slots.shift) - 1;
    scatter_slots<DROPS>(in.slots, in.starts, (uint64_t*)in.items, start, stop, slice,
                         [low_bits](row_t row, code_t code) { return (uint64_t)(code & low_bits) << 32 | (uint32_t)row; });
    return OK;
}

// Runs over partitions, one thread each: the second pass.
struct PartitionOrder {
    const uint64_t* words;              // in: grouped by partition
    const int32_t* partition_starts;    // in: n_partitions + 1
    row_t* rows;                        // out
    int32_t* offsets;                   // out: n_groups + 1; this kernel writes entries 1 to n_groups
    int64_t n_groups;
    int shift;
};

inline int order_partitions(void* ctx, int64_t start, int64_t stop, int64_t) {
    const PartitionOrder& in = *(const PartitionOrder*)ctx;
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t first_group = partition << in.shift;
        const int64_t n_groups = std::min(((int64_t)1 << in.shift), in.n_groups - first_group);
        const int32_t first = in.partition_starts[partition], last = in.partition_starts[partition + 1];
        // A group's start goes where its end belongs; the scatter then moves each start to its end.
        int32_t* places = in.offsets + first_group + 1;
        memset(places, 0, (size_t)n_groups * sizeof(int32_t));
        for (int32_t at = first; at < last; ++at) ++places[in.words[at] >> 32];
        int32_t next = first;
        for (int64_t group = 0; group < n_groups; ++group) {
            const int32_t count = places[group];
            places[group] = next;
            next += count;
        }
        for (int32_t at = first; at < last; ++at) in.rows[places[in.words[at] >> 32]++] = (row_t)(uint32_t)in.words[at];
    }
    return OK;
}

inline kernel_t scatter_rows_kernel(bool drops) { return drops ? scatter_rows<true> : scatter_rows<false>; }
inline kernel_t scatter_words_kernel(bool drops) { return drops ? scatter_words<true> : scatter_words<false>; }

}  // namespace ff
