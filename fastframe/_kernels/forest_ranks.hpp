// Ranks of values among sorted thresholds: how many thresholds are below the value. `x <= threshold[k]` iff `rank(x) <= k`.
//
// A value's cell in a grid, `(x - low) * scale` cut to a whole number and clamped, says how many thresholds lie in lower cells; a
// branch-free binary search among the few of its own cell does the rest. It is exact whatever the arithmetic rounds to: each
// operation is monotone and thresholds were put into cells by the same ones, so a threshold in a lower cell is below the value
// and one in a higher cell is above it; that is also why the search may look past its cell. Where thresholds are too clustered
// for a grid (fastframe/predict/engines/grid.py decides) the search goes over all of them.
#pragma once
#include "kernel.hpp"

namespace ff {

template <typename T>
struct Ranking {
    const T* thresholds;       // ascending; +inf up to where the search may look
    const uint16_t* starts;    // per cell: thresholds in lower ones; null: no grid
    T low, scale, last_cell;
    int levels;                // 2^levels - 1 is at least as many as any cell holds
    bool missing_last;         // NaN gets the highest rank, else 0
};

constexpr int MOST_LEVELS = 4;   // that are unrolled
constexpr int RANK_LANES = 8;    // longer searches in lockstep: one fills the waits of another; divides FRONT_ROWS

template <bool MISSING_LAST, typename T>
inline uint32_t is_above(T value, T threshold) {
    return MISSING_LAST ? !(value <= threshold) : value > threshold;
}

template <typename T, bool MISSING_LAST>
inline void find_cells(const Ranking<T>& ranking, const T* __restrict values, int count, int32_t* __restrict cells) {
    const T low = ranking.low, scale = ranking.scale, last = ranking.last_cell;
    for (int lane = 0; lane < count; ++lane) {
        T cell = (values[lane] - low) * scale;
        if (MISSING_LAST) {
            cell = cell < last ? cell : last;   // NaN: the last one
            cell = cell > 0 ? cell : 0;
        } else {
            cell = cell > 0 ? cell : 0;         // NaN: the first one
            cell = cell < last ? cell : last;
        }
        cells[lane] = (int32_t)cell;
    }
}

template <typename T, bool MISSING_LAST, int LEVELS>
inline void search_few(const Ranking<T>& ranking, const T* values, int count, uint32_t* ranks) {
    const T* thresholds = ranking.thresholds;
    for (int lane = 0; lane < count; ++lane) {
        const T value = values[lane];
        uint32_t rank = ranks[lane];
#pragma GCC unroll 4
        for (int level = LEVELS - 1; level >= 0; --level) {
            const uint32_t half = (uint32_t)1 << level;
            rank += is_above<MISSING_LAST>(value, thresholds[rank + half - 1]) << level;
        }
        ranks[lane] = rank;
    }
}

template <typename T, bool MISSING_LAST>
inline void search_many(const Ranking<T>& ranking, const T* values, uint32_t* __restrict ranks) {
    T x[RANK_LANES];
    uint32_t rank[RANK_LANES];
    for (int lane = 0; lane < RANK_LANES; ++lane) x[lane] = values[lane], rank[lane] = 0;
    for (int level = ranking.levels - 1; level >= 0; --level) {
        const T* middle = ranking.thresholds + (((uint32_t)1 << level) - 1);
        for (int lane = 0; lane < RANK_LANES; ++lane) rank[lane] += is_above<MISSING_LAST>(x[lane], middle[rank[lane]]) << level;
    }
    for (int lane = 0; lane < RANK_LANES; ++lane) ranks[lane] = rank[lane];
}

template <typename T, bool MISSING_LAST>
inline void rank_values(const Ranking<T>& ranking, const T* values, int count, uint32_t* ranks) {
    if (ranking.levels > MOST_LEVELS) {
        for (int lane = 0; lane < count; lane += RANK_LANES) search_many<T, MISSING_LAST>(ranking, values + lane, ranks + lane);
        return;
    }
    if (ranking.starts != nullptr) {
        int32_t* cells = (int32_t*)ranks;
        find_cells<T, MISSING_LAST>(ranking, values, count, cells);
        for (int lane = 0; lane < count; ++lane) ranks[lane] = ranking.starts[cells[lane]];
    } else {
        memset(ranks, 0, (size_t)count * sizeof(uint32_t));
    }
    switch (ranking.levels) {
        case 1: search_few<T, MISSING_LAST, 1>(ranking, values, count, ranks); break;
        case 2: search_few<T, MISSING_LAST, 2>(ranking, values, count, ranks); break;
        case 3: search_few<T, MISSING_LAST, 3>(ranking, values, count, ranks); break;
        case 4: search_few<T, MISSING_LAST, 4>(ranking, values, count, ranks); break;
        default: break;   // no threshold
    }
}

// `values` has room for `count` rounded up to whole lanes, and so has `ranks`.
template <typename T>
inline void rank_block(const Ranking<T>& ranking, const T* values, int count, uint32_t* ranks) {
    if (ranking.missing_last) rank_values<T, true>(ranking, values, count, ranks);
    else rank_values<T, false>(ranking, values, count, ranks);
}

}  // namespace ff
