// Key columns to codes: each key value as a number 0 .. n_values - 1 in key order, several keys as digits of one
// mixed-radix word, and the making of dense group ids from words that are small.
//
// Mixed-radix packing and direct addressing as in DuckDB's perfect hash aggregate, without its limit of 12 bits.
#pragma once
#include "hash.hpp"
#include "kernel.hpp"

namespace ff {

// Which bits of a value a part takes: a value wider than a word can address is split into several parts, high first.
// UPPER: bits 32 to 63, LOWER: 0 to 31, HIGH64: 64 to 127.
enum Field : int { WHOLE = 0, UPPER = 1, LOWER = 2, HIGH64 = 3 };

// One digit of a packed key.
struct KeyPart {
    const uint8_t* values;     // in
    const uint8_t* validity;   // in
    int64_t bit_offset;        // in
    int32_t physical;          // in
    int32_t field;             // in: Field
    uint64_t base;             // in: the ordered word of the smallest value, code 0
    uint64_t base_high;        // in: its upper half (I128)
    uint64_t n_values;         // in: codes are 0 .. n_values - 1; a missing value has code n_values
    uint64_t stride;           // in: weight of the digit
    const code_t* lut;         // in: other codes for the n_values + 1 codes (NULL_CODE: no such key), or null
    int32_t may_miss;          // in: look for missing values
    int32_t drop_missing;      // in: a row with a missing value here has no key at all
    int32_t check;             // in: values may lie outside of the codes (or between them); such a row has no key
    int32_t unused;
    uint64_t step;             // in: code n stands for base + n * step
};

struct PackContext {
    const KeyPart* parts;   // in
    int64_t n_parts;        // in
    const row_t* rows;      // in: take these rows of the key columns, or null for all in order
    int32_t wide;           // in: compute in 64 bits
    int32_t may_drop;       // in: some row may have no key
    code_t* codes;          // out, or null: words as 32-bit codes, NULL_CODE where there is no key
    uint64_t* words;        // out, or null: words, NO_WORD where there is no key
    uint64_t* hashes;       // out, or null: mixed words, NO_HASH where there is no key
    row_t* first;           // out, or null: per code, lowered to the first row that has it
    int64_t prefetch;       // in: `first` is larger than the cache
};

constexpr int PACK_BLOCK = 1024;
constexpr uint64_t OUTSIDE = ~(uint64_t)0;

template <typename T, int FIELD>
struct Digit {
    static uint64_t of(const uint8_t* values, int64_t row, const KeyPart& part) {
        const uint64_t word = (uint64_t)load<T>(values, row);   // sign-extends
        const uint64_t sign = FIELD == UPPER && (T)-1 < (T)0 ? (uint64_t)1 << 63 : 0;
        if (FIELD == UPPER) return ((word ^ sign) >> 32) - part.base;
        if (FIELD == LOWER) return (word & 0xFFFFFFFFu) - part.base;
        return word - part.base;
    }
    static bool is_nan(const uint8_t*, int64_t) { return false; }
    static constexpr bool has_nan = false;
};

// Floats as integers in the same order; -0.0 is +0.0.
template <int FIELD>
struct Digit<double, FIELD> {
    static uint64_t of(const uint8_t* values, int64_t row, const KeyPart& part) {
        const double value = load<double>(values, row) + 0.0;
        int64_t bits;
        memcpy(&bits, &value, 8);
        return ((uint64_t)bits ^ ((uint64_t)(bits >> 63) | (uint64_t)1 << 63)) - part.base;
    }
    static bool is_nan(const uint8_t* values, int64_t row) {
        const double value = load<double>(values, row);
        return value != value;
    }
    static constexpr bool has_nan = true;
};

template <int FIELD>
struct Digit<float, FIELD> {
    static uint64_t of(const uint8_t* values, int64_t row, const KeyPart& part) {
        const float value = load<float>(values, row) + 0.0f;
        int32_t bits;
        memcpy(&bits, &value, 4);
        return (uint64_t)((uint32_t)bits ^ ((uint32_t)(bits >> 31) | 0x80000000u)) - part.base;
    }
    static bool is_nan(const uint8_t* values, int64_t row) {
        const float value = load<float>(values, row);
        return value != value;
    }
    static constexpr bool has_nan = true;
};

template <int FIELD>
struct Digit<int128_t, FIELD> {
    static uint64_t of(const uint8_t* values, int64_t row, const KeyPart& part) {
        const uint128_t value = load<uint128_t>(values, row);
        if (FIELD == HIGH64) return (uint64_t)(value >> 64) - part.base;
        if (FIELD == UPPER) return ((uint64_t)value >> 32) - part.base;
        if (FIELD == LOWER) return ((uint64_t)value & 0xFFFFFFFFu) - part.base;
        const uint128_t digit = value - ((uint128_t)part.base_high << 64 | part.base);
        return digit >> 64 ? OUTSIDE : (uint64_t)digit;
    }
    static bool is_nan(const uint8_t*, int64_t) { return false; }
    static constexpr bool has_nan = false;
};

struct Bit {};   // stands for bool, whose values are bits
template <int FIELD>
struct Digit<Bit, FIELD> {
    static uint64_t of(const uint8_t* values, int64_t row, const KeyPart& part) {
        return (uint64_t)bit_at(values, part.bit_offset + row) - part.base;
    }
    static bool is_nan(const uint8_t*, int64_t) { return false; }
    static constexpr bool has_nan = false;
};

// The digits of `count` rows in L1. `dead` is set for rows without a key.
template <typename WORD>
struct PackBlock {
    WORD digit[PACK_BLOCK];
    WORD word[PACK_BLOCK];
    uint8_t dead[PACK_BLOCK];
    uint8_t outside[PACK_BLOCK];
};

template <typename WORD>
inline void set_missing(const KeyPart& part, PackBlock<WORD>& block, int row, bool missing) {
    block.digit[row] = missing ? (WORD)part.n_values : block.digit[row];
    block.outside[row] = missing ? (uint8_t)(part.drop_missing != 0) : block.outside[row];
}

template <typename WORD>
inline void mark_nulls(const KeyPart& part, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    if (rows != nullptr) {
        for (int row = 0; row < count; ++row) {
            set_missing(part, block, row, !bit_at(part.validity, part.bit_offset + rows[start + row]));
        }
        return;
    }
    for (int at = 0; at < count; at += 64) {
        const int width = count - at < 64 ? count - at : 64;
        const uint64_t all = width == 64 ? ~(uint64_t)0 : ((uint64_t)1 << width) - 1;
        const uint64_t valid = bits_at(part.validity, part.bit_offset + start + at, width);
        if (valid == all) continue;
        for (int bit = 0; bit < width; ++bit) set_missing(part, block, at + bit, !((valid >> bit) & 1));
    }
}

// Codes of values that are whole steps apart. The quotient is taken in 64 bits, whatever the words are.
template <typename digit_t, typename WORD>
void read_steps(const KeyPart& part, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    for (int row = 0; row < count; ++row) {
        const uint64_t distance = digit_t::of(part.values, rows ? rows[start + row] : start + row, part);
        const uint64_t code = distance / part.step;
        block.digit[row] = part.check && code * part.step != distance ? (WORD)OUTSIDE : (WORD)code;
    }
}

template <typename T, int FIELD, typename WORD>
void read_digits(const KeyPart& part, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    typedef Digit<T, FIELD> digit_t;
    if (part.step > 1) {
        read_steps<digit_t>(part, rows, start, count, block);
    } else if (rows == nullptr) {
        for (int row = 0; row < count; ++row) block.digit[row] = (WORD)digit_t::of(part.values, start + row, part);
    } else {
        const row_t* taken = rows + start;
        for (int row = 0; row < count; ++row) block.digit[row] = (WORD)digit_t::of(part.values, taken[row], part);
    }
    if (part.check) {
        for (int row = 0; row < count; ++row) {
            const bool out = block.digit[row] >= (WORD)part.n_values;
            block.outside[row] = out;
            block.digit[row] = out ? 0 : block.digit[row];
        }
    } else if (part.drop_missing) {
        memset(block.outside, 0, count);
    }
    if (!part.may_miss) return;
    if (digit_t::has_nan) {
        for (int row = 0; row < count; ++row) {
            set_missing(part, block, row, digit_t::is_nan(part.values, rows ? rows[start + row] : start + row));
        }
    }
    if (part.validity != nullptr) mark_nulls(part, rows, start, count, block);
}

template <typename T, typename WORD>
void read_field(const KeyPart& part, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    switch (part.field) {
        case UPPER: return read_digits<T, UPPER>(part, rows, start, count, block);
        case LOWER: return read_digits<T, LOWER>(part, rows, start, count, block);
        case HIGH64: return read_digits<T, HIGH64>(part, rows, start, count, block);
        default: return read_digits<T, WHOLE>(part, rows, start, count, block);
    }
}

template <typename WORD>
void read_part(const KeyPart& part, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    switch (part.physical) {
        case I8: return read_digits<int8_t, WHOLE>(part, rows, start, count, block);
        case I16: return read_digits<int16_t, WHOLE>(part, rows, start, count, block);
        case I32: return read_digits<int32_t, WHOLE>(part, rows, start, count, block);
        case I64: return read_field<int64_t>(part, rows, start, count, block);
        case U8: return read_digits<uint8_t, WHOLE>(part, rows, start, count, block);
        case U16: return read_digits<uint16_t, WHOLE>(part, rows, start, count, block);
        case U32: return read_digits<uint32_t, WHOLE>(part, rows, start, count, block);
        case U64: return read_field<uint64_t>(part, rows, start, count, block);
        case F32: return read_digits<float, WHOLE>(part, rows, start, count, block);
        case F64: return read_digits<double, WHOLE>(part, rows, start, count, block);
        case BOOL: return read_digits<Bit, WHOLE>(part, rows, start, count, block);
        default: return read_field<int128_t>(part, rows, start, count, block);
    }
}

// Make the words of a block; they are where the result points.
template <typename WORD>
WORD* pack_block(const PackContext& c, int64_t start, int count, PackBlock<WORD>& block) {
    if (c.may_drop) memset(block.dead, 0, count);
    for (int64_t at = 0; at < c.n_parts; ++at) {
        const KeyPart& part = c.parts[at];
        read_part(part, c.rows, start, count, block);
        if (part.check || part.drop_missing) {
            for (int row = 0; row < count; ++row) block.dead[row] |= block.outside[row];
        }
        if (part.lut != nullptr) {
            for (int row = 0; row < count; ++row) block.digit[row] = part.lut[block.digit[row]];
            if (part.check) {
                for (int row = 0; row < count; ++row) block.dead[row] |= block.digit[row] == NULL_CODE;
            }
        }
        if (c.n_parts == 1) return block.digit;
        const WORD stride = (WORD)part.stride;
        if (at == 0) {
            for (int row = 0; row < count; ++row) block.word[row] = block.digit[row] * stride;
        } else {
            for (int row = 0; row < count; ++row) block.word[row] += block.digit[row] * stride;
        }
    }
    return block.word;
}

// Lower `*slot` to `row`. The minimum is the same whichever thread comes first.
inline void lower_first(row_t* slot, row_t row) {
    row_t seen = __atomic_load_n(slot, __ATOMIC_RELAXED);
    while (row < seen && !__atomic_compare_exchange_n(slot, &seen, row, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}

template <typename WORD>
inline void mark_first(const PackContext& c, int64_t start, int count, const WORD* words, const uint8_t* dead) {
    if (c.prefetch) {
        for (int row = 0; row < count; ++row) __builtin_prefetch(c.first + words[row]);
    }
    if (!c.may_drop) {
        for (int row = 0; row < count; ++row) lower_first(c.first + words[row], (row_t)(start + row));
        return;
    }
    for (int row = 0; row < count; ++row) {
        if (!dead[row]) lower_first(c.first + words[row], (row_t)(start + row));
    }
}

template <typename WORD>
int pack_keys_as(const PackContext& c, int64_t start, int64_t stop) {
    PackBlock<WORD> block;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = stop - row < PACK_BLOCK ? (int)(stop - row) : PACK_BLOCK;
        WORD* words = pack_block(c, row, count, block);
        if (c.first) mark_first(c, row, count, words, block.dead);
        if (c.may_drop) {
            for (int at = 0; at < count; ++at) words[at] = block.dead[at] ? (WORD)NO_WORD : words[at];
        }
        if (c.codes) {
            for (int at = 0; at < count; ++at) c.codes[row + at] = (code_t)words[at];
        }
        if (c.words) {
            for (int at = 0; at < count; ++at) c.words[row + at] = words[at];
        }
        if (c.hashes) {
            for (int at = 0; at < count; ++at) c.hashes[row + at] = mix(words[at]);
        }
    }
    return OK;
}

inline int pack_keys(void* ctx, int64_t start, int64_t stop, int64_t) {
    const PackContext& c = *(const PackContext*)ctx;
    return c.wide ? pack_keys_as<uint64_t>(c, start, stop) : pack_keys_as<uint32_t>(c, start, stop);
}

// ---- dense ids ----------------------------------------------------------------------------------------------------

constexpr row_t NEVER = 0x7FFFFFFF;   // in `first`: no row has this code

struct FillContext {
    code_t* out;    // out
    code_t value;   // in
};

inline int fill_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const FillContext& c = *(const FillContext*)ctx;
    for (int64_t at = start; at < stop; ++at) c.out[at] = c.value;
    return OK;
}

struct DenseContext {
    const row_t* first;      // in: per code, its first row or NEVER
    int64_t* counts;         // out of count_present, in of number_present: per slice, codes present before it
    code_t* dense;           // out: per code, its dense id; NULL_CODE where no row has it
    row_t* first_of_dense;   // out: per dense id, its first row
};

inline int count_present(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const DenseContext& c = *(const DenseContext*)ctx;
    int64_t count = 0;
    for (int64_t code = start; code < stop; ++code) count += c.first[code] != NEVER;
    c.counts[slice] = count;
    return OK;
}

inline int number_present(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const DenseContext& c = *(const DenseContext*)ctx;
    int64_t dense = c.counts[slice];
    for (int64_t code = start; code < stop; ++code) {
        const bool present = c.first[code] != NEVER;
        c.dense[code] = present ? (code_t)dense : NULL_CODE;
        if (present) c.first_of_dense[dense++] = c.first[code];
    }
    return OK;
}

struct RemapContext {
    const code_t* codes;   // in
    const code_t* map;     // in
    code_t* out;           // out: map[code]; NULL_CODE stays (may be `codes` itself)
    int64_t prefetch;      // in: the map is larger than the cache
};

inline int remap_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RemapContext& c = *(const RemapContext*)ctx;
    constexpr int64_t AHEAD = 32;
    for (int64_t row = start; row < stop; ++row) {
        if (c.prefetch && row + AHEAD < stop) __builtin_prefetch(c.map + c.codes[row + AHEAD]);
        const code_t code = c.codes[row];
        c.out[row] = code == NULL_CODE ? NULL_CODE : c.map[code];
    }
    return OK;
}

