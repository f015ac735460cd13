"""Integer divisions by zero, and integers to negative powers, raise in plain functions; numba's NumPy rules would give 0 silently.

Divisions of floats keep NumPy's inf and NaN. Where type inference has found an operation whose result is of integers, its
second operand goes through `checked`, which raises at the user's line; LLVM drops numba's own test behind it.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba.core import cgutils, ir
from numba.core import types as numba_types
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing import signature
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

types: Any = numba_types
_DIVISIONS = (operator.floordiv, operator.ifloordiv, operator.mod, operator.imod, divmod, np.floor_divide, np.remainder, np.fmod, np.divmod)
_POWERS = (operator.pow, operator.ipow, pow, np.power)
_ZERO = (ZeroDivisionError, "integer division or modulo by zero")
_NEGATIVE = (ValueError, "an integer to a negative power is not an integer; use float(...) or .astype('float64') first")


@register_pass(mutates_CFG=False, analysis_only=False)
class CheckDivisions(FunctionPass):   # type: ignore[misc]
    """Runs behind type inference."""

    _name = "fastframe_check_divisions"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        changed = False
        for block in state.func_ir.blocks.values():
            for statement in [one for one in block.body if isinstance(one, ir.Assign) and isinstance(one.value, ir.Expr)]:
                operand = _operand(state, statement.value)
                if operand is not None:
                    before = block.body.index(statement)
                    block.body[before:before] = _insert(state, block.scope, statement.value, operand)
                    changed = True
        return changed


def _operand(state: Any, expression: Any) -> Any:
    """The variable that has to be checked: the second operand of an operation that makes integers; None where there is none."""
    function = _function(state, expression)
    if function not in _DIVISIONS and function not in _POWERS:
        return None
    if expression.op == "call" and (len(expression.args) < 2 or expression.kws or expression.vararg):
        return None
    operand = expression.args[1] if expression.op == "call" else expression.rhs
    kind, made = state.typemap[operand.name], state.calltypes[expression].return_type
    if not _is_integer(made[0] if isinstance(made, types.BaseTuple) else made) or not _is_integer(kind):
        return None
    if isinstance(kind, types.Literal) and isinstance(kind.literal_value, int):
        harmless = kind.literal_value >= 0 if function in _POWERS else kind.literal_value != 0
        return None if harmless else operand
    return operand


def _function(state: Any, expression: Any) -> Any:
    if expression.op in ("binop", "inplace_binop", "static_binop"):
        return expression.fn
    called = state.typemap.get(expression.func.name) if expression.op == "call" else None
    return called.typing_key if isinstance(called, types.Function) else None


def _is_integer(kind: Any) -> bool:
    kind = kind.type if isinstance(kind, types.Optional) else kind
    kind = kind.dtype if isinstance(kind, types.Array) else kind
    return isinstance(kind, types.Integer | types.Boolean)


def _insert(state: Any, scope: Any, expression: Any, operand: Any) -> list[Any]:
    """Statements that check the operand; the expression then uses what comes of them."""
    loc, typing = expression.loc, state.typingctx
    by_power = _function(state, expression) in _POWERS
    check = checked_exponent if by_power else checked_divisor
    place = types.literal(f"{loc.line}\n{state.func_id.func_name}\n{loc.filename}")
    kind = types.unliteral(state.typemap[operand.name])
    function = typing.resolve_value_type(check)
    made = []

    def assigned(name: str, value: Any, of: Any) -> Any:
        variable = scope.redefine(f"fastframe_{name}", loc)   # not called as a temporary: array expressions must not take it over
        state.typemap[variable.name] = of
        made.append(ir.Assign(value, variable, loc))
        state.func_ir._definitions[variable.name] = [value]
        return variable

    called = assigned("check", ir.Global(check.__name__, check, loc), function)
    told = assigned("place", ir.Const(place.literal_value, loc), place)
    call = ir.Expr.call(called, [operand, told], (), loc)
    state.calltypes[call] = function.get_call_type(typing, (kind, place), {})
    result = assigned("operand", call, kind)
    if expression.op == "call":
        expression._kws["args"] = [expression.args[0], result, *expression.args[2:]]
    else:
        expression._kws["rhs"] = result
    return made


def _checked(kind: Any, place: Any, wrong: Any, error: tuple[type[Exception], str]) -> tuple[Any, Any]:
    """Signature and code of a function that gives its argument back, or raises where ``wrong`` tells a bit of one of its values."""

    def generate(context: Any, builder: Any, made: Any, arguments: Any) -> Any:
        line, name, file = place.literal_value.split("\n", 2)
        found = _found(context, builder, kind, arguments[0], wrong)
        with builder.if_then(found, likely=False):
            context.call_conv.return_user_exc(builder, error[0], (error[1],), ir.Loc(file, int(line)), name)
        return impl_ret_borrowed(context, builder, made.return_type, arguments[0])

    return signature(kind, kind, place), generate


def _found(context: Any, builder: Any, kind: Any, value: Any, wrong: Any) -> Any:
    """A bit: whether ``wrong`` tells one of a value, or of any item of an array."""
    if isinstance(kind, types.Optional):
        value, kind = context.cast(builder, value, kind, kind.type), kind.type   # raises where it is None, as the operation would
    if not isinstance(kind, types.Array):
        return wrong(builder, value, kind)
    array, found = make_array(kind)(context, builder, value), cgutils.alloca_once_value(builder, cgutils.false_bit)
    with cgutils.loop_nest(builder, cgutils.unpack_tuple(builder, array.shape), context.get_value_type(types.intp)) as indices:
        item = context.unpack_value(builder, kind.dtype, cgutils.get_item_pointer(context, builder, kind, array, indices, wraparound=False))
        builder.store(builder.or_(builder.load(found), wrong(builder, item, kind.dtype)), found)
    return builder.load(found)


def _is_zero(builder: Any, value: Any, kind: Any) -> Any:
    return cgutils.is_scalar_zero(builder, value)


def _is_negative(builder: Any, value: Any, kind: Any) -> Any:
    signed = isinstance(kind, types.Integer) and kind.signed
    return builder.icmp_signed("<", value, value.type(0)) if signed else cgutils.false_bit


@intrinsic(prefer_literal=True)
def checked_divisor(typing: Any, value: Any, place: Any) -> Any:
    """The value, which must not be zero, nor have a zero in it."""
    return _checked(value, place, _is_zero, _ZERO)


@intrinsic(prefer_literal=True)
def checked_exponent(typing: Any, value: Any, place: Any) -> Any:
    """The value, which must not be negative."""
    return _checked(value, place, _is_negative, _NEGATIVE)
