// What holds of a forest's trees as wholes: that their children are in range, and how deep they are. One pass over nodes each.
#pragma once
#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

namespace ff {

struct ForestShape {
    const int64_t* tree_start;   // in: (n_trees + 1,), ascending, checked
    const int32_t* feature;      // in: negative for a leaf
    const int32_t* left;         // in: within the tree
    const int32_t* right;        // in
    int64_t n_trees;

    int64_t most_nodes() const {
        int64_t most = 0;
        for (int64_t tree = 0; tree < n_trees; ++tree) most = std::max(most, tree_start[tree + 1] - tree_start[tree]);
        return most;
    }
};

// Whether children are later nodes of their tree, leaves have 0 for them, and every node but the roots has exactly one parent.
inline bool has_sound_children(const ForestShape& forest) {
    std::vector<uint8_t> has_parent((size_t)forest.most_nodes());
    for (int64_t tree = 0; tree < forest.n_trees; ++tree) {
        const int64_t first = forest.tree_start[tree], n_nodes = forest.tree_start[tree + 1] - first;
        std::fill(has_parent.begin(), has_parent.begin() + n_nodes, 0);
        int64_t n_children = 0;
        for (int64_t node = 0; node < n_nodes; ++node) {
            const int64_t left = forest.left[first + node], right = forest.right[first + node];
            if (forest.feature[first + node] < 0) {
                if ((left | right) != 0) return false;
                continue;
            }
            if (left <= node || right <= node || left >= n_nodes || right >= n_nodes || left == right) return false;
            if (has_parent[(size_t)left] | has_parent[(size_t)right]) return false;
            has_parent[(size_t)left] = has_parent[(size_t)right] = 1;
            n_children += 2;
        }
        if (n_children != n_nodes - 1) return false;
    }
    return true;
}

// Comparisons on each tree's longest way from root to leaf.
inline void depths_of_trees(const ForestShape& forest, int32_t* out) {
    std::vector<int32_t> depth((size_t)forest.most_nodes());
    for (int64_t tree = 0; tree < forest.n_trees; ++tree) {
        const int64_t first = forest.tree_start[tree], n_nodes = forest.tree_start[tree + 1] - first;
        int32_t deepest = depth[0] = 0;
        for (int64_t node = 0; node < n_nodes; ++node) {
            deepest = std::max(deepest, depth[(size_t)node]);
            if (forest.feature[first + node] < 0) continue;
            depth[(size_t)forest.left[first + node]] = depth[(size_t)forest.right[first + node]] = depth[(size_t)node] + 1;
        }
        out[tree] = deepest;
    }
}

// How many inner nodes sent rows to both sides; `visited`: by node, of leaves given, of the others filled.
inline int64_t nodes_taken_both_ways(const ForestShape& forest, uint8_t* visited) {
    int64_t both = 0;
    for (int64_t tree = 0; tree < forest.n_trees; ++tree) {
        const int64_t first = forest.tree_start[tree];
        for (int64_t node = forest.tree_start[tree + 1] - 1; node >= first; --node) {
            if (forest.feature[node] < 0) continue;
            const uint8_t left = visited[first + forest.left[node]], right = visited[first + forest.right[node]];
            visited[node] = left | right;
            both += left & right;
        }
    }
    return both;
}

}  // namespace ff
