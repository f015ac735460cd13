"""Packing forests for the bit-sliced engine (``forest_sliced.hpp``), and running it.

Two forms of a tree: a *perfect* one, padded until all its leaves are equally deep, is straight code over its nodes; one of *any*
shape is a list of runs of nodes, most of which have one leaf. A perfect node costs about half of another.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastframe._kernels import forest_sliced as kernels
from fastframe._threads import run
from fastframe.column.memory import allocate_array
from fastframe.predict.engines.planes import Planes
from fastframe.predict.forest import LEAF, Forest

if TYPE_CHECKING:
    from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]

_MOST_SLICE_ROWS, _FEWEST_SLICE_ROWS = 4096, 512   # of a morsel: a millisecond of work for hundreds of trees
_SLICES = 8            # of a batch, at least, while they are that long: threads end together
HIGHEST_PERFECT = 8    # levels: 256 leaves
MOST_PLANES = 65535 * kernels.PLACE // (2 * kernels.ROWS)
PADDING = 2.0          # nodes of a perfect tree per node of the tree itself, at most: one costs this much less
_UNIT = 2 * kernels.ROWS // kernels.PLACE   # of planes' places: rising codes, then falling ones
TABLES = (16, 32, 64)   # leaves of trees whose values are looked up; more are read one by one
_PAIR, _SINGLE, _FORK = 2, 1, 0   # an inner node's leaves
_OPERATION = "predict"

# Keep these in step with the structs; the extension asserts their sizes.
TREE = np.dtype([
    ("first_node", "i8"), ("first_child", "i8"), ("values", "i8"), ("first_set", "i8"), ("value_bytes", "i4"), ("n_sets", "i4"),
    ("height", "i4"), ("n_pairs", "i4"), ("n_forks", "i4"), ("tables", "i4"), ("output", "i4"), ("unused", "i4"),
])  # fmt: skip
SET = np.dtype([("bits", "u1", 32), ("plane", "i4")])


def n_leaves_of_trees(forest: Forest) -> Array:
    return (np.diff(forest.tree_start) + 1) // 2


def is_perfect(forest: Forest) -> Array:
    """Which trees are worth padding until they are perfect: bool, ``(n_trees,)``."""
    depth = forest.depth_of_tree
    n_nodes = (1 << np.minimum(depth, 30)) - 1
    return (depth > 0) & (depth <= HIGHEST_PERFECT) & (n_nodes <= PADDING * (n_leaves_of_trees(forest) - 1))   # type: ignore[no-any-return]


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
        self._addresses = tuple(array.ctypes.data for array in self._arrays)   # a microsecond each, so not for every batch
        self._counts = (forest.n_trees, packing.most_sets, forest.n_outputs, forest.width)
        self.wide = kernels.HAS_WIDE

    def sums(self, rows: Rows, out: Array | None = None) -> Array:
        """``(n_rows, n_outputs)``, C order, in the forest's `accumulate`."""
        if out is None:
            out = allocate_array(rows.n_rows * self.forest.n_outputs, self.forest.accumulate, _OPERATION)
        out = out.reshape(rows.n_rows, self.forest.n_outputs)
        task = kernels.sums(
            self.front.address, rows.addresses(self.front), out.ctypes.data,
            arrays=self._addresses, counts=self._counts, divide=self.forest.divide,
            value_bytes=self.forest.accumulate.itemsize, wide=self.wide, keep_alive=(self, rows, out),
        )  # fmt: skip
        run(task, len(out), _slice_rows(len(out)), operation=_OPERATION)
        return out


