"""Packing forests for the bit-sliced engine (``forest_sliced.hpp``), and running it.

Two forms of a tree: a *perfect* one, padded until all its leaves are equally deep, is straight code over its nodes; one of *any*
shape is a list of nodes that says where each finds what its children found. A perfect node costs less than half of another.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import forest_sliced as kernels
from fastframe._threads import run
from fastframe.predict.engines.planes import Planes
from fastframe.predict.forest import LEAF, Forest

if TYPE_CHECKING:
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

SLICE_ROWS = 4096      # a morsel: some milliseconds of work for hundreds of trees
HIGHEST_PERFECT = 8    # levels: 256 leaves
MOST_PLANES = 65535 * kernels.PLACE // kernels.ROWS
PADDING = 2.5          # nodes of a perfect tree per node of the tree itself, at most: one costs this much less
_UNIT = kernels.ROWS // kernels.PLACE   # of planes' places
_TABLES = (16, 32, 64)   # leaves of trees whose values are looked up; more are read one by one
_OPERATION = "predict"

# Keep these in step with the structs; the extension asserts their sizes.
TREE = np.dtype([
    ("first_node", "i8"), ("first_child", "i8"), ("values", "i8"), ("first_set", "i8"), ("value_bytes", "i4"), ("n_sets", "i4"),
    ("height", "i4"), ("n_pairs", "i4"), ("n_others", "i4"), ("tables", "i4"), ("output", "i4"), ("unused", "i4"),
])  # fmt: skip
SET = np.dtype([("bits", "u1", 32), ("plane", "i4")])


def n_leaves_of_trees(forest: Forest) -> Array:
    return (np.diff(forest.tree_start) + 1) // 2


def can_slice(forest: Forest) -> str:
    """Why the engine can't run a forest; ``""`` if it can, as far as can be told without its planes."""
    if forest.linear is not None:
        return "leaves are linear functions"
    most = int(n_leaves_of_trees(forest).max(initial=0))
    return f"a tree has {most:,} leaves, more than {kernels.LEAVES}" if most > kernels.LEAVES else ""


def fits(forest: Forest, layout: Planes) -> bool:
    """Whether a tile has room for the planes and the sets of any tree."""
    return layout.n_planes + int(np.bincount(_tree_of_node(forest)[layout.node_set >= 0]).max(initial=0)) <= MOST_PLANES


def _tree_of_node(forest: Forest) -> Array:
    return np.repeat(np.arange(forest.n_trees), np.diff(forest.tree_start))


class SlicedEngine:
    """A forest packed over the planes of form ``"u8"``."""

    name = "bit-sliced"

    def __init__(self, forest: Forest, layout: Planes) -> None:
        assert layout.form == "u8" and not can_slice(forest) and fits(forest, layout)
        self.forest, self.front = forest, layout.front
        packing = _Packing(forest, layout)
        self._arrays = packing.arrays()
        self._counts = (forest.n_trees, packing.most_sets, packing.most_leaves, forest.n_outputs, forest.width)
        self.wide = kernels.HAS_WIDE

    def sums(self, rows: Rows, out: Array) -> None:
        """Fill ``out``, ``(n_rows, n_outputs)`` in C order."""
        task = kernels.sums(
            self.front.address, rows.addresses(self.front), out.ctypes.data,
            arrays=tuple(array.ctypes.data for array in self._arrays), counts=self._counts, divide=self.forest.divide,
            value_bytes=self.forest.accumulate.itemsize, wide=self.wide, keep_alive=(self, rows, out),
        )  # fmt: skip
        run(task, len(out), SLICE_ROWS, operation=_OPERATION)


