// One pass over the rows for several aggregations of several columns by group code.
//
// A program is a list of steps, one for each state. Every group has one row of the table of states, and each step's field
// lies at an offset of it: what a row updates for all its columns lies together. Rows come in blocks: group codes are
// turned into targets (places in the table) once, then each step runs a tight loop over the block. Rows that a column
// lacks a value of go to spare states, in a copy of the targets that is made only for blocks that have such rows.
//
// The number of rows of each group is counted once for all steps; what a column lacks is counted by group beside the
// table, where missing values are found, and taken off. Columns that lack nothing so cost nothing.
//
// Two plans give every group its values in row order. Slices (here): each slice of rows fills its own table; tables
// combine in slice order; the pass over a slice is in program_runs.hpp. Partitions (program_partitions.hpp): rows are
// scattered by ranges of groups, which each own their states. Shares (program_shares.hpp): threads share the groups.
#pragma once
#include <new>
#include <vector>

#include "compare_words.hpp"
#include "finalize.hpp"
#include "pair_runs.hpp"

namespace ff {

constexpr int GROUP_BLOCK = 256;   // groups whose results are made together
constexpr int64_t TOO_FEW = -((int64_t)1 << 62);

struct Step;
typedef void (*fill_t)(const Step&, const View* views, int64_t row, int count, const uint64_t* missing, const uint8_t** words, uint64_t* scratch, int* kinds);
typedef void (*fused_t)(const Step& step, const Step& next, const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count);

// Rows whose codes say where their states are: all are of some group.
struct Coded {
    const uint8_t* codes;
    uint32_t base;           // what code 0 is in `codes`
    int64_t table, stride;   // how far apart replicas of the table, and states, lie
};
typedef void (*coded_t)(const Step& step, const Step& next, const View* views, uint8_t* states, const Coded& rows, int64_t row, int count);
constexpr int EXTREME_NONE = -1, NOT_DIRECT = -1;

// An extreme and another of the same rows in one loop; null where there is none.
struct Beside {
    fused_t by_targets = nullptr;
    coded_t by_codes[3] = {};   // of one, two and four bytes
};
enum ExtremeType : int { OWN_TYPE = 0, TYPE_INT32 = 1, TYPE_INT64 = 2, TYPE_FLOAT = 3, TYPE_DOUBLE = 4, EXTREME_TYPES = 5 };

struct StepKernels {
    int32_t slot_bytes, n_field;
    int32_t n_words;          // of a state that is words to add to; 0 where it is not
    bool floats;              // whether its words are doubles
    fill_t fill, fill_scattered;
    void (*init)(uint8_t* slot);
    bool (*update)(const Step&, const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count);
    bool (*update_scattered)(const Step&, const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count);
    bool (*reduce)(const Step&, const View* views, uint8_t* state, int64_t start, int64_t stop);   // null: none; of one group
    void (*close)(uint8_t* states, int64_t stride, int64_t n_states);                              // null: none
    bool (*combine)(uint8_t* states, const uint8_t* later, int64_t stride, int64_t n_states, const Given& given);
    void (*emit)(const uint8_t* states, int64_t stride, int n_states, const int64_t* n, const StateColumns& out, int64_t first, const Given& given);
    kernel_t merge;                                                                                // null: none
    int32_t direct = NOT_DIRECT;           // the kind of its word, where rows add the column's values as they lie
    int32_t extreme = EXTREME_NONE;        // or the type of its values, twice, and whether it is the largest
    int32_t mixes = OWN_TYPE;              // which of the types that share a loop with each other
    Beside beside[EXTREME_TYPES][2];       // of extremes: with the smallest or the largest of their own type, or of those
    coded_t alone[3] = {};                 // the same, with no other
};

struct Step {
    const StepKernels* kernels;
    int32_t input, other;                  // in: columns, as numbers of inputs
    int64_t offset;                        // in: of its field in a state
    int32_t half;                          // in: of that word; what is LOW comes before what is HIGH, with no other words between
    Given given;                           // in
    convert_t convert[2], convert_scattered[2];   // in: of pairs
    const PairRuns* runs;                  // in: of exact pairs; null: none
};

// Which rows lack a value: those where a validity bit is 0, or a float is NaN. Steps [first_step, stop_step) skip them.
struct Presence {
    int32_t input, other;           // in: -1 where there is none
    int32_t nan_bytes, nan_other;   // in: width of a float that may be NaN, else 0
    int32_t counted;                // in: which table of missing values counts them; -1 where nobody asks
    int32_t first_step, stop_step;  // in
    mutable bool found_nan;         // out: whether some look came upon one, of a null or not; only ever set
};

// A column as steps read it.
struct Input {
    View view;         // in
    int32_t width;     // in: bytes of a value in a record; 0 where only its validity is read
    int32_t offset;    // in: in a record
    void (*put)(const View& view, const row_t* rows, int count, uint8_t* const* records, int64_t offset);
    void (*gather)(const View& view, const row_t* rows, int count, uint8_t* out);
};

enum Emitted : int { EMIT_N = -1, EMIT_MISSING = -2 };

// One result: the fields of a step's state, or what a finalizer (finalize.hpp) makes of them.
struct Emit {
    int32_t step;          // in: or what is counted
    int32_t presence;      // in
    bool needs_n;          // in
    bool poisons;          // in: whether one missing value makes the result null
    StateColumns out;      // out: fields, where there is no finalizer
    kernel_t finalize;
    int64_t min_count, ddof, unit;
    uint8_t* values;       // out
    uint8_t* validity;     // out
    int64_t value_bytes;
};

struct Program {
    std::vector<Input> inputs;
    std::vector<View> views;             // of the inputs
    std::vector<Step> steps;
    std::vector<Presence> presences;
    std::vector<Emit> emits;
    std::vector<uint8_t> first_state;    // a state of no rows
    const uint8_t* codes;                // in: null where all rows are of one group
    uint32_t base;                       // in: what code 0 is in `codes`
    int64_t n_groups, stride;
    int64_t size_offset;                 // in: of the counter of rows; -1 where nobody asks
    int32_t size_half;                   // in: of that word
    int64_t n_counted;
    // Slices.
    int64_t n_slices, n_replicas, state_bytes;
    bool prefetch, far;                  // in: whether tables are beyond the second-level cache, and beyond what the third has for them
    uint8_t* states;                     // in, out: of each slice its table; of each kept partition
    uint32_t* missing;                   // in, out: of each table n_counted x (groups + SPARE_SLOTS)
    uint8_t* touched;                    // in, out: of each table n_counted: whether the counts are there
    uint32_t lane_offsets[STEP_ROWS];    // where the lane's replica begins, in words
    uint32_t lane_spares[STEP_ROWS];     // the state of rows that are left out
    // Shares; see program_shares.hpp.
    int64_t share_groups, first_share, n_rows;   // in
    // Partitions; see program_partitions.hpp.
    int64_t shift, n_partitions, record_bytes;
    int64_t first_partition, stop_partition;   // in: of this batch
    int64_t first_row, first_slice;            // in: of this batch
    bool begins, ends;                   // in: whether this batch is the first of its partitions, and the last
    bool has_mask;
    int32_t* places;                     // in, out
    const int32_t* starts;               // in: of the partitions of this batch, and of its end
    uint8_t* records;                    // in, out
};

struct Bound { Program* program; };      // what a task holds

// The states that rows go to, and where the rows lie.
struct Area {
    uint8_t* states;
    uint32_t* missing;
    uint8_t* touched;
    int64_t n_groups;
    const View* views;   // of the inputs: the program's, but where values are made block by block (fold.hpp)

