"""Rolling and expanding windows over one column, or two; see ``rolling.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.kernel cimport Task, View, as_view, kernel_t
from fastframe._kernels.window_bounds cimport WindowBounds, as_bounds

cdef extern from "rolling.hpp" namespace "ff" nogil:
    cdef struct Reading:
        View view
        int physical
        const int32_t* rows

    cdef struct CRolling "ff::Rolling":
        Reading reading
        View other
        int other_physical
        WindowBounds bounds
        int64_t n_positions
        int64_t min_periods
        int64_t ddof
        bint rooted
        int result
        uint8_t* carries
        uint8_t* out
        uint8_t* validity

    cdef struct RollingKernels:
        kernel_t by_rows
        kernel_t by_bounds
        kernel_t fold
        kernel_t scan
        kernel_t apply
        int64_t carry_bytes

    RollingKernels rolling_kernels(int op, int physical)

cdef extern from "rolling_order.hpp" namespace "ff" nogil:
    cdef struct CRollingOrder "ff::RollingOrder":
        CRolling rolling
        double share
        int interpolation

    int quantile_by_rows "ff::rolling_quantile<ff::RowWindows>"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int quantile_by_bounds "ff::rolling_quantile<ff::GivenWindows>"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int quantile_growing "ff::rolling_quantile<ff::GrowingWindows>"(void* ctx, int64_t start, int64_t stop, int64_t slice)

COUNT, SUM, MEAN, VARIANCE, MINIMUM, MAXIMUM, COVARIANCE, ERROR_OF_MEAN, SKEWNESS, KURTOSIS = range(10)
QUANTILE = -1
INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")   # as in quantile.hpp


cdef class Rolling:
    """The phases of one function over one column; set its windows and outputs first."""

    cdef RollingKernels found
    cdef CRolling rolling
    cdef list keep_alive

    def __init__(
        self, int op, int physical, values, uintptr_t rows, *, int result, int64_t min_periods, int64_t ddof=1, bint rooted=False, keep,
    ):
        memset(&self.rolling, 0, sizeof(self.rolling))
        self.found = rolling_kernels(op, physical)
        self.rolling.reading.view = as_view(tuple(values))             # IN
        self.rolling.reading.physical = physical
        self.rolling.reading.rows = <const int32_t*>rows               # IN
        self.rolling.min_periods = min_periods
        self.rolling.ddof = ddof
        self.rolling.rooted = rooted
        self.rolling.result = result
        self.keep_alive = [keep]

    @property
    def carry_bytes(self):
        """Bytes that `fold` writes per slice."""
        return self.found.carry_bytes

    def set_other(self, int physical, values, keep):
        """The second column."""
        self.rolling.other = as_view(tuple(values))                    # IN
        self.rolling.other_physical = physical
        self.keep_alive.append(keep)

    def set_bounds(self, tuple bounds, keep):
        self.rolling.bounds = as_bounds(bounds)                        # IN
        self.rolling.n_positions = bounds[2]
        self.keep_alive.append(keep)

    def set_output(self, uintptr_t out, uintptr_t validity, keep):
        self.rolling.out = <uint8_t*>out                               # OUT
        self.rolling.validity = <uint8_t*>validity                     # OUT
        self.keep_alive.append(keep)

    def set_carries(self, uintptr_t carries, keep):
        self.rolling.carries = <uint8_t*>carries                       # OUT of fold, IN OUT of scan, IN of apply
        self.keep_alive.append(keep)

    def windows(self):
        """Over positions: windows of a number of rows, or those given."""
        return self._task(self.found.by_rows if self.rolling.bounds.begin == NULL else self.found.by_bounds)

    def fold(self):
        """Over positions: what each slice leaves to the next."""
        return self._task(self.found.fold)

    def scan(self):
        """Over slices, all in one: what each slice begins with."""
        return self._task(self.found.scan)

    def apply(self):
        """Over positions: windows from where their segment begins."""
        return self._task(self.found.apply)

    def quantiles(self, double share, int interpolation, *, bint growing):
        """Over positions; in one slice where windows grow from where their segment begins."""
        cdef CRollingOrder order
        cdef kernel_t kernel = <kernel_t>quantile_growing
        if not growing:
            kernel = <kernel_t>quantile_by_rows if self.rolling.bounds.begin == NULL else <kernel_t>quantile_by_bounds
        order.rolling = self.rolling
        order.share = share
        order.interpolation = interpolation
        return Task.make(kernel, &order, sizeof(CRollingOrder), list(self.keep_alive))

    cdef _task(self, kernel_t kernel):
        return Task.make(kernel, &self.rolling, sizeof(CRolling), list(self.keep_alive))
