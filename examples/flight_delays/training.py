"""Two models that say whether a flight arrives late: scikit-learn's and XGBoost's gradient boosting."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from flight_delays.meter import Meter

TREES = 60


def train(contender: ModuleType, frame: Any, meter: Meter) -> dict[str, float]:
    """Fit both models to the flights before the split, predict the others, return the ROC AUC of each."""
    with meter.step("matrix"):
        before, after = contender.split(frame)
        known, unseen = contender.matrix(before), contender.matrix(after)
        late, truth = contender.target(before).astype("int8"), contender.target(after).astype("int8")
    sklearn = HistGradientBoostingClassifier(max_iter=TREES, early_stopping=False, random_state=0)
    with meter.step("sklearn fit"):
        sklearn.fit(known, late)
    with meter.step("sklearn predict"):
        by_sklearn = sklearn.predict_proba(unseen)[:, 1]
    xgboost = XGBClassifier(n_estimators=TREES, learning_rate=0.1, tree_method="hist", random_state=0)
    with meter.step("xgboost fit"):
        xgboost.fit(contender.for_xgboost(before), late)
    with meter.step("xgboost predict"):
        by_xgboost = xgboost.predict_proba(contender.for_xgboost(after))[:, 1]
    return {"sklearn": _auc(truth, by_sklearn), "xgboost": _auc(truth, by_xgboost)}


def _auc(truth: np.ndarray, probability: np.ndarray) -> float:
    return float(roc_auc_score(truth, probability))
