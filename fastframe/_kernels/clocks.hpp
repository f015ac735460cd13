// Counts of time units moved by what a time zone's clocks differ from UTC: instants to local times, and back.
//
// Time is cut into parts of 2^shift units, in each of which clocks change once at most. A part has what is added before the change and
// after it; `from` and `to` hold what has no answer of its own: local times that clocks show twice, or skip. Sums wrap around.
#pragma once
#include "kernel.hpp"

namespace ff {

struct ClockPart {
    int64_t from, to;        // the change; of instants both are the same
    int64_t before, after;   // what is added to a count below `from`, and from `to` on
    int64_t kept, added;     // between them the result is (count & kept) + added
    int64_t is_refused;      // 1 where there shall be none between them
};

struct ClockContext {
    View values;               // in
    const ClockPart* parts;    // in
    int64_t first;             // in: the first part's first count
    int64_t shift;             // in
    int64_t n_parts;           // in: 1 or more; counts beyond take the last
    uint8_t* out;              // out: int64, anything for nulls
};

// Statuses: INEXACT where a count is refused, also under a null.
inline int move_clocks(void* raw, int64_t start, int64_t stop, int64_t) {
    const ClockContext ctx = *(const ClockContext*)raw;
    int64_t refused = 0;
    for (int64_t row = start; row < stop; ++row) {
        const int64_t count = load<int64_t>(ctx.values.values, row);
        const uint64_t place = ((uint64_t)count - (uint64_t)ctx.first) >> ctx.shift;
        const ClockPart& part = ctx.parts[place < (uint64_t)ctx.n_parts ? place : (uint64_t)ctx.n_parts - 1];
        int64_t moved = count + (count < part.from ? part.before : part.after);
        if (count >= part.from && count < part.to) {
            moved = (count & part.kept) + part.added;
            refused |= part.is_refused;
        }
        store<int64_t>(ctx.out, row, moved);
    }
    return refused ? INEXACT : OK;
}

}  // namespace ff
