// Compaction of strings by the words of a filter's plan: sizes of slices first, then offsets and bytes.
//
// Where a word of 64 rows keeps all, its bytes are one copy; else rows are visited one by one through the set bits, which
// has no branch that depends on the data but the end of the word. A string is copied by whole vectors of 16 bytes where
// both sides have room for what goes over its end; near the end of either, and for long strings, exactly.
// Where all strings of a slice have one length (ids, codes), that is all the copy needs to know: offsets are not read again.
#pragma once
#include "text.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ff {

constexpr int COPY_BYTES = 16;         // of one vector
constexpr int64_t LONG_TEXT = 64;      // longer strings are copied by memcpy
constexpr int64_t UNEVEN = -1;

struct FilterTextContext {
    TextSource source;            // in
    const uint64_t* words;        // in: of the plan
    const int64_t* row_starts;    // in: kept rows before each slice, and in all
    int64_t* sizes;               // out (sizes): bytes per slice
    int64_t* lengths;             // out (sizes), in (copy): of all strings of the slice, UNEVEN where they differ
    const int64_t* starts;        // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;         // out (copy): entry row + 1
    uint8_t* out_data;            // out (copy)
};

#if defined(__SSE2__)
// For each mask of four rows, all ones in their 32-bit lanes.
struct LaneMasks {
    uint32_t of[16][4];
    constexpr LaneMasks() : of() {
        for (int mask = 0; mask < 16; ++mask) {
            for (int lane = 0; lane < 4; ++lane) of[mask][lane] = (mask >> lane) & 1 ? 0xFFFFFFFFu : 0;
        }
    }
};
alignas(16) static constexpr LaneMasks LANE_MASKS;

// Bytes of the kept rows of one whole word; no lane passes 2^31, as all 64 rows together have no more bytes than that.
inline int64_t kept_bytes(const uint8_t* offsets, uint64_t word) {
    __m128i sum = _mm_setzero_si128();
    for (int group = 0; group < 16; ++group, word >>= 4, offsets += 16) {
        const __m128i lengths = _mm_sub_epi32(_mm_loadu_si128((const __m128i*)(offsets + 4)), _mm_loadu_si128((const __m128i*)offsets));
        sum = _mm_add_epi32(sum, _mm_and_si128(lengths, _mm_load_si128((const __m128i*)LANE_MASKS.of[word & 15])));
    }
    alignas(16) int32_t lanes[4];
    _mm_store_si128((__m128i*)lanes, sum);
    return (int64_t)lanes[0] + lanes[1] + lanes[2] + lanes[3];
}
#endif

inline int64_t n_kept(const FilterTextContext& ctx, int64_t slice) { return ctx.row_starts[slice + 1] - ctx.row_starts[slice]; }

// The length of all strings of some rows, or UNEVEN, which the first rows tell in most cases.
template <typename In>
inline int64_t common_length(const uint8_t* offsets, int64_t n_rows) {
    const In length = load<In>(offsets, 1) - load<In>(offsets, 0);
    for (int64_t block = 0; block < n_rows; block += WORD_ROWS) {
        const int64_t stop = n_rows - block < WORD_ROWS ? n_rows : block + WORD_ROWS;
        In differs = 0;
        for (int64_t row = block; row < stop; ++row) differs |= (load<In>(offsets, row + 1) - load<In>(offsets, row)) ^ length;
        if (differs != 0) return UNEVEN;
    }
    return (int64_t)length;
}

template <typename In>
int filter_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FilterTextContext ctx = *(const FilterTextContext*)raw;
    int64_t size = 0;
    const int64_t length = common_length<In>(ctx.source.offsets + start * (int64_t)sizeof(In), stop - start);
    ctx.lengths[slice] = length;
    if (length != UNEVEN) {
        ctx.sizes[slice] = n_kept(ctx, slice) * length;
        return OK;
    }
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        uint64_t word = ctx.words[row / WORD_ROWS];
        const uint8_t* offsets = ctx.source.offsets + row * (int64_t)sizeof(In);
        if (word == ~(uint64_t)0) {
            size += (int64_t)load<In>(offsets, 64) - (int64_t)load<In>(offsets, 0);
            continue;
        }
#if defined(__SSE2__)
        if (sizeof(In) == 4 && word != 0 && stop - row >= WORD_ROWS) {
            size += kept_bytes(offsets, word);
            continue;
        }
#endif
        for (; word; word &= word - 1) {
            const int bit = __builtin_ctzll(word);
            size += (int64_t)load<In>(offsets, bit + 1) - (int64_t)load<In>(offsets, bit);
        }
    }
    ctx.sizes[slice] = size;
    return OK;
}

// Appends all 64 rows of a word; the new end of the output comes back.
template <typename In, typename Out>
inline int64_t append_whole_word(const FilterTextContext& ctx, int64_t row, int64_t out_row, int64_t at) {
    const uint8_t* offsets = ctx.source.offsets + row * (int64_t)sizeof(In);
    const int64_t begin = (int64_t)load<In>(offsets, 0), n_bytes = (int64_t)load<In>(offsets, 64) - begin;
    const int64_t shift = at - begin;
    uint8_t* out = ctx.out_offsets + (out_row + 1) * (int64_t)sizeof(Out);
    for (int bit = 0; bit < 64; ++bit) store<Out>(out, bit, (Out)((int64_t)load<In>(offsets, bit + 1) + shift));
    if (n_bytes > 0) memcpy(ctx.out_data + at, ctx.source.data + begin, (size_t)n_bytes);
    return at + n_bytes;
}

