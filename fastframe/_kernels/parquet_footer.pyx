"""What a Parquet file's footer says of its column chunks: see ``parquet_footer.hpp``."""

from libc.stdint cimport int64_t, uint8_t, uintptr_t


cdef extern from "parquet_footer.hpp" namespace "ff" nogil:
    cdef struct ChunkFacts:
        int64_t stored

    int64_t facts_of_chunks "ff::chunk_facts"(const uint8_t* footer, int64_t n_bytes, ChunkFacts* out, int64_t capacity)

FACT_WORDS = sizeof(ChunkFacts) // 8


def chunk_facts(uintptr_t footer, int64_t n_bytes, uintptr_t out, int64_t capacity):
    """List what the footer at an address says of all column chunks, row group by row group.

    Parameters
    ----------
    out : address
        OUT ``capacity`` times ``FACT_WORDS`` int64 at most.

    Returns
    -------
    int
        How many there are, which may be more; -1 where the footer is malformed.
    """
    cdef int64_t found
    with nogil:
        found = facts_of_chunks(<const uint8_t*>footer, n_bytes, <ChunkFacts*>out, capacity)
    return found
