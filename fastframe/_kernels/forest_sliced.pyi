from typing import Any

from fastframe._threads._drive import Task

ROWS: int
PLACE: int
LEAVES: int
STRAIGHT: int
HAS_WIDE: bool

def sums(
    front: int, columns: int, out: int, *, arrays: tuple[int, ...], counts: tuple[int, ...], divide: float, value_bytes: int, wide: bool,
    keep_alive: Any,
) -> Task: ...
