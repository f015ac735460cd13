"""A user's function called compiled: kernels of ``_jit/`` over the runs of groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastframe._jit.function import UserFunction
from fastframe.column import Column, Table
from fastframe.engines.cpu.apply import Results, Work, check_declared, check_shape
from fastframe.engines.cpu.carried import carried_back, presence
from fastframe.engines.cpu.keys import cached_groups
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.engines.cpu.room import Room, names_of
from fastframe.errors import FunctionError, JITError
from fastframe.ops.apply import Apply, FunctionCall, WindowApply
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe._jit.kernel import Kernel, Returned

Array = np.ndarray[Any, Any]

APART_ROWS = 1 << 18   # rows whose groups take long enough to be found while another thread compiles
_OPERATION = "function by group"


@record(frozen=True)
class Prepared:
    """The columns that a function is called on (text as codes), the values of its other parameters, and its compilation."""

    columns: tuple[Column, ...]
    extras: tuple[Any, ...]
    compiled: Callable[[], Kernel]


def prepared(call: FunctionCall, table: Table, *, together: bool = False) -> Prepared:
    """What a call needs before rows are brought together; ``together``: as `compile_runs` has it."""
    columns = tuple([_encoded(table[name]) for name in call.columns])
    lookups = [_lookup(column, call.name) for column in columns if column.is_encoded]
    extras, function = (*lookups, *call.extras), UserFunction.of(call.function)

    def compiled() -> Kernel:
        from fastframe._jit.arguments import Codes
        from fastframe._jit.kernel import compile_runs

        texts = iter(lookups)
        kinds = [Codes(next(texts).dtype) if column.is_encoded else column.dtype for column in columns]
        return compile_runs(function, kinds, masks=call.nulls == "mask", extras=extras, together=together)

    return Prepared(columns, extras, compiled)


@record(frozen=True)
class Begun:
    """A compilation that goes on beside the caller's work, where that is long."""

    ready: Prepared
    kernel_of: Callable[[], Kernel]
    beside: Callable[[], AbstractContextManager[None]] = nullcontext

    def call(self, work: Work) -> Results:
        """The function, called on each run."""
        with self.beside():
            arrays = [work.values(column) for column in self.ready.columns]
            masks = [presence(column, work.places) for column in work.columns] if work.spec.call.nulls == "mask" else []
        return _called(self.kernel_of(), arrays, masks, self.ready.extras, work)


def begin_compiling(spec: Apply, table: Table) -> Begun:
    """Compile, beside the caller's work where that is long; what the function returns is known and checked before that.

    Raises
    ------
    JITError, FunctionError
    """
    from fastframe._jit.kernel import Pending

    ready, keys = prepared(spec.call, table), [table[key] for key in spec.keys]
    if table.n_rows < APART_ROWS or cached_groups(keys, dropna=spec.dropna, sort=spec.sort) is not None:
        kernel = ready.compiled()
        check_returned(spec, kernel)
        return Begun(ready, lambda: kernel)
    pending = Pending(ready.compiled)
    check_returned(spec, pending.returned())
    return Begun(ready, pending.result, pending.beside)


def _lookup(column: Column, name: str) -> Array:
    """The values that a column's codes stand for, as compiled code can read them."""
    from fastframe._jit.arguments import lookup_of

    return lookup_of(column.dictionary, name)


def _encoded(column: Column) -> Column:
    return encode_text(column) if column.dtype.is_text and not column.is_encoded else column


def check_returned(spec: Apply | WindowApply, returned: Kernel | Returned) -> None:
    """Raise `FunctionError` unless what a compiled function returns can be a result, and one as declared."""
    vector, names = returned.shape == "vector", names_of(returned)
    check_shape(spec, "an array" if vector else "several values", vector=vector, several=names is not None)
    check_declared(spec, names, [one.dtype for one in returned.results])


def _called(kernel: Kernel, arrays: Sequence[Array], masks: Sequence[Array], extras: Sequence[Any], work: Work) -> Results:
    """The kernel over all runs."""
    from fastframe._jit.calls import Inputs, over_runs

    vector = kernel.shape == "vector"
    inputs, runs = Inputs(arrays, masks, extras), work.runs.compiled
    room = Room(kernel, work.places.n_placed if vector else len(work.runs), operation=_OPERATION)
    failure = over_runs(kernel, inputs, runs, room.outputs, operation=_OPERATION)
    if failure is not None:
        _explain(kernel, inputs, runs, failure, work)
    if not vector:
        return room.results()
    (result,), (block,) = kernel.results, room.blocks
    return Results(None, (_without_nat(carried_back(block, result.dtype, work.places)),), per_row=True)


def _explain(kernel: Kernel, inputs: Any, runs: Any, failure: Any, work: Work) -> None:
    """Raise what failed, with the group's key.

    Raises
    ------
    FunctionError
    """
    if failure.wrong_length:
        first, last = int(runs.begin[failure.run]), int(runs.end[failure.run])
        value = kernel.function.function(*[array[first:last] for array in (*inputs.columns, *inputs.masks)], *inputs.extras)
        raise work.wrong_length(failure.run, len(np.atleast_1d(value)))
    explain_raised(kernel, inputs, runs, failure, work.raised)


def explain_raised(kernel: Kernel, inputs: Any, runs: Any, failure: Any, raised: Callable[[int, BaseException], FunctionError]) -> None:
    """Raise what the function raises on a failing run, as ``raised`` tells it.

    Raises
    ------
    FunctionError
    """
    from fastframe._jit.calls import call_again

    try:
        call_again(kernel, inputs, failure, runs)
    except JITError:   # it does not fail when it is not compiled: says so
        raise
    except Exception as error:   # the user's function's own
        raise raised(failure.run, error) from error


def _without_nat(column: Column) -> Column:
    """The column with nulls in place of NaT."""
    if not column.dtype.is_temporal:
        return column
    array = column.array
    words = array.view(pa.int32() if column.dtype.width == 4 else pa.int64())
    nat = pc.equal(words, pa.scalar(np.iinfo(words.type.to_pandas_dtype()).min, words.type))
    return Column(pc.if_else(nat, pa.scalar(None, array.type), array), column.dtype) if pc.any(nat).as_py() else column
