from typing import Any

from fastframe._kernels.arithmetic import Operand, View
from fastframe._threads._drive import Task

COMPARE: dict[str, int]
LOGIC: dict[str, int]
COMPARE_PLACES: dict[str, int]
MISSING_PLACES: dict[str, int]
LOGIC_PLACES: dict[str, int]
NOT_PLACES: dict[str, int]
LOOKUP_PLACES: dict[str, int]

class Compare:
    def __init__(self, operation: str, left: tuple[int, bool], right: tuple[int, bool]) -> None: ...
    def over(self, left: View, right: View, out: int, *, keep_alive: Any) -> Task: ...

def missing(view: View, physical: int, invert: bool, out: int, *, keep_alive: Any) -> Task: ...
def logic(operation: str, left: Operand, right: Operand, out: int, validity: int, *, keep_alive: Any) -> Task: ...
def logical_not(view: View, out: int, *, keep_alive: Any) -> Task: ...
def lookup_bits(codes: View, table: int, missing: bool, out: int, *, keep_alive: Any) -> Task: ...
