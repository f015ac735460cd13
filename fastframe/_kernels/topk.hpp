// The rows of the k largest (or smallest) values of each group, kept best first in a small state per group.
//
// Two plans:
//   slices      each slice of rows has a table of states; tables merge in slice order. For as many groups as a few tables may
//               have within a fifth of the input.
//   partitions  values, codes and rows were scattered by ranges of groups (scatter.hpp); each partition has a table.
// A group sees few rows before a slice ends, so whether a value enters its state is hard to predict: up to BRANCH_FREE
// values the state is updated without branches: at each place the better of two entries (a word and its row, in one vector) stays,
// and the other goes on to the next place. Words and groups of a block of rows are found first; rows are then offered one by one,
// each with the state of a row of the next block asked for: blocks of rows whose states are asked for at once let the misses of a
// block end before those of the next begin.
//
// Values are compared as signed words; of equal ones the first stays, so ties come out in row order.
#pragma once
#include <algorithm>
#include <new>
#include <type_traits>

#include "group_codes.hpp"
#include "prefetch.hpp"

namespace ff {

constexpr int MOST_BEST = 64;         // k of one kernel; larger ones are a sort
constexpr int BRANCH_FREE = 4;
constexpr int TOPK_SPARE = 16;        // states for rows left out, so that they do not wait for each other
constexpr int TOPK_BLOCK = 32;        // rows whose words and groups are found together; fewer than 64
constexpr int64_t NO_WORD = INT64_MIN;

// An empty place has row NO_ROW and NO_WORD, which is less than any value but for the lowest one of a 64-bit integer.
struct Entry { int64_t word, row; };

template <int K, bool = K <= BRANCH_FREE>
struct alignas(16) Best {
    Entry entries[K];

    int64_t word(int place) const { return entries[place].word; }
    row_t row(int place) const { return (row_t)entries[place].row; }
    void set(int place, int64_t word, row_t row) { entries[place] = {word, row}; }
};

template <int K>
struct alignas(16) Best<K, false> {
    int64_t words[K];
    row_t rows[K];

    int64_t word(int place) const { return words[place]; }
    row_t row(int place) const { return rows[place]; }
    void set(int place, int64_t word, row_t row) {
        words[place] = word;
        rows[place] = row;
    }
};

typedef int64_t Pair __attribute__((vector_size(16)));

struct TopK {
    View view;                // in: values; in the plan by partitions those scattered, none of them missing
    GroupCodes codes;         // in: likewise
    const uint8_t* rows;      // in: row_t of scattered values; null where they are in row order
    const int32_t* starts;    // in: partitions: first value of each, and the end of the last
    int64_t n_groups;         // in
    int64_t n_slices;         // in: slices
    int64_t k;                // in: 1 to MOST_BEST
    int32_t shift;            // in: partitions: groups of one, as a power of two
    bool smallest;            // in
    uint8_t* states;          // out of updating, in of merging: per slice n_groups + TOPK_SPARE states
    row_t* best;              // out: per group k rows, best first
    int32_t* counts;          // out: per group, how many of them there are
};

// Signed words in the order of the values, neither the lowest nor the highest for what has at most 32 bits or is no NaN.
template <typename T>
inline int64_t rank_word(T value) {
    if constexpr (std::is_same<T, double>::value) {
        value += 0.0;   // -0.0 is 0.0
        int64_t bits;
        memcpy(&bits, &value, 8);
        return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
    } else if constexpr (std::is_same<T, float>::value) {
        return rank_word<double>((double)value);
    } else if constexpr (std::is_same<T, uint64_t>::value) {
        return (int64_t)(value ^ (uint64_t)1 << 63);
    } else {
        return (int64_t)value;
    }
}

// Whether a word could be NO_WORD, in either direction.
template <typename T>
constexpr bool has_lowest_word() { return std::is_integral<T>::value && sizeof(T) == 8; }

template <int K>
inline void clear_states(Best<K>* states, int64_t count) {
    Best<K> empty;
    for (int place = 0; place < K; ++place) empty.set(place, NO_WORD, NO_ROW);
    std::fill(states, states + count, empty);
}

// Whether a value enters at a place or before it.
template <int K, bool LOWEST>
inline bool enters(const Best<K>& state, int place, int64_t word) {
    return word > state.word(place) || (LOWEST && state.row(place) < 0);
}

template <int K, bool LOWEST>
inline void offer(Best<K>& state, int64_t word, row_t row, int k) {
    if constexpr (K <= BRANCH_FREE) {
        Pair entry = {word, row}, better = {0, 0};   // once it is, what goes on comes before all later places, of equal values too
        for (int place = 0; place < K; ++place) {
            Pair held;
            memcpy(&held, &state.entries[place], sizeof held);
            better |= __builtin_shuffle(entry > held, Pair{0, 0});
            if (LOWEST) better |= __builtin_shuffle(held < 0, Pair{1, 1});
            const Pair swapped = (entry ^ held) & better;
            held ^= swapped;
            entry ^= swapped;
            memcpy(&state.entries[place], &held, sizeof held);
        }
    } else {
        if (!enters<K, LOWEST>(state, k - 1, word)) return;
        int at = k - 1;
        for (; at > 0 && enters<K, LOWEST>(state, at - 1, word); --at) state.set(at, state.word(at - 1), state.row(at - 1));
        state.set(at, word, row);
    }
}

template <int K>
inline void put_best(const TopK& ctx, int64_t group, const Best<K>& state) {
    int32_t held = 0;
    for (int place = 0; place < ctx.k; ++place) {
        ctx.best[group * ctx.k + place] = state.row(place);
        held += state.row(place) != NO_ROW;
    }
    ctx.counts[group] = held;
}

// Rows of a slice that follow each other: what they offer, and to which states.
template <typename T, typename Code>
struct TopKBlock {
    int64_t words[TOPK_BLOCK];
    code_t states[TOPK_BLOCK];   // of rows left out: spare ones

