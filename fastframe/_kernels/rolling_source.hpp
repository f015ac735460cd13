// Values as rolling windows read them: doubles with NaN where missing, or 64-bit integers with a byte each that says whether
// it is there. A slice reads its positions and those that its windows reach once, into cache; a column that is so already
// is read where it is.
#pragma once
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#include "window_bounds.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define FF_WINDOWS_WIDE __attribute__((target("avx2")))
#define FF_WINDOWS_HAS_WIDE 1
#else
#define FF_WINDOWS_WIDE
#define FF_WINDOWS_HAS_WIDE 0
#endif
#define FF_INLINE inline __attribute__((always_inline))

namespace ff {

struct Reading {
    View view;               // in
    int32_t physical;        // in
    const int32_t* rows;     // in: the row of each position; null: the same
};

constexpr int64_t READ_AHEAD = 16;

template <typename T, typename V>
inline V widened(const View& view, int64_t row) {
    if constexpr (std::is_same<T, bool>::value) return (V)bit_at(view.values, view.bit_offset + row);
    else if constexpr (std::is_same<T, void>::value) return V(0);
    else return (V)load<T>(view.values, row);
}

template <typename T>
inline void prefetch_value(const View& view, int64_t row) {
    if constexpr (!std::is_same<T, void>::value && !std::is_same<T, bool>::value) __builtin_prefetch(view.values + row * (int64_t)sizeof(T));
}

// What stands for a value that is missing.
template <typename V>
inline void put_missing(V* out, uint8_t* present, int64_t at) {
    if constexpr (std::is_same<V, double>::value) {
        out[at] = __builtin_nan("");
    } else {
        out[at] = 0;
        present[at] = 0;
    }
}

// Positions [low, high), which are rows, into `out`, and into `present` where values are integers; whether one is null.
template <typename T, typename V>
inline bool read_rows(const View& view, int64_t low, int64_t high, V* out, uint8_t* present) {
    for (int64_t row = low; row < high; ++row) out[row - low] = widened<T, V>(view, row);
    if (!std::is_same<V, double>::value) memset(present, 1, (size_t)(high - low));
    bool missing = false;
    for (int64_t row = low; view.validity != nullptr && row < high; row += 64) {
        const int count = (int)(high - row < 64 ? high - row : 64);
        uint64_t nulls = ~bits_at(view.validity, view.bit_offset + row, count);
        if (count < 64) nulls &= ((uint64_t)1 << count) - 1;
        missing |= nulls != 0;
        for (; nulls != 0; nulls &= nulls - 1) put_missing(out, present, row - low + __builtin_ctzll(nulls));
    }
    return missing;
}

template <typename T, typename V>
inline bool read_gathered(const Reading& from, int64_t low, int64_t high, V* out, uint8_t* present) {
    const View& view = from.view;
    if (!std::is_same<V, double>::value) memset(present, 1, (size_t)(high - low));
    for (int64_t position = low; position < high; ++position) {
        if (position + READ_AHEAD < high) prefetch_value<T>(view, from.rows[position + READ_AHEAD]);
        out[position - low] = widened<T, V>(view, from.rows[position]);
    }
    bool missing = false;
    for (int64_t position = low; view.validity != nullptr && position < high; ++position) {
        if (bit_at(view.validity, view.bit_offset + from.rows[position])) continue;
        put_missing(out, present, position - low);
        missing = true;
    }
    return missing;
}

template <typename T, typename V>
inline bool read_values(const Reading& from, int64_t low, int64_t high, V* out, uint8_t* present) {
    return from.rows == nullptr ? read_rows<T, V>(from.view, low, high, out, present) : read_gathered<T, V>(from, low, high, out, present);
}

template <typename V>
inline bool read_physical(const Reading& from, int64_t low, int64_t high, V* out, uint8_t* present) {
    switch (from.physical) {
        case I8: return read_values<int8_t, V>(from, low, high, out, present);
        case I16: return read_values<int16_t, V>(from, low, high, out, present);
        case I32: return read_values<int32_t, V>(from, low, high, out, present);
        case I64: return read_values<int64_t, V>(from, low, high, out, present);
        case U8: return read_values<uint8_t, V>(from, low, high, out, present);
        case U16: return read_values<uint16_t, V>(from, low, high, out, present);
        case U32: return read_values<uint32_t, V>(from, low, high, out, present);
        case U64: return read_values<uint64_t, V>(from, low, high, out, present);
        case F32: return read_values<float, V>(from, low, high, out, present);
        case F64: return read_values<double, V>(from, low, high, out, present);
        case BOOL: return read_values<bool, V>(from, low, high, out, present);
    }
    return read_values<void, V>(from, low, high, out, present);   // of other types nothing but presence
}

// What there is among doubles.
struct Magnitudes {
    double most = 0.0;                                        // infinite where one is
    double least = std::numeric_limits<double>::infinity();   // but 0
    bool any_missing = false;
};

// Magnitudes are in the order of their bits.
FF_INLINE Magnitudes surveyed(const double* values, int64_t count) {
    const int64_t infinite = (int64_t)0x7ff << 52;
    int64_t most = 0, least = infinite, missing = 0;
    for (int64_t at = 0; at < count; ++at) {
        const int64_t bits = load<int64_t>((const uint8_t*)values, at) & INT64_MAX;
        const int64_t is_missing = -(int64_t)(bits > infinite);
        const int64_t known = bits & ~is_missing, above_zero = known == 0 ? infinite : known;
        missing |= is_missing;
        most = known > most ? known : most;
        least = above_zero < least ? above_zero : least;
    }
    Magnitudes out;
    memcpy(&out.most, &most, 8);
    memcpy(&out.least, &least, 8);
    out.any_missing = missing != 0;
    return out;
}

inline Magnitudes survey_baseline(const double* values, int64_t count) { return surveyed(values, count); }
#if FF_WINDOWS_HAS_WIDE
FF_WINDOWS_WIDE inline Magnitudes survey_wide(const double* values, int64_t count) { return surveyed(values, count); }
#endif

inline Magnitudes survey(const double* values, int64_t count) {
#if FF_WINDOWS_HAS_WIDE
    if (__builtin_cpu_supports("avx2")) return survey_wide(values, count);
#endif
    return survey_baseline(values, count);
}

template <typename V>
inline bool is_held(const Reading& from) {   // column memory that is as it would be read
    const bool same = std::is_same<V, double>::value ? from.physical == F64 : from.physical == I64 || from.physical == U64;
    return same && from.view.validity == nullptr && from.rows == nullptr && (uintptr_t)from.view.values % 8 == 0;
}

// What one column gives; `value_t` is double or int64_t.
template <typename V>
struct Source {
    typedef V value_t;
    const V* values = nullptr;        // of position `low`
    const uint8_t* present = nullptr;
    int64_t low = 0;
    bool any_missing = false;
    Magnitudes magnitudes;            // of doubles
    std::unique_ptr<V[]> own;
    std::unique_ptr<uint8_t[]> own_present;
    std::unique_ptr<int32_t[]> counts;   // of `count_up`: values that are there before each position

