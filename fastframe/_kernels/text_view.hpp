// Plain text as kernels see it (column/column.py::TextView).
#pragma once
#include "kernel.hpp"

namespace ff {

struct TextView {
    const uint8_t* offsets;    // at row 0
    const uint8_t* data;       // at byte 0
    const uint8_t* validity;
    int64_t bit_offset;
    int64_t length;
};

}  // namespace ff
