// Bitmaps: word-wise logic over operands with different bit offsets, counts, and conversion from and to bytes.
//
// Results start at bit 0. An operand without bits stands for the same bit everywhere, so "no validity" needs no bitmap
// of ones. Unaligned operands are read through a funnel shift of words (`bits_at`), as in Arrow's `BitmapWordReader`.
#pragma once
#include "compare_words.hpp"
#include "kernel.hpp"

namespace ff {

constexpr int64_t WORD_ROWS = 64;

// One operand: bit 0 is bit `offset` of `bits`; where `bits` is null, every bit is that of `constant` (0 or ~0).
struct BitSource {
    const uint8_t* bits;   // in
    int64_t offset;        // in
    uint64_t constant;     // in
};

inline int rows_in_word(int64_t row, int64_t stop) { return stop - row < WORD_ROWS ? (int)(stop - row) : (int)WORD_ROWS; }

inline uint64_t low_bits(uint64_t word, int count) { return count == 64 ? word : word & (((uint64_t)1 << count) - 1); }

inline uint64_t word_at(const BitSource& source, int64_t row, int count) {
    return source.bits == nullptr ? low_bits(source.constant, count) : bits_at(source.bits, source.offset + row, count);
}

// Call `each(row, bit)` for rows from `start`, a multiple of 64, on.
template <typename Each>
inline void for_bits(const BitSource& source, int64_t start, int64_t stop, Each each) {
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t word = word_at(source, base, count);
        for (int bit = 0; bit < count; ++bit) each(base + bit, (bool)((word >> bit) & 1));
    }
}

// Bits of a validity bitmap; a view without one is valid everywhere.
inline BitSource validity_of(const View& view) { return BitSource{view.validity, view.bit_offset, ~(uint64_t)0}; }

// Write the `count` low bits of `word` for rows from `row` on, a multiple of 64, of a bitmap that starts at bit 0.
inline void store_word(uint8_t* bits, int64_t row, uint64_t word, int count) {
    if (count == 64) {
        memcpy(bits + (row >> 3), &word, 8);
    } else {
        store_bits(bits, row, word, count);
    }
}

enum BitOp : int { BIT_COPY = 0, BIT_NOT = 1, BIT_AND = 2, BIT_OR = 3, BIT_XOR = 4, BIT_AND_NOT = 5, BIT_SELECT = 6 };

struct CombineContext {
    BitSource first;    // in: for BIT_SELECT the choice
    BitSource second;   // in: for BIT_SELECT the bits where the choice is 1
    BitSource third;    // in: for BIT_SELECT the bits where the choice is 0
    uint8_t* out;       // out
};

template <int OP>
int combine_bits(void* raw, int64_t start, int64_t stop, int64_t) {
    const CombineContext ctx = *(const CombineContext*)raw;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        const uint64_t first = word_at(ctx.first, row, count);
        uint64_t word = first;
        if (OP == BIT_NOT) word = ~first;
        if (OP == BIT_AND) word = first & word_at(ctx.second, row, count);
        if (OP == BIT_OR) word = first | word_at(ctx.second, row, count);
        if (OP == BIT_XOR) word = first ^ word_at(ctx.second, row, count);
        if (OP == BIT_AND_NOT) word = first & ~word_at(ctx.second, row, count);
        if (OP == BIT_SELECT) word = (first & word_at(ctx.second, row, count)) | (~first & word_at(ctx.third, row, count));
        store_word(ctx.out, row, low_bits(word, count), count);
    }
    return OK;
}

inline kernel_t combine_kernel(int op) {
    static const kernel_t KERNELS[] = {
        combine_bits<BIT_COPY>, combine_bits<BIT_NOT>, combine_bits<BIT_AND>, combine_bits<BIT_OR>,
        combine_bits<BIT_XOR>, combine_bits<BIT_AND_NOT>, combine_bits<BIT_SELECT>,
    };
    return op < 0 || op > BIT_SELECT ? nullptr : KERNELS[op];
}

struct CountContext {
    BitSource first;    // in
    BitSource second;   // in: counted are bits set in both
    int64_t* counts;    // out: one per slice
};

inline int count_bits(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const CountContext ctx = *(const CountContext*)raw;
    int64_t total = 0;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        total += __builtin_popcountll(word_at(ctx.first, row, count) & word_at(ctx.second, row, count));
    }
    ctx.counts[slice] = total;
    return OK;
}

struct PackBitsContext {
    const uint8_t* bytes;   // in: any byte but 0 is true
    uint8_t* out;           // out: bits
};

inline int pack_bytes(void* raw, int64_t start, int64_t stop, int64_t) {
    const PackBitsContext ctx = *(const PackBitsContext*)raw;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        uint64_t word = 0;
        for (int bit = 0; bit < count; ++bit) word |= (uint64_t)(ctx.bytes[row + bit] != 0) << bit;
        store_word(ctx.out, row, word, count);
    }
    return OK;
}

struct UnpackContext {
    BitSource bits;   // in
    uint8_t* out;     // out: bytes 0 and 1
};

inline int unpack_bits(void* raw, int64_t start, int64_t stop, int64_t) {
    const UnpackContext ctx = *(const UnpackContext*)raw;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        const uint64_t word = word_at(ctx.bits, row, count);
        for (int bit = 0; bit < count; ++bit) ctx.out[row + bit] = (uint8_t)((word >> bit) & 1);
    }
    return OK;
}

struct MissingContext {
    View column;    // in: floats
    uint8_t* out;   // out: bits, 1 where null or NaN
};

template <typename T, bool HAS_NULLS>
int missing_floats(void* raw, int64_t start, int64_t stop, int64_t) {
    const MissingContext ctx = *(const MissingContext*)raw;
    const BitSource valid = validity_of(ctx.column);
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        uint64_t word = nan_word<T>(ctx.column.values + row * (int64_t)sizeof(T), count);
        if (HAS_NULLS) word |= low_bits(~word_at(valid, row, count), count);
        store_word(ctx.out, row, word, count);
    }
    return OK;
}

inline kernel_t missing_kernel(int physical, bool has_nulls) {
    if (physical == F32) return has_nulls ? missing_floats<float, true> : missing_floats<float, false>;
    if (physical == F64) return has_nulls ? missing_floats<double, true> : missing_floats<double, false>;
    return nullptr;
}

}  // namespace ff
