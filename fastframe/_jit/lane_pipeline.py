"""numba's pipeline for a function of lanes: as in `pipeline.py`, and a look at what came of it before machine code is made."""

from __future__ import annotations

import math
import operator
from typing import Any

from numba.core import errors, ir
from numba.core import types as numba_types
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import NopythonTypeInference
from numba.core.untyped_passes import IRProcessing

from fastframe._jit.divisions import CheckDivisions, checked_divisor, checked_exponent
from fastframe._jit.lane_operations import VARYING
from fastframe._jit.lane_shortcuts import FOR_LANES, lane_shortcut
from fastframe._jit.lanes import LaneIterator, Lanes, LaneSequence
from fastframe._jit.pipeline import CompileHelpers, HelperCompiler, TakeShortcuts, UserCompiler

types: Any = numba_types

_STATEMENTS = (ir.Assign, ir.Branch, ir.Jump, ir.Return, ir.Del, ir.Raise, ir.StaticRaise)
_EXPRESSIONS = frozenset({
    "binop", "inplace_binop", "unary", "call", "getitem", "static_getitem", "getattr", "getiter", "iternext", "pair_first", "pair_second",
    "build_tuple", "exhaust_iter", "cast", "phi",
})  # fmt: skip
_ANY = VARYING | FOR_LANES | {enumerate, zip}
_UNIFORM = frozenset({
    range, round, int, bool, divmod, operator.not_, operator.invert, operator.lshift, operator.rshift, operator.is_, operator.is_not,
    operator.floordiv, operator.ifloordiv, operator.mod, operator.imod, checked_divisor, checked_exponent,
    *(one for one in vars(math).values() if callable(one)),
})  # fmt: skip
"""What may be called besides, where nothing is varying; nothing with side effects, which would come once for all lanes."""


class RefusedLanes(errors.NumbaError):   # type: ignore[misc]
    """The function cannot be called for several windows at once."""


@register_pass(mutates_CFG=False, analysis_only=True)
class CheckLanes(AnalysisPass):   # type: ignore[misc]
    """Refuses what has no rule of its own in lanes.

    numba has code for values of any type here and there (``is``, ``print``, ``hash``), and exceptions that are caught are control flow that
    could differ by lane. An exception that leaves the function is no trouble: its windows are done again, one by one.
    """

    _name = "fastframe_check_lanes"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        for block in state.func_ir.blocks.values():
            for statement in block.body:
                if not isinstance(statement, _STATEMENTS):
                    raise RefusedLanes(f"statement {type(statement).__name__}", loc=statement.loc)
                if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Expr):
                    _check(state, statement.value)
        return False


def _check(state: Any, expression: Any) -> None:
    if expression.op not in _EXPRESSIONS:
        raise RefusedLanes(f"expression {expression.op}", loc=expression.loc)
    if expression.op in ("binop", "inplace_binop", "unary"):
        function, names = expression.fn, [one.name for one in expression.list_vars()]
    elif expression.op == "call":
        called = state.typemap[expression.func.name]
        if isinstance(called, types.Dispatcher):
            if called.dispatcher._compiler.pipeline_class is not LaneHelperCompiler:
                raise RefusedLanes("a call of a compiled function", loc=expression.loc)
            return   # its own compilation looks at it
        if isinstance(called, types.ExceptionClass):
            return
        function = getattr(called, "typing_key", None)
        names = [one.name for one in expression.list_vars() if one.name != expression.func.name]
    else:
        return   # these have rules for types of their own only
    varying = any(_is_varying(state.typemap[name]) for name in names)
    if function not in _ANY and (varying or function not in _UNIFORM):
        raise RefusedLanes(f"call of {function}", loc=expression.loc)


def _is_varying(kind: Any) -> bool:
    if isinstance(kind, types.BaseTuple):
        return any(_is_varying(one) for one in kind)
    return isinstance(kind, Lanes | LaneSequence | LaneIterator)


@register_pass(mutates_CFG=False, analysis_only=False)
class CompileLaneHelpers(CompileHelpers):
    """Functions that are called get lanes, too, and are looked at as well."""

    _name = "fastframe_compile_lane_helpers"

    def compiler(self) -> type[CompilerBase]:
        return LaneHelperCompiler


@register_pass(mutates_CFG=False, analysis_only=False)
class TakeLaneShortcuts(TakeShortcuts):
    """Calls that `lane_shortcuts.py` knows."""

    _name = "fastframe_take_lane_shortcuts"

    def known(self, module: Any, name: str, n_args: int) -> Any:
        return lane_shortcut(module, name, n_args)


class LaneHelperCompiler(HelperCompiler):
    """For functions that a function of lanes calls."""

    helpers = CompileLaneHelpers

    def add_passes(self, manager: Any) -> None:
        manager.add_pass_after(CheckLanes, NopythonTypeInference)


class LaneCompiler(UserCompiler):
    """For the user's function itself."""

    helpers = CompileLaneHelpers

    def add_passes(self, manager: Any) -> None:
        manager.add_pass_after(TakeLaneShortcuts, IRProcessing)
        manager.add_pass_after(CheckLanes, NopythonTypeInference)


class PlainLaneCompiler(LaneCompiler):
    """For functions that numba has not decorated."""

    def add_passes(self, manager: Any) -> None:
        super().add_passes(manager)
        manager.add_pass_after(CheckDivisions, NopythonTypeInference)


def lane_compiler_of(*, plain: bool) -> type[UserCompiler]:
    """For a function that numba has decorated or not."""
    return PlainLaneCompiler if plain else LaneCompiler
