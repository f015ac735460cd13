"""A user's function called compiled: kernels of ``_jit/`` over the runs of groups."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
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
from fastframe.ops.apply import Apply

if TYPE_CHECKING:
    from fastframe._jit.arguments import Result
    from fastframe._jit.kernel import Kernel
    from fastframe._kernels.memory import Block

Array = np.ndarray[Any, Any]

APART_ROWS = 1 << 18   # rows whose groups take long enough to be found while another thread compiles
_OPERATION = "function by group"


class Prepared:
    """A kernel, and the columns as it gets them."""

    def __init__(self, spec: Apply, table: Table) -> None:
        from fastframe._jit.arguments import Codes, lookup_array
        from fastframe._jit.kernel import compile_runs

        call = spec.call
        self.columns = [_encoded(table[name]) for name in call.columns]
        lookups = [lookup_array(column.dictionary.to_numpy(zero_copy_only=False)) for column in self.columns if column.is_encoded]
        texts = iter(lookups)
        kinds = [Codes(next(texts).dtype) if column.is_encoded else column.dtype for column in self.columns]
        self.extras = (*lookups, *call.extras)
        function = UserFunction.of(call.function)
        self.kernel: Kernel = compile_runs(function, kinds, masks=call.nulls == "mask", extras=self.extras)


def begin_compiling(spec: Apply, table: Table) -> Callable[[Work], Results]:
    """Compile, beside the caller's work where that is long; what comes back calls the function on each run.

    Raises
    ------
    JITError
        At once, or from what comes back.
    """
    keys = [table[key] for key in spec.keys]
    if table.n_rows < APART_ROWS or cached_groups(keys, dropna=spec.dropna, sort=spec.sort) is not None:
        prepared = Prepared(spec, table)
        return lambda work: _called(prepared, work)
    future: Future[Prepared] = Future()
    Thread(target=_fulfil, args=(future, spec, table), name="fastframe-compile", daemon=True).start()
    return lambda work: _called(future.result(), work)


def _fulfil(future: Future[Prepared], spec: Apply, table: Table) -> None:
    try:
        future.set_result(Prepared(spec, table))
    except BaseException as error:   # of any kind: it is raised where the result is asked for
        future.set_exception(error)


def _encoded(column: Column) -> Column:
    return encode_text(column) if column.dtype.is_text and not column.is_encoded else column


def _called(prepared: Prepared, work: Work) -> Results:
    """The kernel over all runs."""
    from fastframe._jit.calls import Inputs, Output, over_runs

    kernel, spec = prepared.kernel, work.spec
    vector, several = kernel.shape == "vector", len(kernel.results) > 1 or kernel.results[0].name is not None
    check_shape(spec, "an array" if vector else "several values", vector=vector, several=several)
    arrays = [work.values(column) for column in prepared.columns]
    masks = [presence(column, work.places) for column in work.columns] if kernel.masks else []
    inputs = Inputs(arrays, masks, prepared.extras)
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

    try:
        call_again(kernel, inputs, failure, runs)
    except Exception as error:   # the user's function's own
        if failure.wrong_length:
            raise work.wrong_length(failure.run, -1) from error
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
