// Whole-column aggregation of byte-wide values: fixed lanes in place of slots, so that sums run at memory speed.
//
// Each slice fills one slot, as in aggregate.hpp, and slots combine in slice order. Lanes are assigned by the row's
// place in its slice, so the bits of a float sum depend on the rows alone. Sums of 1024 rows are added as wholes, which
// keeps the rounding error near that of pairwise summation (Higham, "The accuracy of floating point summation", 1993).
#pragma once
#include "aggregate.hpp"

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

// Calls `visit(values, n_valid)` for each block of 64 rows, `values` at 64 values of which the missing ones are `filler`.
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
        visit(values, __builtin_popcountll(valid));
    }
}

// How an operation reduces one slice of values of type T; the general form has no lanes.
template <class Op, class Source>
struct Reducer { static constexpr bool exists = false; };

template <typename T, bool CHECKED>
struct Reducer<Sum<T, double, CHECKED>, Values<T>> {
    static constexpr bool exists = true;
    typedef typename Sum<T, double, CHECKED>::Slot Slot;
    static bool reduce(const View& view, int64_t start, int64_t stop, Slot& slot) {
        for (int64_t chunk = start; chunk < stop; chunk += CHUNK_ROWS) {
            double sums[LANES] = {};
            int64_t n_nan[LANES] = {};
            const int64_t chunk_stop = chunk + CHUNK_ROWS < stop ? chunk + CHUNK_ROWS : stop;
            visit_blocks<T>(view, chunk, chunk_stop, T(0), [&](const uint8_t* values, int n_valid) {
                for (int base = 0; base < BLOCK_ROWS; base += LANES) {
                    for (int lane = 0; lane < LANES; ++lane) {
                        const double value = (double)load<T>(values, base + lane);
                        sums[lane] += value == value ? value : 0.0;
                        n_nan[lane] += value != value;
                    }
                }
                slot.n += n_valid;
            });
            for (int lane = 0; lane < LANES; ++lane) slot.n -= n_nan[lane];
            slot.total += add_lanes(sums);
        }
        return true;
    }
};

// Integers in 64-bit lanes: whole values where they are narrow, else their low and high halves. A slice is shorter than
// 2^31 rows, so no lane wraps.
template <typename T, typename Total, bool CHECKED>
inline bool reduce_integers(const View& view, int64_t start, int64_t stop, typename Sum<T, Total, CHECKED>::Slot& slot) {
    typedef typename std::conditional<std::is_signed<T>::value, int64_t, uint64_t>::type lane_t;
    lane_t high[LANES] = {};
    uint64_t low[LANES] = {};
    visit_blocks<T>(view, start, stop, T(0), [&](const uint8_t* values, int n_valid) {
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
        slot.n += n_valid;
    });
    int128_t total = 0;
    for (int lane = 0; lane < LANES; ++lane) total += (sizeof(T) < 8 ? (int128_t)high[lane] : (int128_t)high[lane] * ((int64_t)1 << 32)) + low[lane];
    slot.total = (Total)total;
    return (int128_t)slot.total == total;
}

template <typename T, bool CHECKED>
struct Reducer<Sum<T, int64_t, CHECKED>, Values<T>> {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Sum<T, int64_t, CHECKED>::Slot& slot) {
        return reduce_integers<T, int64_t, CHECKED>(view, start, stop, slot);
    }
};

template <typename T, bool CHECKED>
struct Reducer<Sum<T, uint64_t, CHECKED>, Values<T>> {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Sum<T, uint64_t, CHECKED>::Slot& slot) {
        return reduce_integers<T, uint64_t, CHECKED>(view, start, stop, slot);
    }
};

