// The value of a rank among many, by bracketing: a bracket of values that holds the rank is narrowed by counting the values
// below a pivot, and collected once it is a small part of all, until few are left, which are compared with each other.
//
// All of these are loops without branches on the values, at several values a cycle, where std::nth_element mispredicts at
// every other value (measured in docs/plans/grouped_values.md). Pivots interpolate between the ends of the
// bracket, which converges in two or three rounds for values that are spread evenly inside it (interpolation search); where
// a round does not halve the bracket, the next pivot is of a sample of it (as in Floyd and Rivest, "Expected time bounds for
// selection", 1975), and a run of equal values is cut out as a whole. Where all that does not end in time, nth_element does
// it. The result is a value, not a place, so the path does not matter to it.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "select_loops.hpp"

namespace ff {

constexpr int64_t MOST_COMPARED = 32;   // so few values are compared with each other
constexpr int64_t MOST_KEPT = 256;      // so many of a bracket are collected, where that leaves a quarter of the values
constexpr int MOST_ROUNDS = 40;
constexpr int SAMPLED = 32;             // values of the bracket for a sampled pivot
constexpr int64_t MOST_PROBES = 256;    // values looked at for them

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

// Values at hand about one group, for all its ranks.
template <typename T>
struct Extent {
    T least, greatest;
};

template <typename T>
inline Neighbours<T> select_by_partition(T* values, int64_t count, int64_t rank, bool both) {
    std::nth_element(values, values + rank, values + count);
    const T lower = values[rank];
    return {lower, both ? *std::min_element(values + rank + 1, values + count) : lower};
}

// The values between `low` and `high`, and the rank looked for.
template <typename T>
struct Bracket {
    T low, high;
    int64_t below, upto, rank;   // values less than `low`, values up to `high`; the rank is from `below` on and before `upto`

    // Where a pivot should be among `drawn` values that are spread as the bracket's: from the nearer end a little past the
    // rank, so that the bracket shrinks from both sides.
    double aim(double drawn) const {
        const double share = drawn / (double)(upto - below);
        const int64_t before = rank - below, after = upto - 1 - rank;
        const double kept = (double)((before < after ? before : after) + 2) * share + 0.5 * std::sqrt(drawn);
        return before < after ? kept : drawn - kept;
    }
};

template <typename T>
inline T interpolated_pivot(const Bracket<T>& bracket) {
    const double width = (double)(bracket.upto - bracket.below);
    const double offset = ((double)bracket.high - (double)bracket.low) / width * bracket.aim(width);
    return moved<T>(bracket.low, offset > 0.0 ? offset : 0.0);
}

// A value of the bracket, by a sample of those that are evenly spaced.
template <typename T, class Loops>
inline T sampled_pivot(const T* values, int64_t count, const Bracket<T>& bracket) {
    T sample[SAMPLED + PADDING];
    int held = 0;
    const int64_t stride = count < MOST_PROBES ? 1 : count / MOST_PROBES;
    const int64_t step = stride * (MOST_PROBES / SAMPLED);   // in rounds, each between the probes of the last one
    for (int64_t first = 0; first < step && held < SAMPLED; first += stride) {
        for (int64_t at = first; at < count && held < SAMPLED; at += step) {
            sample[held] = values[at];
            held += (int)(values[at] >= bracket.low) & (int)(values[at] <= bracket.high);
        }
    }
    if (held == 0) {
        const T* at = values;
        while (*at < bracket.low || *at > bracket.high) ++at;
        return *at;
    }
    const int rank = (int)bracket.aim(held);
    return Loops::of_few(sample, held, rank < 0 ? 0 : rank < held ? rank : held - 1).lower;
}

// The values of `rank` and, where `both`, of `rank + 1`. `values` are reordered only where selection by partition takes
// over. No value is NaN.
template <typename T, class Loops>
inline Neighbours<T> select_neighbours(T* values, int64_t count, int64_t rank, bool both, const Extent<T>& extent) {
    T kept[MOST_KEPT + PADDING];
    if (count <= MOST_COMPARED) {
        memcpy(kept, values, (size_t)count * sizeof(T));
        return Loops::of_few(kept, (int)count, (int)rank);
    }
    Bracket<T> bracket{extent.least, extent.greatest, 0, count, rank};
    T next = extent.greatest;   // the value of `rank + 1`, where that is above the bracket
    bool samples = !((double)bracket.high - (double)bracket.low <= std::numeric_limits<double>::max());
    for (int round = 0; bracket.low < bracket.high; ++round) {
        const int64_t width = bracket.upto - bracket.below;
        if (width <= MOST_COMPARED || (width <= MOST_KEPT && width <= count / 4)) {
            if (both && bracket.rank + 1 == bracket.upto && bracket.upto < count) next = Loops::least_above(values, count, bracket.high);
            Loops::collect(values, count, bracket.low, bracket.high, kept);   // may be where they are
            bracket = {bracket.low, bracket.high, 0, width, bracket.rank - bracket.below};
            values = kept;
            count = width;
            if (width <= MOST_COMPARED) {
                Neighbours<T> found = Loops::of_few(kept, (int)width, (int)bracket.rank);
                if (bracket.rank + 1 == width) found.upper = next;
                return found;
            }
        }
        if (round == MOST_ROUNDS) {
            Neighbours<T> found = select_by_partition(values, count, bracket.rank, both && bracket.rank + 1 < count);
            if (bracket.rank + 1 == count) found.upper = next;
            return found;
        }
        T pivot = samples ? sampled_pivot<T, Loops>(values, count, bracket) : interpolated_pivot(bracket);
        if (!(pivot > bracket.low)) pivot = value_after(bracket.low);   // splits off the values equal to `low`
        if (pivot > bracket.high) pivot = bracket.high;
        const int64_t less = Loops::below(values, count, pivot);
        if (less <= bracket.rank) {
            bracket.low = pivot;
            bracket.below = less;
        } else {
            bracket.high = value_before(pivot);
            bracket.upto = less;
        }
        samples = 2 * (bracket.upto - bracket.below) > width;
    }
    const bool above = bracket.rank + 1 == bracket.upto;
    if (both && above && bracket.upto < count) next = Loops::least_above(values, count, bracket.high);
    return {bracket.low, above ? next : bracket.low};   // of a run of equal values
}

}  // namespace ff
