"""Joining trees, as libraries store them, into a `Forest`: for readers.

Nodes come in any order and may hold some that nothing leads to (XGBoost keeps pruned ones). They go out breadth-first,
each pair of siblings side by side: a parent's `left` is one below its `right`, which the walk relies on for speed only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastframe.errors.models import ModelError
from fastframe.predict.forest import LEAF, NO_SET, Forest, Input, LinearLeaves

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree in its library's order of nodes; what it says of a leaf's split and of an inner node's value is ignored.

    Attributes
    ----------
    feature : numpy.ndarray
        Per node, as are all arrays here; negative for a leaf.
    threshold : numpy.ndarray
        Of the forest's domain already (`largest_float32_at_most`, `at_most_for_below`).
    left, right : numpy.ndarray
        Node numbers within this tree.
    missing_left : numpy.ndarray
    values : numpy.ndarray
        float32 or float64, ``(n_nodes,)`` or ``(n_nodes, n_outputs)``.
    category_set : numpy.ndarray, optional
        The number of a category node's set among those given to `join`; -1 for number nodes.
    leaf_id : numpy.ndarray, optional
        What the library calls a node that is a leaf; its node number if not given.
    linear : LinearLeaves, optional
        With an entry per node instead of per leaf.
    root, output : int
        Where walks start; which output a tree of one value per leaf adds to.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing_left: Array
    values: Array
    category_set: Array | None = None
    leaf_id: Array | None = None
    linear: LinearLeaves | None = None
    root: int = 0
    output: int = 0


def set_words(members: Array) -> Array:
    """The words of a set, from a bool per code, the last for "other"."""
    padded = np.zeros(-(-len(members) // 32) * 32, np.bool_)
    padded[: len(members)] = members
    return np.packbits(padded, bitorder="little").view("<u4").astype(np.uint32)


def join(
    trees: Sequence[Tree], *, domain: str, inputs: Sequence[Input], base: Array, sets: Sequence[Array] = (), divide: float = 0.0
) -> Forest:
    """The forest of these trees, checked. ``sets``: words of each set (`set_words`); see `Forest` for the others.

    Raises
    ------
    ModelError
        If a node is its own ancestor or has two parents, or a number is out of range.
    """
    sizes = np.array([len(t.feature) for t in trees], np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)])   # of each tree among all nodes, as they came
    feature = _all([t.feature for t in trees], np.int32)
    left, right = (_children([getattr(t, side) for t in trees], feature, first, side) for side in ("left", "right"))
    order, tree_start = _breadth_first(feature, left, right, first, np.array([t.root for t in trees], np.int64))
    feature = np.maximum(feature[order], LEAF).astype(np.int32)
    inner, leaves = feature != LEAF, order[feature == LEAF]
    number = np.zeros(int(first[-1]), np.int32)   # of a node in its tree, in the new order
    number[order] = np.arange(len(order)) - np.repeat(tree_start[:-1], np.diff(tree_start))
    ids = [np.arange(len(t.feature)) if t.leaf_id is None else t.leaf_id for t in trees]
    linear = [t.linear for t in trees if t.linear is not None]
    if linear and len(linear) != len(trees):
        raise ModelError.wrong_part("linear", "some trees'", "all trees' or none's")
    category = [np.full(len(t.feature), NO_SET, np.int32) if t.category_set is None else t.category_set for t in trees]
    forest = Forest(
        domain=domain,
        inputs=tuple(inputs),
        tree_start=tree_start,
        feature=feature,
        threshold=np.where(inner, _all([t.threshold for t in trees], domain)[order], 0).astype(domain),
        left=np.where(inner, number[left[order]], 0).astype(np.int32),
        right=np.where(inner, number[right[order]], 0).astype(np.int32),
        missing_left=inner & _all([t.missing_left for t in trees], np.bool_)[order],
        category_set=np.where(inner, _all(category, np.int32)[order], NO_SET).astype(np.int32),
        set_start=np.concatenate([[0], np.cumsum([len(words) for words in sets])]).astype(np.int64),
        set_words=_all(sets, np.uint32),
        leaf_values=_values(trees, base)[leaves],
        leaf_id=_all(ids, np.int32)[leaves],
        tree_output=np.array([t.output for t in trees], np.int32),
        base=np.array(base),
        divide=float(divide),
        linear=_linear(linear, leaves) if linear else None,
    )
    return forest.validate()


def _all(parts: Sequence[Array], dtype: Any) -> Array:
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)


def _values(trees: Sequence[Tree], base: Array) -> Array:
    if not trees:
        return np.empty((0, 1), base.dtype)
    values = np.concatenate([t.values for t in trees])
    return np.ascontiguousarray(values[:, np.newaxis] if values.ndim == 1 else values)


def _children(parts: Sequence[Array], feature: Array, first: Array, side: str) -> Array:
    """Children as numbers among all nodes; a leaf's are anything in range."""
    child = _all(parts, np.int64)
    sizes = np.diff(first)
    wrong = (feature >= 0) & ((child < 0) | (child >= np.repeat(sizes, sizes)))
    if wrong.any():
        index = int(wrong.argmax())
        raise ModelError.out_of_range(side, index, child[index], "a node of its tree")
    child[feature < 0] = 0
    child += np.repeat(first[:-1], sizes)
    return child


def _breadth_first(feature: Array, left: Array, right: Array, first: Array, roots: Array) -> tuple[Array, Array]:
    """Reachable nodes in their new order, and where each tree starts in it."""
    n_trees, total = len(roots), len(feature)
    wrong = (roots < 0) | (roots >= np.diff(first))
    if wrong.any():
        raise ModelError.out_of_range("root", int(wrong.argmax()), roots[wrong.argmax()], "a node of its tree")
    level, levels, found = first[:-1] + roots, [np.empty(0, np.int64)], 0
    while len(level) and found <= total:   # one depth of all trees at a time
        levels.append(level)
        found += len(level)
        parents = level[feature[level] >= 0]
        level = np.stack([left[parents], right[parents]], axis=1).ravel()
    order = np.concatenate(levels)
    if found > total or (np.bincount(order, minlength=1) > 1).any():
        raise ModelError.wrong_part("left and right", "shared between nodes", "one parent's each")
    tree_of_node = np.repeat(np.arange(n_trees, dtype=np.int32), np.diff(first))
    tree = tree_of_node[order]
    order = order[np.argsort(tree, kind="stable")]
    return order, np.concatenate([[0], np.cumsum(np.bincount(tree, minlength=n_trees))]).astype(np.int64)


def _linear(parts: Sequence[LinearLeaves], leaves: Array) -> LinearLeaves:
    """The linear functions of the given nodes, in this order."""
    counts = _all([np.diff(p.term_start) for p in parts], np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1][leaves]
    counts = counts[leaves]
    term_start = np.concatenate([[0], np.cumsum(counts)])
    terms = np.arange(int(term_start[-1])) + np.repeat(starts - term_start[:-1], counts)
    return LinearLeaves(
        constant=_all([p.constant for p in parts], np.float64)[leaves],
        term_start=term_start.astype(np.int32),
        feature=_all([p.feature for p in parts], np.int32)[terms],
        coefficient=_all([p.coefficient for p in parts], np.float64)[terms],
    )
