// From raw scores to answers: link functions and decisions, row by row, in the libraries' own formulas and dtypes.
//
// `expf`, `exp` and `log1p` are those of the machine's C library, which XGBoost, LightGBM and SciPy call as well.
#pragma once
#include <algorithm>
#include <cmath>

#include "kernel.hpp"

namespace ff {

struct Links {
    const uint8_t* values;   // in: n_rows x width, floats or doubles
    uint8_t* out;            // out: of the same shape and type, or int64 per row (decisions)
    int64_t width;           // in
    double scale;            // in: of elementwise links; the cut of sides; of normalizing see there
};

// xgboost 3.2, src/common/math.h, Sigmoid: what is added to the sum against division by 0 is lost in rounding there as well.
struct SigmoidXGBoost {
    static float of(float x, double) {
        const float exponent = std::min(-x, 88.7f);
        return 1.0f / (std::exp(exponent) + 1.0f + 1e-16f);
    }
};

// LightGBM, src/objective/binary_objective.hpp; scipy/special (xsf), expit: SciPy computes floats in float.
struct Sigmoid {
    static double of(double x, double scale) { return 1.0 / (1.0 + std::exp(-(scale * x))); }
    static float of(float x, double scale) { return 1.0f / (1.0f + std::exp(-((float)scale * x))); }
};

struct Exp {
    static double of(double x, double) { return std::exp(x); }
    static float of(float x, double) { return std::exp(x); }
};

// xgboost 3.2, src/objective/aft_obj.cu: the C function, of doubles.
struct ExpWide {
    static float of(float x, double) { return (float)std::exp((double)x); }
};

// sklearn/linear_model/_stochastic_gradient.py, predict_proba of the modified Huber loss: numpy.clip keeps NaN.
struct ClippedShare {
    static double of(double x, double) { return share(x); }
    static float of(float x, double) { return share(x); }
    template <typename T> static T share(T x) { return ((x < T(-1) ? T(-1) : x > T(1) ? T(1) : x) + T(1)) / T(2); }
};

// LightGBM, src/objective/xentropy_objective.hpp, CrossEntropyLambda.
struct Softplus {
    static double of(double x, double) { return std::log1p(std::exp(x)); }
};

// LightGBM, src/objective/regression_objective.hpp, reg_sqrt.
struct SignedSquare {
    static double of(double x, double) { return ((x > 0) - (x < 0)) * x * x; }
};

// xgboost 3.2, src/objective/hinge.cu.
struct Step {
    static float of(float x, double) { return x > 0.0f ? 1.0f : 0.0f; }
};

// xgboost 3.2, src/common/math.h, Logit, and the logarithm of other objectives: of intercepts.
struct LogitXGBoost {
    static float of(float x, double) { return -std::log(1.0f / x - 1.0f); }
};

struct Log {
    static float of(float x, double) { return std::log(x); }
};

// LightGBM, src/boosting/gbdt_prediction.cpp, average_output.
struct Divide {
    static double of(double x, double scale) { return x / scale; }
};

template <typename Function, typename T>
int link_each(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    const T* values = (const T*)ctx.values;
    T* out = (T*)ctx.out;
    const double scale = ctx.scale;
    for (int64_t at = start * ctx.width; at < stop * ctx.width; ++at) out[at] = Function::of(values[at], scale);
    return OK;
}

// xgboost 3.2, src/common/math.h, Softmax: exponentials in float, their sum in double, rounded before the division.
inline int softmax_xgboost(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const float* values = (const float*)ctx.values + row * ctx.width;
        float* out = (float*)ctx.out + row * ctx.width;
        float most = values[0];
        for (int64_t at = 1; at < ctx.width; ++at) most = std::fmax(values[at], most);
        double sum = 0.0;
        for (int64_t at = 0; at < ctx.width; ++at) {
            out[at] = std::exp(values[at] - most);
            sum += out[at];
        }
        const float divisor = (float)sum;
        for (int64_t at = 0; at < ctx.width; ++at) out[at] /= divisor;
    }
    return OK;
}

// One after the other: LightGBM, and NumPy's sum over an axis that is not the last in memory.
struct SumInTurn {
    template <typename T>
    static T of(const T* values, int64_t count) {
        T sum = 0;
        for (int64_t at = 0; at < count; ++at) sum += values[at];
        return sum;
    }
};

// numpy/_core/src/umath/loops_utils.h.src, pairwise sum: NumPy's sum along memory.
struct SumPairwise {
    template <typename T>
    static T of(const T* values, int64_t count) {
        if (count < 8) return SumInTurn::of(values, count);
        if (count > 128) {
            const int64_t half = count / 2 - count / 2 % 8;
            return of(values, half) + of(values + half, count - half);
        }
        T lanes[8];
        std::copy(values, values + 8, lanes);
        int64_t at = 8;
        for (; at < count - count % 8; at += 8) {
            for (int lane = 0; lane < 8; ++lane) lanes[lane] += values[at + lane];
        }
        T sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
        for (; at < count; ++at) sum += values[at];
        return sum;
    }
};

// LightGBM, include/LightGBM/utils/common.h, Softmax; sklearn/utils/extmath.py, softmax.
template <typename Sum>
int softmax(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const double* values = (const double*)ctx.values + row * ctx.width;
        double* out = (double*)ctx.out + row * ctx.width;
        double most = values[0];
        for (int64_t at = 1; at < ctx.width; ++at) most = std::max(values[at], most);
        for (int64_t at = 0; at < ctx.width; ++at) out[at] = std::exp(values[at] - most);
        const double sum = Sum::of(out, ctx.width);
        for (int64_t at = 0; at < ctx.width; ++at) out[at] /= sum;
    }
    return OK;
}

