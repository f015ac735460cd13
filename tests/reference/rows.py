"""The slow twin of a matched batch: scores run on it, their forests walked slowly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastframe.predict.features import Code, Feature, Number
from fastframe.predict.scores import ForestScore, Score
from tests.reference import forest as slow

Array = np.ndarray[Any, Any]


class SlowRows:
    """Columns in contract order: numbers as they stand; categories as codes, -1 missing."""

    def __init__(self, columns: Sequence[Array]) -> None:
        self.columns, self.n_rows = [np.asarray(column) for column in columns], len(columns[0])
        self._made: dict[int, Array] = {}

    def once(self, node: Score, make: Callable[[], Array]) -> Array:
        if id(node) not in self._made:
            self._made[id(node)] = make()
        return self._made[id(node)]

    def program(self, score: ForestScore) -> SlowProgram:
        return SlowProgram(score, self)

    def feature(self, feature: Feature) -> Array:
        assert isinstance(feature, (Number, Code)), feature
        assert not isinstance(feature, Number) or not feature.steps
        return self.columns[feature.column]


class SlowProgram:
    """A forest walked slowly over the features that ``rows.feature`` gives."""

    def __init__(self, score: ForestScore, rows: Any) -> None:
        self.forest, self.columns = score.forest, [rows.feature(one) for one in score.features]

    def sums(self, rows: Any) -> Array:
        return slow.sums(self.forest, self.columns)

    def leaves(self, rows: Any) -> Array:
        return slow.leaves(self.forest, self.columns)
