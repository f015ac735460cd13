// The plan by partitions, for many groups: rows are scattered once, as records of all the columns that a program reads,
// by ranges of groups; then each partition owns the states of its groups, which fit a core's cache.
//
// A record holds the row's code, a mask of the columns that are null there (where some have nulls), and the values, one
// after the other. Rows keep their order within a partition; rows without a group are left out. The places of a block of
// rows are computed and prefetched for writing before anything is written (measured: half the time, see scatter.hpp).
//
// Records are bounded: where all of them would take too much, they come in batches, each of some slices of rows and of some
// partitions. Between the batches of a range of rows the states of their partitions are kept.
#pragma once
#include <memory>

#include "program_runs.hpp"

namespace ff {

constexpr int SCATTER_ROWS = 64;
constexpr int MOST_RECORD_BYTES = 512;

template <class Source>
void put_values(const View& view, const row_t* rows, int count, uint8_t* const* records, int64_t offset) {
    for (int lane = 0; lane < count; ++lane) store<typename Source::value_t>(records[lane] + offset, 0, Source::at(view, rows[lane]));
}

template <class Source>
void gather_values(const View& view, const row_t* rows, int count, uint8_t* out) {
    for (int lane = 0; lane < count; ++lane) store<typename Source::value_t>(out, lane, Source::at(view, rows[lane]));
}

// Over rows.
template <typename Code>
int count_records(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Program& program = *((const Bound*)raw)->program;
    const uint32_t n_groups = (uint32_t)program.n_groups;
    int32_t* counts = program.places + slice * program.n_partitions;   // of one partition more than there are: none
    memset(counts, 0, (size_t)program.n_partitions * sizeof(int32_t));
    for (int64_t row = start; row < stop; ++row) {
        const uint32_t code = load<Code>(program.codes, row) - program.base;
        if (code < n_groups) ++counts[code >> program.shift];
    }
    return OK;
}

inline void put_masks(const Program& program, const row_t* rows, int count, uint8_t* const* records) {
    uint32_t masks[SCATTER_ROWS] = {};
    for (size_t input = 0; input < program.inputs.size(); ++input) {
        const View& view = program.inputs[input].view;
        if (view.validity == nullptr) continue;
        for (int lane = 0; lane < count; ++lane) masks[lane] |= (uint32_t)!bit_at(view.validity, view.bit_offset + rows[lane]) << input;
    }
    for (int lane = 0; lane < count; ++lane) store<uint32_t>(records[lane] + 4, 0, masks[lane]);
}

// At most SCATTER_ROWS rows as records.
inline void fill_records(const Program& program, const row_t* rows, const uint32_t* codes, int count, uint8_t* const* records) {
    for (int lane = 0; lane < count; ++lane) store<uint32_t>(records[lane], 0, codes[lane]);
    if (program.has_mask) put_masks(program, rows, count, records);
    for (const Input& input : program.inputs) {
        if (input.width > 0) input.put(input.view, rows, count, records, input.offset);
    }
}

// Rows of the batch, at most SCATTER_ROWS, to their places.
inline void put_records(const Program& program, int32_t* places, const row_t* rows, const uint32_t* codes, int count) {
    uint8_t* records[SCATTER_ROWS];
    for (int lane = 0; lane < count; ++lane) {
        records[lane] = program.records + (int64_t)places[codes[lane] >> program.shift]++ * program.record_bytes;
        __builtin_prefetch(records[lane], 1);
    }
    fill_records(program, rows, codes, count, records);
}

// Over the batch's slices of rows, once counts are places.
template <typename Code>
int scatter_records(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Program& program = *((const Bound*)raw)->program;
    const uint32_t first_group = (uint32_t)(program.first_partition << program.shift);
    const int64_t stop_group = program.stop_partition << program.shift;
    const uint32_t n_groups = (uint32_t)(stop_group < program.n_groups ? stop_group : program.n_groups) - first_group;
    int32_t* places = program.places + (program.first_slice + slice) * program.n_partitions;
    start += program.first_row;
    stop += program.first_row;
    row_t rows[2 * SCATTER_ROWS];
    uint32_t codes[2 * SCATTER_ROWS];
    int n_picked = 0;
    for (int64_t row = start; row < stop; row += SCATTER_ROWS) {
        const int count = (int)(stop - row < SCATTER_ROWS ? stop - row : SCATTER_ROWS);
        for (int lane = 0; lane < count; ++lane) {
            const uint32_t code = load<Code>(program.codes, row + lane) - program.base;
            rows[n_picked] = (row_t)(row + lane);
            codes[n_picked] = code;
            n_picked += code - first_group < n_groups;
        }
        if (n_picked < SCATTER_ROWS) continue;
        put_records(program, places, rows, codes, SCATTER_ROWS);
        n_picked -= SCATTER_ROWS;
        memcpy(rows, rows + SCATTER_ROWS, (size_t)n_picked * sizeof(row_t));
        memcpy(codes, codes + SCATTER_ROWS, (size_t)n_picked * sizeof(uint32_t));
    }
    put_records(program, places, rows, codes, n_picked);
    return OK;
}

template <typename T>
inline void take_values(const uint8_t* records, int64_t record_bytes, int count, uint8_t* out) {
    for (int lane = 0; lane < count; ++lane) store<T>(out, lane, load<T>(records + lane * record_bytes, 0));
}

inline void take_input(const uint8_t* records, int64_t record_bytes, int count, int32_t width, uint8_t* out) {
    switch (width) {
        case 1: return take_values<uint8_t>(records, record_bytes, count, out);
        case 2: return take_values<uint16_t>(records, record_bytes, count, out);
        case 4: return take_values<uint32_t>(records, record_bytes, count, out);
        case 8: return take_values<uint64_t>(records, record_bytes, count, out);
        case 16: return take_values<uint128_t>(records, record_bytes, count, out);
        default: return;
    }
}

// One or two words of each record's state, added as they lie in the record: nothing is unpacked, no targets are made.
template <int N_WORDS, int KINDS>
void add_record_words(uint8_t* states, int64_t stride, uint32_t first_group, const uint8_t* records, int64_t record_bytes,
                      const int32_t (*places)[2], int count) {
    const int32_t first[2] = {places[0][0], places[0][1]}, second[2] = {places[1][0], places[1][1]};
    uint8_t* base = opaque(states);
    const uint8_t* end = records + count * record_bytes;
    for (const uint8_t* record = records; record < end; record += record_bytes) {
        uint64_t* state = (uint64_t*)(base + stride * (int64_t)(load<uint32_t>(record, 0) - first_group));
        const uint8_t* values[2] = {record + first[0], record + first[1]};
        add_run_word<KINDS % RUN_KINDS>(state, values, 0);
        if constexpr (N_WORDS > 1) {
            const uint8_t* others[2] = {record + second[0], record + second[1]};
            add_run_word<KINDS / RUN_KINDS>(state + 1, others, 0);
        }
    }
}

typedef void (*record_words_t)(uint8_t* states, int64_t stride, uint32_t first_group, const uint8_t* records, int64_t record_bytes,
                               const int32_t (*places)[2], int count);

template <int N_WORDS, int... KINDS>
inline record_words_t record_words_of(std::integer_sequence<int, KINDS...>, int kinds) {
    static constexpr record_words_t kernels[] = {add_record_words<N_WORDS, KINDS>...};
    return kernels[kinds];
}

inline record_words_t record_words_kernel(int n_words, int kinds) {
    if (n_words == 1) return record_words_of<1>(std::make_integer_sequence<int, RUN_KINDS>(), kinds);
    return record_words_of<2>(std::make_integer_sequence<int, RUN_KINDS * RUN_KINDS>(), kinds);
}

constexpr int RECORD_WORDS = 2;   // one such loop adds

// Words that are neighbours in the state, and where their values (or their halves') are in a record.
struct RecordLoop {
    record_words_t add;
    int64_t offset;
    int32_t places[RECORD_WORDS][2];
};

// Empty where some step does something else than to add words, or a mask says what is null.
inline std::vector<RecordLoop> plan_record_loops(const Program& program) {
    std::vector<RecordLoop> loops;
    if (program.has_mask) return loops;
    for (const Loop& loop : plan_loops(program)) {
        if (loop.n_words == 0) return {};
        for (int first = 0; first < loop.n_words; first += RECORD_WORDS) {
            const bool two = first + 1 < loop.n_words;
            RecordLoop own = {record_words_kernel(two ? 2 : 1, loop.kinds[first] + (two ? RUN_KINDS * loop.kinds[first + 1] : 0)), loop.offset + 8 * first, {}};
            for (int word = 0; word < (two ? 2 : 1); ++word) {
                for (int half = 0; half < 2; ++half) {
                    const int32_t input = loop.inputs[first + word][half];
                    own.places[word][half] = input >= 0 ? program.inputs[(size_t)input].offset : 0;
                }
            }
            loops.push_back(own);
        }
    }
    return loops;
}

template <typename T>
inline bool any_nan_record(const uint8_t* records, int64_t record_bytes, int count) {
    bool any = false;
    for (int lane = 0; lane < count; ++lane) {
        const T value = load<T>(records + lane * record_bytes, 0);
        any |= value != value;
    }
    return any;
}

// Whether some value of the records is NaN, where that is a missing value.
inline bool records_lack(const Program& program, const uint8_t* records, int count) {
    for (const Presence& presence : program.presences) {
        const int32_t pair[2] = {presence.input, presence.other}, nan_bytes[2] = {presence.nan_bytes, presence.nan_other};
        for (int one = 0; one < 2; ++one) {
            if (pair[one] < 0 || nan_bytes[one] == 0) continue;
            const uint8_t* values = records + program.inputs[(size_t)pair[one]].offset;
            if (nan_bytes[one] == 8 ? any_nan_record<double>(values, program.record_bytes, count) : any_nan_record<float>(values, program.record_bytes, count)) {
                return true;
            }
        }
    }
    return false;
}

// The records of a block as columns, in the memory of one thread; where `loops` can add all of them, blocks are not unpacked.
struct Unpacked {
    std::vector<RecordLoop> loops;
    std::vector<uint8_t> values;      // inputs x STEP_ROWS values of 16 bytes
    std::vector<uint64_t> validity;   // inputs x STEP_ROWS bits
    std::vector<View> views;

