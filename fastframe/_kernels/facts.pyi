from typing import Any

from fastframe._threads._drive import Task

PART_BYTES: int

def value_range(physical: int, view: tuple[int, int, int, int], parts: int, keep: Any) -> Task: ...

def step(view: tuple[int, int, int, int], origin: int, guess: int, steps: int, keep: object) -> Task: ...
