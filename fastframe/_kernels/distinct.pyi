from typing import Any

from fastframe._threads._drive import Task

def count_distinct(physical: int, values: int, codes: int, *, starts: int, counts: int, keep_alive: Any) -> Task: ...
