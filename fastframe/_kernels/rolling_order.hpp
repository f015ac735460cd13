// Medians and quantiles of windows.
//
// A slice sorts its values once; each then has a rank of its own, and a window is a set of ranks: a bitmap, with bitmaps
// above it of words that are not empty, so that the next rank of a window is a few steps away whatever the window's
// width. A cursor stands at the value that is asked for; a value that comes or goes moves it by one at most. This is
// what "Suomela, Median filtering is equivalent to sorting" (2014) says, with a bitmap where that has linked lists, so
// that windows may be of any widths and lack values.
#pragma once
#include <algorithm>

#include "quantile.hpp"
#include "rolling.hpp"

namespace ff {

struct RollingOrder {
    Rolling rolling;          // in, out
    double share;             // in: 0 to 1
    int32_t interpolation;    // in: Interpolation
};

// Windows from where their segment begins.
struct GrowingWindows : SegmentWindows {
    using SegmentWindows::SegmentWindows;
    inline int64_t begin(int64_t) const { return low; }
    inline int64_t end(int64_t position) const { return position + 1; }
};

constexpr int RANK_LEVELS = 6;   // 64^6 ranks are more than a table has rows
constexpr int RADIX_BITS = 11;

// A set of ranks below `size`.
struct RankSet {
    std::unique_ptr<uint64_t[]> words;
    uint64_t* level[RANK_LEVELS] = {};
    int n_levels = 0;

    bool make(int64_t size) {
        int64_t offsets[RANK_LEVELS] = {}, total = 0, count = size;
        do {
            count = (count + 63) / 64;
            offsets[n_levels++] = total;
            total += count;
        } while (count > 1 && n_levels < RANK_LEVELS);
        words.reset(new (std::nothrow) uint64_t[(size_t)total]());
        if (words == nullptr) return false;
        for (int at = 0; at < n_levels; ++at) level[at] = words.get() + offsets[at];
        return true;
    }
    inline void insert(int64_t rank) {
        for (int at = 0; at < n_levels; ++at) {
            uint64_t& word = level[at][rank >> 6];
            const bool was_empty = word == 0;
            word |= (uint64_t)1 << (rank & 63);
            if (!was_empty) return;
            rank >>= 6;
        }
    }
    inline void remove(int64_t rank) {
        for (int at = 0; at < n_levels; ++at) {
            uint64_t& word = level[at][rank >> 6];
            word &= ~((uint64_t)1 << (rank & 63));
            if (word != 0) return;
            rank >>= 6;
        }
    }
    // The nearest rank of the set above, or below; there must be one.
    inline int64_t above(int64_t rank) const {
        for (int at = 0; at < n_levels; ++at) {
            const int bit = (int)(rank & 63);
            const uint64_t word = bit == 63 ? 0 : level[at][rank >> 6] >> (bit + 1) << (bit + 1);
            rank >>= 6;
            if (word == 0) continue;
            rank = rank << 6 | __builtin_ctzll(word);
            while (at-- > 0) rank = rank << 6 | __builtin_ctzll(level[at][rank]);
            return rank;
        }
        return rank;
    }
    inline int64_t below(int64_t rank) const {
        for (int at = 0; at < n_levels; ++at) {
            const uint64_t word = level[at][rank >> 6] & (((uint64_t)1 << (rank & 63)) - 1);
            rank >>= 6;
            if (word == 0) continue;
            rank = rank << 6 | (63 - __builtin_clzll(word));
            while (at-- > 0) rank = rank << 6 | (63 - __builtin_clzll(level[at][rank]));
            return rank;
        }
        return rank;
    }
};

inline uint64_t ordered_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63);
}

// The values of positions [low, high) in order: each position's rank, and each rank's value; equal values rank by position.
struct Ranked {
    std::unique_ptr<uint32_t[]> rank_of;   // of each position; of missing values nothing
    std::unique_ptr<double[]> value_of;    // of each rank
    int64_t n_ranks = 0;

