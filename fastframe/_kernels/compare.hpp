// Comparisons, tests for missing values and three-valued logic: everything that writes bits, 64 rows to a word.
// What one word of a comparison is, is in compare_words.hpp.
#pragma once
#include <cmath>
#include <limits>

#include "compare_words.hpp"
#include "operand.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace ff {

enum Logic : int { AND = 0, OR = 1, XOR = 2 };

struct CompareContext {
    Operand left;    // in
    Operand right;   // in
    uint8_t* out;    // out  bits
};

struct MissingContext {
    View values;     // in
    int invert;      // in   1: set bits where a value is there; of `finite`: where it is infinite
    uint8_t* out;    // out  bits
};

struct LogicContext {
    Operand left;        // in   bools; a scalar may be null here
    Operand right;       // in
    uint8_t* out;        // out  bits
    uint8_t* validity;   // out  bits; null where no operand has nulls
};

struct NotContext {
    View values;         // in   bools
    uint8_t* out;        // out  bits
};

struct LookupContext {
    View codes;              // in   int32 codes
    const uint8_t* table;    // in   one byte (0 or 1) per code
    int missing;             // in   the bit of a null
    uint8_t* out;            // out  bits
};

// Types that wide vectors compare: then every lane's answer is moved to a bit by one instruction.
#if defined(__x86_64__) && defined(__GNUC__)
template <typename L, typename R>
constexpr bool compares_wide = std::is_same<L, R>::value && (sizeof(L) == 4 || sizeof(L) == 8);

template <int OP, typename T>
FF_WIDE_ROWS void wide_words(const uint8_t* left, const uint8_t* right, uint64_t* words, int n_words) {
    typedef T lanes_t __attribute__((vector_size(32)));
    constexpr int lanes = 32 / (int)sizeof(T);
    for (int word = 0; word < n_words; ++word) {
        uint64_t bits = 0;
        for (int row = 0; row < 64; row += lanes) {
            lanes_t a, b;
            memcpy(&a, left + (64 * word + row) * (int)sizeof(T), 32);
            memcpy(&b, right + (64 * word + row) * (int)sizeof(T), 32);
            decltype(a == b) holds;
            if constexpr (OP == EQ) holds = a == b;
            else if constexpr (OP == NE) holds = a != b;
            else if constexpr (OP == LT) holds = a < b;
            else holds = a <= b;
            unsigned mask;
            if constexpr (sizeof(T) == 8) mask = (unsigned)_mm256_movemask_pd((__m256d)holds);
            else mask = (unsigned)_mm256_movemask_ps((__m256)holds);
            bits |= (uint64_t)mask << row;
        }
        words[word] = bits;
    }
}
#else
template <typename L, typename R>
constexpr bool compares_wide = false;

template <int OP, typename T>
void wide_words(const uint8_t*, const uint8_t*, uint64_t*, int) {}
#endif

template <int OP, typename L, typename R>
int compare(void* context, int64_t start, int64_t stop, int64_t) {
    const CompareContext& ctx = *(const CompareContext*)context;
    Blocks<L> left(ctx.left);
    Blocks<R> right(ctx.right);
    const bool nulls = has_nulls(ctx.left) || has_nulls(ctx.right);
    const bool wide = compares_wide<L, R> && has_wide_rows();
    uint64_t words[BLOCK / 64];
    for (int64_t first = start; first < stop; first += BLOCK) {
        const int count = (int)(stop - first < BLOCK ? stop - first : BLOCK);
        const uint8_t* a = left.at(first, count);
        const uint8_t* b = right.at(first, count);
        if constexpr (compares_wide<L, R>) {
            if (wide) wide_words<OP, L>(a, b, words, count / 64);
        }
        for (int row = 0; row < count; row += 64) {
            const int some = count - row < 64 ? count - row : 64;
            uint64_t word = wide && some == 64 ? words[row / 64] : compare_word<OP, L, R>(a + row * (int)sizeof(L), b + row * (int)sizeof(R), some);
            if (nulls) {
                const uint64_t valid = valid_word(ctx.left, first + row, some) & valid_word(ctx.right, first + row, some);
                word = OP == NE ? word | (~valid & low_bits(some)) : word & valid;
            }
            store_bits(ctx.out, first + row, word, some);
        }
    }
    return OK;
}

