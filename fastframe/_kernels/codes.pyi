from typing import Any

from fastframe._threads._drive import Task

WHOLE: int
UPPER: int
LOWER: int
HIGH64: int
NEVER: int
CACHED_CODES: int

class KeyParts:
    n_parts: int
    may_drop: bool
    address: int
    def __init__(self, parts: list[dict[str, Any]]) -> None: ...

def pack(
    parts: KeyParts,
    wide: bool,
    *,
    rows: int = 0,
    codes: int = 0,
    words: int = 0,
    hashes: int = 0,
    first: int = 0,
    prefetch: bool = False,
    keep: Any,
) -> Task: ...
def fill(out: int, value: int, keep: Any) -> Task: ...
def dense_ids(first: int, counts: int, dense: int, first_of_dense: int, *, keep: Any) -> tuple[Task, Task]: ...
def remap(codes: int, map: int, out: int, prefetch: bool, keep: Any) -> Task: ...
def appearances(
    first_rows: int, group_at: int, counts: int, place: int, ordered_rows: int, *, keep: Any
) -> tuple[Task, Task, Task]: ...
