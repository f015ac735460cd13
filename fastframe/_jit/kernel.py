"""A user's function as a kernel: compiled once per function, dtypes and mode, called over runs of rows or over rows."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from fastframe._jit import disk
from fastframe._jit.cache import KernelCache
from fastframe._jit.fingerprint import Fingerprint
from fastframe._jit.function import UserFunction
from fastframe._threads import budget, record
from fastframe.dtypes import DType, dtype
from fastframe.errors import JITError
from fastframe.options import options

if TYPE_CHECKING:
    from fastframe._jit.arguments import Codes, Result
    from fastframe._jit.layout import Compiled, Layout

Shape = Literal["scalar", "vector"]
Made = tuple["tuple[Result, ...]", Shape, "Compiled"]
Form = tuple["Layout", bool]   # and whether neighbouring windows are called at once where they can be


@dataclass(frozen=True)
class Kernel:
    """A compiled function. `fastframe._jit.calls` calls it.

    Attributes
    ----------
    function : UserFunction
    columns : tuple of DType or Codes
    results : tuple of Result
        ``(name, dtype, nullable, storage)`` each; one, unless the function returns a tuple or a dict.
    shape : "scalar" (a value per run, or per row) or "vector" (a value per row of the run)
    compile_seconds : float
        What the compilation took in this process; 0 for a kernel that was at hand.
    """

    function: UserFunction
    columns: tuple[DType | Codes, ...]
    results: tuple[Result, ...]
    shape: Shape
    compile_seconds: float
    layout: Layout
    compiled: Compiled = field(repr=False)
    identity: Fingerprint = field(repr=False)   # holds what is told apart by identity, so that no other object gets it

    @property
    def masks(self) -> bool:
        """Whether the function takes a boolean validity array behind each column's."""
        return self.layout.masks

    @property
    def rows(self) -> bool:
        """Called once per row, with scalars."""
        return self.layout.rows


def compile_runs(
    function: UserFunction,
    columns: Sequence[DType | Codes],
    *,
    masks: bool = False,
    extras: Sequence[Any] = (),
    vector: bool | None = None,
    together: bool = False,
) -> Kernel:
    """The kernel that calls ``function`` once per run, with an array per column.

    Parameters
    ----------
    columns : sequence of DType or Codes
        `arguments.storage` says how their values have to lie in memory.
    masks : bool
        Also give a bool array per column, True where a value is present.
    extras : sequence
        Values of the parameters behind the arrays, as `UserFunction.bind` gives them: their types decide the code,
        their values do not. The arrays that codes point into come first.
    vector : bool or None
        Whether it has to return a vector of the run's length, or has to return scalars; None takes either.
    together : bool
        Also compile it for sixteen neighbouring windows at once, where it can be (`lane_glue.py`): pays for many runs that are
        such windows, and takes about twice as long to compile. Results are the same.

    Raises
    ------
    JITError
        It cannot be compiled for these types, or returns what cannot be stored.
    """
    kernel = _compiled(function, tuple(columns), Mode(masks, together=together), tuple(extras))
    if vector is not None and vector != (kernel.shape == "vector"):
        returns, wanted = ("one vector", "one value per group") if kernel.shape == "vector" else ("one value per group", "a vector of the group's length")
        raise JITError.other_shape(function.name, function.line(), returns, wanted)
    return kernel


def compile_rows(function: UserFunction, columns: Sequence[DType | Codes], *, masks: bool = False, extras: Sequence[Any] = ()) -> Kernel:
    """The kernel that calls ``function`` once per row, with a scalar per column; else as `compile_runs`."""
    return _compiled(function, tuple(columns), Mode(masks, rows=True), tuple(extras))


@dataclass(frozen=True)
class Returned:
    """What a function returns, which is known before machine code is made: as in `Kernel`."""

    results: tuple[Result, ...]
    shape: Shape


_tell: ContextVar[Callable[[Returned], None] | None] = ContextVar("_tell", default=None)   # who waits for it beside the compiling thread
_LOOK = 0.005   # seconds in which a kernel that is at hand is found


class Pending:
    """A compilation on a thread of its own, so that the caller can meanwhile bring rows into order."""

    def __init__(self, make: Callable[[], Kernel]) -> None:
        self._future: Future[Kernel] = Future()
        self._returned: Future[Returned] = Future()
        context = copy_context()   # who profiles the caller sees it
        threading.Thread(target=context.run, args=(self._run, make), name="fastframe-compile", daemon=True).start()

    def _run(self, make: Callable[[], Kernel]) -> None:
        _tell.set(self._returned.set_result)
        try:
            kernel = make()
        except BaseException as error:
            self._future.set_exception(error)
            return
        if not self._returned.done():   # it was at hand, or another thread compiled it
            self._returned.set_result(Returned(kernel.results, kernel.shape))
        self._future.set_result(kernel)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """For work that the caller does meanwhile: one core is left to a compilation that takes longer than a look at the cache.

        Three threads on two cores would make the compilation, for which everybody waits, half as long again.
        """
        if wait([self._future], timeout=_LOOK).done:
            yield
            return
        with budget.sharing(max(1, budget.thread_count() - 1)):
            yield

    def returned(self) -> Returned:
        """What the function returns, or the error of its compilation: before LLVM makes machine code of it."""
        self._wait(self._returned, self._future)
        if not self._returned.done():
            self.result()   # raises: it has failed before
        return self._returned.result()

    def result(self) -> Kernel:
        """The kernel, or the error of its compilation."""
        self._wait(self._future)
        return self._future.result()

    @staticmethod
    def _wait(*futures: Future[Any]) -> None:
        """In steps, so that Ctrl-C arrives."""
        while not any(future.done() for future in futures):
            wait(futures, timeout=0.05, return_when=FIRST_COMPLETED)


