"""Scores cut into columns and put side by side: models of several outputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe.errors import ModelError
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.contract import FeatureContract
    from fastframe.predict.row_tape import Cells, Tape
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]


@node
@record(frozen=True, eq=False)
class Columns(Score):
    """Columns ``start`` to ``stop`` of a score: one output's classes."""

    of: Score
    start: int
    stop: int

    def check(self, contract: FeatureContract) -> None:
        """Refuse columns that the score does not have."""
        if not 0 <= self.start < self.stop <= self.of.width:
            raise ModelError.bad_part("Columns", f"columns {self.start} to {self.stop} of {self.of.width}")

    @property
    def width(self) -> int:
        return self.stop - self.start

    def run(self, rows: Rows) -> Array:
        return np.ascontiguousarray(rows.once(self.of, lambda: self.of.run(rows))[:, self.start : self.stop])

    def on_row(self, tape: Tape) -> Cells:
        """`run` of one row."""
        return tape.value(self.of).part(self.start, self.stop)


@node
@record(frozen=True, eq=False)
class Together(Score):
    """Scores side by side, one per output; where outputs are `listed`, the library answers with a list of their arrays."""

    parts: tuple[Score, ...]
    listed: bool = False

    def check(self, contract: FeatureContract) -> None:
        """Refuse a node without parts."""
        if not self.parts or not all(isinstance(part, Score) for part in self.parts):
            raise ModelError.bad_part("Together", "its parts are not scores")

    @property
    def width(self) -> int:
        return sum(part.width for part in self.parts)

    def run(self, rows: Rows) -> Array:
        return np.hstack([rows.once(part, partial(part.run, rows)) for part in self.parts])

    def split(self, values: Array) -> list[Array]:
        """The array of each part, from what `run` gave."""
        stops = np.cumsum([part.width for part in self.parts])
        return np.split(values, stops[:-1], axis=1)
