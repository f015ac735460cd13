// Distinct values per group, in one of two ways:
//   marks   a byte for each (group, value) that may occur, set where it does, for values of a small range. All threads share
//           the table: a byte is only ever set, and is read before it is written, so that lines are shared once they are set.
//   pairs   (group, value) pairs were scattered by their hash (scatter.hpp, ByHash), so equal pairs are in one partition; each
//           partition fills its own open-addressing table and adds what is new to the group's count.
// Neither marks nor integer additions depend on which thread comes first.
#pragma once
#include <algorithm>
#include <new>

#include "scatter.hpp"

namespace ff {

struct Marks {
    View view;           // in
    GroupCodes codes;    // in
    int64_t least;       // in: the smallest value
    int64_t n_values;    // in: values from the smallest to the largest
    int64_t n_groups;    // in
    uint8_t* marks;      // in: n_groups x n_values zeros, and one more byte; out: 1 where a pair occurs
    int64_t* counts;     // out of counting: distinct values of each group
};

template <class Source>
int mark_values(void* raw, int64_t start, int64_t stop, int64_t) {
    const Marks& ctx = *(const Marks*)raw;
    const uint64_t nowhere = (uint64_t)(ctx.n_groups * ctx.n_values);
    code_t code[CODE_BLOCK];
    uint64_t place[CODE_BLOCK];
    for (int64_t row = start; row < stop; row += CODE_BLOCK) {
        const int count = (int)(stop - row < CODE_BLOCK ? stop - row : CODE_BLOCK);
        read_codes(ctx.codes, row, count, code);
        for (int lane = 0; lane < count; ++lane) {
            const uint64_t value = (uint64_t)(int64_t)Source::at(ctx.view, row + lane) - (uint64_t)ctx.least;
            place[lane] = code[lane] == NULL_CODE ? nowhere : code[lane] * (uint64_t)ctx.n_values + value;
        }
        if (ctx.view.validity != nullptr) {
            const uint64_t all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
            for (uint64_t missing = all ^ bits_at(ctx.view.validity, ctx.view.bit_offset + row, count); missing != 0; missing &= missing - 1)
                place[__builtin_ctzll(missing)] = nowhere;
        }
        for (int lane = 0; lane < count; ++lane) {
            uint8_t* mark = ctx.marks + place[lane];
            if (__atomic_load_n(mark, __ATOMIC_RELAXED) == 0) __atomic_store_n(mark, (uint8_t)1, __ATOMIC_RELAXED);
        }
    }
    return OK;
}

// Over groups.
inline int count_marks(void* raw, int64_t start, int64_t stop, int64_t) {
    const Marks& ctx = *(const Marks*)raw;
    for (int64_t group = start; group < stop; ++group) {
        const uint8_t* marks = ctx.marks + group * ctx.n_values;
        int64_t found = 0;
        for (int64_t value = 0; value < ctx.n_values; ++value) found += marks[value];
        ctx.counts[group] = found;
    }
    return OK;
}

inline kernel_t mark_kernel(int physical) {
    switch (physical) {
        case I8: return mark_values<Values<int8_t>>;
        case I16: return mark_values<Values<int16_t>>;
        case I32: return mark_values<Values<int32_t>>;
        case I64: return mark_values<Values<int64_t>>;
        case U8: return mark_values<Values<uint8_t>>;
        case U16: return mark_values<Values<uint16_t>>;
        case U32: return mark_values<Values<uint32_t>>;
        case U64: return mark_values<Values<uint64_t>>;
        case BOOL: return mark_values<Bits>;
        default: return nullptr;
    }
}

struct Distinct {
    const uint8_t* values;    // in: in partition order
    const uint8_t* codes;     // in
    const int32_t* starts;    // in: first value of each partition
    int64_t* counts;          // out: distinct values of each group, added to what is there
};

constexpr int64_t MOST_EXPECTED = 1 << 14;   // distinct pairs of a partition that a table is made for before they are seen

// An open-addressing table of the distinct pairs of one partition at a time. Many rows may hold few pairs, so it is made for
// as many as an even partition has, and grows with what is found.
template <typename T>
class PairTable {
  public:
    PairTable(const uint8_t* values, const uint8_t* codes) : values_(values), codes_(codes) {}
    ~PairTable() { delete[] slots_; }
    PairTable(const PairTable&) = delete;
    PairTable& operator=(const PairTable&) = delete;

