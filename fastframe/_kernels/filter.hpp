// Compaction by a mask: one plan (words of mask and validity, kept rows before each slice) serves all columns.
//
// Per 64-bit mask word: none kept, skip; all kept, copy; few kept, one by one; else compaction of a vector of values at
// a time through a permutation table, "store all, advance by the kept" (as in polars' `polars-compute/src/filter`). A
// vector store may touch up to 32 bytes after the values it keeps, so words that end less than that before the slice's
// last value go one by one: nothing of the next slice, nor past the end, is ever written. Bits are compacted by `pext`,
// or by its software form (Hacker's Delight 7-4, "compress").
#pragma once
#include "bitmap.hpp"
#include "compact.hpp"
#include "cpu.hpp"
#include "streaming.hpp"

#if defined(__x86_64__) && defined(__SSSE3__) && defined(__GNUC__)
#define FASTFRAME_X86_COMPACT 1
#include <immintrin.h>
#else
#define FASTFRAME_X86_COMPACT 0
#endif

namespace ff {

constexpr int FEW_KEPT = 6;             // at most so many of 64: one by one is faster
constexpr int64_t STORE_SLACK = 32;     // bytes that a vector store may write after the last value kept
constexpr int STAGED_ROWS = 512;        // compacted in L1 before whole lines of them are streamed

struct PlanContext {
    BitSource mask;       // in
    BitSource validity;   // in: of the mask
    uint64_t* words;      // out: one per 64 rows, zero bits after the last row
    int64_t* counts;      // out: kept rows per slice
};

inline int plan_mask(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const PlanContext ctx = *(const PlanContext*)raw;
    int64_t kept = 0;
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const int count = rows_in_word(row, stop);
        const uint64_t word = word_at(ctx.mask, row, count) & word_at(ctx.validity, row, count);
        ctx.words[row / WORD_ROWS] = word;
        kept += __builtin_popcountll(word);
    }
    ctx.counts[slice] = kept;
    return OK;
}

// For each mask of LANES values, the byte shuffle that moves the kept values of a 16-byte vector to its front.
template <int LANES>
struct ShuffleTable {
    uint8_t of[1 << LANES][16];
    constexpr ShuffleTable() : of() {
        constexpr int width = 16 / LANES;
        for (int mask = 0; mask < (1 << LANES); ++mask) {
            int found = 0;
            for (int lane = 0; lane < LANES; ++lane) {
                if (!((mask >> lane) & 1)) continue;
                for (int byte = 0; byte < width; ++byte) of[mask][found++] = (uint8_t)(lane * width + byte);
            }
        }
    }
};
static constexpr ShuffleTable<2> SHUFFLE_OF_2;
static constexpr ShuffleTable<4> SHUFFLE_OF_4;

// Compaction of one whole word: returns the new end of `out`, writes up to STORE_SLACK bytes after it.
template <typename T>
struct ScalarCompact {
    static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int bit = 0; bit < 64; ++bit) {
            store<T>(out, 0, load<T>(values, bit));
            out += ((word >> bit) & 1) * sizeof(T);
        }
        return out;
    }
};

#if FASTFRAME_X86_COMPACT
struct ShuffleCompact1 {   // 8 values of one byte at a time
    static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 8; ++group) {
            const unsigned kept = (unsigned)(word >> (8 * group)) & 255;
            const __m128i vector = _mm_loadl_epi64((const __m128i*)(values + 8 * group));
            const __m128i shuffle = _mm_cvtsi64_si128((long long)POSITIONS.of[kept]);
            _mm_storel_epi64((__m128i*)out, _mm_shuffle_epi8(vector, shuffle));
            out += __builtin_popcount(kept);
        }
        return out;
    }
};

struct ShuffleCompact2 {   // 8 values of two bytes: byte positions 2 p and 2 p + 1
    static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 8; ++group) {
            const unsigned kept = (unsigned)(word >> (8 * group)) & 255;
            const __m128i vector = _mm_loadu_si128((const __m128i*)(values + 16 * group));
            const __m128i lanes = _mm_cvtsi64_si128((long long)POSITIONS.of[kept]);
            const __m128i doubled = _mm_add_epi8(lanes, lanes);
            const __m128i shuffle = _mm_unpacklo_epi8(doubled, _mm_add_epi8(doubled, _mm_set1_epi8(1)));
            _mm_storeu_si128((__m128i*)out, _mm_shuffle_epi8(vector, shuffle));
            out += 2 * __builtin_popcount(kept);
        }
        return out;
    }
};

