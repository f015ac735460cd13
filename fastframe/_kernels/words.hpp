// Loops that add the values of rows to 64-bit words of states (program.hpp).
//
// Most states are one or more 64-bit words that rows add to. Their steps turn a block into words to add (zero where the
// value is missing), and one loop adds up to four neighbouring words of a state: half the time of a loop for each.
#pragma once
#include <algorithm>
#include <utility>

#include "sources.hpp"

namespace ff {

// A pointer whose origin the compiler forgets, so that it adds each target to it in one address, not in two steps.
inline uint8_t* opaque(uint8_t* pointer) {
    __asm__("" : "+r"(pointer));
    return pointer;
}

constexpr int FUSED = 4;
constexpr int MOST_WORDS = 8;      // of a block that are made before they are added

// What a row adds to a word: 64-bit integers, doubles, or int32 as they lie in their column.
enum WordKind : int { ADD_INT64 = 0, ADD_DOUBLE = 1, ADD_INT32 = 2, WORD_KINDS = 3 };

// In runs (see `Loop`) also rows, two halves of a word (rows and int32, or two of int32), and the lower halves of 128-bit integers.
enum RunKind : int { ADD_ONE = 3, ADD_ONE_INT32 = 4, ADD_TWO_INT32 = 5, ADD_LOWER = 6, RUN_KINDS = 7 };

constexpr int RUN_ROWS = 4096;     // of a run: 16 KB of targets
constexpr int RUN_WORDS = 3;       // one loop adds
constexpr int REPLICAS = 4;        // of a small table: rows of one group do not wait for each other

// Where two totals that are proven to fit 32 bits share a word of the state, low half first: total = low + high * 2^32.
enum Half : int { WHOLE = 0, LOW = 1, HIGH = 2 };

constexpr int power_of(int base, int exponent) { return exponent == 0 ? 1 : base * power_of(base, exponent - 1); }

// KINDS: those of the words, as digits to the base WORD_KINDS, the first word's last.
template <int KINDS>
inline void add_word(uint64_t* state, const uint8_t* values, int64_t row) {
    if constexpr (KINDS % WORD_KINDS == ADD_DOUBLE) *(double*)state += load<double>(values, row);
    else if constexpr (KINDS % WORD_KINDS == ADD_INT32) *state += (uint64_t)load<int32_t>(values, row);
    else *state += load<uint64_t>(values, row);
}

template <int N_WORDS, int KINDS>
void add_words(uint8_t* states, const uint32_t* __restrict target, const uint8_t* const* words, int count) {
    uint8_t* base = opaque(states);
    const uint8_t* values[FUSED] = {words[0], words[N_WORDS > 1], words[N_WORDS > 2 ? 2 : 0], words[N_WORDS > 3 ? 3 : 0]};
    const int64_t n_rows = count;
    for (int64_t row = 0; row < n_rows; ++row) {
        uint64_t* state = (uint64_t*)(base + 8 * (size_t)target[row]);
        add_word<KINDS>(state, values[0], row);
        if constexpr (N_WORDS > 1) add_word<KINDS / WORD_KINDS>(state + 1, values[1], row);
        if constexpr (N_WORDS > 2) add_word<KINDS / power_of(WORD_KINDS, 2)>(state + 2, values[2], row);
        if constexpr (N_WORDS > 3) add_word<KINDS / power_of(WORD_KINDS, 3)>(state + 3, values[3], row);
    }
}

template <int KIND>
inline void add_run_word(uint64_t* state, const uint8_t* const* halves, int64_t row) {
    if constexpr (KIND == ADD_ONE) ++*state;
    else if constexpr (KIND == ADD_ONE_INT32) *state += 1 + ((uint64_t)load<int32_t>(halves[1], row) << 32);
    else if constexpr (KIND == ADD_TWO_INT32) *state += (uint64_t)load<int32_t>(halves[0], row) + ((uint64_t)load<int32_t>(halves[1], row) << 32);
    else if constexpr (KIND == ADD_LOWER) *state += load<uint64_t>(halves[0], 2 * row);
    else add_word<KIND>(state, halves[0], row);
}

constexpr int SAMPLED_ROWS = 64;   // the first of a run, by which its loop is chosen
constexpr int FEWEST_EQUAL = 48;   // of them go where the row before went: then sums stay in registers

// Whether successive rows mostly go to one state, as where keys are in order.
inline bool is_clustered(const uint32_t* target, int count) {
    if (count <= SAMPLED_ROWS) return false;
    int equal = 0;
    for (int row = 0; row < SAMPLED_ROWS; ++row) equal += target[row] == target[row + 1];
    return equal >= FEWEST_EQUAL;
}

// A word of a state in a register; the same additions in the same order as in memory.
template <int KIND>
struct Register {
    typename std::conditional<KIND == ADD_DOUBLE, double, uint64_t>::type sum;