    bool read(const Reading& from, const View&, int, int64_t first, int64_t high) {
        low = first;
        const size_t count = (size_t)(high - first);
        if (is_held<V>(from)) {
            values = (const V*)from.view.values + first;
            if constexpr (std::is_same<V, double>::value) look((int64_t)count);
            return true;
        }
        own.reset(new (std::nothrow) V[count + 1]);
        if (!std::is_same<V, double>::value) own_present.reset(new (std::nothrow) uint8_t[count + 1]);
        if (own == nullptr || (!std::is_same<V, double>::value && own_present == nullptr)) return false;
        any_missing = read_physical<V>(from, first, high, own.get(), own_present.get());
        values = own.get(), present = own_present.get();
        if constexpr (std::is_same<V, double>::value) look((int64_t)count);
        return true;
    }
    void look(int64_t count) {
        magnitudes = survey(values, count);
        any_missing = magnitudes.any_missing;
    }
    bool count_up(int64_t high) {
        counts.reset(new (std::nothrow) int32_t[(size_t)(high - low) + 1]);
        if (counts == nullptr) return false;
        int32_t count = 0;
        for (int64_t position = low; position < high; ++position) {
            counts[(size_t)(position - low)] = count;
            count += has(position);
        }
        counts[(size_t)(high - low)] = count;
        return true;
    }
    inline V at(int64_t position) const { return values[position - low]; }
    inline bool has(int64_t position) const {
        if constexpr (std::is_same<V, double>::value) return at(position) == at(position);
        else return present == nullptr || present[position - low];
    }
};

struct Pair {
    double x, y;
};

// Two columns; a position is there where both are.
template <>
struct Source<Pair> {
    typedef Pair value_t;
    Source<double> first, second;
    bool any_missing = false;

    bool read(const Reading& from, const View& other, int physical, int64_t low, int64_t high) {
        const View nothing = {};
        if (!first.read(from, nothing, 0, low, high) || !second.read({other, physical, from.rows}, nothing, 0, low, high)) return false;
        any_missing = first.any_missing || second.any_missing;
        return true;
    }
    inline Pair at(int64_t position) const { return {first.at(position), second.at(position)}; }
    inline bool has(int64_t position) const { return first.has(position) && second.has(position); }
};

// ---- results --------------------------------------------------------------------------------------------------------

template <typename T, typename R>
inline void narrow_to(const R* wide, uint8_t* out, int64_t start, int64_t stop) {
    for (int64_t row = start; row < stop; ++row) store<T>(out, row, (T)wide[row - start]);
}

inline void pack_bits(const uint8_t* bytes, uint8_t* bits, int64_t start, int64_t stop) {   // bytes are 0 or 1; 8 more may be read
    for (int64_t row = start; row < stop; row += 8) {
        uint64_t word;
        memcpy(&word, bytes + (row - start), 8);
        const int count = (int)(stop - row < 8 ? stop - row : 8);
        if (count < 8) word &= ((uint64_t)1 << (8 * count)) - 1;
        bits[row >> 3] = (uint8_t)((word * 0x0102040810204080ull) >> 56);
    }
}

template <typename R>
inline void narrow(int physical, const R* wide, uint8_t* out, int64_t start, int64_t stop) {
    switch (physical) {
        case I8: return narrow_to<int8_t>(wide, out, start, stop);
        case I16: return narrow_to<int16_t>(wide, out, start, stop);
        case I32: return narrow_to<int32_t>(wide, out, start, stop);
        case U8: return narrow_to<uint8_t>(wide, out, start, stop);
        case U16: return narrow_to<uint16_t>(wide, out, start, stop);
        case U32: return narrow_to<uint32_t>(wide, out, start, stop);
        case F32: return narrow_to<float>(wide, out, start, stop);
        case BOOL:
            for (int64_t row = start; row < stop; row += 8) {
                uint8_t byte = 0;
                for (int64_t lane = 0; lane < 8 && row + lane < stop; ++lane) byte |= (uint8_t)((wide[row + lane - start] != 0) << lane);
                out[row >> 3] = byte;
            }
    }
}

}  // namespace ff
