// Where texts stand among others: each text's first row, and for the texts of another column the first row that has them.
//
// For texts that hardly repeat; `encode.hpp` numbers those that do. Three phases:
// 1. keys: a `TextKey` per row (encode.hpp): the text itself up to 15 bytes, else its hash and length.
// 2. fill: a task per part inserts, in order of rows, the rows whose hash belongs to the part, so no two tasks share a table
//    and the first row of a text does not depend on how many parts there are.
// 3. find: rows of another column, 64 at a time, in steps that each fetch what the next one reads: slot, key, offset, text.
//
// A slot is half of a hash and a row; the keys lie beside, by row. Only long texts are compared byte by byte.
#pragma once
#include "encode.hpp"

namespace ff {

struct TextIndexSlot {
    uint32_t tag;
    uint32_t row_after;   // the row + 1; 0: empty
};

struct TextIndexPart {
    Pages<TextIndexSlot> slots;
    size_t n_texts = 0;
};

struct TextIndex {
    static constexpr size_t LEAST_SLOTS = 16;

    TextView view;           // of the indexed texts
    bool large;              // they have int64 offsets
    const TextKey* keys;     // by row; all zero for nulls
    int part_bits;
    std::vector<TextIndexPart> parts;

    TextIndex(const TextView& texts, bool is_large, const void* row_keys, int bits)
        : view(texts), large(is_large), keys((const TextKey*)row_keys), part_bits(bits), parts((size_t)1 << bits) {}

    // The top bits choose the part, the next 32 are the tag, the low ones the slot.
    size_t part_of(uint64_t hash) const { return part_bits == 0 ? 0 : (size_t)(hash >> (64 - part_bits)); }
    uint32_t tag_of(uint64_t hash) const { return (uint32_t)(hash << part_bits >> 32); }

    const uint8_t* text(int64_t row) const {
        return view.data + (large ? load<int64_t>(view.offsets, row) : (int64_t)load<int32_t>(view.offsets, row));
    }
    const uint8_t* text_offset_of(int64_t row) const { return view.offsets + row * (large ? 8 : 4); }
    bool same(int64_t row, const TextKey& key, const uint8_t* given) const {
        return keys[row] == key && (!key.is_long() || memcmp(text(row), given, (size_t)key.long_length()) == 0);
    }

    // The row of a text, or NO_ROW; from a slot of its part on.
    row_t find(const TextIndexPart& part, size_t slot, uint32_t tag, const TextKey& key, const uint8_t* given) const {
        const size_t mask = part.slots.size() - 1;
        for (; part.slots[slot].row_after != 0; slot = (slot + 1) & mask) {
            const TextIndexSlot& one = part.slots[slot];
            if (one.tag == tag && same((int64_t)one.row_after - 1, key, given)) return (row_t)(one.row_after - 1);
        }
        return NO_ROW;
    }

    row_t find_or_put(TextIndexPart& part, uint64_t hash, row_t row) {
        const size_t mask = part.slots.size() - 1;
        const uint32_t tag = tag_of(hash);
        size_t slot = hash & mask;
        for (; part.slots[slot].row_after != 0; slot = (slot + 1) & mask) {
            const TextIndexSlot& one = part.slots[slot];
            if (one.tag == tag && same((int64_t)one.row_after - 1, keys[row], text(row))) return (row_t)(one.row_after - 1);
        }
        part.slots[slot] = {tag, (uint32_t)row + 1};
        if (2 * ++part.n_texts > part.slots.size()) grow(part);
        return row;
    }

