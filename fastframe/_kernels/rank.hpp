// Ranks from a sorted order, in three phases over positions of that order:
//   MARK   which positions start a group, start a run of ties, are missing; and per slice a summary (`Edge`)
//   LINK   one call over all slices: what comes before each slice (open group, run, dense rank), and the next run after
//   RANK   each slice writes the ranks of its positions at their rows
// and, for percentages, a division by each group's size in row order. Phases share no state but the edges, so a slice
// may cut through groups and runs of any length.
#pragma once
#include "window.hpp"

namespace ff {

enum RankMethod : int { AVERAGE = 0, LEAST = 1, GREATEST = 2, FIRST = 3, DENSE = 4 };
enum RankPhase : int { MARK = 0, LINK = 1, RANK = 2, PERCENT = 3 };
enum Mark : uint8_t { STARTS_GROUP = 1, STARTS_RUN = 2, IS_MISSING = 4 };

struct Edge {
    int64_t group;      // MARK: last group start in the slice, or -1. LINK: start of the group that is open before it
    int64_t run;        // likewise for runs of ties
    int64_t dense;      // MARK: run starts since `group` (in all the slice where -1). LINK: runs of the open group
    int64_t first_run;  // MARK: first run start in the slice, or -1. LINK: first run start after the slice
};

struct Ranking {
    View values;            // in: for text, `values` are the offsets
    const uint8_t* data;    // in: bytes of text
    const uint8_t* rows;    // in: row_t per position: rows sorted by (group, value), those outside any group left out
    GroupCodes codes;       // in
    int64_t n_positions;    // in
    int64_t n_slices;       // in
    bool keep;              // in: missing values get no rank (and, in a group, come last)
    int method;             // in: RankMethod
    uint8_t* marks;         // out of MARK: a byte per position
    Edge* edges;            // out of MARK and LINK: per slice
    double* divisors;       // out of RANK: per group, or null where no percentages are asked for
    uint8_t* out;           // out: double per row
};

template <typename T> struct Sameness {
    static bool same(const Ranking& ctx, int64_t left, int64_t right) {
        const Cells<T> cells(ctx.values);
        return cells[left] == cells[right];
    }
};

template <typename O> struct text_of {};   // the role type of text with offsets of type O

template <typename O> struct Sameness<text_of<O>> {
    static bool same(const Ranking& ctx, int64_t left, int64_t right) {
        const uint8_t* offsets = ctx.values.values;
        const O left_start = load<O>(offsets, left), right_start = load<O>(offsets, right);
        const O left_length = load<O>(offsets, left + 1) - left_start;
        const O right_length = load<O>(offsets, right + 1) - right_start;
        if (left_length != right_length) return false;
        return left_length == 0 || memcmp(ctx.data + left_start, ctx.data + right_start, (size_t)left_length) == 0;
    }
};

template <typename T>
inline int rank_mark(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Ranking& ctx = *(const Ranking*)raw;
    Edge edge = {-1, -1, 0, -1};
    int64_t before = start > 0 ? load<row_t>(ctx.rows, start - 1) : -1;
    bool before_present = start > 0 && is_present<T>(ctx.values, before);
    for (int64_t position = start; position < stop; ++position) {
        const int64_t row = load<row_t>(ctx.rows, position);
        const bool present = is_present<T>(ctx.values, row);
        const bool starts_group =
            position == 0 || code_of_row(ctx.codes, row) != code_of_row(ctx.codes, before);
        const bool ties =
            !starts_group && present == before_present && (!present || Sameness<T>::same(ctx, row, before));
        const int mark = (starts_group ? STARTS_GROUP : 0) | (ties ? 0 : STARTS_RUN) | (present ? 0 : IS_MISSING);
        ctx.marks[position] = (uint8_t)mark;
        if (starts_group) {
            edge.group = position;
            edge.dense = 0;
        }
        if (!ties) {
            edge.run = position;
            edge.dense += 1;
            if (edge.first_run < 0) edge.first_run = position;
        }
        before = row;
        before_present = present;
    }
    ctx.edges[slice] = edge;
    return OK;
}

inline int rank_link(void* raw, int64_t, int64_t, int64_t) {
    const Ranking& ctx = *(const Ranking*)raw;
    int64_t next_run = ctx.n_positions;
    for (int64_t slice = ctx.n_slices - 1; slice >= 0; --slice) {
        const int64_t own = ctx.edges[slice].first_run;
        ctx.edges[slice].first_run = next_run;
        if (own >= 0) next_run = own;
    }
    Edge open = {0, 0, 0, 0};
    for (int64_t slice = 0; slice < ctx.n_slices; ++slice) {
        Edge& edge = ctx.edges[slice];
        const Edge own = edge;
        edge = {open.group, open.run, open.dense, own.first_run};
        open.dense = own.group >= 0 ? own.dense : open.dense + own.dense;
        if (own.group >= 0) open.group = own.group;
        if (own.run >= 0) open.run = own.run;
    }
    return OK;
}

// What a group's ranks are divided by: its size, or for dense ranks the number of its distinct values. `end` is the
// position after its last ranked row.
inline void close_group(const Ranking& ctx, const Edge& open, int64_t end) {
    if (ctx.divisors == nullptr) return;
    const code_t code = code_of_row(ctx.codes, load<row_t>(ctx.rows, end - 1));
    ctx.divisors[code] = (double)(ctx.method == DENSE ? open.dense : end - open.group);
}

// The rank of a position (for FIRST) or of every position of the run [open.run, end).
inline double rank_of(const Ranking& ctx, const Edge& open, int64_t position, int64_t end) {
    switch (ctx.method) {
        case LEAST: return (double)(open.run - open.group + 1);
        case GREATEST: return (double)(end - open.group);
        case FIRST: return (double)(position - open.group + 1);
        case DENSE: return (double)open.dense;
    }
    return 0.5 * (double)((open.run - open.group + 1) + (end - open.group));
}

inline int rank_rank(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Ranking& ctx = *(const Ranking*)raw;
    Edge open = ctx.edges[slice];
    for (int64_t position = start; position < stop;) {
        const uint8_t mark = ctx.marks[position];
        const bool unranked = ctx.keep && (mark & IS_MISSING);
        if (mark & STARTS_GROUP) {
            if (position > 0 && !(ctx.keep && (ctx.marks[position - 1] & IS_MISSING))) close_group(ctx, open, position);
            open.group = position;
            open.dense = 0;
        } else if (unranked && (mark & STARTS_RUN)) {
            close_group(ctx, open, position);
        }
        if (mark & STARTS_RUN) {
            open.run = position;
            open.dense += 1;
        }
        int64_t run_stop = position + 1;
        while (run_stop < stop && !(ctx.marks[run_stop] & STARTS_RUN)) ++run_stop;
        const int64_t end = run_stop < stop ? run_stop : open.first_run;
        for (; position < run_stop; ++position) {
            const double rank = unranked ? 0.0 : rank_of(ctx, open, position, end);
            store<double>(ctx.out, load<row_t>(ctx.rows, position), rank);
        }
    }
    if (stop == ctx.n_positions && !(ctx.keep && (ctx.marks[stop - 1] & IS_MISSING))) close_group(ctx, open, stop);
    return OK;
}

// Over rows. Rows without a rank hold 0 and have a divisor only by chance.
inline int rank_percent(void* raw, int64_t start, int64_t stop, int64_t) {
    const Ranking& ctx = *(const Ranking*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const double rank = load<double>(ctx.out, row);
        if (rank == 0.0) continue;
        store<double>(ctx.out, row, rank / ctx.divisors[code_of_row(ctx.codes, row)]);
    }
    return OK;
}

inline kernel_t mark_kernel(int physical) {
    switch (physical) {
        case I8: return rank_mark<int8_t>;
        case I16: return rank_mark<int16_t>;
        case I32: return rank_mark<int32_t>;
        case I64: return rank_mark<int64_t>;
        case U8: return rank_mark<uint8_t>;
        case U16: return rank_mark<uint16_t>;
        case U32: return rank_mark<uint32_t>;
        case U64: return rank_mark<uint64_t>;
        case F32: return rank_mark<float>;
        case F64: return rank_mark<double>;
        case BOOL: return rank_mark<bits_t>;
        case I128: return rank_mark<int128_t>;
        case STR: return rank_mark<text_of<int32_t>>;
        case LSTR: return rank_mark<text_of<int64_t>>;
    }
    return nullptr;
}

inline kernel_t rank_kernel(int phase, int physical) {
    switch (phase) {
        case MARK: return mark_kernel(physical);
        case LINK: return rank_link;
        case RANK: return rank_rank;
        case PERCENT: return rank_percent;
    }
    return nullptr;
}

}  // namespace ff