    void read(const TopK& ctx, int64_t first, int count) {
        constexpr Code none = (Code) ~(Code)0;
        const int64_t flip = ctx.smallest ? -1 : 0;
        const uint8_t* values = ctx.view.values + first * (int64_t)sizeof(T);
        for (int64_t lane = 0; lane < count; ++lane) {
            const T value = load<T>(values, lane);
            const int64_t number = value == value ? -1 : 0, word = rank_word<T>(value) ^ flip;
            words[lane] = (word & number) | (NO_WORD & ~number);   // a mask: which values are NaN is hard to predict, too
        }
        const uint8_t* codes = ctx.codes.values + first * (int64_t)sizeof(Code);
        const Code base = (Code)ctx.codes.base;
        const code_t spare = (code_t)ctx.n_groups;
        for (int lane = 0; lane < count; ++lane) {
            const Code code = (Code)(load<Code>(codes, lane) - base);
            states[lane] = code == none ? spare + (code_t)(lane & (TOPK_SPARE - 1)) : (code_t)code;
        }
        if (ctx.view.validity == nullptr) return;
        uint64_t missing = bits_at(ctx.view.validity, ctx.view.bit_offset + first, count) ^ (((uint64_t)1 << count) - 1);
        for (; missing != 0; missing &= missing - 1) {
            const int lane = __builtin_ctzll(missing);
            states[lane] = spare + (code_t)(lane & (TOPK_SPARE - 1));
        }
    }
};

template <typename T, int K, typename Code>
void offer_rows(const TopK& shared, Best<K>* states, int64_t start, int64_t stop) {
    const TopK ctx = shared;   // the compiler could not know that no state is stored into the shared one
    const int k = (int)ctx.k;
    TopKBlock<T, Code> blocks[2];
    if (start < stop) blocks[0].read(ctx, start, (int)std::min((int64_t)TOPK_BLOCK, stop - start));
    for (int64_t first = start, now = 0; first < stop; first += TOPK_BLOCK, now ^= 1) {
        const TopKBlock<T, Code>& block = blocks[now];
        TopKBlock<T, Code>& next = blocks[now ^ 1];
        const int count = (int)std::min((int64_t)TOPK_BLOCK, stop - first);
        const int n_next = (int)std::min((int64_t)TOPK_BLOCK, stop - first - count);
        if (n_next > 0) next.read(ctx, first + TOPK_BLOCK, n_next);
        for (int lane = 0; lane < count; ++lane) {
            if (lane < n_next) prefetch_to_write(states + next.states[lane]);
            offer<K, has_lowest_word<T>()>(states[block.states[lane]], block.words[lane], (row_t)(first + lane), k);
        }
    }
}

// Over rows.
template <typename T, int K>
int top_k_of_slices(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const TopK& ctx = *(const TopK*)raw;
    Best<K>* states = (Best<K>*)ctx.states + slice * (ctx.n_groups + TOPK_SPARE);
    clear_states(states, ctx.n_groups + TOPK_SPARE);
    switch (ctx.codes.width) {
        case 1: offer_rows<T, K, uint8_t>(ctx, states, start, stop); break;
        case 2: offer_rows<T, K, uint16_t>(ctx, states, start, stop); break;
        default: offer_rows<T, K, code_t>(ctx, states, start, stop);
    }
    return OK;
}

// Over groups.
template <typename T, int K>
int merge_top_k(void* raw, int64_t start, int64_t stop, int64_t) {
    const TopK& ctx = *(const TopK*)raw;
    const int k = (int)ctx.k;
    const Best<K>* states = (const Best<K>*)ctx.states;
    for (int64_t group = start; group < stop; ++group) {
        Best<K> all = states[group];
        for (int64_t slice = 1; slice < ctx.n_slices; ++slice) {
            const Best<K>& next = states[slice * (ctx.n_groups + TOPK_SPARE) + group];
            for (int place = 0; place < k; ++place) {   // a place that is empty changes nothing
                if constexpr (K > BRANCH_FREE) {
                    if (next.row(place) == NO_ROW || !enters<K, has_lowest_word<T>()>(all, k - 1, next.word(place))) break;   // nor do those after it
                }
                offer<K, has_lowest_word<T>()>(all, next.word(place), next.row(place), k);
            }
        }
        put_best(ctx, group, all);
    }
    return OK;
}

// Over partitions.
template <typename T, int K>
int top_k_of_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    const TopK& ctx = *(const TopK*)raw;
    const int64_t flip = ctx.smallest ? -1 : 0;
    const int k = (int)ctx.k;
    const int64_t most_groups = std::min((int64_t)1 << ctx.shift, ctx.n_groups);
    Best<K>* states = new (std::nothrow) Best<K>[most_groups];
    if (states == nullptr) return OUT_OF_MEMORY;
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t first_group = partition << ctx.shift;
        const int64_t n_groups = std::min(most_groups, ctx.n_groups - first_group);
        clear_states(states, n_groups);
        for (int64_t place = ctx.starts[partition]; place < ctx.starts[partition + 1]; ++place) {
            const int64_t word = rank_word<T>(load<T>(ctx.view.values, place)) ^ flip;
            const code_t code = load<code_t>(ctx.codes.values, place);
            offer<K, has_lowest_word<T>()>(states[code - first_group], word, load<row_t>(ctx.rows, place), k);
        }
        for (int64_t group = 0; group < n_groups; ++group) put_best(ctx, first_group + group, states[group]);
    }
    delete[] states;
    return OK;
}

