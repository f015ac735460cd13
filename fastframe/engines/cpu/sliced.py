"""Row-wise functions that pyarrow computes on one thread, run on slices of rows by all threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from fastframe._threads import run_calls
from fastframe.column import Column
from fastframe.column.arrow import contiguous
from fastframe.column.memory import release_arrow_memory

if TYPE_CHECKING:
    from fastframe.engines.cpu.operands import Invocation

SLICE_ROWS = 1 << 18   # a pyarrow call costs some microseconds, so slices are larger than a kernel's


def over_slices(array: pa.Array, compute: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A row-wise function of one array, computed on slices; an encoded one is left whole, for its dictionary is small."""
    if len(array) < 2 * SLICE_ROWS or pa.types.is_dictionary(array.type):
        return compute(array)
    return _whole(run_calls([partial(compute, array.slice(start, SLICE_ROWS)) for start in range(0, len(array), SLICE_ROWS)]))


def _whole(parts: list[pa.Array]) -> pa.Array:
    whole = contiguous(pa.chunked_array(parts))
    parts.clear()
    release_arrow_memory()
    return whole


def by_slices(handler: Callable[[Invocation], Column]) -> Callable[[Invocation], Column]:
    """A handler of one row-wise function that works on slices; encoded text is left whole, for its dictionary is small."""

    def evaluate(call: Invocation) -> Column:
        if call.n_rows < 2 * SLICE_ROWS or any(one.column.is_encoded for one in call.operands):
            return handler(call)
        starts = range(0, call.n_rows, SLICE_ROWS)
        parts = run_calls([_part(handler, call, start) for start in starts])
        dtype, arrays = parts[0].dtype, [part.array for part in parts]
        del parts
        return Column(_whole(arrays), dtype)

    return evaluate


def _part(handler: Callable[[Invocation], Column], call: Invocation, start: int) -> Callable[[], Column]:
    n_rows = min(SLICE_ROWS, call.n_rows - start)
    operands = tuple(one if one.scalar else replace(one, column=one.column.slice(start, n_rows)) for one in call.operands)
    return lambda: handler(replace(call, operands=operands, n_rows=n_rows))
