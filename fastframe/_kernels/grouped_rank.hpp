// Ranks within groups: values and codes were scattered by ranges of groups (scatter.hpp); each partition sorts the values of
// each of its groups and writes ranks at the places of the values, in a core's cache. The way back to rows is a gather.
//
// Sorting is by distribution: values go to buckets by interpolation between the group's extremes, which leaves a few values
// in each where they are spread evenly; crowded buckets are distributed again (as in "proxmap" sort), and what three rounds
// do not part is left to std::stable_sort. Equal values keep their order, that of the rows.
#pragma once
#include <algorithm>
#include <cmath>
#include <new>
#include <type_traits>
#include <vector>

#include "rank.hpp"

namespace ff {

struct GroupedRank {
    const uint8_t* values;    // in: in partition order, none of them missing
    const uint8_t* codes;     // in: their groups
    const int32_t* starts;    // in: first value of each partition, and the end of the last
    int64_t n_groups;         // in
    int32_t shift;            // in: groups of a partition, as a power of two
    int32_t method;           // in: RankMethod
    bool descending;          // in
    bool percent;             // in: divided by the group's values, of dense ranks by its distinct values
    uint8_t* ranks;           // out: double per place
};

constexpr int64_t FEW_TO_SORT = 16;
constexpr int64_t MOST_BUCKETS = 4096;
constexpr int MOST_DISTRIBUTIONS = 3;

template <typename T>
struct Item {
    T key;
    int32_t place;
};

// Keys ascend in the order that ranks are wanted in; both zeros are one.
template <typename T>
inline T rank_key(T value, bool descending) {
    if constexpr (std::is_floating_point<T>::value) return (descending ? -value : value) + (T)0;
    else return descending ? (T)~value : value;
}

template <typename T>
inline bool before(const Item<T>& left, const Item<T>& right) { return left.key < right.key; }

// Sorts stably; `spare` has room for as many.
template <typename T>
void distribute(Item<T>* items, Item<T>* spare, int64_t count, int depth) {
    if (count <= FEW_TO_SORT) {
        for (int64_t next = 1; next < count; ++next) {
            const Item<T> item = items[next];
            int64_t at = next;
            for (; at > 0 && item.key < items[at - 1].key; --at) items[at] = items[at - 1];
            items[at] = item;
        }
        return;
    }
    T least = items[0].key, greatest = items[0].key;
    for (int64_t at = 1; at < count; ++at) {
        least = items[at].key < least ? items[at].key : least;
        greatest = items[at].key > greatest ? items[at].key : greatest;
    }
    if (!(least < greatest)) return;
    const int64_t n_buckets = std::min(MOST_BUCKETS, count / 2);
    const double low = (double)least, scale = (double)n_buckets / ((double)greatest - low);
    if (depth == MOST_DISTRIBUTIONS || !std::isfinite(scale) || !(scale > 0.0) || !std::isfinite(low)) {
        std::stable_sort(items, items + count, before<T>);
        return;
    }
    const auto bucket_of = [&](T key) { return std::min((int64_t)(((double)key - low) * scale), n_buckets - 1); };
    int32_t ends[MOST_BUCKETS];
    memset(ends, 0, (size_t)n_buckets * sizeof(int32_t));
    for (int64_t at = 0; at < count; ++at) ++ends[bucket_of(items[at].key)];
    int32_t next = 0;
    for (int64_t bucket = 0; bucket < n_buckets; ++bucket) {
        const int32_t held = ends[bucket];
        ends[bucket] = next;
        next += held;
    }
    for (int64_t at = 0; at < count; ++at) spare[ends[bucket_of(items[at].key)]++] = items[at];
    memcpy((void*)items, (const void*)spare, (size_t)count * sizeof(Item<T>));
    int64_t begin = 0;
    for (int64_t bucket = 0; bucket < n_buckets; ++bucket) {
        if (ends[bucket] - begin > 1) distribute(items + begin, spare + begin, ends[bucket] - begin, depth + 1);
        begin = ends[bucket];
    }
}

// Ranks of one group's sorted items.
template <typename T>
void rank_items(const GroupedRank& ctx, const Item<T>* items, int64_t count) {
    int64_t n_distinct = 0;
    if (ctx.percent && ctx.method == DENSE)
        for (int64_t at = 0; at < count; ++at) n_distinct += at == 0 || items[at - 1].key < items[at].key;
    const double divisor = !ctx.percent ? 1.0 : ctx.method == DENSE ? (double)n_distinct : (double)count;
    int64_t dense = 0;
    for (int64_t begin = 0; begin < count;) {
        int64_t end = begin + 1;
        while (end < count && !(items[begin].key < items[end].key)) ++end;
        ++dense;
        double rank = 0.0;
        switch (ctx.method) {
            case LEAST: rank = (double)(begin + 1); break;
            case GREATEST: rank = (double)end; break;
            case DENSE: rank = (double)dense; break;
            default: rank = 0.5 * (double)(begin + 1 + end);
        }
        for (; begin < end; ++begin) {
            const double own = ctx.method == FIRST ? (double)(begin + 1) : rank;
            store<double>(ctx.ranks, items[begin].place, own / divisor);
        }
    }
}

// Over partitions.
template <typename T>
int rank_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    const GroupedRank& ctx = *(const GroupedRank*)raw;
    const int64_t most_groups = std::min((int64_t)1 << ctx.shift, ctx.n_groups);
    try {
        std::vector<int32_t> ends((size_t)most_groups);
        std::vector<Item<T>> items, spare;
        for (int64_t partition = start; partition < stop; ++partition) {
            const int64_t first_group = partition << ctx.shift, begin = ctx.starts[partition], end = ctx.starts[partition + 1];
            const int64_t n_groups = std::min(most_groups, ctx.n_groups - first_group);
            if ((size_t)(end - begin) > items.size()) {
                items.resize((size_t)(end - begin));
                spare.resize((size_t)(end - begin));
            }
            std::fill(ends.begin(), ends.end(), 0);
            for (int64_t place = begin; place < end; ++place) ++ends[load<code_t>(ctx.codes, place) - first_group];
            int32_t next = 0;
            for (int64_t group = 0; group < n_groups; ++group) {
                const int32_t held = ends[group];
                ends[group] = next;
                next += held;
            }
            for (int64_t place = begin; place < end; ++place) {
                const T key = rank_key(load<T>(ctx.values, place), ctx.descending);
                items[ends[load<code_t>(ctx.codes, place) - first_group]++] = {key, (int32_t)place};
            }
            int64_t from = 0;
            for (int64_t group = 0; group < n_groups; ++group) {
                distribute(items.data() + from, spare.data() + from, ends[group] - from, 0);
                rank_items(ctx, items.data() + from, ends[group] - from);
                from = ends[group];
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline kernel_t grouped_rank_kernel(int physical) {
    switch (physical) {
        case I8: return rank_partitions<int8_t>;
        case I16: return rank_partitions<int16_t>;
        case I32: return rank_partitions<int32_t>;
        case I64: return rank_partitions<int64_t>;
        case U8: return rank_partitions<uint8_t>;
        case U16: return rank_partitions<uint16_t>;
        case U32: return rank_partitions<uint32_t>;
        case U64: return rank_partitions<uint64_t>;
        case F32: return rank_partitions<float>;
        case F64: return rank_partitions<double>;
        default: return nullptr;
    }
}

}  // namespace ff
