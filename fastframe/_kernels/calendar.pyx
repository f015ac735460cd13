"""Fields of dates and times: see ``calendar.hpp``."""

from libc.stdint cimport uint8_t, uintptr_t

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "calendar.hpp" namespace "ff" nogil:
    cdef struct CalendarContext:
        View values
        uint8_t* out

    kernel_t calendar_kernel(int unit, bint narrow, int field)

INT_FIELDS = ("day_number", "year", "month", "day", "quarter", "dayofweek", "dayofyear", "days_in_month", "hour", "minute",
              "second")
BIT_FIELDS = (
    "is_leap_year", "is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end",
)
UNITS = ("day", "s", "ms", "us", "ns")
_FIELDS = {name: number for number, name in enumerate(INT_FIELDS + BIT_FIELDS)}


def field(str name not None, str unit not None, view, uintptr_t out, *, bint narrow, keep_alive):
    """The task that writes a field of each value.

    Parameters
    ----------
    name : str
        Of INT_FIELDS or BIT_FIELDS.
    unit : str
        Of UNITS: of the values, int64, or int32 for days and where ``narrow`` (times of day).
    view : tuple
        IN values.
    out : address
        OUT int32, or for BIT_FIELDS bits, which are 0 for nulls.

    Statuses: OVERFLOW where a day is not within the years -32767 to 32767, also under a null.
    """
    cdef CalendarContext ctx
    ctx.values = as_view(tuple(view))
    ctx.out = <uint8_t*>out
    return Task.make(calendar_kernel(UNITS.index(unit), narrow, _FIELDS[name]), &ctx, sizeof(ctx), keep_alive)
