from typing import Any

from fastframe._threads._drive import Task

View = tuple[int, int, int, int]
GroupValues = tuple[int, int, int]
Operand = tuple[View, int, bool]

BINARY: dict[str, int]
UNARY: dict[str, int]
BINARY_PLACES: dict[str, int]
UNARY_PLACES: dict[str, int]

class Binary:
    def __init__(self, operation: str, physical: int, left: tuple[int, bool], right: tuple[int, bool]) -> None: ...
    def over(self, left: View | GroupValues, right: View | GroupValues, out: int, validity: int, *, streams: bool = False, keep_alive: Any) -> Task: ...

def unary(operation: str, physical: int, operand: Operand, out: int, *, decimals: int = 0, streams: bool = False, keep_alive: Any) -> Task: ...
