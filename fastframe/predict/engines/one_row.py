"""The engine for one row: a dict, tuple, list or 1-D array, answered on the calling thread in microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastframe._kernels import forest_row as kernels
from fastframe._threads import run, thread_count
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import Kind, is_arrow_text
from fastframe.predict.engines.keys import aligned, keys_of, slice_trees
from fastframe.predict.engines.planes import Planes, lay_out
from fastframe.predict.features import Computed, Feature
from fastframe.predict.forest import LEAF, Forest

Array = np.ndarray[Any, Any]

_OPERATION = "predict_row"
_STEP_NS = 1.2          # a level of one tree
RELEASE_NS = 3_000     # a row from which on other threads may run meanwhile: below, handing over the interpreter costs more
_FREE_NS = 20_000       # a row from which on any number of threads compute: waiting for the interpreter costs less than standing still
_FAR_BYTES, _FAR = 8 << 20, 4.0   # nodes of so many bytes are not in the nearer caches: a level takes this many times as long
_ANY = (1 << 31) - 1
_MOST_KINDS = 64        # of leaves, up to which pairs of them are kept once: 64 KB
_MOST_INT64 = (1 << 63) - 1
_WHOLE = {"float32": 1 << 24, "float64": 1 << 53}   # up to which a float has all whole numbers


class OneRow:
    """A forest packed for rows that come one by one.

    Values of other types than float, int, bool, str and None, values that the contract may refuse, and rows of other shapes
    are not answered: `sums` gives None, and the caller takes the row through the contract as a batch of one.

    Parameters
    ----------
    forest : Forest
        Validated; `takes` says whether it can be packed.
    features : sequence of Feature
        What feeds the forest's inputs.
    contract : FeatureContract

    Notes
    -----
    Any number of threads may ask at once: they share no scratch and take no lock, and the interpreter's lock is released during
    walks of three microseconds or more, by as many threads as there are processors, or by any number from 20 microseconds on.
    Cost: 0.3 microseconds, 15 ns per field, and 1 to 2 ns per level of each tree.
    """

    def __init__(self, forest: Forest, features: Sequence[Feature], contract: FeatureContract) -> None:
        layout = lay_out(forest, features, contract, forest.domain)
        fields = fields_of(contract)
        packed = _Packed(forest, layout, len(fields))
        self.nbytes = packed.nodes.nbytes
        self.front = layout.front
        self.ns = _STEP_NS * kernels.LANES * int(packed.steps.sum()) * (_FAR if self.nbytes > _FAR_BYTES else 1.0)
        beside = threads_beside(self.ns)
        self.walker = kernels.RowWalker(packed.addresses, tuple(contract.names), fields, beside, (packed, layout, forest))
        self.sums = self.walker.sums   # (1, n_outputs), in the forest's `accumulate`; None: the contract must look

    @staticmethod
    def takes(forest: Forest, features: Sequence[Feature]) -> bool:
        """Not linear leaves, nor features that are computed in blocks."""
        return forest.linear is None and not any(isinstance(feature, Computed) for feature in features)


def threads_beside(ns: float) -> int:
    """How many threads may be without the interpreter's lock for the sake of rows that take so long: 0 where it is not worth handing over."""
    if ns <= RELEASE_NS:
        return 0
    return thread_count() if ns <= _FREE_NS else _ANY


def fields_of(contract: FeatureContract) -> list[tuple[int, bool, int, int, dict[Any, int], int]]:
    """What `RowReader` knows of a contract's fields."""
    return [_field(field) for field in contract.fields]


def _field(field: Field) -> tuple[int, bool, int, int, dict[Any, int], int]:
    """Of one field: kind, nullable, the least and most whole number, codes, an unseen value's code."""
    if field.categories is not None:
        kind = kernels.TEXT if is_arrow_text(field.categories.type) else kernels.NUMBERS
        codes = {value: code for code, value in enumerate(field.categories.to_pylist())}
        unseen = {"error": kernels.UNSEEN_ELSEWHERE, "missing": -1, "model": len(codes)}[field.unseen]
        return kind, field.nullable, 0, 0, codes, unseen
    if field.dtype.kind is Kind.FLOAT:
        most = _WHOLE.get(field.dtype.name, 1 << 11)
        kind = kernels.DOUBLE if field.dtype.name == "float64" else kernels.FLOAT
        return kind, field.nullable, -most, most, {}, 0
    if field.dtype.kind is Kind.BOOL:
        return kernels.INTEGER, field.nullable, 0, 1, {}, 0
    info = np.iinfo(field.dtype.numpy)   # type: ignore[arg-type]
    return kernels.INTEGER, field.nullable, int(info.min), min(int(info.max), _MOST_INT64), {}, 0


