// Integers as decimal text, and decimal text as integers.
//
// Writing takes two passes, as in text.hpp, and two digits at a time, from the last (Alexandrescu, Three optimization tips
// for C++, 2012). Reading takes eight at a time, in one word (Lemire, Quickly parsing eight digits, 2018).
#pragma once
#include <limits>
#include <type_traits>

#include "text.hpp"

namespace ff {

struct DigitsContext {
    View values;             // in: integers
    int64_t* sizes;          // out (sizes): bytes per slice
    const int64_t* starts;   // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;    // out (copy): entry row + 1
    uint8_t* out_data;       // out (copy)
};

constexpr int MOST_DIGITS = 20;   // of a sign and a 64-bit integer

struct DigitPairs {
    char text[200];
    constexpr DigitPairs() : text() {
        for (int pair = 0; pair < 100; ++pair) {
            text[2 * pair] = (char)('0' + pair / 10);
            text[2 * pair + 1] = (char)('0' + pair % 10);
        }
    }
};
constexpr DigitPairs DIGIT_PAIRS;

struct DigitPowers {
    uint64_t least[MOST_DIGITS + 1];   // by number of digits: the least number that has them; 0 has one
    constexpr DigitPowers() : least() {
        uint64_t power = 1;
        for (int digits = 2; digits <= MOST_DIGITS; ++digits) least[digits] = power *= 10;
    }
};
constexpr DigitPowers DIGIT_POWERS;

// From the number of bits, which says it but for one (Warren, Hacker's Delight, 11-4).
inline int count_digits(uint64_t number) {
    const int bits = 64 - __builtin_clzll(number | 1);
    const int guess = ((bits * 1233) >> 12) + 1;
    return guess - (number < DIGIT_POWERS.least[guess]);
}

template <typename T>
inline bool is_negative(T value) {
    if constexpr (std::is_signed<T>::value) return value < 0;
    else return false;
}

template <typename T>
inline uint64_t magnitude(T value) { return is_negative(value) ? 0 - (uint64_t)value : (uint64_t)value; }

// Ends right before `end`.
inline void write_digits(uint64_t number, uint8_t* end) {
    while (number >= 100) {
        end -= 2;
        memcpy(end, DIGIT_PAIRS.text + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) memcpy(end - 2, DIGIT_PAIRS.text + 2 * number, 2);
    else end[-1] = (uint8_t)('0' + number);
}

template <typename T>
int digits_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const DigitsContext ctx = *(const DigitsContext*)raw;
    int64_t size = 0;
    for_bits(validity_of(ctx.values), start, stop, [&](int64_t row, bool is_here) {
        const T value = load<T>(ctx.values.values, row);
        size += is_here ? count_digits(magnitude(value)) + is_negative(value) : 0;
    });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename T, typename Out>
int digits_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const DigitsContext ctx = *(const DigitsContext*)raw;
    int64_t end = ctx.starts[slice];
    for_bits(validity_of(ctx.values), start, stop, [&](int64_t row, bool is_here) {
        if (is_here) {
            const T value = load<T>(ctx.values.values, row);
            const uint64_t number = magnitude(value);
            if (is_negative(value)) ctx.out_data[end++] = '-';
            end += count_digits(number);
            write_digits(number, ctx.out_data + end);
        }
        store<Out>(ctx.out_offsets, row + 1, (Out)end);
    });
    return OK;
}

template <typename T>
inline kernel_t digits_kernel_of(bool copy, bool large) {
    return !copy ? digits_sizes<T> : large ? digits_copy<T, int64_t> : digits_copy<T, int32_t>;
}

inline kernel_t digits_kernel(int physical, bool copy, bool large) {
    switch (physical) {
        case I8: return digits_kernel_of<int8_t>(copy, large);
        case I16: return digits_kernel_of<int16_t>(copy, large);
        case I32: return digits_kernel_of<int32_t>(copy, large);
        case I64: return digits_kernel_of<int64_t>(copy, large);
        case U8: return digits_kernel_of<uint8_t>(copy, large);
        case U16: return digits_kernel_of<uint16_t>(copy, large);
        case U32: return digits_kernel_of<uint32_t>(copy, large);
        case U64: return digits_kernel_of<uint64_t>(copy, large);
        default: return nullptr;
    }
}

struct ParseContext {
    TextSource source;   // in
    BitSource valid;     // in
    uint8_t* out;        // out: integers; 0 for nulls
};

constexpr uint64_t EIGHT_ZEROS = 0x3030303030303030ull;

// Whether a word is eight digits, the first in its lowest byte.
inline bool are_digits(uint64_t word) {
    return ((word & 0xF0F0F0F0F0F0F0F0ull) | (((word + 0x0606060606060606ull) & 0xF0F0F0F0F0F0F0F0ull) >> 4)) == 0x3333333333333333ull;
}

inline uint64_t eight_digits(uint64_t word) {
    word = (word & 0x0F0F0F0F0F0F0F0Full) * 2561 >> 8;
    word = (word & 0x00FF00FF00FF00FFull) * 6553601 >> 16;
    return (word & 0x0000FFFF0000FFFFull) * 42949672960001ull >> 32;
}

// 1 to 8 digits, of a word that may hold more bytes, behind zeros.
inline uint64_t behind_zeros(uint64_t word, int64_t n_digits) {
    return n_digits == 8 ? word : word << (64 - 8 * n_digits) | EIGHT_ZEROS >> (8 * n_digits);
}

// 1 to 16 digits, where 16 bytes can be read from `text` on; false where there are more, or something else.
inline bool read_near(const uint8_t* text, int64_t length, uint64_t& number) {
    if (length > 16) return false;
    const bool two = length > 8;
    const uint64_t first = behind_zeros(load<uint64_t>(text, 0), two ? length - 8 : length);
    const uint64_t last = two ? load<uint64_t>(text + length - 8, 0) : EIGHT_ZEROS;
    if (!are_digits(first) || !are_digits(last)) return false;
    number = two ? eight_digits(first) * 100000000 + eight_digits(last) : eight_digits(first);
    return true;
}

inline bool read_digits(const uint8_t* text, int64_t length, uint64_t& number) {
    number = 0;
    for (int64_t at = 0; at < length; ++at) {
        const uint8_t digit = (uint8_t)(text[at] - '0');
        if (digit > 9) return false;
        number = number * 10 + digit;
    }
    return true;
}

// Texts of a sign and 1 to 18 digits whose number fits; INEXACT at any other, which may be a number all the same.
template <typename T, typename In>
int parse_digits(void* raw, int64_t start, int64_t stop, int64_t) {
    const ParseContext ctx = *(const ParseContext*)raw;
    const uint8_t* const end = ctx.source.data + ctx.source.end;
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        for (int bit = 0; bit < count; ++bit) {
            const int64_t row = base + bit, begin = (int64_t)load<In>(ctx.source.offsets, row);
            int64_t length = (int64_t)load<In>(ctx.source.offsets, row + 1) - begin;
            if (!((valid >> bit) & 1)) {
                store<T>(ctx.out, row, (T)0);
                continue;
            }
            const uint8_t* text = ctx.source.data + begin;
            const bool negative = std::is_signed<T>::value && length > 0 && *text == '-';
            text += negative;
            length -= negative;
            if (length < 1 || length > 18) return INEXACT;
            uint64_t number;
            if (!(end - text >= 16 && read_near(text, length, number)) && !read_digits(text, length, number)) return INEXACT;
            if (number > (uint64_t)std::numeric_limits<T>::max()) return INEXACT;
            store<T>(ctx.out, row, (T)(negative ? 0 - number : number));
        }
    }
    return OK;
}

template <typename T>
inline kernel_t parse_kernel_of(bool large) { return large ? parse_digits<T, int64_t> : parse_digits<T, int32_t>; }

inline kernel_t parse_kernel(int physical, bool large) {
    switch (physical) {
        case I8: return parse_kernel_of<int8_t>(large);
        case I16: return parse_kernel_of<int16_t>(large);
        case I32: return parse_kernel_of<int32_t>(large);
        case I64: return parse_kernel_of<int64_t>(large);
        case U8: return parse_kernel_of<uint8_t>(large);
        case U16: return parse_kernel_of<uint16_t>(large);
        case U32: return parse_kernel_of<uint32_t>(large);
        case U64: return parse_kernel_of<uint64_t>(large);
        default: return nullptr;
    }
}

}  // namespace ff
