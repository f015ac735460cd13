"""Memory read, and memory copied, as fast as a plain loop does it: to measure what this machine's memory gives."""

from typing import Any

from fastframe._threads._drive import Task

def stream_task(source: int, target: int, sums: int, keep_alive: Any) -> Task: ...
