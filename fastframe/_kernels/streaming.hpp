// Stores that go past the caches, for outputs that no cache can hold until somebody reads them.
//
// An ordinary store to memory first reads the line that it overwrites, so a copy moves three bytes for each one copied.
// A line written as a whole by non-temporal stores is not read; a part of a line is slower than ordinary stores. So
// loops write blocks that stay in L1 and hand whole lines on from there.
#pragma once
#include "kernel.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ff {

constexpr int64_t LINE = 64;

// Copies whole lines; `out` is aligned to a line, `in` to 16 bytes. Nobody may read `out` before `end_stream`.
inline void stream_lines(uint8_t* out, const uint8_t* in, int64_t n_lines) {
#if defined(__SSE2__)
    for (int64_t line = 0; line < n_lines; ++line, out += LINE, in += LINE) {
        const __m128i first = _mm_load_si128((const __m128i*)in), second = _mm_load_si128((const __m128i*)in + 1);
        const __m128i third = _mm_load_si128((const __m128i*)in + 2), last = _mm_load_si128((const __m128i*)in + 3);
        _mm_stream_si128((__m128i*)out, first);
        _mm_stream_si128((__m128i*)out + 1, second);
        _mm_stream_si128((__m128i*)out + 2, third);
        _mm_stream_si128((__m128i*)out + 3, last);
    }
#else
    memcpy(out, in, (size_t)(n_lines * LINE));
#endif
}

// Makes streamed bytes visible to whoever learns, by ordinary means, that the slice is done.
inline void end_stream() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace ff
