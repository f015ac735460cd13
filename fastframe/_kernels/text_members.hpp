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

template <typename OFFSET>
int text_members(void* raw, int64_t start, int64_t stop, int64_t) {
    const TextMembersContext ctx = *(const TextMembersContext*)raw;
    const TextRows<OFFSET> rows = TextRows<OFFSET>::of(ctx.view, 0);
    const TextTable& table = ctx.tables->seeds;
    for (int64_t block = start; block < stop; block += TEXT_BLOCK) {
        const int count = stop - block < TEXT_BLOCK ? (int)(stop - block) : TEXT_BLOCK;
        TextKey keys[TEXT_BLOCK];
        read_keys(rows, block, count, keys);
        uint64_t word = 0;
        for (int at = 0; at < count; ++at) {
            const TextKey& key = keys[at];
            if (key.is_word()) {   // nulls too, whose word is that of an empty slot
                // Where the first slot is that of the text, or empty, nothing needs a branch.
                const uint64_t first = table.words[table.word_hash(key.low) & (table.words.size() - 1)].key;
                bool found = (first == key.low) & (key.low != 0);
                if (!found && first != 0) found = is_member_word(table, key.low);
                word |= (uint64_t)found << at;
            } else {
                word |= (uint64_t)is_longer_member(table, key, rows.text(block + at)) << at;
            }
        }
        store_bits(ctx.out, block, word, count);
    }
    return OK;
}

inline kernel_t text_members_kernel(bool large) { return large ? text_members<int64_t> : text_members<int32_t>; }

}  // namespace ff
