"""Reductions and clip of one-dimensional arrays as LLVM IR, in the place of numba's own.

numba compiles ``x.mean()``, ``x.std()`` and ``np.clip`` from Python at the first use of a process, which takes 0.1 to 0.3 s
each; these take milliseconds. They are used in the compilation of users' functions only, and only where `pipeline.py`
finds the call; for types that they do not take, the whole function is compiled again without them.

Sums run in eight fixed lanes (element ``i`` belongs to lane ``i % 8``; the lanes are added as a tree), so they are faster
than one lane and mostly more exact, and have the same bits on every CPU and for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.core.typing import signature
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl, make_array

types: Any = numba_types
LANES = 8
WORD, I32 = ir.IntType(64), ir.IntType(32)
DOUBLE = ir.DoubleType()

Step = Callable[[Any, Any, Any], Any]   # (builder, accumulated, element) -> accumulated, for scalars and for vectors alike


def _taken(kind: Any, *more: Any) -> bool:
    """Dense vectors of float64, of integers of 32 or 64 bits, and of ``more``."""
    if not (isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C"):
        return False
    return kind.dtype in (types.float64, types.int32, types.int64, *more)


class _Vector:
    """A dense vector that IR is being written for."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = make_array(kind)(context, builder, value)
        self.builder, self.kind = builder, kind.dtype
        self.data, self.length = array.data, array.nitems
        self.element = context.get_data_type(kind.dtype)

    def lanes(self, at: Any) -> Any:
        """Eight elements from ``at``."""
        start = self.builder.gep(self.data, [at])
        pointer = self.builder.bitcast(start, ir.VectorType(self.element, LANES).as_pointer())
        return self.builder.load(pointer, align=_item_bytes(self.element))

    def one(self, at: Any) -> Any:
        return self.builder.load(self.builder.gep(self.data, [at]))


def _item_bytes(element: Any) -> int:
    return 8 if element == DOUBLE else element.width // 8


def _splat(builder: Any, value: Any) -> Any:
    """A scalar in all lanes."""
    kind = ir.VectorType(value.type, LANES)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, LANES), [0] * LANES))


def _counted(builder: Any, start: Any, stop: Any, by: int, body: Callable[[Any], None]) -> None:
    """``body(at)`` for ``at`` from ``start``, in steps, below ``stop``."""
    before = builder.block
    test, inside, after = (builder.append_basic_block(part) for part in ("each.test", "each.body", "each.after"))
    builder.branch(test)
    builder.position_at_end(test)
    at = builder.phi(WORD)
    at.add_incoming(start, before)
    builder.cbranch(builder.icmp_signed("<", at, stop), inside, after)
    builder.position_at_end(inside)
    body(at)
    at.add_incoming(builder.add(at, WORD(by)), builder.block)
    builder.branch(test)
    builder.position_at_end(after)


def _folded(vector: _Vector, first: Any, step: Step) -> list[Any]:
    """The eight lanes after all elements; each begins as ``first``."""
    builder = vector.builder
    kind = ir.VectorType(first.type, LANES)
    lanes = _alloca(builder, kind)   # the last, fewer than eight, are added in memory
    whole = builder.and_(vector.length, WORD(-LANES))
    start = _splat(builder, first)
    before = builder.block
    test, inside, after = (builder.append_basic_block(part) for part in ("eight.test", "eight.body", "eight.after"))
    builder.branch(test)
    builder.position_at_end(test)
    at, total = builder.phi(WORD), builder.phi(kind)
    builder.cbranch(builder.icmp_signed("<", at, whole), inside, after)
    builder.position_at_end(inside)
    further = step(builder, total, vector.lanes(at))
    for phi, begun, going_on in ((at, WORD(0), builder.add(at, WORD(LANES))), (total, start, further)):
        phi.add_incoming(begun, before)
        phi.add_incoming(going_on, builder.block)
    builder.branch(test)
    builder.position_at_end(after)
    builder.store(total, lanes)

    def one(at: Any) -> None:
        lane = builder.gep(builder.bitcast(lanes, first.type.as_pointer()), [builder.sub(at, whole)])
        builder.store(step(builder, builder.load(lane), vector.one(at)), lane)

    _counted(builder, whole, vector.length, 1, one)
    done = builder.load(lanes)
    return [builder.extract_element(done, I32(lane)) for lane in range(LANES)]


def _alloca(builder: Any, kind: Any) -> Any:
    with builder.goto_entry_block():
        return builder.alloca(kind)


