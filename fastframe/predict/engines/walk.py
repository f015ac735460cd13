"""The engine for large trees: rows walk down them, many at once (``_kernels/forest_walk.hpp``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._kernels import forest_walk as kernels
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.predict.engines.keys import aligned, keys_of, slice_trees
from fastframe.predict.engines.linear import LinearSums
from fastframe.predict.engines.planes import Planes
from fastframe.predict.features import Feature
from fastframe.predict.forest import LEAF, Forest
from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

_OPERATION = "predict"
_TILE_BYTES = 256 << 10         # of a block's keys: they stay in a core's second cache while trees go by
_SLICE_ROWS = 512               # rows of a slice are a multiple of this
_SLICES = 8                     # per batch, at least, while slices are that long: threads end together
_NARROW_LINKS = ((256, 1 << 18), (1024, 1 << 16))   # columns and places that fit a node of 8 bytes: the forms SMALL and MEDIUM


def walk_form(forest: Forest) -> str:
    """The form of planes (`lay_out`) that the walk takes."""
    return "float32" if forest.domain == "float32" else "u16"


class WalkEngine:
    """A forest packed for walking.

    Parameters
    ----------
    forest : Forest
        Validated.
    layout : Planes
        In the form `walk_form`.
    features : sequence of Feature
        What feeds the forest's inputs: linear leaves multiply them.
    """

    def __init__(self, forest: Forest, layout: Planes, features: Sequence[Feature] = ()) -> None:
        self.forest = forest
        self.front = layout.front
        self.columns = _Columns(layout)
        self.packed = _pack(forest, layout, self.columns)
        self.linear = LinearSums(forest, features) if forest.linear is not None else None

    @property
    def nbytes(self) -> int:
        return self.packed.nodes.nbytes + self.packed.trees.nbytes

    def sums(self, rows: Rows, out: Array | None = None) -> Array:
        """``(n_rows, n_outputs)``, C order, in the forest's `accumulate`."""
        return self._sums(rows, 0, out)[:, 0, :]

    def staged(self, rows: Rows, every: int) -> Array:
        """``(n_rows, n_stages, n_outputs)``: sums after every ``every`` trees and after the last, not divided."""
        return self._sums(rows, every, None)

    def leaves(self, rows: Rows, out: Array | None = None) -> Array:
        """``(n_rows, n_trees)`` int32: the native library's names for the leaves."""
        return self._leaves(rows, self.forest.leaf_id.ctypes.data, out)

    def _leaves(self, rows: Rows, leaf_id: int, out: Array | None = None) -> Array:
        if out is None:
            out = allocate_array(rows.n_rows * self.forest.n_trees, np.int32, _OPERATION).reshape(rows.n_rows, self.forest.n_trees)
        if out.size:
            keep = (self, rows, out)
            task = kernels.leaves(self.packed.address, self._source(rows), leaf_id, out.ctypes.data, keep_alive=keep)
            run(task, rows.n_rows, self._slice_rows(rows.n_rows), operation=_OPERATION)
        return out

    def _sums(self, rows: Rows, every: int, out: Array | None) -> Array:
        forest = self.forest
        n_stages = -(-forest.n_trees // every) if every else 1
        shape = (rows.n_rows, n_stages, forest.n_outputs)
        if out is None:
            out = allocate_array(rows.n_rows * n_stages * forest.n_outputs, forest.accumulate, _OPERATION)
        out = out.reshape(shape)
        if not out.size:
            return out
        if self.linear is not None:
            self.linear.fill(rows, every, out, lambda part: self._leaves(part, 0))
            return out
        values = (forest.leaf_values.ctypes.data, forest.base.ctypes.data, forest.width, forest.n_outputs)
        task = kernels.sums(
            self.packed.address, self._source(rows), values, out.ctypes.data, narrow=forest.accumulate == np.float32,
            divide=0.0 if every else forest.divide, every=every, keep_alive=(self, rows, out),
        )  # fmt: skip
        run(task, rows.n_rows, self._slice_rows(rows.n_rows), operation=_OPERATION)
        return out

    @property
    def _block_rows(self) -> int:
        rows = _TILE_BYTES // (4 * self.columns.n_first)
        return max(64, rows // _SLICE_ROWS * _SLICE_ROWS or rows // 64 * 64)

    def _slice_rows(self, n_rows: int) -> int:
        most = -(-n_rows // (_SLICES * _SLICE_ROWS)) * _SLICE_ROWS
        return max(_SLICE_ROWS, min(self._block_rows // _SLICE_ROWS * _SLICE_ROWS, most))

    def _source(self, rows: Rows) -> tuple[int, ...]:
        return self.front.address, rows.addresses(self.front), *self.columns.source, self._block_rows


class _Columns:
    """Which column of a tile each plane is; see ``forest_keys.hpp``.

    Attributes
    ----------
    column, partner : numpy.ndarray
        Per plane: its column; the first plane of the same feature where it is the second, else -1.
    n_first, n_all, side : int
        Columns without and with second ones, column 0 included; what a second column's number is above the first's.
    """

    def __init__(self, layout: Planes) -> None:
        planes, feature = layout.front.planes, layout.feature
        numbers = planes["table"] == 0
        second = np.zeros(layout.n_planes, np.bool_)   # planes of one feature and threshold are neighbours
        second[1:] = numbers[1:] & numbers[:-1] & (feature[1:] == feature[:-1]) & (planes["first"][1:] == planes["first"][:-1])
        self.partner = np.where(second, np.arange(layout.n_planes) - 1, -1).astype(np.int32)
        has_second = np.append(second[1:], False)[: layout.n_planes]
        order = np.argsort(np.where(second, 2, ~has_second), kind="stable")   # those with partners first, seconds last
        self.column = np.empty(layout.n_planes, np.int32)
        self.column[order] = np.arange(1, layout.n_planes + 1)
        n_second = int(second.sum())
        self.n_first = layout.n_planes - n_second + 1
        self.side = 1 << (self.n_first - 1).bit_length() if n_second else 0
        self.column[second] = self.column[self.partner[second]] + self.side
        self.n_all = self.side + n_second + 1 if n_second else self.n_first
        self.is_class = (layout.n_codes > 0).view(np.uint8)
        addresses = (self.column.ctypes.data, self.partner.ctypes.data, self.is_class.ctypes.data)
        self.source = (*addresses, self.n_first, self.n_all, self.side, layout.form == "u16")


class _Packed:
    """What kernels read; `address` is their first argument."""

    def __init__(self, form: int, nodes: Array, trees: Array, set_words: Array, categories: bool) -> None:
        self.nodes, self.trees, self.set_words = nodes, trees, set_words
        addresses = (nodes.ctypes.data, trees.ctypes.data, len(trees), set_words.ctypes.data)
        self.address = (form, *addresses, categories)


def _pack(forest: Forest, layout: Planes, columns: _Columns) -> _Packed:
    category = layout.node_set >= 0
    has_categories = bool(category.any())
    column = np.append(columns.column, np.int32(0))[layout.plane]   # 0 for a leaf, whose plane is -1
    threshold = _thresholds(forest, layout, category)
    output = forest.tree_output
    arrays = (forest.tree_start, forest.left, forest.right, column, threshold, category.view(np.uint8), output)
    addresses = tuple(array.ctypes.data if array is not arrays[5] or has_categories else 0 for array in arrays)
    form, n_places = kernels.SMALL, np.empty(forest.n_trees, np.int64)
    for form in (kernels.SMALL, kernels.LARGE):
        run(kernels.count_places(form, addresses, n_places.ctypes.data, keep_alive=arrays), forest.n_trees, slice_trees(forest), operation=_OPERATION)
        fits = [most for most in _NARROW_LINKS if columns.n_all <= most[0] and n_places.max(initial=0) <= most[1]]
        if fits and form == kernels.SMALL:
            form = kernels.SMALL if fits[0] == _NARROW_LINKS[0] else kernels.MEDIUM
            break
    first = np.concatenate([[0], np.cumsum(n_places)]).astype(np.int64)
    nodes = aligned(int(first[-1]) * kernels.NODE_BYTES[form])
    trees = np.zeros((forest.n_trees, kernels.TREE_BYTES), np.uint8)
    keep = (arrays, first, trees, nodes)
    task = kernels.pack(form, addresses, first.ctypes.data, trees.ctypes.data, nodes.ctypes.data, keep_alive=keep)
    run(task, forest.n_trees, slice_trees(forest), operation=_OPERATION)
    set_words = np.append(layout.set_words, np.uint32(0)).astype(np.uint32)   # a number node reads the first word, for nothing
    return _Packed(form, nodes, trees, set_words, has_categories)


def _thresholds(forest: Forest, layout: Planes, category: Array) -> Array:
    """What a node compares a key with; where a category node's set starts; a leaf's number."""
    if layout.form == "float32":
        keys = keys_of(forest.threshold)
    else:
        keys = layout.rank.astype(np.uint32)
    if category.any():
        keys[category] = layout.set_start[layout.node_set[category]]
    return np.where(forest.feature == LEAF, forest.leaf_of_node.astype(np.uint32), keys)
