// Key codes block by block: from memory, or made in L1 from the key columns, so that no array of codes is written and
// read again.
#pragma once
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

// Codes of the one digit of most joins' keys, checked and never missing, in one loop where the general way takes five.
template <typename T, typename WORD>
inline void checked_codes_of(const KeyPart& given, int64_t start, int count, code_t* codes) {
    const KeyPart part = given;   // of our own, as in `read_digits`
    const uint8_t* values = part.values + start * (int64_t)sizeof(T);
    const WORD base = (WORD)part.base, n_values = (WORD)part.n_values;
    if (part.lut == nullptr) {
        for (int row = 0; row < count; ++row) {
            const WORD digit = (WORD)load<T>(values, row) - base;
            codes[row] = digit < n_values ? (code_t)digit : NULL_CODE;
        }
        return;
    }
    for (int row = 0; row < count; ++row) {   // there is an entry for missing values, too
        const WORD digit = (WORD)load<T>(values, row) - base;
        const code_t code = part.lut[digit < n_values ? digit : n_values];
        codes[row] = digit < n_values ? code : NULL_CODE;
    }
}

inline bool checked_codes(const CodeSource& source, int64_t start, int count, code_t* codes) {
    const KeyPart& part = source.parts[0];
    if (source.n_parts != 1 || !part.check || part.validity != nullptr || part.step > 1 || part.field != WHOLE) return false;
    switch (part.physical) {
        case I8: checked_codes_of<int8_t, uint32_t>(part, start, count, codes); return true;
        case I16: checked_codes_of<int16_t, uint32_t>(part, start, count, codes); return true;
        case I32: checked_codes_of<int32_t, uint32_t>(part, start, count, codes); return true;
        case I64: checked_codes_of<int64_t, uint64_t>(part, start, count, codes); return true;
        case U8: checked_codes_of<uint8_t, uint32_t>(part, start, count, codes); return true;
        case U16: checked_codes_of<uint16_t, uint32_t>(part, start, count, codes); return true;
        case U32: checked_codes_of<uint32_t, uint32_t>(part, start, count, codes); return true;
        case U64: checked_codes_of<uint64_t, uint64_t>(part, start, count, codes); return true;
        default: return false;
    }
}

// The codes of rows `start` to `start + count`, at most PACK_BLOCK of them; NULL_CODE where there is no key.
inline const code_t* codes_of(const CodeSource& source, int64_t start, int count, CodeBlock& block) {
    if (source.codes) return source.codes + start;
    if (checked_codes(source, start, count, block.codes)) return block.codes;
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
