"""Models of XGBoost, read and evaluated slowly, have the bits of XGBoost's own in-place prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from fastframe.errors.models import ModelError, UnsupportedModel
from fastframe.predict.forest import CategoryInput, Forest
from fastframe.predict.model import Model
from fastframe.predict.readers import read_model
from fastframe.predict.readers.ubjson import loads
from fastframe.predict.readers.xgboost import read
from fastframe.predict.readers.xgboost_trees import saved
from fastframe.predict.scores import ForestScore
from tests.predict.native import NAMES, Array, assert_same, frame, probes

RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 4)).astype(np.float32).astype(np.float64)
SIGNAL = 2 * X[:, 0] + X[:, 1] * X[:, 2] + RNG.normal(0, 0.1, 300)
WITH_MISSING = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
CLASSES = np.digitize(SIGNAL, [-1.5, 0, 1.5])


def forest_of(model: Model) -> Forest:
    margin = model.methods["margin"]
    assert isinstance(margin, ForestScore)
    return margin.forest


def train(data: Array, label: Array, rounds: int = 6, **params: Any) -> xgb.Booster:
    return xgb.train({"max_depth": 3, "verbosity": 0, "seed": 1, "nthread": 1, **params}, xgb.DMatrix(data, label, nthread=1), rounds)


def check(native: Any, **kwargs: Any) -> Model:
    model = read(native, **kwargs)
    assert_same(model, probes(forest_of(model), len(model.contract.fields)))
    return model


POSITIVE = {"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "reg:squaredlogerror"}
BINARY = {"binary:logistic", "reg:logistic", "binary:logitraw", "binary:hinge"}


@pytest.mark.parametrize(
    "objective",
    ["reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", *sorted(BINARY),
     "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "rank:pairwise"],
)  # fmt: skip
@pytest.mark.parametrize("data", [X, WITH_MISSING], ids=["complete", "missing"])
def test_objectives(objective: str, data: Array) -> None:
    label = np.abs(SIGNAL) + 0.1 if objective in POSITIVE else (SIGNAL > 0) * 1.0 if objective in BINARY else SIGNAL
    if objective.startswith("rank"):
        matrix = xgb.DMatrix(data, CLASSES, group=[30] * 10, nthread=1)
        native = xgb.train({"objective": objective, "max_depth": 3, "nthread": 1}, matrix, 6)
    else:
        native = train(data, label, objective=objective)
    check(native)


def test_accelerated_failure_time() -> None:
    matrix = xgb.DMatrix(X, nthread=1)
    matrix.set_float_info("label_lower_bound", np.abs(SIGNAL) + 0.1)
    matrix.set_float_info("label_upper_bound", np.abs(SIGNAL) + 0.5)
    check(xgb.train({"objective": "survival:aft", "max_depth": 3, "nthread": 1}, matrix, 5))


def test_several_quantiles_and_targets() -> None:
    assert forest_of(check(train(X, SIGNAL, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]))).n_outputs == 3
    check(xgb.XGBRegressor(n_jobs=1, n_estimators=4, max_depth=3).fit(X, np.c_[SIGNAL, X[:, 0]]))


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
@pytest.mark.parametrize("parallel", [1, 3])
def test_several_classes(objective: str, parallel: int) -> None:
    native = train(WITH_MISSING, CLASSES, 4, objective=objective, num_class=4, num_parallel_tree=parallel, subsample=0.8)
    forest = forest_of(check(native))
    assert forest.n_trees == 16 * parallel
    assert forest.tree_output[: 2 * parallel].tolist() == [0] * parallel + [1] * parallel


@pytest.mark.parametrize("score", [0.3, 0.999999999, None])
def test_intercept(score: float | None) -> None:
    check(train(X, (SIGNAL > 0) * 1.0, objective="binary:logistic", base_score=score))
    check(train(X, np.abs(SIGNAL), objective="count:poisson", base_score=score))
    check(train(X, CLASSES, 3, objective="multi:softprob", num_class=4, base_score=score))


def test_intercept_of_models_saved_before_3_1() -> None:
    native = train(X, (SIGNAL > 0) * 1.0, objective="binary:logistic")
    document = loads(native.save_raw("ubj"))
    listed = saved(document)
    document["learner"]["learner_model_param"]["base_score"] = document["learner"]["learner_model_param"]["base_score"].strip("[]")
    del document["learner"]["gradient_booster"]["model"]["iteration_indptr"]
    assert saved(document).base.tolist() == listed.base.tolist()
    assert saved(document).iteration_start.tolist() == listed.iteration_start.tolist()


@pytest.mark.parametrize("objective", ["reg:squarederror", "binary:logistic", "multi:softprob"])
def test_dart(objective: str) -> None:
    label = CLASSES if objective == "multi:softprob" else (SIGNAL > 0) * 1.0
    params = {"booster": "dart", "rate_drop": 0.4, "one_drop": 1, "base_score": 0.37}
    classes = {"num_class": 4} if objective == "multi:softprob" else {}
    booster = train(X, label, 8, objective=objective, **params, **classes)
    by_matrix = check(booster)
    kind = xgb.XGBRegressor if objective == "reg:squarederror" else xgb.XGBClassifier
    estimator = kind(n_jobs=1, n_estimators=8, max_depth=3, seed=1, objective=objective, **params).fit(X, label)
    in_place = check(estimator)
    assert len(set(forest_of(by_matrix).leaf_values.ravel().tolist())) > 8
    if tuple(int(part) for part in xgb.__version__.split(".")[:2]) < (3, 3):
        assert "inplace_predict before 3.3" in " ".join(in_place.notes)
        assert not np.array_equal(forest_of(in_place).leaf_values, forest_of(by_matrix).leaf_values)   # the formulas differ in bits


@pytest.mark.parametrize("missing", [math.nan, -999.0, 0.0])
@pytest.mark.parametrize("kind", [xgb.XGBRegressor, xgb.XGBRFRegressor])
def test_regressors(kind: Any, missing: float) -> None:
    data = np.where(np.isnan(WITH_MISSING), missing, WITH_MISSING)
    native = kind(n_jobs=1, n_estimators=5, max_depth=3, missing=missing).fit(data, SIGNAL)
    model = read_model(native)
    rows = probes(forest_of(model), 4)
    rows[::7, 0] = missing
    assert_same(model, rows)


@pytest.mark.parametrize("kind", [xgb.XGBClassifier, xgb.XGBRFClassifier])
@pytest.mark.parametrize(
    ("label", "objective"),
    [(SIGNAL > 0, "binary:logistic"), (SIGNAL > 0, "binary:hinge"), (SIGNAL > 0, "binary:logitraw"), (CLASSES, "multi:softprob"),
     (CLASSES, "multi:softmax"), ((SIGNAL > 0) * 1, "multi:softprob"), (np.c_[SIGNAL > 0, X[:, 1] > 0, X[:, 2] > 0] * 1, "binary:logistic")],
)  # fmt: skip
def test_classifiers(kind: Any, label: Array, objective: str) -> None:
    params = {"num_class": 2} if objective == "multi:softprob" and label.max() == 1 else {}
    native = kind(n_jobs=1, n_estimators=4, max_depth=3, objective=objective, **params).fit(WITH_MISSING, label)
    model = check(native)
    assert model.task == "classification"
    assert ("predict_proba" in model.methods) == (objective != "binary:logitraw")


def test_ranker() -> None:
    native = xgb.XGBRanker(n_jobs=1, n_estimators=4, max_depth=3).fit(X, CLASSES, qid=np.repeat(np.arange(10), 30))
    assert check(native).task == "ranking"


def test_classes_stop_at_the_best_iteration_and_boosters_do_not() -> None:
    native = xgb.XGBRegressor(n_jobs=1, n_estimators=40, max_depth=4, learning_rate=0.9, early_stopping_rounds=3)
    native.fit(X[:150], SIGNAL[:150], eval_set=[(X[150:], SIGNAL[150:] + RNG.normal(0, 2, 150))], verbose=False)
    assert forest_of(check(native)).n_trees == native.best_iteration + 1
    assert forest_of(check(native.get_booster())).n_trees == native.get_booster().num_boosted_rounds() > native.best_iteration + 1


def test_iteration_ranges() -> None:
    native = train(X, CLASSES, 6, objective="multi:softprob", num_class=4, num_parallel_tree=2)
    for chosen in [(1, 3), (0, 4), (2, 0)]:
        assert forest_of(check(native, iteration_range=chosen)).n_trees == 8 * ((chosen[1] or 6) - chosen[0])
    with pytest.raises(UnsupportedModel, match="iteration_range"):
        read(native, iteration_range=(0, 9))


def test_pruned_nodes_are_left_out() -> None:
    native = train(X, SIGNAL, tree_method="exact", max_depth=6, gamma=3.0)
    trees = loads(native.save_raw("ubj"))["learner"]["gradient_booster"]["model"]["trees"]
    assert any(int(tree["tree_param"]["num_deleted"]) for tree in trees)
    assert len(forest_of(check(native)).feature) < sum(len(tree["left_children"]) for tree in trees)


def test_trees_of_one_leaf() -> None:
    assert forest_of(check(train(X, np.full(300, 1.5)))).feature.tolist() == [-1] * 6


def test_float32_matrices_and_integers() -> None:
    model = read(train(np.round(X * 1e8), SIGNAL))
    rows = probes(forest_of(model), 4, infinite=False)
    with np.errstate(over="ignore"):
        assert_same(model, rows.astype(np.float32))
    integers = RNG.integers(-(1 << 62), 1 << 62, (80, 4))
    integers[:40] = np.nan_to_num(rows[:40], nan=3).clip(-1e18, 1e18).astype(np.int64)
    assert_same(model, integers)   # cast to float32 at once


# Categories


def codes(n_categories: int, n_rows: int = 600) -> Array:
    data = RNG.normal(size=(n_rows, 3))
    data[:, 0] = RNG.permutation(np.arange(n_rows) % n_categories)
    return data


@pytest.mark.parametrize("one_hot", [1, 1000], ids=["partition", "one-hot"])
@pytest.mark.parametrize("n_categories", [4, 31, 32, 33, 64, 256])
def test_categories_as_codes(n_categories: int, one_hot: int) -> None:
    data = codes(n_categories)
    matrix = xgb.DMatrix(data, np.sin(data[:, 0] * 7) + data[:, 1], feature_types=["c", "q", "q"], enable_categorical=True)
    native = xgb.train({"max_depth": 4, "max_cat_to_onehot": one_hot, "nthread": 1}, matrix, 5)
    model = read(native)
    source = forest_of(model).inputs[0]
    assert isinstance(source, CategoryInput) and source.n_codes <= n_categories
    rows = probes(forest_of(model), 3)
    edges = [0, 30, 31, 32, 33, 62, 63, 64, 65, 254, 255, 256, n_categories - 1, n_categories, 16777215, 16777216, -1, -0.5, 2.7, 1 - 1e-9, 1e30]
    rows[:, 0] = np.resize([*edges, np.nan, np.inf, -np.inf, *range(40)], len(rows))
    assert_same(model, rows)


def fitted(rounds: int = 8) -> xgb.XGBRegressor:
    df = frame()
    label = df["stone"].cat.codes % 3 + df["grade"].cat.codes * 0.7 + df["size"].fillna(3) + df["flag"] * df["count"]
    return xgb.XGBRegressor(n_jobs=1, n_estimators=rounds, max_depth=5, max_cat_to_onehot=3, enable_categorical=True).fit(df, label)


def test_categories_of_frames() -> None:
    model = read(fitted())
    contract = model.contract
    assert contract.names == ["stone", "size", "grade", "flag", "count"] and contract.named
    assert contract.fields[0].categories.to_pylist() == NAMES and contract.fields[2].categories.to_pylist() == [10, 20, 35, 50]
    assert all(one.unseen == "error" for one in contract.fields)
    rows = frame(1)
    rows.loc[:20, "stone"] = np.nan
    rows.loc[10:30, "grade"] = np.nan
    assert_same(model, rows)


def test_dictionaries_in_another_order_and_with_unused_entries() -> None:
    model, rows = read(fitted()), frame(2)
    rows["stone"] = rows["stone"].cat.reorder_categories(NAMES[::-1])
    rows["grade"] = rows["grade"].cat.reorder_categories([35, 10, 50, 20])
    assert_same(model, rows)
    rows = rows[rows["stone"] != "jade"].copy()
    rows["stone"] = rows["stone"].cat.remove_unused_categories()
    assert_same(model, rows)


@pytest.mark.skipif(not (3, 1) <= tuple(int(part) for part in xgb.__version__.split(".")[:2]) < (3, 3), reason="mended in 3.3")
def test_xgboost_gives_an_unseen_category_another_ones_prediction() -> None:
    """dmlc/xgboost#12189: why the contract of XGBoost's models says that an unseen category is an error."""
    native = fitted()
    rows = frame(3).iloc[:40].copy()
    rows["stone"] = pd.Categorical(["basalt"] * 40)   # sorts between amber and coral
    silently = native.predict(rows)
    rows["stone"] = pd.Categorical(["coral"] * 40, NAMES)
    assert (silently == native.predict(rows)).all()
    rows["stone"] = pd.Categorical(["zircon"] * 40)
    with pytest.raises(xgb.core.XGBoostError, match="category"):
        native.predict(rows)
    assert read(native).contract.fields[0].unseen == "error"


