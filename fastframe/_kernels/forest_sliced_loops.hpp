// The loops of the bit-sliced engine over one kind of lanes: included by forest_sliced.hpp once for each, with `V` the lanes,
// FF_SLICED what functions are compiled for, and FF_SLICED_INLINE that of those that must be part of their callers.

typedef V::bytes bytes;
constexpr int VISIT = 4 * V::ROWS;   // rows that one look at a node serves
struct Four {
    bytes of[4];
};

#define FF_EACH _Pragma("GCC unroll 4") for (int at = 0; at < 4; ++at)

FF_SLICED_INLINE Four load_four(const uint8_t* from) {
    Four four;
    FF_EACH four.of[at] = V::load(from + at * V::ROWS);
    return four;
}

FF_SLICED_INLINE void store_four(uint8_t* to, const Four& four) {
    FF_EACH V::store(to + at * V::ROWS, four.of[at]);
}

FF_SLICED_INLINE Four choose_four(const Four& mask, const Four& yes, const Four& no) {
    Four four;
    FF_EACH four.of[at] = V::choose(mask.of[at], yes.of[at], no.of[at]);
    return four;
}

// Which rows a node sends left: its threshold is one above the highest code that goes there.
FF_SLICED_INLINE Four goes_left(const uint8_t* tile, uint16_t plane, int8_t threshold) {
    const uint8_t* codes = tile + (size_t)plane * SLICED_PLACE;
    const bytes limit = V::fill(threshold);
    Four four;
    FF_EACH four.of[at] = V::above(limit, V::load(codes + at * V::ROWS));
    return four;
}

FF_SLICED_INLINE Four add_four(const Four& four, bytes more) {
    Four sum;
    FF_EACH sum.of[at] = V::add(four.of[at], more);
    return sum;
}

// A perfect tree of which all nodes stand in the order in which they are needed: right subtree, left subtree, node.
template <int HEIGHT>
struct Perfect {
    FF_SLICED_INLINE Four leaf(const uint8_t* tile, const uint16_t* planes, const int8_t* thresholds, int first_leaf) {
        constexpr int HALF = (1 << (HEIGHT - 1)) - 1;   // nodes of a subtree
        const Four right = Perfect<HEIGHT - 1>::leaf(tile, planes, thresholds, first_leaf + HALF + 1);
        const Four left = Perfect<HEIGHT - 1>::leaf(tile, planes + HALF, thresholds + HALF, first_leaf);
        return choose_four(goes_left(tile, planes[2 * HALF], thresholds[2 * HALF]), left, right);
    }
};

template <>
struct Perfect<1> {
    FF_SLICED_INLINE Four leaf(const uint8_t* tile, const uint16_t* planes, const int8_t* thresholds, int first_leaf) {
        return add_four(goes_left(tile, planes[0], thresholds[0]), V::fill((int8_t)(first_leaf + 1)));   // true is -1
    }
};

template <int HEIGHT>
FF_SLICED void find_perfect(const SlicedTree&, const SlicedNodes& nodes, const uint8_t* tile, uint8_t*, uint8_t* leaf) {
    for (int row = 0; row < SLICED_ROWS; row += VISIT)
        store_four(leaf + row, Perfect<HEIGHT>::leaf(tile + row, nodes.planes, nodes.thresholds, 0));
}

// Higher ones: their lowest SLICED_STRAIGHT levels tree by tree, then level by level what is above, lowest first.
FF_SLICED void find_high(const SlicedTree& tree, const SlicedNodes& nodes, const uint8_t* tile, uint8_t* slots, uint8_t* leaf) {
    constexpr int NODES = (1 << SLICED_STRAIGHT) - 1;
    for (int row = 0; row < SLICED_ROWS; row += VISIT) {
        const uint16_t* planes = nodes.planes;
        const int8_t* thresholds = nodes.thresholds;
        int n_found = 1 << (tree.height - SLICED_STRAIGHT);
        for (int found = 0; found < n_found; ++found, planes += NODES, thresholds += NODES) {
            const Four four = Perfect<SLICED_STRAIGHT>::leaf(tile + row, planes, thresholds, 0);
            store_four(slots + found * SLICED_ROWS, add_four(four, V::fill((int8_t)(found << SLICED_STRAIGHT))));
        }
        while (n_found > 1) {
            n_found /= 2;
            for (int found = 0; found < n_found; ++found, ++planes, ++thresholds) {
                const Four left = load_four(slots + 2 * found * SLICED_ROWS), right = load_four(slots + (2 * found + 1) * SLICED_ROWS);
                store_four(slots + found * SLICED_ROWS, choose_four(goes_left(tile + row, *planes, *thresholds), left, right));
            }
        }
        store_four(leaf + row, load_four(slots));
    }
}

