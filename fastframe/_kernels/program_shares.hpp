// The plan by shares, for many groups whose states all stay in the third-level cache: threads share the groups, not the rows.
//
// Each share of the groups owns its states. Its thread looks at all codes, picks the rows of its groups, puts a block of them as
// records into the first-level cache, and adds that block as the plan by partitions does (program_partitions.hpp): a group's rows
// stay in row order, so neither the number of shares nor the choice between the two plans decides a bit.
#pragma once
#include "program_partitions.hpp"

namespace ff {

struct Picked {
    row_t rows[2 * STEP_ROWS];
    uint32_t codes[2 * STEP_ROWS];
    int n = 0;
};

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
        int n_picked = picked.n;
        for (int lane = 0; lane < count; ++lane) {
            const uint32_t code = load<Code>(program.codes, row + lane) - program.base;
            picked.rows[n_picked] = (row_t)(row + lane);
            picked.codes[n_picked] = code;
            n_picked += code - first_group < n_groups;
        }
        picked.n = n_picked;
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