def test_names_without_categories() -> None:
    df = frame()[["size", "count"]]
    model = read(xgb.XGBRegressor(n_jobs=1, n_estimators=3, max_depth=3).fit(df, df["count"]))
    assert model.contract.names == ["size", "count"] and model.contract.named
    assert_same(model, df)
    assert read(train(X, SIGNAL)).contract.names == ["x0", "x1", "x2", "x3"]
    assert not read(train(X, SIGNAL)).contract.named


# What is refused


def test_vector_leaves_are_refused() -> None:
    native = xgb.XGBRegressor(n_jobs=1, n_estimators=3, multi_strategy="multi_output_tree", tree_method="hist").fit(X, np.c_[SIGNAL, SIGNAL])
    with pytest.raises(UnsupportedModel, match=r"XGBRegressor.*vectors \(multi_strategy"):
        read(native)


def test_linear_boosters_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="gblinear"):
        read(xgb.XGBRegressor(n_jobs=1, booster="gblinear", n_estimators=2, updater="coord_descent").fit(X, SIGNAL))


def test_a_missing_value_that_is_a_category_is_refused() -> None:
    df = frame()
    native = xgb.XGBRegressor(n_jobs=1, n_estimators=3, max_depth=3, missing=0.0, enable_categorical=True).fit(df, df["count"])
    with pytest.raises(UnsupportedModel, match="missing=0"):
        read(native)