// Up from a node along those that have one leaf and one child that is none: all that changes is which rows are in that leaf.
FF_SLICED_INLINE Four climb(SlicedNodes& nodes, const uint8_t* tile, Four found) {
    for (int left = *nodes.more++; left > 0; --left, nodes.next()) {
        const Four mask = goes_left(tile, *nodes.planes, *nodes.thresholds);
        const bytes number = V::fill((int8_t)*nodes.more++);
        FF_EACH found.of[at] = V::choose(mask.of[at], number, found.of[at]);
    }
    return found;
}

// A tree of any shape, in runs: a node with two leaves or with none, then those with one leaf above it, and what they found
// goes into the run's slot. Runs that begin with two leaves come first, then the others, children before parents.
FF_SLICED void find_any(const SlicedTree& tree, const SlicedNodes& of_tree, const uint8_t* tile, uint8_t* slots, uint8_t* leaf) {
    for (int row = 0; row < SLICED_ROWS; row += VISIT) {
        SlicedNodes nodes = of_tree;
        const uint16_t* children = nodes.children;
        uint8_t* slot = slots + row;
        Four found = {};
        bytes second = V::fill(1);   // the right one of two leaves; true is -1
        for (int run = 0; run < tree.n_pairs; ++run, slot += SLICED_ROWS) {
            found = add_four(goes_left(tile + row, *nodes.planes, *nodes.thresholds), second);
            second = V::add(second, V::fill(2));
            nodes.next();
            found = climb(nodes, tile + row, found);
            store_four(slot, found);
        }
        for (int run = 0; run < tree.n_forks; ++run, slot += SLICED_ROWS, children += 2) {
            const Four left = load_four(slots + children[0] + row), right = load_four(slots + children[1] + row);
            found = choose_four(goes_left(tile + row, *nodes.planes, *nodes.thresholds), left, right);
            nodes.next();
            found = climb(nodes, tile + row, found);
            store_four(slot, found);
        }
        store_four(leaf + row, found);
    }
}

FF_SLICED find_leaf_t find_leaf(int height) {
    switch (height) {
        case 0: return find_any;
        case 1: return find_perfect<1>;
        case 2: return find_perfect<2>;
        case 3: return find_perfect<3>;
        case 4: return find_perfect<4>;
        case 5: return find_perfect<5>;
        case 6: return find_perfect<6>;
        default: return find_high;
    }
}

// Which rows have a class that is in a set: as codes, of which only those within are below 0; then the other way round.
FF_SLICED void test_set(const SlicedSet& set, const uint8_t* tile, uint8_t* out) {
    const uint8_t* classes = tile + (size_t)set.plane * SLICED_PLACE;
    const bytes bit_of = V::table(SLICED_BITS), low = V::table(set.bits), high = V::table(set.bits + 16);
    for (int row = 0; row < SLICED_ROWS; row += V::ROWS) {
        const bytes code = V::load(classes + row), byte = V::eighth(code);
        const bytes bit = V::look_up(bit_of, V::both(code, V::fill(7)));
        const bytes found = V::choose(V::bit_on_top(byte, 4), V::look_up(high, byte), V::look_up(low, byte));
        const bytes within = V::equal(V::both(found, bit), bit);
        V::store(out + row, within);
        V::store(out + SLICED_ROWS + row, V::flip(within, V::fill(-1)));
    }
}

// --- Leaves' values onto sums. Values come out of tables byte by byte, and bytes are then put together in halves of vectors:
// so sums of ROWS rows stand in the order in which that leaves them, until they are written out.

template <typename T>
constexpr int row_of(int place) {
    const int each = 16 / (int)sizeof(T), within = place % V::ROWS;   // values of a part
    return place - within + 16 * (within / each % V::PARTS) + each * (within / each / V::PARTS) + within % each;
}

template <int TABLES>
FF_SLICED_INLINE bytes look_up(const uint8_t* tables, bytes leaf) {
    if constexpr (TABLES == 1) return V::look_up(V::table(tables), leaf);
    else return V::choose(V::bit_on_top(leaf, TABLES == 2 ? 4 : 5), look_up<TABLES / 2>(tables + 8 * TABLES, leaf), look_up<TABLES / 2>(tables, leaf));
}

