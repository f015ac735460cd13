"""Tasks of the sort of whole rows as records; see ``sort_records.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from fastframe._kernels.sort cimport CSortPass, SortPass
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "sort_records.hpp" namespace "ff" nogil:
    const int MOST_RECORD_WORDS

    cdef struct RecordField:
        const uint8_t* values
        uint8_t* out
        uint64_t base
        uint64_t mask
        int width
        int stride
        int word
        int shift

    cdef struct RecordPass:
        CSortPass sort "pass"
        const RecordField* fields
        int64_t n_fields
        int64_t n_words
        const int64_t* pieces
        int streams

    cdef struct RecordPhases:
        kernel_t scatter
        kernel_t finish

    RecordPhases record_phases(int64_t n_words, bint widest)

MOST_WORDS = MOST_RECORD_WORDS


cdef class RecordSort:
    """The phases of a sort of records that come after `SortPass.count`.

    Parameters
    ----------
    one : SortPass
        Its ``words`` have room for all records.
    fields : sequence of tuple
        ``(values, out, base, mask, width, stride, word, shift)``; see ``RecordField``.
    n_words : int
        Of a record.
    streams : bool
        Whether the result is larger than the caches.
    widest : bool
        Whether to use the widest vectors of this machine; the results are the same.
    """

    cdef RecordPass ctx
    cdef RecordPhases phases
    cdef object keep_alive

    def __init__(self, SortPass one not None, fields, *, int64_t n_words, bint streams, keep_alive, bint widest=True):
        cdef RecordField* made = <RecordField*>calloc(len(fields) + 1, sizeof(RecordField))
        cdef int64_t number = 0
        if made == NULL:
            raise MemoryError()
        self.ctx.fields = made
        self.ctx.n_fields = len(fields)
        self.ctx.n_words = n_words
        self.ctx.streams = streams
        self.phases = record_phases(n_words, widest)
        self.ctx.sort = one.ctx
        self.keep_alive = [one, keep_alive]
        for values, out, base, mask, width, stride, word, shift in fields:
            made[number].values = <const uint8_t*><uintptr_t>values    # IN
            made[number].out = <uint8_t*><uintptr_t>out                # OUT
            made[number].base = base
            made[number].mask = mask
            made[number].width = width
            made[number].stride = stride
            made[number].word = word
            made[number].shift = shift
            number += 1

    def __dealloc__(self):
        free(<void*>self.ctx.fields)

    def scatter(self, uintptr_t starts):
        """Over rows, in the slices of `SortPass.count`, whose counts `order.total_slots` turned: records to their buckets."""
        self.ctx.sort.starts = <const int32_t*>starts      # IN
        return Task.make(self.phases.scatter, &self.ctx, sizeof(self.ctx), (self, self.keep_alive))

    def finish(self, uintptr_t pieces):
        """Over pieces, each ``(first, stop)`` records of a bucket: their values in order, to every column."""
        self.ctx.pieces = <const int64_t*>pieces           # IN
        return Task.make(self.phases.finish, &self.ctx, sizeof(self.ctx), (self, self.keep_alive))
