// Text to dictionary codes in order of first appearance: exact, any length, in parallel.
//
// Each thread numbers the texts that it meets in a table of its own, which starts as a copy of the table of the first
// rows (the seeds: their codes are final). Then the tables are unified.
// 1. seed: the first rows are numbered by one thread.
// 2. encode: a slice is numbered by a table that has seen none but earlier slices, so a table's new texts are in order
//    of rows, and what a slice added is a range of codes. With few distinct texts that is all: no code changes.
// 3. bucket: each table lists its new texts by hash.  4. unify: a task per bucket finds the table where each text came
//    first: its home.  5. count: each slice counts the texts at home in its range; the caller makes exclusive sums.
// 6. place: final codes of texts at home; link: of the others.  7. resolve: the rows' codes become final.
// Which thread took which slice decides the tables, never the result.
//
// A text of up to 7 bytes is one word, its bytes and length, and one of up to 15 two words: equal words are equal texts.
// A longer one has a 64-bit hash and its length as key and is compared with a copy of the distinct value in an arena
// that is small enough for the cache (research/prototypes.md (e): 2.5 times faster than comparing with the source row).
// Hashing after wyhash (Wang Yi, public domain): a weak hash costs more than it saves on ids.
#pragma once
#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <vector>

#include "hash.hpp"
#include "kernel.hpp"
#include "memory.hpp"
#include "text_view.hpp"

namespace ff {

// Large tables lie on huge pages, and come zeroed from the system.
template <typename T>
struct PageAllocator {
    typedef T value_type;
    PageAllocator() = default;
    template <typename U>
    PageAllocator(const PageAllocator<U>&) {}
    static int64_t bytes(size_t count) { return round_up((int64_t)(count * sizeof(T)), BLOCK_UNIT); }
    T* allocate(size_t count) {
        void* address = bytes(count) < SMALL_BLOCK ? malloc((size_t)bytes(count)) : map_block(bytes(count));
        if (address == nullptr) throw std::bad_alloc();
        return static_cast<T*>(address);
    }
    void deallocate(T* address, size_t count) {
        if (bytes(count) < SMALL_BLOCK) {
            free(address);
        } else {
            munmap(address, (size_t)bytes(count));
        }
    }
    template <typename U>
    bool operator==(const PageAllocator<U>&) const { return true; }
    template <typename U>
    bool operator!=(const PageAllocator<U>&) const { return false; }
};

template <typename T>
using Pages = std::vector<T, PageAllocator<T>>;

constexpr uint64_t SECRET_LOW = 0xA0761D6478BD642Full;
constexpr uint64_t SECRET_HIGH = 0xE7037ED1A0B428DBull;

// Up to 7 bytes: {bytes from the top down, length + 1 in the low byte; 0}. Up to 15: {first 8 bytes; the others so}.
// Longer: {hash, length << 8 | 0xFF}. All zero is no text.
struct TextKey {
    uint64_t low, high;
    bool operator==(const TextKey& other) const { return low == other.low && high == other.high; }
    bool is_word() const { return high == 0; }
    bool is_long() const { return (high & 0xFF) == 0xFF; }
    int64_t long_length() const { return (int64_t)(high >> 8); }
    int64_t length() const { return is_long() ? long_length() : (int64_t)((is_word() ? low : high) & 0xFF) - 1; }
    uint64_t hash() const { return fold(low ^ SECRET_LOW, high ^ SECRET_HIGH); }
};

// What is known of the lengths of a block: at most 7, or 8 to 15 (EVEN: all equal); nothing.
enum TextKind { EVEN_WORDS, WORDS, EVEN_PAIRS, PAIRS, ANY_TEXT };
constexpr bool is_even(TextKind kind) { return kind == EVEN_WORDS || kind == EVEN_PAIRS; }
constexpr bool are_words(TextKind kind) { return kind == EVEN_WORDS || kind == WORDS; }
constexpr int64_t LONGEST_WORD = 7, LONGEST_PAIR = 15;

inline uint64_t salted_hash(uint64_t word, uint64_t salt) { return fold(word ^ salt, SECRET_HIGH); }

inline uint64_t long_text_hash(const uint8_t* text, int64_t length) {
    uint64_t hash = (uint64_t)length;
    int64_t at = 0;
    for (; at + 16 < length; at += 16) {
        hash = fold(load<uint64_t>(text + at, 0) ^ SECRET_LOW ^ hash, load<uint64_t>(text + at + 8, 0) ^ SECRET_HIGH);
    }
    const uint8_t* last = text + length - 16;   // overlaps what was read; a long text has 16 bytes
    return fold(load<uint64_t>(last, 0) ^ SECRET_LOW ^ hash, load<uint64_t>(last + 8, 0) ^ SECRET_HIGH);
}

// At most 7 bytes and their number, of a word that may hold more bytes; two shifts, as one by 64 is undefined.
inline uint64_t counted_bytes(uint64_t word, int64_t count, int64_t length) {
    return (word << 8) << (56 - 8 * count) | (uint64_t)(length + 1);
}

// Of 8 to 15 bytes, where 16 can be read.
inline TextKey pair_of(const uint8_t* text, int64_t length) {
    return {load<uint64_t>(text, 0), counted_bytes(load<uint64_t>(text, 1), length - 8, length)};
}

inline uint64_t uncounted_bytes(uint64_t counted, int64_t count) { return count > 0 ? counted >> (64 - 8 * count) : 0; }

template <typename OFFSET>
struct TextRows {
    TextView view;
    int64_t data_end;    // bytes of `data` that may be read
    int64_t first_row;   // row 0 of the view among all rows

