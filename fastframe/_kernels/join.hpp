// Joins over key codes: the index of the build side, and which rows of the probe side match.
//
// The build side becomes a map from code to its one row, or rows grouped by code with offsets (see order.hpp: count,
// prefix, scatter; the adjacency array of the "unchained" join, DaMoN 2024). The probe side is read twice, once to count
// per slice, so that the result is allocated exactly and every slice knows where it writes, and once to emit
// (join_output.hpp). Against a map the first pass keeps one bit per row, and looks at one bit per code only.
#pragma once
#include <algorithm>

#include "code_source.hpp"
#include "compare_words.hpp"

namespace ff {

constexpr code_t NO_PARTNER = NULL_CODE;

// Threads may store to one entry at once where a code repeats: the same mark, or rows of a map that is not used then.
// Relaxed atomics make that defined at the cost of plain moves.
inline void relaxed_store(row_t* entry, row_t row) { __atomic_store_n(entry, row, __ATOMIC_RELAXED); }
inline void relaxed_mark(uint8_t* entry) { __atomic_store_n(entry, (uint8_t)1, __ATOMIC_RELAXED); }

inline int rows_in_block(int64_t row, int64_t stop) { return (int)std::min<int64_t>(PACK_BLOCK, stop - row); }

// ---- which codes occur, and a map from code to row -----------------------------------------------------------------

struct CodeMarks {
    CodeSource build;      // in
    uint8_t* marks;        // out: one byte per code, and up to 63 more; cleared before
    uint64_t* present;     // out: the same as bits; the word after the last code's is not written
    int64_t* n_found;      // out: per slice, rows with a code, or codes with a row
    int64_t prefetch;      // in: the marks are larger than the cache
};

inline void fetch_to_write(const void* entries, const code_t* codes, int count, int64_t width) {
    for (int at = 0; at < count; ++at) {
        if (codes[at] != NO_PARTNER) __builtin_prefetch((const uint8_t*)entries + (int64_t)codes[at] * width, 1, 3);
    }
}

inline int mark_codes(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const CodeMarks& in = *(const CodeMarks*)ctx;
    CodeBlock block;
    int64_t n_found = 0;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = rows_in_block(row, stop);
        const code_t* codes = codes_of(in.build, row, count, block);
        if (in.prefetch) fetch_to_write(in.marks, codes, count, 1);
        for (int at = 0; at < count; ++at) {
            if (codes[at] == NO_PARTNER) continue;
            relaxed_mark(in.marks + codes[at]);
            ++n_found;
        }
    }
    in.n_found[slice] = n_found;
    return OK;
}

// Runs over codes, in slices of whole words: as many codes with a row as rows with a code means that no code repeats.
inline int count_marks(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const CodeMarks& in = *(const CodeMarks*)ctx;
    int64_t n_found = 0;
    for (int64_t code = start; code < stop; code += 64) {
        const uint64_t word = pack_bytes(in.marks + code);
        in.present[code / 64] = word;
        n_found += __builtin_popcountll(word);
    }
    in.n_found[slice] = n_found;
    return OK;
}

struct RowMap {
    CodeSource build;      // in
    row_t* row_of_code;    // out: of the codes that occur; others are not written
    int64_t prefetch;      // in: the map is larger than the cache
};

inline int fill_map(void* ctx, int64_t start, int64_t stop, int64_t) {
    const RowMap& in = *(const RowMap*)ctx;
    CodeBlock block;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = rows_in_block(row, stop);
        const code_t* codes = codes_of(in.build, row, count, block);
        if (in.prefetch) fetch_to_write(in.row_of_code, codes, count, sizeof(row_t));
        for (int at = 0; at < count; ++at) {
            if (codes[at] != NO_PARTNER) relaxed_store(in.row_of_code + codes[at], (row_t)(row + at));
        }
    }
    return OK;
}

// Which of the codes below n_codes occur; the bit, or mark, after them is 0.
struct Occurrence {
    const uint64_t* present;   // in
    const uint8_t* marks;      // in: the same as bytes, which take no shifting, where a cache holds them; else null
    int64_t n_codes;           // in
};

// 1 or 0 for each of up to PACK_BLOCK codes, and zeros up to a whole word.
inline void look_up(const Occurrence& in, const code_t* codes, int count, uint8_t* found) {
    const code_t absent = (code_t)in.n_codes;   // stands for no partner, too
    if (in.marks) {
        const uint8_t* const marks = in.marks;
        for (int at = 0; at < count; ++at) found[at] = marks[std::min(codes[at], absent)];
    } else {
        const uint64_t* const present = in.present;
        for (int at = 0; at < count; ++at) {
            const code_t code = std::min(codes[at], absent);
            found[at] = (uint8_t)(present[code / 64] >> (code % 64) & 1);
        }
    }
    for (int at = count; at % 64; ++at) found[at] = 0;
}

struct MapProbe {
    CodeSource probe;          // in
    Occurrence build;          // in
    uint64_t* words;           // out: one bit per row, whether it has a partner; zero bits after the last row
    int64_t* n_matches;        // out: per slice
};

inline int probe_map(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const MapProbe& in = *(const MapProbe*)ctx;
    CodeBlock block;
    uint8_t found[PACK_BLOCK];
    int64_t n_matches = 0;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = rows_in_block(row, stop);
        const code_t* codes = codes_of(in.probe, row, count, block);
        look_up(in.build, codes, count, found);
        for (int at = 0; at < count; at += 64) {
            const uint64_t word = pack_bytes(found + at);
            in.words[(row + at) / 64] = word;
            n_matches += __builtin_popcountll(word);
        }
    }
    in.n_matches[slice] = n_matches;
    return OK;
}

// ---- rows grouped by code ----------------------------------------------------------------------------------------

struct GroupProbe {
    CodeSource probe;           // in
    const int32_t* offsets;     // in: of the build side's groups
    int64_t prefetch;           // in: offsets are larger than the cache
    int64_t* n_results;         // out: per slice, pairs
    int64_t* n_unmatched;       // out: per slice, probe rows without partner
};

inline int count_matches(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const GroupProbe& in = *(const GroupProbe*)ctx;
    CodeBlock block;
    int64_t n_results = 0, n_unmatched = 0;
    for (int64_t row = start; row < stop; row += PACK_BLOCK) {
        const int count = rows_in_block(row, stop);
        const code_t* codes = codes_of(in.probe, row, count, block);
        if (in.prefetch) {
            for (int at = 0; at < count; ++at) {
                if (codes[at] != NO_PARTNER) __builtin_prefetch(in.offsets + codes[at]);
            }
        }
        for (int at = 0; at < count; ++at) {
            const code_t code = codes[at];
            const int64_t matches = code == NO_PARTNER ? 0 : in.offsets[code + 1] - in.offsets[code];
            n_results += matches;
            n_unmatched += matches == 0;
        }
    }
    in.n_results[slice] = n_results;
    in.n_unmatched[slice] = n_unmatched;
    return OK;
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

}  // namespace ff
