// Exact dense codes of 64-bit words by hashing, and probing of distinct words.
//
// Words come mixed (hash.hpp): the mixer is invertible, so a hash stands for its word.
//
// Where all distinct words fit a table in the cache, every thread looks its rows up in one shared table: words are only
// ever put in, by compare-and-swap. Which slots of a linearly probed table are taken does not depend on the order of
// insertion, nor does the set of words in a run of taken slots; so slots, with each run sorted by hash, give ids that
// depend on the words alone.
//
// Else the top bits choose a partition, the next ones a slot. Rows are scattered to partitions in ascending order, each
// partition is numbered by one task in a table that fits the cache, and codes are read back in row order: the partitions'
// ids are consumed as sequential streams, so no row number travels. Prefetch-for-write before scattered stores
// (research/prototypes.md, lesson 2).
#pragma once
#include <algorithm>
#include <new>
#include <vector>

#include "code_source.hpp"
#include "hash.hpp"
#include "kernel.hpp"
#include "prefetch.hpp"

namespace ff {

constexpr int HASH_BLOCK = 64;
constexpr uint32_t FIRST_FLAG = 0x80000000u;   // on an id: the first row of its word

// ---- one table for all rows -----------------------------------------------------------------------------------------

struct TableNumberContext {
    PackContext pack;       // in: of the keys, without outputs
    uint64_t* slots;        // in, out: hashes; NO_HASH is empty
    code_t* codes;          // out: per row its slot, NULL_CODE where there is no key
    int64_t* n_distinct;    // in, out
    int64_t most;           // in: give up (TOO_LONG) where there are more distinct words; at most half of the slots
    int64_t log_slots;      // in
};

inline int number_in_table(void* ctx, int64_t start, int64_t stop, int64_t) {
    const TableNumberContext& c = *(const TableNumberContext*)ctx;
    const uint64_t mask = ((uint64_t)1 << c.log_slots) - 1;
    const int shift = (int)(64 - c.log_slots);
    PackBlock<uint64_t> block;
    for (int64_t base = start; base < stop; base += PACK_BLOCK) {
        if (__atomic_load_n(c.n_distinct, __ATOMIC_RELAXED) > c.most) return TOO_LONG;
        const int count = stop - base < PACK_BLOCK ? (int)(stop - base) : PACK_BLOCK;
        uint64_t* words = pack_block(c.pack, base, count, block);
        for (int at = 0; at < count; ++at) words[at] = mix(c.pack.may_drop && block.dead[at] ? NO_WORD : words[at]);
        int64_t n_new = 0;
        for (int from = 0; from < count; from += HASH_BLOCK) {
            const int to = from + HASH_BLOCK < count ? from + HASH_BLOCK : count;
            for (int at = from; at < to; ++at) __builtin_prefetch(c.slots + (words[at] >> shift));
            for (int at = from; at < to; ++at) {
                const uint64_t hash = words[at];
                if (hash == NO_HASH) {
                    c.codes[base + at] = NULL_CODE;
                    continue;
                }
                uint64_t slot = hash >> shift;
                for (;; slot = (slot + 1) & mask) {
                    uint64_t seen = __atomic_load_n(c.slots + slot, __ATOMIC_RELAXED);
                    if (seen == hash) break;
                    if (seen != NO_HASH) continue;
                    if (__atomic_compare_exchange_n(c.slots + slot, &seen, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
                        ++n_new;
                        break;
                    }
                    if (seen == hash) break;
                }
                c.codes[base + at] = (code_t)slot;
            }
        }
        if (n_new > 0) __atomic_fetch_add(c.n_distinct, n_new, __ATOMIC_RELAXED);
    }
    return OK;
}

struct SlotContext {
    const uint64_t* slots;   // in
    int64_t log_slots;       // in
    int64_t* counts;         // out of count, in of number: per slice, words whose run begins before the slice
    code_t* ids;             // out of number: per taken slot its word's id
    uint64_t* words;         // out of number: per id
};

struct SlotRuns {
    const SlotContext& c;
    uint64_t mask;

    explicit SlotRuns(const SlotContext& given) : c(given), mask(((uint64_t)1 << given.log_slots) - 1) {}
    bool taken(uint64_t slot) const { return c.slots[slot & mask] != NO_HASH; }
    bool begins(uint64_t slot) const { return taken(slot) && !taken(slot - 1); }
};

inline int count_slots(void* ctx, int64_t start, int64_t stop, int64_t slice) {   // over slots
    const SlotContext& c = *(const SlotContext*)ctx;
    const SlotRuns runs(c);
    int64_t count = 0;
    for (int64_t slot = start; slot < stop; ++slot) {
        if (!runs.begins((uint64_t)slot)) continue;
        uint64_t end = (uint64_t)slot;
        while (runs.taken(end)) ++end;
        count += (int64_t)end - slot;
        slot = (int64_t)end - 1;
    }
    c.counts[slice] = count;
    return OK;
}

inline int number_slots(void* ctx, int64_t start, int64_t stop, int64_t slice) {   // over slots
    const SlotContext& c = *(const SlotContext*)ctx;
    const SlotRuns runs(c);
    int64_t id = c.counts[slice];
    try {
        std::vector<std::pair<uint64_t, uint64_t>> run;   // hash and slot
        for (int64_t slot = start; slot < stop; ++slot) {
            if (!runs.begins((uint64_t)slot)) continue;
            run.clear();
            uint64_t end = (uint64_t)slot;
            for (; runs.taken(end); ++end) run.emplace_back(c.slots[end & runs.mask], end & runs.mask);
            std::sort(run.begin(), run.end());
            for (const auto& one : run) {
                c.words[id] = unmix(one.first);
                c.ids[one.second] = (code_t)id++;
            }
            slot = (int64_t)end - 1;
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// ---- partitions -----------------------------------------------------------------------------------------------------

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
    row_t* first_rows;        // out of read back, or null: per code
    uint64_t* words;          // out of list: per code
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
                prefetch_to_write(c.scattered + next[c.hashes[row] >> shift]);
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
                if (id & FIRST_FLAG && c.first_rows != nullptr) c.first_rows[code] = (row_t)row;
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline int list_words(void* ctx, int64_t start, int64_t stop, int64_t) {   // over partitions
    const PartitionContext& c = *(const PartitionContext*)ctx;
    for (int64_t part = start; part < stop; ++part) {
        const uint64_t* distinct = c.scattered + c.starts[part];
        uint64_t* words = c.words + c.base[part];
        for (uint32_t id = 0; id < c.n_distinct[part]; ++id) words[id] = unmix(distinct[id]);
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
    uint64_t* filter;            // out of fill (cleared before), in of probe: bits of the hashes in the table; null: none
    uint64_t filter_mask;        // in: its number of bits, a power of two, less 1
    PackContext pack;            // in of probe: the keys, without outputs
    code_t* codes;               // out of probe: NULL_CODE where the key is not in the table, or there is none
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
            if (c.filter == nullptr) continue;
            const uint64_t bit = hash & c.filter_mask;
            __atomic_fetch_or(c.filter + bit / 64, (uint64_t)1 << (bit % 64), __ATOMIC_RELAXED);
        }
    }
    return OK;
}

// The slot at which the search for a hash begins is fetched for a few rows before the first of them is looked up.
inline void probe_hashes(const TableContext& c, const uint64_t* hashes, int count, code_t* codes) {
    const int shift = 64 - c.bits;
    const ProbeSlot* first[HASH_BLOCK];
    for (int at = 0; at < count; ++at) {
        const uint64_t* bounds = c.slot_starts + (hashes[at] >> shift);
        first[at] = c.slots + bounds[0] + probe_start(c, hashes[at], bounds[1] - bounds[0]);
        __builtin_prefetch(first[at]);
    }
    for (int at = 0; at < count; ++at) {
        const ProbeSlot* slot = first[at];
        const uint64_t hash = hashes[at];
        while (slot->code != NULL_CODE && slot->hash != hash) {
            const uint64_t* bounds = c.slot_starts + (hash >> shift);
            slot = slot + 1 == c.slots + bounds[1] ? c.slots + bounds[0] : slot + 1;
        }
        codes[at] = slot->code;   // NO_HASH is never in the table
    }
}

// The same where most hashes are not in the table: one bit of an L1 cache tells so of nearly all of these.
inline void probe_filtered(const TableContext& c, const uint64_t* hashes, int count, code_t* codes) {
    uint64_t kept[HASH_BLOCK];
    code_t kept_codes[HASH_BLOCK];
    uint8_t places[HASH_BLOCK];
    int n_kept = 0;
    for (int at = 0; at < count; ++at) {
        const uint64_t bit = hashes[at] & c.filter_mask;
        codes[at] = NULL_CODE;
        kept[n_kept] = hashes[at];
        places[n_kept] = (uint8_t)at;
        n_kept += (int)(c.filter[bit / 64] >> (bit % 64) & 1);
    }
    probe_hashes(c, kept, n_kept, kept_codes);
    for (int at = 0; at < n_kept; ++at) codes[places[at]] = kept_codes[at];
}

// Over rows: their keys are packed, mixed and looked up block by block; hashes never leave the L1 cache.
inline int probe_keys(void* ctx, int64_t start, int64_t stop, int64_t) {
    const TableContext& c = *(const TableContext*)ctx;
    PackBlock<uint64_t> block;
    for (int64_t base = start; base < stop; base += PACK_BLOCK) {
        const int count = stop - base < PACK_BLOCK ? (int)(stop - base) : PACK_BLOCK;
        uint64_t* words = block.word;
        if (!checked_digits(c.pack.parts, c.pack.n_parts, base, count, NO_WORD, words)) {
            words = pack_block(c.pack, base, count, block);
            for (int at = 0; c.pack.may_drop && at < count; ++at) words[at] = block.dead[at] ? NO_WORD : words[at];
        }
        for (int at = 0; at < count; ++at) words[at] = mix(words[at]);
        for (int at = 0; at < count; at += HASH_BLOCK) {
            const int n_rows = count - at < HASH_BLOCK ? count - at : HASH_BLOCK;
            code_t* codes = c.codes + base + at;
            if (c.filter) {
                probe_filtered(c, words + at, n_rows, codes);
            } else {
                probe_hashes(c, words + at, n_rows, codes);
            }
        }
    }
    return OK;
}

}  // namespace ff
