// Sort keys as kernels see them: every key becomes one or two unsigned fields whose order is the wanted order.
//
// Signed integers have the sign flipped, floats go by the sign trick, text by the rank of its dictionary code; then less
// the smallest (or from the largest down), constant low bits dropped, missing values before or after all others. The
// fields side by side are the whole key. It is cut into digits, from the top, of at most 64 bits.
// Source: normalised keys as in data.table's forder.
#pragma once
#include <algorithm>
#include <type_traits>

#include "kernel.hpp"

namespace ff {

constexpr int DIGIT_BLOCK = 512;     // rows whose digits are made at a time
constexpr uint64_t SIGN_BIT = (uint64_t)1 << 63;

// ---- what a value is as an unsigned word -------------------------------------------------------------------------

enum FieldPart : int {   // keep in step with engines/cpu/sort.py
    WHOLE = 0,     // the value (of a decimal: its low word, where the range allows)
    HIGH = 1,      // a decimal's high word
    LOW = 2,       // a decimal's low word
    MISSING = 3,   // nothing but whether the value is missing
};

struct SortField {
    View view;                // in
    const uint32_t* ranks;    // in: rank of each dictionary code, or null
    int physical;             // in
    int part;                 // in: FieldPart
    int has_missing;          // in
    uint64_t flip;            // in: all ones where descending
    uint64_t base;            // in: smallest (word ^ flip)
    uint64_t bias;            // in: added to present values (1 where missing ones come first)
    uint64_t missing;         // in: the field of a missing value
    int drop;                 // in: low bits that are the same in all values
    int width;                // in: bits of the field
    int64_t position;         // in: of the lowest bit in the whole key
};

template <typename T>
struct IntegerWord {
    static uint64_t of(const SortField& field, int64_t row) {
        const T value = load<T>(field.view.values, row);
        return std::is_signed<T>::value ? (uint64_t)(int64_t)value ^ SIGN_BIT : (uint64_t)value;
    }
    static bool is_nan(const SortField&, int64_t) { return false; }
};

template <typename T>
struct FloatWord {
    static uint64_t of(const SortField& field, int64_t row) {
        const double value = (double)load<T>(field.view.values, row) + 0.0;   // -0.0 becomes 0.0
        uint64_t bits;
        memcpy(&bits, &value, sizeof(bits));
        return bits ^ ((uint64_t)((int64_t)bits >> 63) | SIGN_BIT);
    }
    static bool is_nan(const SortField& field, int64_t row) {
        const T value = load<T>(field.view.values, row);
        return value != value;
    }
};

struct BoolWord {
    static uint64_t of(const SortField& field, int64_t row) { return bit_at(field.view.values, field.view.bit_offset + row); }
    static bool is_nan(const SortField&, int64_t) { return false; }
};

struct RankWord {
    static uint64_t of(const SortField& field, int64_t row) { return field.ranks[load<uint32_t>(field.view.values, row)]; }
    static bool is_nan(const SortField&, int64_t) { return false; }
};

struct DecimalHighWord {
    static uint64_t of(const SortField& field, int64_t row) { return load<uint64_t>(field.view.values, 2 * row + 1) ^ SIGN_BIT; }
    static bool is_nan(const SortField&, int64_t) { return false; }
};

struct DecimalLowWord {
    static uint64_t of(const SortField& field, int64_t row) { return load<uint64_t>(field.view.values, 2 * row); }
    static bool is_nan(const SortField&, int64_t) { return false; }
};

template <typename Word>   // for fields that hold only whether a value is missing
struct NoWord {
    static uint64_t of(const SortField&, int64_t) { return 0; }
    static bool is_nan(const SortField& field, int64_t row) { return Word::is_nan(field, row); }
};

// Calls `apply(Word{})` for the field's type; false where there is none.
template <typename Apply>
inline bool with_word(int physical, int part, bool ranked, Apply apply) {
    if (part == MISSING) {
        if (physical == F32) { apply(NoWord<FloatWord<float>>{}); return true; }
        if (physical == F64) { apply(NoWord<FloatWord<double>>{}); return true; }
        apply(NoWord<BoolWord>{});
        return true;
    }
    if (ranked) { apply(RankWord{}); return true; }
    switch (physical) {
        case I8: apply(IntegerWord<int8_t>{}); return true;
        case I16: apply(IntegerWord<int16_t>{}); return true;
        case I32: apply(IntegerWord<int32_t>{}); return true;
        case I64: apply(IntegerWord<int64_t>{}); return true;
        case U8: apply(IntegerWord<uint8_t>{}); return true;
        case U16: apply(IntegerWord<uint16_t>{}); return true;
        case U32: apply(IntegerWord<uint32_t>{}); return true;
        case U64: apply(IntegerWord<uint64_t>{}); return true;
        case F32: apply(FloatWord<float>{}); return true;
        case F64: apply(FloatWord<double>{}); return true;
        case BOOL: apply(BoolWord{}); return true;
        case I128:
            if (part == HIGH) apply(DecimalHighWord{});
            else apply(DecimalLowWord{});
            return true;
        default: return false;
    }
}

template <typename Word>
inline bool is_missing(const SortField& field, int64_t row) {
    return !is_valid(field.view, row) || Word::is_nan(field, row);
}

// ---- the range of a key's words ----------------------------------------------------------------------------------

// Of the present values of a slice; of a decimal, low and high are (high word, low word) pairs.
struct WordRange {
    uint64_t low[2];     // out: smallest; [0] is 0 but for decimals
    uint64_t high[2];    // out: largest
    uint64_t all_and;    // out: bits that are set in every word
    uint64_t all_or;     // out: bits that are set in some word
    int64_t n_missing;   // out
};

struct RangeScan {
    SortField field;     // in: only view, physical
    WordRange* ranges;   // out: one per slice
};

template <typename Word>
inline int scan_range(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RangeScan& in = *(const RangeScan*)ctx;
    const SortField& field = in.field;
    uint64_t low = ~(uint64_t)0, high = 0, all_and = ~(uint64_t)0, all_or = 0;
    int64_t n_missing = 0;
    const auto add = [&](uint64_t word) {
        low = word < low ? word : low;
        high = word > high ? word : high;
        all_and &= word;
        all_or |= word;
    };
    if (field.has_missing) {
        for (int64_t row = start; row < stop; ++row) {
            if (is_missing<Word>(field, row)) ++n_missing;
            else add(Word::of(field, row));
        }
    } else {
        for (int64_t row = start; row < stop; ++row) add(Word::of(field, row));
    }
    in.ranges[slice] = WordRange{{0, low}, {0, high}, all_and, all_or, n_missing};
    return OK;
}

inline int scan_decimal_range(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RangeScan& in = *(const RangeScan*)ctx;
    const SortField& field = in.field;
    uint128_t low = ~(uint128_t)0, high = 0;
    int64_t n_missing = 0;
    uint64_t all_and = ~(uint64_t)0, all_or = 0;   // of the low words
    for (int64_t row = start; row < stop; ++row) {
        if (!is_valid(field.view, row)) {
            ++n_missing;
            continue;
        }
        const uint64_t low_word = DecimalLowWord::of(field, row);
        const uint128_t word = (uint128_t)DecimalHighWord::of(field, row) << 64 | low_word;
        low = std::min(low, word);
        high = std::max(high, word);
        all_and &= low_word;
        all_or |= low_word;
    }
    in.ranges[slice] = WordRange{{(uint64_t)(low >> 64), (uint64_t)low}, {(uint64_t)(high >> 64), (uint64_t)high}, all_and, all_or, n_missing};
    return OK;
}

inline kernel_t scan_range_kernel(int physical) {
    if (physical == I128) return scan_decimal_range;
    kernel_t kernel = nullptr;
    with_word(physical, WHOLE, false, [&](auto word) { kernel = scan_range<decltype(word)>; });
    return kernel;
}

// ---- digits ------------------------------------------------------------------------------------------------------

struct SortKeys {
    const SortField* fields;   // in: the most significant first
    int64_t n_fields;          // in
    int64_t key_bits;          // in: of all fields
    int row_bits;              // in: of the largest row number (0: digits of 64 bits, which only `read_digits` takes)
};

inline int digit_bits(const SortKeys& keys) { return 64 - keys.row_bits; }
inline int64_t n_levels(const SortKeys& keys) { return (keys.key_bits + digit_bits(keys) - 1) / digit_bits(keys); }

struct Window {
    int64_t low;     // position of the digit's lowest bit in the whole key
    uint64_t mask;
};

inline Window window_of(const SortKeys& keys, int64_t level) {
    const int64_t top = keys.key_bits - level * digit_bits(keys);
    const int64_t low = std::max<int64_t>(0, top - digit_bits(keys));
    return Window{low, ~(uint64_t)0 >> (64 - (top - low))};
}

// Adds a field's share of a digit for rows `rows[0..count)`, or, where rows is null, for rows start, start + 1, ...
template <typename Word, bool HAS_MISSING, bool GATHERS>
inline void add_field(const SortField& field, const Window& window, const row_t* rows, int64_t start, int count, uint64_t* digits) {
    const int left = (int)std::max<int64_t>(0, field.position - window.low);
    const int right = (int)std::max<int64_t>(0, window.low - field.position);
    const uint64_t flip = field.flip, base = field.base, bias = field.bias, mask = window.mask;
    const int drop = field.drop;
    for (int lane = 0; lane < count; ++lane) {
        const int64_t row = GATHERS ? rows[lane] : start + lane;
        uint64_t word;
        if (HAS_MISSING && is_missing<Word>(field, row)) word = field.missing;
        else word = (((Word::of(field, row) ^ flip) - base) >> drop) + bias;
        digits[lane] |= ((word << left) >> right) & mask;
    }
}

inline void make_digits(const SortKeys& keys, int64_t level, const row_t* rows, int64_t start, int count, uint64_t* digits) {
    const Window window = window_of(keys, level);
    const int64_t window_top = window.low + 64 - __builtin_clzll(window.mask);
    std::fill(digits, digits + count, 0);
    for (int64_t number = 0; number < keys.n_fields; ++number) {
        const SortField& field = keys.fields[number];
        if (field.position >= window_top || field.position + field.width <= window.low) continue;
        with_word(field.physical, field.part, field.ranks != nullptr, [&](auto word) {
            typedef decltype(word) Word;
            if (field.has_missing) {
                if (rows) add_field<Word, true, true>(field, window, rows, start, count, digits);
                else add_field<Word, true, false>(field, window, rows, start, count, digits);
            } else {
                if (rows) add_field<Word, false, true>(field, window, rows, start, count, digits);
                else add_field<Word, false, false>(field, window, rows, start, count, digits);
            }
        });
    }
}

}  // namespace ff
