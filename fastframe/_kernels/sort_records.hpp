// Sorting whole rows: records of a key and the row's values, brought near their place by one scatter, then read from cache.
//
// A record is some 64-bit words. Word 0 holds the key in its low bits (`sort_keys.hpp`, one digit of up to 64 bits);
// the row number and the values of fixed width fill the rest, each in as many bits as its range needs. So a row moves
// twice, in one piece: into its bucket, and from there, with the bucket in cache, to its place in every column. A gather
// by row numbers would instead fetch a cache line per row and column from memory.
//
// One scatter by equi-depth buckets (those of `sort.hpp`), then each bucket is one thread's: words of (key - smallest)
// above the position in the bucket are sorted in cache, and the records are read in their order. Positions ascend with
// rows, so the result is stable and the same for any number of threads.
// Sources: row-wise payload as in DuckDB's sort (Kuiper and Muehleisen 2023), direct stores of words after a prefetch for
// writing as in the prototypes (lessons 2, 3, 4 and 9).
//
// The loops are compiled twice on x86-64, the second time for AVX2: widening and narrowing take half the instructions
// there. Results do not differ.
#pragma once
#include "cpu.hpp"
#include "sort.hpp"
#include "streaming.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define FF_AVX2 __attribute__((target("avx2,popcnt")))
#else
#define FF_AVX2
#endif
#define FF_INLINE inline __attribute__((always_inline))   // into both versions

