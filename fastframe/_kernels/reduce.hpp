// Whole-column aggregation: fixed lanes in place of states, so that sums run at memory speed.
//
// Each slice fills one state, as in program.hpp, and states combine in slice order. Lanes are assigned by the row's
// place in its slice, so the bits of a float sum depend on the rows alone. Sums of 1024 rows are added as wholes, which
// keeps the rounding error near that of pairwise summation (Higham, "The accuracy of floating point summation", 1993).
#pragma once
#include "program.hpp"

namespace ff {

constexpr int LANES = 8;
constexpr int CHUNK_ROWS = 1024;

inline double add_lanes(const double* lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

inline uint64_t valid_rows(const View& view, int64_t row, int count) {
    const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
    return view.validity == nullptr ? all : bits_at(view.validity, view.bit_offset + row, count);
}

// Calls `visit(values)` for each block of 64 rows, `values` at 64 values of which the missing ones are `filler`.
template <typename T, class Visit>
inline void visit_blocks(const View& view, int64_t start, int64_t stop, T filler, Visit visit) {
    uint8_t filled[BLOCK_ROWS * sizeof(T)];
    for (int64_t row = start; row < stop; row += BLOCK_ROWS) {
        const int count = (int)(stop - row < BLOCK_ROWS ? stop - row : BLOCK_ROWS);
        const uint8_t* values = view.values + row * (int64_t)sizeof(T);
        const uint64_t valid = valid_rows(view, row, count);
        if (~valid != 0) {   // some are missing, or there are fewer than 64
            memcpy(filled, values, (size_t)count * sizeof(T));
            for (uint64_t missing = ~valid; missing != 0; missing &= missing - 1) store<T>(filled, __builtin_ctzll(missing), filler);
            values = filled;
        }
        visit(values);
    }
}

// How an operation reduces a chunk of values of type T; the general form has no lanes.
template <class Op, class Source>
struct Reducer { static constexpr bool exists = false; };

template <typename T, bool CHECKED>
struct Reducer<Sum<T, double, CHECKED>, Values<T>> {
    static constexpr bool exists = true;
    typedef typename Sum<T, double, CHECKED>::Slot Slot;
    static bool reduce(const View& view, int64_t start, int64_t stop, Slot& slot, const Given&) {
        for (int64_t chunk = start; chunk < stop; chunk += CHUNK_ROWS) {
            double sums[LANES] = {};
            const int64_t chunk_stop = chunk + CHUNK_ROWS < stop ? chunk + CHUNK_ROWS : stop;
            visit_blocks<T>(view, chunk, chunk_stop, T(0), [&](const uint8_t* values) {
                for (int base = 0; base < BLOCK_ROWS; base += LANES) {
                    for (int lane = 0; lane < LANES; ++lane) {
                        const double value = (double)load<T>(values, base + lane);
                        sums[lane] += value == value ? value : 0.0;
                    }
                }
            });
            slot.total += add_lanes(sums);
        }
        return true;
    }
};

// Integers in 64-bit lanes: whole values where they are narrow, else their low and high halves. A chunk is shorter than
// 2^31 rows, so no lane wraps.
template <typename T>
inline int128_t add_integers(const View& view, int64_t start, int64_t stop) {
    typedef typename std::conditional<std::is_signed<T>::value, int64_t, uint64_t>::type lane_t;
    lane_t high[LANES] = {};
    uint64_t low[LANES] = {};
    visit_blocks<T>(view, start, stop, T(0), [&](const uint8_t* values) {
        for (int base = 0; base < BLOCK_ROWS; base += LANES) {
            for (int lane = 0; lane < LANES; ++lane) {
                const T value = load<T>(values, base + lane);
                if constexpr (sizeof(T) < 8) high[lane] += value;
                else {
                    low[lane] += (uint32_t)value;
                    high[lane] += (lane_t)(value >> 32);
                }
            }
        }
    });
    int128_t total = 0;
    for (int lane = 0; lane < LANES; ++lane) total += (sizeof(T) < 8 ? (int128_t)high[lane] : (int128_t)high[lane] * ((int64_t)1 << 32)) + low[lane];
    return total;
}

template <typename T, typename Total, bool CHECKED>
struct IntegerReducer {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Sum<T, Total, CHECKED>::Slot& slot, const Given&) {
        const int128_t total = (int128_t)slot.total + add_integers<T>(view, start, stop);
        slot.total = (Total)total;
        return (int128_t)slot.total == total;
    }
};
template <typename T, bool CHECKED>
struct Reducer<Sum<T, int64_t, CHECKED>, Values<T>> : IntegerReducer<T, int64_t, CHECKED> {};
template <typename T, bool CHECKED>
struct Reducer<Sum<T, uint64_t, CHECKED>, Values<T>> : IntegerReducer<T, uint64_t, CHECKED> {};

// True values among those that are not missing, 64 at a time.
inline uint64_t true_rows(const View& view, int64_t row, int count) {
    return bits_at(view.values, view.bit_offset + row, count) & valid_rows(view, row, count);
}

template <class Visit>
inline void visit_words(const View& view, int64_t start, int64_t stop, Visit visit) {
    for (int64_t row = start; row < stop; row += BLOCK_ROWS) {
        const int count = (int)(stop - row < BLOCK_ROWS ? stop - row : BLOCK_ROWS);
        visit(true_rows(view, row, count), valid_rows(view, row, count));
    }
}

template <>
struct Reducer<Sum<uint8_t, int64_t, false>, Bits> {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, Sum<uint8_t, int64_t, false>::Slot& slot, const Given&) {
        visit_words(view, start, stop, [&](uint64_t truths, uint64_t) { slot.total += __builtin_popcountll(truths); });
        return true;
    }
};

