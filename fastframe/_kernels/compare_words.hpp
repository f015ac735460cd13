// Comparisons of 64 rows, to the bits of a word.
//
// They are exact for every pair of numeric types: integers and floats are compared as numbers, never after rounding
// one to the type of the other (Python's float_richcompare does the same). Sides of one type are compared in it; other
// pairs are widened to int64, uint64 or float64, which is exact, and compared there.
#pragma once
#include <cmath>
#include <type_traits>

#include "kernel.hpp"

namespace ff {

enum Comparison : int { EQ = 0, NE = 1, LT = 2, LE = 3 };

// -1, 0, 1 as left is less than, equal to or greater than right; 2 where one is NaN.
inline int order_of(int64_t left, uint64_t right) {
    if (left < 0) return -1;
    return (uint64_t)left < right ? -1 : (uint64_t)left > right;
}

template <typename Whole>
inline int order_with_float(Whole left, double right, double least, double beyond) {
    if (right != right) return 2;
    if (right >= beyond) return -1;
    if (right < least) return 1;
    const double whole = std::floor(right);
    const Whole below = (Whole)whole;
    if (left < below) return -1;
    if (left > below) return 1;
    return whole < right ? -1 : 0;
}
inline int order_of(int64_t left, double right) { return order_with_float<int64_t>(left, right, -0x1p63, 0x1p63); }
inline int order_of(uint64_t left, double right) { return order_with_float<uint64_t>(left, right, 0.0, 0x1p64); }
inline int order_of(uint64_t left, int64_t right) { return -order_of(right, left); }
inline int order_of(double left, int64_t right) { const int order = order_of(right, left); return order == 2 ? 2 : -order; }
inline int order_of(double left, uint64_t right) { const int order = order_of(right, left); return order == 2 ? 2 : -order; }

template <int OP, typename L, typename R>
inline bool holds(L left, R right) {
    if constexpr (std::is_same<L, R>::value) {
        if constexpr (OP == EQ) return left == right;
        else if constexpr (OP == NE) return left != right;
        else if constexpr (OP == LT) return left < right;
        else return left <= right;
    } else {
        const int order = order_of(left, right);
        if constexpr (OP == EQ) return order == 0;
        else if constexpr (OP == NE) return order != 0;
        else if constexpr (OP == LT) return order == -1;
        else return order <= 0;
    }
}

// 64 bytes of 0 or 1 to one word, byte k to bit k: eight bytes at a time by a multiplication that gathers their low bits.
inline uint64_t pack_bytes(const uint8_t* bytes) {
    uint64_t word = 0;
    for (int group = 0; group < 8; ++group) {
        uint64_t eight;
        memcpy(&eight, bytes + 8 * group, 8);
        word |= ((eight * 0x0102040810204080ull) >> 56) << (8 * group);
    }
    return word;
}

// Two 8-byte rows at a time: the mask of a vector comparison selects each row's power of two. (Left to itself, the
// compiler makes branches of this loop.) Vector types as of GCC and Clang, on any architecture.
template <typename T> struct Pair;
template <> struct Pair<int64_t> { typedef int64_t type __attribute__((vector_size(16))); };
template <> struct Pair<uint64_t> { typedef uint64_t type __attribute__((vector_size(16))); };
template <> struct Pair<double> { typedef double type __attribute__((vector_size(16))); };

template <int OP, typename T>
inline uint64_t compare_pairs(const uint8_t* left, const uint8_t* right) {
    typedef typename Pair<T>::type pair_t;
    typedef typename Pair<int64_t>::type mask_t;
    mask_t words = {0, 0};
    mask_t powers = {1, 2};
    for (int row = 0; row < 64; row += 2) {
        pair_t a, b;
        memcpy(&a, left + 8 * row, 16);
        memcpy(&b, right + 8 * row, 16);
        mask_t holds;
        if constexpr (OP == EQ) holds = a == b;
        else if constexpr (OP == NE) holds = a != b;
        else if constexpr (OP == LT) holds = a < b;
        else holds = a <= b;
        words |= holds & powers;
        powers <<= 2;
    }
    return (uint64_t)words[0] | (uint64_t)words[1];
}

// 64 rows in one type that holds them all exactly: doubles up to 2^53 in size, integers below 2^63. False where some lie beyond.
template <typename From, typename To>
inline bool narrowed(const uint8_t* __restrict in, uint8_t* __restrict out) {
    constexpr uint64_t limit = std::is_floating_point<To>::value ? (uint64_t)1 << 53 : ((uint64_t)1 << 63) - 1;
    uint64_t beyond = 0;
    for (int row = 0; row < 64; ++row) {
        const From value = load<From>(in, row);
        if constexpr (std::is_same<From, int64_t>::value && std::is_floating_point<To>::value) beyond |= (uint64_t)value + limit > 2 * limit;
        else if constexpr (std::is_integral<From>::value) beyond |= (uint64_t)value > limit;
        store<To>(out, row, (To)value);
    }
    return beyond == 0;
}

template <int OP, typename L, typename R>
inline bool compare_narrowed(const uint8_t* left, const uint8_t* right, uint64_t* word) {
    typedef std::conditional_t<std::is_floating_point<L>::value || std::is_floating_point<R>::value, double, int64_t> Both;
    alignas(64) uint8_t a[512], b[512];
    if (!narrowed<L, Both>(left, a) || !narrowed<R, Both>(right, b)) return false;
    *word = compare_pairs<OP, Both>(a, b);
    return true;
}

template <int OP, typename L, typename R>
inline uint64_t compare_word(const uint8_t* __restrict left, const uint8_t* __restrict right, int count) {
    if constexpr (sizeof(L) == 8 && std::is_same<L, R>::value) {
        if (count == 64) return compare_pairs<OP, L>(left, right);
    } else if constexpr (!std::is_same<L, R>::value) {
        uint64_t word;
        if (count == 64 && compare_narrowed<OP, L, R>(left, right, &word)) return word;
    }
    if (count == 64) {
        alignas(64) uint8_t bytes[64];
        for (int row = 0; row < 64; ++row) bytes[row] = holds<OP>(load<L>(left, row), load<R>(right, row));
        return pack_bytes(bytes);
    }
    uint64_t word = 0;
    for (int row = 0; row < count; ++row) word |= (uint64_t)holds<OP>(load<L>(left, row), load<R>(right, row)) << row;
    return word;
}

// The bits of up to 64 floats that are NaN: which differ from themselves.
template <typename T>
inline uint64_t nan_word(const uint8_t* values, int count) { return compare_word<NE, T, T>(values, values, count); }

}  // namespace ff
