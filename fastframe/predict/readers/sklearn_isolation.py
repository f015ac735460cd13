"""Reader of scikit-learn's `IsolationForest`: a leaf holds how deep it is, and how much deeper its rows would have gone."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastframe.predict.decide import Decide
from fastframe.predict.isolation import IsolationScore
from fastframe.predict.model import Ask, Model
from fastframe.predict.readers import sklearn_nodes as shared


def read(model: Any) -> Model:
    """An `IsolationForest`: `predict`, `decision_function` and `score_samples`."""
    from sklearn.ensemble._iforest import _average_path_length

    shared.check_fitted(
        model, "estimators_", "estimators_features_", "_decision_path_lengths", "_average_path_length_per_tree", "_max_samples", "offset_"
    )
    shared.check_types(model, model.estimators_, "ExtraTreeRegressor")
    lengths = zip(model._decision_path_lengths, model._average_path_length_per_tree, strict=True)
    # As scikit-learn adds them: the two, less one, then the sum to the depths.
    values = [depth + rest - 1.0 for depth, rest in lengths]
    parts = [
        shared.tree_of(model, tree.tree_, value.astype(np.float64, copy=False), columns=np.asarray(columns))
        for tree, value, columns in zip(model.estimators_, values, model.estimators_features_, strict=True)
    ]
    depths = shared.score_of(shared.forest_of(parts, model.n_features_in_, np.zeros(1)))
    longest = float((len(parts) * _average_path_length([model._max_samples]))[0])
    decision = IsolationScore(depths, longest, float(model.offset_))
    return Model(
        contract=shared.contract_of(model, nullable=bool(model.__sklearn_tags__().input_tags.allow_nan)),
        methods={
            "predict": Decide("below", decision, np.array([1, -1])),
            "decision_function": decision,
            "score_samples": IsolationScore(depths, longest),
        },
        task="outlier",
        source=shared.source_of(model),
        asks={name: Ask(getattr(model, name)) for name in ("predict", "decision_function", "score_samples")},
    )
