"""Arrays of lanes, and operations of such arrays: their lengths, items and iterators."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.core.imputils import RefType, iternext_impl
from numba.core.typing import signature, templates

from fastframe._jit.lanes import (
    LANES,
    WORD,
    LaneArray,
    LaneExpression,
    LaneIterator,
    Lanes,
    LaneSequence,
    code_rules,
    converted,
    scalar_of,
    some,
    splat,
    typing_rules,
)

types: Any = numba_types
ALL = range(LANES)

# Of float64: the operation of the hardware, rounded once, in arrays as in scalars.
OPERATIONS: dict[Any, Any] = {
    operator.add: lambda builder, one, other: builder.fadd(one, other),
    operator.sub: lambda builder, one, other: builder.fsub(one, other),
    operator.mul: lambda builder, one, other: builder.fmul(one, other),
    operator.truediv: lambda builder, one, other: builder.fdiv(one, other),
    np.abs: lambda builder, one: intrinsic(builder, "llvm.fabs", one),
    np.sqrt: lambda builder, one: intrinsic(builder, "llvm.sqrt", one),
}


def intrinsic(builder: Any, name: str, value: Any) -> Any:
    """An intrinsic of LLVM for floats, of each lane."""
    element = "f64" if isinstance(value.type.element, ir.DoubleType) else "f32"
    full = f"{name}.v{value.type.count}{element}"
    function = builder.module.globals.get(full) or ir.Function(builder.module, ir.FunctionType(value.type, [value.type]), full)
    return builder.call(function, [value])


def parts_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """A sequence's value as numba's helper has it, by name."""
    return cgutils.create_struct_proxy(kind)(context, builder, value)


def length_of(context: Any, builder: Any, kind: LaneSequence, value: Any) -> Any:
    """Of every window: all operands are equally long."""
    parts = parts_of(context, builder, kind, value)
    if isinstance(kind, LaneArray):
        return parts.length
    at, operand = next((at, one) for at, one in enumerate(kind.operands) if isinstance(one, LaneSequence))   # type: ignore[attr-defined]
    return length_of(context, builder, operand, getattr(parts, f"operand{at}"))


def item(context: Any, builder: Any, kind: LaneSequence, value: Any, at: Any, *, lanes: range = ALL) -> Any:
    """The items at a place of the windows of some neighbouring lanes; in arrays they lie side by side."""
    parts = parts_of(context, builder, kind, value)
    if isinstance(kind, LaneArray):
        stored, wanted = context.get_data_type(kind.dtype), context.get_value_type(kind.dtype)
        start = builder.gep(parts.data, [builder.add(at, WORD(lanes.start))])
        pointer = builder.bitcast(start, ir.VectorType(stored, len(lanes)).as_pointer())
        loaded = builder.load(pointer, align=context.get_abi_sizeof(stored))
        return loaded if stored == wanted else builder.trunc(loaded, ir.VectorType(wanted, len(lanes)))   # bools are bytes
    operands = []
    for number, one in enumerate(kind.operands):   # type: ignore[attr-defined]
        given = getattr(parts, f"operand{number}")
        if isinstance(one, LaneSequence):
            found, have = item(context, builder, one, given, at, lanes=lanes), one.dtype
        elif isinstance(one, Lanes):
            found, have = some(builder, given, lanes), one.dtype
        else:
            found, have = splat(builder, context.cast(builder, given, one, types.float64), len(lanes)), types.float64
        operands.append(converted(context, builder, have, types.float64, found))
    return OPERATIONS[kind.function](builder, *operands)   # type: ignore[attr-defined]


@typing_rules.register_global(len)
class _Len(templates.AbstractTemplate):   # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.intp, *args) if len(args) == 1 and isinstance(args[0], LaneSequence) else None


@code_rules.lower(len, LaneSequence)
def _len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return length_of(context, builder, sig.args[0], args[0])


@typing_rules.register_attr
class _Attributes(templates.AttributeTemplate):   # type: ignore[misc]
    key = LaneSequence

    def resolve_size(self, sequence: Any) -> Any:
        return types.intp

    def resolve_shape(self, sequence: Any) -> Any:
        return types.UniTuple(types.intp, 1)


@code_rules.lower_getattr(LaneSequence, "size")
def _size(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return length_of(context, builder, kind, value)


@code_rules.lower_getattr(LaneSequence, "shape")
def _shape(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return cgutils.pack_array(builder, [length_of(context, builder, kind, value)])


@typing_rules.register_global(operator.getitem)
class _GetItem(templates.AbstractTemplate):   # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        sequence, index = args
        if not isinstance(sequence, LaneSequence) or not isinstance(index, types.Integer):
            return None
        return signature(Lanes(sequence.dtype), sequence, types.intp if index.signed else types.uintp)


@code_rules.lower(operator.getitem, LaneSequence, types.Integer)
def _getitem(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Checked also where the function itself is compiled without: then the windows are done again one by one, as it would."""
    kind, index = sig.args
    sequence, at = args
    length = length_of(context, builder, kind, sequence)
    if index.signed:
        at = builder.select(builder.icmp_signed("<", at, WORD(0)), builder.add(at, length), at)
    with builder.if_then(builder.icmp_unsigned(">=", at, length), likely=False):
        context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))
    return item(context, builder, kind, sequence, at)


@code_rules.lower("getiter", LaneSequence)
def _getiter(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    made = context.make_helper(builder, sig.return_type)
    made.index, made.sequence = cgutils.alloca_once_value(builder, WORD(0)), args[0]
    return made._getvalue()


@code_rules.lower("iternext", LaneIterator)
@iternext_impl(RefType.UNTRACKED)
def _iternext(context: Any, builder: Any, sig: Any, args: Any, result: Any) -> None:
    (kind,) = sig.args
    iterator = context.make_helper(builder, kind, value=args[0])
    at = builder.load(iterator.index)
    valid = builder.icmp_signed("<", at, length_of(context, builder, kind.sequence, iterator.sequence))
    result.set_valid(valid)
    with builder.if_then(valid):
        result.yield_(item(context, builder, kind.sequence, iterator.sequence, at))
        builder.store(builder.add(at, WORD(1), flags=["nsw"]), iterator.index)


# ---- operations of arrays


def _template(function: Any, n_args: int) -> Any:
    class Template(templates.AbstractTemplate):   # type: ignore[misc]
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            if kws or len(args) != n_args or not any(isinstance(one, LaneSequence) for one in args):
                return None
            args = tuple(types.unliteral(one) for one in args)
            scalars = [one.dtype if isinstance(one, LaneSequence) else scalar_of(one) for one in args]
            if types.float64 not in scalars or not all(_becomes_double(one) for one in scalars):
                return None
            return signature(LaneExpression(function, args), *args)

    return Template


def _becomes_double(kind: Any) -> bool:
    """Whether NumPy's rule for it beside float64 is float64."""
    return kind == types.float64 or (isinstance(kind, types.Integer) and kind.signed)


def _code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    for at, value in enumerate(args):
        setattr(made, f"operand{at}", value)
    return made._getvalue()


for _function in OPERATIONS:
    _n_args = 1 if isinstance(_function, np.ufunc) else 2
    typing_rules.register_global(_function, types.Function(_template(_function, _n_args)))
    if _n_args == 1:
        code_rules.lower(_function, LaneSequence)(_code)
    else:
        for _pattern in ((LaneSequence, LaneSequence), (LaneSequence, types.Any), (types.Any, LaneSequence)):
            code_rules.lower(_function, *_pattern)(_code)