    bool make(const Source<double>& source, int64_t count) {
        rank_of.reset(new (std::nothrow) uint32_t[(size_t)count + 1]);
        value_of.reset(new (std::nothrow) double[(size_t)count + 1]);
        std::unique_ptr<uint64_t[]> words(new (std::nothrow) uint64_t[(size_t)count + 1]), other(new (std::nothrow) uint64_t[(size_t)count + 1]);
        if (rank_of == nullptr || value_of == nullptr || words == nullptr || other == nullptr) return false;
        const double* values = source.values;
        uint64_t least = ~(uint64_t)0, greatest = 0;
        for (int64_t at = 0; at < count; ++at) {
            if (values[at] != values[at]) continue;
            const uint64_t bits = ordered_bits(values[at]);
            least = bits < least ? bits : least;
            greatest = bits > greatest ? bits : greatest;
        }
        const int spare = greatest <= least ? 0 : 64 - __builtin_clzll(greatest - least) - 32;
        const int shift = spare > 0 ? spare : 0;   // 32 leading bits sort most values; the rest is sorted where those are equal
        for (int64_t at = 0; at < count; ++at) {
            if (values[at] == values[at]) words[(size_t)n_ranks++] = (ordered_bits(values[at]) - least) >> shift << 32 | (uint64_t)at;
        }
        uint64_t* sorted = radix(words.get(), other.get(), n_ranks);
        for (int64_t from = 0; from < n_ranks;) {
            int64_t to = from + 1;
            while (to < n_ranks && sorted[to] >> 32 == sorted[from] >> 32) ++to;
            if (to - from > 1 && shift > 0) {
                const auto before = [values](uint64_t one, uint64_t two) {
                    const double left = values[(uint32_t)one], right = values[(uint32_t)two];
                    return left < right || (left == right && (uint32_t)one < (uint32_t)two);
                };
                if (!std::is_sorted(sorted + from, sorted + to, before)) std::sort(sorted + from, sorted + to, before);
            }
            from = to;
        }
        for (int64_t rank = 0; rank < n_ranks; ++rank) {
            rank_of[(uint32_t)sorted[rank]] = (uint32_t)rank;
            value_of[(size_t)rank] = values[(uint32_t)sorted[rank]];
        }
        return true;
    }

    // By the upper 32 bits, stable; where the result is.
    static uint64_t* radix(uint64_t* words, uint64_t* other, int64_t count) {
        constexpr int N_SLOTS = 1 << RADIX_BITS;
        uint32_t places[N_SLOTS];
        for (int shift = 32; shift < 64; shift += RADIX_BITS) {
            memset(places, 0, sizeof(places));
            for (int64_t at = 0; at < count; ++at) ++places[words[at] >> shift & (N_SLOTS - 1)];
            if (count > 0 && places[words[0] >> shift & (N_SLOTS - 1)] == (uint32_t)count) continue;   // all the same
            uint32_t next = 0;
            for (int slot = 0; slot < N_SLOTS; ++slot) {
                const uint32_t own = places[slot];
                places[slot] = next;
                next += own;
            }
            for (int64_t at = 0; at < count; ++at) other[places[words[at] >> shift & (N_SLOTS - 1)]++] = words[at];
            std::swap(words, other);
        }
        return words;
    }
};

// A window's ranks, and where in them the value stands that was asked for last.
struct OrderedWindow {
    RankSet set;
    const Ranked& ranked;
    int64_t n = 0, cursor = -1, below = 0;   // the cursor's rank, and how many ranks of the window are below it

    explicit OrderedWindow(const Ranked& ranks) : ranked(ranks) {}
    inline void insert(int64_t rank) {
        set.insert(rank);
        if (n++ == 0) cursor = rank, below = 0;
        else below += rank < cursor;
    }
    inline void remove(int64_t rank) {
        set.remove(rank);
        --n;
        below -= rank < cursor;
        if (rank != cursor || n == 0) return;
        if (below < n) cursor = set.above(cursor);
        else cursor = set.below(cursor), --below;
    }
    inline double quantile(double share, int interpolation) {
        const Position at = position_of(share, n, interpolation);
        for (; below < at.below; ++below) cursor = set.above(cursor);
        for (; below > at.below; --below) cursor = set.below(cursor);
        const double value = ranked.value_of[(size_t)cursor];
        if (at.fraction == 0.0) return value + 0.0;
        return between<double, double>(value, ranked.value_of[(size_t)set.above(cursor)], at.fraction, 1);
    }
};

template <class Bounds>
int rolling_quantile(void* raw, int64_t start, int64_t stop, int64_t) {
    const RollingOrder& order = *(const RollingOrder*)raw;
    const Rolling& ctx = order.rolling;
    Bounds bounds(ctx.bounds, start), ending(ctx.bounds, stop - 1);
    const int64_t low = bounds.begin(start), high = ending.end(stop - 1);
    Source<double> source;
    if (!source.read(ctx.reading, ctx.other, 0, low, high)) return OUT_OF_MEMORY;
    Results<double> results(ctx, start, stop);
    Ranked ranked;
    OrderedWindow window(ranked);
    if (!results.allocated() || !ranked.make(source, high - low) || !window.set.make(ranked.n_ranks + 1)) return OUT_OF_MEMORY;
    const uint32_t* rank_of = ranked.rank_of.get();
    int64_t begin = low, end = low;
    for (int64_t position = start; position < stop; ++position) {
        bounds.move_to(position);
        const int64_t first = bounds.begin(position), last = bounds.end(position);
        for (; end < last; ++end)
            if (source.has(end)) window.insert(rank_of[end - low]);
        for (; begin < first; ++begin)
            if (source.has(begin)) window.remove(rank_of[begin - low]);
        const bool enough = window.n >= ctx.min_periods && window.n > 0;
        const double value = enough ? window.quantile(order.share, order.interpolation) : 0.0;
        const bool present = enough && value == value;
        results.values[position - start] = present ? value : 0.0;
        results.present[position - start] = present;
    }
    results.write();
    return OK;
}

}  // namespace ff
