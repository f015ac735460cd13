"""Random forests and rows for them: any shape, domain, missing rule, category set, number of outputs. Seeded, not trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.column import Column
from fastframe.contract import FeatureContract, Field
from fastframe.dtypes import dtype
from fastframe.predict.features import Feature, Number
from fastframe.predict.forest import LEAF, NO_SET, CategoryInput, Forest, Input, LinearLeaves, NumberInput, empty_sets
from fastframe.predict.rows import Rows

Array = np.ndarray[Any, Any]
TINY, HUGE = 1e-300, 1e300


@dataclass(frozen=True)
class Recipe:
    """What `random_forest` makes; the last ``len(codes)`` of the features are categories.

    ``shape``: ``"random"`` splits a random leaf until there are ``leaves``; ``"perfect"`` has all leaves at one depth
    (``leaves`` a power of two); ``"chain"`` splits the youngest leaf only, on a random side.
    ``missing``: the side that missing takes: ``"mixed"`` is drawn by node, ``"feature"`` by feature, else ``"left"``, ``"right"``.
    ``thresholds``: different thresholds of a number feature, at most.
    """

    trees: int = 7
    leaves: tuple[int, int] = (1, 31)
    features: int = 6
    shape: str = "random"
    domain: str = "float64"
    accumulate: str = "float64"
    outputs: int = 1
    width: int = 1
    codes: tuple[int, ...] = ()
    missing: str = "mixed"
    thresholds: int = 40
    divide: float = 0.0
    linear: bool = False


@dataclass
class _Tree:
    """One tree while it grows: lists by node, children made after their parents."""

    feature: list[int]
    left: list[int]
    right: list[int]

    def split(self, node: int, feature: int) -> None:
        first = len(self.feature)
        self.feature[node], self.left[node], self.right[node] = feature, first, first + 1
        self.feature += [LEAF, LEAF]
        self.left += [0, 0]
        self.right += [0, 0]


def random_forest(rng: np.random.Generator, recipe: Recipe) -> Forest:
    trees = [_grow(rng, recipe) for _ in range(recipe.trees)]
    feature = np.array([value for tree in trees for value in tree.feature], np.int32)
    inputs: tuple[Input, ...] = tuple([NumberInput()] * (recipe.features - len(recipe.codes)) + [CategoryInput(n_codes) for n_codes in recipe.codes])
    category_set, set_start, set_words = _sets(rng, recipe, inputs, feature)
    n_leaves = int((feature == LEAF).sum())
    outputs = recipe.outputs
    return Forest(
        domain=recipe.domain, inputs=inputs, feature=feature,
        tree_start=np.cumsum([0] + [len(tree.feature) for tree in trees], dtype=np.int64),
        threshold=_thresholds(rng, recipe, feature, category_set),
        left=np.array([value for tree in trees for value in tree.left], np.int32),
        right=np.array([value for tree in trees for value in tree.right], np.int32),
        missing_left=_missing(rng, recipe, feature), category_set=category_set, set_start=set_start, set_words=set_words,
        leaf_values=_values(rng, (n_leaves, recipe.width)).astype(recipe.accumulate),
        leaf_id=rng.permutation(n_leaves).astype(np.int32),
        tree_output=rng.integers(0, outputs if recipe.width == 1 else 1, recipe.trees).astype(np.int32),
        base=_values(rng, (outputs,)).astype(recipe.accumulate), divide=recipe.divide,
        linear=_linear(rng, recipe, inputs, n_leaves) if recipe.linear else None,
    )  # fmt: skip


def random_rows(rng: np.random.Generator, forest: Forest, n_rows: int, missing: float = 0.1) -> Array:
    """(n_rows, n_features) float64: thresholds, their neighbours, extremes, every code, codes that none knows, NaN."""
    matrix = np.empty((n_rows, forest.n_features))
    for place, kind in enumerate(forest.inputs):
        if isinstance(kind, CategoryInput):
            matrix[:, place] = rng.integers(-1, kind.n_codes + 2, n_rows)
            continue
        at = forest.threshold[(forest.feature == place) & (forest.category_set == NO_SET)]
        below, above = np.nextafter(at, at.dtype.type(-np.inf)), np.nextafter(at, at.dtype.type(np.inf))
        special = np.array([0.0, -0.0, np.inf, -np.inf, TINY, -TINY, 1e30, -1e30])
        known = np.concatenate([at, below, above, np.nextafter(at.astype(np.float64), np.inf), special]).astype(np.float64)
        matrix[:, place] = np.where(rng.random(n_rows) < 0.5, rng.choice(known, n_rows), rng.normal(size=n_rows))
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix


def features_of(forest: Forest) -> tuple[Feature, ...]:
    """Each input is fed a float64 column of its own, codes as well."""
    return tuple(Number(place) for place in range(forest.n_features))


def as_rows(matrix: Array) -> Rows:
    """A matrix as a batch of float64 columns; NaN is a value."""
    fields = tuple(Field(f"x{place}", dtype("float64")) for place in range(matrix.shape[1]))
    columns = tuple(Column(pa.array(np.ascontiguousarray(column))) for column in matrix.T)
    return Rows(FeatureContract(fields, named=False), columns, len(matrix))


def _grow(rng: np.random.Generator, recipe: Recipe) -> _Tree:
    tree, open_leaves = _Tree([LEAF], [0], [0]), [0]
    wanted = int(rng.integers(recipe.leaves[0], recipe.leaves[1] + 1))
    while len(open_leaves) < wanted:
        place = {"random": int(rng.integers(len(open_leaves))), "perfect": 0, "chain": len(open_leaves) - 1}[recipe.shape]
        node = open_leaves.pop(place)
        tree.split(node, int(rng.integers(recipe.features)))
        children = [tree.left[node], tree.right[node]]
        open_leaves += children if recipe.shape == "perfect" else [children[side] for side in rng.permutation(2)]
    return tree


def _sets(rng: np.random.Generator, recipe: Recipe, inputs: tuple[Input, ...], feature: Array) -> tuple[Array, Array, Array]:
    """Of category nodes: one code, all but one code, or any; sets are shared by some nodes."""
    category_set, starts, words = np.full(len(feature), NO_SET, np.int32), [0], []
    for node in np.flatnonzero(feature >= recipe.features - len(recipe.codes)):
        kind = inputs[feature[node]]
        assert isinstance(kind, CategoryInput)
        n_bits = kind.n_codes + 1
        same = np.flatnonzero((feature[:node] == feature[node]) & (category_set[:node] != NO_SET))
        if len(same) and rng.random() < 0.2:
            category_set[node] = category_set[rng.choice(same)]
            continue
        form, one = rng.integers(3), np.arange(n_bits) == rng.integers(n_bits)
        bits = np.zeros(-(-n_bits // 32) * 32, bool)
        bits[:n_bits] = [one, ~one, rng.random(n_bits) < 0.5][form]
        words.append(np.packbits(bits, bitorder="little").view(np.uint32))
        category_set[node] = len(starts) - 1
        starts.append(starts[-1] + len(words[-1]))
    if not words:
        return category_set, *empty_sets()
    return category_set, np.array(starts, np.int64), np.concatenate(words)


def _thresholds(rng: np.random.Generator, recipe: Recipe, feature: Array, category_set: Array) -> Array:
    threshold = np.zeros(len(feature), recipe.domain)
    for place in range(recipe.features):
        nodes = np.flatnonzero((feature == place) & (category_set == NO_SET))
        pool = np.concatenate([rng.normal(size=max(recipe.thresholds - 4, 1)), [0.0, -0.0, -np.inf, 1e30]])
        threshold[nodes] = rng.choice(pool[: recipe.thresholds], len(nodes))
    return threshold


def _missing(rng: np.random.Generator, recipe: Recipe, feature: Array) -> Array:
    by_feature = rng.random(recipe.features) < 0.5
    left = {
        "mixed": rng.random(len(feature)) < 0.5, "feature": by_feature[feature],
        "left": np.ones(len(feature), bool), "right": np.zeros(len(feature), bool),
    }[recipe.missing]  # fmt: skip
    return left & (feature != LEAF)


def _values(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Of many magnitudes, so that sums in another order have other bits."""
    return rng.normal(size=shape) * 10.0 ** rng.integers(-4, 5, shape)


def _linear(rng: np.random.Generator, recipe: Recipe, inputs: tuple[Input, ...], n_leaves: int) -> LinearLeaves:
    numbers = [place for place, kind in enumerate(inputs) if isinstance(kind, NumberInput)]
    n_terms = rng.integers(0, min(len(numbers), 4) + 1, n_leaves)
    total = int(n_terms.sum())
    return LinearLeaves(
        constant=_values(rng, (n_leaves,)), term_start=np.cumsum([0, *n_terms], dtype=np.int32),
        feature=rng.choice(numbers, total).astype(np.int32), coefficient=_values(rng, (total,)),
    )  # fmt: skip
