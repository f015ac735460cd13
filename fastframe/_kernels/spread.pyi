from typing import Any

from fastframe._threads._drive import Task

def spread(codes: tuple[int, int, int], n_groups: int, groups: tuple[int, int], out: tuple[int, int], *, value_bytes: int, streams: bool, keep_alive: Any) -> Task: ...
