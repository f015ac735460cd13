// Values brought together by group, or by partition of groups: per-slice counts, then a scatter to the places that the
// counts give. Rows keep their order within a partition; rows left out go to one last partition, `n_partitions`.
//
// Places of a block of rows are computed and prefetched for writing before anything is written (measured: a scatter
// to a thousand places takes half the time; write-combining buffers were slower).
#pragma once
#include <new>
#include <type_traits>

#include "group_codes.hpp"
#include "prefetch.hpp"
#include "sources.hpp"
#include "split.hpp"

namespace ff {

// Groups of one partition are neighbours: partition = code >> shift.
struct ByGroup {
    static constexpr bool READS_VALUES = false;
    template <typename T>
    static uint32_t partition(code_t code, T, int shift) { return code >> shift; }
};

// The bits of a value as an unsigned number, equal where values are equal.
template <typename T>
inline auto value_bits(T value) {
    if constexpr (std::is_same<T, double>::value) {
        uint64_t bits;
        const double plain = value + 0.0;   // -0.0 becomes 0.0
        memcpy(&bits, &plain, 8);
        return bits;
    } else if constexpr (std::is_same<T, float>::value) {
        uint32_t bits;
        const float plain = value + 0.0f;
        memcpy(&bits, &plain, 4);
        return bits;
    } else if constexpr (sizeof(T) == 16) {
        return (uint128_t)value;
    } else {
        return (uint64_t)value;
    }
}

// Multiply and fold twice, as in wyhash; equal pairs get equal hashes, and both halves depend on all bits.
inline uint64_t hash_pair(uint64_t low, uint64_t high) {
    const uint128_t product = (uint128_t)(low ^ 0x9E3779B97F4A7C15ull) * (high ^ 0xD6E8FEB86659FD93ull);
    const uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (folded ^ (folded >> 32)) * 0x9E3779B97F4A7C15ull;
}

template <typename T>
inline uint64_t hash_value(code_t code, T value) {
    const auto bits = value_bits(value);
    uint64_t low = (uint64_t)bits;
    if constexpr (sizeof(bits) == 16) low ^= hash_pair((uint64_t)(bits >> 64), 0);
    return hash_pair(low, (uint64_t)code << 1 | 1);
}

// Equal (group, value) pairs meet: partition = the hash's top bits, 64 - shift of them.
struct ByHash {
    static constexpr bool READS_VALUES = true;
    template <typename T>
    static uint32_t partition(code_t code, T value, int shift) {
        return shift == 64 ? 0 : (uint32_t)(hash_value(code, value) >> shift);
    }
};

struct Scatter {
    View view;               // in
    GroupCodes codes;        // in: group of each row
    int64_t n_partitions;    // in
    int32_t shift;           // in: see ByGroup and ByHash
    bool skips_nan;          // in: whether rows of NaN are left out; false where the caller knows that there are none
    int32_t* places;         // out of counting, in and out of scattering: slices x (n_partitions + 1)
    uint8_t* out_values;     // out: values in partition order
    uint8_t* out_codes;      // out: their group codes (32 bits), or those within the partition (16 bits), where wanted
    uint8_t* out_rows;       // out: their row numbers, where wanted
};

// Groups and partitions of rows [row, row + count); those of rows left out are NULL_CODE and `n_partitions`.
template <class Source, class By>
inline void fill_partitions(const Scatter& ctx, int64_t row, int count, code_t* code, uint32_t* partition) {
    read_codes(ctx.codes, row, count, code);
    if (ctx.view.validity != nullptr) {
        const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
        for (uint64_t missing = all ^ bits_at(ctx.view.validity, ctx.view.bit_offset + row, count); missing != 0; missing &= missing - 1)
            code[__builtin_ctzll(missing)] = NULL_CODE;
    }
    if constexpr (Source::has_nan) {
        for (int lane = 0; ctx.skips_nan && lane < count; ++lane)
            code[lane] = Source::is_nan(ctx.view, row + lane) ? NULL_CODE : code[lane];
    }
    const uint32_t last = (uint32_t)ctx.n_partitions;
    for (int lane = 0; lane < count; ++lane) {
        if constexpr (By::READS_VALUES) {
            const uint32_t own = By::partition(code[lane], Source::at(ctx.view, row + lane), ctx.shift);
            partition[lane] = code[lane] == NULL_CODE ? last : own;
        } else {
            const uint32_t own = code[lane] >> ctx.shift;   // of NULL_CODE beyond the last
            partition[lane] = own < last ? own : last;
        }
    }
}

template <class Source, class By>
int count_partitions(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Scatter& ctx = *(const Scatter*)raw;
    int32_t* counts = ctx.places + slice * (ctx.n_partitions + 1);
    memset(counts, 0, (size_t)(ctx.n_partitions + 1) * sizeof(int32_t));
    code_t code[CODE_BLOCK];
    uint32_t partition[CODE_BLOCK];
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        fill_partitions<Source, By>(ctx, row, count, code, partition);
        for (int lane = 0; lane < count; ++lane) ++counts[partition[lane]];
    }
    return OK;
}

