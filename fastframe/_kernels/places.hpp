// Where each row goes when rows are brought together by group, and values carried there and back.
//
// A row's place is kept (4 bytes per row and step), so that values go there by a scatter and results come back by a gather,
// however many columns and functions share the groups. Places of a block are prefetched before they are touched. Where
// there are more groups than the second-level cache has lines, two steps (to partitions of groups, then inside them) take
// half the time of one: each has few open lines (radix partitioning, Manegold, Boncz and Kersten, 2002; measured in
// docs/plans/user_functions_groups.md). The kernels of both steps are the same.
#pragma once
#include <new>
#include <type_traits>

#include "group_codes.hpp"
#include "prefetch.hpp"
#include "streaming.hpp"

namespace ff {

constexpr int PLACE_BLOCK = 64;   // rows that are looked at together: one word of validity

// ---- Groups whose rows are together already ---------------------------------------------------------------------------

struct Ascending {
    GroupCodes codes;     // in
    int32_t* offsets;     // out: first row of each group; the entry n_groups is the caller's
};

// Over rows: INEXACT where a row is of an earlier group than the row before, or of none.
inline int ascending_codes(void* raw, int64_t start, int64_t stop, int64_t) {
    const Ascending& ctx = *(const Ascending*)raw;
    code_t code[CODE_BLOCK];
    code_t before = start == 0 ? NULL_CODE : code_of_row(ctx.codes, start - 1);
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        read_codes(ctx.codes, row, count, code);
        for (int lane = 0; lane < count; ++lane) {
            if (code[lane] == before && before != NULL_CODE) continue;
            if (code[lane] == NULL_CODE || (before != NULL_CODE && code[lane] < before)) return INEXACT;
            ctx.offsets[code[lane]] = (int32_t)(row + lane);
            before = code[lane];
        }
    }
    return OK;
}

// ---- Places -----------------------------------------------------------------------------------------------------------

// Slots are groups, or partitions of groups: `code >> shift`.
struct RowPlaces {
    GroupCodes codes;         // in
    uint32_t* counts;         // in, out: rows of earlier slices in each slot; n_slices x (n_slots + 1)
    const int32_t* starts;    // in: first place of each slot
    int64_t n_slots;          // in
    int32_t shift;            // in
    row_t* places;            // out: -1 where a row is in no group
};

// Over rows, in the slices that were counted (order.hpp).
inline int place_rows(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const RowPlaces& ctx = *(const RowPlaces*)raw;
    uint32_t* next = ctx.counts + slice * (ctx.n_slots + 1);
    for (int64_t slot = 0; slot < ctx.n_slots; ++slot) next[slot] += (uint32_t)ctx.starts[slot];
    const code_t n_slots = (code_t)ctx.n_slots;
    code_t code[CODE_BLOCK];
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        read_codes(ctx.codes, row, count, code);
        for (int lane = 0; lane < count; ++lane) {
            const code_t slot = code[lane] >> ctx.shift;   // of NULL_CODE beyond the last
            ctx.places[row + lane] = slot < n_slots ? (row_t)next[slot]++ : NO_ROW;
        }
    }
    return OK;
}

// The second step where there are many groups: inside each partition of 2^shift groups.
struct PartitionPlaces {
    const code_t* codes;      // in: in partition order
    const int32_t* starts;    // in: first place of each partition; n_partitions + 1
    int64_t n_groups;         // in
    int32_t shift;            // in
    row_t* places;            // out: per place in partition order, that in group order
    int32_t* offsets;         // out: first place of each group; the entry n_groups is the caller's
};

// Over partitions.
inline int place_in_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    const PartitionPlaces& ctx = *(const PartitionPlaces*)raw;
    int32_t* next = new (std::nothrow) int32_t[(size_t)1 << ctx.shift];
    if (next == nullptr) return OUT_OF_MEMORY;
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t first_group = partition << ctx.shift;
        const int64_t n_left = ctx.n_groups - first_group, most = (int64_t)1 << ctx.shift;
        const int64_t n_groups = n_left < most ? n_left : most;
        memset(next, 0, (size_t)n_groups * sizeof(int32_t));
        const int64_t begin = ctx.starts[partition], end = ctx.starts[partition + 1];
        for (int64_t at = begin; at < end; ++at) ++next[ctx.codes[at] - first_group];
        int32_t place = (int32_t)begin;
        for (int64_t group = 0; group < n_groups; ++group) {
            const int32_t count = next[group];
            next[group] = ctx.offsets[first_group + group] = place;
            place += count;
        }
        for (int64_t at = begin; at < end; ++at) ctx.places[at] = next[ctx.codes[at] - first_group]++;
    }
    delete[] next;
    return OK;
}

