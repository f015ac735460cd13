// The rows of the k largest (or smallest) values of each group.
//
// Rows come listed by group (`group_order`); each group keeps its k best in a small sorted array, which most values do not
// enter, so the branch is well predicted (the inline states of the group-by research, algorithms.md 1.7).
#pragma once
#include "kernel.hpp"

namespace ff {

constexpr int MOST_BEST = 64;   // k of one kernel; larger ones are a sort

struct TopKContext {
    View view;                // in: values
    const row_t* rows;        // in: row numbers, by group and row
    const int32_t* offsets;   // in: per group, where its rows start; one more at the end
    int64_t k;                // in: 1 to MOST_BEST
    int64_t smallest;         // in: 1 for the smallest values
    row_t* best;              // out: per group k rows, best first
    int32_t* counts;          // out: per group, how many of them there are
};

// Unsigned words in the order of the values.
template <typename T>
inline uint64_t rank_word(T value) {
    return (T)-1 < (T)0 ? (uint64_t)(int64_t)value ^ ((uint64_t)1 << 63) : (uint64_t)value;
}
template <>
inline uint64_t rank_word<double>(double value) {
    value += 0.0;   // -0.0 is 0.0
    int64_t bits;
    memcpy(&bits, &value, 8);
    return (uint64_t)bits ^ ((uint64_t)(bits >> 63) | (uint64_t)1 << 63);
}
template <>
inline uint64_t rank_word<float>(float value) {
    return rank_word<double>((double)value);
}

template <typename T>
inline bool counts_as_missing(T value) { return value != value; }

template <typename T, bool NULLS>
int top_k_of_groups(void* ctx, int64_t start, int64_t stop, int64_t) {
    const TopKContext& c = *(const TopKContext*)ctx;
    const uint64_t flip = c.smallest ? ~(uint64_t)0 : 0;
    const int k = (int)c.k;
    constexpr int AHEAD = 16;
    uint64_t words[MOST_BEST];
    row_t rows[MOST_BEST];
    const int64_t last_place = c.offsets[stop];
    for (int64_t group = start; group < stop; ++group) {
        int held = 0;
        for (int64_t place = c.offsets[group]; place < c.offsets[group + 1]; ++place) {
            if (place + AHEAD < last_place) __builtin_prefetch(c.view.values + (int64_t)c.rows[place + AHEAD] * (int64_t)sizeof(T));
            const row_t row = c.rows[place];
            if (NULLS && !bit_at(c.view.validity, c.view.bit_offset + row)) continue;
            const T value = load<T>(c.view.values, row);
            if (counts_as_missing(value)) continue;
            const uint64_t word = rank_word<T>(value) ^ flip;
            if (held == k && word <= words[k - 1]) continue;   // an equal value that came before stays
            int at = held < k ? held++ : k - 1;
            for (; at > 0 && words[at - 1] < word; --at) {
                words[at] = words[at - 1];
                rows[at] = rows[at - 1];
            }
            words[at] = word;
            rows[at] = row;
        }
        c.counts[group] = held;
        memcpy(c.best + group * k, rows, (size_t)held * sizeof(row_t));
    }
    return OK;
}

template <typename T>
inline kernel_t top_k_of_type(bool nulls) {
    return nulls ? top_k_of_groups<T, true> : top_k_of_groups<T, false>;
}

inline kernel_t top_k_kernel(int physical, bool nulls) {
    switch (physical) {
        case I8: return top_k_of_type<int8_t>(nulls);
        case I16: return top_k_of_type<int16_t>(nulls);
        case I32: return top_k_of_type<int32_t>(nulls);
        case I64: return top_k_of_type<int64_t>(nulls);
        case U8: return top_k_of_type<uint8_t>(nulls);
        case U16: return top_k_of_type<uint16_t>(nulls);
        case U32: return top_k_of_type<uint32_t>(nulls);
        case U64: return top_k_of_type<uint64_t>(nulls);
        case F32: return top_k_of_type<float>(nulls);
        case F64: return top_k_of_type<double>(nulls);
        default: return nullptr;
    }
}

}  // namespace ff
