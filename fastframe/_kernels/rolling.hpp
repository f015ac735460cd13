// A value for each position from the window of positions around it: rolling and expanding sums, means, variances,
// extremes, counts, covariances and correlations.
//
// Positions are rows, or rows in group order (`rows`), cut into segments (groups) that no window crosses. Windows begin
// and end monotonically, so each is the queue of values between two ends that only move forward. Nothing is ever taken
// out of a floating-point state: a queue is two stacks (the known construction; for windows of one length it is van Herk,
// "A fast algorithm for local minimum and maximum filters", 1992), states of all suffixes of its older part and one state of
// its newer part, and a window's state is the merge of two. So an error, an infinity or a large value lasts as long as
// it is in the window, and windows of equal values have no variance at all. Two adds and a merge per value.
#pragma once
#include <algorithm>
#include <memory>
#include <new>

#include "rolling_blocks.hpp"
#include "rolling_moments.hpp"

namespace ff {

struct Rolling {
    Reading reading;            // in: the values
    View other;                 // in: the second column, where there are two
    int32_t other_physical;     // in
    WindowBounds bounds;        // in
    int64_t n_positions;        // in
    int64_t min_periods;        // in
    int64_t ddof;               // in
    bool rooted;                // in: deviation rather than variance, correlation rather than covariance
    int32_t result;             // in: Physical of the results
    uint8_t* carries;           // scans: a `Carried` per slice
    uint8_t* out;               // out: a value per position
    uint8_t* validity;          // out: bits
};

// What a slice of results is written to: 8-byte values, and a byte that says whether each is there.
template <typename R>
struct Results {
    const Rolling& ctx;
    int64_t start, stop;
    std::unique_ptr<uint8_t[]> present;
    std::unique_ptr<R[]> wide;   // where results are not 8 bytes wide
    R* values;
    bool overflowed = false;

    Results(const Rolling& rolling, int64_t first, int64_t last) : ctx(rolling), start(first), stop(last) {
        present.reset(new (std::nothrow) uint8_t[(size_t)(last - first) + 8]);
        if (ctx.result == F64 || ctx.result == I64 || ctx.result == U64) values = (R*)ctx.out + first;
        else wide.reset(new (std::nothrow) R[(size_t)(last - first)]), values = wide.get();
    }
    bool allocated() const { return present != nullptr && values != nullptr; }

    void write_missing(int64_t count) {   // of the first so many
        memset(present.get(), 0, (size_t)count);
        memset(values, 0, (size_t)count * sizeof(R));
    }

    void write() {
        if (wide != nullptr) narrow(ctx.result, wide.get(), ctx.out, start, stop);
        pack_bits(present.get(), ctx.validity, start, stop);
    }
};

template <class Agg, bool MISSING>
struct Windows {
    typedef typename Agg::value_t value_t;
    typedef typename Agg::state_t state_t;
    typedef typename Agg::result_t result_t;

    const Rolling& ctx;
    const Source<value_t>& source;
    Results<result_t>& results;

    inline void emit(int64_t position, const state_t& state, int64_t n, int64_t width) {
        result_t value = 0;
        const int64_t enough = Agg::COUNTS_ROWS ? width : n;
        const bool present = Agg::finish(state, n, ctx, value, results.overflowed) && enough >= ctx.min_periods;
        results.values[position - results.start] = present ? value : result_t(0);
        results.present[position - results.start] = present;
    }

    inline bool has(int64_t position) const { return !MISSING || source.has(position); }

    // A run of positions whose windows both lose one value and gain one, all values present.
    inline void steady(int64_t position, int64_t count, const state_t* suffix, state_t& prefix, int64_t end, int64_t width) {
        for (int64_t step = 0; step < count; ++step) {
            Agg::add(prefix, source.at(end + step));
            emit(position + step, Agg::merged(suffix[step], prefix), width, width);
        }
    }

