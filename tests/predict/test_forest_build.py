"""Joining trees of any node order into a forest, what its checks refuse, and the slow walker's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastframe.errors.models import ModelError
from fastframe.predict.forest import (
    CategoryInput,
    Forest,
    LinearLeaves,
    NumberInput,
    at_most_for_below,
    empty_sets,
    largest_float32_at_most,
)
from fastframe.predict.forest_build import Tree, join, set_words
from tests.reference import forest as slow


def random_tree(rng: np.random.Generator, n_leaves: int, n_features: int, extra: int = 0) -> Tree:
    """A tree with shuffled nodes, ``extra`` of which nothing leads to."""
    n = 2 * n_leaves - 1 + extra
    names = rng.permutation(n)
    feature, left, right = np.full(n, -2), np.full(n, -1), np.full(n, -1)
    leaves, used = [0], 1
    while len(leaves) < n_leaves:
        parent = leaves.pop(rng.integers(len(leaves)))
        feature[names[parent]] = rng.integers(n_features)
        left[names[parent]], right[names[parent]] = names[used], names[used + 1]
        leaves += [used, used + 1]
        used += 2
    return Tree(feature, rng.normal(size=n).round(1), left, right, rng.random(n) < 0.5, rng.normal(size=n), root=int(names[0]))


def forest_of(trees: list[Tree], n_features: int = 3, **options: Any) -> Forest:
    return join(trees, domain="float64", inputs=[NumberInput()] * n_features, base=np.array([0.5]), **options)


def walk(tree: Tree, row: np.ndarray) -> int:
    node = tree.root
    while tree.feature[node] >= 0:
        x = row[tree.feature[node]]
        left = tree.missing_left[node] if np.isnan(x) else x <= tree.threshold[node]
        node = int((tree.left if left else tree.right)[node])
    return node


@pytest.mark.parametrize("extra", [0, 7])
def test_joined_trees_are_the_same_functions(extra: int) -> None:
    rng = np.random.default_rng(3)
    trees = [random_tree(rng, n, 3, extra) for n in (1, 2, 9, 40, 1, 17)]
    forest = forest_of(trees)
    assert np.diff(forest.tree_start).tolist() == [1, 3, 17, 79, 1, 33]   # unreachable nodes are gone
    x = rng.normal(size=(60, 3)).round(1)
    x[rng.random(x.shape) < 0.2] = np.nan
    ends = np.array([[walk(tree, row) for tree in trees] for row in x])
    columns = list(x.T)
    assert np.array_equal(slow.leaves(forest, columns), ends)
    expected = np.full(60, 0.5)
    for t, tree in enumerate(trees):
        expected = expected + tree.values[ends[:, t]]
    assert np.array_equal(slow.sums(forest, columns)[:, 0], expected)


def test_nodes_come_breadth_first_with_siblings_side_by_side() -> None:
    forest = forest_of([random_tree(np.random.default_rng(5), 30, 3, 4)])
    inner = forest.feature >= 0
    assert np.array_equal(forest.right[inner], forest.left[inner] + 1)
    assert np.array_equal(forest.left[inner], 1 + 2 * np.arange(29))


def test_a_forest_without_trees_is_its_base() -> None:
    forest = forest_of([])
    assert forest.n_trees == 0
    assert slow.sums(forest, [np.zeros(2)] * 3).tolist() == [[0.5], [0.5]]
    assert slow.leaves(forest, [np.zeros(2)] * 3).shape == (2, 0)


def stump(**options: Any) -> Tree:
    """``x0 <= 1`` gives 10, else 20."""
    parts: dict[str, Any] = {
        "feature": np.array([0, -1, -1]), "threshold": np.array([1.0, 0, 0]), "left": np.array([1, -1, -1]),
        "right": np.array([2, -1, -1]), "missing_left": np.array([True, False, False]), "values": np.array([0.0, 10, 20]),
    }  # fmt: skip
    return Tree(**{**parts, **options})


def test_loops_and_shared_children_are_refused() -> None:
    loop = stump(feature=np.array([0, 0, -1]), left=np.array([1, 0, -1]), right=np.array([2, 2, -1]))
    shared = stump(right=np.array([1, -1, -1]))
    for tree in (loop, shared):
        with pytest.raises(ModelError, match="shared between nodes"):
            forest_of([tree])
    with pytest.raises(ModelError, match=r"right\[0\] is 3"):
        forest_of([stump(right=np.array([3, -1, -1]))])
    with pytest.raises(ModelError, match="root"):
        forest_of([stump(root=3)])


def stumps() -> Forest:
    """Two number stumps and a category one, on two inputs."""
    category = stump(feature=np.array([1, -1, -1]), category_set=np.array([0, -1, -1]))
    return join([stump(), category, stump()], domain="float32", inputs=[NumberInput(), CategoryInput(33)], base=np.zeros(1),
                sets=[set_words(np.arange(34) % 33 == 0)])  # fmt: skip


CHANGES: list[tuple[str, int, Any, str]] = [
    ("feature", 0, 2, r"feature\[0\] is 2"), ("feature", 3, -2, r"feature\[3\] is -2"),
    ("left", 0, 0, r"left\[0\] is 0"), ("left", 3, 3, r"left\[3\] is 3"), ("right", 0, -5, r"right\[0\] is -5"),
    ("right", 1, 2, r"right\[1\] is 2"), ("left", 6, 2, "left or right"),
    ("threshold", 3, np.nan, r"threshold\[3\] is nan"),
    ("category_set", 0, 0, r"category_set\[0\] is 0"), ("category_set", 3, 1, r"category_set\[3\] is 1"),
    ("category_set", 3, -1, r"category_set\[3\] is -1"), ("category_set", 4, 0, r"category_set\[4\] is 0"),
    ("tree_start", 0, 1, r"tree_start\[0\] is 1"), ("tree_start", 1, 6, r"tree_start\[2\] is 6"),
    ("tree_start", 3, 10, r"tree_start\[3\] is 10"),
    ("tree_start", 1, 2**63 - 1, r"tree_start\[1\] is 92"), ("tree_start", 2, -(2**63), r"tree_start\[2\] is -92"), ("set_start", 1, 3, r"set_start\[1\] is 3"),
    ("tree_output", 1, 1, r"tree_output\[1\] is 1"), ("tree_output", 1, -1, r"tree_output\[1\] is -1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "index", "value", "message"), CHANGES)
def test_checks_name_the_entry_that_is_out_of_range(name: str, index: int, value: Any, message: str) -> None:
    forest = stumps()
    array = getattr(forest, name).copy()
    array[index] = value
    with pytest.raises(ModelError, match=message):
        replace(forest, **{name: array}).validate()


def test_checks_refuse_wrong_dtypes_shapes_and_layouts() -> None:
    forest = stumps()
    assert forest.validate() is forest
    wrong: dict[str, Any] = {
        "domain": "float16", "feature": forest.feature.astype(np.int64), "left": forest.left[:-1],
        "threshold": forest.threshold.astype(np.float64), "missing_left": forest.missing_left.astype(np.uint8),
        "right": np.repeat(forest.right, 2)[::2], "leaf_values": forest.leaf_values[:, 0], "leaf_id": forest.leaf_id[1:],
        "base": np.zeros(0), "divide": -1.0, "divide ": float("nan"), "feature ": np.array(3, np.int32),
        "set_start": np.empty(0, np.int64), "tree_output": forest.tree_output[:2],
        "inputs": (NumberInput("int8"), CategoryInput(33)),
    }  # fmt: skip
    for name, value in wrong.items():
        with pytest.raises(ModelError):
            replace(forest, **{name.strip(): value}).validate()
    with pytest.raises(ModelError, match="covers all codes"):
        replace(forest, inputs=(NumberInput(), CategoryInput(64))).validate()
    with pytest.raises(ModelError, match="float64"):
        replace(forest, base=np.zeros(1, np.float32)).validate()
    with pytest.raises(ModelError):   # linear leaves need one entry per leaf
        replace(forest, linear=LinearLeaves(np.zeros(1), np.zeros(2, np.int32), np.empty(0, np.int32), np.empty(0))).validate()


def test_sets_hold_codes_and_the_one_for_others() -> None:
    forest = stumps()
    codes = np.array([0, 1, 32, 33, 5000, -7, -1])
    numbers = np.zeros(7, np.float32)
    # 0 and 33 ("other": also 5000 and -7) go left; -1 is missing, which goes left here
    assert slow.leaves(forest, [numbers, codes])[:, 1].tolist() == [1, 2, 2, 1, 1, 1, 1]
    floats = np.array([0.9, -0.9, 1.5, np.nan, np.inf, 1e300, 32.5])
    assert slow.leaves(forest, [numbers, floats])[:, 1].tolist() == [1, 1, 2, 1, 1, 1, 2]
    whole = replace(forest, inputs=(NumberInput(), CategoryInput(33, truncate=False)))
    assert slow.leaves(whole, [numbers[:3], np.array([0.9, 1.5, 1.0])])[:, 1].tolist() == [1, 1, 2]


def test_number_inputs_are_cast_then_ruled() -> None:
    def left(values: Any, threshold: float = 2.0**24, **rules: Any) -> list[bool]:
        forest = join([stump(missing_left=np.zeros(3, bool), threshold=np.array([threshold, 0, 0]))], domain="float32",
                      inputs=[NumberInput(**rules)], base=np.zeros(1))  # fmt: skip
        return (slow.leaves(forest, [np.asarray(values)])[:, 0] == 1).tolist()

    # 2**24 + 1 rounds to 2**24 in float32, 2**24 + 3 to 2**24 + 4
    assert left(np.array([2**24, 2**24 + 1, 2**24 + 3], np.int64)) == [True, True, False]
    # through float64 an int64 rounds twice: 2**60 + 2**36 + 1 to the tie, which goes to even
    assert left(np.array([2**60 + 2**36 + 1], np.int64), 2.0**60) == [True]
    assert left(np.array([2**60 + 2**36 + 1], np.int64), 2.0**60, via="") == [False]
    assert left([np.nan, np.inf, -np.inf, 1e300]) == [False, False, True, False]
    assert left([0.0, -0.0, 1e-36, 1e-3], zero_missing=1e-35) == [False, False, False, True]
    assert left([-999.0, 999.0], missing_value=-999) == [False, True]


def test_linear_leaves_add_terms_in_order_unless_one_is_missing() -> None:
    linear = LinearLeaves(np.array([9.0, 0.1, 0.2]), np.array([0, 0, 2, 2], np.int32), np.array([1, 0], np.int32), np.array([0.3, 0.7]))
    forest = join([stump(linear=linear)], domain="float64", inputs=[NumberInput()] * 2, base=np.zeros(1))
    x = np.array([[0.6, 0.9], [0.6, np.nan], [2.0, np.nan]])
    assert slow.sums(forest, list(x.T))[:, 0].tolist() == [0.1 + 0.3 * 0.9 + 0.7 * 0.6, 10.0, 0.2]


def test_sums_are_in_the_order_of_trees_in_the_forests_dtype_then_divided() -> None:
    values = [np.array([0.0, v, v], np.float32) for v in (1e8, 1.0, -1e8, 3.0)]
    trees = [stump(values=v) for v in values]
    forest = join(trees, domain="float32", inputs=[NumberInput()], base=np.zeros(1, np.float32), divide=3)
    assert slow.sums(forest, [np.zeros(1)]).tolist() == [[1.0]]   # 1e8 swallows the 1
    assert slow.sums(forest, [np.zeros(1)], n_trees=2).tolist() == [[1e8]]


def test_thresholds_of_other_comparisons() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=500).astype(np.float32)
    around = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))])
    between = (x.astype(np.float64) + np.nextafter(x, np.float32(np.inf))) / 2
    for t in np.concatenate([x[:50], between[:50], [0.0, -0.0, np.inf, -np.inf, 1e300, -1e300, 5e-324]]):
        (s,) = largest_float32_at_most(np.array([t]))
        assert s.dtype == np.float32
        assert np.array_equal(around <= np.float64(t), around <= s)
        (below,) = at_most_for_below(np.array([t]))
        assert np.array_equal(around.astype(np.float64) < t, around.astype(np.float64) <= below)


def test_no_sets_have_one_start() -> None:
    start, words = empty_sets()
    assert start.tolist() == [0]
    assert len(words) == 0
    assert set_words(np.array([True])).tolist() == [1]
    assert set_words(np.eye(33, dtype=bool)[32]).tolist() == [0, 1]
