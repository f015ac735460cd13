// The plan by shares, for many groups: threads share the groups, not the rows.
//
// Each share of the groups owns its states. Its thread looks at all codes, picks the rows of its groups, gathers a block of their
// values into the first-level cache, and updates that block. States are asked for well before their rows are added, so that many
// misses of the cache are under way at a time. A group's rows stay in row order, so neither the number of shares nor the choice
// between this plan and the one by partitions (program_partitions.hpp) decides a bit.
#pragma once
#include "program_partitions.hpp"

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace ff {

// Rows of a share that wait to be added; so many more are picked than are added that states can be asked for before.
struct Picked {
    static constexpr int MOST = 2 * STEP_ROWS + AHEAD_ROWS + 4;   // four are written at a time

    row_t rows[MOST];
    uint32_t groups[MOST];    // of the share
    uint32_t targets[MOST];
    int n = 0;

    void pick(int64_t row, uint32_t group, uint32_t n_groups) {
        rows[n] = (row_t)row;
        groups[n] = group;
        n += group < n_groups;
    }
    void aim(int first, uint32_t words) {
        for (int lane = first; lane < n; ++lane) targets[lane] = groups[lane] * words;
    }
    void drop(int count) {
        n -= count;
        memmove(rows, rows + count, (size_t)n * sizeof(row_t));
        memmove(groups, groups + count, (size_t)n * sizeof(uint32_t));
        memmove(targets, targets + count, (size_t)n * sizeof(uint32_t));
    }
};

#if defined(__SSE4_2__)
// Per set of four lanes, the bytes that bring these lanes to the front.
struct FrontLanes {
    alignas(16) uint8_t bytes[16][16];

    constexpr FrontLanes() : bytes() {
        for (int set = 0; set < 16; ++set) {
            int front = 0;
            for (int lane = 0; lane < 4; ++lane) {
                if ((set >> lane & 1) == 0) continue;
                for (int byte = 0; byte < 4; ++byte) bytes[set][4 * front + byte] = (uint8_t)(4 * lane + byte);
                ++front;
            }
        }
    }
};

// Rows whose codes of four bytes are of the share, four at a time: 1 cycle a row in place of 3.
inline void pick_fours(const uint8_t* codes, uint32_t base, int64_t row, int count, uint32_t first_group, uint32_t n_groups, Picked& picked) {
    static constexpr FrontLanes front;
    const __m128i code_base = _mm_set1_epi32((int)base), first = _mm_set1_epi32((int)first_group), last = _mm_set1_epi32((int)(n_groups - 1));
    const __m128i lanes = _mm_setr_epi32(0, 1, 2, 3);
    int lane = 0;
    for (; lane + 4 <= count; lane += 4) {
        const __m128i code = _mm_sub_epi32(_mm_loadu_si128((const __m128i*)(codes + (row + lane) * 4)), code_base);
        const __m128i group = _mm_sub_epi32(code, first);
        const int set = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(_mm_min_epu32(group, last), group)));
        const __m128i order = _mm_load_si128((const __m128i*)front.bytes[set]);
        const __m128i rows = _mm_add_epi32(lanes, _mm_set1_epi32((int)(row + lane)));
        _mm_storeu_si128((__m128i*)(picked.rows + picked.n), _mm_shuffle_epi8(rows, order));
        _mm_storeu_si128((__m128i*)(picked.groups + picked.n), _mm_shuffle_epi8(group, order));
        picked.n += __builtin_popcount((unsigned)set);
    }
    for (; lane < count; ++lane) {
        picked.pick(row + lane, load<uint32_t>(codes, row + lane) - base - first_group, n_groups);
    }
}
#endif

// The rows of a block whose codes are of the share.
template <typename Code>
inline void pick_rows(const uint8_t* codes, uint32_t base, int64_t row, int count, uint32_t first_group, uint32_t n_groups, Picked& picked) {
#if defined(__SSE4_2__)
    if constexpr (sizeof(Code) == 4) return pick_fours(codes, base, row, count, first_group, n_groups, picked);
#endif
    for (int lane = 0; lane < count; ++lane) {
        picked.pick(row + lane, load<Code>(codes, row + lane) - base - first_group, n_groups);
    }
}

// The first `count` picked rows, at most STEP_ROWS.
inline bool add_picked(const Program& program, const std::vector<Loop>& loops, const Picked& picked, int count, Unpacked& unpacked, const Area& area) {
    unpacked.gather_rows(program, picked.rows, count);
    const View* views = unpacked.views.data();
    const uint32_t* targets = picked.targets;
    if (loops.empty() || run_lacks(program, views, 0, count)) {
        ask_for_states(program, area.states, targets + AHEAD_ROWS, count);
        return update_block(program, views, area, picked.groups, targets, 0, count, true);
    }
    if (is_clustered(targets, count)) return run_loops(loops, views, area.states, targets, 0, count, true);
    return run_in_bursts(program, loops, views, area.states, targets, 0, count, count + AHEAD_ROWS, true);
}

template <typename Code>
bool add_share(const Program& program, uint32_t first_group, const std::vector<Loop>& loops, Unpacked& unpacked, const Area& area) {
    const uint32_t n_groups = (uint32_t)area.n_groups, words = (uint32_t)(program.stride / 8);
    const int64_t n_rows = program.n_rows;
    Picked picked;
    for (int64_t row = 0; row < n_rows; row += STEP_ROWS) {
        const int count = (int)(n_rows - row < STEP_ROWS ? n_rows - row : STEP_ROWS), before = picked.n;
        pick_rows<Code>(program.codes, program.base, row, count, first_group, n_groups, picked);
        picked.aim(before, words);
        if (picked.n < STEP_ROWS + AHEAD_ROWS) continue;
        if (!add_picked(program, loops, picked, STEP_ROWS, unpacked, area)) return false;
        picked.drop(STEP_ROWS);
    }
    while (picked.n > 0) {
        const int count = picked.n < STEP_ROWS ? picked.n : STEP_ROWS;
        memset(picked.targets + picked.n, 0, AHEAD_ROWS * sizeof(uint32_t));   // no rows come after them
        if (!add_picked(program, loops, picked, count, unpacked, area)) return false;
        picked.drop(count);
    }
    return true;
}

// Over shares from `first_share` on, each of `share_groups` groups, a multiple of 512.
template <typename Code>
int update_shares(void* raw, int64_t start, int64_t stop, int64_t) {
    const Program& program = *((const Bound*)raw)->program;
    const int64_t n_states = program.share_groups + SPARE_SLOTS, n_counted = program.n_counted;
    try {
        Unpacked unpacked(program);
        std::vector<Loop> loops = plan_loops(program);
        if (!go_by_targets(loops)) loops.clear();
        for (int64_t share = start; share < stop; ++share) {
            const int64_t first = (program.first_share + share) * program.share_groups, left = program.n_groups - first;
            const Area area = {program.states + share * n_states * program.stride, program.missing + share * n_states * n_counted,
                               program.touched + share * n_counted, left < program.share_groups ? left : program.share_groups};
            init_states(program, area.states, area.n_states());
            memset(area.touched, 0, (size_t)n_counted);
            if (!add_share<Code>(program, (uint32_t)first, loops, unpacked, area)) return OVERFLOW_;
            const int status = emit_area(program, first, area);
            if (status != OK) return status;
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

}  // namespace ff
