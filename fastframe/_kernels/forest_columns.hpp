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

inline uint64_t valid_bits(const View& view, int64_t row, int count) {
    const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
    return view.validity == nullptr ? all : bits_at(view.validity, view.bit_offset + row, count);
}

template <typename From, typename To>
inline void read_as(const View& view, int64_t row, int count, To* __restrict out) {
    const uint8_t* __restrict values = view.values + row * (int64_t)sizeof(From);
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
    if (view.validity == nullptr) return;
    const uint64_t valid = bits_at(view.validity, view.bit_offset + row, count);
    if (~valid << (64 - count) == 0) return;
    for (int lane = 0; lane < count; ++lane) {
        if (!((valid >> lane) & 1)) out[lane] = std::numeric_limits<To>::quiet_NaN();
    }
}

// Category codes: below `n_codes` as they are, any other (unseen) `n_codes`, null `n_codes + 1`.
inline void read_codes(const FrontColumn& column, int64_t row, int count, uint32_t n_codes, uint32_t* __restrict out) {
    const View& view = column.view;
    const uint8_t* __restrict values = view.values + row * (int64_t)sizeof(int32_t);
    for (int lane = 0; lane < count; ++lane) {
        const uint32_t code = load<uint32_t>(values, lane);
        out[lane] = code < n_codes ? code : n_codes;
    }
    if (view.validity == nullptr) return;
    const uint64_t valid = bits_at(view.validity, view.bit_offset + row, count);
    if (~valid << (64 - count) == 0) return;
    for (int lane = 0; lane < count; ++lane) {
        if (!((valid >> lane) & 1)) out[lane] = n_codes + 1;
    }
}

}  // namespace ff
