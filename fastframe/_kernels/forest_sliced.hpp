// The bit-sliced engine: every node of a tree compared for many rows at once, and the leaf chosen without a branch.
//
// A tile is 128 rows of codes (forest_planes.hpp), one byte each, plane by plane, rising and falling. A node is one comparison of a plane with a
// byte: a mask of bytes, all of whose bits say whether that row goes left. From the leaves up, each node then chooses between
// the leaf numbers that its children found, `mask ? left : right`, so that the root's are the rows' leaves: two instructions
// for 32 rows and node, no branch and no gather. Values of up to 64 leaves are looked up by byte shuffles, byte by byte of the
// value, and added in the order of trees: no sum is rounded in another way than the native library's.
//
// Known: comparing with all nodes of a tree by SIMD and then choosing (QuickScorer, Lucchese et al. 2015; RapidScorer, Ye et
// al. 2018), which find the leaf from bit vectors; ranks for values (CatBoost). Choosing numbers upwards is our own.
#pragma once
#include <cstdlib>

#include "cpu.hpp"
#include "forest_lanes.hpp"
#include "forest_planes.hpp"

namespace ff {

constexpr int SLICED_ROWS = 128;      // rows of a tile
constexpr int SLICED_PLACE = 8;       // unit of a node's plane in a tile, which may have 65,535 of them
constexpr int SLICED_LEAVES = 256;    // of a tree, at most
constexpr int SLICED_STRAIGHT = 6;    // height of the highest perfect tree that is one piece of code
constexpr int64_t SLICED_NEAR = 28 << 10;   // bytes of tiles and sums that wait for a tree's turn together: half of the first-level cache
static const uint8_t SLICED_BITS[16] = {1, 2, 4, 8, 16, 32, 64, 128};

struct SlicedTree {
    int64_t first_node;      // in planes and thresholds
    int64_t first_child;     // in children
    int64_t values;          // in bytes: where its leaves' values start, width times `value_bytes`
    int64_t first_set;
    int32_t value_bytes;
    int32_t n_sets;
    int32_t height;          // of a perfect tree; 0: any shape
    int32_t n_pairs;         // runs that begin with two leaves; any shape
    int32_t n_forks;         // runs that begin with none
    int32_t tables;
    int32_t output;
    int32_t unused;
};

// A set of classes that a tree's node tests: 256 bits in 32 bytes, those of classes from 128 on first.
struct SlicedSet {
    uint8_t bits[32];
    int32_t plane;           // in SLICED_PLACE, as in nodes
};

struct Sliced {
    const Front* front;            // in
    const FrontColumn* columns;    // in
    const SlicedTree* trees;       // in
    const uint16_t* planes;        // in: of nodes: where in a tile their codes are; a tree's sets stand after all planes
    const int8_t* thresholds;      // in
    const uint8_t* more;           // in: of a run's first node, how many follow; of those, the number of their leaf
    const uint16_t* children;      // in: (n, 2): where in the slots
    const SlicedSet* sets;         // in
    const uint8_t* values;         // in: of leaves
    const uint8_t* base;           // in: n_outputs
    uint8_t* out;                  // out: (n_rows, n_outputs)
    int64_t n_trees;
    int64_t most_sets;             // of a tree
    int64_t n_outputs;
    int64_t width;
    double divide;                 // 0: not at all
    int64_t wide;                  // whether to use AVX2; only where the machine has it
};

struct SlicedNodes {
    const uint16_t* planes;
    const int8_t* thresholds;
    const uint8_t* more;
    const uint16_t* children;

    void next() { ++planes, ++thresholds; }
};

typedef void (*find_leaf_t)(const SlicedTree&, const SlicedNodes&, const uint8_t* tile, uint8_t* slots, uint8_t* leaf);
typedef void (*add_leaves_t)(const uint8_t* values, const uint8_t* leaf, uint8_t* sums);

struct SlicedLoops {
    find_leaf_t (*find_leaf)(int height);
    add_leaves_t (*add_leaves)(int tables);
    void (*test_set)(const SlicedSet&, const uint8_t* tile, uint8_t* out);
    void (*sign_codes)(uint8_t* tile, int64_t n_planes);
    void (*write_sums)(const Sliced&, const uint8_t* sums, int count, uint8_t* out);
};

#if FF_HAS_WIDE_LANES
namespace sliced_wide {
typedef Lanes32 V;
#define FF_SLICED __attribute__((target("avx2"))) static
#define FF_SLICED_INLINE FF_WIDE_LANES
#include "forest_sliced_loops.hpp"
#undef FF_SLICED
#undef FF_SLICED_INLINE
}  // namespace sliced_wide
#endif

namespace sliced_narrow {
typedef Lanes16 V;
#define FF_SLICED static
#define FF_SLICED_INLINE FF_LANES
#include "forest_sliced_loops.hpp"
#undef FF_SLICED
#undef FF_SLICED_INLINE
}  // namespace sliced_narrow

inline bool has_wide_lanes() { return FF_HAS_WIDE_LANES && has_avx2(); }

template <typename T>
inline SlicedLoops sliced_loops(bool wide) {
#if FF_HAS_WIDE_LANES
    if (wide) return sliced_wide::loops<T>();
#endif
    return sliced_narrow::loops<T>();
}

struct SlicedScratch {
    int64_t tile_bytes, sum_bytes;
    int n_tiles;   // that go through each tree one after the other
    uint8_t* memory;
    uint8_t *tiles, *sums, *slots, *leaf;

