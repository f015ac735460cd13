// Characters of UTF-8: a byte, and those that continue it. In ASCII each is a byte.
#pragma once
#include "text.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ff {

inline bool are_ascii(const uint8_t* bytes, int64_t count) {
    uint64_t all = 0;
    int64_t at = 0;
    for (; at + 64 <= count; at += 64) {
        uint64_t words[8];
        memcpy(words, bytes + at, 64);
        for (int word = 0; word < 8; ++word) all |= words[word];
    }
    for (; at < count; ++at) all |= bytes[at];
    return (all & 0x8080808080808080ull) == 0;
}

// Of UTF-8, whether a byte goes on with a character: 10xxxxxx.
inline bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Of 8 bytes, those with which a character begins: the lowest bit of each.
inline uint64_t beginnings(uint64_t bytes) { return ~((bytes >> 7) & ~(bytes >> 6)) & 0x0101010101010101ull; }

// How many characters texts have, asked in the order in which they lie. Bytes are looked at 64 at a time, once, whatever texts they are of.
class CharacterCounts {
  public:
    explicit CharacterCounts(const TextSource& source) : data_(source.data), end_(source.end) {}

    int64_t operator()(int64_t from, int64_t to) {
        int64_t count = to - from;
        for (int64_t begin = from & ~(int64_t)63; begin < to; begin += 64) {
            if (begin != begin_) look_at(begin);
            if (continuing_ == 0) continue;
            uint64_t inside = continuing_;
            if (begin < from) inside &= ~(uint64_t)0 << (from - begin);
            if (to - begin < 64) inside &= low_bits(~(uint64_t)0, (int)(to - begin));
            count -= __builtin_popcountll(inside);
        }
        return count;
    }

  private:
    void look_at(int64_t begin) {
        begin_ = begin;
        if (end_ - begin >= 64) {
            continuing_ = continuing_of(data_ + begin);
            return;
        }
        uint8_t bytes[64] = {0};
        memcpy(bytes, data_ + begin, (size_t)(end_ - begin));
        continuing_ = continuing_of(bytes);
    }

    // One bit for each of 64 bytes.
    static uint64_t continuing_of(const uint8_t* bytes) {
        uint64_t found = 0;
#if defined(__SSE2__)
        const __m128i least_begun = _mm_set1_epi8((char)0xC0);   // as signed numbers, 10xxxxxx are those below
        for (int part = 0; part < 4; ++part) {
            const __m128i some = _mm_loadu_si128((const __m128i*)(bytes + 16 * part));
            found |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(some, least_begun)) << (16 * part);
        }
#else
        for (int at = 0; at < 64; ++at) found |= (uint64_t)continues(bytes[at]) << at;
#endif
        return found;
    }

    const uint8_t* data_;
    int64_t end_;
    int64_t begin_ = -1;
    uint64_t continuing_ = 0;
};

// The byte at which a character begins, `n_bytes` where there are not so many. Up to `data_end` bytes may be read.
inline int64_t place_of_character(const uint8_t* text, int64_t n_bytes, int64_t number, const uint8_t* data_end) {
    if (number == 0) return 0;
    for (int64_t at = 0; at < n_bytes; at += 8) {
        const int64_t left = n_bytes - at;
        uint64_t bytes = 0;
        if (data_end - text - at >= 8) memcpy(&bytes, text + at, 8);
        else memcpy(&bytes, text + at, (size_t)left);
        uint64_t begun = beginnings(bytes);
        if (left < 8) begun &= ((uint64_t)1 << (8 * left)) - 1;
        const int64_t n_begun = (int64_t)((begun * 0x0101010101010101ull) >> 56);
        if (number < n_begun) {
            for (; number > 0; --number) begun &= begun - 1;
            return at + __builtin_ctzll(begun) / 8;
        }
        number -= n_begun;
    }
    return n_bytes;
}

}  // namespace ff
