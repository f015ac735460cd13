"""Fields of dates and times, their texts, and local times: see ``calendar.hpp``, ``time_text.hpp`` and ``clocks.hpp``."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.string cimport memset

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "calendar.hpp" namespace "ff" nogil:
    cdef struct CalendarContext:
        View values
        uint8_t* out

    kernel_t calendar_kernel(int unit, bint narrow, int field)

cdef extern from "time_text.hpp" namespace "ff" nogil:
    cdef struct TimePiece:
        int32_t field
        int32_t place

    cdef struct TimeTextContext:
        View values
        const TimePiece* pieces
        int64_t n_pieces
        const uint8_t* form
        int64_t n_form
        int64_t* sizes
        const int64_t* starts
        uint8_t* out_offsets
        uint8_t* out_data

    int c_time_text_sizes "ff::time_text_sizes"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    kernel_t time_text_kernel(int unit, bint narrow, bint large)

cdef extern from "clocks.hpp" namespace "ff" nogil:
    cdef struct ClockPart:
        int64_t is_refused   # and six more

    cdef struct ClockContext:
        View values
        const ClockPart* parts
        int64_t first
        int64_t shift
        int64_t n_parts
        uint8_t* out

    int c_move_clocks "ff::move_clocks"(void* ctx, int64_t start, int64_t stop, int64_t slice)

INT_FIELDS = ("day_number", "year", "month", "day", "quarter", "dayofweek", "dayofyear", "days_in_month", "week", "isoyear",
              "hour", "minute", "second", "microsecond", "nanosecond")
BIT_FIELDS = (
    "is_leap_year", "is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end",
)
UNITS_PER_DAY = {"day": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
UNITS = tuple(UNITS_PER_DAY)
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


# What a text may be made of, and how many bytes each takes; in the order of TimeField.
TEXT_FIELDS = {
    "year": 4, "year of century": 2, "month": 2, "day": 2, "padded day": 2, "day of year": 3, "month name": 3, "day name": 3,
    "iso weekday": 1, "weekday": 1, "hour": 2, "hour of half day": 2, "half day": 2, "minute": 2, "second": 2, "microsecond": 6,
}
_TEXT_FIELDS = {name: number for number, name in enumerate(TEXT_FIELDS)}


cdef class TimeForm:
    """A format: a template, and which fields are written where into it."""

    cdef bytes template
    cdef bytes pieces

    def __init__(self, bytes template not None, list pieces not None):
        """``pieces`` are (name of TEXT_FIELDS, first byte in the template)."""
        cdef TimePiece piece
        packed = []
        for name, place in pieces:
            if not 0 <= place <= len(template) - TEXT_FIELDS[name]:
                raise ValueError(f"{name} at {place} lies outside a template of {len(template)} bytes")
            piece.field, piece.place = _TEXT_FIELDS[name], place
            packed.append((<const char*>&piece)[:sizeof(TimePiece)])
        self.template, self.pieces = template, b"".join(packed)


cdef TimeTextContext written(TimeForm form, tuple view):
    cdef TimeTextContext ctx
    memset(&ctx, 0, sizeof(ctx))
    ctx.values = as_view(view)
    ctx.form, ctx.n_form = <const uint8_t*>form.template, len(form.template)
    ctx.pieces, ctx.n_pieces = <const TimePiece*><const char*>form.pieces, len(form.pieces) // sizeof(TimePiece)
    return ctx


def text_sizes(TimeForm form not None, view, uintptr_t sizes, object keep):
    """Bytes of the texts of each slice: OUT ``sizes``, int64."""
    cdef TimeTextContext ctx = written(form, tuple(view))
    ctx.sizes = <int64_t*>sizes
    return Task.make(c_time_text_sizes, &ctx, sizeof(ctx), (form, keep))


def text_copy(TimeForm form not None, str unit not None, view, tuple sink not None, object keep, *, bint narrow):
    """Offsets and bytes (OUT ``sink``) of times, all in years of four digits; units and ``narrow`` as in `field`."""
    cdef TimeTextContext ctx = written(form, tuple(view))
    ctx.starts, ctx.out_offsets = <const int64_t*><uintptr_t>sink[0], <uint8_t*><uintptr_t>sink[1]
    ctx.out_data = <uint8_t*><uintptr_t>sink[2]
    return Task.make(time_text_kernel(UNITS.index(unit), narrow, sink[3]), &ctx, sizeof(ctx), (form, keep))


def move_clocks(view, const int64_t[:, ::1] parts not None, int64_t first, int64_t shift, uintptr_t out, object keep):
    """The task that moves counts of time units by what clocks differ from UTC.

    Parameters
    ----------
    view : tuple
        IN values, int64.
    parts : array (n, 7)
        IN rows of ClockPart, of 2**``shift`` units each, from ``first`` on.
    out : address
        OUT int64.

    Statuses: INEXACT where a count has no result, also under a null.
    """
    cdef ClockContext ctx
    if parts.shape[0] == 0 or parts.shape[1] * sizeof(int64_t) != sizeof(ClockPart):
        raise ValueError("parts have seven numbers each, and there is one")
    ctx.values = as_view(tuple(view))
    ctx.parts, ctx.n_parts, ctx.first, ctx.shift = <const ClockPart*>&parts[0, 0], parts.shape[0], first, shift
    ctx.out = <uint8_t*>out
    return Task.make(c_move_clocks, &ctx, sizeof(ctx), (parts, keep))
