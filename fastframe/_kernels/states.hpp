// The states of the aggregations: how one starts (`init`), takes a value (`update`), is ready to be combined (`close`,
// where it needs to), takes another state that comes after it (`combine`), and is written to and read from columns
// (`emit`, `restore`).
//
// A state is a field of its group's row in the table of states (program.hpp). How many values a group has is counted once
// for all aggregations of a pass, not in each state: `emit` is told (`n`). `n_field` is the emitted column that holds it.
// States of rows have no `restore`: row numbers mean nothing in another partition. `update` and `combine` return false
// only where an exact result needs a wider state; then the caller starts again with that one.
#pragma once
#include <cmath>
#include <limits>

#include "sources.hpp"

namespace ff {

constexpr int MOST_FIELDS = 6;

// The columns of a state, one row per group. Which field holds what is said at each operation's `emit`.
struct StateColumns {
    uint8_t* fields[MOST_FIELDS];   // in, out
    uint8_t* validity;              // in, out: of a field that can be null; null on input where none is
    int64_t bit_offset;             // in: of group 0 in `validity` and in a field of bits; 0 on output
};

// What an operation is given besides values.
struct Given {
    const uint8_t* offsets;       // in: of the plain text that `TextExtreme` compares by row number
    const uint8_t* data;          // in: its bytes
    int64_t smallest;             // in: of the column, for exact moments
    int64_t other_smallest;       // in: of the second column
};

template <typename T>
struct Identity {   // of min and max; numeric_limits does not know 128 bits with -std=c++17
    static constexpr bool wide = sizeof(T) == 16;
    static T highest() {
        if constexpr (wide) return (T)(((uint128_t)1 << 127) - 1);
        else if constexpr (std::numeric_limits<T>::has_infinity) return std::numeric_limits<T>::infinity();
        else return std::numeric_limits<T>::max();
    }
    static T lowest() {
        if constexpr (wide) return -highest() - 1;
        else if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
        else return std::numeric_limits<T>::lowest();
    }
};

// Rows. Its field is what every other state is told as `n`.
struct Count {
    struct Slot { uint64_t n; };
    typedef uint8_t value_t;
    static constexpr int n_field = 0;
    static Slot init() { return {0}; }
    static bool update(Slot& slot, uint8_t, const Given&) { ++slot.n; return true; }
    static bool combine(Slot& slot, const Slot& later, const Given&) { slot.n += later.n; return true; }
    static void emit(const StateColumns& out, int64_t group, const Slot&, int64_t n, const Given&) { store<int64_t>(out.fields[0], group, n); }
    static Slot restore(const StateColumns&, int64_t) { return {0}; }
};

// Sums of integers and floats. Fields: total (int128 for integers, else double), n (int64).
// CHECKED: a 64-bit total that may not wrap; narrower values cannot make it wrap within 2^31 rows.
template <typename T, typename Total, bool CHECKED>
struct Sum {
    struct Slot { Total total; };
    typedef T value_t;
    static constexpr int n_field = 1;
    static constexpr bool exact = !std::is_floating_point<Total>::value;
    static Slot init() { return {0}; }
    static bool add(Total& total, Total value) {
        if constexpr (CHECKED) return !__builtin_add_overflow(total, value, &total);
        total += value;
        return true;
    }
    static bool update(Slot& slot, T value, const Given&) { return add(slot.total, (Total)value); }
    static bool combine(Slot& slot, const Slot& later, const Given&) { return add(slot.total, later.total); }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        if constexpr (exact) store<int128_t>(out.fields[0], group, (int128_t)slot.total);
        else store<double>(out.fields[0], group, slot.total);
        store<int64_t>(out.fields[1], group, n);
    }
    static Slot restore(const StateColumns& in, int64_t group) {
        if constexpr (exact) return {(Total)load<int128_t>(in.fields[0], group)};
        else return {load<double>(in.fields[0], group)};
    }
};

// Sums of decimals as two sums that cannot overflow: total = high * 2^64 + low. Fields: high, low (int128), n (int64).
struct SumDecimal {
    struct Slot { int128_t high, low; };
    typedef int128_t value_t;
    static constexpr int n_field = 2;
    static Slot init() { return {0, 0}; }
    static bool update(Slot& slot, int128_t value, const Given&) {
        slot.high += value >> 64;
        slot.low += (uint64_t)value;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        slot.high += later.high;
        slot.low += later.low;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        store<int128_t>(out.fields[0], group, slot.high);
        store<int128_t>(out.fields[1], group, slot.low);
        store<int64_t>(out.fields[2], group, n);
    }
    static Slot restore(const StateColumns& in, int64_t group) {
        return {load<int128_t>(in.fields[0], group), load<int128_t>(in.fields[1], group)};
    }
};

// The same where the values' range proves that every total fits 64 bits; emits the fields of `SumDecimal`.
struct SumNarrowDecimal {
    struct Slot { int64_t total; };
    typedef int128_t value_t;
    static constexpr int n_field = 2;
    static Slot init() { return {0}; }
    static bool update(Slot& slot, int128_t value, const Given&) { slot.total += (int64_t)value; return true; }
    static bool combine(Slot& slot, const Slot& later, const Given&) { slot.total += later.total; return true; }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        store<int128_t>(out.fields[0], group, slot.total >> 63);
        store<int128_t>(out.fields[1], group, (int128_t)(uint64_t)slot.total);
        store<int64_t>(out.fields[2], group, n);
    }
};

