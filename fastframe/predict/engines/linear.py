"""Sums of linear leaves (LightGBM's linear trees): a block of rows is walked to its leaves, which then are functions of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastframe._kernels import forest_planes, forest_walk
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.predict.engines.front import Front, value_front
from fastframe.predict.features import Feature
from fastframe.predict.forest import Forest, NumberInput
from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

_OPERATION = "predict"
_BLOCK_BYTES = 32 << 20   # of leaves and features of a block of rows
_FORM_F64 = 3             # FrontForm


class LinearSums:
    """A forest of linear leaves; ``features`` are those of its inputs."""

    def __init__(self, forest: Forest, features: Sequence[Feature]) -> None:
        linear = forest.linear
        assert linear is not None
        self.forest = forest
        self.front: Front | None = None
        used = np.unique(linear.feature)   # those that some leaf multiplies
        self.features = [features[index] for index in used]
        self.sources = [source for index in used if isinstance(source := forest.inputs[index], NumberInput)]
        self.terms = np.searchsorted(used, linear.feature).astype(np.int32)
        self.arrays = (
            forest.leaf_values, linear.constant, linear.term_start, self.terms, linear.coefficient, forest.tree_output, forest.base,
        )  # fmt: skip

    def fill(self, rows: Rows, every: int, out: Array, leaves: Callable[[Rows], Array]) -> None:
        """Sums of all rows into ``out``, ``(n_rows, n_stages, n_outputs)``; ``leaves`` gives rows' leaves by number in the forest."""
        if self.front is None:   # two threads may both make it
            self.front = value_front(self.features, rows.contract, "float64", self.sources)
        n_columns = len(self.features)
        block = max(512, _BLOCK_BYTES // (4 * self.forest.n_trees + 8 * n_columns + 1))
        for start in range(0, rows.n_rows, block):
            part = rows.slice(start, min(block, rows.n_rows - start))
            matrix = self._matrix(part, self.front)
            self._add(part.n_rows, leaves(part), matrix, every, out[start : start + part.n_rows])

    def _matrix(self, rows: Rows, front: Front) -> Array:
        matrix = allocate_array(rows.n_rows * len(self.features), np.float64, _OPERATION)
        if len(matrix):
            task = forest_planes.fill(_FORM_F64, front.address, rows.addresses(front), matrix.ctypes.data, keep_alive=(rows, front, matrix))
            run(task, rows.n_rows, operation=_OPERATION)
        return matrix

    def _add(self, n_rows: int, leaves: Array, matrix: Array, every: int, out: Array) -> None:
        forest = self.forest
        addresses = tuple(array.ctypes.data for array in self.arrays)
        shape = (forest.n_trees, len(self.features), forest.n_outputs, every or 1, out.shape[1])
        task = forest_walk.linear_sums(
            addresses, (leaves.ctypes.data, matrix.ctypes.data), shape, out.ctypes.data,
            divide=0.0 if every else forest.divide, keep_alive=(self, leaves, matrix, out),
        )  # fmt: skip
        run(task, n_rows, operation=_OPERATION)
