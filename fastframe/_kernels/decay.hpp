// Exponentially weighted means, sums, variances, covariances and correlations: each value's weight falls by a factor from
// row to row, or with the time between them.
//
// The recurrences are those of pandas (pandas/_libs/window/aggregations.pyx: ewm, ewmcov), with means moved toward values
// rather than divided sums, so that columns of equal values stay exactly equal. Over positions: segments that begin in
// [start, stop), whole.
#pragma once
#include <cmath>

#include "rolling_states.hpp"

namespace ff {

struct Decays {
    Reading reading;            // in
    View other;                 // in: the second column, where there are two
    int32_t other_physical;     // in
    WindowBounds bounds;        // in: the segments
    const uint8_t* times;       // in: where weights fall with time, the time of each row; else null
    int32_t time_bytes;         // in: of a time, an integer
    double per_unit;            // in: half-lives per unit of the times
    double factor;              // in: what a weight is multiplied by from one row to the next (with times: in one half-life)
    double new_weight;          // in: of a new value: 1, or where weights are not adjusted, 1 - factor
    bool adjust;                // in
    bool skips;                 // in: whether rows of missing values count for nothing, not even as time
    bool rooted;                // in: standard deviation
    bool biased;                // in: variances are not corrected for the number of values
    int64_t min_periods;        // in: at least 1
    int32_t result;             // in: Physical of the results, F32 or F64
    uint8_t* out;               // out
    uint8_t* present;           // out: a byte per position
    uint8_t* validity;          // out of packing: bits
};

enum DecayOp : int { D_MEAN = 0, D_SUM = 1, D_VARIANCE = 2, D_COVARIANCE = 3, D_CORRELATION = 4 };

inline Pair as_pair(double value) { return {value, value}; }
inline Pair as_pair(const Pair& value) { return value; }

#define FF_ALWAYS inline __attribute__((always_inline))   // states stay in registers

// What is kept of a segment's rows so far.
template <int OP>
struct DecayState {
    int64_t n = 0;
    double weight = 1.0;              // of all before
    double x = 0.0, y = 0.0;          // means; of sums, the sum
    double xx = 0.0, yy = 0.0, xy = 0.0;
    double total = 1.0;               // of the weights of all values so far,
    double spread = 0.0;              // and its square less their squares, which subtracting those would not give

