// Quantiles of one large group, above all of a whole column, without bringing its values together.
//
// A sample gives each quantile a bracket that very likely holds it (as Floyd and Rivest, "Expected time bounds for selection",
// 1975). One pass over the rows, by all threads, counts the values around the bracket's ends and collects the few inside, among
// which the quantile is then selected. Ends are counted and not collected, so that a value that many rows have costs nothing.
// Whether a bracket held its quantile is known exactly after the pass; where it did not, or held more than there is room for,
// the caller widens it or goes another way. Results are values of the column, so neither the path nor the order in
// which threads collect matters to them.
#pragma once
#include <memory>
#include <new>

#include "hash.hpp"
#include "quantile.hpp"

namespace ff {

constexpr int64_t BRACKET_BLOCK = 1024;   // values looked at for all brackets while they are in the first-level cache
constexpr int64_t HELD = 4096;            // collected values that a thread keeps before it puts them with the others'
constexpr int64_t FEWEST_DRAWN = 64;      // of fewer values nothing is concluded

// What the pass found about one bracket; threads add to it.
struct BracketCounts {
    int64_t below_low, upto_low, below_high, upto_high;
    int64_t collected;   // also those for which there was no room
    int64_t present;     // values that are not missing, the same for each bracket
};

inline int64_t add_to(int64_t* sum, int64_t value) { return __atomic_fetch_add(sum, value, __ATOMIC_RELAXED); }

struct Brackets {
    View view;                  // in
    const double* shares;       // in: 0 to 1
    int64_t n_brackets;         // in
    int32_t drawn_bits;         // in: a sample has 2^drawn_bits rows, at most as many as the column, and 2^20
    double margin;              // in: from the expected rank to the bracket's ends, in standard deviations
    uint8_t* bounds;            // out of sampling: low and high of each bracket
    uint8_t* sample;            // scratch: as many values, and PADDING
    uint8_t* values;            // out of the pass: room for `room` values of each bracket
    int64_t room;               // in
    BracketCounts* counts;      // in and out of the pass: zeros at first
    int32_t interpolation;      // in
    int64_t unit;               // in: as Quantile's
    uint8_t* out;               // out of selection: a result for each share
    uint8_t* found;             // out of selection: for each share 0 where the bracket did not hold it, 1 a result, 2 there is none
};

// Rows of a sample are spread evenly, each at a place of its own within its stretch, so that no period in the data meets it.
// A local table has less than 2^31 rows, and samples at most 2^20, so products fit.
inline int64_t drawn_row(int64_t n_rows, int drawn_bits, int64_t at) {
    const int64_t first = n_rows * at >> drawn_bits, next = n_rows * (at + 1) >> drawn_bits;
    const uint64_t mixed = mix((uint64_t)at);
    return first + (int64_t)((mixed >> 33) * (uint64_t)(next - first) >> 31);
}

// One call: the bounds of all brackets.
template <class Source, class Loops>
int draw_brackets(void* raw, int64_t, int64_t, int64_t) {
    typedef typename Source::value_t T;
    const Brackets& ctx = *(const Brackets*)raw;
    T* sample = (T*)ctx.sample;
    int64_t drawn = 0;
    for (int64_t at = 0; at < (int64_t)1 << ctx.drawn_bits; ++at) {
        const int64_t row = drawn_row(ctx.view.length, ctx.drawn_bits, at);
        if (!is_valid(ctx.view, row) || Source::is_nan(ctx.view, row)) continue;
        sample[drawn++] = Source::at(ctx.view, row);
    }
    Extent<T> extent{};
    if (drawn > 0) Loops::extremes(sample, drawn, &extent.least, &extent.greatest);
    for (int64_t bracket = 0; bracket < ctx.n_brackets; ++bracket) {
        T low = lowest_value<T>(), high = highest_value<T>();
        if (drawn >= FEWEST_DRAWN) {
            const double share = ctx.shares[bracket], place = share * (double)(drawn - 1);
            const double away = ctx.margin * (std::sqrt((double)drawn * share * (1.0 - share)) + 1.0);
            const double first = std::floor(place - away), last = std::ceil(place + away);
            if (first >= 0.0) low = select_neighbours<T, Loops>(sample, drawn, (int64_t)first, false, extent).lower;
            if (last < (double)drawn) high = select_neighbours<T, Loops>(sample, drawn, (int64_t)last, false, extent).lower;
        }
        store<T>(ctx.bounds, 2 * bracket, low);
        store<T>(ctx.bounds, 2 * bracket + 1, high);
    }
    return OK;
}

// Values of rows [row, row + count) that are not null, one after the other: where they are, or in `own`.
template <class Source>
inline const typename Source::value_t* present_values(const View& view, int64_t row, int64_t count, typename Source::value_t* own, int64_t* present) {
    typedef typename Source::value_t T;
    *present = count;
    if (view.validity == nullptr) {
        if constexpr (!std::is_same<Source, Bits>::value) {
            const uint8_t* at = view.values + row * (int64_t)sizeof(T);
            if ((uintptr_t)at % sizeof(T) == 0) return (const T*)at;
            memcpy(own, at, (size_t)count * sizeof(T));
        } else {
            for (int64_t at = 0; at < count; ++at) own[at] = Source::at(view, row + at);
        }
        return own;
    }
    int64_t held = 0;
    for (int64_t first = 0; first < count; first += 64) {
        const int n_bits = (int)(count - first < 64 ? count - first : 64);
        const uint64_t valid = bits_at(view.validity, view.bit_offset + row + first, n_bits);
        for (int lane = 0; lane < n_bits; ++lane) {
            own[held] = Source::at(view, row + first + lane);   // stays where it is counted
            held += (int64_t)((valid >> lane) & 1);
        }
    }
    *present = held;
    return own;
}

// What one thread has found about one bracket in its slice.
template <typename T>
struct BracketPart {
    T low, high;
    int64_t counts[5];   // as `around` gives them
    int64_t held;
    T values[HELD + BRACKET_BLOCK + PADDING];

