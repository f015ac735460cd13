from typing import Any

from fastframe._threads._drive import Task

Operand = tuple[tuple[int, int, int, int], int, bool]

BINARY: dict[str, int]
UNARY: dict[str, int]
BINARY_PLACES: dict[str, int]
UNARY_PLACES: dict[str, int]

def binary(operation: str, physical: int, left: Operand, right: Operand, out: int, validity: int, *, keep_alive: Any) -> Task: ...
def unary(operation: str, physical: int, operand: Operand, out: int, *, decimals: int = 0, keep_alive: Any) -> Task: ...
