"""Memory for what a compiled function returns, and the columns that it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column
from fastframe.column.memory import allocate, allocate_array, as_buffer
from fastframe.dtypes import Physical
from fastframe.engines.cpu.apply import Results

if TYPE_CHECKING:
    from fastframe._jit.arguments import Result
    from fastframe._jit.kernel import Kernel, Returned
    from fastframe._kernels.memory import Block

Array = np.ndarray[Any, Any]


class Room:
    """Memory for a kernel's results: of ``length`` runs, or rows; ``lacking`` where some runs are not called."""

    def __init__(self, kernel: Kernel, length: int, *, operation: str, lacking: bool = False) -> None:
        from fastframe._jit.calls import Output

        self.kernel, self.length = kernel, length
        vector = kernel.shape == "vector"
        self.blocks = [allocate(length * result.storage.itemsize, operation) for result in kernel.results]
        told = [lacking or (result.nullable and not vector) for result in kernel.results]
        self.present = [allocate_array(length, np.uint8, operation) if one else None for one in told]
        values = [_seen(block, result.storage, length) for block, result in zip(self.blocks, kernel.results, strict=True)]
        self.outputs = [Output(one, valid) for one, valid in zip(values, self.present, strict=True)]

    def results(self) -> Results:
        """One row per run."""
        found = zip(self.kernel.results, self.blocks, self.present, strict=True)
        columns = tuple([_column(result, block, valid, self.length) for result, block, valid in found])
        return Results(names_of(self.kernel), columns, per_row=False)


def names_of(returned: Kernel | Returned) -> tuple[str, ...] | None:
    """The names of a tuple's or dict's fields; None where the function returns neither."""
    results = returned.results
    if len(results) == 1 and results[0].name is None:
        return None
    return tuple([str(at) if result.name is None else result.name for at, result in enumerate(results)])


def _seen(block: Block, dtype: np.dtype[Any], length: int) -> Array:
    return np.frombuffer(block, dtype, length)   # type: ignore[call-overload, no-any-return]


def _column(result: Result, block: Block, present: Array | None, length: int) -> Column:
    """A column of one value per run; bools are bytes."""
    buffer = as_buffer(block)
    if result.dtype.physical is Physical.BOOL:
        buffer = pa.py_buffer(np.packbits(_seen(block, np.dtype(np.uint8), length), bitorder="little"))
    validity = None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))
    return Column(pa.Array.from_buffers(result.dtype.arrow, length, [validity, buffer]), result.dtype)
