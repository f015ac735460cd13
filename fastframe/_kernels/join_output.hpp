// The second pass of a join: the pairs of each slice, and all columns of theirs while the row numbers are in L1.
//
// Row numbers are never written for the whole table: a few thousand pairs are made, then every wanted column is gathered
// for them. Columns of the build side that no cache holds come as records (packed_rows.hpp), one miss per pair for all of
// them. What the result does not fit in a cache is streamed past it.
#pragma once
#include <memory>
#include <new>
#include <vector>

#include "filter.hpp"
#include "join.hpp"
#include "packed_rows.hpp"

namespace ff {

constexpr int MOST_PAIRS = 4096;          // made before their columns are gathered
constexpr int CHUNK = RECORD_BLOCK;  // values of one column gathered at a time
constexpr int FETCH_AHEAD = 24;      // of values whose column is larger than the cache

enum Side : int64_t { PROBE = 0, BUILD = 1 };

// One column, or validity of one, to be gathered. All members are 8 bytes: a table of them is an array of the caller.
struct JoinOutput {
    const uint8_t* source;   // in: values at row 0, or the buffer of bits; null: the row numbers, or whether there is one
    int64_t bit_offset;      // in
    int64_t width;           // in: bytes of a value; 0: bits
    int64_t side;            // in: Side
    int64_t prefetch;        // in: the source is larger than the cache
    uint8_t* out;            // out: bits are cleared by the caller where slices meet
};

struct EmitContext {
    CodeSource probe;             // in
    const int32_t* offsets;       // in: the groups, or null
    const row_t* rows;            // in
    const row_t* row_of_code;     // in: else the map; null where records are found by their codes
    const uint64_t* words;        // in, of a map: the rows that have a partner, the others give no pair; null: all do
    Occurrence build;             // in: of a map whose probe rows come out once, each; `present` null: not so, or all have a partner
    uint64_t* found;              // out, with `build`: one bit per row, whether it has a partner
    int64_t* n_found;             // out, with `build`: per slice; cleared before
    int64_t keeps_unmatched;      // in: a row without partner comes out once
    int64_t prefetch;             // in: map or groups are larger than the cache
    const int64_t* starts;        // in: per slice, result rows before it
    const JoinOutput* outputs;    // in
    int64_t n_outputs;            // in
    const Records* records;       // in: columns of the build side as records; their fields say where they go
    int64_t n_records;            // in
    int64_t misses;               // in: a pair may lack its build row
    int64_t streams;              // in: whether the result is larger than the caches
};

// ---- records found by their codes ---------------------------------------------------------------------------------

struct CodeRecords {
    CodeSource build;    // in: no code occurs twice
    Records records;     // out: at each code that occurs, its row's record; others are not written
};

template <int SIZE>
inline void scatter_records_of(uint8_t* records, const uint8_t* block, const code_t* codes, int count) {
    for (int at = 0; at < count; ++at) {
        if (codes[at] != NO_PARTNER) memcpy(records + (int64_t)codes[at] * SIZE, block + at * SIZE, SIZE);
    }
}

// Runs over build rows. The lines are fetched while the records are made.
inline int scatter_records(void* raw, int64_t start, int64_t stop, int64_t) {
    const CodeRecords in = *(const CodeRecords*)raw;
    alignas(LINE) uint8_t block[BLOCK_BYTES];
    memset(block, 0, sizeof(block));   // bytes between the fields stay zero
    CodeBlock code_block;
    for (int64_t row = start; row < stop; row += RECORD_BLOCK) {
        const int count = (int)std::min<int64_t>(RECORD_BLOCK, stop - row);
        const code_t* codes = codes_of(in.build, row, count, code_block);
        fetch_to_write(in.records.records, codes, count, in.records.size);
        fill_records(in.records, row, count, block);
        switch (in.records.size) {
            case 8: scatter_records_of<8>(in.records.records, block, codes, count); break;
            case 16: scatter_records_of<16>(in.records.records, block, codes, count); break;
            case 32: scatter_records_of<32>(in.records.records, block, codes, count); break;
            default: scatter_records_of<64>(in.records.records, block, codes, count);
        }
    }
    return OK;
}

// ---- pairs and their columns --------------------------------------------------------------------------------------

struct Sink {
    LineWriter values;
    BitWriter bits;
    Sink(uint8_t* out, int64_t width, int64_t place, bool streams)
        : values(out + place * width, streams && width), bits(width ? nullptr : out, width || !out ? 0 : place) {}
};

struct EmitScratch {
    CodeBlock block;
    row_t probe_rows[MOST_PAIRS];
    row_t build_rows[MOST_PAIRS];
    int32_t first[PACK_BLOCK];
    int32_t last[PACK_BLOCK];
    code_t matched[PACK_BLOCK + STORE_SLACK];
    uint8_t found[PACK_BLOCK];
    alignas(LINE) uint8_t stage[CHUNK * sizeof(uint128_t) + 2 * LINE];
    alignas(LINE) uint8_t records[BLOCK_BYTES];
};

// Of an unsigned type: where there is no row, its value is masked to zero, for a branch would be mispredicted.
template <typename T, bool MISSES>
inline void gather_one(const uint8_t* source, row_t row, uint8_t* out, int at) {
    if (!MISSES) return store<T>(out, at, load<T>(source, row));
    const row_t present = ~(row >> 31);   // all bits, or none
    store<T>(out, at, load<T>(source, row & present) & (T)(int64_t)present);
}

// `source` comes by value: the bytes that are stored could be anything's for all that a compiler knows.
template <typename T, bool MISSES>
inline void gather_near(const uint8_t* source, const row_t* rows, int count, uint8_t* out) {
    for (int at = 0; at < count; ++at) gather_one<T, MISSES>(source, rows[at], out, at);
}

template <typename T, bool MISSES>
inline void gather_far(const uint8_t* source, const row_t* rows, int count, int known, uint8_t* out) {
    int at = 0;
    for (; at < count && at + FETCH_AHEAD < known; ++at) {
        const row_t ahead = rows[at + FETCH_AHEAD];
        __builtin_prefetch(source + (int64_t)(MISSES && ahead < 0 ? 0 : ahead) * (int64_t)sizeof(T));
        gather_one<T, MISSES>(source, rows[at], out, at);
    }
    for (; at < count; ++at) gather_one<T, MISSES>(source, rows[at], out, at);
}

template <typename T, bool MISSES>
inline void gather_chunk(const JoinOutput& output, const row_t* rows, int count, int known, uint8_t* out) {
    if (output.source == nullptr) {
        memcpy(out, rows, (size_t)count * sizeof(row_t));   // of width 4
    } else if (output.prefetch) {
        gather_far<T, MISSES>(output.source, rows, count, known, out);
    } else {
        gather_near<T, MISSES>(output.source, rows, count, out);
    }
}

template <bool MISSES>
inline void gather_bits(const JoinOutput& output, const row_t* rows, int count, BitWriter& sink) {
    for (int start = 0; start < count; start += 64) {
        const int width = std::min(64, count - start);
        uint64_t word = 0;
        for (int lane = 0; lane < width; ++lane) {
            const row_t row = rows[start + lane];
            const bool absent = MISSES && row < 0;
            const bool bit = output.source == nullptr || bit_at(output.source, output.bit_offset + (absent ? 0 : row));
            word |= (uint64_t)(bit && !absent) << lane;
        }
        sink.push(word, width);
    }
}

template <bool MISSES>
struct Emitter {
    const EmitContext& in;
    EmitScratch& scratch;
    std::vector<Sink> sinks;   // of the outputs, then of each record's fields: values, validity
    int n_pairs = 0;
    int64_t n_found = 0;
    const compact_t compact = compact_of_4();

