"""Threads: how many (`budget`), which (`pool`), and how an operation runs on them (`run`)."""

from fastframe._threads.driver import SLICE_ROWS, run, slice_rows

__all__ = ["SLICE_ROWS", "run", "slice_rows"]
