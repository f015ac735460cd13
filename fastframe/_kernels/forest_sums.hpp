// What forests give a batch by walking: sums, sums by stage, leaves. Blocks of rows go down one tree after the other, so that
// a tree's nodes are fetched once for hundreds of rows, and every row adds its leaves in the order of trees.
#pragma once
#include <cstdlib>

#include "forest_walk.hpp"

namespace ff {

struct Walk {
    WalkTrees forest;
    enter_tree_t enter;
    walk_tree_t walk;
    WalkSource source;          // in
    int32_t stages;             // out has sums after every `every` trees, and after the last
    int64_t block_rows;         // a multiple of 64
    const uint8_t* values;      // in: of leaves, `width` each
    const uint8_t* base;        // in: n_outputs
    int64_t width;
    int64_t n_outputs;
    double divide;              // 0: not at all
    int64_t every;
    const int32_t* leaf_id;     // in: null for the numbers of leaves in the forest
    uint8_t* out;               // out: (n_rows, n_stages, n_outputs) sums, or (n_rows, n_trees) int32
};

// A slice's tile, and the leaf of each of its rows.
struct WalkScratch {
    uint8_t* memory;
    uint8_t* keys;
    uint32_t* leaf;
    uint16_t* planes;
    WalkTile tile;

    explicit WalkScratch(const Walk& ctx) {
        const size_t key_bytes = (size_t)(ctx.block_rows * ctx.source.n_all * 4), leaf_bytes = (size_t)ctx.block_rows * 4;
        memory = (uint8_t*)malloc(key_bytes + leaf_bytes + (size_t)(ctx.source.n_all * FRONT_ROWS * 2) + 64);
        keys = (uint8_t*)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
        leaf = (uint32_t*)(keys + key_bytes);
        planes = (uint16_t*)(keys + key_bytes + leaf_bytes);
    }
    ~WalkScratch() { free(memory); }
    WalkScratch(const WalkScratch&) = delete;
    WalkScratch& operator=(const WalkScratch&) = delete;

    void fill(const Walk& ctx, int64_t row, int64_t n_rows) {
        const bool sides = !fill_tile(ctx.source, row, n_rows, false, planes, keys);
        if (sides) fill_tile(ctx.source, row, n_rows, true, planes, keys);
        tile = {keys, ctx.source.group_bytes(sides), (n_rows + WALK_LANES - 1) / WALK_LANES, sides ? 0 : (uint32_t)WALK_LINE * (uint32_t)ctx.source.side};
    }