template <bool EVERY>
struct Reducer<Truth<uint8_t, EVERY>, Bits> {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Truth<uint8_t, EVERY>::Slot& slot, const Given&) {
        uint8_t any = 0, lacking = 0;
        visit_words(view, start, stop, [&](uint64_t truths, uint64_t valid) {
            any |= truths != 0;
            lacking |= truths != valid;
        });
        slot.truth = EVERY ? slot.truth & (uint8_t)!lacking : slot.truth | any;
        return true;
    }
};

// NaN never compares as better, so it needs no test.
template <typename T, bool LARGEST>
struct Reducer<Extreme<T, LARGEST, false>, Values<T>> {
    static constexpr bool exists = sizeof(T) <= 8;
    typedef Extreme<T, LARGEST, false> Op;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Op::Slot& slot, const Given& given) {
        const T identity = Op::init().value;
        T best[LANES];
        for (int lane = 0; lane < LANES; ++lane) best[lane] = identity;
        visit_blocks<T>(view, start, stop, identity, [&](const uint8_t* values) {
            for (int base = 0; base < BLOCK_ROWS; base += LANES) {
                for (int lane = 0; lane < LANES; ++lane) {
                    const T value = load<T>(values, base + lane);
                    best[lane] = (LARGEST ? value > best[lane] : value < best[lane]) ? value : best[lane];
                }
            }
        });
        for (int lane = 0; lane < LANES; ++lane) Op::update(slot, best[lane], given);
        return true;
    }
};

// Whether all of some rows hold a value.
template <typename T>
inline bool all_present(const View& view, int64_t row, int count) {
    if (view.validity != nullptr) return false;
    if constexpr (std::is_floating_point<T>::value) return !any_nan<T>(view, row, count);
    else return true;
}

// Lanes of doubles, two to a vector; `values` are doubles, `at` a multiple of LANES.
struct DoubleLanes {
    typedef double pair_t __attribute__((vector_size(16)));
    pair_t of[LANES / 2] = {};

    static pair_t load_pair(const uint8_t* values, int at, int pair) {
        pair_t two;
        memcpy(&two, values + 8 * (at + 2 * pair), sizeof(two));
        return two;
    }
    void add(int lane, double value) { of[lane / 2][lane % 2] += value; }
    double total() const {
        double lanes[LANES];
        memcpy(lanes, of, sizeof(lanes));
        return add_lanes(lanes);
    }
};

// Two passes over each chunk while it is in the first-level cache: its mean, then the deviations from it.
template <typename T>
struct Reducer<Moments<T>, Values<T>> {
    static constexpr bool exists = true;
    typedef typename Moments<T>::Slot Slot;
    static bool reduce(const View& view, int64_t start, int64_t stop, Slot& slot, const Given& given) {
        double own[CHUNK_ROWS];
        for (int64_t chunk = start; chunk < stop; chunk += CHUNK_ROWS) {
            int count = (int)(stop - chunk < CHUNK_ROWS ? stop - chunk : CHUNK_ROWS);
            const uint8_t* values = (const uint8_t*)own;
            if (!all_present<T>(view, chunk, count)) count = gather(view, chunk, chunk + count, own);
            else if (std::is_same<T, double>::value) values = view.values + 8 * chunk;
            else for (int row = 0; row < count; ++row) own[row] = (double)load<T>(view.values, chunk + row);
            if (count > 0) Moments<T>::combine(slot, of_values(values, count), given);
        }
        return true;
    }
    // The values that are not missing, one after the other.
    static int gather(const View& view, int64_t start, int64_t stop, double* values) {
        int count = 0;
        for (int64_t row = start; row < stop; row += BLOCK_ROWS) {
            const int block = (int)(stop - row < BLOCK_ROWS ? stop - row : BLOCK_ROWS);
            const uint64_t valid = valid_rows(view, row, block);
            for (int lane = 0; lane < block; ++lane) {
                const double value = (double)load<T>(view.values, row + lane);
                values[count] = value;
                count += (int)((valid >> lane) & 1) & (int)(value == value);
            }
        }
        return count;
    }
    // Of doubles. The mean is rounded; what it lacks is the mean of the deviations from it (the corrected two-pass algorithm).
    static Slot of_values(const uint8_t* values, int count) {
        const int whole = count / LANES * LANES;
        DoubleLanes sums, rests, squares;
        for (int at = 0; at < whole; at += LANES) {
            for (int pair = 0; pair < LANES / 2; ++pair) sums.of[pair] += DoubleLanes::load_pair(values, at, pair);
        }
        for (int at = whole; at < count; ++at) sums.add(at - whole, load<double>(values, at));
        const double mean = sums.total() / count;
        for (int at = 0; at < whole; at += LANES) {
            for (int pair = 0; pair < LANES / 2; ++pair) {
                const DoubleLanes::pair_t deviations = DoubleLanes::load_pair(values, at, pair) - mean;
                rests.of[pair] += deviations;
                squares.of[pair] += deviations * deviations;
            }
        }
        for (int at = whole; at < count; ++at) {
            const double deviation = load<double>(values, at) - mean;
            rests.add(at - whole, deviation);
            squares.add(at - whole, deviation * deviation);
        }
        Slot slot = {mean, rests.total(), squares.total(), count};
        Moments<T>::close(slot);
        return slot;
    }
};