def test_no_missing_value_at_all_is_refused() -> None:
    native = xgb.XGBRegressor(n_jobs=1, n_estimators=2, missing=None).fit(X, SIGNAL)
    with pytest.raises(xgb.core.XGBoostError, match="missing"):
        native.predict(X)
    with pytest.raises(UnsupportedModel, match="missing=None"):
        read(native)


def test_custom_objectives_have_a_margin_only() -> None:
    native = xgb.XGBRegressor(n_jobs=1, n_estimators=3, max_depth=3, objective=lambda y, p: (p - y, np.ones_like(p))).fit(X, SIGNAL)
    model = check(native)
    assert set(model.methods) == {"margin"}
    assert "margin only" in " ".join(model.notes)


def test_unknown_objectives_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastframe.predict.readers import xgboost as reader

    monkeypatch.delitem(reader._LINKS, "count:poisson")
    with pytest.raises(UnsupportedModel, match="objective count:poisson"):
        read(train(X, np.abs(SIGNAL), objective="count:poisson"))


@pytest.mark.parametrize("part", ["learner_model_param", "objective", "gradient_booster"])
def test_a_document_that_lacks_a_part(part: str) -> None:
    document = loads(train(X, SIGNAL, 2).save_raw("ubj"))
    del document["learner"][part]
    with pytest.raises(ModelError, match=f"lacks.*{part}"):
        saved(document)
