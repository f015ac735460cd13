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
    uint8_t* codes;         // out, or null: words as codes of `code_bytes`, all bits set where there is no key
    int32_t code_bytes;     // in: 1, 2 or 4
    int32_t bits;           // in: log2 of the number of partitions of hashes
    uint64_t* words;        // out, or null: words, NO_WORD where there is no key
    uint64_t* hashes;       // out, or null: mixed words, NO_HASH where there is no key
    uint32_t* counts;       // out, or null: per slice and partition (the top bits of a hash), its hashes
    uint64_t* present;      // in, out, or null: a bit per word, set where a row has it
    int64_t n_present;      // in: 64-bit cells of `present`; bits behind the last word are set from the start
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
        uint64_t missing = all & ~bits_at(part.validity, part.bit_offset + start + at, width);
        for (; missing != 0; missing &= missing - 1) set_missing(part, block, at + __builtin_ctzll(missing), true);
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
void read_digits(const KeyPart& given, const row_t* rows, int64_t start, int count, PackBlock<WORD>& block) {
    typedef Digit<T, FIELD> digit_t;
    const KeyPart part = given;   // of our own: digits that are written might be fields of the caller's, for all the compiler knows
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
        memset(block.outside, 0, sizeof(block.outside));
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

// Whether digits are just distances from the base.
inline bool is_plain(const KeyPart& part) {
    return part.physical <= U64 && part.field == WHOLE && part.step <= 1 && !part.may_miss && !part.check && part.lut == nullptr;
}

// Plain digits straight to the words: one pass through the L1 cache less.
template <typename T, typename WORD>
void add_values(const KeyPart& given, int64_t start, int count, bool first, WORD* words) {
    const KeyPart part = given;
    const uint8_t* values = part.values + start * (int64_t)sizeof(T);
    const WORD base = (WORD)part.base;
    if (part.stride != 0 && (part.stride & (part.stride - 1)) == 0) {
        const int shift = __builtin_ctzll(part.stride);
        if (first) {
            for (int row = 0; row < count; ++row) words[row] = ((WORD)load<T>(values, row) - base) << shift;
        } else {
            for (int row = 0; row < count; ++row) words[row] += ((WORD)load<T>(values, row) - base) << shift;
        }
        return;
    }
    const WORD stride = (WORD)part.stride;
    if (first) memset(words, 0, sizeof(WORD) * (size_t)count);
    for (int row = 0; row < count; ++row) words[row] += ((WORD)load<T>(values, row) - base) * stride;
}

template <typename WORD>
void add_plain(const KeyPart& part, int64_t start, int count, bool first, WORD* words) {
    switch (part.physical) {
        case I8: return add_values<int8_t>(part, start, count, first, words);
        case I16: return add_values<int16_t>(part, start, count, first, words);
        case I32: return add_values<int32_t>(part, start, count, first, words);
        case I64: return add_values<int64_t>(part, start, count, first, words);
        case U8: return add_values<uint8_t>(part, start, count, first, words);
        case U16: return add_values<uint16_t>(part, start, count, first, words);
        case U32: return add_values<uint32_t>(part, start, count, first, words);
        default: return add_values<uint64_t>(part, start, count, first, words);
    }
}

// Add the digits, weighted, to the words. Shifts take whole vectors where a product of 64 bits does not.
template <typename WORD>
void add_digits(uint64_t weight, bool first, int count, PackBlock<WORD>& block) {
    if (first) memset(block.word, 0, sizeof(WORD) * (size_t)count);
    if (weight != 0 && (weight & (weight - 1)) == 0) {
        const int shift = __builtin_ctzll(weight);
        for (int row = 0; row < count; ++row) block.word[row] += block.digit[row] << shift;
    } else {
        const WORD stride = (WORD)weight;
        for (int row = 0; row < count; ++row) block.word[row] += block.digit[row] * stride;
    }
}

// Make the words of a block; they are where the result points.
template <typename WORD>
WORD* pack_block(const PackContext& c, int64_t start, int count, PackBlock<WORD>& block) {
    if (c.may_drop) memset(block.dead, 0, count);
    for (int64_t at = 0; at < c.n_parts; ++at) {
        const KeyPart& part = c.parts[at];
        if (c.n_parts > 1 && c.rows == nullptr && is_plain(part)) {
            add_plain(part, start, count, at == 0, block.word);
            continue;
        }
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
        add_digits(part.stride, at == 0, count, block);
    }
    return block.word;
}

// Which words occur. Bits are only ever set, so the answer is the same whichever thread comes first, and once all are
// set there is nothing left to look for.
struct Presence {
    uint64_t* cells;
    int64_t n_cells;
    int64_t n_full;      // cells known to be all ones, from the first on
    int64_t rows_left;   // rows until it is worth looking again
    bool far;            // the cells are larger than the L2 cache

    Presence(uint64_t* given, int64_t n) : cells(given), n_cells(n), n_full(0), rows_left(1 << 10), far(n > FAR_CELLS) {}

    static constexpr int64_t FAR_CELLS = 1 << 15;   // 256 KiB

    bool complete(int count) {
        rows_left -= count;
        if (rows_left > 0) return false;
        rows_left = 1 << 14;
        while (n_full < n_cells && __atomic_load_n(cells + n_full, __ATOMIC_RELAXED) == ~(uint64_t)0) ++n_full;
        return n_full == n_cells;
    }
    void set(uint64_t word) {
        uint64_t* cell = cells + (word >> 6);
        const uint64_t bit = (uint64_t)1 << (word & 63);
        if (!(__atomic_load_n(cell, __ATOMIC_RELAXED) & bit)) __atomic_fetch_or(cell, bit, __ATOMIC_RELAXED);
    }
};

template <typename WORD>
inline void mark_present(Presence& presence, int count, const WORD* words, const uint8_t* dead) {
    if (presence.far) {
        for (int row = 0; row < count; ++row) {
            if (dead == nullptr || !dead[row]) __builtin_prefetch(presence.cells + (words[row] >> 6));
        }
    }
    for (int row = 0; row < count; ++row) {
        if (dead == nullptr || !dead[row]) presence.set(words[row]);
    }
}

template <typename CODE, typename WORD>
inline void store_codes(uint8_t* codes, int64_t start, int count, const WORD* words) {
    CODE* out = (CODE*)codes + start;
    for (int row = 0; row < count; ++row) out[row] = (CODE)words[row];
}

template <typename WORD>
int pack_keys_as(const PackContext& c, int64_t start, int64_t stop, int64_t slice) {
    PackBlock<WORD> block;
    Presence presence(c.present, c.n_present);
    bool looking = c.present != nullptr;
    uint32_t* counts = c.counts ? c.counts + (slice << c.bits) : nullptr;
    if (counts) memset(counts, 0, sizeof(uint32_t) << c.bits);
    const int shift = 64 - c.bits;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = stop - row < PACK_BLOCK ? (int)(stop - row) : PACK_BLOCK;
        WORD* words = pack_block(c, row, count, block);
        if (looking) {
            mark_present(presence, count, words, c.may_drop ? block.dead : nullptr);
            looking = !presence.complete(count);
        }
        if (c.may_drop) {
            for (int at = 0; at < count; ++at) words[at] = block.dead[at] ? (WORD)NO_WORD : words[at];
        }
        if (c.codes) {
            if (c.code_bytes == 1) store_codes<uint8_t>(c.codes, row, count, words);
            else if (c.code_bytes == 2) store_codes<uint16_t>(c.codes, row, count, words);
            else store_codes<uint32_t>(c.codes, row, count, words);
        }
        if (c.words) {
            for (int at = 0; at < count; ++at) c.words[row + at] = words[at];
        }
        if (c.hashes) {
            uint64_t* hashes = c.hashes + row;
            for (int at = 0; at < count; ++at) hashes[at] = mix(words[at]);
            if (counts) {
                for (int at = 0; at < count; ++at) counts[hashes[at] >> shift] += hashes[at] != NO_HASH;
            }
        }
    }
    return OK;
}

inline int pack_keys(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const PackContext& c = *(const PackContext*)ctx;
    return c.wide ? pack_keys_as<uint64_t>(c, start, stop, slice) : pack_keys_as<uint32_t>(c, start, stop, slice);
}

}  // namespace ff
