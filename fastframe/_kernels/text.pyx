"""Text kernels: gather, compaction and choice of strings, each as a pass for sizes and a pass that copies.

A source is ``(offsets, data, end, large, constant)``: addresses of the offsets at row 0 and of the data, how many bytes
of data may be read, whether offsets are int64, whether every row is row 0. A sink is ``(starts, offsets, data, large)``:
the int64 bytes before each slice (and in all), and where offsets (from entry 1 on) and bytes are written.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t

from fastframe._kernels.bitmap cimport BitSource, as_bits
from fastframe._kernels.kernel cimport Task, kernel_t, row_t

cdef extern from "text.hpp" namespace "ff" nogil:
    cdef struct TextSource:
        const uint8_t* offsets
        const uint8_t* data
        int64_t end
        int large
        int constant
    cdef struct TakeTextContext:
        TextSource source
        const row_t* rows
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    cdef struct ChooseTextContext:
        BitSource mask
        TextSource yes
        TextSource no
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    kernel_t take_text_sizes_kernel(bint large, bint missing)
    kernel_t take_text_copy_kernel(bint large, bint out_large, bint missing)
    kernel_t choose_text_copy_kernel(bint out_large)
    int c_choose_text_sizes "ff::choose_text_sizes"(void*, int64_t, int64_t, int64_t)

cdef extern from "filter_text.hpp" namespace "ff" nogil:
    cdef struct FilterTextContext:
        TextSource source
        const uint64_t* words
        const int64_t* row_starts
        int64_t* sizes
        int64_t* lengths
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data
    kernel_t filter_text_sizes_kernel(bint large)
    kernel_t filter_text_copy_kernel(bint large, bint out_large)


cdef TextSource as_text(tuple source):
    cdef TextSource out
    out.offsets = <const uint8_t*><uintptr_t>source[0]
    out.data = <const uint8_t*><uintptr_t>source[1]
    out.end = source[2]
    out.large = source[3]
    out.constant = source[4]
    return out


def take_text_sizes(
    tuple source not None,   # IN
    uintptr_t rows,          # IN: int32
    uintptr_t sizes,         # OUT: int64 per slice
    object keep,
    *,
    bint missing,            # whether a row may be -1 (the source then has a row)
):
    """Bytes of the taken rows of each slice."""
    cdef TakeTextContext ctx
    ctx.source = as_text(source)
    ctx.rows = <const row_t*>rows
    ctx.sizes = <int64_t*>sizes
    return Task.make(take_text_sizes_kernel(ctx.source.large, missing), &ctx, sizeof(ctx), keep)


def take_text_copy(
    tuple source not None,   # IN
    uintptr_t rows,          # IN: int32
    tuple sink not None,     # OUT
    object keep,
    *,
    bint missing,
):
    """Offsets and bytes of the taken rows; nothing where there is no row."""
    cdef TakeTextContext ctx
    ctx.source = as_text(source)
    ctx.rows = <const row_t*>rows
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(take_text_copy_kernel(ctx.source.large, sink[3], missing), &ctx, sizeof(ctx), keep)


def filter_text_sizes(
    tuple source not None,   # IN
    tuple plan not None,     # IN: addresses (words, starts)
    uintptr_t sizes,         # OUT: int64 per slice
    uintptr_t lengths,       # OUT: int64 per slice, of its strings where they have one
    object keep,
):
    """Bytes of the kept rows of each slice."""
    cdef FilterTextContext ctx
    ctx.source = as_text(source)
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.row_starts = <const int64_t*><uintptr_t>plan[1]
    ctx.sizes = <int64_t*>sizes
    ctx.lengths = <int64_t*>lengths
    return Task.make(filter_text_sizes_kernel(ctx.source.large), &ctx, sizeof(ctx), keep)


def filter_text_copy(
    tuple source not None,   # IN
    tuple plan not None,     # IN: addresses (words, starts)
    tuple sink not None,     # OUT
    uintptr_t lengths,       # IN: as filter_text_sizes found them
    object keep,
):
    """Offsets and bytes of the kept rows."""
    cdef FilterTextContext ctx
    ctx.source = as_text(source)
    ctx.words = <const uint64_t*><uintptr_t>plan[0]
    ctx.row_starts = <const int64_t*><uintptr_t>plan[1]
    ctx.lengths = <int64_t*>lengths
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(filter_text_copy_kernel(ctx.source.large, sink[3]), &ctx, sizeof(ctx), keep)


def choose_text_sizes(
    tuple mask not None,   # IN: bits
    tuple yes not None,    # IN: source where the mask is 1
    tuple no not None,     # IN: source where it is 0
    uintptr_t sizes,       # OUT: int64 per slice
    object keep,
):
    """Bytes of the chosen rows of each slice."""
    cdef ChooseTextContext ctx
    ctx.mask = as_bits(mask)
    ctx.yes = as_text(yes)
    ctx.no = as_text(no)
    ctx.sizes = <int64_t*>sizes
    return Task.make(c_choose_text_sizes, &ctx, sizeof(ctx), keep)


def choose_text_copy(
    tuple mask not None,   # IN: bits
    tuple yes not None,    # IN: source where the mask is 1
    tuple no not None,     # IN: source where it is 0
    tuple sink not None,   # OUT
    object keep,
):
    """Offsets and bytes of the chosen rows."""
    cdef ChooseTextContext ctx
    ctx.mask = as_bits(mask)
    ctx.yes = as_text(yes)
    ctx.no = as_text(no)
    ctx.starts = <const int64_t*><uintptr_t>sink[0]
    ctx.out_offsets = <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(choose_text_copy_kernel(sink[3]), &ctx, sizeof(ctx), keep)