    void take(const uint64_t* state) { memcpy(&sum, state, 8); }
    void give(uint64_t* state) const { memcpy(state, &sum, 8); }
    void add(const uint8_t* const* halves, int64_t row) {
        if constexpr (KIND == ADD_DOUBLE) sum += load<double>(halves[0], row);
        else if constexpr (KIND == ADD_INT32) sum += (uint64_t)load<int32_t>(halves[0], row);
        else if constexpr (KIND == ADD_INT64) sum += load<uint64_t>(halves[0], row);
        else if constexpr (KIND == ADD_LOWER) sum += load<uint64_t>(halves[0], 2 * row);
        else if constexpr (KIND == ADD_ONE) ++sum;
        else if constexpr (KIND == ADD_ONE_INT32) sum += 1 + ((uint64_t)load<int32_t>(halves[1], row) << 32);
        else sum += (uint64_t)load<int32_t>(halves[0], row) + ((uint64_t)load<int32_t>(halves[1], row) << 32);
    }
};

// `run_words` for rows of which many successive ones go to one state: nobody waits for a store before the next load.
template <int N_WORDS, int KINDS>
void run_clustered(uint8_t* base, const uint32_t* __restrict target, const uint8_t* const (*values)[2], int64_t n_rows) {
    Register<KINDS % RUN_KINDS> first;
    Register<KINDS / RUN_KINDS % RUN_KINDS> second;
    Register<KINDS / power_of(RUN_KINDS, 2)> third;
    for (int64_t row = 0; row < n_rows;) {
        const uint32_t place = target[row];
        uint64_t* state = (uint64_t*)(base + 8 * (size_t)place);
        first.take(state);
        if constexpr (N_WORDS > 1) second.take(state + 1);
        if constexpr (N_WORDS > 2) third.take(state + 2);
        do {
            first.add(values[0], row);
            if constexpr (N_WORDS > 1) second.add(values[1], row);
            if constexpr (N_WORDS > 2) third.add(values[2], row);
        } while (++row < n_rows && target[row] == place);
        first.give(state);
        if constexpr (N_WORDS > 1) second.give(state + 1);
        if constexpr (N_WORDS > 2) third.give(state + 2);
    }
}

template <int N_WORDS, int KINDS>
void run_words(uint8_t* states, const uint32_t* __restrict target, const uint8_t* const (*words)[2], int count) {
    uint8_t* base = opaque(states);
    const uint8_t* values[RUN_WORDS][2];   // a copy: no store to a state can change it
    memcpy(values, words, sizeof(values));
    const int64_t n_rows = count;
    if (is_clustered(target, count)) return run_clustered<N_WORDS, KINDS>(base, target, values, n_rows);
    for (int64_t row = 0; row < n_rows; ++row) {
        uint64_t* state = (uint64_t*)(base + 8 * (size_t)target[row]);
        add_run_word<KINDS % RUN_KINDS>(state, values[0], row);
        if constexpr (N_WORDS > 1) add_run_word<KINDS / RUN_KINDS % RUN_KINDS>(state + 1, values[1], row);
        if constexpr (N_WORDS > 2) add_run_word<KINDS / power_of(RUN_KINDS, 2)>(state + 2, values[2], row);
    }
}

// `add(replica, row)` of all rows, those after one another to the replicas of a small table in turn; `table` bytes apart.
template <class Add>
inline __attribute__((always_inline)) void in_turn(uint8_t* states, int64_t table, int64_t n_rows, const Add& add) {
    uint8_t* replicas[REPLICAS];
    for (int lane = 0; lane < REPLICAS; ++lane) replicas[lane] = opaque(states + lane * table);
    const int64_t n_whole = n_rows & -REPLICAS;
    int64_t row = 0;
    for (; row < n_whole; row += REPLICAS) {
        add(replicas[0], row);
        add(replicas[1], row + 1);
        add(replicas[2], row + 2);
        add(replicas[3], row + 3);
    }
    for (; row < n_rows; ++row) add(replicas[row & (REPLICAS - 1)], row);
}

typedef void (*run_words_t)(uint8_t* states, const uint32_t* target, const uint8_t* const (*words)[2], int count);

template <int N_WORDS, int... KINDS>
inline run_words_t run_words_of(std::integer_sequence<int, KINDS...>, int kinds) {
    static constexpr run_words_t kernels[] = {run_words<N_WORDS, KINDS>...};
    return kernels[kinds];
}

inline run_words_t run_words_kernel(int n_words, int kinds) {
    switch (n_words) {
        case 1: return run_words_of<1>(std::make_integer_sequence<int, power_of(RUN_KINDS, 1)>(), kinds);
        case 2: return run_words_of<2>(std::make_integer_sequence<int, power_of(RUN_KINDS, 2)>(), kinds);
        default: return run_words_of<3>(std::make_integer_sequence<int, power_of(RUN_KINDS, 3)>(), kinds);
    }
}

// The same where the codes themselves say where a state is: no targets are made, written and read. `bytes` is the stride.
template <int N_WORDS, int KINDS, typename Code>
void run_codes(uint8_t* states, int64_t table, int64_t bytes, const uint8_t* codes, const uint8_t* const (*words)[2], int count) {
    const uint8_t* values[RUN_WORDS][2];
    memcpy(values, words, sizeof(values));
    in_turn(states, table, count, [&](uint8_t* replica, int64_t row) {
        uint64_t* state = (uint64_t*)(replica + bytes * (int64_t)load<Code>(codes, row));
        add_run_word<KINDS % RUN_KINDS>(state, values[0], row);
        if constexpr (N_WORDS > 1) add_run_word<KINDS / RUN_KINDS % RUN_KINDS>(state + 1, values[1], row);
        if constexpr (N_WORDS > 2) add_run_word<KINDS / power_of(RUN_KINDS, 2)>(state + 2, values[2], row);
    });
}

typedef void (*run_codes_t)(uint8_t* states, int64_t table, int64_t bytes, const uint8_t* codes, const uint8_t* const (*words)[2], int count);

// Null where there is none: each is a loop, so a third word has to be a column as it lies, beside codes of a byte.
template <int N_WORDS, typename Code, int... KINDS>
inline run_codes_t run_codes_of(std::integer_sequence<int, KINDS...>, int kinds) {
    static constexpr run_codes_t kernels[] = {run_codes<N_WORDS, KINDS, Code>..., nullptr};
    constexpr int n_kernels = (int)sizeof...(KINDS);
    return kernels[kinds < n_kernels ? kinds : n_kernels];
}

template <typename Code>
inline run_codes_t run_codes_kernel(int n_words, int kinds) {
    switch (n_words) {
        case 1: return run_codes_of<1, Code>(std::make_integer_sequence<int, power_of(RUN_KINDS, 1)>(), kinds);
        case 2: return run_codes_of<2, Code>(std::make_integer_sequence<int, power_of(RUN_KINDS, 2)>(), kinds);
        default: return run_codes_of<3, Code>(std::make_integer_sequence<int, sizeof(Code) == 1 ? WORD_KINDS * power_of(RUN_KINDS, 2) : 0>(), kinds);
    }
}

// `is_clustered`, by codes.
template <typename Code>
inline bool are_clustered(const uint8_t* codes, int count) {
    if (count <= SAMPLED_ROWS) return false;
    int equal = 0;
    for (int row = 0; row < SAMPLED_ROWS; ++row) equal += load<Code>(codes, row) == load<Code>(codes, row + 1);
    return equal >= FEWEST_EQUAL;
}

template <typename Code>
inline bool are_below(const uint8_t* codes, int count, uint32_t base, int64_t n_groups) {
    Code most = 0;
    const int64_t n_rows = count;
    for (int64_t row = 0; row < n_rows; ++row) most = std::max(most, (Code)(load<Code>(codes, row) - (Code)base));
    return most < n_groups;
}

typedef void (*add_words_t)(uint8_t* states, const uint32_t* target, const uint8_t* const* words, int count);

template <int N_WORDS, int... KINDS>
inline add_words_t add_words_of(std::integer_sequence<int, KINDS...>, int kinds) {
    static constexpr add_words_t kernels[] = {add_words<N_WORDS, KINDS>...};
    return kernels[kinds];
}

inline add_words_t add_words_kernel(int n_words, int kinds) {
    switch (n_words) {
        case 1: return add_words_of<1>(std::make_integer_sequence<int, power_of(WORD_KINDS, 1)>(), kinds);
        case 2: return add_words_of<2>(std::make_integer_sequence<int, power_of(WORD_KINDS, 2)>(), kinds);
        case 3: return add_words_of<3>(std::make_integer_sequence<int, power_of(WORD_KINDS, 3)>(), kinds);
        default: return add_words_of<4>(std::make_integer_sequence<int, power_of(WORD_KINDS, 4)>(), kinds);
    }
}

// Two values to a word: the loop is one of whole vectors.
template <typename Low, typename High>
inline void pack_halves(uint64_t* __restrict out, const uint8_t* __restrict low, const uint8_t* __restrict high, int count) {
    const int64_t n_rows = count;
    for (int64_t lane = 0; lane < n_rows; ++lane) out[lane] = (uint64_t)(int64_t)load<Low>(low, lane) + ((uint64_t)(int64_t)load<High>(high, lane) << 32);
}

inline void pack_halves(uint64_t* out, const uint8_t* low, int low_kind, const uint8_t* high, int high_kind, int count) {
    const bool narrow = high_kind == ADD_INT32;
    if (low_kind == ADD_INT32) return narrow ? pack_halves<int32_t, int32_t>(out, low, high, count) : pack_halves<int32_t, int64_t>(out, low, high, count);
    return narrow ? pack_halves<int64_t, int32_t>(out, low, high, count) : pack_halves<int64_t, int64_t>(out, low, high, count);
}

// Halves of the words of `n` states, as 64-bit totals.
inline void take_halves(const uint8_t* words, int64_t stride, int n, int half, int64_t* out) {
    for (int state = 0; state < n; ++state) {
        const uint64_t word = load<uint64_t>(words + state * stride, 0);
        const int64_t low = (int32_t)(uint32_t)word;
        out[state] = half == LOW ? low : (int64_t)(word - (uint64_t)low) >> 32;
    }
}

}  // namespace ff
