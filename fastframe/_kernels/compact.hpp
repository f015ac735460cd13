// Where the kept lanes of a vector go when they are brought to its front: tables of permutations.
#pragma once
#include <cstdint>

namespace ff {

// For each byte, the positions of its set bits in ascending order, as bytes, then zeros.
struct PositionTable {
    uint64_t of[256];
    constexpr PositionTable() : of() {
        for (int byte = 0; byte < 256; ++byte) {
            int found = 0;
            for (int bit = 0; bit < 8; ++bit) {
                if ((byte >> bit) & 1) of[byte] |= (uint64_t)bit << (8 * found++);
            }
        }
    }
};
static constexpr PositionTable POSITIONS;

// The 32-bit halves of up to four kept 8-byte lanes; read as eight bytes that widen to permutation lanes.
struct PairTable {
    uint64_t of[16];
    constexpr PairTable() : of() {
        for (int mask = 0; mask < 16; ++mask) {
            int found = 0;
            for (int lane = 0; lane < 4; ++lane) {
                if (!((mask >> lane) & 1)) continue;
                of[mask] |= (uint64_t)(2 * lane) << (8 * found++);
                of[mask] |= (uint64_t)(2 * lane + 1) << (8 * found++);
            }
        }
    }
};
static constexpr PairTable PAIRS;

}  // namespace ff
