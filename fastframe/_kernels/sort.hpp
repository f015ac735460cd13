// Stable sorting of rows by several keys: a parallel radix sort of 64-bit words that hold key bits above a row number.
//
// The whole key (`sort_keys.hpp`) is cut into digits, from the top, each as wide as a word has room for beside the row
// number. Most keys are one digit.
//
// One pass over a digit: equi-depth buckets from a sample, a histogram per slice, a scatter of words into buckets, then
// each bucket is sorted in cache by one thread (LSD radix over the leading bits, insertion for the rest) and its rows
// are written. Rows that tie in a digit are refined by the next digit. Words differ in their row, and rows of equal
// keys stay ascending, so the result is stable and the same for any number of threads.
// Sources: least-significant-digit passes as in Wassenberg and Sanders 2011; equi-depth buckets and in-cache finishing
// from the prototypes (lessons 2, 3 and 9).
#pragma once
#include <memory>
#include <new>

#include "order.hpp"
#include "sort_keys.hpp"

namespace ff {

constexpr int SCATTER_BLOCK = 64;    // rows whose places are found, and fetched for writing, before any is written
constexpr int64_t SMALL_SORT = 192;  // below this std::sort beats a radix sort

// ---- sorting in cache --------------------------------------------------------------------------------------------

// Stable by bits [low, high) of the words; the result is in `words`.
inline void radix_sort(uint64_t* words, uint64_t* scratch, int64_t count, int low, int high) {
    const int most_bits = count < 2048 ? 8 : 11;
    const int n_passes = (high - low + most_bits - 1) / most_bits;
    if (n_passes < 1) return;
    const int pass_bits = (high - low + n_passes - 1) / n_passes;
    const uint64_t mask = ((uint64_t)1 << pass_bits) - 1;
    uint32_t counts[8][2048];
    for (int pass = 0; pass < n_passes; ++pass) memset(counts[pass], 0, sizeof(uint32_t) << pass_bits);
    for (int64_t at = 0; at < count; ++at) {
        for (int pass = 0; pass < n_passes; ++pass) ++counts[pass][words[at] >> (low + pass * pass_bits) & mask];
    }
    uint64_t *source = words, *target = scratch;
    for (int pass = 0; pass < n_passes; ++pass) {
        const int shift = low + pass * pass_bits;
        uint32_t* next = counts[pass];
        if (next[source[0] >> shift & mask] == (uint64_t)count) continue;   // a constant digit
        uint32_t place = 0;
        for (uint64_t digit = 0; digit <= mask; ++digit) {
            const uint32_t here = next[digit];
            next[digit] = place;
            place += here;
        }
        for (int64_t at = 0; at < count; ++at) target[next[source[at] >> shift & mask]++] = source[at];
        std::swap(source, target);
    }
    if (source != words) memcpy(words, source, (size_t)count * sizeof(uint64_t));
}

// Insertion sort of words that are nearly in order; false where they were not, after few moves too many.
inline bool insert_sorted(uint64_t* words, int64_t count) {
    int64_t moves_left = 16 * count;
    for (int64_t at = 1; at < count; ++at) {
        const uint64_t word = words[at];
        int64_t hole = at;
        while (hole > 0 && words[hole - 1] > word) {
            words[hole] = words[hole - 1];
            --hole;
        }
        words[hole] = word;
        moves_left -= at - hole;
        if (moves_left < 0) return false;
    }
    return true;
}

// Memory that grows to what the largest bucket of a slice needs.
class SortScratch {
  public:
    uint64_t* of(int64_t count) {
        if (count > size_) {
            words_.reset(new uint64_t[(size_t)count]);
            size_ = count;
        }
        return words_.get();
    }