struct ShuffleCompact4 {
    static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 16; ++group) {
            const unsigned kept = (unsigned)(word >> (4 * group)) & 15;
            const __m128i vector = _mm_loadu_si128((const __m128i*)(values + 16 * group));
            const __m128i shuffle = _mm_loadu_si128((const __m128i*)SHUFFLE_OF_4.of[kept]);
            _mm_storeu_si128((__m128i*)out, _mm_shuffle_epi8(vector, shuffle));
            out += 4 * __builtin_popcount(kept);
        }
        return out;
    }
};

struct ShuffleCompact8 {
    static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 32; ++group) {
            const unsigned kept = (unsigned)(word >> (2 * group)) & 3;
            const __m128i vector = _mm_loadu_si128((const __m128i*)(values + 16 * group));
            const __m128i shuffle = _mm_loadu_si128((const __m128i*)SHUFFLE_OF_2.of[kept]);
            _mm_storeu_si128((__m128i*)out, _mm_shuffle_epi8(vector, shuffle));
            out += 8 * __builtin_popcount(kept);
        }
        return out;
    }
};

struct Avx2Compact4 {   // 8 values of four bytes at a time
    __attribute__((target("avx2,popcnt"))) static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 8; ++group) {
            const unsigned kept = (unsigned)(word >> (8 * group)) & 255;
            const __m256i vector = _mm256_loadu_si256((const __m256i*)(values + 32 * group));
            const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)POSITIONS.of[kept]));
            _mm256_storeu_si256((__m256i*)out, _mm256_permutevar8x32_epi32(vector, lanes));
            out += 4 * __builtin_popcount(kept);
        }
        return out;
    }
};

struct Avx2Compact8 {   // 4 values of eight bytes at a time
    __attribute__((target("avx2,popcnt"))) static uint8_t* word(const uint8_t* values, uint64_t word, uint8_t* out) {
        for (int group = 0; group < 16; ++group) {
            const unsigned kept = (unsigned)(word >> (4 * group)) & 15;
            const __m256i vector = _mm256_loadu_si256((const __m256i*)(values + 32 * group));
            const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)PAIRS.of[kept]));
            _mm256_storeu_si256((__m256i*)out, _mm256_permutevar8x32_epi32(vector, lanes));
            out += 8 * __builtin_popcount(kept);
        }
        return out;
    }
};
#endif

typedef uint8_t* (*compact_t)(const uint8_t* values, uint64_t word, uint8_t* out);

// Of values of four bytes, the fastest that this machine has.
inline compact_t compact_of_4() {
#if FASTFRAME_X86_COMPACT
    return has_avx2() ? Avx2Compact4::word : ShuffleCompact4::word;
#else
    return ScalarCompact<uint32_t>::word;
#endif
}

struct FilterContext {
    const uint8_t* values;    // in
    const uint64_t* words;    // in: of the plan
    const int64_t* starts;    // in: kept rows before each slice, and in all
    uint8_t* out;             // out
    int64_t streams;          // in: whether the results are larger than the caches
};

struct FilterJob {   // one column
    kernel_t kernel;          // null after the last job
    FilterContext ctx;
};

// Several columns in one run: a slice's words are read from L1 from the second column on, and threads meet once.
inline int filter_jobs(void* raw, int64_t start, int64_t stop, int64_t slice) {
    for (FilterJob* job = (FilterJob*)raw; job->kernel != nullptr; ++job) {
        const int status = job->kernel(&job->ctx, start, stop, slice);
        if (status != OK) return status;
    }
    return OK;
}

template <typename T>
inline uint8_t* keep_one_by_one(const uint8_t* values, uint64_t word, uint8_t* out) {
    for (; word; word &= word - 1) {
        store<T>(out, 0, load<T>(values, __builtin_ctzll(word)));
        out += sizeof(T);
    }
    return out;
}

// The kept of some rows, from `out` to at most `end`; returns their end. `stop` is that of the slice.
template <typename T, typename Compact>
inline uint8_t* filter_rows(const FilterContext& ctx, int64_t row, int64_t last, int64_t stop, uint8_t* out, const uint8_t* end) {
    for (; row < last; row += WORD_ROWS) {
        const uint64_t word = ctx.words[row / WORD_ROWS];
        if (word == 0) continue;
        const uint8_t* values = ctx.values + row * (int64_t)sizeof(T);
        const int kept = __builtin_popcountll(word);
        if (kept == 64) {
            memcpy(out, values, 64 * sizeof(T));
            out += 64 * sizeof(T);
        } else if (kept <= FEW_KEPT || stop - row < WORD_ROWS || end - out < kept * (int64_t)sizeof(T) + STORE_SLACK) {
            out = keep_one_by_one<T>(values, word, out);
        } else {
            out = Compact::word(values, word, out);
        }
    }
    return out;
}

