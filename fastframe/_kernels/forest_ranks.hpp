// Ranks of values among sorted thresholds: how many thresholds are below the value. `x <= threshold[k]` iff `rank(x) <= k`.
//
// A value's cell in a grid, `(x - low) * scale` cut to a whole number and clamped, says how many thresholds lie in lower cells; a
// branch-free binary search among the few of its own cell does the rest. It is exact whatever the arithmetic rounds to: each
// operation is monotone and thresholds were put into cells by the same ones, so a threshold in a lower cell is below the value
// and one in a higher cell is above it; that is also why the search may look past its cell. Where thresholds are too clustered
// for a grid (fastframe/predict/engines/grid.py decides) the search goes over all of them. With AVX2 there is no search within a
// cell: the value is compared with four or eight thresholds at a time, and those below it are counted.
#pragma once
#include "cpu.hpp"
#include "kernel.hpp"

#if defined(__x86_64__) && defined(__SSE4_2__) && defined(__GNUC__)
#define FASTFRAME_X86_RANKS 1
#include <immintrin.h>
#else
#define FASTFRAME_X86_RANKS 0
#endif

namespace ff {

template <typename T>
struct Ranking {
    const T* thresholds;       // ascending; +inf up to where the search may look
    const uint16_t* starts;    // per cell: thresholds in lower ones; null: no grid
    T low, scale, last_cell;
    int levels;                // 2^levels - 1 is at least as many as any cell holds
    bool missing_last;         // NaN gets the highest rank, else 0
    bool wide;                 // AVX2 may be used; gives the same ranks
};

// +inf after the thresholds: what a search over 2^levels - 1 of them, or a count of 2^MOST_LEVELS, may look at.
constexpr int RANK_PADDING = 16;

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

#if FASTFRAME_X86_RANKS
inline bool wide_ranks() { return has_avx2(); }

struct WideDouble {
    typedef double T;
    static constexpr int LANES = 4;
    template <bool MISSING_LAST>
    __attribute__((target("avx2"))) static void cells(const Ranking<double>& ranking, const double* values, int32_t* out) {
        const __m256d zero = _mm256_setzero_pd(), last = _mm256_set1_pd(ranking.last_cell);
        const __m256d low = _mm256_set1_pd(ranking.low), scale = _mm256_set1_pd(ranking.scale);
        __m256d cell = _mm256_mul_pd(_mm256_sub_pd(_mm256_loadu_pd(values), low), scale);
        if (MISSING_LAST) cell = _mm256_max_pd(_mm256_min_pd(cell, last), zero);   // the second operand where the first is NaN
        else cell = _mm256_min_pd(_mm256_max_pd(cell, zero), last);
        _mm_storeu_si128((__m128i*)out, _mm256_cvttpd_epi32(cell));
    }
    template <bool MISSING_LAST>
    __attribute__((target("avx2,popcnt"))) static uint32_t below(double value, const double* thresholds) {
        constexpr int compare = MISSING_LAST ? _CMP_NLE_UQ : _CMP_GT_OQ;
        return (uint32_t)_mm_popcnt_u32((unsigned)_mm256_movemask_pd(_mm256_cmp_pd(_mm256_set1_pd(value), _mm256_loadu_pd(thresholds), compare)));
    }
};

struct WideFloat {
    typedef float T;
    static constexpr int LANES = 8;
    template <bool MISSING_LAST>
    __attribute__((target("avx2"))) static void cells(const Ranking<float>& ranking, const float* values, int32_t* out) {
        const __m256 zero = _mm256_setzero_ps(), last = _mm256_set1_ps(ranking.last_cell);
        const __m256 low = _mm256_set1_ps(ranking.low), scale = _mm256_set1_ps(ranking.scale);
        __m256 cell = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(values), low), scale);
        if (MISSING_LAST) cell = _mm256_max_ps(_mm256_min_ps(cell, last), zero);
        else cell = _mm256_min_ps(_mm256_max_ps(cell, zero), last);
        _mm256_storeu_si256((__m256i*)out, _mm256_cvttps_epi32(cell));
    }
    template <bool MISSING_LAST>
    __attribute__((target("avx2,popcnt"))) static uint32_t below(float value, const float* thresholds) {
        constexpr int compare = MISSING_LAST ? _CMP_NLE_UQ : _CMP_GT_OQ;
        return (uint32_t)_mm_popcnt_u32((unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_set1_ps(value), _mm256_loadu_ps(thresholds), compare)));
    }
};

// `count` is a multiple of RANK_LANES; cells hold at most VECTORS * LANES thresholds.
template <typename Wide, bool MISSING_LAST, int VECTORS>
__attribute__((target("avx2,popcnt"))) inline void count_in_cells(const Ranking<typename Wide::T>& ranking, const typename Wide::T* values, int count, uint32_t* ranks) {
    alignas(32) int32_t cells[RANK_LANES];
    for (int first = 0; first < count; first += RANK_LANES) {
        for (int lane = 0; lane < RANK_LANES; lane += Wide::LANES) Wide::template cells<MISSING_LAST>(ranking, values + first + lane, cells + lane);
#pragma GCC unroll 8
        for (int lane = 0; lane < RANK_LANES; ++lane) {
            uint32_t rank = ranking.starts[cells[lane]];
            const typename Wide::T* thresholds = ranking.thresholds + rank;
#pragma GCC unroll 4
            for (int vector = 0; vector < VECTORS; ++vector)
                rank += Wide::template below<MISSING_LAST>(values[first + lane], thresholds + vector * Wide::LANES);
            ranks[first + lane] = rank;
        }
    }
}

template <typename Wide, bool MISSING_LAST>
inline void rank_wide(const Ranking<typename Wide::T>& ranking, const typename Wide::T* values, int count, uint32_t* ranks) {
    const int rounded = (count + RANK_LANES - 1) / RANK_LANES * RANK_LANES;
    const int most = 1 << ranking.levels;
    if (most <= Wide::LANES) count_in_cells<Wide, MISSING_LAST, 1>(ranking, values, rounded, ranks);
    else if (most <= 2 * Wide::LANES) count_in_cells<Wide, MISSING_LAST, 2>(ranking, values, rounded, ranks);
    else count_in_cells<Wide, MISSING_LAST, (1 << MOST_LEVELS) / Wide::LANES>(ranking, values, rounded, ranks);
}

template <bool MISSING_LAST>
inline void rank_wide_values(const Ranking<double>& ranking, const double* values, int count, uint32_t* ranks) {
    rank_wide<WideDouble, MISSING_LAST>(ranking, values, count, ranks);
}

template <bool MISSING_LAST>
inline void rank_wide_values(const Ranking<float>& ranking, const float* values, int count, uint32_t* ranks) {
    rank_wide<WideFloat, MISSING_LAST>(ranking, values, count, ranks);
}
#else
inline bool wide_ranks() { return false; }

template <bool MISSING_LAST, typename T>
inline void rank_wide_values(const Ranking<T>&, const T*, int, uint32_t*) {}
#endif

template <typename T, bool MISSING_LAST>
inline void rank_values(const Ranking<T>& ranking, const T* values, int count, uint32_t* ranks) {
    if (ranking.levels > MOST_LEVELS) {
        for (int lane = 0; lane < count; lane += RANK_LANES) search_many<T, MISSING_LAST>(ranking, values + lane, ranks + lane);
        return;
    }
    if (ranking.wide && ranking.starts != nullptr) {
        rank_wide_values<MISSING_LAST>(ranking, values, count, ranks);
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
