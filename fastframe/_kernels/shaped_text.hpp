// Texts made of a part of each text and filling: slices, characters, texts without what is at their ends, texts padded to a width.
//
// A rule gives the shape of each row; sizes and copies ask it again, for to look at the bytes takes less than to keep what was seen.
#pragma once
#include "characters.hpp"

namespace ff {

struct ShapedTextContext {
    TextSource source;         // in
    BitSource valid;           // in
    int64_t* sizes;            // out of sizes: bytes per slice
    const int64_t* starts;     // in of copies: bytes before each slice, and in all
    uint8_t* out_offsets;      // out of copies: entry row + 1
    uint8_t* out;              // out of copies: bytes
    uint8_t* validity;         // out of copies: bits, 0 where the shape is empty; null where an empty text is one
    int64_t first, last;       // in of part: from and to which character; negative ones count from the end
    int64_t width;             // in of padding: characters
    const uint8_t* given;      // in: what fills (one character), or a prefix or suffix
    int64_t n_given;           // in
    uint64_t stripped[2];      // in of strip: a bit for each ASCII character
    int at_start, at_end;      // in of strip, affix, padding: on which side
    int ascii;                 // in: whether all bytes are
};

// Bytes 0 to `head` of a text, filling, `length` bytes from `begin` on, filling.
struct TextShape {
    int64_t head, before, begin, length, after;
};

struct RowText {
    const uint8_t* text;
    int64_t n_bytes;
    int64_t first_byte;   // of the text in the data
};

inline int64_t n_characters_of(const RowText& row, const ShapedTextContext& ctx, CharacterCounts& counts) {
    return ctx.ascii ? row.n_bytes : counts(row.first_byte, row.first_byte + row.n_bytes);
}

// Characters `first` to `last`, as Python's slices have it.
struct Part {
    static TextShape shape(const RowText& row, const ShapedTextContext& ctx, CharacterCounts& counts) {
        const bool from_start = (ctx.first | ctx.last) >= 0;   // there are at most as many characters as bytes
        const int64_t length = from_start ? row.n_bytes : n_characters_of(row, ctx, counts);
        const auto inside = [length](int64_t place) {
            if (place < 0) place += length;
            return place < 0 ? 0 : place > length ? length : place;
        };
        const int64_t begin = inside(ctx.first), end = inside(ctx.last);
        if (end <= begin) return {0, 0, 0, 0, 0};
        if (ctx.ascii) return {0, 0, begin, end - begin, 0};
        const uint8_t* const data_end = ctx.source.data + ctx.source.end;
        const int64_t from = place_of_character(row.text, row.n_bytes, begin, data_end);
        return {0, 0, from, place_of_character(row.text + from, row.n_bytes - from, end - begin, data_end), 0};
    }
};

// Without some characters of ASCII at the ends.
struct Strip {
    static TextShape shape(const RowText& row, const ShapedTextContext& ctx, CharacterCounts&) {
        const auto goes = [&](uint8_t byte) { return byte < 128 && ((ctx.stripped[byte >> 6] >> (byte & 63)) & 1); };
        int64_t begin = 0, end = row.n_bytes;
        if (ctx.at_start) while (begin < end && goes(row.text[begin])) ++begin;
        if (ctx.at_end) while (end > begin && goes(row.text[end - 1])) --end;
        return {0, 0, begin, end - begin, 0};
    }
};

// Without a prefix or a suffix.
struct Affix {
    static TextShape shape(const RowText& row, const ShapedTextContext& ctx, CharacterCounts&) {
        const int64_t rest = row.n_bytes - ctx.n_given;
        const bool is_there = rest >= 0 && memcmp(row.text + (ctx.at_start ? 0 : rest), ctx.given, (size_t)ctx.n_given) == 0;
        if (!is_there) return {0, 0, 0, row.n_bytes, 0};
        return {0, 0, ctx.at_start ? ctx.n_given : 0, rest, 0};
    }
};

// Filled up to a width; on both sides as Python's str.center.
struct Padded {
    static TextShape shape(const RowText& row, const ShapedTextContext& ctx, CharacterCounts& counts) {
        const int64_t length = n_characters_of(row, ctx, counts), lacking = ctx.width > length ? ctx.width - length : 0;
        const int64_t before = ctx.at_start && ctx.at_end ? lacking / 2 + (lacking & ctx.width & 1) : ctx.at_start ? lacking : 0;
        return {0, before, 0, row.n_bytes, lacking - before};
    }
};

// Filled up to a width after a sign.
struct Signed {
    static TextShape shape(const RowText& row, const ShapedTextContext& ctx, CharacterCounts& counts) {
        const int64_t length = n_characters_of(row, ctx, counts), sign = row.n_bytes > 0 && (*row.text == '+' || *row.text == '-');
        return {sign, ctx.width > length ? ctx.width - length : 0, sign, row.n_bytes - sign, 0};
    }
};

inline void append_filling(TextSink& sink, int64_t times, const ShapedTextContext& ctx) {
    if (ctx.n_given == 1) {
        memset(sink.data, *ctx.given, (size_t)times);
        sink.data += times;
        return;
    }
    for (; times > 0; --times) append_text(sink, ctx.given, ctx.n_given, ctx.given + ctx.n_given);
}

template <typename In>
inline RowText text_of_row(const TextSource& source, int64_t row) {
    const int64_t from = (int64_t)load<In>(source.offsets, row);
    return {source.data + from, (int64_t)load<In>(source.offsets, row + 1) - from, from};
}

template <typename In, typename Rule>
int shaped_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const ShapedTextContext ctx = *(const ShapedTextContext*)raw;
    CharacterCounts counts(ctx.source);
    int64_t size = 0;
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        const TextShape shape = Rule::shape(text_of_row<In>(ctx.source, row), ctx, counts);
        size += is_here ? shape.head + (shape.before + shape.after) * ctx.n_given + shape.length : 0;
    });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename In, typename Out, typename Rule>
