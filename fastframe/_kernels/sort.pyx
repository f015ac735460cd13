"""Tasks of the stable sort by several keys; see ``sort.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from fastframe._kernels.kernel cimport as_view, row_t
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "sort.hpp" namespace "ff" nogil:
    const int SPLIT_CELL_BIT "ff::SPLIT_CELL"

    cdef struct DigitRead:
        CSortKeys keys
        int64_t level
        const row_t* rows
        uint64_t* digits

    cdef struct LowDigits:
        CSortKeys keys
        uint64_t highest
        uint8_t* out
        int64_t* counts

    cdef struct CodeRead:
        CSortKeys keys
        uint32_t* codes

    cdef struct OrderCheck:
        CSortKeys keys
        uint8_t* ascends
        uint8_t* descends

    kernel_t scan_range_kernel(int physical)
    int64_t count_levels "ff::n_levels"(const CSortKeys& keys)
    int sort_small_kernel "ff::sort_small"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int count_buckets_kernel "ff::count_buckets"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int scatter_buckets_kernel "ff::scatter_buckets"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int finish_buckets_kernel "ff::finish_buckets"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int read_digits_kernel "ff::read_digits"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int low_digits_kernel "ff::low_digits"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int read_codes_kernel "ff::read_codes"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int check_order_kernel "ff::check_order"(void* ctx, int64_t start, int64_t stop, int64_t slice)


SPLIT_CELL = SPLIT_CELL_BIT
RANGE_WORDS = sizeof(WordRange) // 8


def scan_range(view, uintptr_t ranges, *, int physical, bint has_missing, keep_alive):
    """Over rows: per slice, the `WordRange` of the present values' words (`RANGE_WORDS` of 64 bits)."""
    cdef RangeScan ctx
    ctx.field.view = as_view(tuple(view))          # IN
    ctx.field.ranks = NULL
    ctx.field.physical = physical
    ctx.field.part = 0
    ctx.field.has_missing = has_missing
    ctx.ranges = <WordRange*>ranges         # OUT
    return Task.make(scan_range_kernel(physical), &ctx, sizeof(ctx), keep_alive)


cdef class SortKeys:
    """The fields of a sort, the most significant first, as kernels see them.

    Parameters
    ----------
    fields : sequence of tuple
        ``(view, ranks, physical, part, has_missing, flip, base, bias, missing, drop, width)``; see ``SortField``.
    n_rows : int
        Row numbers are below it; 0 for digits of 64 bits, without room for a row number.
    """

    def __init__(self, fields, int64_t n_rows, keep_alive):
        cdef SortField* made = <SortField*>calloc(len(fields) + 1, sizeof(SortField))
        cdef int64_t position = 0
        cdef int64_t number
        if made == NULL:
            raise MemoryError()
        self.keys.fields = made
        self.keep_alive = keep_alive
        for number in range(len(fields) - 1, -1, -1):
            view, ranks, physical, part, has_missing, flip, base, bias, missing, drop, width = fields[number]
            made[number].view = as_view(tuple(view))
            made[number].ranks = <const uint32_t*><uintptr_t>ranks
            made[number].physical = physical
            made[number].part = part
            made[number].has_missing = has_missing
            made[number].flip = flip
            made[number].base = base
            made[number].bias = bias
            made[number].missing = missing
            made[number].drop = drop
            made[number].width = width
            made[number].position = position
            position += width
        self.keys.n_fields = len(fields)
        self.keys.key_bits = position
        self.keys.row_bits = max(1, int(n_rows - 1).bit_length()) if n_rows > 0 else 0

    def __dealloc__(self):
        free(<void*>self.keys.fields)

    @property
    def n_levels(self):
        """Digits of the key."""
        return count_levels(self.keys)

    @property
    def key_bits(self):
        """Bits of all fields."""
        return self.keys.key_bits


def read_digits(SortKeys keys not None, uintptr_t rows, uintptr_t digits, *, int64_t level, keep_alive):
    """Over the entries of ``rows`` (0: rows 0, 1, 2 ...): their digits of a level."""
    cdef DigitRead ctx
    ctx.keys = keys.keys
    ctx.level = level
    ctx.rows = <const row_t*>rows         # IN
    ctx.digits = <uint64_t*>digits        # OUT
    return Task.make(<kernel_t>read_digits_kernel, &ctx, sizeof(ctx), (keys, keep_alive))


