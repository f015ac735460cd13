// The table of specialisations: which kernels an operation has for values of a physical type.
#pragma once
#include "fold.hpp"
#include "program_partitions.hpp"
#include "program_shares.hpp"

namespace ff {

// Keep in step with fastframe/engines/cpu/program.py.
enum Operation : int {
    COUNT = 0, SUM = 1, SUM_WIDE = 2, SUM_DECIMAL = 3, PRODUCT = 4, MIN = 5, MAX = 6, ANY = 7, ALL = 8, MOMENTS = 9,
    FIRST = 10, LAST = 11, TEXT_MIN = 12, TEXT_MAX = 13, SUM_NARROW_DECIMAL = 14, MOMENTS_EXACT = 15,
    PAIR_MOMENTS = 16, PAIR_EXACT = 17, PAIR_PACKED = 18, SUM_PROVEN = 19,
};

// What an input is, beside values of a physical type: row numbers.
enum RowInput : int { ROW_NUMBERS = 100 };

// Where an operation has no lanes, one group is updated like many.
template <class Op, class Source>
constexpr auto reduce_kernel() -> decltype(StepKernels::reduce) {
    if constexpr (Reducer<Op, Source>::exists) return reduce_step<Op, Source>;
    else return nullptr;
}

// A state of the given kind, without words to add.
template <class Op, class Source>
constexpr StepKernels plain_kernels() {
    return {
        (int32_t)sizeof(typename Op::Slot), Op::n_field, 0, false, nullptr, nullptr, init_slot<Op>, update_step<Op, Source>,
        update_step<Op, Values<typename Source::value_t>>, reduce_kernel<Op, Source>(), Closes<Op>::kernel, combine_states<Op>, emit_states<Op>,
        Merges<Op>::kernel,
    };
}

constexpr StepKernels with_words(StepKernels kernels, int n_words, bool floats, fill_t fill, fill_t fill_scattered) {
    kernels.n_words = n_words;
    kernels.floats = floats;
    kernels.fill = fill;
    kernels.fill_scattered = fill_scattered;
    return kernels;
}

template <class Op, class Source>
inline const StepKernels* kernels_for() {
    static const StepKernels kernels = plain_kernels<Op, Source>();
    return &kernels;
}

// A state of one word, to which values are added as they are.
template <class Op, class Source, typename Word>
inline const StepKernels* word_kernels() {
    typedef typename Source::value_t value_t;
    typedef Values<value_t> Scattered;
    constexpr bool floats = std::is_floating_point<Word>::value;
    static const StepKernels kernels = [] {
        StepKernels own = with_words(plain_kernels<Op, Source>(), 1, floats, fill_values<Source, Word>, fill_values<Scattered, Word>);
        if (std::is_same<Source, Scattered>::value && sizeof(value_t) == sizeof(Word)) own.direct = floats ? ADD_DOUBLE : ADD_INT64;
        if (std::is_same<Source, Values<int32_t>>::value && !floats) own.direct = ADD_INT32;
        if (std::is_same<Source, Values<int128_t>>::value && sizeof(Word) == 8) own.direct = ADD_LOWER;
        return own;
    }();
    return &kernels;
}

template <typename T, class Source>
inline const StepKernels* exact_moments_kernels() {
    static const StepKernels kernels = with_words(plain_kernels<MomentsExact<T>, Source>(), 2, false, fill_squares<Source>, fill_squares<Values<T>>);
    return &kernels;
}

inline const StepKernels* pair_moments_kernels() {
    static const StepKernels kernels = {
        (int32_t)sizeof(PairMoments::Slot), 0, 0, false, nullptr, nullptr, init_slot<PairMoments>, update_pairs<PairMoments, false>,
        update_pairs<PairMoments, true>, nullptr, Closes<PairMoments>::kernel, combine_states<PairMoments>, emit_states<PairMoments>,
        merge_states<PairMoments>,
    };
    return &kernels;
}

// States of pairs that are words; they have no other way to take rows.
template <class Op>
inline const StepKernels* pair_words_kernels() {
    static const StepKernels kernels = {
        (int32_t)sizeof(typename Op::Slot), 0, Op::n_words, false, fill_pairs<Op, false>, fill_pairs<Op, true>, init_slot<Op>, nullptr, nullptr,
        nullptr, nullptr, combine_states<Op>, emit_states<Op>, nullptr,
    };
    return &kernels;
}

template <class Op, class Next>
inline void set_by_codes(coded_t (&kernels)[3]) {
    kernels[0] = extremes_by_codes<Op, Next, uint8_t>;
    kernels[1] = extremes_by_codes<Op, Next, uint16_t>;
    kernels[2] = extremes_by_codes<Op, Next, uint32_t>;
}

// Loops of an extreme with one of values of type T.
template <class Op, typename T>
inline void set_beside(Beside (&pairs)[2]) {
    pairs[0].by_targets = update_extremes<Op, Extreme<T, false, false>>;
    pairs[1].by_targets = update_extremes<Op, Extreme<T, true, false>>;
    set_by_codes<Op, Extreme<T, false, false>>(pairs[0].by_codes);
    set_by_codes<Op, Extreme<T, true, false>>(pairs[1].by_codes);
}

template <typename T>
constexpr ExtremeType mixed_type() {
    if (std::is_same<T, int32_t>::value) return TYPE_INT32;
    if (std::is_same<T, int64_t>::value) return TYPE_INT64;
    if (std::is_same<T, float>::value) return TYPE_FLOAT;
    return std::is_same<T, double>::value ? TYPE_DOUBLE : OWN_TYPE;
}

// The smallest or largest of numbers; two of one type, or of the types that columns mostly have, may take rows in one loop.
template <typename T, bool LARGEST>
inline const StepKernels* extreme_kernels() {
    typedef Extreme<T, LARGEST, false> Op;
    constexpr int type = (int)sizeof(T) * 4 + std::is_floating_point<T>::value * 2 + (T(-1) < T(0));
    static const StepKernels kernels = [] {
        StepKernels own = plain_kernels<Op, Values<T>>();
        own.extreme = type * 2 + LARGEST;
        own.mixes = mixed_type<T>();
        set_beside<Op, T>(own.beside[OWN_TYPE]);
        set_by_codes<Op, NoExtreme>(own.alone);
        if constexpr (mixed_type<T>() != OWN_TYPE) {
            set_beside<Op, int32_t>(own.beside[TYPE_INT32]);
            set_beside<Op, int64_t>(own.beside[TYPE_INT64]);
            set_beside<Op, float>(own.beside[TYPE_FLOAT]);
            set_beside<Op, double>(own.beside[TYPE_DOUBLE]);
        }
        return own;
    }();
    return &kernels;
}

inline const StepKernels* count_kernels() {
    static const StepKernels kernels = {
        (int32_t)sizeof(Count::Slot), 0, 1, false, fill_ones, fill_ones, init_slot<Count>, update_step<Count, EveryRow>, update_step<Count, EveryRow>,
        reduce_step<Count, EveryRow>, nullptr, combine_states<Count>, emit_states<Count>, merge_states<Count>, ADD_ONE,
    };
    return &kernels;
}

template <typename T>
inline const StepKernels* sum_kernels(int operation) {
    if constexpr (std::is_floating_point<T>::value) return word_kernels<Sum<T, double, false>, Values<T>, double>();
    else if constexpr (sizeof(T) < 8) {
        typedef typename std::conditional<std::is_signed<T>::value, int64_t, uint64_t>::type total_t;
        return word_kernels<Sum<T, total_t, false>, Values<T>, total_t>();
    } else if (operation == SUM_WIDE) return kernels_for<Sum<T, int128_t, false>, Values<T>>();
    else if (operation == SUM_PROVEN) return word_kernels<Sum<T, T, false>, Values<T>, T>();
    else return kernels_for<Sum<T, T, true>, Values<T>>();
}

template <typename T>
inline const StepKernels* product_kernels() {
    if constexpr (std::is_floating_point<T>::value) return kernels_for<ProductFloat<T>, Values<T>>();
    else return kernels_for<ProductInteger<T>, Values<T>>();
}

// Kernels of values of type T.
template <typename T>
inline const StepKernels* number_kernels(int operation) {
    switch (operation) {
        case SUM: case SUM_WIDE: case SUM_PROVEN: return sum_kernels<T>(operation);
        case PRODUCT: return product_kernels<T>();
        case MIN: return extreme_kernels<T, false>();
        case MAX: return extreme_kernels<T, true>();
        case ANY: return kernels_for<Truth<T, false>, Values<T>>();
        case ALL: return kernels_for<Truth<T, true>, Values<T>>();
        case MOMENTS: return kernels_for<Moments<T>, Values<T>>();
        case MOMENTS_EXACT:
            if constexpr (std::is_floating_point<T>::value) return nullptr;
            else return exact_moments_kernels<T, Values<T>>();
        default: return nullptr;
    }
}

inline const StepKernels* bool_kernels(int operation) {
    switch (operation) {
        case SUM: return word_kernels<Sum<uint8_t, int64_t, false>, Bits, int64_t>();
        case PRODUCT: return kernels_for<ProductInteger<uint8_t>, Bits>();
        case MIN: return kernels_for<Extreme<uint8_t, false, true>, Bits>();
        case MAX: return kernels_for<Extreme<uint8_t, true, true>, Bits>();
        case ANY: return kernels_for<Truth<uint8_t, false>, Bits>();
        case ALL: return kernels_for<Truth<uint8_t, true>, Bits>();
        case MOMENTS: return kernels_for<Moments<uint8_t>, Bits>();
        case MOMENTS_EXACT: return exact_moments_kernels<uint8_t, Bits>();
        default: return nullptr;
    }
}

inline const StepKernels* decimal_kernels(int operation) {
    switch (operation) {
        case SUM_DECIMAL: return kernels_for<SumDecimal, Values<int128_t>>();
        case SUM_NARROW_DECIMAL: return word_kernels<SumNarrowDecimal, Values<int128_t>, int64_t>();
        case SUM_WIDE: return kernels_for<Sum<int128_t, int128_t, false>, Values<int128_t>>();   // merges totals
        case MIN: return kernels_for<Extreme<int128_t, false, false>, Values<int128_t>>();
        case MAX: return kernels_for<Extreme<int128_t, true, false>, Values<int128_t>>();
        case ANY: return kernels_for<Truth<int128_t, false>, Values<int128_t>>();
        case ALL: return kernels_for<Truth<int128_t, true>, Values<int128_t>>();
        default: return nullptr;
    }
}

template <typename Offset>
inline const StepKernels* text_kernels(int operation) {
    switch (operation) {
        case ANY: return kernels_for<Truth<int64_t, false>, Lengths<Offset>>();
        case ALL: return kernels_for<Truth<int64_t, true>, Lengths<Offset>>();
        case TEXT_MIN: return kernels_for<TextExtreme<Offset, false>, RowsOf<void>>();
        case TEXT_MAX: return kernels_for<TextExtreme<Offset, true>, RowsOf<void>>();
        default: return nullptr;
    }
}

// Null where the operation has no meaning for the type.
inline const StepKernels* step_kernels(int operation, int physical) {
    switch (operation) {
        case COUNT: return count_kernels();
        case FIRST: return kernels_for<Position<false>, RowsOf<void>>();
        case LAST: return kernels_for<Position<true>, RowsOf<void>>();
        case PAIR_MOMENTS: return pair_moments_kernels();
        case PAIR_EXACT: return pair_words_kernels<PairExact>();
        case PAIR_PACKED: return pair_words_kernels<PairPacked>();
        default: break;
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
        default: return nullptr;
    }
}

template <class Source>
inline Input input_for() { return {View(), (int32_t)sizeof(typename Source::value_t), 0, put_values<Source>, gather_values<Source>}; }

// How a column goes into records: its values, text's lengths, row numbers, or (any other id) only its validity.
inline Input input_kernels(int source) {
    switch (source) {
        case I8: case U8: return input_for<Values<uint8_t>>();
        case I16: case U16: return input_for<Values<uint16_t>>();
        case I32: case U32: case F32: return input_for<Values<uint32_t>>();
        case I64: case U64: case F64: return input_for<Values<uint64_t>>();
        case I128: return input_for<Values<int128_t>>();
        case BOOL: return input_for<Bits>();
        case STR: return input_for<Lengths<int32_t>>();
        case LSTR: return input_for<Lengths<int64_t>>();
        case ROW_NUMBERS: return input_for<RowsOf<void>>();
        default: return Input();
    }
}

template <typename To>
inline convert_t convert_kernel(int physical, bool scattered) {
    switch (physical) {
        case I8: return convert_block<To, Values<int8_t>>;
        case I16: return convert_block<To, Values<int16_t>>;
        case I32: return convert_block<To, Values<int32_t>>;
        case I64: return convert_block<To, Values<int64_t>>;
        case U8: return convert_block<To, Values<uint8_t>>;
        case U16: return convert_block<To, Values<uint16_t>>;
        case U32: return convert_block<To, Values<uint32_t>>;
        case U64: return convert_block<To, Values<uint64_t>>;
        case F32: return convert_block<To, Values<float>>;
        case F64: return convert_block<To, Values<double>>;
        case BOOL: if (scattered) return convert_block<To, Values<uint8_t>>; else return convert_block<To, Bits>;
        default: return nullptr;
    }
}

inline convert_t pair_convert(int operation, int physical, bool scattered) {
    switch (operation) {
        case PAIR_MOMENTS: return convert_kernel<double>(physical, scattered);
        case PAIR_EXACT: return convert_kernel<uint64_t>(physical, scattered);
        case PAIR_PACKED: return convert_kernel<uint32_t>(physical, scattered);
        default: return nullptr;
    }
}

inline const PairRuns* exact_pair_runs(int operation, int physical, int other) {
    if (operation == PAIR_EXACT) return pair_runs<PairExact>(physical, other);
    return operation == PAIR_PACKED ? pair_runs<PairPacked>(physical, other) : nullptr;
}

inline kernel_t slices_kernel(const Program& program, int code_bytes) {
    if (program.codes == nullptr) return reduce_slices;
    return code_bytes == 1 ? update_slices<uint8_t> : code_bytes == 2 ? update_slices<uint16_t> : update_slices<uint32_t>;
}

struct FoldKernels {
    kernel_t begin, rows, end;
};

inline FoldKernels fold_kernels(const Program& program, int code_bytes) {
    if (program.codes == nullptr) return {begin_fold, fold_rows<reduce_rows>, end_fold<true>};
    if (code_bytes == 1) return {begin_fold, fold_rows<update_rows<uint8_t>>, end_fold<false>};
    if (code_bytes == 2) return {begin_fold, fold_rows<update_rows<uint16_t>>, end_fold<false>};
    return {begin_fold, fold_rows<update_rows<uint32_t>>, end_fold<false>};
}

inline kernel_t count_kernel(int code_bytes) {
    return code_bytes == 1 ? count_records<uint8_t> : code_bytes == 2 ? count_records<uint16_t> : count_records<uint32_t>;
}

inline kernel_t shares_kernel(int code_bytes) {
    return code_bytes == 1 ? update_shares<uint8_t> : code_bytes == 2 ? update_shares<uint16_t> : update_shares<uint32_t>;
}

inline kernel_t scatter_kernel(int code_bytes) {
    return code_bytes == 1 ? scatter_records<uint8_t> : code_bytes == 2 ? scatter_records<uint16_t> : scatter_records<uint32_t>;
}

}  // namespace ff
