// Functions of plain text, row by row: whether all bytes are ASCII, lengths, case; literals found, counted, replaced, what is between
// them, and texts that begin or end with one. What texts of a part and filling are made of is in `shaped_text.hpp`.
//
// Case is of ASCII only: other texts are the caller's to send elsewhere. A literal is searched through all bytes of a slice at once, by
// its first and last byte, 16 places at a time (Mula, SIMD-friendly algorithms for substring searching, 2016), and each hit is then given
// to the row it is in.
#pragma once
#include "characters.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ff {

struct PlainTextContext {
    TextSource source;         // in
    BitSource valid;           // in
    int64_t* sizes;            // out of sizes: bytes per slice; out of ascii: 1 per slice where a byte is not ASCII
    const int64_t* starts;     // in of copies: bytes before each slice, and in all
    uint8_t* out_offsets;      // out of copies: entry row + 1
    uint8_t* out;              // out: bytes, lengths (int64) or bits
    uint8_t* validity;         // out of piece copy: bits
    int64_t first;             // in of piece: which
    const uint8_t* pattern;    // in of search, count, affix, replace, piece
    int64_t n_pattern;         // in of these: 1 or more
    const uint8_t* given;      // in of replace: what replaces the literal
    int64_t n_given;           // in of replace
    int missing;               // in of search, affix: the bit of a null
    int ascii;                 // in of lengths: whether all bytes are
};

template <typename In>
int text_is_ascii(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext& ctx = *(const PlainTextContext*)raw;
    const int64_t begin = (int64_t)load<In>(ctx.source.offsets, start), end = (int64_t)load<In>(ctx.source.offsets, stop);
    ctx.sizes[slice] = !are_ascii(ctx.source.data + begin, end - begin);
    return OK;
}

template <typename In>
int text_lengths(void* raw, int64_t start, int64_t stop, int64_t) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    CharacterCounts n_characters(ctx.source);
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        for (int bit = 0; bit < count; ++bit) {
            const int64_t from = (int64_t)load<In>(ctx.source.offsets, base + bit);
            const int64_t to = (int64_t)load<In>(ctx.source.offsets, base + bit + 1);
            store<int64_t>(ctx.out, base + bit, ctx.ascii ? to - from : n_characters(from, to));
        }
        for (uint64_t gone = low_bits(~valid, count); gone != 0; gone &= gone - 1) store<int64_t>(ctx.out, base + __builtin_ctzll(gone), 0);
    }
    return OK;
}

enum Case : int { UPPER = 0, LOWER = 1, SWAPPED = 2, TITLE = 3, CAPITALIZED = 4 };

inline bool is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

inline uint8_t in_upper_case(uint8_t byte) { return byte ^ ((uint8_t)(byte - 'a') < 26 ? 0x20 : 0); }

inline uint8_t in_lower_case(uint8_t byte) { return byte ^ ((uint8_t)(byte - 'A') < 26 ? 0x20 : 0); }

// Of some texts; `in[-1]` is read for titles, and each text's first letter is then the caller's.
template <Case CASE>
inline void change_case(const uint8_t* __restrict in, uint8_t* __restrict out, int64_t count) {
    for (int64_t at = 0; at < count; ++at) {
        const uint8_t byte = in[at];
        if constexpr (CASE == UPPER) out[at] = in_upper_case(byte);
        if constexpr (CASE == LOWER || CASE == CAPITALIZED) out[at] = in_lower_case(byte);
        if constexpr (CASE == SWAPPED) out[at] = byte ^ (is_letter(byte) ? 0x20 : 0);
        if constexpr (CASE == TITLE) out[at] = is_letter(byte) ? (byte & 0xDF) | (is_letter(in[at - 1]) ? 0x20 : 0) : byte;
    }
}

template <Case CASE>
inline void change_text(const uint8_t* in, uint8_t* out, int64_t length) {
    constexpr bool begins_anew = CASE == TITLE || CASE == CAPITALIZED;
    if (length == 0) return;
    if constexpr (begins_anew) *out = in_upper_case(*in);
    change_case<CASE>(in + begins_anew, out + begins_anew, length - begins_anew);
}

// Of ASCII; sizes are those of `join_text_sizes` for one source, and bytes of nulls are left out.
template <typename In, typename Out, Case CASE>
int text_case(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    int64_t end = ctx.starts[slice];
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        const int64_t begin = (int64_t)load<In>(ctx.source.offsets, base);
        const bool are_all = valid == low_bits(~(uint64_t)0, count);
        if (are_all) change_text<CASE>(ctx.source.data + begin, ctx.out + end, (int64_t)load<In>(ctx.source.offsets, base + count) - begin);
        for (int bit = 0; bit < count; ++bit) {
            const int64_t from = (int64_t)load<In>(ctx.source.offsets, base + bit);
            const int64_t length = (valid >> bit) & 1 ? (int64_t)load<In>(ctx.source.offsets, base + bit + 1) - from : 0;
            if (!are_all) change_text<CASE>(ctx.source.data + from, ctx.out + end, length);
            else if ((CASE == TITLE || CASE == CAPITALIZED) && length > 0) ctx.out[end] = in_upper_case(ctx.source.data[from]);
            end += length;
            store<Out>(ctx.out_offsets, base + bit + 1, (Out)end);
        }
    }
    return OK;
}