    static TextRows of(const TextView& view, int64_t first_row) {
        return {view, view.length > 0 ? (int64_t)load<OFFSET>(view.offsets, view.length) : 0, first_row};
    }
    int64_t offset(int64_t row) const { return (int64_t)load<OFFSET>(view.offsets, row); }
    bool missing(int64_t row) const { return view.validity != nullptr && !bit_at(view.validity, view.bit_offset + row); }

    const uint8_t* text(int64_t row) const { return view.data + offset(row); }

    // Where 16 bytes (8 of WORDS) can be read from the start of the text on.
    template <TextKind KIND>
    TextKey key_inside(int64_t row) const {
        const int64_t start = offset(row), length = offset(row + 1) - start;
        const uint8_t* text = view.data + start;
        if (KIND == WORDS || (KIND == ANY_TEXT && length <= LONGEST_WORD)) {
            return {counted_bytes(load<uint64_t>(text, 0), length, length), 0};
        }
        if (KIND == ANY_TEXT && length > LONGEST_PAIR) {
            return {long_text_hash(text, length), (uint64_t)length << 8 | 0xFF};
        }
        return pair_of(text, length);
    }
    TextKey key_anywhere(int64_t row) const {
        const int64_t start = offset(row), length = offset(row + 1) - start;
        if (length > LONGEST_PAIR || start + 16 <= data_end) return key_inside<ANY_TEXT>(row);
        uint64_t words[2] = {0, 0};
        if (length > 0) memcpy(words, view.data + start, (size_t)length);
        if (length <= LONGEST_WORD) return {counted_bytes(words[0], length, length), 0};
        return {words[0], counted_bytes(words[1], length - 8, length)};
    }
};

// The distinct texts that one thread has met, numbered in order of appearance.
struct TextTable {
    struct WordSlot {
        uint64_t key;   // 0: empty
        code_t code;
    };
    struct Slot {
        TextKey key;   // high 0: empty
        code_t code;
    };
    struct Entry {
        TextKey key;
        row_t row;   // where it came first
    };
    static constexpr size_t FIRST_SLOTS = 4096;   // few keys lie alone: a second look costs a mispredicted branch
    static constexpr int SALTS = 64;
    static constexpr size_t DOUBLING_SLOTS = 1 << 17;   // smaller tables grow fourfold

    Pages<WordSlot> words;    // texts of up to 7 bytes
    Pages<Slot> longer;
    size_t n_words = 0;
    uint64_t salt = SECRET_LOW;    // of the words' hashes
    Pages<Entry> entries;          // by code
    Pages<uint64_t> starts;  // by code of a long text: where its bytes start in the arena
    Pages<uint8_t> arena;
    int64_t last_slice = -1;

    // Of texts that are not seeds, for the unification.
    struct Listed {
        TextKey key;
        row_t row;
        code_t code;
    };
    std::vector<uint32_t> buckets;   // where each bucket of `listed` starts
    Pages<Listed> listed;            // by (bucket, code)
    Pages<uint64_t> home;            // of each listed text: table << 32 | code of the first appearance
    Pages<uint8_t> is_home;          // per code
    Pages<code_t> final_code;        // per code, seeds too

