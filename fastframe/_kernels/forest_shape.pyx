"""Facts of a forest's trees as wholes; see ``forest_shape.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uintptr_t

cdef extern from "forest_shape.hpp" namespace "ff" nogil:
    cdef struct CForestShape "ff::ForestShape":
        const int64_t* tree_start
        const int32_t* feature
        const int32_t* left
        const int32_t* right
        int64_t n_trees

    bint has_sound_children(const CForestShape& forest) except +
    int64_t nodes_taken_both_ways(const CForestShape& forest, uint8_t* visited)
    void depths_of_trees(const CForestShape& forest, int32_t* out) except +

cdef extern from "forest_aim.hpp" namespace "ff" nogil:
    cdef struct CForestAim "ff::ForestAim":
        CForestShape shape
        const int32_t* rank
        const int32_t* category_set
        const int64_t* set_start
        const uint32_t* set_words
        const uint8_t* kind
        const int32_t* last
        int64_t n_features
        uint8_t* visited
        int32_t* low
        int32_t* high

    int64_t aim_rows(const CForestAim& aim, int64_t n_rows) except +


cdef CForestShape shape_of(tuple forest):
    cdef CForestShape shape
    shape.tree_start = <const int64_t*><uintptr_t>forest[0]   # IN
    shape.feature = <const int32_t*><uintptr_t>forest[1]      # IN
    shape.left = <const int32_t*><uintptr_t>forest[2]         # IN
    shape.right = <const int32_t*><uintptr_t>forest[3]        # IN
    shape.n_trees = forest[4]
    return shape


def sound_children(tuple forest):
    """Whether every node's children are in range, and have one parent. ``forest``: tree_start (checked), feature, left, right, n_trees."""
    cdef CForestShape shape = shape_of(forest)
    cdef bint sound
    with nogil:
        sound = has_sound_children(shape)
    return sound


def depths(tuple forest, uintptr_t out):
    """Each tree's depth, int32; the forest's children are sound."""
    cdef CForestShape shape = shape_of(forest)
    with nogil:
        depths_of_trees(shape, <int32_t*>out)


def both_ways(tuple forest, uintptr_t visited):
    """How many inner nodes sent rows to both sides; fills ``visited`` (uint8 by node), which has 1 for leaves where rows ended."""
    cdef CForestShape shape = shape_of(forest)
    cdef int64_t both
    with nogil:
        both = nodes_taken_both_ways(shape, <uint8_t*>visited)
    return both


def aim(tuple forest, tuple nodes, tuple features, tuple out, *, int64_t n_rows):
    """Boxes of up to ``n_rows`` rows that reach new leaves; how many were made. See ``forest_aim.hpp``.

    ``nodes``: rank, category_set, set_start, set_words; ``features``: kind, last, how many; ``out``: visited, low, high.
    """
    cdef CForestAim ctx
    cdef int64_t made
    ctx.shape = shape_of(forest)
    ctx.rank = <const int32_t*><uintptr_t>nodes[0]           # IN
    ctx.category_set = <const int32_t*><uintptr_t>nodes[1]   # IN
    ctx.set_start = <const int64_t*><uintptr_t>nodes[2]      # IN
    ctx.set_words = <const uint32_t*><uintptr_t>nodes[3]     # IN
    ctx.kind = <const uint8_t*><uintptr_t>features[0]        # IN
    ctx.last = <const int32_t*><uintptr_t>features[1]        # IN
    ctx.n_features = features[2]
    ctx.visited = <uint8_t*><uintptr_t>out[0]                # IN, OUT
    ctx.low = <int32_t*><uintptr_t>out[1]                    # OUT
    ctx.high = <int32_t*><uintptr_t>out[2]                   # OUT
    with nogil:
        made = aim_rows(ctx, n_rows)
    return made
