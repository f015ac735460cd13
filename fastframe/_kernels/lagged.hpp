// Walks that carry a value: shifts by one row, differences to the row before, and fills, by group.
//
// The value itself is in the group's state, so one pass gives the result; a map of source rows (LAG and FILL of
// cumulative.hpp) would be written, read, and followed to values far away. Only for the carry plan: which results are valid
// is gathered in bits of a block.
#pragma once
#include "cumulative.hpp"

namespace ff {

enum Held : uint8_t { NOTHING = 0, MISSING_VALUE = 1, VALUE = 2 };

template <typename T>
struct Carried {
    T value;
    row_t n_missing;   // rows since the value; fills only
    Held held;
};

// What these Ops share: the row's value is the next row's carried one.
template <typename T, bool BACK>
struct CarriesValue : RowOp {
    typedef Carried<T> state_t;
    static constexpr bool BACKWARD = BACK;
    static constexpr bool HAS_VALIDITY = true;
    uint64_t valid = 0;
    using RowOp::RowOp;
    static state_t identity() { return {T(), 0, NOTHING}; }
    static state_t merge(const state_t& left, const state_t& right) { return right.held == NOTHING ? left : right; }
    void fold(state_t& state, int64_t row, bool is_there) const {
        state.value = load<T>(walk.values.values, row);
        state.held = is_there ? VALUE : MISSING_VALUE;
    }
    void mark(int64_t row, bool is_valid) { valid |= (uint64_t)is_valid << (row & 63); }
    uint64_t valid_word(uint64_t) const { return valid; }
    void end_block(int64_t, int) { valid = 0; }
};

// T is a type of the value's width: a shift looks at no value.
template <typename T, bool BACK>
struct Shifted : CarriesValue<T, BACK> {
    using CarriesValue<T, BACK>::CarriesValue;
    uint64_t present(int64_t row, int count) const { return present_word<uint8_t>(this->walk.values, row, count); }
    bool present_at(int64_t row) const { return is_valid(this->walk.values, row); }
    bool step(Carried<T>& state, int64_t row, bool is_there) {
        const T edge = load<T>(this->walk.fill, 0);
        store<T>(this->walk.out, row, state.held == VALUE ? state.value : state.held == NOTHING ? edge : T());
        this->mark(row, state.held == VALUE || (state.held == NOTHING && this->walk.fill_valid));
        this->fold(state, row, is_there);
        return false;
    }
    void skip(int64_t row) { store<T>(this->walk.out, row, T()); }
};

template <typename T, typename Rule, bool BACK>
struct Changed : CarriesValue<T, BACK> {
    using CarriesValue<T, BACK>::CarriesValue;
    uint64_t present(int64_t row, int count) const { return present_word<T>(this->walk.values, row, count); }
    bool present_at(int64_t row) const { return is_present<T>(this->walk.values, row); }
    bool step(Carried<T>& state, int64_t row, bool is_there) {
        typename Rule::out_t result = 0;
        const bool both = is_there && state.held == VALUE;
        const bool overflow = both && Rule::step(load<T>(this->walk.values.values, row), state.value, &result);
        store<typename Rule::out_t>(this->walk.out, row, result);
        this->mark(row, both);
        this->fold(state, row, is_there);
        return overflow;
    }
    void skip(int64_t row) { store<typename Rule::out_t>(this->walk.out, row, 0); }
};

template <typename T, bool BACK>
struct Filled : CarriesValue<T, BACK> {
    typedef Carried<T> state_t;
    using CarriesValue<T, BACK>::CarriesValue;
    static state_t merge(const state_t& left, const state_t& right) {
        if (right.held == VALUE) return right;
        return {left.value, left.n_missing + right.n_missing, left.held};
    }
    uint64_t present(int64_t row, int count) const { return present_word<T>(this->walk.values, row, count); }
    bool present_at(int64_t row) const { return is_present<T>(this->walk.values, row); }
    void fold(state_t& state, int64_t row, bool is_there) const {
        if (is_there) state = {load<T>(this->walk.values.values, row), 0, VALUE};
        else ++state.n_missing;
    }
    bool step(state_t& state, int64_t row, bool is_there) {
        fold(state, row, is_there);
        const bool found = state.held == VALUE && state.n_missing <= this->walk.limit;
        store<T>(this->walk.out, row, found ? state.value : T());
        this->mark(row, found);
        return false;
    }
    void skip(int64_t row) { store<T>(this->walk.out, row, T()); }
};

template <bool BACK>
inline WalkKernels shifted_kernels(int64_t width) {
    switch (width) {
        case 1: return kernels_of<Shifted<uint8_t, BACK>, false>(true);
        case 2: return kernels_of<Shifted<uint16_t, BACK>, false>(true);
        case 4: return kernels_of<Shifted<uint32_t, BACK>, false>(true);
        case 8: return kernels_of<Shifted<uint64_t, BACK>, false>(true);
        case 16: return kernels_of<Shifted<int128_t, BACK>, false>(true);
        default: return {{nullptr, nullptr, nullptr, nullptr}, 0};
    }
}

// NaN is a missing value of floats, so they are told apart from other types of their width.
template <bool BACK>
inline WalkKernels filled_kernels(int physical, int64_t width) {
    if (physical == F32) return kernels_of<Filled<float, BACK>, false>(true);
    if (physical == F64) return kernels_of<Filled<double, BACK>, false>(true);
    switch (width) {
        case 1: return kernels_of<Filled<uint8_t, BACK>, false>(true);
        case 2: return kernels_of<Filled<uint16_t, BACK>, false>(true);
        case 4: return kernels_of<Filled<uint32_t, BACK>, false>(true);
        case 8: return kernels_of<Filled<uint64_t, BACK>, false>(true);
        case 16: return kernels_of<Filled<int128_t, BACK>, false>(true);
        default: return {{nullptr, nullptr, nullptr, nullptr}, 0};
    }
}

template <template <typename> class Rule, bool BACK, bool DECIMALS>
inline WalkKernels changed_kernels(int physical) {
    switch (physical) {
        case I8: return kernels_of<Changed<int8_t, Rule<int8_t>, BACK>, false>(true);
        case I16: return kernels_of<Changed<int16_t, Rule<int16_t>, BACK>, false>(true);
        case I32: return kernels_of<Changed<int32_t, Rule<int32_t>, BACK>, false>(true);
        case I64: return kernels_of<Changed<int64_t, Rule<int64_t>, BACK>, false>(true);
        case U8: return kernels_of<Changed<uint8_t, Rule<uint8_t>, BACK>, false>(true);
        case U16: return kernels_of<Changed<uint16_t, Rule<uint16_t>, BACK>, false>(true);
        case U32: return kernels_of<Changed<uint32_t, Rule<uint32_t>, BACK>, false>(true);
        case U64: return kernels_of<Changed<uint64_t, Rule<uint64_t>, BACK>, false>(true);
        case F32: return kernels_of<Changed<float, Rule<float>, BACK>, false>(true);
        case F64: return kernels_of<Changed<double, Rule<double>, BACK>, false>(true);
        case I128:
            if constexpr (DECIMALS) return kernels_of<Changed<int128_t, Rule<int128_t>, BACK>, false>(true);
    }
    return {{nullptr, nullptr, nullptr, nullptr}, 0};
}

// By group only. `width` is that of a value in bytes; state_bytes 0 where there is no such walk.
template <bool BACK>
inline WalkKernels lagged_of(int op, int physical, int64_t width) {
    switch (op) {
        case SHIFT: return shifted_kernels<BACK>(width);
        case FILL_VALUES: return filled_kernels<BACK>(physical, width);
        case DIFFERENCE: return changed_kernels<Difference, BACK, true>(physical);
        case RELATIVE: return changed_kernels<Relative, BACK, false>(physical);
    }
    return {{nullptr, nullptr, nullptr, nullptr}, 0};
}

inline WalkKernels lagged_kernels(int op, int physical, int64_t width, bool backward) {
    return backward ? lagged_of<true>(op, physical, width) : lagged_of<false>(op, physical, width);
}

}  // namespace ff
