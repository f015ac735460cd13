// The hash of key words: invertible, so equal hashes are equal words and words need not be kept beside them.
//
// Two rounds of xor-shift-multiply (the finalizer of MurmurHash3, Austin Appleby, public domain).
#pragma once
#include <cstdint>

namespace ff {

constexpr uint64_t mix(uint64_t word) {
    word ^= word >> 32;
    word *= 0xFF51AFD7ED558CCDull;
    word ^= word >> 29;
    word *= 0xC4CEB9FE1A85EC53ull;
    word ^= word >> 32;
    return word;
}

// The word of a hash.
constexpr uint64_t unmix(uint64_t hash) {
    hash ^= hash >> 32;
    hash *= 0x9CB4B2F8129337DBull;
    hash ^= hash >> 29 ^ hash >> 58;
    hash *= 0x4F74430C22A54005ull;
    hash ^= hash >> 32;
    return hash;
}

constexpr uint64_t NO_WORD = ~(uint64_t)0;   // packed keys are smaller: their product of digits is at most 2^64 - 1
constexpr uint64_t NO_HASH = mix(NO_WORD);

// The upper half of a 128-bit product folded onto the lower: a fast mixer of two words (wyhash, Wang Yi, public
// domain).
inline uint64_t fold(uint64_t left, uint64_t right) {
    const unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

}  // namespace ff
