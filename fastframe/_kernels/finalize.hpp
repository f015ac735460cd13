// From states (states.hpp) to results, over groups. A result that is NaN is missing, as everywhere.
#pragma once
#include <cmath>

#include "states.hpp"

namespace ff {

struct Finalize {
    const uint8_t* fields[MOST_FIELDS];   // in: the state's columns, in the order of `emit`
    int64_t min_count;          // in: fewer values make a sum or product null
    int64_t ddof;               // in: for var, std, sem, cov
    int64_t unit;               // in: what one unit of the column is in units of the result
    uint8_t* values;            // out
    uint8_t* validity;          // out
};

template <typename T>
inline void put(const Finalize& ctx, int64_t group, bool valid, T value) {
    store<T>(ctx.values, group, valid ? value : T(0));
    append_bit(ctx.validity, group, valid);
}

template <typename T>
inline void put_float(const Finalize& ctx, int64_t group, bool valid, double value) {
    put<T>(ctx, group, valid && value == value, (T)value);
}

// T: int64 or uint64 from exact totals; OVERFLOW_ where one does not fit.
template <typename T>
int finalize_total(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int128_t total = load<int128_t>(ctx.fields[0], group);
        const bool valid = load<int64_t>(ctx.fields[1], group) >= ctx.min_count;
        if (valid && total != (int128_t)(T)total) return OVERFLOW_;
        put<T>(ctx, group, valid, (T)total);
    }
    return OK;
}

// Sums and products of floats.
template <typename T>
int finalize_float_total(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        put_float<T>(ctx, group, load<int64_t>(ctx.fields[1], group) >= ctx.min_count, load<double>(ctx.fields[0], group));
    }
    return OK;
}

// A decimal total of up to 192 bits: high * 2^64 + low, 0 <= low < 2^64.
struct DecimalTotal {
    int128_t high;
    uint64_t low;
};

inline DecimalTotal decimal_total(const Finalize& ctx, int64_t group) {
    const int128_t low = load<int128_t>(ctx.fields[1], group);
    return {load<int128_t>(ctx.fields[0], group) + (low >> 64), (uint64_t)low};
}

inline int128_t most_decimal() {   // 10^38 - 1
    int128_t power = 1;
    for (int digit = 0; digit < 38; ++digit) power *= 10;
    return power - 1;
}

inline int finalize_decimal_total(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    const int128_t most = most_decimal();
    for (int64_t group = start; group < stop; ++group) {
        const DecimalTotal total = decimal_total(ctx, group);
        const int128_t value = (int128_t)((uint128_t)total.high << 64 | total.low);
        const bool valid = load<int64_t>(ctx.fields[2], group) >= ctx.min_count;
        if (valid && (total.high != (int128_t)(int64_t)total.high || value > most || value < -most)) return OVERFLOW_;
        put<int128_t>(ctx, group, valid, value);
    }
    return OK;
}

// Rounded half away from zero at the column's scale; between the extremes, so it always fits.
inline int finalize_decimal_mean(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[2], group);
        DecimalTotal total = decimal_total(ctx, group);
        const bool negative = total.high < 0;
        if (negative) {   // to the magnitude
            total.high = total.low == 0 ? -total.high : ~total.high;
            total.low = 0 - total.low;
        }
        int128_t mean = 0;
        if (n > 0) {
            const int128_t high = total.high / n;
            const uint128_t rest = (uint128_t)(total.high % n) << 64 | total.low;
            const uint128_t remainder = rest % (uint64_t)n;
            mean = (int128_t)((uint128_t)high << 64) + (int128_t)(rest / (uint64_t)n) + (remainder * 2 >= (uint64_t)n);
        }
        put<int128_t>(ctx, group, n > 0, negative ? -mean : mean);
    }
    return OK;
}

// T: double; of exact integer totals.
inline int finalize_integer_mean(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[1], group);
        put<double>(ctx, group, n > 0, (double)load<int128_t>(ctx.fields[0], group) / (double)n);
    }
    return OK;
}

template <typename T>
int finalize_float_mean(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[1], group);
        put_float<T>(ctx, group, n > 0, load<double>(ctx.fields[0], group) / (double)n);
    }
    return OK;
}

// Of dates, times, timestamps, durations: rounded toward zero, as pandas does. T: int32 or int64.
template <typename T>
int finalize_temporal_mean(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[1], group);
        const int128_t total = load<int128_t>(ctx.fields[0], group) * ctx.unit;
        put<T>(ctx, group, n > 0, n > 0 ? (T)(total / n) : T(0));
    }
    return OK;
}

