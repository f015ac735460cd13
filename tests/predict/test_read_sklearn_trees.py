"""scikit-learn's trees and forests, read and walked slowly, give the library's own bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from fastframe.errors.models import UnsupportedModel
from fastframe.predict.decide import Decide
from fastframe.predict.outputs import Together
from fastframe.predict.readers import read_model
from fastframe.predict.readers.sklearn_nodes import tree_of
from fastframe.predict.scores import ForestScore
from tests.predict.asking import adversarial, assert_same, compare, our_rows
from tests.reference import forest as slow

Array = np.ndarray[Any, Any]
REGRESSORS = [
    DecisionTreeRegressor(), DecisionTreeRegressor(max_leaf_nodes=9, criterion="absolute_error"), ExtraTreeRegressor(),
    RandomForestRegressor(4), RandomForestRegressor(3, max_depth=3, bootstrap=False, max_features=2), ExtraTreesRegressor(4),
]  # fmt: skip
CLASSIFIERS = [
    DecisionTreeClassifier(), DecisionTreeClassifier(max_depth=3, class_weight="balanced", criterion="entropy"), ExtraTreeClassifier(),
    RandomForestClassifier(4), RandomForestClassifier(4, max_depth=4, class_weight="balanced_subsample"), ExtraTreesClassifier(4, min_samples_leaf=4),
]  # fmt: skip


def data(n: int = 150, k: int = 4, *, missing: bool = False, seed: int = 0) -> tuple[Array, Array]:
    """Columns on several scales, a target that depends on them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)) * [1, 1e-3, 1e6, 7][:k]
    x[:, -1] = x[:, -1].round()
    y = x[:, 0] + np.sign(x[:, -1]) + rng.normal(size=n) / 4
    if missing:
        x[rng.random(x.shape) < 0.15] = np.nan
    return x, y


def check(model: Any, x: Array, seed: int = 1, n_rows: int = 160) -> Any:
    """Read a fitted model and compare it at its thresholds; missing values where it takes them."""
    read = read_model(model)
    rng = np.random.default_rng(seed)
    compare(read, adversarial(read, x, rng, n_rows, missing=all(field.nullable for field in read.contract.fields)))
    return read


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("model", REGRESSORS, ids=str)
def test_regressors(model: Any, missing: bool) -> None:
    x, y = data(missing=missing)
    takes_missing = model.__sklearn_tags__().input_tags.allow_nan   # not of absolute errors in scikit-learn 1.6
    if missing and not takes_missing:
        pytest.skip("this version does not fit it on missing values")
    read = check(model.set_params(random_state=2).fit(x, y), x)
    assert read.contract.fields[0].nullable == takes_missing   # NaN goes where the tree says, also where fit saw none
    assert not read.contract.named
    assert read.task == "regression"


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=str)
def test_classifiers(model: Any, missing: bool) -> None:
    x, y = data(missing=missing)
    read = check(model.set_params(random_state=2).fit(x, np.digitize(y, [-1, 0, 1.5])), x)
    assert read.methods["predict_proba"].width == 4
    assert read.task == "classification"


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud"])
def test_real_data(name: str) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=name != "digits")
    kind = RandomForestRegressor if name in ("diabetes", "linnerud") else RandomForestClassifier
    model = kind(3, random_state=0).fit(x, y)
    read = check(model, np.asarray(x, np.float64), n_rows=100)
    if name != "digits":
        assert read.contract.named
        assert read.contract.names == list(x.columns)


def test_several_outputs() -> None:
    x, y = data()
    targets = np.stack([y, -2 * y, x[:, 1]], axis=1)
    for model in (DecisionTreeRegressor(max_depth=4), ExtraTreesRegressor(3), RandomForestRegressor(3)):
        assert check(model.fit(x, targets), x).methods["predict"].width == 3


def test_several_outputs_with_different_numbers_of_classes() -> None:
    x, y = data()
    targets = np.stack([np.digitize(y, [0]), np.digitize(y, [-1, 0, 1]) + 5, np.digitize(x[:, 1], [0, 1e-3]), np.full(len(y), 3)], axis=1)
    for model in (DecisionTreeClassifier(max_depth=4), RandomForestClassifier(3), ExtraTreesClassifier(3)):
        read = check(model.fit(x, targets), x)
        proba = read.methods["predict_proba"]
        assert isinstance(proba, Together)
        assert proba.listed
        values = proba.run(our_rows(read, x))
        expected = model.predict_proba(x)
        assert [part.shape for part in proba.split(values)] == [one.shape for one in expected] == [(150, n) for n in (2, 4, 3, 1)]


