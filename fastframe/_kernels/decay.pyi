from typing import Any

from fastframe._threads._drive import Task

_View = tuple[int, int, int, int]
_Bounds = tuple[int, int, int, int, int, int, int]

MEAN: int
SUM: int
VARIANCE: int
COVARIANCE: int
CORRELATION: int

class Decays:
    def __init__(
        self, op: int, column: tuple[int, _View], bounds: _Bounds, rows: int, *, result: int, factor: float, adjust: bool, skips: bool,
        rooted: bool, biased: bool, min_periods: int, keep: Any,
    ) -> None: ...
    def set_other(self, physical: int, values: _View, keep: Any) -> None: ...
    def set_times(self, times: int, time_bytes: int, per_unit: float, keep: Any) -> None: ...
    def set_output(self, out: int, present: int, validity: int, keep: Any) -> None: ...
    def walk(self) -> Task: ...
    def pack(self) -> Task: ...
