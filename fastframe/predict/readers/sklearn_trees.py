"""Readers of scikit-learn's decision trees and forests.

A regression tree's leaf holds a number per output, a classification tree's a probability per class of each output (since
1.3; scikit-learn 1.6 is the oldest that is read). A forest adds its trees' leaves in their order, from 0, and divides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.model import Ask, Model
from fastframe.predict.outputs import Columns, Together
from fastframe.predict.readers import sklearn_nodes as shared
from fastframe.predict.scores import Score

Array = np.ndarray[Any, Any]
TREES = ("DecisionTreeRegressor", "DecisionTreeClassifier", "ExtraTreeRegressor", "ExtraTreeClassifier")


def read_tree(model: Any) -> Model:
    """A `DecisionTreeRegressor`, `DecisionTreeClassifier`, `ExtraTreeRegressor` or `ExtraTreeClassifier`."""
    shared.check_fitted(model, "tree_", "n_features_in_", "n_outputs_")
    return _read(model, [model], model)


def read_forest(model: Any) -> Model:
    """A `RandomForest...` or `ExtraTrees...`, regressor or classifier."""
    shared.check_fitted(model, "estimators_", "n_features_in_", "n_outputs_")
    shared.check_types(model, model.estimators_, *TREES)
    return _read(model, model.estimators_, shared.on_one_thread(model), divide=len(model.estimators_))


def _read(model: Any, trees: list[Any], native: Any, divide: float = 0.0) -> Model:
    classes = _classes(model) if hasattr(model, "classes_") else None
    values = [_leaf_values(model, tree.tree_, classes) for tree in trees]
    # A tree by itself answers with its leaf, -0.0 included: -0.0 is what any number can be added to unchanged.
    base = np.full(values[0].shape[1], 0.0 if divide else -0.0)
    parts = [shared.tree_of(model, tree.tree_, value) for tree, value in zip(trees, values, strict=True)]
    score = shared.score_of(shared.forest_of(parts, model.n_features_in_, base, divide))
    methods: dict[str, Score] = {"predict": score} if classes is None else _classifier(score, classes)
    names = [*methods, "leaf"]
    asked = {"leaf": native.apply, "predict": native.predict, "predict_proba": getattr(native, "predict_proba", None)}
    return Model(
        contract=shared.contract_of(model, nullable=shared.takes_missing(trees[0])),
        methods=methods,
        task="regression" if classes is None else "classification",
        source=shared.source_of(model),
        asks={name: Ask(shared.side_by_side(asked[name]), limit=shared.FLOAT32_MAX) for name in names},
        notes=("trees are added in their order, as scikit-learn does with n_jobs=1",) if divide else (),
    )


def _classes(model: Any) -> list[Array]:
    """Labels of each output."""
    return [class_labels(one) for one in (model.classes_ if model.n_outputs_ > 1 else [model.classes_])]


def _leaf_values(model: Any, tree: Any, classes: list[Array] | None) -> Array:
    """``(n_nodes, width)``: a number per output, or a probability per class of the first output, of the second ..."""
    values, counts = tree.value, [1] * model.n_outputs_ if classes is None else [len(one) for one in classes]
    fits = values.ndim == 3 and values.dtype == np.float64 and values.shape[1:] == (len(counts), max(counts))
    shared.require(fits, model, f"its trees' values are {values.dtype} of shape {values.shape}, which does not fit its outputs")
    return np.hstack([values[:, output, :count] for output, count in enumerate(counts)])


def _classifier(score: Score, classes: list[Array]) -> dict[str, Score]:
    if len(classes) == 1:
        return {"predict": Decide("largest", score, classes[0]), "predict_proba": score}
    stops = np.cumsum([len(one) for one in classes]).tolist()
    parts = tuple(Columns(score, stop - len(one), stop) for stop, one in zip(stops, classes, strict=True))
    labels = tuple(Decide("largest", part, one) for part, one in zip(parts, classes, strict=True))
    return {"predict": Together(labels), "predict_proba": Together(parts, listed=True)}
