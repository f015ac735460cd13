"""Walks (cumsum ..., cumcount, shifts, differences, fills): see ``cumulative.hpp`` and ``lagged.hpp`` for plans and phases."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memcpy, memset

from fastframe._kernels.group_codes cimport GroupCodes, as_codes
from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t, row_t


cdef extern from "cumulative.hpp" namespace "ff" nogil:
    struct CWalk "ff::Walk":
        View values
        GroupCodes codes
        int64_t n_groups
        int64_t n_slices
        int64_t limit
        uint8_t[16] fill
        bint fill_valid
        row_t outside
        const uint8_t* rows
        const int32_t* offsets
        uint8_t* carries
        uint8_t* out
        uint8_t* validity

    struct WalkKernels:
        kernel_t[4] kernels
        int64_t state_bytes

    WalkKernels walk_kernels(int op, int physical, bint grouped, bint backward)

cdef extern from "lagged.hpp" namespace "ff" nogil:
    WalkKernels lagged_kernels(int op, int physical, int64_t width, bint backward)


SUM, PRODUCT, MINIMUM, MAXIMUM, COUNT, LAG, FILL, SHIFT, DIFFERENCE, RELATIVE, FILL_VALUES = range(11)
FOLD, SCAN, APPLY, ORDERED = range(4)


cdef class Walk:
    """The phases of one op over one column; set its inputs and outputs first, then run `phase` tasks in turn."""

    cdef WalkKernels found
    cdef CWalk walk
    cdef list keep_alive

    def __init__(self, int op, int physical, values, *, bint grouped=False, bint backward=False, int64_t width=0):
        if op < SHIFT:
            self.found = walk_kernels(op, physical, grouped, backward)
        else:
            self.found = lagged_kernels(op, physical, width, backward)
        self.walk.values = as_view(tuple(values))                                    # IN
        self.walk.n_groups = 1
        self.keep_alive = []

    @property
    def state_bytes(self):
        """Bytes of one group's state; 0 where the op does not exist for the physical type."""
        return self.found.state_bytes

    @property
    def scatters(self):
        """Whether the ordered plan exists (results that are bits cannot be scattered)."""
        return self.found.kernels[3] != NULL

    def set_groups(self, tuple codes, int64_t n_groups, keep):
        self.walk.codes = as_codes(codes)                                     # IN
        self.walk.n_groups = n_groups                                         # IN
        self.keep_alive.append(keep)

    def set_order(self, uintptr_t rows, uintptr_t offsets, keep):
        self.walk.rows = <const uint8_t*>rows                                 # IN
        self.walk.offsets = <const int32_t*>offsets                           # IN
        self.keep_alive.append(keep)

    def set_options(self, *, int64_t limit=0, row_t outside=-1, bytes fill=None):
        self.walk.limit = limit
        self.walk.outside = outside
        self.walk.fill_valid = fill is not None
        memset(self.walk.fill, 0, 16)
        if fill is not None:
            memcpy(self.walk.fill, <const char*>fill, min(16, len(fill)))

    def set_carries(self, uintptr_t carries, int64_t n_slices, keep):
        self.walk.carries = <uint8_t*>carries                                 # OUT, then IN
        self.walk.n_slices = n_slices                                         # IN
        self.keep_alive.append(keep)

    def set_output(self, uintptr_t out, uintptr_t validity, keep):
        self.walk.out = <uint8_t*>out                                         # OUT
        self.walk.validity = <uint8_t*>validity                               # OUT
        self.keep_alive.append(keep)

    def phase(self, int phase):
        """The task of a phase: FOLD and APPLY over rows, SCAN over groups, ORDERED over positions."""
        return Task.make(self.found.kernels[phase], &self.walk, sizeof(CWalk), list(self.keep_alive))
