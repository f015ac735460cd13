"""Types whose values are sixteen: *lanes* of neighbouring windows that a function is called on in lock step.

A function of windows is compiled a second time with arrays of lanes in place of its arrays. What depends on a window's values becomes
*varying* (`Lanes`: sixteen scalars, one per window) by numba's own type inference, all else stays *uniform* (numba's usual types). So
control flow is uniform by construction: nothing makes a bool of lanes, and a branch on values does not type. The terms are those of
ispc (Pharr and Mark, 2012).

Each rule is numba's rule for the scalars of a lane: types are those that it infers for them, and a lane's operations are the
same in the same order, so bits are the same as of one call per window.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types as numba_types
from numba.core.datamodel import PrimitiveModel, StructModel
from numba.core.imputils import Registry
from numba.core.typeconv import Conversion
from numba.core.typing import templates
from numba.extending import register_model

types: Any = numba_types
LANES = 16   # of doubles that is four vectors of AVX2, whose additions take turns: 16 are 1.6 times as fast as 8
WORD, I32 = ir.IntType(64), ir.IntType(32)

typing_rules, code_rules = templates.Registry(), Registry("fastframe lanes")


def is_lane_scalar(kind: Any) -> bool:
    """Whether a window's values can be of a type: bools, integers and floats of 32 or 64 bits."""
    return isinstance(kind, types.Boolean | types.Integer) or kind in (types.float32, types.float64)


class Lanes(types.Type):   # type: ignore[misc, name-defined]
    """One scalar per window."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = types.unliteral(dtype)
        super().__init__(f"lanes({self.dtype})")

    def unify(self, typingctx: Any, other: Any) -> Any:
        """As of the scalars."""
        scalar = scalar_of(other)
        made = typingctx.unify_pairs(self.dtype, scalar) if scalar is not None else None
        return Lanes(made) if made is not None and is_lane_scalar(made) else None

    def can_convert_from(self, typingctx: Any, other: Any) -> Any:
        """What can be the scalar, the same in all lanes."""
        scalar = scalar_of(other)
        found = typingctx.can_convert(scalar, self.dtype) if scalar is not None else None
        return None if found is None else max(found, Conversion.promote)


class LaneSequence(types.IterableType):   # type: ignore[misc, name-defined]
    """As many scalars per window as the window is long."""

    dtype: Any

    @property
    def iterator_type(self) -> Any:
        return LaneIterator(self)


class LaneArray(LaneSequence):
    """The arrays of all lanes: equally long stretches of one array, each beginning an item behind the one before it."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"lane_array({dtype})")


class LaneExpression(LaneSequence):
    """What an operation of arrays gives, item by item, each computed when it is asked for: arrays of lanes are never written to."""

    def __init__(self, function: Any, operands: tuple[Any, ...]) -> None:
        self.function, self.operands, self.dtype = function, operands, types.float64
        super().__init__(f"lane_expression({function.__name__}, {', '.join(map(str, operands))})")


class LaneIterator(types.SimpleIteratorType):   # type: ignore[misc, name-defined]
    """Over the items of a sequence of lanes."""

    def __init__(self, sequence: LaneSequence) -> None:
        self.sequence = sequence
        super().__init__(f"iterator({sequence})", Lanes(sequence.dtype))


def scalar_of(kind: Any) -> Any:
    """The type of each lane: also of a uniform scalar, which is the same in all; None of anything else."""
    if isinstance(kind, Lanes):
        return kind.dtype
    kind = types.unliteral(kind)
    return kind if is_lane_scalar(kind) else None


def erased(kind: Any) -> Any:
    """The type that a lane sees."""
    if isinstance(kind, Lanes):
        return kind.dtype
    if isinstance(kind, LaneSequence):
        return types.Array(kind.dtype, 1, "C", readonly=isinstance(kind, LaneArray))
    if isinstance(kind, types.BaseTuple) and not isinstance(kind, types.BaseNamedTuple):
        return types.BaseTuple.from_types([erased(one) for one in kind])
    return types.unliteral(kind)


@register_model(Lanes)
class _LanesModel(PrimitiveModel):   # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(dmm[fe_type.dtype].get_value_type(), LANES))


@register_model(LaneArray)
class _LaneArrayModel(StructModel):   # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("data", types.CPointer(fe_type.dtype)), ("length", types.intp)])


@register_model(LaneExpression)
class _LaneExpressionModel(StructModel):   # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [(f"operand{at}", kind) for at, kind in enumerate(fe_type.operands)])


@register_model(LaneIterator)
class _LaneIteratorModel(StructModel):   # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("index", types.EphemeralPointer(types.intp)), ("sequence", fe_type.sequence)])


# ---- values


def splat(builder: Any, value: Any, width: int = LANES) -> Any:
    """A scalar in all lanes."""
    kind = ir.VectorType(value.type, width)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, width), [0] * width))


def each(builder: Any, value: Any) -> list[Any]:
    """The scalars of lanes."""
    return [builder.extract_element(value, I32(lane)) for lane in range(value.type.count)]


def some(builder: Any, value: Any, lanes: range) -> Any:
    """Neighbouring lanes of all."""
    if len(lanes) == LANES:
        return value
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes)))


@code_rules.lower_cast(Lanes, Lanes)
def _lanes_to_lanes(context: Any, builder: Any, fromty: Any, toty: Any, value: Any) -> Any:
    return converted(context, builder, fromty.dtype, toty.dtype, value)


def converted(context: Any, builder: Any, have: Any, want: Any, value: Any) -> Any:
    """Lanes of another type: each as numba casts it.

    Raises
    ------
    NotImplementedError
        There is no such operation on vectors.
    """
    if have == want:
        return value
    wide = ir.VectorType(context.get_value_type(want), value.type.count)
    whole = isinstance(have, types.Integer | types.Boolean)
    signed = isinstance(have, types.Integer) and have.signed
    if whole and isinstance(want, types.Float):
        if signed and have.bitwidth == 64 and want == types.float64:
            return _as_doubles(builder, value)
        return builder.sitofp(value, wide) if signed else builder.uitofp(value, wide)
    if (have, want) == (types.float32, types.float64):
        return builder.fpext(value, wide)
    if whole and isinstance(want, types.Integer):
        if value.type == wide:
            return value   # the same bits are another number
        if wide.element.width > value.type.element.width:
            return builder.sext(value, wide) if signed else builder.zext(value, wide)
    raise NotImplementedError(f"lanes of {have} as {want}")


def _as_doubles(builder: Any, value: Any) -> Any:
    """Integers of 64 bits, rounded once as the hardware's conversion of one does: AVX2 has none of several.

    The upper half is written into the bits of 2**84 (its sign turned, which adds 2**63) and the lower into those of 2**52; what was
    added is subtracted from the upper, which is exact, and their sum is rounded.
    """
    width = value.type.count
    doubles = ir.VectorType(ir.DoubleType(), width)

    def constant(bits: int) -> Any:
        return ir.Constant(value.type, [bits] * width)

    low = builder.or_(builder.and_(value, constant(0xFFFFFFFF)), constant(0x4330000000000000))
    high = builder.xor(builder.lshr(value, constant(32)), constant(0x4530000080000000))
    added = ir.Constant(doubles, [float(2**84 + 2**63 + 2**52)] * width)
    return builder.fadd(builder.fsub(builder.bitcast(high, doubles), added), builder.bitcast(low, doubles))


@code_rules.lower_cast(types.Any, Lanes)
def _scalar_to_lanes(context: Any, builder: Any, fromty: Any, toty: Any, value: Any) -> Any:
    return splat(builder, context.cast(builder, value, fromty, toty.dtype))
