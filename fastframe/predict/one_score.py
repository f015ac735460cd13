"""One row through any score: its values are columns of one, read without the contract's general way, then the nodes run as for a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels.forest_row import RowReader
from fastframe.contract import FeatureContract
from fastframe.predict.engines.front import COLUMN, Front
from fastframe.predict.engines.one_row import fields_of
from fastframe.predict.rows import Rows, block_columns
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]


class ScoreOfOne:
    """A score for rows that come one by one.

    The nodes make the calls that they make for a frame of one row, on a matrix of the same shape and layout: so the bits are those.
    Cost: a microsecond and 15 ns a field for the row, and NumPy's calls of the nodes. No lock: a row's memory is its own.
    """

    __slots__ = ("score", "contract", "_packed", "_reader")

    def __init__(self, score: Score, contract: FeatureContract, packed: dict[Any, Any]) -> None:
        self.score, self.contract, self._packed = score, contract, packed
        self._reader = RowReader(tuple(contract.names), fields_of(contract))

    def run(self, row: object) -> Array | None:
        """``(1, width)``; None where the row needs a closer look, by the contract."""
        n_fields = len(self.contract.fields)
        table, slots = np.empty(n_fields, COLUMN), np.empty(n_fields, np.uint64)
        if not self._reader.columns(row, table, slots):
            return None
        return self.score.run(_RowOfOne(self.contract, self._packed, table, slots))


class _RowOfOne(Rows):
    """A batch of one row whose columns are a table in memory already."""

    __slots__ = ("_given",)

    def __init__(self, contract: FeatureContract, packed: dict[Any, Any], table: Array, slots: Array) -> None:
        super().__init__(contract, (), 1, packed)
        self._given = (table, slots)

    def slice(self, start: int, length: int) -> Rows:
        """The row itself: engines cut batches into blocks of rows."""
        return self

    def _table(self, front: Front | None) -> tuple[Array, Any]:
        if front is None:
            return self._given
        records, blocks = block_columns(self, front)
        return np.concatenate([self._given[0], np.array(records, COLUMN)]), (self._given, blocks)