// Appends the kept rows of a word. ROOMY: vectors may be copied over the end of every string, on both sides.
template <typename In, typename Out, bool ROOMY>
inline int64_t append_kept(const FilterTextContext& ctx, int64_t row, uint64_t word, int64_t out_row, int64_t at) {
    const uint8_t* offsets = ctx.source.offsets + row * (int64_t)sizeof(In);
    uint8_t* out_offsets = ctx.out_offsets + (out_row + 1) * (int64_t)sizeof(Out);
    for (; word; word &= word - 1, out_offsets += sizeof(Out)) {
        const int bit = __builtin_ctzll(word);
        const int64_t begin = (int64_t)load<In>(offsets, bit), length = (int64_t)load<In>(offsets, bit + 1) - begin;
        const uint8_t* from = ctx.source.data + begin;
        uint8_t* to = ctx.out_data + at;
        if (ROOMY && length <= LONG_TEXT) {
            memcpy(to, from, COPY_BYTES);
            for (int64_t done = COPY_BYTES; done < length; done += COPY_BYTES) memcpy(to + done, from + done, COPY_BYTES);
        } else if (length > 0) {
            memcpy(to, from, (size_t)length);
        }
        at += length;
        store<Out>(out_offsets, 0, (Out)at);
    }
    return at;
}

// Copies the kept strings, all of one length, of a word. VECTORS: so many of 16 bytes may be copied for each, on both sides; 0: exactly.
template <int VECTORS>
inline uint8_t* copy_even(uint64_t word, const uint8_t* from, uint8_t* to, int64_t length) {
    for (; word; word &= word - 1, to += length) {
        const uint8_t* text = from + __builtin_ctzll(word) * length;
        if (VECTORS == 0) memcpy(to, text, (size_t)length);
        for (int done = 0; done < VECTORS; ++done) memcpy(to + done * COPY_BYTES, text + done * COPY_BYTES, COPY_BYTES);
    }
    return to;
}

// A slice whose strings have one length.
template <typename In, typename Out>
void filter_even_text(const FilterTextContext& ctx, int64_t start, int64_t stop, int64_t slice, int64_t length) {
    uint8_t* const offsets = ctx.out_offsets + (ctx.row_starts[slice] + 1) * (int64_t)sizeof(Out);
    const int64_t n_rows = n_kept(ctx, slice);
    for (int64_t at = 0; at < n_rows; ++at) store<Out>(offsets, at, (Out)(ctx.starts[slice] + (at + 1) * length));
    if (length == 0) return;   // there may be no bytes at all
    const int64_t first = (int64_t)load<In>(ctx.source.offsets, start);
    const uint8_t* const from_end = ctx.source.data + ctx.source.end;
    uint8_t* to = ctx.out_data + ctx.starts[slice];
    const uint8_t* const to_end = ctx.out_data + ctx.starts[slice + 1];
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const uint64_t word = ctx.words[row / WORD_ROWS];
        const uint8_t* from = ctx.source.data + first + (row - start) * length;
        const int64_t n_bytes = WORD_ROWS * length;
        if (word == ~(uint64_t)0) {
            memcpy(to, from, (size_t)n_bytes);
            to += n_bytes;
        } else if (length <= 2 * COPY_BYTES && from_end - from >= n_bytes + 2 * COPY_BYTES && to_end - to >= n_bytes + 2 * COPY_BYTES) {
            to = length <= COPY_BYTES ? copy_even<1>(word, from, to, length) : copy_even<2>(word, from, to, length);
        } else {
            to = copy_even<0>(word, from, to, length);
        }
    }
}

template <typename In, typename Out>
int filter_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FilterTextContext ctx = *(const FilterTextContext*)raw;
    if (ctx.lengths[slice] != UNEVEN) {
        filter_even_text<In, Out>(ctx, start, stop, slice, ctx.lengths[slice]);
        return OK;
    }
    const int64_t end = ctx.starts[slice + 1];   // of this slice's bytes
    int64_t out_row = ctx.row_starts[slice], at = ctx.starts[slice];
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const uint64_t word = ctx.words[row / WORD_ROWS];
        if (word == 0) continue;
        if (word == ~(uint64_t)0) {
            at = append_whole_word<In, Out>(ctx, row, out_row, at);
            out_row += 64;
            continue;
        }
        const int64_t last = row + 63 - __builtin_clzll(word);
        const int64_t read_to = (int64_t)load<In>(ctx.source.offsets, last + 1);
        const int64_t most = read_to - (int64_t)load<In>(ctx.source.offsets, row + __builtin_ctzll(word));
        if (ctx.source.end - read_to >= COPY_BYTES && end - at >= most + COPY_BYTES) at = append_kept<In, Out, true>(ctx, row, word, out_row, at);
        else at = append_kept<In, Out, false>(ctx, row, word, out_row, at);
        out_row += __builtin_popcountll(word);
    }
    return OK;
}

inline kernel_t filter_text_sizes_kernel(bool large) {
    return large ? filter_text_sizes<int64_t> : filter_text_sizes<int32_t>;
}

inline kernel_t filter_text_copy_kernel(bool large, bool out_large) {
    if (large) return out_large ? filter_text_copy<int64_t, int64_t> : filter_text_copy<int64_t, int32_t>;
    return out_large ? filter_text_copy<int32_t, int64_t> : filter_text_copy<int32_t, int32_t>;
}

}  // namespace ff
