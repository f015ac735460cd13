// Distinct values per group where there are few (group, value) pairs, however wide the range of the values: each slice keeps
// the pairs it meets in a small table, and what the slices kept is counted together. Nothing is scattered, so it takes one
// pass over the rows. A slice with more pairs than MOST_KEPT_PAIRS gives up as soon as it sees that, after few rows where
// pairs are many, and the caller goes the way of distinct.hpp.
#pragma once
#include <memory>
#include <new>

#include "distinct.hpp"

namespace ff {

constexpr int64_t MOST_KEPT_PAIRS = 1 << 12;   // of one slice; a table of four slots each is a fraction of a second-level cache

struct FewPairs {
    View view;           // in
    GroupCodes codes;    // in
    uint8_t* values;     // out of keeping: MOST_KEPT_PAIRS values of each slice, of which the first `kept` are set
    uint8_t* own_codes;  // out of keeping: as many codes
    int64_t* kept;       // out of keeping: pairs of each slice
    int64_t n_slices;    // in
    int64_t* counts;     // out of counting: distinct values of each group, added to what is there
};

// Over rows; OVERFLOW_ where a slice has too many pairs.
template <class Source>
int keep_pairs(void* raw, int64_t start, int64_t stop, int64_t slice) {
    typedef typename Source::value_t T;
    const FewPairs& ctx = *(const FewPairs*)raw;
    int bits = 4;
    while (((int64_t)1 << bits) < 4 * std::min(stop - start, MOST_KEPT_PAIRS)) ++bits;
    const uint32_t slots = (uint32_t)1 << bits;
    const std::unique_ptr<T[]> value(new (std::nothrow) T[slots]);
    const std::unique_ptr<code_t[]> owner(new (std::nothrow) code_t[slots]);   // NULL_CODE: the slot is free
    if (value == nullptr || owner == nullptr) return OUT_OF_MEMORY;
    std::fill(owner.get(), owner.get() + slots, NULL_CODE);
    Scatter rows{};   // slots are partitions of the hash; rows that are left out go to slot `slots`
    rows.view = ctx.view;
    rows.codes = ctx.codes;
    rows.n_partitions = slots;
    rows.shift = 64 - bits;
    rows.skips_nan = true;
    T* out_values = (T*)ctx.values + slice * MOST_KEPT_PAIRS;
    code_t* out_codes = (code_t*)ctx.own_codes + slice * MOST_KEPT_PAIRS;
    int64_t kept = 0;
    code_t code[CODE_BLOCK];
    uint32_t first[CODE_BLOCK];
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        fill_partitions<Source, ByHash>(rows, row, count, code, first);
        for (int lane = 0; lane < count; ++lane) {
            if (first[lane] == slots) continue;
            const T own = Source::at(ctx.view, row + lane);
            uint32_t slot = first[lane];
            while (owner[slot] != NULL_CODE && !(value[slot] == own && owner[slot] == code[lane])) slot = (slot + 1) & (slots - 1);
            if (owner[slot] != NULL_CODE) continue;
            if (kept == MOST_KEPT_PAIRS) return OVERFLOW_;
            value[slot] = out_values[kept] = own;
            owner[slot] = out_codes[kept] = code[lane];
            ++kept;
        }
    }
    ctx.kept[slice] = kept;
    return OK;
}

// One call.
template <class Source>
int count_kept(void* raw, int64_t, int64_t, int64_t) {
    typedef typename Source::value_t T;
    const FewPairs& ctx = *(const FewPairs*)raw;
    PairTable<T> table(ctx.values, ctx.own_codes);
    if (!table.start(MOST_EXPECTED)) return OUT_OF_MEMORY;
    for (int64_t slice = 0; slice < ctx.n_slices; ++slice) {
        const int64_t begin = slice * MOST_KEPT_PAIRS;
        for (int64_t place = begin; place < begin + ctx.kept[slice]; ++place) {
            const int added = table.add(place);
            if (added < 0) return OUT_OF_MEMORY;
            if (added > 0) ++ctx.counts[load<code_t>(ctx.own_codes, place)];
        }
    }
    return OK;
}

struct FewPairsKernels {
    kernel_t keep, count;
};

template <class Source>
inline FewPairsKernels few_pairs_of() {
    return {keep_pairs<Source>, count_kept<Source>};
}

// Of a column of `physical`; nulls where there are none.
inline FewPairsKernels few_pairs_kernels(int physical) {
    switch (physical) {
        case I8: return few_pairs_of<Values<int8_t>>();
        case I16: return few_pairs_of<Values<int16_t>>();
        case I32: return few_pairs_of<Values<int32_t>>();
        case I64: return few_pairs_of<Values<int64_t>>();
        case U8: return few_pairs_of<Values<uint8_t>>();
        case U16: return few_pairs_of<Values<uint16_t>>();
        case U32: return few_pairs_of<Values<uint32_t>>();
        case U64: return few_pairs_of<Values<uint64_t>>();
        case F32: return few_pairs_of<Values<float>>();
        case F64: return few_pairs_of<Values<double>>();
        case I128: return few_pairs_of<Values<int128_t>>();
        case BOOL: return few_pairs_of<Bits>();
        default: return {nullptr, nullptr};
    }
}

}  // namespace ff
