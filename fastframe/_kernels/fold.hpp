// Aggregation of values that a program of steps (fused.hpp) makes block by block, so that no column of them is ever there.
//
// What `reduce_slices` and `update_slices` do in one call, in three: a slice begins, takes its blocks one after the other, and
// ends. Slices, states and additions are those of the one call, in its order, so results have the same bits; blocks begin
// at multiples of REDUCED_ROWS from the start of the slice, or the lanes of extremes would meet other rows.
#pragma once
#include "program_runs.hpp"
#include "reduce.hpp"

namespace ff {

// Followed in memory by the views of the program's inputs. Each thread has a copy of its own, into which the addresses of
// its blocks are put.
struct Fold {
    const Program* program;   // in

    const View* views() const { return (const View*)(this + 1); }
};

inline Area fold_area(const Fold& fold, int64_t slice) {
    Area area = slice_area(*fold.program, slice);
    area.views = fold.views();
    return area;
}

// Over rows of a slice, before its blocks.
inline int begin_fold(void* raw, int64_t, int64_t, int64_t slice) {
    const Program& program = *((const Fold*)raw)->program;
    begin_slice(program, slice_area(program, slice));
    return OK;
}

// Over rows of a block.
template <bool (*TAKE)(const Program&, const Area&, int64_t start, int64_t stop)>
int fold_rows(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Fold& fold = *(const Fold*)raw;
    return TAKE(*fold.program, fold_area(fold, slice), start, stop) ? OK : OVERFLOW_;
}

// Over rows of a slice, after its blocks.
template <bool REDUCED>
int end_fold(void* raw, int64_t, int64_t, int64_t slice) {
    const Program& program = *((const Fold*)raw)->program;
    return end_slice(program, slice_area(program, slice), REDUCED) ? OK : OVERFLOW_;
}

}  // namespace ff