// The first place of a literal of 1 byte or more, or `end`.
inline const uint8_t* find_literal(const uint8_t* from, const uint8_t* end, const uint8_t* pattern, int64_t length) {
    const uint8_t* at = from;
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8((char)pattern[0]), last = _mm_set1_epi8((char)pattern[length - 1]);
    for (; end - at >= length + 15; at += 16) {
        const __m128i starts = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)at), first);
        const __m128i ends = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)(at + length - 1)), last);
        for (unsigned places = (unsigned)_mm_movemask_epi8(_mm_and_si128(starts, ends)); places != 0; places &= places - 1) {
            const uint8_t* place = at + __builtin_ctz(places);
            if (length <= 2 || memcmp(place + 1, pattern + 1, (size_t)(length - 2)) == 0) return place;
        }
    }
#endif
    for (; end - at >= length; ++at) {
        if (*at == *pattern && memcmp(at, pattern, (size_t)length) == 0) return at;
    }
    return end;
}

// Walks the occurrences of a literal that lie within one row each, from left to right, without overlap.
template <typename In>
struct Occurrences {
    const PlainTextContext& ctx;
    const uint8_t* end;
    const uint8_t* next;   // an occurrence, perhaps of two rows; `end` where there is none

    Occurrences(const PlainTextContext& given, int64_t start, int64_t stop) : ctx(given), end(place(stop)), next(nullptr) { look_from(place(start)); }

    const uint8_t* place(int64_t row) const { return ctx.source.data + (int64_t)load<In>(ctx.source.offsets, row); }
    void look_from(const uint8_t* at) { next = find_literal(at, end, ctx.pattern, ctx.n_pattern); }

    // Call `each(place)` for those in a row, which come after all that were asked for before.
    template <typename Each>
    void in_row(int64_t row, Each each) {
        const uint8_t* const row_end = place(row + 1);
        while (next < row_end) {
            if (row_end - next >= ctx.n_pattern) {
                const uint8_t* const found = next;
                each(found);
                look_from(found + ctx.n_pattern);
            } else {   // it begins in this row and ends in another
                look_from(next + 1);
            }
        }
    }
};

template <typename In>
int text_replace_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    Occurrences<In> occurrences(ctx, start, stop);
    int64_t size = 0;
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        int64_t n_found = 0;
        occurrences.in_row(row, [&](const uint8_t*) { ++n_found; });
        if (is_here) size += occurrences.place(row + 1) - occurrences.place(row) + n_found * (ctx.n_given - ctx.n_pattern);
    });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename In, typename Out>
int text_replace_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    Occurrences<In> occurrences(ctx, start, stop);
    TextSink sink{ctx.out + ctx.starts[slice], ctx.out + ctx.starts[slice + 1]};
    const uint8_t* const data_end = ctx.source.data + ctx.source.end;
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        const uint8_t* at = occurrences.place(row);
        occurrences.in_row(row, [&](const uint8_t* found) {
            if (!is_here) return;
            append_text(sink, at, found - at, data_end);
            append_text(sink, ctx.given, ctx.n_given, ctx.given + ctx.n_given);
            at = found + ctx.n_pattern;
        });
        if (is_here) append_text(sink, at, occurrences.place(row + 1) - at, data_end);
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out));
    });
    return OK;
}

// Call `each(row, first byte, length)`, the length 0 where there is no such piece: piece number `first` between occurrences.
template <typename In, typename Each>
inline void for_pieces(const PlainTextContext& ctx, int64_t start, int64_t stop, Each each) {
    Occurrences<In> occurrences(ctx, start, stop);
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        uint64_t there = 0;
        for (int bit = 0; bit < count; ++bit) {
            const int64_t row = base + bit;
            const uint8_t* begin = occurrences.place(row);
            const uint8_t* end = occurrences.place(row + 1);
            int64_t n_before = 0;   // occurrences so far
            occurrences.in_row(row, [&](const uint8_t* found) {
                if (n_before == ctx.first) end = found;
                if (++n_before == ctx.first) begin = found + ctx.n_pattern;
            });
            const bool is_here = ((valid >> bit) & 1) && n_before >= ctx.first;
            there |= (uint64_t)is_here << bit;
            each(row, begin, is_here ? end - begin : 0);
        }
        if (ctx.validity != nullptr) store_word(ctx.validity, base, there, count);
    }
}

