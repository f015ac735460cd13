from typing import Any

from fastframe._threads._drive import Task

CAST_PLACES: dict[str, int]

def cast(
    view: tuple[int, int, int, int], source: int, target: int, out: int, validity: int, bad_rows: int, *, checked: bool, streams: bool = False,
    keep_alive: Any,
) -> Task: ...
