// Gather and choice of variable-length values (Arrow offsets and bytes); `filter_text.hpp` has their compaction.
//
// Always two passes: `*_sizes` gives the bytes of each slice, the caller makes their running sum (which decides between
// int32 and int64 offsets), `*_copy` writes the end offset of each row and its bytes. The caller writes offset 0.
// Most strings are short: one 16-byte load and store beats a call of memcpy where both sides have room for it.
#pragma once
#include "bitmap.hpp"

namespace ff {

// Plain text; `offsets` at row 0.
struct TextSource {
    const uint8_t* offsets;   // in: int32, or int64 where `large`
    const uint8_t* data;      // in
    int64_t end;              // in: bytes of `data` that may be read
    int32_t large;            // in
    int32_t constant;         // in: every row is row 0 (used by the choice alone)
};

// Where a slice writes: bytes from `data` to `end` are its own.
struct TextSink {
    uint8_t* data;
    const uint8_t* end;
};

inline void append_text(TextSink& sink, const uint8_t* from, int64_t length, const uint8_t* from_end) {
    if (length <= 16 && sink.end - sink.data >= 16 && from_end - from >= 16) {
        memcpy(sink.data, from, 16);
    } else if (length > 0) {
        memcpy(sink.data, from, (size_t)length);
    }
    sink.data += length;
}

inline int64_t text_offset(const TextSource& source, int64_t row) {
    return source.large ? load<int64_t>(source.offsets, row) : load<int32_t>(source.offsets, row);
}

constexpr int64_t PREFETCH_OFFSETS = 32;   // rows ahead whose offsets are fetched
constexpr int64_t PREFETCH_TEXT = 12;      // rows ahead whose bytes are fetched: their offsets have arrived by then

struct TakeTextContext {
    TextSource source;        // in: at least one row where any of `rows` is -1
    const row_t* rows;        // in
    int64_t* sizes;           // out (sizes): bytes per slice
    const int64_t* starts;    // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;     // out (copy): entry row + 1
    uint8_t* out_data;        // out (copy)
};

template <typename In, bool MISSING>
int take_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const TakeTextContext ctx = *(const TakeTextContext*)raw;
    int64_t size = 0;
    for (int64_t row = start; row < stop; ++row) {
        if (row + PREFETCH_OFFSETS < stop) {
            __builtin_prefetch(ctx.source.offsets + (int64_t)ctx.rows[row + PREFETCH_OFFSETS] * (int64_t)sizeof(In));
        }
        const row_t source = ctx.rows[row];
        const int64_t at = MISSING && source < 0 ? 0 : source;
        const int64_t length = (int64_t)load<In>(ctx.source.offsets, at + 1) - (int64_t)load<In>(ctx.source.offsets, at);
        size += MISSING && source < 0 ? 0 : length;
    }
    ctx.sizes[slice] = size;
    return OK;
}

template <typename In, typename Out, bool MISSING>
int take_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const TakeTextContext ctx = *(const TakeTextContext*)raw;
    TextSink sink{ctx.out_data + ctx.starts[slice], ctx.out_data + ctx.starts[slice + 1]};
    const uint8_t* const data_end = ctx.source.data + ctx.source.end;
    for (int64_t row = start; row < stop; ++row) {
        if (row + PREFETCH_OFFSETS < stop) {
            __builtin_prefetch(ctx.source.offsets + (int64_t)ctx.rows[row + PREFETCH_OFFSETS] * (int64_t)sizeof(In));
            const row_t near = ctx.rows[row + PREFETCH_TEXT];
            __builtin_prefetch(ctx.source.data + (int64_t)load<In>(ctx.source.offsets, MISSING && near < 0 ? 0 : near));
        }
        const row_t source = ctx.rows[row];
        if (!MISSING || source >= 0) {
            const int64_t begin = (int64_t)load<In>(ctx.source.offsets, source);
            const int64_t length = (int64_t)load<In>(ctx.source.offsets, (int64_t)source + 1) - begin;
            append_text(sink, ctx.source.data + begin, length, data_end);
        }
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out_data));
    }
    return OK;
}

inline kernel_t take_text_sizes_kernel(bool large, bool missing) {
    if (large) return missing ? take_text_sizes<int64_t, true> : take_text_sizes<int64_t, false>;
    return missing ? take_text_sizes<int32_t, true> : take_text_sizes<int32_t, false>;
}

template <typename In, typename Out>
kernel_t take_text_copy_of(bool missing) {
    return missing ? take_text_copy<In, Out, true> : take_text_copy<In, Out, false>;
}

inline kernel_t take_text_copy_kernel(bool large, bool out_large, bool missing) {
    if (large) return out_large ? take_text_copy_of<int64_t, int64_t>(missing) : take_text_copy_of<int64_t, int32_t>(missing);
    return out_large ? take_text_copy_of<int32_t, int64_t>(missing) : take_text_copy_of<int32_t, int32_t>(missing);
}

struct ChooseTextContext {
    BitSource mask;           // in: 1 takes `yes`
    TextSource yes;           // in
    TextSource no;            // in
    int64_t* sizes;           // out (sizes): bytes per slice
    const int64_t* starts;    // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;     // out (copy): entry row + 1
    uint8_t* out_data;        // out (copy)
};

// Calls `each(row, source, first byte, length)` for every row.
template <typename Each>
inline void for_chosen(const ChooseTextContext& ctx, int64_t start, int64_t stop, Each each) {
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t word = word_at(ctx.mask, base, count);
        for (int bit = 0; bit < count; ++bit) {
            const TextSource& source = (word >> bit) & 1 ? ctx.yes : ctx.no;
            const int64_t at = source.constant ? 0 : base + bit;
            const int64_t begin = text_offset(source, at);
            each(base + bit, source, begin, text_offset(source, at + 1) - begin);
        }
    }
}

inline int choose_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const ChooseTextContext ctx = *(const ChooseTextContext*)raw;
    int64_t size = 0;
    for_chosen(ctx, start, stop, [&](int64_t, const TextSource&, int64_t, int64_t length) { size += length; });
    ctx.sizes[slice] = size;
    return OK;
}

template <typename Out>
int choose_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const ChooseTextContext ctx = *(const ChooseTextContext*)raw;
    TextSink sink{ctx.out_data + ctx.starts[slice], ctx.out_data + ctx.starts[slice + 1]};
    for_chosen(ctx, start, stop, [&](int64_t row, const TextSource& source, int64_t begin, int64_t length) {
        append_text(sink, source.data + begin, length, source.data + source.end);
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out_data));
    });
    return OK;
}

inline kernel_t choose_text_copy_kernel(bool out_large) { return out_large ? choose_text_copy<int64_t> : choose_text_copy<int32_t>; }

}  // namespace ff