class _Packed:
    """Memory that `RowWalker` reads, and its addresses."""

    def __init__(self, forest: Forest, layout: Planes, n_fields: int) -> None:
        category = layout.node_set >= 0
        n_columns, has_categories = layout.n_planes + 1, bool(category.any())
        self.kind, first_leaf = _leaf_kinds(forest)
        n_pairs = 0 if self.kind is None else len(first_leaf) ** 2
        most_places = 2 * (len(forest.feature) + n_pairs) + 16 * forest.n_trees   # more than there will be
        wide = forest.domain == "float64" or n_columns > kernels.MOST_COLUMNS or most_places > kernels.MOST_PLACES
        inside = forest.width == 1 and forest.accumulate.itemsize == (8 if wide else 4)
        keys = _thresholds(forest, layout, category, wide, inside)
        if n_pairs:
            keys[forest.feature == LEAF] = (leaf_keys := keys[forest.feature == LEAF][first_leaf])[self.kind[forest.feature == LEAF]]   # type: ignore[index]
        self.arrays = (forest.tree_start, forest.left, forest.right, (layout.plane + 1).astype(np.int32), keys, category.view(np.uint8))
        addresses = (
            *(array.ctypes.data for array in self.arrays[:-1]), self.arrays[-1].ctypes.data if has_categories else 0,
            0 if self.kind is None else self.kind.ctypes.data, len(first_leaf),
        )  # fmt: skip
        first = self._places(forest, addresses, wide, -(-2 * n_pairs // kernels.LINE_NODES[wide]) * kernels.LINE_NODES[wide])
        self.nodes = aligned(int(first[-1]) * kernels.NODE_BYTES[wide])
        if n_pairs:
            kernels.pairs_of_leaves(wide, leaf_keys.ctypes.data, len(leaf_keys), self.nodes.ctypes.data)
        task = kernels.pack(wide, addresses, 0, first.ctypes.data, self.nodes.ctypes.data, keep_alive=(self, first))
        run(task, forest.n_trees, slice_trees(forest), operation=_OPERATION)
        self.set_words = np.append(layout.set_words, np.uint32(0)).astype(np.uint32)
        self.is_class = (layout.n_codes > 0).view(np.uint8)
        self.root, self.tree, self.steps, self.groups = _groups(forest, first[:-1])
        self.addresses = (
            layout.front.address, self.nodes.ctypes.data, self.set_words.ctypes.data, self.is_class.ctypes.data, n_columns, n_fields, forest.n_trees,
            len(self.steps), self.root.ctypes.data, self.tree.ctypes.data, self.steps.ctypes.data, self.groups.ctypes.data,
            forest.leaf_values.ctypes.data, forest.base.ctypes.data, forest.tree_output.ctypes.data, forest.width,
            forest.n_outputs, forest.divide, forest.accumulate == np.float32, wide, has_categories, inside,
        )  # fmt: skip

    @staticmethod
    def _places(forest: Forest, addresses: tuple[int, ...], wide: bool, start: int) -> Array:
        n_places = np.zeros(forest.n_trees, np.int64)
        run(kernels.pack(wide, addresses, n_places.ctypes.data, 0, 0, keep_alive=n_places), forest.n_trees, slice_trees(forest), operation=_OPERATION)
        return np.concatenate([[start], start + np.cumsum(n_places)]).astype(np.int64)


def _leaf_kinds(forest: Forest) -> tuple[Array | None, Array]:
    """Per node which kind of leaf it is, int32, where there are few kinds; and each kind's first leaf."""
    values = forest.leaf_values
    kind, first = np.empty(len(values), np.int32), np.empty(_MOST_KINDS, np.int64)
    n_kinds = kernels.leaf_kinds(
        values.ctypes.data, len(values), values.shape[1] * values.itemsize, most=_MOST_KINDS, kind=kind.ctypes.data, first=first.ctypes.data
    )
    if n_kinds <= 0 or n_kinds**2 > len(values):   # pairs that take more memory than they spare
        return None, first[:0]
    by_node = np.zeros(len(forest.feature), np.int32)
    by_node[forest.feature == LEAF] = kind
    return by_node, first[:n_kinds]


def _thresholds(forest: Forest, layout: Planes, category: Array, wide: bool, inside: bool) -> Array:
    """Keys of thresholds (of 8 bytes for wide nodes, else of 4), where category nodes' sets start, leaves: uint64.

    Leaves are their numbers, or where ``inside`` the bits of their values.
    """
    keys = keys_of(forest.threshold.astype(np.float64 if wide else np.float32)).astype(np.uint64)
    if category.any():
        keys[category] = layout.set_start[layout.node_set[category]]
    leaves = forest.leaf_values[:, 0].view(np.uint64 if wide else np.uint32) if inside else np.arange(len(forest.leaf_values))
    keys[forest.feature == LEAF] = leaves
    return keys


def _groups(forest: Forest, roots: Array) -> tuple[Array, Array, Array, Array]:
    """Groups of trees of about one depth, within chunks: their roots, their numbers in the chunk, levels to walk, groups of a chunk."""
    root, tree, steps, groups = [], [], [], []
    depth = forest.depth_of_tree
    for start in range(0, forest.n_trees, kernels.CHUNK):
        order = np.argsort(depth[start : start + kernels.CHUNK], kind="stable")
        n_groups = -(-len(order) // kernels.LANES)
        spare = n_groups * kernels.LANES - len(order)
        root.append(np.pad(roots[start + order], (0, spare), mode="edge"))
        tree.append(np.pad(order, (0, spare), constant_values=kernels.CHUNK))
        steps.append(np.pad(depth[start + order], (0, spare)).reshape(n_groups, -1).max(axis=1))
        groups.append(n_groups)
    empty = [np.empty(0, np.int64)]
    return (
        np.concatenate(root or empty).astype(np.uint32), np.concatenate(tree or empty).astype(np.int32),
        np.concatenate(steps or empty).astype(np.int32), np.array(groups, np.int32),
    )  # fmt: skip