    TextTable() : words(FIRST_SLOTS), longer(FIRST_SLOTS) {}

    uint64_t word_hash(uint64_t key) const { return salted_hash(key, salt); }

    const uint8_t* text_at(code_t code) const { return arena.data() + starts[code]; }

    bool same_text(code_t code, const TextKey& key, const uint8_t* text) const {
        return !key.is_long() || memcmp(text_at(code), text, (size_t)key.long_length()) == 0;
    }

    code_t add(const TextKey& key, const uint8_t* text, int64_t row) {
        const code_t code = (code_t)entries.size();
        entries.push_back(Entry{key, (row_t)row});
        if (key.is_long()) {
            starts.resize((size_t)code + 1);
            starts[code] = arena.size();
            arena.insert(arena.end(), text, text + key.long_length());
        }
        return code;
    }

    __attribute__((noinline)) code_t find_word(uint64_t key, uint64_t hash, int64_t row) {
        size_t slot = hash & (words.size() - 1);
        for (; words[slot].key != 0; slot = (slot + 1) & (words.size() - 1)) {
            if (words[slot].key == key) return words[slot].code;
        }
        const code_t code = add({key, 0}, nullptr, row);
        words[slot] = WordSlot{key, code};
        ++n_words;
        if ((words.size() == FIRST_SLOTS ? 16 : 2) * n_words > words.size()) grow_words(words.size() < DOUBLING_SLOTS ? 4 : 2);
        return code;
    }

    __attribute__((noinline)) code_t find_longer(const TextKey& key, uint64_t hash, const uint8_t* text, int64_t row) {
        size_t slot = hash & (longer.size() - 1);
        for (; longer[slot].key.high != 0; slot = (slot + 1) & (longer.size() - 1)) {
            if (longer[slot].key == key && same_text(longer[slot].code, key, text)) return longer[slot].code;
        }
        const code_t code = add(key, text, row);
        longer[slot] = Slot{key, code};
        if (2 * (entries.size() - n_words) > longer.size()) grow_longer(longer.size() < DOUBLING_SLOTS ? 4 : 2);
        return code;
    }

    void grow_words(size_t factor) { place_words(words.size() * factor); }

    void place_words(size_t size) {
        Pages<WordSlot> old(size);
        old.swap(words);
        for (const WordSlot& one : old) {
            if (one.key == 0) continue;
            size_t slot = word_hash(one.key) & (words.size() - 1);
            while (words[slot].key != 0) slot = (slot + 1) & (words.size() - 1);
            words[slot] = one;
        }
    }

    // Few words get a salt that leaves next to none of them outside its own slot: each second look costs a mispredicted branch.
    void separate_words() {
        if (n_words == 0 || words.size() > FIRST_SLOTS) return;
        std::vector<uint8_t> taken(FIRST_SLOTS);
        const uint64_t first = salt;
        uint64_t best = salt;
        size_t fewest = n_words;
        for (int turn = 0; turn < SALTS && fewest > 0; ++turn) {
            salt = first + (uint64_t)turn * SECRET_HIGH;
            std::fill(taken.begin(), taken.end(), 0);
            size_t displaced = 0;
            for (const Entry& one : entries) {
                if (!one.key.is_word()) continue;
                uint8_t& slot = taken[word_hash(one.key.low) & (FIRST_SLOTS - 1)];
                displaced += slot;
                slot = 1;
            }
            if (displaced < fewest) {
                fewest = displaced;
                best = salt;
            }
        }
        salt = best;
        if (salt != first) place_words(FIRST_SLOTS);
    }

    void grow_longer(size_t factor) {
        Pages<Slot> old(longer.size() * factor);
        old.swap(longer);
        for (const Slot& one : old) {
            if (one.key.high == 0) continue;
            size_t slot = one.key.hash() & (longer.size() - 1);
            while (longer[slot].key.high != 0) slot = (slot + 1) & (longer.size() - 1);
            longer[slot] = one;
        }
    }
};

constexpr int TEXT_BLOCK = 64;          // rows whose slots are fetched ahead; each block mispredicts the end of its loops
constexpr size_t CACHED_SLOTS = 4096;   // what is used of a word table of that size is in the L1 cache
constexpr int UNIFY_BITS = 10;
constexpr int N_BUCKETS = 1 << UNIFY_BITS;

struct TextTables {
    struct Slice {
        TextTable* table;
        code_t first, last;   // codes that the slice added
    };

