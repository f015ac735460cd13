// Floats as decimal text: the fewest digits that read as the same float, laid out as Python's repr does.
//
// Most floats that people write have few digits. As many as the type always keeps (15 or 6) are tried by one rounded multiplication: a
// number so short that gives the float back is the shortest one, for two of so few digits are two floats. Others are the standard
// library's (Adams, Ryu: fast float-to-string conversion, 2018). The first pass keeps the digits for the second.
#pragma once
#include <charconv>
#include <cmath>
#include <limits>

#include "digits.hpp"

namespace ff {

// Digits, the first of which stands for 10^exponent; none for NaN.
struct ShortDecimal {
    uint8_t digits[MOST_DIGITS];   // up to 17
    int16_t exponent;
    uint8_t n_digits;
    uint8_t signs;                 // IS_NEGATIVE, IS_INFINITE
};
constexpr uint8_t IS_NEGATIVE = 1, IS_INFINITE = 2;
constexpr int MOST_FLOAT_BYTES = 24;   // "-1.7976931348623157e+308"

struct FloatTextContext {
    View values;                // in: floats
    ShortDecimal* decimals;     // out (sizes), in (copy): one for each row
    int64_t* sizes;             // out (sizes): bytes per slice
    const int64_t* starts;      // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;       // out (copy): entry row + 1
    uint8_t* out_data;          // out (copy)
    uint8_t* validity;          // out (copy): bits, 0 for NaN too
};

template <typename T>
struct TenPowers {   // exact ones
    T of[std::numeric_limits<T>::digits10 + 1];
    constexpr TenPowers() : of() {
        of[0] = 1;
        for (int power = 1; power <= std::numeric_limits<T>::digits10; ++power) of[power] = of[power - 1] * 10;
    }
};
template <typename T> constexpr TenPowers<T> TEN_POWERS;

template <typename T>
inline bool few_digits(T size, ShortDecimal& number) {
    constexpr int most = std::numeric_limits<T>::digits10;
    if (!(size < TEN_POWERS<T>.of[most])) return false;
    const int n_whole = size < 1 ? 0 : count_digits((uint64_t)size), n_behind = most - n_whole;
    uint64_t digits = (uint64_t)(size * TEN_POWERS<T>.of[n_behind] + (T)0.5);
    if (digits == 0 || (T)digits / TEN_POWERS<T>.of[n_behind] != size) return false;
    number.exponent = (int16_t)(count_digits(digits) - 1 - n_behind);
    while (digits >= 10 && digits % 10 == 0) digits /= 10;
    number.n_digits = (uint8_t)count_digits(digits);
    write_digits(digits, number.digits + number.n_digits);
    return true;
}

// From "d.ddde-dd".
template <typename T>
inline void many_digits(T size, ShortDecimal& number) {
    char text[40];
    const char* const end = std::to_chars(text, text + sizeof text, size, std::chars_format::scientific).ptr;
    const char* const e = end[-4] == 'e' ? end - 4 : end - 5;
    number.n_digits = (uint8_t)(e - text - (e - text > 1));
    number.digits[0] = (uint8_t)text[0];
    memcpy(number.digits + 1, text + 2, 16);
    int exponent = 0;
    for (const char* at = e + 2; at != end; ++at) exponent = 10 * exponent + (*at - '0');
    number.exponent = (int16_t)(e[1] == '-' ? -exponent : exponent);
}

template <typename T>
inline void shortest(T value, ShortDecimal& number) {
    const T size = std::fabs(value);
    number.digits[0] = '0';
    number.n_digits = size == size;
    number.exponent = 0;
    number.signs = (std::signbit(value) ? IS_NEGATIVE : 0) | (std::isinf(value) ? IS_INFINITE : 0);
    if (size > 0 && !(number.signs & IS_INFINITE) && !few_digits(size, number)) many_digits(size, number);
}

// NumPy's limit for float32 is that of the digits which it keeps.
template <typename T> constexpr int32_t EXPONENT_LIMIT = sizeof(T) == 8 ? 16 : 6;

template <typename T>
inline bool has_exponent(const ShortDecimal& number) { return number.exponent < -4 || number.exponent >= EXPONENT_LIMIT<T>; }

inline int exponent_digits(int32_t exponent) { return exponent > 99 || exponent < -99 ? 3 : 2; }

template <typename T>
inline int64_t text_size(const ShortDecimal& number) {
    const int64_t n_digits = number.n_digits, n_signs = number.signs & IS_NEGATIVE;
    if (n_digits == 0) return 0;
    if (number.signs & IS_INFINITE) return n_signs + 3;
    if (has_exponent<T>(number)) return n_signs + n_digits + (n_digits > 1) + 2 + exponent_digits(number.exponent);
    if (number.exponent < 0) return n_signs + 1 - number.exponent + n_digits;
    return n_signs + (number.exponent + 1 < n_digits ? n_digits + 1 : number.exponent + 3);
}

// Into `out`, which has room for twice the longest text. Returns its end.
template <typename T>
inline uint8_t* write_float(const ShortDecimal& number, uint8_t* out) {
    const int exponent = number.exponent, n_digits = number.n_digits;
    *out = '-';
    out += number.signs & IS_NEGATIVE;
    if (number.signs & IS_INFINITE) {
        memcpy(out, "inf", 3);
        return out + 3;
    }
    const bool is_scientific = has_exponent<T>(number);
    if (exponent < 0 && !is_scientific) {
        memcpy(out, "0.000", 5);
        memcpy(out + 1 - exponent, number.digits, MOST_DIGITS);
        return out + 1 - exponent + n_digits;
    }
    const int n_before = is_scientific ? 1 : exponent + 1;   // the point
    if (n_digits > n_before) {
        memcpy(out, number.digits, MOST_DIGITS);
        memcpy(out + n_before + 1, number.digits + n_before, MOST_DIGITS - 1 - n_before);
        out[n_before] = '.';
        out += n_digits + 1;
    } else {
        memset(out, '0', MOST_DIGITS);
        memcpy(out, number.digits, (size_t)n_digits);
        memcpy(out + n_before, ".0", 2);
        out += n_before + (is_scientific ? 0 : 2);
    }
    if (!is_scientific) return out;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    const int n_places = exponent_digits(exponent);
    *out = '0';
    write_digits((uint64_t)(exponent < 0 ? -exponent : exponent), out + n_places);
    return out + n_places;
}

template <typename T>
int float_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FloatTextContext ctx = *(const FloatTextContext*)raw;
    int64_t size = 0;
    for_bits(validity_of(ctx.values), start, stop, [&](int64_t row, bool is_here) {
        if (!is_here) return;
        shortest(load<T>(ctx.values.values, row), ctx.decimals[row]);
        size += text_size<T>(ctx.decimals[row]);
    });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename T, typename Out>
int float_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FloatTextContext ctx = *(const FloatTextContext*)raw;
    const BitSource valid = validity_of(ctx.values);
    TextSink sink{ctx.out_data + ctx.starts[slice], ctx.out_data + ctx.starts[slice + 1]};
    uint8_t text[2 * MOST_FLOAT_BYTES];
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        uint64_t there = word_at(valid, base, count);
        for (int bit = 0; bit < count; ++bit) {
            if ((there >> bit) & 1) {
                const ShortDecimal& number = ctx.decimals[base + bit];
                if (number.n_digits == 0) {
                    there &= ~((uint64_t)1 << bit);
                } else {
                    const int64_t length = write_float<T>(number, text) - text;
                    memcpy(sink.data, text, sink.end - sink.data < MOST_FLOAT_BYTES ? (size_t)length : MOST_FLOAT_BYTES);
                    sink.data += length;
                }
            }
            store<Out>(ctx.out_offsets, base + bit + 1, (Out)(sink.data - ctx.out_data));
        }
        store_word(ctx.validity, base, there, count);
    }
    return OK;
}

template <typename T>
inline kernel_t float_text_kernel_of(bool copy, bool large) {
    return !copy ? float_text_sizes<T> : large ? float_text_copy<T, int64_t> : float_text_copy<T, int32_t>;
}

inline kernel_t float_text_kernel(int physical, bool copy, bool large) {
    return physical == F32 ? float_text_kernel_of<float>(copy, large) : float_text_kernel_of<double>(copy, large);
}

}  // namespace ff
