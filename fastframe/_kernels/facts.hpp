// Smallest and largest value, nulls and NaNs of a fixed-width column: one record per slice, combined by the caller.
//
// Floats keep eight running lanes, so that the answer does not depend on what the compiler vectorises.
#pragma once
#include <limits>

#include "kernel.hpp"

namespace ff {

// The facts of one slice. Values are the bits of the column's type widened to 64 bits (integers by sign or zero
// extension, floats as float64) or to 128 bits (decimals); they mean nothing where every row is missing.
struct RangePart {
    uint64_t min_low, min_high;
    uint64_t max_low, max_high;
    int64_t n_missing;   // nulls and NaNs
    int64_t n_nan;       // NaNs that are not null
};

struct RangeContext {
    View view;          // in
    RangePart* parts;   // out: one per slice
};

constexpr int RANGE_LANES = 8;

template <typename T> struct Limits {
    static T lowest() { return std::numeric_limits<T>::lowest(); }
    static T largest() { return std::numeric_limits<T>::max(); }
};
template <> struct Limits<float> {
    static float lowest() { return -std::numeric_limits<float>::infinity(); }
    static float largest() { return std::numeric_limits<float>::infinity(); }
};
template <> struct Limits<double> {
    static double lowest() { return -std::numeric_limits<double>::infinity(); }
    static double largest() { return std::numeric_limits<double>::infinity(); }
};
template <> struct Limits<int128_t> {
    static int128_t lowest() { return (int128_t)1 << 127; }
    static int128_t largest() { return ~((int128_t)1 << 127); }
};

// Running minimum and maximum; NaN changes neither, because every comparison with it is false.
template <typename T>
struct Lanes {
    T low[RANGE_LANES];
    T high[RANGE_LANES];
    int64_t nan[RANGE_LANES];