    // Empty, with room for `count` pairs or MOST_EXPECTED.
    bool start(int64_t count) {
        uint64_t capacity = 16;
        while (capacity < 2 * (uint64_t)std::min(count, MOST_EXPECTED)) capacity *= 2;
        held_ = 0;
        if (capacity > room_ && !make(capacity)) return false;
        capacity_ = capacity;
        std::fill(slots_, slots_ + capacity_, -1);
        return true;
    }

    // Whether the pair at a place is new, or -1 where memory is short. The low bits of its hash choose the slot, for the
    // partition took the high ones.
    int add(int64_t place) {
        const T value = load<T>(values_, place);
        const code_t code = load<code_t>(codes_, place);
        uint64_t slot = hash_value(code, value) & (capacity_ - 1);
        for (; slots_[slot] >= 0; slot = (slot + 1) & (capacity_ - 1)) {
            if (load<T>(values_, slots_[slot]) == value && load<code_t>(codes_, slots_[slot]) == code) return 0;
        }
        slots_[slot] = (int32_t)place;
        return 4 * ++held_ <= 3 * capacity_ || grow() ? 1 : -1;
    }

  private:
    bool make(uint64_t capacity) {
        delete[] slots_;
        slots_ = new (std::nothrow) int32_t[capacity];
        room_ = slots_ == nullptr ? 0 : capacity;
        return slots_ != nullptr;
    }

    bool grow() {
        const int32_t* old = slots_;
        const uint64_t n_old = capacity_;
        slots_ = nullptr;
        if (!make(4 * n_old)) {
            delete[] old;
            return false;
        }
        capacity_ = room_;
        std::fill(slots_, slots_ + capacity_, -1);
        for (uint64_t slot = 0; slot < n_old; ++slot) {
            if (old[slot] < 0) continue;
            uint64_t at = hash_value(load<code_t>(codes_, old[slot]), load<T>(values_, old[slot])) & (capacity_ - 1);
            while (slots_[at] >= 0) at = (at + 1) & (capacity_ - 1);
            slots_[at] = old[slot];
        }
        delete[] old;
        return true;
    }

    const uint8_t* values_;
    const uint8_t* codes_;
    int32_t* slots_ = nullptr;   // the place of a pair, or -1
    uint64_t room_ = 0, capacity_ = 0, held_ = 0;
};

// Over partitions.
template <typename T>
int count_distinct(void* raw, int64_t start, int64_t stop, int64_t) {
    const Distinct& ctx = *(const Distinct*)raw;
    PairTable<T> table(ctx.values, ctx.codes);
    for (int64_t partition = start; partition < stop; ++partition) {
        const int64_t begin = ctx.starts[partition], end = ctx.starts[partition + 1];
        if (!table.start(end - begin)) return OUT_OF_MEMORY;
        for (int64_t place = begin; place < end; ++place) {
            const int added = table.add(place);
            if (added < 0) return OUT_OF_MEMORY;
            if (added > 0) __atomic_fetch_add(&ctx.counts[load<code_t>(ctx.codes, place)], 1, __ATOMIC_RELAXED);
        }
    }
    return OK;
}

// Of values of `physical` (bools as uint8).
inline kernel_t distinct_kernel(int physical) {
    switch (physical) {
        case I8: return count_distinct<int8_t>;
        case I16: return count_distinct<int16_t>;
        case I32: return count_distinct<int32_t>;
        case I64: return count_distinct<int64_t>;
        case U8: case BOOL: return count_distinct<uint8_t>;
        case U16: return count_distinct<uint16_t>;
        case U32: return count_distinct<uint32_t>;
        case U64: return count_distinct<uint64_t>;
        case F32: return count_distinct<float>;
        case F64: return count_distinct<double>;
        case I128: return count_distinct<int128_t>;
        default: return nullptr;
    }
}

}  // namespace ff