template <typename T, typename Compact>
int filter_values(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FilterContext ctx = *(const FilterContext*)raw;
    uint8_t* const out = ctx.out + ctx.starts[slice] * (int64_t)sizeof(T);
    if (!ctx.streams) {
        filter_rows<T, Compact>(ctx, start, stop, stop, out, ctx.out + ctx.starts[slice + 1] * (int64_t)sizeof(T));
        return OK;
    }
    alignas(LINE) uint8_t stage[STAGED_ROWS * sizeof(T) + 2 * LINE];
    LineWriter sink(out, true);
    for (int64_t row = start; row < stop; row += STAGED_ROWS) {
        uint8_t* const staged = sink.target(stage);
        const int64_t last = row + STAGED_ROWS < stop ? row + STAGED_ROWS : stop;
        sink.put(stage, filter_rows<T, Compact>(ctx, row, last, stop, staged, stage + sizeof(stage)) - staged);
    }
    sink.finish();
    end_stream();
    return OK;
}

// `vectors` 0: portable, 1: the baseline's, 2: the widest that this machine has. All give the same bytes.
inline kernel_t filter_kernel(int width, int vectors) {
#if FASTFRAME_X86_COMPACT
    if (vectors >= 2 && has_avx2()) {
        if (width == 4) return filter_values<uint32_t, Avx2Compact4>;
        if (width == 8) return filter_values<uint64_t, Avx2Compact8>;
    }
    if (vectors >= 1) {
        if (width == 1) return filter_values<uint8_t, ShuffleCompact1>;
        if (width == 2) return filter_values<uint16_t, ShuffleCompact2>;
        if (width == 4) return filter_values<uint32_t, ShuffleCompact4>;
        if (width == 8) return filter_values<uint64_t, ShuffleCompact8>;
    }
#endif
    switch (width) {
        case 1: return filter_values<uint8_t, ScalarCompact<uint8_t>>;
        case 2: return filter_values<uint16_t, ScalarCompact<uint16_t>>;
        case 4: return filter_values<uint32_t, ScalarCompact<uint32_t>>;
        case 8: return filter_values<uint64_t, ScalarCompact<uint64_t>>;
        case 16: return filter_values<uint128_t, ScalarCompact<uint128_t>>;
        default: return nullptr;
    }
}

// The bits of `word` that `kept` selects, moved to the low end.
struct SoftwareExtract {
    static uint64_t bits(uint64_t word, uint64_t kept) {
        word &= kept;
        uint64_t gaps = ~kept << 1;
        for (int step = 0; step < 6; ++step) {
            uint64_t parity = gaps ^ (gaps << 1);
            for (int shift = 2; shift < 64; shift <<= 1) parity ^= parity << shift;
            const uint64_t moved = parity & kept;
            kept = (kept ^ moved) | (moved >> (1 << step));
            const uint64_t part = word & moved;
            word = (word ^ part) | (part >> (1 << step));
            gaps &= ~parity;
        }
        return word;
    }
};

#if FASTFRAME_X86_COMPACT
struct Bmi2Extract {
    __attribute__((target("bmi2"))) static uint64_t bits(uint64_t word, uint64_t kept) { return _pext_u64(word, kept); }
};
#endif

// Appends bits from any bit on. Slices meet inside a byte: the first and the last byte of each are or-ed in atomically,
// into bytes that the caller cleared.
struct BitWriter {
    uint8_t* bytes;
    uint64_t pending = 0;
    int filled;    // bits of `pending`, at most 63 between calls
    bool shared;   // whether the first pending byte belongs to the slice before as well

    BitWriter(uint8_t* bits, int64_t bit) : bytes(bits + (bit >> 3)), filled((int)(bit & 7)), shared((bit & 7) != 0) {}

    void put_byte(int at, uint8_t value, bool whole) {
        if (whole) {
            bytes[at] = value;
        } else {
            __atomic_fetch_or(bytes + at, value, __ATOMIC_RELAXED);
        }
    }

    void push(uint64_t word, int count) {
        pending |= word << filled;
        if (filled + count < 64) {
            filled += count;
            return;
        }
        put_byte(0, (uint8_t)pending, !shared);
        const uint64_t rest = pending >> 8;
        memcpy(bytes + 1, &rest, 7);
        shared = false;
        bytes += 8;
        pending = filled == 0 ? 0 : word >> (64 - filled);
        filled += count - 64;
    }