def _slice_rows(n_rows: int) -> int:
    shared = -(-n_rows // (_SLICES * _FEWEST_SLICE_ROWS)) * _FEWEST_SLICE_ROWS
    return max(_FEWEST_SLICE_ROWS, min(shared, _MOST_SLICE_ROWS))


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
        self.more: list[Array] = []
        self.children: list[Array] = []
        self.values: list[Array] = []
        self.n_nodes = self.n_values = 0
        self._add_sets(layout)
        self._add_trees()

    def arrays(self) -> tuple[Array, ...]:
        """In the order that the kernel takes them."""
        planes = np.concatenate([np.zeros(0, np.uint16), *self.planes])
        thresholds = np.concatenate([np.zeros(0, np.int8), *self.thresholds])
        more = np.concatenate([np.zeros(0, np.uint8), *self.more])
        children = np.concatenate([np.zeros(0, np.uint16), *self.children])
        values = np.concatenate([np.zeros(0, np.uint8), *self.values])
        return self.trees, planes, thresholds, more, children, self.sets, values, np.ascontiguousarray(self.forest.base)

    def _add_sets(self, layout: Planes) -> None:
        """Each tree's different sets; their nodes' plane is where in the tile the test of the set goes."""
        nodes = np.flatnonzero(layout.node_set >= 0)
        if not len(nodes):
            self.sets, self.most_sets = np.zeros(0, SET), 0
            return
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
        depth, perfect = self.forest.depth_of_tree, is_perfect(self.forest)
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
        self._add_nodes(nodes.ravel(), np.zeros(nodes.size, np.uint8))
        self._add_values(members, self.forest.leaf_of_node[level])

    def _add_any(self, members: Array) -> None:
        """Trees of any shape, in runs. Numbers of leaves are as they come: a run's two, then all that have no leaf beside them."""
        n_trees = self.forest.n_trees
        mine = np.isin(self.tree, members)
        runs = _Runs(self, np.flatnonzero(mine & ~self.leaf))
        order, nodes = runs.order, runs.nodes
        number = np.zeros(len(self.leaf), np.int64)   # of a leaf in its tree
        pairs = nodes[runs.kind == _PAIR]
        number[self.left[pairs]] = 2 * runs.slot[pairs]
        number[self.right[pairs]] = 2 * runs.slot[pairs] + 1
        lone = mine & self.leaf
        lone[self.left[pairs]] = lone[self.right[pairs]] = False
        lonely = np.flatnonzero(lone)
        n_pairs, n_lone = np.bincount(self.tree[pairs], minlength=n_trees), np.bincount(self.tree[lonely], minlength=n_trees)
        number[lonely] = np.arange(len(lonely)) + (2 * n_pairs - (np.cumsum(n_lone) - n_lone))[self.tree[lonely]]

        single = runs.kind == _SINGLE
        sinks_right = single & self.leaf[self.right[nodes]]   # asked who goes right: falling codes, the threshold's negative
        places = self.place[nodes] + np.where(sinks_right, _UNIT // 2, 0).astype(np.uint16)
        thresholds = np.where(sinks_right, -self.threshold[nodes], self.threshold[nodes])
        more = np.where(single, np.where(sinks_right, number[self.right[nodes]], number[self.left[nodes]]), runs.length)
        forks = order[runs.kind[order] == _FORK]
        children = np.stack([runs.slot[self.left[nodes[forks]]], runs.slot[self.right[nodes[forks]]]], 1)
        self.children.append((children.ravel() * kernels.ROWS).astype(np.uint16))

        n_inner = np.bincount(self.tree[nodes], minlength=n_trees)
        n_forks = np.bincount(self.tree[nodes[forks]], minlength=n_trees)
        self.trees["n_pairs"][members], self.trees["n_forks"][members] = n_pairs[members], n_forks[members]
        self.trees["first_child"][members] = (np.cumsum(n_forks) - n_forks)[members]
        self.trees["first_node"][members] = self.n_nodes + (np.cumsum(n_inner) - n_inner)[members]
        self.planes.append(places[order])
        self.thresholds.append(thresholds[order])
        self.more.append(more[order].astype(np.uint8))
        self.n_nodes += len(nodes)
        self._add_numbered_values(members, np.flatnonzero(mine & self.leaf), number)

    def _add_nodes(self, nodes: Array, more: Array) -> None:
        self.planes.append(self.place[nodes])
        self.thresholds.append(self.threshold[nodes])
        self.more.append(more)
        self.n_nodes += len(nodes)

    def _add_numbered_values(self, members: Array, leaves: Array, number: Array) -> None:
        n_leaves = n_leaves_of_trees(self.forest)
        row = np.zeros(self.forest.n_trees, np.int64)
        row[members] = np.arange(len(members))
        entries = np.zeros((len(members), kernels.LEAVES), np.int32)   # what no row reaches may be any leaf
        entries[row[self.tree[leaves]], number[leaves]] = self.forest.leaf_of_node[leaves]
        sizes = np.array([*TABLES, 128, 256])
        size_of = sizes[np.searchsorted(sizes, n_leaves[members])]
        for size in sorted(set(size_of.tolist())):
            some = size_of == size
            self._add_values(members[some], entries[some, :size])

    def _add_values(self, members: Array, entries: Array) -> None:
        """``entries``: ``(n_members, n)``: leaves of the forest by their numbers in the trees. Tables are byte by byte."""
        size = next((size for size in TABLES if size >= entries.shape[1]), entries.shape[1])
        padded = np.zeros((len(entries), size), entries.dtype)
        padded[:, : entries.shape[1]] = entries
        values = self.forest.leaf_values[padded].transpose(0, 2, 1)   # tree, output, leaf
        if size in TABLES:
            values = np.ascontiguousarray(values)[..., None].view(np.uint8).transpose(0, 1, 3, 2)
        made = np.ascontiguousarray(values).view(np.uint8).ravel()
        self.trees["tables"][members] = size // 16 if size in TABLES else 0
        self.trees["value_bytes"][members] = size * self.forest.accumulate.itemsize
        self.trees["values"][members] = self.n_values + np.arange(len(members)) * (len(made) // max(1, len(members)))
        self.values.append(made)
        self.n_values += len(made)


class _Runs:
    """The runs of inner nodes: up from a node that has two leaves or none, along those that have one.

    Attributes
    ----------
    nodes : numpy.ndarray
        As given, ascending.
    kind, length : numpy.ndarray
        Per entry of ``nodes``: its children; how many nodes with one leaf are above it in its run.
    slot : numpy.ndarray
        By node of the forest: its run's.
    order : numpy.ndarray
        Entries of ``nodes``, tree by tree, in the order in which the kernel takes them.
    """

    def __init__(self, packing: _Packing, nodes: Array) -> None:
        left_leaf, right_leaf = packing.leaf[packing.left[nodes]], packing.leaf[packing.right[nodes]]
        self.nodes = nodes
        self.kind = np.where(left_leaf & right_leaf, _PAIR, np.where(left_leaf | right_leaf, _SINGLE, _FORK))
        self.first, distance = self._first(packing, left_leaf)
        self.length = np.bincount(self.first, minlength=len(nodes)) - 1
        self.length[self.kind == _SINGLE] = 0
        fork = self.kind[self.first] == _FORK
        # Longest runs first where any order will do, so that loops of one length follow each other; else children first.
        rank = np.where(fork, -self.first, -self.length[self.first])
        tree = packing.tree[nodes]
        self.order = np.lexsort((distance, -self.first, rank, fork, tree))
        begins = self.kind[self.order] != _SINGLE
        number = np.cumsum(begins) - 1
        n_runs = np.bincount(tree[self.order[begins]], minlength=packing.forest.n_trees)
        self.slot = np.zeros(len(packing.leaf), np.int64)
        self.slot[nodes[self.order]] = number - (np.cumsum(n_runs) - n_runs)[tree[self.order]]

    def _first(self, packing: _Packing, left_leaf: Array) -> tuple[Array, Array]:
        """The entry that each node's run begins with, and how far below it is; by doubling steps."""
        entry = np.zeros(len(packing.leaf), np.int64)
        entry[self.nodes] = np.arange(len(self.nodes))
        single = self.kind == _SINGLE
        below = np.where(left_leaf, packing.right[self.nodes], packing.left[self.nodes])
        first = np.where(single, entry[below], np.arange(len(self.nodes)))
        distance = single.astype(np.int64)
        while (single[first]).any():
            distance += distance[first]
            first = first[first]
        return first, distance


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
