// Exact dense codes in order of first appearance, by one small table per slice and a parallel unification.
//
// 1. encode: each slice numbers its own keys and leaves its distinct keys, bucketed by hash.
// 2. unify: each bucket is walked in slice order by one task; a key's home is the (slice, code) where it came first.
// 3. rank: each slice counts the keys that are at home there. The caller makes exclusive sums of the counts.
// 4. resolve: each slice turns its codes into final ones: the sum before the home slice plus the rank in it.
// Neither the codes nor the order of the distinct keys depend on slices or threads.
//
// A Source names the keys: `Key` (compared with ==), `Store` (what a slice keeps of its distinct keys where a Key is
// not the whole value), `hash_of`, `missing`, `key_at`, `same` (a row against a kept value), `keep`,
// `same_kept`.
#pragma once
#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#include "kernel.hpp"

namespace ff {

constexpr int UNIFY_BITS = 8;
constexpr int N_BUCKETS = 1 << UNIFY_BITS;
constexpr int KEY_BLOCK = 32;

template <class Source>
struct SliceTable {
    typedef typename Source::Key Key;
    struct Slot {
        Key key;
        code_t code;   // NULL_CODE: empty
    };
    struct Entry {
        Key key;
        code_t code;
        row_t row;     // the first row of the slice with this key
    };
    // What only the encoding of a slice needs; slices take it in turn, because fresh memory costs a fault per page.
    struct Scratch {
        std::vector<Slot> slots;
        std::vector<Entry> entries;   // distinct keys, by code
    };

    std::vector<Entry> entries;      // distinct keys, by (bucket of the hash, code)
    std::vector<uint32_t> buckets;   // where each bucket of entries starts
    std::vector<uint64_t> home;      // per code, slice << 32 | code of the key's first appearance
    std::vector<code_t> rank;        // per code at home here, its rank among those
    typename Source::Store store;

    static int bucket_of(const Key& key) { return (int)(Source::hash_of(key) >> (64 - UNIFY_BITS)); }

    code_t code_of(const Source& source, Scratch& scratch, const Key& key, int64_t row) {
        const size_t mask = scratch.slots.size() - 1;
        size_t slot = Source::hash_of(key) & mask;
        for (; scratch.slots[slot].code != NULL_CODE; slot = (slot + 1) & mask) {
            const Slot& seen = scratch.slots[slot];
            if (seen.key == key && source.same(store, seen.code, key, row)) return seen.code;
        }
        const code_t code = (code_t)scratch.entries.size();
        scratch.slots[slot] = Slot{key, code};
        scratch.entries.push_back(Entry{key, code, (row_t)row});
        source.keep(store, code, key, row);
        if (2 * scratch.entries.size() >= scratch.slots.size()) grow(scratch);
        return code;
    }

    static void grow(Scratch& scratch) {
        scratch.slots.assign(scratch.slots.size() * 4, Slot{Key(), NULL_CODE});
        const size_t mask = scratch.slots.size() - 1;
        for (const Entry& entry : scratch.entries) {
            size_t slot = Source::hash_of(entry.key) & mask;
            while (scratch.slots[slot].code != NULL_CODE) slot = (slot + 1) & mask;
            scratch.slots[slot] = Slot{entry.key, entry.code};
        }
    }

    // Leave the distinct keys sorted by bucket.
    void bucket(const std::vector<Entry>& by_code) {
        buckets.assign(N_BUCKETS + 1, 0);
        for (const Entry& entry : by_code) ++buckets[bucket_of(entry.key) + 1];
        for (int at = 0; at < N_BUCKETS; ++at) buckets[at + 1] += buckets[at];
        std::vector<uint32_t> next(buckets);
        entries.resize(by_code.size());
        for (const Entry& entry : by_code) entries[next[bucket_of(entry.key)]++] = entry;
        home.resize(entries.size());
        rank.resize(entries.size());
    }
};

template <class Source>
struct SliceTables {
    typedef typename SliceTable<Source>::Scratch Scratch;
    typedef typename SliceTable<Source>::Slot Slot;

