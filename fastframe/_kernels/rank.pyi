from typing import Any

from fastframe._threads._drive import Task

METHODS: tuple[str, ...]
MARK: int
LINK: int
RANK: int
PERCENT: int
EDGE_BYTES: int

class Ranking:
    def __init__(
        self, physical: int, values: tuple[int, int, int, int], *, data: int = 0, method: str, keep: bool
    ) -> None: ...
    def set_order(self, rows: int, n_positions: int, *, codes: int = 0, keep: Any) -> None: ...
    def set_scratch(self, marks: int, edges: int, n_slices: int, divisors: int, *, keep: Any) -> None: ...
    def set_output(self, out: int, *, keep: Any) -> None: ...
    def phase(self, phase: int) -> Task: ...