    // How many windows from `position` on came out of a run of blocks.
    int64_t by_blocks(int64_t position, int64_t count, int64_t first, int64_t width, double* scratch) {
        typedef typename BlocksOf<Agg, MISSING>::type Blocks;
        if constexpr (std::is_void<Blocks>::value) {
            return 0;
        } else {
            return run_blocks<Blocks>(block_run(position, count, first, width, scratch)) ? count : 0;
        }
    }

    // How many windows from `position` on, which begin where their segment does, came out at once.
    int64_t growing(int64_t position, int64_t count, int64_t first, int64_t width) {
        typedef typename GrowingOf<Agg, MISSING>::type Growing;
        if constexpr (std::is_void<Growing>::value) {
            return 0;
        } else {
            return run_blocks<Growing>(block_run(position, count, first, width, nullptr)) ? count : 0;
        }
    }

    BlockRun<value_t, result_t> block_run(int64_t position, int64_t count, int64_t first, int64_t width, double* scratch) {
        const int64_t enough = ctx.min_periods > 1 || Agg::OF_NONE ? ctx.min_periods : 1;
        const int32_t* counts = MISSING ? source.counts.get() + (first - source.low) : nullptr;
        const int64_t at = position - results.start;
        return {source.values + (first - source.low), counts, width, count, enough, ctx.ddof, ctx.rooted, results.values + at,
                results.present.get() + at, scratch, source.magnitudes.most, source.magnitudes.least};
    }