@pytest.mark.parametrize("labels", [["no", "yes", "perhaps"], [True, False], [-5, 7], [2.0, 1.0]], ids=str)
def test_labels(labels: list[Any]) -> None:
    x, y = data()
    classes = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
    target = classes[np.digitize(y, [-0.5, 0.5][: len(labels) - 1])]
    read = check(RandomForestClassifier(3, random_state=0).fit(x, target), x)
    decide = read.methods["predict"]
    assert isinstance(decide, Decide)
    assert decide.classes.tolist() == sorted(labels)


def test_one_class_and_one_leaf() -> None:
    x, y = data(20)
    check(DecisionTreeClassifier().fit(x, np.full(20, "only")), x)
    check(RandomForestClassifier(2).fit(x, np.zeros(20)), x)
    check(DecisionTreeRegressor(max_depth=1).fit(x, y), x)
    check(DecisionTreeRegressor().fit(x, np.full(20, 0.1)), x)
    check(RandomForestRegressor(3).fit(x[:1], y[:1]), x)


def test_a_leaf_of_negative_zero_keeps_its_sign() -> None:
    x, _ = data(20)
    model = DecisionTreeRegressor(criterion="absolute_error").fit(x, np.full(20, -0.0))   # a median: a sum of -0.0 is 0.0
    assert np.signbit(model.predict(x)).all()
    check(model, x)


def test_weights_constraints_and_warm_starts() -> None:
    x, y = data()
    weights = np.random.default_rng(0).random(len(y))
    check(DecisionTreeRegressor(max_depth=5).fit(x, y, sample_weight=weights), x)
    check(RandomForestClassifier(3).fit(x, y > 0, sample_weight=weights), x)
    check(DecisionTreeRegressor(monotonic_cst=[1, 0, -1, 0]).fit(x, y), x)
    check(RandomForestClassifier(3, monotonic_cst=[1, 0, -1, 0]).fit(x, y > 0), x)
    check(DecisionTreeClassifier(ccp_alpha=0.02).fit(x, y > 0), x)
    warm = RandomForestRegressor(2, warm_start=True, random_state=0).fit(x, y)
    warm.set_params(n_estimators=5).fit(x, y)
    read = check(warm, x)
    assert read.methods["predict"].forest.n_trees == 5   # type: ignore[attr-defined]


def test_the_nearest_float32_of_a_threshold_would_be_wrong() -> None:
    # scikit-learn compares float32 values with float64 thresholds, midpoints of neighbours: rounding them moves rows.
    rng = np.random.default_rng(4)
    x = np.cumsum(np.full(200, np.float32(1e-6)), dtype=np.float32)[:, None] + np.float32(1)
    model = DecisionTreeRegressor().fit(x, rng.normal(size=200))
    nodes = model.tree_.threshold[model.tree_.feature >= 0]
    assert (nodes.astype(np.float32) != nodes).sum() > 50
    assert (nodes.astype(np.float32) > nodes).sum() > 20
    read = check(model, x.astype(np.float64), n_rows=600)
    expected = model.apply(x)
    assert np.array_equal(slow.leaves(read.methods["predict"].forest, [x[:, 0].astype(np.float64)])[:, 0], expected)   # type: ignore[attr-defined]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "int32", "int8", "bool", "float32"])