// ---- missing --------------------------------------------------------------------------------------------------------

inline uint64_t not_null_word(const View& values, int64_t start, int count) {
    return values.validity ? bits_at(values.validity, values.bit_offset + start, count) : low_bits(count);
}

// T is void for types that have no NaN: only the validity counts.
template <typename T>
int missing(void* context, int64_t start, int64_t stop, int64_t) {
    const MissingContext& ctx = *(const MissingContext*)context;
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        uint64_t word = ~not_null_word(ctx.values, first, count);
        if constexpr (!std::is_void<T>::value) {
            const uint8_t* rows = ctx.values.values + first * (int64_t)sizeof(T);
            word |= nan_word<T>(rows, count);
        }
        store_bits(ctx.out, first, (ctx.invert ? ~word : word) & low_bits(count), count);
    }
    return OK;
}

// ---- finite -----------------------------------------------------------------------------------------------------------

// Floats that are finite, or (with `invert`) infinite: sizes beside infinity. Neither holds where one is missing.
template <typename T>
int finite(void* context, int64_t start, int64_t stop, int64_t) {
    const MissingContext& ctx = *(const MissingContext*)context;
    alignas(64) uint8_t sizes[64 * sizeof(T)], beyond[64 * sizeof(T)];
    for (int row = 0; row < 64; ++row) store<T>(beyond, row, std::numeric_limits<T>::infinity());
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const uint8_t* rows = ctx.values.values + first * (int64_t)sizeof(T);
        for (int row = 0; row < count; ++row) store<T>(sizes, row, std::fabs(load<T>(rows, row)));
        const uint64_t word = ctx.invert ? compare_word<EQ, T, T>(sizes, beyond, count) : compare_word<LT, T, T>(sizes, beyond, count);
        store_bits(ctx.out, first, word & not_null_word(ctx.values, first, count), count);
    }
    return OK;
}

// ---- logic (Kleene) -------------------------------------------------------------------------------------------------

struct TruthWord {
    uint64_t truth;   // set where true
    uint64_t valid;   // set where not null
};

inline TruthWord truth_word(const Operand& operand, int64_t start, int count) {
    const View& view = operand.values;
    if (operand.scalar) {
        const uint64_t valid = is_valid(view, 0) ? low_bits(count) : 0;
        return {bit_at(view.values, view.bit_offset) ? valid : 0, valid};
    }
    const uint64_t valid = not_null_word(view, start, count);
    return {bits_at(view.values, view.bit_offset + start, count) & valid, valid};
}

// A column without nulls whose bits start at a byte: its words are read as they lie.
inline bool is_plain(const Operand& operand) {
    return !operand.scalar && operand.values.validity == nullptr && (operand.values.bit_offset & 7) == 0;
}

// The whole words of rows [start, stop) of two plain columns; where the rest starts comes back.
template <int OP>
inline int64_t logic_of_plain(const LogicContext& ctx, int64_t start, int64_t stop) {
    const uint8_t* __restrict left = ctx.left.values.values + (ctx.left.values.bit_offset >> 3);
    const uint8_t* __restrict right = ctx.right.values.values + (ctx.right.values.bit_offset >> 3);
    const int64_t n_words = (stop - start) / 64;
    for (int64_t word = start / 64; word < start / 64 + n_words; ++word) {
        const uint64_t a = load<uint64_t>(left, word), b = load<uint64_t>(right, word);
        store<uint64_t>(ctx.out, word, OP == AND ? a & b : OP == OR ? a | b : a ^ b);
    }
    return start + 64 * n_words;
}