    Source source;
    std::vector<SliceTable<Source>> slices;
    std::vector<Scratch> spare;   // of slices that are done
    std::mutex lock;              // of `spare`

    SliceTables(const Source& given, int64_t n_slices) : source(given), slices(n_slices) {}

    // Empty, and as large as an earlier slice grew it: slices of one column have about as many distinct keys.
    Scratch take_scratch() {
        Scratch scratch;
        {
            std::lock_guard<std::mutex> guard(lock);
            if (!spare.empty()) {
                scratch = std::move(spare.back());
                spare.pop_back();
            }
        }
        scratch.entries.clear();
        scratch.slots.assign(std::max<size_t>(1024, scratch.slots.size()), Slot{typename Source::Key(), NULL_CODE});
        return scratch;
    }
    void give_scratch(Scratch&& scratch) {
        std::lock_guard<std::mutex> guard(lock);
        spare.push_back(std::move(scratch));
    }
};

template <class Source>
struct SliceTablesContext {
    SliceTables<Source>* tables;   // in, out
    int64_t most;                  // in: give up (TOO_LONG) where a slice has more distinct keys than this
    code_t missing;                // in of resolve: final code of a missing row
    code_t* codes;                 // out of encode: codes of the slice (missing: NULL_CODE); out of resolve: final ones
    int64_t* counts;               // out of rank: per slice, keys at home there; in of resolve: keys before it
    row_t* first_rows;             // out of resolve: per final code
};

template <class Source>
int encode_slice(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SliceTablesContext<Source>& c = *(const SliceTablesContext<Source>*)ctx;
    typedef typename Source::Key Key;
    const Source& source = c.tables->source;
    SliceTable<Source>& table = c.tables->slices[slice];
    try {
        typename SliceTable<Source>::Scratch scratch = c.tables->take_scratch();
        Key keys[KEY_BLOCK];
        bool missing[KEY_BLOCK];
        for (int64_t block = start; block < stop; block += KEY_BLOCK) {
            const int count = stop - block < KEY_BLOCK ? (int)(stop - block) : KEY_BLOCK;
            for (int at = 0; at < count; ++at) {
                missing[at] = source.missing(block + at);
                keys[at] = source.key_at(block + at);
                const auto* slot = scratch.slots.data() + (Source::hash_of(keys[at]) & (scratch.slots.size() - 1));
                __builtin_prefetch(slot);
                __builtin_prefetch((const uint8_t*)(slot + 1) - 1);   // a slot may lie in two cache lines
            }
            for (int at = 0; at < count; ++at) {
                c.codes[block + at] = missing[at] ? NULL_CODE : table.code_of(source, scratch, keys[at], block + at);
            }
            if ((int64_t)scratch.entries.size() > c.most) return TOO_LONG;
        }
        table.bucket(scratch.entries);
        c.tables->give_scratch(std::move(scratch));
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// The keys of one bucket over all slices, each with its home.
template <class Source>
struct UnifyTable {
    typedef typename SliceTable<Source>::Entry Entry;
    struct Slot {
        typename Source::Key key;
        uint32_t slice;
        code_t code;   // NULL_CODE: empty
    };

    const std::vector<SliceTable<Source>>& slices;
    std::vector<Slot> slots;
    size_t n_keys = 0;

    explicit UnifyTable(const std::vector<SliceTable<Source>>& given) : slices(given) {}

    static Slot empty() { return Slot{typename Source::Key(), 0, NULL_CODE}; }

    void start(int64_t bucket) {
        size_t n_most = 0, size = 16;   // of the slices' shares; all of them together may be more
        for (const auto& table : slices) {
            n_most = std::max<size_t>(n_most, table.buckets[bucket + 1] - table.buckets[bucket]);
        }
        while (size < 2 * n_most) size *= 2;
        slots.assign(size, empty());
        n_keys = 0;
    }

    uint64_t home_of(const Entry& entry, uint32_t slice) {
        if (2 * n_keys >= slots.size()) grow();
        const size_t mask = slots.size() - 1;
        size_t slot = Source::hash_of(entry.key) & mask;
        for (; slots[slot].code != NULL_CODE; slot = (slot + 1) & mask) {
            const Slot& seen = slots[slot];
            if (seen.key == entry.key &&
                Source::same_kept(slices[seen.slice].store, seen.code, slices[slice].store, entry.code, entry.key)) {
                return (uint64_t)seen.slice << 32 | seen.code;
            }
        }
        slots[slot] = Slot{entry.key, slice, entry.code};
        ++n_keys;
        return (uint64_t)slice << 32 | entry.code;
    }

    void grow() {
        std::vector<Slot> old(slots.size() * 4, empty());
        old.swap(slots);
        const size_t mask = slots.size() - 1;
        for (const Slot& seen : old) {
            if (seen.code == NULL_CODE) continue;
            size_t slot = Source::hash_of(seen.key) & mask;
            while (slots[slot].code != NULL_CODE) slot = (slot + 1) & mask;
            slots[slot] = seen;
        }
    }
};

template <class Source>
int unify_buckets(void* ctx, int64_t start, int64_t stop, int64_t) {   // over buckets
    const SliceTablesContext<Source>& c = *(const SliceTablesContext<Source>*)ctx;
    std::vector<SliceTable<Source>>& slices = c.tables->slices;
    try {
        UnifyTable<Source> unified(slices);
        for (int64_t bucket = start; bucket < stop; ++bucket) {
            unified.start(bucket);
            for (size_t slice = 0; slice < slices.size(); ++slice) {
                SliceTable<Source>& table = slices[slice];
                for (uint32_t at = table.buckets[bucket]; at < table.buckets[bucket + 1]; ++at) {
                    table.home[table.entries[at].code] = unified.home_of(table.entries[at], (uint32_t)slice);
                }
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

template <class Source>
int rank_slice(void* ctx, int64_t start, int64_t stop, int64_t) {   // over slices
    const SliceTablesContext<Source>& c = *(const SliceTablesContext<Source>*)ctx;
    for (int64_t slice = start; slice < stop; ++slice) {
        SliceTable<Source>& table = c.tables->slices[slice];
        code_t n_home = 0;
        for (size_t code = 0; code < table.home.size(); ++code) {
            table.rank[code] = n_home;
            n_home += table.home[code] == ((uint64_t)slice << 32 | code);
        }
        c.counts[slice] = n_home;
    }
    return OK;
}

template <class Source>
int resolve_slice(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SliceTablesContext<Source>& c = *(const SliceTablesContext<Source>*)ctx;
    const SliceTable<Source>& table = c.tables->slices[slice];
    try {
        std::vector<code_t> final_code(table.home.size());
        bool changes = false;
        for (const auto& entry : table.entries) {
            const int64_t home_slice = (int64_t)(table.home[entry.code] >> 32);
            const code_t home_rank = c.tables->slices[home_slice].rank[(code_t)table.home[entry.code]];
            const code_t code = (code_t)c.counts[home_slice] + home_rank;
            if (home_slice == slice) c.first_rows[code] = entry.row;
            final_code[entry.code] = code;
            changes |= code != entry.code;
        }
        if (!changes && c.missing == NULL_CODE) return OK;
        for (int64_t row = start; row < stop; ++row) {
            const code_t code = c.codes[row];
            c.codes[row] = code == NULL_CODE ? c.missing : final_code[code];
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

enum SlicePhase : int { ENCODE = 0, UNIFY = 1, RANK = 2, RESOLVE = 3 };

template <class Source>
kernel_t slice_phase(int phase) {
    switch (phase) {
        case ENCODE: return encode_slice<Source>;
        case UNIFY: return unify_buckets<Source>;
        case RANK: return rank_slice<Source>;
        default: return resolve_slice<Source>;
    }
}

}  // namespace ff
