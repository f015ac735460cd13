"""That every number in a `Forest` is in range: what lets engines read it without looking, and files be believed.

All checks are passes over whole arrays; the first that fails names its array, entry and value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe._kernels.forest_shape import sound_children
from fastframe.errors.models import ModelError
from fastframe.predict.forest import LEAF, NO_SET, CategoryInput, Forest, NumberInput

Array = np.ndarray[Any, Any]
VIAS = ("", "float32", "float64")
LARGEST_CODE = 1 << 24     # what a set may grow to: XGBoost's own limit
LARGEST_FOREST = (1 << 31) - 1


def check(forest: Forest) -> None:
    """Pass, or raise `ModelError` for the first number that is out of range."""
    _check_inputs(forest)
    _check_shapes(forest)
    _check_starts("tree_start", forest.tree_start, len(forest.feature), least=1)
    _check_starts("set_start", forest.set_start, len(forest.set_words), least=1)
    _check_features(forest)
    _check_children(forest)
    _check_sets(forest)
    _check_outputs(forest)
    if forest.linear is not None:
        _check_linear(forest)


def _refuse(array: str, wrong: Array, values: Array, allowed: str) -> None:
    """Raise for the first entry where ``wrong``; nothing if there is none."""
    if wrong.any():
        index = int(wrong.argmax())
        raise ModelError.out_of_range(array, index, values[index], allowed)


def _check_inputs(forest: Forest) -> None:
    if forest.domain not in ("float32", "float64"):
        raise ModelError.wrong_part("domain", forest.domain, "'float32' or 'float64'")
    for index, source in enumerate(forest.inputs):
        if isinstance(source, NumberInput):
            if source.via not in VIAS:
                raise ModelError.out_of_range("inputs", index, f"cast through {source.via!r}", "a cast through '', 'float32' or 'float64'")
            if not source.flush >= 0:
                raise ModelError.out_of_range("inputs", index, f"flushed at {source.flush}", "flushed at 0 or more")
        elif not isinstance(source, CategoryInput) or not 0 <= source.n_codes <= LARGEST_CODE:
            raise ModelError.out_of_range("inputs", index, source, f"a number, or 0 to {LARGEST_CODE} categories")


def _check_shapes(forest: Forest) -> None:
    """Dtypes, lengths and layout of all arrays: engines take their addresses."""
    for name, dimensions in (("feature", 1), ("leaf_values", 2), ("base", 1)):
        if getattr(forest, name).ndim != dimensions:
            raise ModelError.wrong_part(name, f"of shape {getattr(forest, name).shape}", f"of {dimensions} dimensions")
    domain, total = np.dtype(forest.domain), forest.leaf_values.dtype
    if total not in (np.dtype("float32"), np.dtype("float64")):
        raise ModelError.wrong_part("leaf_values", total, "float32 or float64")
    if not len(forest.base):
        raise ModelError.wrong_part("base", f"of shape {forest.base.shape}", "one number per output")
    for name in ("tree_start", "set_start"):
        if not getattr(forest, name).ndim == 1 <= len(getattr(forest, name)):
            raise ModelError.wrong_part(name, f"of shape {getattr(forest, name).shape}", "a list that starts with 0")
    if len(forest.feature) > LARGEST_FOREST:
        raise ModelError.wrong_part("feature", f"of {len(forest.feature)} nodes", f"of at most {LARGEST_FOREST} nodes")
    n_nodes, n_leaves = (len(forest.feature),), int(np.count_nonzero(forest.feature == LEAF))
    width = forest.leaf_values.shape[-1]
    if width not in (1, len(forest.base)):
        raise ModelError.wrong_part("leaf_values", f"{width} wide", f"1 or {len(forest.base)} wide")
    expected: dict[str, tuple[Any, tuple[int, ...]]] = {
        "tree_start": (np.int64, forest.tree_start.shape), "feature": (np.int32, n_nodes), "threshold": (domain, n_nodes),
        "left": (np.int32, n_nodes), "right": (np.int32, n_nodes), "missing_left": (np.bool_, n_nodes),
        "category_set": (np.int32, n_nodes), "set_start": (np.int64, forest.set_start.shape), "set_words": (np.uint32, (-1,)),
        "leaf_values": (total, (n_leaves, width)), "leaf_id": (np.int32, (n_leaves,)),
        "tree_output": (np.int32, (forest.n_trees,)), "base": (total, (-1,)),
    }  # fmt: skip
    _check_arrays(forest, expected)


def _check_arrays(owner: object, expected: dict[str, tuple[Any, tuple[int, ...]]]) -> None:
    """Each array's dtype and shape (-1: any length), C order and alignment."""
    for name, (dtype, shape) in expected.items():
        array: Array = getattr(owner, name)
        fits = array.ndim == len(shape) and all(n in (-1, m) for n, m in zip(shape, array.shape, strict=True))
        if not fits or array.dtype != dtype:
            raise ModelError.wrong_part(name, f"{array.dtype} of shape {array.shape}", f"{np.dtype(dtype)} of shape {shape}")
        if not (array.flags.c_contiguous and array.flags.aligned):
            raise ModelError.wrong_part(name, "strided or unaligned", "contiguous and aligned")