    int64_t n_states() const { return n_groups + SPARE_SLOTS; }
    uint32_t* missing_of(int32_t counted) const {
        uint32_t* counts = missing + counted * n_states();
        if (!touched[counted]) {
            memset(counts, 0, (size_t)n_states() * sizeof(uint32_t));
            touched[counted] = 1;
        }
        return counts;
    }
};

inline void init_states(const Program& program, uint8_t* states, int64_t n_states) {
    const int64_t stride = program.stride, total = stride * n_states;
    memcpy(states, program.first_state.data(), (size_t)stride);
    int64_t done = stride;
    for (; done < total && done < 8192; done *= 2) memcpy(states + done, states, (size_t)(total - done < done ? total - done : done));
    const int64_t pattern = done;
    for (; done < total; done += pattern) memcpy(states + done, states, (size_t)(total - done < pattern ? total - done : pattern));
}

// ---- Which values are missing -----------------------------------------------------------------------------------------

template <typename T>
inline bool any_nan(const View& view, int64_t row, int count) {
    typedef T lanes_t __attribute__((vector_size(16)));
    typedef typename std::conditional<sizeof(T) == 8, int64_t, int32_t>::type mask_t;
    typedef mask_t masks_t __attribute__((vector_size(16)));
    constexpr int width = 16 / sizeof(T);
    masks_t any = {}, others = {};   // two at a time: the loop waits for neither
    int lane = 0;
    for (; lane + 2 * width <= count; lane += 2 * width) {
        lanes_t values[2];
        memcpy(values, view.values + (row + lane) * (int64_t)sizeof(T), sizeof(values));
        any |= values[0] != values[0];
        others |= values[1] != values[1];
    }
    any |= others;
    mask_t found = 0;
    for (int part = 0; part < width; ++part) found |= any[part];
    for (; lane < count; ++lane) {
        const T value = load<T>(view.values, row + lane);
        found |= value != value;
    }
    return found != 0;
}

template <typename T>
inline bool add_nan(const View& view, int64_t row, int count, uint64_t* missing) {
    if (!any_nan<T>(view, row, count)) return false;
    for (int lane = 0; lane < count; lane += 64) {
        missing[lane >> 6] |= nan_word<T>(view.values + (row + lane) * (int64_t)sizeof(T), count - lane < 64 ? count - lane : 64);
    }
    return true;
}

inline bool add_missing(const View& view, int32_t nan_bytes, int64_t row, int count, uint64_t* missing, bool* found_nan) {
    uint64_t any = 0;
    if (view.validity != nullptr) {
        for (int lane = 0; lane < count; lane += 64) {
            const int bits = count - lane < 64 ? count - lane : 64;
            const uint64_t all = bits == 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1;
            const uint64_t word = all ^ bits_at(view.validity, view.bit_offset + row + lane, bits);
            missing[lane >> 6] |= word;
            any |= word;
        }
    }
    if (nan_bytes == 0) return any != 0;
    const bool found = nan_bytes == 8 ? add_nan<double>(view, row, count, missing) : add_nan<float>(view, row, count, missing);
    if (found) __atomic_store_n(found_nan, true, __ATOMIC_RELAXED);   // slices of all threads note it
    return found || any != 0;
}

// Bits of the block's rows that lack a value; false where none does.
inline bool find_missing(const Presence& presence, const View* views, int64_t row, int count, uint64_t* missing) {
    if (presence.input < 0) return false;
    memset(missing, 0, STEP_ROWS / 8);
    bool any = add_missing(views[presence.input], presence.nan_bytes, row, count, missing, &presence.found_nan);
    if (presence.other >= 0) any |= add_missing(views[presence.other], presence.nan_other, row, count, missing, &presence.found_nan);
    return any;
}

// ---- Adding words -----------------------------------------------------------------------------------------------------

// Words of a block waiting to be added; those of successive steps are neighbours in the state.
struct Words {
    uint64_t scratch[MOST_WORDS][STEP_ROWS];
    uint64_t packed[MOST_WORDS][STEP_ROWS];
    uint64_t high[STEP_ROWS];
    const uint8_t* values[MOST_WORDS];
    int kinds[MOST_WORDS];
    int n = 0;
    int64_t offset = 0;    // of the first in the state

