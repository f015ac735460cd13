// Ranks of values among sorted thresholds: how many thresholds are below the value.
//
// A branch-free binary search over 2^levels - 1 thresholds (padded with +inf), several values in lockstep: a search is a chain
// of loads and compares, and only its neighbours fill the wait. `x <= threshold[k]` iff `rank(x) <= k`.
#pragma once
#include "kernel.hpp"

namespace ff {

constexpr int RANK_LANES = 8;   // searches in lockstep; divides FRONT_ROWS

// NaN gets rank 0, or where MISSING_LAST the highest: it then is above all thresholds.
template <typename T, bool MISSING_LAST>
inline void rank_lanes(const T* values, const T* __restrict thresholds, int levels, uint32_t* __restrict ranks) {
    T x[RANK_LANES];
    uint32_t rank[RANK_LANES];
    for (int lane = 0; lane < RANK_LANES; ++lane) x[lane] = values[lane], rank[lane] = 0;
    for (int level = levels - 1; level >= 0; --level) {
        const T* middle = thresholds + (((uint32_t)1 << level) - 1);
        for (int lane = 0; lane < RANK_LANES; ++lane) {
            const T threshold = middle[rank[lane]];
            rank[lane] += (uint32_t)(MISSING_LAST ? !(x[lane] <= threshold) : x[lane] > threshold) << level;
        }
    }
    for (int lane = 0; lane < RANK_LANES; ++lane) ranks[lane] = rank[lane];
}

// `values` has room for, and `ranks` gets, `count` rounded up to whole lanes.
template <typename T>
inline void rank_block(const T* values, int count, const T* thresholds, int levels, bool missing_last, uint32_t* ranks) {
    for (int lane = 0; lane < count; lane += RANK_LANES) {
        if (missing_last) rank_lanes<T, true>(values + lane, thresholds, levels, ranks + lane);
        else rank_lanes<T, false>(values + lane, thresholds, levels, ranks + lane);
    }
}

}  // namespace ff
