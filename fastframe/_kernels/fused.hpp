// A program: kernels run one after another over blocks of rows that stay in the cache, so that what lies between them is
// never as long as a column.
//
// The steps are the very kernels that run over whole columns otherwise, with their contexts, so nothing is computed in
// two ways. Only addresses of temporaries differ: before a step runs, each is patched into a copy of its context such that
// the block's first row falls on the start of the temporary in this slice's scratch. The idea is that of numexpr's virtual
// machine (Cooke, Alted: https://github.com/pydata/numexpr) and of vectorised query engines (Boncz et al., "MonetDB/X100", 2005).
#pragma once
#include <cstdlib>

#include "kernel.hpp"

namespace ff {

struct ProgramStep {
    kernel_t kernel;         // in
    int64_t context;         // in   where its context starts among the contexts
    int64_t first_patch;     // in
    int64_t beyond_patch;    // in
};

// An address of a temporary in a context.
struct ProgramPatch {
    int64_t place;           // in   of the address, among the contexts
    int64_t base;            // in   of the temporary, in the scratch
    int64_t bits_per_row;    // in   of the temporary
};

// Followed in memory by the steps, the patches and the contexts, each at the offset that is told here.
struct Program {
    int64_t n_steps;         // in
    int64_t n_before;        // in   of them, the first: run once, over all rows of the slice, before the blocks
    int64_t n_after;         // in   the last: likewise, after the blocks
    int64_t steps;           // in
    int64_t patches;         // in
    int64_t contexts;        // in
    int64_t context_bytes;   // in
    int64_t scratch_bytes;   // in
    int64_t block_rows;      // in   a multiple of 512
};

inline int run_blocks(const Program& program, uint8_t* contexts, uint8_t* scratch, int64_t start, int64_t stop, int64_t slice) {
    const uint8_t* base = (const uint8_t*)&program;
    const ProgramStep* steps = (const ProgramStep*)(base + program.steps);
    const ProgramPatch* patches = (const ProgramPatch*)(base + program.patches);
    for (int64_t first = start; first < stop; first += program.block_rows) {
        const int64_t beyond = stop - first < program.block_rows ? stop : first + program.block_rows;
        for (int64_t at = program.n_before; at < program.n_steps - program.n_after; ++at) {
            const ProgramStep& step = steps[at];
            for (int64_t patch = step.first_patch; patch < step.beyond_patch; ++patch) {
                const ProgramPatch& one = patches[patch];
                const uintptr_t row_0 = (uintptr_t)scratch + (uintptr_t)one.base - (uintptr_t)(first / 8 * one.bits_per_row);
                memcpy(contexts + one.place, &row_0, sizeof(row_0));
            }
            const int status = step.kernel(contexts + step.context, first, beyond, slice);
            if (status != OK) return status;
        }
    }
    return OK;
}

inline int run_once(const Program& program, uint8_t* contexts, int64_t first_step, int64_t beyond_step, int64_t start, int64_t stop, int64_t slice) {
    const ProgramStep* steps = (const ProgramStep*)((const uint8_t*)&program + program.steps);
    int status = OK;
    for (int64_t at = first_step; at < beyond_step && status == OK; ++at) status = steps[at].kernel(contexts + steps[at].context, start, stop, slice);
    return status;
}

// The status of a failing step; which step of which row fails first over all rows, only the steps one by one can tell.
inline int run_program(void* context, int64_t start, int64_t stop, int64_t slice) {
    const Program& program = *(const Program*)context;
    uint8_t* memory = (uint8_t*)std::aligned_alloc(64, (size_t)(program.context_bytes + program.scratch_bytes));   // multiples of 64
    if (memory == nullptr) return OUT_OF_MEMORY;
    memcpy(memory, (const uint8_t*)context + program.contexts, (size_t)program.context_bytes);
    int status = run_once(program, memory, 0, program.n_before, start, stop, slice);
    if (status == OK) status = run_blocks(program, memory, memory + program.context_bytes, start, stop, slice);
    if (status == OK) status = run_once(program, memory, program.n_steps - program.n_after, program.n_steps, start, stop, slice);
    std::free(memory);
    return status;
}

}  // namespace ff
