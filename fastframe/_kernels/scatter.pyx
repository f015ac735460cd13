"""Tasks that bring values together by partition of their group code; see ``scatter.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "scatter.hpp" namespace "ff" nogil:
    cdef struct CScatter "ff::Scatter":
        View view
        GroupCodes codes
        int64_t n_partitions
        int32_t shift
        bint skips_nan
        int32_t* places
        uint8_t* out_values
        uint8_t* out_codes
        uint8_t* out_rows

    cdef struct CGather "ff::Gather":
        CScatter scatter
        const int32_t* starts
        const uint8_t* values
        uint8_t* out
        uint8_t* validity

    cdef struct CPlaces "ff::Places":
        int32_t* places
        int32_t* totals
        int64_t n_partitions
        int64_t n_slices

    cdef struct ScatterKernels:
        kernel_t count
        kernel_t scatter
        kernel_t gather
        int64_t value_bytes

    ScatterKernels scatter_kernels(int source, bint by_hash, int streams)
    int total_counts_kernel "ff::total_counts"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int add_starts_kernel "ff::add_starts"(void* ctx, int64_t start, int64_t stop, int64_t slice)


def value_bytes(int source):
    """Bytes of one scattered value of a source (a physical id, or 100 to 102 for row numbers)."""
    return scatter_kernels(source, False, 0).value_bytes


cdef class Scatter:
    """One scatter: its arguments, and its two tasks over rows."""

    cdef CScatter ctx
    cdef ScatterKernels kernels
    cdef object keep_alive

    def __init__(self, int source, view, codes, *, int64_t n_partitions, int shift, bint by_hash, bint skips_nan, bint own_codes,
                 uintptr_t places, uintptr_t out_values, uintptr_t out_codes, uintptr_t out_rows, keep_alive):
        self.kernels = scatter_kernels(source, by_hash, 3 if own_codes else 2 if out_rows != 0 else out_codes != 0)
        self.ctx.view = as_view(tuple(view))           # IN
        self.ctx.codes = as_codes(codes)               # IN
        self.ctx.n_partitions = n_partitions
        self.ctx.shift = shift
        self.ctx.skips_nan = skips_nan
        self.ctx.places = <int32_t*>places             # OUT of counting, IN OUT of scattering
        self.ctx.out_values = <uint8_t*>out_values     # OUT
        self.ctx.out_codes = <uint8_t*>out_codes       # OUT
        self.ctx.out_rows = <uint8_t*>out_rows         # OUT
        self.keep_alive = keep_alive

    def count(self):
        """Over rows: how many rows of each slice go to each partition."""
        return Task.make(self.kernels.count, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def scatter(self):
        """Over the same slices of rows: values (and codes) to their places."""
        return Task.make(self.kernels.scatter, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def gather(self, uintptr_t values, uintptr_t starts, uintptr_t out, uintptr_t validity, keep):
        """Over the same slices of rows, after a scatter by group: the 8-byte values of its places, at their rows."""
        cdef CGather ctx
        ctx.scatter = self.ctx
        ctx.values = <const uint8_t*>values            # IN
        ctx.starts = <const int32_t*>starts            # IN
        ctx.out = <uint8_t*>out                        # OUT
        ctx.validity = <uint8_t*>validity              # OUT
        return Task.make(self.kernels.gather, &ctx, sizeof(ctx), (self.keep_alive, keep))


cdef CPlaces places_of(uintptr_t places, uintptr_t totals, int64_t n_partitions, int64_t n_slices):
    cdef CPlaces ctx
    ctx.places = <int32_t*>places
    ctx.totals = <int32_t*>totals
    ctx.n_partitions = n_partitions
    ctx.n_slices = n_slices
    return ctx


def total_counts(uintptr_t places, uintptr_t totals, *, int64_t n_partitions, int64_t n_slices, keep_alive):
    """Over partitions: counts become rows of earlier slices; totals become the rows of each partition."""
    cdef CPlaces ctx = places_of(places, totals, n_partitions, n_slices)   # IN OUT places OUT totals
    return Task.make(<kernel_t>total_counts_kernel, &ctx, sizeof(ctx), keep_alive)


def add_starts(uintptr_t places, uintptr_t starts, *, int64_t n_partitions, int64_t n_slices, keep_alive):
    """Over partitions: adds where each partition begins to the places of every slice."""
    cdef CPlaces ctx = places_of(places, starts, n_partitions, n_slices)   # IN OUT places IN starts
    return Task.make(<kernel_t>add_starts_kernel, &ctx, sizeof(ctx), keep_alive)
