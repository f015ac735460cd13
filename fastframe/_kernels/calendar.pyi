from typing import Any

from fastframe._threads._drive import Task

INT_FIELDS: tuple[str, ...]
BIT_FIELDS: tuple[str, ...]
UNITS: tuple[str, ...]

def field(name: str, unit: str, view: tuple[int, int, int, int], out: int, *, narrow: bool, keep_alive: Any) -> Task: ...
