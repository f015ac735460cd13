from typing import Any

from fastframe._threads._drive import Task

SIZES: dict[str, int]
PADDING: int
WIDE: bool

def fill_few(form: int, front: int, columns: int, out: Any, n_rows: int) -> None: ...
def fill(form: int, front: int, columns: int, out: int, *, keep_alive: Any) -> Task: ...