def _check_starts(name: str, starts: Array, end: int, least: int) -> None:
    """Starts of consecutive pieces of ``least`` entries or more, from 0 to ``end``."""
    if starts[0] != 0:
        raise ModelError.out_of_range(name, 0, starts[0], "0")
    _refuse(name, (starts < 0) | (starts > end), starts, f"from 0 to {end}")   # so that sums of them cannot overflow
    _refuse(name, np.append(False, starts[1:] < starts[:-1] + least), starts, f"at least {least} above the one before")
    if starts[-1] != end:
        raise ModelError.out_of_range(name, len(starts) - 1, starts[-1], f"the number of entries, {end}")


def _check_features(forest: Forest) -> None:
    feature = forest.feature
    _refuse("feature", (feature < LEAF) | (feature >= forest.n_features), feature, f"from -1 to {forest.n_features - 1}")
    _refuse("threshold", np.isnan(forest.threshold), forest.threshold, "a number to compare with")


def _check_children(forest: Forest) -> None:
    """Children follow their parents within the tree, and every node but the roots has exactly one parent.

    The kernel says whether; which number is wrong is found here.
    """
    if sound_children(forest.shape):
        return
    n_nodes, sizes = len(forest.feature), np.diff(forest.tree_start)
    inner = forest.feature != LEAF
    first = np.repeat(forest.tree_start[:-1].astype(np.int32), sizes)
    own = np.arange(n_nodes, dtype=np.int32) - first
    size = np.repeat(sizes.astype(np.int32), sizes)
    has_parent = np.zeros(n_nodes, np.bool_)
    has_parent[forest.tree_start[:-1]] = True
    for name, child in (("left", forest.left), ("right", forest.right)):
        wrong = np.where(inner, (child <= own) | (child >= size), child != 0)
        _refuse(name, wrong, child, "a later node of its tree (0 for a leaf)")
        has_parent[(first + child)[inner]] = True
    _refuse("left or right", ~has_parent, np.arange(n_nodes), "a node with a parent")
    if 2 * int(np.count_nonzero(inner)) != n_nodes - forest.n_trees:   # then some node has two
        raise ModelError.wrong_part("left and right", "shared between nodes", "one parent's each")


def _check_sets(forest: Forest) -> None:
    """Category nodes, and no others, have a set, which covers their input's codes and the one for others."""
    words = np.array([i.n_codes // 32 + 1 if isinstance(i, CategoryInput) else 0 for i in forest.inputs] + [0], np.int64)
    n_sets, sets = len(forest.set_start) - 1, forest.category_set
    needs = (words > 0)[forest.feature]   # a leaf's feature, -1, is the entry appended
    if not needs.any() and n_sets == 0:
        _refuse("category_set", sets != NO_SET, sets, "-1: no category")
        return
    _refuse("category_set", ~needs & (sets != NO_SET), sets, "-1 where nothing is looked up")
    _refuse("category_set", needs & ((sets < 0) | (sets >= n_sets)), sets, f"from 0 to {n_sets - 1}")
    nodes = np.flatnonzero(needs)
    short = np.diff(forest.set_start)[sets[nodes]] < words[forest.feature[nodes]]
    if short.any():
        node = nodes[short.argmax()]
        raise ModelError.out_of_range("category_set", int(node), sets[node], "a set that covers all codes of its input")


def _check_outputs(forest: Forest) -> None:
    several = forest.n_outputs if forest.width == 1 else 1
    outputs = forest.tree_output
    _refuse("tree_output", (outputs < 0) | (outputs >= several), outputs, f"from 0 to {several - 1}")
    if not (np.isfinite(forest.divide) and forest.divide >= 0):
        raise ModelError.wrong_part("divide", forest.divide, "0 or a positive number")


def _check_linear(forest: Forest) -> None:
    linear, n_leaves = forest.linear, len(forest.leaf_id)
    assert linear is not None
    if forest.accumulate != np.float64 or forest.width != 1:
        raise ModelError.wrong_part("linear", f"beside {forest.accumulate} leaves {forest.width} wide", "beside float64 leaves 1 wide")
    _check_arrays(linear, {"constant": (np.float64, (n_leaves,)), "term_start": (np.int32, (n_leaves + 1,)),
                           "feature": (np.int32, (-1,)), "coefficient": (np.float64, linear.feature.shape)})  # fmt: skip
    _check_starts("linear.term_start", linear.term_start, len(linear.feature), least=0)
    number = np.array([isinstance(i, NumberInput) for i in forest.inputs] + [False])
    known = (linear.feature >= 0) & (linear.feature < forest.n_features)
    _refuse("linear.feature", ~(known & number[np.where(known, linear.feature, -1)]), linear.feature, "a number input")
