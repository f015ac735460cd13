// Conversions between numeric types, checked or not.
//
// Checked: an integer must keep its value; a float becomes an integer only where it is whole and in range; going to a
// float may round (that is what floats are) but a finite value must stay finite. Unchecked: integers wrap, floats are
// cut towards zero and end at the limits of the integer type. NaN becomes null in types that have no NaN. To bool: not zero.
#pragma once
#include <cmath>
#include <limits>

#include "compare_words.hpp"
#include "operand.hpp"
#include "streaming.hpp"

namespace ff {

struct CastContext {
    View values;          // in
    uint8_t* out;         // out  values, bits for bool
    uint8_t* validity;    // out  written only from float to a type without NaN; else null
    int64_t* bad_rows;    // out  per slice: the first row that does not fit
    int64_t streams;      // in   1 where numbers go past the caches; `out` is then aligned to a line
};

template <typename From, typename To>
struct Converted {
    To value;
    bool exact;
};

template <typename From, typename To>
inline Converted<From, To> convert_one(From value) {
    constexpr bool from_float = std::is_floating_point<From>::value, to_float = std::is_floating_point<To>::value;
    if constexpr (to_float) {
        const To result = (To)value;
        if constexpr (from_float && sizeof(From) > sizeof(To)) return {result, std::isinf(result) == std::isinf(value)};
        else return {result, true};
    } else if constexpr (from_float) {
        // 2^k limits are exact in both float types; `beyond` is the first value that is too large.
        constexpr double beyond = 2.0 * (double)((uint64_t)1 << (std::numeric_limits<To>::digits - 1));
        constexpr double least = std::is_signed<To>::value ? -beyond : 0.0;
        const double cut = std::trunc((double)value);
        if (cut >= beyond) return {std::numeric_limits<To>::max(), false};
        if (cut < least) return {std::numeric_limits<To>::min(), false};
        return {(To)cut, cut == (double)value};
    } else {
        const To result = (To)value;
        return {result, (From)result == value && (result < 0) == (value < 0)};
    }
}

// Floats to integers where all of them are whole and in range; false (some output is not written right) where one is not.
template <typename From, typename To>
inline bool cast_whole(const uint8_t* __restrict in, uint8_t* __restrict out, int count) {
    constexpr From beyond = (From)2 * (From)((uint64_t)1 << (std::numeric_limits<To>::digits - 1));
    constexpr From least = std::is_signed<To>::value ? -beyond : (From)0;
    int fits = 1;
    for (int row = 0; row < count; ++row) {
        const From value = load<From>(in, row);
        const int one = (value >= least) & (value < beyond) & (std::trunc(value) == value);
        fits &= one;
        store<To>(out, row, (To)(one ? value : (From)0));
    }
    return fits;
}

// Doubles to floats where all become finite ones; false where one does not, which may be infinite or NaN already.
FF_WIDE_ROWS inline bool cast_finite(const uint8_t* __restrict in, uint8_t* __restrict out, int count) {
    constexpr uint32_t exponent = 0x7F800000u;
    uint32_t special = 0;
    for (int row = 0; row < count; ++row) {
        const float value = (float)load<double>(in, row);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        special |= (bits & exponent) == exponent;
        store<float>(out, row, value);
    }
    return special == 0;
}

// The loop; CHECKED fails at the first row that is not exact.
template <typename From, typename To, bool CHECKED>
int cast(void* context, int64_t start, int64_t stop, int64_t slice) {
    const CastContext& ctx = *(const CastContext*)context;
    constexpr bool nan_to_null = std::is_floating_point<From>::value && !std::is_floating_point<To>::value;
    [[maybe_unused]] const bool wide = has_wide_rows();
    BlockWriter<64 * sizeof(To)> writer(ctx.streams);
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        uint64_t valid = ctx.values.validity ? bits_at(ctx.values.validity, ctx.values.bit_offset + first, count) : low_bits(count);
        const uint8_t* __restrict in = ctx.values.values + first * (int64_t)sizeof(From);
        uint8_t* const place = ctx.out + first * (int64_t)sizeof(To);
        uint8_t* __restrict out = writer.target(place);
        const int64_t n_bytes = count * (int64_t)sizeof(To);
        bool exact = true;
        if constexpr (nan_to_null) {
            if (valid == low_bits(count) && cast_whole<From, To>(in, out, count)) {
                store_bits(ctx.validity, first, valid, count);
                writer.put(place, n_bytes);
                continue;
            }
        }
        if constexpr (std::is_same<From, double>::value && std::is_same<To, float>::value) {
            if (wide && valid == low_bits(count) && cast_finite(in, out, count)) {
                writer.put(place, n_bytes);
                continue;
            }
        }
        if (valid == low_bits(count) && !nan_to_null) {
            for (int row = 0; row < count; ++row) {
                const Converted<From, To> one = convert_one<From, To>(load<From>(in, row));
                exact &= one.exact;
                store<To>(out, row, one.value);
            }
        } else {
            for (int row = 0; row < count; ++row) {
                const From value = load<From>(in, row);
                if (nan_to_null && value != value) valid &= ~((uint64_t)1 << row);
                const bool here = (valid >> row) & 1;
                const Converted<From, To> one = convert_one<From, To>(here ? value : (From)0);
                exact &= one.exact;
                store<To>(out, row, one.value);
            }
        }
        if (nan_to_null) store_bits(ctx.validity, first, valid, count);
        writer.put(place, n_bytes);
        if (CHECKED && !exact) {
            for (int row = 0; row < count; ++row) {
                if (!((valid >> row) & 1) || convert_one<From, To>(load<From>(in, row)).exact) continue;
                ctx.bad_rows[slice] = first + row;
                return INEXACT;
            }
        }
    }
    return OK;
}

template <typename From>
int cast_to_bool(void* context, int64_t start, int64_t stop, int64_t) {
    const CastContext& ctx = *(const CastContext*)context;
    const uint8_t zeros[64 * sizeof(From)] = {0};
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        uint64_t valid = ctx.values.validity ? bits_at(ctx.values.validity, ctx.values.bit_offset + first, count) : low_bits(count);
        const uint8_t* in = ctx.values.values + first * (int64_t)sizeof(From);
        if constexpr (std::is_floating_point<From>::value) valid &= ~nan_word<From>(in, count);
        store_bits(ctx.out, first, compare_word<NE, From, From>(in, zeros, count) & valid, count);
        if (ctx.validity) store_bits(ctx.validity, first, valid, count);
    }
    return OK;
}

template <typename To>
int cast_bool(void* context, int64_t start, int64_t stop, int64_t) {
    const CastContext& ctx = *(const CastContext*)context;
    for (int64_t row = start; row < stop; ++row)
        store<To>(ctx.out, row, (To)(is_valid(ctx.values, row) && bit_at(ctx.values.values, ctx.values.bit_offset + row)));
    return OK;
}

inline kernel_t cast_kernel(int from, int to, bool checked) {
    if (from == BOOL)
        return for_number(to, [](auto target) -> kernel_t { return &cast_bool<typename decltype(target)::type>; }, (kernel_t)nullptr);
    return for_number(from, [to, checked](auto source) -> kernel_t {
        typedef typename decltype(source)::type From;
        if (to == BOOL) return &cast_to_bool<From>;
        return for_number(to, [checked](auto target) -> kernel_t {
            typedef typename decltype(target)::type To;
            return checked ? &cast<From, To, true> : &cast<From, To, false>;
        }, (kernel_t)nullptr);
    }, (kernel_t)nullptr);
}

}  // namespace ff