  private:
    std::unique_ptr<uint64_t[]> words_;
    int64_t size_ = 0;
};

// Sorts words whose equal keys (bits from row_bits up) have ascending rows.
inline void sort_words(uint64_t* words, int64_t count, int row_bits, SortScratch& scratch) {
    uint64_t all_and = ~(uint64_t)0, all_or = 0;
    bool sorted = true;
    for (int64_t at = 0; at < count; ++at) {
        all_and &= words[at];
        all_or |= words[at];
        sorted &= at == 0 || words[at - 1] <= words[at];
    }
    if (sorted) return;
    if (count < SMALL_SORT) {
        std::sort(words, words + count);
        return;
    }
    const int high = 64 - __builtin_clzll(all_and ^ all_or);
    const int count_bits = 64 - __builtin_clzll((uint64_t)count);
    const int low = std::max(row_bits, high - count_bits - 8);
    radix_sort(words, scratch.of(count), count, low, high);
    if (low > row_bits && !insert_sorted(words, count)) radix_sort(words, scratch.of(count), count, row_bits, high);
}

// Runs that are too long for one thread, which the caller sorts in another pass with all threads: rows that tie in this
// digit, by the next; or a bucket that the cells did not tell apart, by this digit again, with cells for it alone.
struct Deferred {
    int64_t* runs;         // out: (start, length) of at most one run per `shortest` rows, length < 0 for a bucket; 0: none
    int64_t shortest;      // in: 0: never defer
};

inline bool defers(const Deferred& deferred, int64_t length) { return deferred.shortest > 0 && length > deferred.shortest; }

inline void defer(const Deferred& deferred, int64_t start, int64_t signed_length) {
    int64_t* run = deferred.runs + 2 * (start / deferred.shortest);
    run[0] = start;
    run[1] = signed_length;
}

inline void refine_rows(const SortKeys& keys, int64_t level, row_t* rows, int64_t count);

inline void copy_rows(const SortKeys& keys, const uint64_t* words, int64_t count, row_t* rows) {
    const uint64_t row_mask = ((uint64_t)1 << keys.row_bits) - 1;
    for (int64_t at = 0; at < count; ++at) rows[at] = (row_t)(words[at] & row_mask);
}

// Writes the rows of sorted words, and refines those that tie in this digit.
inline void write_rows(const SortKeys& keys, int64_t level, const uint64_t* words, int64_t count, row_t* rows, int64_t offset,
                       const Deferred& deferred) {
    copy_rows(keys, words, count, rows + offset);
    if (level + 1 >= n_levels(keys)) return;
    for (int64_t at = 0; at < count;) {
        const uint64_t key = words[at] >> keys.row_bits;
        int64_t end = at + 1;
        while (end < count && words[end] >> keys.row_bits == key) ++end;
        if (end - at > 1) {
            if (defers(deferred, end - at)) defer(deferred, offset + at, end - at);
            else refine_rows(keys, level + 1, rows + offset + at, end - at);
        }
        at = end;
    }
}

inline void make_words(const SortKeys& keys, int64_t level, const row_t* rows, int64_t start, int64_t count, uint64_t* words) {
    for (int64_t block = 0; block < count; block += DIGIT_BLOCK) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, count - block);
        const row_t* block_rows = rows ? rows + block : nullptr;
        uint64_t* block_words = words + block;
        make_digits(keys, level, block_rows, start + block, lanes, block_words);
        for (int lane = 0; lane < lanes; ++lane) {
            const uint64_t row = rows ? (uint64_t)block_rows[lane] : (uint64_t)(start + block + lane);
            block_words[lane] = block_words[lane] << keys.row_bits | row;
        }
    }
}

// Sorts rows, ascending and equal in all higher digits, by the digits from `level` on.
inline void refine_rows(const SortKeys& keys, int64_t level, row_t* rows, int64_t count) {
    constexpr int64_t ON_STACK = 64;
    uint64_t few[ON_STACK];
    std::unique_ptr<uint64_t[]> many;
    uint64_t* words = few;
    if (count > ON_STACK) {
        many.reset(new uint64_t[(size_t)count]);
        words = many.get();
    }
    SortScratch scratch;
    make_words(keys, level, rows, 0, count, words);
    sort_words(words, count, keys.row_bits, scratch);
    write_rows(keys, level, words, count, rows, 0, Deferred{nullptr, 0});
}

