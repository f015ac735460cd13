from typing import Any

import numpy as np

from fastframe._kernels.text import TextSink
from fastframe._threads._drive import Task

INT_FIELDS: tuple[str, ...]
BIT_FIELDS: tuple[str, ...]
UNITS: tuple[str, ...]
UNITS_PER_DAY: dict[str, int]

def field(name: str, unit: str, view: tuple[int, int, int, int], out: int, *, narrow: bool, keep_alive: Any) -> Task: ...

TEXT_FIELDS: dict[str, int]

class TimeForm:
    """A format: a template, and which fields are written where into it."""

    def __init__(self, template: bytes, pieces: list[tuple[str, int]]) -> None: ...

def text_sizes(form: TimeForm, view: tuple[int, int, int, int], sizes: int, keep: Any) -> Task: ...
def text_copy(form: TimeForm, unit: str, view: tuple[int, int, int, int], sink: TextSink, keep: Any, *, narrow: bool) -> Task: ...
def move_clocks(
    view: tuple[int, int, int, int], parts: np.ndarray[Any, np.dtype[np.int64]], first: int, shift: int, out: int, keep: Any
) -> Task: ...