namespace ff {

constexpr int RECORD_BLOCK = 128;    // rows that are packed, or unpacked, at a time: their words stay in L1
constexpr int MOST_RECORD_WORDS = 16;

// A column's share of a record: (value - base) in some bits of one word.
struct RecordField {
    const uint8_t* values;   // in: of the source; null for the row number
    uint8_t* out;            // out: of the result
    uint64_t base;           // in: subtracted from values, modulo 2^64
    uint64_t mask;           // in: its bits, at the low end
    int width;               // in: bytes of a value: 1, 2, 4, 8
    int stride;              // in: bytes from one value to the next: the width, or 16 for half a decimal
    int word;                // in: which word of the record
    int shift;               // in: its lowest bit there
};

struct RecordPass {
    SortPass pass;                // in: digits of 64 bits, of which the key is one; `words` are the records
    const RecordField* fields;    // in
    int64_t n_fields;             // in
    int64_t n_words;              // in: of a record
    const int64_t* pieces;        // in: (first, stop) records of each piece that is finished by one thread
    int streams;                  // in: whether the result is larger than the caches
};

template <typename T, int STRIDE>
FF_INLINE void pack_values(const RecordField& field, int64_t start, int count, uint64_t* __restrict words) {
    const uint8_t* __restrict values = field.values + start * STRIDE;
    const uint64_t base = field.base, mask = field.mask;
    const int shift = field.shift;
    for (int lane = 0; lane < count; ++lane) {
        T value;
        memcpy(&value, values + lane * STRIDE, sizeof(T));
        words[lane] |= (((uint64_t)value - base) & mask) << shift;
    }
}

template <typename T, int STRIDE>
FF_INLINE void unpack_values(const RecordField& field, int count, const uint64_t* __restrict words, uint8_t* __restrict out) {
    const uint64_t base = field.base, mask = field.mask;
    const int shift = field.shift;
    for (int lane = 0; lane < count; ++lane) {
        const T value = (T)((words[lane] >> shift & mask) + base);
        memcpy(out + lane * STRIDE, &value, sizeof(T));
    }
}

FF_INLINE void pack_field(const RecordField& field, int64_t start, int count, uint64_t* words) {
    if (field.values == nullptr) {
        for (int lane = 0; lane < count; ++lane) words[lane] |= (uint64_t)(start + lane) << field.shift;
        return;
    }
    switch (field.width) {
        case 1: pack_values<uint8_t, 1>(field, start, count, words); break;
        case 2: pack_values<uint16_t, 2>(field, start, count, words); break;
        case 4: pack_values<uint32_t, 4>(field, start, count, words); break;
        default:
            if (field.stride == 8) pack_values<uint64_t, 8>(field, start, count, words);
            else pack_values<uint64_t, 16>(field, start, count, words);
    }
}

FF_INLINE void unpack_to(const RecordField& field, int count, const uint64_t* words, uint8_t* out) {
    switch (field.width) {
        case 1: unpack_values<uint8_t, 1>(field, count, words, out); break;
        case 2: unpack_values<uint16_t, 2>(field, count, words, out); break;
        case 4: unpack_values<uint32_t, 4>(field, count, words, out); break;
        default:
            if (field.stride == 8) unpack_values<uint64_t, 8>(field, count, words, out);
            else unpack_values<uint64_t, 16>(field, count, words, out);
    }
}

// Whole blocks that start at a line of the output go past the caches, by way of `stage`; halves of decimals do not.
FF_INLINE void unpack_field(const RecordField& field, int64_t start, int count, const uint64_t* words, bool streams, uint8_t* stage) {
    uint8_t* out = field.out + start * field.stride;
    if (streams && count == RECORD_BLOCK && field.stride == field.width && (uintptr_t)out % LINE == 0) {
        unpack_to(field, RECORD_BLOCK, words, stage);
        stream_lines(out, stage, RECORD_BLOCK * field.width / LINE);
    } else {
        unpack_to(field, count, words, out);
    }
}

typedef uint64_t RecordWords[MOST_RECORD_WORDS][RECORD_BLOCK];

template <int N_WORDS>
FF_INLINE int scatter_records_body(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const RecordPass& in = *(const RecordPass*)raw;
    uint32_t* next = in.pass.counts + slice * in.pass.n_buckets;
    for (int64_t bucket = 0; bucket < in.pass.n_buckets; ++bucket) next[bucket] += (uint32_t)in.pass.starts[bucket];
    RecordWords words;
    uint64_t* places[RECORD_BLOCK];
    for (int64_t block = start; block < stop; block += RECORD_BLOCK) {
        const int count = (int)std::min<int64_t>(RECORD_BLOCK, stop - block);
        make_digits(in.pass.keys, 0, nullptr, block, count, words[0]);
        for (int lane = 0; lane < count; ++lane) {
            uint64_t* place = in.pass.words + (int64_t)next[bucket_of(in.pass, words[0][lane])]++ * N_WORDS;
            prefetch_to_write(place);
            if (N_WORDS > 1) prefetch_to_write(place + N_WORDS - 1);
            if (N_WORDS > 9) prefetch_to_write(place + 8);
            places[lane] = place;
        }
        for (int word = 1; word < N_WORDS; ++word) memset(words[word], 0, sizeof(words[word]));
        for (int64_t number = 0; number < in.n_fields; ++number) {
            pack_field(in.fields[number], block, count, words[in.fields[number].word]);
        }
        for (int lane = 0; lane < count; ++lane) {
            uint64_t* place = places[lane];
            for (int word = 0; word < N_WORDS; ++word) place[word] = words[word][lane];
        }
    }
    return OK;
}

// Sorts runs of words whose keys, cut by `cut` bits, tie, by their whole keys.
template <int N_WORDS>
inline void repair_ties(const uint64_t* records, uint64_t key_mask, uint64_t* order, int64_t count, int position_bits) {
    const uint64_t position_mask = ((uint64_t)1 << position_bits) - 1;
    const auto key_of = [&](uint64_t word) { return records[(word & position_mask) * N_WORDS] & key_mask; };
    for (int64_t at = 0; at < count;) {
        int64_t end = at + 1;
        while (end < count && order[end] >> position_bits == order[at] >> position_bits) ++end;
        if (end - at > 1) {
            std::sort(order + at, order + end, [&](uint64_t one, uint64_t other) {
                const uint64_t key = key_of(one), other_key = key_of(other);
                return key != other_key ? key < other_key : one < other;
            });
        }
        at = end;
    }
}

// The positions of the records in the order of their keys, in the low bits of `order`; how many bits that is comes back.
template <int N_WORDS>
inline int order_records(const uint64_t* records, uint64_t key_mask, uint64_t* order, int64_t count, SortScratch& scratch) {
    uint64_t low = ~(uint64_t)0, high = 0;
    for (int64_t at = 0; at < count; ++at) {
        const uint64_t key = records[at * N_WORDS] & key_mask;
        low = std::min(low, key);
        high = std::max(high, key);
        order[at] = key;
    }
    const int position_bits = 64 - __builtin_clzll((uint64_t)count | 1);
    const int range_bits = low == high ? 0 : 64 - __builtin_clzll(high - low);
    const int cut = std::max(0, range_bits + position_bits - 64);
    for (int64_t at = 0; at < count; ++at) order[at] = (order[at] - low) >> cut << position_bits | (uint64_t)at;
    if (range_bits == 0) return position_bits;
    sort_words(order, count, position_bits, scratch);
    if (cut > 0) repair_ties<N_WORDS>(records, key_mask, order, count, position_bits);
    return position_bits;
}

// Runs over pieces: records of one bucket, which are all of that bucket or all of one key.
template <int N_WORDS>
FF_INLINE int finish_records_body(void* raw, int64_t start, int64_t stop) {
    const RecordPass& in = *(const RecordPass*)raw;
    const uint64_t key_mask = in.pass.keys.key_bits == 64 ? ~(uint64_t)0 : ((uint64_t)1 << in.pass.keys.key_bits) - 1;
    RecordWords words;
    alignas(LINE) uint8_t stage[RECORD_BLOCK * 8];
    try {
        SortScratch scratch, orders;
        for (int64_t piece = start; piece < stop; ++piece) {
            const int64_t first = in.pieces[2 * piece], count = in.pieces[2 * piece + 1] - first;
            if (count <= 0) continue;
            const uint64_t* records = in.pass.words + first * N_WORDS;
            uint64_t* order = orders.of(count);
            const uint64_t position_mask = ((uint64_t)1 << order_records<N_WORDS>(records, key_mask, order, count, scratch)) - 1;
            const int64_t head = -first & (LINE - 1);   // rows before a line of every column
            for (int64_t block = 0; block < count;) {
                const int lanes = (int)std::min<int64_t>(block == 0 && head ? head : RECORD_BLOCK, count - block);
                for (int lane = 0; lane < lanes; ++lane) {
                    const uint64_t* record = records + (order[block + lane] & position_mask) * N_WORDS;
                    for (int word = 0; word < N_WORDS; ++word) words[word][lane] = record[word];
                }
                for (int64_t number = 0; number < in.n_fields; ++number) {
                    const RecordField& field = in.fields[number];
                    unpack_field(field, first + block, lanes, words[field.word], in.streams != 0, stage);
                }
                block += lanes;
            }
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    end_stream();
    return OK;
}

template <int N_WORDS>
struct RecordKernels {
    static int scatter(void* ctx, int64_t start, int64_t stop, int64_t slice) {
        return scatter_records_body<N_WORDS>(ctx, start, stop, slice);
    }
    static int finish(void* ctx, int64_t start, int64_t stop, int64_t) { return finish_records_body<N_WORDS>(ctx, start, stop); }
    FF_AVX2 static int scatter_avx2(void* ctx, int64_t start, int64_t stop, int64_t slice) {
        return scatter_records_body<N_WORDS>(ctx, start, stop, slice);
    }
    FF_AVX2 static int finish_avx2(void* ctx, int64_t start, int64_t stop, int64_t) {
        return finish_records_body<N_WORDS>(ctx, start, stop);
    }
};

struct RecordPhases {
    kernel_t scatter;
    kernel_t finish;
};

// The phases for records of so many words, at least `N_WORDS`.
template <int N_WORDS>
inline RecordPhases record_phases_of(int64_t n_words, bool widest) {
    if constexpr (N_WORDS > MOST_RECORD_WORDS) {
        return {nullptr, nullptr};
    } else {
        typedef RecordKernels<N_WORDS> Kernels;
        if (n_words != N_WORDS) return record_phases_of<N_WORDS + 1>(n_words, widest);
        if (widest && has_avx2()) return {&Kernels::scatter_avx2, &Kernels::finish_avx2};
        return {&Kernels::scatter, &Kernels::finish};
    }
}

inline RecordPhases record_phases(int64_t n_words, bool widest) { return record_phases_of<1>(n_words, widest); }

}  // namespace ff
