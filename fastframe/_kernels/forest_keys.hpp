// What the walk compares: unsigned keys of a block's rows, written by the front end of forests (forest_planes.hpp).
//
// Values in float32 become the integers that are in the same order; codes and classes are keys as they are. A plane is a column
// of a tile: groups of 16 rows, in which the keys of a column are a cache line; column 0 is 0, what leaves compare with.
//
// Where some nodes of a feature take missing to the left and some to the right, it has two planes, which differ only in rows
// where it is missing. The second one's column is the first one's plus `side`, a power of two above all first columns: a
// block without missing values has a tile without second columns, and the walk leaves out that bit.
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
    const int32_t* column;      // by plane
    const int32_t* partner;     // by plane: the first plane of a second one; else -1
    const uint8_t* is_class;    // by plane: whether it holds classes of categories, else values or ranks
    int64_t n_first;            // columns without second ones, with column 0
    int64_t n_all;              // columns with them
    int32_t side;               // 0: there are none
    int32_t coded;              // the front end gives codes of 16 bits, else values in float32

    int64_t group_bytes(bool sides) const { return WALK_LINE * (sides ? n_all : n_first); }
};

// One plane of at most 64 rows into the groups of a tile; the rest of the last group is 0.
template <typename Key>
inline void put_plane(int count, int64_t group_bytes, uint8_t* column, Key key) {
    for (int first = 0; first < count; first += WALK_LANES, column += group_bytes) {
        uint32_t keys[WALK_LANES];
        for (int lane = 0; lane < WALK_LANES; ++lane) keys[lane] = key(first + lane);
        for (int lane = count - first; lane < WALK_LANES; ++lane) keys[lane] = 0;
        memcpy(column, keys, sizeof(keys));
    }
}

// The key of a value that a plane's table has for a category: a class as it is, a number by its place in the order.
template <typename Key, typename T>
inline Key key_in_table(T value, bool is_class) {
    if (is_class) return (Key)value;
    if (value != value) return ~(Key)0;   // missing where it goes right; where it goes left it is -inf
    if constexpr (sizeof(Key) == 4) return key_of((float)value);
    else return key_of((double)value);
}

template <typename T>
inline bool any_missing(const T* values, int count) {
    int missing = 0;
    for (int lane = 0; lane < count; ++lane) missing |= values[lane] != values[lane];
    return missing != 0;
}

// Rows of at most one front block, of a front packed for values in float32. False where second columns are needed and
// not `sides`.
inline bool put_values(const WalkSource& source, int64_t row, int count, bool sides, uint8_t* tile) {
    const Front& front = *source.front;
    const int64_t group_bytes = source.group_bytes(sides);
    FrontBlock block;
    for (int64_t next = 0; next < front.n_inputs; ++next) {
        const FrontInput& input = front.inputs[next];
        const bool number = input.source == FRONT_NUMBER;
        if (number) input_values(front, input, source.columns, row, count, block.values);
        else input_codes(front, input, source.columns, row, count, block);
        for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane) {
            uint8_t* column = tile + WALK_LINE * source.column[plane];
            const float* values = block.values.narrow;
            if (source.partner[plane] >= 0 && !sides) {
                if (any_missing(values, count)) return false;
            } else if (number) {
                const uint32_t missing = front.planes[plane].missing_right ? MISSING_RIGHT_KEY : 0;
                put_plane(count, group_bytes, column, [=](int lane) { return values[lane] != values[lane] ? missing : key_of(values[lane]); });
            } else {
                const float* table = (const float*)front.planes[plane].table;
                for (int lane = count; lane < FRONT_ROWS; ++lane) block.codes[lane] = 0;
                const uint32_t* codes = block.codes;
                const bool is_class = source.is_class[plane] != 0;
                put_plane(count, group_bytes, column, [=](int lane) { return key_in_table<uint32_t>(table[codes[lane]], is_class); });
            }
        }
    }
    return true;
}

// The same of a front packed for codes of 16 bits; `planes` has room for 64 codes of each.
inline bool put_codes(const WalkSource& source, int64_t row, int count, bool sides, uint16_t* planes, uint8_t* tile) {
    const Front& front = *source.front;
    write_codes<uint16_t>(front, source.columns, row, count, planes, 1, FRONT_ROWS);
    for (int64_t plane = 0; plane < front.n_planes; ++plane) {
        const uint16_t* codes = planes + plane * FRONT_ROWS;
        if (source.partner[plane] >= 0 && !sides) {
            if (memcmp(codes, planes + source.partner[plane] * FRONT_ROWS, (size_t)count * 2) != 0) return false;
            continue;
        }
        uint8_t* column = tile + WALK_LINE * source.column[plane];
        put_plane(count, source.group_bytes(sides), column, [=](int lane) { return (uint32_t)codes[lane]; });
    }
    return true;
}

inline bool fill_tile(const WalkSource& source, int64_t row, int64_t n_rows, bool sides, uint16_t* planes, uint8_t* tile) {
    const int64_t group_bytes = source.group_bytes(sides);
    for (int64_t done = 0; done < n_rows; done += FRONT_ROWS, tile += FRONT_ROWS / WALK_LANES * group_bytes) {
        const int count = rows_in_block(done, n_rows);
        put_plane(count, group_bytes, tile, [](int) { return 0u; });
        const bool whole = source.coded ? put_codes(source, row + done, count, sides, planes, tile) : put_values(source, row + done, count, sides, tile);
        if (!whole) return false;
    }
    return true;
}

}  // namespace ff
