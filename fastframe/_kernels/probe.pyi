"""A kernel that only takes time and notes who ran it: for tests and benchmarks of the threads themselves."""

from typing import Any

from fastframe._threads._drive import Task

def probe_task(
    outputs: tuple[int, int, int],
    keep_alive: Any,
    spin_ns: int = 0,
    fail_from: int = -1,
    fail_status: int = 0,
) -> Task: ...