    Emitter(const EmitContext& in, EmitScratch& scratch, int64_t place) : in(in), scratch(scratch) {
        for (int64_t at = 0; at < in.n_outputs; ++at) add(in.outputs[at].out, in.outputs[at].width, place);
        for (int64_t record = 0; record < in.n_records; ++record) {
            for (int64_t at = 0; at < in.records[record].n_fields; ++at) {
                const RecordField& field = in.records[record].fields[at];
                add(field.out, field.width, place);
                add(field.out_validity, 0, place);
            }
        }
    }

    void add(uint8_t* out, int64_t width, int64_t place) { sinks.emplace_back(out, width, place, in.streams != 0); }

    void gather_values(const JoinOutput& output, const row_t* rows, int count, int known, uint8_t* out) {
        switch (output.width) {
            case 1: return gather_chunk<uint8_t, MISSES>(output, rows, count, known, out);
            case 2: return gather_chunk<uint16_t, MISSES>(output, rows, count, known, out);
            case 4: return gather_chunk<uint32_t, MISSES>(output, rows, count, known, out);
            case 8: return gather_chunk<uint64_t, MISSES>(output, rows, count, known, out);
            default: return gather_chunk<uint128_t, MISSES>(output, rows, count, known, out);
        }
    }

    void flush_output(const JoinOutput& output, Sink& sink) {
        const row_t* rows = output.side == PROBE ? scratch.probe_rows : scratch.build_rows;
        if (output.width == 0) return gather_bits<MISSES>(output, rows, n_pairs, sink.bits);
        for (int start = 0; start < n_pairs; start += CHUNK) {
            const int count = std::min(CHUNK, n_pairs - start);
            gather_values(output, rows + start, count, n_pairs - start, sink.values.target(scratch.stage));
            sink.values.put(scratch.stage, count * output.width);
        }
    }

