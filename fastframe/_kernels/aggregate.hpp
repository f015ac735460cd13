// Aggregations by group code, in two plans that give every group its values in row order.
//
// Slices: each slice of rows fills its own slots, one per group; slots combine in slice order (`combine_slices`).
// Partitions: for many groups. Rows were scattered by ranges of groups (scatter.hpp), and each partition owns the
// slots of its groups (`update_partitions`).
#pragma once
#include "states.hpp"

namespace ff {

constexpr int MOST_REPLICAS = 4;

struct Grouped {
    View view;                  // in: values
    const uint8_t* codes;       // in: group of each row, NULL_CODE where left out; null where there is one group
    Text text;                  // in: for TextExtreme
    int64_t n_groups;           // in
    uint8_t* slots;             // out of updating, in of combining: slices x n_replicas x (n_groups + SPARE_SLOTS)
    int32_t n_replicas;         // in: 1, or MOST_REPLICAS so that rows of one group do not wait for each other
    int32_t prefetch;           // in: whether slots are too many for the cache
    int64_t n_slices;           // in
    const int32_t* starts;      // in: first value of each partition
    int32_t shift;              // in: groups of one partition, as a power of two
    StateColumns out;           // out: one row per group
};

template <class Op, class Source>
inline bool update_block(const Grouped& ctx, typename Op::Slot* const* replicas, const uint32_t* target, int64_t row, int count) {
    bool fits = true;
    int lane = 0;
    for (; lane + MOST_REPLICAS <= count; lane += MOST_REPLICAS) {
        for (int replica = 0; replica < MOST_REPLICAS; ++replica) {
            fits &= Op::update(replicas[replica][target[lane + replica]], Source::at(ctx.view, row + lane + replica), ctx.text);
        }
    }
    for (; lane < count; ++lane) fits &= Op::update(replicas[0][target[lane]], Source::at(ctx.view, row + lane), ctx.text);
    return fits;
}

template <class Op, class = void>
struct Closes {
    static void all(typename Op::Slot*, int64_t) {}
};
template <class Op>
struct Closes<Op, decltype((void)&Op::close)> {
    static void all(typename Op::Slot* slots, int64_t count) { for (int64_t slot = 0; slot < count; ++slot) Op::close(slots[slot]); }
};

// Over rows.
template <class Op, class Source>
int update_slices(void* raw, int64_t start, int64_t stop, int64_t slice) {
    typedef typename Op::Slot Slot;
    const Grouped& ctx = *(const Grouped*)raw;
    const int64_t stride = ctx.n_groups + SPARE_SLOTS;
    Slot* slots = (Slot*)ctx.slots + slice * ctx.n_replicas * stride;
    for (int64_t slot = 0; slot < ctx.n_replicas * stride; ++slot) slots[slot] = Op::init();
    Slot* replicas[MOST_REPLICAS];
    for (int replica = 0; replica < MOST_REPLICAS; ++replica) replicas[replica] = slots + (replica % ctx.n_replicas) * stride;
    uint32_t target[BLOCK_ROWS];
    for (int64_t row = start; row < stop; row += BLOCK_ROWS) {
        const int count = (int)(stop - row < BLOCK_ROWS ? stop - row : BLOCK_ROWS);
        fill_targets<Source>(ctx.view, ctx.codes, (code_t)ctx.n_groups, row, count, target);
        if (ctx.prefetch) for (int lane = 0; lane < count; ++lane) __builtin_prefetch(&slots[target[lane]], 1);
        if (!update_block<Op, Source>(ctx, replicas, target, row, count)) return OVERFLOW_;
    }
    Closes<Op>::all(slots, ctx.n_replicas * stride);
    for (int replica = 1; replica < ctx.n_replicas; ++replica) {
        for (int64_t group = 0; group < ctx.n_groups; ++group) {
            if (!Op::combine(slots[group], replicas[replica][group], ctx.text)) return OVERFLOW_;
        }
    }
    return OK;
}

// Over groups: the slots of all slices, in slice order, to columns.
template <class Op>
int combine_slices(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Op::Slot Slot;
    const Grouped& ctx = *(const Grouped*)raw;
    const int64_t stride = ctx.n_replicas * (ctx.n_groups + SPARE_SLOTS);
    const Slot* slots = (const Slot*)ctx.slots;
    for (int64_t group = start; group < stop; ++group) {
        Slot whole = ctx.n_slices > 0 ? slots[group] : Op::init();
        for (int64_t slice = 1; slice < ctx.n_slices; ++slice) {
            if (!Op::combine(whole, slots[slice * stride + group], ctx.text)) return OVERFLOW_;
        }
        Op::emit(ctx.out, group, whole);
    }
    return OK;
}

// Over partitions; `view` and `codes` hold the scattered values and codes, none of them missing.
template <class Op, class Source>
int update_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Op::Slot Slot;
    typedef Values<typename Source::value_t> Scattered;
    const Grouped& ctx = *(const Grouped*)raw;
    Slot* slots = new (std::nothrow) Slot[(size_t)1 << ctx.shift];
    if (slots == nullptr) return OUT_OF_MEMORY;
    bool fits = true;
    for (int64_t partition = start; partition < stop && fits; ++partition) {
        const int64_t first_group = partition << ctx.shift;
        const int64_t n_left = ctx.n_groups - first_group;
        const int64_t n_groups = n_left < ((int64_t)1 << ctx.shift) ? n_left : (int64_t)1 << ctx.shift;
        for (int64_t group = 0; group < n_groups; ++group) slots[group] = Op::init();
        for (int64_t place = ctx.starts[partition]; place < ctx.starts[partition + 1]; ++place) {
            fits &= Op::update(slots[load<code_t>(ctx.codes, place) - first_group], Scattered::at(ctx.view, place), ctx.text);
        }
        Closes<Op>::all(slots, n_groups);
        for (int64_t group = 0; group < n_groups; ++group) Op::emit(ctx.out, first_group + group, slots[group]);
    }
    delete[] slots;
    return fits ? OK : OVERFLOW_;
}

struct Merge {
    const StateColumns* states;   // in: n_states, of the same groups
    int64_t n_states;             // in: at least 1
    StateColumns out;             // out
};

// Over groups: states of several partitions of the rows, in order, to one.
template <class Op>
int merge_states(void* raw, int64_t start, int64_t stop, int64_t) {
    const Merge& ctx = *(const Merge*)raw;
    for (int64_t group = start; group < stop; ++group) {
        typename Op::Slot whole = Op::restore(ctx.states[0], group);
        for (int64_t state = 1; state < ctx.n_states; ++state) {
            if (!Op::combine(whole, Op::restore(ctx.states[state], group), Text())) return OVERFLOW_;
        }
        Op::emit(ctx.out, group, whole);
    }
    return OK;
}

}  // namespace ff
