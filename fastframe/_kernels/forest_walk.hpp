// Walking rows down trees, many rows at once: for forests whose trees are too large to compare every node.
//
// Rows come as groups of 16 in tiles of unsigned keys (forest_keys.hpp): a column of a group is one cache line, and the key
// of lane k stands at a constant distance from it, so that a step of one row is seven instructions:
//     link = node.link; next = (link >> SHIFT) + (node.threshold < tile[link & MASK])
// the comparison's carry being the addition's. Siblings lie side by side; leaves stay where they are by comparing with
// column 0, which is 0 in every row, and hold their number in place of a threshold. Eight rows go down at once, to hide what
// each load waits for (Asadi, Lin and de Vries, "Runtime optimizations for tree-based machine learning models", 2014).
//
// The first four levels are not walked: all their 15 comparisons are made, eight rows to an instruction, and blends choose
// among them, which takes less than half as long as four steps. Below them, nodes lie in blocks of a cache line (forest_pack.hpp).
// While a block of rows goes down a tree, the next tree's nodes are fetched.
#pragma once
#include <cstdint>
#include <cstring>

#include "cpu.hpp"
#include "forest_keys.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define FF_WALK_WIDE __attribute__((target("avx2")))
#define FF_WALK_HAS_WIDE 1
#else
#define FF_WALK_WIDE
#define FF_WALK_HAS_WIDE 0
#endif
#define FF_WALK_INLINE inline __attribute__((always_inline))
#define FF_WALK_BARRIER(x) __asm__("" : "+r"(x))   // the compiler must take the value as it is in its register

namespace ff {

constexpr int WALK_TOP = 4;   // levels that are compared as a whole
constexpr int WALK_TOP_NODES = (1 << WALK_TOP) - 1;
constexpr int WALK_CHECK = 4;   // levels between two looks at whether all rows are in their leaves
constexpr uint32_t WALK_ALWAYS_LEFT = 0xFFFFFFFFu;
constexpr uint32_t WALK_CATEGORY = 1;   // of a link: the node looks its key up in a set

// The forms of a node. `link`: bit 0 is WALK_CATEGORY; then the column, times 64 bytes; then the left child's place in its tree.
template <typename Link, int COLUMN_BITS>
struct WalkNode {
    typedef Link link_t;
    static constexpr int SHIFT = 6 + COLUMN_BITS;
    static constexpr Link MASK = (((Link)1 << COLUMN_BITS) - 1) << 6;
    uint32_t threshold;   // of a category node: where its set starts in the words; of a leaf: its number in the forest
    Link link;

    uint32_t column() const { return (uint32_t)(link & MASK); }   // times 64 bytes
    uint32_t child() const { return (uint32_t)(link >> SHIFT); }
    bool is_leaf() const { return column() == 0; }
};
typedef WalkNode<uint32_t, 8> SmallNode;     // below 256 columns and 2^18 places
typedef WalkNode<uint32_t, 10> MediumNode;   // below 1,024 columns and 2^16 places
typedef WalkNode<uint64_t, 26> LargeNode;    // below 2^26 columns and 2^32 places
enum WalkForm : int { WALK_SMALL = 0, WALK_MEDIUM = 1, WALK_LARGE = 2 };

struct WalkTree {
    int64_t first;      // of its nodes' places, in the forest
    int64_t n_places;
    int64_t first_leaf;   // numbers of its leaves are a range
    int64_t n_leaves;
    int32_t steps;      // levels to walk, at most
    int32_t output;     // which output its leaves of one value are added to
    uint32_t column[WALK_TOP_NODES];      // times 64 bytes
    uint32_t threshold[WALK_TOP_NODES];   // children of i are 2i + 1 and 2i + 2; below a leaf: always left
    uint32_t entry[WALK_TOP_NODES + 1];   // places below the top levels, rightmost first
};

// A block's rows, as groups in a tile.
struct WalkTile {
    const uint8_t* keys;
    int64_t group_bytes;
    int64_t n_groups;
    uint32_t side;   // of columns, times 64 bytes: the bit that a tile without second columns leaves out; else 0
};

// Memory that will be needed when these rows are done: it is asked for a few lines at a time, while they walk.
struct WalkAhead {
    const uint8_t* next;
    const uint8_t* stop;
    int64_t per_group;   // bytes