    explicit Unpacked(const Program& program)
        : loops(plan_record_loops(program)), values(program.inputs.size() * STEP_ROWS * 16 + 16), validity(program.inputs.size() * (STEP_ROWS / 64)), views(program.views) {
        for (size_t input = 0; input < program.inputs.size(); ++input) {
            const bool nullable = program.inputs[input].view.validity != nullptr;
            views[input] = {values.data() + input * STEP_ROWS * 16, nullable ? (const uint8_t*)(validity.data() + input * (STEP_ROWS / 64)) : nullptr, 0, STEP_ROWS};
        }
    }
    void load_block(const Program& program, const uint8_t* records, int count) {
        for (size_t input = 0; input < program.inputs.size(); ++input) {
            const Input& one = program.inputs[input];
            take_input(records + one.offset, program.record_bytes, count, one.width, values.data() + input * STEP_ROWS * 16);
            if (one.view.validity == nullptr) continue;
            uint64_t* bits = validity.data() + input * (STEP_ROWS / 64);
            memset(bits, 0, STEP_ROWS / 8);
            for (int lane = 0; lane < count; ++lane) {
                const uint64_t missing = load<uint32_t>(records + lane * program.record_bytes + 4, 0) >> input & 1;
                bits[lane >> 6] |= (missing ^ 1) << (lane & 63);
            }
        }
    }
    // The same, of rows that are not records.
    void gather_rows(const Program& program, const row_t* rows, int count) {
        for (size_t input = 0; input < program.inputs.size(); ++input) {
            const Input& one = program.inputs[input];
            if (one.width > 0) one.gather(one.view, rows, count, values.data() + input * STEP_ROWS * 16);
            if (one.view.validity == nullptr) continue;
            uint64_t* bits = validity.data() + input * (STEP_ROWS / 64);
            memset(bits, 0, STEP_ROWS / 8);
            for (int lane = 0; lane < count; ++lane) {
                bits[lane >> 6] |= (uint64_t)bit_at(one.view.validity, one.view.bit_offset + rows[lane]) << (lane & 63);
            }
        }
    }
};

// At most STEP_ROWS records of groups from `first_group` on.
inline bool add_block(const Program& program, uint32_t first_group, const uint8_t* records, int count, Unpacked& unpacked, const Area& area) {
    const uint32_t words = (uint32_t)(program.stride / 8);
    if (!unpacked.loops.empty() && !records_lack(program, records, count)) {
        for (const RecordLoop& loop : unpacked.loops) {
            loop.add(area.states + loop.offset, program.stride, first_group, records, program.record_bytes, loop.places, count);
        }
        return true;
    }
    uint32_t group[STEP_ROWS], target[STEP_ROWS];
    for (int lane = 0; lane < count; ++lane) {
        group[lane] = load<uint32_t>(records + lane * program.record_bytes, 0) - first_group;
        target[lane] = group[lane] * words;
    }
    unpacked.load_block(program, records, count);
    return update_block(program, unpacked.views.data(), area, group, target, 0, count, true);
}

inline int add_records(const Program& program, int64_t partition, Unpacked& unpacked, const Area& area) {
    const uint32_t first_group = (uint32_t)(partition << program.shift);
    const int32_t* starts = program.starts + (partition - program.first_partition);
    for (int64_t place = starts[0]; place < starts[1]; place += STEP_ROWS) {
        const int count = (int)(starts[1] - place < STEP_ROWS ? starts[1] - place : STEP_ROWS);
        const uint8_t* records = program.records + place * program.record_bytes;
        if (!add_block(program, first_group, records, count, unpacked, area)) return OVERFLOW_;
    }
    return OK;
}

// Results of the groups of an area, which are `first_group` and on; a multiple of 8.
inline int emit_area(const Program& program, int64_t first_group, const Area& area) {
    for (const Step& step : program.steps) {
        if (step.kernels->close != nullptr) step.kernels->close(area.states + step.offset, program.stride, area.n_groups);
    }
    for (int32_t counted = 0; counted < program.n_counted; ++counted) area.missing_of(counted);
    for (int64_t at = 0; at < area.n_groups; at += GROUP_BLOCK) {
        const int count = (int)(area.n_groups - at < GROUP_BLOCK ? area.n_groups - at : GROUP_BLOCK);
        const int status = emit_groups(program, area, at, first_group + at, count);
        if (status != OK) return status;
    }
    return OK;
}

inline int update_partition(const Program& program, int64_t partition, Unpacked& unpacked, Area area) {
    const int64_t n_left = program.n_groups - (partition << program.shift), most = (int64_t)1 << program.shift;
    area.n_groups = n_left < most ? n_left : most;
    if (program.begins) {
        init_states(program, area.states, area.n_states());
        memset(area.touched, 0, (size_t)program.n_counted);
    }
    const int status = add_records(program, partition, unpacked, area);
    return status == OK && program.ends ? emit_area(program, partition << program.shift, area) : status;
}

// Over the partitions of the batch.
inline int update_partitions(void* raw, int64_t start, int64_t stop, int64_t) {
    const Program& program = *((const Bound*)raw)->program;
    const size_t n_states = ((size_t)1 << program.shift) + SPARE_SLOTS, n_counted = (size_t)program.n_counted;
    const size_t table_bytes = n_states * (size_t)program.stride;
    const bool kept = program.states != nullptr;
    try {
        const std::unique_ptr<uint8_t[]> states(kept ? nullptr : new uint8_t[table_bytes + 64]);   // not cleared
        const std::unique_ptr<uint32_t[]> missing(kept ? nullptr : new uint32_t[n_states * n_counted]);
        std::vector<uint8_t> touched(n_counted + 1);
        Unpacked unpacked(program);
        Area area = {(uint8_t*)(((uintptr_t)states.get() + 63) & ~(uintptr_t)63), missing.get(), touched.data(), 0, nullptr};
        for (int64_t number = start; number < stop; ++number) {
            if (kept) area = {program.states + number * table_bytes, program.missing + number * n_states * n_counted, program.touched + number * n_counted, 0};
            const int status = update_partition(program, program.first_partition + number, unpacked, area);
            if (status != OK) return status;
        }
    } catch (const std::bad_alloc&) {
        return OUT_OF_MEMORY;
    }
    return OK;
}

}  // namespace ff
