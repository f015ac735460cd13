"""Run a task over rows."""

from __future__ import annotations

from fastframe._threads._drive import Run, Task
from fastframe.errors import KernelError, KernelStatus, OutOfMemory

SLICE_ROWS = 1 << 17   # rows of one slice where nothing else decides; a multiple of 512


def slice_rows(n_rows: int, state_bytes: int = 0, row_bytes: int = 8) -> int:
    """Rows of one slice: a function of the rows and of the bytes of one slice's partial state, never of threads.

    Partial states of all slices together take at most a fifth of the input (``n_rows * row_bytes``).
    """
    if state_bytes == 0:
        return SLICE_ROWS
    most_slices = max(1, n_rows * row_bytes // (5 * state_bytes))
    rows = max(SLICE_ROWS, -(-n_rows // most_slices))
    return -(-rows // 512) * 512


def run(task: Task, n_rows: int, slice_rows: int = SLICE_ROWS, *, operation: str = "kernel") -> tuple[int, int] | None:
    """Run ``task`` over ``n_rows`` rows; None, or ``(first row of the lowest failing slice, status)``."""
    one = Run(task, n_rows, slice_rows)
    one.work()
    failure = one.failure
    if failure is None:
        return None
    failed_slice, status = failure
    if status == KernelStatus.OUT_OF_MEMORY:
        raise OutOfMemory.of(operation, 0)
    return failed_slice * slice_rows, status
