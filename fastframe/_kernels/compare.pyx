"""Comparisons, tests for missing values, logic: what writes bits. Operands are as in ``arithmetic.pyx``."""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport View, as_view
from fastframe._kernels.operand cimport Operand, as_operand
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "compare.hpp" namespace "ff" nogil:
    cdef struct CompareContext:
        Operand left
        Operand right
        uint8_t* out

    cdef struct MissingContext:
        View values
        int invert
        uint8_t* out

    cdef struct LogicContext:
        Operand left
        Operand right
        uint8_t* out
        uint8_t* validity

    cdef struct NotContext:
        View values
        uint8_t* out

    cdef struct LookupContext:
        View codes
        const uint8_t* table
        int missing
        uint8_t* out

    kernel_t compare_kernel(int left, int right, int operation)
    kernel_t missing_kernel(int physical)
    kernel_t finite_kernel(int physical)
    kernel_t logic_kernel(int operation)
    int logical_not_kernel "ff::logical_not"(void* ctx, int64_t start, int64_t stop, int64_t slice)
    int lookup_bits_kernel "ff::lookup_bits"(void* ctx, int64_t start, int64_t stop, int64_t slice)


COMPARE = {"eq": 0, "ne": 1, "lt": 2, "le": 3}
_NOWHERE = (0, 0, 0, 0)   # the view of an operand that is not there yet
LOGIC = {"and": 0, "or": 1, "xor": 2}
cdef int I64 = 3, U64 = 7, F64 = 9, BOOL = 10, U8 = 4, F32 = 8

# As in arithmetic.pyx.
cdef CompareContext a_comparison
cdef MissingContext a_missing
cdef LogicContext a_logic
cdef NotContext a_not
cdef LookupContext a_lookup
COMPARE_PLACES = {
    "size": sizeof(CompareContext),
    "left": <uintptr_t>&a_comparison.left.values - <uintptr_t>&a_comparison,
    "right": <uintptr_t>&a_comparison.right.values - <uintptr_t>&a_comparison,
    "out": <uintptr_t>&a_comparison.out - <uintptr_t>&a_comparison,
}
MISSING_PLACES = {
    "size": sizeof(MissingContext),
    "operand": <uintptr_t>&a_missing.values - <uintptr_t>&a_missing,
    "out": <uintptr_t>&a_missing.out - <uintptr_t>&a_missing,
}
LOGIC_PLACES = {
    "size": sizeof(LogicContext),
    "left": <uintptr_t>&a_logic.left.values - <uintptr_t>&a_logic,
    "right": <uintptr_t>&a_logic.right.values - <uintptr_t>&a_logic,
    "out": <uintptr_t>&a_logic.out - <uintptr_t>&a_logic,
    "validity": <uintptr_t>&a_logic.validity - <uintptr_t>&a_logic,
}
NOT_PLACES = {
    "size": sizeof(NotContext),
    "operand": <uintptr_t>&a_not.values - <uintptr_t>&a_not,
    "out": <uintptr_t>&a_not.out - <uintptr_t>&a_not,
}
LOOKUP_PLACES = {"size": sizeof(LookupContext), "out": <uintptr_t>&a_lookup.out - <uintptr_t>&a_lookup}


cdef int widened(int physical):
    """The widest type of the same kind, which holds every value exactly."""
    if physical < 4:
        return I64
    return U64 if physical < F32 or physical == BOOL else F64