// T: int64 or uint64; OVERFLOW_ where a product does not fit.
template <typename T>
int finalize_product(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    constexpr uint64_t most = std::is_signed<T>::value ? (uint64_t)INT64_MAX : UINT64_MAX;
    for (int64_t group = start; group < stop; ++group) {
        const uint64_t magnitude = load<uint64_t>(ctx.fields[0], group);
        const uint8_t flags = load<uint8_t>(ctx.fields[1], group);
        const bool negative = flags & NEGATIVE, zero = flags & HAS_ZERO;
        const bool valid = load<int64_t>(ctx.fields[2], group) >= ctx.min_count;
        if (valid && !zero && ((flags & TOO_LARGE) || magnitude > most + negative)) return OVERFLOW_;
        const uint64_t product = zero ? 0 : negative ? 0 - magnitude : magnitude;
        put<T>(ctx, group, valid, (T)product);
    }
    return OK;
}

// Variance, its root, or the root of variance / n.
enum Spread : int { VARIANCE = 0, DEVIATION = 1, STANDARD_ERROR = 2 };

template <typename T, Spread SPREAD>
int finalize_spread(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[0], group);
        double value = load<double>(ctx.fields[2], group) / (double)(n - ctx.ddof);
        if (SPREAD == STANDARD_ERROR) value /= (double)n;
        if (SPREAD != VARIANCE) value = std::sqrt(value);
        put_float<T>(ctx, group, n > ctx.ddof && n > 0, value);
    }
    return OK;
}

// T: double; from the fields of pairs.hpp.
inline int finalize_covariance(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t n = load<int64_t>(ctx.fields[0], group);
        put_float<double>(ctx, group, n > ctx.ddof && n > 0, load<double>(ctx.fields[5], group) / (double)(n - ctx.ddof));
    }
    return OK;
}

// Between -1 and 1; missing where one of the columns does not vary.
inline int finalize_correlation(void* raw, int64_t start, int64_t stop, int64_t) {
    const Finalize& ctx = *(const Finalize*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const double spread_x = load<double>(ctx.fields[2], group), spread_y = load<double>(ctx.fields[4], group);
        double spread = std::sqrt(spread_x * spread_y);
        if (!(spread > 0.0 && spread <= std::numeric_limits<double>::max())) spread = std::sqrt(spread_x) * std::sqrt(spread_y);
        const double value = load<double>(ctx.fields[5], group) / spread;
        const bool valid = load<int64_t>(ctx.fields[0], group) > 1 && spread_x > 0.0 && spread_y > 0.0;
        put_float<double>(ctx, group, valid, value > 1.0 ? 1.0 : value < -1.0 ? -1.0 : value);
    }
    return OK;
}

enum Finalizer : int {
    FINAL_TOTAL = 0, FINAL_DECIMAL_TOTAL = 1, FINAL_INTEGER_MEAN = 2, FINAL_FLOAT_MEAN = 3, FINAL_TEMPORAL_MEAN = 4,
    FINAL_DECIMAL_MEAN = 5, FINAL_PRODUCT = 6, FINAL_VARIANCE = 7, FINAL_DEVIATION = 8, FINAL_STANDARD_ERROR = 9,
    FINAL_COVARIANCE = 10, FINAL_CORRELATION = 11,
};

template <typename T>
inline kernel_t float_finalizer(int finalizer) {
    switch (finalizer) {
        case FINAL_TOTAL: case FINAL_PRODUCT: return finalize_float_total<T>;
        case FINAL_FLOAT_MEAN: return finalize_float_mean<T>;
        case FINAL_VARIANCE: return finalize_spread<T, VARIANCE>;
        case FINAL_DEVIATION: return finalize_spread<T, DEVIATION>;
        case FINAL_STANDARD_ERROR: return finalize_spread<T, STANDARD_ERROR>;
        default: return nullptr;
    }
}

// `physical` is the result's.
inline kernel_t finalize_kernel(int finalizer, int physical) {
    if (finalizer == FINAL_INTEGER_MEAN && physical == F64) return finalize_integer_mean;
    if (finalizer == FINAL_COVARIANCE) return finalize_covariance;
    if (finalizer == FINAL_CORRELATION) return finalize_correlation;
    switch (physical) {
        case F32: return float_finalizer<float>(finalizer);
        case F64: return float_finalizer<double>(finalizer);
        case I128:
            if (finalizer == FINAL_DECIMAL_TOTAL) return finalize_decimal_total;
            return finalizer == FINAL_DECIMAL_MEAN ? finalize_decimal_mean : nullptr;
        case I32: return finalizer == FINAL_TEMPORAL_MEAN ? finalize_temporal_mean<int32_t> : nullptr;
        case I64:
            if (finalizer == FINAL_TEMPORAL_MEAN) return finalize_temporal_mean<int64_t>;
            if (finalizer == FINAL_TOTAL) return finalize_total<int64_t>;
            return finalizer == FINAL_PRODUCT ? finalize_product<int64_t> : nullptr;
        case U64:
            if (finalizer == FINAL_TOTAL) return finalize_total<uint64_t>;
            return finalizer == FINAL_PRODUCT ? finalize_product<uint64_t> : nullptr;
        default: return nullptr;
    }
}

}  // namespace ff
