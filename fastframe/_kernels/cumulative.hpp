// Cumulative walks: each row's result follows from the rows before it (after it, backward) in the same group.
//
// A walk is an Op with a small state per group. Two plans:
//   carry    rows in row order, three phases: FOLD each slice's rows into a state per (slice, group); SCAN those over
//            the slices, exclusively, so that each knows what came before it; APPLY walks each again from there.
//            Reads and writes are sequential, only the states are random, so it suits states that stay in cache.
//            This is the usual two-pass parallel prefix sum (Blelloch, "Prefix Sums and Their Applications", 1990).
//   ordered  positions in (group, row) order, one phase, whole groups per slice: for so many groups that a table of
//            states per slice would outgrow the input. Values land at scattered rows, so validity, whose bits share
//            bytes between threads, is not written here but by the `presence` kernel in row order.
//
// Integer overflow is exact with plain wrapping partials: they are right modulo 2^64, so up to the first row whose true
// result does not fit every carry is the true one, and the checked steps of APPLY find that row and no earlier one.
#pragma once
#include <limits>

#include "prefetch.hpp"
#include "window.hpp"

namespace ff {

constexpr int64_t NEAR_BYTES = 1 << 18;   // states of half a second-level cache need no prefetch

struct Walk {
    View values;              // in: what is missing, and what accumulates
    GroupCodes codes;         // in
    int64_t n_groups;         // in: 1 where there are no groups
    int64_t n_slices;         // in: slices of FOLD and APPLY
    int64_t limit;            // in: fills: how many rows in a row are filled at most
    uint8_t fill[16];         // in: SHIFT: one value for rows that nothing moves into
    bool fill_valid;          // in: SHIFT: whether they are valid
    row_t outside;            // in: LAG: for rows without a source
    const uint8_t* rows;      // in: ORDERED: row_t per position
    const int32_t* offsets;   // in: ORDERED: first position of each group, and the end of the last
    uint8_t* carries;         // out of FOLD, in of APPLY: a state per (slice, group)
    uint8_t* out;             // out: a value per row
    uint8_t* validity;        // out of APPLY: bits, for Ops with validity
};

enum WalkOp : int {
    SUM = 0, PRODUCT = 1, MINIMUM = 2, MAXIMUM = 3, COUNT = 4, LAG = 5, FILL = 6,
    SHIFT = 7, DIFFERENCE = 8, RELATIVE = 9, FILL_VALUES = 10,   // lagged.hpp
};
enum WalkPhase : int { FOLD = 0, SCAN = 1, APPLY = 2, ORDERED = 3 };

// ---- rules: how one value joins a total ----------------------------------------------------------------------------

template <typename T> struct total_of {
    typedef typename std::conditional<std::is_signed<T>::value, int64_t, uint64_t>::type type;
};
template <> struct total_of<bits_t> { typedef int64_t type; };
template <> struct total_of<float> { typedef double type; };
template <> struct total_of<double> { typedef double type; };
template <> struct total_of<int128_t> { typedef int128_t type; };

template <typename T> struct value_of { typedef T type; };
template <> struct value_of<bits_t> { typedef uint8_t type; };

template <typename T> struct SumRule {
    typedef typename total_of<T>::type state_t;
    typedef typename std::conditional<std::is_same<T, float>::value, float, state_t>::type out_t;
    static state_t identity() { return 0; }
    static state_t merge(state_t left, state_t right) {
        step(left, right);
        return left;
    }
    static bool step(state_t& total, state_t value) {   // true on overflow; the total is then the wrapped one
        if constexpr (std::is_floating_point<state_t>::value) {
            total += value;
            return false;
        } else {
            const bool wrapped = __builtin_add_overflow(total, value, &total);
            if constexpr (sizeof(state_t) == 16) return wrapped || decimal_overflows(total);
            return wrapped;
        }
    }
};

template <typename T> struct ProductRule {
    typedef typename total_of<T>::type state_t;
    typedef typename std::conditional<std::is_same<T, float>::value, float, state_t>::type out_t;
    static state_t identity() { return 1; }
    static state_t merge(state_t left, state_t right) {
        step(left, right);
        return left;
    }
    static bool step(state_t& total, state_t value) {
        if constexpr (std::is_floating_point<state_t>::value) {
            total *= value;
            return false;
        } else {
            return __builtin_mul_overflow(total, value, &total);
        }
    }
};

// numeric_limits knows no __int128 in strict C++17.
template <typename A> inline A highest() {
    if constexpr (std::is_floating_point<A>::value) return std::numeric_limits<A>::infinity();
    else if constexpr (sizeof(A) == 16) return (A)(~(uint128_t)0 >> 1);
    else return std::numeric_limits<A>::max();
}
template <typename A> inline A lowest() {
    if constexpr (std::is_floating_point<A>::value) return -std::numeric_limits<A>::infinity();
    else if constexpr (sizeof(A) == 16) return -(A)(~(uint128_t)0 >> 1) - 1;
    else return std::numeric_limits<A>::lowest();
}

template <typename T> struct MinimumRule {
    typedef typename value_of<T>::type state_t;
    typedef typename value_of<T>::type out_t;
    static state_t identity() { return highest<state_t>(); }
    static state_t merge(state_t left, state_t right) { return right < left ? right : left; }
    static bool step(state_t& least, state_t value) {
        least = value < least ? value : least;
        return false;
    }
};

template <typename T> struct MaximumRule {
    typedef typename value_of<T>::type state_t;
    typedef typename value_of<T>::type out_t;
    static state_t identity() { return lowest<state_t>(); }
    static state_t merge(state_t left, state_t right) { return right > left ? right : left; }
    static bool step(state_t& most, state_t value) {
        most = value > most ? value : most;
        return false;
    }
};

// ---- Ops -----------------------------------------------------------------------------------------------------------

// A running total, least or greatest value. Missing rows are skipped and stay missing. Where `AS_BITS`, results are
// bits (cummin and cummax of bools), gathered in `word` and written once per block: for the carry plan only.
template <typename T, typename Rule, bool AS_BITS>
struct Accumulate {
    typedef typename Rule::state_t state_t;
    static constexpr bool BACKWARD = false;
    static constexpr bool HAS_VALIDITY = true;
    const Walk& walk;
    const Cells<T> cells;
    uint64_t word = 0;
    explicit Accumulate(const Walk& walk) : walk(walk), cells(walk.values) {}