    void finish() {
        for (int at = 0; 8 * at < filled; ++at) {
            put_byte(at, (uint8_t)(pending >> (8 * at)), 8 * at + 8 <= filled && !(at == 0 && shared));
        }
    }
};

struct FilterBitsContext {
    BitSource bits;           // in
    const uint64_t* words;    // in: of the plan
    const int64_t* starts;    // in: kept rows before each slice, and in all
    uint8_t* out;             // out: bits; bytes in which slices meet are cleared before
};

template <typename Extract>
int filter_bits(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const FilterBitsContext ctx = *(const FilterBitsContext*)raw;
    if (ctx.starts[slice] == ctx.starts[slice + 1]) return OK;
    BitWriter writer(ctx.out, ctx.starts[slice]);
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const uint64_t word = ctx.words[row / WORD_ROWS];
        if (word == 0) continue;
        const uint64_t bits = word_at(ctx.bits, row, rows_in_word(row, stop));
        writer.push(Extract::bits(bits, word), __builtin_popcountll(word));
    }
    writer.finish();
    return OK;
}

inline kernel_t filter_bits_kernel(int vectors) {
#if FASTFRAME_X86_COMPACT
    if (vectors >= 2 && has_bmi2()) return filter_bits<Bmi2Extract>;
#endif
    return filter_bits<SoftwareExtract>;
}

struct KeptRowsContext {
    const uint64_t* words;    // in: of the plan
    const int64_t* starts;    // in
    row_t* out;               // out: numbers of the kept rows, ascending
};

struct ScalarRows {
    static constexpr int64_t SLACK = INT64_MAX;   // a word's rows go one by one
    static row_t* word(int64_t, uint64_t, row_t* out) { return out; }
};

#if FASTFRAME_X86_COMPACT
struct Avx2Rows {   // 8 rows at a time: a byte's positions widen to rows
    static constexpr int64_t SLACK = 8;           // rows that a store may write after the last one kept
    __attribute__((target("avx2,popcnt"))) static row_t* word(int64_t row, uint64_t word, row_t* out) {
        for (int group = 0; group < 8; ++group) {
            const unsigned kept = (unsigned)(word >> (8 * group)) & 255;
            const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)POSITIONS.of[kept]));
            _mm256_storeu_si256((__m256i*)out, _mm256_add_epi32(lanes, _mm256_set1_epi32((int)row + 8 * group)));
            out += __builtin_popcount(kept);
        }
        return out;
    }
};
#endif

template <typename Rows>
int kept_rows(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const KeptRowsContext ctx = *(const KeptRowsContext*)raw;
    row_t* out = ctx.out + ctx.starts[slice];
    const row_t* const end = ctx.out + ctx.starts[slice + 1];
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        uint64_t word = ctx.words[row / WORD_ROWS];
        const int kept = __builtin_popcountll(word);
        if (kept > FEW_KEPT && end - out - kept >= Rows::SLACK) {
            out = Rows::word(row, word, out);
            continue;
        }
        if (word == ~(uint64_t)0) {
            for (int bit = 0; bit < 64; ++bit) out[bit] = (row_t)(row + bit);
            out += 64;
            continue;
        }
        for (; word; word &= word - 1) *out++ = (row_t)(row + __builtin_ctzll(word));
    }
    return OK;
}

inline kernel_t kept_rows_kernel(int vectors) {
#if FASTFRAME_X86_COMPACT
    if (vectors >= 2 && has_avx2()) return kept_rows<Avx2Rows>;
#endif
    return kept_rows<ScalarRows>;
}

struct RanksContext {
    const uint64_t* words;    // in: of the plan
    const int64_t* starts;    // in
    row_t* out;               // out: per row, how many kept rows come before it; -1 where it is not kept
};

inline int kept_ranks(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const RanksContext ctx = *(const RanksContext*)raw;
    row_t rank = (row_t)ctx.starts[slice];
    for (int64_t row = start; row < stop; row += WORD_ROWS) {
        const uint64_t word = ctx.words[row / WORD_ROWS];
        const int count = rows_in_word(row, stop);
        for (int bit = 0; bit < count; ++bit) {
            const row_t kept = (row_t)((word >> bit) & 1);
            ctx.out[row + bit] = kept ? rank : NO_ROW;
            rank += kept;
        }
    }
    return OK;
}

}  // namespace ff
