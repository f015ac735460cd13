// What every kernel header shares: physical types, column views, validity bits, status codes.
//
// A kernel is `int name(void* ctx, int64_t start, int64_t stop, int64_t slice)`: a pure loop over rows [start, stop)
// that reads and writes only memory named by its context struct. Slices start at multiples of 512 rows (except where a
// phase runs over something else than rows), so two slices never share a 64-bit word of an output bitmap.
#pragma once
#include <cstdint>
#include <cstring>

#include "drive.hpp"

namespace ff {

typedef uint32_t code_t;   // a key or group code
typedef int32_t row_t;     // a row number; a local table has at most 2^31 - 1 rows
constexpr code_t NULL_CODE = 0xFFFFFFFFu;
constexpr row_t NO_ROW = -1;
typedef __int128 int128_t;
typedef unsigned __int128 uint128_t;

// How kernels see a column's values. Keep in step with fastframe/dtypes.py::Physical.
enum Physical : int {
    I8 = 0, I16 = 1, I32 = 2, I64 = 3,
    U8 = 4, U16 = 5, U32 = 6, U64 = 7,
    F32 = 8, F64 = 9,
    BOOL = 10,    // bits
    I128 = 11,    // decimal128
    STR = 12,     // int32 offsets + bytes
    LSTR = 13,    // int64 offsets + bytes
};

// One contiguous Arrow array. `values` points at row 0 of the view for byte-wide types (no alignment is assumed); for
// BOOL it points at the buffer's start and row 0 is bit `bit_offset`. `validity` is null where no row is missing;
// otherwise row 0 is its bit `bit_offset`.
struct View {
    const uint8_t* values;
    const uint8_t* validity;
    int64_t bit_offset;
    int64_t length;
};

template <typename T>
inline T load(const uint8_t* base, int64_t row) {
    T value;
    memcpy(&value, base + row * (int64_t)sizeof(T), sizeof(T));
    return value;
}

template <typename T>
inline void store(uint8_t* base, int64_t row, T value) {
    memcpy(base + row * (int64_t)sizeof(T), &value, sizeof(T));
}

inline bool bit_at(const uint8_t* bits, int64_t bit) { return (bits[bit >> 3] >> (bit & 7)) & 1; }

// `count` (1 to 64) bits from bit `bit` on, in the low bits of the result; touches no byte that holds none of them.
inline uint64_t bits_at(const uint8_t* bits, int64_t bit, int count) {
    const uint8_t* base = bits + (bit >> 3);
    const int shift = (int)(bit & 7);
    const int n_bytes = (shift + count + 7) >> 3;   // 1 to 9
    uint64_t word = 0;
    if (n_bytes >= 8) {
        memcpy(&word, base, 8);
    } else {
        for (int byte = 0; byte < n_bytes; ++byte) word |= (uint64_t)base[byte] << (8 * byte);
    }
    word >>= shift;
    if (n_bytes == 9) word |= (uint64_t)base[8] << (64 - shift);
    return count == 64 ? word : word & (((uint64_t)1 << count) - 1);
}

// Write `count` (1 to 64) low bits of `word` at bit `bit`, which is a multiple of 8, into a bitmap of ours.
inline void store_bits(uint8_t* bits, int64_t bit, uint64_t word, int count) {
    uint8_t* base = bits + (bit >> 3);
    if (count == 64) {
        memcpy(base, &word, 8);
        return;
    }
    const int whole = count >> 3;
    for (int byte = 0; byte < whole; ++byte) base[byte] = (uint8_t)(word >> (8 * byte));
    if (count & 7) base[whole] = (uint8_t)((word >> (8 * whole)) & ((1u << (count & 7)) - 1));
}

inline bool is_valid(const View& view, int64_t row) {
    return view.validity == nullptr || bit_at(view.validity, view.bit_offset + row);
}

}  // namespace ff
