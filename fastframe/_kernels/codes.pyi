from typing import Any

from fastframe._threads._drive import Task

WHOLE: int
UPPER: int
LOWER: int
HIGH64: int

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
    code_bytes: int = 4,
    words: int = 0,
    hashes: int = 0,
    counts: int = 0,
    bits: int = 1,
    present: int = 0,
    n_present: int = 0,
    keep: Any,
) -> Task: ...
