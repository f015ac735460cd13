"""Threads: how many (`budget`), which (`pool`), where (`placement`), and how an operation runs on them (`driver`)."""

from fastframe._threads import joblib_hook
from fastframe._threads.budget import thread_count
from fastframe._threads.driver import SLICE_ROWS, fine_slice_rows, run, run_calls, slice_rows
from fastframe._threads.progress import progress

__all__ = ["SLICE_ROWS", "fine_slice_rows", "progress", "run", "run_calls", "slice_rows", "thread_count"]

joblib_hook.install()
