"""numba's internals, all of them: a Python function becomes a kernel of the usual contract.

``f`` is compiled by numba's own pipeline; the loop that calls it for each run or row is written as LLVM IR beside it, in
the same module, as numba writes its own wrappers. That costs milliseconds where the same loop in numba's Python costs
a second (see docs/plans/user_functions.md), and LLVM can inline ``f`` into it.

The context is an array of 64-bit words; `Layout` says which word is what. Anything here that a version of numba does
not have raises `GlueError`, never crashes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, compiler, errors, registry
from numba.core import types as numba_types
from numba.core.compiler_lock import global_compiler_lock
from numba.np.arrayobj import make_array, populate_array

from fastframe._jit import tables
from fastframe._jit.layout import FAILURE_BITS, RAISED, WRONG_LENGTH, Compiled, GlueError, Layout
from fastframe._jit.pipeline import compiler_of

types: Any = numba_types
WORD = ir.IntType(64)
I8, I32 = ir.IntType(8), ir.IntType(32)
ENTRY = "fastframe_kernel"

Results = Callable[[Any, "tuple[str, ...] | None"], "tuple[Any, ...]"]
"""From what f returns to the stored numba type of each result; raises where it cannot be a result."""


@global_compiler_lock
def compile_kernel(function: Any, options: dict[str, Any], layout: Layout, results: Results, *, plain: bool, together: bool = False) -> Compiled:
    """``function`` compiled with its loop; ``plain``: numba has not decorated it; ``together``: see `lane_glue.py`.

    Raises
    ------
    Whatever numba raises about ``function``; what ``results`` raises; GlueError.
    """
    target = registry.cpu_target
    typing, context = target.typing_context, target.target_context
    tables.fill(target)
    flags = compiler.Flags()
    target.options.parse_as_flags(flags, {"nopython": True, **options})
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.no_compile = True   # only after the loop is beside it

    def translated(*, shortcuts: bool) -> Any:
        pipeline = compiler_of(plain=plain, shortcuts=shortcuts)
        return compiler.compile_extra(typing, context, function, layout.arguments, None, flags, {}, pipeline_class=pipeline)

    shortcuts = not options.get("parallel")   # numba makes its own reductions parallel, and ours not
    try:
        found = translated(shortcuts=shortcuts)
    except errors.NumbaError:   # a shortcut that does not take these types, or the function's own fault
        if not shortcuts:
            raise
        shortcuts = False
        found = translated(shortcuts=False)
    names = found.metadata.get("fastframe_names")
    returned = found.signature.return_type
    stored = results(returned, names)
    lanes = _of_lanes(found, function, options, (layout, flags), plain=plain) if together and shortcuts else None
    try:
        library = found.library
        module = library.create_ir_module(ENTRY)
        entry = f"{ENTRY}_{secrets.token_hex(8)}"   # names are the process's, also of what the disk cache brings
        if lanes is None:
            Writer(found.target_context, module, found.fndesc, layout, stored).write(entry)
        else:
            from fastframe._jit.lane_glue import LaneWriter

            LaneWriter(found.target_context, module, found.fndesc, layout, stored, lanes=lanes.fndesc).write(entry)
        library.add_ir_module(module)
        for one in (found, lanes):
            if one is not None:
                _take_in(library, one)
        library.finalize()
        address = library.get_pointer_to_function(entry)
        for one in (found, lanes):
            if one is not None:
                _set_environment(library, one)
    except (AttributeError, TypeError, KeyError, NotImplementedError, RuntimeError, AssertionError) as error:
        raise GlueError(f"{type(error).__name__}: {error}") from error
    return Compiled(address, entry, (found, library, lanes), returned, names, shortcuts, lanes is not None)


def _of_lanes(found: Any, function: Any, options: dict[str, Any], how: tuple[Layout, Any], *, plain: bool) -> Any:
    """The same function for sixteen neighbouring windows at once; None where that cannot be."""
    from fastframe._jit.lane_glue import translated

    return translated(found, function, options, how, plain=plain)


def _take_in(library: Any, found: Any) -> None:
    """A function's code, to be inlined, and then not compiled a second time."""
    if found.library is not library:
        library._final_module.link_in(found.library._final_module)
        for one in found.library._linking_libraries:
            library.add_linking_library(one)
    library.get_function(found.fndesc.llvm_func_name).linkage = "internal"


