// The front end of forests: from a batch's columns to what engines read, a block of rows at a time.
//
// A `Front` (packed by fastframe/predict/engines/front.py, shared by all threads) lists the inputs that some node tests. Each is
// read from its column (`FrontColumn`), taken through its steps and rules, and written into one or more *planes*:
//
//   u8, u16  codes. A number's is its rank among the plane's thresholds: `x <= threshold[k]` iff `code <= k`; missing is 0 in a
//            plane where missing goes left, and the highest where it goes right. A category's is a class of its category.
//   float    the values themselves, in the forest's domain: missing is -inf in a plane where it goes left, NaN elsewhere
//            (`x <= threshold` is then false). A category's value is its class.
//
// Which form a Front was packed for, its layout says (fastframe/predict/engines/planes.py); it serves only that one.
#pragma once
#include "forest_ranks.hpp"
#include "forest_steps.hpp"

namespace ff {

enum FrontSource : int32_t {
    FRONT_NUMBER = 0,     // a number column: ranks, or values
    FRONT_CATEGORY = 1,   // a number column whose values are category codes
    FRONT_CODES = 2,      // a column of categories: everything else is in the planes' tables
};

struct FrontInput {
    int32_t source;
    int32_t column;
    int32_t narrow_read;      // values are read as float32, else float64
    int32_t narrow;           // the domain is float32, else float64
    int32_t first_step, n_steps;
    int32_t first_plane, n_planes;
    int32_t n_codes;          // categories known; not FRONT_NUMBER
    int32_t truncate;         // FRONT_CATEGORY: as in forest.CategoryInput
    int32_t negative_other;
    int32_t has_rules;        // one of the three below is not at rest
    double missing_value, zero_missing, flush;
    const void* thresholds;   // of the domain; see forest_ranks.hpp
    const uint16_t* starts;
    double low, scale;        // numbers of the domain
    int32_t n_cells;
    int32_t levels;
    int32_t missing_last;     // all planes of this input take missing to the right
    int32_t wide;             // AVX2 may be used
};

struct FrontPlane {
    const void* table;        // of the form's type, n_codes + 2 entries; FRONT_CATEGORY and FRONT_CODES
    int32_t first;            // ranks: the plane's first threshold
    int32_t missing_right;
};

struct Front {
    const FrontInput* inputs;
    const FrontPlane* planes;
    const FrontStep* steps;
    int64_t n_inputs;
    int64_t n_planes;
};

struct FrontBlock {
    StepBlock values;
    alignas(64) uint32_t codes[FRONT_ROWS];
};

template <typename T>
inline void apply_rules(const FrontInput& input, T* values, int count) {
    const T missing_value = (T)input.missing_value, zero = (T)input.zero_missing, flush = (T)input.flush;
    constexpr T missing = std::numeric_limits<T>::quiet_NaN();
    each_value(values, count, [=](T x) {
        const bool gone = (x == missing_value) | (std::fabs(x) <= zero);
        return gone ? missing : std::fabs(x) <= flush ? (T)0 : x;
    });
}

// An input's values in the domain's dtype: `narrow` or `wide` of the block, whichever the input says.
inline void input_values(const Front& front, const FrontInput& input, const FrontColumn* columns, int64_t row, int count, StepBlock& block) {
    if (input.narrow_read) read_block(columns[input.column], row, count, block.narrow);
    else read_block(columns[input.column], row, count, block.wide);
    const bool narrow = apply_steps(front.steps + input.first_step, input.n_steps, block, count, input.narrow_read);
    if (input.narrow && !narrow) cast_block(block.wide, block.narrow, count);
    if (!input.narrow && narrow) cast_block(block.narrow, block.wide, count);
    if (!input.has_rules) return;
    if (input.narrow) apply_rules(input, block.narrow, count);
    else apply_rules(input, block.wide, count);
}

template <typename T>
inline void category_codes(const FrontInput& input, const T* values, int count, uint32_t* codes) {
    const uint32_t other = (uint32_t)input.n_codes;
    const T lowest = input.negative_other ? (T)0 : (T)-1;
    for (int lane = 0; lane < count; ++lane) {
        const T x = values[lane];
        const bool high_enough = input.negative_other ? x >= lowest : x > lowest;
        uint32_t code = high_enough && x < (T)other ? (uint32_t)(int32_t)x : other;
        if (!input.truncate && (T)(int32_t)code != x) code = other;
        codes[lane] = x != x ? other + 1 : code;
    }
}

// The codes of a FRONT_CATEGORY or FRONT_CODES input: at most n_codes + 1.
inline void input_codes(const Front& front, const FrontInput& input, const FrontColumn* columns, int64_t row, int count, FrontBlock& block) {
    if (input.source == FRONT_CODES) {
        read_codes(columns[input.column], row, count, (uint32_t)input.n_codes, block.codes);
        return;
    }
    input_values(front, input, columns, row, count, block.values);
    if (input.narrow) category_codes(input, block.values.narrow, count, block.codes);
    else category_codes(input, block.values.wide, count, block.codes);
}

template <typename T>
inline void zero_rest(T* values, int count) {
    for (int lane = count; lane < FRONT_ROWS; ++lane) values[lane] = 0;
}

template <typename Out>
inline void write_table(const FrontPlane& plane, const uint32_t* codes, int count, Out* out, int64_t stride) {
    const Out* table = (const Out*)plane.table;
    for (int lane = 0; lane < count; ++lane) out[lane * stride] = table[codes[lane]];
}

// Ranks of a plane: those among all of the input's thresholds, moved and clamped to the plane's own.
template <typename T, typename Out>
inline void write_ranks(const FrontInput& input, const FrontPlane& plane, const T* values, const uint32_t* ranks, int count, Out* out, int64_t stride) {
    constexpr int32_t highest = std::numeric_limits<Out>::max();
    const int32_t first = plane.first;
    const bool missing_right = plane.missing_right && !input.missing_last;
    for (int lane = 0; lane < count; ++lane) {
        int32_t rank = (int32_t)ranks[lane] - first;
        rank = rank < 0 ? 0 : rank > highest ? highest : rank;
        if (missing_right) rank = values[lane] != values[lane] ? highest : rank;
        out[lane * stride] = (Out)rank;
    }
}

template <typename T, typename Out>
inline void write_number(const Front& front, const FrontInput& input, T* values, int count, FrontBlock& block, Out* out, int64_t lane_stride, int64_t plane_stride) {
    zero_rest(values, count);
    const Ranking<T> ranking = {(const T*)input.thresholds, input.starts, (T)input.low, (T)input.scale, (T)(input.n_cells - 1),
                                input.levels, input.missing_last != 0, input.wide != 0};
    rank_block(ranking, values, count, block.codes);
    for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane)
        write_ranks(input, front.planes[plane], values, block.codes, count, out + plane * plane_stride, lane_stride);
}

