"""Operators and functions of lanes: those of numba's scalars that are one operation of vectors, or few. All others are refused.

What calls a library for each lane (``exp``, ``%``) is refused, too: it keeps every lane's values out of registers, and gains nothing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.core.typing import signature, templates

from fastframe._jit.lane_sequences import intrinsic
from fastframe._jit.lanes import LANES, Lanes, code_rules, converted, is_lane_scalar, scalar_of, splat, typing_rules

types: Any = numba_types

_Code = Callable[[Any, Any], Any]   # (builder, arguments) -> lanes

_COMPARISONS = {
    operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==", operator.ne: "!=",
}  # fmt: skip
_BITS: dict[Any, _Code] = {
    operator.and_: lambda b, args: b.and_(*args), operator.or_: lambda b, args: b.or_(*args), operator.xor: lambda b, args: b.xor(*args),
}  # fmt: skip
_FLOATS: dict[Any, _Code] = {
    operator.add: lambda b, args: b.fadd(*args), operator.sub: lambda b, args: b.fsub(*args), operator.mul: lambda b, args: b.fmul(*args),
    operator.pos: lambda b, args: args[0], operator.neg: lambda b, args: b.fneg(args[0]),
    **dict.fromkeys((math.sqrt, np.sqrt), lambda b, args: intrinsic(b, "llvm.sqrt", args[0])),
    **dict.fromkeys((abs, math.fabs, np.fabs, np.abs), lambda b, args: intrinsic(b, "llvm.fabs", args[0])),
    **dict.fromkeys((math.isnan, np.isnan), lambda b, args: b.fcmp_unordered("uno", args[0], args[0])),
    float: lambda b, args: args[0],
}  # fmt: skip
_INTEGERS: dict[Any, _Code] = {
    operator.add: lambda b, args: b.add(*args), operator.sub: lambda b, args: b.sub(*args), operator.mul: lambda b, args: b.mul(*args),
    operator.pos: lambda b, args: args[0], operator.neg: lambda b, args: b.neg(args[0]), **_BITS,
}  # fmt: skip
_INPLACE = {
    operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul, operator.itruediv: operator.truediv,
    operator.iand: operator.and_, operator.ior: operator.or_, operator.ixor: operator.xor,
}  # fmt: skip

_IN_RESULT_TYPE = (operator.add, operator.sub, operator.mul)   # so are signed integers beside unsigned ones
_OF_TWO = (operator.add, operator.sub, operator.mul, operator.truediv, *_COMPARISONS, *_BITS, *_INPLACE)
_OF_ONE = (operator.neg, operator.pos, abs, math.sqrt, math.fabs, math.isnan, np.sqrt, np.fabs, np.abs, np.isnan, float)

VARYING = frozenset({*_OF_TWO, *_OF_ONE, operator.pow, operator.ipow, min, max, len})
"""What may be called with lanes. All are free of side effects, but that they may raise."""


def _code(context: Any, function: Any, kind: Any) -> _Code | None:
    """An operation whose arguments are all of one type, as numba has it for scalars."""
    function = _INPLACE.get(function, function)
    if function in _COMPARISONS and not isinstance(kind, types.Boolean):
        return _comparison(_COMPARISONS[function], kind)
    if isinstance(kind, types.Boolean):
        return _BITS.get(function)
    if function is operator.truediv:
        signed = isinstance(kind, types.Float) or kind.signed
        return (lambda builder, args: _divided(context, builder, kind, args)) if signed else None
    if function is abs and isinstance(kind, types.Integer):
        return _absolute if kind.signed else None
    return (_FLOATS if isinstance(kind, types.Float) else _INTEGERS).get(function)


def _absolute(builder: Any, args: Any) -> Any:
    negative = builder.icmp_signed("<", args[0], ir.Constant(args[0].type, None))
    return builder.select(negative, builder.neg(args[0]), args[0])


def _comparison(sign: str, kind: Any) -> _Code:
    if isinstance(kind, types.Float):
        return lambda b, args: b.fcmp_unordered(sign, *args) if sign == "!=" else b.fcmp_ordered(sign, *args)
    return lambda b, args: b.icmp_signed(sign, *args) if kind.signed else b.icmp_unsigned(sign, *args)


def _divided(context: Any, builder: Any, kind: Any, args: Any) -> Any:
    """Raises where numba's division of one lane would: in functions that `numba.njit` has decorated."""
    want = kind if isinstance(kind, types.Float) else types.float64
    dividend, divisor = (converted(context, builder, kind, want, one) for one in args)
    if context.error_model.raise_on_fp_zero_division:
        zeros = builder.bitcast(builder.fcmp_ordered("==", divisor, ir.Constant(divisor.type, None)), ir.IntType(LANES))
        with builder.if_then(builder.icmp_unsigned("!=", zeros, ir.IntType(LANES)(0)), likely=False):
            context.error_model.fp_zero_division(builder, ("division by zero",))
    return builder.fdiv(dividend, divisor)


