"""The bit-sliced engine's task; see ``forest_sliced.hpp``. Addresses are ints."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "forest_sliced.hpp" namespace "ff" nogil:
    cdef struct CFront "ff::Front":
        pass
    cdef struct CFrontColumn "ff::FrontColumn":
        pass
    cdef struct CSlicedTree "ff::SlicedTree":
        pass
    cdef struct CSlicedSet "ff::SlicedSet":
        pass
    cdef struct CSliced "ff::Sliced":
        const CFront* front
        const CFrontColumn* columns
        const CSlicedTree* trees
        const uint16_t* planes
        const int8_t* thresholds
        const uint8_t* more
        const uint16_t* children
        const CSlicedSet* sets
        const uint8_t* values
        const uint8_t* base
        uint8_t* out
        int64_t n_trees
        int64_t most_sets
        int64_t n_outputs
        int64_t width
        double divide
        int64_t wide

    int SLICED_ROWS
    int SLICED_PLACE
    int SLICED_LEAVES
    int SLICED_STRAIGHT
    bint has_wide_lanes()
    int sliced_sums32 "ff::sliced_sums<float>"(void*, int64_t, int64_t, int64_t)
    int sliced_sums64 "ff::sliced_sums<double>"(void*, int64_t, int64_t, int64_t)


ROWS, PLACE, LEAVES, STRAIGHT = SLICED_ROWS, SLICED_PLACE, SLICED_LEAVES, SLICED_STRAIGHT
HAS_WIDE = bool(has_wide_lanes())
assert sizeof(CSlicedTree) == 64 and sizeof(CSlicedSet) == 36


def sums(
    uintptr_t front, uintptr_t columns, uintptr_t out, *, tuple arrays, tuple counts, double divide, int value_bytes, bint wide, keep_alive,
):
    """Over rows: the sums of a forest. ``arrays``: trees, planes, thresholds, more, children, sets, values, base; ``counts``:
    trees, most sets of one, outputs, width. ``wide`` may be asked for only where `HAS_WIDE`."""
    cdef CSliced ctx
    ctx.front = <const CFront*>front                                  # IN
    ctx.columns = <const CFrontColumn*>columns                        # IN
    ctx.trees = <const CSlicedTree*><uintptr_t>arrays[0]              # IN
    ctx.planes = <const uint16_t*><uintptr_t>arrays[1]                # IN
    ctx.thresholds = <const int8_t*><uintptr_t>arrays[2]              # IN
    ctx.more = <const uint8_t*><uintptr_t>arrays[3]                   # IN
    ctx.children = <const uint16_t*><uintptr_t>arrays[4]              # IN
    ctx.sets = <const CSlicedSet*><uintptr_t>arrays[5]                # IN
    ctx.values = <const uint8_t*><uintptr_t>arrays[6]                 # IN
    ctx.base = <const uint8_t*><uintptr_t>arrays[7]                   # IN
    ctx.out = <uint8_t*>out                                           # OUT
    ctx.n_trees, ctx.most_sets, ctx.n_outputs, ctx.width = counts
    ctx.divide = divide
    ctx.wide = wide and has_wide_lanes()
    cdef kernel_t kernel = sliced_sums32 if value_bytes == 4 else sliced_sums64
    return Task.make(kernel, &ctx, sizeof(ctx), keep_alive)