    static state_t identity() { return Rule::identity(); }
    static state_t merge(state_t left, state_t right) { return Rule::merge(left, right); }
    uint64_t present(int64_t row, int count) const { return present_word<T>(walk.values, row, count); }
    bool present_at(int64_t row) const { return is_present<T>(walk.values, row); }
    void prefetch(int64_t row) const {
        if constexpr (!std::is_same<T, bits_t>::value)
            __builtin_prefetch(walk.values.values + row * (int64_t)sizeof(T));
    }
    void fold(state_t& state, int64_t row, bool is_there) const {
        if (is_there) Rule::step(state, (state_t)cells[row]);
    }
    bool step(state_t& state, int64_t row, bool is_there) {
        const bool overflow = is_there && Rule::step(state, (state_t)cells[row]);
        put(row, is_there ? (typename Rule::out_t)state : (typename Rule::out_t)0);
        return overflow;
    }
    void skip(int64_t row) { put(row, 0); }
    uint64_t valid_word(uint64_t taking_part) const { return taking_part; }
    void put(int64_t row, typename Rule::out_t value) {
        if constexpr (AS_BITS) word |= (uint64_t)(value != 0) << (row & 63);
        else store<typename Rule::out_t>(walk.out, row, value);
    }
    void end_block(int64_t row, int count) {
        if constexpr (AS_BITS) {
            store_bits(walk.out, row, word, count);
            word = 0;
        }
    }
};

// What the Ops over rows alone share: every row takes part, whatever its value.
struct RowOp {
    const Walk& walk;
    explicit RowOp(const Walk& walk) : walk(walk) {}
    uint64_t present(int64_t, int count) const { return low_bits(count); }
    bool present_at(int64_t) const { return true; }
    void prefetch(int64_t) const {}
    uint64_t valid_word(uint64_t taking_part) const { return taking_part; }
    void end_block(int64_t, int) const {}
};

// The number of rows before this one (after it, backward).
template <bool BACK>
struct Count : RowOp {
    typedef int64_t state_t;
    static constexpr bool BACKWARD = BACK;
    static constexpr bool HAS_VALIDITY = true;
    using RowOp::RowOp;
    static state_t identity() { return 0; }
    static state_t merge(state_t left, state_t right) { return left + right; }
    void fold(state_t& state, int64_t, bool) const { ++state; }
    bool step(state_t& state, int64_t row, bool) const {
        store<int64_t>(walk.out, row, state++);
        return false;
    }
    void skip(int64_t row) const { store<int64_t>(walk.out, row, 0); }
};

// The row map of a shift by one row.
template <bool BACK>
struct Lag : RowOp {
    typedef row_t state_t;
    static constexpr bool BACKWARD = BACK;
    static constexpr bool HAS_VALIDITY = false;
    using RowOp::RowOp;
    static state_t identity() { return NO_ROW; }
    static state_t merge(state_t left, state_t right) { return right != NO_ROW ? right : left; }
    void fold(state_t& state, int64_t row, bool) const { state = (row_t)row; }
    bool step(state_t& state, int64_t row, bool) const {
        store<row_t>(walk.out, row, state != NO_ROW ? state : walk.outside);
        state = (row_t)row;
        return false;
    }
    void skip(int64_t row) const { store<row_t>(walk.out, row, NO_ROW); }
};

// The row map of a forward (backward) fill: present rows stay, missing ones take the last present row, at most `limit`
// in a row.
struct FillState {
    row_t last;       // the last present row
    row_t n_missing;  // rows since then
};

template <typename T, bool BACK>
struct Fill : RowOp {
    typedef FillState state_t;
    static constexpr bool BACKWARD = BACK;
    static constexpr bool HAS_VALIDITY = false;
    using RowOp::RowOp;
    static state_t identity() { return {NO_ROW, 0}; }
    static state_t merge(state_t left, state_t right) {
        if (right.last != NO_ROW) return right;
        return {left.last, left.n_missing + right.n_missing};
    }
    uint64_t present(int64_t row, int count) const { return present_word<T>(walk.values, row, count); }
    bool present_at(int64_t row) const { return is_present<T>(walk.values, row); }
    void fold(state_t& state, int64_t row, bool is_there) const {
        if (is_there) state = {(row_t)row, 0};
        else ++state.n_missing;
    }
    bool step(state_t& state, int64_t row, bool is_there) const {
        fold(state, row, is_there);
        store<row_t>(walk.out, row, state.n_missing <= walk.limit ? state.last : NO_ROW);
        return false;
    }
    void skip(int64_t row) const { store<row_t>(walk.out, row, NO_ROW); }
};

// ---- phases --------------------------------------------------------------------------------------------------------

template <typename Op>
inline int64_t nth_block(int64_t start, int64_t n_blocks, int64_t block) {
    return start + 64 * (Op::BACKWARD ? n_blocks - 1 - block : block);
}

template <typename Op>
inline int nth_lane(int count, int lane) {
    return Op::BACKWARD ? count - 1 - lane : lane;
}

// The codes of a block, and its states brought near where they are too many for a core's cache.
template <typename Op>
inline void find_states(const Walk& walk, const typename Op::state_t* states, int64_t row, int count, code_t* code) {
    read_codes(walk.codes, row, count, code);
    if (walk.n_groups * (int64_t)sizeof(*states) <= NEAR_BYTES) return;
    for (int lane = 0; lane < count; ++lane) prefetch_to_write(states + (code[lane] == NULL_CODE ? 0 : code[lane]));
}

template <typename Op, bool GROUPED>
inline int walk_fold(void* raw, int64_t start, int64_t stop, int64_t slice) {
    typedef typename Op::state_t state_t;
    const Walk& walk = *(const Walk*)raw;
    if (slice == (Op::BACKWARD ? 0 : walk.n_slices - 1)) return OK;   // nobody comes after it
    const Op op(walk);
    state_t* states = (state_t*)walk.carries + slice * walk.n_groups;
    for (int64_t group = 0; group < walk.n_groups; ++group) states[group] = Op::identity();
    state_t own = Op::identity();
    code_t code[CODE_BLOCK];
    const int64_t n_blocks = (stop - start + 63) / 64;
    for (int64_t block = 0; block < n_blocks; ++block) {
        const int64_t row = nth_block<Op>(start, n_blocks, block);
        const int count = block_length(row, stop);
        const uint64_t present = op.present(row, count);
        if constexpr (GROUPED) {
            find_states<Op>(walk, states, row, count, code);
            for (int step = 0; step < count; ++step) {
                const int lane = nth_lane<Op>(count, step);
                if (code[lane] != NULL_CODE) op.fold(states[code[lane]], row + lane, present >> lane & 1);
            }
        } else if (present == low_bits(count)) {
            for (int lane = 0; lane < count; ++lane) op.fold(own, row + nth_lane<Op>(count, lane), true);
        } else {
            for (int step = 0; step < count; ++step) {
                const int lane = nth_lane<Op>(count, step);
                op.fold(own, row + lane, present >> lane & 1);
            }
        }
    }
    if (!GROUPED) states[0] = own;
    return OK;
}

// Over groups: what each slice adds becomes what came before it.
template <typename Op>
inline int walk_scan(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Op::state_t state_t;
    constexpr int64_t BLOCK = 256;
    const Walk& walk = *(const Walk*)raw;
    state_t before[BLOCK];
    for (int64_t first = start; first < stop; first += BLOCK) {
        const int64_t count = stop - first < BLOCK ? stop - first : BLOCK;
        for (int64_t group = 0; group < count; ++group) before[group] = Op::identity();
        for (int64_t step = 0; step < walk.n_slices; ++step) {
            const int64_t slice = Op::BACKWARD ? walk.n_slices - 1 - step : step;
            state_t* states = (state_t*)walk.carries + slice * walk.n_groups + first;
            const bool is_last = step + 1 == walk.n_slices;   // FOLD left the last one unwritten
            for (int64_t group = 0; group < count; ++group) {
                const state_t total = is_last ? Op::identity() : states[group];
                states[group] = before[group];
                before[group] = Op::merge(before[group], total);
            }
        }
    }
    return OK;
}

template <typename Op, bool GROUPED>
inline int walk_apply(void* raw, int64_t start, int64_t stop, int64_t slice) {
    typedef typename Op::state_t state_t;
    const Walk& walk = *(const Walk*)raw;
    Op op(walk);
    state_t* states = (state_t*)walk.carries + slice * walk.n_groups;
    state_t own = states[0];
    code_t code[CODE_BLOCK];
    const int64_t n_blocks = (stop - start + 63) / 64;
    for (int64_t block = 0; block < n_blocks; ++block) {
        const int64_t row = nth_block<Op>(start, n_blocks, block);
        const int count = block_length(row, stop);
        const uint64_t present = op.present(row, count);
        uint64_t grouped = low_bits(count);
        bool failed = false;
        if constexpr (GROUPED) {
            find_states<Op>(walk, states, row, count, code);
            grouped = grouped_word(code, count);
            for (int step = 0; step < count; ++step) {
                const int lane = nth_lane<Op>(count, step);
                if (code[lane] == NULL_CODE) op.skip(row + lane);
                else failed |= op.step(states[code[lane]], row + lane, present >> lane & 1);
            }
        } else if (present == low_bits(count)) {
            for (int lane = 0; lane < count; ++lane) failed |= op.step(own, row + nth_lane<Op>(count, lane), true);
        } else {
            for (int step = 0; step < count; ++step) {
                const int lane = nth_lane<Op>(count, step);
                failed |= op.step(own, row + lane, present >> lane & 1);
            }
        }
        if (failed) return OVERFLOW_;
        if (Op::HAS_VALIDITY) store_bits(walk.validity, row, op.valid_word(present & grouped), count);
        op.end_block(row, count);
    }
    return OK;
}

// Over positions: the groups that start in [start, stop), whole.
template <typename Op>
inline int walk_ordered(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Op::state_t state_t;
    constexpr int64_t AHEAD = 16;
    const Walk& walk = *(const Walk*)raw;
    Op op(walk);
    int64_t group = 0;   // the first group that starts at or after `start`
    for (int64_t count = walk.n_groups; count > 0;) {
        const int64_t half = count / 2;
        if (walk.offsets[group + half] < start) {
            group += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    bool failed = false;
    for (; group < walk.n_groups && walk.offsets[group] < stop; ++group) {
        const int64_t first = walk.offsets[group], last = walk.offsets[group + 1];
        const int64_t end = walk.offsets[walk.n_groups];
        state_t state = Op::identity();
        for (int64_t step = first; step < last; ++step) {
            const int64_t position = Op::BACKWARD ? first + last - 1 - step : step;
            if (step + AHEAD < end) op.prefetch(load<row_t>(walk.rows, step + AHEAD));
            const int64_t row = load<row_t>(walk.rows, position);
            failed |= op.step(state, row, op.present_at(row));
        }
        if (failed) return OVERFLOW_;
    }
    return OK;
}

// ---- dispatch ------------------------------------------------------------------------------------------------------

struct WalkKernels {
    kernel_t kernels[4];    // by WalkPhase
    int64_t state_bytes;    // of one group's state
};

template <typename Op, bool SCATTERS>
inline WalkKernels kernels_of(bool grouped) {
    return {{grouped ? walk_fold<Op, true> : walk_fold<Op, false>, walk_scan<Op>,
             grouped ? walk_apply<Op, true> : walk_apply<Op, false>, SCATTERS ? walk_ordered<Op> : nullptr},
            (int64_t)sizeof(typename Op::state_t)};
}

template <template <typename> class Rule, bool BITS_TO_BITS, bool DECIMALS>
inline WalkKernels accumulate_kernels(int physical, bool grouped) {
    switch (physical) {
        case I8: return kernels_of<Accumulate<int8_t, Rule<int8_t>, false>, true>(grouped);
        case I16: return kernels_of<Accumulate<int16_t, Rule<int16_t>, false>, true>(grouped);
        case I32: return kernels_of<Accumulate<int32_t, Rule<int32_t>, false>, true>(grouped);
        case I64: return kernels_of<Accumulate<int64_t, Rule<int64_t>, false>, true>(grouped);
        case U8: return kernels_of<Accumulate<uint8_t, Rule<uint8_t>, false>, true>(grouped);
        case U16: return kernels_of<Accumulate<uint16_t, Rule<uint16_t>, false>, true>(grouped);
        case U32: return kernels_of<Accumulate<uint32_t, Rule<uint32_t>, false>, true>(grouped);
        case U64: return kernels_of<Accumulate<uint64_t, Rule<uint64_t>, false>, true>(grouped);
        case F32: return kernels_of<Accumulate<float, Rule<float>, false>, true>(grouped);
        case F64: return kernels_of<Accumulate<double, Rule<double>, false>, true>(grouped);
        case BOOL: return kernels_of<Accumulate<bits_t, Rule<bits_t>, BITS_TO_BITS>, !BITS_TO_BITS>(grouped);
        case I128:
            if constexpr (DECIMALS) return kernels_of<Accumulate<int128_t, Rule<int128_t>, false>, true>(grouped);
    }
    return {{nullptr, nullptr, nullptr, nullptr}, 0};
}

template <bool BACK>
inline WalkKernels row_kernels(int op, int physical, bool grouped) {
    switch (op) {
        case COUNT: return kernels_of<Count<BACK>, true>(grouped);
        case LAG: return kernels_of<Lag<BACK>, true>(grouped);
        case FILL:
            if (physical == F32) return kernels_of<Fill<float, BACK>, true>(grouped);
            if (physical == F64) return kernels_of<Fill<double, BACK>, true>(grouped);
            return kernels_of<Fill<uint8_t, BACK>, true>(grouped);
    }
    return {{nullptr, nullptr, nullptr, nullptr}, 0};
}

inline WalkKernels walk_kernels(int op, int physical, bool grouped, bool backward) {
    switch (op) {
        case SUM: return accumulate_kernels<SumRule, false, true>(physical, grouped);
        case PRODUCT: return accumulate_kernels<ProductRule, false, false>(physical, grouped);
        case MINIMUM: return accumulate_kernels<MinimumRule, true, true>(physical, grouped);
        case MAXIMUM: return accumulate_kernels<MaximumRule, true, true>(physical, grouped);
    }
    return backward ? row_kernels<true>(op, physical, grouped) : row_kernels<false>(op, physical, grouped);
}

}  // namespace ff