    TextTable seeds;
    code_t n_seeds = 0;
    std::deque<TextTable> tables;    // addresses stay
    std::vector<TextTable*> spare;
    std::vector<Slice> slices;
    std::mutex lock;   // of `tables` and `spare`

    explicit TextTables(int64_t n_slices) : slices((size_t)n_slices) {}

    // A table that has seen none but earlier slices: a thread may have been overtaken since it claimed its slice.
    TextTable* take(int64_t slice) {
        std::lock_guard<std::mutex> guard(lock);
        for (TextTable*& one : spare) {
            if (one->last_slice < slice) {
                TextTable* table = one;
                one = spare.back();
                spare.pop_back();
                return table;
            }
        }
        spare.reserve(tables.size() + 1);
        tables.push_back(seeds);
        return &tables.back();
    }
    void give(TextTable* table, int64_t slice) {
        std::lock_guard<std::mutex> guard(lock);
        table->last_slice = slice;
        spare.push_back(table);
    }

    int64_t n_tables() const { return (int64_t)tables.size(); }

    uint32_t number_of(const TextTable* table) const {
        uint32_t number = 0;
        while (&tables[number] != table) ++number;
        return number;
    }

    // Whether the codes are final already; no slice may be running.
    bool settled() const {
        if (tables.size() <= 1) return true;
        for (const TextTable& table : tables) {
            if (table.entries.size() > n_seeds) return false;
        }
        return true;
    }
    int64_t n_distinct_if_settled() const { return tables.empty() ? 0 : (int64_t)tables.front().entries.size(); }
};

// The texts may come in several arrays, one after another or at once: each a run of slices, with codes of its own.
struct TextContext {
    TextTables* tables;   // in, out
    TextView view;        // in of seed, encode
    int64_t first_slice;  // in of encode, resolve: number of the view's first slice
    int64_t first_row;    // in of encode: of the view among all rows
    code_t* codes;        // out of encode: NULL_CODE where missing; in, out of resolve
    int64_t* counts;      // out of count: per slice, texts at home there; in of place: texts before it (seeds too)
    row_t* first_rows;    // out of place: per final code
    uint64_t* homes;      // out of place: per final code, table << 32 | code; null where nobody asks
};

// The keys of a block of rows; texts of one length are found without their offsets.
template <TextKind KIND, typename OFFSET>
struct BlockKeys {
    const TextRows<OFFSET>& rows;
    int64_t block;
    const uint8_t* first;
    int64_t length;   // of an even block

    BlockKeys(const TextRows<OFFSET>& texts, int64_t block_start)
        : rows(texts), block(block_start), first(texts.text(block_start)), length(texts.offset(block_start + 1) - texts.offset(block_start)) {}

