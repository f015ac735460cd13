"""scikit-learn's models that are sums over features: the same bits on a C-ordered matrix, a bound on others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, LinearSVC, LinearSVR

import fastframe as ff
from fastframe.errors import UnsupportedModel
from fastframe.predict.dense import BOUND, Linear
from fastframe.predict.readers import read_model
from tests.predict.feeding import answer, assert_bits, check_model
from tests.reference.fed_rows import FedRows, Refused

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(2)
X = RNG.normal(size=(180, 9)) * [1, 5, 0.1, 30, 1, 1, 2, 2, 1]
Y = X @ RNG.normal(size=9) + RNG.normal(size=180)
COUNTS = np.abs(X).round()
THREE = np.array(["b", "a", "c"])[np.digitize(Y, [-5, 6])]
MANY = np.digitize(Y, np.quantile(Y, np.linspace(0, 1, 12)[1:-1])) * 3


@pytest.mark.parametrize("model", [
    LinearRegression(), LinearRegression(fit_intercept=False), Ridge(), Lasso(0.1), ElasticNet(0.1), BayesianRidge(), SGDRegressor(max_iter=5),
    LinearSVR(max_iter=50), MLPRegressor(hidden_layer_sizes=(7, 5), max_iter=3), MLPRegressor(activation="tanh", max_iter=3),
    MLPRegressor(activation="logistic", max_iter=3),
])  # fmt: skip
def test_regressors(model: Any) -> None:
    check_model(model.fit(X / 30, Y), X / 30)


@pytest.mark.parametrize("model", [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5), TweedieRegressor(power=0)])
def test_generalized_linear_models(model: Any) -> None:
    check_model(model.fit(X / 30, np.abs(Y) + 0.1), X / 30)


def test_several_outputs() -> None:
    both = np.column_stack([Y, -Y, Y**2])
    for model in (LinearRegression(), Ridge(), MultiTaskLasso(0.1), MLPRegressor(max_iter=2)):
        assert check_model(model.fit(X, both), X).methods["predict"].width == 3


PROBABILITIES = ("predict", "predict_proba")
DECISIONS = ("predict", "decision_function")


@pytest.mark.parametrize("labels", [Y > 0, THREE, MANY])
@pytest.mark.parametrize(("model", "methods"), [
    (LogisticRegression(max_iter=20), (*DECISIONS, "predict_proba")), (SGDClassifier("log_loss", max_iter=5), (*DECISIONS, "predict_proba")),
    (SGDClassifier(max_iter=5), DECISIONS), (LinearSVC(max_iter=50), DECISIONS), (RidgeClassifier(), DECISIONS), (Perceptron(max_iter=5), DECISIONS),
    (GaussianNB(), PROBABILITIES), (BernoulliNB(binarize=0.5), PROBABILITIES), (MLPClassifier((5,), max_iter=2), PROBABILITIES),
])  # fmt: skip
def test_classifiers(model: Any, methods: tuple[str, ...], labels: Any) -> None:
    read = check_model(model.fit(X, labels), X, methods=methods)
    assert set(read.methods) == set(methods)


@pytest.mark.parametrize("labels", [Y > 0, THREE, MANY])
@pytest.mark.parametrize("model", [MultinomialNB(), ComplementNB()])
def test_counts(model: Any, labels: Any) -> None:
    check_model(model.fit(COUNTS, labels), COUNTS, methods=PROBABILITIES)


@pytest.mark.parametrize("model", [KMeans(5, n_init=1, random_state=0), MiniBatchKMeans(4, n_init=1, random_state=0)])
def test_clusters(model: Any) -> None:
    model.fit(X)
    check_model(model, X, methods=("transform",))
    read = read_model(model)
    assert_bits(answer(read, "predict", X), model.predict(X))   # no row lies between two centres


def test_float32() -> None:
    for model in (LinearRegression(), Ridge(), MLPRegressor(max_iter=2)):
        narrow = X.astype(np.float32)
        read = check_model(model.fit(narrow, Y.astype(np.float32)), narrow)
        assert read.contract.fields[0].dtype == "float32" and answer(read, "predict", narrow).dtype == np.float32


@pytest.mark.parametrize("labels", [Y > 0, MANY])
@pytest.mark.parametrize("model", [
    LogisticRegression(max_iter=20), SGDClassifier("log_loss", max_iter=5), MLPClassifier((5,), activation="logistic", max_iter=2),
])  # fmt: skip
def test_probabilities_of_float32(model: Any, labels: Any) -> None:
    narrow = (X / [1, 5, 0.1, 30, 1, 1, 2, 2, 1]).astype(np.float32)
    fitted = model.fit(narrow, labels)
    read = check_model(fitted, narrow, methods=PROBABILITIES)
    kept = fitted.coef_ if hasattr(fitted, "coef_") else fitted.coefs_[0]   # LogisticRegression's are float64 in scikit-learn 1.6
    assert read.contract.fields[0].dtype == str(kept.dtype)


def test_rows_that_no_class_wants() -> None:
    """One against the rest gives them probabilities of 0, or no number, as the version has it."""
    model = SGDClassifier("log_loss", max_iter=5).fit(X, THREE)
    far = np.concatenate([X, X * 1e4])
    unwanted = (model.decision_function(far) < -800).all(axis=1)
    model.intercept_ = np.full_like(model.intercept_, -1e9) if not unwanted.any() else model.intercept_
    check_model(model, far, methods=PROBABILITIES)
    shares = model.predict_proba(far)[(model.decision_function(far) < -800).all(axis=1)]
    assert len(shares) and (np.isnan(shares).all() or (shares == 1 / 3).all())


def test_frames_and_the_bound_on_other_layouts() -> None:
    """A frame is laid out by columns: the same bits. Laid out by rows, BLAS may add in another order: within the stated bound."""
    scaled = X * np.geomspace(1e-6, 1e8, 9)
    frame = pd.DataFrame({f"c{i}": scaled[:, i] for i in range(9)})
    model = LinearRegression().fit(frame, Y)
    read = read_model(model)
    assert_bits(answer(read, "predict", frame), model.predict(frame))   # a frame of its own: slices of one have yet other strides
    assert read.contract.named and read.contract.names == list(frame)
    got, by_rows = answer(read, "predict", frame)[:, 0], np.ascontiguousarray(frame) @ model.coef_ + model.intercept_
    bound = 2 * (9 + 2) * np.finfo(np.float64).eps * (np.abs(scaled * model.coef_).sum(axis=1) + abs(model.intercept_))
    assert (np.abs(got - by_rows) <= bound).all()
    predictor = ff.compile(model)
    for start in range(0, 40, 4):   # rows alone, and slices of a frame with the strides of the whole
        some = slice(start, start + 4)
        assert (np.abs(predictor.predict(frame[some]) - model.predict(frame[some])) <= bound[some]).all()
        assert abs(predictor.predict_row(frame.iloc[start].to_dict()) - got[start]) <= bound[start]
    assert read.methods["predict"].guarantee == BOUND and isinstance(read.methods["predict"], Linear)


def test_missing_values_are_refused() -> None:
    read = read_model(Ridge().fit(X, Y))
    with pytest.raises(Refused):
        FedRows(read.contract, np.full((2, 9), np.nan))


def test_what_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="SVC"):
        read_model(SVC().fit(X, THREE))
    with pytest.raises(UnsupportedModel, match="sparse"):
        read_model(SGDClassifier(max_iter=5).fit(X, THREE).sparsify())
    with pytest.raises(UnsupportedModel, match="several labels"):
        read_model(RidgeClassifier().fit(X, np.column_stack([Y > 0, Y > 1])))
    with pytest.raises(UnsupportedModel, match="float32"):
        read_model(KMeans(3, n_init=1).fit(X.astype(np.float32)))
