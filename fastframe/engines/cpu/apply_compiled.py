"""A user's function called compiled: kernels of ``_jit/`` over the runs of groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastframe._jit.function import UserFunction
from fastframe.column import Column, Table
from fastframe.column.memory import allocate, allocate_array, as_buffer
from fastframe.dtypes import Physical
from fastframe.engines.cpu.apply import Results, Work, check_shape
from fastframe.engines.cpu.carried import carried_back, presence
from fastframe.engines.cpu.keys import cached_groups
from fastframe.engines.cpu.keys_text import encode_text
from fastframe.errors import JITError
from fastframe.ops.apply import Apply

if TYPE_CHECKING:
    from fastframe._jit.arguments import Result
    from fastframe._jit.kernel import Kernel
    from fastframe._kernels.memory import Block

Array = np.ndarray[Any, Any]

APART_ROWS = 1 << 18   # rows whose groups take long enough to be found while another thread compiles
_OPERATION = "function by group"


@dataclass(frozen=True)
class Begun:
    """A compilation that goes on beside the caller's work, where that is long."""

    kernel_of: Callable[[], Kernel]
    columns: Sequence[Column]
    extras: Sequence[Any]
    beside: Callable[[], AbstractContextManager[None]] = nullcontext

    def call(self, work: Work) -> Results:
        """The function, called on each run."""
        with self.beside():
            arrays = [work.values(column) for column in self.columns]
            masks = [presence(column, work.places) for column in work.columns] if work.spec.call.nulls == "mask" else []
        return _called(self.kernel_of(), arrays, masks, self.extras, work)


def begin_compiling(spec: Apply, table: Table) -> Begun:
    """Compile, beside the caller's work where that is long.

    Raises
    ------
    JITError
        At once, or from what comes back.
    """
    from fastframe._jit.kernel import Pending

    call, keys = spec.call, [table[key] for key in spec.keys]
    columns = [_encoded(table[name]) for name in call.columns]
    lookups = [_lookup(column, call.name) for column in columns if column.is_encoded]
    extras, function = (*lookups, *call.extras), UserFunction.of(call.function)

    def compiled() -> Kernel:
        from fastframe._jit.arguments import Codes
        from fastframe._jit.kernel import compile_runs

        texts = iter(lookups)
        kinds = [Codes(next(texts).dtype) if column.is_encoded else column.dtype for column in columns]
        return compile_runs(function, kinds, masks=call.nulls == "mask", extras=extras)

    if table.n_rows < APART_ROWS or cached_groups(keys, dropna=spec.dropna, sort=spec.sort) is not None:
        kernel = compiled()
        return Begun(lambda: kernel, columns, extras)
    pending = Pending(compiled)
    return Begun(pending.result, columns, extras, pending.beside)


def _lookup(column: Column, name: str) -> Array:
    from fastframe._jit.arguments import lookup_of

    return lookup_of(column.dictionary, name)


def _encoded(column: Column) -> Column:
    return encode_text(column) if column.dtype.is_text and not column.is_encoded else column


def _called(kernel: Kernel, arrays: Sequence[Array], masks: Sequence[Array], extras: Sequence[Any], work: Work) -> Results:
    """The kernel over all runs."""
    spec = work.spec
    from fastframe._jit.calls import Inputs, Output, over_runs

    vector, several = kernel.shape == "vector", len(kernel.results) > 1 or kernel.results[0].name is not None
    check_shape(spec, "an array" if vector else "several values", vector=vector, several=several)
    inputs = Inputs(arrays, masks, extras)
    length = work.places.n_placed if vector else len(work.runs)
    blocks = [allocate(length * result.storage.itemsize, _OPERATION) for result in kernel.results]
    present = [allocate_array(length, np.uint8, _OPERATION) if result.nullable and not vector else None for result in kernel.results]
    values = [_seen(block, result.storage, length) for block, result in zip(blocks, kernel.results, strict=True)]
    runs = work.runs.compiled
    outputs = [Output(one, valid) for one, valid in zip(values, present, strict=True)]
    failure = over_runs(kernel, inputs, runs, outputs, operation=_OPERATION)
    if failure is not None:
        _explain(kernel, inputs, runs, failure, work)
    if vector:
        (result,), (block,) = kernel.results, blocks
        return Results(None, (_without_nat(carried_back(block, result.dtype, work.places)),), per_row=True)
    columns = [_column(result, block, valid, length) for result, block, valid in zip(kernel.results, blocks, present, strict=True)]
    names = tuple([str(at) if result.name is None else result.name for at, result in enumerate(kernel.results)]) if several else None
    return Results(names, tuple(columns), per_row=False)


def _explain(kernel: Kernel, inputs: Any, runs: Any, failure: Any, work: Work) -> None:
    """Raise what failed, with the group's key.

    Raises
    ------
    FunctionError
    """
    from fastframe._jit.calls import call_again

    first, last = int(runs.begin[failure.run]), int(runs.end[failure.run])
    if failure.wrong_length:
        value = kernel.function.function(*[array[first:last] for array in (*inputs.columns, *inputs.masks)], *inputs.extras)
        raise work.wrong_length(failure.run, len(np.atleast_1d(value)))
    try:
        call_again(kernel, inputs, failure, runs)
    except JITError:   # it does not fail when it is not compiled: says so
        raise
    except Exception as error:   # the user's function's own
        raise work.raised(failure.run, error) from error


def _seen(block: Block, dtype: np.dtype[Any], length: int) -> Array:
    return np.frombuffer(block, dtype, length)   # type: ignore[call-overload, no-any-return]


def _column(result: Result, block: Block, present: Array | None, length: int) -> Column:
    """A column of one value per run; bools are bytes."""
    buffer = as_buffer(block)
    if result.dtype.physical is Physical.BOOL:
        buffer = pa.py_buffer(np.packbits(_seen(block, np.dtype(np.uint8), length), bitorder="little"))
    validity = None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))
    return Column(pa.Array.from_buffers(result.dtype.arrow, length, [validity, buffer]), result.dtype)


def _without_nat(column: Column) -> Column:
    """The column with nulls in place of NaT."""
    if not column.dtype.is_temporal:
        return column
    array = column.array
    words = array.view(pa.int32() if column.dtype.width == 4 else pa.int64())
    nat = pc.equal(words, pa.scalar(np.iinfo(words.type.to_pandas_dtype()).min, words.type))
    return Column(pc.if_else(nat, pa.scalar(None, array.type), array), column.dtype) if pc.any(nat).as_py() else column