// Code: code_t, own_code_t, or void where codes are not wanted.
template <class Source, class By, class Code, bool WITH_ROWS>
int scatter_values(void* raw, int64_t start, int64_t stop, int64_t slice) {
    typedef typename Source::value_t value_t;
    constexpr bool WITH_CODES = !std::is_void<Code>::value;
    const Scatter& ctx = *(const Scatter*)raw;
    int32_t* places = ctx.places + slice * (ctx.n_partitions + 1);
    code_t code[CODE_BLOCK];
    uint32_t partition[CODE_BLOCK];
    const code_t own = std::is_same<Code, own_code_t>::value ? ((code_t)1 << ctx.shift) - 1 : NULL_CODE;
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        fill_partitions<Source, By>(ctx, row, count, code, partition);
        int32_t place[CODE_BLOCK];
        for (int lane = 0; lane < count; ++lane) {
            place[lane] = places[partition[lane]]++;
            prefetch_to_write(ctx.out_values + (int64_t)place[lane] * (int64_t)sizeof(value_t));
            if constexpr (WITH_CODES) prefetch_to_write((Code*)ctx.out_codes + place[lane]);
            if constexpr (WITH_ROWS) prefetch_to_write(ctx.out_rows + (int64_t)place[lane] * 4);
        }
        for (int lane = 0; lane < count; ++lane) {
            store<value_t>(ctx.out_values, place[lane], Source::at(ctx.view, row + lane));
            if constexpr (WITH_CODES) store<Code>(ctx.out_codes, place[lane], (Code)(code[lane] & own));
            if constexpr (WITH_ROWS) store<row_t>(ctx.out_rows, place[lane], (row_t)(row + lane));
        }
    }
    return OK;
}

// Counts to places: where a slice's rows of a partition begin, partitions first, then slices.
struct Places {
    int32_t* places;         // in: counts; out: places; slices x (n_partitions + 1)
    int32_t* totals;         // out of totalling: rows of each partition; in of placing: where each begins
    int64_t n_partitions;    // in: with the last one, of rows left out
    int64_t n_slices;        // in
};

// Over partitions.
inline int total_counts(void* raw, int64_t start, int64_t stop, int64_t) {
    const Places& ctx = *(const Places*)raw;
    memset(ctx.totals + start, 0, (size_t)(stop - start) * sizeof(int32_t));
    for (int64_t slice = 0; slice < ctx.n_slices; ++slice) {
        int32_t* counts = ctx.places + slice * ctx.n_partitions;
        for (int64_t partition = start; partition < stop; ++partition) {
            const int32_t count = counts[partition];
            counts[partition] = ctx.totals[partition];   // rows of earlier slices
            ctx.totals[partition] += count;
        }
    }
    return OK;
}

// Over partitions, once `totals` holds where each begins.
inline int add_starts(void* raw, int64_t start, int64_t stop, int64_t) {
    const Places& ctx = *(const Places*)raw;
    for (int64_t slice = 0; slice < ctx.n_slices; ++slice) {
        int32_t* places = ctx.places + slice * ctx.n_partitions;
        for (int64_t partition = start; partition < stop; ++partition) places[partition] += ctx.totals[partition];
    }
    return OK;
}

// The way back: a value per row from values in partition order. Rows are walked as by the scatter, and each takes the next
// value of its partition, so nothing of where they went needs to be kept but the places.
struct Gather {
    Scatter scatter;          // in: as it was; its places are where each slice's rows of a partition end
    const int32_t* starts;    // in: first place of each partition
    const uint8_t* values;    // in: 8 bytes each, in partition order
    uint8_t* out;             // out: per row; 0 for rows left out
    uint8_t* validity;        // out: bits; null for rows left out
};

