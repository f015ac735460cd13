// States of two columns: counts, means, squared deviations and products of deviations of rows where both have a value.
//
// Blocks of both columns are first converted to one type, so that there is one loop per state, not one per pair of types.
// Fields of all: n (int64), mean and m2 of x, mean and m2 of y, c (double): the sum of products of deviations.
#pragma once
#include "states.hpp"

namespace ff {

constexpr int STEP_ROWS = 256;   // rows of a block: targets, values and the states they go to fit the first-level cache

template <typename To, class Source>
void convert_block(const View& view, int64_t row, int count, int64_t smallest, void* out) {
    To* values = (To*)out;
    for (int lane = 0; lane < count; ++lane) {
        if constexpr (std::is_floating_point<To>::value) values[lane] = (To)Source::at(view, row + lane);
        else values[lane] = (To)Source::at(view, row + lane) - (To)smallest;   // modulo the word: exact, for the distance fits it
    }
}

typedef void (*convert_t)(const View&, int64_t row, int count, int64_t smallest, void* out);

inline void emit_pair(const StateColumns& out, int64_t group, int64_t n, const double* values) {
    store<int64_t>(out.fields[0], group, n);
    for (int field = 1; field < 6; ++field) store<double>(out.fields[field], group, values[field - 1]);
}

// Any numbers; see Moments. Chan, Golub and LeVeque (1979) for both columns and their products.
struct PairMoments {
    typedef double number_t;
    struct Slot {
        double shift_x, shift_y;
        double mean_x, mean_y;      // less the shifts; until closed, sums of deviations
        double m2_x, m2_y, c;       // until closed, sums of products of deviations from the shifts
        int64_t n;
    };
    static constexpr int n_field = 0;
    static Slot init() { return {}; }
    static void update(uint8_t* states, const uint32_t* target, const double* x, const double* y, int count) {
        for (int lane = 0; lane < count; ++lane) {
            Slot& slot = *(Slot*)(states + 8 * (size_t)target[lane]);
            if (__builtin_expect(slot.n == 0, 0)) {
                slot.shift_x = x[lane];
                slot.shift_y = y[lane];
            }
            const double dx = x[lane] - slot.shift_x, dy = y[lane] - slot.shift_y;
            slot.mean_x += dx;
            slot.mean_y += dy;
            slot.m2_x += dx * dx;
            slot.m2_y += dy * dy;
            slot.c += dx * dy;
            ++slot.n;
        }
    }
    static void close(Slot& slot) {
        if (slot.n == 0) return;
        const double sum_x = slot.mean_x, sum_y = slot.mean_y, n = (double)slot.n;
        slot.mean_x = sum_x / n;
        slot.mean_y = sum_y / n;
        slot.m2_x -= sum_x * slot.mean_x;
        slot.m2_y -= sum_y * slot.mean_y;
        slot.c -= sum_x * slot.mean_y;
        if (slot.m2_x < 0.0) slot.m2_x = 0.0;
        if (slot.m2_y < 0.0) slot.m2_y = 0.0;
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        if (later.n == 0) return true;
        if (slot.n == 0) { slot = later; return true; }
        const double n = (double)slot.n, n_later = (double)later.n, share = n_later / (n + n_later), weight = n * share;
        const double delta_x = (later.shift_x - slot.shift_x) + (later.mean_x - slot.mean_x);
        const double delta_y = (later.shift_y - slot.shift_y) + (later.mean_y - slot.mean_y);
        slot.mean_x += delta_x * share;
        slot.mean_y += delta_y * share;
        slot.m2_x += later.m2_x + delta_x * delta_x * weight;
        slot.m2_y += later.m2_y + delta_y * delta_y * weight;
        slot.c += later.c + delta_x * delta_y * weight;
        slot.n += later.n;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given&) {
        const double values[5] = {slot.shift_x + slot.mean_x, slot.m2_x, slot.shift_y + slot.mean_y, slot.m2_y, slot.c};
        emit_pair(out, group, slot.n, values);
    }
    static Slot restore(const StateColumns& in, int64_t group) {
        double values[5];
        for (int field = 1; field < 6; ++field) values[field - 1] = load<double>(in.fields[field], group);
        return {values[0], values[2], 0.0, 0.0, values[1], values[3], values[4], load<int64_t>(in.fields[0], group)};
    }
};

// Integers whose ranges prove that no sum of products of distances from the smallest values passes 2^64.
struct PairExact {
    typedef uint64_t number_t;
    struct Slot { uint64_t n, x, y, xx, yy, xy; };
    static constexpr int n_field = 0;
    static Slot init() { return {}; }
    static constexpr int n_words = 6;
    static void add(Slot& slot, uint64_t x, uint64_t y) {
        ++slot.n;
        slot.x += x;
        slot.y += y;
        slot.xx += x * x;
        slot.yy += y * y;
        slot.xy += x * y;
    }
    static void fill(const uint64_t* x, const uint64_t* y, int count, uint64_t (*words)[STEP_ROWS]) {
        for (int lane = 0; lane < count; ++lane) {
            words[0][lane] = 1;
            words[1][lane] = x[lane];
            words[2][lane] = y[lane];
            words[3][lane] = x[lane] * x[lane];
            words[4][lane] = y[lane] * y[lane];
            words[5][lane] = x[lane] * y[lane];
        }
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        slot.n += later.n;
        slot.x += later.x;
        slot.y += later.y;
        slot.xx += later.xx;
        slot.yy += later.yy;
        slot.xy += later.xy;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t, const Given& given) {
        const double values[5] = {
            mean_from(given.smallest, slot.x, slot.n), products_of_deviations(slot.n, slot.xx, slot.x, slot.x),
            mean_from(given.other_smallest, slot.y, slot.n), products_of_deviations(slot.n, slot.yy, slot.y, slot.y),
            products_of_deviations(slot.n, slot.xy, slot.x, slot.y),
        };
        emit_pair(out, group, (int64_t)slot.n, values);
    }
};

// The same where no sum passes 2^32: two sums in a word, half the state and half the additions.
struct PairPacked {
    typedef uint32_t number_t;
    struct Slot { uint64_t n_x, y_xy, xx_yy; };   // low half first
    static constexpr int n_field = 0;
    static Slot init() { return {}; }
    static constexpr int n_words = 3;
    static void add(Slot& slot, uint64_t x, uint64_t y) {
        slot.n_x += 1 | x << 32;
        slot.y_xy += y | (x * y) << 32;
        slot.xx_yy += x * x | (y * y) << 32;
    }
    static void fill(const uint32_t* x, const uint32_t* y, int count, uint64_t (*words)[STEP_ROWS]) {
        for (int lane = 0; lane < count; ++lane) {
            const uint64_t one = x[lane], other = y[lane];
            words[0][lane] = 1 | one << 32;
            words[1][lane] = other | (one * other) << 32;
            words[2][lane] = one * one | (other * other) << 32;
        }
    }
    static bool combine(Slot& slot, const Slot& later, const Given&) {
        slot.n_x += later.n_x;
        slot.y_xy += later.y_xy;
        slot.xx_yy += later.xx_yy;
        return true;
    }
    static void emit(const StateColumns& out, int64_t group, const Slot& slot, int64_t n, const Given& given) {
        const PairExact::Slot wide = {(uint32_t)slot.n_x, slot.n_x >> 32, (uint32_t)slot.y_xy, (uint32_t)slot.xx_yy, slot.xx_yy >> 32, slot.y_xy >> 32};
        PairExact::emit(out, group, wide, n, given);
    }
};

}  // namespace ff