def _scalars(args: Any) -> tuple[Any, ...] | None:
    """What a lane sees of the arguments; None unless all are scalars there, and at least one is varying."""
    found = tuple(scalar_of(one) for one in args)
    return found if any(isinstance(one, Lanes) for one in args) and None not in found else None


def _template(function: Any) -> Any:
    class Template(templates.AbstractTemplate):   # type: ignore[misc]
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            scalars = _scalars(args)
            if scalars is None or kws:
                return None
            found = self.context.resolve_value_type(function).get_call_type(self.context, scalars, {})
            if found is None or not all(is_lane_scalar(one) for one in (found.return_type, *found.args)):
                return None
            return signature(Lanes(found.return_type), *(Lanes(one) for one in found.args))

    return Template


def _lowered(function: Any) -> Any:
    def computed(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kinds, made = [one.dtype for one in sig.args], sig.return_type.dtype
        if function is float or (isinstance(made, types.Integer) and _INPLACE.get(function, function) in _IN_RESULT_TYPE):
            args = [converted(context, builder, kind, made, value) for kind, value in zip(kinds, args, strict=True)]
            kinds = [made]
        code = _code(context, function, kinds[0]) if len(set(kinds)) == 1 else None
        if code is None:
            raise NotImplementedError(f"{function} of lanes{sig.args}")
        found = code(builder, args)
        if found.type != context.get_value_type(sig.return_type):   # numba widens: abs() of 8 bits
            raise NotImplementedError(f"{function} of lanes{sig.args}")
        return found

    return computed


for _function in (*_OF_TWO, *_OF_ONE):
    typing_rules.register_global(_function, types.Function(_template(_function)))
    code_rules.lower(_function, *[Lanes] * (2 if _function in _OF_TWO else 1))(_lowered(_function))


# ---- powers with constant exponents, as numba multiplies them out


class _Power(templates.AbstractTemplate):   # type: ignore[misc]
    prefer_literal = True

    def generic(self, args: Any, kws: Any) -> Any:
        base, exponent = args
        constant = isinstance(exponent, types.IntegerLiteral) and 0 <= exponent.literal_value <= 16
        if not (isinstance(base, Lanes) and isinstance(base.dtype, types.Float) and constant):
            return None
        return signature(base, base, exponent)


def _power(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    exponent, value = sig.args[1].literal_value, args[0]
    made = splat(builder, ir.Constant(value.type.element, 1.0))
    while exponent:
        if exponent & 1:
            made = builder.fmul(made, value)
        exponent >>= 1
        value = builder.fmul(value, value)
    return made


for _function in (operator.pow, operator.ipow):
    typing_rules.register_global(_function)(_Power)
    code_rules.lower(_function, Lanes, types.IntegerLiteral)(_power)


# ---- the least and the largest


class _Extreme(templates.AbstractTemplate):   # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        scalars = _scalars(args)
        if scalars is None or len(args) < 2 or kws:
            return None
        made = self.context.unify_types(*scalars)
        return signature(Lanes(made), *(Lanes(one) for one in scalars)) if made is not None and is_lane_scalar(made) else None


def _extreme(sign: str) -> Callable[..., Any]:
    """In Python's order, as numba does it: a NaN stays where it is the first."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        best, have = args[0], sig.args[0].dtype
        for kind, value in zip(sig.args[1:], args[1:], strict=True):
            want = context.typing_context.unify_types(have, kind.dtype)
            best, value = converted(context, builder, have, want, best), converted(context, builder, kind.dtype, want, value)
            best, have = builder.select(_comparison(sign, want)(builder, (value, best)), value, best), want
        return converted(context, builder, have, sig.return_type.dtype, best)

    return code


for _function, _sign in ((min, "<"), (max, ">")):
    typing_rules.register_global(_function)(_Extreme)
    code_rules.lower(_function, Lanes, types.VarArg(types.Any))(_extreme(_sign))
