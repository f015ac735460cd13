// Exact states of two integer columns, row by row over runs of rows that lack nothing and all are of some group.
//
// Blocks (program.hpp) convert both columns, make a block of each word and add the blocks: three passes through the
// first-level cache. In a run every row's products go straight to its state, which the code itself names.
#pragma once
#include "pairs.hpp"
#include "words.hpp"

namespace ff {

struct PairRun {
    uint8_t* states;         // in, out
    int64_t table, stride;   // in: how far apart replicas and states lie
    const uint8_t* codes;    // in
    uint32_t base;           // in: what code 0 is in `codes`
    const uint8_t* x;        // in
    const uint8_t* y;        // in
    Given given;             // in
    int count;               // in
};

typedef void (*pair_run_t)(const PairRun&);

template <class Op, typename Code, typename X, typename Y>
void run_pairs(const PairRun& run) {
    typedef typename Op::number_t number_t;
    const uint8_t *codes = run.codes, *x = run.x, *y = run.y;
    const uint32_t first_code = run.base;
    const number_t smallest = (number_t)run.given.smallest, other_smallest = (number_t)run.given.other_smallest;
    const int64_t stride = run.stride;
    in_turn(run.states, run.table, run.count, [&](uint8_t* replica, int64_t row) {
        const uint32_t group = (uint32_t)load<Code>(codes, row) - first_code;
        Op::add(*(typename Op::Slot*)(replica + stride * (int64_t)group), (number_t)load<X>(x, row) - smallest, (number_t)load<Y>(y, row) - other_smallest);
    });
}

// By codes of one, two and four bytes.
struct PairRuns {
    pair_run_t by_code[3];
    int32_t x_bytes, y_bytes;

    template <typename Code>
    pair_run_t of() const { return by_code[sizeof(Code) >> 1]; }
};

template <class Op, typename X, typename Y>
inline const PairRuns* pair_runs_of() {
    static constexpr PairRuns runs = {{run_pairs<Op, uint8_t, X, Y>, run_pairs<Op, uint16_t, X, Y>, run_pairs<Op, uint32_t, X, Y>}, sizeof(X), sizeof(Y)};
    return &runs;
}

// Null for other integers than those of four and eight bytes: these go in blocks.
template <class Op>
inline const PairRuns* pair_runs(int physical, int other) {
    if (physical == I32) return other == I32 ? pair_runs_of<Op, int32_t, int32_t>() : other == I64 ? pair_runs_of<Op, int32_t, int64_t>() : nullptr;
    if (physical == I64) return other == I32 ? pair_runs_of<Op, int64_t, int32_t>() : other == I64 ? pair_runs_of<Op, int64_t, int64_t>() : nullptr;
    return nullptr;
}

}  // namespace ff
