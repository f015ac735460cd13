// Where an aggregation reads its rows: what one row's value is, whether it is missing, and which group it goes to.
//
// A block of rows is first turned into targets (group codes with the rows that are left out sent to spare slots), so
// that the loop that follows has no branch on nulls, NaN or dropped keys, and can prefetch what it will write.
#pragma once
#include <type_traits>

#include "kernel.hpp"

namespace ff {

constexpr int BLOCK_ROWS = 64;    // rows whose targets are computed together: one word of validity
constexpr int SPARE_SLOTS = 16;   // rows left out are spread over these, so that they do not wait for each other

// Values of a byte-wide type.
template <typename T>
struct Values {
    typedef T value_t;
    static constexpr bool has_nan = std::is_floating_point<T>::value;
    static T at(const View& view, int64_t row) { return load<T>(view.values, row); }
    static bool is_nan(const View& view, int64_t row) {
        const T value = load<T>(view.values, row);
        return value != value;
    }
};

// Bools, as 0 and 1.
struct Bits {
    typedef uint8_t value_t;
    static constexpr bool has_nan = false;
    static uint8_t at(const View& view, int64_t row) { return bit_at(view.values, view.bit_offset + row); }
    static bool is_nan(const View&, int64_t) { return false; }
};

// Byte lengths of plain text; `values` points at its offsets.
template <typename Offset>
struct Lengths {
    typedef int64_t value_t;
    static constexpr bool has_nan = false;
    static int64_t at(const View& view, int64_t row) {
        return (int64_t)load<Offset>(view.values, row + 1) - (int64_t)load<Offset>(view.values, row);
    }
    static bool is_nan(const View&, int64_t) { return false; }
};

// Row numbers of rows that hold a value. T is float or double where NaN counts as missing, else any other type.
template <typename T>
struct RowsOf {
    typedef row_t value_t;
    static constexpr bool has_nan = std::is_floating_point<T>::value;
    static row_t at(const View&, int64_t row) { return (row_t)row; }
    static bool is_nan(const View& view, int64_t row) {
        const T value = load<T>(view.values, row);
        return value != value;
    }
};

// Rows of which only the number matters.
struct EveryRow {
    typedef uint8_t value_t;
    static uint8_t at(const View&, int64_t) { return 0; }
};

// Bitmap of groups, written in ascending order from a multiple of 8 on.
inline void append_bit(uint8_t* bits, int64_t bit, bool value) {
    if ((bit & 7) == 0) bits[bit >> 3] = 0;
    bits[bit >> 3] |= (uint8_t)((unsigned)value << (bit & 7));
}

}  // namespace ff