    template <class Bounds>
    int run(Bounds& bounds, int64_t start, int64_t stop, int64_t capacity) {
        constexpr bool BLOCKS = Bounds::STEADY && !std::is_void<typename BlocksOf<Agg, MISSING>::type>::value;
        std::unique_ptr<state_t[]> suffix(new (std::nothrow) state_t[(size_t)capacity + 1]);
        std::unique_ptr<double[]> scratch;
        if (BLOCKS) scratch.reset(new (std::nothrow) double[(size_t)block_scratch(capacity + 1)]);
        if (suffix == nullptr || (BLOCKS && scratch == nullptr)) return OUT_OF_MEMORY;
        int64_t position = start, tried = start;
        while (position < stop) {
            bounds.move_to(position);
            const int64_t first = bounds.begin(position), middle = bounds.end(position);
            if constexpr (BLOCKS) {
                const int64_t grow = std::min(stop, bounds.growing_until()) - position;
                if (grow > 0 && std::max(grow, middle - first) >= FEWEST_IN_BLOCKS && middle > first && position >= tried) {
                    const int64_t done = growing(position, grow, first, middle - first);
                    position += done;
                    tried = position + (done > 0 ? 0 : grow);
                    if (done > 0) continue;
                }
                int64_t count = bounds.steady(position + 1) + 1;
                if (stop - position < count) count = stop - position;
                if (count >= FEWEST_IN_BLOCKS && middle - first >= std::max<int64_t>(1, ctx.min_periods * !MISSING) && position >= tried) {
                    const int64_t done = by_blocks(position, count, first, middle - first, scratch.get());
                    position += done;
                    tried = position + count;   // where blocks were too inexact, all of them are walked
                    if (done > 0) continue;
                }
            }
            state_t state = Agg::identity();
            int64_t n = 0;
            for (int64_t at = middle - 1; at >= first; --at) {
                if (has(at)) Agg::add(state, source.at(at)), ++n;
                suffix[at - first] = state;
            }
            emit(position, state, n, middle - first);
            state_t prefix = Agg::identity();
            int64_t begin = first, end = middle;
            for (++position; position < stop;) {
                bounds.move_to(position);
                const int64_t next = bounds.begin(position);
                if (next >= middle) break;
                if constexpr (!MISSING) {
                    int64_t count = bounds.steady(position);
                    if (middle - next < count) count = middle - next;
                    if (stop - position < count) count = stop - position;
                    if (count > 1 && end + 1 == bounds.end(position)) {
                        const int64_t width = end + 1 - next;
                        steady(position, count, suffix.get() + (next - first), prefix, end, width);
                        position += count, end += count;
                        continue;
                    }
                }
                const int64_t last = bounds.end(position);
                for (; end < last; ++end) {
                    if (has(end)) Agg::add(prefix, source.at(end)), ++n;
                }
                if (MISSING) for (; begin < next; ++begin) n -= has(begin);
                else n = last - next;
                emit(position, Agg::merged(suffix[next - first], prefix), n, last - next);
                ++position;
            }
        }
        return OK;
    }
};

// ---- windows that end and begin somewhere ---------------------------------------------------------------------------

template <class Agg, class Bounds>
int rolling_slice(void* raw, int64_t start, int64_t stop, int64_t) {
    const Rolling& ctx = *(const Rolling*)raw;
    Results<typename Agg::result_t> results(ctx, start, stop);
    if (!results.allocated()) return OUT_OF_MEMORY;
    Bounds bounds(ctx.bounds, start);
    const int64_t lacking = bounds.lacking_until(start, stop, ctx.min_periods) - start;   // windows with too few rows
    results.write_missing(lacking);
    start += lacking;
    if (start == stop) {
        results.write();
        return OK;
    }
    bounds.move_to(start);
    const int64_t low = bounds.begin(start);
    Bounds ending(ctx.bounds, stop - 1);
    const int64_t high = ending.end(stop - 1);
    Source<typename Agg::value_t> source;
    if (!source.read(ctx.reading, ctx.other, ctx.other_physical, low, high)) return OUT_OF_MEMORY;
    if constexpr (!std::is_void<typename BlocksOf<Agg, true>::type>::value) {
        if (Bounds::STEADY && source.any_missing && !source.count_up(high)) return OUT_OF_MEMORY;
    }
    const int64_t capacity = ending.widest(start, stop);
    const int status = source.any_missing ? Windows<Agg, true>{ctx, source, results}.run(bounds, start, stop, capacity)
                                          : Windows<Agg, false>{ctx, source, results}.run(bounds, start, stop, capacity);
    if (status != OK) return status;
    if (results.overflowed) return OVERFLOW_;
    results.write();
    return OK;
}

// ---- windows that begin where their segment does --------------------------------------------------------------------

// What a slice leaves to the next: the state of its last segment, and whether that segment begins in the slice.
template <class Agg>
struct Carried {
    typename Agg::state_t state;
    int64_t n;         // values that are there
    int64_t n_rows;
    bool begins;
};

template <class Agg>
int expanding_fold(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Rolling& ctx = *(const Rolling*)raw;
    SegmentWindows last(ctx.bounds, stop - 1);
    const int64_t begin = last.segment_begin();
    const int64_t first = begin >= start ? begin : start;
    Source<typename Agg::value_t> source;
    if (!source.read(ctx.reading, ctx.other, ctx.other_physical, first, stop)) return OUT_OF_MEMORY;
    typename Agg::state_t state = Agg::identity();   // not where it goes: slices' states share lines of memory
    int64_t n = 0;
    for (int64_t position = first; position < stop; ++position)
        if (source.has(position)) Agg::add(state, source.at(position)), ++n;
    ((Carried<Agg>*)ctx.carries)[slice] = {state, n, stop - first, begin >= start};
    return OK;
}

// Over slices, as one piece: states become those of all rows of the segment before the slice.
template <class Agg>
int expanding_scan(void* raw, int64_t start, int64_t stop, int64_t) {
    const Rolling& ctx = *(const Rolling*)raw;
    Carried<Agg>* carries = (Carried<Agg>*)ctx.carries;
    Carried<Agg> before = {Agg::identity(), 0, 0, true};
    for (int64_t slice = start; slice < stop; ++slice) {
        const Carried<Agg> own = carries[slice];
        carries[slice] = before;
        if (own.begins) before = own;
        else before = {Agg::merged(before.state, own.state), before.n + own.n, before.n_rows + own.n_rows, true};
    }
    return OK;
}

template <class Agg>
int expanding_apply(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Rolling& ctx = *(const Rolling*)raw;
    Source<typename Agg::value_t> source;
    if (!source.read(ctx.reading, ctx.other, ctx.other_physical, start, stop)) return OUT_OF_MEMORY;
    Results<typename Agg::result_t> results(ctx, start, stop);
    if (!results.allocated()) return OUT_OF_MEMORY;
    Windows<Agg, true> windows{ctx, source, results};
    SegmentWindows bounds(ctx.bounds, start);
    const Carried<Agg> carried = ((const Carried<Agg>*)ctx.carries)[slice];
    typename Agg::state_t state = carried.state;
    int64_t n = carried.n, n_rows = carried.n_rows;
    for (int64_t position = start; position < stop; ++position) {
        bounds.move_to(position);
        if (bounds.segment_begin() == position) state = Agg::identity(), n = n_rows = 0;
        if (source.has(position)) Agg::add(state, source.at(position)), ++n;
        windows.emit(position, state, n, ++n_rows);
    }
    if (results.overflowed) return OVERFLOW_;
    results.write();
    return OK;
}

// ---- dispatch -------------------------------------------------------------------------------------------------------

enum RollingOp : int { R_COUNT = 0, R_SUM = 1, R_MEAN = 2, R_VARIANCE = 3, R_MINIMUM = 4, R_MAXIMUM = 5, R_COVARIANCE = 6,
                       R_ERROR_OF_MEAN = 7, R_SKEWNESS = 8, R_KURTOSIS = 9 };

struct RollingKernels {
    kernel_t by_rows, by_bounds;   // windows of a number of rows, or from `begin` to `end`
    kernel_t fold, scan, apply;    // expanding windows
    int64_t carry_bytes;
};

template <class Agg>
inline RollingKernels rolling_of() {
    return {rolling_slice<Agg, RowWindows>, rolling_slice<Agg, GivenWindows>, expanding_fold<Agg>, expanding_scan<Agg>,
            expanding_apply<Agg>, (int64_t)sizeof(Carried<Agg>)};
}

// `physical`: of the values. Nulls where there is no such kernel.
inline RollingKernels rolling_kernels(int op, int physical) {
    const bool floating = physical == F32 || physical == F64;
    switch (op) {
        case R_COUNT: return floating ? rolling_of<CountOf<double>>() : rolling_of<CountOf<int64_t>>();
        case R_SUM:
            if (floating) return rolling_of<SumOf<false>>();
            return physical == U64 ? rolling_of<ExactOf<uint64_t, false>>() : rolling_of<ExactOf<int64_t, false>>();
        case R_MEAN:
            if (floating) return rolling_of<SumOf<true>>();
            return physical == U64 ? rolling_of<ExactOf<uint64_t, true>>() : rolling_of<ExactOf<int64_t, true>>();
        case R_VARIANCE: return rolling_of<VarianceOf>();
        case R_MINIMUM:
            if (physical == U64) return rolling_of<UnsignedExtremeOf<false>>();
            return floating ? rolling_of<ExtremeOf<double, false>>() : rolling_of<ExtremeOf<int64_t, false>>();
        case R_MAXIMUM:
            if (physical == U64) return rolling_of<UnsignedExtremeOf<true>>();
            return floating ? rolling_of<ExtremeOf<double, true>>() : rolling_of<ExtremeOf<int64_t, true>>();
        case R_COVARIANCE: return rolling_of<CovarianceOf>();
        case R_ERROR_OF_MEAN: return rolling_of<ErrorOfMean>();
        case R_SKEWNESS: return rolling_of<MomentsOf<false>>();
        case R_KURTOSIS: return rolling_of<MomentsOf<true>>();
    }
    return {};
}

}  // namespace ff
