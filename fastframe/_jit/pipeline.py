"""numba's pipeline with passes of ours, by its documented extension points; nothing of numba's own is changed.

- A plain Python function that ``f`` calls is compiled, too, as if it were decorated.
- ``return {"low": a, "high": b}`` with constant keys becomes a tuple, and the keys are kept.
- In plain functions, integer divisions by zero raise (`divisions.py`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numba
from numba.core import errors, ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, FunctionPass, register_pass
from numba.core.typed_passes import NopythonTypeInference
from numba.core.untyped_passes import FixupArgs, IRProcessing

from fastframe._jit.divisions import CheckDivisions
from fastframe._jit.function import PLAIN_OPTIONS
from fastframe._jit.shortcuts import shortcut


@register_pass(mutates_CFG=False, analysis_only=False)
class CompileHelpers(FunctionPass):   # type: ignore[misc]
    """Wraps Python functions of globals and closures, which numba would not call."""

    _name = "fastframe_compile_helpers"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        changed = False
        for block in state.func_ir.blocks.values():
            for assignment in block.find_insts(ir.Assign):
                value = assignment.value
                if isinstance(value, ir.Global | ir.FreeVar) and isinstance(value.value, FunctionType):
                    changed |= _wrap(value, state.typingctx, self.compiler())
        return changed

    def compiler(self) -> type[CompilerBase]:
        """What compiles them."""
        return HelperCompiler


def _wrap(value: Any, typing: Any, compiler: type[CompilerBase]) -> bool:
    if value.value.__code__.co_flags & inspect.CO_VARKEYWORDS:
        return False   # not to be compiled (IPython's `open` is such a one): numba then says which name it does not know
    try:
        if typing.resolve_value_type(value.value) is not None:
            return False   # numba knows it itself
    except (ValueError, errors.NumbaError):
        pass
    value.value = numba.njit(pipeline_class=compiler, **PLAIN_OPTIONS)(value.value)
    return True


@register_pass(mutates_CFG=False, analysis_only=True)
class RefuseWrites(AnalysisPass):   # type: ignore[misc]
    """``x -= 1`` for an argument ``x``: numba's typing of it trips over read-only arrays."""

    _name = "fastframe_refuse_writes"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        for block in state.func_ir.blocks.values():
            for expression in block.find_exprs(op="inplace_binop"):
                if _is_given_array(state, expression.lhs.name):
                    raise errors.TypingError("Cannot modify readonly array", loc=expression.loc)
        return False


def _is_given_array(state: Any, name: str) -> bool:
    """Whether a variable is an argument's array, and becomes nothing else but by writing into it."""
    definitions = state.func_ir._definitions.get(name, [])
    written = [one for one in definitions if not isinstance(one, ir.Arg)]
    for one in written:
        source = state.func_ir._definitions.get(one.name, [one])[0] if isinstance(one, ir.Var) else one
        if getattr(source, "op", None) != "inplace_binop":
            return False
    return any(isinstance(one, ir.Arg) and isinstance(state.args[one.index], types.Array) for one in definitions)


@register_pass(mutates_CFG=False, analysis_only=False)
class NameResults(FunctionPass):   # type: ignore[misc]
    """A returned dict of constant keys becomes a tuple; its keys go to the compilation's metadata."""

    _name = "fastframe_name_results"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        func_ir = state.func_ir
        found = []
        for block in func_ir.blocks.values():
            if block.is_terminated and isinstance(block.terminator, ir.Return):
                source = _built(func_ir, block.terminator.value)
                if source is None:
                    return False
                found.append(source)
        names = {names for _, names in found}
        if len(names) != 1:
            return False
        for expression, _ in found:
            items = [value for _, value in expression.items]
            expression.op = "build_tuple"
            expression._kws.clear()
            expression._kws["items"] = items
        state.metadata["fastframe_names"] = names.pop()
        return True


