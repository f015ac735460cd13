"""The reductions of `shortcuts.py` for arrays of lanes: the same eight sums of every eighth item, of each window, in the same order.

Half of the lanes are done at a time: so the eight partial results lie in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.core.typing import signature
from numba.extending import intrinsic as numba_intrinsic

from fastframe._jit.lane_sequences import intrinsic, item, length_of
from fastframe._jit.lanes import I32, LANES, WORD, Lanes, LaneSequence, splat
from fastframe._jit.shortcuts import DOUBLE, REDUCTIONS, _as_double, _counted, _tree, shortcut
from fastframe._jit.shortcuts import LANES as PARTS

types: Any = numba_types
HALF = LANES // 2


def _taken(kind: Any, *more: Any) -> bool:
    """What the reductions of one array take."""
    return isinstance(kind, LaneSequence) and kind.dtype in (types.float64, types.int32, types.int64, *more)


class _Half:
    """Half of the lanes of a sequence that IR is being written for."""

    def __init__(self, context: Any, builder: Any, kind: LaneSequence, value: Any, first: int) -> None:
        self.context, self.builder, self.kind, self.value = context, builder, kind, value
        self.length = length_of(context, builder, kind, value)
        self._lanes = range(first, first + HALF)

    def item(self, at: Any) -> Any:
        """The lanes' items at a place, as they lie in memory."""
        found = item(self.context, self.builder, self.kind, self.value, at, lanes=self._lanes)
        return self.builder.zext(found, ir.VectorType(ir.IntType(8), HALF)) if self.kind.dtype == types.boolean else found

    def folded(self, first: Any, step: Callable[[Any, Any, Any], Any]) -> list[Any]:
        """The partial results after all items; each begins as ``first``."""
        builder = self.builder
        whole = builder.and_(self.length, WORD(-PARTS))
        before = builder.block
        test, inside, after = (builder.append_basic_block(part) for part in ("eight.test", "eight.body", "eight.after"))
        builder.branch(test)
        builder.position_at_end(test)
        at, parts = builder.phi(WORD), [builder.phi(first.type) for _ in range(PARTS)]
        builder.cbranch(builder.icmp_signed("<", at, whole), inside, after)
        builder.position_at_end(inside)
        further = [step(builder, part, self.item(builder.add(at, WORD(number)))) for number, part in enumerate(parts)]
        for phi, begun, going_on in zip([at, *parts], [WORD(0), *[first] * PARTS], [builder.add(at, WORD(PARTS)), *further], strict=True):
            phi.add_incoming(begun, before)
            phi.add_incoming(going_on, builder.block)
        builder.branch(test)
        builder.position_at_end(after)
        return self._with_the_last(parts, whole, step)

    def _with_the_last(self, parts: list[Any], whole: Any, step: Callable[[Any, Any, Any], Any]) -> list[Any]:
        """The partial results with the last items, fewer than eight, which are added in memory."""
        builder = self.builder
        kept = cgutils.alloca_once(builder, parts[0].type, size=PARTS)
        places = [builder.gep(kept, [WORD(number)]) for number in range(PARTS)]
        for place, part in zip(places, parts, strict=True):
            builder.store(part, place)

        def one(at: Any) -> None:
            place = builder.gep(kept, [builder.sub(at, whole)])
            builder.store(step(builder, builder.load(place), self.item(at)), place)

        _counted(builder, whole, self.length, 1, one)
        return [builder.load(place) for place in places]


def _number(vector: _Half) -> Any:
    return splat(vector.builder, vector.builder.sitofp(vector.length, DOUBLE), HALF)


def _zero(vector: _Half, kind: Any) -> Any:
    return ir.Constant(ir.VectorType(kind, HALF), None)


def _float_sum(vector: _Half) -> Any:
    parts = vector.folded(_zero(vector, DOUBLE), lambda builder, total, value: builder.fadd(total, _as_double(builder, value)))
    return _tree(parts, vector.builder.fadd)


def _sum(vector: _Half) -> Any:
    if vector.kind.dtype == types.float64:
        return _float_sum(vector)
    wide = ir.VectorType(WORD, HALF)
    parts = vector.folded(_zero(vector, WORD), lambda builder, total, value: builder.add(total, value if value.type == wide else builder.sext(value, wide)))
    return _tree(parts, vector.builder.add)


def _mean(vector: _Half) -> Any:
    return vector.builder.fdiv(_float_sum(vector), _number(vector))


def _variance(vector: _Half) -> Any:
    mean = _mean(vector)

    def squared(builder: Any, total: Any, value: Any) -> Any:
        away = builder.fsub(_as_double(builder, value), mean)
        return builder.fadd(total, builder.fmul(away, away))

    return vector.builder.fdiv(_tree(vector.folded(_zero(vector, DOUBLE), squared), vector.builder.fadd), _number(vector))


def _deviation(vector: _Half) -> Any:
    return intrinsic(vector.builder, "llvm.sqrt", _variance(vector))


def _extreme(sign: str) -> Callable[[_Half], Any]:
    def code(vector: _Half) -> Any:
        builder = vector.builder
        name = "minimum" if sign == "<" else "maximum"
        with builder.if_then(builder.icmp_signed("==", vector.length, WORD(0)), likely=False):
            told = f"zero-size array to reduction operation {name} which has no identity"
            vector.context.call_conv.return_user_exc(builder, ValueError, (told,))

        def further(b: Any, best: Any, value: Any) -> Any:
            if vector.kind.dtype != types.float64:
                return b.select(b.icmp_signed(sign, value, best), value, best)
            return b.select(b.or_(b.fcmp_ordered(sign, value, best), b.fcmp_unordered("uno", value, value)), value, best)

        parts = vector.folded(vector.item(WORD(0)), further)
        return _tree(parts, lambda left, right: further(builder, left, right))

    return code


def _reduction(compute: Callable[[_Half], Any], result: Callable[[Any], Any], *more: Any) -> Any:
    @numba_intrinsic
    def reduced(typing: Any, x: Any) -> Any:
        if not _taken(x, *more):
            return None

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            low, high = (compute(_Half(context, builder, x, args[0], first)) for first in (0, HALF))
            return builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(I32, LANES), list(range(LANES))))

        return signature(Lanes(result(x.dtype)), x), code

    return reduced


def _double(dtype: Any) -> Any:
    return types.float64


_OF_LANES = {
    "sum": _reduction(_sum, lambda dtype: types.float64 if dtype == types.float64 else types.int64, types.boolean),
    "mean": _reduction(_mean, _double, types.boolean), "var": _reduction(_variance, _double), "std": _reduction(_deviation, _double),
    "min": _reduction(_extreme("<"), lambda dtype: dtype), "max": _reduction(_extreme(">"), lambda dtype: dtype),
}  # fmt: skip
FOR_LANES = frozenset(_OF_LANES.values())


def lane_shortcut(module: Any, name: str, n_args: int) -> Any:
    """As `shortcuts.shortcut`; nothing stands in for `np.clip`."""
    found = shortcut(module, name, n_args)
    return next((_OF_LANES[known] for known, one in REDUCTIONS.items() if one is found), None) if found is not None else None
