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

// Writes a run of values that may begin and end inside a line: whole lines are streamed, the others stored. `stage` is
// aligned to a line and holds a line and a half more than what is put at once.
struct LineWriter {
    uint8_t* first;
    uint8_t* next;
    bool streams;         // false: values go to their place at once
    uint8_t line[LINE];   // of the unfinished line

    LineWriter(uint8_t* out, bool streams) : first(out), next(out), streams(streams) {}

    int64_t begun() const { return (int64_t)((uintptr_t)next % LINE); }

    // Where the next values are to be written.
    uint8_t* target(uint8_t* stage) {
        if (!streams) return next;
        memcpy(stage, line, LINE);
        return stage + begun();
    }

    // That `n_bytes` were written there.
    void put(const uint8_t* stage, int64_t n_bytes) {
        if (streams) {
            uint8_t* base = next - begun();
            const int64_t n_lines = (begun() + n_bytes) / LINE;
            int64_t done = 0;
            if (n_lines > 0 && base < first) {   // begins inside a line, whose head is somebody else's
                memcpy(first, stage + (first - base), (size_t)(LINE - (first - base)));
                done = 1;
            }
            stream_lines(base + done * LINE, stage + done * LINE, n_lines - done);
            memcpy(line, stage + n_lines * LINE, LINE);
        }
        next += n_bytes;
    }

    void finish() {
        if (!streams) return;
        uint8_t* base = next - begun();
        uint8_t* from = base < first ? first : base;
        memcpy(from, line + (from - base), (size_t)(next - from));
    }
};

// Where a loop writes blocks that begin at a line: to their place, or by way of L1 past the caches.
template <int64_t MOST_BYTES>
class BlockWriter {
  public:
    explicit BlockWriter(bool streams) : streams_(streams) {}
    ~BlockWriter() {
        if (streams_) end_stream();
    }

    uint8_t* target(uint8_t* place) { return streams_ ? stage_ : place; }

    // That `n_bytes` of the block at `place` were written to its target.
    void put(uint8_t* place, int64_t n_bytes) const {
        if (!streams_) return;
        const int64_t n_lines = n_bytes / LINE;
        stream_lines(place, stage_, n_lines);
        memcpy(place + n_lines * LINE, stage_ + n_lines * LINE, (size_t)(n_bytes - n_lines * LINE));
    }

  private:
    alignas(LINE) uint8_t stage_[MOST_BYTES];
    bool streams_;
};

}  // namespace ff
