// A forest as the walk's nodes (forest_walk.hpp): tasks over trees.
//
// The root and the levels down to where the walk enters come first, breadth-first. Below, pairs of siblings are laid out in
// blocks of a cache line, a pair followed by the pairs below it that head the largest subtrees: so a row touches a line for
// about two levels, not one (van Emde Boas' layout, cut off at a line). Pairs of leaves fill the holes between blocks.
#pragma once
#include <cstdlib>

#include "forest_walk.hpp"

namespace ff {

struct WalkPack {
    const int64_t* tree_start;   // in: as in the forest
    const int32_t* left;         // in
    const int32_t* right;        // in
    const int32_t* column;       // in: by node: 0 for a leaf
    const uint32_t* threshold;   // in: by node: its key; where its set starts, for a category node; a leaf's number
    const uint8_t* category;     // in: by node; null where none is one
    const int32_t* output;       // in: by tree
    int64_t* n_places;           // out: by tree: whole lines; or null
    const int64_t* first;        // in: by tree, where n_places is null
    WalkTree* trees;             // out, where n_places is null
    uint8_t* nodes;              // out, where n_places is null; cleared before
};

struct PackScratch {
    int32_t *place, *size, *queue, *later, *holes;

    explicit PackScratch(int64_t n_nodes) {
        place = (int32_t*)malloc((size_t)n_nodes * 5 * sizeof(int32_t));
        size = place + n_nodes, queue = size + n_nodes, later = queue + n_nodes, holes = later + n_nodes;
    }
    ~PackScratch() { free(place); }
    PackScratch(const PackScratch&) = delete;

    // Pairs of leaves have no place: -1.
    template <typename Tree>
    void leave_out_pairs(const Tree& tree) {
        for (int32_t node = 0; node < tree.n_nodes; ++node) {
            if (tree.inner(node) && tree.above_leaves(node)) place[tree.left[node]] = place[tree.right[node]] = -1;
        }
    }
};

// One tree of the forest as it came.
struct PackTree {
    const int32_t *left, *right, *column;
    int64_t n_nodes;