def _tree(parts: list[Any], join: Callable[[Any, Any], Any]) -> Any:
    while len(parts) > 1:
        parts = [join(left, right) for left, right in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _like(value: Any, scalar: Any) -> Any:
    """The type that ``scalar`` stands for, with as many lanes as ``value``."""
    return ir.VectorType(scalar, value.type.count) if isinstance(value.type, ir.VectorType) else scalar


def _as_double(builder: Any, value: Any) -> Any:
    kind = value.type.element if isinstance(value.type, ir.VectorType) else value.type
    return value if kind == DOUBLE else builder.sitofp(value, _like(value, DOUBLE))


def _float_sum(vector: _Vector) -> Any:
    parts = _folded(vector, DOUBLE(0.0), lambda builder, total, value: builder.fadd(total, _as_double(builder, value)))
    return _tree(parts, vector.builder.fadd)


def _mean_of(vector: _Vector) -> Any:
    return vector.builder.fdiv(_float_sum(vector), vector.builder.sitofp(vector.length, DOUBLE))   # 0 / 0 is NaN, as in NumPy


def _variance_of(vector: _Vector) -> Any:
    mean = _mean_of(vector)

    def squared(builder: Any, total: Any, value: Any) -> Any:
        wide = _splat(builder, mean) if isinstance(value.type, ir.VectorType) else mean
        away = builder.fsub(_as_double(builder, value), wide)
        return builder.fadd(total, builder.fmul(away, away))

    total = _tree(_folded(vector, DOUBLE(0.0), squared), vector.builder.fadd)
    return vector.builder.fdiv(total, vector.builder.sitofp(vector.length, DOUBLE))


@intrinsic
def vector_sum(typing: Any, x: Any) -> Any:
    """``x.sum()``: of integers and bools in 64 bits, as numba's."""
    if not _taken(x, types.boolean):
        return None

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = _Vector(context, builder, sig.args[0], args[0])
        if vector.element == DOUBLE:
            return _float_sum(vector)

        def widened(b: Any, total: Any, value: Any) -> Any:
            return b.add(total, value if vector.element == WORD else b.sext(value, _like(value, WORD)))   # bools are bytes of 0 and 1

        return _tree(_folded(vector, WORD(0), widened), builder.add)

    return signature(types.float64 if x.dtype == types.float64 else types.int64, x), code


@intrinsic
def vector_mean(typing: Any, x: Any) -> Any:
    """``x.mean()``."""
    if not _taken(x, types.boolean):
        return None
    return signature(types.float64, x), lambda context, builder, sig, args: _mean_of(_Vector(context, builder, sig.args[0], args[0]))


@intrinsic
def vector_var(typing: Any, x: Any) -> Any:
    """``x.var()``, of the whole population, in two passes."""
    if not _taken(x):
        return None
    return signature(types.float64, x), lambda context, builder, sig, args: _variance_of(_Vector(context, builder, sig.args[0], args[0]))


@intrinsic
def vector_std(typing: Any, x: Any) -> Any:
    """``x.std()``."""
    if not _taken(x):
        return None

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        variance = _variance_of(_Vector(context, builder, sig.args[0], args[0]))
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [DOUBLE]), [variance])

    return signature(types.float64, x), code


def _extreme(x: Any, operator: str) -> Any:
    """The code of a minimum (``<``) or maximum (``>``): NaN where there is one; an empty vector raises, as in NumPy."""
    if not _taken(x):
        return None

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = _Vector(context, builder, sig.args[0], args[0])
        name = "minimum" if operator == "<" else "maximum"
        with builder.if_then(builder.icmp_signed("==", vector.length, WORD(0)), likely=False):
            context.call_conv.return_user_exc(builder, ValueError, (f"zero-size array to reduction operation {name} which has no identity",))

        def further(b: Any, best: Any, value: Any) -> Any:
            if vector.element != DOUBLE:
                return b.select(b.icmp_signed(operator, value, best), value, best)
            return b.select(b.or_(b.fcmp_ordered(operator, value, best), b.fcmp_unordered("uno", value, value)), value, best)

        parts = _folded(vector, vector.one(WORD(0)), further)   # a NaN wins, and nothing is further than it
        return _tree(parts, lambda left, right: further(builder, left, right))

    return signature(x.dtype, x), code


@intrinsic
def vector_min(typing: Any, x: Any) -> Any:
    """``x.min()``."""
    return _extreme(x, "<")


@intrinsic
def vector_max(typing: Any, x: Any) -> Any:
    """``x.max()``."""
    return _extreme(x, ">")


@intrinsic
def vector_clip(typing: Any, x: Any, low: Any, high: Any) -> Any:
    """``np.clip(x, low, high)`` for numbers as bounds; NaN stays, and a bound of NaN gives NaN, as in NumPy."""
    bounds = [types.unliteral(low), types.unliteral(high)]
    if not _taken(x) or not all(isinstance(one, types.Integer | types.Float) for one in bounds):
        return None
    if x.dtype != types.float64 and not all(isinstance(one, types.Integer) and one.signed for one in bounds):
        return None
    if x.dtype == types.int32:
        return None   # NumPy refuses bounds that do not fit
    result = types.Array(x.dtype, 1, "C")

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = _Vector(context, builder, sig.args[0], args[0])
        least, most = (context.cast(builder, arg, kind, x.dtype) for arg, kind in zip(args[1:], sig.args[1:], strict=True))
        out = _empty_nd_impl(context, builder, result, [vector.length])
        data = out.data

        def one(at: Any) -> None:
            builder.store(_bounded(builder, vector.one(at), least, most), builder.gep(data, [at]))

        _counted(builder, WORD(0), vector.length, 1, one)
        return out._getvalue()

    return signature(result, x, *bounds), code


def _bounded(builder: Any, value: Any, least: Any, most: Any) -> Any:
    if value.type != DOUBLE:
        value = builder.select(builder.icmp_signed("<", value, least), least, value)
        return builder.select(builder.icmp_signed(">", value, most), most, value)
    below = builder.or_(builder.fcmp_ordered("<", value, least), builder.fcmp_unordered("uno", least, least))
    value = builder.select(below, least, value)
    above = builder.or_(builder.fcmp_ordered(">", value, most), builder.fcmp_unordered("uno", most, most))
    return builder.select(above, most, value)


REDUCTIONS = {
    "sum": vector_sum, "mean": vector_mean, "var": vector_var, "std": vector_std, "min": vector_min, "max": vector_max,
}  # fmt: skip
"""By the name of the method, and of NumPy's function."""


def shortcut(module: Any, name: str, n_args: int) -> Any:
    """What stands in for ``module.name(...)`` with that many arguments, or, where module is None, for a method; else None."""
    if module is None:
        return REDUCTIONS.get(name) if n_args == 0 else None
    if module is np and name == "clip" and n_args == 3:
        return vector_clip
    if module is np and n_args == 1:
        return {"amin": vector_min, "amax": vector_max, **REDUCTIONS}.get(name)
    return None