// ---- the phases of a parallel pass -------------------------------------------------------------------------------

struct SortPass {
    SortKeys keys;                    // in
    int64_t level;                    // in: which digit
    row_t* rows;                      // in, out: the rows to sort, ascending; the last phase writes them in order
    int64_t n_rows;                   // in
    int is_identity;                  // in: the rows are 0, 1, 2 ... and `rows` is still unwritten
    uint64_t cell_base;               // in: a digit's cell is 1 + ((digit - cell_base) >> cell_shift), clamped to the
    int cell_shift;                   // in: cells; the first has what is below, the last what is beyond
    int64_t n_cells;                  // in
    const uint16_t* bucket_of_cell;   // in
    int64_t n_buckets;                // in
    uint32_t* counts;                 // out, then in, out: n_slices x n_buckets
    const int32_t* starts;            // in: n_buckets + 1
    uint64_t* words;                  // out, then in: n_rows
    Deferred deferred;                // out
};

inline const row_t* rows_from(const SortPass& pass, int64_t start) { return pass.is_identity ? nullptr : pass.rows + start; }

inline int64_t bucket_of(const SortPass& pass, uint64_t digit) {
    const uint64_t cell = digit < pass.cell_base ? 0 : 1 + ((digit - pass.cell_base) >> pass.cell_shift);
    return pass.bucket_of_cell[cell < (uint64_t)pass.n_cells ? cell : (uint64_t)pass.n_cells - 1];
}

// The whole of a small sort.
inline int sort_small(void* ctx, int64_t start, int64_t stop, int64_t) {
    const SortPass& in = *(const SortPass*)ctx;
    try {
        if (in.is_identity) {
            for (int64_t row = start; row < stop; ++row) in.rows[row] = (row_t)row;
        }
        refine_rows(in.keys, in.level, in.rows + start, stop - start);
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline int count_buckets(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SortPass& in = *(const SortPass*)ctx;
    uint32_t* counts = in.counts + slice * in.n_buckets;
    memset(counts, 0, (size_t)in.n_buckets * sizeof(uint32_t));
    uint64_t digits[DIGIT_BLOCK];
    for (int64_t block = start; block < stop; block += DIGIT_BLOCK) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, stop - block);
        make_digits(in.keys, in.level, rows_from(in, block), block, lanes, digits);
        for (int lane = 0; lane < lanes; ++lane) ++counts[bucket_of(in, digits[lane])];
    }
    return OK;
}

inline int scatter_buckets(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const SortPass& in = *(const SortPass*)ctx;
    uint32_t* next = in.counts + slice * in.n_buckets;
    for (int64_t bucket = 0; bucket < in.n_buckets; ++bucket) next[bucket] += (uint32_t)in.starts[bucket];
    const int row_bits = in.keys.row_bits;
    uint64_t words[DIGIT_BLOCK];
    uint32_t places[SCATTER_BLOCK];
    for (int64_t block = start; block < stop; block += DIGIT_BLOCK) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, stop - block);
        make_words(in.keys, in.level, rows_from(in, block), block, lanes, words);
        for (int part = 0; part < lanes; part += SCATTER_BLOCK) {
            const int part_lanes = std::min(SCATTER_BLOCK, lanes - part);
            for (int lane = 0; lane < part_lanes; ++lane) {
                const uint32_t place = next[bucket_of(in, words[part + lane] >> row_bits)]++;
                prefetch_to_write(in.words + place);
                places[lane] = place;
            }
            for (int lane = 0; lane < part_lanes; ++lane) in.words[places[lane]] = words[part + lane];
        }
    }
    return OK;
}

inline bool all_tie(const uint64_t* words, int64_t count, int row_bits) {
    uint64_t varying = 0;
    for (int64_t at = 1; at < count; ++at) varying |= words[at] ^ words[0];
    return varying >> row_bits == 0;
}

