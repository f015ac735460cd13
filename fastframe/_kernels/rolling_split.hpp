// Sums of windows of one width, exactly: each value is cut at a power of two into an upper and a lower part, such that
// sums of either part never have more than 53 bits. Nothing is rounded before the two sums of a window are added up, so
// values may be taken out again, and lanes may share the work, without a trace in the results.
//
// The cut is that of Rump, Ogita and Oishi, "Accurate floating-point summation part I: faithful rounding" (2008). It
// needs values whose exponents are not too far apart; runs of others are summed by FloatBlocks.
#pragma once
#include <cmath>
#include <cstring>

#include "rolling_states.hpp"

namespace ff {

typedef double four_t __attribute__((vector_size(32)));
typedef int64_t four_bits_t __attribute__((vector_size(32)));

// Lanes of two vectors, those of the second being 4 to 7.
#if defined(__clang__)
#define FF_LANES_OF(one, other, ...) __builtin_shufflevector(one, other, __VA_ARGS__)
#else
#define FF_LANES_OF(one, other, ...) __builtin_shuffle(one, other, four_bits_t{__VA_ARGS__})
#endif

FF_INLINE void load_four(const double* from, four_t& out) { std::memcpy(&out, from, sizeof(out)); }

// Where values are cut.
struct Cut {
    double magnet;   // adding and taking it away rounds to a multiple of the least upper part; 0: sums would be rounded

    // `most` and `least` are the greatest and the least finite magnitudes but 0; sums are of up to `width` values.
    static FF_INLINE Cut of(double most, double least, int64_t width) {
        if (most == 0.0) return {1.0};
        const double terms = (double)width + 10.0;   // a sum, and what changes within four windows
        int top = 0, places = 0, below = 0;
        if (!(terms * most <= std::numeric_limits<double>::max())) return {0.0};
        std::frexp(terms * most, &top);
        std::frexp(terms, &places);
        std::frexp(least, &below);
        const int unit = top - 53 < -1074 ? -1074 : top - 53;         // of upper parts: their sums are below 2^(unit + 53)
        const int lowest = below - 53 < -1074 ? -1074 : below - 53;   // all values are multiples of 2^lowest,
        if (unit > 970 || places + unit - 1 > lowest + 53) return {0.0};   // and lower parts are at most half a unit
        return {std::ldexp(1.5, unit + 52)};
    }
};

FF_INLINE void cut(const four_t& value, const four_t& magnet, four_t& upper, four_t& lower) {
    upper = (value + magnet) - magnet;
    lower = value - upper;
}

// `GROWING`: windows gain values but lose none.
template <bool MEAN, bool MISSING, bool GROWING, class Run>
struct SplitSums {
    static constexpr bool DIVIDES = MEAN && !MISSING && !GROWING;   // at once, by one number

    static FF_INLINE double value_at(const double* from) { return MISSING && !(*from == *from) ? 0.0 : *from; }
    static FF_INLINE void values_at(const double* from, four_t& out) {
        load_four(from, out);
        if (MISSING) out = (four_t)((four_bits_t)out & (four_bits_t)(out == out));
    }

    // The parts of the sum of some values.
    static FF_INLINE void sum(const double* values, int64_t count, double magnet, double& upper, double& lower) {
        four_t uppers[2] = {}, lowers[2] = {};
        const four_t magnets = {magnet, magnet, magnet, magnet};
        int64_t at = 0;
        for (; at + 8 <= count; at += 8) {
            for (int half = 0; half < 2; ++half) {
                four_t value, high, low;
                values_at(values + at + 4 * half, value);
                cut(value, magnets, high, low);
                uppers[half] += high, lowers[half] += low;
            }
        }
        upper = lower = 0.0;
        for (; at < count; ++at) {
            const double value = value_at(values + at), high = (value + magnet) - magnet;
            upper += high, lower += value - high;
        }
        uppers[0] += uppers[1], lowers[0] += lowers[1];
        for (int lane = 0; lane < 4; ++lane) upper += uppers[0][lane], lower += lowers[0][lane];
    }

    // False where sums would be rounded; nothing counts then.
    static FF_INLINE bool run(const Run& run) {
        const double magnet = Cut::of(run.most, run.least, GROWING ? run.width + run.n_windows : run.width).magnet, n = (double)run.width;
        if (magnet == 0.0) return false;
        double* results = run.out;
        const int64_t n_windows = run.n_windows;
        double upper, lower;
        sum(run.values, run.width, magnet, upper, lower);
        run.out[0] = DIVIDES ? (upper + lower) / n : upper + lower;
        const double* coming = run.values + run.width - 1;   // with window k comes coming[k], and goes going[k]
        const double* going = run.values - 1;
        const four_t magnets = {magnet, magnet, magnet, magnet}, widths = {n, n, n, n}, zero = {};
        four_t before = {upper, lower, upper, lower};   // the sums of the window before
        int64_t at = 1;
        for (; at + 4 <= n_windows; at += 4) {
            four_t in, out, high, low, out_high, out_low;
            values_at(coming + at, in);
            cut(in, magnets, high, low);
            if (!GROWING) {
                values_at(going + at, out);
                cut(out, magnets, out_high, out_low);
                high -= out_high, low -= out_low;
            }
            const four_t even = FF_LANES_OF(high, low, 0, 4, 2, 6);   // both parts of windows 0 and 2
            four_t odd = FF_LANES_OF(high, low, 1, 5, 3, 7);          // and of 1 and 3
            odd += even;
            const four_t base = before + FF_LANES_OF(zero, odd, 0, 1, 4, 5);
            before += odd + FF_LANES_OF(odd, odd, 2, 3, 0, 1);
            const four_t evens = base + even, odds = base + odd;
            four_t total = FF_LANES_OF(evens, odds, 0, 4, 2, 6)
                         + FF_LANES_OF(evens, odds, 1, 5, 3, 7);
            if (DIVIDES) total /= widths;
            std::memcpy(results + at, &total, sizeof(total));
        }
        upper = before[0], lower = before[1];
        for (; at < n_windows; ++at) {
            const double in = value_at(coming + at), out = GROWING ? 0.0 : value_at(going + at);
            const double in_high = (in + magnet) - magnet, out_high = (out + magnet) - magnet;
            upper += in_high - out_high, lower += (in - in_high) - (out - out_high);
            results[at] = DIVIDES ? (upper + lower) / n : upper + lower;
        }
        finish(run);
        return true;
    }

    static FF_INLINE void finish(const Run& run) {
        if (!MISSING && !GROWING) {
            std::memset(run.present, run.width >= run.enough, (size_t)run.n_windows);
            return;
        }
        for (int64_t at = 0; at < run.n_windows; ++at) {
            const int64_t n = MISSING ? run.counts[at + run.width] - run.counts[GROWING ? 0 : at] : run.width + at;
            const bool has = n >= run.enough && (n > 0 || !MEAN);
            const double total = MEAN && has ? run.out[at] / (double)n : run.out[at];
            run.out[at] = has ? total : 0.0;
            run.present[at] = has;
        }
    }
};

}  // namespace ff