    WalkAhead(const uint8_t* first, int64_t n_bytes, int64_t n_groups) : next(first), stop(first + n_bytes), per_group((n_bytes / n_groups + 64) / 64 * 64) {}

    FF_WALK_INLINE void group() {
        const uint8_t* end = next + per_group < stop ? next + per_group : stop;
        for (; next < end; next += 64) __builtin_prefetch(next, 0, 2);
    }
};

struct WalkTrees {
    const uint8_t* nodes;       // in
    const WalkTree* trees;      // in
    int64_t n_trees;
    int64_t node_bytes;
    const uint32_t* set_words;  // in
};

typedef uint32_t lanes_t __attribute__((vector_size(32)));
typedef int32_t masks_t __attribute__((vector_size(32)));

struct Masks {   // of 16 rows
    masks_t low, high;
};

FF_WALK_INLINE void at_most(const uint8_t* keys, uint32_t threshold, Masks& out) {
    lanes_t low, high;
    memcpy(&low, keys, sizeof(low));
    memcpy(&high, keys + sizeof(low), sizeof(high));
    const lanes_t t = threshold - (lanes_t){};
    out.low = (masks_t)(low <= t);
    out.high = (masks_t)(high <= t);
}

FF_WALK_INLINE void choose(const Masks& mask, const Masks& yes, const Masks& no, Masks& out) {
    out.low = mask.low < 0 ? yes.low : no.low;
    out.high = mask.high < 0 ? yes.high : no.high;
}

// Where the top levels lead the rows of a group.
FF_WALK_INLINE void enter(const WalkTree& tree, const uint32_t* column, const uint8_t* keys, uint32_t* place_of) {
    Masks left[WALK_TOP_NODES], taken[WALK_TOP], place = {{}, {}};
#pragma GCC unroll 15
    for (int at = 0; at < WALK_TOP_NODES; ++at) at_most(keys + column[at], tree.threshold[at], left[at]);
    // The masks of a level are halved by each level above it until one is left.
#pragma GCC unroll 8
    for (int level = 0; level < WALK_TOP; ++level) {
        Masks* masks = left + ((1 << level) - 1);
#pragma GCC unroll 8
        for (int above = 0; above < level; ++above) {
            const int half = 1 << (level - above - 1);
#pragma GCC unroll 16
            for (int at = 0; at < half; ++at) choose(taken[above], masks[at], masks[at + half], masks[at]);
        }
        taken[level] = masks[0];
        place.low = place.low + place.low - masks[0].low;   // a bit of 1 for left
        place.high = place.high + place.high - masks[0].high;
    }
    uint32_t places[WALK_LANES];
    memcpy(places, &place, sizeof(places));
    for (int lane = 0; lane < WALK_LANES; ++lane) place_of[lane] = tree.entry[places[lane]];
}

// One step of one row. The barriers keep the compiler from pulling the lanes' instructions apart, which costs registers.
template <typename Node, bool CATEGORIES>
FF_WALK_INLINE void step(const Node* nodes, const uint32_t* words, typename Node::link_t mask, const uint8_t* keys, uint64_t& at) {
    const typename Node::link_t link = nodes[at].link;
    uint32_t key;
    memcpy(&key, keys + (link & mask), 4);
    uint32_t child = (uint32_t)(link >> Node::SHIFT);
    if constexpr (CATEGORIES) {
        const uint32_t category = (uint32_t)0 - (uint32_t)(link & WALK_CATEGORY);   // all bits or none
        const uint32_t threshold = nodes[at].threshold;
        const uint32_t word = words[(threshold + (key >> 5)) & category];
        const uint32_t in_set = word >> (key & 31);
        child += ((threshold < key) & ~category) | (~in_set & category & 1);
    } else {
        FF_WALK_BARRIER(child);
        FF_WALK_BARRIER(at);
        child += nodes[at].threshold < key;
    }
    at = child;
    FF_WALK_BARRIER(at);
}

// Eight rows from where they are to their leaves.
template <typename Node, bool CATEGORIES>
FF_WALK_INLINE void descend(const Node* nodes, const uint32_t* words, typename Node::link_t mask, const uint8_t* keys, int steps, uint32_t* leaf) {
    uint64_t a = leaf[0], b = leaf[1], c = leaf[2], d = leaf[3], e = leaf[4], f = leaf[5], g = leaf[6], h = leaf[7];
    FF_WALK_BARRIER(a); FF_WALK_BARRIER(b); FF_WALK_BARRIER(c); FF_WALK_BARRIER(d);
    FF_WALK_BARRIER(e); FF_WALK_BARRIER(f); FF_WALK_BARRIER(g); FF_WALK_BARRIER(h);
    while (steps > 0) {
        const int stop = steps > WALK_CHECK ? steps - WALK_CHECK : 0;
        for (; steps > stop; --steps) {
            step<Node, CATEGORIES>(nodes, words, mask, keys, a);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 4, b);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 8, c);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 12, d);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 16, e);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 20, f);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 24, g);
            step<Node, CATEGORIES>(nodes, words, mask, keys + 28, h);
        }
        if (steps > 0) {
            const uint32_t low = nodes[a].column() | nodes[b].column() | nodes[c].column() | nodes[d].column();
            const uint32_t high = nodes[e].column() | nodes[f].column() | nodes[g].column() | nodes[h].column();
            if ((low | high) == 0) break;   // leaves all
        }
    }
    leaf[0] = nodes[a].threshold; leaf[1] = nodes[b].threshold; leaf[2] = nodes[c].threshold; leaf[3] = nodes[d].threshold;
    leaf[4] = nodes[e].threshold; leaf[5] = nodes[f].threshold; leaf[6] = nodes[g].threshold; leaf[7] = nodes[h].threshold;
}

