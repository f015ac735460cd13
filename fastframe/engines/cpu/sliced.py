"""Row-wise functions that pyarrow computes on one thread, run on slices of rows by all threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from fastframe._threads import run_calls
from fastframe.column import Column
from fastframe.column.arrow import contiguous
from fastframe.column.memory import release_arrow_memory
from fastframe.engines.cpu.operands import Invocation, Operand

SLICE_ROWS = 1 << 18   # a pyarrow call costs some microseconds, so slices are larger than a kernel's


def by_slices(handler: Callable[[Invocation], Column]) -> Callable[[Invocation], Column]:
    """A handler of one row-wise function that works on slices; encoded text is left whole, for its dictionary is small."""

    def evaluate(call: Invocation) -> Column:
        if call.n_rows < 2 * SLICE_ROWS or any(one.column.is_encoded for one in call.operands):
            return handler(call)
        starts = range(0, call.n_rows, SLICE_ROWS)
        parts = run_calls([_part(handler, call, start) for start in starts])
        whole = Column(contiguous(pa.chunked_array([part.array for part in parts])), parts[0].dtype)
        del parts
        release_arrow_memory()
        return whole

    return evaluate


def _part(handler: Callable[[Invocation], Column], call: Invocation, start: int) -> Callable[[], Column]:
    n_rows = min(SLICE_ROWS, call.n_rows - start)
    operands = tuple(one if one.scalar else Operand(one.column.slice(start, n_rows)) for one in call.operands)
    return lambda: handler(replace(call, operands=operands, n_rows=n_rows))
