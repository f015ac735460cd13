// Loops over values that a selection is made of: without branches on the values, for the baseline and for wide vectors.
#pragma once
#include <limits>
#include <type_traits>

#include "compact.hpp"
#include "cpu.hpp"
#include "kernel.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define FASTFRAME_WIDE_SELECT 1
#else
#define FASTFRAME_WIDE_SELECT 0
#endif

namespace ff {

constexpr int PADDING = 64;   // values behind a few that whole vectors may write

// The values of `rank` and, where there is one, of `rank + 1`.
template <typename T>
struct Neighbours {
    T lower, upper;
};

// An integer as wide as T: what a comparison of T gives in a vector.
template <int BYTES> struct MaskOf;
template <> struct MaskOf<1> { typedef int8_t type; };
template <> struct MaskOf<2> { typedef int16_t type; };
template <> struct MaskOf<4> { typedef int32_t type; };
template <> struct MaskOf<8> { typedef int64_t type; };

template <typename T>
inline T lowest_value() {
    return std::is_floating_point<T>::value ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}

template <typename T>
inline T highest_value() {
    return std::is_floating_point<T>::value ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

// The loops over values, once for the baseline and once for wide vectors; the same source, the same results.
#define FF_SELECT_LOOPS(NAME, TARGET, BYTES)                                                              \
    struct NAME {                                                                                         \
        template <typename T>                                                                             \
        TARGET static int64_t below(const T* values, int64_t count, T pivot) {                            \
            typedef typename std::conditional<sizeof(T) == 8, int64_t, int32_t>::type count_t;            \
            count_t found = 0;                                                                            \
            for (int64_t at = 0; at < count; ++at) found += values[at] < pivot;                           \
            return (int64_t)found;                                                                        \
        }                                                                                                 \
        /* How many are less than `low`, up to it, less than `high`, up to it; and how many are not NaN. */\
        template <typename T>                                                                             \
        TARGET static void around(const T* values, int64_t count, T low, T high, int64_t* found) {        \
            typedef typename std::conditional<sizeof(T) == 8, int64_t, int32_t>::type count_t;            \
            count_t below_low = 0, upto_low = 0, below_high = 0, upto_high = 0, numbers = 0;              \
            for (int64_t at = 0; at < count; ++at) {                                                      \
                const T value = values[at];                                                               \
                below_low += value < low;                                                                 \
                upto_low += value <= low;                                                                 \
                below_high += value < high;                                                               \
                upto_high += value <= high;                                                               \
                numbers += value == value;                                                                \
            }                                                                                             \
            found[0] = (int64_t)below_low;                                                                \
            found[1] = (int64_t)upto_low;                                                                 \
            found[2] = (int64_t)below_high;                                                               \
            found[3] = (int64_t)upto_high;                                                                \
            found[4] = (int64_t)numbers;                                                                  \
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
        /* The least value above `bound`, of which there is one. */                                       \
        template <typename T>                                                                             \
        TARGET static T least_above(const T* values, int64_t count, T bound) {                            \
            T least = highest_value<T>();                                                                 \
            for (int64_t at = 0; at < count; ++at) {                                                      \
                const T value = values[at] > bound ? values[at] : highest_value<T>();                     \
                least = value < least ? value : least;                                                    \
            }                                                                                             \
            return least;                                                                                 \
        }                                                                                                 \
        /* Of few values, each compared with all: the greatest with at most `rank` values below it. */    \
        template <typename T>                                                                             \
        TARGET static Neighbours<T> of_few(T* values, int count, int rank) {                              \
            typedef typename MaskOf<sizeof(T)>::type mask_t;                                              \
            typedef T lanes_t __attribute__((vector_size(BYTES)));                                        \
            typedef T loaded_t __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));        \
            typedef mask_t masks_t __attribute__((vector_size(BYTES)));                                   \
            constexpr int LANES = BYTES / (int)sizeof(T);                                                 \
            const int padded = (count + 2 * LANES - 1) / (2 * LANES) * (2 * LANES);                       \
            for (int at = count; at < padded; ++at) values[at] = values[0];                               \
            lanes_t lower = {}, upper;                                                                    \
            lower += lowest_value<T>();                                                                   \
            upper = lower;                                                                                \
            for (int at = 0; at < padded; at += 2 * LANES) {                                              \
                const lanes_t own[2] = {*(const loaded_t*)(values + at), *(const loaded_t*)(values + at + LANES)};\
                masks_t less[2] = {};                                                                     \
                for (int other = 0; other < count; ++other) {                                             \
                    less[0] -= own[0] > values[other];   /* a true lane is -1 */                          \
                    less[1] -= own[1] > values[other];                                                    \
                }                                                                                         \
                for (int half = 0; half < 2; ++half) {                                                    \
                    const masks_t up_to = (less[half] <= (mask_t)rank) & (own[half] > lower);             \
                    const masks_t past = (less[half] <= (mask_t)(rank + 1)) & (own[half] > upper);        \
                    lower = up_to ? own[half] : lower;                                                    \
                    upper = past ? own[half] : upper;                                                     \
                }                                                                                         \
            }                                                                                             \
            Neighbours<T> found{lower[0], upper[0]};                                                      \
            for (int lane = 1; lane < LANES; ++lane) {                                                    \
                found.lower = lower[lane] > found.lower ? lower[lane] : found.lower;                      \
                found.upper = upper[lane] > found.upper ? upper[lane] : found.upper;                      \
            }                                                                                             \
            return found;                                                                                 \
        }                                                                                                 \
    };
FF_SELECT_LOOPS(BaselineCounts, , 16)
#if FASTFRAME_WIDE_SELECT
FF_SELECT_LOOPS(WideCounts, __attribute__((target("avx2,popcnt"))), 32)
#endif
#undef FF_SELECT_LOOPS

// Values from `low` to `high`, which are few; `out` has room for PADDING more, and for values left out.
template <typename T>
inline int64_t collect_one_by_one(const T* values, int64_t count, T low, T high, T* out) {
    int64_t found = 0;
    for (int64_t at = 0; at < count; ++at) {
        const T value = values[at];
        out[found] = value;   // stays where it is counted
        found += (int)(value >= low) & (int)(value <= high);
    }
    return found;
}

struct BaselineLoops : BaselineCounts {
    template <typename T>
    static int64_t collect(const T* values, int64_t count, T low, T high, T* out) {
        return collect_one_by_one(values, count, low, high, out);
    }
};

#if FASTFRAME_WIDE_SELECT
struct WideLoops : WideCounts {
    // Lanes inside go to the front of a vector that is stored as a whole (as the filter's Avx2Compact4 and Avx2Compact8).
    template <typename T>
    __attribute__((target("avx2,popcnt"))) static int64_t collect(const T* values, int64_t count, T low, T high, T* out) {
        constexpr int LANES = 32 / (int)sizeof(T);
        int64_t found = 0, at = 0;
        if constexpr (sizeof(T) >= 4) {
            typedef T lanes_t __attribute__((vector_size(32)));
            for (; at + LANES <= count; at += LANES) {
                lanes_t own;
                memcpy(&own, values + at, 32);
                const auto inside = (own >= low) & (own <= high);
                __m256i words, lanes;
                unsigned kept;
                memcpy(&words, &own, 32);
                if constexpr (sizeof(T) == 8) {
                    kept = (unsigned)_mm256_movemask_pd((__m256d)inside);
                    lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)PAIRS.of[kept]));
                } else {
                    kept = (unsigned)_mm256_movemask_ps((__m256)inside);
                    lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)POSITIONS.of[kept]));
                }
                _mm256_storeu_si256((__m256i*)(out + found), _mm256_permutevar8x32_epi32(words, lanes));
                found += __builtin_popcount(kept);
            }
        }
        return found + collect_one_by_one(values + at, count - at, low, high, out + found);
    }
};
#else
typedef BaselineLoops WideLoops;
#endif

}  // namespace ff