// ---- order of first appearance ------------------------------------------------------------------------------------

struct AppearContext {
    const row_t* first_rows;   // in: per group, its first row
    code_t* group_at;          // out of mark_appearances (NULL_CODE before): per row, the group that starts there
    int64_t* counts;           // out of count_appearances, in of number_appearances: groups that start before the slice
    code_t* place;             // out: per group, its rank by first row
    row_t* ordered_rows;       // out: first rows, ascending
};

inline int mark_appearances(void* ctx, int64_t start, int64_t stop, int64_t) {   // over groups
    const AppearContext& c = *(const AppearContext*)ctx;
    constexpr int64_t AHEAD = 32;
    for (int64_t group = start; group < stop; ++group) {
        if (group + AHEAD < stop) __builtin_prefetch(c.group_at + c.first_rows[group + AHEAD], 1);
        c.group_at[c.first_rows[group]] = (code_t)group;
    }
    return OK;
}

inline int count_appearances(void* ctx, int64_t start, int64_t stop, int64_t slice) {   // over rows
    const AppearContext& c = *(const AppearContext*)ctx;
    int64_t count = 0;
    for (int64_t row = start; row < stop; ++row) count += c.group_at[row] != NULL_CODE;
    c.counts[slice] = count;
    return OK;
}

inline int number_appearances(void* ctx, int64_t start, int64_t stop, int64_t slice) {   // over rows
    const AppearContext& c = *(const AppearContext*)ctx;
    int64_t rank = c.counts[slice];
    for (int64_t row = start; row < stop; ++row) {
        if (c.group_at[row] == NULL_CODE) continue;
        c.place[c.group_at[row]] = (code_t)rank;
        c.ordered_rows[rank++] = (row_t)row;
    }
    return OK;
}

}  // namespace ff
