// Elementwise arithmetic: binary and unary operations, checked for integers, and the lesser or greater of two.
//
// Overflow is collected in a flag without a branch, so the loops stay vectors: for a sum r = a + b of signed values the
// sign of (a ^ r) & (b ^ r) tells (Warren, Hacker's Delight, 2-13). Rows under a null are zero and never overflow.
// Division follows Python (floored); of floats, as CPython's float_divmod and NumPy's npy_divmod compute it.
#pragma once
#include <cmath>
#include <limits>

#include "operand.hpp"
#include "reciprocal.hpp"
#include "streaming.hpp"

namespace ff {

enum Binary : int { ADD = 0, SUB = 1, MUL = 2, TRUEDIV = 3, POW = 4, FLOORDIV = 5, MOD = 6, MIN = 7, MAX = 8, RAISE = 9, LOWER = 10, ARCTAN2 = 11, HYPOT = 12, FMOD = 13 };
enum Unary : int {
    NEG = 0, ABS = 1, SIGN = 2, SQRT = 3, EXP = 4, LOG = 5, LOG1P = 6, FLOOR = 7, CEIL = 8, ROUND = 9, EXPM1 = 10, TRUNC = 11,
    LOG2 = 12, LOG10 = 13, CBRT = 14, SIN = 15, COS = 16, TAN = 17, ARCSIN = 18, ARCCOS = 19, ARCTAN = 20,
    SINH = 21, COSH = 22, TANH = 23, ARCSINH = 24, ARCCOSH = 25, ARCTANH = 26,
};

struct BinaryContext {
    Operand left;        // in
    Operand right;       // in
    uint8_t* out;        // out  values of the loop's type
    uint8_t* validity;   // out  null where no result can be null
    int64_t loose;       // in   1 where values under nulls may be anything (of a temporary, which nobody sees), else they are zeros
    int64_t streams;     // in   1 where `out` goes past the caches; then it is aligned to a line
};

struct UnaryContext {
    Operand operand;     // in
    double factor;       // in   ROUND: 10 to the number of decimals kept, or dropped
    int divide_first;    // in   ROUND: 1 where decimals are dropped (round(x / factor) * factor)
    uint8_t* out;        // out
    int64_t loose;       // in   as of binary operations
    int64_t streams;     // in   the same
};

template <typename T> constexpr bool is_float = std::is_floating_point<T>::value;
template <typename T> constexpr bool is_signed_int = std::is_integral<T>::value && std::is_signed<T>::value;
typedef uint64_t flag_t;   // not zero where a row went wrong

// ---- operations: apply(a, b, flag) ----------------------------------------------------------------------------------

struct Add {
    template <typename T, typename F>
    static inline T apply(T a, T b, F& flag) {
        if constexpr (is_float<T>) return a + b;
        else {
            typedef std::make_unsigned_t<T> U;
            const T sum = (T)(U)((U)a + (U)b);
            if constexpr (is_signed_int<T>) flag |= (U)((U)(a ^ sum) & (U)(b ^ sum)) & (U)std::numeric_limits<T>::min();
            else flag |= (U)(sum < a);
            return sum;
        }
    }
};

struct Sub {
    template <typename T, typename F>
    static inline T apply(T a, T b, F& flag) {
        if constexpr (is_float<T>) return a - b;
        else {
            typedef std::make_unsigned_t<T> U;
            const T difference = (T)(U)((U)a - (U)b);
            if constexpr (is_signed_int<T>) flag |= (U)((U)(a ^ b) & (U)(a ^ difference)) & (U)std::numeric_limits<T>::min();
            else flag |= (U)(a < b);
            return difference;
        }
    }
};

struct Mul {
    template <typename T, typename F>
    static inline T apply(T a, T b, F& flag) {
        if constexpr (is_float<T>) return a * b;
        else {
            T product;
            flag |= (F)__builtin_mul_overflow(a, b, &product);
            return product;
        }
    }
};

struct TrueDiv {
    template <typename T, typename F>
    static inline T apply(T a, T b, F&) { return a / b; }
};

struct Pow {
    template <typename T, typename F>
    static inline T apply(T a, T b, F& flag) {
        if constexpr (is_float<T>) {
            if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();   // IEEE says NaN ** 0 is 1; missing stays missing
            return std::pow(a, b);
        } else {
            T result = 1;
            for (T base = a, power = b; power > 0;) {
                if (power & 1) flag |= (F)__builtin_mul_overflow(result, base, &result);
                power = (T)(power >> 1);
                if (power > 0) flag |= (F)__builtin_mul_overflow(base, base, &base);
            }
            return result;
        }
    }
};

struct Arctan2 {
    template <typename T, typename F>
    static inline T apply(T a, T b, F&) { return std::atan2(a, b); }
};

struct Hypot {
    template <typename T, typename F>
    static inline T apply(T a, T b, F&) {
        if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();   // IEEE says hypot(NaN, inf) is inf; missing stays missing
        return std::hypot(a, b);
    }
};

template <typename T>
struct Divided {
    T quotient;
    T remainder;
};

template <typename T> using bits_t = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <typename T>
inline bits_t<T> bits_of(T number) {
    bits_t<T> bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

template <typename T>
inline T number_of(bits_t<T> bits) {
    T number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

// A condition as compilers keep it in a vector: all bits, or none.
template <typename T>
inline bits_t<T> all_bits(bool condition) { return (bits_t<T>)0 - (bits_t<T>)condition; }

// The floored quotient and its remainder by the rounded quotient; `sure` where these are the exact ones, rounded.
//
// Where the rounded quotient is no whole number, none lies between it and the exact one, which would be rounded to it: both have one
// floor. Where it is one, the rest that it leaves is exact (Boldo and Daumas, Representable correcting terms, 2003), and says by its sign
// whether the exact quotient lies below.
template <typename T>
inline Divided<T> divide_rounded(T a, T b, bits_t<T>& sure) {
    constexpr T most = (T)((int64_t)1 << (std::numeric_limits<T>::digits - 3));   // beyond, NumPy's quotients are rounded themselves
    constexpr int n_bits = 2 * std::numeric_limits<T>::digits;
    constexpr T least = std::numeric_limits<T>::min() * (T)((int64_t)1 << (n_bits / 2)) * (T)((int64_t)1 << (n_bits / 2));   // rests are no smaller than numbers get
    constexpr bits_t<T> sign = (bits_t<T>)1 << (8 * sizeof(T) - 1);
    constexpr T even = (T)((int64_t)3 << (std::numeric_limits<T>::digits - 2));   // a sum with it has no bits behind the point
    const T rounded = a / b, nearest = (rounded + even) - even;
    const T below = nearest - number_of<T>(all_bits<T>(nearest > rounded) & bits_of((T)1));
    const T whole = number_of<T>(bits_of(below) | (sign & bits_of(rounded)));   // std::floor, which compilers do not make a vector of; -0 too
    const T rest = std::fma(-whole, b, a);
    const bits_t<T> is_some = all_bits<T>(rest != 0), signs_differ = all_bits<T>((bits_of(rest) ^ bits_of(b)) >= sign);
    const bits_t<T> is_above = all_bits<T>(rounded == whole) & is_some & signs_differ;
    const T lifted = rest + number_of<T>(is_above & bits_of(b));
    sure = (all_bits<T>(std::fabs(rounded) < most) & (all_bits<T>(a == 0) | all_bits<T>(std::fabs(a) >= least)) & all_bits<T>(rest == rest)) |
           all_bits<T>(b == 0) | all_bits<T>(rounded != rounded);
    return {
        whole - number_of<T>(is_above & bits_of((T)1)),
        number_of<T>((is_some & bits_of(lifted)) | (~is_some & sign & bits_of(b))),
    };
}

// As NumPy: by the exact remainder, which takes long.
template <typename T>
inline Divided<T> divide_floats(T a, T b) {
    if (b == 0) return {a / b, std::fmod(a, b)};
    T remainder = std::fmod(a, b);
    T quotient = (a - remainder) / b;
    if (remainder != 0) {
        if ((b < 0) != (remainder < 0)) {
            remainder += b;
            quotient -= 1;
        }
    } else {
        remainder = std::copysign((T)0, b);
    }
    if (quotient == 0) return {std::copysign((T)0, a / b), remainder};
    T whole = std::floor(quotient);
    if (quotient - whole > (T)0.5) whole += 1;
    return {whole, remainder};
}

// b is not zero; the quotient of the least value by -1 does not fit.
template <typename T>
inline Divided<T> divide_integers(T a, T b, flag_t& overflow) {
    if constexpr (is_signed_int<T>) {
        if (b == -1) {
            overflow |= a == std::numeric_limits<T>::min();
            return {(T)(0 - (std::make_unsigned_t<T>)a), 0};
        }
        T quotient = (T)(a / b), remainder = (T)(a % b);
        if (remainder != 0 && (remainder < 0) != (b < 0)) {
            quotient = (T)(quotient - 1);
            remainder = (T)(remainder + b);
        }
        return {quotient, remainder};
    } else {
        return {(T)(a / b), (T)(a % b)};
    }
}

// Of the sign of a; b is not zero.
template <typename T>
inline T cut_remainder(T a, T b) {
    if constexpr (is_signed_int<T>) {
        if (b == -1) return 0;   // the processor divides, and the least value by -1 does not fit
    }
    return (T)(a % b);
}

struct FloatFloorDiv {
    template <typename T>
    static inline T of(const Divided<T>& both) { return both.quotient; }

    template <typename T, typename F>
    static inline T apply(T a, T b, F&) {
        bits_t<T> sure;
        const Divided<T> both = divide_rounded(a, b, sure);
        return sure ? both.quotient : divide_floats(a, b).quotient;
    }
};

struct FloatCutMod {
    template <typename T, typename F>
    static inline T apply(T a, T b, F&) { return std::fmod(a, b); }
};

struct FloatMod {
    template <typename T>
    static inline T of(const Divided<T>& both) { return both.remainder; }

    template <typename T, typename F>
    static inline T apply(T a, T b, F&) {
        bits_t<T> sure;
        const Divided<T> both = divide_rounded(a, b, sure);
        return sure ? both.remainder : divide_floats(a, b).remainder;
    }
};

// ---- binary loops ---------------------------------------------------------------------------------------------------

template <typename T>
using loop_flag = std::conditional_t<is_float<T>, uint64_t, std::make_unsigned_t<std::conditional_t<is_float<T>, int64_t, T>>>;

// Whether an operation is a few instructions: then wide vectors pay, and rows under nulls are sooner computed with the rest.
template <typename Op>
constexpr bool is_cheap = !std::is_same<Op, Pow>::value && !std::is_same<Op, FloatCutMod>::value && !std::is_same<Op, Arctan2>::value &&
                          !std::is_same<Op, Hypot>::value;

template <typename Op>
constexpr bool divides_floats = std::is_same<Op, FloatFloorDiv>::value || std::is_same<Op, FloatMod>::value;

template <typename T, typename Op>
FF_WIDE_ROWS flag_t wide_rows(const uint8_t* __restrict left, const uint8_t* __restrict right, uint8_t* __restrict out, int count) {
    loop_flag<T> flag = 0;
    for (int row = 0; row < count; ++row) store<T>(out, row, Op::template apply<T>(load<T>(left, row), load<T>(right, row), flag));
    return flag;
}

// Of rows that the rounded quotient leaves unsure.
template <typename T, typename Op>
FF_FUSED_ROWS void divide_unsure_rows(const uint8_t* left, const uint8_t* right, uint8_t* out, int count) {
    for (int row = 0; row < count; ++row) {
        const T a = load<T>(left, row), b = load<T>(right, row);
        bits_t<T> sure;
        divide_rounded(a, b, sure);
        if (!sure) store<T>(out, row, Op::of(divide_floats(a, b)));
    }
}

template <typename T, typename Op>
FF_FUSED_ROWS void divide_rows(const uint8_t* __restrict left, const uint8_t* __restrict right, uint8_t* __restrict out, int count) {
    for (int first = 0; first < count; first += 64) {
        const int64_t shift = first * (int64_t)sizeof(T);
        const int some = count - first < 64 ? count - first : 64;
        bits_t<T> unsure = 0;
        for (int row = 0; row < some; ++row) {
            bits_t<T> sure;
            store<T>(out + shift, row, Op::of(divide_rounded(load<T>(left + shift, row), load<T>(right + shift, row), sure)));
            unsure |= ~sure;
        }
        if (unsure != 0) divide_unsure_rows<T, Op>(left + shift, right + shift, out + shift, some);
    }
}

template <typename T, typename Op>
inline flag_t dense_rows(const uint8_t* __restrict left, const uint8_t* __restrict right, uint8_t* __restrict out, int count) {
    if constexpr (divides_floats<Op>) {
        if (has_fused_rows()) {
            divide_rows<T, Op>(left, right, out, count);
            return 0;
        }
    } else if constexpr (is_cheap<Op>) {
        if (has_wide_rows()) return wide_rows<T, Op>(left, right, out, count);
    }
    loop_flag<T> flag = 0;
    for (int row = 0; row < count; ++row) store<T>(out, row, Op::template apply<T>(load<T>(left, row), load<T>(right, row), flag));
    return flag;
}

template <typename T, typename Op>
inline flag_t sparse_rows(const uint8_t* left, const uint8_t* right, uint8_t* out, int count, uint64_t valid) {
    loop_flag<T> flag = 0;
    for (int row = 0; row < count; ++row) {
        const bool here = (valid >> row) & 1;
        store<T>(out, row, here ? Op::template apply<T>(load<T>(left, row), load<T>(right, row), flag) : (T)0);
    }
    return flag;
}

template <typename T>
inline void clear_nulls(uint8_t* out, uint64_t valid, int count) {
    for (uint64_t gone = ~valid & low_bits(count); gone != 0; gone &= gone - 1) store<T>(out, __builtin_ctzll(gone), (T)0);
}

template <typename T>
inline void validity_and_zeros(const BinaryContext& ctx, uint8_t* out, int64_t start, int count) {
    for (int first = 0; first < count; first += 64) {
        const int some = count - first < 64 ? count - first : 64;
        const uint64_t valid = valid_word(ctx.left, start + first, some) & valid_word(ctx.right, start + first, some);
        store_bits(ctx.validity, start + first, valid, some);
        if (!ctx.loose) clear_nulls<T>(out + first * (int64_t)sizeof(T), valid, some);
    }
}

template <typename T, typename Op>
inline flag_t rows_with_nulls(const BinaryContext& ctx, const uint8_t* left, const uint8_t* right, uint8_t* out, int64_t start, int count) {
    if constexpr (is_cheap<Op>) {   // unless something overflows: then it matters whether that was under a null
        if (!dense_rows<T, Op>(left, right, out, count)) {
            validity_and_zeros<T>(ctx, out, start, count);
            return 0;
        }
    }
    flag_t flag = 0;
    for (int first = 0; first < count; first += 64) {
        const int some = count - first < 64 ? count - first : 64;
        const uint64_t valid = valid_word(ctx.left, start + first, some) & valid_word(ctx.right, start + first, some);
        store_bits(ctx.validity, start + first, valid, some);
        const int64_t shift = first * (int64_t)sizeof(T);
        flag |= valid == low_bits(some) ? dense_rows<T, Op>(left + shift, right + shift, out + shift, some)
                                        : sparse_rows<T, Op>(left + shift, right + shift, out + shift, some, valid);
    }
    return flag;
}

template <typename T, typename Op>
int binary(void* context, int64_t start, int64_t stop, int64_t) {
    const BinaryContext& ctx = *(const BinaryContext*)context;
    Blocks<T> left(ctx.left), right(ctx.right);
    BlockWriter<BLOCK * sizeof(T)> writer(ctx.streams);
    for (int64_t first = start; first < stop; first += BLOCK) {
        const int count = (int)(stop - first < BLOCK ? stop - first : BLOCK);
        const uint8_t* a = left.at(first, count);
        const uint8_t* b = right.at(first, count);
        uint8_t* const place = ctx.out + first * (int64_t)sizeof(T);
        uint8_t* const out = writer.target(place);
        const flag_t flag = ctx.validity ? rows_with_nulls<T, Op>(ctx, a, b, out, first, count) : dense_rows<T, Op>(a, b, out, count);
        if (flag) return OVERFLOW_;
        writer.put(place, count * (int64_t)sizeof(T));
    }
    return OK;
}

// Integer powers: a negative exponent has no integer result.
template <typename T>
int integer_power(void* context, int64_t start, int64_t stop, int64_t slice) {
    const BinaryContext& ctx = *(const BinaryContext*)context;
    if constexpr (is_signed_int<T>) {
        Blocks<T> right(ctx.right);
        for (int64_t first = start; first < stop; first += 64) {
            const int count = (int)(stop - first < 64 ? stop - first : 64);
            const uint64_t valid = valid_word(ctx.left, first, count) & valid_word(ctx.right, first, count);
            const uint8_t* b = right.at(first, count);
            for (int row = 0; row < count; ++row)
                if (((valid >> row) & 1) && load<T>(b, row) < 0) return INEXACT;
        }
    }
    return binary<T, Pow>(context, start, stop, slice);
}

template <typename T, int OP>
inline void reciprocal_rows(const Reciprocal<T>& divisor, const uint8_t* __restrict in, uint8_t* __restrict out, int count) {
    for (int row = 0; row < count; ++row) {
        const T value = load<T>(in, row);
        store<T>(out, row, OP == MOD ? divisor.floor_remainder(value) : divisor.floor_quotient(value));
    }
}

template <typename T, int OP>
FF_WIDE_ROWS void wide_reciprocal_rows(const Reciprocal<T>& divisor, const uint8_t* in, uint8_t* out, int count) {
    reciprocal_rows<T, OP>(divisor, in, out, count);
}

// By one divisor of 2 or more; nothing overflows, and rows under nulls are computed with the rest.
template <typename T, int OP>
int division_by_one(const BinaryContext& ctx, T divisor, int64_t start, int64_t stop) {
    const Reciprocal<T> reciprocal(divisor);
    const bool is_wide = Reciprocal<T>::is_narrow && has_wide_rows();
    Blocks<T> left(ctx.left);
    for (int64_t first = start; first < stop; first += BLOCK) {
        const int count = (int)(stop - first < BLOCK ? stop - first : BLOCK);
        const uint8_t* in = left.at(first, count);
        uint8_t* out = ctx.out + first * (int64_t)sizeof(T);
        if (is_wide) wide_reciprocal_rows<T, OP>(reciprocal, in, out, count);
        else reciprocal_rows<T, OP>(reciprocal, in, out, count);
        validity_and_zeros<T>(ctx, out, first, count);
    }
    return OK;
}

// Integer division: null where the divisor is zero, so the validity is always written.
template <typename T, int OP>
int integer_division(void* context, int64_t start, int64_t stop, int64_t) {
    const BinaryContext& ctx = *(const BinaryContext*)context;
    Blocks<T> left(ctx.left), right(ctx.right);
    if constexpr (OP != FMOD && has_reciprocal<T>) {
        const T divisor = ctx.right.scalar ? load<T>(right.at(start, 1), 0) : (T)0;
        if (divisor > 1) return division_by_one<T, OP>(ctx, divisor, start, stop);
    }
    flag_t overflow = 0;
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const uint8_t* a = left.at(first, count);
        const uint8_t* b = right.at(first, count);
        uint64_t valid = valid_word(ctx.left, first, count) & valid_word(ctx.right, first, count);
        for (int row = 0; row < count; ++row) {
            const T divisor = load<T>(b, row);
            T result = 0;
            if (divisor == 0) valid &= ~((uint64_t)1 << row);
            else if ((valid >> row) & 1) {
                flag_t beyond = 0;
                if constexpr (OP == FMOD) {
                    result = cut_remainder<T>(load<T>(a, row), divisor);
                } else {
                    const Divided<T> both = divide_integers<T>(load<T>(a, row), divisor, beyond);
                    result = OP == MOD ? both.remainder : both.quotient;
                    if (OP == FLOORDIV) overflow |= beyond;
                }
            }
            store<T>(ctx.out, first + row, result);
        }
        store_bits(ctx.validity, first, valid, count);
        if (overflow) return OVERFLOW_;
    }
    return OK;
}

// A comparison with NaN is false, which keeps `a`; only a NaN in `a` needs a second choice.
template <typename T, bool GREATER, bool BOUND>
inline void extreme_rows(const uint8_t* __restrict left, const uint8_t* __restrict right, uint8_t* __restrict out, int count) {
    for (int row = 0; row < count; ++row) {
        const T a = load<T>(left, row), b = load<T>(right, row);
        const T better = (GREATER ? b > a : b < a) ? b : a;
        store<T>(out, row, !BOUND && a != a ? b : better);
    }
}

// The lesser or greater of two. A missing side gives way to the other; with BOUND, only a missing bound (the right side)
// does, and a missing left side stays missing. NaN counts as missing.
template <typename T, bool GREATER, bool BOUND>
int extreme(void* context, int64_t start, int64_t stop, int64_t) {
    const BinaryContext& ctx = *(const BinaryContext*)context;
    Blocks<T> left(ctx.left), right(ctx.right);
    BlockWriter<64 * sizeof(T)> writer(ctx.streams);
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const uint8_t* a_rows = left.at(first, count);
        const uint8_t* b_rows = right.at(first, count);
        const uint64_t a_valid = valid_word(ctx.left, first, count), b_valid = valid_word(ctx.right, first, count);
        const uint64_t valid = BOUND ? a_valid : a_valid | b_valid;
        if (ctx.validity) store_bits(ctx.validity, first, valid, count);
        uint8_t* const place = ctx.out + first * (int64_t)sizeof(T);
        uint8_t* const out = writer.target(place);
        const bool are_all = (a_valid & b_valid) == low_bits(count);
        if (are_all) extreme_rows<T, GREATER, BOUND>(a_rows, b_rows, out, count);
        for (int row = 0; row < count && !are_all; ++row) {
            const T a = load<T>(a_rows, row), b = load<T>(b_rows, row);
            const bool a_here = ((a_valid >> row) & 1) && a == a, b_here = ((b_valid >> row) & 1) && b == b;
            const T better = (GREATER ? b > a : b < a) ? b : a;
            T result = a_here ? (b_here ? better : a) : (!BOUND && b_here ? b : ((a_valid >> row) & 1) ? a : b);
            if (!((valid >> row) & 1)) result = 0;
            store<T>(out, row, result);
        }
        writer.put(place, count * (int64_t)sizeof(T));
    }
    return OK;
}

// ---- unary ----------------------------------------------------------------------------------------------------------

struct Neg {
    template <typename T>
    static inline T apply(T a, const UnaryContext&, flag_t& flag) {
        if constexpr (is_float<T>) return -a;
        else {
            flag |= is_signed_int<T> ? a == std::numeric_limits<T>::min() : a != 0;
            return (T)(0 - (std::make_unsigned_t<T>)a);
        }
    }
};

struct Abs {
    template <typename T>
    static inline T apply(T a, const UnaryContext&, flag_t& flag) {
        if constexpr (is_float<T>) return std::fabs(a);
        else if constexpr (!is_signed_int<T>) return a;
        else {
            flag |= a == std::numeric_limits<T>::min();
            return a < 0 ? (T)(0 - (std::make_unsigned_t<T>)a) : a;
        }
    }
};

struct Sign {
    template <typename T>
    static inline T apply(T a, const UnaryContext&, flag_t&) {
        if constexpr (is_float<T>) return a != a ? a : (T)((a > 0) - (a < 0));
        else return (T)((a > 0) - (a < 0));
    }
};

#define FF_FLOAT_OP(Name, expression)                                        \
    struct Name {                                                            \
        template <typename T>                                                \
        static inline T apply(T a, const UnaryContext&, flag_t&) {           \
            if constexpr (is_float<T>) return expression;                    \
            else return a;                                                   \
        }                                                                    \
    };
FF_FLOAT_OP(Sqrt, std::sqrt(a))
FF_FLOAT_OP(Exp, std::exp(a))
FF_FLOAT_OP(Log, std::log(a))
FF_FLOAT_OP(Log1p, std::log1p(a))
FF_FLOAT_OP(Expm1, std::expm1(a))
FF_FLOAT_OP(Log2, std::log2(a))
FF_FLOAT_OP(Log10, std::log10(a))
FF_FLOAT_OP(Cbrt, std::cbrt(a))
FF_FLOAT_OP(Sin, std::sin(a))
FF_FLOAT_OP(Cos, std::cos(a))
FF_FLOAT_OP(Tan, std::tan(a))
FF_FLOAT_OP(Arcsin, std::asin(a))
FF_FLOAT_OP(Arccos, std::acos(a))
FF_FLOAT_OP(Arctan, std::atan(a))
FF_FLOAT_OP(Sinh, std::sinh(a))
FF_FLOAT_OP(Cosh, std::cosh(a))
FF_FLOAT_OP(Tanh, std::tanh(a))
FF_FLOAT_OP(Arcsinh, std::asinh(a))
FF_FLOAT_OP(Arccosh, std::acosh(a))
FF_FLOAT_OP(Arctanh, std::atanh(a))
FF_FLOAT_OP(Floor, std::floor(a))
FF_FLOAT_OP(Ceil, std::ceil(a))
FF_FLOAT_OP(Trunc, std::trunc(a))
#undef FF_FLOAT_OP

// Half to even, as numpy.round computes it; a value too large to scale is whole already.
struct Round {
    template <typename T>
    static inline T apply(T a, const UnaryContext& ctx, flag_t&) {
        if constexpr (is_float<T>) {
            const T factor = (T)ctx.factor;
            const T scaled = ctx.divide_first ? a / factor : a * factor;
            const T whole = std::nearbyint(scaled);
            if (!std::isfinite(scaled)) return a;
            return ctx.divide_first ? whole * factor : whole / factor;
        } else {
            return a;
        }
    }
};

template <typename Op>
constexpr bool is_cheap_unary = !std::is_same<Op, Exp>::value && !std::is_same<Op, Expm1>::value && !std::is_same<Op, Log>::value && !std::is_same<Op, Log1p>::value;

template <typename T, typename Op>
FF_WIDE_ROWS flag_t wide_unary(const UnaryContext& ctx, const uint8_t* __restrict in, uint8_t* __restrict out, int count) {
    flag_t flag = 0;
    for (int row = 0; row < count; ++row) store<T>(out, row, Op::template apply<T>(load<T>(in, row), ctx, flag));
    return flag;
}

template <typename T, typename Op>
inline flag_t dense_unary(const UnaryContext& ctx, const uint8_t* __restrict in, uint8_t* __restrict out, int count) {
    if constexpr (is_cheap_unary<Op>) {
        if (has_wide_rows()) return wide_unary<T, Op>(ctx, in, out, count);
    }
    flag_t flag = 0;
    for (int row = 0; row < count; ++row) store<T>(out, row, Op::template apply<T>(load<T>(in, row), ctx, flag));
    return flag;
}

template <typename T, typename Op>
inline flag_t unary_with_nulls(const UnaryContext& ctx, const uint8_t* in, uint8_t* out, int64_t start, int count) {
    if constexpr (is_cheap_unary<Op>) {
        if (!dense_unary<T, Op>(ctx, in, out, count)) {
            for (int first = 0; first < count && !ctx.loose; first += 64) {
                const int some = count - first < 64 ? count - first : 64;
                clear_nulls<T>(out + first * (int64_t)sizeof(T), valid_word(ctx.operand, start + first, some), some);
            }
            return 0;
        }
    }
    flag_t flag = 0;
    for (int row = 0; row < count; ++row) {
        const bool here = bit_at(ctx.operand.values.validity, ctx.operand.values.bit_offset + start + row);
        store<T>(out, row, here ? Op::template apply<T>(load<T>(in, row), ctx, flag) : (T)0);
    }
    return flag;
}

template <typename T, typename Op>
int unary(void* context, int64_t start, int64_t stop, int64_t) {
    const UnaryContext& ctx = *(const UnaryContext*)context;
    Blocks<T> values(ctx.operand);
    BlockWriter<BLOCK * sizeof(T)> writer(ctx.streams);
    for (int64_t first = start; first < stop; first += BLOCK) {
        const int count = (int)(stop - first < BLOCK ? stop - first : BLOCK);
        const uint8_t* in = values.at(first, count);
        uint8_t* const place = ctx.out + first * (int64_t)sizeof(T);
        uint8_t* const out = writer.target(place);
        const flag_t flag = has_nulls(ctx.operand) ? unary_with_nulls<T, Op>(ctx, in, out, first, count) : dense_unary<T, Op>(ctx, in, out, count);
        if (flag) return OVERFLOW_;
        writer.put(place, count * (int64_t)sizeof(T));
    }
    return OK;
}

// ---- tables ---------------------------------------------------------------------------------------------------------

template <typename T>
inline kernel_t binary_of(int operation) {
    constexpr bool whole = !is_float<T>;
    switch (operation) {
        case ADD: return &binary<T, Add>;
        case SUB: return &binary<T, Sub>;
        case MUL: return &binary<T, Mul>;
        case MIN: return &extreme<T, false, false>;
        case MAX: return &extreme<T, true, false>;
        case RAISE: return &extreme<T, true, true>;
        case LOWER: return &extreme<T, false, true>;
        default: break;
    }
    if constexpr (whole) {
        switch (operation) {
            case POW: return &integer_power<T>;
            case FLOORDIV: return &integer_division<T, FLOORDIV>;
            case MOD: return &integer_division<T, MOD>;
            case FMOD: return &integer_division<T, FMOD>;
            default: return nullptr;
        }
    } else {
        switch (operation) {
            case POW: return &binary<T, Pow>;
            case TRUEDIV: return &binary<T, TrueDiv>;
            case FLOORDIV: return &binary<T, FloatFloorDiv>;
            case MOD: return &binary<T, FloatMod>;
            case FMOD: return &binary<T, FloatCutMod>;
            case ARCTAN2: return &binary<T, Arctan2>;
            case HYPOT: return &binary<T, Hypot>;
            default: return nullptr;
        }
    }
}

template <typename T>
inline kernel_t unary_of(int operation) {
    switch (operation) {
        case NEG: return &unary<T, Neg>;
        case ABS: return &unary<T, Abs>;
        case SIGN: return &unary<T, Sign>;
        default: break;
    }
    if constexpr (is_float<T>) {
        switch (operation) {
            case SQRT: return &unary<T, Sqrt>;
            case EXP: return &unary<T, Exp>;
            case EXPM1: return &unary<T, Expm1>;
            case LOG: return &unary<T, Log>;
            case LOG1P: return &unary<T, Log1p>;
            case LOG2: return &unary<T, Log2>;
            case LOG10: return &unary<T, Log10>;
            case CBRT: return &unary<T, Cbrt>;
            case SIN: return &unary<T, Sin>;
            case COS: return &unary<T, Cos>;
            case TAN: return &unary<T, Tan>;
            case ARCSIN: return &unary<T, Arcsin>;
            case ARCCOS: return &unary<T, Arccos>;
            case ARCTAN: return &unary<T, Arctan>;
            case SINH: return &unary<T, Sinh>;
            case COSH: return &unary<T, Cosh>;
            case TANH: return &unary<T, Tanh>;
            case ARCSINH: return &unary<T, Arcsinh>;
            case ARCCOSH: return &unary<T, Arccosh>;
            case ARCTANH: return &unary<T, Arctanh>;
            case FLOOR: return &unary<T, Floor>;
            case CEIL: return &unary<T, Ceil>;
            case TRUNC: return &unary<T, Trunc>;
            case ROUND: return &unary<T, Round>;
            default: return nullptr;
        }
    }
    return nullptr;
}

inline kernel_t binary_kernel(int physical, int operation) {
    return for_number(physical, [operation](auto tag) -> kernel_t { return binary_of<typename decltype(tag)::type>(operation); }, (kernel_t)nullptr);
}

inline kernel_t unary_kernel(int physical, int operation) {
    return for_number(physical, [operation](auto tag) -> kernel_t { return unary_of<typename decltype(tag)::type>(operation); }, (kernel_t)nullptr);
}

}  // namespace ff
