// Quantiles of values that were brought together by group or by partitions of groups (scatter.hpp): one or several of each.
#pragma once
#include <algorithm>
#include <memory>
#include <new>

#include "select.hpp"
#include "split.hpp"
#include "sources.hpp"

namespace ff {

enum Interpolation : int { LINEAR = 0, LOWER = 1, HIGHER = 2, NEAREST = 3, MIDPOINT = 4 };

struct Quantile {
    uint8_t* values;          // in: by group, where they may be reordered; or by partition
    const int32_t* starts;    // in: first value of each group, or of each partition; one more
    const double* shares;     // in: 0 to 1
    int64_t n_shares;         // in
    int32_t interpolation;    // in
    int64_t unit;             // in: what one unit of the column is in units of the result, where that is an integer
    uint8_t* const* out;      // out: for each share the groups' results
    uint8_t* const* validity; // out: for each share their bits; null where a group has no value
    const uint8_t* codes;     // in: of values by partition, their groups within it; else null
    int64_t n_groups;         // in: of all partitions
    int32_t shift;            // in: partitions have 2^shift groups, a multiple of 8
};

// Between two values; `fraction` in (0, 1). Integers of dates and times are cut towards zero, as their means and as pandas'.
template <typename T, typename R>
inline R between(T lower, T upper, double fraction, int64_t unit) {
    if constexpr (std::is_floating_point<R>::value) {
        const double low = (double)lower, high = (double)upper;
        if (fraction == 0.5) return (R)(low * 0.5 + high * 0.5);
        return (R)(low + (high - low) * fraction);
    } else {
        const int128_t low = (int128_t)lower * unit, gap = ((int128_t)upper - (int128_t)lower) * unit;
        if (fraction == 0.5) return (R)((low * 2 + gap) / 2);
        const double way = (double)gap * fraction;
        const int128_t whole = (int128_t)way, found = low + whole;
        return (R)(found + (found < 0 && (double)whole < way));
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

// The quantile at a position between two neighbouring values; of the two zeros always the positive one, whichever was found.
template <typename T, typename R>
inline R quantile_at(const Position& at, const Neighbours<T>& found, int64_t unit) {
    return (at.fraction == 0.0 ? scaled<T, R>(found.lower, unit) : between<T, R>(found.lower, found.upper, at.fraction, unit)) + R(0);
}

// Groups in ascending order, from a multiple of 8 on.
template <typename T, typename R, class Loops>
inline void quantiles_of(const Quantile& ctx, int64_t group, T* values, int64_t count) {
    Extent<T> extent{};
    if (count > MOST_COMPARED) Loops::extremes(values, count, &extent.least, &extent.greatest);
    for (int64_t share = 0; share < ctx.n_shares; ++share) {
        R result = R(0);
        if (count > 0) {
            const Position at = position_of(ctx.shares[share], count, ctx.interpolation);
            result = quantile_at<T, R>(at, select_neighbours<T, Loops>(values, count, at.below, at.fraction != 0.0, extent), ctx.unit);
        }
        const bool valid = count > 0 && result == result;
        store<R>(ctx.out[share], group, valid ? result : R(0));
        append_bit(ctx.validity[share], group, valid);
    }
}

// Over groups, from a multiple of 8 on.
template <typename T, typename R, class Loops>
int quantile_groups(void* raw, int64_t start, int64_t stop, int64_t) {
    const Quantile& ctx = *(const Quantile*)raw;
    for (int64_t group = start; group < stop; ++group)
        quantiles_of<T, R, Loops>(ctx, group, (T*)ctx.values + ctx.starts[group], ctx.starts[group + 1] - ctx.starts[group]);
    return OK;
}

// Over partitions, each split into its groups while it is in the cache.
template <typename T, typename R, class Loops>
int quantile_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    const Quantile& ctx = *(const Quantile*)raw;
    int64_t most = 1;
    for (int64_t partition = start; partition < stop; ++partition)
        most = std::max<int64_t>(most, ctx.starts[partition + 1] - ctx.starts[partition]);
    const std::unique_ptr<T[]> own(new (std::nothrow) T[(size_t)most]);
    const std::unique_ptr<int32_t[]> ends(new (std::nothrow) int32_t[(size_t)1 << ctx.shift]);   // of each group in `own`
    if (own == nullptr || ends == nullptr) return OUT_OF_MEMORY;
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t first_group = partition << ctx.shift, most_groups = (int64_t)1 << ctx.shift;
        const int64_t n_groups = std::min(ctx.n_groups - first_group, most_groups);
        const int64_t begin = ctx.starts[partition], count = ctx.starts[partition + 1] - begin;
        split_groups((const T*)ctx.values + begin, (const own_code_t*)ctx.codes + begin, count, n_groups, own.get(), ends.get());
        for (int64_t group = 0; group < n_groups; ++group) {
            const int32_t from = group == 0 ? 0 : ends[(size_t)group - 1];
            quantiles_of<T, R, Loops>(ctx, first_group + group, own.get() + from, ends[(size_t)group] - from);
        }
    }
    return OK;
}

template <typename T, typename R, class Loops>
inline kernel_t quantile_phase(bool partitions) {
    return partitions ? quantile_partitions<T, R, Loops> : quantile_groups<T, R, Loops>;
}

template <typename T, typename R>
inline kernel_t quantile_loops(bool partitions) {
    return has_avx2() ? quantile_phase<T, R, WideLoops>(partitions) : quantile_phase<T, R, BaselineLoops>(partitions);
}

// `kernel_for(R())` for the result that quantiles of T are wanted in: R is double, float of floats, int64, or T itself. Null where there is none.
template <typename T, class KernelFor>
inline kernel_t for_result(int result, KernelFor kernel_for) {
    if (result == F64) return kernel_for(double());
    if constexpr (std::is_same<T, float>::value) return result == F32 ? kernel_for(float()) : nullptr;
    else if constexpr (!std::is_same<T, double>::value) return result == I64 ? kernel_for(int64_t()) : kernel_for(T());
    else return nullptr;
}

template <typename T>
inline kernel_t quantile_of(int result, bool partitions) {
    return for_result<T>(result, [=](auto one) { return quantile_loops<T, decltype(one)>(partitions); });
}

// From values of `physical` (bools as uint8) to results of `result`.
inline kernel_t quantile_kernel(int physical, int result, bool partitions) {
    switch (physical) {
        case I8: return quantile_of<int8_t>(result, partitions);
        case I16: return quantile_of<int16_t>(result, partitions);
        case I32: return quantile_of<int32_t>(result, partitions);
        case I64: return quantile_of<int64_t>(result, partitions);
        case U8: case BOOL: return quantile_of<uint8_t>(result, partitions);
        case U16: return quantile_of<uint16_t>(result, partitions);
        case U32: return quantile_of<uint32_t>(result, partitions);
        case U64: return quantile_of<uint64_t>(result, partitions);
        case F32: return quantile_of<float>(result, partitions);
        case F64: return quantile_of<double>(result, partitions);
        default: return nullptr;
    }
}

}  // namespace ff
