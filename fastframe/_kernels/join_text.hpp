// Texts of several sources joined row by row; two passes, as in text.hpp. A row with a null in any source is null.
#pragma once
#include "text.hpp"

namespace ff {

struct JoinTextContext {
    const TextSource* sources;   // in
    int64_t n_sources;           // in
    BitSource valid;             // in: of all sources
    int64_t* sizes;              // out (sizes): bytes per slice
    const int64_t* starts;       // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;        // out (copy): entry row + 1
    uint8_t* out_data;           // out (copy)
};

inline int join_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const JoinTextContext ctx = *(const JoinTextContext*)raw;
    int64_t size = 0;
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t valid = word_at(ctx.valid, base, count);
        const bool all = valid == low_bits(~(uint64_t)0, count);
        for (int64_t nth = 0; nth < ctx.n_sources; ++nth) {
            const TextSource& source = ctx.sources[nth];
            if (source.constant) {
                size += __builtin_popcountll(valid) * (text_offset(source, 1) - text_offset(source, 0));
            } else if (all) {
                size += text_offset(source, base + count) - text_offset(source, base);
            } else {
                for (uint64_t left = valid; left != 0; left &= left - 1) {
                    const int64_t row = base + __builtin_ctzll(left);
                    size += text_offset(source, row + 1) - text_offset(source, row);
                }
            }
        }
    }
    ctx.sizes[slice] = size;
    return OK;
}

template <typename Out>
int join_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const JoinTextContext ctx = *(const JoinTextContext*)raw;
    TextSink sink{ctx.out_data + ctx.starts[slice], ctx.out_data + ctx.starts[slice + 1]};
    for_bits(ctx.valid, start, stop, [&](int64_t row, bool is_here) {
        for (int64_t nth = 0; nth < ctx.n_sources && is_here; ++nth) {
            const TextSource& source = ctx.sources[nth];
            const int64_t at = source.constant ? 0 : row, begin = text_offset(source, at);
            append_text(sink, source.data + begin, text_offset(source, at + 1) - begin, source.data + source.end);
        }
        store<Out>(ctx.out_offsets, row + 1, (Out)(sink.data - ctx.out_data));
    });
    return OK;
}

inline kernel_t join_text_copy_kernel(bool out_large) { return out_large ? join_text_copy<int64_t> : join_text_copy<int32_t>; }

}  // namespace ff
