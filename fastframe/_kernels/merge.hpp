// Several inputs, one output: pieces one after another (concat), a choice per row (where), one value everywhere (fill).
#pragma once
#include "bitmap.hpp"
#include "streaming.hpp"

namespace ff {

// One piece of a concatenation, six int64 each, in row order; the list ends with a piece that has only `start`.
struct Piece {
    int64_t start;         // in: its first row (for bytes: byte) in the output
    int64_t values;        // in: address at its row 0; of bits, or of offsets; 0: all rows are null, values become 0
    int64_t validity;      // in: address; 0: none is null (all, where `values` is 0)
    int64_t bit_offset;    // in: of validity, and of values that are bits
    int64_t base;          // in (text): output bytes before it
    int64_t large;         // in (text): whether offsets are int64
};

struct ConcatContext {
    const Piece* pieces;   // in: n_pieces + 1
    int64_t n_pieces;      // in
    uint8_t* out;          // out
};

// Calls `each(piece, first row, last row + 1)` in output rows for every piece that meets [start, stop).
template <typename Each>
inline void for_pieces(const ConcatContext& ctx, int64_t start, int64_t stop, Each each) {
    int64_t low = 0;
    int64_t high = ctx.n_pieces;
    while (high - low > 1) {   // the last piece that starts at or before `start`
        const int64_t middle = (low + high) / 2;
        if (ctx.pieces[middle].start <= start) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (int64_t at = low; at < ctx.n_pieces && ctx.pieces[at].start < stop; ++at) {
        const int64_t first = ctx.pieces[at].start > start ? ctx.pieces[at].start : start;
        const int64_t end = ctx.pieces[at + 1].start < stop ? ctx.pieces[at + 1].start : stop;
        if (first < end) each(ctx.pieces[at], first, end);
    }
}

template <int WIDTH>
int concat_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const ConcatContext ctx = *(const ConcatContext*)raw;
    for_pieces(ctx, start, stop, [&](const Piece& piece, int64_t first, int64_t end) {
        uint8_t* const out = ctx.out + first * WIDTH;
        if (piece.values == 0) {
            memset(out, 0, (size_t)((end - first) * WIDTH));
        } else {
            memcpy(out, (const uint8_t*)piece.values + (first - piece.start) * WIDTH, (size_t)((end - first) * WIDTH));
        }
    });
    return OK;
}

inline kernel_t concat_kernel(int width) {
    switch (width) {
        case 1: return concat_values<1>;
        case 2: return concat_values<2>;
        case 4: return concat_values<4>;
        case 8: return concat_values<8>;
        case 16: return concat_values<16>;
        default: return nullptr;
    }
}

inline BitSource piece_bits(const Piece& piece, bool validity) {
    if (!validity) return BitSource{(const uint8_t*)piece.values, piece.bit_offset, 0};
    return BitSource{(const uint8_t*)piece.validity, piece.bit_offset, piece.values == 0 ? 0 : ~(uint64_t)0};
}

// Each output word is put together from the pieces that meet it, so no bit is written twice.
template <bool VALIDITY>
int concat_bits(void* raw, int64_t start, int64_t stop, int64_t) {
    const ConcatContext ctx = *(const ConcatContext*)raw;
    uint64_t pending = 0;
    for_pieces(ctx, start, stop, [&](const Piece& piece, int64_t first, int64_t end) {
        const BitSource source = piece_bits(piece, VALIDITY);
        for (int64_t row = first; row < end;) {
            const int filled = (int)(row % WORD_ROWS);
            const int room = (int)WORD_ROWS - filled;
            const int count = end - row < room ? (int)(end - row) : room;
            pending |= word_at(source, row - piece.start, count) << filled;
            row += count;
            if (filled + count == WORD_ROWS || row == stop) {
                store_word(ctx.out, row - (filled + count), pending, filled + count);
                pending = 0;
            }
        }
    });
    return OK;
}

inline kernel_t concat_bits_kernel(bool validity) { return validity ? concat_bits<true> : concat_bits<false>; }

template <typename In, typename Out>
inline void shift_offsets(const Piece& piece, int64_t first, int64_t end, uint8_t* out) {
    const uint8_t* offsets = (const uint8_t*)piece.values;
    const int64_t shift = piece.base - (int64_t)load<In>(offsets, 0);
    for (int64_t row = first; row < end; ++row) {
        store<Out>(out, row + 1, (Out)((int64_t)load<In>(offsets, row + 1 - piece.start) + shift));
    }
}

// End offsets of all rows; the caller writes offset 0.
template <typename Out>
int concat_offsets(void* raw, int64_t start, int64_t stop, int64_t) {
    const ConcatContext ctx = *(const ConcatContext*)raw;
    for_pieces(ctx, start, stop, [&](const Piece& piece, int64_t first, int64_t end) {
        if (piece.values == 0) {
            for (int64_t row = first; row < end; ++row) store<Out>(ctx.out, row + 1, (Out)piece.base);
        } else if (piece.large) {
            shift_offsets<int64_t, Out>(piece, first, end, ctx.out);
        } else {
            shift_offsets<int32_t, Out>(piece, first, end, ctx.out);
        }
    });
    return OK;
}

inline kernel_t concat_offsets_kernel(bool out_large) { return out_large ? concat_offsets<int64_t> : concat_offsets<int32_t>; }

struct ChooseContext {
    BitSource mask;       // in: 1 takes `yes`
    const uint8_t* yes;   // in: values at row 0
    const uint8_t* no;    // in: values at row 0
    uint8_t* out;         // out
    int64_t streams;      // in: whether `out` goes past the caches
};

template <typename T, bool YES_CONSTANT, bool NO_CONSTANT>
int choose_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const ChooseContext ctx = *(const ChooseContext*)raw;
    const T yes_constant = YES_CONSTANT ? load<T>(ctx.yes, 0) : T(0);
    const T no_constant = NO_CONSTANT ? load<T>(ctx.no, 0) : T(0);
    BlockWriter<WORD_ROWS * sizeof(T)> writer(ctx.streams);
    for (int64_t base = start; base < stop; base += WORD_ROWS) {
        const int count = rows_in_word(base, stop);
        const uint64_t word = word_at(ctx.mask, base, count);
        uint8_t* const place = ctx.out + base * (int64_t)sizeof(T);
        uint8_t* const out = writer.target(place);
        for (int bit = 0; bit < count; ++bit) {
            const T yes = YES_CONSTANT ? yes_constant : load<T>(ctx.yes, base + bit);
            const T no = NO_CONSTANT ? no_constant : load<T>(ctx.no, base + bit);
            const T chosen = (T)0 - (T)((word >> bit) & 1);   // a branch would be mispredicted, and not vectorised
            store<T>(out, bit, (T)(no ^ ((no ^ yes) & chosen)));
        }
        writer.put(place, count * (int64_t)sizeof(T));
    }
    return OK;
}