// NaN never compares as better, so it needs no test; whether only NaN or infinity was seen is looked up at the end.
template <typename T, bool LARGEST>
struct Reducer<Extreme<T, LARGEST, false>, Values<T>> {
    static constexpr bool exists = sizeof(T) <= 8;
    typedef Extreme<T, LARGEST, false> Op;
    static bool reduce(const View& view, int64_t start, int64_t stop, typename Op::Slot& slot) {
        const T identity = Op::init().value;
        T best[LANES];
        int64_t n = 0;
        for (int lane = 0; lane < LANES; ++lane) best[lane] = identity;
        visit_blocks<T>(view, start, stop, identity, [&](const uint8_t* values, int n_valid) {
            for (int base = 0; base < BLOCK_ROWS; base += LANES) {
                for (int lane = 0; lane < LANES; ++lane) {
                    const T value = load<T>(values, base + lane);
                    best[lane] = (LARGEST ? value > best[lane] : value < best[lane]) ? value : best[lane];
                }
            }
            n += n_valid;
        });
        for (int lane = 0; lane < LANES; ++lane) Op::update(slot, best[lane], Text());
        slot.seen = n > 0;
        if (std::is_floating_point<T>::value && slot.seen && slot.value == identity) slot.seen = holds_number(view, start, stop);
        return true;
    }
    static bool holds_number(const View& view, int64_t start, int64_t stop) {
        for (int64_t row = start; row < stop; ++row) if (takes_part<Values<T>>(view, row)) return true;
        return false;
    }
};

// Two passes over each chunk while it is in the first-level cache: its mean, then the deviations from it.
template <typename T>
struct Reducer<Moments<T>, Values<T>> {
    static constexpr bool exists = true;
    typedef typename Moments<T>::Slot Slot;
    static bool reduce(const View& view, int64_t start, int64_t stop, Slot& slot) {
        double values[CHUNK_ROWS + LANES];
        for (int64_t chunk = start; chunk < stop; chunk += CHUNK_ROWS) {
            const int64_t chunk_stop = chunk + CHUNK_ROWS < stop ? chunk + CHUNK_ROWS : stop;
            const int count = gather(view, chunk, chunk_stop, values);
            if (count > 0) Moments<T>::combine(slot, of_values(values, count), Text());
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
    // The mean is rounded; what it lacks is the mean of the deviations from it (the corrected two-pass algorithm).
    // `values` has room for LANES more. The mean is rounded; what it lacks is the mean of the deviations from it (the
    // corrected two-pass algorithm).
    static Slot of_values(double* values, int count) {
        double sums[LANES] = {}, rests[LANES] = {}, squares[LANES] = {};
        fill_up(values, count, 0.0);
        for (int base = 0; base < count; base += LANES) for (int lane = 0; lane < LANES; ++lane) sums[lane] += values[base + lane];
        const double mean = add_lanes(sums) / count;
        fill_up(values, count, mean);
        for (int base = 0; base < count; base += LANES) {
            for (int lane = 0; lane < LANES; ++lane) {
                const double deviation = values[base + lane] - mean;
                rests[lane] += deviation;
                squares[lane] += deviation * deviation;
            }
        }
        Slot slot = {mean, add_lanes(rests), add_lanes(squares), count};
        Moments<T>::close(slot);
        return slot;
    }
    static void fill_up(double* values, int count, double filler) {
        for (int lane = 0; lane < LANES; ++lane) values[count + lane] = filler;
    }
};

template <typename T>
struct Reducer<Count, RowsOf<T>> {
    static constexpr bool exists = true;
    static bool reduce(const View& view, int64_t start, int64_t stop, Count::Slot& slot) {
        if constexpr (std::is_floating_point<T>::value) {
            int64_t n_nan[LANES] = {};
            visit_blocks<T>(view, start, stop, T(0), [&](const uint8_t* values, int n_valid) {
                for (int base = 0; base < BLOCK_ROWS; base += LANES) {
                    for (int lane = 0; lane < LANES; ++lane) n_nan[lane] += load<T>(values, base + lane) != load<T>(values, base + lane);
                }
                slot.n += n_valid;
            });
            for (int lane = 0; lane < LANES; ++lane) slot.n -= n_nan[lane];
        } else {
            for (int64_t row = start; row < stop; row += BLOCK_ROWS) {
                slot.n += __builtin_popcountll(valid_rows(view, row, (int)(stop - row < BLOCK_ROWS ? stop - row : BLOCK_ROWS)));
            }
        }
        return true;
    }
};

// Over rows; in place of `update_slices` where all rows are of one group.
template <class Op, class Source>
int reduce_slices(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const Grouped& ctx = *(const Grouped*)raw;
    typename Op::Slot& slot = ((typename Op::Slot*)ctx.slots)[slice * ctx.n_replicas * (ctx.n_groups + SPARE_SLOTS)];
    slot = Op::init();
    return Reducer<Op, Source>::reduce(ctx.view, start, stop, slot) ? OK : OVERFLOW_;
}

}  // namespace ff