    SlicedScratch(const Sliced& ctx, int64_t value_bytes, int64_t n_rows) {
        tile_bytes = 2 * (ctx.front->n_planes + ctx.most_sets) * SLICED_ROWS;
        sum_bytes = ctx.n_outputs * SLICED_ROWS * value_bytes;
        const int64_t near = SLICED_NEAR / (tile_bytes + sum_bytes), needed = (n_rows + SLICED_ROWS - 1) / SLICED_ROWS;
        n_tiles = (int)(near < 1 ? 1 : near > 8 ? 8 : near);
        if (n_tiles > needed) n_tiles = (int)needed;
        memory = (uint8_t*)malloc((size_t)(n_tiles * (tile_bytes + sum_bytes) + (SLICED_LEAVES + 1) * SLICED_ROWS + 64));
        tiles = (uint8_t*)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
        slots = tiles + n_tiles * tile_bytes;
        leaf = slots + SLICED_LEAVES * SLICED_ROWS;
        sums = leaf + SLICED_ROWS;
    }
    ~SlicedScratch() { free(memory); }
};

template <typename T>
inline void start_tile(const Sliced& ctx, const SlicedLoops& loops, int64_t row, int count, uint8_t* tile, T* sums) {
    if (count < SLICED_ROWS) memset(tile, 0, (size_t)(2 * ctx.front->n_planes * SLICED_ROWS));
    for (int first = 0; first < count; first += FRONT_ROWS)
        write_codes<uint8_t>(*ctx.front, ctx.columns, row + first, rows_in_block(first, count), tile + first, 1, 2 * SLICED_ROWS);
    loops.sign_codes(tile, ctx.front->n_planes);
    for (int64_t output = 0; output < ctx.n_outputs; ++output) {
        const T base = load<T>(ctx.base, output);
        for (int lane = 0; lane < SLICED_ROWS; ++lane) sums[output * SLICED_ROWS + lane] = base;
    }
}

// One tree for all tiles.
inline void add_tree(const Sliced& ctx, const SlicedTree& tree, const SlicedLoops& loops, const SlicedScratch& scratch, int n_tiles, int64_t value_bytes) {
    const SlicedNodes nodes = {ctx.planes + tree.first_node, ctx.thresholds + tree.first_node, ctx.more + tree.first_node, ctx.children + 2 * tree.first_child};
    const find_leaf_t find_leaf = loops.find_leaf(tree.height);
    const add_leaves_t add_leaves = loops.add_leaves(tree.tables);
    const uint8_t* values = ctx.values + tree.values;
    for (int next = 0; next < n_tiles; ++next) {
        uint8_t* tile = scratch.tiles + next * scratch.tile_bytes;
        uint8_t* sums = scratch.sums + next * scratch.sum_bytes + tree.output * SLICED_ROWS * value_bytes;
        for (int set = 0; set < tree.n_sets; ++set)
            loops.test_set(ctx.sets[tree.first_set + set], tile, tile + 2 * (ctx.front->n_planes + set) * SLICED_ROWS);
        find_leaf(tree, nodes, tile, scratch.slots, scratch.leaf);
        for (int64_t output = 0; output < ctx.width; ++output)
            add_leaves(values + output * tree.value_bytes, scratch.leaf, sums + output * SLICED_ROWS * value_bytes);
    }
}

template <typename T>
int sliced_sums(void* raw, int64_t start, int64_t stop, int64_t) {
    const Sliced& ctx = *(const Sliced*)raw;
    const SlicedLoops loops = sliced_loops<T>(ctx.wide != 0);
    const SlicedScratch scratch(ctx, sizeof(T), stop - start);
    if (scratch.memory == nullptr) return OUT_OF_MEMORY;
    for (int64_t row = start; row < stop;) {
        int n_tiles = 0, counts[8];
        int64_t next = row;
        for (; n_tiles < scratch.n_tiles && next < stop; ++n_tiles, next += counts[n_tiles - 1]) {
            counts[n_tiles] = (int)(stop - next < SLICED_ROWS ? stop - next : SLICED_ROWS);
            start_tile<T>(ctx, loops, next, counts[n_tiles], scratch.tiles + n_tiles * scratch.tile_bytes, (T*)(scratch.sums + n_tiles * scratch.sum_bytes));
        }
        for (int64_t tree = 0; tree < ctx.n_trees; ++tree) add_tree(ctx, ctx.trees[tree], loops, scratch, n_tiles, sizeof(T));
        for (int tile = 0; tile < n_tiles; row += counts[tile++])
            loops.write_sums(ctx, scratch.sums + tile * scratch.sum_bytes, counts[tile], ctx.out + row * ctx.n_outputs * (int64_t)sizeof(T));
    }
    return OK;
}

}  // namespace ff
