// Which group each row is in: codes as narrow as the number of groups allows, read a block of rows at a time.
//
// A block is widened into 32-bit codes that stay in the first-level cache, so the loops that follow exist once and not once
// per width, and memory is read at the narrow width.
#pragma once
#include "kernel.hpp"

namespace ff {

constexpr int CODE_BLOCK = 64;   // rows whose codes are read together: one word of validity

struct GroupCodes {
    const uint8_t* values;   // in: null where all rows are of group 0
    int64_t width;           // in: bytes of a code, 1, 2 or 4; all bits set: the row is in no group
    uint32_t base;           // in: of code 0; else 0 but for codes of 4 bytes that are a key's own values: then no row is left out
};

template <typename Code>
inline void widen_codes(const uint8_t* values, int64_t row, int count, code_t* out) {
    constexpr Code none = (Code) ~(Code)0;
    for (int lane = 0; lane < count; ++lane) {
        const Code code = load<Code>(values, row + lane);
        out[lane] = code == none ? NULL_CODE : (code_t)code;
    }
}

// The codes of rows [row, row + count), count at most CODE_BLOCK; NULL_CODE where a row is in no group.
inline void read_codes(const GroupCodes& codes, int64_t row, int count, code_t* out) {
    if (codes.values == nullptr) {
        for (int lane = 0; lane < count; ++lane) out[lane] = 0;
        return;
    }
    switch (codes.width) {
        case 1: widen_codes<uint8_t>(codes.values, row, count, out); return;
        case 2: widen_codes<uint16_t>(codes.values, row, count, out); return;
        default: break;
    }
    if (codes.base == 0) {
        memcpy(out, codes.values + row * 4, (size_t)count * sizeof(code_t));
        return;
    }
    for (int lane = 0; lane < count; ++lane) out[lane] = load<code_t>(codes.values, row + lane) - codes.base;
}

inline code_t code_of_row(const GroupCodes& codes, int64_t row) {
    code_t code;
    read_codes(codes, row, 1, &code);
    return code;
}

}  // namespace ff