// ---- There ------------------------------------------------------------------------------------------------------------

struct Carry {
    View view;               // in: values of the rows
    const row_t* places;     // in: of the rows, -1 where a row is left out; null: its own number
    uint8_t* out;            // out: values at their places
    uint64_t fill;           // in: the bits that stand for a null (of values of 16 bytes: 0)
};

template <typename T>
struct WholeValue {
    typedef T value_t;
    static T at(const View& view, int64_t row) { return load<T>(view.values, row); }
};

struct BitAsByte {
    typedef uint8_t value_t;
    static uint8_t at(const View& view, int64_t row) { return bit_at(view.values, view.bit_offset + row); }
};

// Whether a value is there, as a byte. T is float or double where NaN counts as missing, else any other type.
template <typename T>
struct PresenceOf {
    typedef uint8_t value_t;
    static uint8_t at(const View& view, int64_t row) {
        if constexpr (std::is_floating_point<T>::value) {
            const T value = load<T>(view.values, row);
            return value == value;
        } else {
            return 1;
        }
    }
};

template <class Source, bool NULLS>
int carry_there(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Source::value_t value_t;
    const Carry& ctx = *(const Carry*)raw;
    const value_t fill = (value_t)ctx.fill;
    for (int64_t row = start; row < stop; row += PLACE_BLOCK) {
        const int count = (int)(stop - row < PLACE_BLOCK ? stop - row : PLACE_BLOCK);
        row_t place[PLACE_BLOCK];
        row_t least = 0;
        for (int lane = 0; lane < count; ++lane) {
            place[lane] = ctx.places != nullptr ? ctx.places[row + lane] : (row_t)(row + lane);
            least = place[lane] < least ? place[lane] : least;
        }
        if (ctx.places != nullptr) {
            for (int lane = 0; lane < count; ++lane)
                prefetch_to_write(ctx.out + (int64_t)(place[lane] < 0 ? 0 : place[lane]) * (int64_t)sizeof(value_t));
        }
        uint64_t valid = ~(uint64_t)0;
        if constexpr (NULLS) valid = bits_at(ctx.view.validity, ctx.view.bit_offset + row, count);
        for (int lane = 0; lane < count; ++lane) {
            if (least < 0 && place[lane] < 0) continue;
            value_t value = Source::at(ctx.view, row + lane);
            if constexpr (NULLS) value = (valid >> lane & 1) != 0 ? value : fill;
            store<value_t>(ctx.out, place[lane], value);
        }
    }
    return OK;
}

template <class Source>
inline kernel_t carry_of(bool nulls) { return nulls ? carry_there<Source, true> : carry_there<Source, false>; }

// Null for types whose values are not of one width.
inline kernel_t carry_kernel(int physical, bool nulls) {
    switch (physical) {
        case I8: case U8: return carry_of<WholeValue<uint8_t>>(nulls);
        case I16: case U16: return carry_of<WholeValue<uint16_t>>(nulls);
        case I32: case U32: case F32: return carry_of<WholeValue<uint32_t>>(nulls);
        case I64: case U64: case F64: return carry_of<WholeValue<uint64_t>>(nulls);
        case I128: return carry_of<WholeValue<uint128_t>>(nulls);
        case BOOL: return carry_of<BitAsByte>(nulls);
        default: return nullptr;
    }
}

// Any type has a presence; only floats have NaN.
inline kernel_t presence_bytes_kernel(int physical, bool nulls) {
    switch (physical) {
        case F32: return carry_of<PresenceOf<float>>(nulls);
        case F64: return carry_of<PresenceOf<double>>(nulls);
        default: return carry_of<PresenceOf<void>>(nulls);
    }
}

// ---- Back -------------------------------------------------------------------------------------------------------------

struct Return {
    const uint8_t* values;     // in: at their places; bools as bytes
    const row_t* places;       // in: of the rows, -1 where a row gets none; null: its own number
    uint8_t* out;              // out: per row; 0 where it gets none; bits where `as_bits`
    uint8_t* validity;         // out: which rows got one, or null
};

