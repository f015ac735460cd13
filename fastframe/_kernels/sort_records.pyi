from collections.abc import Sequence
from typing import Any

from fastframe._kernels.sort import SortPass
from fastframe._threads._drive import Task

MOST_WORDS: int

class RecordSort:
    def __init__(
        self, one: SortPass, fields: Sequence[tuple[int, ...]], *, n_words: int, streams: bool, keep_alive: Any, widest: bool = True
    ) -> None: ...
    def scatter(self, starts: int) -> Task: ...
    def finish(self, pieces: int) -> Task: ...