    void flush(uint8_t* states, const uint32_t* target, int count) {
        for (int first = 0; first < n; first += FUSED) {
            const int some = n - first < FUSED ? n - first : FUSED;
            int digits = 0;
            for (int word = first + some - 1; word >= first; --word) digits = digits * WORD_KINDS + kinds[word];
            add_words_kernel(some, digits)(states + offset + 8 * first, target, values + first, count);
        }
        n = 0;
    }
    void fill(const Step& step, const View* views, int64_t row, int count, const uint64_t* missing, bool scattered) {
        if (n == 0) offset = step.offset;
        for (int word = 0; word < step.kernels->n_words; ++word) kinds[n + word] = step.kernels->floats ? ADD_DOUBLE : ADD_INT64;
        const fill_t fill = scattered ? step.kernels->fill_scattered : step.kernels->fill;
        fill(step, views, row, count, missing, values + n, scratch[n], kinds + n);
        n += step.kernels->n_words;
    }
    // The upper half of the latest word.
    void fill_high(const Step& step, const View* views, int64_t row, int count, const uint64_t* missing, bool scattered) {
        const uint8_t* value = nullptr;
        int kind = ADD_INT64;
        (scattered ? step.kernels->fill_scattered : step.kernels->fill)(step, views, row, count, missing, &value, high, &kind);
        pack_halves(packed[n - 1], values[n - 1], kinds[n - 1], value, kind, count);
        values[n - 1] = (const uint8_t*)packed[n - 1];
        kinds[n - 1] = ADD_INT64;
    }
};

template <typename Word>
inline void drop_missing(Word* words, int count, const uint64_t* missing) {
    if (missing == nullptr) return;
    for (int word = 0; word * 64 < count; ++word) {
        for (uint64_t bits = missing[word]; bits != 0; bits &= bits - 1) words[word * 64 + __builtin_ctzll(bits)] = 0;
    }
}

// One word: the value itself; values that can be added as they lie in the column are not copied.
template <class Source, typename Word>
void fill_values(const Step& step, const View* views, int64_t row, int count, const uint64_t* missing, const uint8_t** words, uint64_t* scratch,
                 int* kinds) {
    typedef typename Source::value_t value_t;
    constexpr bool as_int32 = std::is_same<value_t, int32_t>::value && std::is_integral<Word>::value;
    const View view = views[step.input];
    if (std::is_same<Source, Values<value_t>>::value && (as_int32 || sizeof(value_t) == sizeof(Word)) && missing == nullptr) {
        words[0] = view.values + row * (int64_t)sizeof(value_t);
        if (as_int32) kinds[0] = ADD_INT32;
        return;
    }
    Word* out = (Word*)scratch;
    const int64_t n_rows = count;
    for (int64_t lane = 0; lane < n_rows; ++lane) out[lane] = (Word)Source::at(view, row + lane);
    drop_missing(out, count, missing);
    words[0] = (const uint8_t*)scratch;
}

// Two words: the distance from the smallest value, and its square.
template <class Source>
void fill_squares(const Step& step, const View* views, int64_t row, int count, const uint64_t* missing, const uint8_t** words, uint64_t* scratch, int*) {
    const View view = views[step.input];
    const int64_t n_rows = count;
    for (int64_t lane = 0; lane < n_rows; ++lane) scratch[lane] = (uint64_t)Source::at(view, row + lane) - (uint64_t)step.given.smallest;
    drop_missing(scratch, count, missing);
    for (int64_t lane = 0; lane < n_rows; ++lane) scratch[STEP_ROWS + lane] = scratch[lane] * scratch[lane];
    words[0] = (const uint8_t*)scratch;
    words[1] = (const uint8_t*)(scratch + STEP_ROWS);
}

// The words of a pair's state (pairs.hpp).
template <class Op, bool SCATTERED>
void fill_pairs(const Step& step, const View* views, int64_t row, int count, const uint64_t* missing, const uint8_t** words, uint64_t* scratch, int*) {
    typename Op::number_t x[STEP_ROWS], y[STEP_ROWS];
    const convert_t* convert = SCATTERED ? step.convert_scattered : step.convert;
    convert[0](views[step.input], row, count, step.given.smallest, x);
    convert[1](views[step.other], row, count, step.given.other_smallest, y);
    Op::fill(x, y, count, (uint64_t(*)[STEP_ROWS])scratch);
    for (int word = 0; word < Op::n_words; ++word) {
        drop_missing(scratch + word * STEP_ROWS, count, missing);
        words[word] = (const uint8_t*)(scratch + word * STEP_ROWS);
    }
}

struct Ones {
    uint64_t words[STEP_ROWS];
    constexpr Ones() : words() { for (int lane = 0; lane < STEP_ROWS; ++lane) words[lane] = 1; }
};
inline constexpr Ones ONES;

inline void fill_ones(const Step&, const View*, int64_t, int, const uint64_t*, const uint8_t** words, uint64_t*, int*) { words[0] = (const uint8_t*)ONES.words; }

// ---- Updating ---------------------------------------------------------------------------------------------------------

constexpr int UNROLLED = 4;

template <class Op, class Source>
bool update_step(const Step& step, const View* views, uint8_t* states, const uint32_t* __restrict target, int64_t row, int count) {
    typedef typename Op::Slot Slot;
    const View view = views[step.input];
    const Given given = step.given;
    uint8_t* base = opaque(states + step.offset);
    const int64_t n_rows = count;   // 64 bits: no sign extension per row
    int64_t first = 0;
    for (; first + UNROLLED <= n_rows; first += UNROLLED) {
        bool fits = true;
        for (int64_t next = 0; next < UNROLLED; ++next) {
            fits &= Op::update(*(Slot*)(base + 8 * (size_t)target[first + next]), Source::at(view, row + first + next), given);
        }
        if (!fits) return false;
    }
    for (; first < n_rows; ++first) {
        if (!Op::update(*(Slot*)(base + 8 * (size_t)target[first]), Source::at(view, row + first), given)) return false;
    }
    return true;
}

// Two extremes in one loop: half the loads of targets, and no waiting for the first one's lines a second time.
template <class Op, class Next>
void update_extremes(const Step& step, const Step& next, const View* views, uint8_t* states, const uint32_t* __restrict target, int64_t row, int count) {
    typedef typename Op::value_t value_t;
    typedef typename Next::value_t other_t;
    const uint8_t* values = views[step.input].values + row * (int64_t)sizeof(value_t);
    const uint8_t* others = views[next.input].values + row * (int64_t)sizeof(other_t);
    uint8_t* base = opaque(states + step.offset);
    uint8_t* second = opaque(states + next.offset);
    const int64_t n_rows = count;
    for (int64_t lane = 0; lane < n_rows; ++lane) {
        const size_t place = 8 * (size_t)target[lane];
        Op::update(*(typename Op::Slot*)(base + place), load<value_t>(values, lane), Given());
        Next::update(*(typename Next::Slot*)(second + place), load<other_t>(others, lane), Given());
    }
}

struct NoExtreme { typedef uint8_t value_t; };

// The same by codes; the step alone where Next is NoExtreme.
template <class Op, class Next, typename Code>
void extremes_by_codes(const Step& step, const Step& next, const View* views, uint8_t* states, const Coded& rows, int64_t row, int count) {
    typedef typename Op::value_t value_t;
    typedef typename Next::value_t other_t;
    const uint8_t* values = views[step.input].values + row * (int64_t)sizeof(value_t);
    const uint8_t* others = views[next.input].values + row * (int64_t)sizeof(other_t);
    const uint8_t* codes = rows.codes;
    const uint32_t first_code = rows.base;
    const int64_t stride = rows.stride, second = next.offset - step.offset;
    in_turn(states + step.offset, rows.table, count, [&](uint8_t* replica, int64_t lane) {
        uint8_t* slot = replica + stride * (int64_t)((uint32_t)load<Code>(codes, lane) - first_code);
        Op::update(*(typename Op::Slot*)slot, load<value_t>(values, lane), Given());
        if constexpr (!std::is_same<Next, NoExtreme>::value) {
            Next::update(*(typename Next::Slot*)(slot + second), load<other_t>(others, lane), Given());
        }
    });
}

template <class Op, bool SCATTERED>
bool update_pairs(const Step& step, const View* views, uint8_t* states, const uint32_t* target, int64_t row, int count) {
    typename Op::number_t x[STEP_ROWS], y[STEP_ROWS];
    const convert_t* convert = SCATTERED ? step.convert_scattered : step.convert;
    convert[0](views[step.input], row, count, step.given.smallest, x);
    convert[1](views[step.other], row, count, step.given.other_smallest, y);
    Op::update(states + step.offset, target, x, y, count);
    return true;
}

// Null where the two are not extremes that share a loop.
inline const Beside* beside_of(const Step& step, const Step& next) {
    const StepKernels& own = *step.kernels;
    const StepKernels& other = *next.kernels;
    if (own.extreme == EXTREME_NONE || other.extreme == EXTREME_NONE) return nullptr;
    if (own.extreme >> 1 == other.extreme >> 1) return &own.beside[OWN_TYPE][other.extreme & 1];
    return own.mixes != OWN_TYPE && other.mixes != OWN_TYPE ? &own.beside[other.mixes][other.extreme & 1] : nullptr;
}

inline void count_missing(uint32_t* counts, const uint32_t* group, int count, const uint64_t* missing) {
    for (int word = 0; word * 64 < count; ++word) {
        for (uint64_t bits = missing[word]; bits != 0; bits &= bits - 1) ++counts[group[word * 64 + __builtin_ctzll(bits)]];
    }
}

// Targets of a step that skips the missing rows.
inline void redirect(uint32_t* own, const uint32_t* target, uint32_t spare, uint32_t words, int count, const uint64_t* missing) {
    memcpy(own, target, (size_t)count * sizeof(uint32_t));
    for (int word = 0; word * 64 < count; ++word) {
        for (uint64_t bits = missing[word]; bits != 0; bits &= bits - 1) {
            const int lane = word * 64 + __builtin_ctzll(bits);
            own[lane] = spare + (uint32_t)(lane & (SPARE_SLOTS - 1)) * words;
        }
    }
}

// A block: `target` says where the rows' states are, `group` which group each row is of.
inline bool update_block(const Program& program, const View* views, const Area& area, const uint32_t* group, const uint32_t* target,
                         int64_t row, int count, bool scattered) {
    uint32_t own[STEP_ROWS];
    uint64_t missing[STEP_ROWS / 64];
    Words words;
    for (const Presence& presence : program.presences) {
        const bool lacking = find_missing(presence, views, row, count, missing);
        const uint32_t* to = target;
        if (lacking && presence.counted >= 0) count_missing(area.missing_of(presence.counted), group, count, missing);
        for (int32_t number = presence.first_step; number < presence.stop_step; ++number) {
            const Step& step = program.steps[(size_t)number];
            if (step.half == HIGH) {
                words.fill_high(step, views, row, count, lacking ? missing : nullptr, scattered);
                continue;
            }
            if (step.kernels->n_words > 0) {
                if (words.n + step.kernels->n_words > MOST_WORDS) words.flush(area.states, target, count);
                words.fill(step, views, row, count, lacking ? missing : nullptr, scattered);
                continue;
            }
            if (lacking && to == target) {
                redirect(own, target, (uint32_t)area.n_groups * (uint32_t)(program.stride / 8), (uint32_t)(program.stride / 8), count, missing);
                to = own;
            }
            const Beside* beside = number + 1 < presence.stop_step ? beside_of(step, program.steps[(size_t)number + 1]) : nullptr;
            if (beside != nullptr) {
                beside->by_targets(step, program.steps[(size_t)number + 1], views, area.states, to, row, count);
                ++number;
                continue;
            }
            const auto update = scattered ? step.kernels->update_scattered : step.kernels->update;
            if (!update(step, views, area.states, to, row, count)) return false;
        }
    }
    words.flush(area.states, target, count);
    return true;
}

// ---- Slices -----------------------------------------------------------------------------------------------------------

inline Area slice_area(const Program& program, int64_t slice) {
    const int64_t n_states = program.n_groups + SPARE_SLOTS;
    return {program.states + slice * program.state_bytes, program.missing + slice * program.n_counted * n_states,
            program.touched + slice * program.n_counted, program.n_groups, program.views.data()};
}

inline void begin_slice(const Program& program, const Area& area) {
    init_states(program, area.states, program.n_replicas * area.n_states());
    memset(area.touched, 0, (size_t)program.n_counted);
}

// The replicas of the table to one, once all rows are in; what was `reduced` by lanes is closed already.
inline bool end_slice(const Program& program, const Area& area, bool reduced) {
    const int64_t table = area.n_states() * program.stride;
    for (const Step& step : program.steps) {
        if (step.half == HIGH) continue;   // with its low half
        uint8_t* states = area.states + step.offset;
        const bool open = step.kernels->close != nullptr && !(reduced && step.kernels->reduce != nullptr);
        if (open) step.kernels->close(states, program.stride, program.n_replicas * area.n_states());
        for (int64_t replica = 1; replica < program.n_replicas; ++replica) {
            if (!step.kernels->combine(states, states + replica * table, program.stride, area.n_groups, step.given)) return false;
        }
    }
    return true;
}

// Codes to targets, and to groups where somebody counts by group; rows left out are spread over the spare states.
template <typename Code>
inline void aim(const Program& program, int64_t row, int count, uint32_t* __restrict group, uint32_t* __restrict target) {
    const uint32_t n_groups = (uint32_t)program.n_groups, words = (uint32_t)(program.stride / 8);
    const uint32_t base = program.base;
    const uint8_t* codes = program.codes + row * (int64_t)sizeof(Code);
    for (int lane = 0; lane < count; ++lane) {
        const uint32_t code = load<Code>(codes, lane) - base, own = code * words + program.lane_offsets[lane], spare = program.lane_spares[lane];
        target[lane] = code < n_groups ? own : spare;
    }
    if (program.n_counted == 0) return;
    for (int lane = 0; lane < count; ++lane) {
        const uint32_t code = load<Code>(codes, lane) - base;
        group[lane] = code < n_groups ? code : n_groups;
    }
}

// Over groups: the tables of all slices, in slice order, into the first; and the results.
inline int emit_groups(const Program& program, const Area& area, int64_t at, int64_t first_group, int count);

inline bool combine_block(const Program& program, const Area& whole, int64_t group, int count) {
    for (int64_t slice = 1; slice < program.n_slices; ++slice) {
        const Area later = slice_area(program, slice);
        for (const Step& step : program.steps) {
            if (step.half == HIGH) continue;
            const int64_t place = group * program.stride + step.offset;
            if (!step.kernels->combine(whole.states + place, later.states + place, program.stride, count, step.given)) return false;
        }
        for (int32_t counted = 0; counted < program.n_counted; ++counted) {
            if (!later.touched[counted]) continue;
            uint32_t* counts = whole.missing + counted * whole.n_states() + group;
            const uint32_t* more = later.missing + counted * later.n_states() + group;
            for (int lane = 0; lane < count; ++lane) counts[lane] += more[lane];
        }
    }
    return true;
}

inline int combine_slices(void* raw, int64_t start, int64_t stop, int64_t) {
    const Program& program = *((const Bound*)raw)->program;
    const Area whole = slice_area(program, 0);
    for (int64_t group = start; group < stop; group += GROUP_BLOCK) {
        const int count = (int)(stop - group < GROUP_BLOCK ? stop - group : GROUP_BLOCK);
        if (program.n_slices == 0) init_states(program, whole.states + group * program.stride, count);
        for (int32_t counted = 0; counted < program.n_counted; ++counted) {
            if (program.n_slices > 0 && whole.touched[counted]) continue;
            memset(whole.missing + counted * whole.n_states() + group, 0, (size_t)count * sizeof(uint32_t));
        }
        if (!combine_block(program, whole, group, count)) return OVERFLOW_;
        const int status = emit_groups(program, whole, group, group, count);
        if (status != OK) return status;
    }
    return OK;
}

// ---- Results ----------------------------------------------------------------------------------------------------------

inline int finalize_block(const Emit& emit, const Step& step, uint8_t (*fields)[GROUP_BLOCK * 16], const uint32_t* missing,
                          int64_t first_group, int count) {
    if (emit.poisons && missing != nullptr) {
        for (int lane = 0; lane < count; ++lane) if (missing[lane] > 0) store<int64_t>(fields[step.kernels->n_field], lane, TOO_FEW);
    }
    Finalize final = {{}, emit.min_count, emit.ddof, emit.unit, emit.values + first_group * emit.value_bytes, emit.validity + first_group / 8};
    for (int field = 0; field < MOST_FIELDS; ++field) final.fields[field] = fields[field];
    return emit.finalize(&final, 0, count, 0);
}

// Results of the groups whose states begin at place `at` of the table; they are groups `first_group` and on.
inline int emit_groups(const Program& program, const Area& area, int64_t at, int64_t first_group, int count) {
    int64_t n[GROUP_BLOCK], totals[GROUP_BLOCK];
    alignas(16) uint8_t fields[MOST_FIELDS][GROUP_BLOCK * 16];
    for (const Emit& emit : program.emits) {
        const Presence& presence = program.presences[(size_t)emit.presence];
        const uint32_t* missing = presence.counted >= 0 ? area.missing + presence.counted * area.n_states() + at : nullptr;
        if (emit.needs_n) {
            const uint8_t* sizes = area.states + at * program.stride + program.size_offset;
            if (program.size_half != WHOLE) take_halves(sizes, program.stride, count, program.size_half, n);
            else for (int lane = 0; lane < count; ++lane) n[lane] = load<int64_t>(sizes + lane * program.stride, 0);
            if (missing != nullptr) for (int lane = 0; lane < count; ++lane) n[lane] -= missing[lane];
        } else {
            for (int lane = 0; lane < count; ++lane) n[lane] = 1;   // of a group with rows, whose column lacks nothing
        }
        if (emit.step == EMIT_N) {
            memcpy(emit.out.fields[0] + first_group * 8, n, (size_t)count * 8);
        } else if (emit.step == EMIT_MISSING) {
            for (int lane = 0; lane < count; ++lane) store<int64_t>(emit.out.fields[0], first_group + lane, missing != nullptr ? missing[lane] : 0);
        } else {
            const Step& step = program.steps[(size_t)emit.step];
            const uint8_t* states = area.states + at * program.stride + step.offset;
            int64_t stride = program.stride;
            if (step.half != WHOLE) {
                take_halves(states, stride, count, step.half, totals);
                states = (const uint8_t*)totals;
                stride = sizeof(int64_t);
            }
            if (emit.finalize == nullptr) {
                step.kernels->emit(states, stride, count, n, emit.out, first_group, step.given);
                continue;
            }
            StateColumns out = {};
            for (int field = 0; field < MOST_FIELDS; ++field) out.fields[field] = fields[field];
            step.kernels->emit(states, stride, count, n, out, 0, step.given);
            const int status = finalize_block(emit, step, fields, missing, first_group, count);
            if (status != OK) return status;
        }
    }
    return OK;
}

// ---- The kernels of a state -------------------------------------------------------------------------------------------

template <class Op>
void init_slot(uint8_t* slot) { *(typename Op::Slot*)slot = Op::init(); }

template <class Op, class = void>
struct Closes { static constexpr void (*kernel)(uint8_t*, int64_t, int64_t) = nullptr; };
template <class Op>
struct Closes<Op, decltype((void)&Op::close)> {
    static void kernel(uint8_t* states, int64_t stride, int64_t n_states) {
        for (int64_t state = 0; state < n_states; ++state) Op::close(*(typename Op::Slot*)(states + state * stride));
    }
};

template <class Op>
bool combine_states(uint8_t* states, const uint8_t* later, int64_t stride, int64_t n_states, const Given& given) {
    typedef typename Op::Slot Slot;
    for (int64_t state = 0; state < n_states; ++state) {
        if (!Op::combine(*(Slot*)(states + state * stride), *(const Slot*)(later + state * stride), given)) return false;
    }
    return true;
}

template <class Op>
void emit_states(const uint8_t* states, int64_t stride, int n_states, const int64_t* n, const StateColumns& out, int64_t first, const Given& given) {
    for (int state = 0; state < n_states; ++state) Op::emit(out, first + state, *(const typename Op::Slot*)(states + state * stride), n[state], given);
}

struct Merge {
    const StateColumns* states;   // in: n_states, of the same groups
    int64_t n_states;             // in: at least 1
    StateColumns out;             // out
};

// Over groups: states of several partitions of the rows, in order, to one.
template <class Op>
int merge_states(void* raw, int64_t start, int64_t stop, int64_t) {
    const Merge& ctx = *(const Merge*)raw;
    for (int64_t group = start; group < stop; ++group) {
        typename Op::Slot whole = Op::restore(ctx.states[0], group);
        int64_t n = load<int64_t>(ctx.states[0].fields[Op::n_field], group);
        for (int64_t state = 1; state < ctx.n_states; ++state) {
            if (!Op::combine(whole, Op::restore(ctx.states[state], group), Given())) return OVERFLOW_;
            n += load<int64_t>(ctx.states[state].fields[Op::n_field], group);
        }
        Op::emit(ctx.out, group, whole, n, Given());
    }
    return OK;
}

template <class Op, class = void>
struct Merges { static constexpr kernel_t kernel = nullptr; };
template <class Op>
struct Merges<Op, decltype((void)&Op::restore)> { static constexpr kernel_t kernel = merge_states<Op>; };

}  // namespace ff
