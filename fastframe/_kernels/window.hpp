// Looking at other rows: which rows are present, values shifted by a distance, differences along a distance or row map.
//
// A "row map" holds for each row the row that its value comes from (int32, NO_ROW for none); any dtype is then moved by
// the take kernels. Fixed-width columns without groups are shifted here directly, at the speed of a copy.
#pragma once
#include <algorithm>
#include <type_traits>

#include "group_codes.hpp"

namespace ff {

struct bits_t {};   // the role type of values that are held as bits (BOOL)

inline uint64_t low_bits(int count) { return count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1; }

// One column's values by row.
template <typename T>
struct Cells {
    typedef T value_t;
    const uint8_t* base;
    explicit Cells(const View& view) : base(view.values) {}
    T operator[](int64_t row) const { return load<T>(base, row); }
};

template <>
struct Cells<bits_t> {
    typedef uint8_t value_t;
    const uint8_t* base;
    int64_t bit_offset;
    explicit Cells(const View& view) : base(view.values), bit_offset(view.bit_offset) {}
    uint8_t operator[](int64_t row) const { return bit_at(base, bit_offset + row); }
};

// Whether a row is neither null nor NaN.
template <typename T>
inline bool is_present(const View& view, int64_t row) {
    if (!is_valid(view, row)) return false;
    if constexpr (std::is_floating_point<T>::value) {
        const T value = load<T>(view.values, row);
        return value == value;
    }
    return true;
}

// `is_present` of `count` (1 to 64) rows from `row` on, in the low bits.
template <typename T>
inline uint64_t present_word(const View& view, int64_t row, int count) {
    uint64_t word = view.validity ? bits_at(view.validity, view.bit_offset + row, count) : low_bits(count);
    if constexpr (std::is_floating_point<T>::value) {
        int n_numbers = 0;   // the usual block without NaN is one vectorised count
        for (int lane = 0; lane < count; ++lane) {
            const T value = load<T>(view.values, row + lane);
            n_numbers += value == value;
        }
        if (n_numbers == count) return word;
        for (int lane = 0; lane < count; ++lane) {
            const T value = load<T>(view.values, row + lane);
            if (value != value) word &= ~((uint64_t)1 << lane);
        }
    }
    return word;
}

// Which of a block's rows belong to a group.
inline uint64_t grouped_word(const code_t* code, int count) {
    int n_grouped = 0;   // the usual block of rows that all do is one vectorised count
    for (int lane = 0; lane < count; ++lane) n_grouped += code[lane] != NULL_CODE;
    if (n_grouped == count) return low_bits(count);
    uint64_t word = 0;
    for (int lane = 0; lane < count; ++lane) word |= (uint64_t)(code[lane] != NULL_CODE) << lane;
    return word;
}

inline uint64_t grouped_word(const GroupCodes& codes, int64_t row, int count) {
    if (codes.values == nullptr) return low_bits(count);
    code_t code[CODE_BLOCK];
    read_codes(codes, row, count, code);
    return grouped_word(code, count);
}

inline int block_length(int64_t row, int64_t stop) { return stop - row < 64 ? (int)(stop - row) : 64; }

// ---- presence: a result's validity where it is what is present and in a group --------------------------------------

struct Presence {
    View values;            // in: `values` null where only the validity counts
    GroupCodes codes;       // in
    uint8_t* validity;      // out: bits
};

template <typename T>
inline int presence(void* raw, int64_t start, int64_t stop, int64_t) {
    const Presence& ctx = *(const Presence*)raw;
    for (int64_t row = start; row < stop; row += 64) {
        const int count = block_length(row, stop);
        const uint64_t present = present_word<T>(ctx.values, row, count);
        store_bits(ctx.validity, row, present & grouped_word(ctx.codes, row, count), count);
    }
    return OK;
}

inline kernel_t presence_kernel(int physical) {
    return physical == F32 ? presence<float> : physical == F64 ? presence<double> : presence<uint8_t>;
}

// ---- dropped rows: what scattered writers never reach --------------------------------------------------------------

struct Dropped {
    GroupCodes codes;       // in
    int64_t width;          // in: bytes of a value
    int byte;               // in: what every byte of a dropped row's value becomes
    uint8_t* out;           // out
};

inline int clear_dropped(void* raw, int64_t start, int64_t stop, int64_t) {
    const Dropped& ctx = *(const Dropped*)raw;
    for (int64_t row = start; row < stop; row += 64) {
        const int count = block_length(row, stop);
        for (uint64_t dropped = low_bits(count) ^ grouped_word(ctx.codes, row, count); dropped != 0; dropped &= dropped - 1)
            memset(ctx.out + (row + __builtin_ctzll(dropped)) * ctx.width, ctx.byte, (size_t)ctx.width);
    }
    return OK;
}

// ---- lag rows: the row map of a shift by any distance, from rows in group order ------------------------------------

struct LagRows {
    const uint8_t* rows;      // in: row_t per position, sorted by (group, row)
    const int32_t* offsets;   // in: first position of each group, and the end of the last
    int64_t n_groups;         // in
    int64_t periods;          // in
    row_t outside;            // in: for rows whose source is outside their group
    uint8_t* out;             // out: row_t per row
};

// Over positions. No position depends on another, so one huge group is shared by all threads.
inline int lag_rows(void* raw, int64_t start, int64_t stop, int64_t) {
    const LagRows& ctx = *(const LagRows*)raw;
    int64_t group = 0;   // the last group that starts at or before `start`
    for (int64_t step = ctx.n_groups; step > 0;) {
        if (group + step < ctx.n_groups && ctx.offsets[group + step] <= start) group += step;
        else step /= 2;
    }
    for (int64_t position = start; position < stop; ++position) {
        while (ctx.offsets[group + 1] <= position) ++group;
        const int64_t source = position - ctx.periods;
        const bool inside = source >= ctx.offsets[group] && source < ctx.offsets[group + 1];
        store<row_t>(ctx.out, load<row_t>(ctx.rows, position), inside ? load<row_t>(ctx.rows, source) : ctx.outside);
    }
    return OK;
}

// ---- group numbers -------------------------------------------------------------------------------------------------

struct GroupNumbers {
    GroupCodes codes;       // in
    int64_t last;           // in: -1, or the number of groups - 1 to count down
    uint8_t* out;           // out: int64 per row
    uint8_t* validity;      // out: bits
};

inline int group_numbers(void* raw, int64_t start, int64_t stop, int64_t) {
    const GroupNumbers& ctx = *(const GroupNumbers*)raw;
    for (int64_t row = start; row < stop; row += 64) {
        const int count = block_length(row, stop);
        code_t code[CODE_BLOCK];
        read_codes(ctx.codes, row, count, code);
        for (int lane = 0; lane < count; ++lane) {
            const int64_t number = ctx.last < 0 ? (int64_t)code[lane] : ctx.last - (int64_t)code[lane];
            store<int64_t>(ctx.out, row + lane, code[lane] == NULL_CODE ? 0 : number);
        }
        store_bits(ctx.validity, row, grouped_word(code, count), count);
    }
    return OK;
}

// ---- shift: values of a fixed width, without groups ----------------------------------------------------------------

struct Shift {
    View values;          // in: for width 0 (bits), `values` at the buffer's start
    int64_t width;        // in: bytes of a value; 0 for bits
    int64_t periods;      // in: |periods| <= length
    uint8_t fill[16];     // in: one value for the rows that nothing moves into
    bool fill_valid;      // in: whether they are valid
    uint8_t* out;         // out
    uint8_t* validity;    // out: bits, or null where the caller knows that all rows are valid
};

// `count` bits of a source bitmap moved by `periods`; `edge` where the source is outside [0, length).
inline uint64_t shifted_word(const uint8_t* bits, const View& view, int64_t periods, int64_t row, int count,
                             bool edge) {
    const int64_t source = row - periods;
    if (source >= 0 && source + count <= view.length)
        return bits ? bits_at(bits, view.bit_offset + source, count) : low_bits(count);
    if (source >= view.length || source + count <= 0) return edge ? low_bits(count) : 0;
    uint64_t word = 0;
    for (int lane = 0; lane < count; ++lane) {
        const int64_t from = source + lane;
        const bool inside = from >= 0 && from < view.length;
        const bool bit = inside ? bits == nullptr || bit_at(bits, view.bit_offset + from) : edge;
        word |= (uint64_t)bit << lane;
    }
    return word;
}

inline int shift(void* raw, int64_t start, int64_t stop, int64_t) {
    const Shift& ctx = *(const Shift*)raw;
    const View& view = ctx.values;
    if (ctx.validity != nullptr) {
        for (int64_t row = start; row < stop; row += 64) {
            const int count = block_length(row, stop);
            const uint64_t word = shifted_word(view.validity, view, ctx.periods, row, count, ctx.fill_valid);
            store_bits(ctx.validity, row, word, count);
        }
    }
    if (ctx.width == 0) {
        for (int64_t row = start; row < stop; row += 64) {
            const int count = block_length(row, stop);
            const uint64_t word = shifted_word(view.values, view, ctx.periods, row, count, ctx.fill[0] != 0);
            store_bits(ctx.out, row, word, count);
        }
        return OK;
    }
    const int64_t low = ctx.periods > 0 ? ctx.periods : 0;   // rows [low, high) have a source
    const int64_t high = ctx.periods < 0 ? view.length + ctx.periods : view.length;
    const int64_t from = std::min(std::max(start, low), stop);
    const int64_t to = std::max(std::min(stop, high), from);
    const int64_t width = ctx.width;
    for (int64_t row = start; row < from; ++row) memcpy(ctx.out + row * width, ctx.fill, (size_t)width);
    if (to > from)
        memcpy(ctx.out + from * width, view.values + (from - ctx.periods) * width, (size_t)((to - from) * width));
    for (int64_t row = to; row < stop; ++row) memcpy(ctx.out + row * width, ctx.fill, (size_t)width);
    return OK;
}

// ---- differences and relative changes ------------------------------------------------------------------------------

struct Change {
    View values;            // in
    const uint8_t* rows;    // in: a row map, or null: the source is `periods` rows before
    int64_t periods;        // in: |periods| <= length
    uint8_t* out;           // out
    uint8_t* validity;      // out: bits
};

// Which of `count` rows are present `periods` rows before.
template <typename T>
inline uint64_t lagged_word(const View& view, int64_t periods, int64_t row, int count) {
    const int64_t source = row - periods;
    if (source >= 0 && source + count <= view.length) return present_word<T>(view, source, count);
    uint64_t word = 0;
    for (int lane = 0; lane < count; ++lane) {
        const int64_t from = source + lane;
        if (from >= 0 && from < view.length && is_present<T>(view, from)) word |= (uint64_t)1 << lane;
    }
    return word;
}

template <typename T>
inline uint64_t mapped_word(const View& view, const uint8_t* rows, int64_t row, int count) {
    uint64_t word = 0;
    for (int lane = 0; lane < count; ++lane) {
        const row_t from = load<row_t>(rows, row + lane);
        if (from != NO_ROW && is_present<T>(view, from)) word |= (uint64_t)1 << lane;
    }
    return word;
}

constexpr int128_t DECIMAL_LIMIT = (int128_t)10000000000000000000ull * (int128_t)10000000000000000000ull;   // 10^38

inline bool decimal_overflows(int128_t value) { return value >= DECIMAL_LIMIT || value <= -DECIMAL_LIMIT; }

// Result types: int64 for all integers (exact for all but the two widest, which are checked), else the values' own.
template <typename T> struct Difference {
    typedef typename std::conditional<std::is_integral<T>::value, int64_t, T>::type out_t;
    static bool step(T value, T before, out_t* out) {   // true on overflow
        if constexpr (std::is_floating_point<T>::value) {
            *out = value - before;
            return false;
        } else if constexpr (sizeof(T) < 8) {
            *out = (int64_t)value - (int64_t)before;
            return false;
        } else if constexpr (sizeof(T) == 16) {
            return __builtin_sub_overflow(value, before, out) || decimal_overflows(*out);
        } else {
            return __builtin_sub_overflow(value, before, out);   // judged as if with unbounded integers
        }
    }
};

template <typename T> struct Relative {
    typedef typename std::conditional<std::is_same<T, float>::value, float, double>::type out_t;
    static bool step(T value, T before, out_t* out) {
        *out = (out_t)value / (out_t)before - (out_t)1;
        return false;
    }
};

template <typename T, typename Rule>
inline int change(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Rule::out_t out_t;
    const Change& ctx = *(const Change*)raw;
    const View& view = ctx.values;
    for (int64_t row = start; row < stop; row += 64) {
        const int count = block_length(row, stop);
        const uint64_t sources = ctx.rows ? mapped_word<T>(view, ctx.rows, row, count)
                                          : lagged_word<T>(view, ctx.periods, row, count);
        const uint64_t word = present_word<T>(view, row, count) & sources;
        bool overflow = false;
        if (ctx.rows == nullptr && word == low_bits(count)) {
            for (int lane = 0; lane < count; ++lane) {
                out_t result;
                const T before = load<T>(view.values, row + lane - ctx.periods);
                overflow |= Rule::step(load<T>(view.values, row + lane), before, &result);
                store<out_t>(ctx.out, row + lane, result);
            }
        } else {
            for (int lane = 0; lane < count; ++lane) {
                out_t result = 0;
                if (word >> lane & 1) {
                    const int64_t from = ctx.rows ? load<row_t>(ctx.rows, row + lane) : row + lane - ctx.periods;
                    overflow |= Rule::step(load<T>(view.values, row + lane), load<T>(view.values, from), &result);
                }
                store<out_t>(ctx.out, row + lane, result);
            }
        }
        if (overflow) return OVERFLOW_;
        store_bits(ctx.validity, row, word, count);
    }
    return OK;
}

template <template <typename> class Rule>
inline kernel_t change_kernel(int physical, bool decimals) {
    switch (physical) {
        case I8: return change<int8_t, Rule<int8_t>>;
        case I16: return change<int16_t, Rule<int16_t>>;
        case I32: return change<int32_t, Rule<int32_t>>;
        case I64: return change<int64_t, Rule<int64_t>>;
        case U8: return change<uint8_t, Rule<uint8_t>>;
        case U16: return change<uint16_t, Rule<uint16_t>>;
        case U32: return change<uint32_t, Rule<uint32_t>>;
        case U64: return change<uint64_t, Rule<uint64_t>>;
        case F32: return change<float, Rule<float>>;
        case F64: return change<double, Rule<double>>;
        case I128: return decimals ? change<int128_t, Rule<int128_t>> : nullptr;
    }
    return nullptr;
}

inline kernel_t difference_kernel(int physical) { return change_kernel<Difference>(physical, true); }
inline kernel_t relative_kernel(int physical) { return change_kernel<Relative>(physical, false); }

}  // namespace ff