    static void push_bits(const uint8_t* block, int64_t size, int64_t bit, int count, BitWriter& sink) {
        for (int at = 0; at < count; at += 64) {
            const int width = std::min(64, count - at);
            sink.push(unpack_bits(block + at * size, size, bit, width), width);
        }
    }

    // Field by field from some records in L1; `sink` is that of the first field.
    void flush_records(const Records& records, size_t sink) {
        for (int start = 0; start < n_pairs; start += RECORD_BLOCK) {
            const int count = std::min(RECORD_BLOCK, n_pairs - start);
            copy_records<MISSES>(records, scratch.build_rows + start, count, n_pairs - start, scratch.records);
            for (int64_t at = 0; at < records.n_fields; ++at) {
                const RecordField& field = records.fields[at];
                Sink& values = sinks[sink + 2 * at];
                if (field.width == 0) {
                    push_bits(scratch.records, records.size, field.offset, count, values.bits);
                } else {
                    unpack_values(field, scratch.records, records.size, count, values.values.target(scratch.stage));
                    values.values.put(scratch.stage, count * field.width);
                }
                if (field.out_validity) push_bits(scratch.records, records.size, field.valid_bit, count, sinks[sink + 2 * at + 1].bits);
            }
        }
    }

    void flush() {
        for (int64_t at = 0; at < in.n_outputs; ++at) flush_output(in.outputs[at], sinks[at]);
        size_t sink = in.n_outputs;
        for (int64_t record = 0; record < in.n_records; ++record) {
            flush_records(in.records[record], sink);
            sink += 2 * in.records[record].n_fields;
        }
        n_pairs = 0;
    }

    void finish() {
        flush();
        for (Sink& sink : sinks) {
            sink.values.finish();
            sink.bits.finish();
        }
        end_stream();
    }

    // Up to PACK_BLOCK rows of which each has one partner at most: its row, or its code where records are found by that.
    void probe_unique(int64_t row, int count) {
        if (n_pairs + count > MOST_PAIRS) flush();
        const code_t* codes = codes_of(in.probe, row, count, scratch.block);
        row_t* out = scratch.build_rows + n_pairs;
        const int n_matched = in.words ? keep_matched(codes, row, count) : count;
        const code_t* matched = in.words ? scratch.matched : codes;
        if (in.row_of_code == nullptr) {
            memcpy(out, matched, (size_t)n_matched * sizeof(row_t));
        } else {
            if (in.prefetch) fetch(in.row_of_code, matched, n_matched);
            for (int at = 0; at < n_matched; ++at) out[at] = in.row_of_code[matched[at]];
        }
        n_pairs += n_matched;
    }