    // `leaf_bytes`: of a leaf's values, which are needed next; and after them the next tree's nodes.
    void walk(const Walk& ctx, int64_t number, int64_t leaf_bytes) {
        const WalkTree& tree = ctx.forest.trees[number];
        const WalkTree& next = ctx.forest.trees[number + 1 < ctx.forest.n_trees ? number + 1 : 0];
        const int64_t node_bytes = ctx.forest.node_bytes;
        ctx.enter(tree, tile, leaf);
        const WalkAhead nodes(ctx.forest.nodes + next.first * node_bytes, next.n_places * node_bytes, tile.n_groups);
        const WalkAhead values(ctx.values + tree.first_leaf * leaf_bytes, tree.n_leaves * leaf_bytes, tile.n_groups);
        ctx.walk(ctx.forest, tree, tile, nodes, values, leaf);
    }
};

// One tree's leaves onto the sums of a block, which are `stride` values apart.
template <typename T>
inline void add_leaves(const Walk& ctx, const WalkTree& tree, const uint32_t* leaf, int64_t n_rows, T* sums, int64_t stride) {
    const T* values = (const T*)ctx.values;
    if (ctx.width == 1) {
        sums += tree.output;
        for (int64_t row = 0; row < n_rows; ++row) sums[row * stride] += values[leaf[row]];
    } else if (ctx.width == 2) {
        for (int64_t row = 0; row < n_rows; ++row) {
            const T* value = values + 2 * (size_t)leaf[row];
            sums[row * stride] += value[0];
            sums[row * stride + 1] += value[1];
        }
    } else {
        for (int64_t row = 0; row < n_rows; ++row) {
            const T* value = values + (size_t)ctx.width * leaf[row];
            for (int64_t output = 0; output < ctx.width; ++output) sums[row * stride + output] += value[output];
        }
    }
}

template <typename T>
inline void copy_sums(T* sums, const T* from, int64_t from_stride, int64_t n_rows, int64_t n_outputs, int64_t stride) {
    for (int64_t row = 0; row < n_rows; ++row) memcpy(sums + row * stride, from + row * from_stride, (size_t)n_outputs * sizeof(T));
}

template <typename T>
int walk_sums(void* raw, int64_t start, int64_t stop, int64_t) {
    const Walk& ctx = *(const Walk*)raw;
    WalkScratch scratch(ctx);
    if (scratch.memory == nullptr) return OUT_OF_MEMORY;
    const int64_t n_outputs = ctx.n_outputs, n_trees = ctx.forest.n_trees;
    const int64_t n_stages = ctx.stages ? (n_trees + ctx.every - 1) / ctx.every : 1, stride = n_stages * n_outputs;
    for (int64_t row = start; row < stop && stride > 0; row += ctx.block_rows) {
        const int64_t n_rows = stop - row < ctx.block_rows ? stop - row : ctx.block_rows;
        scratch.fill(ctx, row, n_rows);
        T* sums = (T*)ctx.out + row * stride;
        copy_sums<T>(sums, (const T*)ctx.base, 0, n_rows, n_outputs, stride);
        for (int64_t number = 0; number < n_trees; ++number) {
            if (ctx.stages && number != 0 && number % ctx.every == 0) {
                copy_sums<T>(sums + n_outputs, sums, stride, n_rows, n_outputs, stride);
                sums += n_outputs;
            }
            const WalkTree& tree = ctx.forest.trees[number];
            scratch.walk(ctx, number, ctx.width * (int64_t)sizeof(T));
            add_leaves<T>(ctx, tree, scratch.leaf, n_rows, sums, stride);
        }
        if (ctx.divide == 0) continue;
        for (int64_t at = 0; at < n_rows * stride; ++at) sums[at] = sums[at] / (T)ctx.divide;   // never of stages
    }
    return OK;
}

inline int walk_leaves(void* raw, int64_t start, int64_t stop, int64_t) {
    const Walk& ctx = *(const Walk*)raw;
    WalkScratch scratch(ctx);
    if (scratch.memory == nullptr) return OUT_OF_MEMORY;
    const int64_t n_trees = ctx.forest.n_trees;
    for (int64_t row = start; row < stop; row += ctx.block_rows) {
        const int64_t n_rows = stop - row < ctx.block_rows ? stop - row : ctx.block_rows;
        scratch.fill(ctx, row, n_rows);
        int32_t* out = (int32_t*)ctx.out + row * n_trees;
        for (int64_t tree = 0; tree < n_trees; ++tree) {
            scratch.walk(ctx, tree, 0);
            for (int64_t at = 0; at < n_rows; ++at) {
                const uint32_t leaf = scratch.leaf[at];
                out[at * n_trees + tree] = ctx.leaf_id == nullptr ? (int32_t)leaf : ctx.leaf_id[leaf];
            }
        }
    }
    return OK;
}

// Leaves that are linear functions: from the numbers of leaves and the values of all features.
struct LinearSums {
    const int32_t* leaf;          // in: (n_rows, n_trees)
    const double* matrix;         // in: (n_rows, n_features)
    const double* plain;          // in: by leaf, for rows that lack a feature
    const double* constant;       // in: by leaf
    const int32_t* term_start;    // in: by leaf
    const int32_t* feature;       // in: by term
    const double* coefficient;    // in: by term
    const int32_t* tree_output;   // in
    const double* base;           // in
    int64_t n_trees, n_features, n_outputs, every, n_stages;
    double divide;
    double* out;                  // out: (n_rows, n_stages, n_outputs)
};

inline double linear_value(const LinearSums& ctx, int32_t leaf, const double* x) {
    double total = ctx.constant[leaf];
    for (int32_t term = ctx.term_start[leaf]; term < ctx.term_start[leaf + 1]; ++term) {
        const double value = x[ctx.feature[term]];
        if (value != value) return ctx.plain[leaf];
        total += ctx.coefficient[term] * value;
    }
    return total;
}

inline int linear_sums(void* raw, int64_t start, int64_t stop, int64_t) {
    const LinearSums& ctx = *(const LinearSums*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const int32_t* leaf = ctx.leaf + row * ctx.n_trees;
        const double* x = ctx.matrix + row * ctx.n_features;
        double* sums = ctx.out + row * ctx.n_stages * ctx.n_outputs;
        memcpy(sums, ctx.base, (size_t)ctx.n_outputs * sizeof(double));
        for (int64_t tree = 0; tree < ctx.n_trees; ++tree) {
            if (ctx.n_stages > 1 && tree != 0 && tree % ctx.every == 0) {
                memcpy(sums + ctx.n_outputs, sums, (size_t)ctx.n_outputs * sizeof(double));
                sums += ctx.n_outputs;
            }
            sums[ctx.tree_output[tree]] += linear_value(ctx, leaf[tree], x);
        }
        if (ctx.divide == 0) continue;
        for (int64_t output = 0; output < ctx.n_outputs; ++output) sums[output] = sums[output] / ctx.divide;
    }
    return OK;
}

inline kernel_t walk_kernel(bool leaves, bool narrow) { return leaves ? walk_leaves : narrow ? walk_sums<float> : walk_sums<double>; }
inline kernel_t linear_kernel() { return linear_sums; }

}  // namespace ff
