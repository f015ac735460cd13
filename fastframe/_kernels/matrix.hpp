// One column of a matrix of floats: numbers and bools converted, null as NaN.
#pragma once
#include <limits>

#include "bitmap.hpp"
#include "streaming.hpp"

namespace ff {

struct MatrixContext {
    View values;   // in: numbers, or bits
    uint8_t* out;  // out: floats
    int streams;   // in: whether `out` goes past the caches
};

// Blocks of 64 rows begin at a line only if the column does: else their lines are stored.
inline bool begins_a_line(const uint8_t* out) { return (uintptr_t)out % LINE == 0; }

template <typename To>
inline void put_nan(uint8_t* out, uint64_t missing) {
    for (; missing != 0; missing &= missing - 1) store<To>(out, __builtin_ctzll(missing), std::numeric_limits<To>::quiet_NaN());
}

template <typename From, typename To>
int matrix_column(void* raw, int64_t start, int64_t stop, int64_t) {
    const MatrixContext ctx = *(const MatrixContext*)raw;
    const BitSource valid = validity_of(ctx.values);
    BlockWriter<WORD_ROWS * sizeof(To)> writer(ctx.streams && begins_a_line(ctx.out));
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        uint8_t* const place = ctx.out + base * (int64_t)sizeof(To);
        uint8_t* __restrict const out = writer.target(place);
        const uint8_t* __restrict const in = ctx.values.values + base * (int64_t)sizeof(From);
        for (int row = 0; row < count; ++row) store<To>(out, row, (To)load<From>(in, row));
        put_nan<To>(out, low_bits(~word_at(valid, base, count), count));
        writer.put(place, count * (int64_t)sizeof(To));
    }
    return OK;
}

template <typename To>
int matrix_bits(void* raw, int64_t start, int64_t stop, int64_t) {
    const MatrixContext ctx = *(const MatrixContext*)raw;
    const BitSource valid = validity_of(ctx.values);
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t bits = bits_at(ctx.values.values, ctx.values.bit_offset + base, count);
        uint8_t* const out = ctx.out + base * (int64_t)sizeof(To);
        for (int row = 0; row < count; ++row) store<To>(out, row, (To)((bits >> row) & 1));
        put_nan<To>(out, low_bits(~word_at(valid, base, count), count));
    }
    return OK;
}

template <typename To>
inline kernel_t matrix_kernel_of(int physical) {
    switch (physical) {
        case BOOL: return matrix_bits<To>;
        case I8: return matrix_column<int8_t, To>;
        case I16: return matrix_column<int16_t, To>;
        case I32: return matrix_column<int32_t, To>;
        case I64: return matrix_column<int64_t, To>;
        case U8: return matrix_column<uint8_t, To>;
        case U16: return matrix_column<uint16_t, To>;
        case U32: return matrix_column<uint32_t, To>;
        case U64: return matrix_column<uint64_t, To>;
        case F32: return matrix_column<float, To>;
        case F64: return matrix_column<double, To>;
        default: return nullptr;
    }
}

inline kernel_t matrix_kernel(int physical, bool is_double) { return is_double ? matrix_kernel_of<double>(physical) : matrix_kernel_of<float>(physical); }

}  // namespace ff
