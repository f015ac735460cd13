// The elementwise steps of `features.STEPS` on a block of values: each as the library does it, in the values' own dtype.
// The slow twin is fastframe/predict/steps.py.
#pragma once
#include <cmath>

#include "forest_columns.hpp"

namespace ff {

// Keep in step with fastframe/predict/engines/front.py::STEP_CODES.
enum StepCode : int32_t {
    TO_FLOAT32 = 0, TO_FLOAT64 = 1, FILL = 2, EQUALS_MISSING = 3, IS_MISSING = 4, ADD = 5, SUBTRACT = 6, MULTIPLY = 7,
    DIVIDE = 8, CLIP = 9, ABS = 10, SQRT = 11, SQUARE = 12, NEGATIVE = 13, ABOVE = 14, COUNT_AT_MOST = 15, COUNT_BELOW = 16,
};

struct FrontStep {
    int64_t code;
    double a, b;
    const double* edges;   // ascending
    int64_t n_edges;
};

// A block of values on its way through the steps: in `narrow` where it is float32, else in `wide`.
struct StepBlock {
    alignas(64) double wide[FRONT_ROWS];
    alignas(64) float narrow[FRONT_ROWS];
};

template <typename T, typename F>
inline void each_value(T* values, int count, F one) {
    for (int lane = 0; lane < count; ++lane) values[lane] = one(values[lane]);
}

// `searchsorted`: edges that are not above x (or not at or above it); NaN comes after all edges.
template <typename T, bool AT_MOST>
inline void count_edges(const FrontStep& step, T* values, int count) {
    each_value(values, count, [&](T value) {
        const double x = (double)value;
        const double* first = step.edges;
        int64_t length = step.n_edges;
        while (length > 0) {
            const int64_t half = length / 2;
            const bool before = AT_MOST ? !(first[half] > x) : !(first[half] >= x);
            first = before ? first + half + 1 : first;
            length = before ? length - half - 1 : half;
        }
        return (T)(first - step.edges);
    });
}

template <typename T>
inline void apply_step(const FrontStep& step, T* values, int count) {
    const T a = (T)step.a, b = (T)step.b;
    constexpr T missing = std::numeric_limits<T>::quiet_NaN();
    switch (step.code) {
        case FILL: each_value(values, count, [=](T x) { return x != x ? a : x; }); break;
        case EQUALS_MISSING: each_value(values, count, [=](T x) { return x == a ? missing : x; }); break;
        case IS_MISSING: each_value(values, count, [](T x) { return (T)(x != x); }); break;
        case ADD: each_value(values, count, [=](T x) { return x + a; }); break;
        case SUBTRACT: each_value(values, count, [=](T x) { return x - a; }); break;
        case MULTIPLY: each_value(values, count, [=](T x) { return x * a; }); break;
        case DIVIDE: each_value(values, count, [=](T x) { return x / a; }); break;
        case CLIP: each_value(values, count, [=](T x) {   // NaN stays
            const T raised = x < a ? a : x;
            return raised > b ? b : raised;
        }); break;
        case ABS: each_value(values, count, [](T x) { return std::fabs(x); }); break;
        case SQRT: each_value(values, count, [](T x) { return std::sqrt(x); }); break;
        case SQUARE: each_value(values, count, [](T x) { return x * x; }); break;
        case NEGATIVE: each_value(values, count, [](T x) { return -x; }); break;
        case ABOVE: each_value(values, count, [=](T x) { return (T)(x > a); }); break;
        case COUNT_AT_MOST: count_edges<T, true>(step, values, count); break;
        case COUNT_BELOW: count_edges<T, false>(step, values, count); break;
        default: break;   // casts are the caller's
    }
}

template <typename From, typename To>
inline void cast_block(const From* __restrict from, To* __restrict to, int count) {
    for (int lane = 0; lane < count; ++lane) to[lane] = (To)from[lane];
}

// Whether the block is float32 afterwards.
inline bool apply_steps(const FrontStep* steps, int n_steps, StepBlock& block, int count, bool narrow) {
    for (int one = 0; one < n_steps; ++one) {
        const FrontStep& step = steps[one];
        if (step.code == TO_FLOAT32 || step.code == TO_FLOAT64) {
            const bool to_narrow = step.code == TO_FLOAT32;
            if (to_narrow && !narrow) cast_block(block.wide, block.narrow, count);
            if (!to_narrow && narrow) cast_block(block.narrow, block.wide, count);
            narrow = to_narrow;
        } else if (narrow) {
            apply_step(step, block.narrow, count);
        } else {
            apply_step(step, block.wide, count);
        }
    }
    return narrow;
}

}  // namespace ff
