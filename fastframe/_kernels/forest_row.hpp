// One row through a forest, on the caller's thread: 16 trees at once, their leaves added in the order of trees.
//
// The row's values become keys as in forest_keys.hpp, of the forest's own width: nothing is ranked. Nodes stand in blocks of a
// cache line from the root on (forest_pack.hpp). Trees of about one depth go down together, 256 at most before their leaves are
// added. Scratch is the thread's own; nothing is allocated once a thread has answered for its widest model.
#pragma once
#include <atomic>
#include <new>
#include <vector>

#include "forest_links.hpp"
#include "forest_pack.hpp"

namespace ff {

constexpr int ROW_LANES = 16;
constexpr int ROW_TREES = 256;   // trees whose leaves are kept until they are added: a chunk

// `link`: bit 0: a category node; the column, times 4 bytes; the left child's place among all nodes.
struct RowNode {
    typedef uint32_t key_t;
    static constexpr bool BARRIERS = true;   // lanes are else packed into vectors, at twice the time
    static constexpr int SHIFT = 11;   // below 512 columns and 2^21 places
    uint32_t threshold;                // of a leaf: its number, or its value
    uint32_t link;

    uint32_t column() const { return link & 2044; }   // in bytes
    uint32_t child() const { return link >> SHIFT; }
    uint32_t category() const { return link & 1; }
    void set(uint64_t key, uint32_t at, uint32_t child_at, bool is_category) {
        threshold = (uint32_t)key;
        link = child_at << SHIFT | at << 2 | (uint32_t)is_category;
    }
};

struct WideRowNode {
    typedef uint64_t key_t;
    static constexpr bool BARRIERS = false;   // a sixth slower with them
    uint64_t threshold;
    uint32_t at;   // the column, times 8 bytes, and the bit
    uint32_t below;