def object_code(compiled: Compiled) -> tuple[bytes, list[str]] | None:
    """What a process like this one needs to run a kernel: its code and the names it refers to; None where that is not all."""
    found, library, lanes = compiled.owner
    functions = [found] if lanes is None else [found, lanes]
    if library.has_dynamic_globals or any(one.lifted or one.reload_init for one in functions):
        return None   # addresses of this process
    text = str(library._final_module)
    if any(len(re.findall(re.escape(one.fndesc.env_name), text)) > 1 for one in functions):
        return None   # fetches Python objects
    needed = [one.name for one in library._final_module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    return bytes(library._get_compiled_object()), needed


def _set_environment(library: Any, found: Any) -> None:
    """Constants that compiled code fetches from Python objects, where it has any."""
    name = found.fndesc.env_name
    if library.codegen._engine.is_symbol_defined(name) and library.codegen._engine.get_global_value_address(name):
        library.codegen.set_env(name, found.environment)


class Writer:
    """Writes the loop of one kernel."""

    def __init__(self, context: Any, module: Any, fndesc: Any, layout: Layout, stored: tuple[Any, ...]) -> None:
        self.context, self.module, self.layout, self.stored = context, module, layout, stored
        self.returned = fndesc.restype
        callee_type = context.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
        self.callee = ir.Function(module, callee_type, fndesc.llvm_func_name)

    def write(self, name: str) -> None:
        """The kernel: ``i32 name(i8* ctx, i64 start, i64 stop, i64 slice)``."""
        kernel = ir.Function(self.module, ir.FunctionType(I32, [I8.as_pointer(), WORD, WORD, WORD]), name)
        raw, start, stop, _ = kernel.args
        self.builder = ir.IRBuilder(kernel.append_basic_block("entry"))
        words = self.builder.bitcast(raw, WORD.as_pointer())
        n_words = self.layout.first_output + 2 * len(self.stored)
        # read once: LLVM has to believe that results could be written over the context
        self.words = [self.builder.load(self.builder.gep(words, [WORD(at)])) for at in range(n_words)]
        self.extras = [self.extra(words, number) for number in range(len(self.layout.extras))]
        if self.layout.rows:
            self.over_rows(start, stop)
        else:
            self.over_parts(start, stop)
        self.builder.ret(I32(0))

    # -- small parts

    def word(self, at: int) -> Any:
        return self.words[at]

    def pointer(self, at: int, element: Any) -> Any:
        return self.builder.inttoptr(self.word(at), element.as_pointer())

    def element(self, pointer: Any, at: Any) -> Any:
        return self.builder.load(self.builder.gep(pointer, [at]))

    def loop(self, start: Any, stop: Any, body: Callable[[Any, Any], None]) -> None:
        """``body(number, the block to go to for leaving)`` for each number in ``[start, stop)``."""
        builder = self.builder
        counter = cgutils.alloca_once(builder, WORD)
        builder.store(start, counter)
        test, inside, after = (builder.append_basic_block(part) for part in ("loop.test", "loop.body", "loop.after"))
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch(builder.icmp_signed("<", builder.load(counter), stop), inside, after)
        builder.position_at_end(inside)
        body(builder.load(counter), after)
        builder.store(builder.add(builder.load(counter), WORD(1)), counter)
        builder.branch(test)
        builder.position_at_end(after)

    def fail(self, run: Any, what: int, leave: Any) -> None:
        """The lowest failing run stays in the cell; the caller's block ends here."""
        failure = self.builder.or_(self.builder.shl(run, WORD(FAILURE_BITS)), WORD(what))
        self.builder.atomic_rmw("min", self.pointer(5, WORD), failure, "monotonic")
        self.builder.branch(leave)

    def unless_failed_before(self, run: Any, leave: Any) -> None:
        """Leave where a lower run has failed: its failure wins whatever comes of this one."""
        lowest = self.builder.load_atomic(self.pointer(5, WORD), "monotonic", 8)
        before = self.builder.icmp_signed("<", lowest, self.builder.shl(run, WORD(FAILURE_BITS)))
        go_on = self.builder.append_basic_block("not.failed")
        self.builder.cbranch(before, leave, go_on)
        self.builder.position_at_end(go_on)

    # -- the two loops

    def over_parts(self, start: Any, stop: Any) -> None:
        def part(slot: Any, _: Any) -> None:
            builder = self.builder
            done = builder.append_basic_block("part.done")
            ordered = builder.icmp_unsigned("!=", self.word(4), WORD(0))
            number = cgutils.alloca_once_value(builder, slot)
            with builder.if_then(ordered):
                builder.store(self.element(self.pointer(4, WORD), slot), number)
            at = builder.load(number)
            first = self.element(self.pointer(3, WORD), at)
            last = self.element(self.pointer(3, WORD), builder.add(at, WORD(1)))
            self.unless_failed_before(first, done)
            self.runs(first, last, done)
            self.builder.branch(done)
            self.builder.position_at_end(done)

        self.loop(start, stop, part)

    def runs(self, first: Any, last: Any, leave: Any) -> None:
        """The runs of a part, in order."""
        self.loop(first, last, lambda run, _: self.one_run(run, leave))

    def bound(self, at: int, run: Any) -> Any:
        """A begin or end, of 4 or 8 bytes."""
        builder = self.builder
        wide = builder.icmp_unsigned("==", self.word(2), WORD(8))
        with builder.if_else(wide) as (then, otherwise):
            with then:
                long = self.element(self.pointer(at, WORD), run)
                then_block = builder.block
            with otherwise:
                short = builder.sext(self.element(self.pointer(at, I32), run), WORD)
                else_block = builder.block
        found = builder.phi(WORD)
        found.add_incoming(long, then_block)
        found.add_incoming(short, else_block)
        return found

    def one_run(self, run: Any, leave: Any) -> None:
        begin, end = self.bound(0, run), self.bound(1, run)
        builder = self.builder
        length = builder.sub(end, begin)
        called, absent, done = (builder.append_basic_block(part) for part in ("run.called", "run.absent", "run.done"))
        builder.cbranch(builder.icmp_signed("<", length, WORD(0)), absent, called)
        builder.position_at_end(absent)
        if not isinstance(self.returned, types.Array):
            for number in range(len(self.stored)):
                self.keep_nothing(number, run)
        builder.branch(done)
        builder.position_at_end(called)
        vectors = self.layout.arguments[: self.layout.n_vectors]
        arguments = [self.array(one, 6 + at, (length,), begin) for at, one in enumerate(vectors)]
        self.call(arguments, run, leave, lambda value: self.keep(value, run, begin, length, leave))
        builder.branch(done)
        builder.position_at_end(done)

    def over_rows(self, start: Any, stop: Any) -> None:
        def row(at: Any, leave: Any) -> None:
            builder = self.builder
            done = builder.append_basic_block("row.done")
            absent = builder.append_basic_block("row.absent")
            present = builder.append_basic_block("row.present")
            look = builder.append_basic_block("row.look")
            builder.cbranch(builder.icmp_unsigned("!=", self.word(0), WORD(0)), look, present)
            builder.position_at_end(look)
            builder.cbranch(builder.icmp_unsigned("!=", self.element(self.pointer(0, I8), at), I8(0)), present, absent)
            builder.position_at_end(absent)
            for number in range(len(self.stored)):
                self.keep_nothing(number, at)
            builder.branch(done)
            builder.position_at_end(present)
            vectors = self.layout.arguments[: self.layout.n_vectors]
            arguments = [self.scalar(one, 6 + number, at) for number, one in enumerate(vectors)]
            self.call(arguments, at, leave, lambda value: self.keep_scalars(value, at))
            builder.branch(done)
            builder.position_at_end(done)

        begun = self.builder.append_basic_block("rows")
        done = self.builder.append_basic_block("rows.done")
        self.builder.branch(begun)
        self.builder.position_at_end(begun)
        self.unless_failed_before(start, done)
        self.loop(start, stop, row)
        self.builder.branch(done)
        self.builder.position_at_end(done)

    # -- arguments

    def array(self, kind: Any, at: int, shape: Sequence[Any], begin: Any = None) -> Any:
        """A borrowed array (it has no owner, so nothing counts references to it) over the memory that word ``at`` tells."""
        builder, context = self.builder, self.context
        data = self.pointer(at, context.get_data_type(kind.dtype))
        if begin is not None:
            data = builder.gep(data, [begin])
        item_bytes = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        strides: list[Any] = []
        step = WORD(item_bytes)
        for length in reversed(shape):
            strides.insert(0, step)
            step = builder.mul(step, length)
        array = make_array(kind)(context, builder)
        populate_array(array, data=data, shape=list(shape), strides=strides, itemsize=WORD(item_bytes), meminfo=None)
        return array._getvalue()

    def scalar(self, kind: Any, at: int, row: Any) -> Any:
        pointer = self.builder.gep(self.pointer(at, self.context.get_data_type(kind)), [row])
        return self.context.unpack_value(self.builder, kind, pointer)

    def extra(self, words: Any, number: int) -> Any:
        kind, at = self.layout.extras[number], self.layout.extra_words[number]
        if isinstance(kind, types.Array):
            return self.array(kind, at, [self.word(at + 1 + axis) for axis in range(kind.ndim)])
        pointer = self.builder.bitcast(self.builder.gep(words, [WORD(at)]), self.context.get_data_type(kind).as_pointer())
        return self.context.unpack_value(self.builder, kind, pointer)

    # -- the call and what comes of it

    def call(self, arguments: list[Any], run: Any, leave: Any, keep: Callable[[Any], None]) -> None:
        builder, context = self.builder, self.context
        arguments += self.extras
        status, value = context.call_conv.call_function(builder, self.callee, self.returned, self.layout.arguments, arguments)
        raised, returned = builder.append_basic_block("raised"), builder.append_basic_block("returned")
        builder.cbranch(status.is_error, raised, returned)
        builder.position_at_end(raised)
        self.free_exception(status)
        self.fail(run, RAISED, leave)
        builder.position_at_end(returned)
        if isinstance(self.returned, types.Optional):   # an optional itself comes bare, and the status tells None
            value = self.optional(value, builder.not_(status.is_none))
        keep(value)

    def optional(self, value: Any, valid: Any) -> Any:
        helper = self.context.make_helper(self.builder, self.returned)
        helper.data, helper.valid = value, valid
        return helper._getvalue()

    def free_exception(self, status: Any) -> None:
        """An exception with run-time values lies on numba's heap; nobody unpacks it here."""
        builder = self.builder
        with builder.if_then(status.is_user_exc):
            info = status.excinfoptr
            field = lambda number: builder.load(builder.gep(info, [I32(0), I32(number)]))   # noqa: E731
            with builder.if_then(builder.icmp_signed(">", field(4), I32(0))):
                self.context.nrt.free(builder, field(2))
                self.context.nrt.free(builder, builder.bitcast(info, I8.as_pointer()))

    def keep(self, value: Any, run: Any, begin: Any, length: Any, leave: Any) -> None:
        """The result of a run: a vector at its begin, or scalars at its number."""
        if not isinstance(self.returned, types.Array):
            self.keep_scalars(value, run)
            return
        builder, context = self.builder, self.context
        array = make_array(self.returned)(context, builder, value)
        fits = builder.append_basic_block("fits")
        wrong = builder.append_basic_block("wrong.length")
        builder.cbranch(builder.icmp_signed("==", cgutils.unpack_tuple(builder, array.shape)[0], length), fits, wrong)
        builder.position_at_end(wrong)
        context.nrt.decref(builder, self.returned, value)
        self.fail(run, WRONG_LENGTH, leave)
        builder.position_at_end(fits)
        self.copy(array, begin, length)
        context.nrt.decref(builder, self.returned, value)

    def copy(self, array: Any, begin: Any, length: Any) -> None:
        builder, context = self.builder, self.context
        kind, stored = self.returned.dtype, self.stored[0]
        source_type, target_type = context.get_data_type(kind), context.get_data_type(stored)
        out = builder.gep(self.pointer(self.layout.first_output, target_type), [begin])
        item_bytes = WORD(context.get_abi_sizeof(source_type))
        stride = cgutils.unpack_tuple(builder, array.strides)[0]
        dense = builder.icmp_signed("==", stride, item_bytes)
        nat = isinstance(kind, types.NPDatetime | types.NPTimedelta)   # has missing values of its own

        def one(at: Any, source: Any) -> None:
            value = context.unpack_value(builder, kind, source)
            context.pack_value(builder, stored, self.converted(value, kind, stored), builder.gep(out, [at]))
            if nat:
                self.set_validity(0, builder.add(begin, at), self.present(value, kind))

        with builder.if_else(dense) as (then, otherwise):
            with then:
                if kind == stored and not nat:
                    cgutils.raw_memcpy(builder, out, array.data, length, context.get_abi_sizeof(source_type))
                else:
                    self.loop(WORD(0), length, lambda at, _: one(at, builder.gep(array.data, [at])))
            with otherwise:
                self.loop(WORD(0), length, lambda at, _: one(at, cgutils.pointer_add(builder, array.data, builder.mul(at, stride))))

    def keep_scalars(self, value: Any, at: Any) -> None:
        if not isinstance(self.returned, types.BaseTuple):
            self.keep_scalar(value, self.returned, 0, at)
            return
        for number, kind in enumerate(self.returned):
            self.keep_scalar(self.builder.extract_value(value, number), kind, number, at)

    def keep_scalar(self, value: Any, kind: Any, number: int, at: Any) -> None:
        builder, context = self.builder, self.context
        if isinstance(kind, types.Optional):
            optional = context.make_helper(builder, kind, value)
            with builder.if_else(cgutils.as_bool_bit(builder, optional.valid)) as (then, otherwise):
                with then:
                    self.keep_scalar(optional.data, kind.type, number, at)
                with otherwise:
                    self.keep_nothing(number, at)
            return
        if kind == types.none:
            self.keep_nothing(number, at)
            return
        stored = self.stored[number]
        word = self.layout.first_output + 2 * number
        out = self.builder.gep(self.pointer(word, context.get_data_type(stored)), [at])
        context.pack_value(builder, stored, self.converted(value, kind, stored), out)
        self.set_validity(number, at, self.present(value, kind))

    def keep_nothing(self, number: int, at: Any) -> None:
        kind = self.context.get_data_type(self.stored[number])
        out = self.builder.gep(self.pointer(self.layout.first_output + 2 * number, kind), [at])
        self.builder.store(cgutils.get_null_value(kind), out)
        self.set_validity(number, at, I8(0))

    def set_validity(self, number: int, at: Any, valid: Any) -> None:
        """Where the caller wants to know; a word of 0 says that it does not."""
        word = self.word(self.layout.first_output + 2 * number + 1)
        with self.builder.if_then(self.builder.icmp_unsigned("!=", word, WORD(0))):
            self.builder.store(valid, self.builder.gep(self.builder.inttoptr(word, I8.as_pointer()), [at]))

    def present(self, value: Any, kind: Any) -> Any:
        """1, or 0 for a NaT."""
        if not isinstance(kind, types.NPDatetime | types.NPTimedelta):
            return I8(1)
        return self.builder.zext(self.builder.icmp_signed("!=", value, WORD(-(2**63))), I8)

    def converted(self, value: Any, kind: Any, stored: Any) -> Any:
        """Dates are stored as 32-bit days, NaT as the least of them; else numba's own cast."""
        if isinstance(kind, types.NPDatetime) and stored == types.int32:
            nat = self.builder.icmp_signed("==", value, WORD(-(2**63)))
            return self.builder.select(nat, I32(-(2**31)), self.builder.trunc(value, I32))
        return value if kind == stored else self.context.cast(self.builder, value, kind, stored)