    bool inner(int32_t node) const { return column[node] != 0; }
    bool above_leaves(int32_t node) const { return !inner(left[node]) && !inner(right[node]); }
};

inline void put_pair(const PackTree& tree, int32_t parent, int64_t place, PackScratch& scratch) {
    scratch.place[tree.left[parent]] = (int32_t)place;
    scratch.place[tree.right[parent]] = (int32_t)place + 1;
}

// The first `levels` below the root; the inner nodes of the last of them are left in the queue. Gives the next free place.
inline int64_t place_top(const PackTree& tree, int levels, PackScratch& scratch, int64_t* n_queued) {
    int64_t next = 2, head = 0, end = tree.inner(0);   // the root has no sibling
    scratch.place[0] = 0;
    scratch.queue[0] = 0;
    for (int level = 0; level < levels; ++level) {
        for (const int64_t stop = end; head < stop; ++head, next += 2) {
            const int32_t parent = scratch.queue[head];
            put_pair(tree, parent, next, scratch);
            if (tree.inner(tree.left[parent])) scratch.queue[end++] = tree.left[parent];
            if (tree.inner(tree.right[parent])) scratch.queue[end++] = tree.right[parent];
        }
    }
    memmove(scratch.queue, scratch.queue + head, (size_t)(end - head) * sizeof(int32_t));
    *n_queued = end - head;
    return next;
}

// A parent and those below it with the largest subtrees, `most` at most; the other inner nodes that are their children are
// queued. Gives how many there are.
inline int gather_block(const PackTree& tree, const int32_t* size, int most, int32_t* block, int32_t* queue, int64_t* n_queued) {
    int32_t open[16];
    int n_block = 0, n_open = 0;
    for (int32_t parent = block[0];; ) {
        block[n_block++] = parent;
        if (tree.inner(tree.left[parent])) open[n_open++] = tree.left[parent];
        if (tree.inner(tree.right[parent])) open[n_open++] = tree.right[parent];
        if (n_block == most || n_open == 0) break;
        int largest = 0;
        for (int at = 1; at < n_open; ++at) largest = size[open[at]] > size[open[largest]] ? at : largest;
        parent = open[largest];
        open[largest] = open[--n_open];
    }
    for (int at = 0; at < n_open; ++at) queue[(*n_queued)++] = open[at];
    return n_block;
}

// Places of all nodes of a tree, whose first `levels` are breadth-first; gives how many places there are, in whole lines of `line` nodes.
// Pairs of leaves get none where the caller keeps them `elsewhere`.
inline int64_t place_nodes(const PackTree& tree, int line, int levels, PackScratch& scratch, bool elsewhere = false) {
    for (int64_t node = tree.n_nodes - 1; node >= 0; --node)
        scratch.size[node] = tree.inner((int32_t)node) ? 1 + scratch.size[tree.left[node]] + scratch.size[tree.right[node]] : 1;
    int64_t n_queued = 0, n_later = 0, n_holes = 0;
    int64_t next = (place_top(tree, levels, scratch, &n_queued) + line - 1) / line * line;
    for (int64_t head = 0; head < n_queued; ++head) {
        int32_t block[8] = {scratch.queue[head]};
        if (tree.above_leaves(block[0])) {
            scratch.later[n_later++] = block[0];
            continue;
        }
        const int n_block = gather_block(tree, scratch.size, line / 2, block, scratch.queue, &n_queued);
        if (next % line + 2 * n_block > line) {
            for (; next % line != 0; next += 2) scratch.holes[n_holes++] = (int32_t)next;
        }
        for (int at = 0; at < n_block; ++at, next += 2) put_pair(tree, block[at], next, scratch);
    }
    for (; n_later > 0 && !elsewhere; --n_later) {
        int64_t place = next;
        if (n_holes > 0) place = scratch.holes[--n_holes];
        else next += 2;
        put_pair(tree, scratch.later[n_later - 1], place, scratch);
    }
    return (next + line - 1) / line * line;
}

template <typename Node>
inline void write_nodes(const WalkPack& ctx, const PackTree& tree, int64_t start, const int32_t* place, Node* out) {
    for (int32_t node = 0; node < tree.n_nodes; ++node) {
        typedef typename Node::link_t link_t;
        const link_t child = (link_t)(tree.inner(node) ? place[tree.left[node]] : place[node]);
        const link_t category = ctx.category != nullptr && ctx.category[start + node] ? WALK_CATEGORY : 0;
        out[place[node]].threshold = ctx.threshold[start + node];
        out[place[node]].link = child << Node::SHIFT | (link_t)tree.column[node] << 6 | category;
    }
}

// Which numbers a tree's leaves have: they were given in the order of nodes.
inline void write_leaves(const PackTree& tree, const uint32_t* threshold, WalkTree& out) {
    out.n_leaves = 0;
    for (int32_t node = (int32_t)tree.n_nodes - 1; node >= 0; --node) {
        if (tree.inner(node)) continue;
        out.first_leaf = threshold[node];
        ++out.n_leaves;
    }
}

// What the walk knows of a tree besides its nodes; children come after their parents in the forest.
template <typename Node>
inline void write_top(const Node* nodes, const PackTree& tree, bool walk_all, int32_t* depth, WalkTree& out) {
    uint32_t at[2 * WALK_TOP_NODES + 1] = {0};
    for (int node = 0; node < WALK_TOP_NODES; ++node) {
        const Node& one = nodes[at[node]];
        out.column[node] = one.column();
        out.threshold[node] = one.is_leaf() ? WALK_ALWAYS_LEFT : one.threshold;
        at[2 * node + 1] = one.child();
        at[2 * node + 2] = one.child() + !one.is_leaf();
    }
    for (int entry = 0; entry <= WALK_TOP_NODES; ++entry) out.entry[entry] = at[2 * WALK_TOP_NODES - entry];
    int32_t deepest = 0;
    depth[0] = 0;
    for (int64_t node = 0; node < tree.n_nodes; ++node) {
        if (depth[node] > deepest) deepest = depth[node];
        if (tree.inner((int32_t)node)) depth[tree.left[node]] = depth[tree.right[node]] = depth[node] + 1;
    }
    out.steps = walk_all ? deepest : deepest > WALK_TOP ? deepest - WALK_TOP : 0;
}

template <typename Node>
int pack_trees(void* raw, int64_t start, int64_t stop, int64_t) {
    const WalkPack& ctx = *(const WalkPack*)raw;
    int64_t most = 0;
    for (int64_t tree = start; tree < stop; ++tree) {
        const int64_t n_nodes = ctx.tree_start[tree + 1] - ctx.tree_start[tree];
        if (n_nodes > most) most = n_nodes;
    }
    PackScratch scratch(most);
    if (scratch.place == nullptr) return OUT_OF_MEMORY;
    constexpr int line = 64 / sizeof(Node);
    for (int64_t number = start; number < stop; ++number) {
        const int64_t first = ctx.tree_start[number];
        const PackTree tree = {ctx.left + first, ctx.right + first, ctx.column + first, ctx.tree_start[number + 1] - first};
        const int64_t n_places = place_nodes(tree, line, WALK_TOP, scratch);
        if (ctx.n_places != nullptr) {
            ctx.n_places[number] = n_places;
            continue;
        }
        Node* nodes = (Node*)ctx.nodes + ctx.first[number];
        ctx.trees[number].first = ctx.first[number];
        ctx.trees[number].n_places = n_places;
        ctx.trees[number].output = ctx.output[number];
        write_nodes<Node>(ctx, tree, first, scratch.place, nodes);
        write_leaves(tree, ctx.threshold + first, ctx.trees[number]);
        write_top<Node>(nodes, tree, ctx.category != nullptr, scratch.size, ctx.trees[number]);
    }
    return OK;
}

inline kernel_t pack_kernel(int form) {
    return form == WALK_SMALL ? pack_trees<SmallNode> : form == WALK_MEDIUM ? pack_trees<MediumNode> : pack_trees<LargeNode>;
}

}  // namespace ff