cdef class Compare:
    """``left operation right`` over operands of two types: the kernel and the conversions, found once.

    Exact for all pairs of types, False with a missing side (``ne``: True).

    Parameters
    ----------
    left, right : tuple
        Physical id, and whether it is a scalar.
    """

    cdef kernel_t kernel
    cdef CompareContext ctx

    def __init__(self, str operation, tuple left not None, tuple right not None):
        cdef int left_type = left[0], right_type = right[0]
        if left_type == right_type:
            left_type = right_type = U8 if left_type == BOOL else left_type
        else:
            left_type, right_type = widened(left_type), widened(right_type)
        self.kernel = compare_kernel(left_type, right_type, COMPARE[operation])
        self.ctx.left = as_operand((_NOWHERE, *left), left_type)
        self.ctx.right = as_operand((_NOWHERE, *right), right_type)

    def over(self, left, right, uintptr_t out, *, keep_alive):
        """The task over two views.

        Parameters
        ----------
        left, right : tuple
            IN views; a scalar must be valid.
        out : address
            OUT bits, one per row.
        """
        cdef CompareContext ctx = self.ctx
        ctx.left.values = as_view(tuple(left))
        ctx.right.values = as_view(tuple(right))
        ctx.out = <uint8_t*>out
        return Task.make(self.kernel, &ctx, sizeof(ctx), keep_alive)


def missing(view, int physical, bint invert, uintptr_t out, *, keep_alive):
    """The task of "is null or NaN" (``invert``: "is there").

    Parameters
    ----------
    view : tuple
        IN values; only the validity is read unless ``physical`` is a float type.
    out : address
        OUT bits, one per row.
    """
    cdef MissingContext ctx
    ctx.values = as_view(tuple(view))
    ctx.invert = invert
    ctx.out = <uint8_t*>out
    return Task.make(missing_kernel(physical), &ctx, sizeof(ctx), keep_alive)


def finite(view, int physical, bint infinite, uintptr_t out, *, keep_alive):
    """The task of "is finite" (``infinite``: "is an infinity"); neither holds where null or NaN.

    Parameters
    ----------
    view : tuple
        IN values of the float type ``physical``.
    out : address
        OUT bits, one per row.
    """
    cdef MissingContext ctx
    if physical != F32 and physical != F64:
        raise ValueError(f"no float type: {physical}")
    ctx.values = as_view(tuple(view))
    ctx.invert = infinite
    ctx.out = <uint8_t*>out
    return Task.make(finite_kernel(physical), &ctx, sizeof(ctx), keep_alive)


def logic(str operation, tuple left, tuple right, uintptr_t out, uintptr_t validity, *, keep_alive):
    """The task of three-valued ``and``, ``or``, ``xor`` of bools; here a scalar may be null.

    Parameters
    ----------
    left, right : tuple
        IN operands.
    out, validity : address
        OUT bits, one per row; ``validity`` 0 where no operand has nulls.
    """
    cdef LogicContext ctx
    ctx.left = as_operand(left, BOOL)
    ctx.right = as_operand(right, BOOL)
    ctx.out = <uint8_t*>out
    ctx.validity = <uint8_t*>validity
    return Task.make(logic_kernel(LOGIC[operation]), &ctx, sizeof(ctx), keep_alive)


def logical_not(view, uintptr_t out, *, keep_alive):
    """The task of ``not``; the validity of the result is the operand's.

    Parameters
    ----------
    view : tuple
        IN bools.
    out : address
        OUT bits, one per row.
    """
    cdef NotContext ctx
    ctx.values = as_view(tuple(view))
    ctx.out = <uint8_t*>out
    return Task.make(<kernel_t>&logical_not_kernel, &ctx, sizeof(ctx), keep_alive)


def lookup_bits(codes, uintptr_t table, bint missing, uintptr_t out, *, keep_alive):
    """The task that gives each row the bit of its code.

    Parameters
    ----------
    codes : tuple
        IN int32 codes.
    table : address
        IN one byte, 0 or 1, per code.
    missing : bool
        IN the bit of a null.
    out : address
        OUT bits, one per row.
    """
    cdef LookupContext ctx
    ctx.codes = as_view(tuple(codes))
    ctx.table = <const uint8_t*>table
    ctx.missing = missing
    ctx.out = <uint8_t*>out
    return Task.make(<kernel_t>&lookup_bits_kernel, &ctx, sizeof(ctx), keep_alive)