template <typename T>
int carry_back(void* raw, int64_t start, int64_t stop, int64_t) {
    const Return& ctx = *(const Return*)raw;
    alignas(LINE) uint8_t stage[PLACE_BLOCK * sizeof(T)];
    const bool streams = (uintptr_t)ctx.out % LINE == 0;
    for (int64_t row = start; row < stop; row += PLACE_BLOCK) {
        const int count = (int)(stop - row < PLACE_BLOCK ? stop - row : PLACE_BLOCK);
        const row_t* place = ctx.places + row;
        for (int lane = 0; lane < count; ++lane) __builtin_prefetch(ctx.values + (int64_t)place[lane] * (int64_t)sizeof(T));
        uint64_t kept = 0;
        for (int lane = 0; lane < count; ++lane) {
            const bool has = place[lane] >= 0;
            store<T>(stage, lane, has ? load<T>(ctx.values, place[lane]) : T(0));
            kept |= (uint64_t)has << lane;
        }
        uint8_t* out = ctx.out + row * (int64_t)sizeof(T);
        if (count == PLACE_BLOCK && streams) stream_lines(out, stage, (int64_t)(PLACE_BLOCK * sizeof(T)) / LINE);
        else memcpy(out, stage, (size_t)count * sizeof(T));
        if (ctx.validity != nullptr) store_bits(ctx.validity, row, kept, count);
    }
    if (streams) end_stream();
    return OK;
}

// Bools: bytes become bits.
inline int carry_bits_back(void* raw, int64_t start, int64_t stop, int64_t) {
    const Return& ctx = *(const Return*)raw;
    for (int64_t row = start; row < stop; row += PLACE_BLOCK) {
        const int count = (int)(stop - row < PLACE_BLOCK ? stop - row : PLACE_BLOCK);
        uint64_t bits = 0, kept = 0;
        for (int lane = 0; lane < count; ++lane) {
            const int64_t place = ctx.places != nullptr ? ctx.places[row + lane] : row + lane;
            if (place < 0) continue;
            bits |= (uint64_t)(ctx.values[place] != 0) << lane;
            kept |= (uint64_t)1 << lane;
        }
        store_bits(ctx.out, row, bits, count);
        if (ctx.validity != nullptr) store_bits(ctx.validity, row, kept, count);
    }
    return OK;
}

// For values of `width` bytes; 0: bools.
inline kernel_t return_kernel(int width) {
    switch (width) {
        case 0: return carry_bits_back;
        case 1: return carry_back<uint8_t>;
        case 2: return carry_back<uint16_t>;
        case 4: return carry_back<uint32_t>;
        case 8: return carry_back<uint64_t>;
        case 16: return carry_back<uint128_t>;
        default: return nullptr;
    }
}

// ---- Rows that are left out -------------------------------------------------------------------------------------------

struct Dropped {
    View view;            // in
    uint8_t* codes;       // in, out: all bits set where the row's value is missing
    int64_t width;        // in: bytes of a code
};

template <typename Code, typename T>
inline void drop_block(const Dropped& ctx, int64_t row, int count) {
    const uint64_t valid = ctx.view.validity != nullptr ? bits_at(ctx.view.validity, ctx.view.bit_offset + row, count) : ~(uint64_t)0;
    for (int lane = 0; lane < count; ++lane) {
        bool missing = (valid >> lane & 1) == 0;
        if constexpr (std::is_floating_point<T>::value) {
            const T value = load<T>(ctx.view.values, row + lane);
            missing |= value != value;
        }
        const Code none = (Code) ~(Code)0;
        store<Code>(ctx.codes, row + lane, missing ? none : load<Code>(ctx.codes, row + lane));
    }
}

// Over rows.
template <typename T>
int drop_missing(void* raw, int64_t start, int64_t stop, int64_t) {
    const Dropped& ctx = *(const Dropped*)raw;
    for (int64_t row = start; row < stop; row += PLACE_BLOCK) {
        const int count = (int)(stop - row < PLACE_BLOCK ? stop - row : PLACE_BLOCK);
        switch (ctx.width) {
            case 1: drop_block<uint8_t, T>(ctx, row, count); break;
            case 2: drop_block<uint16_t, T>(ctx, row, count); break;
            default: drop_block<uint32_t, T>(ctx, row, count);
        }
    }
    return OK;
}

inline kernel_t drop_missing_kernel(int physical) {
    return physical == F32 ? drop_missing<float> : physical == F64 ? drop_missing<double> : drop_missing<uint8_t>;
}

}  // namespace ff
