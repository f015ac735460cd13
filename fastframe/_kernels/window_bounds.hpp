// Which positions the window of each position spans: `begin` to before `end`, both never falling from one to the next.
//
// Positions are rows, or rows in group order, cut into segments that no window crosses.
#pragma once
#include "kernel.hpp"

namespace ff {

struct WindowBounds {
    const int32_t* segments;   // in: where each segment begins, and the end of the last; null: one segment
    int64_t n_segments;        // in
    int64_t n_positions;       // in
    int64_t before, after;     // in: windows of rows: from `position - before` to before `position + after`
    const int32_t* begin;      // in: given windows, else null
    const int32_t* end;        // in
};

// The segments that positions lie in, visited in order.
struct SegmentWindows {
    const WindowBounds& given;
    int64_t segment = 0, low = 0, high = 0;

    SegmentWindows(const WindowBounds& windows, int64_t position) : given(windows), high(windows.n_positions) {
        if (given.segments == nullptr) return;
        for (int64_t first = 0, count = given.n_segments; count > 0;) {   // the last segment that begins at or before it
            const int64_t half = count / 2;
            if (given.segments[first + half + 1] <= position) first += half + 1, count -= half + 1;
            else count = half;
            segment = first;
        }
        low = given.segments[segment], high = given.segments[segment + 1];
    }
    inline void move_to(int64_t position) {
        while (position >= high) ++segment, low = high, high = given.segments[segment + 1];
    }
    inline int64_t segment_begin() const { return low; }
};

// A number of rows.
struct RowWindows : SegmentWindows {
    static constexpr bool STEADY = true;   // whether runs of windows may have one width
    using SegmentWindows::SegmentWindows;
    inline int64_t clipped(int64_t position) const { return position < low ? low : position > high ? high : position; }
    inline int64_t begin(int64_t position) const { return clipped(position - given.before); }
    inline int64_t end(int64_t position) const { return clipped(position + given.after); }
    // From here on, of how many positions both ends move by one.
    inline int64_t steady(int64_t position) const {
        return position - given.before > low ? high - given.after - position + 1 : 0;
    }
    // The first position from which windows of this segment do not just gain a value each, beginning where it does.
    inline int64_t growing_until() const { return (low + given.before < high - given.after ? low + given.before : high - given.after) + 1; }
    // The first position from `position` on whose window may have `rows` rows; the ones before begin where this segment does.
    inline int64_t lacking_until(int64_t position, int64_t stop, int64_t rows) const {
        int64_t until = low + rows - given.after;
        if (low + given.before + 1 < until) until = low + given.before + 1;
        if (high < until) until = high;
        if (stop < until) until = stop;
        return until > position ? until : position;
    }
    inline int64_t widest(int64_t, int64_t) const {
        const int64_t width = given.before + given.after;
        return width < given.n_positions ? width : given.n_positions;
    }
};

// Windows from `begin` to before `end`.
struct GivenWindows {
    static constexpr bool STEADY = false;
    const WindowBounds& given;
    GivenWindows(const WindowBounds& windows, int64_t) : given(windows) {}
    inline void move_to(int64_t) {}
    inline int64_t begin(int64_t position) const { return given.begin[position]; }
    inline int64_t end(int64_t position) const { return given.end[position]; }
    inline int64_t steady(int64_t) const { return 0; }
    inline int64_t growing_until() const { return 0; }
    inline int64_t lacking_until(int64_t position, int64_t, int64_t) const { return position; }
    inline int64_t widest(int64_t start, int64_t stop) const {
        int64_t most = 0;
        for (int64_t at = start; at < stop; ++at) most = end(at) - begin(at) > most ? end(at) - begin(at) : most;
        return most;
    }
};

// ---- bounds written out ---------------------------------------------------------------------------------------------

struct BoundsOut {
    WindowBounds bounds;     // in
    const uint8_t* times;    // in: int64 or int32 per row
    int32_t time_bytes;      // in
    const int32_t* rows;     // in: row of each position; null: the same
    int64_t sign;            // in: -1 where times descend
    int64_t least;           // in: a window has the rows whose time is at least this far after the position's (usually negative),
    int64_t most;            // in: and at most this far
    bool to_itself;          // in: windows end with their position, whatever times follow
    int32_t* begin;          // out
    int32_t* end;            // out
};

inline int row_bounds(void* raw, int64_t start, int64_t stop, int64_t) {
    const BoundsOut& ctx = *(const BoundsOut*)raw;
    RowWindows windows(ctx.bounds, start);
    for (int64_t position = start; position < stop; ++position) {
        windows.move_to(position);
        ctx.begin[position] = (int32_t)windows.begin(position);
        ctx.end[position] = (int32_t)windows.end(position);
    }
    return OK;
}

inline int segment_bounds(void* raw, int64_t start, int64_t stop, int64_t) {
    const BoundsOut& ctx = *(const BoundsOut*)raw;
    SegmentWindows windows(ctx.bounds, start);
    for (int64_t position = start; position < stop; ++position) {
        windows.move_to(position);
        ctx.begin[position] = (int32_t)windows.segment_begin();
        ctx.end[position] = (int32_t)position + 1;
    }
    return OK;
}

inline int128_t time_at(const BoundsOut& ctx, int64_t position) {
    const int64_t row = ctx.rows != nullptr ? ctx.rows[position] : position;
    const int64_t time = ctx.time_bytes == 4 ? load<int32_t>(ctx.times, row) : load<int64_t>(ctx.times, row);
    return (int128_t)time * ctx.sign;
}

// The first position in [low, high) whose time is at least `time`; times rise.
inline int64_t first_at_least(const BoundsOut& ctx, int64_t low, int64_t high, int128_t time) {
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (time_at(ctx, middle) < time) low = middle + 1;
        else high = middle;
    }
    return low;
}

