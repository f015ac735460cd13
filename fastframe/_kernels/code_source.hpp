// Key codes block by block: from memory, or made in L1 from the key columns, so that no array of codes is written and
// read again.
#pragma once
#include <type_traits>

#include "codes.hpp"

namespace ff {

struct CodeSource {
    const code_t* codes;     // in: one per row, or null
    const KeyPart* parts;    // in: else the digits of the keys
    int64_t n_parts;         // in
    int32_t wide;            // in: digits need 64 bits (the codes fit 32)
    int32_t may_drop;        // in: some row may have no key
};

struct CodeBlock {
    PackBlock<uint32_t> narrow;
    PackBlock<uint64_t> wide;
    code_t codes[PACK_BLOCK];
};

// The one digit of most joins' keys, checked and never missing, in one loop where the general way takes five.
template <typename T, typename OUT>
inline void checked_digits_of(const KeyPart& given, int64_t start, int count, OUT none, OUT* out) {
    typedef std::conditional_t<sizeof(T) == 8 || sizeof(OUT) == 8, uint64_t, uint32_t> word_t;
    const KeyPart part = given;   // of our own, as in `read_digits`
    const uint8_t* values = part.values + start * (int64_t)sizeof(T);
    const word_t base = (word_t)part.base, n_values = (word_t)part.n_values;
    if (part.lut == nullptr) {
        for (int row = 0; row < count; ++row) {
            const word_t digit = (word_t)load<T>(values, row) - base;
            out[row] = digit < n_values ? (OUT)digit : none;
        }
        return;
    }
    for (int row = 0; row < count; ++row) {   // there is an entry for missing values, too
        const word_t digit = (word_t)load<T>(values, row) - base;
        const code_t code = part.lut[digit < n_values ? digit : n_values];
        out[row] = digit < n_values && code != NULL_CODE ? (OUT)code : none;
    }
}

// Whether the digits are such; then they are written, `none` where there is no key.
template <typename OUT>
inline bool checked_digits(const KeyPart* parts, int64_t n_parts, int64_t start, int count, OUT none, OUT* out) {
    const KeyPart& part = parts[0];
    if (n_parts != 1 || !part.check || part.validity != nullptr || part.step > 1 || part.field != WHOLE) return false;
    switch (part.physical) {
        case I8: checked_digits_of<int8_t>(part, start, count, none, out); return true;
        case I16: checked_digits_of<int16_t>(part, start, count, none, out); return true;
        case I32: checked_digits_of<int32_t>(part, start, count, none, out); return true;
        case I64: checked_digits_of<int64_t>(part, start, count, none, out); return true;
        case U8: checked_digits_of<uint8_t>(part, start, count, none, out); return true;
        case U16: checked_digits_of<uint16_t>(part, start, count, none, out); return true;
        case U32: checked_digits_of<uint32_t>(part, start, count, none, out); return true;
        case U64: checked_digits_of<uint64_t>(part, start, count, none, out); return true;
        default: return false;
    }
}

// The codes of rows `start` to `start + count`, at most PACK_BLOCK of them; NULL_CODE where there is no key.
inline const code_t* codes_of(const CodeSource& source, int64_t start, int count, CodeBlock& block) {
    if (source.codes) return source.codes + start;
    if (checked_digits(source.parts, source.n_parts, start, count, NULL_CODE, block.codes)) return block.codes;
    PackContext context{};
    context.parts = source.parts;
    context.n_parts = source.n_parts;
    context.may_drop = source.may_drop;
    if (source.wide) {
        const uint64_t* words = pack_block(context, start, count, block.wide);
        for (int row = 0; row < count; ++row) block.codes[row] = (code_t)words[row];
        if (!source.may_drop) return block.codes;
        for (int row = 0; row < count; ++row) block.codes[row] = block.wide.dead[row] ? NULL_CODE : block.codes[row];
        return block.codes;
    }
    uint32_t* words = pack_block(context, start, count, block.narrow);
    if (!source.may_drop) return words;
    for (int row = 0; row < count; ++row) words[row] = block.narrow.dead[row] ? NULL_CODE : words[row];
    return words;
}

}  // namespace ff
