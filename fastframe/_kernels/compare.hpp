// Comparisons, tests for missing values and three-valued logic: everything that writes bits, 64 rows to a word.
//
// Comparisons are exact for every pair of numeric types: integers and floats are compared as numbers, never after rounding
// one to the type of the other (Python's float_richcompare does the same). Sides of one type are compared in it; other
// pairs are widened to int64, uint64 or float64, which is exact, and compared there.
#pragma once
#include <cmath>
#include <limits>

#include "operand.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace ff {

enum Comparison : int { EQ = 0, NE = 1, LT = 2, LE = 3 };
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

// -1, 0, 1 as left is less than, equal to or greater than right; 2 where one is NaN.
inline int order_of(int64_t left, uint64_t right) {
    if (left < 0) return -1;
    return (uint64_t)left < right ? -1 : (uint64_t)left > right;
}

template <typename Whole>
inline int order_with_float(Whole left, double right, double least, double beyond) {
    if (right != right) return 2;
    if (right >= beyond) return -1;
    if (right < least) return 1;
    const double whole = std::floor(right);
    const Whole below = (Whole)whole;
    if (left < below) return -1;
    if (left > below) return 1;
    return whole < right ? -1 : 0;
}
inline int order_of(int64_t left, double right) { return order_with_float<int64_t>(left, right, -0x1p63, 0x1p63); }
inline int order_of(uint64_t left, double right) { return order_with_float<uint64_t>(left, right, 0.0, 0x1p64); }
inline int order_of(uint64_t left, int64_t right) { return -order_of(right, left); }
inline int order_of(double left, int64_t right) { const int order = order_of(right, left); return order == 2 ? 2 : -order; }
inline int order_of(double left, uint64_t right) { const int order = order_of(right, left); return order == 2 ? 2 : -order; }

template <int OP, typename L, typename R>
inline bool holds(L left, R right) {
    if constexpr (std::is_same<L, R>::value) {
        if constexpr (OP == EQ) return left == right;
        else if constexpr (OP == NE) return left != right;
        else if constexpr (OP == LT) return left < right;
        else return left <= right;
    } else {
        const int order = order_of(left, right);
        if constexpr (OP == EQ) return order == 0;
        else if constexpr (OP == NE) return order != 0;
        else if constexpr (OP == LT) return order == -1;
        else return order <= 0;
    }
}

// 64 bytes of 0 or 1 to one word, byte k to bit k: eight bytes at a time by a multiplication that gathers their low bits.
inline uint64_t pack_bytes(const uint8_t* bytes) {
    uint64_t word = 0;
    for (int group = 0; group < 8; ++group) {
        uint64_t eight;
        memcpy(&eight, bytes + 8 * group, 8);
        word |= ((eight * 0x0102040810204080ull) >> 56) << (8 * group);
    }
    return word;
}

// Two 8-byte rows at a time: the mask of a vector comparison selects each row's power of two. (Left to itself, the
// compiler makes branches of this loop.) Vector types as of GCC and Clang, on any architecture.
template <typename T> struct Pair;
template <> struct Pair<int64_t> { typedef int64_t type __attribute__((vector_size(16))); };
template <> struct Pair<uint64_t> { typedef uint64_t type __attribute__((vector_size(16))); };
template <> struct Pair<double> { typedef double type __attribute__((vector_size(16))); };

template <int OP, typename T>
inline uint64_t compare_pairs(const uint8_t* left, const uint8_t* right) {
    typedef typename Pair<T>::type pair_t;
    typedef typename Pair<int64_t>::type mask_t;
    mask_t words = {0, 0};
    mask_t powers = {1, 2};
    for (int row = 0; row < 64; row += 2) {
        pair_t a, b;
        memcpy(&a, left + 8 * row, 16);
        memcpy(&b, right + 8 * row, 16);
        mask_t holds;
        if constexpr (OP == EQ) holds = a == b;
        else if constexpr (OP == NE) holds = a != b;
        else if constexpr (OP == LT) holds = a < b;
        else holds = a <= b;
        words |= holds & powers;
        powers <<= 2;
    }
    return (uint64_t)words[0] | (uint64_t)words[1];
}

// 64 rows in one type that holds them all exactly: doubles up to 2^53 in size, integers below 2^63. False where some lie beyond.
template <typename From, typename To>
inline bool narrowed(const uint8_t* __restrict in, uint8_t* __restrict out) {
    constexpr uint64_t limit = std::is_floating_point<To>::value ? (uint64_t)1 << 53 : ((uint64_t)1 << 63) - 1;
    uint64_t beyond = 0;
    for (int row = 0; row < 64; ++row) {
        const From value = load<From>(in, row);
        if constexpr (std::is_same<From, int64_t>::value && std::is_floating_point<To>::value) beyond |= (uint64_t)value + limit > 2 * limit;
        else if constexpr (std::is_integral<From>::value) beyond |= (uint64_t)value > limit;
        store<To>(out, row, (To)value);
    }
    return beyond == 0;
}

template <int OP, typename L, typename R>
inline bool compare_narrowed(const uint8_t* left, const uint8_t* right, uint64_t* word) {
    typedef std::conditional_t<std::is_floating_point<L>::value || std::is_floating_point<R>::value, double, int64_t> Both;
    alignas(64) uint8_t a[512], b[512];
    if (!narrowed<L, Both>(left, a) || !narrowed<R, Both>(right, b)) return false;
    *word = compare_pairs<OP, Both>(a, b);
    return true;
}

template <int OP, typename L, typename R>
inline uint64_t compare_word(const uint8_t* __restrict left, const uint8_t* __restrict right, int count) {
    if constexpr (sizeof(L) == 8 && std::is_same<L, R>::value) {
        if (count == 64) return compare_pairs<OP, L>(left, right);
    } else if constexpr (!std::is_same<L, R>::value) {
        uint64_t word;
        if (count == 64 && compare_narrowed<OP, L, R>(left, right, &word)) return word;
    }
    if (count == 64) {
        alignas(64) uint8_t bytes[64];
        for (int row = 0; row < 64; ++row) bytes[row] = holds<OP>(load<L>(left, row), load<R>(right, row));
        return pack_bytes(bytes);
    }
    uint64_t word = 0;
    for (int row = 0; row < count; ++row) word |= (uint64_t)holds<OP>(load<L>(left, row), load<R>(right, row)) << row;
    return word;
}

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
            word |= compare_word<NE, T, T>(rows, rows, count);
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
