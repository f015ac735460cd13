from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._threads._drive import Task

LANES: int
CHUNK: int
NODE_BYTES: tuple[int, int]
LINE_NODES: tuple[int, int]
COLUMN_BYTES: int
MOST_LINKS: int
MOST_COLUMNS: int
MOST_PLACES: int
DOUBLE: int
FLOAT: int
INTEGER: int
TEXT: int
NUMBERS: int
UNSEEN_ELSEWHERE: int
STEP_BYTES: int

def pack(wide: bool, forest: tuple[int, ...], n_places: int, first: int, nodes: int, *, keep_alive: object) -> Task: ...

def leaf_kinds(values: int, n_leaves: int, n_bytes: int, *, most: int, kind: int, first: int) -> int: ...
def pairs_of_leaves(wide: bool, key: int, n_kinds: int, nodes: int) -> None: ...

class RowReader:
    """Reads a row's fields: a tuple, list, dict or 1-D array."""

    def __init__(self, names: tuple[str, ...], fields: list[tuple[Any, ...]]) -> None: ...
    def columns(self, row: object, columns: np.ndarray[Any, Any], slots: np.ndarray[Any, Any]) -> bool: ...

class RowWalker(RowReader):
    """A forest that answers for one row; any number of threads may call `sums` at once."""

    def __init__(
        self, forest: tuple[Any, ...], names: tuple[str, ...], fields: list[tuple[Any, ...]], beside: int, keep_alive: object
    ) -> None: ...
    def sums(self, row: object) -> np.ndarray[Any, Any] | None: ...
    def packed(self) -> tuple[int, int, bool]: ...

class RowAnswer:
    """A method's whole answer for one row."""

    def __init__(
        self, walker: RowWalker, links: Sequence[tuple[int, int, float]], width: int, labels: list[Any] | None, scalar: bool
    ) -> None: ...
    def answer(self, row: object) -> Any: ...

def link_address(kind: int, is_double: bool) -> int: ...
def fill_address(is_double: bool) -> int: ...
def loop_of(ufunc: np.ufunc, signature: str) -> tuple[int, int] | None: ...

class RowTape(RowReader):
    """A method's whole answer for one row, by steps on cells."""

    def __init__(
        self, names: tuple[str, ...], fields: list[tuple[Any, ...]], steps: np.ndarray[Any, Any], n_bytes: int, result: int, form: tuple[Any, ...],
        *, n_columns: int, n_planes: int, beside: int, keep_alive: object,
    ) -> None: ...
    def answer(self, row: object) -> Any: ...
