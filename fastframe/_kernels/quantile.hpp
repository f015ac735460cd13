// Quantiles of values that were brought together by group (scatter.hpp), by selection in place.
//
// The two values around a quantile come from `nth_element` and a scan of what lies above; ties of -0.0 and 0.0 keep
// the order that selection gives them, which depends on the rows alone.
#pragma once
#include <algorithm>

#include "sources.hpp"

namespace ff {

enum Interpolation : int { LINEAR = 0, LOWER = 1, HIGHER = 2, NEAREST = 3, MIDPOINT = 4 };

struct Quantile {
    uint8_t* values;          // in: by group; reordered within groups
    const int32_t* starts;    // in: first value of each group; n_groups + 1
    double q;                 // in: 0 to 1
    int32_t interpolation;    // in
    int64_t unit;             // in: what one unit of the column is in units of the result, where that is an integer
    uint8_t* out;             // out
    uint8_t* validity;        // out: null where a group has no value
};

// Between two values; `fraction` in (0, 1). Integers of dates and times round toward `lower`.
template <typename T, typename R>
inline R between(T lower, T upper, double fraction, int64_t unit) {
    if constexpr (std::is_floating_point<R>::value) {
        const double low = (double)lower, high = (double)upper;
        if (fraction == 0.5) return (R)(low * 0.5 + high * 0.5);
        return (R)(low + (high - low) * fraction);
    } else {
        const int128_t low = (int128_t)lower * unit, gap = ((int128_t)upper - (int128_t)lower) * unit;
        if (fraction == 0.5) return (R)(low + gap / 2);
        return (R)(low + (int128_t)((double)gap * fraction));
    }
}

template <typename T, typename R>
inline R scaled(T value, int64_t unit) {
    if constexpr (std::is_floating_point<R>::value) return (R)value;
    else return (R)(value * (R)unit);
}

template <typename T, typename R>
inline R select_quantile(T* values, int64_t count, const Quantile& ctx) {
    const double position = ctx.q * (double)(count - 1);
    int64_t below = (int64_t)position;
    double fraction = position - (double)below;
    if (below >= count - 1) { below = count - 1; fraction = 0.0; }
    switch (ctx.interpolation) {
        case LOWER: fraction = 0.0; break;
        case HIGHER: below += fraction > 0.0; fraction = 0.0; break;
        case NEAREST: below += fraction > 0.5 || (fraction == 0.5 && (below & 1)); fraction = 0.0; break;   // half to even
        case MIDPOINT: fraction = fraction > 0.0 ? 0.5 : 0.0; break;
        default: break;
    }
    std::nth_element(values, values + below, values + count);
    const T lower = values[below];
    if (fraction == 0.0) return scaled<T, R>(lower, ctx.unit);
    return between<T, R>(lower, *std::min_element(values + below + 1, values + count), fraction, ctx.unit);
}

// Over groups.
template <typename T, typename R>
int quantile_groups(void* raw, int64_t start, int64_t stop, int64_t) {
    const Quantile& ctx = *(const Quantile*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t begin = ctx.starts[group], count = ctx.starts[group + 1] - begin;
        R result = R(0);
        if (count > 0) result = select_quantile<T, R>((T*)ctx.values + begin, count, ctx);
        const bool valid = count > 0 && result == result;
        store<R>(ctx.out, group, valid ? result : R(0));
        append_bit(ctx.validity, group, valid);
    }
    return OK;
}

template <typename T>
inline kernel_t quantile_of(int result) {
    if (result == F64) return quantile_groups<T, double>;
    if constexpr (std::is_same<T, float>::value) return result == F32 ? quantile_groups<float, float> : nullptr;
    else if constexpr (!std::is_same<T, double>::value) {
        if (result == I64) return quantile_groups<T, int64_t>;
        return quantile_groups<T, T>;   // a value of the column itself
    } else return nullptr;
}

// From values of `physical` (bools as uint8) to results of `result`.
inline kernel_t quantile_kernel(int physical, int result) {
    switch (physical) {
        case I8: return quantile_of<int8_t>(result);
        case I16: return quantile_of<int16_t>(result);
        case I32: return quantile_of<int32_t>(result);
        case I64: return quantile_of<int64_t>(result);
        case U8: case BOOL: return quantile_of<uint8_t>(result);
        case U16: return quantile_of<uint16_t>(result);
        case U32: return quantile_of<uint32_t>(result);
        case U64: return quantile_of<uint64_t>(result);
        case F32: return quantile_of<float>(result);
        case F64: return quantile_of<double>(result);
        default: return nullptr;
    }
}

}  // namespace ff
