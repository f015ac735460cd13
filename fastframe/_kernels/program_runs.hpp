// The pass over the rows of a slice: in runs where that is possible, else in blocks of them.
#pragma once
#include "prefetch.hpp"
#include "program.hpp"

namespace ff {

// Runs of rows that lack nothing, where every step can read its columns as they lie: one loop over the run for up to three
// words or two extremes. Long runs keep the streams of several columns going; 256 rows of one column after the other
// wait for the first lines of each (measured: twice the time).
struct Loop {
    const Step* step;               // where it is not words
    const Step* next;               // a second extreme; null: none
    int n_words;
    int kinds[RUN_WORDS];
    int32_t inputs[RUN_WORDS][2];   // of the word, or of its halves
    int64_t offset;                 // of the first word
    const PairRuns* pairs = nullptr;   // of `step`, which then is none of the above

    int digits() const {
        int digits = 0;
        for (int word = n_words - 1; word >= 0; --word) digits = digits * RUN_KINDS + kinds[word];
        return digits;
    }
    void aim_values(const View* views, int64_t row, const uint8_t* (*values)[2]) const {
        for (int word = 0; word < n_words; ++word) {
            const int64_t width = kinds[word] == ADD_LOWER ? 16 : kinds[word] == ADD_INT64 || kinds[word] == ADD_DOUBLE ? 8 : 4;
            for (int half = 0; half < 2; ++half) {
                values[word][half] = inputs[word][half] >= 0 ? views[inputs[word][half]].values + row * width : nullptr;
            }
        }
    }
    void run_words(const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count) const {
        const uint8_t* values[RUN_WORDS][2] = {};
        aim_values(views, row, values);
        run_words_kernel(n_words, digits())(states + offset, target, values, count);
    }
    bool run(const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count, bool scattered) const {
        if (n_words > 0) run_words(views, states, target, row, count);
        else if (next != nullptr) beside_of(*step, *next)->by_targets(*step, *next, views, states, target, row, count);
        else return (scattered ? step->kernels->update_scattered : step->kernels->update)(*step, views, states, target, row, count);
        return true;
    }
};

// The latest word gets an upper half; false where the loops cannot read the two.
inline bool add_half(Loop& loop, const Step& step) {
    int& kind = loop.kinds[loop.n_words - 1];
    if (step.kernels->direct != ADD_INT32 || (kind != ADD_INT32 && kind != ADD_ONE)) return false;
    kind = kind == ADD_ONE ? ADD_ONE_INT32 : ADD_TWO_INT32;
    loop.inputs[loop.n_words - 1][1] = step.input;
    return true;
}

// Empty where some step cannot take part.
inline std::vector<Loop> plan_loops(const Program& program) {
    std::vector<Loop> loops;
    size_t latest = (size_t)-1;   // loop of words
    const int32_t n_steps = (int32_t)program.steps.size();
    for (int32_t number = 0; number < n_steps; ++number) {
        const Step& step = program.steps[(size_t)number];
        if (step.half == HIGH) {
            if (!add_half(loops[latest], step)) return {};
        } else if (step.runs != nullptr) {
            loops.push_back({&step, nullptr, 0, {}, {}, step.offset, step.runs});
            latest = (size_t)-1;   // the next words are no neighbours of those before
        } else if (step.kernels->n_words > 0) {
            if (step.kernels->direct == NOT_DIRECT) return {};
            const bool begins = latest == (size_t)-1 || loops[latest].n_words == RUN_WORDS;
            if (begins) {
                latest = loops.size();
                loops.push_back({nullptr, nullptr, 0, {}, {}, step.offset});
            }
            Loop& loop = loops[latest];
            loop.kinds[loop.n_words] = step.kernels->direct;
            loop.inputs[loop.n_words][0] = step.kernels->direct == ADD_ONE ? -1 : step.input;
            loop.inputs[loop.n_words++][1] = -1;
        } else if (step.other >= 0) {
            return {};
        } else {
            const Step* next = number + 1 < n_steps ? &program.steps[(size_t)number + 1] : nullptr;   // rows lack nothing: of any presence
            if (next != nullptr && beside_of(step, *next) == nullptr) next = nullptr;
            loops.push_back({&step, next, 0, {}, {}, 0});
            number += next != nullptr;
        }
    }
    return loops;
}

inline bool run_lacks(const Program& program, const View* views, int64_t row, int count) {
    uint64_t missing[STEP_ROWS / 64];
    for (const Presence& presence : program.presences) {
        for (int first = 0; first < count; first += STEP_ROWS) {
            const int some = count - first < STEP_ROWS ? count - first : STEP_ROWS;
            if (find_missing(presence, views, row + first, some, missing)) return true;
        }
    }
    return false;
}

// Whether all loops can go by the codes as they lie: words by those of a byte or two, pairs and extremes by all.
template <typename Code>
inline bool go_by_codes(const Program& program, const std::vector<Loop>& loops) {
    for (const Loop& loop : loops) {
        if (loop.pairs != nullptr || loop.next != nullptr || (loop.step != nullptr && loop.step->kernels->alone[0] != nullptr)) continue;
        if constexpr (sizeof(Code) <= 2) {
            if (loop.n_words > 0 && program.base == 0 && run_codes_kernel<Code>(loop.n_words, loop.digits()) != nullptr) continue;
        }
        return false;
    }
    return !loops.empty();
}

// A run of rows that lack nothing; false where it has to go by targets: some row is of no group, or keys are in order.
template <typename Code>
inline bool run_by_codes(const Program& program, const std::vector<Loop>& loops, const Area& area, int64_t row, int count) {
    const uint8_t* codes = program.codes + row * (int64_t)sizeof(Code);
    if (are_clustered<Code>(codes, count) || !are_below<Code>(codes, count, program.base, program.n_groups)) return false;
    const int64_t table = program.n_replicas == REPLICAS ? area.n_states() * program.stride : 0;
    for (const Loop& loop : loops) {
        if (loop.pairs != nullptr) {
            const Step& step = *loop.step;
            const uint8_t* x = area.views[step.input].values + row * loop.pairs->x_bytes;
            const uint8_t* y = area.views[step.other].values + row * loop.pairs->y_bytes;
            loop.pairs->of<Code>()({area.states + loop.offset, table, program.stride, codes, program.base, x, y, step.given, count});
            continue;
        }
        if (loop.step != nullptr) {
            const coded_t* updates = loop.next != nullptr ? beside_of(*loop.step, *loop.next)->by_codes : loop.step->kernels->alone;
            const Step& other = loop.next != nullptr ? *loop.next : *loop.step;
            const Coded rows = {codes, program.base, table, program.stride};
            updates[sizeof(Code) >> 1](*loop.step, other, area.views, area.states, rows, row, count);
            continue;
        }
        if constexpr (sizeof(Code) <= 2) {   // `go_by_codes` has words by no others
            const uint8_t* values[RUN_WORDS][2] = {};
            loop.aim_values(area.views, row, values);
            run_codes_kernel<Code>(loop.n_words, loop.digits())(area.states + loop.offset, table, program.stride, codes, values, count);
        }
    }
    return true;
}

// Whether all loops can go by targets, too.
inline bool go_by_targets(const std::vector<Loop>& loops) {
    for (const Loop& loop : loops) if (loop.pairs != nullptr) return false;
    return !loops.empty();
}

inline bool run_loops(const std::vector<Loop>& loops, const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count, bool scattered) {
    for (const Loop& loop : loops) {
        if (!loop.run(views, states, target, row, count, scattered)) return false;
    }
    return true;
}

constexpr int AHEAD_ROWS = 64;   // between asking for a state and adding to it
constexpr int BURST_ROWS = 32;   // whose states are asked for together

// The states of rows that are added later.
inline void ask_for_states(const Program& program, const uint8_t* states, const uint32_t* targets, int count) {
    for (int lane = 0; lane < count; ++lane) {
        const uint8_t* state = states + 8 * (size_t)targets[lane];
        prefetch_to_write(state);
        if (program.stride > 64) prefetch_to_write(state + 64);
    }
}

// Rows that lack nothing, from `row` on, whose states are far: asked for well before rows are added, so that many misses of the cache
// are under way at a time. The targets of the first `n_aimed` rows are known, of which those of AHEAD_ROWS have been asked for.
inline bool run_in_bursts(const Program& program, const std::vector<Loop>& loops, const View* views, uint8_t* states, const uint32_t* target,
                          int64_t row, int count, int n_aimed, bool scattered) {
    for (int first = 0; first < count; first += BURST_ROWS) {
        const int some = count - first < BURST_ROWS ? count - first : BURST_ROWS, left = n_aimed - first - AHEAD_ROWS;
        if (left > 0) ask_for_states(program, states, target + first + AHEAD_ROWS, left < some ? left : some);
        if (!run_loops(loops, views, states, target + first, row + first, some, scattered)) return false;
    }
    return true;
}

template <typename Code>
bool update_rows(const Program& program, const Area& area, int64_t start, int64_t stop) {
    const std::vector<Loop> loops = plan_loops(program);
    const bool by_codes = go_by_codes<Code>(program, loops), by_targets = go_by_targets(loops);
    uint32_t group[STEP_ROWS], target[RUN_ROWS];
    for (int64_t run = start; run < stop; run += RUN_ROWS) {
        const int n_run = (int)(stop - run < RUN_ROWS ? stop - run : RUN_ROWS);
        const bool whole = (by_codes || by_targets) && !run_lacks(program, area.views, run, n_run);
        if (whole && by_codes && run_by_codes<Code>(program, loops, area, run, n_run)) continue;
        const bool direct = whole && by_targets;
        for (int first = 0; first < n_run; first += STEP_ROWS) {
            const int count = n_run - first < STEP_ROWS ? n_run - first : STEP_ROWS;
            aim<Code>(program, run + first, count, group, target + first);
            if (direct) continue;
            if (program.prefetch) for (int lane = 0; lane < count; ++lane) __builtin_prefetch(area.states + 8 * (size_t)target[first + lane], 1);
            if (!update_block(program, area.views, area, group, target + first, run + first, count, false)) return false;
        }
        if (!direct) continue;
        if (!program.far || is_clustered(target, n_run)) {
            if (!run_loops(loops, area.views, area.states, target, run, n_run, false)) return false;
            continue;
        }
        ask_for_states(program, area.states, target, n_run < AHEAD_ROWS ? n_run : AHEAD_ROWS);
        if (!run_in_bursts(program, loops, area.views, area.states, target, run, n_run, n_run, false)) return false;
    }
    return true;
}

// Over rows.
template <typename Code>
int update_slices(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Program& program = *((const Bound*)raw)->program;
    const Area area = slice_area(program, slice);
    begin_slice(program, area);
    return update_rows<Code>(program, area, start, stop) && end_slice(program, area, false) ? OK : OVERFLOW_;
}

}  // namespace ff
