from typing import Any

from fastframe._threads._drive import Task

COUNTS_BYTES: int
PADDING: int

def tasks(
    physical: int, result: int, view: tuple[int, int, int, int], *, shares: int, n_shares: int, drawn_bits: int, margin: float, bounds: int,
    sample: int, values: int, room: int, counts: int, interpolation: int, unit: int, out: int, found: int, keep_alive: Any,
) -> list[Task]: ...