int shaped_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const ShapedTextContext ctx = *(const ShapedTextContext*)raw;
    TextSink sink{ctx.out + ctx.starts[slice], ctx.out + ctx.starts[slice + 1]};
    const uint8_t* const data_end = ctx.source.data + ctx.source.end;
    CharacterCounts counts(ctx.source);
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        uint64_t there = 0;
        for (int bit = 0; bit < count; ++bit) {
            if ((valid >> bit) & 1) {
                const RowText row = text_of_row<In>(ctx.source, base + bit);
                const TextShape shape = Rule::shape(row, ctx, counts);
                const uint8_t* const begin = sink.data;
                if (shape.head > 0) append_text(sink, row.text, shape.head, data_end);
                if (shape.before > 0) append_filling(sink, shape.before, ctx);
                append_text(sink, row.text + shape.begin, shape.length, data_end);
                if (shape.after > 0) append_filling(sink, shape.after, ctx);
                there |= (uint64_t)(sink.data != begin) << bit;
            }
            store<Out>(ctx.out_offsets, base + bit + 1, (Out)(sink.data - ctx.out));
        }
        if (ctx.validity != nullptr) store_word(ctx.validity, base, there, count);
    }
    return OK;
}

enum TextRule : int { PART = 0, STRIP = 1, AFFIX = 2, PADDED = 3, SIGNED = 4 };

template <typename In>
kernel_t shaped_sizes_of(int rule) {
    switch (rule) {
        case PART: return shaped_sizes<In, Part>;
        case STRIP: return shaped_sizes<In, Strip>;
        case AFFIX: return shaped_sizes<In, Affix>;
        case PADDED: return shaped_sizes<In, Padded>;
        default: return shaped_sizes<In, Signed>;
    }
}

template <typename In, typename Out>
kernel_t shaped_copy_of(int rule) {
    switch (rule) {
        case PART: return shaped_copy<In, Out, Part>;
        case STRIP: return shaped_copy<In, Out, Strip>;
        case AFFIX: return shaped_copy<In, Out, Affix>;
        case PADDED: return shaped_copy<In, Out, Padded>;
        default: return shaped_copy<In, Out, Signed>;
    }
}

inline kernel_t shaped_sizes_kernel(int rule, bool large) { return large ? shaped_sizes_of<int64_t>(rule) : shaped_sizes_of<int32_t>(rule); }

inline kernel_t shaped_copy_kernel(int rule, bool large, bool out_large) {
    if (large) return out_large ? shaped_copy_of<int64_t, int64_t>(rule) : shaped_copy_of<int64_t, int32_t>(rule);
    return out_large ? shaped_copy_of<int32_t, int64_t>(rule) : shaped_copy_of<int32_t, int32_t>(rule);
}

}  // namespace ff
