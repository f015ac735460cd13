// The plan by shares, for many groups whose states all stay in the third-level cache: threads share the groups, not the rows.
//
// Each share of the groups owns its states. Its thread looks at all codes, picks the rows of its groups, puts a block of them as
// records into the first-level cache, and adds that block as the plan by partitions does (program_partitions.hpp): a group's rows
// stay in row order, so neither the number of shares nor the choice between the two plans decides a bit.
#pragma once
#include "program_partitions.hpp"

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace ff {

struct Picked {
    row_t rows[2 * STEP_ROWS + 4];   // four are written at a time
    uint32_t codes[2 * STEP_ROWS + 4];
    int n = 0;

    void pick(int64_t row, uint32_t code, bool is_of_share) {
        rows[n] = (row_t)row;
        codes[n] = code;
        n += is_of_share;
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
        _mm_storeu_si128((__m128i*)(picked.codes + picked.n), _mm_shuffle_epi8(code, order));
        picked.n += __builtin_popcount((unsigned)set);
    }
    for (; lane < count; ++lane) {
        const uint32_t code = load<uint32_t>(codes, row + lane) - base;
        picked.pick(row + lane, code, code - first_group < n_groups);
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
        const uint32_t code = load<Code>(codes, row + lane) - base;
        picked.pick(row + lane, code, code - first_group < n_groups);
    }
}

// The first `count` picked rows, at most STEP_ROWS, as records that lie after one another.
inline void copy_picked(const Program& program, const Picked& picked, int count, uint8_t* buffer) {
    for (int first = 0; first < count; first += SCATTER_ROWS) {
        const int some = count - first < SCATTER_ROWS ? count - first : SCATTER_ROWS;
        uint8_t* records[SCATTER_ROWS];
        for (int lane = 0; lane < some; ++lane) records[lane] = buffer + (first + lane) * program.record_bytes;
        fill_records(program, picked.rows + first, picked.codes + first, some, records);
    }
}

template <typename Code>
bool add_share(const Program& program, uint32_t first_group, int64_t n_rows, uint8_t* buffer, Unpacked& unpacked, const Area& area) {
    const uint32_t n_groups = (uint32_t)area.n_groups;
    Picked picked;
    for (int64_t row = 0; row < n_rows; row += STEP_ROWS) {
        const int count = (int)(n_rows - row < STEP_ROWS ? n_rows - row : STEP_ROWS);
        pick_rows<Code>(program.codes, program.base, row, count, first_group, n_groups, picked);
        if (picked.n < STEP_ROWS) continue;
        copy_picked(program, picked, STEP_ROWS, buffer);
        if (!add_block(program, first_group, buffer, STEP_ROWS, unpacked, area)) return false;
        picked.n -= STEP_ROWS;
        memcpy(picked.rows, picked.rows + STEP_ROWS, (size_t)picked.n * sizeof(row_t));
        memcpy(picked.codes, picked.codes + STEP_ROWS, (size_t)picked.n * sizeof(uint32_t));
    }
    copy_picked(program, picked, picked.n, buffer);
    return picked.n == 0 || add_block(program, first_group, buffer, picked.n, unpacked, area);
}

// Over shares, each of `share_groups` groups, a multiple of 512.
template <typename Code>
int update_shares(void* raw, int64_t start, int64_t stop, int64_t) {
    const Program& program = *((const Bound*)raw)->program;
    const int64_t n_states = program.share_groups + SPARE_SLOTS, n_counted = program.n_counted;
    try {
        std::vector<uint8_t> buffer((size_t)(STEP_ROWS * program.record_bytes));
        Unpacked unpacked(program);
        for (int64_t share = start; share < stop; ++share) {
            const int64_t first = share * program.share_groups, left = program.n_groups - first;
            const Area area = {program.states + share * n_states * program.stride, program.missing + share * n_states * n_counted,
                               program.touched + share * n_counted, left < program.share_groups ? left : program.share_groups};
            init_states(program, area.states, area.n_states());
            memset(area.touched, 0, (size_t)n_counted);
            if (!add_share<Code>(program, (uint32_t)first, program.n_rows, buffer.data(), unpacked, area)) return OVERFLOW_;
            const int status = emit_area(program, first, area);
            if (status != OK) return status;
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

}  // namespace ff
