"""The positions that windows span, written out; see ``window_bounds.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.kernel cimport Task, kernel_t
from fastframe._kernels.window_bounds cimport WindowBounds, as_bounds

cdef extern from "window_bounds.hpp" namespace "ff" nogil:
    cdef struct BoundsOut:
        WindowBounds bounds
        const uint8_t* times
        int time_bytes
        const int32_t* rows
        int64_t sign
        int64_t least
        int64_t most
        bint to_itself
        int32_t* begin
        int32_t* end

    int c_row_bounds "ff::row_bounds"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_segment_bounds "ff::segment_bounds"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_time_bounds "ff::time_bounds"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int c_times_rise "ff::times_rise"(void* ctx, int64_t start, int64_t stop, int64_t slice)

    cdef struct CalledWindows:
        int32_t* begin
        int32_t* end
        const int32_t* present
        int64_t min_periods
        bint translated
        int64_t* left_out

    int c_called_windows "ff::called_windows"(void* ctx, int64_t start, int64_t stop, int64_t slice)


cdef BoundsOut written(tuple bounds, tuple out):
    cdef BoundsOut ctx
    memset(&ctx, 0, sizeof(ctx))
    ctx.bounds = as_bounds(bounds)                           # IN
    ctx.sign = 1
    ctx.begin = <int32_t*><uintptr_t>out[0]                  # OUT
    ctx.end = <int32_t*><uintptr_t>out[1]                    # OUT
    return ctx


def row_bounds(tuple bounds, tuple out, keep_alive):
    """Over positions: windows of a number of rows; ``out`` is ``(begin, end)``, int32 each."""
    cdef BoundsOut ctx = written(bounds, out)
    return Task.make(<kernel_t>c_row_bounds, &ctx, sizeof(ctx), keep_alive)


def segment_bounds(tuple bounds, tuple out, keep_alive):
    """Over positions: windows from where their segment begins to their position."""
    cdef BoundsOut ctx = written(bounds, out)
    return Task.make(<kernel_t>c_segment_bounds, &ctx, sizeof(ctx), keep_alive)


def called_windows(tuple bounds, uintptr_t present, uintptr_t left_out, *, int64_t min_periods, bint translated, keep_alive):
    """Over positions: ``bounds`` (begin, end) of windows with too few values become 0 and -1, counted per slice in ``left_out`` (int64).

    ``present`` is how many values stand before each position, and in all (int32; 0: all are there); ``translated`` makes bounds
    count those.
    """
    cdef CalledWindows ctx
    ctx.begin = <int32_t*><uintptr_t>bounds[0]               # IN, OUT
    ctx.end = <int32_t*><uintptr_t>bounds[1]                 # IN, OUT
    ctx.present = <const int32_t*>present                    # IN
    ctx.min_periods = min_periods
    ctx.translated = translated
    ctx.left_out = <int64_t*>left_out                        # OUT
    return Task.make(<kernel_t>c_called_windows, &ctx, sizeof(ctx), keep_alive)


cdef class TimeBounds:
    """Windows of a span of time: `check` that times rise (times ``sign``), then `fill`."""

    cdef BoundsOut ctx
    cdef object keep_alive

    def __init__(self, tuple bounds, tuple out, tuple times, *, int64_t sign, int64_t least, int64_t most, bint to_itself, keep_alive):
        self.ctx = written(bounds, out)
        self.ctx.times = <const uint8_t*><uintptr_t>times[0]     # IN
        self.ctx.time_bytes = times[1]
        self.ctx.rows = <const int32_t*><uintptr_t>times[2]      # IN
        self.ctx.sign = sign
        self.ctx.least = least
        self.ctx.most = most
        self.ctx.to_itself = to_itself
        self.keep_alive = keep_alive

    def check(self):
        """Over positions; fails with INEXACT where a time is before the one before it in its segment."""
        return Task.make(<kernel_t>c_times_rise, &self.ctx, sizeof(BoundsOut), self.keep_alive)

    def fill(self):
        """Over positions."""
        return Task.make(<kernel_t>c_time_bounds, &self.ctx, sizeof(BoundsOut), self.keep_alive)
