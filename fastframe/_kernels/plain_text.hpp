// Functions of plain text, row by row: whether all bytes are ASCII, lengths, upper and lower case, parts by place; literals
// found, replaced, and what is between them.
//
// In ASCII a character is a byte, so places are offsets; in other UTF-8 a character is a byte and those that continue it. Case is of
// ASCII only: other texts are the caller's to send elsewhere. A literal is searched through all bytes of a slice at once, by its first and last byte, 16 places
// at a time (Mula, SIMD-friendly algorithms for substring searching, 2016), and each hit is then given to the row it is in.
#pragma once
#include "text.hpp"

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
    int64_t first, last;       // in of part: from and to which character; negative ones count from the end. Of piece: which
    const uint8_t* pattern;    // in of search, replace, piece
    int64_t n_pattern;         // in of these: 1 or more
    const uint8_t* given;      // in of replace: what replaces the literal
    int64_t n_given;           // in of replace
    int missing;               // in of search: the bit of a null
    int ascii;                 // in of lengths, part: whether all bytes are
};

inline bool are_ascii(const uint8_t* bytes, int64_t count) {
    uint64_t all = 0;
    int64_t at = 0;
    for (; at + 64 <= count; at += 64) {
        uint64_t words[8];
        memcpy(words, bytes + at, 64);
        for (int word = 0; word < 8; ++word) all |= words[word];
    }
    for (; at < count; ++at) all |= bytes[at];
    return (all & 0x8080808080808080ull) == 0;
}

template <typename In>
int text_is_ascii(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext& ctx = *(const PlainTextContext*)raw;
    const int64_t begin = (int64_t)load<In>(ctx.source.offsets, start), end = (int64_t)load<In>(ctx.source.offsets, stop);
    ctx.sizes[slice] = !are_ascii(ctx.source.data + begin, end - begin);
    return OK;
}

// Of UTF-8, whether a byte goes on with a character: 10xxxxxx.
inline bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Of 8 bytes, those with which a character begins: the lowest bit of each.
inline uint64_t beginnings(uint64_t bytes) { return ~((bytes >> 7) & ~(bytes >> 6)) & 0x0101010101010101ull; }

// How many characters texts have, asked in the order in which they lie. Bytes are looked at 64 at a time, once, whatever texts they are of.
class CharacterCounts {
  public:
    explicit CharacterCounts(const TextSource& source) : data_(source.data), end_(source.end) {}

    int64_t operator()(int64_t from, int64_t to) {
        int64_t count = to - from;
        for (int64_t begin = from & ~(int64_t)63; begin < to; begin += 64) {
            if (begin != begin_) look_at(begin);
            if (continuing_ == 0) continue;
            uint64_t inside = continuing_;
            if (begin < from) inside &= ~(uint64_t)0 << (from - begin);
            if (to - begin < 64) inside &= low_bits(~(uint64_t)0, (int)(to - begin));
            count -= __builtin_popcountll(inside);
        }
        return count;
    }

  private:
    void look_at(int64_t begin) {
        begin_ = begin;
        if (end_ - begin >= 64) {
            continuing_ = continuing_of(data_ + begin);
            return;
        }
        uint8_t bytes[64] = {0};
        memcpy(bytes, data_ + begin, (size_t)(end_ - begin));
        continuing_ = continuing_of(bytes);
    }

    // One bit for each of 64 bytes.
    static uint64_t continuing_of(const uint8_t* bytes) {
        uint64_t found = 0;
#if defined(__SSE2__)
        const __m128i least_begun = _mm_set1_epi8((char)0xC0);   // as signed numbers, 10xxxxxx are those below
        for (int part = 0; part < 4; ++part) {
            const __m128i some = _mm_loadu_si128((const __m128i*)(bytes + 16 * part));
            found |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(some, least_begun)) << (16 * part);
        }
#else
        for (int at = 0; at < 64; ++at) found |= (uint64_t)continues(bytes[at]) << at;
#endif
        return found;
    }

    const uint8_t* data_;
    int64_t end_;
    int64_t begin_ = -1;
    uint64_t continuing_ = 0;
};

