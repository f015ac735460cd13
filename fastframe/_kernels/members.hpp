// Membership of values in a set, a bit per row: few members are compared with one by one, several rows at a time; members that lie
// close together are in a table of bytes; others in a hash table without deletions (linear probing, at most a quarter full, so most rows
// end at the first place).
//
// Values are compared as words: integers and times as they are, floats by their bits, -0.0 as 0.0. NaN is no member.
#pragma once
#include <type_traits>

#include "operand.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace ff {

struct MembersContext {
    View values;            // in
    const uint8_t* table;   // in: bytes, a 1 for each member; or words (few: the members')
    uint64_t low;           // in: bytes: the word of the first
    uint64_t size;          // in: of the table
    uint64_t empty;         // in: words: what is no member
    int32_t shift;          // in: words: from a hash to a place
    uint8_t* out;           // out: bits, 0 for nulls
};

template <typename T>
inline uint64_t word_of(T value) {
    if constexpr (std::is_floating_point<T>::value) {
        value += T(0);   // -0.0 is 0.0
        typename std::conditional<sizeof(T) == 8, uint64_t, uint32_t>::type bits;
        memcpy(&bits, &value, sizeof(T));
        return bits;
    } else {
        return (uint64_t)(int64_t)value;
    }
}

// The value of a word.
template <typename T>
inline T value_of(uint64_t word) {
    if constexpr (std::is_floating_point<T>::value) {
        T value;
        memcpy(&value, &word, sizeof(T));   // little-endian: the low bytes
        return value;
    } else {
        return (T)word;
    }
}

inline uint64_t place_of(uint64_t word, int shift) { return ((word ^ word >> 32) * 0x9E3779B97F4A7C15u) >> shift; }

template <typename T, bool CLOSE>
int is_member(void* raw, int64_t start, int64_t stop, int64_t) {
    const MembersContext ctx = *(const MembersContext*)raw;
    const uint64_t* words = (const uint64_t*)ctx.table;
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        uint64_t found = 0;
        for (int row = 0; row < count; ++row) {
            const uint64_t word = word_of<T>(load<T>(ctx.values.values, first + row));
            if constexpr (CLOSE) {
                const uint64_t at = word - ctx.low;
                const uint64_t inside = at < ctx.size;
                found |= (ctx.table[inside ? at : 0] & inside) << row;
            } else {
                uint64_t at = place_of(word, ctx.shift);
                while (words[at] != word && words[at] != ctx.empty) at = (at + 1) & (ctx.size - 1);
                found |= (uint64_t)(words[at] == word && word != ctx.empty) << row;
            }
        }
        if (ctx.values.validity != nullptr) found &= bits_at(ctx.values.validity, ctx.values.bit_offset + first, count);
        store_bits(ctx.out, first, found, count);
    }
    return OK;
}

#if defined(__x86_64__) && defined(__GNUC__)
template <typename T>
constexpr bool compares_few = sizeof(T) == 4 || sizeof(T) == 8;

// Of 64 rows.
template <typename T>
FF_WIDE_ROWS uint64_t word_of_few(const uint8_t* values, const T* members, int n_members) {
    typedef T lanes_t __attribute__((vector_size(32)));
    constexpr int lanes = 32 / (int)sizeof(T);
    uint64_t found = 0;
    for (int row = 0; row < 64; row += lanes) {
        lanes_t some;
        memcpy(&some, values + row * (int)sizeof(T), 32);
        auto holds = some == members[0];
        for (int member = 1; member < n_members; ++member) holds |= some == members[member];
        if constexpr (sizeof(T) == 8) found |= (uint64_t)(unsigned)_mm256_movemask_pd((__m256d)holds) << row;
        else found |= (uint64_t)(unsigned)_mm256_movemask_ps((__m256)holds) << row;
    }
    return found;
}
#else
template <typename T>
constexpr bool compares_few = false;

template <typename T>
uint64_t word_of_few(const uint8_t*, const T*, int) { return 0; }
#endif

constexpr int MOST_FEW = 8;

template <typename T>
int is_one_of_few(void* raw, int64_t start, int64_t stop, int64_t) {
    const MembersContext ctx = *(const MembersContext*)raw;
    T members[MOST_FEW];
    const int n_members = (int)ctx.size;
    for (int member = 0; member < n_members; ++member) members[member] = value_of<T>(((const uint64_t*)ctx.table)[member]);
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        uint64_t found = 0;
        if (count == 64) {
            found = word_of_few<T>(ctx.values.values + first * (int64_t)sizeof(T), members, n_members);
        } else {
            for (int row = 0; row < count; ++row) {
                for (int member = 0; member < n_members; ++member) found |= (uint64_t)(load<T>(ctx.values.values, first + row) == members[member]) << row;
            }
        }
        if (ctx.values.validity != nullptr) found &= bits_at(ctx.values.validity, ctx.values.bit_offset + first, count);
        store_bits(ctx.out, first, found, count);
    }
    return OK;
}

// Null where this processor or type has none.
inline kernel_t few_members_kernel(int physical) {
    if (!has_wide_rows()) return nullptr;
    switch (physical) {
#define FF_FEW(ID, T) case ID: if constexpr (compares_few<T>) return &is_one_of_few<T>; else return nullptr;
        FF_FEW(I32, int32_t)
        FF_FEW(I64, int64_t)
        FF_FEW(U32, uint32_t)
        FF_FEW(U64, uint64_t)
        FF_FEW(F32, float)
        FF_FEW(F64, double)
#undef FF_FEW
        default: return nullptr;
    }
}

template <typename T>
inline kernel_t members_of_type(bool close) { return close ? &is_member<T, true> : &is_member<T, false>; }

inline kernel_t members_kernel(int physical, bool close) {
    switch (physical) {
        case I8: return members_of_type<int8_t>(close);
        case I16: return members_of_type<int16_t>(close);
        case I32: return members_of_type<int32_t>(close);
        case I64: return members_of_type<int64_t>(close);
        case U8: return members_of_type<uint8_t>(close);
        case U16: return members_of_type<uint16_t>(close);
        case U32: return members_of_type<uint32_t>(close);
        case U64: return members_of_type<uint64_t>(close);
        case F32: return members_of_type<float>(close);
        case F64: return members_of_type<double>(close);
        default: return nullptr;
    }
}

// Puts words (of values that are no NaN) into a table of `size` words, all of which are `empty`.
inline void put_members(const uint64_t* words, int64_t count, uint64_t* table, uint64_t size, uint64_t empty, int shift) {
    for (int64_t number = 0; number < count; ++number) {
        uint64_t at = place_of(words[number], shift);
        while (table[at] != empty && table[at] != words[number]) at = (at + 1) & (size - 1);
        table[at] = words[number];
    }
}

}  // namespace ff
