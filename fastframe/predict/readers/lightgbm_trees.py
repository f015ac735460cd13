"""LightGBM's saved trees as a `Forest`: the text of ``model_to_string()``, down to the raw score.

Sources: LightGBM 4, ``include/LightGBM/tree.h`` (decisions, linear leaves), ``src/boosting/gbdt_model_text.cpp``,
``src/c_api.cpp`` (what a matrix is fed as). Everything is float64, and numbers are written with 17 digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from fastframe.errors.models import ModelError
from fastframe.predict.forest import NO_SET, CategoryInput, Forest, Input, LinearLeaves, NumberInput
from fastframe.predict.forest_build import Tree, join, set_words

Array = np.ndarray[Any, Any]

ZERO = 1.0000000180025095e-35   # kZeroThreshold, include/LightGBM/meta.h: 1e-35f
_CATEGORY, _DEFAULT_LEFT = 1, 2   # bits of decision_type; two more are the missing type
_NONE, _ZERO, _NAN = 0, 1, 2


@dataclass(frozen=True, eq=False)
class SavedTree:
    """The arrays of one tree; inner nodes and leaves are numbered apart, and a child below 0 is leaf ``~child``."""

    feature: Array         # per inner node, as those that follow
    threshold: Array       # of a category node: which set
    decision: Array
    left: Array
    right: Array
    leaf_value: Array      # per leaf
    sets: tuple[Array, ...]           # uint32 words
    linear: tuple[Array, Array, Array, Array] | None   # constants, terms per leaf; features, coefficients of all terms

    @classmethod
    def of(cls, part: Mapping[str, str]) -> SavedTree:
        n_leaves = int(part["num_leaves"])

        def numbers(name: str, dtype: Any, count: int | None = None) -> Array:
            found = np.array(part.get(name, "").split(), np.float64 if dtype is float else np.int64)
            if count is not None and len(found) != count:
                raise ValueError(f"{name} has {len(found)} entries for {n_leaves} leaves")
            return found

        inner = n_leaves - 1
        words = numbers("cat_threshold", int).astype(np.uint32)
        bounds = numbers("cat_boundaries", int)
        linear = None
        if part.get("is_linear", "0") == "1" and part.get("leaf_const", "").strip():
            counts = numbers("num_features", int, n_leaves)
            total = int(counts.sum())
            terms = numbers("leaf_features", int, total), numbers("leaf_coeff", float, total)
            linear = (numbers("leaf_const", float, n_leaves), counts, *terms)
        return cls(
            feature=numbers("split_feature", int, inner), threshold=numbers("threshold", float, inner),
            decision=numbers("decision_type", int, inner), left=numbers("left_child", int, inner),
            right=numbers("right_child", int, inner), leaf_value=numbers("leaf_value", float, n_leaves),
            sets=tuple(words[start:stop] for start, stop in pairwise(bounds)), linear=linear,
        )  # fmt: skip

    @property
    def is_category(self) -> Array:
        return (self.decision & _CATEGORY) != 0

    @property
    def missing_type(self) -> Array:
        return (self.decision >> 2) & 3

    def set_of(self, node: int) -> Array:
        return self.sets[int(self.threshold[node])]


@dataclass(frozen=True, eq=False)
class Saved:
    """The parts of a saved model that say what it predicts."""

    header: Mapping[str, str]
    trees: tuple[SavedTree, ...]
    parameters: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        return self.header["feature_names"].split()

    @property
    def n_features(self) -> int:
        return int(self.header["max_feature_idx"]) + 1

    @property
    def n_outputs(self) -> int:
        return int(self.header["num_tree_per_iteration"])

    @property
    def averaged(self) -> bool:
        return "average_output" in self.header

    @property
    def objective(self) -> list[str]:
        """The name, then what it was told; empty for a function of the user's."""
        words = self.header.get("objective", "").split()
        return [] if words[:1] in (["custom"], ["none"]) else words

    @cached_property
    def n_codes(self) -> dict[int, int]:
        """By feature that is split as a category: one more than the largest category in any set."""
        found: dict[int, int] = {}
        for tree in self.trees:
            for node in np.flatnonzero(tree.is_category):
                bits = np.flatnonzero(_bits(tree.set_of(int(node))))
                feature = int(tree.feature[node])
                found[feature] = max(found.get(feature, 0), int(bits[-1]) + 1 if len(bits) else 0)
        return found

    @cached_property
    def declared_categories(self) -> list[int]:
        """The features that were declared categories when the model was trained, in order."""
        declared = self.parameters.get("categorical_feature", "").replace("name:", "")
        if declared:
            words = declared.split(",")
            return sorted(int(word) if word.lstrip("-").isdigit() else self.names.index(word) for word in words)
        infos = self.header.get("feature_infos", "").split()
        return [feature for feature, info in enumerate(infos) if info != "none" and not info.startswith("[")]