// Products of floats. Fields: product (double), n (int64).
template <typename T>
struct ProductFloat {
    struct Slot { double product; };
    typedef T value_t;
    static constexpr int n_field = 1;
    static Slot init() { return {1.0}; }
    static bool update(Slot& slot, T value, const Given&) { slot.product *= (double)value; return true; }
    static bool combine(Slot& slot, const Slot& later, const Given&) { slot.product *= later.product; return true; }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        store<double>(out.fields[0], group, slot.product);
        store<int64_t>(out.fields[1], group, n);
    }
    static Slot restore(const StateColumns& in, int64_t group) { return {load<double>(in.fields[0], group)}; }
};

// Products of integers: the magnitude of the non-zero factors never shrinks, so "too large" is final unless there is a
// zero. Fields: magnitude (uint64), flags (uint8), n (int64).
enum ProductFlag : uint8_t { NEGATIVE = 1, HAS_ZERO = 2, TOO_LARGE = 4 };

template <typename T>
struct ProductInteger {
    struct Slot { uint64_t magnitude, flags; };
    typedef T value_t;
    static constexpr int n_field = 2;
    static Slot init() { return {1, 0}; }
    static void multiply(Slot& slot, uint64_t magnitude, uint64_t flags) {
        if (__builtin_mul_overflow(slot.magnitude, magnitude, &slot.magnitude)) {
            slot.magnitude = 1;
            flags |= TOO_LARGE;
        }
        slot.flags = ((slot.flags ^ flags) & NEGATIVE) | ((slot.flags | flags) & (HAS_ZERO | TOO_LARGE));
    }
    static bool update(Slot& slot, T value, const Given&) {
        if (value == 0) slot.flags |= HAS_ZERO;
        else multiply(slot, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0 ? NEGATIVE : 0);
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        multiply(slot, later.magnitude, later.flags);
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        store<uint64_t>(out.fields[0], group, slot.magnitude);
        store<uint8_t>(out.fields[1], group, (uint8_t)slot.flags);
        store<int64_t>(out.fields[2], group, n);
    }
    static Slot restore(const StateColumns& in, int64_t group) {
        return {load<uint64_t>(in.fields[0], group), load<uint8_t>(in.fields[1], group)};
    }
};

// Smallest or largest value; a zero is 0.0, not -0.0. Fields: value (T), null where there was none.
template <typename T, bool LARGEST, bool BITS>
struct Extreme {
    struct Slot { T value; };
    typedef T value_t;
    static constexpr int n_field = -1;
    static Slot init() { return {LARGEST ? Identity<T>::lowest() : Identity<T>::highest()}; }
    static bool update(Slot& slot, T value, const Given&) {
        if constexpr (LARGEST) slot.value = value > slot.value ? value : slot.value;
        else slot.value = value < slot.value ? value : slot.value;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) { return update(slot, later.value, Given()); }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given&) {
        T value = n > 0 ? slot.value : T(0);
        if constexpr (std::is_floating_point<T>::value) value += T(0);   // -0.0 becomes 0.0
        if constexpr (BITS) append_bit(out.fields[0], group, value != 0);
        else store<T>(out.fields[0], group, value);
        append_bit(out.validity, group, n > 0);
    }
};

// Whether any, or every, value differs from zero. Fields: truth (bits).
template <typename T, bool EVERY>
struct Truth {
    struct Slot { uint8_t truth; };
    typedef T value_t;
    static constexpr int n_field = -1;
    static Slot init() { return {EVERY}; }
    static bool update(Slot& slot, T value, const Given&) {
        const uint8_t truth = value != T(0);
        slot.truth = EVERY ? slot.truth & truth : slot.truth | truth;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        slot.truth = EVERY ? slot.truth & later.truth : slot.truth | later.truth;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given&) { append_bit(out.fields[0], group, slot.truth); }
};

