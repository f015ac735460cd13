# Packed keys, for kernels that take words as they are made.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fastframe._kernels.kernel cimport code_t, row_t

cdef extern from "codes.hpp" namespace "ff" nogil:
    cdef struct KeyPart:
        const uint8_t* values
        const uint8_t* validity
        int64_t bit_offset
        int32_t physical
        int32_t field
        uint64_t base
        uint64_t base_high
        uint64_t n_values
        uint64_t stride
        const code_t* lut
        int32_t may_miss
        int32_t drop_missing
        int32_t check
        uint64_t step

    cdef struct PackContext:
        const KeyPart* parts
        int64_t n_parts
        const row_t* rows
        int32_t wide
        int32_t may_drop
        uint8_t* codes
        int32_t code_bytes
        int32_t bits
        uint64_t* words
        uint64_t* hashes
        uint32_t* counts
        uint64_t* present
        int64_t n_present

    int pack_keys(void*, int64_t, int64_t, int64_t)


cdef class KeyParts:
    cdef KeyPart* parts
    cdef readonly int n_parts
    cdef readonly bint may_drop
    cdef list keep
    cdef _add(self, dict given)

cdef void set_keys(PackContext* ctx, KeyParts parts, size_t rows, bint wide) noexcept
