"""How far the self-check's rows got: at which nodes some went left and some right.

A row is made for a threshold of one column, but only reaches its node if the columns above it send it there. So what was compared
is counted from the leaves where the rows ended. Rows for nodes that were missed are made in `aim`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels.forest_shape import both_ways
from fastframe.predict.forest import LEAF, Forest

Array = np.ndarray[Any, Any]


def nodes_decided(forest: Forest, leaves: Array) -> tuple[int, int]:
    """The inner nodes that sent some of the rows to either side, and all inner nodes.

    Parameters
    ----------
    forest : Forest
    leaves : numpy.ndarray
        ``(n_rows, n_trees)``: the native names of the leaves where rows ended, at least 0 and different within a tree.
    """
    visited = reached(forest, leaves)
    n_inner = int(np.count_nonzero(forest.feature != LEAF))
    return (both_ways(forest.shape, visited.ctypes.data) if forest.n_trees else 0), n_inner


def reached(forest: Forest, leaves: Array) -> Array:
    """uint8 per node: 1 for leaves where rows ended. See `nodes_decided`."""
    is_leaf = forest.feature == LEAF
    names, size = forest.leaf_id.astype(np.int64), int(max(forest.leaf_id.max(initial=0), leaves.max(initial=0))) + 1
    tree_of_leaf = np.repeat(np.arange(forest.n_trees), np.diff(forest.tree_start))[is_leaf]
    ended = np.zeros(forest.n_trees * size, np.bool_)
    ended[(np.arange(forest.n_trees) * size + leaves).ravel()] = True
    visited = np.zeros(len(forest.feature), np.uint8)
    visited[is_leaf] = ended[tree_of_leaf * size + names]
    return visited
