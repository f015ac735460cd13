# What the kernels of a sort share: the key, and one pass over a digit; the meaning is in sort_keys.hpp and sort.hpp.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t

from fastframe._kernels.kernel cimport View, row_t


cdef extern from "sort.hpp" namespace "ff" nogil:
    cdef struct SortField:
        View view
        const uint32_t* ranks
        int physical
        int part
        int has_missing
        uint64_t flip
        uint64_t base
        uint64_t bias
        uint64_t missing
        int drop
        int width
        int64_t position

    cdef struct WordRange:
        pass

    cdef struct RangeScan:
        SortField field
        WordRange* ranges

    cdef struct CSortKeys "ff::SortKeys":
        const SortField* fields
        int64_t n_fields
        int64_t key_bits
        int row_bits

    cdef struct Deferred:
        int64_t* runs
        int64_t shortest

    cdef struct CSortPass "ff::SortPass":
        CSortKeys keys
        int64_t level
        row_t* rows
        int64_t n_rows
        int is_identity
        uint64_t cell_base
        int cell_shift
        int64_t n_cells
        const uint16_t* bucket_of_cell
        int64_t n_buckets
        uint32_t* counts
        const int32_t* starts
        uint64_t* words
        Deferred deferred


cdef class SortKeys:
    cdef CSortKeys keys
    cdef object keep_alive


cdef class SortPass:
    cdef CSortPass ctx
    cdef object keep_alive
