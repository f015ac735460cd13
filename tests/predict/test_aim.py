"""Rows made for nodes that others miss: they reach every leaf that can be reached, and find a mistake wherever it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from fastframe.errors import InexactModelError
from fastframe.predict import aim
from fastframe.predict.check import check_predictor
from fastframe.predict.predictor import Predictor
from fastframe.predict.readers import read_model
from fastframe.predict.scores import ForestScore

RNG = np.random.default_rng(3)
X = RNG.normal(size=(600, 6))
Y = X[:, 0] + np.sin(4 * X[:, 1]) + X[:, 2] * X[:, 3] + RNG.normal(size=600)



@pytest.mark.parametrize("model", [
    DecisionTreeRegressor(random_state=0), RandomForestRegressor(3, random_state=0), GradientBoostingClassifier(n_estimators=8, random_state=0),
    HistGradientBoostingRegressor(max_iter=20), make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)),
    lgb.LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1),
], ids=lambda one: type(one[-1] if hasattr(one, "steps") else one).__name__)  # fmt: skip
def test_every_node_is_decided_at(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = Y > 0 if isinstance(model, GradientBoostingClassifier) else Y
    fitted = model.fit(X, labels)
    found = check_predictor(Predictor(read_model(fitted)))
    assert found.nodes > 50 and found.decided == found.nodes
    monkeypatch.setattr(aim, "MOST_AIMED", 0)
    less = check_predictor(Predictor(read_model(fitted)))
    assert less.decided <= found.decided and less.rows <= found.rows


def test_categories_and_missing_values() -> None:
    table = pd.DataFrame({"a": X[:, 0], "c": pd.Categorical.from_codes(RNG.integers(0, 70, 600), [f"k{i}" for i in range(70)]), "b": X[:, 1]})
    table.loc[::7, "a"] = np.nan
    effect = np.asarray(RNG.normal(size=70))[table["c"].cat.codes] * 3
    fitted = HistGradientBoostingRegressor(max_iter=15, categorical_features="from_dtype", min_samples_leaf=3).fit(table, Y + effect)
    found = check_predictor(Predictor(read_model(fitted)))
    assert found.decided >= found.nodes * 0.98   # unseen categories are missing ones there, so that some sides cannot be reached


def test_rows_are_capped_and_the_rest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = RandomForestRegressor(3, random_state=0).fit(X, Y)
    whole = check_predictor(Predictor(read_model(fitted)))
    monkeypatch.setattr(aim, "MOST_AIMED", 5)
    some = check_predictor(Predictor(read_model(fitted)))
    assert whole.rows > some.rows
    assert some.decided < some.nodes and f"{some.decided:,} of {some.nodes:,} nodes sent rows to both sides" in str(some)


@pytest.mark.parametrize("leaf", [0, 57, 211, -1])
def test_a_mistake_in_any_leaf_is_found(leaf: int) -> None:
    read = read_model(DecisionTreeRegressor(random_state=0).fit(X, Y))
    score = read.methods["predict"]
    assert isinstance(score, ForestScore)
    values = score.forest.leaf_values.copy()
    values[leaf] += 1e-9
    wrong = replace(score, forest=replace(score.forest, leaf_values=values))
    with pytest.raises(InexactModelError, match="predict"):
        check_predictor(Predictor(replace(read, methods={"predict": wrong}, asks={"predict": read.asks["predict"]})))