template <int OP>
int logic(void* context, int64_t start, int64_t stop, int64_t) {
    const LogicContext& ctx = *(const LogicContext*)context;
    if (ctx.validity == nullptr && is_plain(ctx.left) && is_plain(ctx.right)) start = logic_of_plain<OP>(ctx, start, stop);
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const TruthWord a = truth_word(ctx.left, first, count), b = truth_word(ctx.right, first, count);
        const uint64_t both = a.valid & b.valid;
        uint64_t word, valid;
        if constexpr (OP == AND) {
            word = a.truth & b.truth;
            valid = both | (a.valid & ~a.truth) | (b.valid & ~b.truth);
        } else if constexpr (OP == OR) {
            word = a.truth | b.truth;
            valid = both | a.truth | b.truth;
        } else {
            word = (a.truth ^ b.truth) & both;
            valid = both;
        }
        store_bits(ctx.out, first, word, count);
        if (ctx.validity) store_bits(ctx.validity, first, valid, count);
    }
    return OK;
}

inline int logical_not(void* context, int64_t start, int64_t stop, int64_t) {
    const NotContext& ctx = *(const NotContext*)context;
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const uint64_t truth = bits_at(ctx.values.values, ctx.values.bit_offset + first, count);
        store_bits(ctx.out, first, ~truth & not_null_word(ctx.values, first, count), count);
    }
    return OK;
}

// ---- a bit per code -------------------------------------------------------------------------------------------------

inline int lookup_bits(void* context, int64_t start, int64_t stop, int64_t) {
    const LookupContext& ctx = *(const LookupContext*)context;
    for (int64_t first = start; first < stop; first += 64) {
        const int count = (int)(stop - first < 64 ? stop - first : 64);
        const uint64_t valid = not_null_word(ctx.codes, first, count);
        uint64_t word = 0;
        for (int row = 0; row < count; ++row) {
            const bool here = (valid >> row) & 1;
            const uint64_t bit = here ? ctx.table[load<int32_t>(ctx.codes.values, first + row)] : (uint64_t)ctx.missing;
            word |= bit << row;
        }
        store_bits(ctx.out, first, word, count);
    }
    return OK;
}

// ---- tables ---------------------------------------------------------------------------------------------------------

template <typename L, typename R>
inline kernel_t compare_of(int operation) {
    switch (operation) {
        case EQ: return &compare<EQ, L, R>;
        case NE: return &compare<NE, L, R>;
        case LT: return &compare<LT, L, R>;
        case LE: return &compare<LE, L, R>;
        default: return nullptr;
    }
}

// Both of one type, or each one of I64, U64, F64.
inline kernel_t compare_kernel(int left, int right, int operation) {
    if (left == right)
        return for_number(left, [operation](auto tag) -> kernel_t {
            typedef typename decltype(tag)::type T;
            return compare_of<T, T>(operation);
        }, (kernel_t)nullptr);
    if (left == I64 && right == U64) return compare_of<int64_t, uint64_t>(operation);
    if (left == U64 && right == I64) return compare_of<uint64_t, int64_t>(operation);
    if (left == I64 && right == F64) return compare_of<int64_t, double>(operation);
    if (left == F64 && right == I64) return compare_of<double, int64_t>(operation);
    if (left == U64 && right == F64) return compare_of<uint64_t, double>(operation);
    if (left == F64 && right == U64) return compare_of<double, uint64_t>(operation);
    return nullptr;
}

inline kernel_t missing_kernel(int physical) {
    if (physical == F32) return &missing<float>;
    if (physical == F64) return &missing<double>;
    return &missing<void>;
}

inline kernel_t finite_kernel(int physical) { return physical == F32 ? &finite<float> : &finite<double>; }

inline kernel_t logic_kernel(int operation) {
    switch (operation) {
        case AND: return &logic<AND>;
        case OR: return &logic<OR>;
        case XOR: return &logic<XOR>;
        default: return nullptr;
    }
}

}  // namespace ff