// Count, mean and squared deviations. Fields: n (int64), mean (double), m2 (double).
//
// While rows come in, values are taken relative to the group's first value of the slice: no division per row, and the
// rounding error stays below n * epsilon of the variance however far from zero the data are, for the first value is
// itself one of the data. `close` turns such sums into mean and m2; the mean stays relative to the first value, so that
// the difference of two means, which `combine` needs, keeps its digits. Combination: Chan, Golub and LeVeque, "Updating
// formulae and a pairwise algorithm for computing sample variances" (1979).
template <typename T>
struct Moments {
    struct Slot {
        double shift;
        double mean;   // less shift; until closed, the sum of value - shift
        double m2;     // until closed, the sum of (value - shift)^2
        int64_t n;
    };
    typedef T value_t;
    static constexpr int n_field = 0;
    static Slot init() { return {0.0, 0.0, 0.0, 0}; }
    static bool update(Slot& slot, T number, const Given&) {
        const double value = (double)number;
        if (__builtin_expect(slot.n == 0, 0)) slot.shift = value;
        const double deviation = value - slot.shift;
        slot.mean += deviation;
        slot.m2 += deviation * deviation;
        ++slot.n;
        return true;
    }
    static void close(Slot& slot) {
        if (slot.n == 0) return;
        const double sum = slot.mean;
        slot.mean = sum / (double)slot.n;
        slot.m2 -= sum * slot.mean;
        if (slot.m2 < 0.0) slot.m2 = 0.0;   // NaN stays NaN
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        if (later.n == 0) return true;
        if (slot.n == 0) { slot = later; return true; }
        const double n = (double)slot.n, n_later = (double)later.n;
        const double delta = (later.shift - slot.shift) + (later.mean - slot.mean);
        slot.mean += delta * (n_later / (n + n_later));
        slot.m2 += later.m2 + delta * delta * (n * n_later / (n + n_later));
        slot.n += later.n;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given&) {
        store<int64_t>(out.fields[0], group, slot.n);
        store<double>(out.fields[1], group, slot.shift + slot.mean);
        store<double>(out.fields[2], group, slot.m2);
    }
    static Slot restore(const StateColumns& in, int64_t group) {
        return {load<double>(in.fields[1], group), 0.0, load<double>(in.fields[2], group), load<int64_t>(in.fields[0], group)};
    }
};

// n times the sum of products of deviations is n * sum(xy) - sum(x) * sum(y); exactly.
inline double products_of_deviations(uint64_t n, uint64_t sum_xy, uint64_t sum_x, uint64_t sum_y) {
    if (n == 0) return 0.0;
    return (double)((int128_t)((uint128_t)n * sum_xy) - (int128_t)((uint128_t)sum_x * sum_y)) / (double)n;
}

inline double mean_from(int64_t smallest, uint64_t sum, uint64_t n) { return n == 0 ? 0.0 : (double)smallest + (double)sum / (double)n; }

// The same of integers, exactly: values are taken relative to the column's smallest, and their range proves that no sum
// passes 2^64 (`engines/cpu/requests.py`).
template <typename T>
struct MomentsExact {
    struct Slot { uint64_t sum, squares; };
    typedef T value_t;
    static constexpr int n_field = 0;
    static Slot init() { return {0, 0}; }
    static bool update(Slot& slot, T value, const Given& given) {
        const uint64_t distance = (uint64_t)value - (uint64_t)given.smallest;
        slot.sum += distance;
        slot.squares += distance * distance;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        slot.sum += later.sum;
        slot.squares += later.squares;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given& given) {
        store<int64_t>(out.fields[0], group, n);
        store<double>(out.fields[1], group, mean_from(given.smallest, slot.sum, (uint64_t)n));
        store<double>(out.fields[2], group, products_of_deviations((uint64_t)n, slot.squares, slot.sum, slot.sum));
    }
};

// The first or last row with a value. Fields: row (int32, NO_ROW where there is none).
template <bool LAST>
struct Position {
    struct Slot { row_t row; };
    typedef row_t value_t;
    static constexpr int n_field = -1;
    static Slot init() { return {NO_ROW}; }
    static bool update(Slot& slot, row_t row, const Given&) {
        if constexpr (LAST) slot.row = row;
        else slot.row = slot.row < 0 ? row : slot.row;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        if (later.row >= 0 && (LAST ? later.row > slot.row : slot.row < 0 || later.row < slot.row)) slot = later;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given&) { store<row_t>(out.fields[0], group, slot.row); }
};

// The row of the smallest or largest text, bytewise; of equal ones the first. Fields: row (int32, or NO_ROW).
template <typename Offset, bool LARGEST>
struct TextExtreme {
    struct Slot { row_t row; };
    typedef row_t value_t;
    static constexpr int n_field = -1;
    static Slot init() { return {NO_ROW}; }
    static bool is_better(const Given& given, row_t row, row_t than) {
        const Offset begin = load<Offset>(given.offsets, row), end = load<Offset>(given.offsets, row + 1);
        const Offset than_begin = load<Offset>(given.offsets, than), than_end = load<Offset>(given.offsets, than + 1);
        const Offset length = end - begin, than_length = than_end - than_begin;
        const Offset common = length < than_length ? length : than_length;
        int order = common > 0 ? memcmp(given.data + begin, given.data + than_begin, (size_t)common) : 0;
        if (order == 0) order = length < than_length ? -1 : length > than_length;
        return LARGEST ? order > 0 : order < 0;
    }
    static bool update(Slot& slot, row_t row, const Given& given) {
        if (slot.row < 0 || is_better(given, row, slot.row)) slot.row = row;
        return true;
    }
    static bool combine(Slot& slot, const Slot& later, const Given& given) {
        if (later.row < 0) return true;
        const bool as_good = slot.row < 0 || !is_better(given, slot.row, later.row);
        if (as_good && (slot.row < 0 || later.row < slot.row || is_better(given, later.row, slot.row))) slot = later;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given&) { store<row_t>(out.fields[0], group, slot.row); }
};

}  // namespace ff
