"""Readers of scikit-learn's `GradientBoostingRegressor` and `GradientBoostingClassifier`.

The library starts from what its initial estimator says, and adds ``learning_rate * value`` of each tree's leaf.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe.predict.decide import Decide, class_labels
from fastframe.predict.links import BothClasses, Link
from fastframe.predict.model import Ask, Model
from fastframe.predict.readers import sklearn_nodes as shared
from fastframe.predict.scores import ForestScore, Score

Array = np.ndarray[Any, Any]
CONSTANT = {"DummyRegressor": ("mean", "median", "quantile", "constant"), "DummyClassifier": ("prior", "most_frequent", "constant")}
"""Initial estimators that say the same of every row, by strategy."""
IDENTITY = ("HalfSquaredError", "AbsoluteError", "HuberLoss", "PinballLoss")
LINKS = {"HalfBinomialLoss": ("sigmoid", 1.0), "ExponentialLoss": ("sigmoid", 2.0), "HalfMultinomialLoss": ("softmax_numpy_pairwise", 1.0)}


def read(model: Any) -> Model:
    """A `GradientBoostingRegressor` or `GradientBoostingClassifier` whose initial estimator is a constant."""
    shared.check_fitted(model, "estimators_", "init_", "_loss", "n_features_in_")
    shared.check_types(model, model.estimators_.ravel(), "DecisionTreeRegressor")
    is_classifier = hasattr(model, "classes_")
    loss = type(model._loss).__name__
    shared.require(loss in (LINKS if is_classifier else IDENTITY), model, f"its loss is {loss}")
    score = shared.score_of(_forest(model))
    methods: dict[str, Score] = {"predict": score, "margin": score}
    # As an array: `apply` asks a tree, which was fitted without names, and warns about those of a frame.
    asked = {"predict": model.predict, "leaf": lambda rows: model.apply(np.asarray(rows)).reshape(len(rows), -1)}
    if is_classifier:
        methods = _classifier(score, class_labels(model.classes_), *LINKS[loss])
        asked |= {"predict_proba": model.predict_proba, "decision_function": model.decision_function}
    return Model(
        contract=shared.contract_of(model, nullable=False),
        methods=methods,
        task="classification" if is_classifier else "regression",
        source=shared.source_of(model),
        asks={name: Ask(method, limit=shared.FLOAT32_MAX) for name, method in asked.items()},
    )


def _forest(model: Any) -> Any:
    trees = []
    for stage in model.estimators_:
        for output, tree in enumerate(stage):
            fits = tree.tree_.value.shape[1:] == (1, 1)
            shared.require(fits, model, f"its trees' values have shape {tree.tree_.value.shape}")
            trees.append(shared.tree_of(model, tree.tree_, model.learning_rate * tree.tree_.value[:, 0, 0], output=output))
    return shared.forest_of(trees, model.n_features_in_, _initial(model))


def _initial(model: Any) -> Array:
    """The raw score, per output, that trees are added to."""
    init = model.init_
    if not (isinstance(init, str) and init == "zero"):
        name = type(init).__name__
        known = type(init).__module__ == "sklearn.dummy" and getattr(init, "strategy", None) in CONSTANT.get(name, ())
        shared.require(known, model, f"its initial estimator, {name}, is none that says the same of every row")
    raw: Array = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))
    return np.ascontiguousarray(raw[0], np.float64)


def _classifier(score: ForestScore, classes: Array, link: str, scale: float) -> dict[str, Score]:
    probability = Link(link, score, scale)
    if score.width == 1:
        label, both = Decide("at_least", score, classes), BothClasses(probability)
        return {"predict": label, "predict_proba": both, "decision_function": score, "margin": score}
    return {"predict": Decide("largest", score, classes), "predict_proba": probability, "decision_function": score, "margin": score}
