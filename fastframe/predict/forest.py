"""`Forest`: decision trees of any library in flat arrays, the one form that engines, files and checks know.

All that a library does in its own way is settled by its reader, so that a node has one meaning:

* a *number* node sends a row left iff ``x <= threshold``, compared in the forest's `domain`; ``x < t`` was read as
  ``x <= nextafter(t, -inf)``, and a float64 threshold on float32 values as the largest float32 below or at it;
* a *category* node sends a row left iff its code is in the node's set. Codes run from 0 to ``n_codes - 1``; code
  ``n_codes`` is every other value (unseen, negative, out of range), so that "other goes left" is a bit as well;
* a missing value (null, NaN, or what the input's rule calls missing) goes left iff ``missing_left``.

The score of a row is ``base``, plus one leaf of each tree *in the order of trees*, in `accumulate`; then divided by
`divide`, where that is not 0. So every addition is the native library's own, rounding included.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from fastframe.records import record

Array = np.ndarray[Any, Any]
LEAF = -1      # as the feature of a leaf
NO_SET = -1    # as the category set of a number node


@record(frozen=True)
class NumberInput:
    """A feature that number nodes compare.

    Attributes
    ----------
    via : str
        The dtype that a value passes through before it is cast to the forest's domain: ``"float64"`` where the native
        library is fed a float64 matrix, ``""`` where integers are cast to the domain at once (XGBoost).
    zero_missing : float
        Where not NaN: values with ``abs(x) <= zero_missing`` are missing (LightGBM's ``zero_as_missing``).
    missing_value : float
        This value is missing too (XGBoost's ``missing``); NaN: none but NaN and null.
    flush : float
        Values with ``abs(x) <= flush`` become 0 (LightGBM's NumPy path flushes below 1e-35).
    """

    via: str = "float64"
    zero_missing: float = float("nan")
    missing_value: float = float("nan")
    flush: float = 0.0


@record(frozen=True)
class CategoryInput:
    """A feature that category nodes look up.

    Attributes
    ----------
    n_codes : int
        Codes 0 to ``n_codes - 1`` are known; any other value has code ``n_codes``.
    truncate : bool
        A number that is no whole one is truncated towards zero (LightGBM, XGBoost) rather than being "other".
    negative_other : bool
        Numbers between -1 and 0 are "other" (XGBoost), rather than 0 when truncated (LightGBM).
    """

    n_codes: int
    truncate: bool = True
    negative_other: bool = False


Input = NumberInput | CategoryInput


@record(frozen=True)
class LinearLeaves:
    """Leaves that are linear functions (LightGBM's linear trees): ``constant + sum(coefficient * x)`` in listed order.

    A row in which any of a leaf's features is missing gets the leaf's plain value. One entry per leaf of the forest;
    terms of leaf ``l`` are ``[term_start[l], term_start[l + 1])``.
    """

    constant: Array      # float64, (n_leaves,)
    term_start: Array    # int32, (n_leaves + 1,)
    feature: Array       # int32, (n_terms,)
    coefficient: Array   # float64, (n_terms,)


@record(frozen=True, eq=False)
class Forest:
    """Trees in flat arrays: node ``n`` of tree ``t`` is entry ``tree_start[t] + n``; node 0 is a tree's root.

    A child's number is larger than its parent's, every node but the root is a child of exactly one node, and nodes that
    no row can reach have been left out. Leaves are numbered over the whole forest in the order of their nodes.
    """

    domain: str                    # "float32" or "float64": what number nodes compare
    inputs: tuple[Input, ...]      # one per feature
    tree_start: Array              # int64, (n_trees + 1,)
    feature: Array                 # int32, (n_nodes,): LEAF for a leaf
    threshold: Array               # of the domain, (n_nodes,); 0 for leaves and category nodes
    left: Array                    # int32, (n_nodes,): the child's number within the tree; 0 for a leaf
    right: Array                   # int32, (n_nodes,)
    missing_left: Array            # bool, (n_nodes,)
    category_set: Array            # int32, (n_nodes,): which set, or NO_SET
    set_start: Array               # int64, (n_sets + 1,): in words of set_words
    set_words: Array               # uint32: bit c % 32 of word c // 32 is code c, up to and with n_codes
    leaf_values: Array             # float32 or float64, (n_leaves, width): width 1, or one value per output
    leaf_id: Array                 # int32, (n_leaves,): what the native library's apply / predict_leaf calls it
    tree_output: Array             # int32, (n_trees,): which output a tree of width 1 adds to; 0 otherwise
    base: Array                    # of leaf_values' dtype, (n_outputs,)
    divide: float = 0.0
    linear: LinearLeaves | None = None

    @property
    def n_trees(self) -> int:
        return len(self.tree_start) - 1

    @property
    def n_features(self) -> int:
        return len(self.inputs)

    @property
    def n_outputs(self) -> int:
        return len(self.base)

    @property
    def width(self) -> int:
        """Values of a leaf: 1, or `n_outputs`."""
        return int(self.leaf_values.shape[1])

    @property
    def accumulate(self) -> np.dtype[Any]:
        """The dtype in which leaves are added."""
        return self.leaf_values.dtype

    @cached_property
    def leaf_of_node(self) -> Array:
        """int32, (n_nodes,): the leaf's number in the forest; -1 for an inner node."""
        is_leaf = self.feature == LEAF
        return np.where(is_leaf, np.cumsum(is_leaf, dtype=np.int32) - 1, -1).astype(np.int32)

    @cached_property
    def depth_of_tree(self) -> Array:
        """int32, (n_trees,): comparisons on the longest way from root to leaf."""
        from fastframe._kernels.forest_shape import depths

        out = np.zeros(self.n_trees, np.int32)
        if self.n_trees:
            depths(self.shape, out.ctypes.data)
        return out

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """What kernels of `forest_shape` take."""
        start, feature, left, right = (one.ctypes.data for one in (self.tree_start, self.feature, self.left, self.right))
        return start, feature, left, right, self.n_trees

    def validate(self) -> Forest:
        """This forest, if every number in it is in range; what engines rely on to stay within memory.

        Raises
        ------
        ModelError
            Saying which array, node and value is out of range.
        """
        from fastframe.predict.forest_checks import check

        check(self)
        return self


def empty_sets() -> tuple[Array, Array]:
    """``(set_start, set_words)`` of a forest without category nodes."""
    return np.zeros(1, np.int64), np.empty(0, np.uint32)


def largest_float32_at_most(thresholds: Array) -> Array:
    """For float64 ``t`` the largest float32 ``s <= t``: then ``x <= t`` iff ``x <= s`` for every float32 ``x``."""
    thresholds = np.asarray(thresholds, np.float64)
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
    return np.where(nearest.astype(np.float64) > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def at_most_for_below(thresholds: Array) -> Array:
    """For ``t`` the largest number below it, in the same dtype: then ``x < t`` iff ``x <= s``."""
    return np.nextafter(thresholds, thresholds.dtype.type(-np.inf))

