// Skewness, kurtosis and the standard error of the mean of windows.
#pragma once
#include "rolling_states.hpp"

namespace ff {

// The standard deviation of the mean of so many values.
struct ErrorOfMean : VarianceOf {
    template <class Context>
    static inline bool finish(const state_t& state, int64_t n, const Context& ctx, double& out, bool& overflowed) {
        if (!VarianceOf::finish(state, n, ctx, out, overflowed)) return false;
        out /= std::sqrt((double)n);
        return true;
    }
};

// Mean and sums of powers of deviations, up to the third or the fourth: Pebay, "Formulas for robust, one-pass parallel
// computation of covariances and arbitrary-order statistical moments" (2008). The mean is kept as in VarianceOf.
template <bool FOURTH>
struct MomentsOf {
    typedef double value_t;
    struct state_t {
        double n, origin, mean, second, third, fourth;
    };
    typedef double result_t;
    static constexpr bool COUNTS_ROWS = false, OF_NONE = false;
    static inline state_t identity() { return {0.0, 0.0, 0.0, 0.0, 0.0, 0.0}; }
    static inline void add(state_t& state, double value) {
        state.origin = state.n == 0.0 ? value : state.origin;
        const double before = state.n, n = before + 1.0;
        const double away = (value - state.origin) - state.mean, step = away / n, square = step * step;
        const double added = away * step * before;
        if (FOURTH) {
            state.fourth += added * square * (n * n - 3.0 * n + 3.0) + 6.0 * square * state.second - 4.0 * step * state.third;
        }
        state.third += added * step * (n - 2.0) - 3.0 * step * state.second;
        state.second += added;
        state.mean += step;
        state.n = n;
    }
    static inline state_t merged(const state_t& one, const state_t& other) {
        if (other.n == 0.0) return one;
        if (one.n == 0.0) return other;
        const double n = one.n + other.n, away = (other.origin - one.origin) + (other.mean - one.mean), step = away / n;
        const double square = step * step, both = one.n * other.n, added = away * step * both;
        state_t out = {n, one.origin, one.mean + step * other.n, one.second + other.second + added, 0.0, 0.0};
        out.third = one.third + other.third + added * step * (one.n - other.n) + 3.0 * step * (one.n * other.second - other.n * one.second);
        if (FOURTH) {
            out.fourth = one.fourth + other.fourth + added * square * (one.n * one.n - both + other.n * other.n)
                       + 6.0 * square * (one.n * one.n * other.second + other.n * other.n * one.second)
                       + 4.0 * step * (one.n * other.third - other.n * one.third);
        }
        return out;
    }
    // Corrected for the number of values; none where values do not vary.
    template <class Context>
    static inline bool finish(const state_t& state, int64_t, const Context&, double& out, bool&) {
        const double n = state.n, variance = state.second / n;
        if (n < (FOURTH ? 4.0 : 3.0) || !(state.second > 0.0)) return false;
        if (FOURTH) {
            const double share = (state.fourth / n) / variance / variance;
            out = ((n * n - 1.0) * share - 3.0 * (n - 1.0) * (n - 1.0)) / ((n - 2.0) * (n - 3.0));
        } else {
            out = std::sqrt(n * (n - 1.0)) / (n - 2.0) * ((state.third / n) / variance / std::sqrt(variance));
        }
        return out - out == 0.0;
    }
};

}  // namespace ff
