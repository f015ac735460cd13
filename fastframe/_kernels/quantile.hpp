// Quantiles of values that were brought together by group (scatter.hpp): one or several of each group.
#pragma once
#include "select.hpp"
#include "sources.hpp"

namespace ff {

enum Interpolation : int { LINEAR = 0, LOWER = 1, HIGHER = 2, NEAREST = 3, MIDPOINT = 4 };

struct Quantile {
    uint8_t* values;          // in: by group; may be reordered within groups
    const int32_t* starts;    // in: first value of each group; n_groups + 1
    const double* shares;     // in: 0 to 1
    int64_t n_shares;         // in
    int32_t interpolation;    // in
    int64_t unit;             // in: what one unit of the column is in units of the result, where that is an integer
    uint8_t* const* out;      // out: for each share the groups' results
    uint8_t* const* validity; // out: for each share their bits; null where a group has no value
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

// A value as a result.
template <typename T, typename R>
inline R scaled(T value, int64_t unit) {
    if constexpr (std::is_floating_point<R>::value) return (R)value;
    else return (R)(value * (R)unit);
}

// Where a quantile lies among `count` sorted values: at rank `below`, or that far on to the next.
struct Position {
    int64_t below;
    double fraction;
};

inline Position position_of(double share, int64_t count, int interpolation) {
    const double position = share * (double)(count - 1);
    int64_t below = (int64_t)position;
    double fraction = position - (double)below;
    if (below >= count - 1) { below = count - 1; fraction = 0.0; }
    switch (interpolation) {
        case LOWER: return {below, 0.0};
        case HIGHER: return {below + (fraction > 0.0), 0.0};
        case NEAREST: return {below + (fraction > 0.5 || (fraction == 0.5 && (below & 1))), 0.0};   // half to even
        case MIDPOINT: return {below, fraction > 0.0 ? 0.5 : 0.0};
        default: return {below, fraction};
    }
}

// Over groups, from a multiple of 8 on.
template <typename T, typename R, class Loops>
int quantile_groups(void* raw, int64_t start, int64_t stop, int64_t) {
    const Quantile& ctx = *(const Quantile*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const int64_t begin = ctx.starts[group], count = ctx.starts[group + 1] - begin;
        T* values = (T*)ctx.values + begin;
        Extent<T> extent{};
        if (count > MOST_COMPARED) Loops::extremes(values, count, &extent.least, &extent.greatest);
        for (int64_t share = 0; share < ctx.n_shares; ++share) {
            R result = R(0);
            if (count > 0) {
                const Position at = position_of(ctx.shares[share], count, ctx.interpolation);
                const Neighbours<T> found = select_neighbours<T, Loops>(values, count, at.below, at.fraction != 0.0, extent);
                result = at.fraction == 0.0 ? scaled<T, R>(found.lower, ctx.unit)
                                            : between<T, R>(found.lower, found.upper, at.fraction, ctx.unit);
                result += R(0);   // of the two zeros always the positive one, whichever a selection finds
            }
            const bool valid = count > 0 && result == result;
            store<R>(ctx.out[share], group, valid ? result : R(0));
            append_bit(ctx.validity[share], group, valid);
        }
    }
    return OK;
}

template <typename T, typename R>
inline kernel_t quantile_loops() {
    return has_avx2() ? quantile_groups<T, R, WideLoops> : quantile_groups<T, R, BaselineLoops>;
}

template <typename T>
inline kernel_t quantile_of(int result) {
    if (result == F64) return quantile_loops<T, double>();
    if constexpr (std::is_same<T, float>::value) return result == F32 ? quantile_loops<float, float>() : nullptr;
    else if constexpr (!std::is_same<T, double>::value) {
        if (result == I64) return quantile_loops<T, int64_t>();
        return quantile_loops<T, T>();   // a value of the column itself
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
