"""Which nodes the self-check's rows decide at, against a slow walk."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

import fastframe as ff
from fastframe.predict.coverage import nodes_decided
from fastframe.predict.forest import LEAF
from tests.predict.forests import Recipe, random_forest


def slow(forest, leaves: np.ndarray) -> tuple[int, int]:
    """By climbing from every leaf to the root."""
    both = inner = 0
    for tree in range(forest.n_trees):
        first, stop = forest.tree_start[tree], forest.tree_start[tree + 1]
        sides: dict[int, set[str]] = {node: set() for node in range(stop - first) if forest.feature[first + node] != LEAF}
        parent = {int(child[first + node]): (node, side) for node in sides for side, child in (("l", forest.left), ("r", forest.right))}
        ids = set(leaves[:, tree].tolist())
        for node in range(stop - first):
            if forest.feature[first + node] == LEAF and int(forest.leaf_id[forest.leaf_of_node[first + node]]) in ids:
                at = node
                while at in parent:
                    at, side = parent[at]
                    sides[at].add(side)
        both += sum(len(one) == 2 for one in sides.values())
        inner += len(sides)
    return both, inner


@pytest.mark.parametrize("trees", [0, 1, 9])
@pytest.mark.parametrize("n_rows", [0, 1, 3, 200])
def test_nodes_decided(trees: int, n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    forest = random_forest(rng, Recipe(trees=trees, leaves=(1, 40))).validate()
    own = [forest.leaf_id[forest.leaf_of_node[a:b][forest.feature[a:b] == LEAF]] for a, b in zip(forest.tree_start[:-1], forest.tree_start[1:], strict=True)]
    leaves = np.array([rng.choice(one, n_rows) for one in own], np.int32).reshape(trees, n_rows).T
    assert nodes_decided(forest, leaves) == slow(forest, leaves)


def test_explain_says_how_many_nodes_rows_decided_at() -> None:
    X, y = load_diabetes(return_X_y=True)
    one = ff.compile(DecisionTreeRegressor(max_depth=1).fit(X, y))
    assert "1 of 1 nodes sent rows to both sides" in str(one.explain())
    deep = ff.compile(RandomForestRegressor(5, random_state=0).fit(X, y))
    assert "nodes sent rows to both sides" in str(deep.explain())
