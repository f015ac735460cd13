// From codes that rows have to dense group ids: which codes occur and their ranks, other orders of groups, other widths
// of codes, the first row of each group, and the key values of groups from their packed words.
//
// A bitmap of the codes that occur with a running count per cell is the rank structure of Jacobson (1989): a twentieth
// of the bytes of an array of ids, so that ranges of millions stay in the cache.
#pragma once
#include "codes.hpp"
#include "kernel.hpp"

namespace ff {

constexpr row_t NEVER = 0x7FFFFFFF;   // no row has this code

// ---- ranks ----------------------------------------------------------------------------------------------------------

struct RankContext {
    const uint64_t* present;   // in: a bit per code, set where it occurs
    int64_t n_codes;           // in
    uint32_t* ranks;           // out of count, in of the others: per cell, codes present before it; the total behind the last
    uint64_t* words;           // out of list: the codes that occur, ascending
    const uint8_t* codes;      // in of rank: codes of rows, of `code_bytes`
    uint8_t* out;              // out of rank: their ranks, of `out_bytes` (may be `codes` where the widths are equal)
    int32_t code_bytes;        // in: 1, 2 or 4
    int32_t out_bytes;         // in: at most code_bytes
    uint32_t base;             // in: of rank: what code 0 is in `codes`; not 0 only for codes of 4 bytes none of which is left out
    uint32_t unused;
};

inline uint64_t cell_of_codes(const RankContext& c, int64_t cell) {
    const int64_t left = c.n_codes - cell * 64;
    return left >= 64 ? c.present[cell] : c.present[cell] & (((uint64_t)1 << left) - 1);
}

inline int count_codes(void* ctx, int64_t start, int64_t stop, int64_t) {   // over cells, as one slice
    const RankContext& c = *(const RankContext*)ctx;
    uint32_t count = 0;
    for (int64_t cell = start; cell < stop; ++cell) {
        c.ranks[cell] = count;
        count += (uint32_t)__builtin_popcountll(cell_of_codes(c, cell));
    }
    c.ranks[stop] = count;
    return OK;
}

inline int list_codes(void* ctx, int64_t start, int64_t stop, int64_t) {   // over cells
    const RankContext& c = *(const RankContext*)ctx;
    uint64_t* out = c.words + c.ranks[start];
    for (int64_t cell = start; cell < stop; ++cell) {
        for (uint64_t bits = cell_of_codes(c, cell); bits != 0; bits &= bits - 1) {
            *out++ = (uint64_t)cell * 64 + (uint64_t)__builtin_ctzll(bits);
        }
    }
    return OK;
}

template <typename CODE, typename OUT>
int rank_codes_as(const RankContext& c, int64_t start, int64_t stop) {
    const CODE* codes = (const CODE*)c.codes;
    OUT* out = (OUT*)c.out;
    constexpr int64_t AHEAD = 32;
    const bool far = c.n_codes > Presence::FAR_CELLS * 64;
    for (int64_t row = start; row < stop; ++row) {
        if (far && row + AHEAD < stop) {
            const CODE next = (CODE)(codes[row + AHEAD] - c.base), ahead = next == (CODE)~(CODE)0 ? 0 : next;
            __builtin_prefetch(c.present + (ahead >> 6));
            __builtin_prefetch(c.ranks + (ahead >> 6));
        }
        const CODE code = (CODE)(codes[row] - c.base);
        if (code == (CODE)~(CODE)0) {
            out[row] = (OUT)~(OUT)0;
            continue;
        }
        const uint64_t below = ((uint64_t)1 << (code & 63)) - 1;
        out[row] = (OUT)(c.ranks[code >> 6] + (uint32_t)__builtin_popcountll(c.present[code >> 6] & below));
    }
    return OK;
}

inline int rank_codes(void* ctx, int64_t start, int64_t stop, int64_t) {   // over rows
    const RankContext& c = *(const RankContext*)ctx;
    switch (c.code_bytes * 8 + c.out_bytes) {
        case 9: return rank_codes_as<uint8_t, uint8_t>(c, start, stop);
        case 17: return rank_codes_as<uint16_t, uint8_t>(c, start, stop);
        case 18: return rank_codes_as<uint16_t, uint16_t>(c, start, stop);
        case 33: return rank_codes_as<uint32_t, uint8_t>(c, start, stop);
        case 34: return rank_codes_as<uint32_t, uint16_t>(c, start, stop);
        default: return rank_codes_as<uint32_t, uint32_t>(c, start, stop);
    }
}

// ---- other codes ----------------------------------------------------------------------------------------------------

struct RemapContext {
    const uint8_t* codes;    // in: of `code_bytes`
    const code_t* map;       // in: per code its new one, or null: the same
    uint8_t* out;            // out: of `out_bytes`; all bits set stays (may be `codes` where the widths are equal)
    int32_t code_bytes;      // in: 1, 2 or 4
    int32_t out_bytes;       // in
    int64_t prefetch;        // in: the map is larger than the cache
    uint32_t base;           // in: what code 0 is in `codes`; not 0 only for codes of 4 bytes none of which is left out
    uint32_t unused;
};

template <typename CODE, typename OUT>
int remap_codes_as(const RemapContext& c, int64_t start, int64_t stop) {
    const CODE* codes = (const CODE*)c.codes;
    OUT* out = (OUT*)c.out;
    constexpr int64_t AHEAD = 32;
    constexpr CODE DROPPED = (CODE)~(CODE)0;
    if (c.map == nullptr) {
        for (int64_t row = start; row < stop; ++row) {
            const CODE code = (CODE)(codes[row] - c.base);
            out[row] = code == DROPPED ? (OUT)~(OUT)0 : (OUT)code;
        }
        return OK;
    }
    for (int64_t row = start; row < stop; ++row) {
        if (c.prefetch && row + AHEAD < stop) __builtin_prefetch(c.map + (CODE)(codes[row + AHEAD] - c.base));
        const CODE code = (CODE)(codes[row] - c.base);
        out[row] = code == DROPPED ? (OUT)~(OUT)0 : (OUT)c.map[code];
    }
    return OK;
}

template <typename CODE>
int remap_codes_from(const RemapContext& c, int64_t start, int64_t stop) {
    if (c.out_bytes == 1) return remap_codes_as<CODE, uint8_t>(c, start, stop);
    if (c.out_bytes == 2) return remap_codes_as<CODE, uint16_t>(c, start, stop);
    return remap_codes_as<CODE, uint32_t>(c, start, stop);
}

inline int remap_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RemapContext& c = *(const RemapContext*)ctx;
    if (c.code_bytes == 1) return remap_codes_from<uint8_t>(c, start, stop);
    if (c.code_bytes == 2) return remap_codes_from<uint16_t>(c, start, stop);
    return remap_codes_from<uint32_t>(c, start, stop);
}

