// Gather by row numbers: fixed-width values, bits, and the rows that codes point at.
//
// Rows are int32; -1 means no row and gives 0 (and, where the caller asks for validity, null). Rows are checked once per
// table (`row_bounds`), not per column. Sources that do not fit the L2 cache are prefetched some rows ahead: loads do
// not depend on each other, but the reorder buffer alone covers too few of them.
#pragma once
#include "bitmap.hpp"

namespace ff {

constexpr int64_t PREFETCH_ROWS = 32;

struct BoundsContext {
    const row_t* rows;   // in
    row_t* lowest;       // out: one per slice
    row_t* highest;      // out: one per slice
};

inline int row_bounds(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const BoundsContext ctx = *(const BoundsContext*)raw;
    row_t lowest = INT32_MAX;
    row_t highest = INT32_MIN;
    for (int64_t row = start; row < stop; ++row) {
        const row_t source = ctx.rows[row];
        lowest = source < lowest ? source : lowest;
        highest = source > highest ? source : highest;
    }
    ctx.lowest[slice] = lowest;
    ctx.highest[slice] = highest;
    return OK;
}

struct TakeContext {
    const uint8_t* values;   // in: of the source; at least one row where any of `rows` is -1
    const row_t* rows;       // in
    uint8_t* out;            // out
};

template <typename T, bool MISSING>
inline void take_one(const TakeContext& ctx, int64_t row) {
    const row_t source = ctx.rows[row];
    if (MISSING) {
        const T value = load<T>(ctx.values, source < 0 ? 0 : source);
        store<T>(ctx.out, row, source < 0 ? T(0) : value);
    } else {
        store<T>(ctx.out, row, load<T>(ctx.values, source));
    }
}

template <typename T, bool MISSING, bool PREFETCH>
int take_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const TakeContext ctx = *(const TakeContext*)raw;
    int64_t row = start;
    if (PREFETCH) {
        for (; row + PREFETCH_ROWS < stop; ++row) {
            __builtin_prefetch(ctx.values + (int64_t)ctx.rows[row + PREFETCH_ROWS] * (int64_t)sizeof(T));
            take_one<T, MISSING>(ctx, row);
        }
    }
    for (; row < stop; ++row) take_one<T, MISSING>(ctx, row);
    return OK;
}

template <typename T>
kernel_t take_of_type(bool missing, bool prefetch) {
    if (missing) return prefetch ? take_values<T, true, true> : take_values<T, true, false>;
    return prefetch ? take_values<T, false, true> : take_values<T, false, false>;
}

inline kernel_t take_kernel(int width, bool missing, bool prefetch) {
    switch (width) {
        case 1: return take_of_type<uint8_t>(missing, prefetch);
        case 2: return take_of_type<uint16_t>(missing, prefetch);
        case 4: return take_of_type<uint32_t>(missing, prefetch);
        case 8: return take_of_type<uint64_t>(missing, prefetch);
        case 16: return take_of_type<uint128_t>(missing, prefetch);
        default: return nullptr;
    }
}

struct TakeBitsContext {
    const uint8_t* bits;   // in: bits of the source; at least one where any of `rows` is -1
    int64_t bit_offset;    // in
    const row_t* rows;     // in
    uint8_t* out;          // out: bits, 0 where there is no row
};

template <bool MISSING>
int take_bits(void* raw, int64_t start, int64_t stop, int64_t) {
    const TakeBitsContext ctx = *(const TakeBitsContext*)raw;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        uint64_t word = 0;
        for (int bit = 0; bit < count; ++bit) {
            const row_t source = ctx.rows[row + bit];
            const uint64_t value = bit_at(ctx.bits, ctx.bit_offset + (MISSING && source < 0 ? 0 : source));
            word |= (MISSING && source < 0 ? 0 : value) << bit;
        }
        store_word(ctx.out, row, word, count);
    }
    return OK;
}

inline kernel_t take_bits_kernel(bool missing) { return missing ? take_bits<true> : take_bits<false>; }

struct PresentContext {
    const row_t* rows;   // in
    uint8_t* out;        // out: bits, 1 where there is a row
};

inline int present_rows(void* raw, int64_t start, int64_t stop, int64_t) {
    const PresentContext ctx = *(const PresentContext*)raw;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        uint64_t word = 0;
        for (int bit = 0; bit < count; ++bit) word |= (uint64_t)(ctx.rows[row + bit] >= 0) << bit;
        store_word(ctx.out, row, word, count);
    }
    return OK;
}

struct CodeRowsContext {
    View codes;   // in: int32 codes
    row_t* out;   // out: the code, or -1 where it is null (what lies under a null may point anywhere)
};

inline int code_rows(void* raw, int64_t start, int64_t stop, int64_t) {
    const CodeRowsContext ctx = *(const CodeRowsContext*)raw;
    const BitSource valid = validity_of(ctx.codes);
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        const uint64_t word = word_at(valid, row, count);
        for (int bit = 0; bit < count; ++bit) {
            const row_t code = load<row_t>(ctx.codes.values, row + bit);
            ctx.out[row + bit] = (word >> bit) & 1 ? code : NO_ROW;
        }
    }
    return OK;
}

}  // namespace ff
