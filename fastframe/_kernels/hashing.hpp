// Exact dense codes of 64-bit words by partitioned hashing, and probing of distinct words.
//
// Words come mixed (hash.hpp): the mixer is invertible, so a hash stands for its word. The top bits choose a partition,
// the next ones a slot. Rows are scattered to partitions in ascending order, each partition is numbered by one task in
// a table that fits the cache, and codes are read back in row order: the partitions' ids are consumed as sequential
// streams, so no row number travels. Prefetch-for-write before scattered stores (research/prototypes.md, lesson 2).
#pragma once
#include <new>
#include <vector>

#include "hash.hpp"
#include "kernel.hpp"
#include "slice_tables.hpp"

namespace ff {

constexpr int HASH_BLOCK = 64;
constexpr uint32_t FIRST_FLAG = 0x80000000u;   // on an id: the first row of its word

struct PartitionContext {
    const uint64_t* hashes;   // in: per row; NO_HASH has no code
    int32_t bits;             // in: log2 of the number of partitions, at least 1
    uint32_t* offsets;        // out of count, in of the others: per slice and partition, where its rows go
    uint64_t* scattered;      // out of scatter: hashes by partition, rows ascending; number moves distinct ones to the front
    const uint32_t* starts;   // in of number: per partition, its first position
    uint32_t* ids;            // out of number: per position, id within the partition, and FIRST_FLAG
    uint32_t* n_distinct;     // out of number: per partition
    const uint32_t* base;     // in of read back: per partition, codes before it
    code_t* codes;            // out of read back
    row_t* first_rows;        // out of read back: per code
};

inline int count_partitions(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const PartitionContext& c = *(const PartitionContext*)ctx;
    const int shift = 64 - c.bits;
    uint32_t* counts = c.offsets + (slice << c.bits);
    memset(counts, 0, sizeof(uint32_t) << c.bits);
    for (int64_t row = start; row < stop; ++row) {
        const uint64_t hash = c.hashes[row];
        counts[hash >> shift] += hash != NO_HASH;
    }
    return OK;
}

inline int scatter_hashes(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const PartitionContext& c = *(const PartitionContext*)ctx;
    const int shift = 64 - c.bits;
    try {
        const uint32_t* from = c.offsets + (slice << c.bits);
        std::vector<uint32_t> next(from, from + ((size_t)1 << c.bits));
        for (int64_t block = start; block < stop; block += HASH_BLOCK) {
            const int64_t end = block + HASH_BLOCK < stop ? block + HASH_BLOCK : stop;
            for (int64_t row = block; row < end; ++row) {
                __builtin_prefetch(c.scattered + next[c.hashes[row] >> shift], 1);
            }
            for (int64_t row = block; row < end; ++row) {
                const uint64_t hash = c.hashes[row];
                if (hash != NO_HASH) c.scattered[next[hash >> shift]++] = hash;
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// The ids of one partition: slots hold id + 1 (0 is empty), ids point at the distinct hashes in front of the partition.
struct PartitionTable {
    std::vector<uint32_t> slots;
    int log_slots = 0;

    void clear(int64_t n_rows) {
        const int64_t expected = n_rows < (1 << 14) ? n_rows : 1 << 14;
        log_slots = 4;
        while (((int64_t)1 << log_slots) < 2 * expected) ++log_slots;
        slots.assign((size_t)1 << log_slots, 0);
    }
    void grow(const uint64_t* distinct, uint32_t n_distinct, int bits) {
        ++log_slots;
        slots.assign((size_t)1 << log_slots, 0);
        const size_t mask = slots.size() - 1;
        for (uint32_t id = 0; id < n_distinct; ++id) {
            size_t slot = (distinct[id] << bits) >> (64 - log_slots);
            while (slots[slot] != 0) slot = (slot + 1) & mask;
            slots[slot] = id + 1;
        }
    }
    bool full(uint32_t n_distinct) const { return 2 * (size_t)n_distinct >= slots.size(); }
};

inline uint32_t number_partition(const PartitionContext& c, uint32_t start, uint32_t stop, PartitionTable& table) {
    uint64_t* distinct = c.scattered + start;   // grows in place: never ahead of the reading position
    uint32_t n_distinct = 0;
    table.clear(stop - start);
    for (uint32_t at = start; at < stop; ++at) {
        const uint64_t hash = c.scattered[at];
        const size_t mask = table.slots.size() - 1;
        size_t slot = (hash << c.bits) >> (64 - table.log_slots);
        while (table.slots[slot] != 0 && distinct[table.slots[slot] - 1] != hash) slot = (slot + 1) & mask;
        if (table.slots[slot] != 0) {
            c.ids[at] = table.slots[slot] - 1;
            continue;
        }
        table.slots[slot] = n_distinct + 1;
        distinct[n_distinct] = hash;
        c.ids[at] = n_distinct++ | FIRST_FLAG;
        if (table.full(n_distinct)) table.grow(distinct, n_distinct, c.bits);
    }
    return n_distinct;
}

inline int number_partitions(void* ctx, int64_t start, int64_t stop, int64_t) {   // over partitions
    const PartitionContext& c = *(const PartitionContext*)ctx;
    try {
        PartitionTable table;
        for (int64_t part = start; part < stop; ++part) {
            c.n_distinct[part] = number_partition(c, c.starts[part], c.starts[part + 1], table);
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline int read_back(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const PartitionContext& c = *(const PartitionContext*)ctx;
    const int shift = 64 - c.bits;
    try {
        const uint32_t* from = c.offsets + (slice << c.bits);
        std::vector<uint32_t> next(from, from + ((size_t)1 << c.bits));
        for (int64_t block = start; block < stop; block += HASH_BLOCK) {
            const int64_t end = block + HASH_BLOCK < stop ? block + HASH_BLOCK : stop;
            for (int64_t row = block; row < end; ++row) __builtin_prefetch(c.ids + next[c.hashes[row] >> shift]);
            for (int64_t row = block; row < end; ++row) {
                const uint64_t hash = c.hashes[row];
                if (hash == NO_HASH) {
                    c.codes[row] = NULL_CODE;
                    continue;
                }
                const uint64_t part = hash >> shift;
                const uint32_t id = c.ids[next[part]++];
                const code_t code = c.base[part] + (id & ~FIRST_FLAG);
                c.codes[row] = code;
                if (id & FIRST_FLAG) c.first_rows[code] = (row_t)row;
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// ---- a table of distinct words, for joins -------------------------------------------------------------------------

struct ProbeSlot {
    uint64_t hash;
    code_t code;   // NULL_CODE: empty
    uint32_t unused;
};

struct TableContext {
    const uint64_t* scattered;   // in of fill: hashes by partition, the distinct ones in front
    const uint32_t* starts;      // in of fill: per partition, its first position in `scattered`
    const uint32_t* n_distinct;  // in of fill
    const uint32_t* base;        // in of fill: per partition, codes before it
    int32_t bits;                // in: log2 of the number of partitions
    const uint64_t* slot_starts; // in: per partition (and one more), its first slot; each partition has an empty one
    ProbeSlot* slots;            // out of fill, in of probe
    const uint64_t* hashes;      // in of probe
    code_t* codes;               // out of probe: NULL_CODE where the word is not in the table
};

inline uint64_t probe_start(const TableContext& c, uint64_t hash, uint64_t size) {
    return ((hash << c.bits) >> 32) * size >> 32;   // the next 32 bits, scaled to the size
}

inline int fill_table(void* ctx, int64_t start, int64_t stop, int64_t) {   // over partitions
    const TableContext& c = *(const TableContext*)ctx;
    for (int64_t part = start; part < stop; ++part) {
        ProbeSlot* slots = c.slots + c.slot_starts[part];
        const uint64_t size = c.slot_starts[part + 1] - c.slot_starts[part];
        for (uint64_t slot = 0; slot < size; ++slot) slots[slot] = {0, NULL_CODE, 0};
        for (uint32_t id = 0; id < c.n_distinct[part]; ++id) {
            const uint64_t hash = c.scattered[c.starts[part] + id];
            uint64_t slot = probe_start(c, hash, size);
            while (slots[slot].code != NULL_CODE) slot = slot + 1 == size ? 0 : slot + 1;
            slots[slot] = {hash, c.base[part] + id, 0};
        }
    }
    return OK;
}

inline int probe_table(void* ctx, int64_t start, int64_t stop, int64_t) {
    const TableContext& c = *(const TableContext*)ctx;
    const int shift = 64 - c.bits;
    for (int64_t block = start; block < stop; block += HASH_BLOCK) {
        const int64_t end = block + HASH_BLOCK < stop ? block + HASH_BLOCK : stop;
        for (int64_t row = block; row < end; ++row) {
            const uint64_t hash = c.hashes[row];
            const uint64_t* bounds = c.slot_starts + (hash >> shift);
            __builtin_prefetch(c.slots + bounds[0] + probe_start(c, hash, bounds[1] - bounds[0]));
        }
        for (int64_t row = block; row < end; ++row) {
            const uint64_t hash = c.hashes[row];
            const uint64_t* bounds = c.slot_starts + (hash >> shift);
            const ProbeSlot* slots = c.slots + bounds[0];
            const uint64_t size = bounds[1] - bounds[0];
            uint64_t slot = probe_start(c, hash, size);
            while (slots[slot].code != NULL_CODE && slots[slot].hash != hash) slot = slot + 1 == size ? 0 : slot + 1;
            c.codes[row] = slots[slot].code;   // NO_HASH is never in the table
        }
    }
    return OK;
}

// ---- few distinct words: tables per slice -------------------------------------------------------------------------

struct WordSource {
    const uint64_t* hashes;   // in

    typedef uint64_t Key;
    struct Store {};          // a word is its own value

    static uint64_t hash_of(Key key) { return key; }
    bool missing(int64_t row) const { return hashes[row] == NO_HASH; }
    Key key_at(int64_t row) const { return hashes[row]; }
    bool same(const Store&, code_t, Key, int64_t) const { return true; }
    void keep(Store&, code_t, Key, int64_t) const {}
    static bool same_kept(const Store&, code_t, const Store&, code_t, Key) { return true; }
};

}  // namespace ff
