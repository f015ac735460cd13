"""Models on odd data, and odd models: the native model's bits, or a refusal that says why."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from lightgbm import LGBMClassifier
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

import fastframe as ff
from fastframe.errors import ContractError, UnsupportedModel
from fastframe.predict.check import differing
from tests.predict.native import SPECIAL

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 4))
SIGNAL = X[:, 0] * 2 + np.abs(X[:, 1]) + RNG.normal(size=200) * 0.1
THREE = np.digitize(SIGNAL, np.quantile(SIGNAL, [0.3, 0.6]))


def special(rows: Array) -> Array:
    """The rows with special values put in."""
    put = RNG.random(rows.shape) < 0.3
    return np.where(put, RNG.choice(SPECIAL, rows.shape), rows)


def assert_bits(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert not differing(np.asarray(found), np.asarray(expected)).any()


def test_survival_times_are_powers_in_double() -> None:
    """XGBoost's survival:aft calls the C function of doubles; in 10,000 rows `expf` differs in some."""
    y = np.exp(SIGNAL).astype(np.float32)
    data = xgboost.DMatrix(X)
    data.set_float_info("label_lower_bound", y)
    data.set_float_info("label_upper_bound", y * 2)
    model = xgboost.train({"objective": "survival:aft", "nthread": 1, "max_depth": 8, "eta": 0.7}, data, 20)
    rows = RNG.normal(size=(10_000, 4))
    ours = ff.compile(model)
    assert_bits(ours.predict(rows), model.inplace_predict(rows))
    assert_bits(np.array([ours.predict_row(tuple(row)) for row in rows[:300]], np.float32), model.inplace_predict(rows[:300]))


@pytest.mark.parametrize("missing", [np.inf, -np.inf, 1e300, 0.1])
def test_numbers_that_say_missing_to_xgboost(missing: float) -> None:
    given = np.where(RNG.random(X.shape) < 0.2, missing, np.round(X, 1))
    model = XGBRegressor(n_estimators=6, max_depth=4, n_jobs=1, missing=missing).fit(given, SIGNAL)
    ours = ff.compile(model)
    for rows in (given, special(given)):
        assert_bits(ours.predict(rows), model.predict(rows))


@pytest.mark.parametrize("labels", [THREE, THREE > 0])
def test_lightgbm_decisions(labels: Array) -> None:
    model = LGBMClassifier(n_estimators=5, min_child_samples=3, verbose=-1, n_jobs=1).fit(X, labels)
    ours = ff.compile(model)
    if not hasattr(model, "decision_function"):   # before 4.7
        assert "decision_function" not in ours.methods
        return
    assert_bits(ours.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize("labels", [THREE, THREE > 0])
def test_probabilities_of_the_modified_huber_loss(labels: Array) -> None:
    model = SGDClassifier(loss="modified_huber", random_state=0).fit(X, labels)
    rows = np.concatenate([X, np.zeros((1, 4)), X * 1e-3, X * 1e3])   # decided, undecided, and none that has a chance
    assert_bits(ff.compile(model).predict_proba(rows), model.predict_proba(rows))


def test_a_network_of_one_class_is_refused_and_falls_back() -> None:
    with warnings.catch_warnings(action="ignore"):   # that it has not converged
        model = MLPClassifier((3,), max_iter=2).fit(X, np.zeros(len(X), np.int64))
    with pytest.raises(UnsupportedModel, match="MLPClassifier cannot be compiled: it has a single class"):
        ff.compile(model)
    assert_bits(ff.compile(model, fallback="native").predict(X), model.predict(X))


def test_an_unseen_category_that_would_be_nan_is_refused_where_the_model_refuses_nan() -> None:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    model = make_pipeline(encoder, Ridge()).fit(np.round(X), SIGNAL)
    ours = ff.compile(model)
    assert np.allclose(ours.predict(np.round(X)), model.predict(np.round(X)), rtol=1e-13)
    with pytest.raises(ContractError, match="column 'x0': 1 value is no category of the model: 77"):
        ours.predict(np.array([[77.0, 0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("kind", [np.nan, None])
@pytest.mark.parametrize("options", [{}, {"handle_unknown": "ignore"}])
def test_encoders_of_columns_without_values(kind: Any, options: dict[str, Any]) -> None:
    rows = pd.DataFrame({"a": np.round(X[:, 0]), "none": np.array([kind] * len(X), object if kind is None else float)})
    for encoder in (OneHotEncoder(sparse_output=False, **options), OrdinalEncoder()):
        model = make_pipeline(encoder, DecisionTreeRegressor(max_depth=4)).fit(rows, SIGNAL)
        assert_bits(ff.compile(model).predict(rows), model.predict(rows))


@pytest.mark.parametrize("last", [DecisionTreeRegressor(max_depth=6), Ridge()])
def test_rows_that_the_model_refuses_are_left_out_of_the_check(last: Any) -> None:
    """Logarithms of negative numbers and of zero are what the next step refuses."""
    model = make_pipeline(FunctionTransformer(np.log), last).fit(np.abs(X), SIGNAL)
    ours = ff.compile(model)
    assert np.allclose(ours.predict(np.abs(X)), model.predict(np.abs(X)), rtol=1e-12, atol=0)
    assert "rows" in str(ours.explain())
