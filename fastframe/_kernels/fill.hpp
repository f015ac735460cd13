// Missing rows of a column of fixed width filled, without groups: by one value, or forward (backward) with the value of the
// last (next) row that is there, at most `limit` rows away.
//
// Forward and backward take two phases: `fill_edges` finds the last (first) present row of each slice, from its end, so that it reads next to nothing;
// the caller carries them over slices without one; `fill_rows` walks each slice from there.
#pragma once
#include "streaming.hpp"
#include "window.hpp"

namespace ff {

struct FillColumn {
    View values;            // in
    int64_t limit;          // in of rows
    uint8_t value[16];      // in of value: what missing rows become
    int64_t* edges;         // out of edges: per slice, NO_ROW where none is present; in of rows: the one before the slice
    uint8_t* out;           // out of rows, value
    uint8_t* validity;      // out of rows: bits
    int streams;            // in of value: whether `out` goes past the caches
};

template <typename Presence, bool BACK>
int fill_edges(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FillColumn& ctx = *(const FillColumn*)raw;
    ctx.edges[slice] = NO_ROW;
    const int64_t n_blocks = (stop - start + 63) / 64;
    for (int64_t step = 0; step < n_blocks; ++step) {
        const int64_t row = start + 64 * (BACK ? step : n_blocks - 1 - step);
        const uint64_t present = present_word<Presence>(ctx.values, row, block_length(row, stop));
        if (present == 0) continue;
        ctx.edges[slice] = row + (BACK ? __builtin_ctzll(present) : 63 - __builtin_clzll(present));
        break;
    }
    return OK;
}

template <typename T, typename Presence, bool BACK>
int fill_rows(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FillColumn ctx = *(const FillColumn*)raw;
    int64_t source = ctx.edges[slice];
    const int64_t n_blocks = (stop - start + 63) / 64;
    for (int64_t step = 0; step < n_blocks; ++step) {
        const int64_t row = start + 64 * (BACK ? n_blocks - 1 - step : step);
        const int count = block_length(row, stop);
        const uint64_t present = present_word<Presence>(ctx.values, row, count);
        if (present == ~(uint64_t)0) {
            memcpy(ctx.out + row * (int64_t)sizeof(T), ctx.values.values + row * (int64_t)sizeof(T), 64 * sizeof(T));
            store_bits(ctx.validity, row, present, 64);
            source = BACK ? row : row + 63;
            continue;
        }
        uint64_t valid = 0;
        for (int turn = 0; turn < count; ++turn) {
            const int lane = BACK ? count - 1 - turn : turn;
            const int64_t at = row + lane;
            source = (present >> lane) & 1 ? at : source;
            const bool near = source != NO_ROW && (BACK ? source - at : at - source) <= ctx.limit;
            const T value = load<T>(ctx.values.values, near ? source : 0);
            store<T>(ctx.out, at, near ? value : (T)0);
            valid |= (uint64_t)near << lane;
        }
        store_bits(ctx.validity, row, valid, count);
    }
    return OK;
}

template <typename T, typename Presence>
int fill_value(void* raw, int64_t start, int64_t stop, int64_t) {
    const FillColumn ctx = *(const FillColumn*)raw;
    const T fill = load<T>(ctx.value, 0);
    BlockWriter<64 * sizeof(T)> writer(ctx.streams);
    for (int64_t row = start; row < stop; row += 64) {
        const int count = block_length(row, stop);
        const uint64_t validity = ctx.values.validity ? bits_at(ctx.values.validity, ctx.values.bit_offset + row, count) : low_bits(count);
        const uint8_t* in = ctx.values.values + row * (int64_t)sizeof(T);
        uint8_t* const place = ctx.out + row * (int64_t)sizeof(T);
        uint8_t* const out = writer.target(place);
        for (int lane = 0; lane < count; ++lane) {
            if constexpr (std::is_floating_point<Presence>::value) {
                const Presence number = load<Presence>(in, lane);
                store<T>(out, lane, number == number ? load<T>(in, lane) : fill);
            } else {
                store<T>(out, lane, load<T>(in, lane));
            }
        }
        for (uint64_t missing = ~validity & low_bits(count); missing != 0; missing &= missing - 1) store<T>(out, __builtin_ctzll(missing), fill);
        writer.put(place, count * (int64_t)sizeof(T));
    }
    return OK;
}

enum FillPhase : int { FILL_EDGES = 0, FILL_ROWS = 1, FILL_VALUE = 2 };

template <typename T, typename Presence>
kernel_t fill_kernel_of(int phase, bool backward) {
    if (phase == FILL_VALUE) return fill_value<T, Presence>;
    if (phase == FILL_EDGES) return backward ? fill_edges<Presence, true> : fill_edges<Presence, false>;
    return backward ? fill_rows<T, Presence, true> : fill_rows<T, Presence, false>;
}

// By the type that says what is missing (floats), else by width.
inline kernel_t fill_kernel(int physical, int64_t width, int phase, bool backward) {
    if (physical == F32) return fill_kernel_of<uint32_t, float>(phase, backward);
    if (physical == F64) return fill_kernel_of<uint64_t, double>(phase, backward);
    switch (width) {
        case 1: return fill_kernel_of<uint8_t, uint8_t>(phase, backward);
        case 2: return fill_kernel_of<uint16_t, uint8_t>(phase, backward);
        case 4: return fill_kernel_of<uint32_t, uint8_t>(phase, backward);
        case 8: return fill_kernel_of<uint64_t, uint8_t>(phase, backward);
        case 16: return fill_kernel_of<uint128_t, uint8_t>(phase, backward);
        default: return nullptr;
    }
}

}  // namespace ff