    void grow(TextIndexPart& part) {
        Pages<TextIndexSlot> old(2 * part.slots.size());
        old.swap(part.slots);
        const size_t mask = part.slots.size() - 1;
        for (const TextIndexSlot& one : old) {
            if (one.row_after == 0) continue;
            size_t slot = keys[one.row_after - 1].hash() & mask;
            while (part.slots[slot].row_after != 0) slot = (slot + 1) & mask;
            part.slots[slot] = one;
        }
    }
};

struct TextIndexContext {
    TextIndex* index;    // in; out of fill
    TextView view;       // in of keys, find
    TextKey* keys;       // out of keys
    uint32_t missing;    // in of fill, find: what a null becomes
    uint32_t* rows;      // out of fill, find: the first row that has the text; NULL_CODE for none
};

template <typename OFFSET>
int text_index_keys(void* raw, int64_t start, int64_t stop, int64_t) {
    const TextIndexContext& ctx = *(const TextIndexContext*)raw;
    const TextRows<OFFSET> rows = TextRows<OFFSET>::of(ctx.view, 0);
    for (int64_t block = start; block < stop; block += TEXT_BLOCK) {
        read_keys(rows, block, stop - block < TEXT_BLOCK ? (int)(stop - block) : TEXT_BLOCK, ctx.keys + block);
    }
    return OK;
}

constexpr int FILL_BLOCK = 256;   // rows, of which a part has its share

inline int text_index_fill(void* raw, int64_t start, int64_t stop, int64_t) {   // over parts
    const TextIndexContext& ctx = *(const TextIndexContext*)raw;
    TextIndex& index = *ctx.index;
    const int64_t n_rows = index.view.length;
    try {
        for (int64_t number = start; number < stop; ++number) {
            TextIndexPart& part = index.parts[number];
            size_t n_slots = TextIndex::LEAST_SLOTS;
            while (n_slots < 2 * ((size_t)n_rows >> index.part_bits)) n_slots *= 2;
            part.slots = Pages<TextIndexSlot>(n_slots);
            for (int64_t block = 0; block < n_rows; block += FILL_BLOCK) {
                const int count = n_rows - block < FILL_BLOCK ? (int)(n_rows - block) : FILL_BLOCK;
                uint64_t hashes[FILL_BLOCK];
                int own[FILL_BLOCK], n_own = 0;
                for (int at = 0; at < count; ++at) {
                    hashes[n_own] = index.keys[block + at].hash();
                    own[n_own] = at;
                    n_own += index.part_of(hashes[n_own]) == (size_t)number;
                }
                for (int nth = 0; nth < n_own; ++nth) __builtin_prefetch(&part.slots[hashes[nth] & (part.slots.size() - 1)], 1);
                for (int nth = 0; nth < n_own; ++nth) {
                    const TextIndexSlot& slot = part.slots[hashes[nth] & (part.slots.size() - 1)];
                    if (slot.row_after == 0 || slot.tag != index.tag_of(hashes[nth])) continue;
                    __builtin_prefetch(index.keys + slot.row_after - 1);
                    if (index.keys[block + own[nth]].is_long()) __builtin_prefetch(index.text_offset_of(slot.row_after - 1));
                }
                for (int nth = 0; nth < n_own; ++nth) {
                    const int64_t row = block + own[nth];
                    const bool is_null = index.keys[row] == TextKey{0, 0};
                    ctx.rows[row] = is_null ? ctx.missing : (uint32_t)index.find_or_put(part, hashes[nth], (row_t)row);
                }
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

template <typename OFFSET>
int text_index_find(void* raw, int64_t start, int64_t stop, int64_t) {
    const TextIndexContext& ctx = *(const TextIndexContext*)raw;
    const TextIndex& index = *ctx.index;
    const TextRows<OFFSET> rows = TextRows<OFFSET>::of(ctx.view, 0);
    for (int64_t block = start; block < stop; block += TEXT_BLOCK) {
        const int count = stop - block < TEXT_BLOCK ? (int)(stop - block) : TEXT_BLOCK;
        TextKey keys[TEXT_BLOCK];
        uint64_t hashes[TEXT_BLOCK];
        size_t slots[TEXT_BLOCK];
        row_t seen[TEXT_BLOCK];   // the row of the first slot with the tag
        read_keys(rows, block, count, keys);
        for (int at = 0; at < count; ++at) {
            const uint64_t hash = keys[at].hash();
            const TextIndexPart& part = index.parts[index.part_of(hash)];
            hashes[at] = hash;
            slots[at] = hash & (part.slots.size() - 1);
            __builtin_prefetch(&part.slots[slots[at]]);
        }
        for (int at = 0; at < count; ++at) {
            const TextIndexPart& part = index.parts[index.part_of(hashes[at])];
            const size_t mask = part.slots.size() - 1;
            const uint32_t tag = index.tag_of(hashes[at]);
            size_t slot = slots[at];
            while (part.slots[slot].row_after != 0 && part.slots[slot].tag != tag) slot = (slot + 1) & mask;
            slots[at] = slot;
            seen[at] = (row_t)(part.slots[slot].row_after - 1);
            if (seen[at] == NO_ROW) continue;
            __builtin_prefetch(index.keys + seen[at]);
            if (keys[at].is_long()) __builtin_prefetch(index.text_offset_of(seen[at]));
        }
        for (int at = 0; at < count; ++at) {
            if (seen[at] != NO_ROW && keys[at].is_long()) __builtin_prefetch(index.text(seen[at]));
        }
        for (int at = 0; at < count; ++at) {
            const bool is_null = keys[at] == TextKey{0, 0};
            row_t found = seen[at];
            if (!is_null && found != NO_ROW && !index.same(found, keys[at], rows.text(block + at))) {
                const TextIndexPart& part = index.parts[index.part_of(hashes[at])];
                const size_t next = (slots[at] + 1) & (part.slots.size() - 1);
                found = index.find(part, next, index.tag_of(hashes[at]), keys[at], rows.text(block + at));
            }
            ctx.rows[block + at] = is_null ? ctx.missing : (uint32_t)found;   // NO_ROW is NULL_CODE
        }
    }
    return OK;
}

// ---- first rows as codes in order of first appearance ---------------------------------------------------------------

struct NumberContext {
    const uint32_t* first_rows;   // in
    uint32_t missing;             // in: the first row with a null, or NULL_CODE
    int64_t* counts;              // out of count: per slice, texts that come first there; in of number: texts before it
    row_t* distinct;              // out of number: the first row of each text
    code_t* codes;                // out of number (of first rows), resolve (of the others): NULL_CODE for nulls
};

inline int number_count(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const NumberContext& ctx = *(const NumberContext*)raw;
    int64_t count = 0;
    for (int64_t row = start; row < stop; ++row) count += ctx.first_rows[row] == (uint32_t)row;
    ctx.counts[slice] = count - (ctx.missing >= start && ctx.missing < stop);
    return OK;
}

inline int number_first(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const NumberContext& ctx = *(const NumberContext*)raw;
    code_t next = (code_t)ctx.counts[slice];
    for (int64_t row = start; row < stop; ++row) {
        if (ctx.first_rows[row] != (uint32_t)row) continue;
        ctx.codes[row] = NULL_CODE;
        if (ctx.missing == (uint32_t)row) continue;
        ctx.distinct[next] = (row_t)row;
        ctx.codes[row] = next++;
    }
    return OK;
}

inline int number_resolve(void* raw, int64_t start, int64_t stop, int64_t) {
    const NumberContext& ctx = *(const NumberContext*)raw;
    for (int64_t row = start; row < stop; ++row) {
        if (ctx.first_rows[row] != (uint32_t)row) ctx.codes[row] = ctx.codes[ctx.first_rows[row]];
    }
    return OK;
}

enum NumberPhase : int { NUMBER_COUNT = 0, NUMBER_FIRST = 1, NUMBER_RESOLVE = 2 };

inline kernel_t number_phase(int phase) { return phase == NUMBER_COUNT ? number_count : phase == NUMBER_FIRST ? number_first : number_resolve; }

inline kernel_t text_index_keys_kernel(bool large) { return large ? text_index_keys<int64_t> : text_index_keys<int32_t>; }
inline kernel_t text_index_find_kernel(bool large) { return large ? text_index_find<int64_t> : text_index_find<int32_t>; }

}  // namespace ff
