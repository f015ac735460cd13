// Runs of windows of one width, block by block: the plan of two stacks with its states in separate arrays and its merges in
// vector lanes. Blocks are as long as windows; a window is the end of one block and the beginning of the next.
#pragma once
#include <cmath>
#include <cstring>

#include "rolling_split.hpp"

namespace ff {

constexpr int64_t FEWEST_IN_BLOCKS = 64;   // windows of a run from which blocks pay
constexpr int64_t TILE = 1024;             // windows that are merged at a time

// Windows [values + k, values + k + width) for k below `n_windows`.
template <typename V, typename R>
struct BlockRun {
    const V* values;
    const int32_t* counts;   // values present before each; null where all are
    int64_t width, n_windows;
    int64_t enough;          // present values that a result needs
    int64_t ddof;
    bool rooted;
    R* out;
    uint8_t* present;
    double* scratch;         // of block_scratch(width) doubles
    double most, least;      // magnitudes of all values, see Magnitudes
};

// Windows of one chunk: whole blocks, of a tile together where blocks are short.
FF_INLINE int64_t chunk_windows(int64_t width) { return width >= TILE ? width : TILE / width * width; }
FF_INLINE int64_t block_scratch(int64_t width) { return 4 * (width >= TILE ? width : TILE); }

// One lane goes back from the end of a block, the other on from the beginning of the next.
typedef double lanes_t __attribute__((vector_size(16)));
typedef int64_t mask_t __attribute__((vector_size(16)));

FF_INLINE lanes_t both(double value) { return lanes_t{value, value}; }
FF_INLINE lanes_t only(mask_t mask, lanes_t lanes) { return (lanes_t)((mask_t)lanes & mask); }

FF_INLINE int64_t count_in(const int32_t* counts, int64_t window, int64_t width) { return counts[window + width] - counts[window]; }

// `Terms` says what is summed up and what comes of it.
template <class Terms, bool MISSING>
struct FloatBlocks {
    // False where some results would be too inexact; nothing counts then.
    static FF_INLINE bool run(const BlockRun<double, double>& run) {
        const int64_t width = run.width, chunk = chunk_windows(width);
        double* first = run.scratch;            // sums from a value to the end of its block
        double* second = first + chunk;
        double* before = second + chunk;        // sums from the beginning of the next block to before a value
        double* before_second = before + chunk;
        bool exact = true;
        for (int64_t done = 0; done < run.n_windows; done += chunk) {
            const int64_t n_windows = run.n_windows - done < chunk ? run.n_windows - done : chunk;
            const double* values = run.values + done;
            for (int64_t block = 0; block < n_windows; block += width) {
                const double* own = values + block;
                Terms terms(Terms::template origin<MISSING>(own, width));
                before[block] = before_second[block] = 0.0;
                const int64_t n_next = (n_windows - block < width ? n_windows - block : width) - 1;
                int64_t step = 0;
                for (; step < n_next; ++step) {
                    const int64_t back = width - 1 - step;
                    terms.template add<MISSING>(lanes_t{own[back], own[width + step]});
                    first[block + back] = terms.first[0], second[block + back] = terms.second[0];
                    before[block + step + 1] = terms.first[1], before_second[block + step + 1] = terms.second[1];
                }
                for (; step < width; ++step) {
                    const int64_t back = width - 1 - step;
                    terms.template add<MISSING>(lanes_t{own[back], 0.0});
                    first[block + back] = terms.first[0], second[block + back] = terms.second[0];
                }
            }
            for (int64_t tile = 0; tile < n_windows; tile += TILE) {
                const int64_t count = n_windows - tile < TILE ? n_windows - tile : TILE, at = done + tile;
                exact &= Terms::template finish<MISSING>(run, first + tile, second + tile, before + tile, before_second + tile,
                                                         MISSING ? run.counts + at : nullptr, count, run.out + at, run.present + at);
            }
        }
        return exact;
    }
};

// A compensated sum, see SumOf.
template <bool MEAN>
struct SumTerms {
    lanes_t first = {}, second = {};
    FF_INLINE explicit SumTerms(double) {}
    template <bool MISSING>
    static FF_INLINE double origin(const double*, int64_t) { return 0.0; }
    template <bool MISSING>
    FF_INLINE void add(lanes_t value) {
        if (MISSING) value = only(value == value, value);
        const lanes_t sum = first + value, back = sum - first;
        second += (first - (sum - back)) + (value - back);
        first = sum;
    }
    template <bool MISSING>
    static FF_INLINE bool finish(const BlockRun<double, double>& run, const double* first, const double* second, const double* before,
                                 const double* before_second, const int32_t* counts, int64_t count, double* out, uint8_t* present) {
        const double n = (double)run.width;
        for (int64_t at = 0; at < count; ++at) {
            const double sum = first[at] + before[at], exact = sum + (second[at] + before_second[at]);
            double value = exact == exact ? exact : sum;
            if (MEAN) value /= MISSING ? (double)count_in(counts, at, run.width) : n;
            out[at] = value;
        }
        for (int64_t at = 0; at < count; ++at) {
            bool has = out[at] == out[at];
            if (MISSING) has &= count_in(counts, at, run.width) >= run.enough;
            present[at] = has;
            if (MISSING) out[at] = has ? out[at] : 0.0;
        }
        return true;
    }
};

// Sums of deviations from a value near by, and of their squares. The value is one that all windows of a block have in common
// (or, where values are missing, most), so that squares are never much larger than the variance; where they are, the
// results are too inexact.
struct VarianceTerms {
    static constexpr double INEXACT_SHARE = 1.0 / (1 << 16);
    lanes_t first = {}, second = {}, center;
    FF_INLINE explicit VarianceTerms(double value) : center(both(value)) {}
    template <bool MISSING>
    static FF_INLINE double origin(const double* values, int64_t width) {
        if (!MISSING) return values[width - 1];
        for (int64_t at = width - 1; at >= 0; --at)
            if (values[at] - values[at] == 0.0) return values[at];   // finite
        return 0.0;
    }
    template <bool MISSING>
    FF_INLINE void add(lanes_t value) {
        lanes_t away = value - center;
        if (MISSING) away = only(value == value, away);
        first += away;
        second += away * away;
    }
    template <bool MISSING>
    static FF_INLINE bool finish(const BlockRun<double, double>& run, const double* first, const double* second, const double* before,
                                 const double* before_second, const int32_t* counts, int64_t count, double* out, uint8_t* present) {
        const double whole = (double)run.width, taken = (double)run.ddof;
        int64_t inexact = 0;
        for (int64_t at = 0; at < count; ++at) {
            const double n = MISSING ? (double)count_in(counts, at, run.width) : whole;
            const double sum = first[at] + before[at], squares = second[at] + before_second[at];
            const double left = squares - sum * sum / n;
            inexact |= left < squares * INEXACT_SHARE;
            out[at] = left / (n - taken);
        }
        if (run.rooted)
            for (int64_t at = 0; at < count; ++at) out[at] = std::sqrt(out[at]);
        const int64_t enough = run.enough > run.ddof ? run.enough : run.ddof + 1;
        for (int64_t at = 0; at < count; ++at) {
            bool has = out[at] == out[at];
            if (MISSING) has &= count_in(counts, at, run.width) >= enough;
            present[at] = has;
            out[at] = has ? out[at] : 0.0;
        }
        return inexact == 0;
    }
};

// Sums: exactly where the values allow it, else compensated.
template <bool MEAN, bool MISSING>
struct SumBlocks {
    static FF_INLINE bool run(const BlockRun<double, double>& run) {
        return SplitSums<MEAN, MISSING, false, BlockRun<double, double>>::run(run) || FloatBlocks<SumTerms<MEAN>, MISSING>::run(run);
    }
};

// Integers whose windows' sums fit 64 bits: there they may be taken out again.
template <typename T, bool MEAN, bool MISSING>
struct ExactBlocks {
    typedef typename ExactOf<T, MEAN>::result_t result_t;
    static FF_INLINE bool run(const BlockRun<int64_t, result_t>& run) {
        uint64_t largest = 0;
        const int64_t n_values = run.n_windows + run.width - 1;
        for (int64_t at = 0; at < n_values; ++at) {
            const uint64_t bits = (uint64_t)run.values[at];
            largest |= std::is_signed<T>::value ? bits ^ (uint64_t)(run.values[at] >> 63) : bits;   // at least half of the largest
        }
        if ((uint128_t)run.width * ((uint128_t)largest + 1) > (uint128_t)INT64_MAX) return false;
        uint64_t sum = 0;
        for (int64_t at = 0; at < run.width - 1; ++at) sum += (uint64_t)run.values[at];
        for (int64_t tile = 0; tile < run.n_windows; tile += TILE) {   // sums of a tile are still near when they are divided
            const int64_t stop = run.n_windows - tile < TILE ? run.n_windows : tile + TILE;
            for (int64_t at = tile; at < stop; ++at) {
                sum += (uint64_t)run.values[at + run.width - 1];
                run.out[at] = (result_t)(int64_t)sum;
                sum -= (uint64_t)run.values[at];
            }
            finish(run, tile, stop);
        }
        return true;
    }