// sklearn/linear_model/_base.py, _predict_proba_lr: rows add up to 1. A row of zeros becomes uniform, or, where the scale is 0
// (older versions of scikit-learn), 0 / 0.
template <typename Sum, typename T>
int normalize(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const T* values = (const T*)ctx.values + row * ctx.width;
        T* out = (T*)ctx.out + row * ctx.width;
        const T sum = Sum::of(values, ctx.width);
        const bool is_uniform = sum == 0 && ctx.scale != 0;
        for (int64_t at = 0; at < ctx.width; ++at) out[at] = is_uniform ? T(1) / (T)ctx.width : values[at] / sum;
    }
    return OK;
}

// [1 - p, p] from p.
template <typename T>
int both_classes(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    const T* values = (const T*)ctx.values;
    T* out = (T*)ctx.out;
    for (int64_t row = start; row < stop; ++row) {
        const T value = values[row];
        out[2 * row] = T(1) - value;
        out[2 * row + 1] = value;
    }
    return OK;
}

// The first of the largest; the first NaN if there is one (numpy.argmax).
template <typename T>
int largest(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    for (int64_t row = start; row < stop; ++row) {
        const T* values = (const T*)ctx.values + row * ctx.width;
        int64_t best = 0;
        for (int64_t at = 1; at < ctx.width && values[best] == values[best]; ++at) {
            if (!(values[at] <= values[best])) best = at;
        }
        ((int64_t*)ctx.out)[row] = best;
    }
    return OK;
}

// On which side of a cut each value is: 1 or 0, as int64; the cut is compared in the values' dtype, as NumPy does.
struct Above {
    template <typename T> static bool of(T value, T cut) { return value > cut; }
};
struct AtLeast {
    template <typename T> static bool of(T value, T cut) { return value >= cut; }
};
struct Below {
    template <typename T> static bool of(T value, T cut) { return value < cut; }
};

template <typename Side, typename T>
int side_of_cut(void* raw, int64_t start, int64_t stop, int64_t) {
    const Links& ctx = *(const Links*)raw;
    const T* values = (const T*)ctx.values;
    int64_t* out = (int64_t*)ctx.out;
    const T cut = (T)ctx.scale;
    for (int64_t at = start * ctx.width; at < stop * ctx.width; ++at) out[at] = Side::of(values[at], cut);
    return OK;
}

struct LinkKind { enum : int {
    SIGMOID_XGBOOST = 0, SIGMOID, EXP, SOFTPLUS, SIGNED_SQUARE, STEP,
    SOFTMAX_XGBOOST, SOFTMAX, SOFTMAX_PAIRWISE, NORMALIZE, NORMALIZE_PAIRWISE, BOTH_CLASSES, LARGEST,
    LOGIT_XGBOOST, LOG, DIVIDE, ABOVE, AT_LEAST, BELOW, EXP_WIDE, CLIPPED_SHARE,
}; };

// Null where a link is not defined for the type.
inline kernel_t link_kernel(int kind, int is_double) {
    if (is_double) {
        switch (kind) {
            case LinkKind::SIGMOID: return link_each<Sigmoid, double>;
            case LinkKind::EXP: return link_each<Exp, double>;
            case LinkKind::CLIPPED_SHARE: return link_each<ClippedShare, double>;
            case LinkKind::SOFTPLUS: return link_each<Softplus, double>;
            case LinkKind::SIGNED_SQUARE: return link_each<SignedSquare, double>;
            case LinkKind::DIVIDE: return link_each<Divide, double>;
            case LinkKind::SOFTMAX: return softmax<SumInTurn>;
            case LinkKind::SOFTMAX_PAIRWISE: return softmax<SumPairwise>;
            case LinkKind::NORMALIZE: return normalize<SumInTurn, double>;
            case LinkKind::NORMALIZE_PAIRWISE: return normalize<SumPairwise, double>;
            case LinkKind::BOTH_CLASSES: return both_classes<double>;
            case LinkKind::LARGEST: return largest<double>;
            case LinkKind::ABOVE: return side_of_cut<Above, double>;
            case LinkKind::AT_LEAST: return side_of_cut<AtLeast, double>;
            case LinkKind::BELOW: return side_of_cut<Below, double>;
            default: return nullptr;
        }
    }
    switch (kind) {
        case LinkKind::SIGMOID_XGBOOST: return link_each<SigmoidXGBoost, float>;
        case LinkKind::SIGMOID: return link_each<Sigmoid, float>;
        case LinkKind::EXP: return link_each<Exp, float>;
        case LinkKind::CLIPPED_SHARE: return link_each<ClippedShare, float>;
        case LinkKind::EXP_WIDE: return link_each<ExpWide, float>;
        case LinkKind::STEP: return link_each<Step, float>;
        case LinkKind::LOGIT_XGBOOST: return link_each<LogitXGBoost, float>;
        case LinkKind::LOG: return link_each<Log, float>;
        case LinkKind::SOFTMAX_XGBOOST: return softmax_xgboost;
        case LinkKind::NORMALIZE: return normalize<SumInTurn, float>;
        case LinkKind::NORMALIZE_PAIRWISE: return normalize<SumPairwise, float>;
        case LinkKind::BOTH_CLASSES: return both_classes<float>;
        case LinkKind::LARGEST: return largest<float>;
        case LinkKind::ABOVE: return side_of_cut<Above, float>;
        case LinkKind::AT_LEAST: return side_of_cut<AtLeast, float>;
        case LinkKind::BELOW: return side_of_cut<Below, float>;
        default: return nullptr;
    }
}

}  // namespace ff
