// What rolling and expanding windows keep of their values: a state that values are added to, and that merges with another.
//
// Each has `value_t` (what it reads), `state_t`, `result_t`, `COUNTS_ROWS` (whether missing values count for `min_periods`),
// `OF_NONE` (whether there is a result of no values),
// `identity`, `add`, `merged` and `finish`, which says whether there is a result. Nothing is ever subtracted.
#pragma once
#include <cmath>
#include <limits>

#include "rolling_source.hpp"

namespace ff {

// Of sums of squared deviations and of their products; false where one of the two does not vary.
inline bool correlation(double xx, double yy, double xy, double& out) {
    const double product = xx * yy;
    const double scale = std::isnormal(product) ? std::sqrt(product) : std::sqrt(xx) * std::sqrt(yy);
    if (!(scale > 0.0)) return false;
    out = xy / scale;
    out = out > 1.0 ? 1.0 : out < -1.0 ? -1.0 : out;
    return out == out;
}

// Counts are kept by the walk itself.
template <typename V>
struct CountOf {
    typedef V value_t;
    struct state_t {};
    typedef int64_t result_t;
    static constexpr bool COUNTS_ROWS = true, OF_NONE = true;
    static inline state_t identity() { return {}; }
    static inline void add(state_t&, V) {}
    static inline state_t merged(const state_t&, const state_t&) { return {}; }
    template <class Context>
    static inline bool finish(const state_t&, int64_t n, const Context&, int64_t& out, bool&) {
        out = n;
        return true;
    }
};

// Floating-point sums, compensated: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen"
// (1974), with the branch-free error of Knuth's two-sum. Infinite sums have no error to speak of.
template <bool MEAN>
struct SumOf {
    typedef double value_t;
    struct state_t {
        double sum, lost;
    };
    typedef double result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = !MEAN;
    static inline state_t identity() { return {0.0, 0.0}; }
    static inline double error_of(double sum, double left, double right) {
        const double back = sum - left;
        return (left - (sum - back)) + (right - back);
    }
    static inline void add(state_t& state, double value) {
        const double sum = state.sum + value;
        state.lost += error_of(sum, state.sum, value);
        state.sum = sum;
    }
    static inline state_t merged(const state_t& one, const state_t& other) {
        const double sum = one.sum + other.sum;
        return {sum, one.lost + other.lost + error_of(sum, one.sum, other.sum)};
    }
    template <class Context>
    static inline bool finish(const state_t& state, int64_t n, const Context&, double& out, bool&) {
        const double exact = state.sum + state.lost;
        out = exact == exact ? exact : state.sum;
        if (MEAN) out /= (double)n;   // of none: NaN
        return out == out;
    }
};

// Integers, exactly.
template <typename T, bool MEAN>
struct ExactOf {
    typedef int64_t value_t;
    typedef int128_t state_t;
    typedef typename std::conditional<MEAN, double, int64_t>::type result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = !MEAN;
    static inline state_t identity() { return 0; }
    static inline void add(state_t& state, int64_t value) { state += (T)value; }
    static inline state_t merged(state_t one, state_t other) { return one + other; }
    template <class Context>
    static inline bool finish(state_t state, int64_t n, const Context& ctx, result_t& out, bool& overflowed) {
        if constexpr (MEAN) {
            if (n == 0) return false;
            out = ((int64_t)state == state ? (double)(int64_t)state : (double)state) / (double)n;
        } else {
            out = (int64_t)(T)state;
            overflowed |= (state_t)(T)state != state && n >= ctx.min_periods;
        }
        return true;
    }
};

// Least and greatest; an identity never comes out, because windows without values have no result.
template <typename V, bool GREATEST>
struct ExtremeOf {
    typedef V value_t;
    typedef V state_t;
    typedef V result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = false;
    static inline V identity() {
        if constexpr (std::is_same<V, double>::value) {
            return GREATEST ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        } else {
            return GREATEST ? std::numeric_limits<V>::min() : std::numeric_limits<V>::max();
        }
    }
    static inline void add(V& state, V value) { state = merged(state, value); }
    static inline V merged(V one, V other) { return (GREATEST ? other > one : other < one) ? other : one; }
    template <class Context>
    static inline bool finish(V state, int64_t n, const Context&, V& out, bool&) {
        out = state;
        return n > 0;
    }
};

// Unsigned 64-bit values, in the order of signed ones.
template <bool GREATEST>
struct UnsignedExtremeOf : ExtremeOf<int64_t, GREATEST> {
    typedef ExtremeOf<int64_t, GREATEST> Base;
    static constexpr uint64_t TOP = (uint64_t)1 << 63;
    static inline void add(int64_t& state, int64_t value) { Base::add(state, (int64_t)((uint64_t)value ^ TOP)); }
    template <class Context>
    static inline bool finish(int64_t state, int64_t n, const Context&, int64_t& out, bool&) {
        out = (int64_t)((uint64_t)state ^ TOP);
        return n > 0;
    }
};

// Mean and sum of squared deviations: Welford, "Note on a method for calculating corrected sums of squares and products"
// (1962), merged as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm" (1979). The mean is kept as
// its distance from the first value added: a mean of large numbers could not hold the small steps that it takes.
struct VarianceOf {
    typedef double value_t;
    struct state_t {
        double n, origin, mean, squares;
    };
    typedef double result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = false;
    static inline state_t identity() { return {0.0, 0.0, 0.0, 0.0}; }
    static inline void add(state_t& state, double value) {
        state.origin = state.n == 0.0 ? value : state.origin;
        const double near = value - state.origin;
        state.n += 1.0;
        const double away = near - state.mean;
        state.mean += away * (1.0 / state.n);
        state.squares += away * (near - state.mean);
    }
    static inline state_t merged(const state_t& one, const state_t& other) {
        if (other.n == 0.0) return one;
        if (one.n == 0.0) return other;
        const double n = one.n + other.n, away = (other.origin - one.origin) + (other.mean - one.mean);
        const double share = other.n / n;
        return {n, one.origin, one.mean + away * share, one.squares + other.squares + away * away * (one.n * share)};
    }
    template <class Context>
    static inline bool finish(const state_t& state, int64_t n, const Context& ctx, double& out, bool&) {
        if (n <= ctx.ddof) return false;
        out = state.squares / (double)(n - ctx.ddof);
        if (ctx.rooted) out = std::sqrt(out);
        return out == out;
    }
};

// The same for products of two columns' deviations.
struct CovarianceOf {
    typedef Pair value_t;
    struct state_t {
        double n, origin_x, origin_y, x, y, xx, yy, xy;
    };
    typedef double result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = false;
    static inline state_t identity() { return {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}; }
    static inline void add(state_t& state, const Pair& value) {
        if (state.n == 0.0) state.origin_x = value.x, state.origin_y = value.y;
        state.n += 1.0;
        const double share = 1.0 / state.n;
        const double near_x = value.x - state.origin_x, near_y = value.y - state.origin_y;
        const double x = near_x - state.x, y = near_y - state.y;
        state.x += x * share;
        state.y += y * share;
        state.xx += x * (near_x - state.x);
        state.yy += y * (near_y - state.y);
        state.xy += x * (near_y - state.y);
    }
    static inline state_t merged(const state_t& one, const state_t& other) {
        if (other.n == 0.0) return one;
        if (one.n == 0.0) return other;
        const double n = one.n + other.n;
        const double x = (other.origin_x - one.origin_x) + (other.x - one.x), y = (other.origin_y - one.origin_y) + (other.y - one.y);
        const double share = other.n / n, weight = one.n * share;
        return {n, one.origin_x, one.origin_y, one.x + x * share, one.y + y * share, one.xx + other.xx + x * x * weight,
                one.yy + other.yy + y * y * weight, one.xy + other.xy + x * y * weight};
    }
    template <class Context>
    static inline bool finish(const state_t& state, int64_t n, const Context& ctx, double& out, bool&) {
        if (!ctx.rooted) {
            if (n <= ctx.ddof) return false;
            out = state.xy / (double)(n - ctx.ddof);
            return out == out;
        }
        return correlation(state.xx, state.yy, state.xy, out);
    }
};

}  // namespace ff