def test_columns_of_other_dtypes_are_cast_as_the_library_casts_them(dtype: str) -> None:
    rng = np.random.default_rng(0)
    top = {"int64": 2**62, "uint64": 2**63, "int32": 2**30, "int8": 2**6, "bool": 2, "float32": 2**30}[dtype]
    values = (rng.integers(0, top, 300) // 3 * 3 + rng.integers(0, 2, 300)).astype(dtype)
    if dtype.endswith("int64"):   # what float64 holds, as the contract demands, but float32 does not
        values = values.astype(np.float64).astype(dtype)
    frame = pd.DataFrame({"a": values, "b": rng.normal(size=300)})
    model = RandomForestRegressor(3, random_state=0).fit(frame, rng.normal(size=300))
    forest = read_model(model).methods["predict"].forest   # type: ignore[attr-defined]
    assert_same(slow.sums(forest, [values, frame["b"].to_numpy()]), model.set_params(n_jobs=1).predict(frame))
    if dtype == "int64":
        near = np.array([2**24 + d for d in range(-2, 3)] + [2**53 + d for d in (-2, 0, 2)])
        both = pd.DataFrame({"a": near, "b": np.zeros(len(near))})
        assert_same(slow.sums(forest, [near, both["b"].to_numpy()]), model.predict(both))


def test_forests_are_compared_with_one_thread_and_stay_as_they_are() -> None:
    x, y = data()
    model = RandomForestRegressor(30, n_jobs=2, random_state=0).fit(x, y)
    read = check(model, x)
    assert model.n_jobs == 2
    assert "n_jobs=1" in read.notes[0]
    assert_same(np.asarray(read.asks["predict"].method(x)).reshape(-1, 1), model.set_params(n_jobs=1).predict(x))


def test_the_library_refuses_what_asks_leave_out() -> None:
    x, y = data()
    model = RandomForestRegressor(2).fit(x, y)
    limit = read_model(model).asks["predict"].limit
    for value in (np.inf, -np.inf, limit * (1 + 1e-6)):
        x[0, 0] = value
        with np.errstate(over="ignore"), pytest.raises(ValueError, match="infinity"):
            model.predict(x)


class OwnTree(DecisionTreeRegressor):
    def predict(self, X: Any, check_input: bool = True) -> Any:
        return super().predict(X, check_input) * 2


def test_what_is_not_known_is_refused() -> None:
    x, y = data(30)
    forest = RandomForestRegressor(2).fit(x, y)
    forest.estimators_[1] = OwnTree().fit(x, y)
    with pytest.raises(UnsupportedModel, match="OwnTree"):
        read_model(forest)
    with pytest.raises(UnsupportedModel, match="overrides predict"):
        read_model(OwnTree().fit(x, y))
    with pytest.raises(UnsupportedModel, match="not fitted"):
        read_model(RandomForestRegressor())
    classifier = DecisionTreeClassifier().fit(x, y > 0)
    classifier.classes_ = np.array([0, 1, 2])
    with pytest.raises(UnsupportedModel, match="does not fit its outputs"):
        read_model(classifier)


def test_an_unknown_layout_of_nodes_is_refused() -> None:
    x, y = data(30)
    model = DecisionTreeRegressor().fit(x, y)
    nodes = model.tree_.__getstate__()["nodes"]

    class Newer:
        def __getstate__(self) -> dict[str, Any]:
            wider = np.dtype([*((name, nodes.dtype[name]) for name in nodes.dtype.names), ("is_categorical", np.uint8)])
            return {"nodes": np.zeros(len(nodes), wider)}

    with pytest.raises(UnsupportedModel, match=r"unknown layout \(is_categorical\)"):
        tree_of(model, Newer(), model.tree_.value[:, :, 0])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), depth=st.integers(1, 8), places=st.integers(0, 3),
    kind=st.sampled_from([DecisionTreeRegressor, ExtraTreesRegressor, RandomForestClassifier, ExtraTreeClassifier]), holes=st.booleans(),
)  # fmt: skip
def test_random_models_on_random_data(seed: int, n: int, depth: int, places: int, kind: Any, holes: bool) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n, 3)) * 10.0 ** rng.integers(-30, 30, 3)).round(places)
    x[rng.random(x.shape) < 0.2 * holes] = np.nan
    y = rng.integers(0, 4, n)
    model = kind(max_depth=depth, random_state=seed % 1000).fit(x, y) if "Trees" not in kind.__name__ and "Forest" not in kind.__name__ else kind(
        n_estimators=3, max_depth=depth, random_state=seed % 1000).fit(x, y)  # fmt: skip
    check(model, x, seed=seed, n_rows=30)


def test_scores_are_fed_the_contracts_columns() -> None:
    x, y = data()
    score = read_model(RandomForestRegressor(2).fit(x, y)).methods["predict"]
    assert isinstance(score, ForestScore)
    assert [feature.column for feature in score.features] == [0, 1, 2, 3]   # type: ignore[union-attr]
    assert score.forest.domain == "float32"
    assert score.forest.divide == 2
