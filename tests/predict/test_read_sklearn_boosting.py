"""scikit-learn's gradient boosting and isolation forests, read and walked slowly, give the library's own bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, IsolationForest
from sklearn.linear_model import LinearRegression

from fastframe.errors.models import UnsupportedModel
from fastframe.predict.isolation import IsolationScore
from fastframe.predict.readers import read_model
from fastframe.predict.scores import ForestScore
from tests.predict.asking import adversarial, assert_same, compare, our_rows
from tests.reference import forest as slow

Array = np.ndarray[Any, Any]
Regressor, Classifier = GradientBoostingRegressor, GradientBoostingClassifier
SMALL = {"n_estimators": 6, "random_state": 0}


def data(n: int = 150, *, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)) * [1, 1e-3, 1e6, 3]
    x[:, 3] = x[:, 3].round()
    return x, x[:, 0] + np.sign(x[:, 3]) + rng.normal(size=n) / 4


def check(model: Any, x: Array, n_rows: int = 150) -> Any:
    read = read_model(model)
    missing = all(field.nullable for field in read.contract.fields)
    compare(read, adversarial(read, np.asarray(x, np.float64), np.random.default_rng(1), n_rows, missing=missing))
    return read


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_regressors_of_each_loss(loss: str) -> None:
    x, y = data()
    read = check(Regressor(loss=loss, **SMALL).fit(x, y), x)
    assert not any(field.nullable for field in read.contract.fields)   # it takes no NaN
    with pytest.raises(ValueError, match="NaN"):
        read.asks["predict"].method(np.full((1, 4), np.nan))


@pytest.mark.parametrize(("loss", "n_classes"), [("log_loss", 2), ("log_loss", 3), ("log_loss", 10), ("exponential", 2)])
def test_classifiers_of_each_loss(loss: str, n_classes: int) -> None:
    x, y = data()
    edges = np.quantile(y, np.arange(1, n_classes) / n_classes)
    read = check(Classifier(loss=loss, **SMALL).fit(x, np.digitize(y, edges)), x)
    assert read.methods["predict_proba"].width == n_classes
    assert read.methods["margin"].forest.n_trees == 6 * (1 if n_classes == 2 else n_classes)


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "diabetes"])
def test_real_data(name: str) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    read = check((Regressor if name == "diabetes" else Classifier)(**SMALL).fit(x, y), x.to_numpy())
    assert read.contract.names == list(x.columns)


def test_initial_estimators_that_say_the_same_of_every_row() -> None:
    x, y = data()
    for init in ("zero", DummyRegressor(strategy="quantile", quantile=0.3), DummyRegressor(strategy="constant", constant=-4.5)):
        check(Regressor(init=init, **SMALL).fit(x, y), x)
    for classes in (y > 0, np.digitize(y, [0, 1])):
        for start in ("zero", DummyClassifier(strategy="most_frequent"), DummyClassifier(strategy="prior")):
            check(Classifier(init=start, **SMALL).fit(x, classes), x)


def test_other_initial_estimators_are_refused() -> None:
    x, y = data()
    for model in (Regressor(init=LinearRegression(), **SMALL).fit(x, y), Classifier(init=DummyClassifier(strategy="uniform")).fit(x, y > 0)):
        with pytest.raises(UnsupportedModel, match="initial estimator"):
            read_model(model)


def test_training_options() -> None:
    x, y = data()
    stopped = Regressor(n_iter_no_change=2, n_estimators=100, learning_rate=0.7, random_state=0).fit(x, y)
    assert stopped.n_estimators_ < 100
    check(stopped, x)
    check(Regressor(subsample=0.5, max_features=2, max_leaf_nodes=5, learning_rate=1 / 3, **SMALL).fit(x, y, sample_weight=np.abs(y)), x)
    check(Classifier(**SMALL).fit(x, np.where(y > 0, "yes", "no").astype(object)), x)
    warm = Regressor(warm_start=True, **SMALL).fit(x, y)
    check(warm.set_params(n_estimators=9).fit(x, y), x)


def test_stages_are_the_first_trees() -> None:
    x, y = data()
    for model in (Regressor(**SMALL).fit(x, y), Classifier(**SMALL).fit(x, np.digitize(y, [0, 1]))):
        score = read_model(model).methods["margin"]
        assert isinstance(score, ForestScore)
        stages = model._staged_raw_predict(x[:20])
        for stage, expected in enumerate(stages, start=1):
            assert_same(slow.sums(score.forest, list(x[:20].T), n_trees=stage * score.width), expected)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("options", [{}, {"max_features": 2}, {"max_samples": 2}, {"contamination": 0.2, "bootstrap": True}], ids=str)
def test_isolation_forests(options: dict[str, Any], missing: bool) -> None:
    x, _ = data()
    if missing:
        x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    read = check(IsolationForest(n_estimators=7, random_state=0, **options).fit(x), x)
    assert read.task == "outlier"
    assert set(read.methods["predict"].classes.tolist()) == {1, -1}   # type: ignore[attr-defined]


def test_isolation_forests_of_one_row_and_many_rows() -> None:
    x, _ = data(1)
    one = IsolationForest(n_estimators=3, random_state=0).fit(x)
    read = check(one, x)
    assert read.methods["score_samples"].longest == 0   # type: ignore[attr-defined]
    many = np.random.default_rng(0).random((300_000, 1)) * 900
    score = IsolationScore(read.methods["score_samples"].of, 100.0, -0.5)   # type: ignore[attr-defined]
    assert_same(score.apply(many), -(2 ** -(many / 100.0)) + 0.5)


def test_isolation_forests_by_name() -> None:
    x = datasets.load_wine(as_frame=True).data
    model = IsolationForest(n_estimators=5, random_state=0).fit(x)
    read = check(model, x.to_numpy())
    assert read.contract.named
    mine = our_rows(read, x.to_numpy())
    assert_same(read.methods["predict"].run(mine), model.predict(x))