inline int time_bounds(void* raw, int64_t start, int64_t stop, int64_t) {
    const BoundsOut& ctx = *(const BoundsOut*)raw;
    SegmentWindows segments(ctx.bounds, start);
    int64_t begin = first_at_least(ctx, segments.low, segments.high, time_at(ctx, start) + ctx.least);
    int64_t end = first_at_least(ctx, segments.low, segments.high, time_at(ctx, start) + ctx.most + 1);
    for (int64_t position = start; position < stop; ++position) {
        segments.move_to(position);
        if (begin < segments.low) begin = segments.low;
        if (end < segments.low) end = segments.low;
        const int128_t time = time_at(ctx, position);
        while (begin < segments.high && time_at(ctx, begin) < time + ctx.least) ++begin;
        if (ctx.to_itself) end = position + 1;
        else while (end < segments.high && time_at(ctx, end) <= time + ctx.most) ++end;
        ctx.begin[position] = (int32_t)(begin < end ? begin : end);
        ctx.end[position] = (int32_t)end;
    }
    return OK;
}

// Windows that functions of users are called on: where a window has too few values its bounds become 0 and -1, and where
// only present values lie in memory, `present` (how many stand before each position) translates the others.
struct CalledWindows {
    int32_t* begin;            // in, out
    int32_t* end;              // in, out
    const int32_t* present;    // in: one more than positions; null: all are
    int64_t min_periods;       // in
    bool translated;           // in
    int64_t* left_out;         // out: per slice, how many windows are not called
};

inline int called_windows(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const CalledWindows& ctx = *(const CalledWindows*)raw;
    int64_t left_out = 0;
    for (int64_t position = start; position < stop; ++position) {
        const int32_t begin = ctx.begin[position], end = ctx.end[position];
        const int32_t low = ctx.present != nullptr ? ctx.present[begin] : begin;
        const int32_t high = ctx.present != nullptr ? ctx.present[end] : end;
        const bool empty = ctx.translated ? high <= low : end <= begin;
        if (empty || high - low < ctx.min_periods) {
            ctx.begin[position] = 0, ctx.end[position] = -1;
            ++left_out;
        } else if (ctx.translated) {
            ctx.begin[position] = low, ctx.end[position] = high;
        }
    }
    ctx.left_out[slice] = left_out;
    return OK;
}

// Whether times rise within segments (by `sign`): the status INEXACT where they do not.
inline int times_rise(void* raw, int64_t start, int64_t stop, int64_t) {
    const BoundsOut& ctx = *(const BoundsOut*)raw;
    SegmentWindows segments(ctx.bounds, start);
    for (int64_t position = start; position < stop; ++position) {
        segments.move_to(position);
        if (position > segments.low && time_at(ctx, position) < time_at(ctx, position - 1)) return INEXACT;
    }
    return OK;
}

}  // namespace ff