// The byte at which a character begins, `n_bytes` where there are not so many. Up to `data_end` bytes may be read.
inline int64_t place_of_character(const uint8_t* text, int64_t n_bytes, int64_t number, const uint8_t* data_end) {
    if (number == 0) return 0;
    for (int64_t at = 0; at < n_bytes; at += 8) {
        const int64_t left = n_bytes - at;
        uint64_t bytes = 0;
        if (data_end - text - at >= 8) memcpy(&bytes, text + at, 8);
        else memcpy(&bytes, text + at, (size_t)left);
        uint64_t begun = beginnings(bytes);
        if (left < 8) begun &= ((uint64_t)1 << (8 * left)) - 1;
        const int64_t n_begun = (int64_t)((begun * 0x0101010101010101ull) >> 56);
        if (number < n_begun) {
            for (; number > 0; --number) begun &= begun - 1;
            return at + __builtin_ctzll(begun) / 8;
        }
        number -= n_begun;
    }
    return n_bytes;
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

template <bool UPPER>
inline void change_case(const uint8_t* __restrict in, uint8_t* __restrict out, int64_t count) {
    constexpr uint8_t first = UPPER ? 'a' : 'A';
    for (int64_t at = 0; at < count; ++at) {
        const uint8_t byte = in[at];
        out[at] = byte ^ ((uint8_t)(byte - first) < 26 ? 0x20 : 0);
    }
}

// Of ASCII; sizes are those of `join_text_sizes` for one source, and bytes of nulls are left out.
template <typename In, typename Out, bool UPPER>
int text_case(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    int64_t end = ctx.starts[slice];
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        const int64_t begin = (int64_t)load<In>(ctx.source.offsets, base);
        if (valid == low_bits(~(uint64_t)0, count)) {
            change_case<UPPER>(ctx.source.data + begin, ctx.out + end, (int64_t)load<In>(ctx.source.offsets, base + count) - begin);
            for (int bit = 1; bit <= count; ++bit) {
                store<Out>(ctx.out_offsets, base + bit, (Out)(end + (int64_t)load<In>(ctx.source.offsets, base + bit) - begin));
            }
            end += (int64_t)load<In>(ctx.source.offsets, base + count) - begin;
            continue;
        }
        for (int bit = 0; bit < count; ++bit) {
            const int64_t from = (int64_t)load<In>(ctx.source.offsets, base + bit);
            const int64_t length = (valid >> bit) & 1 ? (int64_t)load<In>(ctx.source.offsets, base + bit + 1) - from : 0;
            change_case<UPPER>(ctx.source.data + from, ctx.out + end, length);
            end += length;
            store<Out>(ctx.out_offsets, base + bit + 1, (Out)end);
        }
    }
    return OK;
}

struct TextPart {
    int64_t begin, length;
};

// Where characters `first` to `last` of a text are, as Python's slices have it.
inline TextPart part_of_text(int64_t begin_byte, int64_t end_byte, const PlainTextContext& ctx, CharacterCounts& n_characters) {
    const uint8_t* const text = ctx.source.data + begin_byte;
    const int64_t n_bytes = end_byte - begin_byte;
    const bool from_start = (ctx.first | ctx.last) >= 0;   // there are at most as many characters as bytes
    const int64_t length = ctx.ascii || from_start ? n_bytes : n_characters(begin_byte, end_byte);
    const auto inside = [length](int64_t place) {
        if (place < 0) place += length;
        return place < 0 ? 0 : place > length ? length : place;
    };
    const int64_t begin = inside(ctx.first), end = inside(ctx.last);
    if (end <= begin) return {0, 0};
    if (ctx.ascii) return {begin, end - begin};
    const uint8_t* const data_end = ctx.source.data + ctx.source.end;
    const int64_t from = place_of_character(text, n_bytes, begin, data_end);
    return {from, place_of_character(text + from, n_bytes - from, end - begin, data_end)};
}

template <typename In>
int text_part_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    CharacterCounts n_characters(ctx.source);
    int64_t size = 0;
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        const int64_t from = (int64_t)load<In>(ctx.source.offsets, row), to = (int64_t)load<In>(ctx.source.offsets, row + 1);
        size += is_here ? part_of_text(from, to, ctx, n_characters).length : 0;
    });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename In, typename Out>
int text_part_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlainTextContext ctx = *(const PlainTextContext*)raw;
    TextSink sink{ctx.out + ctx.starts[slice], ctx.out + ctx.starts[slice + 1]};
    const uint8_t* const data_end = ctx.source.data + ctx.source.end;
    CharacterCounts n_characters(ctx.source);
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        const int64_t from = (int64_t)load<In>(ctx.source.offsets, row);
        const TextPart part = part_of_text(from, (int64_t)load<In>(ctx.source.offsets, row + 1), ctx, n_characters);
        append_text(sink, ctx.source.data + from + part.begin, is_here ? part.length : 0, data_end);
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out));
    });
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

enum PlainText : int { TEXT_IS_ASCII = 0, TEXT_LENGTHS = 1, TEXT_UPPER = 2, TEXT_LOWER = 3, TEXT_PART_SIZES = 4, TEXT_PART_COPY = 5, TEXT_CONTAINS = 6,
    TEXT_REPLACE_SIZES = 7, TEXT_REPLACE_COPY = 8, TEXT_PIECE_SIZES = 9, TEXT_PIECE_COPY = 10 };

template <typename In, typename Out>
kernel_t plain_text_kernel_of(int phase) {
    switch (phase) {
        case TEXT_IS_ASCII: return text_is_ascii<In>;
        case TEXT_LENGTHS: return text_lengths<In>;
        case TEXT_UPPER: return text_case<In, Out, true>;
        case TEXT_LOWER: return text_case<In, Out, false>;
        case TEXT_PART_SIZES: return text_part_sizes<In>;
        case TEXT_PART_COPY: return text_part_copy<In, Out>;
        case TEXT_CONTAINS: return text_contains<In>;
        case TEXT_REPLACE_SIZES: return text_replace_sizes<In>;
        case TEXT_REPLACE_COPY: return text_replace_copy<In, Out>;
        case TEXT_PIECE_SIZES: return text_piece_sizes<In>;
        case TEXT_PIECE_COPY: return text_piece_copy<In, Out>;
        default: return nullptr;
    }
}

inline kernel_t plain_text_kernel(int phase, bool large, bool out_large) {
    if (large) return out_large ? plain_text_kernel_of<int64_t, int64_t>(phase) : plain_text_kernel_of<int64_t, int32_t>(phase);
    return out_large ? plain_text_kernel_of<int32_t, int64_t>(phase) : plain_text_kernel_of<int32_t, int32_t>(phase);
}

}  // namespace ff
