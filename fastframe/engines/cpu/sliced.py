"""Row-wise functions that pyarrow computes on one thread, run on slices of rows by all threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from fastframe._threads import fine_slice_rows, run_calls
from fastframe.column import Column
from fastframe.column.arrow import contiguous
from fastframe.column.memory import release_arrow_memory

if TYPE_CHECKING:
    from fastframe.engines.cpu.operands import Invocation

_MOST_ROWS = 1 << 18   # of a slice: a pyarrow call costs some microseconds, so it is larger than a kernel's
_FEWEST_ROWS = 1 << 15   # that are worth it


def over_slices(array: pa.Array, compute: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A row-wise function of one array, computed on slices; an encoded one is left whole, for its dictionary is small."""
    if len(array) < _FEWEST_ROWS or pa.types.is_dictionary(array.type):
        return compute(array)
    rows = fine_slice_rows(len(array), _MOST_ROWS)
    return _whole(run_calls([partial(compute, array.slice(start, rows)) for start in range(0, len(array), rows)]))


def _whole(parts: list[pa.Array]) -> pa.Array:
    whole = contiguous(pa.chunked_array(parts))
    parts.clear()
    release_arrow_memory()
    return whole


def by_slices(handler: Callable[[Invocation], Column]) -> Callable[[Invocation], Column]:
    """A handler of one row-wise function that works on slices; encoded text is left whole, for its dictionary is small."""

    def evaluate(call: Invocation) -> Column:
        if call.n_rows < _FEWEST_ROWS or any(one.column.is_encoded for one in call.operands):
            return handler(call)
        rows = fine_slice_rows(call.n_rows, _MOST_ROWS)
        parts = run_calls([_part(handler, call, start, rows) for start in range(0, call.n_rows, rows)])
        dtype, arrays = parts[0].dtype, [part.array for part in parts]
        del parts
        return Column(_whole(arrays), dtype)

    return evaluate


def _part(handler: Callable[[Invocation], Column], call: Invocation, start: int, most_rows: int) -> Callable[[], Column]:
    n_rows = min(most_rows, call.n_rows - start)
    operands = tuple(one if one.scalar else replace(one, column=one.column.slice(start, n_rows)) for one in call.operands)
    return lambda: handler(replace(call, operands=operands, n_rows=n_rows))
