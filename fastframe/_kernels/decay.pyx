"""Exponentially weighted functions; see ``decay.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t
from fastframe._kernels.window_bounds cimport WindowBounds, as_bounds

cdef extern from "decay.hpp" namespace "ff" nogil:
    cdef struct Reading:
        View view
        int physical
        const int32_t* rows

    cdef struct CDecays "ff::Decays":
        Reading reading
        View other
        int other_physical
        WindowBounds bounds
        const uint8_t* times
        int time_bytes
        double per_unit
        double factor
        double new_weight
        bint adjust
        bint skips
        bint rooted
        bint biased
        int64_t min_periods
        int result
        uint8_t* out
        uint8_t* present
        uint8_t* validity

    kernel_t decay_kernel(int op)
    int c_decay_pack "ff::decay_pack"(void* ctx, int64_t start, int64_t stop, int64_t slice)

MEAN, SUM, VARIANCE, COVARIANCE, CORRELATION = range(5)


cdef class Decays:
    """The phases of one function over one column, or two."""

    cdef CDecays decays
    cdef kernel_t kernel
    cdef list keep_alive

    def __init__(self, int op, tuple column, tuple bounds, uintptr_t rows, *, int result, double factor, bint adjust, bint skips,
                 bint rooted, bint biased, int64_t min_periods, keep):
        """``column`` is ``(physical, view)``."""
        memset(&self.decays, 0, sizeof(self.decays))
        self.kernel = decay_kernel(op)
        self.decays.reading.physical = column[0]
        self.decays.reading.view = as_view(tuple(column[1]))                # IN
        self.decays.reading.rows = <const int32_t*>rows                     # IN
        self.decays.bounds = as_bounds(bounds)                              # IN
        self.decays.factor = factor
        self.decays.new_weight = 1.0 if adjust else 1.0 - factor
        self.decays.adjust = adjust
        self.decays.skips = skips
        self.decays.rooted = rooted
        self.decays.biased = biased
        self.decays.min_periods = min_periods
        self.decays.result = result
        self.keep_alive = [keep]

    def set_other(self, int physical, values, keep):
        """The second column."""
        self.decays.other = as_view(tuple(values))                          # IN
        self.decays.other_physical = physical
        self.keep_alive.append(keep)

    def set_times(self, uintptr_t times, int time_bytes, double per_unit, keep):
        """Weights fall with times, ``per_unit`` half-lives in each unit."""
        self.decays.time_bytes = time_bytes
        self.decays.times = <const uint8_t*>times                           # IN
        self.decays.per_unit = per_unit
        self.keep_alive.append(keep)

    def set_output(self, uintptr_t out, uintptr_t present, uintptr_t validity, keep):
        self.decays.out = <uint8_t*>out                                     # OUT
        self.decays.present = <uint8_t*>present                             # OUT: with 8 bytes more
        self.decays.validity = <uint8_t*>validity                           # OUT
        self.keep_alive.append(keep)

    def walk(self):
        """Over positions: the segments that begin there."""
        return Task.make(self.kernel, &self.decays, sizeof(CDecays), list(self.keep_alive))

    def pack(self):
        """Over positions: bits of the results that are there."""
        return Task.make(<kernel_t>c_decay_pack, &self.decays, sizeof(CDecays), list(self.keep_alive))
