// One row through any model that is no lone forest: a list of steps on cells, a row's values one after the other in a thread's scratch.
//
// Functions whose bits only NumPy knows (its BLAS's products, exp, log, tanh) are NumPy's own inner loops, called with the dimensions
// and strides that NumPy calls them with for a matrix of one row: the same code on the same values. fastframe/predict/row_tape.py
// writes the steps.
#pragma once
#include <Python.h>

#include <cmath>

#include "forest_links.hpp"
#include "forest_row.hpp"

namespace ff {

typedef void (*ufunc_loop_t)(char** args, const intptr_t* dimensions, const intptr_t* steps, void* data);

// How a NumPy ufunc starts (numpy/ufuncobject.h, the same since 1.0); what Python says of it is compared before it is believed.
struct UfuncHead {
    PyObject head;
    int n_in, n_out, n_args, identity;
    const ufunc_loop_t* functions;
    void* const* data;
    int n_types, reserved;
    const char* name;
    const char* types;   // n_args type numbers for each function
};

enum RowStepKind : int64_t { ROW_LOOP = 0, ROW_LINK, ROW_FILL, ROW_COLUMN, ROW_SUM, ROW_SPLIT_TOP, ROW_FOREST };

// Keep in step with fastframe/predict/row_tape.py::STEP.
struct RowStep {
    int64_t kind;
    uint64_t function;      // ROW_LOOP: a ufunc's; ROW_LINK, ROW_FILL: a kernel
    uint64_t data;          // ROW_LOOP: the function's; ROW_FILL: Front; ROW_FOREST: RowForest
    uint64_t place[3];      // of operands: an address where `constant`, else bytes from the first cell
    int64_t constant[3];
    intptr_t dimensions[4];
    intptr_t steps[9];
    double scale;
};

// What a logsumexp that takes the largest terms out of the sum starts with: the others' distances to them; how many they are; they.
inline void split_top(const double* values, int64_t count, double* rest, double* of_top) {
    double top = values[0];
    for (int64_t at = 1; at < count && top == top; ++at) {
        if (!(values[at] <= top)) top = values[at];
    }
    double n_top = 0;
    const double less = std::isfinite(top) ? top : 0.0;
    for (int64_t at = 0; at < count; ++at) {
        const bool is_top = values[at] == top;
        n_top += is_top ? 1.0 : 0.0;
        rest[at] = (is_top ? -std::numeric_limits<double>::infinity() : values[at]) - less;
    }
    of_top[0] = n_top;
    of_top[1] = top;
}

inline void run_step(const RowStep& step, RowScratch* scratch) {
    char* cells = (char*)scratch->values.data();
    char* args[3];
    for (int at = 0; at < 3; ++at) args[at] = step.constant[at] ? (char*)step.place[at] : cells + step.place[at];
    switch (step.kind) {
        case ROW_LOOP: ((ufunc_loop_t)step.function)(args, step.dimensions, step.steps, (void*)step.data); break;
        case ROW_LINK: {
            Links one = {(const uint8_t*)args[0], (uint8_t*)args[1], step.dimensions[0], step.scale};
            ((kernel_t)step.function)(&one, 0, 1, 0);
            break;
        }
        case ROW_FILL: {
            FrontTask one = {(const Front*)step.data, scratch->columns.data(), (uint8_t*)args[0]};
            ((kernel_t)step.function)(&one, 0, 1, 0);
            break;
        }
        case ROW_COLUMN:
            scratch->columns[(size_t)step.dimensions[0]] = {{(const uint8_t*)args[0], nullptr, 0, 1}, step.dimensions[1]};
            break;
        case ROW_SUM:
            if (step.dimensions[1]) *(double*)args[1] = SumPairwise::of((const double*)args[0], step.dimensions[0]);
            else *(float*)args[1] = SumPairwise::of((const float*)args[0], step.dimensions[0]);
            break;
        case ROW_SPLIT_TOP: split_top((const double*)args[0], step.dimensions[0], (double*)args[1], (double*)args[2]); break;
        default: answer_row(*(const RowForest*)step.data, scratch, args[0]);
    }
}

inline const void* cell_at(RowScratch* scratch, int64_t place) { return (const char*)scratch->values.data() + place; }

inline void run_steps(const RowStep* steps, int64_t n_steps, RowScratch* scratch) {
    for (int64_t next = 0; next < n_steps; ++next) run_step(steps[next], scratch);
}

}  // namespace ff