    uint32_t column() const { return at & ~(uint32_t)7; }
    uint32_t child() const { return below; }
    uint32_t category() const { return at & 1; }
    void set(uint64_t key, uint32_t column_at, uint32_t child_at, bool is_category) {
        threshold = key;
        at = column_at << 3 | (uint32_t)is_category;
        below = child_at;
    }
};

struct RowPack {
    const int64_t* tree_start;   // in: as in the forest
    const int32_t* left;         // in
    const int32_t* right;        // in
    const int32_t* column;       // in: by node: 0 for a leaf
    const uint64_t* threshold;   // in: by node
    const uint8_t* category;     // in: by node; null where none is one
    const int32_t* leaf_kind;    // in: by node: which kind of leaf it is; null where each leaf is of its own
    int64_t n_kinds;             // of leaves; all pairs of them come before the trees
    int64_t* n_places;           // out: by tree; or null
    const int64_t* first;        // in: by tree
    uint8_t* nodes;              // out, where n_places is null; cleared before
};

// How many kinds of leaves there are, told apart by the bytes of their values, and of which kind each is; -1 where more than `most`.
inline int64_t kinds_of_leaves(const uint8_t* values, int64_t n_leaves, int64_t n_bytes, int64_t most, int32_t* kind, int64_t* first) {
    constexpr int SLOTS = 512;
    int32_t slots[SLOTS];   // open addressing, at most half full
    if (most > SLOTS / 2) return -1;
    for (int slot = 0; slot < SLOTS; ++slot) slots[slot] = -1;
    int64_t n_kinds = 0;
    for (int64_t leaf = 0; leaf < n_leaves; ++leaf) {
        const uint8_t* value = values + leaf * n_bytes;
        uint64_t hash = 0;
        for (int64_t byte = 0; byte < n_bytes; byte += 4) hash = (hash ^ load<uint32_t>(value + byte, 0)) * 0x9E3779B97F4A7C15u;
        int slot = (int)(hash >> 55);
        while (slots[slot] >= 0 && memcmp(values + first[slots[slot]] * n_bytes, value, (size_t)n_bytes) != 0) slot = (slot + 1) % SLOTS;
        if (slots[slot] < 0) {
            if (n_kinds == most) return -1;
            first[n_kinds] = leaf;
            slots[slot] = (int32_t)n_kinds++;
        }
        kind[leaf] = slots[slot];
    }
    return n_kinds;
}

inline int64_t pair_place(int64_t n_kinds, int32_t left, int32_t right) { return 2 * (left * n_kinds + right); }

// All pairs of leaves, before the trees: a full-depth forest of a few classes has few, and they stay in the nearest cache.
template <typename Node>
void write_pairs(const uint64_t* key, int64_t n_kinds, uint8_t* raw) {
    Node* nodes = (Node*)raw;
    for (int32_t left = 0; left < n_kinds; ++left) {
        for (int32_t right = 0; right < n_kinds; ++right) {
            const uint32_t place = (uint32_t)pair_place(n_kinds, left, right);
            nodes[place].set(key[left], 0, place, false);
            nodes[place + 1].set(key[right], 0, place + 1, false);
        }
    }
}

template <typename Node>
int pack_rows(void* raw, int64_t start, int64_t stop, int64_t) {
    const RowPack& ctx = *(const RowPack*)raw;
    for (int64_t number = start; number < stop; ++number) {
        const int64_t first = ctx.tree_start[number];
        const PackTree tree = {ctx.left + first, ctx.right + first, ctx.column + first, ctx.tree_start[number + 1] - first};
        PackScratch scratch(tree.n_nodes);
        if (scratch.place == nullptr) return OUT_OF_MEMORY;
        const int32_t* kind = ctx.leaf_kind == nullptr ? nullptr : ctx.leaf_kind + first;
        const int64_t n_places = place_nodes(tree, 64 / (int)sizeof(Node), 0, scratch, kind != nullptr);
        if (ctx.n_places != nullptr) {
            ctx.n_places[number] = n_places;
            continue;
        }
        Node* nodes = (Node*)ctx.nodes + ctx.first[number];
        if (kind != nullptr) scratch.leave_out_pairs(tree);
        for (int32_t node = 0; node < tree.n_nodes; ++node) {
            const int32_t place = scratch.place[node];
            if (place < 0) continue;   // a leaf among the pairs
            const int32_t left = tree.inner(node) ? tree.left[node] : node;
            const int64_t below = scratch.place[left] < 0 ? pair_place(ctx.n_kinds, kind[left], kind[tree.right[node]]) : ctx.first[number] + scratch.place[left];
            const bool category = ctx.category != nullptr && ctx.category[first + node] != 0;
            nodes[place].set(ctx.threshold[first + node], (uint32_t)tree.column[node], (uint32_t)below, category);
        }
    }
    return OK;
}

struct RowForest {
    const Front* front;         // in: packed for values of the forest's domain
    const uint8_t* nodes;       // in
    const uint32_t* set_words;  // in
    const uint8_t* is_class;    // in: by plane
    int64_t n_columns;          // with column 0
    int64_t n_fields;           // columns that the front reads
    int64_t n_trees;
    int64_t n_groups;           // of 16 trees; a chunk's groups are neighbours, the last group of a chunk may be short
    const uint32_t* root;       // in: (n_groups, 16): places of roots
    const int32_t* tree;        // in: (n_groups, 16): which tree of the chunk; ROW_TREES for none
    const int32_t* steps;       // in: (n_groups,)
    const int32_t* groups;      // in: (n_chunks,)
    const uint8_t* values;      // in
    const uint8_t* base;        // in
    const int32_t* tree_output; // in
    int64_t width;
    int64_t n_outputs;
    double divide;
    int32_t narrow_sums;        // sums are float32
    int32_t wide_nodes;
    int32_t categories;
    int32_t inside;             // leaves hold their one value, of as many bytes as their threshold, instead of their number
};

// A thread's scratch; `busy` while a row of it is being answered.
struct RowScratch {
    std::vector<FrontColumn> columns;
    std::vector<uint64_t> slots;
    std::vector<unsigned char> keys;   // of 4 or 8 bytes
    std::vector<double> values;        // two of a row's widest
    bool busy = false;
};

inline RowScratch* row_scratch(int64_t n_fields, int64_t n_columns, int64_t most_width) {
    static thread_local RowScratch scratch;
    if (scratch.busy) return nullptr;
    try {
        if ((int64_t)scratch.columns.size() < n_fields) scratch.columns.resize((size_t)n_fields), scratch.slots.resize((size_t)n_fields);
        if ((int64_t)scratch.keys.size() < 8 * n_columns) scratch.keys.resize((size_t)(8 * n_columns));
        if ((int64_t)scratch.values.size() < 2 * most_width) scratch.values.resize((size_t)(2 * most_width));
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    scratch.busy = true;
    return &scratch;
}

inline void put_column(RowScratch* scratch, int64_t at, int physical, bool valid) {
    static const uint8_t none = 0;
    scratch->columns[(size_t)at] = {{(const uint8_t*)&scratch->slots[(size_t)at], valid ? nullptr : &none, 0, 1}, physical};
}
inline void put_double(RowScratch* scratch, int64_t at, double value) {
    memcpy(&scratch->slots[(size_t)at], &value, 8);
    put_column(scratch, at, F64, true);
}
inline void put_integer(RowScratch* scratch, int64_t at, int64_t value) {
    memcpy(&scratch->slots[(size_t)at], &value, 8);
    put_column(scratch, at, I64, true);
}
inline void put_code(RowScratch* scratch, int64_t at, int32_t code) {   // negative: missing
    memcpy(&scratch->slots[(size_t)at], &code, 4);
    put_column(scratch, at, I32, code >= 0);
}

// The columns that were put, and their values, as a table of the caller's.
inline void copy_columns(const RowScratch* scratch, int64_t n_fields, void* columns, void* slots) {
    memcpy(slots, scratch->slots.data(), (size_t)n_fields * sizeof(uint64_t));
    memcpy(columns, scratch->columns.data(), (size_t)n_fields * sizeof(FrontColumn));
    for (int64_t at = 0; at < n_fields; ++at) ((FrontColumn*)columns)[at].view.values = (const uint8_t*)slots + at * (int64_t)sizeof(uint64_t);
}

template <typename Key, typename T>
inline Key row_key(T value, bool missing_right) {
    return value != value && !missing_right ? (Key)0 : key_in_table<Key>(value, false);
}

template <typename Key, typename T>
inline void row_keys_of(const RowForest& forest, const FrontColumn* columns, Key* keys) {
    const Front& front = *forest.front;
    FrontBlock block;
    keys[0] = 0;
    for (int64_t next = 0; next < front.n_inputs; ++next) {
        const FrontInput& input = front.inputs[next];
        const bool number = input.source == FRONT_NUMBER;
        if (number) input_values(front, input, columns, 0, 1, block.values);
        else input_codes(front, input, columns, 0, 1, block);
        for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane) {
            const FrontPlane& one = front.planes[plane];
            if (number) keys[plane + 1] = row_key<Key>(domain_values<T>(block.values)[0], one.missing_right != 0);
            else keys[plane + 1] = key_in_table<Key>(((const T*)one.table)[block.codes[0]], forest.is_class[plane] != 0);
        }
    }
}

// A step of one tree; barriers as in forest_walk.hpp.
template <typename Node, bool CATEGORIES>
FF_WALK_INLINE uint32_t row_step(const Node* nodes, const uint32_t* words, const uint8_t* keys, uint64_t at) {
    typename Node::key_t key;
    const uint32_t category = CATEGORIES ? (uint32_t)0 - nodes[at].category() : 0;
    memcpy(&key, keys + nodes[at].column(), sizeof(key));
    uint32_t child = nodes[at].child();
    if constexpr (Node::BARRIERS) {
        FF_WALK_BARRIER(child);
        FF_WALK_BARRIER(at);
    }
    const typename Node::key_t threshold = nodes[at].threshold;
    if constexpr (CATEGORIES) {
        const uint32_t code = (uint32_t)key;
        const uint32_t outside = ~(words[((uint32_t)threshold + (code >> 5)) & category] >> (code & 31));
        return child + (((threshold < key) & ~category) | (outside & category & 1));
    }
    return child + (threshold < key);
}

template <typename Node, bool CATEGORIES>
inline void row_group(const Node* nodes, const uint32_t* words, const uint8_t* keys, const uint32_t* root, int steps, uint32_t* at) {
    memcpy(at, root, ROW_LANES * sizeof(uint32_t));
    while (steps > 0) {
        const int stop = steps > WALK_CHECK ? steps - WALK_CHECK : 0;
        for (; steps > stop; --steps) {
#pragma GCC unroll 16
            for (int lane = 0; lane < ROW_LANES; ++lane) {
                at[lane] = row_step<Node, CATEGORIES>(nodes, words, keys, at[lane]);
                if constexpr (Node::BARRIERS) __asm__("" : "+m"(at[lane]));
            }
        }
        if (steps == 0) break;
        uint32_t columns = 0;
        for (int lane = 0; lane < ROW_LANES; ++lane) columns |= nodes[at[lane]].column();
        if (columns == 0) break;   // leaves all
    }
}

// A tree's one value; its leaf is what the node has for a threshold.
template <bool INSIDE, typename T, typename Key>
FF_WALK_INLINE T value_of(const T* values, const Key& leaf) {
    if constexpr (INSIDE && sizeof(T) == sizeof(Key)) {
        T value;
        memcpy(&value, &leaf, sizeof(value));
        return value;
    }
    return values[leaf];
}

template <bool INSIDE, typename T, typename Key>
inline void add_values(const RowForest& forest, const Key* leaf, int64_t first, int64_t n_trees, T* sums) {
    const T* values = (const T*)forest.values;
    if (forest.n_outputs == 1) {
        T total = sums[0];   // in a register: through memory each addition would wait for the one before to be stored
        for (int64_t tree = 0; tree < n_trees; ++tree) total += value_of<INSIDE>(values, leaf[tree]);
        sums[0] = total;
        return;
    }
    for (int64_t tree = 0; tree < n_trees; ++tree) sums[forest.tree_output[first + tree]] += value_of<INSIDE>(values, leaf[tree]);
}

// The leaves of a chunk's trees onto the sums.
template <typename T, typename Key>
inline void add_chunk(const RowForest& forest, const Key* leaf, int64_t first, int64_t n_trees, T* sums) {
    if (forest.width == 1) {
        if (forest.inside) add_values<true>(forest, leaf, first, n_trees, sums);
        else add_values<false>(forest, leaf, first, n_trees, sums);
        return;
    }
    const T* values = (const T*)forest.values;
    for (int64_t tree = 0; tree < n_trees; ++tree) {
        const T* value = values + (size_t)forest.width * (size_t)leaf[tree];
        for (int64_t output = 0; output < forest.width; ++output) sums[output] += value[output];
    }
}

template <typename Node, bool CATEGORIES, typename T>
inline void row_sums(const RowForest& forest, const typename Node::key_t* keys, T* sums) {
    const Node* nodes = (const Node*)forest.nodes;
    memcpy(sums, forest.base, (size_t)forest.n_outputs * sizeof(T));
    int64_t group = 0;
    for (int64_t first = 0; first < forest.n_trees; first += ROW_TREES) {
        typename Node::key_t leaf[ROW_TREES + 1];
        uint32_t at[ROW_LANES];
        for (const int64_t stop = group + forest.groups[first / ROW_TREES]; group < stop; ++group) {
            row_group<Node, CATEGORIES>(nodes, forest.set_words, (const uint8_t*)keys, forest.root + group * ROW_LANES, forest.steps[group], at);
            for (int lane = 0; lane < ROW_LANES; ++lane) leaf[forest.tree[group * ROW_LANES + lane]] = nodes[at[lane]].threshold;
        }
        const int64_t n_trees = forest.n_trees - first < ROW_TREES ? forest.n_trees - first : ROW_TREES;
        add_chunk<T>(forest, leaf, first, n_trees, sums);
    }
    if (forest.divide == 0) return;
    for (int64_t output = 0; output < forest.n_outputs; ++output) sums[output] = sums[output] / (T)forest.divide;
}

template <typename Node, bool CATEGORIES>
inline void row_answer(const RowForest& forest, RowScratch* scratch, void* sums) {
    typedef typename Node::key_t Key;
    Key* keys = (Key*)scratch->keys.data();
    const Front& front = *forest.front;
    const bool narrow = front.n_inputs > 0 && front.inputs[0].narrow;
    if (narrow) row_keys_of<Key, float>(forest, scratch->columns.data(), keys);
    else row_keys_of<Key, double>(forest, scratch->columns.data(), keys);
    if (forest.narrow_sums) row_sums<Node, CATEGORIES, float>(forest, keys, (float*)sums);
    else row_sums<Node, CATEGORIES, double>(forest, keys, (double*)sums);
}

// The sums of the row whose columns were put into the scratch.
inline void answer_row(const RowForest& forest, RowScratch* scratch, void* sums) {
    if (forest.wide_nodes) forest.categories ? row_answer<WideRowNode, true>(forest, scratch, sums) : row_answer<WideRowNode, false>(forest, scratch, sums);
    else forest.categories ? row_answer<RowNode, true>(forest, scratch, sums) : row_answer<RowNode, false>(forest, scratch, sums);
}

// A link after a forest's sums, or after another: `width` values go in.
struct RowLink {
    kernel_t kernel;
    int64_t width;
    double scale;
};

// The sums and what links make of them, one after the other; gives where the last one's values are: in the scratch.
inline const void* answer_links(const RowForest& forest, const RowLink* links, int64_t n_links, RowScratch* scratch) {
    double* values = scratch->values.data();
    double* others = values + scratch->values.size() / 2;
    answer_row(forest, scratch, values);
    for (int64_t next = 0; next < n_links; ++next, std::swap(values, others)) {
        Links one = {(const uint8_t*)values, (uint8_t*)others, links[next].width, links[next].scale};
        links[next].kernel(&one, 0, 1, 0);
    }
    return values;
}

// How many threads have let go of the interpreter's lock to walk and have not got it back. Where more ask at once than there are
// processors, handing the lock over costs more than a walk: its holder keeps it, until Python takes it from it.
inline std::atomic<int>& walkers() {
    static std::atomic<int> count{0};
    return count;
}

inline bool start_walk(int most) {
    if (most == 0) return false;
    if (walkers().fetch_add(1, std::memory_order_relaxed) < most) return true;
    walkers().fetch_sub(1, std::memory_order_relaxed);
    return false;
}

// The thread has the interpreter's lock again.
inline void stop_walk() { walkers().fetch_sub(1, std::memory_order_relaxed); }

inline void write_pairs(bool wide, const uint64_t* key, int64_t n_kinds, uint8_t* nodes) {
    if (wide) write_pairs<WideRowNode>(key, n_kinds, nodes);
    else write_pairs<RowNode>(key, n_kinds, nodes);
}

inline kernel_t pack_rows_kernel(bool wide) { return wide ? pack_rows<WideRowNode> : pack_rows<RowNode>; }

}  // namespace ff