// Codes of at most FRONT_ROWS rows.
template <typename Out>
inline void write_codes(const Front& front, const FrontColumn* columns, int64_t row, int count, Out* out, int64_t lane_stride, int64_t plane_stride) {
    FrontBlock block;
    for (int64_t next = 0; next < front.n_inputs; ++next) {
        const FrontInput& input = front.inputs[next];
        if (input.source != FRONT_NUMBER) {
            input_codes(front, input, columns, row, count, block);
            for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane)
                write_table(front.planes[plane], block.codes, count, out + plane * plane_stride, lane_stride);
            continue;
        }
        input_values(front, input, columns, row, count, block.values);
        if (input.narrow) write_number(front, input, block.values.narrow, count, block, out, lane_stride, plane_stride);
        else write_number(front, input, block.values.wide, count, block, out, lane_stride, plane_stride);
    }
}

template <typename T>
inline void write_values(const FrontPlane& plane, const T* values, int count, T* out, int64_t stride) {
    const T missing = plane.missing_right ? std::numeric_limits<T>::quiet_NaN() : -std::numeric_limits<T>::infinity();
    for (int lane = 0; lane < count; ++lane) out[lane * stride] = values[lane] != values[lane] ? missing : values[lane];
}

template <typename T>
inline T* domain_values(StepBlock& block) {
    if constexpr (sizeof(T) == sizeof(float)) return block.narrow;
    else return block.wide;
}

