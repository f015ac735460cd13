// Text to dictionary codes (exact, any length), and the bytewise rank of a dictionary's values.
//
// A text of up to 15 bytes is its own key: its bytes and length in two words, compared as integers. A longer one has a
// 64-bit hash and its length as key, and is compared with a copy of the distinct value in an arena that is small enough
// for the cache (research/prototypes.md (e): 2.5 times faster than comparing with the source row). The rest is
// slice_tables.hpp. Hashing after wyhash (Wang Yi, public domain): a weak hash costs more than it saves on ids.
#pragma once
#include <algorithm>
#include <vector>

#include "hash.hpp"
#include "kernel.hpp"
#include "slice_tables.hpp"

namespace ff {

struct TextView {
    const uint8_t* offsets;    // at row 0
    const uint8_t* data;       // at byte 0
    const uint8_t* validity;
    int64_t bit_offset;
    int64_t length;
};

// A short text's bytes and, in the top byte of `high`, its length; or a long text's hash, 0xFF and its length.
struct TextKey {
    uint64_t low, high;
    bool operator==(const TextKey& other) const { return low == other.low && high == other.high; }
    bool is_long() const { return (high >> 56) == 0xFF; }
    uint64_t length() const { return is_long() ? high & LENGTH_MASK : high >> 56; }
    static constexpr uint64_t LENGTH_MASK = ((uint64_t)1 << 56) - 1;
};

constexpr uint64_t SECRET_LOW = 0xA0761D6478BD642Full;
constexpr uint64_t SECRET_HIGH = 0xE7037ED1A0B428DBull;
constexpr int64_t SHORT_TEXT = 15;   // most bytes of a text that is its own key

inline uint64_t low_bytes(uint64_t word, int64_t count) {   // the first `count` (at most 8) bytes of a word
    return count >= 8 ? word : count <= 0 ? 0 : word & (((uint64_t)1 << (8 * count)) - 1);
}

inline uint64_t long_text_hash(const uint8_t* text, int64_t length) {
    uint64_t hash = (uint64_t)length;
    int64_t at = 0;
    for (; at + 16 < length; at += 16) {
        hash = fold(load<uint64_t>(text + at, 0) ^ SECRET_LOW ^ hash, load<uint64_t>(text + at + 8, 0) ^ SECRET_HIGH);
    }
    const uint8_t* last = text + length - 16;   // overlaps what was read; a long text has 16 bytes
    return fold(load<uint64_t>(last, 0) ^ SECRET_LOW ^ hash, load<uint64_t>(last + 8, 0) ^ SECRET_HIGH);
}

template <typename OFFSET>
struct TextSource {
    TextView view;      // in
    int64_t data_end;   // in: bytes of `data` that belong to the rows

    typedef TextKey Key;
    struct Store {
        std::vector<uint64_t> starts;   // per code of a long text, where its bytes start in the arena
        std::vector<uint8_t> arena;
        const uint8_t* at(code_t code) const { return arena.data() + starts[code]; }
    };

    static TextSource of(const TextView& view) {
        return {view, view.length > 0 ? (int64_t)load<OFFSET>(view.offsets, view.length) : 0};
    }

    static uint64_t hash_of(const Key& key) { return fold(key.low ^ SECRET_LOW, key.high ^ SECRET_HIGH); }

    int64_t offset(int64_t row) const { return (int64_t)load<OFFSET>(view.offsets, row); }

    bool missing(int64_t row) const {
        return view.validity != nullptr && !bit_at(view.validity, view.bit_offset + row);
    }

    Key key_at(int64_t row) const {
        const int64_t start = offset(row), length = offset(row + 1) - start;
        const uint8_t* text = view.data + start;
        if (length > SHORT_TEXT) return {long_text_hash(text, length), (uint64_t)0xFF << 56 | (uint64_t)length};
        uint64_t low = 0, high = 0;
        if (start + 16 <= data_end) {
            low = low_bytes(load<uint64_t>(text, 0), length);
            high = low_bytes(load<uint64_t>(text, 1), length - 8);
        } else {
            for (int64_t byte = 0; byte < length; ++byte) {
                (byte < 8 ? low : high) |= (uint64_t)text[byte] << (8 * (byte & 7));
            }
        }
        return {low, high | (uint64_t)length << 56};
    }