// Four bytes of each row's value.
template <int TABLES>
FF_SLICED_INLINE Four look_up_four(const uint8_t* tables, bytes leaf) {
    const bytes a = look_up<TABLES>(tables, leaf), b = look_up<TABLES>(tables + 16 * TABLES, leaf);
    const bytes c = look_up<TABLES>(tables + 32 * TABLES, leaf), d = look_up<TABLES>(tables + 48 * TABLES, leaf);
    const bytes low_ab = V::low_bytes(a, b), high_ab = V::high_bytes(a, b), low_cd = V::low_bytes(c, d), high_cd = V::high_bytes(c, d);
    return {{V::low_pairs(low_ab, low_cd), V::high_pairs(low_ab, low_cd), V::low_pairs(high_ab, high_cd), V::high_pairs(high_ab, high_cd)}};
}

template <int TABLES>
FF_SLICED_INLINE void add_looked_up(const uint8_t* tables, bytes leaf, float* sums) {
    const Four values = look_up_four<TABLES>(tables, leaf);
    FF_EACH V::add_to(sums + at * V::ROWS / 4, values.of[at]);
}

template <int TABLES>
FF_SLICED_INLINE void add_looked_up(const uint8_t* tables, bytes leaf, double* sums) {
    const Four low = look_up_four<TABLES>(tables, leaf), high = look_up_four<TABLES>(tables + 64 * TABLES, leaf);
    FF_EACH {
        V::add_to(sums + 2 * at * V::ROWS / 8, V::low_fours(low.of[at], high.of[at]));
        V::add_to(sums + (2 * at + 1) * V::ROWS / 8, V::high_fours(low.of[at], high.of[at]));
    }
}

// TABLES of 16 leaves each; 0: plain values, for trees of more leaves than tables pay for.
template <typename T, int TABLES>
FF_SLICED void add_leaves(const uint8_t* values, const uint8_t* leaf, uint8_t* raw_sums) {
    T* sums = (T*)raw_sums;
    if constexpr (TABLES == 0) {
        for (int block = 0; block < SLICED_ROWS; block += V::ROWS) {
#pragma GCC unroll 32
            for (int place = 0; place < V::ROWS; ++place) sums[block + place] += load<T>(values, leaf[block + row_of<T>(place)]);
        }
    } else {
        for (int row = 0; row < SLICED_ROWS; row += V::ROWS) add_looked_up<TABLES>(values, V::load(leaf + row), sums + row);
    }
}

template <typename T>
FF_SLICED add_leaves_t leaf_adder(int tables) {
    switch (tables) {
        case 1: return add_leaves<T, 1>;
        case 2: return add_leaves<T, 2>;
        case 4: return add_leaves<T, 4>;
        default: return add_leaves<T, 0>;
    }
}

// Codes as signed bytes, for no vector unit compares unsigned ones; and the same in falling order, for nodes that are asked
// which rows they send right. In place: plane p's codes are where its signed ones go.
FF_SLICED void sign_codes(uint8_t* tile, int64_t n_planes) {
    for (int64_t plane = 0; plane < n_planes; ++plane, tile += 2 * SLICED_ROWS) {
        for (int row = 0; row < SLICED_ROWS; row += VISIT) {
            Four codes = load_four(tile + row);
            FF_EACH codes.of[at] = V::flip(codes.of[at], V::fill(-128));
            store_four(tile + row, codes);
            FF_EACH codes.of[at] = V::flip(codes.of[at], V::fill(-1));
            store_four(tile + SLICED_ROWS + row, codes);
        }
    }
}

template <typename T>
FF_SLICED void write_sums(const Sliced& ctx, const uint8_t* raw_sums, int count, uint8_t* out) {
    const T* sums = (const T*)raw_sums;
    for (int64_t output = 0; output < ctx.n_outputs; ++output, sums += SLICED_ROWS) {
        for (int place = 0; place < SLICED_ROWS; ++place) {
            const int row = row_of<T>(place);
            if (row < count) store<T>(out, row * ctx.n_outputs + output, ctx.divide != 0 ? sums[place] / (T)ctx.divide : sums[place]);
        }
    }
}

template <typename T>
constexpr SlicedLoops loops() {
    return {find_leaf, leaf_adder<T>, test_set, sign_codes, write_sums<T>};
}

#undef FF_EACH
