// Fixed-width columns as records, row by row: a random row then costs one cache miss instead of one per column.
//
// A record is 8 to 64 bytes, a power of two, so that none straddles a cache line: the values, widest first, then one bit
// per column that has nulls (1: not null) and per bool. Where that makes the record smaller, integers go among those bits: the
// distance from the smallest value, in as many bits as the largest distance takes, wherever they begin. Packing writes some records column by column into L1 and streams
// them out; gathering copies some records into L1, prefetched ahead, and from there takes them apart column by column.
// (Row-wise payload of joins: Balkesen et al., "Multi-core, main-memory joins: sort vs. hash revisited", VLDB 2013;
// its layout is that of DuckDB's tuple data without the heap.)
#pragma once
#include "bitmap.hpp"
#include "streaming.hpp"

namespace ff {

constexpr int RECORD_BLOCK = 256;        // rows at a time: at most 16 KB of records, half of an L1
constexpr int LARGEST_RECORD = 64;
constexpr int RECORDS_AHEAD = 16;        // records fetched ahead of their copy
constexpr int BLOCK_BYTES = RECORD_BLOCK * LARGEST_RECORD + 8;   // words of bits may end behind the last record

// One column's place in the records. All members are 8 bytes: a table of them is an int64 array of the caller.
struct RecordField {
    const uint8_t* values;      // in of packing: row 0, or for bits the buffer's start
    const uint8_t* validity;    // in of packing, or null
    int64_t bit_offset;         // in of packing
    int64_t width;              // in: bytes of a value; 0 for bits
    int64_t offset;             // in: of the value in the record; for bits, one or several: in bits
    int64_t valid_bit;          // in: of the record; -1 where no value is null
    uint8_t* out;               // out of gathering: values, or bits
    uint8_t* out_validity;      // out of gathering: bits, or null
    int64_t n_bits;             // in: bits of a distance, at most 57; 0: the value is there as it is
    int64_t low;                // in: the smallest value, where distances are kept
};

struct Records {
    const RecordField* fields;   // in
    int64_t n_fields;            // in
    int64_t size;                // in: bytes of a record
    int64_t flags;               // in: offset of the bytes that hold bits; `size` where there are none
    uint8_t* records;            // in, or out of packing; aligned to a cache line
    const row_t* rows;           // in of gathering: record numbers
    int64_t streams;             // in: whether the result is larger than the caches
};

// ---- packing -----------------------------------------------------------------------------------------------------

template <typename T>
inline void put_values(const RecordField& field, int64_t start, int count, int64_t size, uint8_t* block) {
    const uint8_t* values = field.values + start * (int64_t)sizeof(T);
    uint8_t* out = block + field.offset;
    for (int row = 0; row < count; ++row, out += size) store<T>(out, 0, load<T>(values, row));
}

inline void put_bits(const BitSource& source, int64_t bit, int64_t start, int count, int64_t size, uint8_t* block) {
    uint8_t* out = block + (bit >> 3);
    const int shift = (int)(bit & 7);
    for (int at = 0; at < count; at += WORD_ROWS) {
        const int width = count - at < WORD_ROWS ? count - at : (int)WORD_ROWS;
        uint64_t word = word_at(source, start + at, width);
        for (int row = 0; row < width; ++row, word >>= 1, out += size) *out |= (uint8_t)((word & 1) << shift);
    }
}

// What stands under a null may be any value: the mask keeps it out of the other fields.
template <typename T>
inline void put_distances(const RecordField& field, int64_t start, int count, int64_t size, uint8_t* block) {
    const uint8_t* values = field.values + start * (int64_t)sizeof(T);
    uint8_t* out = block + (field.offset >> 3);
    const int shift = (int)(field.offset & 7);
    const uint64_t low = (uint64_t)field.low, mask = ((uint64_t)1 << field.n_bits) - 1;
    for (int row = 0; row < count; ++row, out += size) {
        const uint64_t distance = ((uint64_t)load<T>(values, row) - low) & mask;
        store<uint64_t>(out, 0, load<uint64_t>(out, 0) | distance << shift);
    }
}

inline void put_narrow(const RecordField& field, int64_t start, int count, int64_t size, uint8_t* block) {
    switch (field.width) {
        case 1: return put_distances<uint8_t>(field, start, count, size, block);
        case 2: return put_distances<uint16_t>(field, start, count, size, block);
        case 4: return put_distances<uint32_t>(field, start, count, size, block);
        default: return put_distances<uint64_t>(field, start, count, size, block);
    }
}

inline void put_field(const RecordField& field, int64_t start, int count, int64_t size, uint8_t* block) {
    switch (field.n_bits ? -1 : field.width) {
        case -1: put_narrow(field, start, count, size, block); break;
        case 0: put_bits(BitSource{field.values, field.bit_offset, 0}, field.offset, start, count, size, block); break;
        case 1: put_values<uint8_t>(field, start, count, size, block); break;
        case 2: put_values<uint16_t>(field, start, count, size, block); break;
        case 4: put_values<uint32_t>(field, start, count, size, block); break;
        case 8: put_values<uint64_t>(field, start, count, size, block); break;
        default: put_values<uint128_t>(field, start, count, size, block);
    }
    if (field.valid_bit < 0) return;
    put_bits(BitSource{field.validity, field.bit_offset, ~(uint64_t)0}, field.valid_bit, start, count, size, block);
}

// The records of up to RECORD_BLOCK rows into a block whose unused bytes are zero.
inline void fill_records(const Records& ctx, int64_t row, int count, uint8_t* block) {
    if (ctx.flags < ctx.size) memset(block, 0, (size_t)(count * ctx.size));   // bits are added to what is there
    for (int64_t field = 0; field < ctx.n_fields; ++field) put_field(ctx.fields[field], row, count, ctx.size, block);
}

// Runs over source rows, in slices that are multiples of 8 rows.
inline int pack_records(void* raw, int64_t start, int64_t stop, int64_t) {
    const Records ctx = *(const Records*)raw;
    alignas(LINE) uint8_t block[BLOCK_BYTES];
    memset(block, 0, sizeof(block));   // bytes between the fields stay zero
    for (int64_t row = start; row < stop; row += RECORD_BLOCK) {
        const int count = (int)(stop - row < RECORD_BLOCK ? stop - row : RECORD_BLOCK);
        fill_records(ctx, row, count, block);
        uint8_t* out = ctx.records + row * ctx.size;
        const int64_t n_bytes = count * ctx.size, n_lines = ctx.streams ? n_bytes / LINE : 0;
        stream_lines(out, block, n_lines);
        memcpy(out + n_lines * LINE, block + n_lines * LINE, (size_t)(n_bytes - n_lines * LINE));
    }
    end_stream();
    return OK;
}

// ---- gathering ---------------------------------------------------------------------------------------------------

alignas(LINE) inline const uint8_t NO_RECORD[LARGEST_RECORD] = {};

// Where MISSES, -1 gives a record of zeros, in which no value is valid. By masks: a compiler makes a branch of a choice of
// addresses, and a join some of whose rows lack a partner would mispredict it.
template <int SIZE, bool MISSES>
inline void copy_record(const uint8_t* records, row_t row, uint8_t* out) {
    int64_t offset = (int64_t)row * SIZE;
    if constexpr (MISSES) {
        const int64_t present = ~(int64_t)(row >> 31);   // all bits, or none
        const int64_t nowhere = (int64_t)((uintptr_t)NO_RECORD - (uintptr_t)records);
        offset = (offset & present) | (nowhere & ~present);
    }
    memcpy(out, (const void*)((uintptr_t)records + (uintptr_t)offset), SIZE);
}

// Copies the records of `count` rows of the `known` ones that come.
template <int SIZE, bool MISSES>
inline void copy_records_of(const uint8_t* records, const row_t* rows, int count, int64_t known, uint8_t* block) {
    const int fetched = known - RECORDS_AHEAD < count ? (int)(known - RECORDS_AHEAD) : count;
    int at = 0;
    for (; at < fetched; ++at) {
        const row_t ahead = rows[at + RECORDS_AHEAD];
        __builtin_prefetch(records + (int64_t)(MISSES ? ahead & ~(ahead >> 31) : ahead) * SIZE);
        copy_record<SIZE, MISSES>(records, rows[at], block + at * SIZE);
    }
    for (; at < count; ++at) copy_record<SIZE, MISSES>(records, rows[at], block + at * SIZE);
}

template <bool MISSES>
inline void copy_records(const Records& in, const row_t* rows, int count, int64_t known, uint8_t* block) {
    switch (in.size) {
        case 8: return copy_records_of<8, MISSES>(in.records, rows, count, known, block);
        case 16: return copy_records_of<16, MISSES>(in.records, rows, count, known, block);
        case 32: return copy_records_of<32, MISSES>(in.records, rows, count, known, block);
        default: return copy_records_of<64, MISSES>(in.records, rows, count, known, block);
    }
}

// AT_ONCE values `size` bytes apart to places side by side, as vectors: single stores would be the bound, one a cycle.
constexpr int AT_ONCE = 4;

template <typename T>
inline void put_together(const uint8_t* block, int64_t size, uint8_t* out) {
    T values[AT_ONCE];   // which compilers make a vector of
    for (int lane = 0; lane < AT_ONCE; ++lane) values[lane] = load<T>(block + lane * size, 0);
    memcpy(out, values, sizeof(values));
}

#if defined(__SSE2__)
template <>
inline void put_together<uint64_t>(const uint8_t* block, int64_t size, uint8_t* out) {   // but not of these
    const double* values = (const double*)block;
    const int64_t step = size / (int64_t)sizeof(double);
    _mm_storeu_pd((double*)out, _mm_loadh_pd(_mm_load_sd(values), values + step));
    _mm_storeu_pd((double*)out + 2, _mm_loadh_pd(_mm_load_sd(values + 2 * step), values + 3 * step));
}
#endif

template <typename T>
inline void take_values_apart(const uint8_t* block, int64_t size, int64_t offset, int count, uint8_t* out) {
    block += offset;
    int row = 0;
    for (; row + AT_ONCE <= count; row += AT_ONCE, block += AT_ONCE * size) put_together<T>(block, size, out + row * (int64_t)sizeof(T));
    for (; row < count; ++row, block += size) store<T>(out, row, load<T>(block, 0));
}

template <typename T>
inline void add_distances(const RecordField& field, const uint8_t* block, int64_t size, int count, uint8_t* out) {
    block += field.offset >> 3;
    const int shift = (int)(field.offset & 7);
    const uint64_t low = (uint64_t)field.low, mask = ((uint64_t)1 << field.n_bits) - 1;
#pragma GCC unroll 4   // counters are else half of a step
    for (int row = 0; row < count; ++row, block += size) store<T>(out, row, (T)((load<uint64_t>(block, 0) >> shift & mask) + low));
}

inline void unpack_narrow(const RecordField& field, const uint8_t* block, int64_t size, int count, uint8_t* out) {
    switch (field.width) {
        case 1: return add_distances<uint8_t>(field, block, size, count, out);
        case 2: return add_distances<uint16_t>(field, block, size, count, out);
        case 4: return add_distances<uint32_t>(field, block, size, count, out);
        default: return add_distances<uint64_t>(field, block, size, count, out);
    }
}

// The values of a field of byte-wide values, one after the other.
inline void unpack_values(const RecordField& field, const uint8_t* block, int64_t size, int count, uint8_t* out) {
    if (field.n_bits) return unpack_narrow(field, block, size, count, out);
    switch (field.width) {
        case 1: return take_values_apart<uint8_t>(block, size, field.offset, count, out);
        case 2: return take_values_apart<uint16_t>(block, size, field.offset, count, out);
        case 4: return take_values_apart<uint32_t>(block, size, field.offset, count, out);
        case 8: return take_values_apart<uint64_t>(block, size, field.offset, count, out);
        default: return take_values_apart<uint128_t>(block, size, field.offset, count, out);
    }
}

// One bit of each of up to 64 records.
inline uint64_t unpack_bits(const uint8_t* block, int64_t size, int64_t bit, int count) {
    block += bit >> 3;
    const int shift = (int)(bit & 7);
    uint64_t word = 0;
    for (int row = 0; row < count; ++row, block += size) word |= (uint64_t)((*block >> shift) & 1) << row;
    return word;
}

inline void unpack_bitmap(const uint8_t* block, int64_t size, int64_t bit, int64_t start, int count, uint8_t* out) {
    for (int at = 0; at < count; at += WORD_ROWS) {
        const int width = count - at < WORD_ROWS ? count - at : (int)WORD_ROWS;
        store_word(out, start + at, unpack_bits(block + at * size, size, bit, width), width);
    }
}

// Runs over result rows; slices start at multiples of 512 rows, outputs are aligned to a cache line.
template <bool MISSES>
int gather_records(void* raw, int64_t start, int64_t stop, int64_t) {
    const Records ctx = *(const Records*)raw;
    alignas(LINE) uint8_t block[BLOCK_BYTES];
    alignas(LINE) uint8_t values[RECORD_BLOCK * sizeof(uint128_t)];
    for (int64_t row = start; row < stop; row += RECORD_BLOCK) {
        const int count = (int)(stop - row < RECORD_BLOCK ? stop - row : RECORD_BLOCK);
        copy_records<MISSES>(ctx, ctx.rows + row, count, stop - row, block);
        for (int64_t at = 0; at < ctx.n_fields; ++at) {
            const RecordField& field = ctx.fields[at];
            if (field.width == 0) {
                unpack_bitmap(block, ctx.size, field.offset, row, count, field.out);
            } else if (ctx.streams && count == RECORD_BLOCK) {
                unpack_values(field, block, ctx.size, count, values);
                stream_lines(field.out + row * field.width, values, RECORD_BLOCK * field.width / LINE);
            } else {
                unpack_values(field, block, ctx.size, count, field.out + row * field.width);
            }
            if (field.out_validity) unpack_bitmap(block, ctx.size, field.valid_bit, row, count, field.out_validity);
        }
    }
    end_stream();
    return OK;
}

inline kernel_t gather_records_kernel(bool misses) { return misses ? gather_records<true> : gather_records<false>; }

}  // namespace ff