struct FillContext {
    uint8_t* out;    // out
    int32_t value;   // in
    int32_t unused;
};

inline int fill_bytes(void* ctx, int64_t start, int64_t stop, int64_t) {   // over bytes
    const FillContext& c = *(const FillContext*)ctx;
    memset(c.out + start, c.value, (size_t)(stop - start));
    return OK;
}

// ---- first rows -----------------------------------------------------------------------------------------------------

struct FirstRowsContext {
    const uint8_t* codes;   // in: of `code_bytes`
    row_t* first;           // in, out: per group (NEVER before), lowered to the first row that has it
    int64_t n_groups;       // in
    int32_t code_bytes;     // in
    uint32_t base;          // in: as in RemapContext
};

// Lower `*slot` to `row`. The minimum is the same whichever thread comes first.
inline void lower_first(row_t* slot, row_t row) {
    row_t seen = __atomic_load_n(slot, __ATOMIC_RELAXED);
    while (row < seen && !__atomic_compare_exchange_n(slot, &seen, row, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}

template <typename CODE>
int mark_first_rows_of(const FirstRowsContext& c, int64_t start, int64_t stop) {
    const CODE* codes = (const CODE*)c.codes;
    const bool far = c.n_groups > (1 << 16);
    int64_t n_settled = 0;   // groups, from the first on, whose first row is before the rows to come
    constexpr int64_t BLOCK = 4096;
    for (int64_t block = start; block < stop; block += BLOCK) {
        while (n_settled < c.n_groups && __atomic_load_n(c.first + n_settled, __ATOMIC_RELAXED) < block) ++n_settled;
        if (n_settled == c.n_groups) return OK;
        const int64_t end = stop - block < BLOCK ? stop : block + BLOCK;
        for (int64_t row = block; row < end; ++row) {
            if (far && row + 32 < end) {
                const CODE ahead = (CODE)(codes[row + 32] - c.base);
                if (ahead != (CODE)~(CODE)0) __builtin_prefetch(c.first + ahead);
            }
            const CODE code = (CODE)(codes[row] - c.base);
            if (code != (CODE)~(CODE)0) lower_first(c.first + code, (row_t)row);
        }
    }
    return OK;
}

inline int mark_first_rows(void* ctx, int64_t start, int64_t stop, int64_t) {   // over rows
    const FirstRowsContext& c = *(const FirstRowsContext*)ctx;
    if (c.code_bytes == 1) return mark_first_rows_of<uint8_t>(c, start, stop);
    if (c.code_bytes == 2) return mark_first_rows_of<uint16_t>(c, start, stop);
    return mark_first_rows_of<uint32_t>(c, start, stop);
}

// ---- order of first appearance --------------------------------------------------------------------------------------

struct AppearContext {
    const row_t* first_rows;   // in: per group, its first row
    uint64_t* starts;          // in, out of mark: a bit per row, set where a group starts
    uint32_t* ranks;           // in of number: per cell of `starts`, groups that start before it
    int64_t n_groups;          // in
    code_t* place;             // out: per group, its rank by first row
    row_t* ordered_rows;       // out: first rows, ascending
};

inline int mark_appearances(void* ctx, int64_t start, int64_t stop, int64_t) {   // over groups
    const AppearContext& c = *(const AppearContext*)ctx;
    for (int64_t group = start; group < stop; ++group) {
        const row_t row = c.first_rows[group];
        __atomic_fetch_or(c.starts + (row >> 6), (uint64_t)1 << (row & 63), __ATOMIC_RELAXED);
    }
    return OK;
}

inline int place_appearances(void* ctx, int64_t start, int64_t stop, int64_t) {   // over groups
    const AppearContext& c = *(const AppearContext*)ctx;
    for (int64_t group = start; group < stop; ++group) {
        const row_t row = c.first_rows[group];
        const uint64_t below = ((uint64_t)1 << (row & 63)) - 1;
        const uint32_t place = c.ranks[row >> 6] + (uint32_t)__builtin_popcountll(c.starts[row >> 6] & below);
        c.place[group] = place;
        c.ordered_rows[place] = row;
    }
    return OK;
}

// ---- values of groups -----------------------------------------------------------------------------------------------

// One digit of each group's word as the values of a column of integers (dates, codes of a dictionary ...).
struct GroupDigit {
    uint64_t stride;         // in: weight of the digit
    uint64_t radix;          // in: how many codes the digit has; 0: all that are left
    int32_t stride_shift;    // in: log2 of the stride, -1 where that is no power of two
    int32_t radix_bits;      // in: log2 of the radix, -1 likewise
    uint64_t base;           // in: the value of code 0
    uint64_t step;           // in: from one code to the next
    uint64_t n_values;       // in: this code is a missing value
    const code_t* lut;       // in: other codes for the codes, or null
    uint8_t* values;         // out
    uint8_t* validity;       // out, or null where no value is missing: bits, clear where one is
    int32_t physical;        // in
    int32_t unused;
};

struct DecodeContext {
    const uint64_t* words;   // in: per group
    const GroupDigit* digits;     // in
    int64_t n_digits;        // in
};

constexpr int DECODE_BLOCK = 1024;

// Quotients of words below 2^32 by a product with ceil(2^64 / divisor), which is exact for them (Lemire, Kaser and Kurz 2019)
// and takes a fifth of a division's time. `shift` is log2 of the divisor, -1 where that is no power of two.
inline uint64_t quotient_by_product(uint64_t word, uint64_t reciprocal) { return (uint64_t)((uint128_t)word * reciprocal >> 64); }

inline void divide_words(uint64_t* words, int count, uint64_t divisor, int shift, bool narrow) {
    if (shift >= 0) {
        for (int at = 0; at < count; ++at) words[at] >>= shift;
    } else if (narrow) {
        const uint64_t reciprocal = ~(uint64_t)0 / divisor + 1;
        for (int at = 0; at < count; ++at) words[at] = quotient_by_product(words[at], reciprocal);
    } else {
        for (int at = 0; at < count; ++at) words[at] /= divisor;
    }
}

inline void take_remainders(uint64_t* words, int count, uint64_t divisor, int shift, bool narrow) {
    if (shift >= 0) {
        for (int at = 0; at < count; ++at) words[at] &= divisor - 1;
    } else if (narrow) {
        const uint64_t reciprocal = ~(uint64_t)0 / divisor + 1;
        for (int at = 0; at < count; ++at) words[at] -= quotient_by_product(words[at], reciprocal) * divisor;
    } else {
        for (int at = 0; at < count; ++at) words[at] %= divisor;
    }
}

inline bool are_narrow(const uint64_t* words, int count) {
    uint64_t all = 0;
    for (int at = 0; at < count; ++at) all |= words[at];
    return all >> 32 == 0;
}

// The codes of a block of words.
inline void read_codes(const GroupDigit& d, const uint64_t* words, int count, bool narrow, uint64_t* codes) {
    memcpy(codes, words, (size_t)count * sizeof(uint64_t));
    divide_words(codes, count, d.stride, d.stride_shift, narrow);
    if (d.radix != 0) take_remainders(codes, count, d.radix, d.radix_bits, narrow);
    if (d.lut != nullptr) {
        for (int at = 0; at < count; ++at) codes[at] = d.lut[codes[at]];
    }
}

// Write the validity of codes, and make those of missing values 0.
inline void read_missing(const GroupDigit& d, int64_t start, int count, uint64_t* codes) {
    for (int from = 0; from < count; from += 64) {
        const int width = count - from < 64 ? count - from : 64;
        uint64_t valid = 0;
        for (int at = 0; at < width; ++at) {
            const bool there = codes[from + at] != d.n_values;
            valid |= (uint64_t)there << at;
            codes[from + at] = there ? codes[from + at] : 0;
        }
        store_bits(d.validity, start + from, valid, width);
    }
}

template <typename T>
void write_values(const GroupDigit& d, int64_t start, int count, const uint64_t* codes) {
    T* out = (T*)d.values + start;
    const T base = (T)d.base;
    if (d.step == 1) {
        for (int at = 0; at < count; ++at) out[at] = (T)(base + (T)codes[at]);
    } else {
        for (int at = 0; at < count; ++at) out[at] = (T)(d.base + codes[at] * d.step);
    }
}

inline void write_bits(const GroupDigit& d, int64_t start, int count, const uint64_t* codes) {
    for (int from = 0; from < count; from += 64) {
        const int width = count - from < 64 ? count - from : 64;
        uint64_t values = 0;
        for (int at = 0; at < width; ++at) values |= (uint64_t)(d.base + codes[from + at] * d.step != 0) << at;
        store_bits(d.values, start + from, values, width);
    }
}

inline int decode_words(void* ctx, int64_t start, int64_t stop, int64_t) {   // over groups
    const DecodeContext& c = *(const DecodeContext*)ctx;
    uint64_t codes[DECODE_BLOCK];
    for (int64_t block = start; block < stop; block += DECODE_BLOCK) {
        const int count = stop - block < DECODE_BLOCK ? (int)(stop - block) : DECODE_BLOCK;
        const bool narrow = are_narrow(c.words + block, count);
        for (int64_t at = 0; at < c.n_digits; ++at) {
            const GroupDigit& digit = c.digits[at];
            read_codes(digit, c.words + block, count, narrow, codes);
            if (digit.validity != nullptr) read_missing(digit, block, count, codes);
            switch (digit.physical) {
                case BOOL: write_bits(digit, block, count, codes); break;
                case I8: case U8: write_values<uint8_t>(digit, block, count, codes); break;
                case I16: case U16: write_values<uint16_t>(digit, block, count, codes); break;
                case I32: case U32: write_values<uint32_t>(digit, block, count, codes); break;
                default: write_values<uint64_t>(digit, block, count, codes);
            }
        }
    }
    return OK;
}

}  // namespace ff
