// Vectors of bytes, one row to a byte, for the bit-sliced engine: 16 rows in what any machine has, 32 rows with AVX2.
//
// Both have the same operations, and those the same meaning by byte, so that what is written over them gives the same bits. A
// comparison's result is all bits of a byte or none; `choose` looks at the highest bit alone.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define FF_WIDE_LANES __attribute__((target("avx2"), always_inline)) static inline
#define FF_HAS_WIDE_LANES 1
#else
#define FF_HAS_WIDE_LANES 0
#endif
#define FF_LANES __attribute__((always_inline)) static inline

namespace ff {

// Vectors of the compiler: SSE4 where the baseline is x86-64-v2, NEON on aarch64.
struct Lanes16 {
    static constexpr int ROWS = 16;
    static constexpr int PARTS = 1;   // halves that `low_*` and `high_*` work in
    typedef int8_t bytes __attribute__((vector_size(16)));
    typedef int16_t pairs __attribute__((vector_size(16)));
    typedef int32_t fours __attribute__((vector_size(16)));
    typedef float floats __attribute__((vector_size(16)));
    typedef double doubles __attribute__((vector_size(16)));

    FF_LANES bytes load(const void* from) { bytes value; memcpy(&value, from, 16); return value; }
    FF_LANES void store(void* to, bytes value) { memcpy(to, &value, 16); }
    FF_LANES bytes fill(int8_t value) { return value - (bytes){}; }
    FF_LANES bytes above(bytes a, bytes b) { return (bytes)(a > b); }
    FF_LANES bytes equal(bytes a, bytes b) { return (bytes)(a == b); }
    FF_LANES bytes both(bytes a, bytes b) { return a & b; }
    FF_LANES bytes flip(bytes a, bytes b) { return a ^ b; }
    FF_LANES bytes add(bytes a, bytes b) { return a + b; }
    FF_LANES bytes choose(bytes mask, bytes yes, bytes no) { return mask < 0 ? yes : no; }
    FF_LANES bytes bit_on_top(bytes a, int bit) { return (bytes)((pairs)a << (7 - bit)); }
    FF_LANES bytes eighth(bytes a) { return (bytes)((pairs)a >> 3) & fill(31); }   // of unsigned bytes
    FF_LANES bytes table(const uint8_t* of16) { return load(of16); }
    FF_LANES bytes look_up(bytes table, bytes at) {   // by the four low bits; the highest must be 0
#if defined(__clang__)
        bytes found;
        for (int lane = 0; lane < 16; ++lane) found[lane] = table[at[lane] & 15];
        return found;
#else
        return __builtin_shuffle(table, at);
#endif
    }
    FF_LANES bytes low_bytes(bytes a, bytes b) {
        return (bytes){a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]};
    }
    FF_LANES bytes high_bytes(bytes a, bytes b) {
        return (bytes){a[8], b[8], a[9], b[9], a[10], b[10], a[11], b[11], a[12], b[12], a[13], b[13], a[14], b[14], a[15], b[15]};
    }
    FF_LANES bytes low_pairs(bytes x, bytes y) {
        const pairs a = (pairs)x, b = (pairs)y;
        return (bytes)(pairs){a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]};
    }
    FF_LANES bytes high_pairs(bytes x, bytes y) {
        const pairs a = (pairs)x, b = (pairs)y;
        return (bytes)(pairs){a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]};
    }
    FF_LANES bytes low_fours(bytes x, bytes y) {
        const fours a = (fours)x, b = (fours)y;
        return (bytes)(fours){a[0], b[0], a[1], b[1]};
    }
    FF_LANES bytes high_fours(bytes x, bytes y) {
        const fours a = (fours)x, b = (fours)y;
        return (bytes)(fours){a[2], b[2], a[3], b[3]};
    }
    FF_LANES void add_to(float* sums, bytes values) {
        floats sum;
        memcpy(&sum, sums, 16);
        sum = sum + (floats)values;
        memcpy(sums, &sum, 16);
    }
    FF_LANES void add_to(double* sums, bytes values) {
        doubles sum;
        memcpy(&sum, sums, 16);
        sum = sum + (doubles)values;
        memcpy(sums, &sum, 16);
    }
};

#if FF_HAS_WIDE_LANES
struct Lanes32 {
    static constexpr int ROWS = 32;
    static constexpr int PARTS = 2;
    typedef __m256i bytes;

    FF_WIDE_LANES bytes load(const void* from) { return _mm256_loadu_si256((const __m256i*)from); }
    FF_WIDE_LANES void store(void* to, bytes value) { _mm256_storeu_si256((__m256i*)to, value); }
    FF_WIDE_LANES bytes fill(int8_t value) { return _mm256_set1_epi8(value); }
    FF_WIDE_LANES bytes above(bytes a, bytes b) { return _mm256_cmpgt_epi8(a, b); }
    FF_WIDE_LANES bytes equal(bytes a, bytes b) { return _mm256_cmpeq_epi8(a, b); }
    FF_WIDE_LANES bytes both(bytes a, bytes b) { return _mm256_and_si256(a, b); }
    FF_WIDE_LANES bytes flip(bytes a, bytes b) { return _mm256_xor_si256(a, b); }
    FF_WIDE_LANES bytes add(bytes a, bytes b) { return _mm256_add_epi8(a, b); }
    FF_WIDE_LANES bytes choose(bytes mask, bytes yes, bytes no) { return _mm256_blendv_epi8(no, yes, mask); }
    FF_WIDE_LANES bytes bit_on_top(bytes a, int bit) { return _mm256_slli_epi16(a, 7 - bit); }
    FF_WIDE_LANES bytes eighth(bytes a) { return both(_mm256_srli_epi16(a, 3), fill(31)); }
    FF_WIDE_LANES bytes table(const uint8_t* of16) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)of16)); }
    FF_WIDE_LANES bytes look_up(bytes table, bytes at) { return _mm256_shuffle_epi8(table, at); }
    FF_WIDE_LANES bytes low_bytes(bytes a, bytes b) { return _mm256_unpacklo_epi8(a, b); }
    FF_WIDE_LANES bytes high_bytes(bytes a, bytes b) { return _mm256_unpackhi_epi8(a, b); }
    FF_WIDE_LANES bytes low_pairs(bytes a, bytes b) { return _mm256_unpacklo_epi16(a, b); }
    FF_WIDE_LANES bytes high_pairs(bytes a, bytes b) { return _mm256_unpackhi_epi16(a, b); }
    FF_WIDE_LANES bytes low_fours(bytes a, bytes b) { return _mm256_unpacklo_epi32(a, b); }
    FF_WIDE_LANES bytes high_fours(bytes a, bytes b) { return _mm256_unpackhi_epi32(a, b); }
    FF_WIDE_LANES void add_to(float* sums, bytes values) { _mm256_storeu_ps(sums, _mm256_add_ps(_mm256_loadu_ps(sums), _mm256_castsi256_ps(values))); }
    FF_WIDE_LANES void add_to(double* sums, bytes values) { _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_loadu_pd(sums), _mm256_castsi256_pd(values))); }
};
#endif

}  // namespace ff
