// What the walk compares: unsigned keys of a block's rows, written by the front end of forests (forest_planes.hpp).
//
// Values in float32 become the integers that are in the same order; codes and classes are keys as they are. Plane p is column
// p + 1 of a tile: groups of 16 rows, in which the keys of a column are a cache line; column 0 is 0, what leaves compare with.
#pragma once
#include "forest_planes.hpp"

namespace ff {

constexpr int WALK_LANES = 16;
constexpr int64_t WALK_LINE = 4 * WALK_LANES;   // bytes of a column of a group
constexpr uint32_t MISSING_RIGHT_KEY = 0xFFFFFFFFu;   // above all thresholds; where missing goes left, its key is 0

// Keys in the order of the values; 0 and -0 are one, NaN has none.
inline uint32_t key_of(float value) {
    const float positive_zero = value + 0.0f;
    int32_t bits;
    memcpy(&bits, &positive_zero, 4);
    return (uint32_t)bits ^ ((uint32_t)(bits >> 31) | 0x80000000u);
}
inline uint64_t key_of(double value) {
    const double positive_zero = value + 0.0;
    int64_t bits;
    memcpy(&bits, &positive_zero, 8);
    return (uint64_t)bits ^ ((uint64_t)(bits >> 63) | 0x8000000000000000u);
}

struct WalkSource {
    const Front* front;
    const FrontColumn* columns;
};

// One plane of at most 64 rows into the groups of a tile; the rest of the last group is 0.
template <typename Key>
inline void put_plane(int count, int64_t group_bytes, uint8_t* column, Key key) {
    for (int first = 0; first < count; first += WALK_LANES, column += group_bytes) {
        uint32_t keys[WALK_LANES];
        for (int lane = 0; lane < WALK_LANES; ++lane) keys[lane] = key(first + lane);
        if (count - first < WALK_LANES) {
            for (int lane = count - first; lane < WALK_LANES; ++lane) keys[lane] = 0;
        }
        memcpy(column, keys, sizeof(keys));
    }
}

// `n_rows` rows from `row` on, of a front packed for values in float32.
inline void fill_from_values(const WalkSource& source, int64_t row, int64_t n_rows, int64_t group_bytes, uint8_t* tile) {
    const Front& front = *source.front;
    FrontBlock block;
    for (int64_t done = 0; done < n_rows; done += FRONT_ROWS, tile += FRONT_ROWS / WALK_LANES * group_bytes) {
        const int count = rows_in_block(done, n_rows);
        put_plane(count, group_bytes, tile, [](int) { return 0u; });
        for (int64_t next = 0; next < front.n_inputs; ++next) {
            const FrontInput& input = front.inputs[next];
            const bool number = input.source == FRONT_NUMBER;
            if (number) input_values(front, input, source.columns, row + done, count, block.values);
            else input_codes(front, input, source.columns, row + done, count, block);
            for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane) {
                uint8_t* column = tile + WALK_LINE * (plane + 1);
                if (number) {
                    const uint32_t missing = front.planes[plane].missing_right ? MISSING_RIGHT_KEY : 0;
                    const float* values = block.values.narrow;
                    put_plane(count, group_bytes, column, [=](int lane) { return values[lane] != values[lane] ? missing : key_of(values[lane]); });
                } else {
                    const float* table = (const float*)front.planes[plane].table;
                    for (int lane = count; lane < FRONT_ROWS; ++lane) block.codes[lane] = 0;
                    const uint32_t* codes = block.codes;
                    put_plane(count, group_bytes, column, [=](int lane) { return (uint32_t)table[codes[lane]]; });
                }
            }
        }
    }
}

// The same of a front packed for codes of 16 bits; `planes` has room for 64 codes of each.
inline void fill_from_codes(const WalkSource& source, int64_t row, int64_t n_rows, int64_t group_bytes, uint16_t* planes, uint8_t* tile) {
    const Front& front = *source.front;
    for (int64_t done = 0; done < n_rows; done += FRONT_ROWS, tile += FRONT_ROWS / WALK_LANES * group_bytes) {
        const int count = rows_in_block(done, n_rows);
        put_plane(count, group_bytes, tile, [](int) { return 0u; });
        write_codes<uint16_t>(front, source.columns, row + done, count, planes, 1, FRONT_ROWS);
        for (int64_t plane = 0; plane < front.n_planes; ++plane) {
            const uint16_t* codes = planes + plane * FRONT_ROWS;
            put_plane(count, group_bytes, tile + WALK_LINE * (plane + 1), [=](int lane) { return (uint32_t)codes[lane]; });
        }
    }
}

}  // namespace ff
