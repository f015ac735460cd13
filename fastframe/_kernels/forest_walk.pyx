"""Tasks that pack forests for walking, and walk them; see ``forest_walk.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "forest_pack.hpp" namespace "ff" nogil:
    cdef struct CTree "ff::WalkTree":
        pass
    cdef struct CPack "ff::WalkPack":
        const int64_t* tree_start
        const int32_t* left
        const int32_t* right
        const int32_t* column
        const uint32_t* threshold
        const uint8_t* category
        const int32_t* output
        int64_t* n_places
        const int64_t* first
        CTree* trees
        uint8_t* nodes

    kernel_t pack_kernel(int form)

cdef extern from "forest_sums.hpp" namespace "ff" nogil:
    cdef cppclass Front:
        pass
    cdef cppclass FrontColumn:
        pass
    cdef struct CSource "ff::WalkSource":
        const Front* front
        const FrontColumn* columns
        const int32_t* column
        const int32_t* partner
        const uint8_t* is_class
        int64_t n_first
        int64_t n_all
        int32_t side
        int32_t coded
    cdef struct CTrees "ff::WalkTrees":
        const uint8_t* nodes
        const CTree* trees
        int64_t n_trees
        int64_t node_bytes
        const uint32_t* set_words

    cdef struct CTile "ff::WalkTile":
        pass
    ctypedef void (*enter_tree_t)(const CTree&, const CTile&, uint32_t*)
    ctypedef void (*walk_tree_t)(const CTrees&, const CTree&, const CTile&, uint32_t*)

    cdef struct CWalk "ff::Walk":
        CTrees forest
        enter_tree_t enter
        walk_tree_t walk
        CSource source
        int32_t stages
        int64_t block_rows
        const uint8_t* values
        const uint8_t* base
        int64_t width
        int64_t n_outputs
        double divide
        int64_t every
        const int32_t* leaf_id
        uint8_t* out
    cdef struct CLinear "ff::LinearSums":
        const int32_t* leaf
        const double* matrix
        const double* plain
        const double* constant
        const int32_t* term_start
        const int32_t* feature
        const double* coefficient
        const int32_t* tree_output
        const double* base
        int64_t n_trees
        int64_t n_features
        int64_t n_outputs
        int64_t every
        int64_t n_stages
        double divide
        double* out

    enter_tree_t enter_of(bint categories)
    walk_tree_t walk_of_form(int form, bint categories)
    kernel_t walk_kernel(bint leaves, bint narrow)
    kernel_t linear_kernel()

TREE_BYTES = sizeof(CTree)
SMALL, MEDIUM, LARGE = 0, 1, 2   # WalkForm
NODE_BYTES = (8, 8, 16)


cdef CPack _pack(tuple forest):
    cdef CPack ctx
    ctx.tree_start = <const int64_t*><uintptr_t>forest[0]
    ctx.left = <const int32_t*><uintptr_t>forest[1]
    ctx.right = <const int32_t*><uintptr_t>forest[2]
    ctx.column = <const int32_t*><uintptr_t>forest[3]
    ctx.threshold = <const uint32_t*><uintptr_t>forest[4]
    ctx.category = <const uint8_t*><uintptr_t>forest[5]
    ctx.output = <const int32_t*><uintptr_t>forest[6]
    ctx.n_places = NULL
    ctx.first = NULL
    ctx.trees = NULL
    ctx.nodes = NULL
    return ctx


def count_places(int form, tuple forest, uintptr_t n_places, *, keep_alive):
    """Over trees: places of its nodes. ``forest``: tree_start, left, right, column, threshold, category (or 0), tree_output."""
    cdef CPack ctx = _pack(forest)                   # IN
    ctx.n_places = <int64_t*>n_places                # OUT
    return Task.make(pack_kernel(form), &ctx, sizeof(ctx), keep_alive)


def pack(int form, tuple forest, uintptr_t first, uintptr_t trees, uintptr_t nodes, *, keep_alive):
    """Over trees: its nodes from place ``first`` on, and its entry of ``trees``."""
    cdef CPack ctx = _pack(forest)                   # IN
    ctx.first = <const int64_t*>first                # IN
    ctx.trees = <CTree*>trees                         # OUT
    ctx.nodes = <uint8_t*>nodes                      # OUT
    return Task.make(pack_kernel(form), &ctx, sizeof(ctx), keep_alive)


cdef CWalk _walk(tuple packed, tuple source) except *:
    cdef CWalk ctx
    cdef int form = packed[0]
    cdef bint categories = packed[5]
    ctx.forest.nodes = <const uint8_t*><uintptr_t>packed[1]
    ctx.forest.trees = <const CTree*><uintptr_t>packed[2]
    ctx.forest.n_trees = packed[3]
    ctx.forest.node_bytes = NODE_BYTES[form]
    ctx.forest.set_words = <const uint32_t*><uintptr_t>packed[4]
    ctx.enter = enter_of(categories)
    ctx.walk = walk_of_form(form, categories)
    ctx.source.front = <const Front*><uintptr_t>source[0]
    ctx.source.columns = <const FrontColumn*><uintptr_t>source[1]
    ctx.source.column = <const int32_t*><uintptr_t>source[2]
    ctx.source.partner = <const int32_t*><uintptr_t>source[3]
    ctx.source.is_class = <const uint8_t*><uintptr_t>source[4]
    ctx.source.n_first, ctx.source.n_all, ctx.source.side, ctx.source.coded = source[5], source[6], source[7], source[8]
    ctx.block_rows = source[9]
    ctx.stages = 0
    ctx.values = ctx.base = NULL
    ctx.width = ctx.n_outputs = 0
    ctx.divide = 0
    ctx.every = 1
    ctx.leaf_id = NULL
    return ctx


def sums(tuple packed, tuple source, tuple values, uintptr_t out, *, bint narrow, double divide, int64_t every, keep_alive):
    """Over rows: sums of leaves; ``every``: 0, or stages after so many trees, undivided.

    ``packed``: form, nodes, trees, n_trees, set words, whether there are category nodes. ``source``: front, columns, columns
    and partners of planes, whether they hold classes, numbers of first and of all columns, side, whether the front gives codes;
    rows of a block. ``values``: of leaves, base, width, n_outputs.
    """
    cdef CWalk ctx = _walk(packed, source)           # IN
    ctx.values = <const uint8_t*><uintptr_t>values[0]   # IN
    ctx.base = <const uint8_t*><uintptr_t>values[1]     # IN
    ctx.width = values[2]
    ctx.n_outputs = values[3]
    ctx.divide = divide
    ctx.stages = every != 0
    ctx.every = every if every else 1
    ctx.out = <uint8_t*>out                          # OUT
    return Task.make(walk_kernel(False, narrow), &ctx, sizeof(ctx), keep_alive)


def leaves(tuple packed, tuple source, uintptr_t leaf_id, uintptr_t out, *, keep_alive):
    """Over rows: the leaf in each tree, int32; by its ``leaf_id``, or its number in the forest where that is 0."""
    cdef CWalk ctx = _walk(packed, source)           # IN
    ctx.leaf_id = <const int32_t*>leaf_id            # IN
    ctx.out = <uint8_t*>out                          # OUT
    return Task.make(walk_kernel(True, False), &ctx, sizeof(ctx), keep_alive)


def linear_sums(tuple linear, tuple rows, tuple shape, uintptr_t out, *, double divide, keep_alive):
    """Over rows: sums of linear leaves.

    ``linear``: plain values, constants, starts of terms, features, coefficients, outputs of trees, base. ``rows``: numbers of
    leaves, matrix. ``shape``: n_trees, n_features, n_outputs, every, n_stages.
    """
    cdef CLinear ctx
    ctx.plain = <const double*><uintptr_t>linear[0]           # IN
    ctx.constant = <const double*><uintptr_t>linear[1]        # IN
    ctx.term_start = <const int32_t*><uintptr_t>linear[2]     # IN
    ctx.feature = <const int32_t*><uintptr_t>linear[3]        # IN
    ctx.coefficient = <const double*><uintptr_t>linear[4]     # IN
    ctx.tree_output = <const int32_t*><uintptr_t>linear[5]    # IN
    ctx.base = <const double*><uintptr_t>linear[6]            # IN
    ctx.leaf = <const int32_t*><uintptr_t>rows[0]             # IN
    ctx.matrix = <const double*><uintptr_t>rows[1]            # IN
    ctx.n_trees, ctx.n_features, ctx.n_outputs, ctx.every, ctx.n_stages = shape
    ctx.divide = divide
    ctx.out = <double*>out                                    # OUT
    return Task.make(linear_kernel(), &ctx, sizeof(ctx), keep_alive)