// Runs over buckets.
inline int finish_buckets(void* ctx, int64_t start, int64_t stop, int64_t) {
    const SortPass& in = *(const SortPass*)ctx;
    try {
        SortScratch scratch;
        for (int64_t bucket = start; bucket < stop; ++bucket) {
            const int64_t first = in.starts[bucket], count = in.starts[bucket + 1] - first;
            // Another pass over a part of the digit's range: only where it has clearly fewer rows, so that it ends.
            const bool is_part = count < in.n_rows - in.n_rows / 64;
            if (is_part && defers(in.deferred, count) && !all_tie(in.words + first, count, in.keys.row_bits)) {
                copy_rows(in.keys, in.words + first, count, in.rows + first);
                defer(in.deferred, first, -count);
                continue;
            }
            sort_words(in.words + first, count, in.keys.row_bits, scratch);
            write_rows(in.keys, in.level, in.words + first, count, in.rows, first, in.deferred);
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

// ---- looking at digits -------------------------------------------------------------------------------------------

struct DigitRead {
    SortKeys keys;        // in
    int64_t level;        // in
    const row_t* rows;    // in: null for rows 0, 1, 2 ...
    uint64_t* digits;     // out
};

// Runs over the entries of `rows`.
inline int read_digits(void* ctx, int64_t start, int64_t stop, int64_t) {
    const DigitRead& in = *(const DigitRead*)ctx;
    for (int64_t block = start; block < stop; block += DIGIT_BLOCK) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, stop - block);
        make_digits(in.keys, in.level, in.rows ? in.rows + block : nullptr, block, lanes, in.digits + block);
    }
    return OK;
}

struct CodeRead {
    SortKeys keys;     // in: of at most 32 bits, in one digit
    code_t* codes;     // out
};

inline int read_codes(void* ctx, int64_t start, int64_t stop, int64_t) {
    const CodeRead& in = *(const CodeRead*)ctx;
    uint64_t digits[DIGIT_BLOCK];
    for (int64_t block = start; block < stop; block += DIGIT_BLOCK) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, stop - block);
        make_digits(in.keys, 0, nullptr, block, lanes, digits);
        for (int lane = 0; lane < lanes; ++lane) in.codes[block + lane] = (code_t)digits[lane];
    }
    return OK;
}

struct OrderCheck {
    SortKeys keys;       // in
    uint8_t* ascends;    // out: per slice, no row is less than the one before it
    uint8_t* descends;   // out: per slice, every row is less than the one before it
};

inline int check_order(void* ctx, int64_t start, int64_t stop, int64_t slice) {
    const OrderCheck& in = *(const OrderCheck*)ctx;
    bool ascends = true, descends = true;
    uint64_t digits[DIGIT_BLOCK];
    int8_t signs[DIGIT_BLOCK];   // of row - row before
    for (int64_t block = std::max<int64_t>(start, 1); block < stop && (ascends || descends); block += DIGIT_BLOCK - 1) {
        const int lanes = (int)std::min<int64_t>(DIGIT_BLOCK, stop - block + 1);   // the row before, and up to 511 rows
        memset(signs, 0, sizeof(signs));
        for (int64_t level = 0; level < n_levels(in.keys); ++level) {
            make_digits(in.keys, level, nullptr, block - 1, lanes, digits);
            for (int lane = 1; lane < lanes; ++lane) {
                if (signs[lane] == 0) signs[lane] = (int8_t)((digits[lane] > digits[lane - 1]) - (digits[lane] < digits[lane - 1]));
            }
        }
        for (int lane = 1; lane < lanes; ++lane) {
            ascends &= signs[lane] >= 0;
            descends &= signs[lane] < 0;
        }
    }
    in.ascends[slice] = ascends;
    in.descends[slice] = descends;
    return OK;
}

}  // namespace ff
