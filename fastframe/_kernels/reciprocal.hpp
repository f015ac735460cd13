// Division of many integers by one: a multiplication by its reciprocal and a shift (Granlund and Montgomery, Division by
// invariant integers using multiplication, PLDI 1994, theorem 4.2: exact where the dividend has fewer bits than a word).
#pragma once
#include <type_traits>

#include "kernel.hpp"

namespace ff {

// Dividends of T lose their sign to `sign ^ value`, which leaves 31 or 63 bits; uint64 has no wider word.
template <typename T>
constexpr bool has_reciprocal = std::is_integral<T>::value && !std::is_same<T, uint64_t>::value;

template <typename T>
struct Reciprocal {
    static constexpr bool is_narrow = sizeof(T) < 4 || std::is_same<T, int32_t>::value;
    typedef std::conditional_t<is_narrow, uint32_t, uint64_t> Word;
    typedef std::conditional_t<is_narrow, uint64_t, uint128_t> Product;
    static constexpr int WORD_BITS = 8 * (int)sizeof(Word);

    Word divisor, multiplier;
    int shift;   // beyond a word

    // Of a divisor of 2 or more.
    explicit Reciprocal(T given) : divisor((Word)given) {
        int bits = 1;   // least number with 2^bits >= divisor
        while (((Word)1 << bits) < divisor && bits < WORD_BITS - 1) ++bits;
        shift = bits - 1;
        multiplier = (Word)((((Product)1 << (WORD_BITS - 1 + bits)) + divisor - 1) / divisor);
    }

    Word quotient(Word dividend) const { return (Word)(((Product)dividend * multiplier) >> WORD_BITS) >> shift; }

    // Rounded down: of a negative value, ~(~value / divisor).
    T floor_quotient(T value) const {
        const Word sign = value < 0 ? ~(Word)0 : 0;
        return (T)(quotient((Word)value ^ sign) ^ sign);
    }
    // What is left: 0 to divisor - 1.
    T floor_remainder(T value) const {
        const Word sign = value < 0 ? ~(Word)0 : 0;
        return (T)((Word)value - (quotient((Word)value ^ sign) ^ sign) * divisor);
    }
};

}  // namespace ff
