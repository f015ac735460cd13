from typing import Any

import numpy as np

from fastframe._threads._drive import Task

LANES: int
CHUNK: int
NODE_BYTES: tuple[int, int]
MOST_COLUMNS: int
MOST_PLACES: int
DOUBLE: int
FLOAT: int
INTEGER: int
TEXT: int
NUMBERS: int
UNSEEN_ELSEWHERE: int

def pack(wide: bool, forest: tuple[int, ...], n_places: int, first: int, nodes: int, *, keep_alive: object) -> Task: ...

class RowWalker:
    """A forest that answers for one row; any number of threads may call `sums` at once."""

    def __init__(self, forest: tuple[Any, ...], names: tuple[str, ...], fields: list[tuple[Any, ...]], keep_alive: object) -> None: ...
    def sums(self, row: object) -> np.ndarray[Any, Any] | None: ...
    def value(self, row: object) -> float | None: ...
