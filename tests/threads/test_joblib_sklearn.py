"""scikit-learn on the one pool gives what it gives elsewhere."""

from collections.abc import Iterator

import joblib
import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

generator = np.random.default_rng(5)
X = generator.normal(size=(400, 6)).astype(np.float32)
y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)


@pytest.fixture(autouse=True)
def on_the_pool() -> Iterator[None]:
    with joblib.parallel_config("fastframe", n_jobs=2):
        yield


def test_random_forest() -> None:
    alone = RandomForestClassifier(30, max_depth=6, random_state=0, n_jobs=1).fit(X, y)
    together = RandomForestClassifier(30, max_depth=6, random_state=0).fit(X, y)
    np.testing.assert_allclose(together.predict_proba(X), alone.predict_proba(X), atol=1e-12)
    assert (together.predict(X[:1]) == alone.predict(X[:1])).all()
    for ours, theirs in zip(together.estimators_, alone.estimators_, strict=True):
        assert (ours.tree_.threshold == theirs.tree_.threshold).all()


def test_random_forest_asks_for_shared_memory_and_gets_the_pool() -> None:
    used = []

    class Spy(joblib.parallel.BACKENDS["threading"]):
        def configure(self, **arguments: object) -> int:
            used.append(arguments)
            return super().configure(**arguments)

    forest = RandomForestClassifier(10, random_state=0).fit(X, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(joblib.parallel.BACKENDS, "threading", Spy)
        forest.predict(X)
    assert used == []


def test_cross_val_score() -> None:
    model = LogisticRegression()
    with joblib.parallel_config("threading", n_jobs=2):
        expected = cross_val_score(model, X, y, cv=5)
    assert (cross_val_score(model, X, y, cv=5) == expected).all()


def test_grid_search() -> None:
    grid = {"C": [0.01, 1.0], "fit_intercept": [True, False]}
    found = GridSearchCV(LogisticRegression(), grid, cv=3).fit(X, y)
    with joblib.parallel_config(n_jobs=1):
        expected = GridSearchCV(LogisticRegression(), grid, cv=3).fit(X, y)
    assert found.best_params_ == expected.best_params_
    assert (found.cv_results_["mean_test_score"] == expected.cv_results_["mean_test_score"]).all()


def test_forests_in_a_grid_search() -> None:
    forest = RandomForestClassifier(5, random_state=0, n_jobs=-1)
    found = GridSearchCV(forest, {"max_depth": [2, 4]}, cv=2).fit(X, y)
    with joblib.parallel_config(n_jobs=1):
        expected = GridSearchCV(forest, {"max_depth": [2, 4]}, cv=2).fit(X, y)
    assert (found.cv_results_["mean_test_score"] == expected.cv_results_["mean_test_score"]).all()


def test_histogram_boosting_in_tasks() -> None:
    model = HistGradientBoostingRegressor(max_iter=5, random_state=0)
    found = cross_val_score(model, X, X[:, 0], cv=4)
    with joblib.parallel_config(n_jobs=1):
        np.testing.assert_allclose(found, cross_val_score(model, X, X[:, 0], cv=4), rtol=1e-9)


def test_settings_of_scikit_learn_reach_the_tasks() -> None:
    from sklearn.utils.parallel import Parallel, delayed

    with sklearn.config_context(working_memory=77):
        found = Parallel()(delayed(sklearn.get_config)() for _ in range(6))
    assert [one["working_memory"] for one in found] == [77] * 6
