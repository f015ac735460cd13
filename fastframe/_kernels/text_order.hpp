// The bytewise rank of a dictionary's values: runs are sorted, then merged in pairs, on the first bytes that differ.
#pragma once
#include <algorithm>

#include "kernel.hpp"
#include "text_view.hpp"

namespace ff {

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