def low_digits(SortKeys keys not None, uint64_t highest, uintptr_t out, uintptr_t counts, *, keep_alive):
    """Over rows: bits that are 1 where the first digit is at most ``highest``, and per slice how many are."""
    cdef LowDigits ctx
    ctx.keys = keys.keys
    ctx.highest = highest
    ctx.out = <uint8_t*>out               # OUT: bits
    ctx.counts = <int64_t*>counts         # OUT
    return Task.make(<kernel_t>low_digits_kernel, &ctx, sizeof(ctx), (keys, keep_alive))


def read_codes(SortKeys keys not None, uintptr_t codes, *, keep_alive):
    """Over rows: the whole key, which has at most 32 bits, as a uint32 code."""
    cdef CodeRead ctx
    ctx.keys = keys.keys
    ctx.codes = <uint32_t*>codes          # OUT
    return Task.make(<kernel_t>read_codes_kernel, &ctx, sizeof(ctx), (keys, keep_alive))


def check_order(SortKeys keys not None, uintptr_t ascends, uintptr_t descends, *, keep_alive):
    """Over rows: per slice, whether rows ascend, and whether they strictly descend."""
    cdef OrderCheck ctx
    ctx.keys = keys.keys
    ctx.ascends = <uint8_t*>ascends       # OUT
    ctx.descends = <uint8_t*>descends     # OUT
    return Task.make(<kernel_t>check_order_kernel, &ctx, sizeof(ctx), (keys, keep_alive))


def sort_small(SortKeys keys not None, uintptr_t rows, *, int64_t level, bint is_identity, keep_alive):
    """Over ``rows``, in one slice: sorts them; where ``is_identity``, they are 0, 1, 2 ... and still unwritten."""
    cdef CSortPass ctx
    ctx.keys = keys.keys
    ctx.level = level
    ctx.rows = <row_t*>rows               # IN OUT
    ctx.is_identity = is_identity
    return Task.make(<kernel_t>sort_small_kernel, &ctx, sizeof(ctx), (keys, keep_alive))


cdef class SortPass:
    """The phases of one parallel pass over a digit, which share their arguments."""

    def __init__(self, SortKeys keys not None, uintptr_t rows, *, int64_t level, int64_t n_rows, bint is_identity, uintptr_t words):
        self.keep_alive = [keys]
        self.ctx.keys = keys.keys
        self.ctx.level = level
        self.ctx.rows = <row_t*>rows      # IN OUT
        self.ctx.n_rows = n_rows
        self.ctx.is_identity = is_identity
        self.ctx.words = <uint64_t*>words     # OUT

    def hold(self, *arrays):
        """Keep arrays alive with the tasks."""
        self.keep_alive.extend(arrays)

    def set_buckets(self, uintptr_t bucket_of_cell, uintptr_t frequent, *, uint64_t cell_base, int cell_shift,
                    int64_t n_cells, int64_t n_buckets):
        """Which bucket a digit belongs to."""
        self.ctx.bucket_of_cell = <const uint16_t*>bucket_of_cell     # IN
        self.ctx.frequent = <const uint64_t*>frequent                 # IN
        self.ctx.cell_base = cell_base
        self.ctx.cell_shift = cell_shift
        self.ctx.n_cells = n_cells
        self.ctx.n_buckets = n_buckets

    def count(self, uintptr_t counts):
        """Over rows: per slice, the rows in each bucket."""
        self.ctx.counts = <uint32_t*>counts       # OUT
        return Task.make(<kernel_t>count_buckets_kernel, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def scatter(self, uintptr_t starts):
        """Over rows, in the slices of `count`, whose counts `order.total_slots` turned: words to their buckets."""
        self.ctx.starts = <const int32_t*>starts      # IN
        return Task.make(<kernel_t>scatter_buckets_kernel, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def finish(self, uintptr_t deferred, int64_t shortest):
        """Over buckets: their rows in order, but for runs longer than ``shortest`` that tie and are listed."""
        self.ctx.deferred.runs = <int64_t*>deferred       # OUT
        self.ctx.deferred.shortest = shortest
        return Task.make(<kernel_t>finish_buckets_kernel, &self.ctx, sizeof(self.ctx), self.keep_alive)
