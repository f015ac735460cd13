// Comparisons of plain text and binary values, bytewise: 64 rows to a word of bits.
//
// Texts equal to a value are found by its first 16 bytes, as two masked words, and its length, without a branch; of a longer
// value the rest is then compared. Otherwise lengths are compared first (equality), or the first 8 bytes as one big-endian
// number (order).
#pragma once
#include "text.hpp"

namespace ff {

enum CompareText : int { TEXT_EQ = 0, TEXT_NE = 1, TEXT_LT = 2, TEXT_LE = 3 };

struct CompareTextContext {
    TextSource left;         // in
    TextSource right;        // in
    BitSource left_valid;    // in
    BitSource right_valid;   // in
    int operation;           // in
    uint8_t* out;            // out: bits; of rows with a null 0, or 1 where unequal is asked for
};

struct TextValue {
    const uint8_t* bytes;
    int64_t length;
};

inline TextValue text_value(const TextSource& source, int64_t row) {
    const int64_t at = source.constant ? 0 : row, begin = text_offset(source, at);
    return {source.data + begin, text_offset(source, at + 1) - begin};
}

inline bool equal_texts(TextValue left, TextValue right) {
    if (left.length != right.length) return false;
    const int64_t length = left.length;
    if (length >= 8) {   // the last word overlaps what was compared
        for (int64_t at = 0; at + 8 < length; at += 8) {
            if (load<uint64_t>(left.bytes + at, 0) != load<uint64_t>(right.bytes + at, 0)) return false;
        }
        return load<uint64_t>(left.bytes + length - 8, 0) == load<uint64_t>(right.bytes + length - 8, 0);
    }
    if (length >= 4) {
        return load<uint32_t>(left.bytes, 0) == load<uint32_t>(right.bytes, 0) &&
               load<uint32_t>(left.bytes + length - 4, 0) == load<uint32_t>(right.bytes + length - 4, 0);
    }
    for (int64_t at = 0; at < length; ++at) {
        if (left.bytes[at] != right.bytes[at]) return false;
    }
    return true;
}

inline uint64_t first_bytes_in_order(const uint8_t* bytes) {
    const uint64_t word = load<uint64_t>(bytes, 0);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

// Negative, zero or positive.
inline int text_order(TextValue left, TextValue right) {
    if (left.length >= 8 && right.length >= 8) {
        const uint64_t one = first_bytes_in_order(left.bytes), other = first_bytes_in_order(right.bytes);
        if (one != other) return one < other ? -1 : 1;
    }
    const int64_t both = left.length < right.length ? left.length : right.length;
    const int order = both > 0 ? memcmp(left.bytes, right.bytes, (size_t)both) : 0;
    return order != 0 ? order : (left.length > right.length) - (left.length < right.length);
}

// The first 16 bytes of a text and its length, to compare with 16 bytes that may hold more.
struct TextHead {
    uint64_t low = 0, high = 0, low_mask, high_mask;
    int64_t length;
    static constexpr int64_t BYTES = 16;

    explicit TextHead(TextValue text) : length(text.length) {
        const size_t n_bytes = (size_t)(length < BYTES ? length : BYTES);
        uint64_t words[2] = {0, 0};
        if (n_bytes > 0) memcpy(words, text.bytes, n_bytes);
        low = words[0];
        high = words[1];
        uint8_t masks[BYTES];
        memset(masks, 0, sizeof(masks));
        memset(masks, 0xFF, n_bytes);
        memcpy(&low_mask, masks, 8);
        memcpy(&high_mask, masks + 8, 8);
    }
    bool heads(const uint8_t* bytes, int64_t n_bytes) const {
        const uint64_t unlike = ((load<uint64_t>(bytes, 0) & low_mask) ^ low) | ((load<uint64_t>(bytes, 1) & high_mask) ^ high);
        return (unlike | (uint64_t)(n_bytes ^ length)) == 0;
    }
};

// Which rows of a word equal a value; 16 bytes can be read from where each of them starts.
template <typename Offset>
inline uint64_t equal_word(const TextSource& source, const TextHead& wanted, TextValue value, int64_t row, int count) {
    uint64_t word = 0;
    Offset begin = load<Offset>(source.offsets, row);
    for (int at = 0; at < count; ++at) {
        const Offset end = load<Offset>(source.offsets, row + at + 1);
        word |= (uint64_t)wanted.heads(source.data + begin, (int64_t)(end - begin)) << at;
        begin = end;
    }
    if (value.length <= TextHead::BYTES) return word;
    uint64_t equal = 0;
    for (; word != 0; word &= word - 1) {
        const int at = __builtin_ctzll(word);
        equal |= (uint64_t)equal_texts(text_value(source, row + at), value) << at;
    }
    return equal;
}

template <typename Test>
inline uint64_t tested_word(const CompareTextContext& ctx, int64_t row, int count, uint64_t valid, Test test) {
    uint64_t word = 0;
    for (int at = 0; at < count; ++at) {
        if ((valid >> at) & 1) word |= (uint64_t)test(text_value(ctx.left, row + at), text_value(ctx.right, row + at)) << at;
    }
    return word;
}

inline int compare_texts(void* raw, int64_t start, int64_t stop, int64_t) {
    const CompareTextContext ctx = *(const CompareTextContext*)raw;
    const bool is_equality = ctx.operation == TEXT_EQ || ctx.operation == TEXT_NE;
    const bool one_constant = ctx.left.constant != ctx.right.constant;
    const TextSource& rows = ctx.left.constant ? ctx.right : ctx.left;
    const TextValue value = text_value(ctx.left.constant ? ctx.left : ctx.right, 0);
    const TextHead wanted(is_equality && one_constant ? value : TextValue{nullptr, 0});
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        const uint64_t valid = word_at(ctx.left_valid, row, count) & word_at(ctx.right_valid, row, count);
        uint64_t word;
        if (is_equality && one_constant && text_offset(rows, row + count - 1) + TextHead::BYTES <= rows.end) {
            word = rows.large ? equal_word<int64_t>(rows, wanted, value, row, count) : equal_word<int32_t>(rows, wanted, value, row, count);
        } else if (is_equality) {
            word = tested_word(ctx, row, count, valid, equal_texts);
        } else if (ctx.operation == TEXT_LT) {
            word = tested_word(ctx, row, count, valid, [](TextValue left, TextValue right) { return text_order(left, right) < 0; });
        } else {
            word = tested_word(ctx, row, count, valid, [](TextValue left, TextValue right) { return text_order(left, right) <= 0; });
        }
        word &= valid;
        store_word(ctx.out, row, ctx.operation == TEXT_NE ? low_bits(~word, count) : word, count);
    }
    return OK;
}

}  // namespace ff
