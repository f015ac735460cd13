"""`IsolationScore`: from the depths at which isolation trees end to scikit-learn's score of normality."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._threads import SLICE_ROWS, run_calls
from fastframe.errors import ModelError
from fastframe.predict.scores import Score, node
from fastframe.records import record

if TYPE_CHECKING:
    from fastframe.contract import FeatureContract
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]


@node
@record(frozen=True, eq=False)
class IsolationScore(Score):
    """``-(2 ** -(depths / longest)) - offset``, by NumPy, whose power scikit-learn uses.

    ``longest``: the mean path length times the number of trees; 0 (each tree saw one row) makes every power -1.
    ``offset``: 0 for `score_samples`, the model's for `decision_function`.
    """

    of: Score
    longest: float
    offset: float = 0.0

    def check(self, contract: FeatureContract) -> None:
        """Refuse sums of several outputs, and lengths that paths cannot have."""
        if self.of.width != 1 or not 0 <= self.longest < float("inf"):
            raise ModelError.bad_part("IsolationScore", f"{self.of.width} sums of paths of length {self.longest}")

    @property
    def width(self) -> int:
        return 1

    def run(self, rows: Rows) -> Array:
        return self.apply(rows.once(self.of, lambda: self.of.run(rows)))

    def apply(self, depths: Array) -> Array:
        """Of ``(n_rows, 1)`` sums of depths."""
        slices = [depths[start : start + SLICE_ROWS] for start in range(0, len(depths), SLICE_ROWS)]
        if len(slices) <= 1:
            return self._of_slice(depths)
        return np.concatenate(run_calls([partial(self._of_slice, one) for one in slices]))

    def _of_slice(self, depths: Array) -> Array:
        powers = -(depths / self.longest) if self.longest != 0 else np.full_like(depths, -1.0)
        return -(2**powers) - self.offset