template <typename T>
kernel_t choose_of_type(bool yes_constant, bool no_constant) {
    if (yes_constant) return no_constant ? choose_values<T, true, true> : choose_values<T, true, false>;
    return no_constant ? choose_values<T, false, true> : choose_values<T, false, false>;
}

inline kernel_t choose_kernel(int width, bool yes_constant, bool no_constant) {
    switch (width) {
        case 1: return choose_of_type<uint8_t>(yes_constant, no_constant);
        case 2: return choose_of_type<uint16_t>(yes_constant, no_constant);
        case 4: return choose_of_type<uint32_t>(yes_constant, no_constant);
        case 8: return choose_of_type<uint64_t>(yes_constant, no_constant);
        case 16: return choose_of_type<uint128_t>(yes_constant, no_constant);
        default: return nullptr;
    }
}

struct FillContext {
    const uint8_t* value;   // in: one value
    uint8_t* out;           // out
};

template <typename T>
int fill_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const FillContext ctx = *(const FillContext*)raw;
    const T value = load<T>(ctx.value, 0);
    for (int64_t row = start; row < stop; ++row) store<T>(ctx.out, row, value);
    return OK;
}

inline kernel_t fill_kernel(int width) {
    switch (width) {
        case 1: return fill_values<uint8_t>;
        case 2: return fill_values<uint16_t>;
        case 4: return fill_values<uint32_t>;
        case 8: return fill_values<uint64_t>;
        case 16: return fill_values<uint128_t>;
        default: return nullptr;
    }
}

}  // namespace ff