def saved(text: str) -> Saved:
    """The parts of a model's text.

    Raises
    ------
    ModelError
        If a part is missing or of another kind.
    """
    header: dict[str, str] = {}
    trees: list[dict[str, str]] = []
    lines = iter(text.splitlines())
    part = header
    for line in lines:
        if line.startswith("end of trees"):
            break
        if line.startswith("Tree="):
            part = {}
            trees.append(part)
        name, _, value = line.partition("=")
        part[name.strip()] = value
    parameters: dict[str, str] = {}
    for line in lines:
        if line.startswith("[") and line.endswith("]"):
            name, _, value = line[1:-1].partition(":")
            parameters[name] = value.strip()
    try:
        found = Saved(header, tuple(SavedTree.of(tree) for tree in trees), parameters)
        if len(found.names) != found.n_features or found.n_outputs < 1 or len(trees) % found.n_outputs:
            raise ValueError("names, features, outputs and trees do not fit together")
        found.n_codes, found.declared_categories   # noqa: B018  read here, so that what is wrong with them is said here
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError.lacks("LightGBM", f"what a saved model has ({type(error).__name__}: {error})") from None
    return found


def unreadable(model: Saved) -> list[str]:
    """Why the trees of a model have no `Forest`; empty where they have one."""
    number: set[int] = set()
    for tree in model.trees:
        number.update(tree.feature[~tree.is_category].tolist())
        if tree.linear is not None:
            number.update(tree.linear[2].tolist())
    return [f"feature {feature} is split both as a number and as a category" for feature in sorted(number & set(model.n_codes))]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What nodes see: an input per feature, and another one where some of its nodes take 0 as missing and others do not."""

    inputs: tuple[Input, ...]
    features: tuple[int, ...]                # of each input
    number: Mapping[tuple[int, bool], int]   # input by feature and whether 0 is missing

    @classmethod
    def of(cls, model: Saved, n_categories: Mapping[int, int]) -> Inputs:
        """``n_categories``: of the features whose categories are known."""
        rules: dict[int, set[bool]] = {feature: set() for feature in range(model.n_features)}
        for tree in model.trees:
            for zero in (False, True):
                nodes = ~tree.is_category & ((tree.missing_type == _ZERO) == zero)
                for feature in np.unique(tree.feature[nodes]).tolist():
                    rules[feature].add(zero)
            if tree.linear is not None:
                for feature in np.unique(tree.linear[2]).tolist():
                    rules[feature].add(False)
        inputs: list[Input] = []
        features: list[int] = []
        number: dict[tuple[int, bool], int] = {}
        for feature, zeros in rules.items():
            n_codes = max(n_categories.get(feature, -1), model.n_codes.get(feature, -1))
            for zero in sorted(zeros) or [False]:
                number[feature, zero] = len(inputs)
                features.append(feature)
                plain = NumberInput(zero_missing=ZERO if zero else float("nan"), flush=ZERO)
                inputs.append(CategoryInput(n_codes) if n_codes >= 0 else plain)
        return cls(tuple(inputs), tuple(features), number)


def forest_of(model: Saved, inputs: Inputs) -> Forest:
    """The forest of a model that is not `unreadable`; its sum is not yet divided where the model is `averaged`."""
    sets: list[Array] = []
    any_linear = any(tree.linear is not None for tree in model.trees)
    try:
        trees = [_tree(tree, inputs, sets, any_linear, number % model.n_outputs) for number, tree in enumerate(model.trees)]
    except (KeyError, IndexError) as error:
        raise ModelError.lacks("LightGBM", f"what a saved tree has ({type(error).__name__}: {error})") from None
    return join(trees, domain="float64", inputs=inputs.inputs, base=np.zeros(model.n_outputs), sets=sets)


def _tree(tree: SavedTree, inputs: Inputs, sets: list[Array], any_linear: bool, output: int) -> Tree:
    """Inner nodes first, then leaves."""
    n_inner, n_leaves = len(tree.feature), len(tree.leaf_value)
    is_category, kind = tree.is_category, tree.missing_type
    number = [inputs.number[int(feature), bool(zero)] for feature, zero in zip(tree.feature, (kind == _ZERO) & ~is_category, strict=True)]
    category_set = np.full(n_inner + n_leaves, NO_SET, np.int32)
    for node in np.flatnonzero(is_category):
        source = inputs.inputs[number[node]]
        assert isinstance(source, CategoryInput)
        members = np.zeros(source.n_codes + 1, np.bool_)   # any other value goes right
        bits = _bits(tree.set_of(int(node)))[: source.n_codes]
        members[: len(bits)] = bits
        category_set[node] = len(sets)
        sets.append(set_words(members))
    default_left = (tree.decision & _DEFAULT_LEFT) != 0
    missing_left = np.where(kind == _NONE, tree.threshold >= 0, default_left) & ~is_category   # NONE: missing is 0

    def with_leaves(values: Sequence[Any] | Array, leaf: Any, dtype: Any) -> Array:
        return np.concatenate([np.asarray(values, dtype), np.full(n_leaves, leaf, dtype)])

    def child(side: Array) -> Array:
        return with_leaves(np.where(side < 0, n_inner + ~side, side), 0, np.int32)

    return Tree(
        feature=with_leaves(number, -1, np.int32),
        threshold=with_leaves(np.where(is_category, 0, tree.threshold), 0, np.float64),
        left=child(tree.left),
        right=child(tree.right),
        missing_left=with_leaves(missing_left, False, np.bool_),
        values=np.concatenate([np.zeros(n_inner), tree.leaf_value]),
        category_set=category_set,
        leaf_id=np.concatenate([np.zeros(n_inner, np.int32), np.arange(n_leaves, dtype=np.int32)]),
        linear=_linear(tree, inputs) if any_linear else None,
        output=output,
    )


def _linear(tree: SavedTree, inputs: Inputs) -> LinearLeaves:
    """Per node; a leaf without a function of its own is a constant."""
    n_inner, n_leaves = len(tree.feature), len(tree.leaf_value)
    if tree.linear is None:
        constant, counts, features, coefficients = tree.leaf_value, np.zeros(n_leaves, np.int64), np.empty(0, np.int64), np.empty(0)
    else:
        constant, counts, features, coefficients = tree.linear
    return LinearLeaves(
        constant=np.concatenate([np.zeros(n_inner), constant]),
        term_start=np.concatenate([np.zeros(n_inner + 1, np.int64), np.cumsum(counts)]).astype(np.int32),
        feature=np.array([inputs.number[int(feature), False] for feature in features], np.int32),
        coefficient=coefficients,
    )


def _bits(words: Array) -> Array:
    return np.unpackbits(np.ascontiguousarray(words, "<u4").view(np.uint8), bitorder="little").astype(np.bool_)