template <typename T>
inline void write_value_rows(const Front& front, const FrontColumn* columns, int64_t row, int count, T* out) {
    FrontBlock block;
    for (int64_t next = 0; next < front.n_inputs; ++next) {
        const FrontInput& input = front.inputs[next];
        const bool number = input.source == FRONT_NUMBER;
        if (number) input_values(front, input, columns, row, count, block.values);
        else input_codes(front, input, columns, row, count, block);
        for (int plane = input.first_plane; plane < input.first_plane + input.n_planes; ++plane) {
            if (number) write_values(front.planes[plane], domain_values<T>(block.values), count, out + plane, front.n_planes);
            else write_table(front.planes[plane], block.codes, count, out + plane, front.n_planes);
        }
    }
}

inline int rows_in_block(int64_t row, int64_t stop) { return (int)(stop - row < FRONT_ROWS ? stop - row : FRONT_ROWS); }

// --- What engines call. Rows [row, row + count) must be rows of the batch. ---------------------------------------------------

// u8 form, at most FRONT_ROWS rows: plane p's codes are out[64 p + lane]; those of lanes from `count` on are not written.
inline void code_planes_u8(const Front& front, const FrontColumn* columns, int64_t row, int count, uint8_t* out) {
    write_codes<uint8_t>(front, columns, row, count, out, 1, FRONT_ROWS);
}

// u16 form: row r's codes are out[(r - row) * n_planes + p].
inline void code_rows_u16(const Front& front, const FrontColumn* columns, int64_t row, int count, uint16_t* out) {
    for (int64_t first = row; first < row + count; first += FRONT_ROWS)
        write_codes<uint16_t>(front, columns, first, rows_in_block(first, row + count), out + (first - row) * front.n_planes, front.n_planes, 1);
}

// The form of values in float32 or float64, which must be the forest's domain: row r's are out[(r - row) * n_planes + p].
template <typename T>
inline void value_rows(const Front& front, const FrontColumn* columns, int64_t row, int count, T* out) {
    for (int64_t first = row; first < row + count; first += FRONT_ROWS)
        write_value_rows<T>(front, columns, first, rows_in_block(first, row + count), out + (first - row) * front.n_planes);
}

inline void value_rows_f32(const Front& front, const FrontColumn* columns, int64_t row, int count, float* out) {
    value_rows<float>(front, columns, row, count, out);
}

inline void value_rows_f64(const Front& front, const FrontColumn* columns, int64_t row, int count, double* out) {
    value_rows<double>(front, columns, row, count, out);
}

// --- Tasks that write a whole batch: matrices for dense models, and codes for tests. -----------------------------------------

struct FrontTask {
    const Front* front;           // in
    const FrontColumn* columns;   // in
    uint8_t* out;                 // out: rows of n_planes values; u8: tiles of n_planes * 64 codes
};

inline int fill_planes_u8(void* raw, int64_t start, int64_t stop, int64_t) {
    const FrontTask& ctx = *(const FrontTask*)raw;
    for (int64_t row = start; row < stop; row += FRONT_ROWS)
        code_planes_u8(*ctx.front, ctx.columns, row, rows_in_block(row, stop), ctx.out + row * ctx.front->n_planes);
    return OK;
}

inline int fill_rows_u16(void* raw, int64_t start, int64_t stop, int64_t) {
    const FrontTask& ctx = *(const FrontTask*)raw;
    code_rows_u16(*ctx.front, ctx.columns, start, (int)(stop - start), (uint16_t*)ctx.out + start * ctx.front->n_planes);
    return OK;
}

template <typename T>
int fill_value_rows(void* raw, int64_t start, int64_t stop, int64_t) {
    const FrontTask& ctx = *(const FrontTask*)raw;
    value_rows<T>(*ctx.front, ctx.columns, start, (int)(stop - start), (T*)ctx.out + start * ctx.front->n_planes);
    return OK;
}

inline int64_t n_planes_of(const Front* front) { return front->n_planes; }

enum FrontForm : int { FORM_U8 = 0, FORM_U16 = 1, FORM_F32 = 2, FORM_F64 = 3 };

inline kernel_t fill_kernel(int form) {
    switch (form) {
        case FORM_U8: return fill_planes_u8;
        case FORM_U16: return fill_rows_u16;
        case FORM_F32: return fill_value_rows<float>;
        default: return fill_value_rows<double>;
    }
}

}  // namespace ff