// The tree's leaves for all rows; `leaf` holds where they entered.
template <typename Node, bool CATEGORIES>
inline void walk_tree(const WalkTrees& forest, const WalkTree& tree, const WalkTile& tile, WalkAhead nodes_ahead, WalkAhead leaves_ahead, uint32_t* leaf) {
    const Node* nodes = (const Node*)forest.nodes + tree.first;
    const uint8_t* keys = tile.keys;
    const typename Node::link_t mask = Node::MASK & ~(typename Node::link_t)tile.side;
    for (int64_t group = 0; group < tile.n_groups; ++group, keys += tile.group_bytes, leaf += WALK_LANES) {
        nodes_ahead.group();
        leaves_ahead.group();
        descend<Node, CATEGORIES>(nodes, forest.set_words, mask, keys, tree.steps, leaf);
        descend<Node, CATEGORIES>(nodes, forest.set_words, mask, keys + WALK_LINE / 2, tree.steps, leaf + WALK_LANES / 2);
    }
}

FF_WALK_INLINE void enter_all(const WalkTree& tree, const WalkTile& tile, uint32_t* place) {
    uint32_t column[WALK_TOP_NODES];
    for (int node = 0; node < WALK_TOP_NODES; ++node) column[node] = tree.column[node] & ~tile.side;
    const uint8_t* keys = tile.keys;
    for (int64_t group = 0; group < tile.n_groups; ++group, keys += tile.group_bytes, place += WALK_LANES) enter(tree, column, keys, place);
}

inline FF_WALK_WIDE void enter_wide(const WalkTree& tree, const WalkTile& tile, uint32_t* place) { enter_all(tree, tile, place); }

inline void enter_narrow(const WalkTree& tree, const WalkTile& tile, uint32_t* place) { enter_all(tree, tile, place); }

// Where there are category nodes, which the top levels can not compare.
inline void enter_root(const WalkTree&, const WalkTile& tile, uint32_t* place) { memset(place, 0, (size_t)(tile.n_groups * WALK_LINE)); }

typedef void (*walk_tree_t)(const WalkTrees&, const WalkTree&, const WalkTile&, WalkAhead, WalkAhead, uint32_t* leaf);
typedef void (*enter_tree_t)(const WalkTree&, const WalkTile&, uint32_t* place);

template <typename Node>
inline walk_tree_t walk_of(bool categories) {
    return categories ? walk_tree<Node, true> : walk_tree<Node, false>;
}

inline walk_tree_t walk_of_form(int form, bool categories) {
    return form == WALK_SMALL ? walk_of<SmallNode>(categories) : form == WALK_MEDIUM ? walk_of<MediumNode>(categories) : walk_of<LargeNode>(categories);
}

inline enter_tree_t enter_of(bool categories) {
    if (categories) return enter_root;
#if FF_WALK_HAS_WIDE
    if (has_avx2()) return enter_wide;
#endif
    return enter_narrow;
}

}  // namespace ff
