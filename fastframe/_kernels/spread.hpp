// The values of groups at each row: what a transform gives from an aggregate.
#pragma once
#include "kernel.hpp"
#include "streaming.hpp"

namespace ff {

struct Spread {
    const uint8_t* codes;      // in: all bits set, or any number from n_groups on, where a row is in no group
    int64_t n_groups;          // in
    uint32_t base;             // in: what code 0 is in `codes`
    const uint8_t* values;     // in: of the groups
    const uint8_t* validity;   // in: of the groups, from bit 0; null where none is missing
    int64_t streams;           // in: whether the values are more than the caches hold
    uint8_t* out_values;       // out; aligned to a cache line
    uint8_t* out_validity;     // out
};

constexpr int SPREAD_ROWS = 64;   // a word of validity

// A block in which some row may be missing.
template <typename T, typename Code>
inline uint64_t spread_with_missing(const Spread& ctx, int64_t row, int count) {
    uint64_t valid = 0;
    for (int lane = 0; lane < count; ++lane) {
        const int64_t code = (int64_t)(uint32_t)(load<Code>(ctx.codes, row + lane) - ctx.base);
        const bool kept = code < ctx.n_groups && (ctx.validity == nullptr || bit_at(ctx.validity, code));
        store<T>(ctx.out_values, row + lane, kept ? load<T>(ctx.values, code) : T(0));
        valid |= (uint64_t)kept << lane;
    }
    return valid;
}

template <typename T, typename Code>
int spread_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const Spread& ctx = *(const Spread*)raw;
    const uint32_t n_groups = (uint32_t)ctx.n_groups, base = ctx.base;
    alignas(LINE) uint8_t block[SPREAD_ROWS * sizeof(T)];
    for (int64_t row = start; row < stop; row += SPREAD_ROWS) {
        const int count = (int)(stop - row < SPREAD_ROWS ? stop - row : SPREAD_ROWS);
        uint32_t outside = ctx.validity != nullptr;
        for (int lane = 0; lane < count; ++lane) outside |= load<Code>(ctx.codes, row + lane) - base >= n_groups;
        uint64_t valid = ~(uint64_t)0;
        if (outside) {
            valid = spread_with_missing<T, Code>(ctx, row, count);
        } else {
            const bool streams = ctx.streams && count == SPREAD_ROWS;
            const int64_t n_rows = count;
            uint8_t* out = streams ? block : ctx.out_values + row * (int64_t)sizeof(T);
            for (int64_t lane = 0; lane < n_rows; ++lane) store<T>(out, lane, load<T>(ctx.values, (uint32_t)(load<Code>(ctx.codes, row + lane) - base)));
            if (streams) stream_lines(ctx.out_values + row * (int64_t)sizeof(T), block, (int64_t)sizeof(block) / LINE);
        }
        store_bits(ctx.out_validity, row, valid, count);
    }
    end_stream();
    return OK;
}

template <typename T>
inline kernel_t spread_by_code(int code_bytes) {
    return code_bytes == 1 ? spread_values<T, uint8_t> : code_bytes == 2 ? spread_values<T, uint16_t> : spread_values<T, uint32_t>;
}

// Null where values are not of a whole number of bytes.
inline kernel_t spread_kernel(int value_bytes, int code_bytes) {
    switch (value_bytes) {
        case 1: return spread_by_code<uint8_t>(code_bytes);
        case 2: return spread_by_code<uint16_t>(code_bytes);
        case 4: return spread_by_code<uint32_t>(code_bytes);
        case 8: return spread_by_code<uint64_t>(code_bytes);
        case 16: return spread_by_code<uint128_t>(code_bytes);
        default: return nullptr;
    }
}

}  // namespace ff