// ---- The table of specialisations -------------------------------------------------------------------------------------

struct TopKKernels {
    kernel_t update, merge, partitions;
    int64_t state_bytes;
};

template <typename T, int K>
inline TopKKernels top_k_for() {
    return {top_k_of_slices<T, K>, merge_top_k<T, K>, top_k_of_partitions<T, K>, (int64_t)sizeof(Best<K>)};
}

template <typename T>
inline TopKKernels top_k_of_type(int64_t k) {
    if (k <= 1) return top_k_for<T, 1>();
    if (k <= 2) return top_k_for<T, 2>();
    if (k <= 3) return top_k_for<T, 3>();
    if (k <= 4) return top_k_for<T, 4>();
    if (k <= 8) return top_k_for<T, 8>();
    if (k <= 16) return top_k_for<T, 16>();
    return top_k_for<T, MOST_BEST>();
}

inline TopKKernels top_k_kernels(int physical, int64_t k) {
    switch (physical) {
        case I8: return top_k_of_type<int8_t>(k);
        case I16: return top_k_of_type<int16_t>(k);
        case I32: return top_k_of_type<int32_t>(k);
        case I64: return top_k_of_type<int64_t>(k);
        case U8: return top_k_of_type<uint8_t>(k);
        case U16: return top_k_of_type<uint16_t>(k);
        case U32: return top_k_of_type<uint32_t>(k);
        case U64: return top_k_of_type<uint64_t>(k);
        case F32: return top_k_of_type<float>(k);
        case F64: return top_k_of_type<double>(k);
        default: return {};
    }
}

}  // namespace ff