template <>
struct Reducer<Count, EveryRow> {
    static constexpr bool exists = true;
    static bool reduce(const View&, int64_t start, int64_t stop, Count::Slot& slot, const Given&) {
        slot.n += (uint64_t)(stop - start);
        return true;
    }
};

template <class Op, class Source>
bool reduce_step(const Step& step, const View* views, uint8_t* state, int64_t start, int64_t stop) {
    static constexpr View none = {};   // where rows are counted there may be no column at all
    const View& view = std::is_same<Source, EveryRow>::value ? none : views[step.input];
    return Reducer<Op, Source>::reduce(view, start, stop, *(typename Op::Slot*)(state + step.offset), step.given);
}

// Steps without lanes, and what is missing: by blocks, as with codes.
inline bool reduce_block(const Program& program, const Area& area, int64_t row, int count) {
    uint32_t target[STEP_ROWS];
    const uint32_t words = (uint32_t)(program.stride / 8);
    uint64_t missing[STEP_ROWS / 64];
    uint32_t own[STEP_ROWS];
    for (int lane = 0; lane < count; ++lane) target[lane] = program.lane_offsets[lane];
    for (const Presence& presence : program.presences) {
        bool blocks = false;
        for (int32_t number = presence.first_step; number < presence.stop_step; ++number) {
            blocks |= program.steps[(size_t)number].kernels->reduce == nullptr;
        }
        if (!blocks && presence.counted < 0) continue;
        const uint32_t* to = target;
        if (find_missing(presence, area.views, row, count, missing)) {
            if (presence.counted >= 0) {
                uint32_t* counts = area.missing_of(presence.counted);
                for (int word = 0; word * 64 < count; ++word) counts[0] += (uint32_t)__builtin_popcountll(missing[word]);
            }
            if (!blocks) continue;
            redirect(own, target, words, words, count, missing);
            to = own;
        }
        for (int32_t number = presence.first_step; blocks && number < presence.stop_step; ++number) {
            const Step& step = program.steps[(size_t)number];
            if (step.kernels->reduce == nullptr && !step.kernels->update(step, area.views, area.states, to, row, count)) return false;
        }
    }
    return true;
}

constexpr int64_t REDUCED_ROWS = 2 * CHUNK_ROWS;   // a chunk that stays in the first-level cache for all that looks at it

inline bool reduce_rows(const Program& program, const Area& area, int64_t start, int64_t stop) {
    for (int64_t chunk = start; chunk < stop; chunk += REDUCED_ROWS) {
        const int64_t chunk_stop = chunk + REDUCED_ROWS < stop ? chunk + REDUCED_ROWS : stop;
        for (int64_t row = chunk; row < chunk_stop; row += STEP_ROWS) {
            if (!reduce_block(program, area, row, (int)(chunk_stop - row < STEP_ROWS ? chunk_stop - row : STEP_ROWS))) return false;
        }
        for (const Step& step : program.steps) {
            if (step.kernels->reduce != nullptr && !step.kernels->reduce(step, area.views, area.states, chunk, chunk_stop)) return false;
        }
    }
    return true;
}

// Over rows; in place of `update_slices` where all rows are of one group.
inline int reduce_slices(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Program& program = *((const Bound*)raw)->program;
    const Area area = slice_area(program, slice);
    begin_slice(program, area);
    return reduce_rows(program, area, start, stop) && end_slice(program, area, true) ? OK : OVERFLOW_;
}

}  // namespace ff