    Lanes() {
        for (int lane = 0; lane < RANGE_LANES; ++lane) {
            low[lane] = Limits<T>::largest();
            high[lane] = Limits<T>::lowest();
            nan[lane] = 0;
        }
    }
    void add(int lane, T value) {
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = value > high[lane] ? value : high[lane];
        nan[lane] += value != value;
    }
    void add_run(const uint8_t* values, int64_t start, int64_t stop) {
        int64_t row = start;
        for (; row + RANGE_LANES <= stop; row += RANGE_LANES) {
            for (int lane = 0; lane < RANGE_LANES; ++lane) add(lane, load<T>(values, row + lane));
        }
        for (; row < stop; ++row) add(0, load<T>(values, row));
    }
    // Some rows of a block: the others take the value of one that is there, which changes no extreme.
    void add_present(const uint8_t* values, int64_t start, int count, uint64_t valid) {
        const T filler = load<T>(values, start + __builtin_ctzll(valid));
        if (filler != filler) {   // a NaN would be counted again
            for (; valid != 0; valid &= valid - 1) add(0, load<T>(values, start + __builtin_ctzll(valid)));
            return;
        }
        T block[64];
        memcpy(block, values + start * (int64_t)sizeof(T), sizeof(T) * (size_t)count);
        const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
        for (uint64_t gone = all & ~valid; gone != 0; gone &= gone - 1) block[__builtin_ctzll(gone)] = filler;
        add_run((const uint8_t*)block, 0, count);
    }
    int64_t fold() {
        for (int lane = 1; lane < RANGE_LANES; ++lane) {
            low[0] = low[lane] < low[0] ? low[lane] : low[0];
            high[0] = high[lane] > high[0] ? high[lane] : high[0];
            nan[0] += nan[lane];
        }
        return nan[0];
    }
};

inline void widen(double value, uint64_t* low, uint64_t* high) {
    value += 0.0;   // -0.0 becomes +0.0, whichever zero came first
    memcpy(low, &value, 8);
    *high = 0;
}
inline void widen(float value, uint64_t* low, uint64_t* high) { widen((double)value, low, high); }
template <typename T>
inline void widen(T value, uint64_t* low, uint64_t* high) {
    *low = (uint64_t)value;
    *high = (uint64_t)((uint128_t)(int128_t)value >> 64);
}

template <typename T>
int range_of_values(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RangeContext& c = *(const RangeContext*)ctx;
    Lanes<T> lanes;
    int64_t n_null = 0;
    if (c.view.validity == nullptr) {
        lanes.add_run(c.view.values, start, stop);
    } else {
        for (int64_t row = start; row < stop; row += 64) {
            const int count = stop - row < 64 ? (int)(stop - row) : 64;
            uint64_t valid = bits_at(c.view.validity, c.view.bit_offset + row, count);
            const int n_valid = __builtin_popcountll(valid);
            n_null += count - n_valid;
            if (n_valid == count) {
                lanes.add_run(c.view.values, row, row + count);
                continue;
            }
            if (n_valid == 0) continue;
            lanes.add_present(c.view.values, row, count, valid);
        }
    }
    RangePart& part = c.parts[slice];
    part.n_nan = lanes.fold();
    part.n_missing = n_null + part.n_nan;
    widen(lanes.low[0], &part.min_low, &part.min_high);
    widen(lanes.high[0], &part.max_low, &part.max_high);
    return OK;
}

inline int range_of_bits(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RangeContext& c = *(const RangeContext*)ctx;
    int64_t n_null = 0, n_true = 0;
    for (int64_t row = start; row < stop; row += 64) {
        const int count = stop - row < 64 ? (int)(stop - row) : 64;
        const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
        const uint64_t valid = c.view.validity ? bits_at(c.view.validity, c.view.bit_offset + row, count) : all;
        n_null += count - __builtin_popcountll(valid);
        n_true += __builtin_popcountll(valid & bits_at(c.view.values, c.view.bit_offset + row, count));
    }
    RangePart& part = c.parts[slice];
    part.n_nan = 0;
    part.n_missing = n_null;
    part.min_low = n_true == stop - start - n_null;   // all of the present values are true
    part.max_low = n_true > 0;
    part.min_high = part.max_high = 0;
    return OK;
}

inline kernel_t range_kernel(int physical) {
    switch (physical) {
        case I8: return range_of_values<int8_t>;
        case I16: return range_of_values<int16_t>;
        case I32: return range_of_values<int32_t>;
        case I64: return range_of_values<int64_t>;
        case U8: return range_of_values<uint8_t>;
        case U16: return range_of_values<uint16_t>;
        case U32: return range_of_values<uint32_t>;
        case U64: return range_of_values<uint64_t>;
        case F32: return range_of_values<float>;
        case F64: return range_of_values<double>;
        case BOOL: return range_of_bits;
        case I128: return range_of_values<int128_t>;
        default: return nullptr;
    }
}

// ---- common step ----------------------------------------------------------------------------------------------------

struct StepContext {
    View view;         // in: int64 values
    int64_t origin;    // in: any of the values
    uint64_t guess;    // in: what a sample of the values has as its step
    uint64_t* steps;   // out: per slice, the greatest common divisor of guess and all differences from origin
};

inline uint64_t greatest_common_divisor(uint64_t one, uint64_t other) {
    while (other != 0) {
        const uint64_t rest = one % other;
        one = other;
        other = rest;
    }
    return one;
}

inline int common_step(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const StepContext& c = *(const StepContext*)ctx;
    uint64_t step = c.guess;
    for (int64_t row = start; row < stop && step > 1; ++row) {
        if (!is_valid(c.view, row)) continue;
        const int64_t value = load<int64_t>(c.view.values, row);
        const uint64_t distance = value < c.origin ? (uint64_t)c.origin - (uint64_t)value : (uint64_t)value - (uint64_t)c.origin;
        if (distance % step != 0) step = greatest_common_divisor(step, distance);
    }
    c.steps[slice] = step;
    return OK;
}

}  // namespace ff
