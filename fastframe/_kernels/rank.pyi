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
    def set_order(self, rows: int, n_positions: int, *, codes: tuple[int, int, int] = ..., keep: Any) -> None: ...
    def set_scratch(self, marks: int, edges: int, n_slices: int, divisors: int, *, keep: Any) -> None: ...
    def set_output(self, out: int, *, keep: Any) -> None: ...
    def phase(self, phase: int) -> Task: ...

def has_grouped(physical: int) -> bool: ...
def grouped_ranks(
    physical: int, values: int, codes: int, *, starts: int, n_groups: int, shift: int, method: str, descending: bool, percent: bool,
    ranks: int, keep: Any,
) -> Task: ...
