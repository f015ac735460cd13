// Row maps of joins over dense key codes.
//
// The right side is either a map from code to its one row, or rows grouped by code with offsets (see order.hpp: count,
// prefix, scatter; the adjacency array of the "unchained" join, DaMoN 2024). The left side probes twice: matches are
// counted per slice, so that the result is allocated exactly and every slice knows where it writes.
#pragma once
#include <algorithm>

#include "kernel.hpp"

namespace ff {

constexpr code_t NO_PARTNER = NULL_CODE;
constexpr int64_t PREFETCH_ROWS = 32;   // ahead of stores to a map that may be larger than the cache

// Threads may store to one entry at once where a code repeats; which row stays does not matter, for then the map is not
// used. Relaxed atomics make that defined at the cost of plain moves.
inline void relaxed_store(row_t* entry, row_t row) { __atomic_store_n(entry, row, __ATOMIC_RELAXED); }
inline void relaxed_mark(uint8_t* entry) { __atomic_store_n(entry, (uint8_t)1, __ATOMIC_RELAXED); }

// ---- a map from code to row --------------------------------------------------------------------------------------

struct RowMap {
    const code_t* codes;   // in
    row_t* row_of_code;    // out
    int64_t* n_found;      // out: per slice, rows with a code, or codes with a row
};

// Runs over codes.
inline int clear_map(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RowMap& in = *(const RowMap*)ctx;
    std::fill(in.row_of_code + start, in.row_of_code + stop, NO_ROW);
    return OK;
}

inline int fill_map(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RowMap& in = *(const RowMap*)ctx;
    int64_t n_found = 0;
    for (int64_t row = start; row < stop; ++row) {
        const code_t ahead = in.codes[std::min(row + PREFETCH_ROWS, stop - 1)];
        if (ahead != NO_PARTNER) __builtin_prefetch(in.row_of_code + ahead, 1, 3);
        if (in.codes[row] == NO_PARTNER) continue;
        relaxed_store(in.row_of_code + in.codes[row], (row_t)row);
        ++n_found;
    }
    in.n_found[slice] = n_found;
    return OK;
}

// Runs over codes: as many codes with a row as rows with a code means that no code repeats.
inline int count_map(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const RowMap& in = *(const RowMap*)ctx;
    int64_t n_found = 0;
    for (int64_t code = start; code < stop; ++code) n_found += in.row_of_code[code] != NO_ROW;
    in.n_found[slice] = n_found;
    return OK;
}

struct MapProbe {
    const code_t* codes;         // in
    const row_t* row_of_code;    // in
    row_t* partners;             // out: the right row of every left row, or -1
    int64_t* n_matches;          // out: per slice
};

inline int probe_map(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const MapProbe& in = *(const MapProbe*)ctx;
    int64_t n_matches = 0;
    for (int64_t row = start; row < stop; ++row) {
        const code_t code = in.codes[row];
        const row_t partner = code == NO_PARTNER ? NO_ROW : in.row_of_code[code];
        in.partners[row] = partner;
        n_matches += partner != NO_ROW;
    }
    in.n_matches[slice] = n_matches;
    return OK;
}

struct MatchCompaction {
    const row_t* partners;    // in
    const int64_t* starts;    // in: per slice, matches of the slices before it; one more entry for all
    row_t* left_rows;         // out
    row_t* right_rows;        // out
};

inline int compact_matches(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const MatchCompaction& in = *(const MatchCompaction*)ctx;
    int64_t place = in.starts[slice];
    const int64_t end = in.starts[slice + 1];
    // Without a branch every row is written and a match moves on; the places end before the slice's rows do.
    for (int64_t row = start; row < stop && place < end; ++row) {
        in.left_rows[place] = (row_t)row;
        in.right_rows[place] = in.partners[row];
        place += in.partners[row] != NO_ROW;
    }
    return OK;
}

// ---- rows grouped by code ----------------------------------------------------------------------------------------

struct GroupProbe {
    const code_t* codes;        // in: of the left side
    const int32_t* offsets;     // in: of the right side's groups
    const row_t* rows;          // in: the right rows, by group
    int64_t* n_results;         // out: per slice, result rows
    int64_t* n_unmatched;       // out: per slice, left rows without partner
    const int64_t* starts;      // in: per slice, result rows of the slices before it
    row_t* left_rows;           // out, or null where they are not wanted
    row_t* right_rows;          // out
};

inline int count_matches(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const GroupProbe& in = *(const GroupProbe*)ctx;
    int64_t n_results = 0, n_unmatched = 0;
    for (int64_t row = start; row < stop; ++row) {
        const code_t code = in.codes[row];
        const int64_t matches = code == NO_PARTNER ? 0 : in.offsets[code + 1] - in.offsets[code];
        n_results += matches;
        n_unmatched += matches == 0;
    }
    in.n_results[slice] = n_results;
    in.n_unmatched[slice] = n_unmatched;
    return OK;
}

template <bool KEEPS_UNMATCHED>
inline int fill_matches(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const GroupProbe& in = *(const GroupProbe*)ctx;
    int64_t place = in.starts[slice];
    for (int64_t row = start; row < stop; ++row) {
        const code_t code = in.codes[row];
        const int32_t first = code == NO_PARTNER ? 0 : in.offsets[code];
        const int32_t last = code == NO_PARTNER ? 0 : in.offsets[code + 1];
        if (KEEPS_UNMATCHED && first == last) {
            if (in.left_rows) in.left_rows[place] = (row_t)row;
            in.right_rows[place++] = NO_ROW;
        }
        for (int32_t at = first; at < last; ++at) {
            if (in.left_rows) in.left_rows[place] = (row_t)row;
            in.right_rows[place++] = in.rows[at];
        }
    }
    return OK;
}

inline kernel_t fill_matches_kernel(bool keeps_unmatched) {
    return keeps_unmatched ? fill_matches<true> : fill_matches<false>;
}

// ---- all pairs, in the order of the codes ------------------------------------------------------------------------

// Both sides grouped by one code space whose order is the order of the keys. Runs over codes.
struct OuterPairs {
    const int32_t* left_offsets;     // in
    const row_t* left_rows;          // in
    const int32_t* right_offsets;    // in
    const row_t* right_rows;         // in
    int64_t* n_results;              // out: per slice
    const int64_t* starts;           // in: per slice
    row_t* left_out;                 // out
    row_t* right_out;                // out
};

inline int count_outer(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const OuterPairs& in = *(const OuterPairs*)ctx;
    int64_t n_results = 0;
    for (int64_t code = start; code < stop; ++code) {
        const int64_t n_left = in.left_offsets[code + 1] - in.left_offsets[code];
        const int64_t n_right = in.right_offsets[code + 1] - in.right_offsets[code];
        n_results += std::max<int64_t>(n_left, 1) * std::max<int64_t>(n_right, 1) - (n_left + n_right == 0);
    }
    in.n_results[slice] = n_results;
    return OK;
}

inline int fill_outer(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const OuterPairs& in = *(const OuterPairs*)ctx;
    int64_t place = in.starts[slice];
    const auto put = [&](row_t left, row_t right) {
        in.left_out[place] = left;
        in.right_out[place++] = right;
    };
    for (int64_t code = start; code < stop; ++code) {
        const int32_t left_first = in.left_offsets[code], left_last = in.left_offsets[code + 1];
        const int32_t right_first = in.right_offsets[code], right_last = in.right_offsets[code + 1];
        if (left_first == left_last) {
            for (int32_t right = right_first; right < right_last; ++right) put(NO_ROW, in.right_rows[right]);
        } else if (right_first == right_last) {
            for (int32_t left = left_first; left < left_last; ++left) put(in.left_rows[left], NO_ROW);
        } else {
            for (int32_t left = left_first; left < left_last; ++left) {
                for (int32_t right = right_first; right < right_last; ++right) put(in.left_rows[left], in.right_rows[right]);
            }
        }
    }
    return OK;
}

// ---- which rows have a partner -----------------------------------------------------------------------------------

struct PartnerMarks {
    const code_t* codes;    // in
    uint8_t* is_present;    // in, out: one byte per code, cleared by the caller
    uint8_t* bits;          // out: one bit per row
};

inline int mark_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const PartnerMarks& in = *(const PartnerMarks*)ctx;
    for (int64_t row = start; row < stop; ++row) {
        if (in.codes[row] != NO_PARTNER) relaxed_mark(in.is_present + in.codes[row]);
    }
    return OK;
}

inline int partner_bits(void* ctx, int64_t start, int64_t stop, int64_t) {
    const PartnerMarks& in = *(const PartnerMarks*)ctx;
    for (int64_t block = start; block < stop; block += 64) {
        const int count = (int)std::min<int64_t>(64, stop - block);
        uint64_t word = 0;
        for (int lane = 0; lane < count; ++lane) {
            const code_t code = in.codes[block + lane];
            word |= (uint64_t)(code != NO_PARTNER && in.is_present[code]) << lane;
        }
        store_bits(in.bits, block, word, count);
    }
    return OK;
}

}  // namespace ff
