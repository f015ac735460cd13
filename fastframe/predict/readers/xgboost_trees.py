"""XGBoost's saved trees as a `Forest`: what ``save_raw("ubj")`` holds, down to the margin.

Sources: xgboost 3.2, ``src/predictor/predict_fn.h`` (decisions), ``src/common/categorical.h``, ``src/gbm/gbtree.cc``
(DART), ``src/objective`` (intercepts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from fastframe.contract import FeatureContract
from fastframe.errors.models import ContractError, ModelError, UnsupportedModel
from fastframe.predict.forest import NO_SET, CategoryInput, Forest, Input, NumberInput, at_most_for_below
from fastframe.predict.forest_build import Tree, join, set_words
from fastframe.predict.links import by_kernel
from fastframe.predict.matching import in_order_of

Array = np.ndarray[Any, Any]

_LEAF = -1
_RT_EPS = np.float32(1e-6)   # include/xgboost/base.h, kRtEps
_INTERCEPT_LINK = {   # objectives whose saved intercept is no margin yet
    "binary:logistic": "logit_xgboost", "reg:logistic": "logit_xgboost", "count:poisson": "log", "reg:gamma": "log", "reg:tweedie": "log",
    "survival:cox": "log", "survival:aft": "log",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Saved:
    """The parts of a saved booster that say what it predicts."""

    objective: str
    booster: str                       # "gbtree", "dart" or "gblinear"
    version: tuple[int, ...]           # that saved it
    feature_names: tuple[str, ...]     # empty where there are none
    feature_types: tuple[str, ...]     # "c" for categories; empty where there are none
    n_features: int
    base: Array                        # float32, the margin's intercept per output
    trees: tuple[Mapping[str, Any], ...]
    tree_output: Array                 # int32, per tree
    iteration_start: Array             # int64, per iteration and one more: in trees
    weights: Array                     # float32, per tree: DART's; empty where there are none
    categories: tuple[pa.Array | None, ...]   # by feature, where the model keeps them

    @property
    def n_outputs(self) -> int:
        return len(self.base)

    @property
    def n_iterations(self) -> int:
        return len(self.iteration_start) - 1


def saved(document: Any) -> Saved:
    """The parts of a document that `ubjson.loads` gave.

    Raises
    ------
    ModelError
        If a part is missing or of another kind.
    """
    try:
        learner = document["learner"]
        gradient, objective = learner["gradient_booster"], learner["objective"]["name"]
        param = learner["learner_model_param"]
        n_features, n_outputs = int(param["num_feature"]), max(int(param["num_class"]), int(param.get("num_target", "1")), 1)
        inner = gradient.get("gbtree", gradient)
        model = inner["model"] if gradient["name"] != "gblinear" else {"trees": [], "tree_info": [], "gbtree_model_param": {}}
        tree_output = np.asarray(model["tree_info"], np.int32)
        parallel = int(model["gbtree_model_param"].get("num_parallel_tree", "1")) or 1
        return Saved(
            objective=objective,
            booster=gradient["name"],
            version=tuple(int(part) for part in document["version"]),
            feature_names=tuple(learner.get("feature_names", ())),
            feature_types=tuple(learner.get("feature_types", ())),
            n_features=n_features,
            base=_intercepts(param["base_score"], objective, n_outputs),
            trees=tuple(model["trees"]),
            tree_output=tree_output,
            iteration_start=_iterations(model.get("iteration_indptr"), len(tree_output), parallel * n_outputs),
            weights=np.asarray(gradient.get("weight_drop", inner.get("weight_drop", ())), np.float32),
            categories=_categories(model.get("cats"), n_features),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError.lacks("XGBoost", f"what a saved booster has ({type(error).__name__}: {error})") from None


def _intercepts(text: str, objective: str, n_outputs: int) -> Array:
    """Per output; before 3.1 the model keeps one number, since then a list."""
    base = np.array([np.float32(part) for part in text.strip("[]").split(",")], np.float32)
    link = _INTERCEPT_LINK.get(objective)
    if link == "logit_xgboost":
        base = np.minimum(np.maximum(base, _RT_EPS), np.float32(1) - _RT_EPS)
    if link is not None:
        base = by_kernel(link, base[:, np.newaxis])[:, 0]
    if len(base) == 1:
        base = np.repeat(base, n_outputs)
    if len(base) != n_outputs:
        raise ModelError.lacks("XGBoost", f"an intercept for each of its {n_outputs} outputs")
    return base


def _iterations(starts: Any, n_trees: int, per_iteration: int) -> Array:
    """Where iterations start among trees; older models do not say."""
    if starts is None:
        return np.arange(0, n_trees + 1, per_iteration, dtype=np.int64)
    starts = np.asarray(starts, np.int64)
    if not len(starts) or starts[0] != 0 or starts[-1] != n_trees or (np.diff(starts) < 0).any():
        raise ModelError.lacks("XGBoost", "iterations that follow each other")
    return starts


def _categories(cats: Any, n_features: int) -> tuple[pa.Array | None, ...]:
    """The categories of each feature in the order of their codes, which models keep since 3.1."""
    if not cats or not cats["enc"]:
        return (None,) * n_features
    found = []
    for encoder in cats["enc"]:
        values = np.asarray(encoder["values"])
        if "offsets" not in encoder:
            found.append(pa.array(values) if len(values) else None)
            continue
        offsets, raw = np.asarray(encoder["offsets"], np.int64), values.astype(np.int8).tobytes()
        try:
            texts = [raw[start:stop].decode() for start, stop in pairwise(offsets)]
        except UnicodeDecodeError:
            reason = "its categories are cut within letters: XGBoost 3.2 takes the letters of a pandas frame's categories for bytes. Name them in ASCII"
            raise UnsupportedModel.because("XGBoost's booster", [reason]) from None
        found.append(pa.array(texts, pa.string()) if texts else None)
    if len(found) != n_features:
        raise ModelError.lacks("XGBoost", "an encoder for each feature")
    return tuple(found)


def unreadable(model: Saved) -> list[str]:
    """Why the trees of a model have no `Forest`; empty where they have one."""
    reasons = []
    if model.booster == "gblinear":
        reasons.append("booster gblinear adds products in an order of its own, which no engine here keeps")
    elif model.booster not in ("gbtree", "dart"):
        reasons.append(f"booster {model.booster} is not known")
    widths = {int(tree["tree_param"]["size_leaf_vector"]) for tree in model.trees}
    if widths - {0, 1}:
        reasons.append("leaves are vectors (multi_strategy='multi_output_tree'), whose layout changes between XGBoost's versions")
        return reasons
    category, number = _split_features(model, of_category=True), _split_features(model, of_category=False)
    reasons += [f"feature {feature} is split both as a number and as a category" for feature in sorted(category & number)]
    if any(model.categories[feature] is not None for feature in number if feature < model.n_features):
        reasons.append("a feature with categories is split as a number")
    if any(not (tree["split_conditions"][_number_nodes(tree)] > -np.inf).all() for tree in model.trees):
        reasons.append("a threshold is minus infinity or NaN")
    return reasons


def _inner(tree: Mapping[str, Any]) -> Array:
    return np.asarray(tree["left_children"]) != _LEAF


def _number_nodes(tree: Mapping[str, Any]) -> Array:
    return _inner(tree) & (np.asarray(tree["split_type"]) == 0)


def _split_features(model: Saved, *, of_category: bool) -> set[int]:
    found: set[int] = set()
    for tree in model.trees:
        nodes = _inner(tree) & ((np.asarray(tree["split_type"]) != 0) == of_category)
        found.update(np.asarray(tree["split_indices"])[nodes].tolist())
    return found


def with_categories(model: Saved, given: FeatureContract, name: str) -> Saved:
    """The model with the categories of the columns that it was fitted on, where it keeps none (before 3.1).

    XGBoost then had only the codes, and took those of whatever frame came in: the order of the categories is what counts.

    Raises
    ------
    UnsupportedModel
        Where the model keeps its categories itself, or is split by more categories than ``given`` has.
    ContractError
        Where ``given`` has not its columns, or no categories of a column that has them.
    """
    if any(kept is not None for kept in model.categories) or "c" not in model.feature_types:
        raise UnsupportedModel.knows_its_columns(name)
    names = model.feature_names or tuple(f"x{i}" for i in range(model.n_features))
    fields = in_order_of(given, names, named=bool(model.feature_names)).fields
    categorical = [kind == "c" for kind in model.feature_types]
    wrong = [ContractError.no_categories(one.name) for one, is_one in zip(fields, categorical, strict=True) if is_one and one.categories is None]
    if wrong:
        raise ContractError.of(wrong)
    found = replace(model, categories=tuple(one.categories if is_one else None for one, is_one in zip(fields, categorical, strict=True)))
    few = [
        one.name for one, kept, source in zip(fields, found.categories, inputs_of(found, float("nan")), strict=True)
        if kept is not None and isinstance(source, CategoryInput) and source.n_codes > len(kept)
    ]
    if few:
        raise UnsupportedModel.because(name, [f"it is split by more categories of {', '.join(map(repr, few))} than the contract has"])
    return found


def inputs_of(model: Saved, missing: float) -> tuple[Input, ...]:
    """What each feature is to the nodes: a feature that is never split as a category and has none is a number."""
    n_codes = dict.fromkeys(_split_features(model, of_category=True), 0)
    for feature, kept in enumerate(model.categories):
        if kept is not None:
            n_codes[feature] = len(kept)
    for tree in model.trees:
        nodes, starts, sizes = (tree[name] for name in ("categories_nodes", "categories_segments", "categories_sizes"))
        for node, start, size in zip(nodes, starts, sizes, strict=True):
            feature = int(tree["split_indices"][node])
            if size:
                n_codes[feature] = max(n_codes.get(feature, 0), int(np.max(tree["categories"][start : start + size])) + 1)
    number = NumberInput(via="", missing_value=missing)
    return tuple(
        CategoryInput(n_codes[feature], negative_other=True) if feature in n_codes else number for feature in range(model.n_features)
    )


def forest_of(model: Saved, inputs: tuple[Input, ...], iterations: tuple[int, int], *, inplace_dart: bool) -> Forest:
    """The forest of iterations ``[first, last)``, for a model that is not `unreadable`.

    ``inplace_dart``: DART's weights round as ``inplace_predict`` has them before 3.3, ``((base + leaf) - base) * weight``;
    otherwise as ``leaf * weight``.
    """
    first, last = (int(model.iteration_start[bound]) for bound in iterations)
    if len(model.weights) not in (0, len(model.trees)):
        raise ModelError.lacks("XGBoost", "a weight for each tree")
    sets: list[Array] = []
    trees = []
    try:
        for number in range(first, last):
            output = int(model.tree_output[number])
            values = np.asarray(model.trees[number]["split_conditions"], np.float32)
            if len(model.weights):
                base = model.base[output]
                with np.errstate(over="ignore", invalid="ignore"):   # of inner nodes
                    values = ((base + values) - base if inplace_dart else values) * model.weights[number]
            trees.append(_tree(model.trees[number], inputs, sets, values, output))
    except (KeyError, IndexError, TypeError) as error:
        raise ModelError.lacks("XGBoost", f"what a saved tree has ({type(error).__name__}: {error})") from None
    return join(trees, domain="float32", inputs=inputs, base=model.base, sets=sets)


def _tree(tree: Mapping[str, Any], inputs: tuple[Input, ...], sets: list[Array], values: Array, output: int) -> Tree:
    left = np.asarray(tree["left_children"], np.int32)
    category_set = np.full(len(left), NO_SET, np.int32)
    for node, start, size in zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True):
        if left[node] == _LEAF:
            continue
        source = inputs[int(tree["split_indices"][node])]
        assert isinstance(source, CategoryInput)
        goes_left = np.ones(source.n_codes + 1, np.bool_)   # a category that is chosen goes right
        goes_left[np.asarray(tree["categories"][start : start + size], np.int64)] = False
        category_set[node] = len(sets)
        sets.append(set_words(goes_left))
    return Tree(
        feature=np.where(left == _LEAF, -1, np.asarray(tree["split_indices"])),
        threshold=at_most_for_below(np.asarray(tree["split_conditions"], np.float32)),
        left=left,
        right=np.asarray(tree["right_children"], np.int32),
        missing_left=np.asarray(tree["default_left"]) != 0,
        values=values,
        category_set=category_set,
        output=output,
    )
