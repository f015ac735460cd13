from typing import Any

from fastframe._threads._drive import Task

FIELD_WORDS: int
LARGEST_RECORD: int

def pack_records(fields: tuple[int, int], layout: tuple[int, int], records: int, *, streams: bool, keep_alive: Any) -> Task: ...
def gather_records(
    fields: tuple[int, int], layout: tuple[int, int], records: int, rows: int, *, misses: bool, streams: bool, keep_alive: Any
) -> Task: ...
