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

// The codes of rows `start` to `start + count`, at most PACK_BLOCK of them; NULL_CODE where there is no key.
inline const code_t* codes_of(const CodeSource& source, int64_t start, int count, CodeBlock& block) {
    if (source.codes) return source.codes + start;
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