template <class Source>
int gather_values(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Gather& ctx = *(const Gather*)raw;
    const int64_t width = ctx.scatter.n_partitions + 1;
    int32_t* places = new (std::nothrow) int32_t[(size_t)width];
    if (places == nullptr) return OUT_OF_MEMORY;
    const int32_t* begin = slice == 0 ? ctx.starts : ctx.scatter.places + (slice - 1) * width;
    memcpy(places, begin, (size_t)width * sizeof(int32_t));
    code_t code[CODE_BLOCK];
    uint32_t partition[CODE_BLOCK];
    int32_t place[CODE_BLOCK];
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        fill_partitions<Source, ByGroup>(ctx.scatter, row, count, code, partition);
        uint64_t kept = 0;
        for (int lane = 0; lane < count; ++lane) {
            place[lane] = places[partition[lane]]++;
            kept |= (uint64_t)(code[lane] != NULL_CODE) << lane;
            __builtin_prefetch(ctx.values + (int64_t)place[lane] * 8);
        }
        for (int lane = 0; lane < count; ++lane) {
            const uint64_t value = load<uint64_t>(ctx.values, place[lane]);
            store<uint64_t>(ctx.out, row + lane, code[lane] != NULL_CODE ? value : 0);
        }
        store_bits(ctx.validity, row, kept, count);
    }
    delete[] places;
    return OK;
}

// ---- The table of specialisations -------------------------------------------------------------------------------------

// What is scattered: values of a physical type (its id), text lengths (STR, LSTR), or row numbers.
enum RowSource : int { ROWS = 100, ROWS_OF_F32 = 101, ROWS_OF_F64 = 102 };

struct ScatterKernels {
    kernel_t count, scatter, gather;
    int64_t value_bytes;
};

enum Streams : int { VALUES_ONLY = 0, AND_CODES = 1, CODES_AND_ROWS = 2, AND_OWN_CODES = 3 };

template <class Source, class By>
inline ScatterKernels scatter_for(int streams) {
    typedef typename Source::value_t value_t;
    kernel_t scatter = scatter_values<Source, By, void, false>;
    if (streams == AND_CODES) scatter = scatter_values<Source, By, code_t, false>;
    else if (streams == CODES_AND_ROWS) scatter = scatter_values<Source, By, code_t, true>;
    else if (streams == AND_OWN_CODES) scatter = scatter_values<Source, By, own_code_t, false>;
    return {count_partitions<Source, By>, scatter, gather_values<Source>, (int64_t)sizeof(value_t)};
}

template <class By>
inline ScatterKernels scatter_by(int source, int streams) {
    switch (source) {
        case I8: return scatter_for<Values<int8_t>, By>(streams);
        case I16: return scatter_for<Values<int16_t>, By>(streams);
        case I32: return scatter_for<Values<int32_t>, By>(streams);
        case I64: return scatter_for<Values<int64_t>, By>(streams);
        case U8: return scatter_for<Values<uint8_t>, By>(streams);
        case U16: return scatter_for<Values<uint16_t>, By>(streams);
        case U32: return scatter_for<Values<uint32_t>, By>(streams);
        case U64: return scatter_for<Values<uint64_t>, By>(streams);
        case F32: return scatter_for<Values<float>, By>(streams);
        case F64: return scatter_for<Values<double>, By>(streams);
        case BOOL: return scatter_for<Bits, By>(streams);
        case I128: return scatter_for<Values<int128_t>, By>(streams);
        case STR: return scatter_for<Lengths<int32_t>, By>(streams);
        case LSTR: return scatter_for<Lengths<int64_t>, By>(streams);
        case ROWS: return scatter_for<RowsOf<void>, By>(streams);
        case ROWS_OF_F32: return scatter_for<RowsOf<float>, By>(streams);
        case ROWS_OF_F64: return scatter_for<RowsOf<double>, By>(streams);
        default: return {};
    }
}

inline ScatterKernels scatter_kernels(int source, bool by_hash, int streams) {
    return by_hash ? scatter_by<ByHash>(source, streams) : scatter_by<ByGroup>(source, streams);
}

}  // namespace ff
