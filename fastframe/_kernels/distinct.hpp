// Distinct values per group: (group, value) pairs were scattered by their hash (scatter.hpp, ByHash), so equal pairs
// are in one partition; each partition fills its own open-addressing table and adds what is new to the group's count.
// Integer additions commute: the counts do not depend on which thread adds first.
#pragma once
#include <new>

#include "scatter.hpp"

namespace ff {

struct Distinct {
    const uint8_t* values;    // in: in partition order
    const uint8_t* codes;     // in
    const int32_t* starts;    // in: first value of each partition
    int64_t* counts;          // out: distinct values of each group, added to what is there
};

// Over partitions.
template <typename T>
int count_distinct(void* raw, int64_t start, int64_t stop, int64_t) {
    const Distinct& ctx = *(const Distinct*)raw;
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t begin = ctx.starts[partition], end = ctx.starts[partition + 1];
        uint64_t capacity = 16;
        while (capacity < 2 * (uint64_t)(end - begin)) capacity *= 2;
        int32_t* table = new (std::nothrow) int32_t[capacity]();   // place + 1 of a pair; 0 is empty
        if (table == nullptr) return OUT_OF_MEMORY;
        for (int64_t place = begin; place < end; ++place) {
            const T value = load<T>(ctx.values, place);
            const code_t code = load<code_t>(ctx.codes, place);
            uint64_t slot = hash_value(code, value) & (capacity - 1);   // low bits; the partition took the high ones
            while (table[slot] != 0) {
                const int64_t other = begin + table[slot] - 1;
                if (load<code_t>(ctx.codes, other) == code && load<T>(ctx.values, other) == value) break;
                slot = (slot + 1) & (capacity - 1);
            }
            if (table[slot] != 0) continue;
            table[slot] = (int32_t)(place - begin + 1);
            __atomic_fetch_add(&ctx.counts[code], 1, __ATOMIC_RELAXED);
        }
        delete[] table;
    }
    return OK;
}

// Of values of `physical` (bools as uint8).
inline kernel_t distinct_kernel(int physical) {
    switch (physical) {
        case I8: return count_distinct<int8_t>;
        case I16: return count_distinct<int16_t>;
        case I32: return count_distinct<int32_t>;
        case I64: return count_distinct<int64_t>;
        case U8: case BOOL: return count_distinct<uint8_t>;
        case U16: return count_distinct<uint16_t>;
        case U32: return count_distinct<uint32_t>;
        case U64: return count_distinct<uint64_t>;
        case F32: return count_distinct<float>;
        case F64: return count_distinct<double>;
        case I128: return count_distinct<int128_t>;
        default: return nullptr;
    }
}

}  // namespace ff
