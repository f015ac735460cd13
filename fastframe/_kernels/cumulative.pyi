from typing import Any

from fastframe._threads._drive import Task

_View = tuple[int, int, int, int]

SUM: int
PRODUCT: int
MINIMUM: int
MAXIMUM: int
COUNT: int
LAG: int
FILL: int
SHIFT: int
DIFFERENCE: int
RELATIVE: int
FILL_VALUES: int
FOLD: int
SCAN: int
APPLY: int
ORDERED: int

class Walk:
    def __init__(
        self, op: int, physical: int, values: _View, *, grouped: bool = False, backward: bool = False, width: int = 0
    ) -> None: ...
    @property
    def state_bytes(self) -> int: ...
    @property
    def scatters(self) -> bool: ...
    def set_groups(self, codes: tuple[int, int, int], n_groups: int, keep: Any) -> None: ...
    def set_order(self, rows: int, offsets: int, keep: Any) -> None: ...
    def set_options(self, *, limit: int = 0, outside: int = -1, fill: bytes | None = None) -> None: ...
    def set_carries(self, carries: int, n_slices: int, keep: Any) -> None: ...
    def set_output(self, out: int, validity: int, keep: Any) -> None: ...
    def phase(self, phase: int) -> Task: ...
