from typing import Any

from fastframe._threads._drive import Task

def spread(codes: int, code_bytes: int, n_groups: int, groups: tuple[int, int], out: tuple[int, int], *, value_bytes: int, keep_alive: Any) -> Task: ...
