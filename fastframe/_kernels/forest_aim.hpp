// Rows that reach leaves which no row has reached: boxes of feature values, narrowed tree by tree.
//
// A row goes through all trees in turn. Where its box lies on one side of a node it must go there; where it lies on both, it goes
// to the side with more leaves that are still open, and its box is cut. A box only shrinks, so what was decided before holds.
#pragma once
#include <cstdint>
#include <vector>

#include "forest_shape.hpp"

namespace ff {

enum class Aim : uint8_t { FREE = 0, NUMBER = 1, CATEGORY = 2 };

struct ForestAim {
    ForestShape shape;
    const int32_t* rank;          // in: by node, of a number node's threshold among its feature's
    const int32_t* category_set;  // in: by node, negative for number nodes
    const int64_t* set_start;     // in
    const uint32_t* set_words;    // in
    const uint8_t* kind;          // in: by feature, Aim; free ones are not known to the rows, and cut nothing
    const int32_t* last;          // in: by feature, the last bin (number of thresholds), or how many codes there are
    int64_t n_features;
    uint8_t* visited;             // in, out: by node, leaves that rows have reached
    int32_t* low;                 // out: (n_rows, n_features), first bin or the code; -1 where no code was chosen
    int32_t* high;                // out: last bin
};

namespace aim {

inline bool in_set(const ForestAim& ctx, int32_t set, int32_t code) {
    return ctx.set_words[ctx.set_start[set] + code / 32] >> (code % 32) & 1;
}

// A code that goes to the left (right) of a node, looked for from `first` on; -1 if there is none.
inline int32_t code_on_side(const ForestAim& ctx, int32_t set, int32_t n_codes, bool left, int64_t first) {
    for (int32_t at = 0; at < n_codes; ++at) {
        const int32_t code = (int32_t)((first + at) % n_codes);
        if (in_set(ctx, set, code) == left) return code;
    }
    return -1;
}

// Which side a row takes; cuts its box.
inline bool goes_left(const ForestAim& ctx, int64_t node, bool wants_left, int32_t* low, int32_t* high, int64_t row) {
    const int32_t feature = ctx.shape.feature[node], set = ctx.category_set[node];
    if (set >= 0) {
        if ((Aim)ctx.kind[feature] != Aim::CATEGORY) return wants_left;
        if (low[feature] < 0) {
            const int32_t code = code_on_side(ctx, set, ctx.last[feature], wants_left, row);
            low[feature] = code >= 0 ? code : code_on_side(ctx, set, ctx.last[feature], !wants_left, row);
        }
        return low[feature] >= 0 && in_set(ctx, set, low[feature]);
    }
    if ((Aim)ctx.kind[feature] != Aim::NUMBER) return wants_left;
    const int32_t rank = ctx.rank[node];
    if (high[feature] <= rank) return true;
    if (low[feature] > rank) return false;
    (wants_left ? high[feature] : low[feature]) = wants_left ? rank : rank + 1;
    return wants_left;
}

}  // namespace aim

// Makes up to `n_rows` boxes; how many. Ends where every leaf is taken, or many rows in turn found no new one.
inline int64_t aim_rows(const ForestAim& ctx, int64_t n_rows) {
    const ForestShape& shape = ctx.shape;
    const int64_t n_nodes = shape.n_trees ? shape.tree_start[shape.n_trees] : 0;
    std::vector<int32_t> open((size_t)n_nodes);   // leaves below that no row has reached
    for (int64_t tree = shape.n_trees - 1; tree >= 0; --tree) {
        const int64_t first = shape.tree_start[tree];
        for (int64_t node = shape.tree_start[tree + 1] - 1; node >= first; --node) {
            const bool leaf = shape.feature[node] < 0;
            open[(size_t)node] = leaf ? !ctx.visited[node] : open[(size_t)(first + shape.left[node])] + open[(size_t)(first + shape.right[node])];
        }
    }
    std::vector<int64_t> path;
    int64_t start = 0, in_vain = 0, row = 0;
    for (; row < n_rows && in_vain < 64; ++row) {
        int32_t *low = ctx.low + row * ctx.n_features, *high = ctx.high + row * ctx.n_features;
        for (int64_t feature = 0; feature < ctx.n_features; ++feature) {
            low[feature] = (Aim)ctx.kind[feature] == Aim::CATEGORY ? -1 : 0;
            high[feature] = ctx.last[feature];
        }
        int64_t looked = 0;   // the first tree is one with open leaves
        while (looked < shape.n_trees && open[(size_t)shape.tree_start[start]] == 0) {
            start = (start + 1) % shape.n_trees;
            ++looked;
        }
        if (looked == shape.n_trees) break;
        bool found = false;
        for (int64_t turn = 0; turn < shape.n_trees; ++turn) {
            const int64_t first = shape.tree_start[(start + turn) % shape.n_trees];
            int64_t node = first;
            path.clear();
            while (true) {
                path.push_back(node);
                if (shape.feature[node] < 0) break;
                const int64_t left = first + shape.left[node], right = first + shape.right[node];
                node = aim::goes_left(ctx, node, open[(size_t)left] > open[(size_t)right], low, high, row) ? left : right;
            }
            if (ctx.visited[node]) continue;
            ctx.visited[node] = found = true;
            for (const int64_t above : path) --open[(size_t)above];
        }
        in_vain = found ? 0 : in_vain + 1;
        start = (start + 1) % shape.n_trees;
    }
    return row;
}

}  // namespace ff
