"""Elementwise arithmetic over numbers (and the integers behind dates, timestamps and durations).

An operand is ``(view, physical, scalar)``; with ``scalar`` its row 0, which must be valid, stands for all rows. Both are
read as values of the loop's type ``physical``, which is also the type of the output.
"""

from libc.stdint cimport int64_t, uint8_t, uintptr_t

from fastframe._kernels.kernel cimport as_view
from fastframe._kernels.operand cimport Operand, as_operand, gatherer
from fastframe._threads._drive cimport Task, kernel_t


cdef extern from "arithmetic.hpp" namespace "ff" nogil:
    cdef struct BinaryContext:
        Operand left
        Operand right
        uint8_t* out
        uint8_t* validity
        int64_t loose
        int64_t streams

    cdef struct UnaryContext:
        Operand operand
        double factor
        int divide_first
        uint8_t* out
        int64_t loose
        int64_t streams

    kernel_t binary_kernel(int physical, int operation)
    kernel_t unary_kernel(int physical, int operation)


BINARY = {
    "add": 0, "sub": 1, "mul": 2, "truediv": 3, "pow": 4, "floordiv": 5, "mod": 6,
    "min": 7, "max": 8,      # of two, a missing one gives way
    "raise": 9, "lower": 10,  # to a bound, a missing bound gives way
    "arctan2": 11, "hypot": 12,   # floats
    "fmod": 13,
}
_NOWHERE = (0, 0, 0, 0)   # the view of an operand that is not there yet
UNARY = {
    "neg": 0, "abs": 1, "sign": 2, "sqrt": 3, "exp": 4, "log": 5, "log1p": 6, "floor": 7, "ceil": 8, "round": 9,
    "expm1": 10, "trunc": 11, "log2": 12, "log10": 13, "cbrt": 14, "sin": 15, "cos": 16, "tan": 17, "arcsin": 18, "arccos": 19,
    "arctan": 20, "sinh": 21, "cosh": 22, "tanh": 23, "arcsinh": 24, "arccosh": 25, "arctanh": 26,
}

# Where in a context its addresses are, for programs (fused.pyx); "size" are the bytes of the context.
cdef BinaryContext a_binary
cdef UnaryContext a_unary
BINARY_PLACES = {
    "size": sizeof(BinaryContext),
    "left": <uintptr_t>&a_binary.left.values - <uintptr_t>&a_binary,
    "right": <uintptr_t>&a_binary.right.values - <uintptr_t>&a_binary,
    "out": <uintptr_t>&a_binary.out - <uintptr_t>&a_binary,
    "validity": <uintptr_t>&a_binary.validity - <uintptr_t>&a_binary,
    "loose": <uintptr_t>&a_binary.loose - <uintptr_t>&a_binary,
    "streams": <uintptr_t>&a_binary.streams - <uintptr_t>&a_binary,
}
UNARY_PLACES = {
    "size": sizeof(UnaryContext),
    "operand": <uintptr_t>&a_unary.operand.values - <uintptr_t>&a_unary,
    "out": <uintptr_t>&a_unary.out - <uintptr_t>&a_unary,
    "loose": <uintptr_t>&a_unary.loose - <uintptr_t>&a_unary,
    "streams": <uintptr_t>&a_unary.streams - <uintptr_t>&a_unary,
}


cdef int read(Operand* operand, tuple given) except -1:
    """Let an operand read a view, or the values of groups."""
    if len(given) == 4:
        operand.values = as_view(given)
        return 0
    operand.values = as_view((given[0], 0, 0, 0))
    operand.convert = gatherer(given[1], given[2])
    if operand.convert == NULL:
        raise TypeError(f"values of {given[1]} bytes cannot be read by group")
    return 0


cdef class Binary:
    """``left operation right`` over operands of two types: the kernel and the conversions, found once.

    Parameters
    ----------
    physical : int
        Type of the loop and of the results.
    left, right : tuple
        Physical id, and whether it is a scalar.
    """

    cdef kernel_t kernel
    cdef BinaryContext ctx

    def __init__(self, str operation, int physical, tuple left not None, tuple right not None):
        self.kernel = binary_kernel(physical, BINARY[operation])
        self.ctx.left = as_operand((_NOWHERE, *left), physical)
        self.ctx.right = as_operand((_NOWHERE, *right), physical)

    def over(self, left, right, uintptr_t out, uintptr_t validity, *, bint streams=False, keep_alive):
        """The task over two views.

        Parameters
        ----------
        left, right : tuple
            IN views; or, of the values of groups at each row's group, the address of a `GroupValues` (three words: address of the
            values, address of the codes, code 0), and the bytes of a value and of a code. Those have no nulls, and the loop's type.
        out : address
            OUT values of type ``physical``, one per row.
        validity : address
            OUT bits; 0 where no result can be null (never so for integer floordiv, mod and fmod, null where the divisor is 0).
        streams : bool
            Write values past the caches where the loop can; ``out`` is then aligned to a line.

        Statuses: OVERFLOW where an integer result does not fit, INEXACT for an integer to a negative power.
        """
        cdef BinaryContext ctx = self.ctx
        read(&ctx.left, tuple(left))
        read(&ctx.right, tuple(right))
        ctx.out = <uint8_t*>out
        ctx.validity = <uint8_t*>validity
        ctx.streams = streams
        return Task.make(self.kernel, &ctx, sizeof(ctx), keep_alive)


def unary(str operation, int physical, tuple operand, uintptr_t out, *, int decimals=0, bint streams=False, keep_alive):
    """The task of ``operation(operand)``; the validity of the result is the operand's.

    Parameters
    ----------
    operand : tuple
        IN
    out : address
        OUT values of type ``physical``, one per row.
    decimals : int
        Kept by ``round``.
    streams : bool
        As of `Binary.over`.

    Statuses: OVERFLOW where an integer result does not fit.
    """
    cdef UnaryContext ctx
    ctx.operand = as_operand(operand, physical)
    ctx.factor = 10.0 ** abs(decimals)
    ctx.divide_first = decimals < 0
    ctx.out = <uint8_t*>out
    ctx.loose = 0
    ctx.streams = streams
    return Task.make(unary_kernel(physical, UNARY[operation]), &ctx, sizeof(ctx), keep_alive)
