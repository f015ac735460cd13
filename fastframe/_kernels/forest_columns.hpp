// Columns of a batch as forests read them: blocks of at most 64 values as floats with NaN where missing, or category codes.
#pragma once
#include <limits>

#include "kernel.hpp"

namespace ff {

constexpr int FRONT_ROWS = 64;   // rows of one block: a tile, and a word of validity

// One column of a batch, where it lies. Python fills the table of them (`Rows.addresses`); `physical` is of the batch, not
// of the model: any fixed-width type or bits are read. Columns of categories are int32 codes.
struct FrontColumn {
    View view;
    int64_t physical;
};

// Set the lanes of null rows; as fast as rows are read where few of them are null.
template <typename T>
inline void set_missing(const View& view, int64_t row, int count, T missing, T* out) {
    if (view.validity == nullptr) return;
    uint64_t null_lanes = ~bits_at(view.validity, view.bit_offset + row, count) << (64 - count) >> (64 - count);
    for (; null_lanes; null_lanes &= null_lanes - 1) out[__builtin_ctzll(null_lanes)] = missing;
}

// Fetch the rows after these, which are read when engines are done with this block: columns are too many for the hardware to follow.
inline void prefetch_after(const View& view, int64_t row, int count, int64_t width) {
    const int64_t stop = row + 2 * count < view.length ? row + 2 * count : view.length;
    for (int64_t byte = (row + count) * width; byte < stop * width; byte += 64) __builtin_prefetch(view.values + byte, 0, 2);
}

template <typename From, typename To>
inline void read_as(const View& view, int64_t row, int count, To* __restrict out) {
    const uint8_t* __restrict values = view.values + row * (int64_t)sizeof(From);
    prefetch_after(view, row, count, sizeof(From));
    for (int lane = 0; lane < count; ++lane) out[lane] = (To)load<From>(values, lane);
}

// `count` (1 to 64) values, each rounded once to `To`; NaN where null.
template <typename To>
inline void read_block(const FrontColumn& column, int64_t row, int count, To* __restrict out) {
    const View& view = column.view;
    switch (column.physical) {
        case I8: read_as<int8_t>(view, row, count, out); break;
        case I16: read_as<int16_t>(view, row, count, out); break;
        case I32: read_as<int32_t>(view, row, count, out); break;
        case I64: read_as<int64_t>(view, row, count, out); break;
        case U8: read_as<uint8_t>(view, row, count, out); break;
        case U16: read_as<uint16_t>(view, row, count, out); break;
        case U32: read_as<uint32_t>(view, row, count, out); break;
        case U64: read_as<uint64_t>(view, row, count, out); break;
        case F32: read_as<float>(view, row, count, out); break;
        case F64: read_as<double>(view, row, count, out); break;
        default: {   // BOOL
            const uint64_t bits = bits_at(view.values, view.bit_offset + row, count);
            for (int lane = 0; lane < count; ++lane) out[lane] = (To)((bits >> lane) & 1);
        }
    }
    set_missing(view, row, count, std::numeric_limits<To>::quiet_NaN(), out);
}

// Category codes: below `n_codes` as they are, any other (unseen) `n_codes`, null `n_codes + 1`.
inline void read_codes(const FrontColumn& column, int64_t row, int count, uint32_t n_codes, uint32_t* __restrict out) {
    const View& view = column.view;
    const uint8_t* __restrict values = view.values + row * (int64_t)sizeof(int32_t);
    prefetch_after(view, row, count, sizeof(int32_t));
    for (int lane = 0; lane < count; ++lane) {
        const uint32_t code = load<uint32_t>(values, lane);
        out[lane] = code < n_codes ? code : n_codes;
    }
    set_missing(view, row, count, n_codes + 1, out);
}

}  // namespace ff