def _built(func_ir: Any, variable: Any) -> tuple[Any, tuple[str, ...]] | None:
    """The dict display behind a returned variable and its keys; None where it is anything else."""
    try:
        definition = func_ir.get_definition(variable)
        while isinstance(definition, ir.Expr) and definition.op == "cast":
            definition = func_ir.get_definition(definition.value)
        if not (isinstance(definition, ir.Expr) and definition.op == "build_map"):
            return None
        keys = [func_ir.get_definition(key) for key, _ in definition.items]
    except KeyError:
        return None
    if not keys or not all(isinstance(key, ir.Const) and isinstance(key.value, str) for key in keys):
        return None
    return definition, tuple(key.value for key in keys)


@register_pass(mutates_CFG=False, analysis_only=False)
class TakeShortcuts(FunctionPass):   # type: ignore[misc]
    """Calls that `shortcuts.py` knows become calls of its intrinsics, which compile a hundred times faster."""

    _name = "fastframe_take_shortcuts"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        func_ir, changed = state.func_ir, False
        for block in func_ir.blocks.values():
            getters = {one.target.name: one for one in block.find_insts(ir.Assign) if isinstance(one.value, ir.Expr) and one.value.op == "getattr"}
            for call in block.find_exprs(op="call"):
                getter = getters.get(call.func.name)
                if getter is not None and call.func.name.startswith("$"):   # a temporary: nobody else has it
                    changed |= _shorten(func_ir, call, getter, self.known)
        return changed

    def known(self, module: Any, name: str, n_args: int) -> Any:
        """What is called instead; None where nothing is."""
        return shortcut(module, name, n_args)


def _shorten(func_ir: Any, call: Any, getter: Any, known: Callable[[Any, str, int], Any]) -> bool:
    if call.kws or call.vararg:
        return False
    owner = getter.value.value
    definition = func_ir._definitions.get(owner.name, [None])[0]
    module = definition.value if isinstance(definition, ir.Global | ir.FreeVar) and isinstance(definition.value, ModuleType) else None
    found = known(module, getter.value.attr, len(call.args))
    if found is None:
        return False
    if module is None:
        call.args = [owner, *call.args]
    getter.value = ir.Global(getter.value.attr, found, getter.loc)
    func_ir._definitions[getter.target.name] = [getter.value]
    return True


class HelperCompiler(CompilerBase):   # type: ignore[misc]
    """For functions that a user's function calls."""

    helpers: type[CompileHelpers] = CompileHelpers

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(self.helpers, FixupArgs)
        self.add_passes(manager)
        manager.add_pass_after(CheckDivisions, NopythonTypeInference)
        manager.finalize()
        return [manager]

    def add_passes(self, manager: Any) -> None:
        """What comes on top."""


class UserCompiler(CompilerBase):   # type: ignore[misc]
    """For the user's function itself."""

    helpers: type[CompileHelpers] = CompileHelpers

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(self.helpers, FixupArgs)
        manager.add_pass_after(NameResults, IRProcessing)
        manager.add_pass_after(RefuseWrites, IRProcessing)
        self.add_passes(manager)
        manager.finalize()
        return [manager]

    def add_passes(self, manager: Any) -> None:
        """What comes on top."""


class ShortCompiler(UserCompiler):
    """With shortcuts; raises numba's typing error where their types do not fit, and then one without is to be used."""

    def add_passes(self, manager: Any) -> None:
        manager.add_pass_after(TakeShortcuts, IRProcessing)


class PlainCompiler(UserCompiler):
    """For functions that numba has not decorated."""

    def add_passes(self, manager: Any) -> None:
        manager.add_pass_after(CheckDivisions, NopythonTypeInference)


class ShortPlainCompiler(ShortCompiler):
    """With shortcuts, for functions that numba has not decorated."""

    def add_passes(self, manager: Any) -> None:
        super().add_passes(manager)
        manager.add_pass_after(CheckDivisions, NopythonTypeInference)


def compiler_of(*, plain: bool, shortcuts: bool) -> type[UserCompiler]:
    """For a function that numba has decorated or not, with shortcuts or without."""
    if plain:
        return ShortPlainCompiler if shortcuts else PlainCompiler
    return ShortCompiler if shortcuts else UserCompiler