    TextKey of(int at) const {
        if constexpr (KIND == EVEN_WORDS) return {counted_bytes(load<uint64_t>(first + at * length, 0), length, length), 0};
        if constexpr (KIND == EVEN_PAIRS) return pair_of(first + at * length, length);
        if constexpr (KIND == ANY_TEXT) return rows.key_anywhere(block + at);
        return rows.template key_inside<KIND>(block + at);
    }
};

// Rows whose first slot has another text are listed without a branch, and looked up after the block.
template <TextKind KIND, bool NULLS, typename OFFSET>
void encode_cached_words(const TextRows<OFFSET>& rows, TextTable& table, int64_t block, int count, uint64_t valid, code_t* codes) {
    const TextTable::WordSlot* const slots = table.words.data();
    const size_t mask = table.words.size() - 1;
    const uint64_t salt = table.salt;
    const BlockKeys<KIND, OFFSET> keys(rows, block);
    int misses[TEXT_BLOCK], n_misses = 0;
    for (int at = 0; at < count; ++at) {
        const uint64_t word = keys.of(at).low;
        const TextTable::WordSlot& slot = slots[salted_hash(word, salt) & mask];
        const bool missing = NULLS && !((valid >> at) & 1);
        codes[at] = missing ? NULL_CODE : slot.code;
        misses[n_misses] = at;
        n_misses += (slot.key != word) & !missing;
    }
    for (int miss = 0; miss < n_misses; ++miss) {
        const uint64_t word = keys.of(misses[miss]).low;
        codes[misses[miss]] = table.find_word(word, table.word_hash(word), rows.first_row + block + misses[miss]);
    }
}

// As above, but slots are fetched ahead, and listed rows get a second look, at the next slot, before they are looked up: a look
// that may go on for any number of slots mispredicts its end.
template <TextKind KIND, bool NULLS, typename OFFSET>
void encode_block(const TextRows<OFFSET>& rows, TextTable& table, int64_t block, int count, uint64_t valid, code_t* codes) {
    const BlockKeys<KIND, OFFSET> source(rows, block);
    const TextTable::WordSlot* const words = table.words.data();
    const TextTable::Slot* const longer = table.longer.data();
    const size_t word_mask = table.words.size() - 1, longer_mask = table.longer.size() - 1;
    const auto is_word = [](const TextKey& key) { return are_words(KIND) || (KIND == ANY_TEXT && key.is_word()); };
    TextKey keys[TEXT_BLOCK];
    uint64_t hashes[TEXT_BLOCK];
    for (int at = 0; at < count; ++at) {
        if (NULLS && KIND == ANY_TEXT && !((valid >> at) & 1)) {   // its bytes may be many, and of no meaning
            keys[at] = TextKey{0, 0};
            hashes[at] = 0;
            continue;
        }
        const TextKey key = source.of(at);
        const uint64_t hash = is_word(key) ? table.word_hash(key.low) : key.hash();
        if (is_word(key)) {
            __builtin_prefetch(words + (hash & word_mask));
        } else {
            const TextTable::Slot* slot = longer + (hash & longer_mask);
            __builtin_prefetch(slot);
            __builtin_prefetch((const uint8_t*)(slot + 1) - 1);   // a slot may lie in two cache lines
        }
        keys[at] = key;
        hashes[at] = hash;
    }
    const auto look = [&](int at, size_t step, code_t& code) {
        const TextKey& key = keys[at];
        if (is_word(key)) {
            const TextTable::WordSlot& slot = words[(hashes[at] + step) & word_mask];
            code = slot.code;
            return slot.key == key.low;
        }
        const TextTable::Slot& slot = longer[(hashes[at] + step) & longer_mask];
        code = slot.code;
        const bool same = ((slot.key.low ^ key.low) | (slot.key.high ^ key.high)) == 0;
        return KIND == ANY_TEXT ? same && table.same_text(code, key, rows.text(block + at)) : same;
    };
    int misses[TEXT_BLOCK], n_misses = 0;
    for (int at = 0; at < count; ++at) {
        const bool missing = NULLS && !((valid >> at) & 1);
        code_t code;
        const bool same = look(at, 0, code);
        codes[at] = missing ? NULL_CODE : code;
        misses[n_misses] = at;
        n_misses += !same & !missing;
    }
    int n_left = 2 * n_misses > count ? n_misses : 0;   // so many are new texts
    for (int miss = n_left; miss < n_misses; ++miss) {
        const int at = misses[miss];
        const bool same = look(at, 1, codes[at]);
        misses[n_left] = at;
        n_left += !same;
    }
    for (int miss = 0; miss < n_left; ++miss) {
        const int at = misses[miss];
        const TextKey& key = keys[at];
        const int64_t row = rows.first_row + block + at;
        codes[at] = is_word(key) ? table.find_word(key.low, hashes[at], row)
                                 : table.find_longer(key, hashes[at], rows.text(block + at), row);
    }
}

template <typename OFFSET>
TextKind block_kind(const TextRows<OFFSET>& rows, int64_t block, int count) {
    const uint8_t* offsets = rows.view.offsets + block * (int64_t)sizeof(OFFSET);
    OFFSET least = load<OFFSET>(offsets, 1) - load<OFFSET>(offsets, 0), most = least;
    for (int at = 1; at < count; ++at) {
        const OFFSET length = load<OFFSET>(offsets, at + 1) - load<OFFSET>(offsets, at);
        least = std::min(least, length);
        most = std::max(most, length);
    }
    const int64_t room = rows.data_end - rows.offset(block + count - 1);   // from the last start on
    if (most <= LONGEST_WORD && room >= 8) return least == most ? EVEN_WORDS : WORDS;
    if (least > LONGEST_WORD && most <= LONGEST_PAIR && room >= 16) return least == most ? EVEN_PAIRS : PAIRS;
    return ANY_TEXT;
}

// The keys of a block of rows; all zero for nulls.
template <TextKind KIND, typename OFFSET>
void read_keys_of(const TextRows<OFFSET>& rows, int64_t block, int count, uint64_t valid, TextKey* keys) {
    const BlockKeys<KIND, OFFSET> source(rows, block);
    for (int at = 0; at < count; ++at) {
        if ((valid >> at) & 1) keys[at] = source.of(at);
        else keys[at] = TextKey{0, 0};
    }
}

template <typename OFFSET>
void read_keys(const TextRows<OFFSET>& rows, int64_t block, int count, TextKey* keys) {
    const uint64_t valid = rows.view.validity != nullptr ? bits_at(rows.view.validity, rows.view.bit_offset + block, count) : ~(uint64_t)0;
    switch (block_kind(rows, block, count)) {
        case EVEN_WORDS: return read_keys_of<EVEN_WORDS>(rows, block, count, valid, keys);
        case WORDS: return read_keys_of<WORDS>(rows, block, count, valid, keys);
        case EVEN_PAIRS: return read_keys_of<EVEN_PAIRS>(rows, block, count, valid, keys);
        case PAIRS: return read_keys_of<PAIRS>(rows, block, count, valid, keys);
        default: return read_keys_of<ANY_TEXT>(rows, block, count, valid, keys);
    }
}

template <bool NULLS, typename OFFSET>
void encode_rows(const TextRows<OFFSET>& rows, TextTable& table, int64_t start, int64_t stop, code_t* codes) {
    for (int64_t block = start; block < stop; block += TEXT_BLOCK) {
        const int count = stop - block < TEXT_BLOCK ? (int)(stop - block) : TEXT_BLOCK;
        const uint64_t valid = NULLS ? bits_at(rows.view.validity, rows.view.bit_offset + block, count) : 0;
        const TextKind kind = block_kind(rows, block, count);
        const bool cached = table.words.size() <= CACHED_SLOTS;
        const auto encode = [&](auto block_of) { block_of(rows, table, block, count, valid, codes + block); };
        switch (kind) {
            case EVEN_WORDS: encode(cached ? encode_cached_words<EVEN_WORDS, NULLS, OFFSET> : encode_block<EVEN_WORDS, NULLS, OFFSET>); break;
            case WORDS: encode(cached ? encode_cached_words<WORDS, NULLS, OFFSET> : encode_block<WORDS, NULLS, OFFSET>); break;
            case EVEN_PAIRS: encode(encode_block<EVEN_PAIRS, NULLS, OFFSET>); break;
            case PAIRS: encode(encode_block<PAIRS, NULLS, OFFSET>); break;
            default: encode(encode_block<ANY_TEXT, NULLS, OFFSET>);
        }
    }
}

template <typename OFFSET>
void encode_some(const TextContext& c, TextTable& table, int64_t start, int64_t stop) {
    const TextRows<OFFSET> rows = TextRows<OFFSET>::of(c.view, c.first_row);
    if (rows.view.validity != nullptr) {
        encode_rows<true>(rows, table, start, stop, c.codes);
    } else {
        encode_rows<false>(rows, table, start, stop, c.codes);
    }
}

template <typename OFFSET>
int seed_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // one slice: the first rows
    const TextContext& c = *(const TextContext*)ctx;
    try {
        encode_some<OFFSET>(c, c.tables->seeds, start, stop);
        c.tables->seeds.separate_words();
        c.tables->n_seeds = (code_t)c.tables->seeds.entries.size();
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

template <typename OFFSET>
int encode_texts(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const TextContext& c = *(const TextContext*)ctx;
    try {
        const int64_t number = c.first_slice + slice;
        TextTable* table = c.tables->take(number);
        const code_t first = (code_t)table->entries.size();
        encode_some<OFFSET>(c, *table, start, stop);
        c.tables->slices[number] = {table, first, (code_t)table->entries.size()};
        c.tables->give(table, number);
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline int bucket_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // over tables
    const TextContext& c = *(const TextContext*)ctx;
    try {
        for (int64_t number = start; number < stop; ++number) {
            TextTable& table = c.tables->tables[number];
            const size_t n_codes = table.entries.size(), n_seeds = c.tables->n_seeds;
            std::vector<uint32_t> next(N_BUCKETS + 1, 0);
            const auto bucket_of = [&](size_t code) { return table.entries[code].key.hash() >> (64 - UNIFY_BITS); };
            for (size_t code = n_seeds; code < n_codes; ++code) ++next[bucket_of(code) + 1];
            for (int at = 0; at < N_BUCKETS; ++at) next[at + 1] += next[at];
            table.buckets = next;
            table.listed.resize(n_codes - n_seeds);
            for (size_t code = n_seeds; code < n_codes; ++code) {
                const TextTable::Entry& entry = table.entries[code];
                table.listed[next[bucket_of(code)]++] = {entry.key, entry.row, (code_t)code};
            }
            table.home.resize(n_codes - n_seeds);
            table.is_home.resize(n_codes);
            table.final_code.resize(n_codes);
            for (size_t code = 0; code < n_seeds; ++code) table.final_code[code] = (code_t)code;
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// The texts of one bucket over all tables.
struct TextUnion {
    struct Member {
        TextKey key;
        uint32_t table;
        code_t code;
        row_t row;
    };
    std::vector<Member> members;   // each distinct text where it came first, so far
    std::vector<uint32_t> slots;   // 0: empty; else 1 + the place among members

    void clear(size_t n_most) {
        size_t size = 16;
        while (size < 2 * n_most) size *= 2;
        slots.assign(size, 0);
        members.clear();
    }

    // The bits of the hash that chose the bucket are the top ones; these are the low ones.
    uint32_t place_of(const TextTables& tables, const Member& given) {
        if (2 * members.size() >= slots.size()) grow();
        const size_t mask = slots.size() - 1;
        size_t slot = given.key.hash() & mask;
        for (; slots[slot] != 0; slot = (slot + 1) & mask) {
            Member& seen = members[slots[slot] - 1];
            if (!(seen.key == given.key)) continue;
            if (given.key.is_long() &&
                !tables.tables[seen.table].same_text(seen.code, given.key, tables.tables[given.table].text_at(given.code))) {
                continue;
            }
            if (given.row < seen.row) seen = given;
            return slots[slot] - 1;
        }
        members.push_back(given);
        slots[slot] = (uint32_t)members.size();
        return slots[slot] - 1;
    }

    void grow() {
        slots.assign(slots.size() * 4, 0);
        const size_t mask = slots.size() - 1;
        for (size_t place = 0; place < members.size(); ++place) {
            size_t slot = members[place].key.hash() & mask;
            while (slots[slot] != 0) slot = (slot + 1) & mask;
            slots[slot] = (uint32_t)place + 1;
        }
    }
};

inline int unify_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // over buckets
    const TextContext& c = *(const TextContext*)ctx;
    std::deque<TextTable>& tables = c.tables->tables;
    try {
        TextUnion united;
        for (int64_t bucket = start; bucket < stop; ++bucket) {
            size_t n_most = 0;
            for (const TextTable& table : tables) {
                n_most = std::max<size_t>(n_most, table.buckets[bucket + 1] - table.buckets[bucket]);
            }
            united.clear(n_most);
            for (uint32_t number = 0; number < tables.size(); ++number) {
                TextTable& table = tables[number];
                for (uint32_t at = table.buckets[bucket]; at < table.buckets[bucket + 1]; ++at) {
                    const TextTable::Listed& one = table.listed[at];
                    table.home[at] = united.place_of(*c.tables, {one.key, number, one.code, one.row});
                }
            }
            for (uint32_t number = 0; number < tables.size(); ++number) {
                TextTable& table = tables[number];
                for (uint32_t at = table.buckets[bucket]; at < table.buckets[bucket + 1]; ++at) {
                    const TextUnion::Member& member = united.members[table.home[at]];
                    table.home[at] = (uint64_t)member.table << 32 | member.code;
                    table.is_home[table.listed[at].code] = member.table == number && member.code == table.listed[at].code;
                }
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline int count_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // over slices
    const TextContext& c = *(const TextContext*)ctx;
    for (int64_t number = start; number < stop; ++number) {
        const TextTables::Slice& slice = c.tables->slices[number];
        int64_t count = 0;
        for (code_t code = slice.first; code < slice.last; ++code) count += slice.table->is_home[code];
        c.counts[number] = count;
    }
    return OK;
}

inline int place_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // over slices
    const TextContext& c = *(const TextContext*)ctx;
    for (int64_t number = start; number < stop; ++number) {
        const TextTables::Slice& slice = c.tables->slices[number];
        if (number == 0) {
            for (code_t code = 0; code < c.tables->n_seeds; ++code) {
                c.first_rows[code] = slice.table->entries[code].row;
                if (c.homes != nullptr) c.homes[code] = (uint64_t)c.tables->number_of(slice.table) << 32 | code;
            }
        }
        code_t next = (code_t)c.counts[number];
        for (code_t code = slice.first; code < slice.last; ++code) {
            if (!slice.table->is_home[code]) continue;
            c.first_rows[next] = slice.table->entries[code].row;
            if (c.homes != nullptr) c.homes[next] = (uint64_t)c.tables->number_of(slice.table) << 32 | code;
            slice.table->final_code[code] = next++;
        }
    }
    return OK;
}

inline int link_texts(void* ctx, int64_t start, int64_t stop, int64_t) {   // over tables
    const TextContext& c = *(const TextContext*)ctx;
    for (int64_t number = start; number < stop; ++number) {
        TextTable& table = c.tables->tables[number];
        for (size_t at = 0; at < table.listed.size(); ++at) {
            const code_t code = table.listed[at].code;
            if (table.is_home[code]) continue;
            table.final_code[code] = c.tables->tables[table.home[at] >> 32].final_code[(code_t)table.home[at]];
        }
    }
    return OK;
}

inline int resolve_texts(void* ctx, int64_t start, int64_t stop, int64_t slice) {   // over rows
    const TextContext& c = *(const TextContext*)ctx;
    const TextTables::Slice& numbered = c.tables->slices[c.first_slice + slice];
    const code_t* final_code = numbered.table->final_code.data();
    if (numbered.last == c.tables->n_seeds) return OK;
    for (int64_t row = start; row < stop; ++row) {
        if (c.codes[row] != NULL_CODE) c.codes[row] = final_code[c.codes[row]];
    }
    return OK;
}

// In place of count to resolve where the codes are settled; one slice.
inline int settled_first_rows(void* ctx, int64_t start, int64_t stop, int64_t) {   // over codes
    const TextContext& c = *(const TextContext*)ctx;
    for (int64_t code = start; code < stop; ++code) c.first_rows[code] = c.tables->tables.front().entries[code].row;
    return OK;
}

// The distinct texts themselves, from the tables alone; `homes` null: those of the first table.
inline int64_t texts_bytes(const TextTables& tables, const uint64_t* homes, int64_t n_texts) {
    int64_t n_bytes = 0;
    for (int64_t text = 0; text < n_texts; ++text) {
        const uint64_t home = homes == nullptr ? (uint64_t)text : homes[text];
        n_bytes += tables.tables[home >> 32].entries[(code_t)home].key.length();
    }
    return n_bytes;
}

template <typename OFFSET>
void write_texts(const TextTables& tables, const uint64_t* homes, int64_t n_texts, OFFSET* offsets, uint8_t* data) {
    int64_t end = 0;
    offsets[0] = 0;
    for (int64_t text = 0; text < n_texts; ++text) {
        const uint64_t home = homes == nullptr ? (uint64_t)text : homes[text];
        const TextTable& table = tables.tables[home >> 32];
        const TextKey& key = table.entries[(code_t)home].key;
        const int64_t length = key.length();
        const uint64_t words[2] = {key.is_word() ? uncounted_bytes(key.low, length) : key.low, uncounted_bytes(key.high, length - 8)};
        memcpy(data + end, key.is_long() ? table.text_at((code_t)home) : (const uint8_t*)words, (size_t)key.length());
        end += key.length();
        offsets[text + 1] = (OFFSET)end;
    }
}

struct TranslateContext {
    code_t* codes;          // in, out
    const code_t* places;   // in: per code, what it becomes
    code_t n_places;        // in: any other code becomes NULL_CODE
};

inline int translate_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const TranslateContext& c = *(const TranslateContext*)ctx;
    for (int64_t row = start; row < stop; ++row) c.codes[row] = c.codes[row] < c.n_places ? c.places[c.codes[row]] : NULL_CODE;
    return OK;
}

enum TextPhase : int { SEED = 0, ENCODE, BUCKET, UNIFY, COUNT, PLACE, LINK, RESOLVE, SETTLED };

inline kernel_t text_phase(int phase, bool large) {
    switch (phase) {
        case SEED: return large ? seed_texts<int64_t> : seed_texts<int32_t>;
        case ENCODE: return large ? encode_texts<int64_t> : encode_texts<int32_t>;
        case BUCKET: return bucket_texts;
        case UNIFY: return unify_texts;
        case COUNT: return count_texts;
        case PLACE: return place_texts;
        case LINK: return link_texts;
        case RESOLVE: return resolve_texts;
        default: return settled_first_rows;
    }
}

}  // namespace ff