class _Packing:
    """A forest's arrays in the making, over all nodes at once; `node` arrays are indexed as the forest's."""

    def __init__(self, forest: Forest, layout: Planes) -> None:
        self.forest = forest
        self.tree = _tree_of_node(forest)
        self.leaf = forest.feature == LEAF
        first = forest.tree_start[self.tree]
        self.left, self.right = first + forest.left, first + forest.right
        self.place = np.where(self.leaf, 0, layout.plane * _UNIT).astype(np.uint16)
        self.threshold = np.where(self.leaf, 0, layout.rank + 1 - 128).astype(np.int8)
        self.trees = np.zeros(forest.n_trees, TREE)
        self.trees["output"] = forest.tree_output if forest.width == 1 else 0
        self.planes: list[Array] = []      # by group of trees: what becomes one array
        self.thresholds: list[Array] = []
        self.children: list[Array] = []
        self.values: list[Array] = []
        self.n_nodes = self.n_values = 0
        self.most_leaves = 1
        self._add_sets(layout)
        self._add_trees()

    def arrays(self) -> tuple[Array, ...]:
        """In the order that the kernel takes them."""
        planes = np.concatenate([np.zeros(0, np.uint16), *self.planes])
        thresholds = np.concatenate([np.zeros(0, np.int8), *self.thresholds])
        children = np.concatenate([np.zeros(0, np.uint16), *self.children])
        values = np.concatenate([np.zeros(0, np.uint8), *self.values])
        return self.trees, planes, thresholds, children, self.sets, values, np.ascontiguousarray(self.forest.base)

    def _add_sets(self, layout: Planes) -> None:
        """Each tree's different sets; their nodes' plane is where in the tile the test of the set goes."""
        nodes = np.flatnonzero(layout.node_set >= 0)
        which, first, number = np.unique(self.tree[nodes] * (len(layout.set_start)) + layout.node_set[nodes], return_index=True, return_inverse=True)
        tree = self.tree[nodes[first]]
        self.trees["n_sets"] = counts = np.bincount(tree, minlength=len(self.trees))
        self.trees["first_set"] = starts = np.cumsum(counts) - counts
        self.most_sets = int(counts.max(initial=0))
        self.sets = np.zeros(len(which), SET)
        self.sets["plane"] = layout.plane[nodes[first]] * _UNIT
        for one, node in zip(self.sets, nodes[first], strict=True):
            bits = np.zeros(32, np.uint8)
            words = np.ascontiguousarray(layout.set_of(int(layout.node_set[node]))).view(np.uint8)
            bits[: len(words)] = words
            one["bits"] = np.roll(bits, 16)
        self.place[nodes] = (layout.n_planes + number - starts[self.tree[nodes]]) * _UNIT
        self.threshold[nodes] = 0

    def _add_trees(self) -> None:
        depth = self.forest.depth_of_tree
        n_inner = n_leaves_of_trees(self.forest) - 1
        perfect = (depth > 0) & (depth <= HIGHEST_PERFECT) & ((1 << np.minimum(depth, 30)) - 1 <= PADDING * n_inner)
        for height in range(1, HIGHEST_PERFECT + 1):
            members = np.flatnonzero(perfect & (depth == height))
            if len(members):
                self._add_perfect(members, height)
        self._add_any(np.flatnonzero(~perfect))

    def _add_perfect(self, members: Array, height: int) -> None:
        """All trees of one height. A leaf above the lowest level stands in for each node below it."""
        level = self.forest.tree_start[members][:, None]
        levels = []
        for _ in range(height):
            levels.append(level)
            leaf = self.leaf[level]
            level = np.stack([np.where(leaf, level, self.left[level]), np.where(leaf, level, self.right[level])], 2).reshape(len(members), -1)
        nodes = np.concatenate(levels, 1)[:, perfect_order(height)]
        self.trees["height"][members] = height
        self.trees["first_node"][members] = self.n_nodes + np.arange(len(members)) * nodes.shape[1]
        self._add_nodes(nodes.ravel())
        self._add_values(members, self.forest.leaf_of_node[level])

    def _add_any(self, members: Array) -> None:
        """Trees of any shape: nodes with two leaves first, then the others, children first. Leaves are numbered as they come."""
        mine = np.zeros(self.forest.n_trees, np.bool_)
        mine[members] = True
        pair = ~self.leaf & self.leaf[self.left] & self.leaf[self.right]
        nodes = np.flatnonzero(mine[self.tree] & ~self.leaf)
        nodes = nodes[np.lexsort((-nodes, ~pair[nodes], self.tree[nodes]))]
        n_inner = np.bincount(self.tree[nodes], minlength=len(mine))
        n_pairs = np.bincount(self.tree[nodes], weights=pair[nodes], minlength=len(mine)).astype(np.int64)
        start = np.cumsum(n_inner) - n_inner
        position = np.arange(len(nodes)) - start[self.tree[nodes]]
        number = np.zeros(len(self.leaf), np.int64)   # of a leaf in its tree; else of a node's slot
        number[nodes] = kernels.LEAVES + position
        pairs = nodes[pair[nodes]]
        number[self.left[pairs]] = 2 * position[pair[nodes]]
        number[self.right[pairs]] = 2 * position[pair[nodes]] + 1
        lone = self.leaf & mine[self.tree]
        lone[self.left[pairs]] = lone[self.right[pairs]] = False
        lonely = np.flatnonzero(lone)
        before = np.cumsum(np.bincount(self.tree[lonely], minlength=len(mine)))
        n_lone = np.diff(before, prepend=0)
        number[lonely] = np.arange(len(lonely)) - (before - n_lone)[self.tree[lonely]] + 2 * n_pairs[self.tree[lonely]]
        others = nodes[~pair[nodes]]
        self.children.append((np.stack([number[self.left[others]], number[self.right[others]]], 1).ravel() * kernels.ROWS).astype(np.uint16))
        self.trees["n_pairs"][members], self.trees["n_others"][members] = n_pairs[members], (n_inner - n_pairs)[members]
        self.trees["first_child"][members] = (np.cumsum(n_inner - n_pairs) - (n_inner - n_pairs))[members]
        self.trees["first_node"][members] = self.n_nodes + start[members]
        self._add_nodes(nodes)
        self._add_numbered_values(members, np.flatnonzero(self.leaf & mine[self.tree]), number)

    def _add_nodes(self, nodes: Array) -> None:
        self.planes.append(self.place[nodes])
        self.thresholds.append(self.threshold[nodes])
        self.n_nodes += len(nodes)

    def _add_numbered_values(self, members: Array, leaves: Array, number: Array) -> None:
        n_leaves = n_leaves_of_trees(self.forest)
        self.most_leaves = int(n_leaves[members].max(initial=1))
        row = np.zeros(self.forest.n_trees, np.int64)
        row[members] = np.arange(len(members))
        entries = np.zeros((len(members), kernels.LEAVES), np.int32)   # what no row reaches may be any leaf
        entries[row[self.tree[leaves]], number[leaves]] = self.forest.leaf_of_node[leaves]
        sizes = np.array([*_TABLES, 128, 256])
        size_of = sizes[np.searchsorted(sizes, n_leaves[members])]
        for size in np.unique(size_of).tolist():
            some = size_of == size
            self._add_values(members[some], entries[some, :size])

    def _add_values(self, members: Array, entries: Array) -> None:
        """``entries``: ``(n_members, n)``: leaves of the forest by their numbers in the trees. Tables are byte by byte."""
        size = next((size for size in _TABLES if size >= entries.shape[1]), entries.shape[1])
        padded = np.zeros((len(entries), size), entries.dtype)
        padded[:, : entries.shape[1]] = entries
        values = self.forest.leaf_values[padded].transpose(0, 2, 1)   # tree, output, leaf
        if size in _TABLES:
            values = np.ascontiguousarray(values)[..., None].view(np.uint8).transpose(0, 1, 3, 2)
        made = np.ascontiguousarray(values).view(np.uint8).ravel()
        self.trees["tables"][members] = size // 16 if size in _TABLES else 0
        self.trees["value_bytes"][members] = size * self.forest.accumulate.itemsize
        self.trees["values"][members] = self.n_values + np.arange(len(members)) * (len(made) // max(1, len(members)))
        self.values.append(made)
        self.n_values += len(made)


@cache
def perfect_order(height: int) -> Array:
    """The nodes of a perfect tree, numbered level by level, in the order in which the kernel needs them."""
    straight = min(height, kernels.STRAIGHT)
    roots = range((1 << (height - straight)) - 1, (1 << (height - straight + 1)) - 1)
    order = [node for root in roots for node in _right_first(root, straight)]
    for level in range(height - straight - 1, -1, -1):
        order += range((1 << level) - 1, (1 << (level + 1)) - 1)
    return np.array(order)


def _right_first(node: int, height: int) -> list[int]:
    if height == 0:
        return []
    return [*_right_first(2 * node + 2, height - 1), *_right_first(2 * node + 1, height - 1), node]