    bool same(const Store& store, code_t code, const Key& key, int64_t row) const {
        return !key.is_long() || memcmp(store.at(code), view.data + offset(row), key.length()) == 0;
    }
    void keep(Store& store, code_t code, const Key& key, int64_t row) const {
        if (!key.is_long()) return;
        store.starts.resize((size_t)code + 1);
        store.starts[code] = store.arena.size();
        const uint8_t* text = view.data + offset(row);
        store.arena.insert(store.arena.end(), text, text + key.length());
    }
    static bool same_kept(const Store& left, code_t left_code, const Store& right, code_t right_code, const Key& key) {
        return !key.is_long() || memcmp(left.at(left_code), right.at(right_code), key.length()) == 0;
    }
};

// ---- ranks --------------------------------------------------------------------------------------------------------

// A value by its first eight bytes behind the prefix that all values share, big-endian so that order is bytewise.
struct RankKey {
    uint64_t word;
    int64_t row;
};

struct RankContext {
    TextView view;        // in: no nulls
    int64_t prefix;       // in of the others: bytes that all values share
    int64_t* prefixes;    // out of shared_prefix: per slice
    RankKey* keys;        // in, out: sorted in runs
    RankKey* merged;      // out of merge_runs
    int64_t run_rows;     // in of merge_runs: rows of a sorted run
    int32_t* ranks;       // out of write_ranks
};

template <typename OFFSET>
struct TextOrder {
    const TextView& view;
    int64_t prefix;

    int64_t start(int64_t row) const { return (int64_t)load<OFFSET>(view.offsets, row); }
    int64_t length(int64_t row) const { return start(row + 1) - start(row); }

    uint64_t word(int64_t row) const {
        const uint8_t* text = view.data + start(row) + prefix;
        const int64_t rest = length(row) - prefix;
        uint64_t word = 0;
        for (int byte = 0; byte < 8; ++byte) word = word << 8 | (byte < rest ? text[byte] : 0);
        return word;
    }
    bool operator()(const RankKey& left, const RankKey& right) const {
        if (left.word != right.word) return left.word < right.word;
        const int64_t left_length = length(left.row), right_length = length(right.row);
        const int64_t both = left_length < right_length ? left_length : right_length;
        if (both > prefix) {
            const uint8_t* rest = view.data + prefix;   // of both, behind what they share
            const int order = memcmp(rest + start(left.row), rest + start(right.row), both - prefix);
            if (order != 0) return order < 0;
        }
        return left_length < right_length;
    }
};

template <typename OFFSET>
int shared_prefix(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RankContext& c = *(const RankContext*)ctx;
    const TextOrder<OFFSET> order{c.view, 0};
    const uint8_t* first = c.view.data + order.start(0);
    int64_t shared = order.length(0);
    for (int64_t row = start; row < stop; ++row) {
        const uint8_t* text = c.view.data + order.start(row);
        if (order.length(row) < shared) shared = order.length(row);
        int64_t byte = 0;
        while (byte < shared && text[byte] == first[byte]) ++byte;
        shared = byte;
    }
    c.prefixes[slice] = shared;
    return OK;
}

template <typename OFFSET>
int sort_runs(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RankContext& c = *(const RankContext*)ctx;
    const TextOrder<OFFSET> order{c.view, c.prefix};
    for (int64_t row = start; row < stop; ++row) c.keys[row] = {order.word(row), row};
    std::sort(c.keys + start, c.keys + stop, order);   // values are unique: no need to be stable
    return OK;
}

template <typename OFFSET>
int merge_runs(void* ctx, int64_t start, int64_t stop, int64_t) {   // over pairs of runs
    const RankContext& c = *(const RankContext*)ctx;
    const TextOrder<OFFSET> order{c.view, c.prefix};
    for (int64_t pair = start; pair < stop; ++pair) {
        const int64_t left = 2 * pair * c.run_rows;
        const int64_t middle = std::min(left + c.run_rows, c.view.length);
        const int64_t right = std::min(middle + c.run_rows, c.view.length);
        std::merge(c.keys + left, c.keys + middle, c.keys + middle, c.keys + right, c.merged + left, order);
    }
    return OK;
}

inline int write_ranks(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RankContext& c = *(const RankContext*)ctx;
    for (int64_t rank = start; rank < stop; ++rank) c.ranks[c.keys[rank].row] = (int32_t)rank;
    return OK;
}

enum RankPhase : int { SHARED_PREFIX = 0, SORT_RUNS = 1, MERGE_RUNS = 2, WRITE_RANKS = 3 };

template <typename OFFSET>
kernel_t rank_phase_of(int phase) {
    switch (phase) {
        case SHARED_PREFIX: return shared_prefix<OFFSET>;
        case SORT_RUNS: return sort_runs<OFFSET>;
        case MERGE_RUNS: return merge_runs<OFFSET>;
        default: return write_ranks;
    }
}

inline kernel_t rank_phase(int phase, bool large) {
    return large ? rank_phase_of<int64_t>(phase) : rank_phase_of<int32_t>(phase);
}

}  // namespace ff