    FF_ALWAYS void fall(double factor) {
        weight *= factor;
        if (OP == D_SUM) x *= factor;
        if (OP == D_VARIANCE || OP == D_COVARIANCE) total *= factor, spread *= factor * factor;
    }
    FF_ALWAYS void take(const Decays& ctx, const Pair& value, double added) {
        if (OP == D_SUM) {
            x += value.x;
            return;
        }
        const double all = weight + added, share = added / all;
        const double away_x = value.x - x, away_y = value.y - y;
        if (away_x != 0.0) x += away_x * share;   // also where it is infinite and equal
        if (OP >= D_COVARIANCE && away_y != 0.0) y += away_y * share;
        if (OP == D_VARIANCE) xx = merged(xx, away_x, away_x, share);
        if (OP >= D_COVARIANCE) xy = merged(xy, away_x, away_y, share);
        if (OP == D_CORRELATION) xx = merged(xx, away_x, away_x, share), yy = merged(yy, away_y, away_y, share);
        spread += 2.0 * total * added;
        total += added;
        weight = all;
        if (!ctx.adjust) total /= all, spread /= all * all, weight = 1.0;
    }
    // Old products at their mean and a new value, at the mean of both.
    static inline double merged(double products, double away_x, double away_y, double share) {
        return (1.0 - share) * (products + share * (away_x * away_y));
    }
    FF_ALWAYS bool finish(const Decays& ctx, double& out) const {
        if (n < ctx.min_periods) return false;
        if (OP == D_MEAN || OP == D_SUM) {
            out = x;
        } else if (OP == D_CORRELATION) {
            return correlation(xx, yy, xy, out);
        } else {
            out = OP == D_VARIANCE ? xx : xy;
            if (!ctx.biased) {
                if (!(spread > 0.0)) return false;
                out *= total * total / spread;
            }
            if (ctx.rooted) out = std::sqrt(out);
        }
        return out == out;
    }
};

inline int64_t time_of(const Decays& ctx, int64_t position) {
    const int64_t row = ctx.reading.rows != nullptr ? ctx.reading.rows[position] : position;
    return ctx.time_bytes == 4 ? load<int32_t>(ctx.times, row) : load<int64_t>(ctx.times, row);
}

// Means of float64 where every value is there, weights fall by rows, and a value has been: the same steps, in registers.
inline void steady_means(const Decays& ctx, DecayState<D_MEAN>& state, const double* values, int64_t from, int64_t to) {
    const double factor = ctx.factor, added = ctx.new_weight;
    double mean = state.x, weight = state.weight;
    double* out = (double*)ctx.out;
    for (int64_t position = from; position < to; ++position) {
        const double all = weight * factor + added, away = values[position - from] - mean;
        if (away != 0.0) mean += away * (added / all);
        weight = ctx.adjust ? all : 1.0;
        const bool present = state.n + (position - from) + 1 >= ctx.min_periods && mean == mean;
        out[position] = present ? mean : 0.0;
        ctx.present[position] = present;
    }
    state.x = mean, state.weight = weight, state.n += to - from;
}

template <int OP, typename V>
int decay_segments(void* raw, int64_t start, int64_t stop, int64_t) {
    const Decays ctx = *(const Decays*)raw;   // a copy: results are bytes, which might be anything's
    SegmentWindows segments(ctx.bounds, start);
    const int64_t n_positions = ctx.bounds.n_positions;
    if (segments.low < start && segments.high < n_positions) segments.move_to(segments.high);
    while (segments.low >= start && segments.low < stop) {
        constexpr int64_t CHUNK = 1 << 14;
        DecayState<OP> state;
        for (int64_t from = segments.low; from < segments.high; from += CHUNK) {
            const int64_t to = segments.high - from < CHUNK ? segments.high : from + CHUNK;
            Source<V> source;
            if (!source.read(ctx.reading, ctx.other, ctx.other_physical, from, to)) return OUT_OF_MEMORY;
            if constexpr (OP == D_MEAN) {
                if (state.n > 0 && !source.any_missing && ctx.times == nullptr && ctx.result == F64) {
                    steady_means(ctx, state, source.values, from, to);
                    continue;
                }
            }
            for (int64_t position = from; position < to; ++position) {
                const bool has = source.has(position);
                if (state.n > 0 && (has || !ctx.skips)) {
                    double factor = ctx.factor;
                    if (ctx.times != nullptr) {
                        factor = std::exp2(-(double)(time_of(ctx, position) - time_of(ctx, position - 1)) * ctx.per_unit);
                    }
                    state.fall(factor);
                }
                if (has) {
                    const Pair value = as_pair(source.at(position));
                    if (state.n++ == 0) state.x = value.x, state.y = value.y;
                    else state.take(ctx, value, !ctx.adjust && ctx.times != nullptr ? 1.0 - state.weight : ctx.new_weight);
                }
                double value = 0.0;
                const bool present = state.finish(ctx, value);
                if (ctx.result == F32) store<float>(ctx.out, position, present ? (float)value : 0.0f);
                else store<double>(ctx.out, position, present ? value : 0.0);
                ctx.present[position] = present;
            }
        }
        if (segments.high >= n_positions) break;
        segments.move_to(segments.high);
    }
    return OK;
}

// Over positions.
inline int decay_pack(void* raw, int64_t start, int64_t stop, int64_t) {
    const Decays& ctx = *(const Decays*)raw;
    pack_bits(ctx.present + start, ctx.validity, start, stop);
    return OK;
}

inline kernel_t decay_kernel(int op) {
    switch (op) {
        case D_MEAN: return decay_segments<D_MEAN, double>;
        case D_SUM: return decay_segments<D_SUM, double>;
        case D_VARIANCE: return decay_segments<D_VARIANCE, double>;
        case D_COVARIANCE: return decay_segments<D_COVARIANCE, Pair>;
        case D_CORRELATION: return decay_segments<D_CORRELATION, Pair>;
    }
    return nullptr;
}

}  // namespace ff