template <typename In>
int text_piece_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    int64_t size = 0;
    for_pieces<In>(ctx, start, stop, [&](int64_t, const uint8_t*, int64_t length) { size += length; });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename In, typename Out>
int text_piece_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    TextSink sink{ctx.out + ctx.starts[slice], ctx.out + ctx.starts[slice + 1]};
    for_pieces<In>(ctx, start, stop, [&](int64_t row, const uint8_t* begin, int64_t length) {
        append_text(sink, begin, length, ctx.source.data + ctx.source.end);
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out));
    });
    return OK;
}

template <typename In>
int text_contains(void* raw, int64_t start, int64_t stop, int64_t) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    const auto place_of = [&](int64_t row) { return ctx.source.data + (int64_t)load<In>(ctx.source.offsets, row); };
    memset(ctx.out + (start >> 3), 0, (size_t)((stop - start + 7) >> 3));
    const uint8_t* const end = place_of(stop);
    int64_t row = start;
    for (const uint8_t* at = place_of(start); (at = find_literal(at, end, ctx.pattern, ctx.n_pattern)) != end;) {
        while (place_of(row + 1) <= at) ++row;
        if (place_of(row + 1) - at < ctx.n_pattern) {   // it begins in one row and ends in another
            ++at;
            continue;
        }
        ctx.out[row >> 3] |= (uint8_t)(1 << (row & 7));
        at = place_of(++row);
    }
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count), found = bits_at(ctx.out, base, count);
        store_word(ctx.out, base, (found & valid) | (ctx.missing ? low_bits(~valid, count) : 0), count);
    }
    return OK;
}

template <typename In>
int text_counts(void* raw, int64_t start, int64_t stop, int64_t) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    Occurrences<In> occurrences(ctx, start, stop);
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        int64_t n_found = 0;
        occurrences.in_row(row, [&](const uint8_t*) { ++n_found; });
        store<int64_t>(ctx.out, row, is_here ? n_found : 0);
    });
    return OK;
}

// Whether texts begin or end with a literal, which may be empty.
template <typename In, bool AT_END>
int text_affix(void* raw, int64_t start, int64_t stop, int64_t) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        uint64_t found = 0;
        for (int bit = 0; bit < count; ++bit) {
            const int64_t from = (int64_t)load<In>(ctx.source.offsets, base + bit), to = (int64_t)load<In>(ctx.source.offsets, base + bit + 1);
            if (to - from < ctx.n_pattern) continue;
            const uint8_t* const place = ctx.source.data + (AT_END ? to - ctx.n_pattern : from);
            found |= (uint64_t)(memcmp(place, ctx.pattern, (size_t)ctx.n_pattern) == 0) << bit;
        }
        store_word(ctx.out, base, (found & valid) | (ctx.missing ? low_bits(~valid, count) : 0), count);
    }
    return OK;
}

enum PlainText : int { TEXT_IS_ASCII, TEXT_LENGTHS, TEXT_CONTAINS, TEXT_BEGINS, TEXT_ENDS, TEXT_COUNTS, TEXT_REPLACE_SIZES, TEXT_REPLACE_COPY,
    TEXT_PIECE_SIZES, TEXT_PIECE_COPY, TEXT_CASE };   // and each of the cases

template <typename In, typename Out>
kernel_t plain_text_kernel_of(int phase) {
    switch (phase) {
        case TEXT_IS_ASCII: return text_is_ascii<In>;
        case TEXT_LENGTHS: return text_lengths<In>;
        case TEXT_CONTAINS: return text_contains<In>;
        case TEXT_BEGINS: return text_affix<In, false>;
        case TEXT_ENDS: return text_affix<In, true>;
        case TEXT_COUNTS: return text_counts<In>;
        case TEXT_REPLACE_SIZES: return text_replace_sizes<In>;
        case TEXT_REPLACE_COPY: return text_replace_copy<In, Out>;
        case TEXT_PIECE_SIZES: return text_piece_sizes<In>;
        case TEXT_PIECE_COPY: return text_piece_copy<In, Out>;
        case TEXT_CASE + UPPER: return text_case<In, Out, UPPER>;
        case TEXT_CASE + LOWER: return text_case<In, Out, LOWER>;
        case TEXT_CASE + SWAPPED: return text_case<In, Out, SWAPPED>;
        case TEXT_CASE + TITLE: return text_case<In, Out, TITLE>;
        case TEXT_CASE + CAPITALIZED: return text_case<In, Out, CAPITALIZED>;
        default: return nullptr;
    }
}

inline kernel_t plain_text_kernel(int phase, bool large, bool out_large) {
    if (large) return out_large ? plain_text_kernel_of<int64_t, int64_t>(phase) : plain_text_kernel_of<int64_t, int32_t>(phase);
    return out_large ? plain_text_kernel_of<int32_t, int64_t>(phase) : plain_text_kernel_of<int32_t, int32_t>(phase);
}

}  // namespace ff