    // Up to PACK_BLOCK rows that come once, each, whether they have a partner or not, which is found here.
    void probe_all(int64_t row, int count) {
        if (n_pairs + count > MOST_PAIRS) flush();
        const code_t* codes = codes_of(in.probe, row, count, scratch.block);
        row_t* out = scratch.build_rows + n_pairs;
        const uint8_t* const found = scratch.found;
        look_up(in.build, codes, count, scratch.found);
        for (int at = 0; at < count; ++at) out[at] = (row_t)(codes[at] | ((code_t)found[at] - 1));   // all bits where there is none
        if (in.row_of_code) map_rows(in.row_of_code, out, count);
        for (int at = 0; at < count; at += 64) {
            const uint64_t word = pack_bytes(found + at);
            in.found[(row + at) / 64] = word;
            n_found += __builtin_popcountll(word);
        }
        n_pairs += count;
    }

    // Codes, NO_ROW among them, to their rows.
    void map_rows(const row_t* row_of_code, row_t* codes, int count) {
        if (in.prefetch) {
            for (int at = 0; at < count; ++at) __builtin_prefetch(row_of_code + (codes[at] & ~(codes[at] >> 31)));
        }
        for (int at = 0; at < count; ++at) {
            const row_t has = ~(codes[at] >> 31);   // all bits, or none
            codes[at] = row_of_code[codes[at] & has] | ~has;
        }
    }

    static void fetch(const int32_t* entries, const code_t* codes, int count) {
        for (int at = 0; at < count; ++at) {
            if (codes[at] != NO_PARTNER) __builtin_prefetch(entries + codes[at]);
        }
    }

    int keep_matched(const code_t* codes, int64_t row, int count) {
        uint8_t* const begin = (uint8_t*)scratch.matched;
        uint8_t* out = begin;
        for (int at = 0; at < count; at += 64) {
            const uint8_t* values = (const uint8_t*)(codes + at);
            const uint64_t word = in.words[(row + at) / 64];
            out = count - at < 64 ? keep_one_by_one<code_t>(values, word, out) : compact(values, word, out);
        }
        return (int)((out - begin) / (int64_t)sizeof(code_t));
    }

    // Up to PACK_BLOCK rows against groups.
    void probe_groups(int64_t row, int count) {
        const code_t* codes = codes_of(in.probe, row, count, scratch.block);
        if (in.prefetch) fetch(in.offsets, codes, count);
        for (int at = 0; at < count; ++at) {
            const bool absent = codes[at] == NO_PARTNER;
            scratch.first[at] = absent ? 0 : in.offsets[codes[at]];
            scratch.last[at] = absent ? 0 : in.offsets[codes[at] + 1];
            if (in.prefetch) __builtin_prefetch(in.rows + scratch.first[at]);
        }
        for (int at = 0; at < count; ++at) {
            int32_t first = scratch.first[at];
            const int32_t last = scratch.last[at];
            if (first == last && in.keeps_unmatched) put((row_t)(row + at), NO_ROW);
            for (; first < last; ++first) put((row_t)(row + at), in.rows[first]);
        }
    }

    void put(row_t probe_row, row_t build_row) {
        if (n_pairs == MOST_PAIRS) flush();
        scratch.probe_rows[n_pairs] = probe_row;
        scratch.build_rows[n_pairs++] = build_row;
    }
};

template <bool MISSES>
int emit_pairs(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const EmitContext in = *(const EmitContext*)raw;
    if (in.starts[slice] == in.starts[slice + 1]) return OK;   // a slice without bits must not touch its neighbours'
    try {
        const std::unique_ptr<EmitScratch> scratch(new EmitScratch);
        Emitter<MISSES> emitter(in, *scratch, in.starts[slice]);
        for (int64_t row = start; row < stop; row += PACK_BLOCK) {
            if (in.offsets) {
                emitter.probe_groups(row, rows_in_block(row, stop));
            } else if (in.build.present) {
                emitter.probe_all(row, rows_in_block(row, stop));
            } else {
                emitter.probe_unique(row, rows_in_block(row, stop));
            }
        }
        emitter.finish();
        if (in.build.present) in.n_found[slice] = emitter.n_found;
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

inline kernel_t emit_kernel(bool misses) { return misses ? emit_pairs<true> : emit_pairs<false>; }

}  // namespace ff
