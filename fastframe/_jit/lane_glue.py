"""The loop that calls a function for sixteen neighbouring windows at once, where the function can be compiled so.

Runs whose bounds each lie one behind those before are such windows: all are equally long, and their values at a place lie side by side.
All other runs, and those that raise, are called one by one; whatever way is taken, a run's result has the same bits (a NaN's
sign and payload aside, which LLVM leaves open).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, compiler
from numba.core import types as numba_types

from fastframe._jit.glue import I8, I32, WORD, Writer
from fastframe._jit.lane_operations import VARYING  # noqa: F401  # fills the tables of rules
from fastframe._jit.lane_pipeline import RefusedLanes, lane_compiler_of
from fastframe._jit.lanes import LANES, LaneArray, Lanes, code_rules, each, erased, is_lane_scalar, splat, typing_rules
from fastframe._jit.layout import Layout

types: Any = numba_types
_OPTIONS = frozenset({"error_model", "boundscheck", "cache"})   # others, such as fastmath, may change bits


def translated(found: Any, function: Any, options: dict[str, Any], how: tuple[Layout, Any], *, plain: bool) -> Any:
    """What numba makes of ``function`` for lanes, where ``found`` is what it made for one window; None where it refuses."""
    layout, flags = how
    vectors = layout.arguments[: layout.n_vectors]
    if layout.rows or not set(options) <= _OPTIONS or not all(is_lane_scalar(one.dtype) for one in vectors):
        return None
    arguments = (*(LaneArray(one.dtype) for one in vectors), *layout.extras)
    typing, context = found.typing_context, found.target_context
    typing.install_registry(typing_rules)
    context.install_registry(code_rules)
    try:
        lanes = compiler.compile_extra(typing, context, function, arguments, None, flags, {}, pipeline_class=lane_compiler_of(plain=plain))
        _check_types(lanes, found)
    except MemoryError:
        raise
    except Exception:   # numba trips over some functions instead of refusing them, and it has compiled this one for one window
        return None
    return lanes


def _check_types(lanes: Any, found: Any) -> None:
    """Each variable has in a lane the type that it has in one window.

    Raises
    ------
    RefusedLanes
    """
    one, many = found.type_annotation.typemap, lanes.type_annotation.typemap
    differing = [name for name in one.keys() & many.keys() if _seen(one[name]) is not None and _seen(erased(many[name])) != _seen(one[name])]
    returned, wanted = lanes.signature.return_type, found.signature.return_type
    if differing or not _can_be_kept(returned) or erased(returned) != erased(wanted):
        raise RefusedLanes(f"types of {differing or 'the result'} differ")


def _seen(kind: Any) -> Any:
    """A number's type, or that of an array's items; None of all else."""
    if isinstance(kind, types.Array):
        return kind.dtype, kind.ndim
    return types.unliteral(kind) if isinstance(kind, types.Number | types.Boolean) else None


def _can_be_kept(kind: Any) -> bool:
    """Scalars, varying or not, or a tuple of them."""
    kinds = kind if isinstance(kind, types.BaseTuple) else (kind,)
    return all(isinstance(one, Lanes) or is_lane_scalar(types.unliteral(one)) for one in kinds)


class LaneWriter(Writer):
    """Writes the loop of one kernel that has a function for lanes, too."""

    def __init__(self, context: Any, module: Any, fndesc: Any, layout: Layout, stored: tuple[Any, ...], *, lanes: Any) -> None:
        super().__init__(context, module, fndesc, layout, stored)
        self.lanes = lanes
        kind = context.call_conv.get_function_type(lanes.restype, lanes.argtypes)
        self.lane_callee = ir.Function(module, kind, lanes.llvm_func_name)

    def runs(self, first: Any, last: Any, leave: Any) -> None:
        """As many at once as there are lanes where they are neighbours; where one of them raises, these one by one, in order."""
        builder = self.builder
        at, alone = cgutils.alloca_once_value(builder, first), cgutils.alloca_once_value(builder, first)
        test, look, compare, together, one, after = (
            builder.append_basic_block(f"runs.{part}") for part in ("test", "look", "compare", "together", "alone", "after")
        )
        narrow = builder.icmp_unsigned("==", self.word(2), WORD(4))
        builder.branch(test)
        builder.position_at_end(test)
        run = builder.load(at)
        builder.cbranch(builder.icmp_signed("<", run, last), look, after)
        builder.position_at_end(look)
        enough = builder.icmp_signed("<=", builder.add(run, WORD(LANES)), last)
        builder.cbranch(builder.and_(builder.and_(enough, narrow), builder.icmp_signed(">=", run, builder.load(alone))), compare, one)
        builder.position_at_end(compare)
        begin, end, neighbours = self.neighbours(run)
        builder.cbranch(neighbours, together, one)
        builder.position_at_end(together)
        kept = self.call_together(run, begin, builder.sub(end, begin), alone)
        builder.store(builder.select(kept, builder.add(run, WORD(LANES)), run), at)
        builder.branch(test)
        builder.position_at_end(one)
        self.one_run(run, leave)
        self.builder.store(self.builder.add(run, WORD(1)), at)
        self.builder.branch(test)
        self.builder.position_at_end(after)

    def neighbours(self, run: Any) -> tuple[Any, Any, Any]:
        """Where a run begins and ends, and whether the runs of all lanes each lie one behind the one before it."""
        builder = self.builder
        steps = ir.Constant(ir.VectorType(I32, LANES), list(range(LANES)))

        def bounds(word: int) -> tuple[Any, Any]:
            start = builder.gep(self.pointer(word, I32), [run])
            loaded = builder.load(builder.bitcast(start, ir.VectorType(I32, LANES).as_pointer()), align=4)
            first = builder.extract_element(loaded, I32(0))
            return first, builder.icmp_signed("==", loaded, builder.add(splat(builder, first), steps))

        begin, begins = bounds(0)
        end, ends = bounds(1)
        all_so = builder.icmp_unsigned("==", builder.bitcast(builder.and_(begins, ends), ir.IntType(LANES)), ir.IntType(LANES)(2**LANES - 1))
        return builder.sext(begin, WORD), builder.sext(end, WORD), builder.and_(all_so, builder.icmp_signed("<=", begin, end))

    def call_together(self, run: Any, begin: Any, length: Any, alone: Any) -> Any:
        """A bit: whether no lane raised; then their results are kept."""
        builder, context = self.builder, self.context
        arguments = [self.lane_array(kind, 6 + at, begin, length) for at, kind in enumerate(self.lanes.argtypes[: self.layout.n_vectors])]
        status, value = context.call_conv.call_function(
            builder, self.lane_callee, self.lanes.restype, self.lanes.argtypes, [*arguments, *self.extras]
        )
        with builder.if_else(status.is_error, likely=False) as (raised, returned):
            with raised:
                self.free_exception(status)
                builder.store(builder.add(run, WORD(LANES)), alone)
            with returned:
                kinds = self.lanes.restype if isinstance(self.lanes.restype, types.BaseTuple) else None
                for number, kind in enumerate(kinds or (self.lanes.restype,)):
                    self.keep_lanes(builder.extract_value(value, number) if kinds is not None else value, kind, number, run)
        return builder.not_(status.is_error)

    def lane_array(self, kind: LaneArray, word: int, begin: Any, length: Any) -> Any:
        made = cgutils.create_struct_proxy(kind)(self.context, self.builder)
        made.data = self.builder.gep(self.pointer(word, self.context.get_data_type(kind.dtype)), [begin])
        made.length = length
        return made._getvalue()

    def keep_lanes(self, value: Any, kind: Any, number: int, run: Any) -> None:
        """The results of as many runs as there are lanes; a uniform one is the same in all."""
        builder, context, stored = self.builder, self.context, self.stored[number]
        scalar = erased(kind)
        lanes = each(builder, value) if isinstance(kind, Lanes) else [value] * LANES
        data = context.get_data_type(stored)
        wide = ir.Constant(ir.VectorType(data, LANES), ir.Undefined)
        for lane, one in enumerate(lanes):
            wide = builder.insert_element(wide, self.as_stored(one, scalar, stored), I32(lane))
        word = self.layout.first_output + 2 * number
        out = builder.gep(self.pointer(word, data), [run])
        builder.store(wide, builder.bitcast(out, wide.type.as_pointer()), align=context.get_abi_sizeof(data))
        valid = self.word(word + 1)
        with builder.if_then(builder.icmp_unsigned("!=", valid, WORD(0))):
            ones = ir.Constant(ir.VectorType(I8, LANES), [1] * LANES)
            start = builder.gep(builder.inttoptr(valid, I8.as_pointer()), [run])
            builder.store(ones, builder.bitcast(start, ones.type.as_pointer()), align=1)

    def as_stored(self, value: Any, kind: Any, stored: Any) -> Any:
        """A result as memory has it."""
        return self.context.data_model_manager[stored].as_data(self.builder, self.converted(value, kind, stored))
