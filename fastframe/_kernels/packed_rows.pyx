"""Tasks that pack fixed-width columns into records and gather records into columns; see ``packed_rows.hpp``.

``fields`` is the address of an int64 array of shape (n_fields, FIELD_WORDS), see ``RecordField``, and n_fields.
"""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "packed_rows.hpp" namespace "ff" nogil:
    cdef struct RecordField:
        pass

    cdef struct Records:
        const RecordField* fields
        int64_t n_fields
        int64_t size
        int64_t flags
        uint8_t* records
        const row_t* rows
        int64_t streams

    int c_RECORD_BLOCK "ff::RECORD_BLOCK"
    int c_LARGEST_RECORD "ff::LARGEST_RECORD"
    int pack_records_kernel "ff::pack_records"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    kernel_t gather_records_kernel(bint misses)

FIELD_WORDS = sizeof(RecordField) // 8    # int64 words of one row of the caller's table of fields
LARGEST_RECORD = c_LARGEST_RECORD


cdef Records records_of(tuple fields, tuple layout, uintptr_t records, uintptr_t rows, bint streams):
    cdef Records ctx
    ctx.fields = <const RecordField*><uintptr_t>fields[0]
    ctx.n_fields = fields[1]
    ctx.size, ctx.flags = layout
    ctx.records = <uint8_t*>records
    ctx.rows = <const row_t*>rows
    ctx.streams = streams
    return ctx


def pack_records(tuple fields, tuple layout, uintptr_t records, *, bint streams, keep_alive):
    """Over source rows: the records. IN fields, layout (bytes of a record, offset of its bits) OUT records."""
    cdef Records ctx = records_of(fields, layout, records, 0, streams)
    return Task.make(<kernel_t>pack_records_kernel, &ctx, sizeof(ctx), keep_alive)


def gather_records(tuple fields, tuple layout, uintptr_t records, uintptr_t rows, *, bint misses, bint streams, keep_alive):
    """Over result rows: the columns of the records that ``rows`` names; with ``misses`` -1 gives zeros. IN all; OUT is in ``fields``."""
    cdef Records ctx = records_of(fields, layout, records, rows, streams)
    return Task.make(gather_records_kernel(misses), &ctx, sizeof(ctx), keep_alive)
