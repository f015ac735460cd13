// What the footer of a Parquet file says of its column chunks. pyarrow reads such files; but its Python objects of column chunks end the
// process where a footer is damaged (a type that is not the schema's, a histogram of another length), so these are not asked.
//
// The footer is a struct in the compact protocol of Thrift; its fields are those of parquet.thrift in
// https://github.com/apache/parquet-format. Nothing beyond its bytes is read, whatever they say.
#pragma once
#include "kernel.hpp"

namespace ff {

// Bytes with an end, which nothing reads beyond; `bad` once something wanted to.
struct Bytes {
    const uint8_t* at;
    const uint8_t* end;
    bool bad = false;

    int64_t left() const { return end - at; }
    uint8_t byte() {
        if (at < end) return *at++;
        bad = true;
        return 0;
    }
    uint64_t varint() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const uint8_t next = byte();
            value |= (uint64_t)(next & 127) << shift;
            if (next < 128) return value;
        }
        bad = true;
        return 0;
    }
    int64_t signed_varint() {
        const uint64_t value = varint();
        return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    }
    void pass(uint64_t count) {
        if (count <= (uint64_t)left()) at += count;
        else bad = true;
    }
};

// Passes over a value of the compact protocol that nobody asks for.
inline void pass_value(Bytes& in, int type, int depth) {
    if (depth > 16) in.bad = true;
    if (in.bad) return;
    switch (type) {
        case 1: case 2: return;                       // a bool is its type
        case 3: in.pass(1); return;
        case 4: case 5: case 6: in.varint(); return;
        case 7: in.pass(8); return;
        case 8: in.pass(in.varint()); return;
        case 9: case 10: {
            const uint8_t head = in.byte();
            const int of = head & 15;
            for (uint64_t left = head >> 4 == 15 ? in.varint() : head >> 4; left > 0 && !in.bad; --left) {
                if (of == 1 || of == 2) in.pass(1);   // a byte for a bool
                else pass_value(in, of, depth + 1);
            }
            return;
        }
        case 12:
            for (;;) {
                const uint8_t head = in.byte();
                if (in.bad || (head & 15) == 0) return;
                if (head >> 4 == 0) in.varint();
                pass_value(in, head & 15, depth + 1);
            }
        default: in.bad = true;                       // maps: nothing here has one
    }
}

// Walks through a struct; `of(field, type)` reads a field's value, or returns false to pass over it.
template <typename Of>
inline void walk_struct(Bytes& in, Of of) {
    int64_t field = 0;
    for (;;) {
        const uint8_t head = in.byte();
        if (in.bad || (head & 15) == 0) return;
        field = head >> 4 ? field + (head >> 4) : in.signed_varint();
        if (!of(field, head & 15)) pass_value(in, head & 15, 0);
        if (in.bad) return;
    }
}

// Walks through a list of structs.
template <typename Each>
inline void walk_list(Bytes& in, Each each) {
    const uint8_t head = in.byte();
    if ((head & 15) != 12) in.bad = true;
    for (uint64_t left = head >> 4 == 15 ? in.varint() : head >> 4; left > 0 && !in.bad; --left) each();
}

// Of a column chunk, as int64 words so that NumPy can hold a table of them.
struct ChunkFacts {
    int64_t has_dictionary;   // 1 where there is a page of one
    int64_t stored;           // bytes in the file
    int64_t size;             // once decompressed
    int64_t n_values;         // nulls included
};

// The facts of all column chunks, row group by row group, as many as `capacity`; how many there are, or -1 where the footer is malformed.
inline int64_t chunk_facts(const uint8_t* footer, int64_t n_bytes, ChunkFacts* out, int64_t capacity) {
    Bytes in{footer, footer + n_bytes};
    int64_t found = 0;
    ChunkFacts facts;
    const auto metadata = [&](int64_t field, int type) {
        if (type != 6 || (field != 5 && field != 6 && field != 7 && field != 11)) return false;
        const int64_t value = in.signed_varint();
        if (field == 5) facts.n_values = value;
        else if (field == 6) facts.size = value;
        else if (field == 7) facts.stored = value;
        else facts.has_dictionary = 1;
        return true;
    };
    const auto chunk = [&](int64_t field, int type) {
        if (field != 3 || type != 12) return false;
        walk_struct(in, metadata);
        return true;
    };
    const auto group = [&](int64_t field, int type) {
        if (field != 1 || type != 9) return false;
        walk_list(in, [&] {
            facts = ChunkFacts{};
            walk_struct(in, chunk);
            if (found < capacity) out[found] = facts;
            ++found;
        });
        return true;
    };
    walk_struct(in, [&](int64_t field, int type) {
        if (field != 4 || type != 9) return false;
        walk_list(in, [&] { walk_struct(in, group); });
        return true;
    });
    return in.bad ? -1 : found;
}

}  // namespace ff
