// The table of specialisations: which kernels an operation has for values of a physical type.
#pragma once
#include "reduce.hpp"

namespace ff {

enum Operation : int {
    COUNT = 0, SUM = 1, SUM_WIDE = 2, SUM_DECIMAL = 3, PRODUCT = 4, MIN = 5, MAX = 6, ANY = 7, ALL = 8, MOMENTS = 9,
    FIRST = 10, LAST = 11, TEXT_MIN = 12, TEXT_MAX = 13,
};

struct GroupedKernels {
    kernel_t update_slices, reduce_slices, combine_slices, update_partitions, merge_states;
    int64_t slot_bytes;   // of one group in one slice
};

template <class Op, class = void>
struct Merges { static constexpr kernel_t kernel = nullptr; };
template <class Op>
struct Merges<Op, decltype((void)&Op::restore)> { static constexpr kernel_t kernel = merge_states<Op>; };

// Where an operation has no lanes, one group is updated like many.
template <class Op, class Source>
inline kernel_t reduce_kernel() {
    if constexpr (Reducer<Op, Source>::exists) return reduce_slices<Op, Source>;
    else return update_slices<Op, Source>;
}

template <class Op, class Source>
inline GroupedKernels kernels_for() {
    return {update_slices<Op, Source>, reduce_kernel<Op, Source>(), combine_slices<Op>, update_partitions<Op, Source>, Merges<Op>::kernel,
            (int64_t)sizeof(typename Op::Slot)};
}

template <typename T>
inline GroupedKernels sum_kernels(bool wide) {
    if constexpr (std::is_floating_point<T>::value) return kernels_for<Sum<T, double, false>, Values<T>>();
    else if constexpr (sizeof(T) < 8) {
        typedef typename std::conditional<std::is_signed<T>::value, int64_t, uint64_t>::type total_t;
        return kernels_for<Sum<T, total_t, false>, Values<T>>();
    } else if (wide) return kernels_for<Sum<T, int128_t, false>, Values<T>>();
    else return kernels_for<Sum<T, T, true>, Values<T>>();
}

template <typename T>
inline GroupedKernels product_kernels() {
    if constexpr (std::is_floating_point<T>::value) return kernels_for<ProductFloat<T>, Values<T>>();
    else return kernels_for<ProductInteger<T>, Values<T>>();
}

// Kernels of values of type T.
template <typename T>
inline GroupedKernels number_kernels(int operation) {
    switch (operation) {
        case SUM: return sum_kernels<T>(false);
        case SUM_WIDE: return sum_kernels<T>(true);
        case PRODUCT: return product_kernels<T>();
        case MIN: return kernels_for<Extreme<T, false, false>, Values<T>>();
        case MAX: return kernels_for<Extreme<T, true, false>, Values<T>>();
        case ANY: return kernels_for<Truth<T, false>, Values<T>>();
        case ALL: return kernels_for<Truth<T, true>, Values<T>>();
        case MOMENTS: return kernels_for<Moments<T>, Values<T>>();
        default: return {};
    }
}

inline GroupedKernels bool_kernels(int operation) {
    switch (operation) {
        case SUM: return kernels_for<Sum<uint8_t, int64_t, false>, Bits>();
        case PRODUCT: return kernels_for<ProductInteger<uint8_t>, Bits>();
        case MIN: return kernels_for<Extreme<uint8_t, false, true>, Bits>();
        case MAX: return kernels_for<Extreme<uint8_t, true, true>, Bits>();
        case ANY: return kernels_for<Truth<uint8_t, false>, Bits>();
        case ALL: return kernels_for<Truth<uint8_t, true>, Bits>();
        case MOMENTS: return kernels_for<Moments<uint8_t>, Bits>();
        default: return {};
    }
}

inline GroupedKernels decimal_kernels(int operation) {
    switch (operation) {
        case SUM_DECIMAL: return kernels_for<SumDecimal, Values<int128_t>>();
        case SUM_WIDE: return kernels_for<Sum<int128_t, int128_t, false>, Values<int128_t>>();   // merges totals
        case MIN: return kernels_for<Extreme<int128_t, false, false>, Values<int128_t>>();
        case MAX: return kernels_for<Extreme<int128_t, true, false>, Values<int128_t>>();
        case ANY: return kernels_for<Truth<int128_t, false>, Values<int128_t>>();
        case ALL: return kernels_for<Truth<int128_t, true>, Values<int128_t>>();
        default: return {};
    }
}

template <typename Offset>
inline GroupedKernels text_kernels(int operation) {
    switch (operation) {
        case ANY: return kernels_for<Truth<int64_t, false>, Lengths<Offset>>();
        case ALL: return kernels_for<Truth<int64_t, true>, Lengths<Offset>>();
        case TEXT_MIN: return kernels_for<TextExtreme<Offset, false>, RowsOf<void>>();
        case TEXT_MAX: return kernels_for<TextExtreme<Offset, true>, RowsOf<void>>();
        default: return {};
    }
}

// Kernels that look at rows, not at values, except for NaN.
template <typename T>
inline GroupedKernels row_kernels(int operation) {
    switch (operation) {
        case COUNT: return kernels_for<Count, RowsOf<T>>();
        case FIRST: return kernels_for<Position<false>, RowsOf<T>>();
        case LAST: return kernels_for<Position<true>, RowsOf<T>>();
        default: return {};
    }
}

// Null kernels where the operation has no meaning for the type. `physical` -1: rows of any type without NaN.
inline GroupedKernels grouped_kernels(int operation, int physical) {
    if (operation == COUNT || operation == FIRST || operation == LAST) {
        if (physical == F32) return row_kernels<float>(operation);
        return physical == F64 ? row_kernels<double>(operation) : row_kernels<void>(operation);
    }
    switch (physical) {
        case I8: return number_kernels<int8_t>(operation);
        case I16: return number_kernels<int16_t>(operation);
        case I32: return number_kernels<int32_t>(operation);
        case I64: return number_kernels<int64_t>(operation);
        case U8: return number_kernels<uint8_t>(operation);
        case U16: return number_kernels<uint16_t>(operation);
        case U32: return number_kernels<uint32_t>(operation);
        case U64: return number_kernels<uint64_t>(operation);
        case F32: return number_kernels<float>(operation);
        case F64: return number_kernels<double>(operation);
        case BOOL: return bool_kernels(operation);
        case I128: return decimal_kernels(operation);
        case STR: return text_kernels<int32_t>(operation);
        case LSTR: return text_kernels<int64_t>(operation);
        default: return {};
    }
}

}  // namespace ff