kernels: KernelCache[Kernel] = KernelCache(lambda: options.jit_cache)


class Mode(NamedTuple):
    """How a function is called, besides its arguments."""

    masks: bool
    rows: bool = False
    together: bool = False


def _compiled(function: UserFunction, columns: tuple[Any, ...], mode: Mode, extras: tuple[Any, ...]) -> Kernel:
    with _first_import():
        from fastframe._jit.arguments import column_type, extra_type
        from fastframe._jit.layout import Layout

    masks, rows, together = mode
    names = function.parameters[-len(extras) or len(function.parameters) :]
    if len(function.parameters) != len(columns) * (1 + masks) + len(extras):
        given = f"{len(columns) * (1 + masks)} arrays and {len(extras)} more arguments"
        raise JITError.parameters(function.name, f"{len(function.parameters)} arguments ({', '.join(function.parameters)})", given)
    column_types = tuple(column_type(one, rows, function) for one in columns)
    extra_types = tuple(extra_type(function, name, value) for name, value in zip(names, extras, strict=True))
    found = function.fingerprint()
    key = (found.digest, column_types, mode, extra_types, str(function.out))
    return kernels.get(key, lambda: _made(function, columns, (Layout(column_types, masks, extra_types, rows), together), found))


def _first_import() -> AbstractContextManager[Any]:
    """What numba's import costs a process is seen in profiles, too."""
    return nullcontext() if "numba" in sys.modules else record.operation("import", "numba")


def _made(function: UserFunction, columns: tuple[Any, ...], form: Form, found: Fingerprint) -> Kernel:
    """The kernel, from the disk or from numba; it holds what ``found`` tells apart by identity."""
    with record.operation("compile", function.name):
        return _made_now(function, columns, form, found)


def _made_now(function: UserFunction, columns: tuple[Any, ...], form: Form, found: Fingerprint) -> Kernel:
    layout, _ = form
    begun = time.perf_counter()
    lasting = found.portable and not function.parallel and os.path.isfile(function.function.__code__.co_filename)
    key = disk.key_of(found.digest, form, str(function.out)) if lasting else None
    made = _from_disk(key) if key is not None else None
    if made is None:
        made = _compile(function, form, key)
    results, shape, compiled = made
    return Kernel(function, columns, results, shape, time.perf_counter() - begun, layout, compiled, found)


def _from_disk(key: str) -> Made | None:
    stored = disk.load(key)
    if stored is None:
        return None
    from fastframe._jit.arguments import Result
    from fastframe._jit.load import load_kernel

    facts = stored.facts
    compiled = load_kernel(facts["symbol"], stored.code, facts["needed"], together=facts["together"])
    if compiled is None:
        return None
    results = tuple(Result(name, dtype(kind), nullable, np.dtype(storage)) for name, kind, nullable, storage in facts["results"])
    return results, facts["shape"], compiled


def _compile(function: UserFunction, form: Form, key: str | None) -> Made:
    from fastframe._jit.arguments import declared, results_of, stored_type
    from fastframe._jit.glue import object_code

    told: list[Any] = []
    layout, together = form

    def results(returned: Any, names: tuple[str, ...] | None) -> tuple[Any, ...]:
        found, vector = results_of(function, returned, names)
        if vector and layout.rows:
            raise JITError.other_shape(function.name, function.line(), "an array", "one value per row")
        told[:] = declared(function, found, function.out), "vector" if vector else "scalar"
        tell = _tell.get()
        if tell is not None:
            tell(Returned(*told))
        return tuple(stored_type(one) for one in told[0])

    compiled = _translated(function, layout, results, together=together)
    code = object_code(compiled) if key is not None else None
    if key is not None and code is not None:
        listed = [[one.name, one.dtype.name, one.nullable, one.storage.str] for one in told[0]]
        facts = {"symbol": compiled.symbol, "needed": code[1], "results": listed, "shape": told[1], "together": compiled.together}
        disk.save(key, facts, code[0])
    return told[0], told[1], compiled


def _translated(function: UserFunction, layout: Layout, results: Any, *, together: bool) -> Compiled:
    """Compiled, with numba's errors in our words."""
    import numba
    from numba.core import errors

    from fastframe._jit.failures import jit_error
    from fastframe._jit.layout import GlueError

    refusals = (errors.NumbaError, getattr(errors, "UnsupportedBytecodeError", errors.NumbaError))
    try:
        from fastframe._jit.glue import compile_kernel

        return compile_kernel(function.function, dict(function.options), layout, results, plain=function.plain, together=together)
    except refusals as error:
        raise jit_error(function, error) from error
    except (GlueError, ImportError) as error:   # a numba that is built otherwise
        raise JITError.internal(function.name, numba.__version__, str(error)) from error
    except (JITError, MemoryError):
        raise
    except Exception as error:   # numba trips over some functions instead of refusing them
        raise JITError.compiler_failed(function.name, function.line(), f"{type(error).__name__}: {error}") from error


