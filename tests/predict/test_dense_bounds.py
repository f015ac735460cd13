"""The bound that models which add by BLAS state: rows alone, and matrices in another layout, for every kind of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import LinearSVC, LinearSVR

import fastframe as ff
from fastframe.predict.dense import BOUND
from fastframe.predict.model import Model
from fastframe.predict.model_checks import parts_of
from fastframe.predict.readers import read_model
from fastframe.predict.scores import Score
from tests.predict.feeding import answer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(5)
EPS = float(np.finfo(np.float64).eps)
X = np.abs(RNG.normal(size=(120, 23))) * np.geomspace(1e-3, 1e3, 23)
Y = X @ (RNG.normal(size=23) / np.geomspace(1e-3, 1e3, 23))
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.7]))


def of_sum(sizes: Array, n: int) -> Array:
    """``2 (n + 2) eps`` of the sum of the terms' sizes."""
    return 2 * (n + 2) * EPS * sizes


def of_linear(model: Any, x: Array) -> Array:
    coef = np.atleast_2d(model.coef_ if hasattr(model, "coef_") else model.feature_log_prob_)
    intercept = getattr(model, "intercept_", 0.0) if hasattr(model, "coef_") else model.class_log_prior_
    return of_sum(np.abs(x) @ np.abs(coef).T + np.abs(intercept), x.shape[1])


def of_bernoulli(model: Any, x: Array) -> Array:
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    return of_sum((x > 0) @ np.abs(model.feature_log_prob_ - absent).T + np.abs(model.class_log_prior_) + np.abs(absent.sum(axis=1)), x.shape[1])


def of_gaussian(model: Any, x: Array) -> Array:
    squares = ((x[:, None, :] - model.theta_) ** 2 / model.var_).sum(axis=2)
    return of_sum(squares + np.abs(np.log(2 * np.pi * model.var_)).sum(axis=1) + np.abs(np.log(model.class_prior_)), x.shape[1])


def of_squares(model: Any, x: Array) -> Array:
    """Of squared distances; of the root of a square of size s no more than the bound over its root, or the root of the bound."""
    centers = model.cluster_centers_
    squares = of_sum((x**2).sum(axis=1)[:, None] + 2 * np.abs(x) @ np.abs(centers).T + (centers**2).sum(axis=1), x.shape[1])
    return np.minimum(np.sqrt(squares), squares / np.maximum(model.transform(x), 1e-300)) + 4 * EPS * model.transform(x)


def of_layers(model: Any, x: Array) -> Array:
    """Each layer's own bound, beside what it makes of the one before; activations have slopes of at most 1."""
    size, bound = np.abs(x), np.zeros_like(x)
    for weights, bias in zip(model.coefs_, model.intercepts_, strict=True):
        sizes = size @ np.abs(weights) + np.abs(bias)
        bound = bound @ np.abs(weights) + of_sum(sizes, len(weights)) + 8 * EPS * sizes
        size = sizes
    return bound


KINDS: list[tuple[Any, Any, str, Callable[[Any, Array], Array]]] = [
    (LinearRegression(), Y, "predict", of_linear), (Ridge(), np.column_stack([Y, -Y]), "predict", of_linear), (LinearSVR(max_iter=50), Y, "predict", of_linear),
    (LogisticRegression(max_iter=20), Y > 0, "decision_function", of_linear), (LogisticRegression(max_iter=20), THREE, "decision_function", of_linear),
    (RidgeClassifier(), THREE, "decision_function", of_linear), (SGDClassifier(max_iter=5), THREE, "decision_function", of_linear),
    (LinearSVC(max_iter=50), THREE, "decision_function", of_linear),
    (MultinomialNB(), THREE, "joint", of_linear), (ComplementNB(), THREE, "joint", of_linear), (BernoulliNB(), THREE, "joint", of_bernoulli),
    (GaussianNB(), THREE, "joint", of_gaussian), (KMeans(4, n_init=1, random_state=0), None, "transform", of_squares),
    (MiniBatchKMeans(4, n_init=1, random_state=0), None, "transform", of_squares),
    (MLPRegressor(hidden_layer_sizes=(9, 7), max_iter=2), Y, "predict", of_layers),
    (MLPRegressor(hidden_layer_sizes=(9,), activation="tanh", max_iter=2), Y, "predict", of_layers),
    (MLPClassifier((9,), activation="logistic", max_iter=2), THREE, "predict_proba", of_layers),
]  # fmt: skip


def _score(model: Model, method: str) -> Score:
    if method in model.methods:
        return model.methods[method]
    return model.methods["predict_proba"].of   # type: ignore[attr-defined, no-any-return]   # joint log likelihoods


@pytest.mark.parametrize(("model", "labels", "method", "bound"), KINDS, ids=lambda one: type(one).__name__ if hasattr(one, "fit") else "")
def test_rows_alone_and_other_layouts_are_within_the_bound(model: Any, labels: Any, method: str, bound: Callable[[Any, Array], Array]) -> None:
    x = X if type(model).__name__ not in ("MLPRegressor", "MLPClassifier") else X / np.geomspace(1e-3, 1e3, 23)
    fitted = model.fit(x, labels)
    read = read_model(fitted)
    score = _score(read, method)
    assert BOUND in {one.guarantee for one in _below(score)}
    read.methods["asked"] = score   # type: ignore[index]
    many, allowed = answer(read, "asked", x), bound(fitted, x).reshape(len(x), -1)
    for start, stop in ((0, 1), (7, 8), (3, 10), (11, 120)):
        some = np.asfortranarray(x[start:stop])
        got = answer(read, "asked", some)
        assert (np.abs(got - many[start:stop]) <= allowed[start:stop]).all(), (start, stop)
    if method == "joint":   # which neither side gives by itself
        return
    assert (np.abs(np.asarray(getattr(fitted, method)(np.asfortranarray(x))).reshape(len(x), -1) - many) <= allowed).all()
    predictor = ff.compile(fitted)
    for row in range(0, 120, 11):
        assert (np.abs(np.asarray(predictor.predict_row(x[row].tolist(), method)) - many[row]) <= allowed[row]).all()


def _below(score: Score) -> list[Score]:
    return [one for one in parts_of(score) if isinstance(one, Score)]


def test_a_log_link_multiplies_by_what_its_sum_may_err() -> None:
    fitted = PoissonRegressor(max_iter=5).fit(X, np.abs(Y))
    predictor = ff.compile(fitted)
    many, allowed = predictor.predict(X), np.expm1(of_linear(fitted, X)[:, 0]) + 2 * EPS
    for row in range(0, 120, 11):
        assert abs(predictor.predict_row(X[row].tolist()) - many[row]) <= allowed[row] * many[row]
    assert (np.abs(fitted.predict(np.asfortranarray(X)) - many) <= allowed * many).all()


@pytest.mark.parametrize("model", [PCA(4), PCA(3, whiten=True), TruncatedSVD(4)])
def test_rows_of_projections_alone(model: Any) -> None:
    fitted = model.fit(X)
    many = fitted.transform(X)
    mean = fitted.mean_ if isinstance(model, PCA) else np.zeros(23)
    scale = np.sqrt(fitted.explained_variance_) if getattr(model, "whiten", False) else 1.0
    allowed = 2 * of_sum((np.abs(X) + np.abs(mean)) @ np.abs(fitted.components_).T, 23) / scale
    predictor = ff.compile(fitted)
    assert predictor.transform(X).tobytes() == np.ascontiguousarray(many).tobytes()
    for row in range(0, 120, 11):
        assert (np.abs(predictor.predict_row(X[row].tolist(), "transform") - many[row]) <= allowed[row]).all()
