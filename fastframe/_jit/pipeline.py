"""numba's pipeline with two passes of ours, by its documented extension points; nothing of numba's own is changed.

- A plain Python function that ``f`` calls is compiled, too, as if it were decorated.
- ``return {"low": a, "high": b}`` with constant keys becomes a tuple, and the keys are kept.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numba
from numba.core import errors, ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import FixupArgs, IRProcessing


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
                    changed |= _wrap(value, state.typingctx)
        return changed


def _wrap(value: Any, typing: Any) -> bool:
    try:
        if typing.resolve_value_type(value.value) is not None:
            return False   # numba knows it itself
    except (ValueError, errors.NumbaError):
        pass
    value.value = numba.njit(pipeline_class=HelperCompiler, error_model="numpy")(value.value)
    return True


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


class HelperCompiler(CompilerBase):   # type: ignore[misc]
    """For functions that a user's function calls."""

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(CompileHelpers, FixupArgs)
        manager.finalize()
        return [manager]


class UserCompiler(CompilerBase):   # type: ignore[misc]
    """For the user's function itself."""

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(CompileHelpers, FixupArgs)
        manager.add_pass_after(NameResults, IRProcessing)
        manager.finalize()
        return [manager]