    static FF_INLINE void finish(const BlockRun<int64_t, result_t>& run, int64_t start, int64_t stop) {
        if (!MISSING) {
            const result_t n = (result_t)run.width;
            if (MEAN) for (int64_t at = start; at < stop; ++at) run.out[at] /= n;
            std::memset(run.present + start, run.width >= run.enough, (size_t)(stop - start));
            return;
        }
        for (int64_t at = start; at < stop; ++at) {
            const int64_t n = count_in(run.counts, at, run.width);
            if (MEAN) run.out[at] = n > 0 ? run.out[at] / (result_t)n : 0;
            run.present[at] = n >= run.enough;
            run.out[at] = n >= run.enough ? run.out[at] : 0;
        }
    }
};

template <class Blocks, class Run>
bool blocks_baseline(const Run& run) { return Blocks::run(run); }

#if FF_WINDOWS_HAS_WIDE
template <class Blocks, class Run>
FF_WINDOWS_WIDE bool blocks_wide(const Run& run) { return Blocks::run(run); }
#endif

template <class Blocks, class Run>
inline bool run_blocks(const Run& run) {
#if FF_WINDOWS_HAS_WIDE
    if (__builtin_cpu_supports("avx2")) return blocks_wide<Blocks>(run);
#endif
    return blocks_baseline<Blocks>(run);
}

// The blocks of a kind of state; void where it has none.
template <class Agg, bool MISSING> struct BlocksOf { typedef void type; };
// Windows that begin at one place and gain a value each; void where they are walked.
template <class Agg, bool MISSING> struct GrowingOf { typedef void type; };
template <bool MEAN, bool MISSING> struct GrowingOf<SumOf<MEAN>, MISSING> {
    typedef SplitSums<MEAN, MISSING, true, BlockRun<double, double>> type;
};
template <bool MEAN, bool MISSING> struct BlocksOf<SumOf<MEAN>, MISSING> { typedef SumBlocks<MEAN, MISSING> type; };
template <bool MISSING> struct BlocksOf<VarianceOf, MISSING> { typedef FloatBlocks<VarianceTerms, MISSING> type; };
template <typename T, bool MEAN, bool MISSING> struct BlocksOf<ExactOf<T, MEAN>, MISSING> { typedef ExactBlocks<T, MEAN, MISSING> type; };

}  // namespace ff
