from typing import Any

from fastframe._threads._drive import Task

KINDS: dict[str, int]

def has_link(kind: str, *, is_double: bool) -> bool: ...
def link(values: int, out: int, kind: str, *, width: int, is_double: bool, scale: float, keep_alive: Any) -> Task: ...
