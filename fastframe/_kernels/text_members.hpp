// Which texts are among some: those that were numbered as the seeds of `TextTables` (encode.hpp).
#pragma once
#include "encode.hpp"

namespace ff {

struct TextMembersContext {
    const TextTables* tables;   // in
    TextView view;              // in
    uint8_t* out;               // out: bits, 0 for nulls
};

inline bool is_member_word(const TextTable& table, uint64_t key) {
    const size_t mask = table.words.size() - 1;
    size_t slot = table.word_hash(key) & mask;
    for (; table.words[slot].key != 0; slot = (slot + 1) & mask) {
        if (table.words[slot].key == key) return true;
    }
    return false;
}

inline bool is_longer_member(const TextTable& table, const TextKey& key, const uint8_t* text) {
    const size_t mask = table.longer.size() - 1;
    size_t slot = key.hash() & mask;
    for (; table.longer[slot].key.high != 0; slot = (slot + 1) & mask) {
        if (table.longer[slot].key == key && table.same_text(table.longer[slot].code, key, text)) return true;
    }
    return false;
}

template <TextKind KIND, typename OFFSET>
uint64_t members_word(const TextRows<OFFSET>& rows, const TextTable& table, int64_t block, int count, uint64_t valid) {
    const BlockKeys<KIND, OFFSET> keys(rows, block);
    uint64_t word = 0;
    for (int at = 0; at < count; ++at) {
        if (KIND == ANY_TEXT && !((valid >> at) & 1)) continue;   // its bytes may be many, and of no meaning
        const TextKey key = keys.of(at);
        if (are_words(KIND) || (KIND == ANY_TEXT && key.is_word())) {
            // Where the first slot is that of the text, or empty, nothing needs a branch.
            const uint64_t first = table.words[table.word_hash(key.low) & (table.words.size() - 1)].key;
            bool found = first == key.low;
            if (!found && first != 0) found = is_member_word(table, key.low);
            word |= (uint64_t)found << at;
        } else {
            word |= (uint64_t)is_longer_member(table, key, rows.text(block + at)) << at;
        }
    }
    return word & valid;
}

template <typename OFFSET>
int text_members(void* raw, int64_t start, int64_t stop, int64_t) {
    const TextMembersContext ctx = *(const TextMembersContext*)raw;
    const TextRows<OFFSET> rows = TextRows<OFFSET>::of(ctx.view, 0);
    const TextTable& table = ctx.tables->seeds;
    for (int64_t block = start; block < stop; block += TEXT_BLOCK) {
        const int count = stop - block < TEXT_BLOCK ? (int)(stop - block) : TEXT_BLOCK;
        const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
        const uint64_t valid = ctx.view.validity != nullptr ? bits_at(ctx.view.validity, ctx.view.bit_offset + block, count) : all;
        uint64_t word;
        switch (block_kind(rows, block, count)) {
            case EVEN_WORDS: word = members_word<EVEN_WORDS>(rows, table, block, count, valid); break;
            case WORDS: word = members_word<WORDS>(rows, table, block, count, valid); break;
            case EVEN_PAIRS: word = members_word<EVEN_PAIRS>(rows, table, block, count, valid); break;
            case PAIRS: word = members_word<PAIRS>(rows, table, block, count, valid); break;
            default: word = members_word<ANY_TEXT>(rows, table, block, count, valid);
        }
        store_bits(ctx.out, block, word, count);
    }
    return OK;
}

inline kernel_t text_members_kernel(bool large) { return large ? text_members<int64_t> : text_members<int32_t>; }

}  // namespace ff
