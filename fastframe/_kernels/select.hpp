// The value of a rank among many, by bracketing: a bracket of values that holds the rank is narrowed by counting the values
// below a pivot, until few are left; these are collected and selected from.
//
// Counting and collecting are loops without branches on the values, at several values a cycle, where std::nth_element
// mispredicts at every other value: a group of a thousand doubles takes about an eighth of the time. Pivots interpolate
// between the ends of the bracket, which converges in two or three rounds for values that are spread evenly inside it
// (interpolation search); where a round does not halve the bracket, the next pivot is a sampled value (as in Floyd and
// Rivest, "Expected time bounds for selection", 1975), and a run of equal values is cut out as a whole. Where all that
// does not end in time, nth_element does it. The result is a value, not a place, so the path does not matter to it.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "cpu.hpp"
#include "kernel.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define FF_WIDE __attribute__((target("avx2,popcnt")))
#else
#define FF_WIDE
#endif

namespace ff {

constexpr int64_t FEWEST_BRACKETED = 64;   // with fewer values nth_element is as fast
constexpr int64_t FEW_LEFT = 24;           // values in a bracket from which on selecting costs less than another round
constexpr int MOST_ROUNDS = 40;
constexpr int SAMPLED = 64;                // probes for a sampled pivot

// The next value below or above; of floats in the order of their bits.
template <typename T>
inline T value_before(T value) {
    if constexpr (std::is_floating_point<T>::value) return std::nextafter(value, -std::numeric_limits<T>::infinity());
    else return (T)(value - 1);
}
template <typename T>
inline T value_after(T value) {
    if constexpr (std::is_floating_point<T>::value) return std::nextafter(value, std::numeric_limits<T>::infinity());
    else return (T)(value + 1);
}

// low + offset, for an offset from 0 to the distance of a larger value of the type.
template <typename T>
inline T moved(T low, double offset) {
    if constexpr (std::is_floating_point<T>::value) {
        return (T)((double)low + offset);
    } else {
        typedef typename std::make_unsigned<T>::type word_t;
        const double most = (double)std::numeric_limits<word_t>::max();
        return (T)((word_t)low + (offset >= most ? std::numeric_limits<word_t>::max() : (word_t)offset));
    }
}

// The three loops over all values, once for the baseline and once for wide vectors; the same source, the same results.
#define FF_SELECT_LOOPS(NAME, TARGET)                                                                     \
    struct NAME {                                                                                         \
        template <typename T>                                                                             \
        TARGET static int64_t below(const T* values, int64_t count, T pivot) {                            \
            typedef typename std::conditional<sizeof(T) == 8, int64_t, int32_t>::type count_t;            \
            count_t found = 0;                                                                            \
            for (int64_t at = 0; at < count; ++at) found += values[at] < pivot;                           \
            return (int64_t)found;                                                                        \
        }                                                                                                 \
        template <typename T>                                                                             \
        TARGET static void extremes(const T* values, int64_t count, T* least, T* greatest) {              \
            constexpr int LANES = 32 / (int)sizeof(T);                                                    \
            T low[LANES], high[LANES];                                                                    \
            for (int lane = 0; lane < LANES; ++lane) low[lane] = high[lane] = values[0];                  \
            int64_t at = 0;                                                                               \
            for (; at + LANES <= count; at += LANES) {                                                    \
                for (int lane = 0; lane < LANES; ++lane) {                                                \
                    const T value = values[at + lane];                                                    \
                    low[lane] = value < low[lane] ? value : low[lane];                                    \
                    high[lane] = value > high[lane] ? value : high[lane];                                 \
                }                                                                                         \
            }                                                                                             \
            for (; at < count; ++at) {                                                                    \
                low[0] = values[at] < low[0] ? values[at] : low[0];                                       \
                high[0] = values[at] > high[0] ? values[at] : high[0];                                    \
            }                                                                                             \
            for (int lane = 1; lane < LANES; ++lane) {                                                    \
                low[0] = low[lane] < low[0] ? low[lane] : low[0];                                         \
                high[0] = high[lane] > high[0] ? high[lane] : high[0];                                    \
            }                                                                                             \
            *least = low[0];                                                                              \
            *greatest = high[0];                                                                          \
        }                                                                                                 \
        template <typename T>                                                                             \
        TARGET static int64_t collect(const T* values, int64_t count, T low, T high, T* out) {            \
            int64_t found = 0;                                                                            \
            for (int64_t at = 0; at < count; ++at) {                                                      \
                const T value = values[at];                                                               \
                out[found] = value;   /* stays where it is counted */                                     \
                found += (int)(value >= low) & (int)(value <= high);                                      \
            }                                                                                             \
            return found;                                                                                 \
        }                                                                                                 \
    };
FF_SELECT_LOOPS(BaselineLoops, )
FF_SELECT_LOOPS(WideLoops, FF_WIDE)
#undef FF_SELECT_LOOPS

// Values at hand about one group, for all its ranks.
template <typename T>
struct Extent {
    T least, greatest;
};

// The values of `rank` and, where `both`, of `rank + 1`.
template <typename T>
struct Neighbours {
    T lower, upper;
};

template <typename T>
inline Neighbours<T> select_by_partition(T* values, int64_t count, int64_t rank, bool both) {
    std::nth_element(values, values + rank, values + count);
    const T lower = values[rank];
    return {lower, both ? *std::min_element(values + rank + 1, values + count) : lower};
}

// A value of the bracket whose rank is about `rank` of its `width` values; `low` where the sample has none.
template <typename T>
inline T sampled_pivot(const T* values, int64_t count, T low, T high, double share) {
    T sample[SAMPLED];
    int held = 0;
    const int64_t stride = count / SAMPLED;   // at least 1: FEWEST_BRACKETED
    for (int probe = 0; probe < SAMPLED; ++probe) {
        const T value = values[probe * stride];
        if (value < low || value > high) continue;
        int at = held++;
        for (; at > 0 && sample[at - 1] > value; --at) sample[at] = sample[at - 1];
        sample[at] = value;
    }
    return held ? sample[(int)(share * (double)(held - 1) + 0.5)] : low;
}

// `values` are reordered only where selection by partition takes over. No value is NaN.
template <typename T, class Loops>
inline Neighbours<T> select_neighbours(T* values, int64_t count, int64_t rank, bool both, const Extent<T>& extent) {
    if (count < FEWEST_BRACKETED) return select_by_partition(values, count, rank, both);
    T low = extent.least, high = extent.greatest;   // the bracket, with its ends
    int64_t below = 0, upto = count;                // values less than `low`, values up to `high`
    bool samples = !((double)high - (double)low <= std::numeric_limits<double>::max());
    for (int round = 0; upto - below > FEW_LEFT && low < high; ++round) {
        if (round == MOST_ROUNDS) return select_by_partition(values, count, rank, both);
        const double width = (double)(upto - below), before = (double)(rank - below), after = (double)(upto - 1 - rank);
        T pivot;
        if (samples) {
            pivot = sampled_pivot(values, count, low, high, before / width);
        } else {   // from the nearer end, a little past the rank, so that the bracket shrinks from both sides
            const double step = ((double)high - (double)low) / width, past = 0.5 * std::sqrt(width) + 2.0;
            const double offset = before < after ? step * (before + past) : step * (width - after - past);
            pivot = moved<T>(low, offset > 0.0 ? offset : 0.0);
        }
        if (!(pivot > low)) pivot = value_after(low);   // splits off the values equal to `low`
        if (pivot > high) pivot = high;
        const int64_t less = Loops::below(values, count, pivot);
        if (less <= rank) {
            low = pivot;
            below = less;
        } else {
            high = value_before(pivot);
            upto = less;
        }
        samples = 2.0 * (double)(upto - below) > width;
    }
    const bool inside = rank + 1 < upto;
    T lower = low;   // of a run of equal values
    if (low < high) {
        T kept[FEW_LEFT + 1];
        const int64_t n_kept = Loops::collect(values, count, low, high, kept);
        const Neighbours<T> found = select_by_partition(kept, n_kept, rank - below, both && inside);
        if (!both || inside) return found;
        lower = found.lower;
    }
    if (!both || inside) return {lower, lower};
    T next = extent.greatest;   // the least value above the bracket
    for (int64_t at = 0; at < count; ++at) next = values[at] > high && values[at] < next ? values[at] : next;
    return {lower, next};
}

}  // namespace ff