    void put(const Brackets& ctx, int64_t bracket) {
        const int64_t place = add_to(&ctx.counts[bracket].collected, held);
        if (place + held <= ctx.room) memcpy((T*)ctx.values + bracket * ctx.room + place, values, (size_t)held * sizeof(T));
        held = 0;
    }
};

// Over rows.
template <class Source, class Loops>
int fill_brackets(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Source::value_t T;
    const Brackets& ctx = *(const Brackets*)raw;
    const std::unique_ptr<BracketPart<T>[]> parts(new (std::nothrow) BracketPart<T>[(size_t)ctx.n_brackets]);
    if (parts == nullptr) return OUT_OF_MEMORY;
    for (int64_t bracket = 0; bracket < ctx.n_brackets; ++bracket) {
        BracketPart<T>& part = parts[(size_t)bracket];
        part.low = load<T>(ctx.bounds, 2 * bracket);
        part.high = load<T>(ctx.bounds, 2 * bracket + 1);
        std::fill(part.counts, part.counts + 5, 0);
        part.held = 0;
    }
    T own[BRACKET_BLOCK];
    for (int64_t row = start; row < stop; row += BRACKET_BLOCK) {
        int64_t present;
        const T* values = present_values<Source>(ctx.view, row, stop - row < BRACKET_BLOCK ? stop - row : BRACKET_BLOCK, own, &present);
        for (int64_t bracket = 0; bracket < ctx.n_brackets; ++bracket) {
            BracketPart<T>& part = parts[(size_t)bracket];
            int64_t found[5];
            Loops::around(values, present, part.low, part.high, found);
            for (int which = 0; which < 5; ++which) part.counts[which] += found[which];
            if (found[2] > found[1]) {   // some are between the ends, so there are values after the one and before the other
                part.held += Loops::collect(values, present, value_after(part.low), value_before(part.high), part.values + part.held);
                if (part.held > HELD) part.put(ctx, bracket);
            }
        }
    }
    for (int64_t bracket = 0; bracket < ctx.n_brackets; ++bracket) {
        BracketPart<T>& part = parts[(size_t)bracket];
        BracketCounts& counts = ctx.counts[bracket];
        add_to(&counts.below_low, part.counts[0]);
        add_to(&counts.upto_low, part.counts[1]);
        add_to(&counts.below_high, part.counts[2]);
        add_to(&counts.upto_high, part.counts[3]);
        add_to(&counts.present, part.counts[4]);
        if (part.held > 0) part.put(ctx, bracket);
    }
    return OK;
}

// The value of a rank, and of the next one where `both`; false where the bracket does not tell.
template <typename T, class Loops>
inline bool find_neighbours(const Brackets& ctx, int64_t bracket, int64_t rank, bool both, Neighbours<T>* found) {
    const BracketCounts& counts = ctx.counts[bracket];
    const int64_t first = counts.upto_low, collected = counts.collected, last = rank + (both ? 1 : 0);
    if (rank < counts.below_low || last >= counts.upto_high) return false;
    found->lower = load<T>(ctx.bounds, 2 * bracket);
    found->upper = load<T>(ctx.bounds, 2 * bracket + 1);
    if (last < first) {
        found->upper = found->lower;
    } else if (rank >= first + collected) {
        found->lower = found->upper;
    } else if (collected > 0) {   // else `rank` is the low end's and `last` the high one's
        if (collected > ctx.room) return false;
        T* values = (T*)ctx.values + bracket * ctx.room;
        Extent<T> extent;
        Loops::extremes(values, collected, &extent.least, &extent.greatest);
        if (rank < first) {
            found->upper = extent.least;
        } else {
            const bool next = both && last < first + collected;
            const Neighbours<T> inside = select_neighbours<T, Loops>(values, collected, rank - first, next, extent);
            found->lower = inside.lower;
            if (next) found->upper = inside.upper;
        }
    }
    return true;
}

// Over shares.
template <class Source, typename R, class Loops>
int select_in_brackets(void* raw, int64_t start, int64_t stop, int64_t) {
    typedef typename Source::value_t T;
    const Brackets& ctx = *(const Brackets*)raw;
    for (int64_t share = start; share < stop; ++share) {
        const int64_t count = ctx.counts[share].present;
        ctx.found[share] = 2;
        store<R>(ctx.out, share, R(0));
        if (count == 0) continue;
        const Position at = position_of(ctx.shares[share], count, ctx.interpolation);
        Neighbours<T> found;
        if (!find_neighbours<T, Loops>(ctx, share, at.below, at.fraction != 0.0, &found)) {
            ctx.found[share] = 0;
            continue;
        }
        const R result = quantile_at<T, R>(at, found, ctx.unit);
        if (result != result) continue;   // between two infinities
        ctx.found[share] = 1;
        store<R>(ctx.out, share, result);
    }
    return OK;
}

enum BracketStep : int { DRAW = 0, FILL = 1, SELECT = 2 };

template <class Source, typename R, class Loops>
inline kernel_t bracket_step(int step) {
    return step == DRAW ? draw_brackets<Source, Loops> : step == FILL ? fill_brackets<Source, Loops> : select_in_brackets<Source, R, Loops>;
}

template <class Source, typename R>
inline kernel_t bracket_loops(int step) {
    return has_avx2() ? bracket_step<Source, R, WideLoops>(step) : bracket_step<Source, R, BaselineLoops>(step);
}

template <class Source>
inline kernel_t brackets_of(int step, int result) {
    return for_result<typename Source::value_t>(result, [=](auto one) { return bracket_loops<Source, decltype(one)>(step); });
}

// From values of `physical` to results of `result`; null where there is none.
inline kernel_t bracket_kernel(int physical, int result, int step) {
    switch (physical) {
        case I8: return brackets_of<Values<int8_t>>(step, result);
        case I16: return brackets_of<Values<int16_t>>(step, result);
        case I32: return brackets_of<Values<int32_t>>(step, result);
        case I64: return brackets_of<Values<int64_t>>(step, result);
        case U8: return brackets_of<Values<uint8_t>>(step, result);
        case U16: return brackets_of<Values<uint16_t>>(step, result);
        case U32: return brackets_of<Values<uint32_t>>(step, result);
        case U64: return brackets_of<Values<uint64_t>>(step, result);
        case F32: return brackets_of<Values<float>>(step, result);
        case F64: return brackets_of<Values<double>>(step, result);
        case BOOL: return brackets_of<Bits>(step, result);
        default: return nullptr;
    }
}

}  // namespace ff
