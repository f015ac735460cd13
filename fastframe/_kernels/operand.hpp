// What elementwise kernels read: a column or one value for all rows, converted to the loop's type block by block.
//
// A loop runs over blocks of BLOCK rows. An operand hands it a pointer to the block's values in the loop's type: into
// the column itself where the types agree, else into a scratch on the stack (L1) that was converted, or filled once with
// the scalar. So each operation has one loop per type, instead of one per pair of types and per place of a scalar.
#pragma once
#include <type_traits>

#include "kernel.hpp"

namespace ff {

// Loops over wide vectors are chosen at run time; they are the same source as those for the baseline, or the same answer.
#if defined(__x86_64__) && defined(__GNUC__)
#define FF_WIDE_ROWS __attribute__((target("avx2")))
inline bool has_wide_rows() { return __builtin_cpu_supports("avx2"); }
#define FF_FUSED_ROWS __attribute__((target("avx2,fma")))
inline bool has_fused_rows() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
#define FF_WIDE_ROWS
inline bool has_wide_rows() { return false; }
#define FF_FUSED_ROWS
inline bool has_fused_rows() { return false; }
#endif

constexpr int BLOCK = 1024;   // rows; a multiple of 64 that divides every slice start

typedef void (*convert_t)(const View& values, int64_t start, int count, uint8_t* out);

struct Operand {
    View values;         // in  a column, or one valid value where `scalar`
    convert_t convert;   // in  null where the values have the loop's type already
    int scalar;          // in  1 where row 0 stands for every row
};

template <typename T>
struct Tag {
    typedef T type;
};

// Call `make(Tag<T>{})` for the type of a numeric Physical; `otherwise` for any other.
template <typename Make, typename Result>
inline Result for_number(int physical, Make make, Result otherwise) {
    switch (physical) {
        case I8: return make(Tag<int8_t>{});
        case I16: return make(Tag<int16_t>{});
        case I32: return make(Tag<int32_t>{});
        case I64: return make(Tag<int64_t>{});
        case U8: return make(Tag<uint8_t>{});
        case U16: return make(Tag<uint16_t>{});
        case U32: return make(Tag<uint32_t>{});
        case U64: return make(Tag<uint64_t>{});
        case F32: return make(Tag<float>{});
        case F64: return make(Tag<double>{});
        default: return otherwise;
    }
}

template <typename From, typename To>
inline void convert_block(const View& values, int64_t start, int count, uint8_t* __restrict out) {
    const uint8_t* __restrict in = values.values + start * (int64_t)sizeof(From);
    for (int row = 0; row < count; ++row) store<To>(out, row, (To)load<From>(in, row));
}

template <typename To>
inline void convert_bits(const View& values, int64_t start, int count, uint8_t* __restrict out) {
    for (int row = 0; row < count; ++row) store<To>(out, row, (To)bit_at(values.values, values.bit_offset + start + row));
}

// The conversion of `from` to `to`; null where both are one type, or where none is meant (float to integer).
inline convert_t converter(int from, int to) {
    if (from == to) return nullptr;
    return for_number(to, [from](auto target) -> convert_t {
        typedef typename decltype(target)::type To;
        if (from == BOOL) return &convert_bits<To>;
        return for_number(from, [](auto source) -> convert_t {
            typedef typename decltype(source)::type From;
            if constexpr (std::is_floating_point<From>::value && !std::is_floating_point<To>::value) return nullptr;
            else return &convert_block<From, To>;
        }, (convert_t)nullptr);
    }, (convert_t)nullptr);
}

// An operand that is the values of groups at each row's group; its conversion reads one of these where `values.values` points.
struct GroupValues {
    const uint8_t* values;   // in: of the groups
    const uint8_t* codes;    // in: each row's group; every row has one
    int64_t base;            // in: what code 0 is in `codes`
};

template <typename T, typename Code>
inline void gather_block(const View& view, int64_t start, int count, uint8_t* __restrict out) {
    const GroupValues in = *(const GroupValues*)view.values;
    for (int row = 0; row < count; ++row) store<T>(out, row, load<T>(in.values, (uint32_t)(load<Code>(in.codes, start + row) - (uint32_t)in.base)));
}

// Null where no loop reads values of so many bytes.
inline convert_t gatherer(int value_bytes, int code_bytes) {
    if (value_bytes == 8) return code_bytes == 1 ? &gather_block<uint64_t, uint8_t> : code_bytes == 2 ? &gather_block<uint64_t, uint16_t> : &gather_block<uint64_t, uint32_t>;
    if (value_bytes == 4) return code_bytes == 1 ? &gather_block<uint32_t, uint8_t> : code_bytes == 2 ? &gather_block<uint32_t, uint16_t> : &gather_block<uint32_t, uint32_t>;
    return nullptr;
}

// One operand during one slice: its blocks, and the validity of its rows.
template <typename T>
struct Blocks {
    const Operand& operand;
    alignas(64) uint8_t scratch[BLOCK * sizeof(T)];

    explicit Blocks(const Operand& given) : operand(given) {
        if (!operand.scalar) return;
        if (operand.convert) operand.convert(operand.values, 0, 1, scratch);
        else memcpy(scratch, operand.values.values, sizeof(T));
        const T value = load<T>(scratch, 0);
        for (int row = 1; row < BLOCK; ++row) store<T>(scratch, row, value);
    }

    const uint8_t* at(int64_t start, int count) {
        if (operand.scalar) return scratch;
        if (!operand.convert) return operand.values.values + start * (int64_t)sizeof(T);
        operand.convert(operand.values, start, count, scratch);
        return scratch;
    }
};

inline uint64_t low_bits(int count) { return count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1; }

// Bits of `count` (1 to 64) rows from `start` on: 1 where the row is not null.
inline uint64_t valid_word(const Operand& operand, int64_t start, int count) {
    if (operand.scalar || operand.values.validity == nullptr) return low_bits(count);
    return bits_at(operand.values.validity, operand.values.bit_offset + start, count);
}

inline bool has_nulls(const Operand& operand) { return !operand.scalar && operand.values.validity != nullptr; }

}  // namespace ff
